//! Rules, tests and dashboards: what they name exists, and what reads them takes them.

use std::collections::BTreeSet;

use gx_deploy::monitoring::{self, DASHBOARDS, EXPORTERS, GROUPS, alerts, recorded};
use gx_metrics::{Kind, ROWS};

use crate::promql::metrics;
use crate::tool::{has, root, run, written};

/// Every name that may stand in an expression.
fn known() -> BTreeSet<String> {
    let own = ROWS.iter().flat_map(|row| {
        let name = row.published();
        match row.kind {
            Kind::Counter | Kind::Gauge => vec![name],
            Kind::Histogram => ["bucket", "count", "sum"].map(|end| format!("{name}_{end}")).into(),
        }
    });
    let foreign = EXPORTERS.iter().flat_map(|exporter| exporter.metrics);
    let recorded = recorded().into_iter().map(|one| one.name);
    own.chain(foreign.map(|name| (*name).to_owned())).chain(recorded).collect()
}

/// Every expression of rules and dashboards, with where it stands.
fn expressions() -> Vec<(String, String)> {
    let alerts = alerts().map(|alert| (alert.name.to_owned(), alert.expr.to_owned()));
    let recorded = recorded().into_iter().map(|one| (one.name, one.expr));
    let panels = DASHBOARDS.iter().flat_map(|dashboard| {
        let panels = dashboard.rows.iter().flat_map(|row| row.panels);
        panels.flat_map(|panel| {
            let at = format!("{}: {}", dashboard.title, panel.title);
            panel.queries.iter().map(move |query| (at.clone(), query.expr.to_owned()))
        })
    });
    alerts.chain(recorded).chain(panels).collect()
}

#[test]
fn every_name_in_rules_and_dashboards_is_exported_by_somebody() {
    let known = known();
    let mut unknown = Vec::new();
    for (at, expr) in expressions() {
        let names = metrics(&expr);
        assert!(!names.is_empty() || expr == "vector(1)", "{at} reads nothing: {expr}");
        unknown.extend(names.into_iter().filter(|name| {
            let histogram = name.strip_suffix("_bucket").unwrap_or(name);
            !known.contains(name) && !known.contains(histogram)
        }));
    }
    assert!(unknown.is_empty(), "nobody exports {unknown:?}");
}

#[test]
fn the_table_of_other_programs_has_nothing_that_nobody_reads() {
    let read: Vec<String> = expressions().iter().flat_map(|(_, expr)| metrics(expr)).collect();
    let is_read = |name: &str| {
        read.iter().any(|one| one == name || one.strip_suffix("_bucket") == Some(name))
    };
    let unread: Vec<&str> = EXPORTERS
        .iter()
        .flat_map(|exporter| exporter.metrics)
        .copied()
        .filter(|name| *name != "ALERTS" && !is_read(name))
        .collect();
    assert!(unread.is_empty(), "{unread:?}");
}

/// What each metric of the platform is for: somebody looks at it, or it is told of here why not.
#[test]
fn every_metric_of_the_platform_is_looked_at() {
    const NOT_SHOWN: [&str; 4] = [
        // Counted for those who look for something in particular.
        "housekeeping_removed",
        "housekeeping_oldest_kept_seconds",
        "redis_heard_commands",
        // `dependency_up` says it as well, and says nothing where Redis is not set up.
        "redis_connected",
    ];
    let read: Vec<String> = expressions().iter().flat_map(|(_, expr)| metrics(expr)).collect();
    let is_read = |published: &str| {
        let ends = ["", "_bucket", "_count", "_sum"].map(|end| format!("{published}{end}"));
        read.iter().any(|name| ends.contains(name))
    };
    let unread: Vec<&str> =
        ROWS.iter().filter(|row| !is_read(&row.published())).map(|row| row.name).collect();
    assert_eq!(unread.iter().collect::<BTreeSet<_>>(), NOT_SHOWN.iter().collect());
}

#[test]
fn names_of_alerts_and_panels_are_told_apart() {
    let names: Vec<&str> = alerts().map(|alert| alert.name).collect();
    let distinct: BTreeSet<&&str> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    for dashboard in DASHBOARDS {
        let panels = dashboard.rows.iter().flat_map(|row| row.panels);
        let titles: Vec<&str> = panels.map(|panel| panel.title).collect();
        let distinct: BTreeSet<&&str> = titles.iter().collect();
        assert_eq!(distinct.len(), titles.len(), "{titles:?}");
    }
}

