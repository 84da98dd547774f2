//! Clients that wait for an outcome: one query answers all of them after each step forward.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gx_store::Store;
use gx_store::commands::{self, Status};
use gx_types::CommandId;
use tokio::sync::{Notify, oneshot, watch};

/// How often the read models are looked at when another process fills them.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// Ids of one query at most.
const QUERY_MAX: usize = 2000;

/// The last applied block, as this process knows it. The projector moves it.
#[derive(Debug, Clone)]
pub struct Applied(watch::Sender<u64>);

impl Default for Applied {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Applied {
    pub(super) fn advance(&self, block: u64) {
        self.0.send_replace(block);
    }

    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

type Answer = oneshot::Sender<Status>;

#[derive(Debug, Default)]
struct Waiting {
    by_id: Mutex<HashMap<CommandId, Vec<Answer>>>,
    added: Notify,
}

impl Waiting {
    fn with<R>(&self, run: impl FnOnce(&mut HashMap<CommandId, Vec<Answer>>) -> R) -> R {
        run(&mut self.by_id.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits for outcomes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Waiters {
    store: Store,
    waiting: Arc<Waiting>,
}

impl Waiters {
    /// Starts the task that answers; it ends when the last clone is dropped.
    pub fn start(store: Store, applied: &Applied) -> Self {
        let waiting = Arc::new(Waiting::default());
        tokio::spawn(answer_all(store.clone(), Arc::downgrade(&waiting), applied.subscribe()));
        Self { store, waiting }
    }

    /// The status of a command once it is settled, or at the deadline whatever it is then. `None`
    /// for a command that nobody submitted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn wait(
        &self,
        id: CommandId,
        deadline: Duration,
    ) -> Result<Option<Status>, gx_store::Error> {
        let (answer, settled) = oneshot::channel();
        self.waiting.with(|by_id| by_id.entry(id).or_default().push(answer));
        self.waiting.added.notify_one();
        match tokio::time::timeout(deadline, settled).await {
            Ok(Ok(status)) => Ok(Some(status)),
            Ok(Err(_)) | Err(_) => self.status(id).await,
        }
    }

    /// The status of a command now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn status(&self, id: CommandId) -> Result<Option<Status>, gx_store::Error> {
        commands::status(&self.store, &id).await
    }
}

async fn answer_all(
    store: Store,
    waiting: std::sync::Weak<Waiting>,
    mut applied: watch::Receiver<u64>,
) {
    loop {
        let Some(waiting) = waiting.upgrade() else { return };
        let ids = waiting.with(|by_id| {
            by_id.retain(|_, answers| {
                answers.retain(|answer| !answer.is_closed());
                !answers.is_empty()
            });
            by_id.keys().copied().collect::<Vec<_>>()
        });
        if ids.is_empty() {
            // Nobody waits. The timeout lets the task notice that nobody ever will.
            let _ = tokio::time::timeout(POLL_EVERY * 20, waiting.added.notified()).await;
            continue;
        }
        for ids in ids.chunks(QUERY_MAX) {
            match commands::statuses(&store, ids).await {
                Ok(statuses) => answer(&waiting, ids, statuses),
                Err(error) => tracing::warn!(class = error.class().as_str(), "outcomes not read"),
            }
        }
        tokio::select! {
            _ = applied.changed() => {}
            () = waiting.added.notified() => {}
            () = tokio::time::sleep(POLL_EVERY) => {}
        }
    }
}

fn answer(waiting: &Waiting, ids: &[CommandId], statuses: Vec<Option<Status>>) {
    let settled: Vec<_> = ids
        .iter()
        .zip(statuses)
        .filter_map(|(id, status)| {
            status.filter(|status| status.state.is_final()).map(|status| (*id, status))
        })
        .collect();
    waiting.with(|by_id| {
        for (id, status) in settled {
            for answer in by_id.remove(&id).unwrap_or_default() {
                // One that stopped waiting is no loss.
                let _ = answer.send(status.clone());
            }
        }
    });
}
