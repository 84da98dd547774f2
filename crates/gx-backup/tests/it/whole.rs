//! The whole way: made while the platform runs, verified, lost, restored, and it goes on.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gx_backup::{Action, Gate, How, Proof, Repo, State};
use gx_store::{Store, projection};
use gx_types::{Actor, Role};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::place::{Place, Running, batch, registration};

#[test]
fn a_running_platform_is_captured_lost_and_restored() {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let mut running = place.fill(5);
    let file = platform.ledger.clone().unwrap().0;
    let gate = Gate::open(&file, running.ledger.clone()).unwrap();
    Repo::init(&plan).unwrap();
    let ran = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    let names: Vec<&str> = ran.manifest.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["database", "ledger", "keys", "documents"]);
    let heights = ran.manifest.heights;
    assert_eq!((heights.database_from, heights.database_to, heights.ledger), (7, 7, 7));
    // It goes on while and after it is captured.
    running.register(5, 2);
    let second = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    assert_eq!(second.manifest.heights.ledger, 9);
    let (id, found) = gx_backup::verify(&plan, "latest").unwrap();
    assert_eq!((id.as_str(), found), (second.manifest.id.as_str(), vec![]));
    drop(gate);
    assert!(!place.path("data/ledger.redb.gate").exists());
    let sum = running.ledger.info().unwrap().state_digest;
    running.stop();
    fs::remove_dir_all(place.path("data")).unwrap();

    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let restored = gx_backup::restore(&plan, &repo, &backup, &platform, &[]).unwrap();
    assert_eq!((restored.database_block, restored.ledger_block), (Some(9), Some(9)));
    assert_eq!((restored.left_out, restored.homeless), (vec![], vec![]));
    assert_eq!(fs::read(place.path("data/keys/pepper")).unwrap(), b"made up");
    assert_eq!(fs::read(place.path("data/documents/a/sealed")).unwrap(), vec![9; 100_000]);
    let mut running = Running::start(&platform);
    assert_eq!(running.ledger.info().unwrap().state_digest, sum);
    running.register(7, 1);
    assert_eq!(running.ledger.tip().number, 10);
    running.stop();
    // The first one is there as well, and goes to another place.
    let other = place.platform("other");
    let backup = repo.backup(&ran.manifest.id).unwrap();
    let restored = gx_backup::restore(&plan, &repo, &backup, &other, &[]).unwrap();
    assert_eq!((restored.database_block, restored.ledger_block), (Some(7), Some(7)));
}

/// File and log of SQLite are read as they lie, while blocks are written and a checkpoint moves
/// pages from one into the other. Each backup is still of one moment.
#[test]
fn backups_of_a_database_that_is_written_to_all_the_time_are_each_whole() {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let mut running = place.fill(20);
    let file = platform.ledger.clone().unwrap().0;
    let gate = Gate::open(&file, running.ledger.clone()).unwrap();
    Repo::init(&plan).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut next = 20;
            while !stop.load(Ordering::Relaxed) {
                running.register(next, 1);
                next += 1;
            }
        });
        scope.spawn(|| checkpoint_until(&place.path("data/gx.db"), &stop));
        for _ in 0..4 {
            gx_backup::run(&plan, &platform, &|_| ()).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    drop(gate);
    running.stop();
    let repo = Repo::open(&plan).unwrap();
    let mut before = 0;
    for backup in repo.backups().unwrap() {
        let heights = backup.manifest.heights;
        let there = place.platform(&backup.manifest.id);
        let restored = gx_backup::restore(&plan, &repo, &backup, &there, &[]).unwrap();
        let (database, ledger) = (restored.database_block.unwrap(), restored.ledger_block.unwrap());
        assert!((heights.database_from..=heights.database_to).contains(&database));
        assert!((database..=heights.ledger).contains(&ledger) && database >= before);
        before = database;
    }
    assert!(before > 22, "it was written to meanwhile: block {before}");
}

fn checkpoint_until(file: &Path, stop: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        while !stop.load(Ordering::Relaxed) {
            let checkpoint = sqlx::query("PRAGMA wal_checkpoint(RESTART)");
            // One that is in the way of another is tried again.
            let _ = checkpoint.execute(&mut connection).await;
        }
    });
}

