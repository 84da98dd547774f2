//! Rings in whoever waits for notifications: one look at the database for all of them.
//!
//! It looks while somebody listens, and not otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gx_store::{Store, notifications};
use tokio::sync::watch;

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Shows the newest number of a notification. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Bell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    newest: watch::Sender<i64>,
    looks: AtomicBool,
}

impl Bell {
    pub(crate) fn new(store: Store) -> Self {
        let newest = watch::Sender::new(0);
        Self(Arc::new(Inner { store, newest, looks: AtomicBool::new(false) }))
    }

    /// Changes when somebody, whoever it is, was told something.
    pub(crate) fn listen(&self) -> watch::Receiver<i64> {
        let receiver = self.0.newest.subscribe();
        if !self.0.looks.swap(true, Ordering::SeqCst) {
            tokio::spawn(Arc::clone(&self.0).look());
        }
        receiver
    }
}

impl Inner {
    async fn look(self: Arc<Self>) {
        loop {
            while self.newest.receiver_count() > 0 {
                // A database that is away for a while shows what it has afterwards.
                if let Ok(newest) = notifications::newest(&self.store).await {
                    self.newest.send_if_modified(|shown| {
                        let has_grown = *shown != newest;
                        *shown = newest;
                        has_grown
                    });
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            self.looks.store(false, Ordering::SeqCst);
            // Somebody may have come between the two lines above.
            if self.newest.receiver_count() == 0 || self.looks.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }
}
