//! Texts as they really look, and what is made of them.

use super::super::{Input, Salt, gather};
use super::*;

fn gathered(files: &[(&str, &str)]) -> Snapshot {
    let at = Time::from_seconds(1_796_000_000);
    let input = |(name, text): &(&str, &str)| Input {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        at,
    };
    let inputs = files.iter().map(input).collect();
    gather(inputs, Redactor::new(Salt::new([5; 32]))).unwrap()
}

const POSTGRES: &str = include_str!("../../../fixtures/collect/postgres.json");
const INFO: &str = include_str!("../../../fixtures/collect/redis-info.txt");
const ASKED: &str = include_str!("../../../fixtures/collect/asked.txt");
const BACKUPS: &str = include_str!("../../../fixtures/collect/backup-status.json");

#[test]
fn a_row_of_postgres_is_read_strictly() {
    let snapshot = gathered(&[("dump/db.json", POSTGRES)]);
    let [server] = snapshot.postgres.items() else { panic!("one server") };
    assert_eq!(server.place, "Pod backend-mainnet/postgres-0");
    assert!(!server.in_recovery);
    let standbys = server.standbys.get().unwrap();
    assert_eq!((standbys[0].state.as_str(), standbys[0].lag_ms), ("streaming", Some(120)));
    let databases = server.databases.get().unwrap();
    let told: Vec<(&str, bool, usize)> =
        databases.iter().map(|one| (one.name.as_str(), one.is_told, one.tables.len())).collect();
    assert_eq!(told, [("gx", true, 2), ("postgres", false, 0)]);
    assert_eq!(databases[0].schema_version, Known::Known(27));
    assert_eq!((databases[0].schema_keeps, databases[1].schema_keeps), (Some(26), None));
    assert_eq!(databases[0].tables[0].rows, 234);
    assert_eq!(databases[1].schema_version.reason(), Some("it was not connected to"));
    // One field more, and it is another version's row.
    let strange = POSTGRES.replacen("\"waiting\"", "\"password\": \"x\", \"waiting\"", 1);
    let input = Input { name: "x.json".to_owned(), text: strange, at: Time::default() };
    let error = gather(vec![input], Redactor::new(Salt::new([5; 32]))).unwrap_err();
    assert!(format!("{error:?}").contains("Form"), "{error:?}");
    // Without the right to see standbys there are not none.
    let mut blind: Json = serde_json::from_str(POSTGRES).unwrap();
    blind["standbys"] = Json::Null;
    let server = postgres::row(&blind, "x").unwrap();
    assert_eq!(server.standbys.reason(), Some("the role is not a member of pg_monitor"));
}

#[test]
fn the_script_for_psql_asks_for_no_password() {
    for word in ["rolpassword", "pg_authid", "pg_shadow", "primary_conninfo"] {
        assert!(!POSTGRES_SCRIPT.contains(word), "{word}");
    }
}

#[test]
fn redis_tells_its_role_and_whether_it_asks_for_a_password() {
    // A server ends its lines as its protocol does.
    let snapshot = gathered(&[("redis-1.txt", &INFO.replace('\n', "\r\n"))]);
    let [redis] = snapshot.redis.items() else { panic!("one server") };
    assert_eq!((redis.place.as_str(), redis.role.as_str()), ("redis-1", "slave"));
    assert_eq!((redis.follows.as_str(), redis.link_up), ("redis-0.redis:6379", Some(true)));
    assert_eq!((redis.keys, redis.append_only), (7, true));
    assert_eq!(redis.asks_password.get(), None);
    let snapshot = gathered(&[("asked.txt", ASKED)]);
    let told: Vec<(&str, Option<&bool>)> = snapshot
        .redis
        .items()
        .iter()
        .map(|one| (one.role.as_str(), one.asks_password.get()))
        .collect();
    assert_eq!(told, [("master", Some(&false)), ("sentinel", None)]);
    assert_eq!(snapshot.redis.items()[1].sentinels, Some(3));
}

