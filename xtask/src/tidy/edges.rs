//! Which crate may depend on which, and which libraries must stay out of a crate.
//!
//! This table is the one in ARCHITECTURE.md. A new crate has to be put into both.

use std::collections::BTreeSet;

use super::cargo::{Kind, Package};
use super::{Finding, Rule};

const EDGE: Rule = Rule {
    name: "crate-edge",
    remedy: "move the code to where it may stand, or change the architecture and its table",
};
const CRATE_TABLE: Rule = Rule {
    name: "crate-table",
    remedy: "keep the table in xtask/src/tidy/edges.rs and ARCHITECTURE.md as the crates are",
};

/// One row of the table.
#[derive(Debug, Clone, Copy)]
struct Row {
    name: &'static str,
    /// Our crates that it may depend on.
    may: &'static [&'static str],
    /// Our crates that its tests may use besides.
    tests_may: &'static [&'static str],
    /// Libraries that would bring in what the crate never contains.
    never: &'static [&'static str],
}

const TABLE: [Row; 19] = [
    Row {
        name: "gx",
        may: &["gx-cli", "gx-client", "gx-workbench"],
        tests_may: &["gx-deploy", "gx-pg"],
        never: &["axum", "tokio"],
    },
    Row {
        name: "gx-backup",
        may: &["gx-ledger", "gx-store", "gx-types"],
        tests_may: &["gx-contract", "gx-pg"],
        never: &["axum", "redb", "sqlx"],
    },
    Row {
        name: "gx-cli",
        may: &[
            "gx-backup",
            "gx-contract",
            "gx-deploy",
            "gx-engine",
            "gx-fabric",
            "gx-ledger",
            "gx-ops",
            "gx-server",
            "gx-store",
            "gx-types",
        ],
        tests_may: &[],
        never: &["axum", "sqlx"],
    },
    Row {
        name: "gx-client",
        may: &["gx-contract", "gx-types"],
        tests_may: &[],
        never: &["axum", "redb", "sqlx"],
    },
    Row { name: "gx-contract", may: &["gx-types"], tests_may: &[], never: &IMPURE },
    Row {
        name: "gx-deploy",
        may: &["gx-metrics", "gx-types"],
        tests_may: &[],
        never: &["axum", "hyper", "kube", "sqlx", "tokio"],
    },
    Row {
        name: "gx-engine",
        may: &["gx-contract", "gx-fabric", "gx-ledger", "gx-metrics", "gx-store", "gx-types"],
        tests_may: &["gx-pg"],
        never: &["axum", "hyper", "redb", "sqlx"],
    },
    Row {
        name: "gx-fabric",
        may: &["gx-contract", "gx-types"],
        tests_may: &["gx-fabric-network", "gx-ledger"],
        never: &["axum", "sqlx"],
    },
    Row {
        name: "gx-fabric-network",
        may: &["gx-fabric", "gx-types"],
        tests_may: &[],
        never: &["axum", "sqlx"],
    },
    Row {
        name: "gx-cluster",
        may: &["gx-engine", "gx-types"],
        tests_may: &[],
        never: &["axum", "sqlx"],
    },
    Row {
        name: "gx-ledger",
        may: &["gx-contract", "gx-types"],
        tests_may: &[],
        never: &["axum", "sqlx"],
    },
    Row { name: "gx-metrics", may: &[], tests_may: &[], never: &["axum", "sqlx", "tokio"] },
    Row {
        name: "gx-ops",
        may: &["gx-types"],
        tests_may: &["gx-pg"],
        never: &["axum", "hyper", "rand", "redb", "sqlx"],
    },
    Row { name: "gx-pg", may: &[], tests_may: &[], never: &["axum", "sqlx", "tokio"] },
    Row {
        name: "gx-server",
        may: &[
            "gx-cluster",
            "gx-contract",
            "gx-engine",
            "gx-fabric",
            "gx-ledger",
            "gx-metrics",
            "gx-store",
            "gx-types",
        ],
        tests_may: &["gx-fabric-network", "gx-pg"],
        never: &["kube", "redb"],
    },
    Row {
        name: "gx-store",
        may: &["gx-contract", "gx-types"],
        tests_may: &["gx-pg"],
        never: &["axum", "redb"],
    },
    Row { name: "gx-types", may: &[], tests_may: &[], never: &IMPURE },
    Row {
        name: "gx-workbench",
        may: &[
            "gx-cli",
            "gx-contract",
            "gx-engine",
            "gx-fabric",
            "gx-ledger",
            "gx-metrics",
            "gx-pg",
            "gx-server",
            "gx-store",
            "gx-types",
        ],
        tests_may: &[],
        never: &["axum", "sqlx"],
    },
    Row {
        name: "xtask",
        may: &["gx-contract", "gx-deploy", "gx-metrics", "gx-pg", "gx-types"],
        tests_may: &[],
        never: &["axum", "sqlx", "tokio"],
    },
];

