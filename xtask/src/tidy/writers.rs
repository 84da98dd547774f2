//! A metric is written in one file: two writers of one figure disagree sooner or later.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Token, tokens};
use super::tree::Tree;
use super::{Finding, Rule};

const WRITER: Rule = Rule {
    name: "metric-writer",
    remedy: "write each row of the table of metrics in exactly one file of the product",
};

/// Where the table stands.
const TABLE: &str = "crates/gx-metrics/src/table.rs";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let names: Vec<&str> = gx_metrics::ROWS.iter().map(|row| row.name).collect();
    find(tree, &names)
}

fn find(tree: &Tree, names: &[&str]) -> Vec<Finding> {
    let mut writers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let sources = tree.files().iter().filter(|file| {
        file.path.starts_with("crates/") && file.path.ends_with(".rs") && file.path != TABLE
    });
    for file in sources {
        let tokens = tokens(&file.path, &file.text).unwrap_or_default();
        let fields = tokens.windows(2).filter_map(|pair| match pair {
            [dot, name] if dot.is(".") && !name.place.test => Some(name),
            _ => None,
        });
        for Token { text, .. } in fields {
            if let Some(name) = names.iter().find(|name| *name == text) {
                writers.entry(name).or_default().insert(&file.path);
            }
        }
    }
    let faults = names.iter().filter_map(|name| {
        let files: Vec<&str> = writers.get(name).into_iter().flatten().copied().collect();
        (files.len() != 1).then(|| match files.as_slice() {
            [] => format!("nothing writes {name}"),
            files => format!("{name} is written in {}", files.join(", ")),
        })
    });
    faults.map(|fault| WRITER.finding(TABLE, 1, fault)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_has_one_file_that_writes_it() {
        fn found<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
            let faults = find(&Tree::new(files), &["a", "b"]);
            faults.into_iter().map(|one| one.evidence).collect()
        }
        let (one, two) =
            ("fn f(m: &M) { m.a.inc(); m.a.inc(); m.b.set(1); }", "fn g() { m.a.set(2); }");
        assert_eq!(found([("crates/x/src/one.rs", one)]), Vec::<String>::new());
        assert_eq!(
            found([("crates/x/src/one.rs", one), ("crates/x/src/two.rs", two)]),
            ["a is written in crates/x/src/one.rs, crates/x/src/two.rs"]
        );
        assert_eq!(found([("crates/x/src/two.rs", two)]), ["nothing writes b"]);
        let test = format!("#[cfg(test)]\nmod tests {{ {two} }}");
        let files = [("crates/x/src/one.rs", one), ("crates/x/src/two.rs", test.as_str())];
        assert_eq!(found(files), Vec::<String>::new());
    }
}