#[test]
fn a_process_tells_its_figures_and_what_it_waits_for() {
    let snapshot = gathered(&[("asked.txt", ASKED)]);
    let [process] = snapshot.processes.items() else { panic!("one process") };
    assert_eq!(process.place, "Pod backend-mainnet/svc-tokenomics-0");
    assert_eq!((process.ready.get(), process.live.get()), (Some(&503), Some(&200)));
    let failing: Vec<&str> =
        process.checks.iter().filter(|one| !one.ok).map(|one| one.name.as_str()).collect();
    assert_eq!(failing, ["projection"]);
    assert_eq!(process.figure("outbox_queue_depth", &[]), Some(612.0));
    assert_eq!(process.figure("database_connections_max", &[("pool", "main")]), Some(20.0));
    assert_eq!(process.figure("batch_seconds_bucket", &[("le", "0.5")]), None);
    assert_eq!(process.schema_version, Known::Known(27));
    // The same from files of their own.
    let metrics = "# HELP a What.\n# TYPE a gauge\na{b=\"c\\\"d,}\"} 1e3\n# EOF\n";
    let ready = r#"{"status":"ready","ready":true,"checks":{"database":{"status":"healthy"}}}"#;
    let snapshot = gathered(&[("p/tax.metrics.txt", metrics), ("p/tax.readyz.json", ready)]);
    let [process] = snapshot.processes.items() else { panic!("one process") };
    assert_eq!((process.place.as_str(), process.ready.get()), ("tax", Some(&200)));
    assert_eq!(process.figure("a", &[("b", "c\"d,}")]), Some(1000.0));
    assert!(process::samples("# HELP a\na{b=\"c} 1\n").is_none());
    assert!(process::samples("<html>\n").is_none());
}

#[test]
fn a_ledger_is_put_together_from_all_that_tell_of_it() {
    let check = include_str!("../../../fixtures/collect/fabric-check.json");
    let snapshot = gathered(&[("asked.txt", ASKED), ("check.json", check)]);
    let [ledger] = snapshot.ledgers.items() else { panic!("{:?}", snapshot.ledgers.items()) };
    assert_eq!((ledger.name.as_str(), ledger.environment.as_str()), ("gxchannel", "mainnet"));
    let nodes: Vec<(&str, Option<&u64>, Option<&bool>)> = ledger
        .nodes
        .iter()
        .map(|one| (one.name.as_str(), one.height.get(), one.joined.get()))
        .collect();
    let expected = [
        ("Pod fabric-mainnet/peer0-org1-0", Some(&105), Some(&true)),
        ("Pod fabric-mainnet/peer0-org2-0", None, Some(&false)),
    ];
    assert_eq!(nodes, expected);
    let orderers = ledger.orderers.get().unwrap();
    assert_eq!((orderers.len(), orderers[0].is_leader), (1, true));
    assert_eq!(ledger.authorities.get().unwrap()[0].healthy, Known::Known(false));
    let chaincode = &ledger.chaincodes.get().unwrap()[0];
    assert_eq!((chaincode.version.as_str(), chaincode.sequence), ("2.11", 17));
    assert_eq!(chaincode.approvals.get("Org2MSP"), Some(&false));
    let installed = chaincode.installed.get("Pod fabric-mainnet/peer0-org1-0").unwrap();
    assert!(installed[0].starts_with("gxtv3_2.11:"));
    assert_eq!(ledger.bootstrapped, Known::Known(true));
    assert_eq!(ledger.pools.get().unwrap()["USER_GENESIS"], "1250000000000000000");
    assert_eq!(ledger.countries.get().unwrap()["MY"], 40_000_000);
    let failing: Vec<&str> = ledger
        .checks
        .get()
        .unwrap()
        .iter()
        .filter(|one| !one.ok)
        .map(|one| one.rule.as_str())
        .collect();
    assert_eq!(failing, ["endorsement"]);
}