/// What deploy pages promise an alert for, and the alert that it is.
#[test]
fn every_failure_that_has_to_be_acted_on_has_its_alert() {
    const FAILURES: &[(&str, &[&str])] = &[
        ("submission stuck", &["SubmissionStuck", "SubmissionLaneStuck"]),
        (
            "projector stopped or lagging",
            &["ProjectorStopped", "ProjectorStuck", "ProjectorLagging"],
        ),
        ("dead commands", &["DeadCommands"]),
        ("lease flapping", &["LeaseFlapping", "SeveralLeaders", "WorkerWithoutLeader"]),
        ("error budget", &["ErrorBudgetBurningFast", "ErrorBudgetBurningSlow"]),
        ("latency", &["LatencyHigh", "LatencyVeryHigh"]),
        ("saturation", &["DatabasePoolSaturated", "HashingQueueFull", "QueueGrowing"]),
        (
            "certificates",
            &["CertificateEndsIn30Days", "CertificateEndsIn14Days", "CertificateEndsIn3Days"],
        ),
        ("conservation", &["ConservationBroken", "ConservationUnchecked"]),
        ("ledger heights apart", &["LedgerHeightsApart", "LedgerTipUnseen"]),
        ("orderer or peer down", &["OrdererDown", "PeerDown", "OrganizationWithoutPeer"]),
        ("Raft without leader", &["RaftWithoutLeader"]),
        ("database not replicating", &["NotReplicating", "ReplicaLagging", "SeveralPrimaries"]),
        (
            "backups",
            &[
                "BackupMissing",
                "BackupTooOld",
                "BackupPartMissing",
                "BackupFailed",
                "BackupProofFailed",
                "BackupNotProved",
                "BackupNeverProved",
                "RepositoryNotVerified",
                "RecoveryPointMissed",
                "RecoveryTimeMissed",
                "BackupTargetFilling",
                "WalNotArchived",
            ],
        ),
        ("xid age", &["TransactionIdsRunOut"]),
        ("disk", &["DiskFilling", "DiskFull", "DiskReadOnly"]),
        ("restarts", &["ProcessRestarting", "ContainerRestarting"]),
        ("probe failing", &["ProbeFailing"]),
        ("clock skew", &["ClockSkew", "NodeClockSkew"]),
        ("watchdog", &["Watchdog"]),
        ("mail and text messages", &["MessagesNotSent"]),
        ("webhooks", &["WebhooksFailing"]),
        ("virus scanner and Redis away", &["VirusScannerAway", "RedisAway"]),
    ];
    let names: BTreeSet<&str> = alerts().map(|alert| alert.name).collect();
    for (failure, expected) in FAILURES {
        for name in *expected {
            assert!(names.contains(name), "{failure}: {name}");
        }
    }
}

#[test]
fn what_is_checked_in_is_what_the_table_makes() {
    let stale: Vec<String> = monitoring::files()
        .into_iter()
        .filter(|(path, text)| {
            std::fs::read_to_string(root().join(path)).ok().as_ref() != Some(text)
        })
        .map(|(path, _)| path)
        .collect();
    assert!(stale.is_empty(), "run cargo xtask gen: {stale:?}");
}

#[test]
fn prometheus_takes_the_rules_and_every_alert_fires_and_is_over() {
    if !has("promtool", "prometheus") {
        return;
    }
    let (_folder, monitoring) = written();
    let prometheus = monitoring.join("prometheus");
    let path = |folder: &str, name: &str| format!("{folder}/{name}.yml");
    let rules: Vec<String> = ["gx-objectives"]
        .into_iter()
        .chain(GROUPS.iter().map(|group| group.name))
        .map(|name| path("rules", name))
        .collect();
    let args = |first: [&'static str; 2], files: &'_ [String]| -> Vec<String> {
        first.into_iter().map(str::to_owned).chain(files.iter().cloned()).collect()
    };
    let check = args(["check", "rules"], &rules);
    run("promtool", &check.iter().map(String::as_str).collect::<Vec<_>>(), &prometheus);
    let tests: Vec<String> = GROUPS.iter().map(|group| path("tests", group.name)).collect();
    let test = args(["test", "rules"], &tests);
    run("promtool", &test.iter().map(String::as_str).collect::<Vec<_>>(), &prometheus);
    run("promtool", &["check", "config", "prometheus.yml"], &prometheus);
}

/// The expressions of panels have no checker of their own but the one of rules.
#[test]
fn prometheus_takes_the_expressions_of_panels() {
    if !has("promtool", "prometheus") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let rules: String = expressions()
        .iter()
        .enumerate()
        .map(|(number, (_, expr))| format!("  - record: a:{number}\n    expr: {expr:?}\n"))
        .collect();
    let file = format!("groups:\n- name: panels\n  rules:\n{rules}");
    std::fs::write(folder.path().join("panels.yml"), file).unwrap();
    run("promtool", &["check", "rules", "panels.yml"], folder.path());
}
