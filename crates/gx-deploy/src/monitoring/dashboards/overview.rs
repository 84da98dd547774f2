//! Overview: how people are served, what moves, and whether the books are right.

use super::{Dashboard, Panel, Row, Shape, query};

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "gx-overview",
    title: "GX · Overview",
    about: "Traffic, failures, latency and saturation; money in motion, supply, conservation.",
    is_own: true,
    rows: &[
        Row {
            title: "Now",
            panels: &[
                Panel {
                    title: "Alerts firing",
                    about: "Critical ones. None is good.",
                    unit: "short",
                    shape: Shape::Number { red_from: Some(1.0) },
                    queries: &[query(
                        "count(ALERTS{alertstate=\"firing\",severity=\"critical\"}) or vector(0)",
                        "critical",
                    )],
                },
                Panel {
                    title: "Processes that answer",
                    about: "Of those that Prometheus knows.",
                    unit: "short",
                    shape: Shape::Least { red_below: 1.0 },
                    queries: &[query("sum(up{job=~\"gx.*\"})", "up")],
                },
                Panel {
                    title: "Coins missing",
                    about: "What all accounts lack of the supply, in Qirat. Anything but 0 is a \
                        fault.",
                    unit: "none",
                    shape: Shape::Number { red_from: Some(1.0) },
                    queries: &[query("max(abs(supply_missing_qirat))", "Qirat")],
                },
                Panel {
                    title: "Dead commands",
                    about: "Set aside; somebody has to decide about them.",
                    unit: "short",
                    shape: Shape::Number { red_from: Some(1.0) },
                    queries: &[query("max(dead_commands)", "commands")],
                },
                Panel {
                    title: "Oldest command",
                    about: "How long the oldest accepted command waits to be settled.",
                    unit: "s",
                    shape: Shape::Number { red_from: Some(30.0) },
                    queries: &[query("max(outbox_oldest_queued_seconds)", "waits")],
                },
                Panel {
                    title: "Read models behind",
                    about: "How long the oldest block waits that people cannot see yet.",
                    unit: "s",
                    shape: Shape::Number { red_from: Some(5.0) },
                    queries: &[query("max(projector_behind_seconds)", "behind")],
                },
            ],
        },
        Row {
            title: "Golden signals",
            panels: &[
                Panel {
                    title: "Requests",
                    about: "Answered in a second, by service.",
                    unit: "reqps",
                    shape: Shape::Lines,
                    queries: &[query("gx:http_requests:rate5m", "{{api}}")],
                },
                Panel {
                    title: "Failures",
                    about: "The part of requests that failed on our side; the objective is 0.05 %.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query("gx:http_errors:ratio_rate5m", "{{api}}")],
                },
                Panel {
                    title: "Latency",
                    about: "What 95 of 100 requests keep below; the objective is half a second.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query("gx:http_request_seconds:p95_5m", "{{api}}")],
                },
                Panel {
                    title: "Saturation",
                    about: "How much is used of what is bounded. At 1 requests are turned away.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[
                        query(
                            "max by (pool) (database_connections_in_use{pool!=\"writer\"} / \
                             database_connections_max{pool!=\"writer\"})",
                            "connections to the database",
                        ),
                        query(
                            "max(password_hashes_waiting / (password_hashes_max > 0))",
                            "password hashes",
                        ),
                    ],
                },
            ],
        },
        Row {
            title: "Money",
            panels: &[
                Panel {
                    title: "In motion",
                    about: "GX that changes hands in a second.",
                    unit: "none",
                    shape: Shape::Lines,
                    queries: &[query("gx:money_moved_gx:rate5m", "GX/s")],
                },
                Panel {
                    title: "Supply",
                    about: "What each kind of account holds, in GX. The sum never changes.",
                    unit: "none",
                    shape: Shape::Lines,
                    queries: &[query("max by (holder) (supply_qirat) / 1e6", "{{holder}}")],
                },
                Panel {
                    title: "Conservation",
                    about: "The supply as it was last added up, and how long ago that is.",
                    unit: "none",
                    shape: Shape::Lines,
                    queries: &[
                        query("sum(supply_qirat) / 1e6", "all accounts, GX"),
                        query("max(supply_missing_qirat)", "missing, Qirat"),
                    ],
                },
                Panel {
                    title: "Age of the last count",
                    about: "Once a minute unless the settings of retention say otherwise.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query("time() - max(supply_checked_timestamp_seconds)", "ago")],
                },
            ],
        },
        Row {
            title: "Error budgets",
            panels: &[
                Panel {
                    title: "Left of thirty days",
                    about: "1 is all of it; below 0 the objective is missed.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query("gx:error_budget:left_30d", "{{api}}")],
                },
                Panel {
                    title: "Fresh reads",
                    about: "The part of the last hour in which people saw what is at most five \
                        seconds old; the objective is 99.9 %.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query("avg_over_time(gx:projection:is_fresh[1h])", "fresh")],
                },
            ],
        },
    ],
};
