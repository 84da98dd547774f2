//! A secret in whatever a running thing answers is in no output.

use gx_ops::collect::{Input, Redactor, Salt, gather};
use gx_ops::facts::{Fact, Snapshot, Time};
use serde_json::{Value, json};

use crate::outputs;

/// One that is in no other place.
fn canary(place: &str) -> String {
    format!("Kq7{place}zT3vXw9Lp")
}

const PLACES: [&str; 26] = [
    "pgsetting",
    "pgplace",
    "redisrequirepass",
    "redisuser",
    "redishost",
    "readyzdsn",
    "readyzpassword",
    "metriclabel",
    "targeturl",
    "targeterror",
    "alertannotation",
    "alertexpression",
    "prometheusflag",
    "smtppassword",
    "webhookurl",
    "dashboard",
    "fabricevidence",
    "fabricsubject",
    "installedlabel",
    "backupfailure",
    "backuplog",
    "promotionreason",
    "versioncommit",
    "versionnetwork",
    "hostpassword",
    "hostconfig",
];

fn url(place: &str) -> String {
    format!("https://user:{}@host.example.org/x", canary(place))
}

fn postgres() -> String {
    let mut row: Value =
        serde_json::from_str(include_str!("../../fixtures/collect/postgres.json")).unwrap();
    row["settings"]["primary_conninfo"] = json!(format!("password={}", canary("pgsetting")));
    row["place"] = json!(url("pgplace"));
    row.to_string()
}

fn section(name: &str, argument: &str, body: &str) -> String {
    format!("#begin {name} {argument}\n{body}\n#end {name}\n")
}

fn bundle(kind: &str, head: &str, sections: &[String]) -> String {
    let sections = sections.concat();
    format!(
        "#gx-ask 1 {kind}\n#place Pod m-mainnet/a\n#at 1796000000\n{head}{sections}#gx-ask end\n"
    )
}

fn redis() -> String {
    let info = format!(
        "# Server\nredis_version:7.4.1\nrole:slave\nmaster_host:x@{}\nmaster_port:1\n\
         requirepass:{}",
        canary("redishost"),
        canary("redisrequirepass")
    );
    let users = format!("user default on #{} ~* +@all", canary("redisuser"));
    bundle("redis", "", &[section("info", "", &info), section("acl", "", &users)])
}

fn process() -> String {
    let dsn = format!("cannot reach postgres://gx:{}@db/gx", canary("readyzdsn"));
    let word = format!("refused password={} there", canary("readyzpassword"));
    let ready = json!({"ready": false, "checks": {
        "database": {"status": "unhealthy", "error": "unavailable", "message": dsn},
        "mail": {"status": "unhealthy", "message": word},
    }});
    let metrics = format!("up{{target=\"{}\"}} 1\n", url("metriclabel"));
    let version = json!({"version": "3.0.0", "gitHash": url("versioncommit"),
        "configDigest": "5f5f", "schemaVersion": 27, "network": url("versionnetwork"),
        "ledger": "fabric", "database": "postgres"});
    let sections = [
        section("readyz", "503", &ready.to_string()),
        section("version", "200", &version.to_string()),
        section("metrics", "200", &metrics),
    ];
    bundle("process", "", &sections)
}

fn prometheus() -> String {
    let targets = json!({"status": "success", "data": {"activeTargets": [{
        "labels": {"instance": url("targeturl"), "job": "a"}, "health": "down",
        "lastError": canary("targeterror")}]}});
    let rules = json!({"status": "success", "data": {"groups": [{"rules": [{
        "type": "alerting", "name": "A", "state": "firing", "labels": {"severity": "critical"},
        "query": format!("probe{{to=\"{}\"}} == 0", url("alertexpression")),
        "annotations": {"summary": canary("alertannotation")}}]}]}});
    let flags = json!({"status": "success", "data": {
        "storage.tsdb.retention.time": "1d", "web.token": canary("prometheusflag")}});
    let config = format!(
        "global:\n  smtp_auth_password: {}\nroute:\n  receiver: a\nreceivers:\n- name: a\n  \
         webhook_configs:\n  - url: {}\n",
        canary("smtppassword"),
        url("webhookurl")
    );
    let alertmanager = json!({"versionInfo": {}, "config": {"original": config}});
    let board =
        json!({"meta": {}, "dashboard": {"uid": "u", "panels": [{"x": canary("dashboard")}]}});
    let sections = [
        section("targets", "200", &targets.to_string()),
        section("rules", "200", &rules.to_string()),
        section("flags", "200", &flags.to_string()),
        section("alertmanager", "200", &alertmanager.to_string()),
        section("dashboard", "200", &board.to_string()),
    ];
    bundle("prometheus", "", &sections)
}

