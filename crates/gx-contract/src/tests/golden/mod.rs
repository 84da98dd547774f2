//! Golden files: the exact bytes of everything stored and emitted, and that they decode for ever.
//!
//! A file that differs is a broken promise to every ledger there is: add a new version beside the
//! old one instead. `GX_UPDATE_GOLDEN=1` writes files that are missing, and never changes one.

mod attesters;
mod escrows;
mod governed;
mod loans;
mod organizations;
mod samples;

pub(super) use samples::commands as samples_of_commands;
pub(crate) use samples::records as records_of_all_kinds;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use gx_types::{BatchId, CommandId, TimeMs};

use crate::state::{CommandOutcome, Key, Record, Version};
use crate::{Batch, BatchRecord, Command, Event, Refusal, Refused};

/// What a golden file must hold, by the file's name: `<what>.<case>.<extension>`.
type Samples = BTreeMap<String, String>;

fn folder(group: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden", group].iter().collect()
}

fn add(samples: &mut Samples, name: String, text: String) {
    let before = samples.insert(name.clone(), text);
    assert_eq!(before, None, "two samples of the name {name}");
}

/// The samples are the files of the group; missing ones are written when that is asked for.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment to write files")]
fn compare(group: &str, samples: &Samples) {
    let update = std::env::var("GX_UPDATE_GOLDEN").is_ok_and(|value| value == "1");
    let mut wrong = Vec::new();
    for (name, text) in samples {
        let path = folder(group).join(name);
        match fs::read_to_string(&path) {
            Ok(found) if found == format!("{text}\n") => {}
            Ok(found) => wrong.push(format!("{group}/{name} holds\n{found}but this is\n{text}")),
            Err(_) if update => {
                fs::create_dir_all(folder(group)).unwrap();
                fs::write(&path, format!("{text}\n")).unwrap();
            }
            Err(_) => {
                wrong.push(format!("{group}/{name} is missing; GX_UPDATE_GOLDEN=1 writes it"))
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All files of a group, old versions that nothing writes any more included.
fn files(group: &str) -> Samples {
    let entries = fs::read_dir(folder(group)).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap().trim_end().to_owned())
        })
        .collect()
}

/// What stands before the first point of a file's name.
fn what(name: &str) -> &str {
    name.split('.').next().unwrap_or_default()
}

/// Every name has a sample, and no sample has another name.
fn cover<'a>(names: impl IntoIterator<Item = &'a str>, samples: &'a Samples) {
    let names: BTreeSet<&str> = names.into_iter().collect();
    let covered: BTreeSet<&str> = samples.keys().map(|name| what(name)).collect();
    assert_eq!(covered, names);
}

macro_rules! record_names {
    ($($record:ident)+) => {
        const RECORDS: &[&str] = &[$(stringify!($record)),+];

        /// A record that is missing in the list does not compile.
        fn record_name(record: &Record) -> &'static str {
            match record { $(Record::$record(_) => stringify!($record),)+ }
        }
    };
}

record_names!(Account Action Country Admin Relationship Borrower Proposal Guardians Identity
    AccountKey Loan Organization Outcome Attester KeyReset Recovery Clock Countries Disbursed
    Parameters Proposals System Tally User Vote PendingTx Treasury Escrow SpendingLimit);

