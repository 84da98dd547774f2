//! What a supervisor such as systemd is told (`sd_notify`): that the process listens, that it
//! lives, that it ends.
//!
//! A process listens before it is ready: while its database is away it answers health routes and
//! waits. So it counts as started once its ports are open. Were it to count only when it is ready,
//! a supervisor would end the start that waits, and be none the wiser.
//! Without a supervisor nothing here does anything.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::task::JoinHandle;

/// The supervisor's watch over this process; dropping it ends the signs of life.
#[derive(Debug)]
pub(crate) struct Supervised(Option<JoinHandle<()>>);

/// Tells that the ports are open, and gives signs of life from now on where they are asked for.
///
/// They come from a task of the runtime that serves requests: where that is stuck they end, and
/// the supervisor starts the process again.
pub(crate) fn listening() -> Supervised {
    tell(&[NotifyState::Ready, NotifyState::Status("starting")]);
    Supervised(sd_notify::watchdog_enabled().map(|limit| tokio::spawn(give_signs(limit))))
}

/// Tells what the process is doing, for `systemctl status`.
pub(crate) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

impl Supervised {
    /// Tells that the process ends. Running requests may still take their time, so the signs of
    /// life go on until this is dropped.
    pub(crate) fn stopping(&self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("finishing running requests")]);
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if let Some(signs) = &self.0 {
            signs.abort();
        }
    }
}

/// A sign of life three times within the limit: one may be late.
async fn give_signs(limit: Duration) {
    let mut beat = tokio::time::interval(limit / 3);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        // Another worker of the runtime must run as well, not only the one that keeps the time.
        if tokio::spawn(std::future::ready(())).await.is_ok() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

/// A supervisor that does not listen is no reason to serve nobody.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the supervisor cannot be told");
    }
}
