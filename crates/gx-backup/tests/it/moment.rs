//! A platform on PostgreSQL, back at a moment between two of its rows: base, write-ahead log, and
//! what it says when a piece of the log is missing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gx_backup::{Archive, Blocks, Choice, Gate, Kind, Plan, Pushed, Repo};
use gx_pg::{Cluster, Options};
use gx_store::Store;

use crate::place::{Place, Running};

/// A server that lays its finished segments into a folder, and a platform on it.
struct Live {
    cluster: Cluster,
    spool: tempfile::TempDir,
    place: Place,
}

fn for_everybody(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

impl Live {
    fn start() -> Self {
        let spool = tempfile::tempdir().unwrap();
        for_everybody(spool.path(), 0o777);
        let to = spool.path().display();
        let options = Options::default()
            .with("wal_level", "replica")
            .with("archive_mode", "on")
            .with("archive_command", &format!("cp %p {to}/.%f && mv {to}/.%f {to}/%f"));
        let cluster = Cluster::start(options).unwrap();
        cluster.create_database("gx").unwrap();
        let mut place = Place::new();
        // The account that runs PostgreSQL, when this is root, has to come to the folder of data.
        for_everybody(place.folder.path(), 0o711);
        place.database = Some(cluster.url("gx").parse().unwrap());
        let live = Self { cluster, spool, place };
        live.settings("");
        live
    }

    fn settings(&self, more: &str) {
        let programs = self.cluster.server().program("pg_basebackup").unwrap();
        let programs = programs.parent().unwrap().display();
        let data = self.place.path("cluster");
        self.place.settings(&format!(
            "[postgres]\nmethod = \"base\"\nprograms = \"{programs}\"\ndata_dir = \"{}\"\n{more}",
            data.display()
        ));
    }

    /// Ends the present segment; its name, when it lies in the folder.
    fn switch(&self) -> String {
        let name = self.cluster.sql("gx", "SELECT pg_walfile_name(pg_current_wal_lsn())").unwrap();
        self.cluster.sql("gx", "SELECT pg_switch_wal()").unwrap();
        let began = Instant::now();
        while !self.spool.path().join(&name).exists() {
            assert!(began.elapsed() < Duration::from_secs(60), "{name} was not archived");
            std::thread::yield_now();
        }
        name
    }

    /// Everything that was archived, oldest first.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.spool.path()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
        files.sort();
        files
    }
}

/// A time between what was done before and what comes next.
fn between() -> i64 {
    let now = || jiff::Timestamp::now().as_millisecond();
    let began = now();
    while now() == began {
        std::hint::spin_loop();
    }
    let at = now();
    while now() == at {
        std::hint::spin_loop();
    }
    at
}

fn outbox(running: &Running, database: &gx_store::Config) -> u64 {
    running.runtime.block_on(async {
        let store = Store::open(database).await.unwrap();
        let rows = gx_store::backup::rows(&store).await.unwrap();
        store.close().await;
        rows["outbox"]
    })
}

#[test]
fn a_platform_comes_back_at_a_moment_between_two_rows() {
    let live = Live::start();
    let (plan, platform) = (live.place.plan(), live.place.platform("data"));
    let mut running = live.place.fill(2);
    Repo::init(&plan).unwrap();
    Archive::init(&plan).unwrap();
    let file = platform.ledger.clone().unwrap().0;
    let gate = Gate::open(&file, running.ledger.clone()).unwrap();
    let base = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest;
    let part = base.part("database").unwrap();
    assert_eq!((part.kind, base.heights.database_to), (Kind::Base, 4));
    assert!(part.log.is_some() && part.bytes > 20_000_000);
    assert_eq!(gx_backup::verify(&plan, "latest").unwrap().1, Vec::<String>::new());
    // A row, the moment, a row; each in a segment of its own, and one before them.
    running.register(2, 1);
    live.switch();
    running.register(3, 1);
    let middle = live.switch();
    let at = between();
    running.register(4, 1);
    live.switch();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    drop(gate);

    let archive = Archive::open(&plan).unwrap();
    let is_middle = |path: &&PathBuf| path.ends_with(&middle);
    for file in live.files().iter().filter(|path| !is_middle(path)) {
        assert_eq!(archive.push(&plan, file).unwrap(), Pushed::Stored);
    }
    let repo = Repo::open(&plan).unwrap();
    let choice = Choice::at(&repo, at).unwrap();
    assert_eq!(choice.database.manifest.id, base.id);
    assert_ne!(choice.rest.manifest.id, base.id);
    let there = live.place.platform("there");
    let torn = gx_backup::restore_choice(&plan, &repo, &choice, &there, &[]).unwrap_err();
    assert!(torn.to_string().contains(&format!("lacks {middle}")), "{torn}");
    assert!(!live.place.path("cluster").exists());
    fs::remove_dir_all(live.place.path("there")).unwrap();
    for file in live.files().iter().filter(is_middle) {
        archive.push(&plan, file).unwrap();
    }

    let (restored, cluster) =
        gx_backup::restore_choice(&plan, &repo, &choice, &there, &[]).unwrap();
    let cluster = cluster.unwrap();
    // Two blocks of the beginning, two people before the base and two after it.
    assert_eq!((restored.database_block, restored.ledger_block), (Some(6), Some(6)));
    assert_eq!(outbox(&running, &cluster.database()), 6);
    assert_eq!(outbox(&running, &platform.database), 7);
    assert_eq!(restored.left_out.len(), 1);
    assert_eq!(cluster.finish().unwrap(), live.place.path("cluster"));
    assert!(live.place.path("cluster/PG_VERSION").exists());
    assert!(!live.place.path("cluster/postmaster.pid").exists());
    assert!(!live.place.path("cluster.restoring").exists());
    // It is restored over nothing, and to no time that the log does not reach.
    let only = ["database".to_owned()];
    let refused = gx_backup::restore_choice(&plan, &repo, &choice, &there, &only).unwrap_err();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
    fs::remove_dir_all(live.place.path("cluster")).unwrap();
    let late = Choice { at_ms: Some(between()), ..choice.clone() };
    let refused = gx_backup::restore_choice(&plan, &repo, &late, &there, &only).unwrap_err();
    assert!(refused.to_string().contains("its last transaction was at 20"), "{refused}");
    let early = Choice::at(&repo, base.started_at_ms - 1).unwrap_err().to_string();
    assert!(early.contains("no base ended before"), "{early}");
    assert!(Choice::at(&repo, i64::MAX).unwrap_err().to_string().contains("not come yet"));
    running.stop();
}

