//! What was saved, where it lies, and what is known to be good of it.

use super::{Keyed, Known, Time};

facts! {
    pub struct Artifact {
        pub name: String,
        pub at: Time,
        pub bytes: u64,
        pub sha256: String,
        /// Whether the checksum was the same after it was moved.
        pub checksum_ok: Known<bool>,
        pub encrypted: Known<bool>,
        /// When it was last read again and found whole.
        pub verified: Option<Time>,
        /// When it was last restored.
        pub drilled: Option<Time>,
        /// Parts it must have, and does not.
        pub missing_parts: Vec<String>,
    }

    /// The backups of one component at one target.
    pub struct Backup {
        /// Such as `postgres`, `ledger`, `etcd`.
        pub component: String,
        pub environment: String,
        /// Where the artifacts lie.
        pub target: String,
        /// Host that holds the target; empty when it is none of the cluster's.
        pub host: String,
        pub artifacts: Vec<Artifact>,
        /// When the last run began, whatever came of it.
        pub last_run: Option<Time>,
        pub last_run_failed: Known<bool>,
        pub interval_seconds: Option<u64>,
        pub retention_days: Option<u32>,
        /// Server that it was taken from.
        pub taken_from: String,
        /// Whether the target stands outside of the place of what it is a copy of.
        pub off_site: Known<bool>,
        /// Since when it is made, as far as that is known.
        pub since: Option<Time>,
        /// Words of the log of the last run that say that something failed.
        pub log_faults: Known<Vec<String>>,
    }
}

impl Keyed for Backup {
    fn key(&self) -> String {
        format!("{}/{} {}", self.environment, self.component, self.target)
    }
}
