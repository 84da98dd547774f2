//! Prometheus looks at a loaded platform: every rule evaluates, and no panel is empty.
//!
//! Runs where Debian's prometheus is installed; a line says so where it is not.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gx_deploy::monitoring::{DASHBOARDS, files};
use gx_workbench::client::{Ask, Base, Client};
use serde_json::{Value, json};

use crate::place::Place;

const PATIENCE: Duration = Duration::from_secs(90);

/// A running Prometheus.
struct Prometheus {
    process: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Prometheus {
    /// Starts it with our rules, on a port of its own, looking at a target every second.
    fn start(folder: &Path, target: &str) -> Self {
        let rules = folder.join("rules");
        fs::create_dir_all(&rules).unwrap();
        for (path, text) in files() {
            if let Some((_, name)) = path.split_once("/prometheus/rules/") {
                fs::write(rules.join(name), text).unwrap();
            }
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let own = format!("- job_name: prometheus\n  static_configs: [{{targets: [{free:?}]}}]\n");
        let gx = format!("- job_name: gx\n  static_configs: [{{targets: [{target:?}]}}]\n");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: [rules/*.yml]\nscrape_configs:\n{gx}{own}"
        );
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        let process = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address={free}"))
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, address: format!("http://{free}") }
    }

    /// What the API answers; nothing while it does not.
    async fn ask(&self, path: &str) -> Value {
        let base: Base = self.address.parse().unwrap();
        let answer = Client::new(base).send(Ask::get(path)).await.ok();
        answer.and_then(|answer| answer.json().ok()).unwrap_or_default()
    }

    async fn query(&self, expr: &str) -> Value {
        let quoted: String = expr.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.ask(&format!("/api/v1/query?query={quoted}")).await
    }

    async fn has_data(&self, expr: &str) -> bool {
        let answer = self.query(expr).await;
        answer["data"]["result"].as_array().is_some_and(|series| !series.is_empty())
    }
}

#[tokio::test]
async fn every_rule_evaluates_and_every_panel_of_the_platform_has_data() {
    if Command::new("prometheus").arg("--version").output().is_err() {
        let line = b"not checked: prometheus is missing (Debian: prometheus)\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), line);
        return;
    }
    let place = Place::new();
    let (child, payers) = place.start_with(234).await;
    let target = child.url.trim_start_matches("http://").to_owned();
    let prometheus = Prometheus::start(place.path(), &target);
    let deadline = Instant::now() + PATIENCE;
    let panels: Vec<(String, &str)> = DASHBOARDS
        .iter()
        .filter(|dashboard| dashboard.is_own)
        .flat_map(|dashboard| dashboard.rows.iter().flat_map(|row| row.panels))
        .flat_map(|panel| panel.queries.iter().map(|query| (panel.title.to_owned(), query.expr)))
        .collect();
    assert!(panels.len() > 40, "{}", panels.len());
    let mut empty: BTreeSet<&(String, &str)> = panels.iter().collect();
    // Payments go on, so that rates have something to tell of.
    let mut client = Client::new(child.url.parse().unwrap());
    let mut round = 0;
    while !empty.is_empty() {
        assert!(Instant::now() < deadline, "panels without data: {empty:#?}");
        for (from, to) in payers.iter().zip(payers.iter().cycle().skip(1)) {
            let body = json!({ "toUserId": to.ledger_id, "amount": "0.01" });
            let key = format!("watched-{round}");
            let pay = Ask::post("/api/v1/transfers", &body).token(&from.token).key(&key);
            assert_eq!(client.send(pay).await.unwrap().status, 202);
        }
        round += 1;
        for panel in empty.clone() {
            if prometheus.has_data(panel.1).await {
                empty.remove(panel);
            }
        }
    }
    let rules = prometheus.ask("/api/v1/rules").await;
    let groups = rules["data"]["groups"].as_array().unwrap();
    let rules: Vec<&Value> =
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() > 80, "{}", rules.len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule:#}");
    }
    // A platform that is well has nobody called.
    let firing = prometheus.query("ALERTS{alertstate=\"firing\",severity=\"critical\"}").await;
    assert_eq!(firing["data"]["result"], json!([]));
    assert!(prometheus.has_data("ALERTS{alertname=\"Watchdog\",alertstate=\"firing\"}").await);
    assert!(child.stop().unwrap().success());
}
