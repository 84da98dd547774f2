//! Clients that wait for an outcome.
//!
//! A projector in this process tells what it has settled, and with that the outcomes. Without one,
//! everything that is waited for is looked up at short intervals, in one query for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gx_store::Store;
use gx_store::commands::{self, State, Status};
use gx_types::CommandId;
use tokio::sync::{Notify, broadcast, oneshot};
use tokio::time::Instant;

/// How often everything is looked up when another process fills the read models.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// How often everything is looked up although the projector of this process tells what it does:
/// another process may have taken its place.
const POLL_RARELY: Duration = Duration::from_secs(1);

/// Ids of one query at most.
const QUERY_MAX: usize = 2000;

/// Announcements that may be waiting; whoever misses one looks everything up.
const ANNOUNCEMENTS: usize = 256;

/// A command that is settled, and how; `None` when the block only says that it was before.
pub(crate) type Announced = (CommandId, Option<State>);

/// What the projector of this process has settled, block by block.
#[derive(Debug, Clone)]
pub struct Applied(broadcast::Sender<Arc<[Announced]>>);

impl Default for Applied {
    fn default() -> Self {
        Self(broadcast::Sender::new(ANNOUNCEMENTS))
    }
}

impl Applied {
    /// What this process settles from now on, for whoever tells other processes.
    pub fn settled(&self) -> Settled {
        Settled(self.0.subscribe())
    }

    /// Takes what another process has settled. How is looked up where somebody waits for it.
    pub fn hear(&self, ids: &[CommandId]) {
        self.announce(ids.iter().map(|id| (*id, None)).collect());
    }

    /// Tells that these commands can be read as settled.
    pub(crate) fn announce(&self, settled: Arc<[Announced]>) {
        // Nobody may be listening.
        let _ = self.0.send(settled);
    }
}

/// What the projector of this process settles, one block after the other.
#[derive(Debug)]
pub struct Settled(broadcast::Receiver<Arc<[Announced]>>);

