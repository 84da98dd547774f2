//! What `gx backup status --json` and a listing of `rclone lsjson` tell of backups, and what the
//! log of a run betrays.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::bundle::Bundle;
use super::{items, name, text, time};
use crate::facts::{Artifact, Backup, Known};

/// The whole of a backup, when it is not told what is in it.
const WHOLE: &str = "platform";

/// The backups of a document: none when it is no list of them, nothing in it when it is one and not
/// of its form.
pub(super) fn list(document: &Json, place: &str) -> Option<Option<Vec<Backup>>> {
    let is_status = items(document, "/backups").is_some() && document.get("warnings").is_some();
    if is_status {
        return Some(status(document, place));
    }
    let files = document.as_array()?;
    let is_file = |one: &Json| ["Path", "ModTime", "Size"].iter().all(|k| one.get(k).is_some());
    (!files.is_empty() && files.iter().all(is_file)).then(|| listing(files, place))
}

/// `gx backup status --json`.
fn status(document: &Json, place: &str) -> Option<Vec<Backup>> {
    let location = text(document, "/location");
    let target = if location.is_empty() { place.to_owned() } else { name(&location) };
    let runs = items(document, "/backups")?;
    let newest = runs.last();
    let network = newest.map(|run| name(&text(run, "/network"))).unwrap_or_default();
    let is_remote = location.starts_with("rclone:");
    let days = document.get("retentionDays").and_then(Json::as_u64);
    let run = document.pointer("/newest/run");
    let base = Backup {
        environment: network,
        target,
        host: match is_remote {
            true => String::new(),
            false => newest.map(|run| name(&text(run, "/host"))).unwrap_or_default(),
        },
        last_run: run.and_then(|run| time(run, "/startedAt")),
        last_run_failed: match run {
            Some(run) => Known::Known(!run.get("failure").is_none_or(Json::is_null)),
            None => Known::missing("no run is noted where it was asked"),
        },
        retention_days: days.and_then(|days| u32::try_from(days).ok()),
        off_site: match location.is_empty() {
            true => Known::missing("the answer does not say where the repository lies"),
            false => Known::Known(is_remote),
        },
        ..Backup::default()
    };
    let all: BTreeSet<String> = runs.iter().flat_map(parts).map(|(name, _, _)| name).collect();
    let mut found: BTreeMap<String, Backup> = BTreeMap::new();
    for run in runs {
        let there: BTreeSet<String> = parts(run).map(|(name, _, _)| name).collect();
        let whole = Artifact {
            bytes: run.get("bytes").and_then(Json::as_u64)?,
            missing_parts: all.difference(&there).cloned().collect(),
            ..artifact(run)?
        };
        let of_part = |(part, bytes, sha256)| {
            let own = Artifact { bytes, sha256, ..artifact(run)? };
            Some((part, own))
        };
        let of_parts: Option<Vec<(String, Artifact)>> = parts(run).map(of_part).collect();
        for (component, artifact) in of_parts?.into_iter().chain([(WHOLE.to_owned(), whole)]) {
            let own = Backup { component: component.clone(), ..base.clone() };
            found.entry(component).or_insert(own).artifacts.push(artifact);
        }
    }
    if found.is_empty() {
        found.insert(WHOLE.to_owned(), Backup { component: WHOLE.to_owned(), ..base });
    }
    Some(found.into_values().collect())
}

/// Name, bytes and checksum of each part of a run.
fn parts(run: &Json) -> impl Iterator<Item = (String, u64, String)> + '_ {
    let parts = items(run, "/parts").unwrap_or_default().iter();
    parts.map(|part| {
        let bytes = part.get("bytes").and_then(Json::as_u64).unwrap_or(0);
        (name(&text(part, "/name")), bytes, name(&text(part, "/sha256")))
    })
}

fn artifact(run: &Json) -> Option<Artifact> {
    let verified = time(run, "/verifiedAt");
    Some(Artifact {
        name: name(&text(run, "/backup")),
        at: time(run, "/startedAt")?,
        checksum_ok: match verified {
            Some(_) => Known::Known(true),
            None => Known::missing("it was not read again since it was made"),
        },
        // The repository takes nothing in clear.
        encrypted: Known::Known(true),
        verified,
        drilled: time(run, "/drilledAt"),
        ..Artifact::default()
    })
}

