//! What backups and restores ask of a database: whether it is the primary, which tables it has and
//! how many rows, whether its file is sound, and a view that `pg_dump` can share.
//!
//! Nothing here writes.

use std::collections::BTreeMap;

use crate::sql::sql;
use crate::{Engine, Error, Snapshot, Source, Store, dialect};

/// Whether the server only follows another one. A backup of it would be of some moment before; and
/// after a failover, of one that never was.
///
/// # Errors
/// Those of the database.
pub async fn is_replica(store: &Store) -> Result<bool, Error> {
    if store.engine() == Engine::Sqlite {
        return Ok(false);
    }
    let mut reader = Source::from(store).open().await?;
    let row = sql(dialect::POSTGRES_IS_REPLICA).one(&mut reader.conn()).await?;
    row.flag(0)
}

/// The name under which another session of the same PostgreSQL server sees what this snapshot
/// sees, for as long as it lives; SQLite has none.
///
/// # Errors
/// Those of the database.
pub async fn share(snapshot: &mut Snapshot) -> Result<Option<String>, Error> {
    let mut reader = Source::from(snapshot).open().await?;
    let mut conn = reader.conn();
    if conn.engine() == Engine::Sqlite {
        return Ok(None);
    }
    let row = sql(dialect::POSTGRES_SHARE_SNAPSHOT).one(&mut conn).await?;
    row.string(0).map(Some)
}

/// The names of all tables.
///
/// # Errors
/// Those of the database.
pub async fn tables(source: impl Into<Source<'_>>) -> Result<Vec<String>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let rows = sql(dialect::tables(conn.engine())).all(&mut conn).await?;
    rows.iter().map(|row| row.string(0)).collect()
}

/// The file that holds the rows of each table, from the data folder of a PostgreSQL server; SQLite
/// has one file for all, and none is named.
///
/// # Errors
/// Those of the database.
pub async fn table_files(source: impl Into<Source<'_>>) -> Result<BTreeMap<String, String>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    if conn.engine() == Engine::Sqlite {
        return Ok(BTreeMap::new());
    }
    let rows = sql(dialect::POSTGRES_TABLE_FILES).all(&mut conn).await?;
    rows.iter().map(|row| Ok((row.string(0)?, row.string(1)?))).collect()
}

/// How many rows each table has; no tables in an empty database.
///
/// # Errors
/// Those of the database.
pub async fn rows(source: impl Into<Source<'_>>) -> Result<BTreeMap<String, u64>, Error> {
    let mut reader = source.into().open().await?;
    let mut conn = reader.conn();
    let mut rows = BTreeMap::new();
    for row in sql(dialect::tables(conn.engine())).all(&mut conn).await? {
        let table = row.string(0)?;
        let quoted = table.replace('"', "\"\"");
        let count = sql(format!("SELECT count(*) FROM \"{quoted}\"")).one(&mut conn).await?;
        rows.insert(table, count.natural(0)?);
    }
    Ok(rows)
}

/// What SQLite finds wrong in its file; PostgreSQL finds nothing here.
///
/// # Errors
/// Those of the database.
pub async fn damage(store: &Store) -> Result<Option<String>, Error> {
    if store.engine() == Engine::Postgres {
        return Ok(None);
    }
    let mut reader = Source::from(store).open().await?;
    let found = sql("PRAGMA integrity_check(1)").one(&mut reader.conn()).await?.string(0)?;
    Ok(Some(found).filter(|found| found != "ok"))
}
