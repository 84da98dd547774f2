//! Settings of traces: where they go, and of how many requests.

use std::path::PathBuf;

use axum::http::Uri;
use serde::{Deserialize, Serialize};

use super::faults::check;
use super::secret::Secret;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    pub otlp: Otlp,
}

/// A collector that takes OTLP over HTTP.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otlp {
    pub endpoint: String,
    pub bearer: Secret,
    pub bearer_file: PathBuf,
    pub sampled_per_thousand: u32,
    pub follow_callers: bool,
    pub queue_max: usize,
    pub timeout_ms: u64,
}

impl Otlp {
    pub(super) fn check(&self, faults: &mut Vec<String>) {
        let uri: Option<Uri> = self.endpoint.parse().ok();
        let is_url = uri.is_some_and(|uri| {
            uri.host().is_some() && matches!(uri.scheme_str(), Some("http" | "https"))
        });
        let what = "must be an address such as http://127.0.0.1:4318";
        let fits = self.endpoint.is_empty() || is_url;
        check(faults, fits, "telemetry.otlp.endpoint", what);
        let fits = self.sampled_per_thousand <= 1000;
        check(faults, fits, "telemetry.otlp.sampled_per_thousand", "must be from 0 to 1000");
        let fits = (64..=1_000_000).contains(&self.queue_max);
        check(faults, fits, "telemetry.otlp.queue_max", "must be from 64 to 1000000");
        let fits = (100..=60_000).contains(&self.timeout_ms);
        check(faults, fits, "telemetry.otlp.timeout_ms", "must be from 100 to 60000");
    }
}
