//! Everything that differs between SQLite and PostgreSQL, beside bulk rows.
//!
//! A statement is here only because the engines have no common form of it. Each comes as a pair
//! that does the same.

use crate::Engine;
use crate::sql::Link;

/// Settings of the connection that writes. A commit may walk the whole cache, so that a larger one
/// makes small transactions slower; what it does not hold comes from the system's cache.
pub(crate) const SQLITE_WRITER_PRAGMAS: &[(&str, &str)] =
    &[("cache_size", "-16384"), ("wal_autocheckpoint", "8000"), ("journal_size_limit", "67108864")];

/// Settings of the connections that read. The file is mapped, so that they share its pages.
pub(crate) const SQLITE_READER_PRAGMAS: &[(&str, &str)] =
    &[("cache_size", "-4096"), ("mmap_size", "1073741824"), ("query_only", "1")];

/// Settings of every connection.
///
/// A leader that is stopped in the middle of a transaction holds its lease's row; the server ends
/// such a transaction so that another can take over.
pub(crate) const POSTGRES_SETTINGS: [(&str, &str); 6] = [
    ("timezone", "UTC"),
    ("jit", "off"),
    ("random_page_cost", "1.1"),
    ("plan_cache_mode", "auto"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "5s"),
];

/// Asks for one of the settings: those of a connection are in effect together, or none is.
pub(crate) const POSTGRES_SHOW_SETTING: &str = "SHOW idle_in_transaction_session_timeout";
pub(crate) const POSTGRES_SHOWN: &str = "5s";

/// The settings that are asked for when a connection is made, those that differ from the server's
/// own, for a transaction behind a pooler: it lends a session that knows nothing of the last one.
macro_rules! pooled {
    ($begin:literal) => {
        concat!(
            $begin,
            "; SET LOCAL jit = off; SET LOCAL random_page_cost = 1.1; ",
            "SET LOCAL lock_timeout = '10s'; ",
            "SET LOCAL idle_in_transaction_session_timeout = '5s'",
        )
    };
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Writes whose commit waits for the disk.
    Durable,
    /// Writes whose commit does not wait for the disk.
    Rebuildable,
    /// Several reads of one moment.
    Snapshot,
    /// One read.
    Read,
}

impl Purpose {
    pub(crate) const fn begin_sqlite(self) -> &'static str {
        match self {
            Self::Durable => "PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
            Self::Rebuildable => "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
            Self::Snapshot | Self::Read => "BEGIN",
        }
    }

    pub(crate) const fn begin_postgres(self, link: Link) -> &'static str {
        match (link, self) {
            (Link::Direct, Self::Durable) => "BEGIN",
            (Link::Direct, Self::Rebuildable) => "BEGIN; SET LOCAL synchronous_commit = off",
            (Link::Direct, Self::Snapshot) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            (Link::Direct, Self::Read) => "BEGIN READ ONLY",
            (Link::Pooled, Self::Durable) => pooled!("BEGIN"),
            (Link::Pooled, Self::Rebuildable) => {
                pooled!("BEGIN; SET LOCAL synchronous_commit = off")
            }
            (Link::Pooled, Self::Snapshot) => {
                pooled!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            }
            (Link::Pooled, Self::Read) => pooled!("BEGIN READ ONLY"),
        }
    }
}

impl Engine {
    pub(crate) const fn pick(self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite => sqlite,
            Self::Postgres => postgres,
        }
    }
}

/// The database's clock in milliseconds, in place of `{now}`.
pub(crate) fn now(engine: Engine, text: &str) -> String {
    text.replace(
        "{now}",
        engine.pick(
            "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
        ),
    )
}

/// The schema's text: 64-bit integers, texts compared by bytes, and tables kept in key order.
pub(crate) fn schema(engine: Engine, text: &str) -> String {
    match engine {
        // Only a column of exactly this type is the row's own number in SQLite.
        Engine::Sqlite => {
            text.replace("BIGINT", "INTEGER").replace("{clustered}", " WITHOUT ROWID")
        }
        Engine::Postgres => text.replace(" TEXT", " TEXT COLLATE \"C\"").replace("{clustered}", ""),
    }
}

/// A row when the table `$1` exists.
pub(crate) const fn has_table(engine: Engine) -> &'static str {
    engine.pick(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
        "SELECT 1 FROM information_schema.tables
        WHERE table_schema = current_schema() AND table_name = $1",
    )
}

/// Keeps other processes that migrate waiting until the transaction ends.
pub(crate) const POSTGRES_LOCK_MIGRATION: &str = "SELECT pg_advisory_xact_lock(7424170001)";

/// Whether the server only replays what another one wrote.
pub(crate) const POSTGRES_IS_REPLICA: &str =
    "SELECT CAST(CASE WHEN pg_is_in_recovery() THEN 1 ELSE 0 END AS BIGINT)";

