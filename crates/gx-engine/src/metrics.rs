//! What the engine counts and measures; whoever serves `/metrics` has it registered.
//!
//! Handles are cheap to clone. Label values are function names, roles and fixed words, never ids,
//! so that the number of series stays bounded.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use gx_store::retention::Kept;
use gx_store::submission::Waiting;
use gx_types::{Role, TimeMs};

/// A worker of which one process of a network is the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    Submitter,
    Projector,
    Housekeeper,
}

impl Worker {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::Projector => "projector",
            Self::Housekeeper => "housekeeper",
        }
    }
}

/// How a command was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settled {
    Applied,
    Refused,
    /// It had its outcome earlier; nothing happened now.
    Repeated,
    /// Set aside: it can never get an outcome.
    Dead,
}

macro_rules! label_values {
    ($($type:ty { $($variant:ident => $text:literal),+ })+) => {$(
        impl EncodeLabelValue for $type {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
                match self { $(Self::$variant => $text,)+ }.encode(encoder)
            }
        }
    )+};
}

label_values! {
    Worker {
        Submitter => "submitter", Projector => "projector", Housekeeper => "housekeeper"
    }
    Settled {
        Applied => "applied", Refused => "refused", Repeated => "repeated", Dead => "dead"
    }
}

/// Label of a counter by contract function, `Contract:Function`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByFunction {
    pub function: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByOutcome {
    pub outcome: Settled,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByWorker {
    pub worker: Worker,
}

/// Label of figures by what is kept for a while.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKept {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRole {
    role: &'static str,
}

/// A gauge of seconds.
pub type Seconds = Gauge<f64, AtomicU64>;

/// Until when certificates are valid, asked anew each time: they are renewed.
struct Certificates(Box<dyn Fn() -> Vec<(Role, Duration)> + Send + Sync>);

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificates")
    }
}

/// The metrics of the engine in one process.
#[derive(Debug)]
pub struct Metrics {
    /// Commands written to the outbox by this process.
    pub commands_submitted: Family<ByFunction, Counter>,
    /// Outcomes projected by this process.
    pub commands_settled: Family<ByOutcome, Counter>,
    /// Commands in a batch that was sent to the ledger.
    pub batch_size: Histogram,
    /// Time that the ledger took for a batch.
    pub batch_seconds: Histogram,
    /// Outbox rows written in one transaction.
    pub outbox_group_size: Histogram,
    pub ledger_tip_block: Gauge,
    pub projector_applied_block: Gauge,
    pub projector_lag_blocks: Gauge,
    outbox_queued: Gauge,
    outbox_oldest_queued_seconds: Seconds,
    lane_stuck: Family<ByRole, Seconds>,
    /// Commands that were set aside and need an operator.
    pub dead_commands: Gauge,
    removed: Family<ByKept, Counter>,
    oldest: Family<ByKept, Seconds>,
    is_leader: Family<ByWorker, Gauge>,
    certificates: OnceLock<Certificates>,
    certificate_days: Family<ByRole, Gauge<f64, AtomicU64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            commands_submitted: Family::default(),
            commands_settled: Family::default(),
            batch_size: sizes(),
            batch_seconds: seconds(),
            outbox_group_size: sizes(),
            ledger_tip_block: Gauge::default(),
            projector_applied_block: Gauge::default(),
            projector_lag_blocks: Gauge::default(),
            outbox_queued: Gauge::default(),
            outbox_oldest_queued_seconds: Seconds::default(),
            lane_stuck: Family::default(),
            dead_commands: Gauge::default(),
            removed: Family::default(),
            oldest: Family::default(),
            is_leader: Family::default(),
            certificates: OnceLock::new(),
            certificate_days: Family::default(),
        }
    }
}

