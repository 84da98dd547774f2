//! The row of `postgres.sql`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::name;
use crate::facts::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Row {
    #[serde(rename = "gx")]
    _gx: String,
    #[serde(rename = "at")]
    _at: i64,
    place: String,
    version: String,
    in_recovery: bool,
    system_identifier: String,
    settings: BTreeMap<String, String>,
    connections: u32,
    roles: Vec<PgRole>,
    standbys: Option<Vec<Standby>>,
    slots: Vec<PgSlot>,
    /// Older scripts do not ask.
    archiver: Option<Archiver>,
    receiver: String,
    replay_lag_ms: Option<u64>,
    waiting: u32,
    longest_wait_seconds: u64,
    connected_to: String,
    schema_version: Option<u32>,
    schema_keeps: Option<u32>,
    other_hashes: Option<u64>,
    test_accounts: Option<u64>,
    schema_hash: String,
    tables: Vec<Table>,
    databases: Vec<Database>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Standby {
    name: String,
    state: String,
    sync_state: String,
    lag_bytes: Option<u64>,
    lag_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Archiver {
    archived_at: Option<i64>,
    failed_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Table {
    name: String,
    rows: u64,
    is_exact: bool,
    dead_rows: u64,
    bytes: u64,
    vacuumed_at: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Database {
    name: String,
    bytes: u64,
    xid_age: u64,
}

/// Settings that are harmless, and that the script asks for.
const SETTINGS: [&str; 16] = [
    "archive_mode",
    "autovacuum",
    "fsync",
    "full_page_writes",
    "hot_standby",
    "max_connections",
    "max_replication_slots",
    "max_wal_senders",
    "password_encryption",
    "port",
    "reserved_connections",
    "shared_buffers",
    "ssl",
    "superuser_reserved_connections",
    "synchronous_commit",
    "wal_level",
];

/// The correction that kept passwords of another form wait for.
const HASHES: &str = "the conversion of password hashes to Argon2id";

fn readable<T>(rows: Option<T>) -> Known<T> {
    rows.map_or_else(|| Known::missing("no table of it that the role may read"), Known::Known)
}

/// The server that a row tells of; none when it has not the form of one.
pub(super) fn row(document: &Json, place: &str) -> Option<Postgres> {
    let row = Row::deserialize(document).ok()?;
    let mut told: Option<(Vec<PgTable>, Known<u32>, String)> = Some((
        row.tables.into_iter().map(table).collect(),
        row.schema_version.map_or_else(
            || Known::missing("there is no table of migrations that it may read"),
            Known::Known,
        ),
        row.schema_hash,
    ));
    let databases = row.databases.into_iter().map(|one| {
        let is_told = one.name == row.connected_to;
        let (tables, schema_version, schema_hash) =
            is_told.then(|| told.take()).flatten().unwrap_or_else(|| {
                (Vec::new(), Known::missing("it was not connected to"), String::new())
            });
        PgDatabase {
            name: one.name,
            bytes: one.bytes,
            xid_age: one.xid_age,
            schema_version,
            schema_hash,
            tables,
            is_told,
            schema_keeps: row.schema_keeps.filter(|_| is_told),
            uncorrected: readable(
                row.other_hashes
                    .filter(|_| is_told)
                    .map(|rows| BTreeMap::from([(HASHES.to_owned(), rows)])),
            ),
            test_accounts: readable(row.test_accounts.filter(|_| is_told)),
        }
    });
    let standbys = row.standbys.map(|all| all.into_iter().map(standby).collect());
    let named = name(&row.place);
    Some(Postgres {
        place: if named.is_empty() { place.to_owned() } else { named },
        version: name(&row.version),
        in_recovery: row.in_recovery,
        settings: row
            .settings
            .into_iter()
            .filter(|(key, value)| SETTINGS.contains(&key.as_str()) && value.len() <= 40)
            .collect(),
        connections: row.connections,
        roles: row.roles,
        standbys: standbys
            .map_or_else(|| Known::missing("the role is not a member of pg_monitor"), Known::Known),
        slots: Known::Known(row.slots),
        archiver: row.archiver.map_or_else(
            || Known::missing("the script of an older version did not ask"),
            |one| {
                Known::Known(PgArchiver {
                    archived: one.archived_at.map(Time::from_seconds),
                    failed: one.failed_at.map(Time::from_seconds),
                })
            },
        ),
        databases: Known::Known(databases.collect()),
        waiting: row.waiting,
        longest_wait_seconds: row.longest_wait_seconds,
        system_identifier: row.system_identifier,
        receiver: row.receiver,
        replay_lag_ms: row.replay_lag_ms,
    })
}

fn standby(one: Standby) -> PgStandby {
    PgStandby {
        name: name(&one.name),
        state: one.state,
        sync_state: one.sync_state,
        lag_bytes: one.lag_bytes,
        lag_ms: one.lag_ms,
    }
}

fn table(one: Table) -> PgTable {
    PgTable {
        name: one.name,
        rows: one.rows,
        dead_rows: one.dead_rows,
        bytes: one.bytes,
        vacuumed: one.vacuumed_at.map(Time::from_seconds),
        is_exact: one.is_exact,
    }
}
