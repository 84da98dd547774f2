//! What a backup says of itself: the manifest, written last, and the proofs that follow it.
//!
//! Parts without a manifest are what a killed run has left; they are no backup.

use serde::{Deserialize, Serialize};

/// One backup: parts that were captured together and are restored together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    pub version: u32,
    /// Time of the start in UTC and eight digits of chance: `20260131T020000Z-1a2b3c4d`.
    pub id: String,
    pub network: String,
    /// The machine that it was made on.
    pub host: String,
    /// Version of this program.
    pub program: String,
    /// Milliseconds since 1970, as everywhere here.
    pub started_at_ms: i64,
    pub finished_at_ms: i64,
    pub parts: Vec<Part>,
    pub heights: Heights,
}

/// The version of manifests that this build writes and reads.
pub(crate) const VERSION: u32 = 1;

impl Manifest {
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).fold(0, u64::saturating_add)
    }
}

/// One thing that was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Part {
    /// `database`, `ledger`, `keys` or the name that the settings give it.
    pub name: String,
    pub kind: Kind,
    /// The snapshot of the repository that holds it.
    pub snapshot: String,
    /// Before compression.
    pub bytes: u64,
    pub files: u64,
    /// Of everything in it, in order; a folder has none, its files have theirs in the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Rows of each table, where the dump says.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub rows: std::collections::BTreeMap<String, u64>,
    /// What a base needs of the write-ahead log, and holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogRange>,
}

/// A piece of PostgreSQL's write-ahead log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogRange {
    /// The name of its first segment.
    pub first: String,
    /// Where it ends, as PostgreSQL writes places of the log.
    pub end: String,
    pub timeline: u32,
}

/// What a part is, and so how it is checked and restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A dump of PostgreSQL as text.
    Postgres,
    /// Every file of a cluster of PostgreSQL, as a tar archive.
    Base,
    /// The file of SQLite and its write-ahead log.
    Sqlite,
    /// An archive of the embedded ledger.
    Ledger,
    Folder,
    /// The output of a program.
    Output,
}

/// Which blocks the parts hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Heights {
    /// The last block in the database: between these two. They are the same for PostgreSQL, whose
    /// dump is of one moment that it can be asked about.
    pub database_from: u64,
    pub database_to: u64,
    /// The last block of the ledger; 0 without one.
    pub ledger: u64,
}

/// That a backup was looked into and found good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proof {
    pub backup: String,
    pub how: How,
    pub at_ms: i64,
    pub took_ms: u64,
}

/// How a backup was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Every byte was read again and held against its checksums.
    Verified,
    /// It was restored beside production and verified as a platform.
    Drilled,
}
