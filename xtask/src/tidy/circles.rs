//! The order inside a crate: what lies below knows nothing of what lies above.
//!
//! No large circle of files anywhere, and in the server, where most is added, the floors that
//! ARCHITECTURE.md tells of: a module uses those before it in the list, and none after it.
//!
//! An edge is a path through `crate`, `self`, `super` or a module below, in a `use` or in the code;
//! a module that passes a name on counts as using it. Tests may know everything.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Kind, Token, tokens};
use super::tree::Tree;
use super::{Finding, Rule};

const CIRCLE: Rule = Rule {
    name: "module-circle",
    remedy: "move what both sides need to a file below them, or cut the edge that should not be",
};

const FLOOR: Rule = Rule {
    name: "module-floor",
    remedy: "let the lower module be given what it needs, or keep FLOORS in circles.rs as it is",
};

/// The modules of gx-server from the lowest floor to the highest.
const FLOORS: &[&str] = &[
    "calendar",
    "build",
    "service",
    "data_loader",
    "bell",
    "peer",
    "outbound",
    "authorities",
    "outgoing",
    "config",
    "error",
    "telemetry",
    "otlp",
    "error_budget",
    "metrics",
    "redis",
    "http",
    "auth",
    "attester",
    "documents",
    "tiers",
    "app",
    "api",
    "audit",
    "commands",
    "mail",
    "webhook_client",
    "notifications",
    "sessions",
    "identity",
    "tokenomics",
    "organization",
    "admin",
    "loanpool",
    "governance",
    "tax",
    "discovery",
    "system",
    "starting",
    "routes",
    "platform",
    "listening",
];

/// Crates that the rule holds for. The contract's rules and tables may know each other.
const CRATES: [&str; 2] = ["gx-server", "gx-store"];

/// Files of the largest circle that may be.
const LARGEST: usize = 4;

type Module = Vec<String>;
type Edges = BTreeMap<Module, BTreeSet<Module>>;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let circles = CRATES.into_iter().flat_map(|name| circles(tree, &format!("crates/{name}/src")));
    circles.chain(floors(tree, "crates/gx-server/src", FLOORS)).collect()
}

/// Which file is a module, and which modules each uses.
fn edges<'t>(tree: &'t Tree, folder: &str) -> (BTreeMap<Module, &'t str>, Edges) {
    let files = tree.files().iter().filter_map(|file| {
        let inside = file.inside(folder)?.strip_suffix(".rs")?;
        // A file that does not parse is reported by another rule.
        let tokens = tokens(&file.path, &file.text).unwrap_or_default();
        Some((module(inside), (file.path.as_str(), tokens)))
    });
    let files: BTreeMap<Module, (&str, Vec<Token>)> = files.collect();
    let modules: BTreeSet<Module> = files.keys().cloned().collect();
    let used = |(own, (_, tokens)): (&Module, &(&str, Vec<Token>))| {
        let paths = paths(tokens);
        let to = paths.iter().filter_map(|(inline, path)| resolve(&modules, own, inline, path));
        (own.clone(), to.filter(|to| to != own && !to.is_empty()).collect())
    };
    let edges = files.iter().filter(|(own, _)| !own.is_empty()).map(used).collect();
    (files.iter().map(|(module, (path, _))| (module.clone(), *path)).collect(), edges)
}

fn floors(tree: &Tree, folder: &str, order: &[&str]) -> Vec<Finding> {
    let (files, edges) = edges(tree, folder);
    let floor = |module: &Module| {
        order.iter().position(|name| module.first().is_some_and(|top| top == name))
    };
    let mut findings = Vec::new();
    for (from, used) in &edges {
        let path = files.get(from).copied().unwrap_or(folder);
        let Some(own) = floor(from) else {
            let problem = format!("{} has no floor", from.join("::"));
            findings.push(FLOOR.finding(path, 1, problem));
            continue;
        };
        for to in used.iter().filter(|to| floor(to).is_some_and(|floor| floor > own)) {
            let problem =
                format!("{} uses {}, which stands above it", from.join("::"), to.join("::"));
            findings.push(FLOOR.finding(path, 1, problem));
        }
    }
    findings
}

