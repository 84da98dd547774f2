//! What `docs/backup.md` says of faults and of settings is what tests do: each row of its tables
//! names them, and each one that is named exists.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../../docs/backup.md");

/// Every file that may hold one.
const TESTS: &[&str] = &[
    include_str!("blocks.rs"),
    include_str!("faults.rs"),
    include_str!("kills.rs"),
    include_str!("moment.rs"),
    include_str!("postgres.rs"),
    include_str!("remote.rs"),
    include_str!("restic.rs"),
    include_str!("settings.rs"),
    include_str!("whole.rs"),
    include_str!("../../src/repository/contents.rs"),
    include_str!("../../src/retention.rs"),
    include_str!("../../src/schedule.rs"),
    include_str!("../../src/parts/folder.rs"),
];

/// Names of functions under `#[test]`.
fn tests() -> BTreeSet<&'static str> {
    let all = TESTS.iter().flat_map(|file| file.split("#[test]\n").skip(1));
    all.filter_map(|rest| rest.trim_start().strip_prefix("fn ")?.split('(').next()).collect()
}

/// The rows of the first table of a section, cell by cell.
fn rows(section: &str) -> Vec<Vec<&'static str>> {
    let (_, rest) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
    let text = rest.split("\n## ").next().unwrap();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn proved(section: &str, what: &[&str]) {
    let (tests, rows) = (tests(), rows(section));
    for row in &rows {
        let named = row.last().unwrap().split(", ").map(|name| name.trim_matches('`'));
        for name in named {
            assert!(tests.contains(name), "{section}: {}: no test is named {name}", row[0]);
        }
    }
    for one in what {
        let told = rows.iter().any(|row| row[0].to_lowercase().contains(one));
        assert!(told, "{section} does not tell of: {one}");
    }
}

#[test]
fn every_fault_of_the_page_is_a_test() {
    proved(
        "What goes wrong",
        &[
            "killed",
            "full",
            "gone in the middle",
            "key",
            "truncated",
            "flipped byte",
            "clock",
            "two runs",
            "prune goes on",
            "fails over",
            "ends early",
            "newer version",
        ],
    );
}

#[test]
fn every_setting_that_would_make_a_backup_worthless_is_a_test() {
    proved(
        "What is refused",
        &["no key", "same disk", "retention", "never fires", "does not exist"],
    );
}
