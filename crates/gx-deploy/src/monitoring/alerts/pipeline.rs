//! The way of a command: accepted, sent, settled, shown, and told of.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-pipeline", alerts: ALERTS };

const ALERTS: &[Alert] = &[
    Alert {
        name: "SubmissionLaneStuck",
        severity: Critical,
        expr: "max by (role) (submission_lane_stuck_seconds) > 60",
        hold: "1m",
        summary: "The ledger does not answer the commands of {{ $labels.role }}",
        fires: Fires {
            series: &[("submission_lane_stuck_seconds{role=\"gx_admin\"}", "0x5 30+60x10 0x20")],
            at: 12,
            labels: &[("role", "gx_admin")],
            over: Some(25),
        },
        quiet: &[("submission_lane_stuck_seconds{role=\"gx_admin\"}", "0x10 20 40 0x60")],
    },
    Alert {
        name: "SubmissionSlow",
        severity: Warning,
        expr: "max(outbox_oldest_queued_seconds) > 30",
        hold: "2m",
        summary: "Accepted commands wait for more than half a minute to be sent",
        fires: Fires {
            series: &[("outbox_oldest_queued_seconds{instance=\"a\"}", "0x5 40x10 0x20")],
            at: 10,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("outbox_oldest_queued_seconds{instance=\"a\"}", "0x10 45 0x60")],
    },
    Alert {
        name: "SubmissionStuck",
        severity: Critical,
        expr: "max(outbox_oldest_queued_seconds) > 120",
        hold: "2m",
        summary: "Accepted commands are not sent to the ledger",
        fires: Fires {
            series: &[("outbox_oldest_queued_seconds{instance=\"a\"}", "0x5 60+60x10 0x20")],
            at: 12,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("outbox_oldest_queued_seconds{instance=\"a\"}", "0x10 100x60")],
    },
    Alert {
        name: "QueueGrowing",
        severity: Warning,
        expr: "max(outbox_queue_depth) > 5000 and max(deriv(outbox_queue_depth[10m])) > 0",
        hold: "10m",
        summary: "More commands are accepted than the ledger settles",
        fires: Fires {
            series: &[("outbox_queue_depth{instance=\"a\"}", "0x5 1000+1000x30 0x20")],
            at: 30,
            labels: &[],
            over: Some(50),
        },
        quiet: &[("outbox_queue_depth{instance=\"a\"}", "0x5 9000-500x18 0x60")],
    },
    Alert {
        name: "DeadCommands",
        severity: Warning,
        expr: "max(dead_commands) > 0",
        hold: "1m",
        summary: "Commands were set aside and wait for a decision",
        fires: Fires {
            series: &[("dead_commands{instance=\"a\"}", "0x5 2x10 0x20")],
            at: 8,
            labels: &[],
            over: Some(20),
        },
        quiet: &[("dead_commands{instance=\"a\"}", "0x60")],
    },
    Alert {
        name: "CommandsRefused",
        severity: Warning,
        expr: "sum(rate(commands_settled_total{outcome=\"refused\"}[10m])) \
            / sum(rate(commands_settled_total[10m])) > 0.5 \
            and sum(rate(commands_settled_total[10m])) > 0.1",
        hold: "10m",
        summary: "The ledger refuses most commands",
        fires: Fires {
            series: &[
                ("commands_settled_total{outcome=\"refused\"}", "0+60x30 1800x40"),
                ("commands_settled_total{outcome=\"applied\"}", "0+6x70"),
            ],
            at: 25,
            labels: &[],
            over: Some(60),
        },
        quiet: &[
            ("commands_settled_total{outcome=\"refused\"}", "0+3x70"),
            ("commands_settled_total{outcome=\"applied\"}", "0+60x70"),
        ],
    },
    Alert {
        name: "LedgerSlow",
        severity: Warning,
        expr: "histogram_quantile(0.95, sum by (le) (rate(batch_seconds_bucket[5m]))) > 4",
        hold: "5m",
        summary: "The ledger takes more than four seconds for a batch",
        fires: Fires {
            series: &[
                ("batch_seconds_bucket{le=\"4.096\"}", "0x70"),
                ("batch_seconds_bucket{le=\"8.192\"}", "0+10x30 300x40"),
                ("batch_seconds_bucket{le=\"+Inf\"}", "0+10x30 300x40"),
            ],
            at: 20,
            labels: &[],
            over: Some(60),
        },
        quiet: &[
            ("batch_seconds_bucket{le=\"0.512\"}", "0+10x70"),
            ("batch_seconds_bucket{le=\"+Inf\"}", "0+10x70"),
        ],
    },
    Alert {
        name: "WorkerWithoutLeader",
        severity: Critical,
        expr: "max by (worker) (worker_is_leader) == 0",
        hold: "2m",
        summary: "No process leads the {{ $labels.worker }}",
        fires: Fires {
            series: &[
                ("worker_is_leader{worker=\"submitter\",instance=\"a\"}", "1x5 0x10 0x20"),
                ("worker_is_leader{worker=\"submitter\",instance=\"b\"}", "0x15 1x20"),
            ],
            at: 12,
            labels: &[("worker", "submitter")],
            over: Some(25),
        },
        quiet: &[
            ("worker_is_leader{worker=\"submitter\",instance=\"a\"}", "1x10 0x60"),
            ("worker_is_leader{worker=\"submitter\",instance=\"b\"}", "0x11 1x60"),
        ],
    },
    Alert {
        name: "SeveralLeaders",
        severity: Critical,
        expr: "sum by (worker) (worker_is_leader) > 1",
        hold: "2m",
        summary: "Several processes believe that they lead the {{ $labels.worker }}",
        fires: Fires {
            series: &[
                ("worker_is_leader{worker=\"projector\",instance=\"a\"}", "1x40"),
                ("worker_is_leader{worker=\"projector\",instance=\"b\"}", "0x5 1x10 0x20"),
            ],
            at: 12,
            labels: &[("worker", "projector")],
            over: Some(25),
        },
        quiet: &[
            ("worker_is_leader{worker=\"projector\",instance=\"a\"}", "1x10 0x60"),
            ("worker_is_leader{worker=\"projector\",instance=\"b\"}", "0x9 1x60"),
        ],
    },
    Alert {
        name: "LeaseFlapping",
        severity: Warning,
        expr: "sum by (worker) (changes(worker_is_leader[15m])) > 6",
        hold: "",
        summary: "The {{ $labels.worker }} changes hands again and again",
        fires: Fires {
            series: &[(
                "worker_is_leader{worker=\"submitter\",instance=\"a\"}",
                "1x5 0 1 0 1 0 1 0 1 0 1x30",
            )],
            at: 15,
            labels: &[("worker", "submitter")],
            over: Some(40),
        },
        quiet: &[
            ("worker_is_leader{worker=\"submitter\",instance=\"a\"}", "1x10 0x60"),
            ("worker_is_leader{worker=\"submitter\",instance=\"b\"}", "0x10 1x60"),
        ],
    },
    Alert {
        name: "ProjectorStopped",
        severity: Critical,
        expr: "max(projector_heartbeat_age_seconds) > 30",
        hold: "1m",
        summary: "The projector gives no sign of life",
        fires: Fires {
            series: &[("projector_heartbeat_age_seconds{instance=\"a\"}", "1x5 60+60x10 1x20")],
            at: 10,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("projector_heartbeat_age_seconds{instance=\"a\"}", "1x10 20 1x60")],
    },
    Alert {
        name: "ProjectorLagging",
        severity: Warning,
        expr: "max(projector_behind_seconds) > 5",
        hold: "2m",
        summary: "What people read is more than five seconds behind the ledger",
        fires: Fires {
            series: &[("projector_behind_seconds{instance=\"a\"}", "0x5 8x10 0x20")],
            at: 10,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("projector_behind_seconds{instance=\"a\"}", "0x10 9 0 0.4x60")],
    },
    Alert {
        name: "ProjectorStuck",
        severity: Critical,
        expr: "max(projector_lag_blocks) > 0 \
            and max(projector_behind_seconds) > 60 \
            and max(delta(projector_applied_block[2m])) <= 0",
        hold: "1m",
        summary: "The projector holds at a block that it cannot apply",
        fires: Fires {
            series: &[
                ("projector_lag_blocks{instance=\"a\"}", "0x5 1+1x20 0x30"),
                ("projector_behind_seconds{instance=\"a\"}", "0x5 60+60x20 0x30"),
                ("projector_applied_block{instance=\"a\"}", "10+1x5 15x20 16+1x30"),
            ],
            at: 15,
            labels: &[],
            over: Some(40),
        },
        quiet: &[
            ("projector_lag_blocks{instance=\"a\"}", "5x70"),
            ("projector_behind_seconds{instance=\"a\"}", "90x70"),
            ("projector_applied_block{instance=\"a\"}", "10+7x70"),
        ],
    },
    Alert {
        name: "ConservationBroken",
        severity: Critical,
        expr: "max(abs(supply_missing_qirat)) > 0",
        hold: "",
        summary: "The accounts together do not hold the supply",
        fires: Fires {
            series: &[("supply_missing_qirat{instance=\"a\"}", "0x5 -1x10 0x20")],
            at: 8,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("supply_missing_qirat{instance=\"a\"}", "0x70")],
    },
    Alert {
        name: "ConservationUnchecked",
        severity: Warning,
        expr: "time() - max(supply_checked_timestamp_seconds) > 3600",
        hold: "10m",
        summary: "Nobody has added the supply up for an hour",
        fires: Fires {
            series: &[("supply_checked_timestamp_seconds{instance=\"a\"}", "60x90 5400+60x60")],
            at: 80,
            labels: &[],
            over: Some(120),
        },
        quiet: &[("supply_checked_timestamp_seconds{instance=\"a\"}", "0+60x70")],
    },
    Alert {
        name: "NotifierLagging",
        severity: Warning,
        expr: "max(notifier_lag_blocks) > 100",
        hold: "10m",
        summary: "People and endpoints are told late of what the ledger did",
        fires: Fires {
            series: &[("notifier_lag_blocks{instance=\"a\"}", "0x5 200x20 0x30")],
            at: 20,
            labels: &[],
            over: Some(40),
        },
        quiet: &[("notifier_lag_blocks{instance=\"a\"}", "0x5 300x5 0x60")],
    },
    Alert {
        name: "MessagesNotSent",
        severity: Critical,
        // Where nothing is set up to send messages there is no courier, and they may wait.
        expr: "(max by (channel) (messages_oldest_waiting_seconds{channel=\"mail\"}) > 300 \
            and on () count(worker_is_leader{worker=\"mail_courier\"}) > 0) \
            or (max by (channel) (messages_oldest_waiting_seconds{channel=\"text\"}) > 300 \
            and on () count(worker_is_leader{worker=\"text_courier\"}) > 0)",
        hold: "2m",
        summary: "Messages by {{ $labels.channel }} do not get away",
        fires: Fires {
            series: &[
                ("messages_oldest_waiting_seconds{channel=\"mail\"}", "0x5 400x10 0x20"),
                ("worker_is_leader{worker=\"mail_courier\"}", "1x40"),
            ],
            at: 12,
            labels: &[("channel", "mail")],
            over: Some(25),
        },
        quiet: &[
            ("messages_oldest_waiting_seconds{channel=\"mail\"}", "0+60x70"),
            ("worker_is_leader{worker=\"submitter\"}", "1x70"),
        ],
    },
    Alert {
        name: "MessagesGivenUp",
        severity: Warning,
        expr: "sum by (channel) (increase(messages_failed_total[30m])) > 20",
        hold: "",
        summary: "Many messages by {{ $labels.channel }} were given up",
        fires: Fires {
            series: &[("messages_failed_total{channel=\"mail\"}", "0x5 0+5x10 50x60")],
            at: 20,
            labels: &[("channel", "mail")],
            over: Some(60),
        },
        quiet: &[("messages_failed_total{channel=\"mail\"}", "0x20 3x60")],
    },
    Alert {
        name: "WebhooksFailing",
        severity: Warning,
        expr: "sum(increase(webhook_attempts_total{outcome!=\"delivered\"}[30m])) \
            / sum(increase(webhook_attempts_total[30m])) > 0.5 \
            and sum(increase(webhook_attempts_total[30m])) > 20",
        hold: "10m",
        summary: "Most messages to endpoints are not taken",
        fires: Fires {
            series: &[
                ("webhook_attempts_total{outcome=\"failed\"}", "0+5x30 150x60"),
                ("webhook_attempts_total{outcome=\"delivered\"}", "0+1x90"),
            ],
            at: 30,
            labels: &[],
            over: Some(85),
        },
        quiet: &[
            ("webhook_attempts_total{outcome=\"failed\"}", "0x20 3x60"),
            ("webhook_attempts_total{outcome=\"delivered\"}", "0+5x70"),
        ],
    },
    Alert {
        name: "WebhookBacklog",
        severity: Warning,
        expr: "max(webhook_deliveries_pending) > 1000",
        hold: "15m",
        summary: "More than a thousand messages wait for endpoints",
        fires: Fires {
            series: &[("webhook_deliveries_pending{instance=\"a\"}", "0x5 2000x30 0x20")],
            at: 25,
            labels: &[],
            over: Some(45),
        },
        quiet: &[("webhook_deliveries_pending{instance=\"a\"}", "0x5 2000x8 0x60")],
    },
    Alert {
        name: "WebhookEndpointDisabled",
        severity: Info,
        expr: "sum(increase(webhook_endpoints_disabled_total[1h])) > 0",
        hold: "",
        summary: "An endpoint was disabled because it failed for too long",
        fires: Fires {
            series: &[("webhook_endpoints_disabled_total{instance=\"a\"}", "0x5 1x90")],
            at: 10,
            labels: &[],
            over: Some(80),
        },
        quiet: &[("webhook_endpoints_disabled_total{instance=\"a\"}", "3x70")],
    },
];
