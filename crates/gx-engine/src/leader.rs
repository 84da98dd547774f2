//! One leader at a time: a worker runs only while its process holds the lease.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gx_store::Store;
use gx_store::lease::{self, Lease};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::random::Random;
use gx_metrics::{ByWorker, Metrics, Worker};

/// How long a lease lasts without being renewed. A dead leader is replaced within this time and
/// one more look, so within five seconds.
pub const LEASE_TTL: Duration = Duration::from_secs(3);

/// How often a leader renews its lease, and how often a stand-by looks for a free one.
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// How long the database may say nothing. Longer than any transaction that a renewal may have to
/// queue up behind.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What a worker is called: its lease and its metric.
#[derive(Debug, Clone, Copy)]
pub struct Role {
    pub lease: &'static str,
    pub worker: Worker,
}

/// A name that no other process start has.
pub fn holder_name(random: &Random) -> String {
    format!("{}-{:032x}", std::process::id(), random.bits())
}

/// The lease of a running worker, and how long it is known to hold.
#[derive(Debug, Clone)]
pub(crate) struct LeaseGuard {
    lease: Lease,
    started: Instant,
    /// Milliseconds after `started` until which nobody else can have taken the lease.
    safe_until_ms: Arc<AtomicI64>,
}

impl LeaseGuard {
    fn new(lease: Lease, asked: Instant) -> Self {
        let held = Self { lease, started: asked, safe_until_ms: Arc::new(AtomicI64::new(0)) };
        held.extend(asked);
        held
    }

    fn extend(&self, asked: Instant) {
        let until = asked.saturating_duration_since(self.started) + LEASE_TTL;
        let until = i64::try_from(until.as_millis()).unwrap_or(i64::MAX);
        self.safe_until_ms.store(until, Ordering::Relaxed);
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Whether this process can still be sure to lead, by its own clock. Asked before an effect
    /// outside SQL; inside SQL the epoch decides.
    pub(crate) fn is_safe(&self) -> bool {
        let passed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        passed < self.safe_until_ms.load(Ordering::Relaxed)
    }
}

/// Takes the lease whenever it is free and runs `work` under it, until `stop`.
///
/// `work` ends when it loses the lease or fails; it is started again under a new lease. On `stop`
/// it is asked to end through its own token, and the lease is given up at once.
pub(crate) async fn lead<W, F>(
    store: &Store,
    role: Role,
    holder: &str,
    metrics: &Metrics,
    stop: CancellationToken,
    mut work: W,
) where
    W: FnMut(LeaseGuard, CancellationToken) -> F,
    F: Future<Output = ()>,
{
    let label = ByWorker { worker: role.worker };
    let leads = metrics.worker_is_leader.get_or_create(&label).clone();
    while !stop.is_cancelled() {
        let asked = Instant::now();
        match answered(lease::acquire(store, role.lease, holder, LEASE_TTL)).await {
            Ok(Some(lease)) => {
                let held = LeaseGuard::new(lease, asked);
                tracing::debug!(worker = role.worker.as_str(), epoch = held.lease.epoch, "leading");
                leads.set(1);
                let ended = stop.child_token();
                tokio::select! {
                    () = work(held.clone(), ended.clone()) => {}
                    () = renew(store, &held) => {
                        tracing::warn!(worker = role.worker.as_str(), "the lease was lost");
                    }
                }
                leads.set(0);
                // Failing to give it up only means that it expires by itself.
                let _ = answered(lease::release(store, held.lease())).await;
            }
            Ok(None) => {}
            Err(error) => {
                let class = error.class().as_str();
                tracing::warn!(worker = role.worker.as_str(), class, "no lease to be had");
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
    }
}

/// What the database answers in time. A host that has vanished without a word says nothing for as
/// long as one listens.
async fn answered<T>(
    asked: impl Future<Output = Result<T, gx_store::Error>>,
) -> Result<T, gx_store::Error> {
    let silent = || gx_store::Error::Silent { after: SILENCE_MAX };
    tokio::time::timeout(SILENCE_MAX, asked).await.unwrap_or_else(|_| Err(silent()))
}

/// Renews the lease until it is lost, or the database says nothing at all: then whoever leads may
/// be listening in vain as well, and begins again on another connection.
async fn renew(store: &Store, held: &LeaseGuard) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let asked = Instant::now();
        match answered(lease::renew(store, held.lease(), LEASE_TTL)).await {
            Ok(()) => held.extend(asked),
            Err(gx_store::Error::LeaseLost { .. } | gx_store::Error::Silent { .. }) => return,
            // The database is away. Nobody else can take the lease from it either.
            Err(error) => tracing::warn!(class = error.class().as_str(), "lease not renewed"),
        }
    }
}
