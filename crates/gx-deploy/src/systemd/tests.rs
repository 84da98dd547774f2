//! The units as systemd's own tools judge them.
#![expect(clippy::print_stderr, reason = "what was not tested has to be seen")]

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use super::secrets::SECRETS;
use super::{ROLES, files};

/// The worst mark that `systemd-analyze security` may give, in tenths. Nothing is 100.
const EXPOSURE_MAX: u32 = 20;

fn texts() -> BTreeMap<String, String> {
    let name = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
    files().into_iter().map(|(path, text)| (name(path), text)).collect()
}

fn analyze(args: &[&str]) -> Option<Output> {
    let output = Command::new("systemd-analyze").args(args).env("SYSTEMD_LOG_COLOR", "0").output();
    if output.is_err() {
        eprintln!("SKIPPED: systemd-analyze is not installed (Debian's package systemd)");
    }
    output.ok()
}

/// Units in a folder, with a program that is on this machine; templates have an instance.
fn unit_files(place: &std::path::Path) -> Vec<String> {
    let mut paths = Vec::new();
    for (name, text) in texts() {
        let is_unit = name.ends_with(".service") || name.ends_with(".target");
        if is_unit {
            let path = place.join(name.replace("@.", "@identity."));
            fs::write(&path, text.replace("/usr/bin/gx", "/bin/true")).unwrap();
            paths.push(path.display().to_string());
        }
    }
    paths
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let place = tempfile::tempdir().unwrap();
    let paths = unit_files(place.path());
    assert_eq!(paths.len(), ROLES.len() + 1);
    let mut args = vec!["verify", "--man=no", "--recursive-errors=no"];
    args.extend(paths.iter().map(String::as_str));
    let Some(output) = analyze(&args) else { return };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let ours: Vec<&str> = told.lines().filter(|line| line.contains("/gx")).collect();
    assert!(ours.is_empty(), "{ours:?}");
}

#[test]
fn no_role_is_exposed() {
    let place = tempfile::tempdir().unwrap();
    for path in unit_files(place.path()).iter().filter(|path| path.ends_with(".service")) {
        let threshold = format!("--threshold={EXPOSURE_MAX}");
        let args = ["security", "--offline=true", "--no-pager", &threshold, path];
        let Some(output) = analyze(&args) else { return };
        let table = String::from_utf8_lossy(&output.stdout);
        let mark = table.lines().find(|line| line.contains("Overall exposure level"));
        assert!(output.status.success(), "{path}: {mark:?}\n{table}");
    }
}

/// What is a secret in the settings has a file, and a unit that reads it.
#[test]
fn every_secret_that_can_be_a_file_is_one() {
    let settings = include_str!("../../../gx-server/src/config/default.toml");
    let mut section = String::new();
    let mut expected = Vec::new();
    for line in settings.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_uppercase().replace('.', "__");
        }
        let key = line.split_once(" = ").map_or("", |(key, _)| key);
        // The attester's key is a file in any case, and set together with its id.
        if key.ends_with("_file") && section != "ATTESTER" {
            expected.push(format!("GX_{section}__{}", key.to_uppercase()));
        }
    }
    let mut found: Vec<&str> = SECRETS.iter().map(|secret| secret.variable).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    let texts = texts();
    for role in ROLES.iter().filter(|role| role.environment_file.is_none()) {
        for name in &expected {
            let line = format!("Environment={name}=%d/");
            assert!(texts[role.unit].contains(&line), "{}: {name}", role.unit);
        }
    }
}

#[test]
fn nothing_secret_stands_in_a_unit_or_on_a_command_line() {
    for (name, text) in texts() {
        for line in text.lines().filter(|line| line.starts_with("SetCredential=")) {
            assert!(line.ends_with(":\\n"), "{name}: {line}");
        }
        for line in text.lines().filter(|line| line.starts_with("Exec")) {
            assert!(!line.contains("%d") && !line.contains("password"), "{name}: {line}");
        }
    }
}
