//! What is wrong with a platform, as rules over a snapshot.
//!
//! # How a rule is added
//!
//! 1. `src/rules/<family>.rs` or `<family>/mod.rs`: a row in `RULES` and its function
//!    `fn(&Snapshot) -> Findings`. What several families ask of a snapshot stands in `shared.rs`;
//!    what only one asks stays in its file or folder.
//! 2. `fixtures/rules/<ID>/pass.yaml`, `fail.yaml` and a `near-….yaml` for each way in which the
//!    rule could be fooled: the smallest snapshot that shows it (`fixture.rs` says how one is
//!    written). `fail.yaml` lists under `expect` exactly what is found, as `severity subject`.
//! 3. `GX_UPDATE_PAGES=1 cargo test -p gx-ops pages`: writes `docs/rules/<ID>.md`.
//!
//! A function looks at the snapshot alone. It calls `looked` for each thing that it holds the rule
//! against, `add` for each that breaks it, and `unknown` for each of which a fact is missing: what
//! was not looked at is never counted as good. `needs` names the parts without which nothing can be
//! said; the runner answers `unknown` when one is missing, with the way to collect it. A part that
//! only adds to the answer is not needed, but without it a finding must not turn into a pass: the
//! tests take each part away and look.
//!
//! A finding that is the consequence of something else says so by `because`: findings are grouped
//! under the thing at the root, so that one cause is one group (`group.rs`).
//!
//! A fact that no snapshot has yet: a field in `facts/`, filled in `collect/`, and
//! `GX_UPDATE_SCHEMA=1 cargo test -p gx-ops schema` writes the schema again.
//! `needs` may only name parts that a collector of this crate collects; a test looks.
//!
//! The tests of `tests.rs` walk the table: every rule has its fixtures and its page, and every id
//! of `promised.txt` is a row.

mod audit;
mod backup;
mod data;
mod etcd;
mod exclude;
mod fabric;
mod findings;
mod group;
mod host;
mod images;
mod monitoring;
mod network;
mod nodes;
mod page;
mod parity;
mod platform;
mod scheduling;
mod secrets;
pub(crate) mod shared;
mod storage;
mod workloads;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod incidents;
#[cfg(test)]
mod tests;

pub use audit::{Audit, Issue, Options, Outcome, UnknownFact, audit};
pub use exclude::{Exclusion, ExclusionError, Exclusions};
pub use findings::{Findings, Problem, Unknown};
pub use group::Group;
pub use page::{overview, page};

use gx_types::Severity;

use crate::facts::{Fact, Snapshot};

/// One thing that can be wrong.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Stable: what exclusions, dashboards and pages name.
    pub id: &'static str,
    /// The worst that it finds.
    pub severity: Severity,
    /// What is wrong, in a line.
    pub title: &'static str,
    /// Parts of the snapshot without which nothing can be said.
    pub needs: &'static [Fact],
    pub check: fn(&Snapshot) -> Findings,
    /// Why it matters, with what has happened because of it.
    pub why: &'static str,
    /// What happens when nothing is done.
    pub otherwise: &'static str,
    /// What to do, with a command where there is one.
    pub remedy: &'static str,
    /// Page that leads through it, below `docs/`.
    pub runbook: Option<&'static str>,
}

/// One family of rules.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    pub name: &'static str,
    pub title: &'static str,
    pub rules: &'static [Rule],
}

/// Every family, in the order in which they are told.
pub const FAMILIES: [Family; 15] = [
    Family { name: "scheduling", title: "Scheduling and availability", rules: &scheduling::RULES },
    Family { name: "nodes", title: "Nodes", rules: &nodes::RULES },
    Family { name: "etcd", title: "etcd", rules: &etcd::RULES },
    Family { name: "workloads", title: "Workloads", rules: &workloads::RULES },
    Family { name: "images", title: "Images", rules: &images::RULES },
    Family { name: "storage", title: "Storage", rules: &storage::RULES },
    Family { name: "network", title: "Network", rules: &network::RULES },
    Family {
        name: "secrets",
        title: "Secrets, certificates and configuration",
        rules: &secrets::RULES,
    },
    Family { name: "fabric", title: "Ledger", rules: &fabric::RULES },
    Family { name: "data", title: "Databases and queues", rules: &data::RULES },
    Family { name: "backup", title: "Backup", rules: &backup::RULES },
    Family { name: "host", title: "Hosts", rules: &host::RULES },
    Family { name: "monitoring", title: "Monitoring", rules: &monitoring::RULES },
    Family { name: "parity", title: "Environments and promotion", rules: &parity::RULES },
    Family { name: "platform", title: "The platform itself", rules: &platform::RULES },
];

/// Every rule.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.rules)
}

/// A rule by its id, in whatever case.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.id.eq_ignore_ascii_case(id))
}