/// Gives the present transaction's view a name that `pg_dump --snapshot` takes.
pub(crate) const POSTGRES_SHARE_SNAPSHOT: &str = "SELECT pg_export_snapshot()";

/// Every table and the file that holds its rows, from the data folder.
pub(crate) const POSTGRES_TABLE_FILES: &str =
    "SELECT CAST(c.relname AS TEXT), pg_relation_filepath(c.oid) FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = current_schema() AND c.relkind = 'r' ORDER BY 1";

/// The names of all tables.
pub(crate) const fn tables(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "SELECT name FROM sqlite_master
            WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
        }
        Engine::Postgres => {
            "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()"
        }
    }
}

/// Inserts outbox rows that are not there. On SQLite the caller numbers them; on PostgreSQL they
/// are numbered in order, and number and id come back.
///
/// There numbers are drawn by transactions side by side and become visible in any order.
/// A transaction gets its id before it draws its first number, so that the id bounds how long a
/// missing number may still appear; see `submission`. Rows are inserted in the order of their
/// command ids, so that two transactions with the same commands wait for each other rather than
/// deadlock.
pub(crate) const fn insert_outbox(engine: Engine) -> &'static str {
    engine.pick(
        "INSERT INTO outbox
        (command_id, actor, role, function, args, service, traceparent, created_at_ms, signature,
            seq)
        {rows}
        ON CONFLICT (command_id) DO NOTHING",
        "WITH x AS MATERIALIZED (SELECT pg_current_xact_id() AS xid),
        input (command_id, actor, role, function, args, service, traceparent, created_at_ms,
            signature, place) AS (SELECT * FROM ROWS FROM ({unnest}) WITH ORDINALITY),
        fresh AS (
            SELECT i.* FROM x, input i
            WHERE x.xid IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.command_id = i.command_id)
            ORDER BY i.place),
        numbered AS MATERIALIZED (SELECT nextval('outbox_seq') AS seq, f.* FROM fresh f)
        INSERT INTO outbox
        (seq, command_id, actor, role, function, args, service, traceparent, created_at_ms,
            signature)
        SELECT seq, command_id, actor, role, function, args, service, traceparent, created_at_ms,
            signature
        FROM numbered ORDER BY command_id
        ON CONFLICT (command_id) DO NOTHING RETURNING seq, command_id",
    )
}

/// A row when the lease `$1` is held by `$2` under epoch `$3`; locked against a take-over.
pub(crate) const fn fence(engine: Engine) -> &'static str {
    engine.pick(
        "SELECT epoch FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3",
        "SELECT epoch FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3 FOR SHARE",
    )
}

/// The submitter's row, and the horizon of the snapshot: every transaction below `xmin` has ended,
/// none at or above `xmax` had begun. SQLite has one writer and no such horizon.
pub(crate) const fn read_submission(engine: Engine) -> &'static str {
    engine.pick(
        "SELECT last_seq, gaps, last_batch_no, 0, 0 FROM submission WHERE id = 1",
        "SELECT last_seq, gaps, last_batch_no,
            pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
            pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        FROM submission WHERE id = 1",
    )
}

/// Removes all rows of a table of this crate.
pub(crate) fn empty(engine: Engine, table: &'static str) -> String {
    [engine.pick("DELETE FROM ", "TRUNCATE TABLE "), table].concat()
}

/// The end of the audit chain, locked until the transaction ends.
pub(crate) const fn lock_audit_head(engine: Engine) -> &'static str {
    engine.pick(
        "SELECT seq, hash FROM audit_head WHERE id = 1",
        "SELECT seq, hash FROM audit_head WHERE id = 1 FOR UPDATE",
    )
}

/// Administrators with the role `$1` and the status `$2`, locked until the transaction ends.
pub(crate) const fn lock_admins(engine: Engine) -> &'static str {
    engine.pick(
        "SELECT admin_id FROM admins WHERE role = $1 AND status = $2 ORDER BY admin_id",
        "SELECT admin_id FROM admins WHERE role = $1 AND status = $2 ORDER BY admin_id FOR UPDATE",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn behind_a_pooler_transactions_have_the_settings_of_connections() {
        // What every server has by itself, or drivers ask for.
        let given = ["timezone", "plan_cache_mode"];
        let asked = POSTGRES_SETTINGS.iter().filter(|(name, _)| !given.contains(name));
        for (name, value) in asked {
            for purpose in
                [Purpose::Durable, Purpose::Rebuildable, Purpose::Snapshot, Purpose::Read]
            {
                let begin = purpose.begin_postgres(Link::Pooled).replace('\'', "");
                assert!(begin.contains(&format!("SET LOCAL {name} = {value}")), "{name}: {begin}");
            }
        }
    }
}
