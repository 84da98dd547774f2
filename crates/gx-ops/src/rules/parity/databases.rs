//! Databases of environments side by side.

use std::collections::BTreeMap;

use super::super::{Findings, Problem};
use super::pairs::{environment, stem};
use crate::facts::{Fact, Known, ObjectRef, PgDatabase, Snapshot};

/// A database of an environment.
#[derive(Debug, Clone, Copy)]
struct Side<'a> {
    place: &'a str,
    database: &'a PgDatabase,
}

impl Side<'_> {
    fn reference(self) -> ObjectRef {
        ObjectRef::global("Database", format!("{} {}", self.place, self.database.name))
    }
}

/// Databases of primaries by what their namespaces are for and their name, then by environment.
fn databases<'a>(
    snapshot: &'a Snapshot,
    findings: &mut Findings,
) -> BTreeMap<(String, &'a str), BTreeMap<usize, Side<'a>>> {
    let mut all: BTreeMap<(String, &str), BTreeMap<usize, Side<'_>>> = BTreeMap::new();
    if let Some(why) = snapshot.lacks(Fact::Postgres) {
        let subject = ObjectRef::global("Fact", Fact::Postgres.name());
        findings.unknown_but(
            subject,
            format!("what is in the databases: {why}"),
            Fact::Postgres.how(),
        );
    }
    for server in snapshot.postgres.items().iter().filter(|one| !one.in_recovery) {
        let namespace = server.place.strip_prefix("Pod ").and_then(|place| place.split_once('/'));
        let Some((stem, rank)) = namespace.and_then(|(namespace, _)| stem(snapshot, namespace))
        else {
            let subject = ObjectRef::global("Postgres", &server.place);
            findings.unknown(subject, "which environment it belongs to");
            continue;
        };
        let databases = match &server.databases {
            Known::Known(databases) => databases,
            Known::Missing(missing) => {
                let subject = ObjectRef::global("Postgres", &server.place);
                findings.unknown(subject, format!("its databases: {}", missing.missing));
                continue;
            }
        };
        for database in databases.iter().filter(|one| one.name != "postgres") {
            let side = Side { place: &server.place, database };
            all.entry((stem.clone(), &database.name)).or_default().entry(rank).or_insert(side);
        }
    }
    all
}

/// ENV-05
pub(super) fn other_schema(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for sides in databases(snapshot, &mut findings).into_values() {
        let mut sides = sides.into_iter().rev();
        let Some((highest, first)) = sides.next() else { continue };
        for (rank, side) in sides {
            let hashes = [&first.database.schema_hash, &side.database.schema_hash];
            if hashes.iter().any(|hash| hash.is_empty()) {
                findings.unknown(side.reference(), "its schema or that of the other environment");
                continue;
            }
            findings.looked();
            let versions =
                (first.database.schema_version.get(), side.database.schema_version.get());
            let evidence = match versions {
                // What is tried next is ahead by intent.
                (Some(above), Some(own)) if own > above => continue,
                (Some(above), Some(own)) if own < above => format!(
                    "its schema is {own}, that of {} is {above} already",
                    environment(highest)
                ),
                _ if side.database.schema_hash == first.database.schema_hash => continue,
                (Some(_), Some(own)) => format!(
                    "its schema says {own} as that of {}, and is another one",
                    environment(highest)
                ),
                _ => format!("its schema is not that of {}", environment(highest)),
            };
            let evidence = format!("{}: {evidence}", environment(rank));
            findings.add(Problem::new(side.reference(), evidence));
        }
    }
    findings
}

/// ENV-07
pub(super) fn uncorrected(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for sides in databases(snapshot, &mut findings).into_values() {
        // By correction: how many rows each environment has that want it.
        let mut left: BTreeMap<&str, BTreeMap<usize, (Side<'_>, u64)>> = BTreeMap::new();
        for (rank, side) in &sides {
            match &side.database.uncorrected {
                Known::Known(rows) => {
                    for (name, rows) in rows {
                        left.entry(name).or_default().insert(*rank, (*side, *rows));
                    }
                }
                Known::Missing(missing) => {
                    let what = format!("which corrections it wants: {}", missing.missing);
                    findings.unknown(side.reference(), what);
                }
            }
        }
        for (name, sides) in left {
            findings.looked();
            let done: Vec<&str> = sides
                .iter()
                .filter(|(_, (_, rows))| *rows == 0)
                .map(|(rank, _)| environment(*rank))
                .collect();
            // Where nobody has begun nothing is left behind.
            if done.is_empty() {
                continue;
            }
            for (side, rows) in sides.values().filter(|(_, rows)| *rows > 0) {
                let evidence =
                    format!("{rows} rows want {name}, which is done in {}", done.join(", "));
                findings.add(Problem::new(side.reference(), evidence));
            }
        }
    }
    findings
}

/// ENV-08
pub(super) fn test_accounts(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for sides in databases(snapshot, &mut findings).into_values() {
        for (_, side) in sides.into_iter().filter(|(rank, _)| environment(*rank) == "mainnet") {
            match &side.database.test_accounts {
                Known::Known(0) => findings.looked(),
                Known::Known(count) => {
                    findings.looked();
                    let evidence = format!("{count} accounts are for tests");
                    findings.add(Problem::new(side.reference(), evidence));
                }
                Known::Missing(missing) => {
                    let what = format!("accounts for tests: {}", missing.missing);
                    findings.unknown(side.reference(), what);
                }
            }
        }
    }
    findings
}

/// Tables that say the same in every environment.
const REFERENCE: [&str; 4] = ["countries", "country", "currencies", "currency"];

/// ENV-09
pub(super) fn other_reference(snapshot: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    for sides in databases(snapshot, &mut findings).into_values() {
        let mut tables: BTreeMap<String, BTreeMap<usize, (Side<'_>, u64)>> = BTreeMap::new();
        for (rank, side) in sides {
            for table in &side.database.tables {
                let name = table.name.to_ascii_lowercase();
                if REFERENCE.contains(&name.as_str()) {
                    tables.entry(name).or_default().insert(rank, (side, table.rows));
                }
            }
        }
        for (name, sides) in tables {
            let mut sides = sides.into_iter().rev();
            let Some((highest, (_, expected))) = sides.next() else { continue };
            for (rank, (side, rows)) in sides {
                findings.looked();
                if rows != expected {
                    let evidence = format!(
                        "{name} has {rows} rows in {}, {expected} in {}",
                        environment(rank),
                        environment(highest)
                    );
                    findings.add(Problem::new(side.reference(), evidence));
                }
            }
        }
    }
    findings
}
