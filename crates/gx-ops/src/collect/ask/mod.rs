//! What running things answer: stores, processes, ledgers, monitoring, backups, the platform's
//! records. The texts come from scripts of ours, from `gx` itself, or from plain requests; what one
//! is, is told by its form.
//!
//! Names, figures and times are taken over. Free text loses what looks like a password, and what
//! is not needed is not kept.

mod backup;
mod bundle;
mod ledger;
mod monitoring;
mod postgres;
mod process;
mod records;
mod redis;

use std::collections::BTreeMap;

use serde_json::Value as Json;

pub(super) use bundle::is_bundle;
pub(super) use monitoring::dashboard_of;
pub(super) use redis::is_info;

use self::bundle::Bundle;
use super::{COLLECTOR, Origin, Redactor};
use crate::facts::*;

/// POSIX sh; asks running things, and changes nothing.
pub const ASK_SCRIPT: &str = include_str!("ask.sh");

/// For psql; tells facts of a server as one row of JSON, and changes nothing.
pub const POSTGRES_SCRIPT: &str = include_str!("postgres.sql");

/// Answers that cannot be used. None of them is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    #[error("line {0} is not of the form of the script's output")]
    Line(usize),
    #[error("the output ends before its end; transfer it again")]
    Cut,
    #[error("{0:?} is not known to this version; print the script again with it")]
    Kind(String),
    #[error("this is not the form of {0}")]
    Form(&'static str),
}

/// What was answered so far.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// Where each part comes from, and how old the oldest of it is.
    origins: BTreeMap<Fact, Origin>,
    postgres: Vec<Postgres>,
    redis: Vec<Redis>,
    processes: BTreeMap<String, Process>,
    ledgers: ledger::Ledgers,
    monitoring: BTreeMap<String, Monitoring>,
    backups: Vec<Backup>,
    records: Vec<DeploymentRecord>,
    /// What did not answer.
    notes: Vec<Note>,
}

impl Answers {
    fn note(&mut self, fact: Fact, from: &Origin) {
        let known = self.origins.entry(fact).or_insert_with(|| from.clone());
        if !known.from.split(", ").any(|one| one == from.from) {
            known.from = format!("{}, {}", known.from, from.from);
        }
        known.at = known.at.min(from.at);
    }

    /// Reads the output of the script that asks.
    pub(super) fn bundles(
        &mut self,
        text: &str,
        from: &Origin,
        r: &Redactor,
    ) -> Result<(), AskError> {
        for bundle in bundle::read(text)? {
            let from = Origin { from: from.from.clone(), at: bundle.at };
            self.bundle(&bundle, &from, r)?;
        }
        Ok(())
    }

    fn bundle(&mut self, bundle: &Bundle<'_>, from: &Origin, r: &Redactor) -> Result<(), AskError> {
        match bundle.kind {
            "process" => {
                self.note(Fact::Processes, from);
                process::bundle(self.process(bundle.place, from.at), bundle, r);
                if self.ledgers.process(bundle) {
                    self.note(Fact::Ledgers, from);
                }
            }
            "fabric" => {
                self.note(Fact::Ledgers, from);
                self.ledgers.operations(bundle);
            }
            "channel" => {
                self.note(Fact::Ledgers, from);
                self.ledgers.channel(bundle);
            }
            "prometheus" => {
                self.note(Fact::Monitoring, from);
                monitoring::bundle(self.watcher(bundle.place), bundle, r);
            }
            "redis" => match bundle.body("info") {
                Some(_) => {
                    let redis = redis::bundle(bundle).ok_or(AskError::Form("INFO of Redis"))?;
                    self.note(Fact::Redis, from);
                    self.redis.push(redis);
                }
                None => self.notes.push(Note {
                    about: name(bundle.place),
                    text: "this Redis did not answer, and nothing of it is known".to_owned(),
                }),
            },
            "backup-log" => {
                self.note(Fact::Backups, from);
                self.backups.push(backup::log(bundle));
            }
            other => return Err(AskError::Kind(other.chars().take(40).collect())),
        }
        Ok(())
    }

    /// Reads what `redis-cli INFO` prints by itself.
    pub(super) fn info(&mut self, text: &str, from: &Origin) -> Result<(), AskError> {
        let redis = redis::info(&place_of(&from.from), text);
        self.note(Fact::Redis, from);
        self.redis.push(redis.ok_or(AskError::Form("INFO of Redis"))?);
        Ok(())
    }

    /// Reads what a process tells under `/metrics` by itself.
    pub(super) fn metrics(&mut self, text: &str, from: &Origin) -> Result<(), AskError> {
        let samples = process::samples(text).ok_or(AskError::Form("metrics"))?;
        self.note(Fact::Processes, from);
        self.process(&place_of(&from.from), from.at).samples = Known::Known(samples);
        Ok(())
    }

