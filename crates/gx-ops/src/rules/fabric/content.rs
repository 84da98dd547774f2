//! What the ledger holds, and whether what is asked of it gets there.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::MAX_SUPPLY;

use super::super::shared::{Component, component, place_environment};
use super::super::{Findings, Problem};
use super::nodes::ledger_ref;
use crate::facts::{Chaincode, Fact, Known, Ledger, Object as _, ObjectRef, Snapshot};

/// Seconds without a block after which commands that wait are stuck.
const STILL: u64 = 600;

/// FAB-03
pub(super) fn no_blocks(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items() {
        let nodes = ledger.nodes.iter().map(|node| node.last_block);
        let Some(newest) = nodes.chain([ledger.last_block]).max().flatten() else {
            findings.unknown(ledger_ref(ledger), "when its newest block was made");
            continue;
        };
        let processes = snapshot.processes.items().iter();
        let of_it: Vec<_> = processes
            .filter(|one| {
                let told = place_environment(snapshot, &one.place);
                let environment = if one.network.is_empty() { told } else { Some(&*one.network) };
                ledger.environment.is_empty() || environment == Some(&*ledger.environment)
            })
            .collect();
        let figures = |name: &str| {
            let figures = of_it.iter().filter_map(|one| one.figure(name, &[]));
            figures.fold(None, |most: Option<f64>, one| Some(most.map_or(one, |m| m.max(one))))
        };
        let Some(queued) = figures("outbox_queue_depth") else {
            findings.unknown(ledger_ref(ledger), "how many commands wait: no process tells");
            continue;
        };
        findings.looked();
        // Commands that have just come say nothing.
        let oldest = figures("outbox_oldest_queued_seconds").unwrap_or(f64::INFINITY);
        let age = snapshot.age(newest);
        if queued > 0.0 && age > STILL && oldest > 60.0 {
            let evidence = format!(
                "{queued} commands wait, and the newest block is of {newest}, {} minutes ago",
                age / 60
            );
            findings.add(Problem::new(ledger_ref(ledger), evidence));
        }
    }
    findings
}

fn chaincode_ref(ledger: &Ledger, chaincode: &Chaincode) -> ObjectRef {
    ObjectRef::new("Chaincode", &ledger.environment, format!("{}/{}", ledger.name, chaincode.name))
}

/// How a channel's chaincodes are told.
const CHANNEL: &str = "gx ops ask-script | sh -s -- channel PLACE CHANNEL CHAINCODE > PEER.txt";

/// Ledgers of Fabric with their chaincodes; of the others nothing can be said.
fn chaincodes<'a>(
    snapshot: &'a Snapshot,
    findings: &mut Findings,
) -> Vec<(&'a Ledger, &'a Chaincode)> {
    let mut all = Vec::new();
    for ledger in snapshot.ledgers.items().iter().filter(|one| one.engine == "fabric") {
        match &ledger.chaincodes {
            Known::Known(chaincodes) => all.extend(chaincodes.iter().map(|one| (ledger, one))),
            Known::Missing(missing) => {
                findings.unknown_but(
                    ledger_ref(ledger),
                    format!("its chaincodes: {}", missing.missing),
                    CHANNEL,
                );
            }
        }
    }
    all
}

