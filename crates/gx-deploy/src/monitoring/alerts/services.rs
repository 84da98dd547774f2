//! The services: error budgets, latency, what they need, and what runs where.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-services", alerts: ALERTS };

const ALERTS: &[Alert] = &[
    Alert {
        name: "ErrorBudgetBurningFast",
        severity: Critical,
        // 14.4 times the budget of 0.05 %: a month's worth in two days. Two windows, so that it
        // is over soon after the failure is; ten failures, so that one at night calls nobody.
        expr: "gx:http_errors:ratio_rate1h > 14.4 * 0.0005 \
            and gx:http_errors:ratio_rate5m > 14.4 * 0.0005 \
            and on (api) sum by (api) \
            (increase(http_requests_total{status_code=~\"5..\"}[1h])) >= 10",
        hold: "2m",
        summary: "The {{ $labels.api }} service fails so often that its error budget is gone in \
            two days",
        fires: Fires {
            series: &[
                ("http_requests_total{api=\"tokenomics\",status_code=\"200\"}", "0+600x120"),
                (
                    "http_requests_total{api=\"tokenomics\",status_code=\"503\"}",
                    "0x10 0+30x30 900x80",
                ),
            ],
            at: 30,
            labels: &[("api", "tokenomics")],
            over: Some(60),
        },
        quiet: &[
            ("http_requests_total{api=\"tokenomics\",status_code=\"200\"}", "0+600x70"),
            ("http_requests_total{api=\"tokenomics\",status_code=\"404\"}", "0+300x70"),
            ("http_requests_total{api=\"tokenomics\",status_code=\"500\"}", "0x10 3x60"),
        ],
    },
    Alert {
        name: "ErrorBudgetBurningSlow",
        severity: Warning,
        expr: "gx:http_errors:ratio_rate6h > 6 * 0.0005 \
            and gx:http_errors:ratio_rate30m > 6 * 0.0005 \
            and on (api) sum by (api) \
            (increase(http_requests_total{status_code=~\"5..\"}[6h])) >= 20",
        hold: "15m",
        summary: "The {{ $labels.api }} service fails so often that its error budget is gone in \
            five days",
        fires: Fires {
            series: &[
                ("http_requests_total{api=\"identity\",status_code=\"200\"}", "0+600x900"),
                ("http_requests_total{api=\"identity\",status_code=\"500\"}", "0+3x300 900x600"),
            ],
            at: 120,
            labels: &[("api", "identity")],
            over: Some(420),
        },
        quiet: &[
            ("http_requests_total{api=\"identity\",status_code=\"200\"}", "0+600x70"),
            ("http_requests_total{api=\"identity\",status_code=\"500\"}", "0x10 2x60"),
        ],
    },
    Alert {
        name: "LatencyHigh",
        severity: Warning,
        expr: "gx:http_request_seconds:p95_5m > 0.5 and gx:http_requests:rate5m > 0.1",
        hold: "5m",
        summary: "The {{ $labels.api }} service needs more than half a second for one request in \
            twenty",
        fires: Fires {
            series: &[
                ("http_requests_total{api=\"identity\",status_code=\"200\"}", "0+60x80"),
                ("http_request_duration_seconds_bucket{api=\"identity\",le=\"0.512\"}", "0x80"),
                (
                    "http_request_duration_seconds_bucket{api=\"identity\",le=\"1.024\"}",
                    "0+60x30 1800x50",
                ),
                (
                    "http_request_duration_seconds_bucket{api=\"identity\",le=\"+Inf\"}",
                    "0+60x30 1800x50",
                ),
            ],
            at: 20,
            labels: &[("api", "identity")],
            over: Some(50),
        },
        quiet: &[
            ("http_requests_total{api=\"identity\",status_code=\"200\"}", "0+60x70"),
            ("http_request_duration_seconds_bucket{api=\"identity\",le=\"0.064\"}", "0+60x70"),
            ("http_request_duration_seconds_bucket{api=\"identity\",le=\"+Inf\"}", "0+60x70"),
        ],
    },
    Alert {
        name: "LatencyVeryHigh",
        severity: Critical,
        expr: "gx:http_request_seconds:p95_5m > 1 and gx:http_requests:rate5m > 0.1",
        hold: "2m",
        summary: "The {{ $labels.api }} service needs more than a second for one request in \
            twenty",
        fires: Fires {
            series: &[
                ("http_requests_total{api=\"identity\",status_code=\"200\"}", "0+60x80"),
                ("http_request_duration_seconds_bucket{api=\"identity\",le=\"1.024\"}", "0x80"),
                (
                    "http_request_duration_seconds_bucket{api=\"identity\",le=\"2.048\"}",
                    "0+60x30 1800x50",
                ),
                (
                    "http_request_duration_seconds_bucket{api=\"identity\",le=\"+Inf\"}",
                    "0+60x30 1800x50",
                ),
            ],
            at: 15,
            labels: &[("api", "identity")],
            over: Some(50),
        },
        quiet: &[
            ("http_requests_total{api=\"identity\",status_code=\"200\"}", "0+60x70"),
            ("http_request_duration_seconds_bucket{api=\"identity\",le=\"1.024\"}", "0+60x70"),
            ("http_request_duration_seconds_bucket{api=\"identity\",le=\"+Inf\"}", "0+60x70"),
        ],
    },
    Alert {
        name: "CredentialGuessing",
        severity: Warning,
        expr: "sum(rate(http_requests_total{status_code=\"401\"}[10m])) > 5",
        hold: "5m",
        summary: "Somebody tries passwords or tokens",
        fires: Fires {
            series: &[(
                "http_requests_total{api=\"identity\",status_code=\"401\"}",
                "0x5 0+900x20 18000x30",
            )],
            at: 20,
            labels: &[],
            over: Some(45),
        },
        quiet: &[("http_requests_total{api=\"identity\",status_code=\"401\"}", "0+20x70")],
    },
    Alert {
        name: "DatabaseAway",
        severity: Critical,
        expr: "min by (instance) (dependency_up{dependency=\"database\"}) == 0",
        hold: "2m",
        summary: "The database does not answer {{ $labels.instance }}",
        fires: Fires {
            series: &[("dependency_up{dependency=\"database\",instance=\"a\"}", "1x5 0x10 1x20")],
            at: 10,
            labels: &[("instance", "a")],
            over: Some(25),
        },
        quiet: &[("dependency_up{dependency=\"database\",instance=\"a\"}", "1x10 0 1x60")],
    },
    Alert {
        name: "RedisAway",
        severity: Warning,
        expr: "min(dependency_up{dependency=\"redis\"}) == 0",
        hold: "5m",
        summary: "Redis does not answer: each process counts requests by itself",
        fires: Fires {
            series: &[("dependency_up{dependency=\"redis\",instance=\"a\"}", "1x5 0x10 1x20")],
            at: 14,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("dependency_up{dependency=\"redis\",instance=\"a\"}", "1x10 0x2 1x60")],
    },
    Alert {
        name: "VirusScannerAway",
        severity: Critical,
        expr: "min(dependency_up{dependency=\"virus_scanner\"}) == 0",
        hold: "5m",
        summary: "The virus scanner does not answer: documents are not taken",
        fires: Fires {
            series: &[(
                "dependency_up{dependency=\"virus_scanner\",instance=\"a\"}",
                "1x5 0x10 1x20",
            )],
            at: 14,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("dependency_up{dependency=\"virus_scanner\",instance=\"a\"}", "1x10 0x2 1x60")],
    },
    Alert {
        name: "DocumentStoreAway",
        severity: Critical,
        expr: "min(dependency_up{dependency=\"documents\"}) == 0",
        hold: "5m",
        summary: "The place of documents does not answer",
        fires: Fires {
            series: &[("dependency_up{dependency=\"documents\",instance=\"a\"}", "1x5 0x10 1x20")],
            at: 14,
            labels: &[],
            over: Some(25),
        },
        quiet: &[("dependency_up{dependency=\"documents\",instance=\"a\"}", "1x10 0x2 1x60")],
    },
    Alert {
        name: "DatabasePoolSaturated",
        severity: Warning,
        // SQLite has one writer, which is in use whenever somebody writes.
        expr: "database_connections_in_use{pool!=\"writer\"} \
            / database_connections_max{pool!=\"writer\"} > 0.9",
        hold: "5m",
        summary: "{{ $labels.instance }} has hardly a free connection to the database",
        fires: Fires {
            series: &[
                ("database_connections_in_use{pool=\"all\",instance=\"a\"}", "2x5 16x10 2x20"),
                ("database_connections_max{pool=\"all\",instance=\"a\"}", "16x40"),
            ],
            at: 13,
            labels: &[("instance", "a"), ("pool", "all")],
            over: Some(25),
        },
        quiet: &[
            ("database_connections_in_use{pool=\"all\",instance=\"a\"}", "2x5 16x3 2x60"),
            ("database_connections_max{pool=\"all\",instance=\"a\"}", "16x70"),
            ("database_connections_in_use{pool=\"writer\",instance=\"a\"}", "1x70"),
            ("database_connections_max{pool=\"writer\",instance=\"a\"}", "1x70"),
        ],
    },
    Alert {
        name: "HashingQueueFull",
        severity: Warning,
        expr: "password_hashes_waiting / password_hashes_max > 0.5",
        hold: "2m",
        summary: "Log-ins wait in line on {{ $labels.instance }}",
        fires: Fires {
            series: &[
                ("password_hashes_waiting{instance=\"a\"}", "2x5 200x10 2x20"),
                ("password_hashes_max{instance=\"a\"}", "256x40"),
            ],
            at: 10,
            labels: &[("instance", "a")],
            over: Some(25),
        },
        quiet: &[
            ("password_hashes_waiting{instance=\"a\"}", "2x5 200 2x60"),
            ("password_hashes_max{instance=\"a\"}", "256x70"),
        ],
    },
    Alert {
        name: "ClockSkew",
        severity: Warning,
        expr: "abs(database_clock_offset_seconds) > 0.5",
        hold: "5m",
        summary: "The clock of {{ $labels.instance }} and that of the database differ",
        fires: Fires {
            series: &[("database_clock_offset_seconds{instance=\"a\"}", "0.01x5 -2x10 0x20")],
            at: 13,
            labels: &[("instance", "a")],
            over: Some(25),
        },
        quiet: &[("database_clock_offset_seconds{instance=\"a\"}", "0.1x10 0.7 0.02x60")],
    },
    Alert {
        name: "ProcessRestarting",
        severity: Warning,
        expr: "changes(process_start_time_seconds[30m]) > 2",
        hold: "",
        summary: "{{ $labels.instance }} starts again and again",
        fires: Fires {
            series: &[(
                "process_start_time_seconds{instance=\"a\"}",
                "1000x5 1300 1360 1420 1480x60",
            )],
            at: 12,
            labels: &[("instance", "a")],
            over: Some(60),
        },
        quiet: &[("process_start_time_seconds{instance=\"a\"}", "1000x20 2200x60")],
    },
    Alert {
        name: "VersionSkew",
        severity: Warning,
        expr: "count(count by (version, git_hash) (build_info)) > 1",
        hold: "30m",
        summary: "Processes of different builds run side by side",
        fires: Fires {
            series: &[
                ("build_info{version=\"1.0.0\",git_hash=\"a\",instance=\"a\"}", "1x90"),
                ("build_info{version=\"1.1.0\",git_hash=\"b\",instance=\"b\"}", "1x50 stale"),
            ],
            at: 40,
            labels: &[],
            over: Some(60),
        },
        quiet: &[
            ("build_info{version=\"1.0.0\",git_hash=\"a\",instance=\"a\"}", "1x20 stale"),
            ("build_info{version=\"1.1.0\",git_hash=\"b\",instance=\"a\"}", "_x20 1x60"),
        ],
    },
    Alert {
        name: "ServiceDown",
        severity: Critical,
        expr: "sum by (job) (up{job=~\"gx.*\"}) == 0",
        hold: "1m",
        summary: "No process of {{ $labels.job }} answers",
        fires: Fires {
            series: &[
                ("up{job=\"gx\",instance=\"a\"}", "1x5 0x10 1x20"),
                ("up{job=\"gx\",instance=\"b\"}", "1x5 0x10 0x20"),
            ],
            at: 10,
            labels: &[("job", "gx")],
            over: Some(25),
        },
        quiet: &[
            ("up{job=\"gx\",instance=\"a\"}", "1x70"),
            ("up{job=\"gx\",instance=\"b\"}", "0x70"),
        ],
    },
    Alert {
        name: "NothingScraped",
        severity: Critical,
        expr: "absent(up{job=\"gx\"})",
        hold: "5m",
        summary: "Prometheus knows no process of the platform",
        fires: Fires {
            series: &[("up{job=\"gx\",instance=\"a\"}", "_x20 1x30")],
            at: 10,
            labels: &[("job", "gx")],
            over: Some(30),
        },
        quiet: &[("up{job=\"gx\",instance=\"a\"}", "1x70")],
    },
    Alert {
        name: "TargetDown",
        severity: Warning,
        expr: "up == 0",
        hold: "5m",
        summary: "{{ $labels.instance }} of {{ $labels.job }} cannot be scraped",
        fires: Fires {
            series: &[("up{job=\"node\",instance=\"a\"}", "1x5 0x10 1x20")],
            at: 12,
            labels: &[("instance", "a"), ("job", "node")],
            over: Some(25),
        },
        quiet: &[("up{job=\"node\",instance=\"a\"}", "1x10 0x2 1x60")],
    },
];
