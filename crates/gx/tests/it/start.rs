//! What keeps a platform from starting: a message that names the thing, and nothing else.

use std::net::TcpListener;
use std::process::Command;

use gx_workbench::demo::crowd::{Admin, gather};
use sqlx::{Connection, SqliteConnection};

use crate::place::{GX, Place};

const UP: [&str; 5] = ["up", "--data", "data", "--port", "0"];

/// A place with a platform that was started and stopped.
fn used() -> Place {
    let place = Place::new();
    let status = place.start().stop().unwrap();
    assert!(status.success(), "{status}");
    place
}

#[test]
fn a_second_start_finds_everything_and_shows_no_password() {
    let place = used();
    let child = place.start();
    assert_eq!(child.first, None);
    assert!(child.stop().unwrap().success());
    let figures = place.verified();
    assert_eq!((&figures["commands"], &figures["accounts"]), (&2.into(), &240.into()));
}

#[test]
fn one_folder_has_one_platform() {
    let place = Place::new();
    let running = place.start();
    place.run(&UP).failed(&["ledger data/ledger.redb is in use by another process"]);
    let verify = place.run(&["verify", "--data", "data"]);
    verify.failed(&["stop the platform first", "in use by another process"]);
    assert!(running.stop().unwrap().success());
}

#[test]
fn a_taken_port_is_named() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = place.run(&["up", "--data", "data", "--port", &port]);
    run.failed(&[&format!("cannot listen on 127.0.0.1:{port}"), "--port", "in use"]);
    assert!(!place.data().exists(), "nothing is left behind");
}

#[test]
fn another_network_is_refused() {
    let place = used();
    let testnet = [("GX_NETWORK", "testnet"), ("GX_AUTH__ARGON2_MEMORY_KIB", "19456")];
    place.run_with(&UP, &testnet).failed(&["devnet", "testnet", "database"]);
    std::fs::remove_file(place.data().join("gx.db")).unwrap();
    assert_eq!(place.run_with(&["migrate", "--data", "data"], &testnet).status, Some(0));
    place.run_with(&UP, &testnet).failed(&["ledger.redb belongs to devnet", "testnet"]);
    place.run_with(&["up"], &[("GX_NETWORK", "moonnet")]).failed(&["network", "moonnet"]);
}

