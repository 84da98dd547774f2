//! What watches the platform.

use std::collections::BTreeMap;

use super::{Hidden, Keyed, Known};

facts! {
    pub struct ScrapeTarget {
        pub job: String,
        pub address: String,
        pub up: bool,
    }

    pub struct AlertRule {
        pub name: String,
        pub expression: String,
        pub severity: String,
        /// Whether it fires now.
        pub firing: bool,
    }

    /// A Prometheus with its Alertmanager.
    pub struct Monitoring {
        pub place: String,
        pub targets: Known<Vec<ScrapeTarget>>,
        pub rules: Known<Vec<AlertRule>>,
        /// Every name that it has samples of.
        pub metric_names: Known<Vec<String>>,
        /// Receivers with the kinds of ways they tell people.
        pub receivers: Known<BTreeMap<String, Vec<String>>>,
        /// Receiver of the root route.
        pub default_receiver: String,
        pub retention_seconds: Option<u64>,
        pub ingested_bytes_per_day: Option<u64>,
        /// By uid: hash of what Grafana shows as that dashboard.
        pub dashboards: Known<BTreeMap<String, Hidden>>,
    }

    /// What was tried from elsewhere: a name, an address, a port.
    pub struct Reached {
        /// Where it was tried from.
        pub from: String,
        pub to: String,
        pub port: u16,
        /// `ok`, `refused`, `filtered`, `unresolved`, `tls`, `unauthorized`.
        pub outcome: String,
        /// Of HTTP.
        pub status: Option<u16>,
        /// Addresses that the name had.
        pub addresses: Vec<String>,
        /// What was asked for over HTTP; empty for other tries.
        pub path: String,
    }
}

impl Keyed for Monitoring {
    fn key(&self) -> String {
        self.place.clone()
    }
}

impl Keyed for Reached {
    fn key(&self) -> String {
        format!("{} {} {}{}", self.from, self.to, self.port, self.path)
    }
}