#[test]
fn an_embedded_ledger_has_one_node() {
    let info = r#"{"file":"/var/lib/gx/ledger","network":"devnet",
            "createdAt":"2026-01-01T00:00:00Z",
        "keys":[],"blocks":12,"commands":40,"lastBlockAt":"2026-11-30T11:00:00Z","hash":"ab12",
        "stateDigest":"cd","fileBytes":4096}"#;
    let snapshot = gathered(&[("ledger.json", info)]);
    let [ledger] = snapshot.ledgers.items() else { panic!("one ledger") };
    assert_eq!((ledger.engine.as_str(), ledger.environment.as_str()), ("embedded", "devnet"));
    assert_eq!(ledger.nodes[0].height, Known::Known(12));
}

#[test]
fn monitoring_tells_what_it_watches_and_whom_it_tells() {
    let snapshot = gathered(&[("asked.txt", ASKED)]);
    let [watcher] = snapshot.monitoring.items() else { panic!("one Prometheus") };
    let targets = watcher.targets.get().unwrap();
    assert_eq!((targets.len(), targets[1].up), (2, false));
    let rules = watcher.rules.get().unwrap();
    assert_eq!((rules.len(), rules[0].name.as_str(), rules[0].firing), (1, "Watchdog", true));
    assert_eq!(watcher.metric_names.get().unwrap(), &["up", "node_load1"]);
    let receivers = watcher.receivers.get().unwrap();
    assert_eq!(receivers["pager"], ["webhook"]);
    assert_eq!(receivers["nobody"], Vec::<String>::new());
    assert_eq!(watcher.default_receiver, "nobody");
    assert_eq!(watcher.retention_seconds, Some(30 * 86_400));
    assert_eq!(watcher.ingested_bytes_per_day, Some(86_400_000));
}

#[test]
fn dashboards_are_the_same_whatever_grafana_numbers() {
    let r = Redactor::new(Salt::new([5; 32]));
    let of = |text: &str| dashboard_of(text, &r).unwrap();
    let kept = of(r#"{"uid":"gx","title":"a","panels":[{"id":1,"x":{"b":1,"a":2}}]}"#);
    let shown =
        r#"{"panels":[{"x":{"a":2,"b":1},"id":1}],"id":7,"version":3,"uid":"gx","title":"a"}"#;
    assert_eq!(kept, of(shown));
    assert_ne!(kept.1, of(&shown.replace("\"a\":2", "\"a\":3")).1);
    assert!(dashboard_of("{}", &r).is_none() && dashboard_of("key: value", &r).is_none());
}

#[test]
fn backups_are_told_by_component() {
    let snapshot = gathered(&[("status.json", BACKUPS), ("asked.txt", ASKED)]);
    let backups = snapshot.backups.items();
    let named: Vec<&str> = backups.iter().map(|one| one.component.as_str()).collect();
    assert_eq!(named, ["database", "keys", "platform"]);
    let of = |component: &str| backups.iter().find(|one| one.component == component).unwrap();
    assert_eq!(of("keys").artifacts.len(), 1);
    let newest = of("platform").artifacts.last().unwrap();
    assert_eq!(newest.missing_parts, ["keys"]);
    assert_eq!(
        (of("database").off_site.get(), of("database").environment.as_str()),
        (Some(&true), "mainnet")
    );
    assert!(of("database").artifacts[0].drilled.is_some());
    assert_eq!(of("database").last_run_failed, Known::Known(true));
    assert_eq!(of("database").log_faults.get().unwrap(), &["command not found"]);
}

#[test]
fn a_listing_of_a_remote_tells_what_lies_there() {
    let listing = r#"[{"Path":"mainnet/postgres","Name":"postgres","Size":-1,
            "ModTime":"2026-11-30T04:00:00Z","IsDir":true},
        {"Path":"mainnet/postgres/gx-2.sql.gz","Name":"gx-2.sql.gz","Size":20,
            "ModTime":"2026-11-30T04:00:00.123456789Z","IsDir":false},
        {"Path":"mainnet/postgres/gx-1.sql.gz","Name":"gx-1.sql.gz","Size":187000,
            "ModTime":"2026-11-29T04:00:00Z","IsDir":false,"Hashes":{"sha256":"ab"}},
        {"Path":"mainnet/ca/root.tar.age","Name":"root.tar.age","Size":23500,
            "ModTime":"2026-11-29T04:00:00Z","IsDir":false}]"#;
    let snapshot = gathered(&[("offsite.json", listing)]);
    let told: Vec<(&str, usize, u64)> = snapshot
        .backups
        .items()
        .iter()
        .map(|one| {
            (one.component.as_str(), one.artifacts.len(), one.artifacts.last().unwrap().bytes)
        })
        .collect();
    assert_eq!(told, [("authorities", 1, 23_500), ("postgres", 2, 20)]);
    let authorities = &snapshot.backups.items()[0];
    assert_eq!(authorities.artifacts[0].encrypted, Known::Known(true));
    assert_eq!(snapshot.backups.items()[1].artifacts[0].sha256, "ab");
}

