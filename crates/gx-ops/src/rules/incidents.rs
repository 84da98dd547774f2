//! The recorded incidents, as small snapshots with made-up names.
//!
//! Each is found at the top, with its cause, and its clean twin shows nothing above low.

use std::path::Path;

use gx_types::Severity;
use serde_json::Value;

use super::fixture::read;
use super::{Options, audit};

/// What has happened, by the name of its file.
const INCIDENTS: [&str; 20] = [
    "anti-affinity-defeated-by-volumes",
    "backups-of-zero-bytes",
    "default-deny-without-egress",
    "disk-at-79-percent",
    "duplicate-node-ids",
    "five-orderers-on-one-node",
    "five-orderers-three-on-one-node",
    "images-missing-under-never",
    "join-without-encryption-settings",
    "peers-restarted-without-core-yaml",
    "prometheus-claim-under-another-name",
    "ready-by-age-of-the-last-event",
    "reinstalled-node-lost-its-volumes",
    "secret-and-database-password-apart",
    "sentinel-with-797-restarts",
    "stale-etcd-member",
    "superseded-replica-sets",
    "three-authorities-on-one-node",
    "two-networks-for-one-channel",
    "web-server-of-an-origin-switched-off",
];

/// What is told of a part of an incident's file, worst first, a group a line.
fn told(incident: &Value, part: &str, at_least: Severity) -> Vec<Vec<String>> {
    let text = incident[part].to_string();
    let snapshot = read(&text).unwrap_or_else(|error| panic!("{part}: {error}")).snapshot;
    let options = Options { at_least: Some(at_least), ..Options::default() };
    let groups = audit(&snapshot, &options).groups.into_iter();
    let lines = |group: super::Group| {
        let issues = group.issues.into_iter().map(|issue| issue.finding);
        issues.map(|one| format!("{} {}", one.rule, one.subject)).collect()
    };
    groups.map(lines).collect()
}

#[test]
fn each_incident_is_found_at_the_top_and_its_clean_twin_is_clean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incidents");
    let mut wrong = Vec::new();
    for name in INCIDENTS {
        let text = std::fs::read_to_string(folder.join(format!("{name}.yaml"))).unwrap();
        let incident: Value = serde_saphyr::from_str(&text).unwrap();
        let found = incident["found"].as_str().unwrap();
        let groups = told(&incident, "bad", Severity::Low);
        if !groups.first().is_some_and(|top| top.iter().any(|line| line == found)) {
            wrong.push(format!("{name}: {found} is not at the top of {groups:?}"));
        }
        let clean = told(&incident, "clean", Severity::Medium);
        if !clean.is_empty() {
            wrong.push(format!("{name}: the clean twin has {clean:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, INCIDENTS.len(), "a file that is not on the list");
}
