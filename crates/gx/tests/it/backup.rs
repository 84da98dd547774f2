//! `docs/operations/disaster.md`, command by command, as it stands there.

use std::fs;
use std::path::Path;
use std::process::Command;

use gx_workbench::demo::crowd::{Admin, gather};

use crate::place::{GX, Place};

const PAGE: &str = include_str!("../../../../docs/operations/disaster.md");

/// The commands of a section, in their order.
fn commands(section: &str) -> Vec<String> {
    let (_, rest) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
    let text = rest.split("\n## ").next().unwrap();
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("$ "));
    lines.map(|line| line.replace("gx-data", "data")).collect()
}

/// Runs one command of the page, and returns what it printed.
fn shell(place: &Place, command: &str) -> String {
    let programs = Path::new(GX).parent().unwrap().display().to_string();
    let path = format!("{programs}:/usr/local/bin:/usr/bin:/bin");
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(place.path()).env_clear().envs(place.environment());
    let output = shell.env("PATH", path).env("GX_DATA_DIR", "data").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{command}: {} {said}\n{out}", output.status);
    out
}

/// The settings of the page, for a folder of this test.
fn settings(place: &Place) {
    let (_, rest) = PAGE.split_once("```toml\n").unwrap();
    let text = rest.split("```").next().unwrap();
    let repository = place.path().join("repository").display().to_string();
    let text = text.replace("/srv/backup/gx", &repository);
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let text = format!("{}\nsame_disk = true\n", lines.join("\n").trim_end());
    fs::write(place.path().join("backup.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_disasters_is_followed_and_the_platform_goes_on() {
    let place = Place::new();
    settings(&place);
    let (child, payers) = place.start_with(234).await;
    for command in commands("Before it") {
        let out = shell(&place, &command);
        if command == "gx backup recovery-sheet" {
            let key = fs::read_to_string(place.path().join("backup.key")).unwrap();
            assert!(out.contains(key.trim()), "the sheet has the password");
        }
    }
    child.stop().unwrap();
    let before = place.verified();
    assert!(payers.len() == 234 && before["blocks"].as_u64() > Some(2));
    let mut went_on = false;
    for command in commands("Everything is lost") {
        if command == "gx up" {
            let after = place.verified();
            for same in ["blocks", "commands", "accounts", "totalQirat", "findings"] {
                assert_eq!(before[same], after[same], "{same}");
            }
            place.start().stop().unwrap();
            went_on = true;
        } else {
            shell(&place, &command);
        }
    }
    assert!(went_on, "the page starts the platform");
    // What the run in the end has made is good as well, although nobody runs any more.
    shell(&place, "gx backup verify");
    let out = shell(&place, "gx backup status --json || test $? = 3");
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status["backups"].as_array().map(Vec::len), Some(2), "{status}");
}

/// One for each country, the fewest that a society is made of.
const PEOPLE: usize = 234;

/// The ledger is lost, the database kept: refused and listed while nothing leads to the database's
/// block; then both of one backup come back.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_is_refused_with_the_commands_after_it_and_comes_back_with_its_database() {
    let place = Place::new();
    settings(&place);
    let child = place.start();
    let key = commands("Before it").into_iter().find(|command| command.contains("backup.key"));
    for command in [key.unwrap().as_str(), "gx backup init", "gx backup run"] {
        shell(&place, command);
    }
    // It goes on: people whose commands no backup has.
    let (username, password) = child.first.clone().unwrap();
    let people = gather(child.url.parse().unwrap(), Admin { username, password }, PEOPLE).await;
    assert_eq!(people.unwrap().len(), PEOPLE);
    child.stop().unwrap();
    let before = place.verified();
    fs::remove_file(place.path().join("data/ledger.redb")).unwrap();
    let (mut listed, mut restored) = (false, false);
    for command in commands("Only the ledger is lost") {
        let out = shell(&place, &command);
        if command.contains("--part ledger") {
            assert!(out.contains("commands-after-block-"), "{out}");
            assert!(out.contains("IdentityContract:CreateUser"), "{out}");
            listed = true;
        }
        restored |= command.ends_with("gx backup restore");
    }
    assert!(listed && restored);
    assert!(place.verified()["blocks"].as_u64() < before["blocks"].as_u64());
    place.start().stop().unwrap();
}

/// How far it is: for those who ask, and nothing of it elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn progress_is_told_to_those_who_ask() {
    let place = Place::new();
    settings(&place);
    place.start().stop().unwrap();
    let key = commands("Before it").into_iter().find(|command| command.contains("backup.key"));
    shell(&place, &key.unwrap());
    let run = |args: &[&str]| place.run_with(args, &[("GX_DATA_DIR", "data")]);
    assert_eq!(run(&["backup", "init"]).status, Some(0));
    let quiet = run(&["backup", "run"]);
    assert_eq!((quiet.status, quiet.err.as_str()), (Some(0), ""), "{quiet:?}");
    for action in ["run", "verify", "drill"] {
        let told = run(&["backup", action, "--json", "--progress"]);
        assert_eq!(told.status, Some(0), "{told:?}");
        let last = told.err.lines().last().unwrap();
        let last: serde_json::Value = serde_json::from_str(last).unwrap();
        assert_eq!(last["progress"]["action"], action, "{last}");
        assert!(last["progress"]["bytes"].as_u64() > Some(0), "{last}");
        serde_json::from_str::<serde_json::Value>(&told.out).unwrap();
    }
}
