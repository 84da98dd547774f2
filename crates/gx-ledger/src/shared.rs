//! What the executing and the durable half of the ledger and its readers tell each other.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use gx_contract::BatchRecord;
use gx_types::TimeMs;
use tokio::sync::watch;

use crate::Tip;
use crate::hash::Hash;
use crate::outcomes::Added;
use crate::recent::Recent;
use crate::store::Head;

/// A batch is part of the ledger.
#[derive(Debug, Clone)]
pub struct Receipt {
    pub number: u64,
    pub hash: Hash,
    /// The batch's time.
    pub time: TimeMs,
    pub record: Arc<BatchRecord>,
}

/// What the two halves and the readers tell each other.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) recent: Mutex<Recent>,
    pub(crate) tip: watch::Sender<Tip>,
    progress: Mutex<Progress>,
    changed: Condvar,
}

/// How far the writer is.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) head: Head,
    /// All writes up to this block are in the file's state.
    pub(crate) settled: u64,
    /// New segments that the executor has not fetched yet.
    pub(crate) sealed: Vec<Added>,
    /// Why the writer has stopped.
    pub(crate) failed: Option<String>,
    /// Counts the times that the file was opened: what waited for a block before waits in vain.
    pub(crate) opening: u64,
}

impl Shared {
    pub(crate) fn new(head: Head, recent_bytes: usize) -> Self {
        let progress = Progress { head, settled: 0, sealed: Vec::new(), failed: None, opening: 0 };
        Self {
            recent: Mutex::new(Recent::new(recent_bytes)),
            tip: watch::Sender::new(head.tip),
            progress: Mutex::new(progress),
            changed: Condvar::new(),
        }
    }

    /// Nothing panics while it holds the lock, and every change under it is one assignment.
    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until block `number`, executed since the file was opened for the `opening`th time, is
    /// durable; `Err` tells why it will never be.
    pub(crate) fn wait_for(&self, number: u64, opening: u64) -> Result<Head, String> {
        let mut progress = self.progress();
        loop {
            if progress.opening != opening {
                return Err("the file was opened anew".to_owned());
            }
            if progress.head.tip.number >= number {
                return Ok(progress.head);
            }
            if let Some(reason) = &progress.failed {
                return Err(reason.clone());
            }
            progress = self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress());
        self.changed.notify_all();
    }

    /// The file was opened anew and stands at `head`.
    pub(crate) fn resume(&self, head: Head) {
        self.update(|progress| {
            let opening = progress.opening.saturating_add(1);
            *progress = Progress { head, settled: 0, sealed: Vec::new(), failed: None, opening };
        });
    }
}
