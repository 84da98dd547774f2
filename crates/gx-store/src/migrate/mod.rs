//! The schema: numbered migrations, each in one transaction with the note that it ran.
//!
//! Both engines run the same texts; what PostgreSQL has beside them (a sequence, views for people)
//! stands in files of its own and makes no table. A migration that has been released is never
//! edited: another one follows it.

use gx_types::NetworkId;
use sqlx::{AssertSqlSafe, Executor};

use crate::sql::{Conn, Row, sql};
use crate::store::Source;
use crate::{Engine, Error, Store, dialect};

/// One step of the schema.
struct Migration {
    version: i64,
    name: &'static str,
    both: &'static str,
    postgres: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "commands",
        both: include_str!("sql/0001_commands.sql"),
        postgres: include_str!("sql/0001_postgres.sql"),
    },
    Migration {
        version: 2,
        name: "read_models",
        both: include_str!("sql/0002_read_models.sql"),
        postgres: include_str!("sql/0002_postgres.sql"),
    },
    Migration {
        version: 3,
        name: "local",
        both: include_str!("sql/0003_local.sql"),
        postgres: include_str!("sql/0003_postgres.sql"),
    },
    Migration {
        version: 4,
        name: "domains",
        both: include_str!("sql/0004_domains.sql"),
        postgres: include_str!("sql/0004_postgres.sql"),
    },
    Migration {
        version: 5,
        name: "refresh_grace",
        both: include_str!("sql/0005_refresh_grace.sql"),
        postgres: "",
    },
    Migration {
        version: 6,
        name: "credentials",
        both: include_str!("sql/0006_credentials.sql"),
        postgres: include_str!("sql/0006_postgres.sql"),
    },
    Migration {
        version: 7,
        name: "expired_tokens",
        both: include_str!("sql/0007_expired_tokens.sql"),
        postgres: "",
    },
    Migration { version: 8, name: "lanes", both: include_str!("sql/0008_lanes.sql"), postgres: "" },
    Migration {
        version: 9,
        name: "hardened",
        both: include_str!("sql/0009_hardened.sql"),
        postgres: include_str!("sql/0009_postgres.sql"),
    },
    Migration {
        version: 10,
        name: "governed",
        both: include_str!("sql/0010_governed.sql"),
        postgres: include_str!("sql/0010_postgres.sql"),
    },
    Migration {
        version: 11,
        name: "organizations",
        both: include_str!("sql/0011_organizations.sql"),
        postgres: include_str!("sql/0011_postgres.sql"),
    },
    Migration {
        version: 12,
        name: "money",
        both: include_str!("sql/0012_money.sql"),
        postgres: include_str!("sql/0012_postgres.sql"),
    },
    Migration {
        version: 13,
        name: "people",
        both: include_str!("sql/0013_people.sql"),
        postgres: include_str!("sql/0013_postgres.sql"),
    },
    Migration {
        version: 14,
        name: "rest",
        both: include_str!("sql/0014_rest.sql"),
        postgres: include_str!("sql/0014_postgres.sql"),
    },
    Migration {
        version: 15,
        name: "attesters",
        both: include_str!("sql/0015_attesters.sql"),
        postgres: include_str!("sql/0015_postgres.sql"),
    },
    Migration {
        version: 16,
        name: "second_factors",
        both: include_str!("sql/0016_second_factors.sql"),
        postgres: include_str!("sql/0016_postgres.sql"),
    },
    Migration {
        version: 17,
        name: "administration",
        both: include_str!("sql/0017_administration.sql"),
        postgres: include_str!("sql/0017_postgres.sql"),
    },
    Migration {
        version: 18,
        name: "registration",
        both: include_str!("sql/0018_registration.sql"),
        postgres: include_str!("sql/0018_postgres.sql"),
    },
    Migration {
        version: 19,
        name: "documents",
        both: include_str!("sql/0019_documents.sql"),
        postgres: include_str!("sql/0019_postgres.sql"),
    },
    Migration {
        version: 20,
        name: "qsend_passkeys",
        both: include_str!("sql/0020_qsend_passkeys.sql"),
        postgres: include_str!("sql/0020_postgres.sql"),
    },
    Migration {
        version: 21,
        name: "notifications_webhooks",
        both: include_str!("sql/0021_notifications_webhooks.sql"),
        postgres: include_str!("sql/0021_postgres.sql"),
    },
    Migration {
        version: 22,
        name: "partners",
        both: include_str!("sql/0022_partners.sql"),
        postgres: include_str!("sql/0022_postgres.sql"),
    },
    Migration {
        version: 23,
        name: "indexes",
        both: include_str!("sql/0023_indexes.sql"),
        postgres: "",
    },
    Migration {
        version: 24,
        name: "deployments",
        both: include_str!("sql/0024_deployments.sql"),
        postgres: include_str!("sql/0024_postgres.sql"),
    },
    Migration {
        version: 25,
        name: "counts",
        both: include_str!("sql/0025_counts.sql"),
        postgres: "",
    },
    Migration {
        version: 26,
        name: "partner_webhooks",
        both: include_str!("sql/0026_partner_webhooks.sql"),
        postgres: "",
    },
    Migration {
        version: 27,
        name: "taxes",
        both: include_str!("sql/0027_taxes.sql"),
        postgres: "",
    },
];