/// What reads or writes the world, knows the time, or draws numbers.
const IMPURE: [&str; 10] =
    ["axum", "chrono", "getrandom", "hyper", "rand", "redb", "reqwest", "sqlx", "time", "tokio"];

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        match TABLE.iter().find(|row| row.name == package.name) {
            Some(row) => findings.extend(check_row(row, package)),
            None => {
                let text = format!("{} is not in the table of crates", package.name);
                findings.push(CRATE_TABLE.finding(&package.manifest_path, 1, text));
            }
        }
    }
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let gone = TABLE.iter().filter(|row| !names.contains(row.name));
    findings.extend(gone.map(|row| {
        let text = format!("the table has a row for {}, which does not exist", row.name);
        CRATE_TABLE.finding("xtask/src/tidy/edges.rs", 1, text)
    }));
    findings
}

fn check_row(row: &Row, package: &Package) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        let in_tests = dependency.kind == Some(Kind::Dev);
        let ours = TABLE.iter().any(|row| row.name == name);
        let allowed = row.may.contains(&name) || (in_tests && row.tests_may.contains(&name));
        let banned = !in_tests && row.never.contains(&name);
        if (ours && !allowed) || banned {
            let tests = if in_tests { " in its tests" } else { "" };
            let text = format!("{} may not depend on {name}{tests}", package.name);
            findings.push(EDGE.finding(&package.manifest_path, 1, text));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::cargo::{Dependency, Kind, Package};
    use super::{TABLE, check};

    fn package(name: &str, dependencies: &[(&str, Option<Kind>)]) -> Package {
        let dependency = |(name, kind): &(&str, Option<Kind>)| Dependency {
            name: (*name).to_owned(),
            kind: *kind,
        };
        Package {
            name: name.to_owned(),
            manifest_path: format!("{name}/Cargo.toml"),
            dependencies: dependencies.iter().map(dependency).collect(),
            targets: Vec::new(),
        }
    }

    /// The findings when one crate of the whole set has these dependencies.
    fn found(changed: Package) -> Vec<String> {
        let others = TABLE.iter().filter(|row| row.name != changed.name);
        let mut packages: Vec<Package> = others.map(|row| package(row.name, &[])).collect();
        packages.push(changed);
        check(&packages).into_iter().map(|finding| finding.evidence).collect()
    }

    #[test]
    fn the_edges_of_the_table_are_allowed() {
        let dev = Some(Kind::Dev);
        let store = [("gx-types", None), ("gx-contract", None), ("sqlx", None), ("gx-pg", dev)];
        assert_eq!(found(package("gx-store", &store)), Vec::<String>::new());
        assert_eq!(found(package("gx-types", &[("rand", dev)])), Vec::<String>::new());
    }

    #[test]
    fn all_other_edges_are_found() {
        let store = [("gx-ledger", None), ("axum", None), ("gx-pg", None)];
        let expected =
            ["gx-ledger", "axum", "gx-pg"].map(|name| format!("gx-store may not depend on {name}"));
        assert_eq!(found(package("gx-store", &store)), expected);
        let contract = [("gx-store", Some(Kind::Dev)), ("tokio", Some(Kind::Build))];
        let expected = [
            "gx-contract may not depend on gx-store in its tests",
            "gx-contract may not depend on tokio",
        ];
        assert_eq!(found(package("gx-contract", &contract)), expected);
    }

    #[test]
    fn crates_and_table_are_the_same_set() {
        let added = found(package("gx-new", &[]));
        assert_eq!(added, ["gx-new is not in the table of crates"]);
        let without: Vec<Package> =
            TABLE.iter().skip(1).map(|row| package(row.name, &[])).collect();
        let findings = check(&without);
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].rule, "crate-table");
    }
}