fn circles(tree: &Tree, folder: &str) -> Vec<Finding> {
    let (files, edges) = edges(tree, folder);
    let large = connected(&edges).into_iter().filter(|circle| circle.len() > LARGEST);
    let finding = |circle: BTreeSet<Module>| {
        let names: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
        let path = circle.first().and_then(|first| files.get(first)).copied().unwrap_or(folder);
        let problem = format!("{} files know each other: {}", circle.len(), names.join(", "));
        CIRCLE.finding(path, 1, problem)
    };
    large.map(finding).collect()
}

/// `a/b/mod` and `a/b` are `a::b`; the root has no name.
fn module(inside: &str) -> Module {
    let mut parts: Module = inside.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| last == "mod") || inside == "lib" || inside == "main" {
        parts.pop();
    }
    parts
}

/// The module that a path names, or in which it names something.
fn resolve(
    modules: &BTreeSet<Module>,
    own: &Module,
    inline: &[String],
    path: &[String],
) -> Option<Module> {
    let mut at: Module = own.iter().chain(inline).cloned().collect();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => (at, rest) = (Vec::new(), &path[1..]),
        "self" => rest = &path[1..],
        "super" => {}
        child if modules.contains(&[at.as_slice(), &[child.to_owned()]].concat()) => {}
        _ => return None,
    }
    while rest.first().is_some_and(|part| part == "super") {
        at.pop();
        rest = &rest[1..];
    }
    at.extend(rest.iter().cloned());
    while !at.is_empty() && !modules.contains(&at) {
        at.pop();
    }
    Some(at)
}

/// Every path outside of tests, with the modules inside the file that it stands in.
fn paths(tokens: &[Token]) -> Vec<(Vec<String>, Vec<String>)> {
    let mut found = Vec::new();
    let mut around: Vec<(String, usize)> = Vec::new();
    let (mut depth, mut index) = (0_usize, 0);
    while let Some(token) = tokens.get(index) {
        if token.is("{") {
            depth += 1;
        } else if token.is("}") {
            depth = depth.saturating_sub(1);
            around.retain(|(_, begins)| *begins <= depth);
        }
        let word = token.kind == Kind::Word && !token.place.test;
        if word && token.is("mod") && tokens.get(index + 2).is_some_and(|sign| sign.is("{")) {
            around.push((tokens[index + 1].text.clone(), depth + 1));
        }
        let inline = || around.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        if word && token.is("use") {
            let mut ends = Vec::new();
            index = tree(tokens, index + 1, &[], &mut ends);
            found.extend(ends.into_iter().map(|path| (inline(), path)));
        } else if word && ["crate", "self", "super"].iter().any(|root| token.is(root)) {
            let (path, after) = straight(tokens, index);
            // A word alone is that of `pub(crate)`.
            if path.len() > 1 {
                found.push((inline(), path));
            }
            index = after;
        } else {
            index += 1;
        }
    }
    found
}

/// `a::b::c` from its first word, and where it ends.
fn straight(tokens: &[Token], from: usize) -> (Vec<String>, usize) {
    let mut path = vec![tokens[from].text.clone()];
    let mut index = from + 1;
    while let Some([one, two, word]) = tokens.get(index..index + 3)
        && one.is(":")
        && two.is(":")
        && word.kind == Kind::Word
    {
        path.push(word.text.clone());
        index += 3;
    }
    (path, index)
}

