//! Everything that `/metrics` shows, in one struct that HTTP and the workers share.
//!
//! Handles are cheap to clone. Label values are function names, routes and fixed words, never ids,
//! so that the number of series stays bounded.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use gx_types::Role;

use crate::calendar::now_ms;

/// A worker of which one process of a network is the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    Submitter,
    Projector,
}

impl Worker {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitter => "submitter",
            Self::Projector => "projector",
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
    Worker { Submitter => "submitter", Projector => "projector" }
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRole {
    role: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByRoute {
    pub method: &'static str,
    pub route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByStatus {
    pub method: &'static str,
    pub route: &'static str,
    pub status_code: u16,
}

/// A gauge of seconds.
pub type Seconds = Gauge<f64, AtomicU64>;

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub http_requests: Family<ByStatus, Counter>,
    pub http_seconds: Family<ByRoute, Histogram, fn() -> Histogram>,
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
    pub outbox_queued: Gauge,
    pub outbox_oldest_queued_seconds: Seconds,
    /// Commands that were set aside and need an operator.
    pub dead_commands: Gauge,
    is_leader: Family<ByWorker, Gauge>,
    /// Until when the certificates that this process uses are valid, since 1970.
    certificates: OnceLock<Vec<(Role, Duration)>>,
    certificate_days: Family<ByRole, Gauge<f64, AtomicU64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            http_requests: Family::default(),
            http_seconds: Family::new_with_constructor(seconds),
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
            dead_commands: Gauge::default(),
            is_leader: Family::default(),
            certificates: OnceLock::new(),
            certificate_days: Family::default(),
            registry: Registry::default(),
        };
        let r = &mut registry;
        r.register("http_requests", "Requests answered", metrics.http_requests.clone());
        r.register("http_request_duration_seconds", "Time to answer", metrics.http_seconds.clone());
        r.register(
            "commands_submitted",
            "Commands accepted into the outbox",
            metrics.commands_submitted.clone(),
        );
        r.register("commands_settled", "Outcomes projected", metrics.commands_settled.clone());
        r.register("batch_size", "Commands in a batch", metrics.batch_size.clone());
        r.register("batch_seconds", "Time of a batch on the ledger", metrics.batch_seconds.clone());
        r.register(
            "outbox_group_size",
            "Outbox rows written in one transaction",
            metrics.outbox_group_size.clone(),
        );
        r.register("ledger_tip_block", "Newest block", metrics.ledger_tip_block.clone());
        r.register(
            "projector_applied_block",
            "Newest block in the read models",
            metrics.projector_applied_block.clone(),
        );
        r.register(
            "projector_lag_blocks",
            "Blocks not yet in the read models",
            metrics.projector_lag_blocks.clone(),
        );
        r.register("outbox_queue_depth", "Commands not settled", metrics.outbox_queued.clone());
        r.register(
            "outbox_oldest_queued_seconds",
            "Age of the oldest command not settled",
            metrics.outbox_oldest_queued_seconds.clone(),
        );
        r.register("dead_commands", "Commands set aside", metrics.dead_commands.clone());
        r.register(
            "worker_is_leader",
            "1 while this process leads the worker",
            metrics.is_leader.clone(),
        );
        r.register(
            "certificate_expiry_days",
            "Days until the certificate that a role signs with on Fabric ends",
            metrics.certificate_days.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Says whether this process leads a worker now.
    pub fn set_leader(&self, worker: Worker, leads: bool) {
        self.is_leader.get_or_create(&ByWorker { worker }).set(i64::from(leads));
    }

    /// Sets tip, applied block and their difference together.
    pub fn set_heights(&self, tip: u64, applied: u64) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.ledger_tip_block.set(gauge(tip));
        self.projector_applied_block.set(gauge(applied));
        self.projector_lag_blocks.set(gauge(tip.saturating_sub(applied)));
    }

    /// Tells until when the certificates are valid; they are read once, at the start.
    pub fn set_certificates(&self, until: Vec<(Role, Duration)>) {
        let _ = self.certificates.set(until);
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self) -> String {
        let now = now_ms() as f64 / 1e3;
        for (role, until) in self.certificates.get().into_iter().flatten() {
            let days = (until.as_secs_f64() - now) / (24.0 * 60.0 * 60.0);
            self.certificate_days.get_or_create(&ByRole { role: role.as_str() }).set(days);
        }
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn seconds() -> Histogram {
    // 0.5 ms to 8 s
    Histogram::new(exponential_buckets(0.000_5, 2.0, 15))
}

fn sizes() -> Histogram {
    // 1 to 16,384
    Histogram::new(exponential_buckets(1.0, 2.0, 15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_rendered_under_their_names() {
        let metrics = Metrics::new();
        metrics.set_leader(Worker::Projector, true);
        metrics.set_heights(7, 5);
        let function = "TokenomicsContract:Transfer";
        metrics.commands_submitted.get_or_create(&ByFunction { function }).inc();
        let tomorrow = Duration::from_millis(now_ms() as u64) + Duration::from_secs(86_400);
        metrics.set_certificates(vec![(Role::Admin, tomorrow), (Role::PartnerApi, Duration::ZERO)]);
        let text = metrics.render();
        for (role, from, to) in [("gx_admin", 0.9, 1.0), ("gx_partner_api", -1e6, 0.0)] {
            let name = format!("certificate_expiry_days{{role=\"{role}\"}} ");
            let days = text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
            let days: f64 = days.unwrap();
            assert!((from..=to).contains(&days), "{role}: {days}");
        }
        for line in [
            "projector_lag_blocks 2",
            "worker_is_leader{worker=\"projector\"} 1",
            "commands_submitted_total{function=\"TokenomicsContract:Transfer\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
