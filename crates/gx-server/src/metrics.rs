//! Everything that `/metrics` shows: what HTTP counts here, and what the engine does.
//!
//! Handles are cheap to clone. Label values are function names, routes and fixed words, never ids,
//! so that the number of series stays bounded.

use std::sync::Arc;

use gx_engine::metrics::seconds;
use gx_types::TimeMs;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::calendar::now_ms;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByRoute {
    pub method: &'static str,
    pub route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByStatus {
    pub method: &'static str,
    pub route: &'static str,
    pub status_code: u16,
}

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub http_requests: Family<ByStatus, Counter>,
    pub http_seconds: Family<ByRoute, Histogram, fn() -> Histogram>,
    /// Those of the engine, which has the workers' hold of them as well.
    pub engine: Arc<gx_engine::Metrics>,
}

impl Metrics {
    pub fn new(engine: Arc<gx_engine::Metrics>) -> Self {
        let mut registry = Registry::default();
        let http_requests = Family::default();
        let http_seconds = Family::new_with_constructor(seconds as fn() -> Histogram);
        registry.register("http_requests", "Requests answered", http_requests.clone());
        let name = "http_request_duration_seconds";
        registry.register(name, "Time to answer", http_seconds.clone());
        engine.register(&mut registry);
        Self { registry, http_requests, http_seconds, engine }
    }

    /// The text that Prometheus scrapes.
    pub fn render(&self) -> String {
        self.engine.refresh_certificates(TimeMs(now_ms()));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gx_engine::metrics::{ByFunction, Worker};
    use gx_types::Role;

    use super::*;

    #[test]
    fn metrics_are_rendered_under_their_names() {
        let metrics = Metrics::new(Arc::default());
        metrics.engine.set_leader(Worker::Projector, true);
        metrics.engine.set_heights(7, 5);
        let function = "TokenomicsContract:Transfer";
        metrics.engine.commands_submitted.get_or_create(&ByFunction { function }).inc();
        let tomorrow = Duration::from_millis(now_ms() as u64) + Duration::from_secs(86_400);
        let engine = &metrics.engine;
        engine.set_certificates(move || {
            vec![(Role::Admin, tomorrow), (Role::PartnerApi, Duration::ZERO)]
        });
        let text = metrics.render();
        for (role, from, to) in [("gx_admin", 0.9, 1.0), ("gx_partner_api", -1e6, 0.0)] {
            let name = format!("certificate_expiry_days{{role=\"{role}\"}} ");
            let days = text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok());
            let days: f64 = days.unwrap();
            assert!((from..=to).contains(&days), "{role}: {days}");
        }
        for line in [
            "projector_lag_blocks 2",
            "worker_is_leader{worker=\"projector\"} 1",
            "commands_submitted_total{function=\"TokenomicsContract:Transfer\"} 1",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