/// The paths of a `use` and where it ends; `before` is what stands before the braces.
fn tree(tokens: &[Token], from: usize, before: &[String], ends: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    let mut index = from;
    while let Some(token) = tokens.get(index) {
        if token.is("{") {
            index = tree(tokens, index + 1, &path, ends);
            path = before.to_vec();
            continue;
        }
        if token.is(",") || token.is("}") || token.is(";") {
            if path.len() > before.len() {
                ends.push(path);
            }
            path = before.to_vec();
            if !token.is(",") {
                return index + 1;
            }
        } else if token.is("as") {
            // The new name is nobody's path.
            index += 1;
        } else if token.kind == Kind::Word {
            path.push(token.text.clone());
        }
        index += 1;
    }
    index
}

/// Modules that reach each other, by what each reaches.
fn connected(edges: &Edges) -> BTreeSet<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|from| (from, reach(edges, from))).collect();
    let circle = |(from, to): (&&Module, &BTreeSet<&Module>)| {
        let back = |other: &&&Module| reached.get(**other).is_some_and(|all| all.contains(*from));
        to.iter().filter(back).map(|module| (**module).clone()).collect::<BTreeSet<_>>()
    };
    reached.iter().map(circle).collect()
}

fn reach<'e>(edges: &'e Edges, from: &'e Module) -> BTreeSet<&'e Module> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(module) = waiting.pop() {
        let next = edges.get(module).into_iter().flatten();
        waiting.extend(next.filter(|to| reached.insert(*to)));
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::super::tree::Tree;
    use super::{circles, floors};

    fn found<const N: usize>(files: [(&str, &str); N]) -> Vec<String> {
        let findings = circles(&Tree::new(files), "a/src");
        findings.into_iter().map(|finding| finding.evidence).collect()
    }

    #[test]
    fn five_files_in_a_circle_are_too_many_and_four_are_not() {
        let five = [
            ("a/src/lib.rs", "mod b; mod c; mod d; mod e; mod f;"),
            ("a/src/b.rs", "use crate::c::X;"),
            ("a/src/c.rs", "fn x() { super::d::y(); }"),
            ("a/src/d.rs", "use crate::{Y, e::{self, Z}};"),
            ("a/src/e/mod.rs", "use super::f::W as V;"),
            ("a/src/f.rs", "pub(crate) use super::b::*;"),
        ];
        assert_eq!(found(five), ["5 files know each other: b, c, d, e, f"]);
        let mut four = five;
        four[4].1 = "use super::c::W;";
        assert_eq!(found(four), Vec::<String>::new());
    }

    #[test]
    fn what_stands_below_uses_nothing_above() {
        let files = [
            ("a/src/lib.rs", "mod low; mod high; mod odd;"),
            ("a/src/low.rs", "use crate::high::X;"),
            ("a/src/high/mod.rs", "mod part; use crate::low::Y;"),
            ("a/src/high/part.rs", "use super::X;"),
            ("a/src/odd.rs", ""),
        ];
        let findings = floors(&Tree::new(files), "a/src", &["low", "high"]);
        let found: Vec<String> = findings.into_iter().map(|finding| finding.evidence).collect();
        assert_eq!(found, ["low uses high, which stands above it", "odd has no floor"]);
    }

    #[test]
    fn a_name_that_is_passed_on_is_used_and_tests_may_know_everything() {
        let files = [
            ("a/src/lib.rs", "mod b;"),
            ("a/src/b/mod.rs", "mod c; mod d; mod e; mod f; pub use c::X; pub use f::Y;"),
            ("a/src/b/c.rs", "use super::d::X;"),
            ("a/src/b/d.rs", "use super::e::X;"),
            ("a/src/b/e.rs", "use super::f::Y;"),
            ("a/src/b/f.rs", "mod inner { fn x() { super::super::Z; } }"),
        ];
        assert_eq!(found(files), ["5 files know each other: b, b::c, b::d, b::e, b::f"]);
        let mut tested = files;
        tested[5].1 = "#[cfg(test)]\nmod tests { use super::super::Z; }";
        assert_eq!(found(tested), Vec::<String>::new());
    }
}