/// FAB-05
pub(super) fn definition_differs(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for (ledger, chaincode) in chaincodes(snapshot, &mut findings) {
        findings.looked();
        let mut wrong = Vec::new();
        let without: Vec<&str> = chaincode
            .approvals
            .iter()
            .filter(|(_, approved)| !**approved)
            .map(|(organization, _)| organization.as_str())
            .collect();
        if !without.is_empty() {
            wrong.push(format!(
                "version {}, sequence {} is not approved by {}",
                chaincode.version,
                chaincode.sequence,
                without.join(", ")
            ));
        }
        if chaincode.installed.is_empty() {
            findings.unknown_but(
                chaincode_ref(ledger, chaincode),
                "which packages its peers have installed",
                CHANNEL,
            );
        }
        for (peer, packages) in &chaincode.installed {
            let labels: BTreeSet<&str> = packages
                .iter()
                .map(|package| package.split(':').next().unwrap_or_default())
                .filter(|label| is_of(label, &chaincode.name))
                .collect();
            // Labels are free; what is called NAME_VERSION anywhere says which version it is.
            let is_there = labels.iter().any(|label| {
                let rest = label.get(chaincode.name.len()..).unwrap_or_default();
                rest.trim_start_matches(['_', '-', '.', 'v']) == chaincode.version
            });
            if labels.is_empty() {
                wrong.push(format!("{peer} has no package of it"));
            } else if !is_there && !chaincode.version.is_empty() {
                let labels: Vec<&str> = labels.into_iter().collect();
                wrong.push(format!(
                    "{peer} has {}, committed is {}",
                    labels.join(", "),
                    chaincode.version
                ));
            }
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(chaincode_ref(ledger, chaincode), wrong.join("; ")));
        }
    }
    findings
}

/// Whether a label is one of a chaincode: its name, and then no further letter.
fn is_of(label: &str, chaincode: &str) -> bool {
    let rest = label.strip_prefix(chaincode);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-', '.']))
}

/// FAB-13
pub(super) fn chaincode_unreached(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items().iter().filter(|one| one.engine == "fabric") {
        let checks = match &ledger.checks {
            Known::Known(checks) => checks,
            Known::Missing(missing) => {
                findings.unknown_but(
                    ledger_ref(ledger),
                    format!("whether anything is endorsed: {}", missing.missing),
                    "gx fabric check --json > check.json",
                );
                continue;
            }
        };
        for check in checks.iter().filter(|one| one.rule == "endorsement") {
            findings.looked();
            if check.ok {
                continue;
            }
            let mut problem = Problem::new(ledger_ref(ledger), check.evidence.clone());
            if let Some(cause) = stopped_chaincode(snapshot, ledger) {
                problem = problem.because(cause);
            }
            findings.add(problem);
        }
    }
    findings
}

/// Chaincode of an environment that has no ready pod.
fn stopped_chaincode(snapshot: &Snapshot, ledger: &Ledger) -> Option<ObjectRef> {
    let mut all = snapshot.top_workloads().filter(|one| {
        component(&one.name) == Component::Chaincode
            && snapshot.environment(&one.namespace) == Some(&*ledger.environment)
    });
    all.find(|one| one.is_lasting() && one.ready == 0).map(|one| one.reference())
}

/// The sum of amounts; none when one is no number.
fn sum(amounts: &BTreeMap<String, String>) -> Option<u128> {
    amounts.values().try_fold(0_u128, |sum, amount| sum.checked_add(amount.parse().ok()?))
}

/// FAB-14
pub(super) fn pools_wrong(snapshot: &Snapshot) -> Findings {
    const HOW: &str = "gx ops ask-script | sh -s -- process URL-OF-SVC-TOKENOMICS";
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items() {
        match &ledger.bootstrapped {
            Known::Missing(missing) => {
                let what = format!("whether it is bootstrapped: {}", missing.missing);
                findings.unknown_but(ledger_ref(ledger), what, HOW);
                continue;
            }
            Known::Known(false) => continue,
            Known::Known(true) => {}
        }
        let known = ledger.pools.get().zip(ledger.pool_balances.get());
        let sums = known.and_then(|(caps, now)| Some((sum(caps)?, sum(now)?)));
        let Some((caps, now)) = sums else {
            findings.unknown_but(ledger_ref(ledger), "what its pools hold", HOW);
            continue;
        };
        findings.looked();
        let supply = u128::from(MAX_SUPPLY.qirat());
        let evidence = if caps != supply {
            format!("the pools began with {caps} Qirat together, {supply} are the supply")
        } else if now == 0 {
            "it is bootstrapped, and all pools are empty".to_owned()
        } else {
            continue;
        };
        findings.add(Problem::new(ledger_ref(ledger), evidence));
    }
    findings
}