/// The ledger is captured after the database, and has moved on meanwhile. What the database holds
/// of that follows by replay; what it never accepted is left out and named.
#[test]
fn database_and_ledger_are_brought_to_one_height() {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let running = place.fill(2);
    Repo::init(&plan).unwrap();
    // Accepted and settled, but not projected when the database is captured.
    let known = batch(500, Role::PartnerApi, vec![(Actor::System, registration(50))]);
    running.accept(&known);
    running.settle(&known);
    // Settled without being in the database: what was accepted after it was captured.
    let unknown = batch(501, Role::PartnerApi, vec![(Actor::System, registration(51))]);
    running.settle(&unknown);
    let later = batch(502, Role::PartnerApi, vec![(Actor::System, registration(52))]);
    running.accept(&later);
    running.settle(&later);
    running.stop();
    let ran = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    assert_eq!((ran.manifest.heights.database_to, ran.manifest.heights.ledger), (4, 7));
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let other = place.platform("other");
    let restored = gx_backup::restore(&plan, &repo, &backup, &other, &[]).unwrap();
    assert_eq!((restored.database_block, restored.ledger_block), (Some(4), Some(5)));
    let ids = [&unknown, &later].map(|batch| batch.commands[0].command_id.to_string());
    assert_eq!(restored.left_out, ids);
    let mut running = Running::start(&other);
    running.project();
    let position = running.runtime.block_on(projection::position(&running.store)).unwrap();
    assert_eq!(position.checkpoint.unwrap().block, 5);
    running.stop();
}

/// Only both of one backup fit together.
#[test]
fn an_older_ledger_beside_a_database_that_went_on_is_refused_and_explained() {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let mut running = place.fill(2);
    Repo::init(&plan).unwrap();
    running.stop();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    running = Running::start(&platform);
    running.register(2, 3);
    running.stop();
    fs::remove_file(place.path("data/ledger.redb")).unwrap();
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let only = ["ledger".to_owned()];
    let refused = gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("stands at block 7") && text.contains("ends at 4"), "{text}");
    assert!(!place.path("data/ledger.redb").exists());
    // The ledger kept and the database lost: the database alone comes back, and follows by replay.
    fs::remove_file(place.path("data/gx.db")).unwrap();
    gx_backup::restore(&plan, &repo, &backup, &platform, &["database".to_owned()]).unwrap();
    gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap();
}

#[test]
fn nothing_is_restored_over_anything() {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    place.fill(1).stop();
    Repo::init(&plan).unwrap();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    for part in ["keys", "documents", "database", "ledger"] {
        let only = [part.to_owned()];
        let refused = gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap_err();
        assert!(refused.to_string().starts_with(part), "{part}: {refused}");
    }
    let store = gx_store::Config::sqlite(place.path("data/gx.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&store).await.unwrap();
        store.check(platform.network).await.unwrap();
    });
}

