//! The monitoring itself.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-monitoring", alerts: ALERTS };

const ALERTS: &[Alert] = &[
    Alert {
        name: "Watchdog",
        severity: Info,
        // Somebody outside is told as long as this arrives, and calls when it does not.
        expr: "vector(1)",
        hold: "",
        summary: "Alerts get through; this one fires for ever",
        fires: Fires { series: &[], at: 5, labels: &[], over: None },
        quiet: &[],
    },
    Alert {
        name: "AlertsNotDelivered",
        severity: Critical,
        expr: "sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
        hold: "5m",
        summary: "Alertmanager cannot deliver by {{ $labels.integration }}",
        fires: Fires {
            series: &[(
                "alertmanager_notifications_failed_total{integration=\"webhook\"}",
                "0x5 0+1x15 15x30",
            )],
            at: 15,
            labels: &[("integration", "webhook")],
            over: Some(40),
        },
        quiet: &[("alertmanager_notifications_failed_total{integration=\"webhook\"}", "3x70")],
    },
    Alert {
        name: "AlertmanagerUnreachable",
        severity: Critical,
        expr: "max(prometheus_notifications_alertmanagers_discovered) < 1 \
            or sum(rate(prometheus_notifications_errors_total[5m])) > 0",
        hold: "5m",
        summary: "Prometheus cannot hand alerts over",
        fires: Fires {
            series: &[
                ("prometheus_notifications_alertmanagers_discovered{instance=\"p\"}", "1x60"),
                ("prometheus_notifications_errors_total{instance=\"p\"}", "0x5 0+1x15 15x40"),
            ],
            at: 15,
            labels: &[],
            over: Some(40),
        },
        quiet: &[
            ("prometheus_notifications_alertmanagers_discovered{instance=\"p\"}", "1x70"),
            ("prometheus_notifications_errors_total{instance=\"p\"}", "2x70"),
        ],
    },
    Alert {
        name: "RulesFailing",
        severity: Critical,
        expr: "sum by (rule_group) \
            (increase(prometheus_rule_evaluation_failures_total[10m])) > 0",
        hold: "5m",
        summary: "Rules of {{ $labels.rule_group }} do not evaluate",
        fires: Fires {
            series: &[(
                "prometheus_rule_evaluation_failures_total{rule_group=\"gx-data\"}",
                "0x5 0+1x20 20x40",
            )],
            at: 20,
            labels: &[("rule_group", "gx-data")],
            over: Some(50),
        },
        quiet: &[("prometheus_rule_evaluation_failures_total{rule_group=\"gx-data\"}", "4x70")],
    },
    Alert {
        name: "ConfigurationRefused",
        severity: Warning,
        expr: "prometheus_config_last_reload_successful == 0 \
            or alertmanager_config_last_reload_successful == 0",
        hold: "5m",
        summary: "{{ $labels.instance }} goes on with an old configuration",
        fires: Fires {
            series: &[(
                "prometheus_config_last_reload_successful{job=\"prometheus\",instance=\"p\"}",
                "1x5 0x10 1x20",
            )],
            at: 13,
            labels: &[("instance", "p"), ("job", "prometheus")],
            over: Some(25),
        },
        quiet: &[("prometheus_config_last_reload_successful{instance=\"p\"}", "1x70")],
    },
];