#[tokio::test]
async fn another_schema_is_refused() {
    let place = used();
    let url = format!("sqlite://{}", place.data().join("gx.db").display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let made =
        "INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES (99, 'next', 0)";
    sqlx::query(made).execute(&mut database).await.unwrap();
    // What only adds to the schema keeps this build.
    assert_eq!(place.run(&["migrate", "--data", "data"]).status, Some(0));
    let child = place.start();
    assert!(child.stop().unwrap().success());
    let broken = "UPDATE schema_keeps SET version = 99";
    sqlx::query(broken).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    place.run(&UP).failed(&["schema version 99"]);
    place.run(&["serve", "--data", "data"]).failed(&["schema version 99"]);
}

#[test]
fn a_missing_ledger_is_named() {
    let place = used();
    std::fs::remove_file(place.data().join("ledger.redb")).unwrap();
    place.run(&UP).failed(&["there is no ledger at"]);
    assert!(!place.data().join("ledger.redb").exists(), "nothing is made in its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_ledger_is_refused() {
    let place = Place::new();
    let child = place.start();
    let (username, password) = child.first.clone().unwrap();
    assert!(child.stop().unwrap().success());
    let (ledger, older) = (place.data().join("ledger.redb"), place.path().join("older"));
    std::fs::copy(&ledger, &older).unwrap();
    let child = place.start();
    gather(child.url.parse().unwrap(), Admin { username, password }, 234).await.unwrap();
    assert!(child.stop().unwrap().success());
    std::fs::copy(&older, &ledger).unwrap();
    place.run(&UP).failed(&["the ledger lacks block", "older copy"]);
}

#[test]
fn a_new_database_under_a_used_ledger_is_refused() {
    let place = used();
    let (file, kept) = (place.data().join("gx.db"), place.path().join("kept"));
    std::fs::rename(&file, &kept).unwrap();
    for _ in 0..2 {
        place.run(&UP).failed(&["the database is new", "backup"]);
        assert!(!file.exists(), "nothing is made in its place");
    }
    std::fs::rename(&kept, &file).unwrap();
    assert!(place.start().stop().unwrap().success());
    place.verified();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_password_is_replaced() {
    let place = used();
    place.run(&["admin", "reset-password", "nobody", "--data", "data"]).failed(&["nobody"]);
    let lost = std::fs::File::create("/dev/full").unwrap();
    let lost = std::process::Command::new(env!("CARGO_BIN_EXE_gx"))
        .args(["admin", "reset-password", "superowner", "--data"])
        .arg(place.data())
        .stdout(lost)
        .output()
        .unwrap();
    assert_eq!(lost.status.code(), Some(1), "a password that nobody saw is no success");
    let run = place.run(&["admin", "reset-password", "superowner", "--data", "data"]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let word = |line: &str| line.split_whitespace().last().unwrap().to_owned();
    let line = run.out.lines().find(|line| line.contains("one-time password")).unwrap();
    let (username, password) = ("superowner".to_owned(), word(line));
    let child = place.start();
    // It can log in, must choose a password of its own, and is the administrator as before.
    gather(child.url.parse().unwrap(), Admin { username, password }, 234).await.unwrap();
    assert!(child.stop().unwrap().success());
    place.verified();
}

#[tokio::test]
async fn verify_tells_every_row_that_is_not_as_the_ledger_has_it() {
    let place = used();
    let file = place.data().join("gx.db");
    let verify = ["verify", "--data", "data"];
    for (change, parts) in [
        ("UPDATE countries SET users = 7 WHERE code = 'MY'", vec!["countries", "MY has users 7"]),
        ("UPDATE outbox SET args = '{}'", vec!["is another one in the outbox"]),
        ("UPDATE accounts SET frozen = 'COURT_ORDER' WHERE account_no = 9", vec!["frozen"]),
        ("DELETE FROM system", vec!["system", "row 1 is missing"]),
        ("DELETE FROM outbox WHERE seq = 2", vec!["1 commands that were sent are missing"]),
        ("DELETE FROM outbox", vec!["2 commands that were sent are missing", "accepted none"]),
        ("INSERT INTO outcomes SELECT 9, tx_no FROM outcomes WHERE seq = 1", vec!["1 outcomes"]),
        ("DELETE FROM submission", vec!["the submitter's cursor"]),
        ("UPDATE batches SET role = 'gx_admin' WHERE batch_no = 1", vec!["1 batches are others"]),
        ("UPDATE batches SET command_count = 7 WHERE batch_no = 1", vec!["1 batches are others"]),
        ("DELETE FROM batches WHERE batch_no = 2", vec!["1 batches are others"]),
        (
            "UPDATE batches SET batch_id = '7ZZZZZZZZZZZZZZZZZZZZZZZZZ' WHERE batch_no = 1",
            vec!["1 batches that were answered are in no block"],
        ),
        ("UPDATE submission SET last_seq = last_seq - 1", vec!["the submitter's cursor"]),
        ("UPDATE submission SET last_seq = last_seq + 1", vec!["the submitter's cursor"]),
        ("UPDATE balances SET balance_qirat = -5 WHERE account_no = 9", vec!["balance_qirat -5"]),
        (
            "UPDATE accounts SET kind = 'PIRATE' WHERE account_no = 9",
            vec!["accounts can't be read", "has kind PIRATE"],
        ),
        ("DELETE FROM blocks", vec!["outcomes can't be read", "blocks: row 1 is missing"]),
        ("DELETE FROM projection", vec!["countries: row AG should not be there"]),
        ("UPDATE outbox SET role = 'nobody' WHERE seq = 2", vec!["outcomes can't be read"]),
        ("UPDATE submission SET gaps = 'xx'", vec!["the submitter's cursor can't be read"]),
        ("UPDATE lanes SET answered_batch_no = last_batch_no + 5", vec!["the submitter's cursor"]),
        (
            "UPDATE outbox SET signature = '{\"signature\":\"' || hex(zeroblob(64)) ||
            '\",\"expiresAt\":1}' WHERE seq = 2",
            vec!["is another one in the outbox"],
        ),
        ("DELETE FROM audit_head", vec!["the audit log can't be read"]),
        (
            "INSERT INTO audit_log SELECT 99, at_ms, actor, 'FORGED', target, request_id, details,
            prev_hash, hash FROM audit_log",
            vec!["row 99", "not part of the chain"],
        ),
    ] {
        let kept = std::fs::read(&file).unwrap();
        let url = format!("sqlite://{}", file.display());
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(change)).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
        let run = place.run(&verify);
        assert_eq!(run.status, Some(3), "{change}: {run:?}");
        for part in parts {
            assert!(run.out.contains(part), "{part} is not in {run:?}");
        }
        std::fs::write(&file, kept).unwrap();
    }
    place.verified();
    std::fs::remove_file(&file).unwrap();
    for command in [
        &["verify"][..],
        &["audit", "verify"],
        &["admin", "reset-password", "superowner"],
        &["projector", "--rebuild"],
        &["serve"],
        &["submitter"],
    ] {
        let run = place.run(&[command, &["--data", "data"]].concat());
        run.failed(&["there is no database at data/gx.db; gx up makes one"]);
        assert!(!file.exists(), "{command:?}: nothing is made by looking");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_knows_whose_accounts_are_whose() {
    let place = Place::new();
    let (child, _) = place.start_with(234).await;
    assert!(child.stop().unwrap().success());
    place.verified();
    let file = place.data().join("gx.db");
    let one = "(SELECT user_id FROM users WHERE ledger_id IS NOT NULL LIMIT 1)";
    for (change, part) in [
        (format!("UPDATE users SET country = 'ZW' WHERE user_id = {one}"), "is not the person"),
        (
            format!("UPDATE users SET identity_hash = '{}' WHERE user_id = {one}", "0".repeat(64)),
            "is not the person",
        ),
        (format!("DELETE FROM users WHERE user_id = {one}"), "is missing"),
    ] {
        let kept = std::fs::read(&file).unwrap();
        let url = format!("sqlite://{}", file.display());
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(&*change)).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
        let run = place.run(&["verify", "--data", "data"]);
        assert_eq!(run.status, Some(3), "{change}: {run:?}");
        assert!(run.out.contains(part), "{part} is not in {run:?}");
        std::fs::write(&file, kept).unwrap();
    }
    place.verified();
}

#[test]
fn a_lost_node_key_is_not_replaced() {
    let place = used();
    let (key, kept) = (place.data().join("keys/node.pem"), place.path().join("kept.pem"));
    std::fs::rename(&key, &kept).unwrap();
    place.run(&UP).failed(&["node.pem"]);
    assert!(!key.exists(), "nothing is in the way of the backup");
    std::fs::rename(&kept, &key).unwrap();
    assert!(place.start().stop().unwrap().success());
}

#[test]
fn another_identity_pepper_is_refused() {
    let place = used();
    std::fs::remove_file(place.data().join("keys/identity-pepper")).unwrap();
    place.run(&UP).failed(&["hashed with another pepper"]);
}

#[test]
fn an_unknown_setting_is_named() {
    let place = Place::new();
    place.run_with(&UP, &[("GX_HTTP__PROT", "1")]).failed(&["unknown setting", "GX_HTTP__PROT"]);
    std::fs::write(place.path().join("gx.toml"), "[http]\nprot = 1\n").unwrap();
    place.run(&UP).failed(&["unknown setting", "prot"]);
    assert!(!place.data().exists(), "nothing is left behind");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let place = Place::new();
    std::fs::write(place.path().join("file"), "").unwrap();
    let run = place.run(&["up", "--data", "file/data", "--port", "0"]);
    run.failed(&["cannot create the folder file/data"]);
}

/// Files may grow to 64 KiB only, beyond which writing fails as it does on a full disk.
#[test]
fn a_full_disk_is_named() {
    let place = Place::new();
    let limited = "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"";
    let mut shell = Command::new("sh");
    shell.args(["-c", limited, GX]).args(UP).current_dir(place.path());
    let run: crate::place::Run = shell.env("LOG_LEVEL", "error").output().unwrap().into();
    run.failed(&["disk"]);
}

#[test]
fn the_chaincode_needs_no_settings_of_the_platform() {
    let place = Place::new();
    let args = ["chaincode", "--address", "127.0.0.1:x", "--id", "a:b", "--allow", "Org1MSP"];
    let file = "[ledger]\nengine = \"fabric\"\n[fabric]\npeers = [\"peer0:7051\"]\n";
    let environments: [&[(&str, &str)]; 3] = [
        &[("GX_LEDGER__ENGINE", "fabric")],
        &[("GX_LEDGER__ENGINE", "fabric"), ("FABRIC_PEER_ENDPOINT", "peer0:7051")],
        &[("GX_FABRIC__PEERS", "peer0:7051")],
    ];
    for environment in environments {
        place.run_with(&args, environment).failed(&["cannot listen on 127.0.0.1:x"]);
    }
    std::fs::write(place.path().join("gx.toml"), file).unwrap();
    place.run(&args).failed(&["cannot listen on 127.0.0.1:x"]);
}
