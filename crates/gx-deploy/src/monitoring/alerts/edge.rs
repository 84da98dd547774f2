//! What is seen from outside: probes and certificates.

use super::super::alert::Severity::{Critical, Info, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-edge", alerts: ALERTS };

/// Days until a certificate ends, wherever it is known from.
macro_rules! days_left {
    ($days:literal) => {
        concat!(
            "(probe_ssl_earliest_cert_expiry - time()) / 86400 < ",
            $days,
            " or certificate_expiry_days < ",
            $days,
            " or (certmanager_certificate_expiration_timestamp_seconds - time()) / 86400 < ",
            $days
        )
    };
}

const ALERTS: &[Alert] = &[
    Alert {
        name: "ProbeFailing",
        severity: Critical,
        expr: "probe_success == 0",
        hold: "2m",
        summary: "{{ $labels.instance }} does not answer from outside",
        fires: Fires {
            series: &[(
                "probe_success{job=\"probe-http\",instance=\"https://api.example.org/livez\"}",
                "1x5 0x10 1x20",
            )],
            at: 10,
            labels: &[("instance", "https://api.example.org/livez"), ("job", "probe-http")],
            over: Some(25),
        },
        quiet: &[("probe_success{job=\"probe-http\",instance=\"a\"}", "1x10 0 1x60")],
    },
    Alert {
        name: "ProbeSlow",
        severity: Warning,
        expr: "avg_over_time(probe_duration_seconds[10m]) > 2",
        hold: "10m",
        summary: "{{ $labels.instance }} answers slowly from outside",
        fires: Fires {
            series: &[(
                "probe_duration_seconds{job=\"probe-http\",instance=\"a\"}",
                "0.2x5 5x30 0.2x30",
            )],
            at: 30,
            labels: &[("instance", "a"), ("job", "probe-http")],
            over: Some(60),
        },
        quiet: &[("probe_duration_seconds{job=\"probe-http\",instance=\"a\"}", "0.2x10 6 0.2x60")],
    },
    Alert {
        name: "CertificateEndsIn30Days",
        severity: Info,
        expr: days_left!("30"),
        hold: "1h",
        summary: "A certificate has less than a month left",
        fires: Fires {
            series: &[
                // 20 days from the beginning, then renewed for 90.
                ("probe_ssl_earliest_cert_expiry{instance=\"a\"}", "1728000x100 7776000x60"),
            ],
            at: 70,
            labels: &[("instance", "a")],
            over: Some(110),
        },
        quiet: &[
            ("probe_ssl_earliest_cert_expiry{instance=\"a\"}", "7776000x70"),
            ("certificate_expiry_days{role=\"gx_admin\"}", "80x70"),
            ("certmanager_certificate_expiration_timestamp_seconds{name=\"a\"}", "7776000x70"),
        ],
    },
    Alert {
        name: "CertificateEndsIn14Days",
        severity: Warning,
        expr: days_left!("14"),
        hold: "1h",
        summary: "A certificate has less than two weeks left",
        fires: Fires {
            series: &[("certificate_expiry_days{role=\"gx_admin\"}", "10x100 365x60")],
            at: 70,
            labels: &[("role", "gx_admin")],
            over: Some(110),
        },
        quiet: &[
            ("probe_ssl_earliest_cert_expiry{instance=\"a\"}", "1728000x70"),
            ("certificate_expiry_days{role=\"gx_admin\"}", "20x70"),
        ],
    },
    Alert {
        name: "CertificateEndsIn3Days",
        severity: Critical,
        expr: days_left!("3"),
        hold: "10m",
        summary: "A certificate ends within three days",
        fires: Fires {
            series: &[(
                "certmanager_certificate_expiration_timestamp_seconds{name=\"a\"}",
                "172800x60 7776000x60",
            )],
            at: 20,
            labels: &[("name", "a")],
            over: Some(70),
        },
        quiet: &[
            ("probe_ssl_earliest_cert_expiry{instance=\"a\"}", "864000x70"),
            ("certificate_expiry_days{role=\"gx_admin\"}", "4x70"),
        ],
    },
];