#[test]
fn a_base_alone_comes_back_as_it_was_at_its_end() {
    let live = Live::start();
    let (plan, platform) = (live.place.plan(), live.place.platform("data"));
    let running = live.place.fill(1);
    Repo::init(&plan).unwrap();
    let gate = Gate::open(&platform.ledger.clone().unwrap().0, running.ledger.clone()).unwrap();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    drop(gate);
    running.stop();
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let there = live.place.platform("there");
    let restored = gx_backup::restore(&plan, &repo, &backup, &there, &[]).unwrap();
    assert_eq!((restored.database_block, restored.ledger_block), (Some(3), Some(3)));
    assert!(live.place.path("cluster/global/pg_control").exists());
}

#[test]
fn a_base_that_is_torn_small_or_of_a_replica_is_no_part() {
    let live = Live::start();
    live.place.fill(1).stop();
    let platform = live.place.platform("data");
    Repo::init(&live.place.plan()).unwrap();
    let real = live.cluster.server().program("pg_basebackup").unwrap();
    let (real, programs) = (real.display(), live.place.path("programs"));
    fs::create_dir_all(&programs).unwrap();
    live.place.settings(&format!(
        "[postgres]\nmethod = \"base\"\nprograms = \"{}\"\n",
        programs.display()
    ));
    let plan = live.place.plan();
    for (script, expected) in [
        ("exit 0".to_owned(), "fewer than 20000000"),
        (format!("{real} \"$@\" | head -c 25000000"), "ends before its end mark"),
        (format!("{real} \"$@\" | sed 's/FROM: primary/FROM: standby/'"), "taken from a standby"),
        (format!("{real} \"$@\"; echo 'out of slots' >&2; exit 1"), "out of slots"),
    ] {
        let program = programs.join("pg_basebackup");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        for_everybody(&program, 0o755);
        let failed = gx_backup::run(&plan, &platform, &|_| ()).unwrap_err().to_string();
        assert!(failed.starts_with("database was not captured"), "{failed}");
        assert!(failed.contains(expected), "{expected}: {failed}");
    }
    assert!(Repo::open(&plan).unwrap().backup("latest").is_err());
}

/// A minute after the newest backup, and the folder of the ledger is gone: the write-ahead log
/// brings the database there, and what was pushed of the ledger the ledger.
#[test]
fn a_moment_after_the_newest_backup_needs_nothing_of_the_lost_machine() {
    let live = Live::start();
    let (plan, platform) = (live.place.plan(), live.place.platform("data"));
    let mut running = live.place.fill(1);
    Repo::init(&plan).unwrap();
    Archive::init(&plan).unwrap();
    Blocks::init(&plan).unwrap();
    let gate = Gate::open(&platform.ledger.clone().unwrap().0, running.ledger.clone()).unwrap();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    running.register(1, 2);
    let at = between();
    running.register(3, 1);
    live.switch();
    Blocks::open(&plan).unwrap().push(&plan, &platform).unwrap();
    drop(gate);
    running.stop();
    let archive = Archive::open(&plan).unwrap();
    for file in live.files() {
        archive.push(&plan, &file).unwrap();
    }
    fs::remove_dir_all(live.place.path("data")).unwrap();
    let repo = Repo::open(&plan).unwrap();
    let choice = Choice::at(&repo, at).unwrap();
    assert_eq!(choice.rest.manifest.id, choice.database.manifest.id);
    let (restored, cluster) =
        gx_backup::restore_choice(&plan, &repo, &choice, &platform, &[]).unwrap();
    cluster.unwrap().finish().unwrap();
    // The last one came after the moment.
    assert_eq!((restored.database_block, restored.ledger_block), (Some(5), Some(5)));
    assert_eq!(restored.left_out.len(), 1);
}