/// The schema version that this build brings.
pub const SCHEMA_VERSION: i64 = 27;

/// The oldest version whose builds go on working, and may start again, with this build's schema.
///
/// It becomes the version of a migration that takes something away or changes what is there, so
/// that whatever an older build writes or reads would fail; one that only adds leaves it. A test
/// reads the texts of the migrations above it.
pub const SCHEMA_KEEPS: i64 = 27;

/// What [`Store::migrate`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The names of the migrations that ran now.
    pub ran: Vec<&'static str>,
    pub version: i64,
}

/// The tables that say what the database is. Made by the first migration run, kept for ever.
const FOUNDATION: &str = "
CREATE TABLE IF NOT EXISTS schema_migrations (
    version BIGINT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at_ms BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS network (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    network_id TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS identity_pepper (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    fingerprint TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS schema_keeps (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);";

impl Store {
    /// Brings the schema to this build's version and gives the database its network.
    ///
    /// May be interrupted anywhere and run again; processes that run it at once take turns. A newer
    /// schema that keeps builds of this version stays as it is.
    ///
    /// # Errors
    /// When the schema is newer than this build can work with, or the database belongs to another
    /// network; then nothing was changed.
    pub async fn migrate(&self, network: NetworkId) -> Result<Migrated, Error> {
        self.migrate_to(network, SCHEMA_VERSION).await
    }

    async fn migrate_to(&self, network: NetworkId, last: i64) -> Result<Migrated, Error> {
        let found = self.found(network).await?;
        let mut ran = Vec::new();
        for migration in MIGRATIONS.iter().filter(|migration| migration.version <= last) {
            if self.step(migration).await? {
                tracing::debug!(version = migration.version, name = migration.name, "migrated");
                ran.push(migration.name);
            }
        }
        Ok(Migrated { ran, version: last.max(found) })
    }

    /// Makes the tables that say what the database is, and compares what they say. Gives the
    /// version that was found.
    async fn found(&self, network: NetworkId) -> Result<i64, Error> {
        let mut tx = self.begin().await?;
        let engine = self.engine();
        let mut conn = tx.conn();
        take_turns(engine, &mut conn).await?;
        script(engine, &mut conn, FOUNDATION).await?;
        let found = version(&mut conn).await?;
        if found > SCHEMA_VERSION {
            check_kept(&mut conn, found).await?;
        }
        sql("INSERT INTO network (id, network_id) VALUES (1, $1) ON CONFLICT DO NOTHING")
            .bind(network.as_str())
            .run(&mut conn)
            .await?;
        check_network(&mut conn, network).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Runs one migration unless it ran before.
    async fn step(&self, migration: &Migration) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let engine = self.engine();
        let mut conn = tx.conn();
        take_turns(engine, &mut conn).await?;
        if version(&mut conn).await? >= migration.version {
            return Ok(false);
        }
        script(engine, &mut conn, migration.both).await?;
        if engine == Engine::Postgres && !migration.postgres.is_empty() {
            script(engine, &mut conn, migration.postgres).await?;
        }
        sql(dialect::now(
            engine,
            "INSERT INTO schema_migrations (version, name, applied_at_ms) VALUES ($1, $2, {now})",
        ))
        .bind(migration.version)
        .bind(migration.name)
        .run(&mut conn)
        .await?;
        sql("INSERT INTO schema_keeps (id, version) VALUES (1, $1)
            ON CONFLICT (id) DO UPDATE SET version = excluded.version")
        .bind(SCHEMA_KEEPS.min(migration.version))
        .run(&mut conn)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Whether this build can work with the database, on this network: with the schema that it
    /// brings, or with a newer one that keeps builds of its version.
    ///
    /// # Errors
    /// [`Error::SchemaVersion`] or [`Error::Network`] with what was found; version 0 is an empty
    /// database.
    pub async fn check(&self, network: NetworkId) -> Result<(), Error> {
        let mut reader = Source::from(self).open().await?;
        let mut conn = reader.conn();
        let found = if has_foundation(self.engine(), &mut conn).await? {
            version(&mut conn).await?
        } else {
            0
        };
        if found > SCHEMA_VERSION {
            check_kept(&mut conn, found).await?;
        } else if found < SCHEMA_VERSION {
            return Err(Error::SchemaVersion { found, expected: SCHEMA_VERSION });
        }
        check_network(&mut conn, network).await
    }
}

impl Store {
    /// Pins the pepper that identities are hashed with, at the first call; another one is refused
    /// ever after. With another pepper a person's identity would have another hash, and the one
    /// human could have a second account.
    ///
    /// # Errors
    /// [`Error::Pepper`].
    pub async fn pin_pepper(&self, fingerprint: &str) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let mut conn = tx.conn();
        sql("INSERT INTO identity_pepper (id, fingerprint) VALUES (1, $1) ON CONFLICT DO NOTHING")
            .bind(fingerprint)
            .run(&mut conn)
            .await?;
        let row =
            sql("SELECT fingerprint FROM identity_pepper WHERE id = 1").one(&mut conn).await?;
        if row.text(0)? != fingerprint {
            return Err(Error::Pepper);
        }
        tx.commit().await
    }
}

/// Keeps a second process that migrates waiting. SQLite has one writer anyway.
async fn take_turns(engine: Engine, conn: &mut Conn<'_>) -> Result<(), Error> {
    if engine == Engine::Postgres {
        sql(dialect::POSTGRES_LOCK_MIGRATION).all(conn).await?;
    }
    Ok(())
}

async fn has_foundation(engine: Engine, conn: &mut Conn<'_>) -> Result<bool, Error> {
    let found = sql(dialect::has_table(engine)).bind("schema_migrations").optional(conn).await?;
    Ok(found.is_some())
}

async fn version(conn: &mut Conn<'_>) -> Result<i64, Error> {
    sql("SELECT COALESCE(MAX(version), 0) FROM schema_migrations").one(conn).await?.int(0)
}

/// Whether a newer schema keeps builds of this version, as whoever migrated has noted.
async fn check_kept(conn: &mut Conn<'_>, found: i64) -> Result<(), Error> {
    let keeps = sql("SELECT version FROM schema_keeps WHERE id = 1").optional(conn).await?;
    let keeps = keeps.map_or(Ok(found), |row| row.int(0))?;
    if keeps > SCHEMA_VERSION {
        return Err(Error::SchemaVersion { found, expected: SCHEMA_VERSION });
    }
    Ok(())
}

async fn check_network(conn: &mut Conn<'_>, expected: NetworkId) -> Result<(), Error> {
    let row = sql("SELECT network_id FROM network WHERE id = 1").one(conn).await?;
    let found: NetworkId = network_of(&row)?;
    if found == expected { Ok(()) } else { Err(Error::Network { found, expected }) }
}

fn network_of(row: &Row) -> Result<NetworkId, Error> {
    row.parse(0, "network id")
}

/// Runs a text of several statements.
async fn script(engine: Engine, conn: &mut Conn<'_>, text: &str) -> Result<(), Error> {
    let script = sqlx::raw_sql(AssertSqlSafe(dialect::schema(engine, text)));
    match conn {
        Conn::Sqlite(conn) => conn.execute(script).await.map(drop),
        Conn::Postgres(conn, _) => conn.execute(script).await.map(drop),
    }
    .map_err(|source| Error::sql("migrating", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What takes away, changes, or asks for more than a build of before gives.
    const BREAKS: [&str; 9] = [
        "drop table",
        "drop column",
        "rename",
        "alter column",
        "delete from",
        "update ",
        "create unique index",
        "add constraint",
        "set not null",
    ];

    /// The first thing in a migration that builds of before it could not live with.
    fn breaks(text: &str) -> Option<String> {
        text.lines().map(str::to_ascii_lowercase).find(|line| {
            let line = line.split("--").next().unwrap_or_default();
            let adds = line.contains("add column");
            let demands = adds && line.contains("not null") && !line.contains("default");
            demands || BREAKS.iter().any(|word| line.contains(word))
        })
    }

    #[test]
    fn what_keeps_older_builds_only_adds() {
        const { assert!(SCHEMA_KEEPS <= SCHEMA_VERSION) };
        for migration in MIGRATIONS.iter().filter(|migration| migration.version > SCHEMA_KEEPS) {
            for text in [migration.both, migration.postgres] {
                let name = migration.name;
                assert_eq!(breaks(text), None, "{name}: SCHEMA_KEEPS has to follow");
            }
        }
    }

    #[test]
    fn what_breaks_is_seen() {
        for text in [
            "ALTER TABLE a DROP COLUMN b;",
            "ALTER TABLE a\n    ADD COLUMN b BIGINT NOT NULL;",
            "UPDATE a SET b = 1;",
            "CREATE UNIQUE INDEX a_b_idx ON a (b);",
        ] {
            assert!(breaks(text).is_some(), "{text}");
        }
        for text in [
            "CREATE TABLE a (b BIGINT NOT NULL);",
            "ALTER TABLE a ADD COLUMN b BIGINT NOT NULL DEFAULT 0;",
            "-- Nothing is dropped: no DROP TABLE.",
            "CREATE INDEX a_b_idx ON a (updated_at_ms);",
        ] {
            assert_eq!(breaks(text), None, "{text}");
        }
    }
}
