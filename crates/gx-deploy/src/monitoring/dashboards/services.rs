//! The services: routes, answers, time, and what they need.

use super::{Dashboard, Panel, Row, Shape, query};

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "gx-services",
    title: "GX · Services",
    about: "Each service by its routes, and what it depends on.",
    is_own: true,
    rows: &[
        Row {
            title: "Answers",
            panels: &[
                Panel {
                    title: "By status",
                    about: "4xx is the caller's, 5xx is ours, 429 is asked to wait.",
                    unit: "reqps",
                    shape: Shape::Lines,
                    queries: &[query(
                        "sum by (status_code) (rate(http_requests_total[5m]))",
                        "{{status_code}}",
                    )],
                },
                Panel {
                    title: "Busiest routes",
                    about: "Ten of them.",
                    unit: "reqps",
                    shape: Shape::Lines,
                    queries: &[query(
                        "topk(10, sum by (method, route) (rate(http_requests_total[5m])))",
                        "{{method}} {{route}}",
                    )],
                },
                Panel {
                    title: "Slowest routes",
                    about: "What 95 of 100 requests keep below; ten of them.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query(
                        "topk(10, histogram_quantile(0.95, sum by (method, route, le) \
                         (rate(http_request_duration_seconds_bucket[5m]))) >= 0)",
                        "{{method}} {{route}}",
                    )],
                },
                Panel {
                    title: "Latency by service",
                    about: "Half, 95 and 99 of 100 requests keep below.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[
                        query("gx:http_request_seconds:p50_5m", "{{api}} 50 %"),
                        query("gx:http_request_seconds:p95_5m", "{{api}} 95 %"),
                        query("gx:http_request_seconds:p99_5m", "{{api}} 99 %"),
                    ],
                },
            ],
        },
        Row {
            title: "What they need",
            panels: &[
                Panel {
                    title: "Dependencies",
                    about: "1 while it answers; what is not set up is not shown.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query("min by (dependency) (dependency_up)", "{{dependency}}")],
                },
                Panel {
                    title: "Connections to the database",
                    about: "In use, and how many may be.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("max by (pool) (database_connections_in_use)", "{{pool}} in use"),
                        query("max by (pool) (database_connections_max)", "{{pool}} at most"),
                    ],
                },
                Panel {
                    title: "Passwords that are hashed",
                    about: "Waiting ones included.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query("max(password_hashes_waiting)", "hashes")],
                },
                Panel {
                    title: "Clocks",
                    about: "How far the database's clock is ahead of a process's.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query("database_clock_offset_seconds", "{{instance}}")],
                },
            ],
        },
        Row {
            title: "Processes",
            panels: &[
                Panel {
                    title: "Running since",
                    about: "How long each process runs.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query(
                        "time() - process_start_time_seconds{job=~\"gx.*\"}",
                        "{{instance}}",
                    )],
                },
                Panel {
                    title: "Builds",
                    about: "More than one only while a new one is rolled out.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "count by (version, git_hash) (build_info)",
                        "{{version}} {{git_hash}}",
                    )],
                },
                Panel {
                    title: "Promotions",
                    about: "Brought to an end, in an hour.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "sum(increase(promotions_finished_total[1h])) or vector(0)",
                        "promotions",
                    )],
                },
                Panel {
                    title: "Traces",
                    about: "Spans that the collector has taken, and those that were dropped.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("sum(rate(trace_spans_exported_total[5m])) or vector(0)", "taken"),
                        query("sum(rate(trace_spans_dropped_total[5m])) or vector(0)", "dropped"),
                    ],
                },
            ],
        },
    ],
};
