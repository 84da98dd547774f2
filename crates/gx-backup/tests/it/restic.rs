//! restic reads the repository: a restore never depends on this program.

use std::fs;
use std::process::Command;

use gx_backup::Repo;

use crate::place::Place;

fn restic(place: &Place, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("restic");
    command
        .args(["--no-cache", "-r"])
        .arg(place.path("repository"))
        .arg("--password-file")
        .arg(place.path("backup.key"))
        .args(arguments);
    match command.output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "restic {arguments:?}: {said}");
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("restic is not installed: whether it reads our repository was not tested");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn restic_lists_checks_and_restores_our_repository() {
    let place = Place::new();
    place.fill(2).stop();
    let (plan, platform) = (place.plan(), place.platform("data"));
    Repo::init(&plan).unwrap();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    let Some(listed) = restic(&place, &["snapshots", "--json"]) else { return };
    for part in ["database", "ledger", "keys", "documents", "gx-manifest"] {
        assert!(listed.contains(&format!("/gx/{part}\"")), "{part}: {listed}");
    }
    restic(&place, &["check", "--read-data"]).unwrap();
    let to = place.path("by-restic");
    let to = to.to_str().unwrap();
    for part in ["database", "ledger", "keys"] {
        let path = format!("/gx/{part}");
        restic(&place, &["restore", "latest", "--path", &path, "--target", to]).unwrap();
    }
    let restored = place.path("by-restic/gx");
    assert_eq!(fs::read(restored.join("keys/pepper")).unwrap(), b"made up");
    assert_eq!(
        fs::read(restored.join("database/gx.db")).unwrap(),
        fs::read(place.path("data/gx.db")).unwrap()
    );
    let archive = fs::read(restored.join("ledger/000000")).unwrap();
    assert!(archive.starts_with(b"GXLEDGER"));
    // And what restic has made in it does not disturb us.
    restic(&place, &["backup", to]).unwrap();
    gx_backup::verify(&plan, "latest").unwrap();
    assert_eq!(Repo::open(&plan).unwrap().backups().unwrap().len(), 1);
}

/// A remote of rclone, which needs no server to be one: a folder of this machine.
#[test]
fn a_remote_of_rclone_is_a_repository_like_a_folder() {
    let place = Place::new();
    place.fill(2).stop();
    let text = fs::read_to_string(place.path("backup.toml")).unwrap();
    let remote = format!("rclone::local:{}", place.path("remote").display());
    let folder = place.path("repository").display().to_string();
    fs::write(place.path("backup.toml"), text.replace(&folder, &remote)).unwrap();
    if Command::new("rclone").arg("version").output().is_err() {
        eprintln!("rclone is not installed: remote repositories were not tested");
        return;
    }
    let (plan, platform) = (place.plan(), place.platform("data"));
    Repo::init(&plan).unwrap();
    gx_backup::run(&plan, &platform, &|_| ()).unwrap();
    assert_eq!(gx_backup::verify(&plan, "latest").unwrap().1, Vec::<String>::new());
    gx_backup::prune(&plan, &platform, false).unwrap();
    let repo = Repo::open(&plan).unwrap();
    let backup = repo.backup("latest").unwrap();
    let restored =
        gx_backup::restore(&plan, &repo, &backup, &place.platform("other"), &[]).unwrap();
    assert_eq!(restored.ledger_block, Some(4));
}
