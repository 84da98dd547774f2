//! Monitoring: alerts with their tests and runbooks, objectives, dashboards, who is told, what is
//! scraped, and where logs go.
//!
//! One table of alerts makes the rules of Prometheus, the tests of promtool, the rules of the
//! operator of Prometheus and the index of runbooks. Rules and dashboards name the metrics of
//! `gx-metrics` and those of the table in `foreign`, and no others.

mod alert;
mod alertmanager;
mod alerts;
mod dashboards;
mod foreign;
mod index;
mod logs;
mod scrape;
mod slo;
mod yaml;

pub use alert::{Alert, Group, Severity};
pub use alertmanager::{Pace, Receivers, configuration};
pub use alerts::{GROUPS, alerts};
pub use dashboards::{DASHBOARDS, Dashboard, Panel, Query, Row};
pub use foreign::{EXPORTERS, Exporter};
pub use slo::{Recorded, recorded};

use yaml::{Node, labels, list, map, word};

/// Said at the top of every file.
const MADE: &str = "Made by cargo xtask gen from crates/gx-deploy/src/monitoring; nobody edits it.";

/// The folder of all files but the index of runbooks.
const FOLDER: &str = "deploy/monitoring";

/// The name of the file of recording rules, which come before the alerts that read them.
const OBJECTIVES: &str = "gx-objectives";

/// Every file, by its path from the root of the repository.
pub fn files() -> Vec<(String, String)> {
    let mut files = rules();
    files.extend(tests());
    for dashboard in DASHBOARDS {
        let path = format!("grafana/dashboards/{}.json", dashboard.uid);
        files.push((path, dashboard.json()));
    }
    let alertmanager = configuration(&Receivers::default(), Pace::default());
    let web = scrape::probe_targets(
        &["https://api.example.org/livez", "https://api.example.org/readyz"],
        "Addresses that people use, asked from outside.",
    );
    let ports = scrape::probe_targets(
        &["api.example.org:443", "peer0.org1.example.org:7051", "orderer0.example.org:7050"],
        "Ports whose certificates are looked at: the API, peers, orderers.",
    );
    files.extend(
        [
            ("prometheus/prometheus.yml", scrape::one_host()),
            ("prometheus/targets/probe-http.yml", web),
            ("prometheus/targets/probe-tls.yml", ports),
            ("blackbox/blackbox.yml", scrape::blackbox()),
            ("alertmanager/alertmanager.yml", alertmanager),
            ("grafana/provisioning/dashboards/gx.yml", dashboards::provider()),
            ("grafana/provisioning/datasources/gx.yml", dashboards::sources()),
            ("loki/loki.yml", logs::loki()),
            ("loki/host.alloy", logs::host()),
            ("loki/kubernetes.alloy", logs::kubernetes()),
            ("kubernetes/prometheus.yml", scrape::kubernetes()),
            ("kubernetes/prometheusrule.yml", prometheus_rule()),
        ]
        .map(|(path, text)| (path.to_owned(), text)),
    );
    for (path, _) in &mut files {
        *path = format!("{FOLDER}/{path}");
    }
    files.push((index::PATH.to_owned(), index::page()));
    files
}

fn rules() -> Vec<(String, String)> {
    let file = |name: &str, group: Node| {
        let text = map([("groups", list([group]))]).document(MADE);
        (format!("prometheus/rules/{name}.yml"), text)
    };
    let mut files = vec![file(OBJECTIVES, slo::rules())];
    files.extend(GROUPS.iter().map(|group| file(group.name, group.rules())));
    files
}

fn tests() -> Vec<(String, String)> {
    let beside = |name: &str| format!("../rules/{name}.yml");
    let test = |group: &Group| {
        let rules = [beside(OBJECTIVES), beside(group.name)];
        (format!("prometheus/tests/{}.yml", group.name), group.tests(&rules).document(MADE))
    };
    GROUPS.iter().map(test).collect()
}

/// The same rules as the operator of Prometheus reads them.
fn prometheus_rule() -> String {
    let groups = [slo::rules()].into_iter().chain(GROUPS.iter().map(Group::rules));
    let own = labels([("app.kubernetes.io/name", "gx"), ("app.kubernetes.io/part-of", "gx")]);
    map([
        ("apiVersion", word("monitoring.coreos.com/v1")),
        ("kind", word("PrometheusRule")),
        ("metadata", map([("name", word("gx")), ("labels", own)])),
        ("spec", map([("groups", list(groups))])),
    ])
    .document(MADE)
}
