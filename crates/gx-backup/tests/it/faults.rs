//! What goes wrong is named, and the last good backup is still good.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gx_backup::{Error, Lock, Plan, Platform, Repo};

use crate::place::{Place, only_us};

/// A place with one backup in it.
fn with_backup(more: &str) -> (Place, Platform, String) {
    let place = Place::new();
    place.settings(more);
    let platform = place.platform("data");
    place.fill(2).stop();
    Repo::init(&place.plan()).unwrap();
    let ran = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap();
    (place, platform, ran.manifest.id)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// What a verification says, whether it finds something or cannot read at all.
fn verified(place: &Place) -> Vec<String> {
    match gx_backup::verify(&place.plan(), "latest") {
        Ok((_, found)) => found,
        Err(error) => vec![error.to_string()],
    }
}

#[test]
fn another_key_does_not_open_it() {
    let (place, platform, _) = with_backup("");
    fs::write(place.path("backup.key"), "5a".repeat(32)).unwrap();
    only_us(&place.path("backup.key"));
    let refused = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap_err();
    assert!(matches!(refused, Error::WrongKey { .. }), "{refused}");
    assert!(!refused.to_string().contains("5a5a"));
}

#[test]
fn a_truncated_or_altered_file_of_any_kind_is_found() {
    let (place, _, _) = with_backup("");
    let repository = place.path("repository");
    for kind in ["data", "index", "snapshots", "keys", "config"] {
        let path = repository.join(kind);
        let files = if path.is_dir() { files_below(&path) } else { vec![path] };
        assert!(!files.is_empty(), "{kind}");
        for file in files {
            let good = fs::read(&file).unwrap();
            let mut flipped = good.clone();
            let middle = flipped.len() / 2;
            flipped[middle] ^= 1;
            fs::write(&file, &flipped).unwrap();
            assert!(!verified(&place).is_empty(), "{kind}: a flipped byte in {}", file.display());
            fs::write(&file, &good[..good.len() / 2]).unwrap();
            assert!(!verified(&place).is_empty(), "{kind}: half of {}", file.display());
            fs::remove_file(&file).unwrap();
            assert!(!verified(&place).is_empty(), "{kind}: without {}", file.display());
            fs::write(&file, good).unwrap();
        }
    }
    assert_eq!(verified(&place), Vec::<String>::new());
}

#[test]
fn a_target_that_is_gone_fails_the_run_and_takes_nothing_along() {
    let (place, platform, id) = with_backup("");
    fs::rename(place.path("repository"), place.path("away")).unwrap();
    let failed = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap_err();
    assert!(matches!(failed, Error::NoRepository { .. }), "{failed}");
    fs::rename(place.path("away"), place.path("repository")).unwrap();
    assert_eq!(Repo::open(&place.plan()).unwrap().backup("latest").unwrap().manifest.id, id);
    // Gone in the middle: while the second part is captured.
    let failed = gx_backup::run(&place.plan(), &platform, &|part| {
        if part == "ledger" {
            fs::rename(place.path("repository"), place.path("away")).unwrap();
        }
    });
    let failed = failed.unwrap_err().to_string();
    assert!(failed.contains("repository"), "{failed}");
    fs::remove_dir_all(place.path("repository")).unwrap_or_default();
    fs::rename(place.path("away"), place.path("repository")).unwrap();
    assert_eq!(Repo::open(&place.plan()).unwrap().backup("latest").unwrap().manifest.id, id);
    assert_eq!(verified(&place), Vec::<String>::new());
    let ran = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap();
    assert_ne!(ran.manifest.id, id);
}

/// A disk of a few megabytes, where this account may make one; gone with the value.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=3m", "none"]).arg(&at);
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(at));
        }
        eprintln!("this account mounts no file systems: a target that is full was not tested");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

/// Bytes that no compression makes fewer.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

#[test]
fn a_target_that_is_full_in_the_middle_costs_nothing_but_that_run() {
    let place = Place::new();
    let Some(_disk) = SmallDisk::mount(place.path("repository")) else { return };
    let (plan, platform) = (place.plan(), place.platform("data"));
    place.fill(1).stop();
    Repo::init(&plan).unwrap();
    let first = gx_backup::run(&plan, &platform, &|_| ()).unwrap().manifest.id;
    let large = place.path("data/documents/large");
    fs::write(&large, noise(6 << 20)).unwrap();
    let failed = gx_backup::run(&plan, &platform, &|_| ()).unwrap_err().to_string();
    assert!(failed.contains("No space left"), "{failed}");
    // Nothing that was there is hidden or damaged by what did not fit.
    let status = gx_backup::status(&plan).unwrap();
    assert!(status.warnings.iter().any(|text| text.contains("the newest run failed")));
    assert!(!status.warnings.iter().any(|text| text.contains("can't be read")));
    assert_eq!(status.newest().unwrap().manifest.id, first);
    assert_eq!(verified(&place), Vec::<String>::new());
    let refused = gx_backup::prune(&plan, &platform, false).unwrap_err().to_string();
    assert!(refused.contains("the newest run failed"), "{refused}");
    // Once it fits, it goes on.
    fs::remove_file(&large).unwrap();
    let grown = Command::new("mount")
        .args(["-o", "remount,size=16m"])
        .arg(place.path("repository"))
        .output()
        .unwrap();
    assert!(grown.status.success());
    let ran = gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    assert_eq!(gx_backup::verify(&plan, "latest").unwrap(), (ran.manifest.id, vec![]));
}

