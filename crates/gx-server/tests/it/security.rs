//! `docs/security.md` against the tree: every requirement is answered once, and every test and file
//! that an answer names is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The requirements of levels 1 and 2 of the OWASP Application Security Verification Standard 5.0.
const LEVELS_1_AND_2: &str = "
    1.1.1 1.1.2 1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.2.6 1.2.7 1.2.8 1.2.9 1.3.1 1.3.2 1.3.3 1.3.4
    1.3.5 1.3.6 1.3.7 1.3.8 1.3.9 1.3.10 1.3.11 1.4.1 1.4.2 1.4.3 1.5.1 1.5.2
    2.1.1 2.1.2 2.1.3 2.2.1 2.2.2 2.2.3 2.3.1 2.3.2 2.3.3 2.3.4 2.4.1
    3.2.1 3.2.2 3.3.1 3.3.2 3.3.3 3.3.4 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.5.2 3.5.3
    3.5.4 3.5.5 3.7.1 3.7.2
    4.1.1 4.1.2 4.1.3 4.2.1 4.3.1 4.3.2 4.4.1 4.4.2 4.4.3 4.4.4
    5.1.1 5.2.1 5.2.2 5.2.3 5.3.1 5.3.2 5.4.1 5.4.2 5.4.3
    6.1.1 6.1.2 6.1.3 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12
    6.3.1 6.3.2 6.3.3 6.3.4 6.4.1 6.4.2 6.4.3 6.4.4 6.5.1 6.5.2 6.5.3 6.5.4 6.5.5 6.6.1 6.6.2
    6.6.3 6.8.1 6.8.2 6.8.3 6.8.4
    7.1.1 7.1.2 7.1.3 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 7.5.1
    7.5.2 7.6.1 7.6.2
    8.1.1 8.1.2 8.2.1 8.2.2 8.2.3 8.3.1 8.4.1
    9.1.1 9.1.2 9.1.3 9.2.1 9.2.2 9.2.3 9.2.4
    10.1.1 10.1.2 10.2.1 10.2.2 10.3.1 10.3.2 10.3.3 10.3.4 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5
    10.4.6 10.4.7 10.4.8 10.4.9 10.4.10 10.4.11 10.5.1 10.5.2 10.5.3 10.5.4 10.5.5 10.6.1 10.6.2
    10.7.1 10.7.2 10.7.3
    11.1.1 11.1.2 11.2.1 11.2.2 11.2.3 11.3.1 11.3.2 11.3.3 11.4.1 11.4.2 11.4.3 11.4.4 11.5.1
    11.6.1
    12.1.1 12.1.2 12.1.3 12.2.1 12.2.2 12.3.1 12.3.2 12.3.3 12.3.4
    13.1.1 13.2.1 13.2.2 13.2.3 13.2.4 13.2.5 13.3.1 13.3.2 13.4.1 13.4.2 13.4.3 13.4.4 13.4.5
    14.1.1 14.1.2 14.2.1 14.2.2 14.2.3 14.2.4 14.3.1 14.3.2 14.3.3
    15.1.1 15.1.2 15.1.3 15.2.1 15.2.2 15.2.3 15.3.1 15.3.2 15.3.3 15.3.4 15.3.5 15.3.6 15.3.7
    16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3
    16.5.1 16.5.2 16.5.3
    17.1.1 17.2.1 17.2.2 17.2.3 17.2.4 17.3.1 17.3.2
";

/// What may be said of a requirement.
const STATES: [&str; 5] = ["met", "deployment", "in part", "not met", "n/a"];

/// A row of the page.
#[derive(Debug)]
struct Row {
    numbers: Vec<String>,
    state: String,
    answer: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/security.md")).unwrap()
}

/// Rows whose first cell begins with a number.
fn rows(page: &str) -> Vec<Row> {
    let cells = page.lines().filter_map(|line| {
        let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
        let cells: Vec<&str> = line.split(" | ").collect();
        cells.first()?.starts_with(|c: char| c.is_ascii_digit()).then_some(cells)
    });
    let row = |cells: Vec<&str>| {
        let [numbers, _, state, answer] = cells.as_slice() else { panic!("four cells: {cells:?}") };
        Row {
            numbers: numbers.split(", ").map(str::to_owned).collect(),
            state: (*state).to_owned(),
            answer: (*answer).to_owned(),
        }
    };
    cells.map(row).collect()
}

/// What stands in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Every test of the tree, as `module::name`: the module is the file, or the folder of `mod.rs` and
/// `tests.rs`.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask"] {
        sources(&root().join(folder), &mut files);
    }
    let mut found = BTreeSet::new();
    for file in files {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let module = match stem {
            "mod" | "tests" => file.parent().unwrap().file_name().unwrap().to_str().unwrap(),
            stem => stem,
        };
        let text = fs::read_to_string(&file).unwrap();
        let mut is_test = false;
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                is_test = true;
                continue;
            }
            if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
                let name = name.split('(').next().unwrap();
                found.insert(format!("{module}::{name}"));
            }
            is_test &= line.starts_with("#[");
        }
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_requirement_is_answered_once() {
    let page = page();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows(&page) {
        assert!(STATES.contains(&row.state.as_str()), "{:?} is no state: {row:?}", row.state);
        let says_why = row.answer.len() > 10;
        assert!(says_why, "{:?} says nothing", row.numbers);
        if row.state == "met" {
            assert!(!quoted(&row.answer).is_empty(), "{:?} names no test and no file", row.numbers);
        }
        for number in row.numbers {
            *answers.entry(number).or_default() += 1;
        }
    }
    let wanted: BTreeSet<&str> = LEVELS_1_AND_2.split_whitespace().collect();
    assert_eq!(wanted.len(), 253);
    let wrong: Vec<_> = wanted
        .iter()
        .map(|number| (*number, answers.remove(*number).unwrap_or(0)))
        .filter(|(_, times)| *times != 1)
        .collect();
    assert!(wrong.is_empty(), "not there once: {wrong:?}");
    assert!(answers.is_empty(), "of another level, or of none: {answers:?}");
}

/// The list at the top of the page is all that is not met.
#[test]
fn what_is_not_met_stands_at_the_top() {
    let page = page();
    let open = page.split("\n## ").find(|part| part.starts_with("What is not met")).unwrap();
    let told: BTreeSet<&str> = open
        .lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("**"))
        .flat_map(|(numbers, _)| numbers.split(", "))
        .collect();
    let rows = rows(&page);
    let not_met = rows.iter().filter(|row| row.state == "not met" || row.state == "in part");
    let not_met: BTreeSet<&str> =
        not_met.flat_map(|row| &row.numbers).map(String::as_str).collect();
    assert_eq!(told, not_met);
}

#[test]
fn what_the_page_names_exists() {
    let page = page();
    let tests = tests();
    let mut missing = Vec::new();
    let mut named = 0;
    for name in quoted(&page) {
        let is_test = name.contains("::");
        let is_file = [".rs", ".md", ".toml", ".json", ".txt", ".csv"]
            .iter()
            .any(|ending| name.ends_with(ending));
        let exists = match (is_test, is_file) {
            (true, _) => tests.contains(name),
            (_, true) => root().join(name).is_file(),
            _ => continue,
        };
        named += 1;
        if !exists {
            missing.push(name);
        }
    }
    assert!(named > 100, "{named}");
    assert!(missing.is_empty(), "no such test or file: {missing:#?}");
}
