//! The table of metrics.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::labels::{
    ByAttempt, ByBuild, ByChannel, ByDependency, ByFunction, ByHolder, ByKept, ByLoss, ByOutcome,
    ByPool, ByPromotion, ByRole, ByRoute, ByStatus, ByTopic, ByWorker,
};
use crate::{Kind, Row};

/// A gauge with fractions.
type Measure = Gauge<f64, AtomicU64>;

macro_rules! metrics {
    ($(
        $(#[doc = $help:literal])+
        $name:ident: $type:ident [$unit:literal] $(by $labels:ident)?;
    )+) => {
        /// The handles of all metrics in one process.
        #[derive(Debug)]
        pub struct Metrics {
            registry: Registry,
            $($(#[doc = $help])+ pub $name: metrics!(@type $type $($labels)?),)+
        }

        impl Default for Metrics {
            fn default() -> Self {
                let mut registry = Registry::default();
                $(
                    let $name: metrics!(@type $type $($labels)?) =
                        metrics!(@new $type $($labels)?);
                    registry.register(stringify!($name), HELP.$name, $name.clone());
                )+
                Self { registry, $($name),+ }
            }
        }

        /// Every metric, in the order of the table.
        pub const ROWS: &[Row] = &[$(Row {
            name: stringify!($name),
            kind: metrics!(@kind $type),
            unit: $unit,
            labels: metrics!(@labels $($labels)?),
            help: HELP.$name,
        }),+];

        impl Metrics {
            /// Gives every metric with labels a series, for tests of what is exported.
            #[cfg(test)]
            pub(crate) fn touch(&self) {
                $(metrics!(@touch self $name $($labels)?);)+
            }
        }

        /// The texts, without the stop that the exporter adds.
        struct Help { $($name: &'static str),+ }

        const HELP: Help = Help { $($name: sentence(concat!($($help),+))),+ };
    };
    (@type counter) => { Counter };
    (@type gauge) => { Gauge };
    (@type measure) => { Measure };
    (@type duration) => { Histogram };
    (@type size) => { Histogram };
    (@type duration $labels:ident) => { Family<$labels, Histogram, fn() -> Histogram> };
    (@type $type:ident $labels:ident) => { Family<$labels, metrics!(@type $type)> };
    (@new duration) => { durations() };
    (@new size) => { sizes() };
    (@new duration $labels:ident) => {
        Family::new_with_constructor(durations as fn() -> Histogram)
    };
    (@new $type:ident $($labels:ident)?) => { Default::default() };
    (@kind counter) => { Kind::Counter };
    (@kind gauge) => { Kind::Gauge };
    (@kind measure) => { Kind::Gauge };
    (@kind duration) => { Kind::Histogram };
    (@kind size) => { Kind::Histogram };
    (@labels) => { &[] };
    (@labels $labels:ident) => { $labels::NAMES };
    (@touch $self:ident $name:ident) => {};
    (@touch $self:ident $name:ident $labels:ident) => {
        drop($self.$name.get_or_create(&$labels::example()))
    };
}

metrics! {
    /// 1, with what this process was built from.
    build_info: gauge ["1"] by ByBuild;
    /// When the process was started, in seconds of the Unix epoch.
    process_start_time_seconds: gauge ["seconds"];

    /// Requests answered.
    http_requests: counter ["requests"] by ByStatus;
    /// Time from the request's head to the answer; requests that ask to wait (Prefer: wait) do not
    /// count.
    http_request_duration_seconds: duration ["seconds"] by ByRoute;

    /// Commands accepted into the outbox by this process.
    commands_submitted: counter ["commands"] by ByFunction;
    /// Outcomes projected by this process.
    commands_settled: counter ["commands"] by ByOutcome;
    /// Commands in a batch that was sent to the ledger.
    batch_size: size ["commands"];
    /// Time that the ledger took for a batch.
    batch_seconds: duration ["seconds"];
    /// Outbox rows written in one transaction.
    outbox_group_size: size ["commands"];
    /// Time that a transaction of outbox rows took.
    outbox_write_seconds: duration ["seconds"];
    /// Commands accepted and not yet settled.
    outbox_queue_depth: gauge ["commands"];
    /// Age of the oldest command that is not settled; 0 when there is none.
    outbox_oldest_queued_seconds: measure ["seconds"];
    /// How long the ledger has not answered the commands of a role; 0 when it does.
    submission_lane_stuck_seconds: measure ["seconds"] by ByRole;
    /// Batches that were recorded and that the ledger has not answered.
    submission_unanswered_batches: gauge ["batches"];
    /// Commands that were set aside, for which an operator has to decide.
    dead_commands: gauge ["commands"];

    /// Newest block of the ledger that is known.
    ledger_tip_block: gauge ["block"];
    /// Newest block in the read models.
    projector_applied_block: gauge ["block"];
    /// Blocks that are not yet in the read models.
    projector_lag_blocks: gauge ["blocks"];
    /// How long the oldest block has waited that is not yet in the read models; 0 when there is
    /// none.
    projector_behind_seconds: measure ["seconds"];
    /// Time since the projector's last sign of life, by the database's clock.
    projector_heartbeat_age_seconds: measure ["seconds"];
    /// Time that a transaction of blocks took to apply.
    projector_apply_seconds: duration ["seconds"];

    /// Accounts on the ledger.
    accounts_open: gauge ["accounts"];
    /// Coins that changed hands in blocks projected by this process.
    money_moved_qirat: counter ["Qirat"];
    /// What accounts of a kind hold together, as the housekeeper adds it up.
    supply_qirat: gauge ["Qirat"] by ByHolder;
    /// What all accounts together lack of the supply; 0 as long as coins are conserved.
    supply_missing_qirat: gauge ["Qirat"];
    /// When the supply was last added up, in seconds of the Unix epoch; 0 in processes that do not.
    supply_checked_timestamp_seconds: gauge ["seconds"];

    /// Notifications made of what the ledger did.
    notifications_made: counter ["notifications"] by ByTopic;
    /// Applied blocks of which nobody has been told yet.
    notifier_lag_blocks: gauge ["blocks"];
    /// Attempts to send a message to an endpoint.
    webhook_attempts: counter ["attempts"] by ByAttempt;
    /// Messages that endpoints have not taken yet; those of disabled endpoints do not count.
    webhook_deliveries_pending: gauge ["messages"];
    /// Endpoints that were disabled because they failed for too long, or said that they are gone.
    webhook_endpoints_disabled: counter ["endpoints"];
    /// Mail and text messages that have arrived.
    messages_delivered: counter ["messages"] by ByChannel;
    /// Mail and text messages that were given up: nobody can be reached there, or their time was
    /// over.
    messages_failed: counter ["messages"] by ByChannel;
    /// Mail and text messages that wait to be delivered.
    messages_waiting: gauge ["messages"] by ByChannel;
    /// Age of the oldest message that waits; 0 when there is none.
    messages_oldest_waiting_seconds: measure ["seconds"] by ByChannel;

    /// Rows removed because their time was over.
    housekeeping_removed: counter ["rows"] by ByKept;
    /// Age of the oldest row kept, since its command was accepted or since what it is of ended.
    housekeeping_oldest_kept_seconds: measure ["seconds"] by ByKept;
    /// 1 while something that is set up answers this process: the database, the place of
    /// documents, the virus scanner, Redis.
    dependency_up: gauge ["0 or 1"] by ByDependency;
    /// Connections to the database that are in use.
    database_connections_in_use: gauge ["connections"] by ByPool;
    /// Connections to the database that this process may open.
    database_connections_max: gauge ["connections"] by ByPool;
    /// How far the database's clock is ahead of this process's.
    database_clock_offset_seconds: measure ["seconds"];
    /// Passwords that are hashed or wait for it.
    password_hashes_waiting: gauge ["hashes"];
    /// Passwords that may be hashed or wait at once; further log-ins are turned away.
    password_hashes_max: gauge ["hashes"];
    /// 1 while Redis answers this process, where it is set up.
    redis_connected: gauge ["0 or 1"];
    /// Commands of which another process has told that they are settled.
    redis_heard_commands: counter ["commands"];

    /// Promotions that this process has brought to an end.
    promotions_finished: counter ["promotions"] by ByPromotion;
    /// Spans that the trace collector has taken from this process.
    trace_spans_exported: counter ["spans"];
    /// Spans that were dropped: the queue was full, or the collector did not take them.
    trace_spans_dropped: counter ["spans"] by ByLoss;

    /// 1 while this process leads the worker.
    worker_is_leader: gauge ["0 or 1"] by ByWorker;
    /// Days until the certificate ends that a role signs with on Fabric.
    certificate_expiry_days: measure ["days"] by ByRole;
}

impl Metrics {
    /// The text that Prometheus scrapes, in the form of OpenMetrics.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn durations() -> Histogram {
    // 0.5 ms to 8 s
    Histogram::new(exponential_buckets(0.000_5, 2.0, 15))
}

fn sizes() -> Histogram {
    // 1 to 16,384
    Histogram::new(exponential_buckets(1.0, 2.0, 15))
}

/// A doc comment without its first space and its stop.
const fn sentence(doc: &'static str) -> &'static str {
    let doc = doc.trim_ascii();
    match doc.as_bytes() {
        [text @ .., b'.'] => doc.split_at(text.len()).0,
        _ => doc,
    }
}
