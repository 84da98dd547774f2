//! Walks the table of rules against what is promised, what stands in the fixtures, and the pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::audit::{issue, outcome, run};
use super::fixture::{Fixture, read};
use super::*;
use crate::collect::collected_facts;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The fixtures of a rule whose names begin so, by name.
fn fixtures(rule: &Rule, beginning: &str) -> Vec<(String, Fixture)> {
    let folder = root().join("fixtures/rules").join(rule.id);
    let files = fs::read_dir(&folder).unwrap_or_else(|_| panic!("{} is missing", folder.display()));
    let mut found: Vec<(String, Fixture)> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(beginning))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let name = format!("{}/{}", rule.id, path.file_name().unwrap().to_string_lossy());
            let fixture = read(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, fixture)
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// What a rule finds, as `severity subject`, and of what it can say nothing.
fn found(rule: &Rule, snapshot: &Snapshot) -> (Vec<String>, Vec<String>, Outcome) {
    let findings = run(rule, snapshot, &mut Vec::new());
    let outcome = outcome(rule, snapshot, &findings);
    let mut unknown: Vec<String> =
        findings.unknown.iter().map(|one| one.subject.to_string()).collect();
    let issues = findings.problems.into_iter().map(|problem| issue(rule, problem));
    let mut told: Vec<String> = issues
        .map(|issue| format!("{} {}", issue.finding.severity.as_str(), issue.finding.subject))
        .collect();
    told.sort();
    unknown.sort();
    (told, unknown, outcome)
}

#[test]
fn every_rule_finds_what_its_fixtures_show() {
    for rule in rules() {
        let (pass, fail) = (fixtures(rule, "pass"), fixtures(rule, "fail"));
        assert!(!pass.is_empty() && !fail.is_empty(), "{} lacks a fixture", rule.id);
        for (name, fixture) in pass.iter().chain(&fail).chain(&fixtures(rule, "near")) {
            let (told, unknown, outcome) = found(rule, &fixture.snapshot);
            let mut expected = fixture.expect.clone();
            expected.sort();
            assert_eq!(told, expected, "{name}");
            assert_eq!(unknown, fixture.unknown, "{name}");
            let is_fail = name.contains("/fail");
            assert_eq!(outcome == Outcome::Broken, !expected.is_empty(), "{name}: {outcome:?}");
            assert!(!is_fail || outcome == Outcome::Broken, "{name}: {outcome:?}");
            let is_pass = name.contains("/pass");
            assert!(!is_pass || outcome == Outcome::Passed, "{name}: {outcome:?}");
        }
    }
}

#[test]
fn without_a_fact_nothing_passes() {
    for rule in rules() {
        for (name, fixture) in fixtures(rule, "fail") {
            for fact in Fact::ALL {
                let without = fixture.snapshot.clone().without(*fact);
                let (_, _, outcome) = found(rule, &without);
                let is_known = matches!(outcome, Outcome::Broken | Outcome::Unknown);
                assert!(is_known, "{name} without {}: {outcome:?}", fact.name());
                assert!(
                    !rule.needs.contains(fact) || outcome == Outcome::Unknown,
                    "{name} needs {} and answers {outcome:?} without",
                    fact.name()
                );
            }
        }
    }
}

#[test]
fn what_rules_need_is_collected() {
    let collected: BTreeSet<Fact> = collected_facts().into_iter().collect();
    for rule in rules() {
        assert!(!rule.needs.is_empty(), "{} needs nothing", rule.id);
        for fact in rule.needs {
            assert!(collected.contains(fact), "{}: nothing collects {}", rule.id, fact.name());
        }
    }
}

#[test]
fn every_promised_rule_is_there() {
    let promised: BTreeSet<&str> = include_str!("promised.txt").lines().collect();
    assert_eq!(promised.len(), 264);
    let written: Vec<&str> = rules().map(|rule| rule.id).collect();
    let names: BTreeSet<&str> = written.iter().copied().collect();
    assert_eq!(names.len(), written.len(), "two rules have one id");
    let missing: Vec<&&str> = promised.difference(&names).collect();
    assert!(missing.is_empty(), "{missing:?} are not there");
}

#[test]
fn what_is_beyond_the_promised_says_which_failure_it_looks_for() {
    let promised: BTreeSet<&str> = include_str!("promised.txt").lines().collect();
    let beyond: Vec<&str> =
        rules().map(|rule| rule.id).filter(|id| !promised.contains(id)).collect();
    let told: Vec<&str> = super::platform::FAILURES.iter().map(|(id, _)| *id).collect();
    assert_eq!(beyond, told);
    assert!(beyond.len() >= 20, "{}", beyond.len());
    let failures: BTreeSet<&str> =
        super::platform::FAILURES.iter().map(|(_, failure)| *failure).collect();
    assert_eq!(failures.len(), told.len(), "two rules look for the same");
}

#[test]
fn runbooks_are_there() {
    for rule in rules() {
        let Some(page) = rule.runbook else { continue };
        assert!(root().join("../../docs").join(page).is_file(), "{}: {page}", rule.id);
    }
}

#[test]
fn rules_say_why_and_what_to_do() {
    for rule in rules() {
        for text in [rule.why, rule.otherwise, rule.remedy] {
            assert!(text.ends_with('.') || text.ends_with('`'), "{}: {text:?}", rule.id);
        }
        assert!(!rule.title.ends_with('.') && rule.title.len() <= 90, "{}", rule.title);
        assert!(rule.severity > Severity::Passed, "{}", rule.id);
    }
}

#[test]
fn what_others_look_for_is_found_by_rules_that_exist() {
    let ids: BTreeSet<&str> = rules().map(|rule| rule.id).collect();
    let named: Vec<&str> = super::page::OTHERS
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(".md)").map(|(id, _)| id))
        .collect();
    assert!(named.len() > 60, "{named:?}");
    for id in named {
        assert!(ids.contains(id), "{id} is no rule");
    }
}

#[test]
fn pages_are_as_they_are_generated() {
    let folder = root().join("../../docs/rules");
    let mut pages: Vec<(String, String)> =
        rules().map(|rule| (format!("{}.md", rule.id), page(rule))).collect();
    pages.push(("README.md".to_owned(), overview()));
    if std::env::var_os("GX_UPDATE_PAGES").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let there = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert_eq!(there, *text, "GX_UPDATE_PAGES=1 cargo test -p gx-ops pages writes {name}");
    }
    let names: BTreeSet<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
    for file in fs::read_dir(&folder).unwrap() {
        let name = file.unwrap().file_name().to_string_lossy().into_owned();
        assert!(names.contains(name.as_str()), "{name} is the page of no rule");
    }
}

#[test]
fn the_schema_is_the_one_that_is_checked_in() {
    let path = root().join("schema/snapshot.json");
    let text = serde_json::to_string_pretty(&Snapshot::schema()).unwrap() + "\n";
    if std::env::var_os("GX_UPDATE_SCHEMA").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "GX_UPDATE_SCHEMA=1 cargo test -p gx-ops schema writes it");
}