#[test]
fn a_key_that_was_lost_comes_back_from_the_recovery_sheet_and_from_nowhere_else() {
    let (place, platform, id) = with_backup("");
    let sheet = gx_backup::recovery_sheet(&place.plan(), &platform, false).unwrap();
    let plan = place.plan();
    fs::remove_file(place.path("backup.key")).unwrap();
    let lost = Plan::load(&place.path("backup.toml")).unwrap_err().to_string();
    assert!(lost.starts_with("repository.password_file"), "{lost}");
    assert!(gx_backup::run(&plan, &platform, &|_| ()).is_err());
    fs::write(place.path("backup.key"), "0c".repeat(32)).unwrap();
    only_us(&place.path("backup.key"));
    assert!(matches!(Repo::open(&place.plan()), Err(Error::WrongKey { .. })));
    let password = sheet.lines().find_map(|line| line.strip_prefix("password")).unwrap().trim();
    fs::write(place.path("backup.key"), password).unwrap();
    only_us(&place.path("backup.key"));
    let repo = Repo::open(&place.plan()).unwrap();
    let backup = repo.backup(&id).unwrap();
    let there = place.platform("there");
    gx_backup::restore(&place.plan(), &repo, &backup, &there, &[]).unwrap();
    // The other half of the key lies in the repository; without it no password opens anything.
    for file in files_below(&place.path("repository/keys")) {
        fs::remove_file(file).unwrap();
    }
    let lost = Repo::open(&place.plan()).unwrap_err().to_string();
    assert!(lost.contains("holds no key"), "{lost}");
}

#[test]
fn two_runs_at_once_are_one_run_and_one_that_says_why_not() {
    let (place, platform, _) = with_backup("");
    let held = Lock::take(&place.plan()).unwrap();
    let busy = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap_err();
    assert!(matches!(busy, Error::Busy { .. }), "{busy}");
    let busy = gx_backup::prune(&place.plan(), &platform, false).unwrap_err();
    assert!(matches!(busy, Error::Busy { .. }), "{busy}");
    drop(held);
    gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap();
}

/// Prune marks what nobody needs and removes it a day later: a run of another machine that goes on
/// meanwhile may rely on it.
#[test]
fn a_prune_of_another_machine_in_the_middle_of_a_run_costs_nothing() {
    let (place, platform, first) = with_backup("[retention]\ndays = 0\nfloor = 1\n");
    gx_backup::verify(&place.plan(), "latest").unwrap();
    let elsewhere = place.path("backup.toml");
    let text = fs::read_to_string(&elsewhere).unwrap();
    let other = place.path("other.toml");
    fs::write(&other, text.replace("/state\"", "/other-state\"")).unwrap();
    let other = gx_backup::Plan::load(&other).unwrap();
    fs::write(place.path("data/documents/new"), vec![3; 200_000]).unwrap();
    let ran = gx_backup::run(&place.plan(), &platform, &|part| {
        if part == "documents" {
            gx_backup::prune(&other, &platform, false).unwrap();
        }
    });
    let id = ran.unwrap().manifest.id;
    assert_eq!(verified(&place), Vec::<String>::new());
    let backups = Repo::open(&place.plan()).unwrap().backups().unwrap();
    let ids: Vec<&str> = backups.iter().map(|backup| backup.manifest.id.as_str()).collect();
    assert_eq!(ids, [first.as_str(), id.as_str()]);
}