/// A segment as PostgreSQL writes it: its first page, and nothing behind it.
fn segment(folder: &Path, number: u64, system: u64, fill: u8) -> PathBuf {
    const SIZE: u32 = 1 << 20;
    let mut bytes = vec![fill; SIZE as usize];
    bytes[8..16].copy_from_slice(&(number * u64::from(SIZE)).to_le_bytes());
    bytes[24..32].copy_from_slice(&system.to_le_bytes());
    bytes[32..36].copy_from_slice(&SIZE.to_le_bytes());
    let path = folder.join(format!("0000000100000000{number:08X}"));
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_file_of_the_log_is_stored_once_and_never_replaced() {
    let place = Place::new();
    let plan = place.plan();
    let missing = Archive::open(&plan).unwrap_err().to_string();
    assert!(missing.contains("gx backup wal init"), "{missing}");
    Repo::init(&plan).unwrap();
    Archive::init(&plan).unwrap();
    let archive = Archive::open(&plan).unwrap();
    let folder = place.path("pg_wal");
    fs::create_dir_all(&folder).unwrap();
    let first = segment(&folder, 1, 77, 0);
    assert_eq!(archive.push(&plan, &first).unwrap(), Pushed::Stored);
    assert_eq!(archive.push(&plan, &first).unwrap(), Pushed::Known);
    let good = fs::read(&first).unwrap();
    let refused = |path: &Path| archive.push(&plan, path).unwrap_err().to_string();
    segment(&folder, 1, 77, 3);
    assert!(refused(&first).contains("with another content"), "{}", refused(&first));
    let other = segment(&folder, 2, 78, 0);
    assert!(refused(&other).contains("of the cluster 78"), "{}", refused(&other));
    let moved = segment(&folder, 3, 77, 0);
    let wrong = folder.join("000000010000000000000004");
    fs::rename(&moved, &wrong).unwrap();
    assert!(refused(&wrong).contains("at another place"), "{}", refused(&wrong));
    fs::write(&wrong, &good[..good.len() / 2]).unwrap();
    assert!(refused(&wrong).contains("says 1048576 of itself"), "{}", refused(&wrong));
    let secret = folder.join("postgresql.conf");
    fs::write(&secret, "x").unwrap();
    assert!(refused(&secret).contains("no name of a file"), "{}", refused(&secret));
    // It comes back as it was, and what was never there does not.
    let back = place.path("back");
    assert!(archive.fetch("000000010000000000000001", &back).unwrap());
    assert_eq!(fs::read(&back).unwrap(), good);
    assert!(!archive.fetch("000000010000000000000009", &place.path("none")).unwrap());
    assert!(!place.path("none").exists());
    // A copy in the list of backups it is not.
    assert_eq!(Repo::open(&plan).unwrap().backups().unwrap().len(), 0);
}

const FOLDER: &str = "GX_BACKUP_TEST_WAL";

/// Not a test of its own: the process that is killed while it archives.
#[test]
fn child_that_archives_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = PathBuf::from(folder);
    let plan = Plan::load(&folder.join("backup.toml")).unwrap();
    let archive = Archive::open(&plan).unwrap();
    loop {
        for number in 1..=5 {
            let path = folder.join(format!("pg_wal/0000000100000000{number:08X}"));
            archive.push(&plan, &path).unwrap();
        }
    }
}

#[test]
fn an_archiver_that_is_killed_leaves_no_half_of_a_file() {
    let place = Place::new();
    let plan = place.plan();
    Repo::init(&plan).unwrap();
    Archive::init(&plan).unwrap();
    let folder = place.path("pg_wal");
    fs::create_dir_all(&folder).unwrap();
    let files: Vec<PathBuf> =
        (1..=5).map(|number| segment(&folder, number, 7, number as u8)).collect();
    for round in 0..4_u64 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["moment::child_that_archives_until_it_is_killed", "--exact"])
            .env(FOLDER, place.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + Duration::from_millis(90 + 170 * round);
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What is listed is there as a whole; the rest is archived again, as PostgreSQL does it.
        let archive = Archive::open(&plan).unwrap();
        for name in archive.segments().unwrap().into_keys() {
            assert!(archive.fetch(&name, &place.path("back")).unwrap());
            assert_eq!(
                fs::read(place.path("back")).unwrap(),
                fs::read(folder.join(&name)).unwrap()
            );
        }
    }
    let archive = Archive::open(&plan).unwrap();
    for file in &files {
        archive.push(&plan, file).unwrap();
    }
    assert_eq!(archive.segments().unwrap().len(), 5);
}
