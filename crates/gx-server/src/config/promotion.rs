//! Settings of promotion: which network, how the cluster is reached, where facts come from.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use gx_cluster::NETWORK;
use gx_engine::{GateTerms, Pace};
use gx_types::NetworkId;
use serde::{Deserialize, Serialize};

use super::faults::check;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    pub target: String,
    pub kubeconfig: PathBuf,
    pub namespaces: String,
    pub builds: String,
    pub backups: String,
    pub backup_age_max_hours: u32,
    pub fabric_namespaces: String,
    pub fabric_selector: String,
    pub prometheus: String,
    pub error_budget_query: String,
    pub look_ms: u64,
    pub canary_seconds: u64,
    pub watch_seconds: u64,
    pub step_max_seconds: u64,
}

impl Promotion {
    /// The network that is promoted to, if any.
    pub(crate) fn target(&self) -> Option<NetworkId> {
        self.target.parse().ok()
    }

    /// How the cluster is reached.
    pub(crate) fn access(&self) -> gx_cluster::Settings {
        gx_cluster::Settings {
            kubeconfig: self.kubeconfig.clone(),
            namespaces: self.namespaces.clone(),
            fabric_namespaces: self.fabric_namespaces.clone(),
            fabric_selector: self.fabric_selector.clone(),
            builds: self.builds.clone(),
            backups: self.backups.clone(),
        }
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace {
            look: Duration::from_millis(self.look_ms),
            canary: Duration::from_secs(self.canary_seconds),
            watch: Duration::from_secs(self.watch_seconds),
            step_max: Duration::from_secs(self.step_max_seconds),
        }
    }

    pub(crate) fn terms(&self) -> GateTerms {
        GateTerms { backup_age_max_ms: i64::from(self.backup_age_max_hours) * 3_600_000 }
    }

    /// `own` is the network of the process: administrators of one decide about the next, and those
    /// of mainnet alone about mainnet.
    pub(super) fn check(&self, own: NetworkId, faults: &mut Vec<String>) {
        let fits = matches!(
            (self.target.as_str(), own),
            ("", _)
                | ("testnet", NetworkId::Devnet | NetworkId::Testnet)
                | ("mainnet", NetworkId::Mainnet)
        );
        let what = "must be empty, testnet (on devnet or testnet) or mainnet (on mainnet)";
        check(faults, fits, "promotion.target", what);
        for (key, pattern) in [
            ("promotion.namespaces", &self.namespaces),
            ("promotion.fabric_namespaces", &self.fabric_namespaces),
        ] {
            let what = "must have {network} in it: networks never share a namespace";
            check(faults, pattern.contains(NETWORK), key, what);
        }
        let is_given = !self.builds.is_empty();
        check(faults, is_given, "promotion.builds", "must not be empty");
        let is_url = self.prometheus.parse::<Uri>().is_ok_and(|uri| {
            uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https"))
        });
        let fits = self.prometheus.is_empty() || is_url;
        let what = "must be an address such as http://prometheus.monitoring:9090";
        check(faults, fits, "promotion.prometheus", what);
        let fits = (10..=60_000).contains(&self.look_ms);
        check(faults, fits, "promotion.look_ms", "must be from 10 to 60000");
        for (key, seconds) in [
            ("promotion.canary_seconds", self.canary_seconds),
            ("promotion.watch_seconds", self.watch_seconds),
            ("promotion.step_max_seconds", self.step_max_seconds),
        ] {
            let fits = (1..=86_400).contains(&seconds);
            check(faults, fits, key, "must be from 1 to 86400");
        }
        // The roll-out is stopped after its first pod, which has to be seen before it goes on.
        let fits = self.look_ms < self.canary_seconds.saturating_mul(1000);
        let what = "must be less than promotion.canary_seconds";
        check(faults, fits, "promotion.look_ms", what);
    }
}