#[test]
fn promotions_are_records() {
    let list = r#"{"deployments":[{"id":"d1","service":"svc-tax","sourceEnv":"testnet",
            "targetEnv":"mainnet",
        "image":"registry.example.org/gx@sha256:0123abcd","previousImage":null,"gitCommit":null,
        "reason":"a release","status":"COMPLETED","step":null,"requestedBy":"ada",
            "requestedAt":"2026-11-29T10:00:00Z",
        "approvedBy":"ben","finishedAt":"2026-11-29T12:00:00Z","gates":[]}],
            "pagination":{"page":1}}"#;
    let snapshot = gathered(&[("deployments.json", list)]);
    let [record] = snapshot.deployment_records.items() else { panic!("one record") };
    assert_eq!((record.from.as_str(), record.to.as_str()), ("testnet", "mainnet"));
    assert_eq!(record.image, "registry.example.org/gx@sha256:0123abcd");
    assert_eq!(record.at.to_string(), "2026-11-29T12:00:00Z");
    let broken = list.replace("\"d1\"", "7");
    let input = Input { name: "x.json".to_owned(), text: broken, at: Time::default() };
    assert!(gather(vec![input], Redactor::new(Salt::new([5; 32]))).is_err());
}

#[test]
fn half_an_output_is_refused() {
    let r = Redactor::new(Salt::new([5; 32]));
    let from = Origin { from: "x".to_owned(), at: Time::default() };
    let read = |text: &str| Answers::default().bundles(text, &from, &r);
    let cut: String = ASKED.lines().take(12).map(|line| format!("{line}\n")).collect();
    assert_eq!(read(&cut), Err(AskError::Cut));
    assert_eq!(read("#gx-ask 1 teapot\n#gx-ask end\n"), Err(AskError::Kind("teapot".to_owned())));
    assert_eq!(read("#gx-ask 1 redis\nhello\n"), Err(AskError::Line(2)));
}

#[test]
fn what_does_not_answer_is_named() {
    let text =
        "#gx-ask 1 redis\n#place Pod m/redis-0\n#at 1796000000\n#missing info no\n#gx-ask end\n";
    let snapshot = gathered(&[("redis.txt", text), ("db.json", POSTGRES)]);
    assert_eq!(snapshot.notes[0].about, "Pod m/redis-0");
    assert!(snapshot.lacks(Fact::Redis).is_some());
}

#[test]
fn the_script_is_one_that_a_shell_reads() {
    let checked = std::process::Command::new("sh").args(["-n", "-c", ASK_SCRIPT]).status();
    assert!(checked.unwrap().success());
    let run = std::process::Command::new("sh")
        .args(["-c", ASK_SCRIPT, "sh", "process", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    let snapshot = gathered(&[("x.txt", &text)]);
    assert_eq!(snapshot.processes.items()[0].ready.reason(), Some("no answer"));
}