#[test]
fn old_backups_go_when_a_newer_one_is_proved_and_never_before() {
    let place = Place::new();
    place.settings("[retention]\ndays = 0\ndaily = 0\nweekly = 1\nmonthly = 0\nfloor = 1\n");
    let (plan, platform) = (place.plan(), place.platform("data"));
    place.fill(1).stop();
    Repo::init(&plan).unwrap();
    let first = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
    let refused = gx_backup::prune(&plan, &platform, false).unwrap_err();
    assert!(refused.to_string().contains("ever verified"), "{refused}");
    gx_backup::verify(&plan, "latest").unwrap();
    let second = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
    let pruned = gx_backup::prune(&plan, &platform, false).unwrap();
    // One is the last that was verified, the other the newest.
    assert_eq!(pruned.removed, Vec::<String>::new());
    let third = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
    let told = gx_backup::prune(&plan, &platform, true).unwrap();
    assert_eq!(told.removed, [second.as_str()]);
    assert_eq!(gx_backup::prune(&plan, &platform, false).unwrap().removed, told.removed);
    let second = third;
    let repo = Repo::open(&plan).unwrap();
    let how = How::Drilled;
    repo.prove(&Proof { backup: second.clone(), how, at_ms: 5, took_ms: 7 }).unwrap();
    let backups = repo.backups().unwrap();
    let ids: Vec<&str> = backups.iter().map(|backup| backup.manifest.id.as_str()).collect();
    assert_eq!(ids, [first.as_str(), second.as_str()]);
    assert_eq!(backups[1].proved(how), Some(5));
    // While the newest run failed nothing goes.
    fs::rename(place.path("data/keys"), place.path("data/away")).unwrap();
    let failed = gx_backup::run(&plan, &platform, &|_| ()).unwrap_err().to_string();
    assert!(failed.starts_with("keys was not captured"), "{failed}");
    let refused = gx_backup::prune(&plan, &platform, false).unwrap_err().to_string();
    assert!(refused.contains("the newest run failed: keys"), "{refused}");
    assert_eq!(repo.backups().unwrap().len(), 2);
    let state = State::read(&plan).unwrap();
    assert!(!state.newest[&Action::Run].is_good());
}

#[test]
fn status_says_what_is_missing_and_the_figures_follow() {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    place.fill(1).stop();
    Repo::init(&plan).unwrap();
    let warned = gx_backup::status(&plan).unwrap().warnings;
    assert!(warned.iter().any(|text| text == "there is no backup"), "{warned:?}");
    let id = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
    let warned = gx_backup::status(&plan).unwrap().warnings;
    assert!(warned.iter().any(|text| text.contains("ever restored")), "{warned:?}");
    assert!(warned.iter().any(|text| text.contains("recovery sheet")), "{warned:?}");
    let repo = Repo::open(&plan).unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    let drilled = Proof { backup: id, how: How::Drilled, at_ms: now, took_ms: 2_500 };
    repo.prove(&drilled).unwrap();
    let sheet = gx_backup::recovery_sheet(&plan, &platform, false).unwrap();
    assert!(sheet.contains(&"7f".repeat(32)) && sheet.contains("repository"));
    assert!(gx_backup::recovery_sheet(&plan, &platform, false).is_err());
    let status = gx_backup::status(&plan).unwrap();
    assert_eq!(status.warnings, Vec::<String>::new());
    gx_backup::write_metrics(&plan, &status).unwrap();
    let text = fs::read_to_string(place.path("metrics.prom")).unwrap();
    for line in [
        "gx_backup_backups 1",
        "gx_backup_recovery_time_seconds 2",
        "gx_backup_newest_good{action=\"run\"} 1",
        "gx_backup_warnings 0",
        "gx_backup_recovery_point_objective_seconds 21600",
        "gx_backup_drill_objective_seconds 2678400",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    for name in ["bytes{part=\"ledger\"} ", "target_available_bytes ", "target_size_bytes "] {
        assert!(text.contains(&format!("gx_backup_{name}")), "{name}\n{text}");
    }
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<i64>().unwrap()
    };
    let began = value("gx_backup_newest_timestamp_seconds ");
    assert_eq!(value("gx_backup_part_timestamp_seconds{part=\"documents\"} "), began);
    // A folder that may be missing, and now is: the newest backup lacks what one before it has.
    fs::remove_dir_all(place.path("data/documents")).unwrap();
    // Ids and times are of the second.
    while jiff::Timestamp::now().as_second() == began {
        std::hint::spin_loop();
    }
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    gx_backup::write_metrics(&plan, &gx_backup::status(&plan).unwrap()).unwrap();
    let later = fs::read_to_string(place.path("metrics.prom")).unwrap();
    let line = format!("gx_backup_part_timestamp_seconds{{part=\"documents\"}} {began}");
    assert!(later.lines().any(|found| found == line), "{later}");
    assert!(!later.contains("gx_backup_bytes{part=\"documents\"}"), "{later}");
    // The notes and figures hold no password.
    let notes = fs::read_to_string(place.path("state/gx-backup.json")).unwrap();
    assert!(!notes.contains("7f7f") && !text.contains("7f7f"));
}
