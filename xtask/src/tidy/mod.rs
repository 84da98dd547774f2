//! `cargo xtask tidy`: the rules of this repository that no other tool knows.
//!
//! A rule is one function from a file (or all of them) to findings, with a good and a bad example
//! in its tests. Rules must not read anything but the tree they are given.

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
mod writers;

use gx_types::{Finding, Severity};

use crate::process;
use tree::Tree;

/// How editors and people follow it: the place first.
fn told(finding: &Finding) -> String {
    let Finding { rule, subject, evidence, remedy, .. } = finding;
    format!("{subject}: {rule}: {evidence}; {remedy}")
}

/// Name and remedy of a rule; findings are made from it.
#[derive(Debug, Clone, Copy)]
struct Rule {
    name: &'static str,
    remedy: &'static str,
}

impl Rule {
    fn finding(self, path: &str, line: usize, problem: impl Into<String>) -> Finding {
        let severity = Severity::High;
        gx_types::Rule { id: self.name, severity, remedy: self.remedy }
            .broken(format!("{path}:{line}"), problem)
    }
}

pub(crate) fn run() -> Result<()> {
    let findings = check()?;
    for finding in &findings {
        println!("{}", told(finding));
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
    findings.extend(writers::check(&tree));
    findings.extend(edges::check(&packages));
    findings.extend(shipped::check(&process::output(&mut process::cargo(&shipped::ARGS))?));
    findings.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(findings)
}

/// Rules and lines, as the tests of rules compare them.
#[cfg(test)]
fn places(findings: Vec<Finding>) -> Vec<(&'static str, usize)> {
    let place = |finding: Finding| {
        let std::borrow::Cow::Borrowed(rule) = finding.rule else { panic!("a rule of a table") };
        let (_, line) = finding.subject.rsplit_once(':').unwrap();
        (rule, line.parse().unwrap())
    };
    findings.into_iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_repository_is_tidy() {
        let findings = super::check().unwrap();
        let lines: Vec<String> = findings.iter().map(super::told).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
