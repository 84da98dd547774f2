//! Runbooks: one for each alert, each complete.

use std::collections::BTreeSet;
use std::fs;

use gx_deploy::monitoring::alerts;

use crate::tool::root;

const SECTIONS: [&str; 5] =
    ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation", "## In the records"];

#[test]
fn every_alert_has_its_page_and_every_page_its_alert() {
    let alerts: BTreeSet<String> = alerts().map(|alert| format!("{}.md", alert.name)).collect();
    let folder = fs::read_dir(root().join("docs/runbooks")).unwrap();
    let mut pages: BTreeSet<String> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(pages.remove("README.md"));
    assert_eq!(pages, alerts);
}

#[test]
fn every_page_has_its_sections_in_order_and_says_something_in_each() {
    for alert in alerts() {
        let page = fs::read_to_string(root().join(alert.runbook())).unwrap();
        assert!(page.starts_with(&format!("# {}\n", alert.name)), "{}", alert.name);
        let mut rest = page.as_str();
        for section in SECTIONS {
            let (_, after) = rest
                .split_once(&format!("\n{section}\n"))
                .unwrap_or_else(|| panic!("{} lacks {section}", alert.name));
            let text = after.split("\n## ").next().unwrap();
            assert!(text.trim().len() > 8, "{}: {section} says nothing", alert.name);
            rest = after;
        }
        let diagnosis = page.split("## Diagnosis").nth(1).unwrap();
        let diagnosis = diagnosis.split("## Mitigation").next().unwrap();
        assert!(diagnosis.contains("```sh\n"), "{} names no command", alert.name);
    }
}
