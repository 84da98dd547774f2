//! The commands that runbooks name are there.

use std::collections::BTreeSet;
use std::path::Path;

use crate::place::Place;

/// The words of every command of this binary that a text names, up to the first argument.
fn named(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let begins = text.match_indices("gx ").map(|(at, _)| at);
    let whole = begins.filter(|at| {
        let before = text.get(..*at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| c == '\n' || c == '`')
    });
    whole.map(|at| {
        let end = |c: char| !(c.is_ascii_lowercase() || c == '-');
        let words = text.get(at + 3..).unwrap_or_default().split(' ');
        let mut path = Vec::new();
        for word in words {
            let name = word.split(end).next().unwrap_or_default();
            if name.is_empty() || name.starts_with('-') {
                break;
            }
            path.push(name);
            if name.len() < word.len() {
                break;
            }
        }
        path
    })
}

#[test]
fn every_command_that_a_runbook_names_exists() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
    let mut commands = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let page = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        commands.extend(named(&page).map(|path| path.join(" ")));
    }
    assert!(commands.len() > 10, "{commands:?}");
    let place = Place::new();
    for command in commands {
        let args: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        assert_eq!(place.run(&args).status, Some(0), "gx {command}");
    }
}

#[test]
fn commands_are_found_in_a_text() {
    let text = "```sh\ngx admin outbox list\n```\nSee `gx key confirm-clock`, `gx verify`: not \
                systemctl status gx now.\n";
    let found: Vec<String> = named(text).map(|path| path.join(" ")).collect();
    assert_eq!(found, ["admin outbox list", "key confirm-clock", "verify"]);
}