/// What names of files say of what is in them: the narrower before the wider.
const COMPONENTS: [(&str, &str); 13] = [
    ("couchdb", "couchdb"),
    ("postgres", "postgres"),
    ("pg_dump", "postgres"),
    ("database", "postgres"),
    ("redis", "redis"),
    ("etcd", "etcd"),
    ("orderer", "ledger"),
    ("peer", "ledger"),
    ("ledger", "ledger"),
    ("kubernetes", "kubernetes"),
    ("k8s", "kubernetes"),
    ("authorit", "authorities"),
    ("website", "website"),
];

/// `rclone lsjson` of a remote, with `-R --hash` at best.
fn listing(files: &[Json], place: &str) -> Option<Vec<Backup>> {
    let mut found: BTreeMap<(String, String, String), Backup> = BTreeMap::new();
    for file in files.iter().filter(|one| one.get("IsDir") != Some(&Json::Bool(true))) {
        let path = name(&text(file, "/Path"));
        let lower = path.to_ascii_lowercase();
        let component = component_of(&lower).to_owned();
        let environment = ["mainnet", "testnet", "devnet"].into_iter().find(|e| lower.contains(e));
        let environment = environment.unwrap_or_default().to_owned();
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let target = format!("{place}:{folder}");
        let artifact = Artifact {
            at: time(file, "/ModTime")?,
            bytes: u64::try_from(file.get("Size").and_then(Json::as_i64)?).ok()?,
            sha256: name(&text(file, "/Hashes/sha256")),
            checksum_ok: Known::missing("a listing does not compare checksums"),
            encrypted: encrypted(&lower),
            name: path,
            ..Artifact::default()
        };
        let key = (environment.clone(), component.clone(), target.clone());
        let own = found.entry(key).or_insert_with(|| Backup {
            component,
            environment,
            target,
            off_site: Known::Known(true),
            ..Backup::default()
        });
        own.artifacts.push(artifact);
    }
    for backup in found.values_mut() {
        backup.artifacts.sort_by_key(|one| one.at);
    }
    Some(found.into_values().collect())
}

fn component_of(path: &str) -> &'static str {
    let named = COMPONENTS.iter().find(|(word, _)| path.contains(word));
    let is_authority = path.split(['/', '-', '_', '.']).any(|word| word == "ca");
    match named {
        Some((_, component)) => component,
        None if is_authority => "authorities",
        None => WHOLE,
    }
}

/// Whether a file is encrypted, as far as its ending tells.
fn encrypted(path: &str) -> Known<bool> {
    let ending = path.rsplit('.').next().unwrap_or_default();
    match ending {
        "age" | "gpg" | "pgp" | "enc" => Known::Known(true),
        "gz" | "tgz" | "tar" | "zst" | "xz" | "bz2" | "zip" | "sql" | "dump" | "rdb" | "db"
        | "yaml" | "yml" | "json" => Known::Known(false),
        _ => Known::missing("its name does not tell"),
    }
}

/// What a log says when something has failed, whatever the exit status was.
const FAULTS: [&str; 10] = [
    "command not found",
    "no such file or directory",
    "noauth",
    "connection refused",
    "no space left",
    "permission denied",
    "authentication failed",
    "could not translate host name",
    "does not exist",
    "timed out",
];

/// The end of the log of a run. Only words of the list are kept of it.
pub(super) fn log(bundle: &Bundle<'_>) -> Backup {
    let log = bundle.body("log").map(str::to_ascii_lowercase);
    let faults = log.map(|log| {
        let there = FAULTS.iter().filter(|fault| log.contains(**fault));
        there.map(|fault| (*fault).to_owned()).collect()
    });
    Backup {
        component: name(bundle.place),
        environment: name(bundle.word("environment")),
        log_faults: faults.map_or_else(|| bundle.why("log"), Known::Known),
        ..Backup::default()
    }
}

/// What logs tell belongs to the backups of their component; alone only when there are none.
pub(super) fn joined(all: Vec<Backup>) -> Vec<Backup> {
    let (logs, mut backups): (Vec<Backup>, Vec<Backup>) =
        all.into_iter().partition(|one| one.target.is_empty());
    for log in logs {
        let of_it = |one: &&mut Backup| {
            one.component == log.component && one.environment == log.environment
        };
        let mut is_told = false;
        for backup in backups.iter_mut().filter(of_it) {
            backup.log_faults = log.log_faults.clone();
            is_told = true;
        }
        if !is_told {
            backups.push(log);
        }
    }
    backups
}
