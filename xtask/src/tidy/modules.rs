//! Every Rust file belongs to a crate: rustc does not notice one that nobody declares.
//!
//! Follows `mod name;` from the crates' root files. Paths given by hand (`#[path]`) are not
//! followed, because a file belongs where its module is.

use std::collections::{BTreeMap, BTreeSet};

use super::cargo::Package;
use super::source::{Token, tokens};
use super::tree::Tree;
use super::{Finding, Rule};

const DEAD_FILE: Rule =
    Rule { name: "dead-file", remedy: "declare it with mod where it belongs, or delete it" };

pub(super) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    let rust = tree.files().iter().filter(|file| file.has_extension("rs"));
    let texts: BTreeMap<&str, &str> =
        rust.map(|file| (file.path.as_str(), file.text.as_str())).collect();
    let roots = packages.iter().flat_map(|package| &package.targets).map(|target| &target.src_path);
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<(String, String)> =
        roots.map(|path| (path.clone(), parent(path).to_owned())).collect();
    while let Some((path, folder)) = waiting.pop() {
        let Some(text) = texts.get(path.as_str()) else { continue };
        if !reached.insert(path.clone()) {
            continue;
        }
        // A file that does not parse is reported by another rule.
        for module in declared(&tokens(&path, text).unwrap_or_default()) {
            let below = format!("{folder}/{module}");
            waiting.push((format!("{below}.rs"), below.clone()));
            waiting.push((format!("{below}/mod.rs"), below));
        }
    }
    let dead = texts.keys().filter(|path| !reached.contains(**path));
    dead.map(|path| DEAD_FILE.finding(path, 1, "no crate declares this file")).collect()
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The modules of other files, as paths below the folder of this one.
fn declared(tokens: &[Token]) -> Vec<String> {
    let mut found = Vec::new();
    // The inline modules around the current token, with the depth of braces they begin at.
    let mut around: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        if token.is("{") {
            depth += 1;
        } else if token.is("}") {
            depth -= 1;
            around.retain(|(_, begins)| *begins < depth + 1);
        }
        let [word, name, sign] = tokens.get(index..index + 3).unwrap_or_default() else { continue };
        if !word.is("mod") {
            continue;
        }
        if sign.is("{") {
            around.push((&name.text, depth + 1));
        } else if sign.is(";") {
            let outer = around.iter().map(|(name, _)| *name);
            found.push(outer.chain([name.text.as_str()]).collect::<Vec<_>>().join("/"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::cargo::{Package, Target};
    use super::super::tree::Tree;
    use super::check;

    fn dead<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        let package = Package {
            name: "a".to_owned(),
            manifest_path: "a/Cargo.toml".to_owned(),
            dependencies: Vec::new(),
            targets: vec![Target { src_path: "a/src/lib.rs".to_owned() }],
        };
        let findings = check(&Tree::new(files), &[package]);
        let path =
            |finding: crate::tidy::Finding| finding.subject.trim_end_matches(":1").to_owned();
        findings.into_iter().map(path).collect()
    }

    #[test]
    fn declared_files_are_alive_at_any_depth() {
        let files = [
            ("a/src/lib.rs", "pub(crate) mod b;\n#[cfg(test)]\nmod tests;"),
            ("a/src/b/mod.rs", "mod c;\nmod inline { mod d; }\nmod e;"),
            ("a/src/b/c.rs", ""),
            ("a/src/b/inline/d.rs", ""),
            ("a/src/b/e.rs", ""),
            ("a/src/tests.rs", ""),
            ("a/README.md", "# A"),
        ];
        assert_eq!(dead(files), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_is_only_mentioned_is_dead() {
        let files = [
            ("a/src/lib.rs", "// mod b;\nmod c;"),
            ("a/src/b.rs", ""),
            ("a/src/c.rs", "fn a() { let d = \"mod d;\"; }"),
            ("a/src/c/d.rs", ""),
            ("a/src/d.rs", "mod c;"),
        ];
        assert_eq!(dead(files), ["a/src/b.rs", "a/src/c/d.rs", "a/src/d.rs"]);
    }
}