impl Metrics {
    /// Has them shown.
    pub fn register(&self, r: &mut Registry) {
        r.register(
            "commands_submitted",
            "Commands accepted into the outbox",
            self.commands_submitted.clone(),
        );
        r.register("commands_settled", "Outcomes projected", self.commands_settled.clone());
        r.register("batch_size", "Commands in a batch", self.batch_size.clone());
        r.register("batch_seconds", "Time of a batch on the ledger", self.batch_seconds.clone());
        r.register(
            "outbox_group_size",
            "Outbox rows written in one transaction",
            self.outbox_group_size.clone(),
        );
        r.register("ledger_tip_block", "Newest block", self.ledger_tip_block.clone());
        r.register(
            "projector_applied_block",
            "Newest block in the read models",
            self.projector_applied_block.clone(),
        );
        r.register(
            "projector_lag_blocks",
            "Blocks not yet in the read models",
            self.projector_lag_blocks.clone(),
        );
        r.register("outbox_queue_depth", "Commands not settled", self.outbox_queued.clone());
        r.register(
            "outbox_oldest_queued_seconds",
            "Age of the oldest command not settled",
            self.outbox_oldest_queued_seconds.clone(),
        );
        r.register(
            "submission_lane_stuck_seconds",
            "How long the ledger has not answered the commands of a role; 0 when it does",
            self.lane_stuck.clone(),
        );
        r.register("dead_commands", "Commands set aside", self.dead_commands.clone());
        r.register(
            "housekeeping_removed",
            "Rows removed because their time was over",
            self.removed.clone(),
        );
        r.register(
            "housekeeping_oldest_kept_seconds",
            "Age of the oldest row: since the command was accepted, or since the rest has ended",
            self.oldest.clone(),
        );
        r.register(
            "worker_is_leader",
            "1 while this process leads the worker",
            self.is_leader.clone(),
        );
        r.register(
            "certificate_expiry_days",
            "Days until the certificate that a role signs with on Fabric ends",
            self.certificate_days.clone(),
        );
    }

    /// Says whether this process leads a worker now.
    pub fn set_leader(&self, worker: Worker, leads: bool) {
        self.is_leader.get_or_create(&ByWorker { worker }).set(i64::from(leads));
    }

    pub(crate) fn add_removed(&self, kept: Kept, rows: u64) {
        self.removed.get_or_create(&ByKept { kind: kept.as_str() }).inc_by(rows);
    }

    pub(crate) fn set_oldest(&self, kept: Kept, age_ms: i64) {
        self.oldest.get_or_create(&ByKept { kind: kept.as_str() }).set(age_ms as f64 / 1e3);
    }

    /// Shows what waits to be sent, and which lane is stuck.
    pub fn set_waiting(&self, waiting: &Waiting, now: TimeMs) {
        let seconds = |since: TimeMs| now.0.saturating_sub(since.0).max(0) as f64 / 1e3;
        self.outbox_queued.set(i64::try_from(waiting.queued).unwrap_or(i64::MAX));
        self.outbox_oldest_queued_seconds.set(waiting.oldest.map_or(0.0, seconds));
        for role in Role::ALL {
            let stuck = waiting.stuck.iter().find(|lane| lane.role == role);
            let since = stuck.map_or(0.0, |lane| seconds(lane.stuck.since));
            self.lane_stuck.get_or_create(&ByRole { role: role.as_str() }).set(since);
        }
    }

    /// Sets tip, applied block and their difference together.
    pub fn set_heights(&self, tip: u64, applied: u64) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.ledger_tip_block.set(gauge(tip));
        self.projector_applied_block.set(gauge(applied));
        self.projector_lag_blocks.set(gauge(tip.saturating_sub(applied)));
    }

    /// Tells where to ask until when the certificates that this process uses are valid, since 1970.
    pub fn set_certificates(
        &self,
        until: impl Fn() -> Vec<(Role, Duration)> + Send + Sync + 'static,
    ) {
        let _ = self.certificates.set(Certificates(Box::new(until)));
    }

    /// Shows how long the certificates are still valid.
    pub fn refresh_certificates(&self, now: TimeMs) {
        let now = now.0 as f64 / 1e3;
        for (role, until) in self.certificates.get().into_iter().flat_map(|ask| (ask.0)()) {
            let days = (until.as_secs_f64() - now) / (24.0 * 60.0 * 60.0);
            self.certificate_days.get_or_create(&ByRole { role: role.as_str() }).set(days);
        }
    }
}

/// Buckets of a duration.
pub fn seconds() -> Histogram {
    // 0.5 ms to 8 s
    Histogram::new(exponential_buckets(0.000_5, 2.0, 15))
}

fn sizes() -> Histogram {
    // 1 to 16,384
    Histogram::new(exponential_buckets(1.0, 2.0, 15))
}
