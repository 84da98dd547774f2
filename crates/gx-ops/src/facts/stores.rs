//! PostgreSQL and Redis as they tell of themselves.

use std::collections::BTreeMap;

use super::{Keyed, Known, Time};

facts! {
    pub struct PgRole {
        pub name: String,
        pub can_login: bool,
        pub is_superuser: bool,
        pub can_replicate: bool,
    }

    /// A standby that streams from this server.
    pub struct PgStandby {
        pub name: String,
        pub state: String,
        pub sync_state: String,
        pub lag_bytes: Option<u64>,
        pub lag_ms: Option<u64>,
    }

    pub struct PgSlot {
        pub name: String,
        pub active: bool,
        pub wal_status: String,
    }

    /// How PostgreSQL's write-ahead log is archived, where that is switched on.
    pub struct PgArchiver {
        /// When a segment was last archived.
        pub archived: Option<Time>,
        /// When that last failed.
        pub failed: Option<Time>,
    }

    pub struct PgTable {
        pub name: String,
        /// As PostgreSQL counts them.
        pub rows: u64,
        pub dead_rows: u64,
        pub bytes: u64,
        /// Seconds since it was last vacuumed.
        pub vacuumed: Option<Time>,
        /// Whether its rows were counted, rather than estimated.
        pub is_exact: bool,
    }

    pub struct PgDatabase {
        pub name: String,
        pub bytes: u64,
        pub schema_version: Known<u32>,
        /// Over the definitions of all tables.
        pub schema_hash: String,
        pub tables: Vec<PgTable>,
        pub xid_age: u64,
        /// Whether its tables were looked into: of the database that was connected to alone.
        pub is_told: bool,
        /// The oldest version whose builds work with this schema; none: its own alone.
        pub schema_keeps: Option<u32>,
        /// Rows that a correction of data has not reached, by the name of the correction.
        pub uncorrected: Known<BTreeMap<String, u64>>,
        /// Accounts that are for tests.
        pub test_accounts: Known<u64>,
    }

    /// One server. Which one is the primary is asked, never guessed from its name.
    pub struct Postgres {
        /// `Pod NAMESPACE/NAME`, or an address.
        pub place: String,
        pub version: String,
        pub in_recovery: bool,
        pub settings: BTreeMap<String, String>,
        pub connections: u32,
        pub roles: Vec<PgRole>,
        pub standbys: Known<Vec<PgStandby>>,
        pub slots: Known<Vec<PgSlot>>,
        pub archiver: Known<PgArchiver>,
        pub databases: Known<Vec<PgDatabase>>,
        /// Sessions that wait for a lock.
        pub waiting: u32,
        pub longest_wait_seconds: u64,
        /// The same for a server and all its physical copies, and for no other.
        pub system_identifier: String,
        /// State of a standby's connection to what it follows; empty when there is none.
        pub receiver: String,
        /// How far a standby has not replayed what it has received.
        pub replay_lag_ms: Option<u64>,
    }

    pub struct Redis {
        /// `Pod NAMESPACE/NAME`, or an address.
        pub place: String,
        pub version: String,
        /// `master`, `slave` or `sentinel`.
        pub role: String,
        pub replicas: u32,
        /// Whom it follows.
        pub follows: String,
        pub link_up: Option<bool>,
        pub append_only: bool,
        pub last_save: Option<Time>,
        pub used_bytes: u64,
        pub max_bytes: u64,
        pub eviction: String,
        pub asks_password: Known<bool>,
        pub keys: u64,
        /// Of a sentinel: how many watch together.
        pub sentinels: Option<u32>,
    }
}

impl Keyed for Postgres {
    fn key(&self) -> String {
        self.place.clone()
    }
}

impl Keyed for Redis {
    fn key(&self) -> String {
        self.place.clone()
    }
}
