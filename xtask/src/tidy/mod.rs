//! `cargo xtask tidy`: the rules of this repository that no other tool knows.
//!
//! A rule is one function from a file (or all of them) to findings, with a good and a bad example
//! in its tests. Rules must not read anything but the tree they are given.

use std::fmt;

use anyhow::{Result, bail};

mod cargo;
mod circles;
mod edges;
mod handlers;
mod manifests;
mod modules;
mod rust;
mod shipped;
mod source;
mod text;
mod tree;
mod unused;

use crate::process;
use tree::Tree;

/// One place that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    problem: String,
    /// What to do about it.
    remedy: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, line, rule, problem, remedy } = self;
        write!(f, "{path}:{line}: {rule}: {problem}; {remedy}")
    }
}

/// Name and remedy of a rule; findings are made from it.
#[derive(Debug, Clone, Copy)]
struct Rule {
    name: &'static str,
    remedy: &'static str,
}

impl Rule {
    fn finding(self, path: &str, line: usize, problem: impl Into<String>) -> Finding {
        let (path, problem) = (path.to_owned(), problem.into());
        Finding { path, line, rule: self.name, problem, remedy: self.remedy }
    }
}

pub(crate) fn run() -> Result<()> {
    let findings = check()?;
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => bail!("tidy found {count} places to put right"),
    }
}

fn check() -> Result<Vec<Finding>> {
    let tree = Tree::load()?;
    let packages = cargo::packages()?;
    let mut findings = Vec::new();
    for file in tree.files() {
        findings.extend(text::check(file));
        findings.extend(manifests::check(file));
        findings.extend(rust::check(file));
    }
    findings.extend(modules::check(&tree, &packages));
    findings.extend(circles::check(&tree));
    findings.extend(handlers::check(&tree));
    findings.extend(unused::check(&tree));
    findings.extend(edges::check(&packages));
    findings.extend(shipped::check(&process::output(&mut process::cargo(&shipped::ARGS))?));
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_repository_is_tidy() {
        let findings = super::check().unwrap();
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