    /// Takes a document when it is one that is known here; says whether it is.
    ///
    /// # Errors
    /// When it is one, and not of its form.
    pub(super) fn take(
        &mut self,
        document: &Json,
        from: &Origin,
        r: &Redactor,
    ) -> Result<bool, AskError> {
        // Objects of Kubernetes have a kind, and nothing that is asked here has.
        if document.get("kind").is_some() {
            return Ok(false);
        }
        let place = place_of(&from.from);
        let fact = if document.get("gx").and_then(Json::as_str) == Some("postgres 1") {
            let form = AskError::Form("the row of postgres-script");
            self.postgres.push(postgres::row(document, &place).ok_or(form)?);
            Fact::Postgres
        } else if process::is_answer(document) {
            process::answer(self.process(&place, from.at), document, r);
            Fact::Processes
        } else if let Some(records) = records::list(document) {
            self.records.extend(records.ok_or(AskError::Form("a list of promotions"))?);
            Fact::DeploymentRecords
        } else if let Some(backups) = backup::list(document, &place) {
            self.backups.extend(backups.ok_or(AskError::Form("a list of backups"))?);
            Fact::Backups
        } else if self.ledgers.take(document, &place, r) {
            Fact::Ledgers
        } else if monitoring::is_answer(document) {
            monitoring::answer(self.watcher("prometheus"), document, r);
            Fact::Monitoring
        } else {
            return Ok(false);
        };
        self.note(fact, from);
        Ok(true)
    }

    fn process(&mut self, place: &str, at: Time) -> &mut Process {
        self.processes.entry(place.to_owned()).or_insert_with(|| Process {
            place: place.to_owned(),
            at,
            ..Process::default()
        })
    }

    fn watcher(&mut self, place: &str) -> &mut Monitoring {
        self.monitoring
            .entry(place.to_owned())
            .or_insert_with(|| Monitoring { place: place.to_owned(), ..Monitoring::default() })
    }

    /// All of it; none when nothing was answered.
    pub(super) fn into_snapshot(self) -> Option<Snapshot> {
        let newest = self.origins.values().map(|origin| origin.at).max();
        let newest = newest.or((!self.notes.is_empty()).then(Time::default))?;
        let mut snapshot = Snapshot::empty(newest);
        let Self {
            notes,
            origins,
            postgres,
            redis,
            processes,
            ledgers,
            monitoring,
            backups,
            records,
        } = self;
        snapshot.notes = notes;
        let mut put = |fact: Fact, fill: &mut dyn FnMut(&mut Snapshot, Source)| {
            if let Some(origin) = origins.get(&fact) {
                let source = Source {
                    from: origin.from.clone(),
                    at: origin.at,
                    collector: COLLECTOR.to_owned(),
                    scope: Scope::Some,
                };
                fill(&mut snapshot, source);
            }
        };
        let mut postgres = Some(postgres);
        put(Fact::Postgres, &mut |all, source| {
            all.postgres = Part::collected(source, postgres.take().unwrap_or_default());
        });
        let mut redis = Some(redis);
        put(Fact::Redis, &mut |all, source| {
            all.redis = Part::collected(source, redis.take().unwrap_or_default());
        });
        let mut processes = Some(processes.into_values().collect::<Vec<_>>());
        put(Fact::Processes, &mut |all, source| {
            all.processes = Part::collected(source, processes.take().unwrap_or_default());
        });
        let mut ledgers = Some(ledgers.finish());
        put(Fact::Ledgers, &mut |all, source| {
            all.ledgers = Part::collected(source, ledgers.take().unwrap_or_default());
        });
        let mut monitoring = Some(monitoring.into_values().collect::<Vec<_>>());
        put(Fact::Monitoring, &mut |all, source| {
            all.monitoring = Part::collected(source, monitoring.take().unwrap_or_default());
        });
        let mut backups = Some(backup::joined(backups));
        put(Fact::Backups, &mut |all, source| {
            all.backups = Part::collected(source, backups.take().unwrap_or_default());
        });
        let mut records = Some(records);
        put(Fact::DeploymentRecords, &mut |all, source| {
            all.deployment_records = Part::collected(source, records.take().unwrap_or_default());
        });
        Some(snapshot)
    }
}

/// What a file without a word on it is of: its name up to the first dot, so that `a.metrics.txt`
/// and `a.readyz.json` are of one thing.
fn place_of(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.split('.').next().unwrap_or(file).to_owned()
}

/// The environment that the namespace of a pod is of, by its ending; empty when it tells none.
fn environment_of(place: &str) -> String {
    let namespace = place.strip_prefix("Pod ").and_then(|pod| pod.split_once('/'));
    let Some((namespace, _)) = namespace else { return String::new() };
    let ending = namespace.rsplit('-').next().unwrap_or_default();
    match (namespace, ending) {
        ("fabric", _) => "mainnet".to_owned(),
        (_, "mainnet" | "testnet" | "devnet") => ending.to_owned(),
        _ => String::new(),
    }
}

/// The text at a place of a document; empty when there is none.
fn text(json: &Json, pointer: &str) -> String {
    json.pointer(pointer).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn time(json: &Json, pointer: &str) -> Option<Time> {
    json.pointer(pointer).and_then(Json::as_str)?.parse().ok()
}

fn items<'a>(json: &'a Json, pointer: &str) -> Option<&'a [Json]> {
    json.pointer(pointer).and_then(Json::as_array).map(Vec::as_slice)
}

/// A name, an address or a version: short, in one line, and without a login.
fn name(text: &str) -> String {
    let is_name = text.len() <= 200 && !text.contains("://") && !text.contains('@');
    let is_line = !text.chars().any(char::is_control);
    if is_name && is_line { text.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests;