#[test]
fn records() {
    let mut golden = Samples::new();
    let mut keys = BTreeMap::new();
    for (case, key, record) in samples::records() {
        let name = record_name(&record);
        let text = String::from_utf8(record.encode()).unwrap();
        assert_eq!(Record::decode(&key, text.as_bytes()).unwrap(), record);
        keys.insert(name, key);
        add(&mut golden, format!("{name}.{case}.json"), text);
    }
    cover(RECORDS.iter().copied(), &golden);
    compare("records", &golden);
    for (name, text) in files("records") {
        let record = Record::decode(&keys[what(&name)], text.as_bytes()).unwrap();
        assert_eq!(record_name(&record), what(&name));
        assert!(text.starts_with(r#"{"v":"#), "{name} says its version first");
    }
}

#[test]
fn keys() {
    let mut golden = Samples::new();
    for (case, key) in samples::keys() {
        add(&mut golden, format!("{case}.txt"), key.encode());
    }
    cover(RECORDS.iter().copied(), &golden);
    compare("keys", &golden);
    assert_eq!(files("keys"), golden);
    let mut keys: Vec<_> = samples::keys().into_iter().map(|(_, key)| key).collect();
    keys.sort_unstable();
    assert!(keys.is_sorted_by_key(|key| key.encode()), "keys are in the order of their encodings");
}

#[test]
fn events() {
    let mut golden = Samples::new();
    for (case, event) in samples::events() {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        add(&mut golden, format!("{}.{case}.json", event.name()), text);
    }
    cover(Event::NAMES.iter().copied(), &golden);
    compare("events", &golden);
    for (name, text) in files("events") {
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap().name(), what(&name));
    }
}

/// `TokenomicsContract:Transfer` as a part of a file's name.
fn function(name: &str) -> String {
    name.replace(':', "-")
}

#[test]
fn commands() {
    let mut golden = Samples::new();
    for (case, command) in samples::commands() {
        let args = command.args_json();
        assert_eq!(Command::from_name_and_args(command.name(), &args).unwrap(), command);
        add(&mut golden, format!("{}.{case}.json", function(command.name())), args);
    }
    let names: Vec<String> = Command::NAMES.iter().map(|name| function(name)).collect();
    cover(names.iter().map(String::as_str), &golden);
    compare("commands", &golden);
    for (name, args) in files("commands") {
        let full = what(&name).replace('-', ":");
        assert_eq!(Command::from_name_and_args(&full, &args).unwrap().name(), full);
    }
}

/// The canonical body, by which repetitions are told from other uses of an id, and its hash.
#[test]
fn bodies() {
    let mut golden = Samples::new();
    for (case, envelope) in samples::envelopes() {
        let body = envelope.canonical_body();
        let hex = hex::encode(body);
        let text = format!("{hex}\n{}", envelope.body_hash());
        add(&mut golden, format!("{}.{case}.txt", function(envelope.command.name())), text);
    }
    let names: Vec<String> = Command::NAMES.iter().map(|name| function(name)).collect();
    cover(names.iter().map(String::as_str), &golden);
    compare("bodies", &golden);
    assert_eq!(files("bodies"), golden);
}

#[test]
fn batches_and_their_records() {
    let mut golden = Samples::new();
    for (case, batch) in samples::batches() {
        let text = serde_json::to_string(&batch).unwrap();
        assert_eq!(serde_json::from_str::<Batch>(&text).unwrap(), batch);
        add(&mut golden, format!("Batch.{case}.json"), text);
    }
    for (case, record) in samples::batch_records() {
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<BatchRecord>(&text).unwrap(), record);
        add(&mut golden, format!("BatchRecord.{case}.json"), text);
    }
    compare("batches", &golden);
    for (name, text) in files("batches") {
        match what(&name) {
            "Batch" => drop(serde_json::from_str::<Batch>(&text).unwrap()),
            "BatchRecord" => drop(serde_json::from_str::<BatchRecord>(&text).unwrap()),
            _ => panic!("nothing is called {name}"),
        }
    }
}

#[test]
fn refusals() {
    let mut golden = Samples::new();
    for code in Refusal::ALL {
        let text = serde_json::to_string(&code.because("for people")).unwrap();
        add(&mut golden, format!("{code}.json"), text);
    }
    cover(Refusal::ALL.iter().map(|code| code.code()), &golden);
    compare("refusals", &golden);
    for (name, text) in files("refusals") {
        assert_eq!(serde_json::from_str::<Refused>(&text).unwrap().code.code(), what(&name));
    }
}

/// The outcome of a refused command as the ledger keeps it, for every code.
#[test]
fn refused_outcomes() {
    let key = Key::Outcome(CommandId::from_u128(1));
    let mut golden = Samples::new();
    for code in Refusal::ALL {
        let outcome = CommandOutcome {
            v: Version,
            body: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            batch_id: BatchId::from_u128(2),
            time: TimeMs(3),
            refused: Some(Box::new(code.because("for people"))),
        };
        let text = String::from_utf8(Record::from(outcome).encode()).unwrap();
        add(&mut golden, format!("{code}.json"), text);
    }
    cover(Refusal::ALL.iter().map(|code| code.code()), &golden);
    compare("outcomes", &golden);
    for (name, text) in files("outcomes") {
        match Record::decode(&key, text.as_bytes()).unwrap() {
            Record::Outcome(outcome) => {
                assert_eq!(outcome.refused.unwrap().code.code(), what(&name));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn another_version_or_an_unknown_field_is_not_read() {
    for (case, key, record) in samples::records() {
        let text = String::from_utf8(record.encode()).unwrap();
        for wrong in [
            text.replacen(r#"{"v":1"#, r#"{"v":2"#, 1),
            text.replacen(r#"{"v":1,"#, "{", 1),
            text.replacen(r#"{"v":1"#, r#"{"v":1,"more":1"#, 1),
            text[1..].to_owned(),
            String::new(),
        ] {
            assert_ne!(wrong, text);
            assert!(Record::decode(&key, wrong.as_bytes()).is_err(), "{case}: {wrong}");
        }
    }
}
