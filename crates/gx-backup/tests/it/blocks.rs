//! The ledger is lost after the newest backup: what was pushed since leads on from it, and what was
//! not is named.

use std::fs;

use gx_backup::{Blocks, Error, Gate, Repo};
use gx_types::{Actor, Role};

use crate::place::{Place, Running, batch, registration};

/// A platform at block 7 with a backup of block 4, in an archive of which lie blocks 5 to 7.
fn pushed() -> (Place, Running) {
    let place = Place::new();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let mut running = place.fill(2);
    Repo::init(&plan).unwrap();
    let missing = Blocks::open(&plan).unwrap_err().to_string();
    assert!(missing.contains("gx backup ledger init"), "{missing}");
    Blocks::init(&plan).unwrap();
    let blocks = Blocks::open(&plan).unwrap();
    let gate = Gate::open(&platform.ledger.clone().unwrap().0, running.ledger.clone()).unwrap();
    assert_eq!(gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.heights.ledger, 4);
    for (from, count, expected) in [(2, 1, (5, 5)), (3, 1, (6, 6)), (4, 1, (7, 7))] {
        running.register(from, count);
        let piece = blocks.push(&plan, &platform).unwrap().pop().unwrap();
        assert_eq!((piece.first, piece.last), expected);
    }
    assert_eq!(blocks.push(&plan, &platform).unwrap(), []);
    drop(gate);
    (place, running)
}

#[test]
fn a_ledger_that_is_lost_after_the_newest_backup_comes_back_to_the_last_push() {
    let (place, running) = pushed();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let digest = running.ledger.info().unwrap().state_digest;
    running.stop();
    fs::remove_file(place.path("data/ledger.redb")).unwrap();
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let only = ["ledger".to_owned()];
    let restored = gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap();
    assert_eq!(restored.ledger_block, Some(7));
    let mut running = Running::start(&platform);
    assert_eq!(running.ledger.info().unwrap().state_digest, digest);
    running.register(5, 1);
    running.stop();
    // From the file as well, when nobody has it open.
    let piece = Blocks::open(&plan).unwrap().push(&plan, &platform).unwrap().pop().unwrap();
    assert_eq!((piece.first, piece.last), (8, 8));
    // A newer backup holds all of it; the newest piece stays, for the next push begins there.
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    place.settings("[retention]\ndays = 0\ndaily = 0\nweekly = 1\nmonthly = 0\nfloor = 1\n");
    let plan = place.plan();
    gx_backup::verify(&plan, "latest").unwrap();
    assert_eq!(gx_backup::prune(&plan, &platform, false).unwrap().blocks, 3);
    let left = Blocks::open(&plan).unwrap().pieces().unwrap();
    assert_eq!(left.iter().map(|piece| piece.last).collect::<Vec<_>>(), [8]);
}

#[test]
fn a_hole_in_the_archive_of_blocks_is_named() {
    let (place, running) = pushed();
    running.stop();
    // The snapshots of the three pushes, oldest first; the middle one goes.
    let folder = place.path("repository/blocks/snapshots");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()).collect();
    files.sort_by_key(|file| file.metadata().unwrap().modified().unwrap());
    fs::remove_file(files[1].path()).unwrap();
    fs::remove_file(place.path("data/ledger.redb")).unwrap();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let only = ["ledger".to_owned()];
    let torn = gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap_err();
    let torn = torn.to_string();
    assert!(torn.contains("nothing holds the blocks from 6 to 6"), "{torn}");
    assert!(!place.path("data/ledger.redb").exists());
}

#[test]
fn a_ledger_that_was_restored_to_before_a_push_is_pushed_from_its_backup_on() {
    let (place, running) = pushed();
    running.stop();
    let (plan, platform) = (place.plan(), place.platform("data"));
    fs::rename(place.path("data"), place.path("lost")).unwrap();
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    gx_backup::restore(&plan, &repo, &backup, &platform, &[]).unwrap();
    let mut running = Running::start(&platform);
    assert_eq!(running.ledger.tip().number, 4);
    // Other people than those of the blocks that were undone.
    running.register(70, 2);
    let digest = running.ledger.info().unwrap().state_digest;
    running.stop();
    let blocks = Blocks::open(&plan).unwrap();
    let piece = blocks.push(&plan, &platform).unwrap().pop().unwrap();
    assert_eq!((piece.first, piece.last), (5, 6));
    fs::remove_file(place.path("data/ledger.redb")).unwrap();
    let only = ["ledger".to_owned()];
    let restored = gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap();
    assert_eq!(restored.ledger_block, Some(6));
    let running = Running::start(&platform);
    assert_eq!(running.ledger.info().unwrap().state_digest, digest);
    running.stop();
}

#[test]
fn what_no_push_has_is_listed_for_those_who_have_to_give_it_again() {
    let (place, mut running) = pushed();
    running.register(5, 2);
    // Accepted, and not settled when the ledger is lost.
    running.accept(&batch(900, Role::PartnerApi, vec![(Actor::System, registration(90))]));
    running.stop();
    fs::remove_file(place.path("data/ledger.redb")).unwrap();
    let (plan, platform) = (place.plan(), place.platform("data"));
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let only = ["ledger".to_owned()];
    let refused = gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap_err();
    let Error::LedgerBehind { database, ledger, commands, list } = &refused else {
        panic!("{refused}");
    };
    assert_eq!((*database, *ledger), (9, 7));
    let told: Vec<_> = commands.iter().map(|one| (one.block, one.function.as_str())).collect();
    let kind = "IdentityContract:CreateUser";
    assert_eq!(told, [(Some(8), kind), (Some(9), kind), (None, kind)]);
    let states: Vec<_> = commands.iter().map(|one| (one.state.as_str(), one.at_ms)).collect();
    assert_eq!(states, [("applied", 3_000), ("applied", 3_000), ("waiting", 2_000)]);
    let text = fs::read_to_string(list).unwrap();
    for command in commands {
        assert!(text.contains(&command.command), "{text}");
    }
    assert!(!text.contains("identityHash"), "no arguments: {text}");
    assert!(!place.path("data/ledger.redb").exists());
}