fn channel() -> String {
    let installed =
        json!({"installed_chaincodes": [{"package_id": url("installedlabel"), "label": "a"}]});
    let head = "#channel gxchannel\n#chaincode gxtv3\n";
    bundle("channel", head, &[section("installed", "", &installed.to_string())])
}

/// The script sends sums of passwords and of files that hold tokens; what is kept of them is hidden
/// once more.
fn host() -> String {
    let text = include_str!("../../fixtures/collect/host.txt");
    text.replace(&"5e".repeat(32), &canary("hostpassword"))
        .replace(&"cd".repeat(32), &canary("hostconfig"))
}

fn files() -> Vec<(&'static str, String)> {
    let check = json!([
        {"rule": "channel-access", "subject": format!("gxchannel as {}", url("fabricsubject")),
            "severity": "passed", "evidence": "may read", "remedy": ""},
        {"rule": "endorsement", "subject": "an empty batch", "severity": "high",
            "evidence": format!("cannot reach {}", url("fabricevidence")), "remedy": "x"},
    ]);
    let status = json!({"backups": [], "warnings": [canary("backupfailure")], "newest": {"run": {
        "startedAt": "2026-11-30T10:00:00Z", "failure": canary("backupfailure")}},
        "location": "/srv/backup"});
    let log = format!("PGPASSWORD={} kubectl: command not found", canary("backuplog"));
    let records = json!({"deployments": [{"id": "d1", "service": "svc-tax",
        "sourceEnv": "testnet", "targetEnv": "mainnet", "image": "gx@sha256:ab", "status": "FAILED",
        "requestedBy": "ada", "requestedAt": "2026-11-29T10:00:00Z",
        "reason": canary("promotionreason"), "failure": canary("promotionreason")}]});
    vec![
        ("db.json", postgres()),
        ("redis.txt", redis()),
        ("process.txt", process()),
        ("prometheus.txt", prometheus()),
        ("channel.txt", channel()),
        ("check.json", check.to_string()),
        ("status.json", status.to_string()),
        ("log.txt", bundle("backup-log", "#environment mainnet\n", &[section("log", "", &log)])),
        ("records.json", records.to_string()),
        ("host.txt", host()),
    ]
}

fn snapshot() -> Snapshot {
    let at = Time::from_seconds(1_796_000_000);
    let inputs = files().into_iter();
    let inputs = inputs.map(|(name, text)| Input { name: name.to_owned(), text, at }).collect();
    gather(inputs, Redactor::new(Salt::new([3; 32]))).unwrap()
}

#[test]
fn what_answers_hold_of_secrets_is_in_no_output() {
    let input: String = files().into_iter().map(|(_, text)| text).collect();
    for place in PLACES {
        // Each of them is in the input, or the test would prove nothing.
        assert!(input.contains(&canary(place)), "{place}");
    }
    let snapshot = snapshot();
    for fact in [
        Fact::Postgres,
        Fact::Redis,
        Fact::Processes,
        Fact::Ledgers,
        Fact::Monitoring,
        Fact::Backups,
        Fact::DeploymentRecords,
        Fact::Hosts,
    ] {
        assert!(snapshot.count(fact) > 0, "{} was not collected", fact.name());
    }
    for (name, text) in outputs::of(&snapshot) {
        for place in PLACES {
            assert!(!text.contains(&canary(place)), "{name} shows the secret of {place}");
        }
    }
}

#[test]
fn an_answer_that_is_refused_is_not_quoted() {
    let broken = [
        ("db.json", json!({"gx": "postgres 1", "place": canary("pgplace")}).to_string()),
        ("redis.txt", bundle("redis", "", &[section("info", "", &canary("redishost"))])),
        ("log.txt", format!("#gx-ask 1 redis\n{}\n", canary("backuplog"))),
        ("m.txt", format!("# HELP a b\na{{x=\"{}\n", canary("metriclabel"))),
    ];
    for (name, text) in broken {
        let input = Input { name: name.to_owned(), text, at: Time::default() };
        let error = gather(vec![input], Redactor::new(Salt::new([3; 32]))).unwrap_err();
        let told = format!("{error:?} {error}");
        for place in PLACES {
            assert!(!told.contains(&canary(place)), "{told}");
        }
    }
}