impl Settled {
    /// The commands of the next block that has any. What only says that commands were settled
    /// before is left out, and with it what was heard from elsewhere. `None` when nothing will be
    /// settled here any more.
    pub async fn next(&mut self) -> Option<Vec<CommandId>> {
        loop {
            match self.0.recv().await {
                Ok(settled) => {
                    let here = settled.iter().filter(|(_, state)| state.is_some());
                    let ids: Vec<CommandId> = here.map(|(id, _)| *id).collect();
                    if !ids.is_empty() {
                        return Some(ids);
                    }
                }
                // Others look up what they were not told.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

type Answer = oneshot::Sender<State>;

#[derive(Debug, Default)]
struct Waiting {
    inner: Mutex<Lists>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Lists {
    by_id: HashMap<CommandId, Vec<Answer>>,
    /// Not looked up yet.
    fresh: Vec<CommandId>,
}

impl Waiting {
    fn with<R>(&self, run: impl FnOnce(&mut Lists) -> R) -> R {
        run(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All ids that are still waited for.
    fn all(&self) -> Vec<CommandId> {
        self.with(|lists| {
            lists.by_id.retain(|_, answers| {
                answers.retain(|answer| !answer.is_closed());
                !answers.is_empty()
            });
            lists.fresh.clear();
            lists.by_id.keys().copied().collect()
        })
    }

    /// Answers those who wait for these commands; gives back those that must be looked up.
    fn settle(&self, settled: &[Announced]) -> Vec<CommandId> {
        let mut unclear = Vec::new();
        self.with(|lists| {
            for (id, state) in settled {
                match state {
                    Some(state) => {
                        for answer in lists.by_id.remove(id).unwrap_or_default() {
                            // One that stopped waiting is no loss.
                            let _ = answer.send(state.clone());
                        }
                    }
                    None if lists.by_id.contains_key(id) => unclear.push(*id),
                    None => {}
                }
            }
        });
        unclear
    }
}

/// A place among those who wait, taken before the command is submitted, so that its outcome cannot
/// be missed and need not be looked up.
#[derive(Debug)]
pub struct Expected {
    waiters: Waiters,
    id: CommandId,
    settled: oneshot::Receiver<State>,
}

impl Expected {
    /// The state of the command once it is settled, or at the deadline whatever it is then. `None`
    /// for a command that nobody submitted.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn wait(self, deadline: Duration) -> Result<Option<State>, gx_store::Error> {
        match tokio::time::timeout(deadline, self.settled).await {
            Ok(Ok(state)) => Ok(Some(state)),
            Ok(Err(_)) | Err(_) => {
                Ok(self.waiters.status(self.id).await?.map(|status| status.state))
            }
        }
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
        let listener = Listener {
            store: store.clone(),
            waiting: Arc::downgrade(&waiting),
            announced: applied.0.subscribe(),
            heard: None,
            looked: Instant::now(),
        };
        tokio::spawn(listener.run());
        Self { store, waiting }
    }

    /// Takes a place for a command that is not submitted yet.
    pub fn expect(&self, id: CommandId) -> Expected {
        let (answer, settled) = oneshot::channel();
        self.waiting.with(|lists| lists.by_id.entry(id).or_default().push(answer));
        Expected { waiters: self.clone(), id, settled }
    }

    /// The state of a command that may be settled already, as [`Expected::wait`] gives it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn wait(
        &self,
        id: CommandId,
        deadline: Duration,
    ) -> Result<Option<State>, gx_store::Error> {
        let expected = self.expect(id);
        self.waiting.with(|lists| lists.fresh.push(id));
        self.waiting.added.notify_one();
        expected.wait(deadline).await
    }

    /// The status of a command now.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn status(&self, id: CommandId) -> Result<Option<Status>, gx_store::Error> {
        commands::status(&self.store, &id).await
    }
}

struct Listener {
    store: Store,
    waiting: std::sync::Weak<Waiting>,
    announced: broadcast::Receiver<Arc<[Announced]>>,
    /// When a projector of this process was heard last.
    heard: Option<Instant>,
    /// When everything was looked up last.
    looked: Instant,
}

impl Listener {
    async fn run(mut self) {
        while let Some(waiting) = self.waiting.upgrade() {
            let near = self.heard.is_some_and(|heard| heard.elapsed() < POLL_RARELY);
            let every = if near { POLL_RARELY } else { POLL_EVERY };
            let ids = tokio::select! {
                announced = self.announced.recv() => match announced {
                    Ok(settled) => {
                        self.heard = Some(Instant::now());
                        waiting.settle(&settled)
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => waiting.all(),
                    // The projector's side is gone; the timer below goes on.
                    Err(broadcast::error::RecvError::Closed) => {
                        tokio::time::sleep(POLL_EVERY).await;
                        waiting.all()
                    }
                },
                () = waiting.added.notified() => {
                    waiting.with(|lists| std::mem::take(&mut lists.fresh))
                }
                () = tokio::time::sleep(every.saturating_sub(self.looked.elapsed())) => {
                    self.looked = Instant::now();
                    waiting.all()
                }
            };
            for ids in ids.chunks(QUERY_MAX) {
                match commands::statuses(&self.store, ids).await {
                    Ok(statuses) => answer(&waiting, ids, statuses),
                    Err(error) => {
                        tracing::warn!(class = error.class().as_str(), "outcomes not read");
                        // What could not be looked up now is looked up with everything else.
                        self.heard = None;
                    }
                }
            }
        }
    }
}

fn answer(waiting: &Waiting, ids: &[CommandId], statuses: Vec<Option<Status>>) {
    let settled: Vec<Announced> = ids
        .iter()
        .zip(statuses)
        .filter_map(|(id, status)| {
            status.filter(|status| status.state.is_final()).map(|status| (*id, Some(status.state)))
        })
        .collect();
    // Each of them says how it was settled.
    let _ = waiting.settle(&settled);
}
