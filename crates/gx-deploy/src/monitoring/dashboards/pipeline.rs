//! The pipeline, stage by stage: a queue that grows means that the stage after it is the slow one.

use super::{Dashboard, Panel, Row, Shape, query};

/// Lines of one thing at half the width of the page.
const fn lines(
    title: &'static str,
    about: &'static str,
    unit: &'static str,
    queries: &'static [super::Query],
) -> Panel {
    Panel { title, about, unit, shape: Shape::Lines, queries }
}

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "gx-pipeline",
    title: "GX · Pipeline",
    about: "From an accepted command to what people see. A growing queue means that the next stage \
        is the bottleneck.",
    is_own: true,
    rows: &[
        Row {
            title: "All stages",
            panels: &[
                lines(
                    "Commands through each stage",
                    "Accepted, sent, settled, in a second. Where lines part, something piles up.",
                    "short",
                    &[
                        query("gx:commands_accepted:rate5m", "accepted"),
                        query("gx:commands_sent:rate5m", "sent"),
                        query("gx:commands_settled:rate5m", "settled"),
                    ],
                ),
                lines(
                    "What waits before each stage",
                    "Commands before the ledger, batches at the ledger, blocks before the read \
                     models, blocks before people are told.",
                    "short",
                    &[
                        query("max(outbox_queue_depth)", "commands before the ledger"),
                        query("max(submission_unanswered_batches)", "batches at the ledger"),
                        query("max(projector_lag_blocks)", "blocks before the read models"),
                        query("max(notifier_lag_blocks)", "blocks before notices"),
                    ],
                ),
                lines(
                    "Age of the oldest before each stage",
                    "What somebody waits who came first.",
                    "s",
                    &[
                        query("max(outbox_oldest_queued_seconds)", "command"),
                        query("max(projector_behind_seconds)", "block"),
                    ],
                ),
                lines(
                    "Time in each stage",
                    "What 95 of 100 transactions of a stage keep below.",
                    "s",
                    &[
                        query(
                            "histogram_quantile(0.95, sum by (le) \
                             (rate(outbox_write_seconds_bucket[5m])))",
                            "outbox",
                        ),
                        query(
                            "histogram_quantile(0.95, sum by (le) \
                             (rate(batch_seconds_bucket[5m])))",
                            "ledger",
                        ),
                        query(
                            "histogram_quantile(0.95, sum by (le) \
                             (rate(projector_apply_seconds_bucket[5m])))",
                            "read models",
                        ),
                    ],
                ),
            ],
        },
        Row {
            title: "Accepting and sending",
            panels: &[
                lines(
                    "Commands in one transaction",
                    "They grow with the load: that is how the load is carried.",
                    "short",
                    &[
                        query(
                            "sum(rate(outbox_group_size_sum[5m])) \
                             / sum(rate(outbox_group_size_count[5m]))",
                            "outbox rows",
                        ),
                        query(
                            "sum(rate(batch_size_sum[5m])) / sum(rate(batch_size_count[5m]))",
                            "commands in a batch",
                        ),
                    ],
                ),
                lines(
                    "Lanes",
                    "How long the ledger has not answered the commands of a role. 0 is good.",
                    "s",
                    &[query("max by (role) (submission_lane_stuck_seconds)", "{{role}}")],
                ),
            ],
        },
        Row {
            title: "Settling and showing",
            panels: &[
                lines(
                    "Outcomes",
                    "Refused is an answer; many of them say that somebody sends nonsense.",
                    "short",
                    &[query("sum by (outcome) (rate(commands_settled_total[5m]))", "{{outcome}}")],
                ),
                lines(
                    "Heights",
                    "The ledger's newest block, and the newest that people see.",
                    "short",
                    &[
                        query("max(ledger_tip_block)", "ledger"),
                        query("max(projector_applied_block)", "read models"),
                    ],
                ),
                lines(
                    "The projector's sign of life",
                    "Once a second, whether or not anything happens.",
                    "s",
                    &[query("max(projector_heartbeat_age_seconds)", "ago")],
                ),
                lines(
                    "Leaders",
                    "Exactly one of each.",
                    "short",
                    &[query("sum by (worker) (worker_is_leader)", "{{worker}}")],
                ),
            ],
        },
        Row {
            title: "Telling",
            panels: &[
                lines(
                    "Messages that wait",
                    "Mail and text messages; where nothing is set up to send them they stay.",
                    "short",
                    &[query("max by (channel) (messages_waiting)", "{{channel}}")],
                ),
                lines(
                    "Messages sent and given up",
                    "In a second.",
                    "short",
                    &[
                        query("sum(rate(messages_delivered_total[5m])) or vector(0)", "delivered"),
                        query("sum(rate(messages_failed_total[5m])) or vector(0)", "given up"),
                    ],
                ),
                lines(
                    "Endpoints",
                    "Attempts to give messages to endpoints of others.",
                    "short",
                    &[
                        query(
                            "sum(rate(webhook_attempts_total{outcome=\"delivered\"}[5m])) \
                             or vector(0)",
                            "taken",
                        ),
                        query(
                            "sum(rate(webhook_attempts_total{outcome!=\"delivered\"}[5m])) \
                             or vector(0)",
                            "not taken",
                        ),
                    ],
                ),
                lines(
                    "Messages for endpoints that wait",
                    "Those of disabled endpoints do not count.",
                    "short",
                    &[query("max(webhook_deliveries_pending)", "waiting")],
                ),
            ],
        },
    ],
};
