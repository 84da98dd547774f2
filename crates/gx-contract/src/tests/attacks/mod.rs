//! Attacks, written as whoever makes them would: each line a try, and what it gets. What a single
//! rule forbids is tested with the rule; `docs/threats.md` names those tests as well.

mod admins;
mod attesters;
mod escrows;
mod everybody;
mod governing;
mod limits;
mod loans;
mod organizations;
mod people;
mod stakeholders;
mod treasuries;

use std::fs;

use super::script::check;

const PAGE: &str = include_str!("../../../../../docs/threats.md");

/// Alice has the key `k`, mallory nothing but her account; root and boss are super admins.
const WORLD: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    open mallory.FR 30
    user:alice.IN RegisterKey alice.IN k => KeyRegistered
    admin:root AppointAdmin boss SUPER_ADMIN mallory.FR => AdminAppointed
    #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
    admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed";

fn attack(table: &str) {
    check(&format!("{WORLD}\n{table}"));
}

/// Every test that the page names is there, and every attack stands on the page.
#[test]
fn the_page_of_threats_names_what_exists() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests");
    let here: String = fs::read_dir(format!("{folder}/attacks"))
        .unwrap()
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let source = |module: &str| match module {
        "attacks" => here.clone(),
        _ => fs::read_to_string(format!("{folder}/{module}.rs")).unwrap(),
    };
    let named: Vec<(&str, &str)> = PAGE
        .split('`')
        .filter_map(|word| word.split_once("::"))
        .filter(|(module, _)| module.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for (module, test) in &named {
        let head = format!("#[test]\nfn {test}() {{");
        assert!(source(module).contains(&head), "{module}::{test} is no test");
    }
    for attack in here.split("#[test]\nfn ").skip(1) {
        let name = attack.split_once('(').unwrap().0;
        let listed = named.contains(&("attacks", name)) || name.starts_with("the_page_");
        assert!(listed, "{name} does not stand in docs/threats.md");
    }
}
