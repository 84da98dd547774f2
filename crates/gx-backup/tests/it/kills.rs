//! Killed at any moment, it leaves every earlier backup as it was; the next run goes on.
//!
//! The test binary starts itself as the child that is killed. `GX_BACKUP_KILLS` says how often.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gx_backup::{Plan, Repo};

use crate::place::Place;

const FOLDER: &str = "GX_BACKUP_TEST_FOLDER";
const ACTION: &str = "GX_BACKUP_TEST_ACTION";

/// Not a test of its own: the process that is killed.
#[test]
fn child_that_works_until_it_is_killed() {
    let (Ok(folder), Ok(action)) = (std::env::var(FOLDER), std::env::var(ACTION)) else { return };
    let plan = Plan::load(&Path::new(&folder).join("backup.toml")).unwrap();
    let place = Here(folder.into());
    loop {
        match action.as_str() {
            "run" => drop(gx_backup::run(&plan, &place.platform("data"), &|_| ())),
            "prune" => drop(gx_backup::prune(&plan, &place.platform("data"), false)),
            _ => {
                let repo = Repo::open(&plan).unwrap();
                let backup = repo.backup("latest").unwrap();
                let there = place.platform("restored");
                drop(gx_backup::restore(&plan, &repo, &backup, &there, &[]));
                let _ = fs::remove_dir_all(place.0.join("restored"));
            }
        }
    }
}

/// A place that another process has made.
struct Here(std::path::PathBuf);

impl Here {
    fn platform(&self, data: &str) -> gx_backup::Platform {
        let data = self.0.join(data);
        let folder = |name: &str, may_be_missing| gx_backup::Folder {
            name: name.to_owned(),
            path: data.join(name),
            may_be_missing,
            holds: Vec::new(),
        };
        gx_backup::Platform {
            network: gx_types::NetworkId::Devnet,
            database: gx_store::Config::sqlite(data.join("gx.db")),
            ledger: Some((data.join("ledger.redb"), data.join("keys/node.pem"))),
            folders: vec![folder("keys", false), folder("documents", true)],
        }
    }
}

fn start(place: &Place, action: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["kills::child_that_works_until_it_is_killed", "--exact", "--nocapture"])
        .env(FOLDER, place.folder.path())
        .env(ACTION, action)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kills() -> u64 {
    std::env::var("GX_BACKUP_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// Kills the child at a moment drawn from `random`, within the time that one round takes.
fn kill_somewhere(place: &Place, action: &str, random: &mut u64) {
    let mut child = start(place, action);
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
    let until = Instant::now() + Duration::from_micros((*random >> 33) % 1_500_000);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Every backup that was there before is there, and the newest one is whole.
fn all_there(place: &Place, before: &[String]) -> Vec<String> {
    let repo = Repo::open(&place.plan()).unwrap();
    let ids: Vec<String> =
        repo.backups().unwrap().into_iter().map(|backup| backup.manifest.id).collect();
    assert!(before.iter().all(|id| ids.contains(id)), "{before:?} of {ids:?}");
    ids
}

#[test]
fn a_run_that_is_killed_leaves_every_earlier_backup_good() {
    let place = Place::new();
    place.fill(3).stop();
    let (plan, platform) = (place.plan(), place.platform("data"));
    Repo::init(&plan).unwrap();
    let first = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
    let (mut before, mut random) = (vec![first], 7);
    for round in 0..kills() {
        fs::write(place.path("data/documents/new"), vec![round as u8; 300_000]).unwrap();
        kill_somewhere(&place, "run", &mut random);
        before = all_there(&place, &before);
    }
    let ran = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    let (id, found) = gx_backup::verify(&plan, "latest").unwrap();
    assert_eq!((id, found), (ran.manifest.id, vec![]));
    let (id, found) = gx_backup::verify(&plan, &before[0]).unwrap();
    assert_eq!((&id, found), (&before[0], vec![]));
}

#[test]
fn a_prune_that_is_killed_leaves_what_is_kept_good() {
    let place = Place::new();
    place.settings("[retention]\ndays = 0\ndaily = 0\nweekly = 1\nmonthly = 0\nfloor = 1\n");
    place.fill(3).stop();
    let (plan, platform) = (place.plan(), place.platform("data"));
    Repo::init(&plan).unwrap();
    let (mut random, mut newest) = (11, String::new());
    for round in 0..kills() {
        // Two more: the older one goes, the newer one stays.
        for turn in 0..2_u64 {
            let bytes = vec![(round * 2 + turn) as u8; 300_000];
            fs::write(place.path("data/documents/new"), bytes).unwrap();
            newest = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
        }
        assert_eq!(gx_backup::verify(&plan, "latest").unwrap().1, Vec::<String>::new());
        kill_somewhere(&place, "prune", &mut random);
        all_there(&place, std::slice::from_ref(&newest));
        assert_eq!(gx_backup::verify(&plan, &newest).unwrap().1, Vec::<String>::new());
    }
    gx_backup::prune(&plan, &platform, false).unwrap();
    assert_eq!(all_there(&place, &[]), [newest]);
}

#[test]
fn a_restore_that_is_killed_leaves_no_half_of_a_part_under_its_name() {
    let place = Place::new();
    place.fill(3).stop();
    let (plan, platform) = (place.plan(), place.platform("data"));
    Repo::init(&plan).unwrap();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    let mut random = 13;
    let there = place.path("restored");
    for _ in 0..kills() {
        kill_somewhere(&place, "restore", &mut random);
        if there.join("keys").exists() {
            assert!(there.join("keys/node.pem").exists() && there.join("keys/pepper").exists());
        }
        if there.join("ledger.redb").exists() {
            assert_eq!(gx_ledger::info(&there.join("ledger.redb")).unwrap().tip.number, 5);
        }
        if there.exists() {
            fs::remove_dir_all(&there).unwrap();
        }
    }
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let restored =
        gx_backup::restore(&plan, &repo, &backup, &place.platform("restored"), &[]).unwrap();
    assert_eq!(restored.ledger_block, Some(5));
}
