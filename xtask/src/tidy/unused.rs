//! A public function that nothing but tests calls does nothing for anybody.
//!
//! The compiler tells of private ones. Here names are counted over all crates: one that stands
//! nowhere but where it is defined is not called. A name that several functions share is missed.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Kind, Token, tokens};
use super::tree::Tree;
use super::{Finding, Rule};

const UNUSED: Rule = Rule {
    name: "only-tests-call",
    remedy: "have the product call it, or delete it with its tests",
};

/// Crates that are there for tests, or for people who write other programs.
const FOR_TESTS: [&str; 2] = ["crates/gx-fabric-network/", "crates/gx-pg/"];

/// Parts of the contract that only the tests of engines ask for.
const TESTING: &str = "crates/gx-contract/src/tests/";

/// What no program calls by design: the handles of simulations, and an authority for tests.
const HANDLES: [&str; 4] = ["issue_server", "issue_to", "seeded", "with_faults"];

/// Queries of read models that no service has a route for. What is called has to leave the list.
const WITHOUT_ROUTE: &[&str] = &["get_admin", "transaction_in_batch", "update_profile"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let lists = HANDLES.iter().chain(WITHOUT_ROUTE);
    let excused: BTreeSet<&str> = lists.copied().collect();
    find(tree, &excused)
}

fn find(tree: &Tree, excused: &BTreeSet<&str>) -> Vec<Finding> {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut defined: Vec<(String, String, usize)> = Vec::new();
    for file in tree.files().iter().filter(|file| file.path.ends_with(".rs")) {
        let tokens = tokens(&file.path, &file.text).unwrap_or_default();
        let counts = |token: &&Token| token.kind == Kind::Word && !token.place.test;
        for token in tokens.iter().filter(counts) {
            *names.entry(token.text.clone()).or_default() += 1;
        }
        let is_for_tests = FOR_TESTS.iter().any(|folder| file.path.starts_with(folder));
        if !is_for_tests && !file.path.starts_with(TESTING) && file.path.starts_with("crates/") {
            let here = definitions(&tokens);
            defined.extend(here.map(|(name, line)| (name, file.path.clone(), line)));
        }
    }
    let called = |name: &str| names.get(name).is_some_and(|count| *count > 1);
    let mut findings = Vec::new();
    for (name, path, line) in &defined {
        match (called(name), excused.contains(name.as_str())) {
            (false, false) => {
                findings.push(UNUSED.finding(path, *line, format!("nothing calls {name}")));
            }
            (true, true) => {
                let problem = format!("{name} is called; take it off the list in unused.rs");
                findings.push(UNUSED.finding(path, *line, problem));
            }
            (false, true) | (true, false) => {}
        }
    }
    findings
}

/// Names and lines of the functions that are public beyond their file.
fn definitions(tokens: &[Token]) -> impl Iterator<Item = (String, usize)> {
    tokens.windows(2).enumerate().filter_map(|(at, pair)| {
        let [function, name] = pair else { return None };
        let is_function = function.is("fn") && name.kind == Kind::Word && !name.place.test;
        let is_public = is_function && is_public(&tokens[..at]);
        is_public.then(|| (name.text.clone(), name.line))
    })
}

/// Whether what stands before `fn` says `pub`.
fn is_public(before: &[Token]) -> bool {
    let words = ["const", "async", "unsafe", "(", "crate", "super", ")"];
    let mut rest = before.iter().rev().skip_while(|token| words.iter().any(|word| token.is(word)));
    rest.next().is_some_and(|token| token.is("pub"))
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::{BTreeSet, find};

    #[test]
    fn what_only_tests_call_is_found() {
        let files = [
            (
                "crates/a/src/lib.rs",
                "pub fn used() {}\npub(crate) async fn lost() {}\nfn private() {}\n\
                 #[cfg(test)]\nmod tests { fn x() { super::lost(); } }\n",
            ),
            ("crates/b/src/main.rs", "fn main() { a::used(); }"),
            ("crates/b/tests/it.rs", "fn x() { a::lost(); }"),
        ];
        let found = |excused: &[&'static str]| -> Vec<String> {
            let excused: BTreeSet<&str> = excused.iter().copied().collect();
            find(&Tree::new(files), &excused).into_iter().map(|one| one.evidence).collect()
        };
        assert_eq!(found(&[]), ["nothing calls lost"]);
        let told = "used is called; take it off the list in unused.rs";
        assert_eq!(found(&["lost", "used"]), [told]);
    }
}
