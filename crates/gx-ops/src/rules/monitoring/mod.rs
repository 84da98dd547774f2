//! Monitoring: whether what fails would be noticed.

mod alerts;
mod expression;
mod targets;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 11] = [
    Rule {
        id: "MON-01",
        severity: Severity::High,
        title: "More than a tenth of what is to be watched does not answer",
        needs: &[Fact::Monitoring],
        check: targets::down,
        why: "44 of 90 targets answered, for months: what is always red is not looked at.",
        otherwise: "The next thing that fails is one of many.",
        remedy: "Take away targets that are gone, and open the way to those that are not.",
        runbook: None,
    },
    Rule {
        id: "MON-02",
        severity: Severity::Critical,
        title: "An alert asks for a metric that nobody has",
        needs: &[Fact::Monitoring],
        check: alerts::unknown_metrics,
        why: "Alerts on lag, set-aside commands and open circuits named metrics that no process \
              had. An alert over nothing never fires, and looks like one that has no reason to.",
        otherwise: "What it was written for happens unnoticed.",
        remedy: "Correct the name; docs/metrics.md lists what the platform has.",
        runbook: None,
    },
    Rule {
        id: "MON-03",
        severity: Severity::Critical,
        title: "Alerts reach nobody",
        needs: &[Fact::Monitoring],
        check: alerts::no_receiver,
        why: "Alertmanager ran for months with a receiver that had a name and nothing else.",
        otherwise: "Every alert is sent, and none arrives.",
        remedy: "Give the receiver an address, and prove it with an alert: \
                 `amtool alert add test severity=critical`.",
        runbook: None,
    },
    Rule {
        id: "MON-04",
        severity: Severity::Medium,
        title: "Monitors are declared and nothing reads them",
        needs: &[Fact::CustomKinds, Fact::Workloads],
        check: targets::monitors_unread,
        why: "ServiceMonitors mean something to the Prometheus operator alone.",
        otherwise: "What they declare is not watched.",
        remedy: "Install the operator, or write the targets into Prometheus' own configuration.",
        runbook: None,
    },
    Rule {
        id: "MON-05",
        severity: Severity::High,
        title: "A part of the ledger's network is not watched",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Monitoring],
        check: targets::network_unwatched,
        why: "Orderers, peers and their databases had no target for as long as there was a \
              monitoring.",
        otherwise: "They stop, and it is users who say so.",
        remedy: "Scrape their operations port, 9443.",
        runbook: None,
    },
    Rule {
        id: "MON-06",
        severity: Severity::High,
        title: "Nothing looks from outside",
        needs: &[Fact::Monitoring],
        check: targets::no_probe,
        why: "Every process was up, and the site answered 521.",
        otherwise: "Faults of names, certificates and proxies are seen by users alone.",
        remedy: "Run a blackbox exporter, and probe the public addresses.",
        runbook: None,
    },
    Rule {
        id: "MON-07",
        severity: Severity::Medium,
        title: "What Prometheus is to keep does not fit its volume",
        needs: &[Fact::Monitoring, Fact::Workloads, Fact::Pods, Fact::Claims],
        check: targets::no_room,
        why: "Logs took 6.6 GB in 37 days, and nobody had counted.",
        otherwise: "The disk fills, and monitoring stops when it is needed.",
        remedy: "Keep less, or give it more: `--storage.tsdb.retention.size`.",
        runbook: None,
    },
    Rule {
        id: "MON-08",
        severity: Severity::Low,
        title: "A dashboard is not the one that is declared",
        needs: &[Fact::Monitoring, Fact::ConfigMaps],
        check: targets::dashboards_differ,
        why: "Dashboards that were changed by hand are gone with the next start, or the declared \
              one was never loaded.",
        otherwise: "Two people look at two pictures of one thing.",
        remedy: "Export it and declare it, or load the declared one again.",
        runbook: None,
    },
    Rule {
        id: "MON-09",
        severity: Severity::Medium,
        title: "A pod asks to be scraped on a port that it does not have",
        needs: &[Fact::Pods],
        check: targets::wrong_port,
        why: "Ports were numbered again, and the annotations kept the old ones.",
        otherwise: "Its target is down for ever.",
        remedy: "Set prometheus.io/port to the container's port for metrics.",
        runbook: None,
    },
    Rule {
        id: "MON-10",
        severity: Severity::Medium,
        title: "An agent of monitoring does not run on every node",
        needs: &[Fact::Workloads, Fact::Nodes, Fact::Pods],
        check: targets::agent_missing,
        why: "A taint kept the agents from the nodes that it was put on.",
        otherwise: "Nothing is known of those nodes' disks and memory.",
        remedy: "Let it tolerate every taint: `tolerations: [{operator: Exists}]`.",
        runbook: None,
    },
    Rule {
        id: "MON-11",
        severity: Severity::High,
        title: "Nothing would tell that monitoring itself has stopped",
        needs: &[Fact::Monitoring],
        check: alerts::no_watchdog,
        why: "A monitoring that is dead sends no alert, just as one that has no reason to.",
        otherwise: "Silence is taken for health.",
        remedy: "An alert that always fires, and somebody outside who calls when it stops coming.",
        runbook: None,
    },
];