#[test]
fn an_output_that_fails_is_short_or_lacks_its_marks_is_no_part() {
    let output = |command: &str, more: &str| {
        format!("[[output]]\nname = \"objects\"\ncommand = {command}\n{more}\n")
    };
    for (text, expected) in [
        (output(r#"["false"]"#, ""), "false ended with"),
        (output(r#"["/nowhere/kubectl"]"#, ""), "can't be run"),
        (output(r#"["true"]"#, ""), "it wrote 0 bytes, fewer than 1"),
        (output(r#"["echo", "text"]"#, "bytes_min = 100"), "fewer than 100"),
        (output(r#"["echo", "text"]"#, "begins_with = \"REDIS\""), "does not begin with"),
        (output(r#"["echo", "text"]"#, "ends_with = \"EOF\""), "does not end with"),
        (output(r#"["sh", "-c", "echo text; echo broken >&2; exit 3"]"#, ""), "broken"),
    ] {
        let place = Place::new();
        place.settings(&text);
        place.fill(0).stop();
        Repo::init(&place.plan()).unwrap();
        let platform = place.platform("data");
        let failed = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap_err().to_string();
        assert!(failed.starts_with("objects was not captured"), "{failed}");
        assert!(failed.contains(expected), "{expected}: {failed}");
        let repo = Repo::open(&place.plan()).unwrap();
        assert!(repo.backup("latest").is_err());
    }
    let (place, _, _) = with_backup(&output(r#"["echo", "text"]"#, "ends_with = \"text\""));
    let repo = Repo::open(&place.plan()).unwrap();
    let backup = repo.backup("latest").unwrap();
    gx_backup::extract(&repo, &backup, "objects", &place.path("objects")).unwrap();
    assert_eq!(fs::read(place.path("objects")).unwrap(), b"text\n");
}

#[test]
fn a_ledger_that_is_damaged_or_missing_is_no_part() {
    let (place, platform, id) = with_backup("");
    let file = place.path("data/ledger.redb");
    fs::rename(&file, place.path("away")).unwrap();
    let failed = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap_err().to_string();
    assert!(failed.starts_with("ledger was not captured: there is no ledger"), "{failed}");
    fs::write(&file, vec![1; 10_000]).unwrap();
    let failed = gx_backup::run(&place.plan(), &platform, &|_| ()).unwrap_err().to_string();
    assert!(failed.starts_with("ledger was not captured"), "{failed}");
    assert_eq!(Repo::open(&place.plan()).unwrap().backup("latest").unwrap().manifest.id, id);
}

#[test]
fn a_database_of_another_network_or_of_a_newer_build_is_no_part() {
    let (place, platform, _) = with_backup("");
    let other = Platform { network: gx_types::NetworkId::Testnet, ..platform.clone() };
    let failed = gx_backup::run(&place.plan(), &other, &|_| ()).unwrap_err().to_string();
    assert!(failed.starts_with("database was not captured"), "{failed}");
    let repo = Repo::open(&place.plan()).unwrap();
    let backup = repo.backup("latest").unwrap();
    let refused = gx_backup::restore(&place.plan(), &repo, &backup, &other, &[]).unwrap_err();
    assert!(refused.to_string().contains("devnet"), "{refused}");
}

#[test]
fn a_folder_without_what_it_must_hold_is_no_part() {
    let place = Place::new();
    place.fill(0).stop();
    fs::create_dir_all(place.path("ca/msp/keystore")).unwrap();
    fs::write(place.path("ca/fabric-ca-server.db"), "made up").unwrap();
    place.settings(
        "[[folder]]\nname = \"fabric-ca\"\npath = \"ca\"\n\
         holds = [\"fabric-ca-server.db\", \"msp/keystore\"]\n",
    );
    let text = fs::read_to_string(place.path("backup.toml")).unwrap();
    let text = text.replace("path = \"ca\"", &format!("path = {:?}", place.path("ca")));
    fs::write(place.path("backup.toml"), text).unwrap();
    let (plan, platform) = (place.plan(), place.platform("data"));
    Repo::init(&plan).unwrap();
    let failed = gx_backup::run(&plan, &platform, &|_| ()).unwrap_err().to_string();
    assert!(failed.starts_with("fabric-ca was not captured"), "{failed}");
    assert!(failed.contains("lacks msp/keystore"), "{failed}");
    fs::write(place.path("ca/msp/keystore/key"), "made up as well").unwrap();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    // A backup of before the setting may lack what is asked for now.
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    fs::rename(place.path("ca"), place.path("ca-lost")).unwrap();
    let mut asking = plan.clone();
    asking.folders[0].holds.push("tls".into());
    let only = ["fabric-ca".to_owned()];
    let failed = gx_backup::restore(&asking, &repo, &backup, &platform, &only).unwrap_err();
    assert!(failed.to_string().contains("lacks tls"), "{failed}");
    assert!(!place.path("ca").exists());
    gx_backup::restore(&plan, &repo, &backup, &platform, &only).unwrap();
    assert_eq!(fs::read(place.path("ca/msp/keystore/key")).unwrap(), b"made up as well");
}