/// Countries that there are, and the sum of their shares.
const COUNTRIES: usize = 234;
const WHOLE: u64 = 100_000_000;

/// FAB-15
pub(super) fn countries_wrong(snapshot: &Snapshot) -> Findings {
    const HOW: &str = "gx ops ask-script | sh -s -- process URL-OF-SVC-TOKENOMICS";
    let mut findings = Findings::default();
    for ledger in snapshot.ledgers.items() {
        if ledger.bootstrapped == Known::Known(false) {
            continue;
        }
        let countries = match &ledger.countries {
            Known::Known(countries) => countries,
            Known::Missing(missing) => {
                let what = format!("its countries: {}", missing.missing);
                findings.unknown_but(ledger_ref(ledger), what, HOW);
                continue;
            }
        };
        findings.looked();
        let mut wrong = Vec::new();
        if countries.len() != COUNTRIES {
            wrong.push(format!("{} countries, not {COUNTRIES}", countries.len()));
        }
        let shares = countries.values().fold(0_u64, |sum, share| sum.saturating_add(*share));
        if shares != WHOLE {
            wrong.push(format!("their shares are {shares} parts of {WHOLE}"));
        }
        if let Some(why) = snapshot.lacks(Fact::Postgres) {
            let what = format!("what its read models hold: {why}");
            findings.unknown_but(ledger_ref(ledger), what, Fact::Postgres.how());
        }
        for (place, rows) in read_models(snapshot, &ledger.environment) {
            if usize::try_from(rows) != Ok(countries.len()) {
                wrong.push(format!("{place} has {rows} in its read model"));
            }
        }
        if !wrong.is_empty() {
            findings.add(Problem::new(ledger_ref(ledger), wrong.join("; ")));
        }
    }
    findings
}

/// How many countries each database server of an environment has.
fn read_models<'a>(snapshot: &'a Snapshot, environment: &str) -> Vec<(&'a str, u64)> {
    let servers = snapshot.postgres.items().iter();
    let of_it = servers.filter(|one| place_environment(snapshot, &one.place) == Some(environment));
    of_it
        .flat_map(|server| {
            let databases = server.databases.get().map(Vec::as_slice).unwrap_or_default();
            let tables = databases.iter().flat_map(|database| &database.tables);
            // An estimate is no count.
            let counted = tables.filter(|table| table.name == "countries" && table.is_exact);
            counted.map(|table| (server.place.as_str(), table.rows))
        })
        .collect()
}

/// FAB-17
pub(super) fn package_differs(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    let mut packages: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (ledger, chaincode) in chaincodes(snapshot, &mut findings) {
        let installed = chaincode.installed.values().flatten().map(String::as_str);
        packages.entry(&ledger.environment).or_default().extend(installed);
    }
    for workload in snapshot.top_workloads().filter(|one| {
        component(&one.name) == Component::Chaincode && one.is_lasting() && one.replicas > 0
    }) {
        let environment = snapshot.environment(&workload.namespace).unwrap_or_default();
        let installed = packages.get(environment).filter(|all| !all.is_empty());
        let Some(installed) = installed else {
            let what = "which packages are installed in its environment";
            findings.unknown(workload.reference(), what);
            continue;
        };
        let variables = workload.template.spec.containers.iter().flat_map(|one| &one.env);
        let own = variables
            .filter(|env| ["CHAINCODE_ID", "CORE_CHAINCODE_ID_NAME"].contains(&env.name.as_str()))
            .find_map(|env| env.value.as_ref()?.plain());
        let Some(own) = own else {
            findings.unknown(workload.reference(), "which package id it was started with");
            continue;
        };
        findings.looked();
        if !installed.contains(own) {
            let all: Vec<&str> = installed.iter().copied().collect();
            let evidence = format!("it runs as {own}; installed are {}", all.join(", "));
            let problem = Problem::new(workload.reference(), evidence);
            findings.add(problem.field("spec.template.spec.containers.env"));
        }
    }
    findings
}
