//! Connections: pools, write transactions, read views, and what functions may read from.
//!
//! SQLite has one writer connection that transactions queue up for in order, and readers beside it
//! that see the last commit. PostgreSQL has one pool. Nothing here knows a table.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    ConnectOptions, Connection, Executor as _, PgPool, Postgres, Row as _, Sqlite, SqlitePool,
    Transaction,
};

use crate::dialect::Purpose;
use crate::sql::{Conn, Link, sql};
use crate::{Config, Error, PostgresConfig, SqliteConfig, dialect};

/// The SQL engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A database. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool, Link),
}

/// How much of a pool of connections is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// `writer` and `readers` of SQLite, `all` of PostgreSQL.
    pub pool: &'static str,
    pub in_use: u32,
    pub max: u32,
}

/// A write transaction. Dropped without [`Tx::commit`], it leaves nothing.
#[derive(Debug)]
pub struct Tx(TxKind);

#[derive(Debug)]
enum TxKind {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>, Link),
}

/// One consistent view of the database over several reads.
#[derive(Debug)]
pub struct Snapshot(TxKind);

/// What a reading function reads from.
#[derive(Debug)]
pub enum Source<'a> {
    /// The last commit.
    Store(&'a Store),
    /// A consistent view.
    Snapshot(&'a mut Snapshot),
    /// A transaction with its own writes.
    Tx(&'a mut Tx),
}

impl<'a> From<&'a Store> for Source<'a> {
    fn from(store: &'a Store) -> Self {
        Self::Store(store)
    }
}

impl<'a> From<&'a mut Snapshot> for Source<'a> {
    fn from(snapshot: &'a mut Snapshot) -> Self {
        Self::Snapshot(snapshot)
    }
}

impl<'a> From<&'a mut Tx> for Source<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        Self::Tx(tx)
    }
}

/// A connection to read from, for as long as it is held.
#[derive(Debug)]
pub(crate) enum Reader<'a> {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    /// A transaction for one read: behind a pooler nothing else keeps a session.
    Pooled(Snapshot),
    Lent(Conn<'a>),
}

impl Reader<'_> {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn) => Conn::Postgres(conn, Link::Direct),
            Self::Pooled(view) => view.0.conn(),
            Self::Lent(conn) => conn.again(),
        }
    }
}

impl<'a> Source<'a> {
    pub(crate) async fn open(self) -> Result<Reader<'a>, Error> {
        let reader = match self {
            Self::Store(store) => match &store.pools {
                Pools::Sqlite { readers, .. } => readers.acquire().await.map(Reader::Sqlite),
                Pools::Postgres(pool, Link::Direct) => pool.acquire().await.map(Reader::Postgres),
                Pools::Postgres(_, Link::Pooled) => {
                    let read = uncut(store.pools.clone(), Purpose::Read).await;
                    read.map(|tx| Reader::Pooled(Snapshot(tx)))
                }
            },
            Self::Snapshot(snapshot) => Ok(Reader::Lent(snapshot.0.conn())),
            Self::Tx(tx) => Ok(Reader::Lent(tx.0.conn())),
        };
        reader.map_err(|source| Error::sql("connecting", source))
    }
}

impl TxKind {
    fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(tx) => Conn::Sqlite(tx),
            Self::Postgres(tx, link) => Conn::Postgres(tx, *link),
        }
    }
}

impl Tx {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        self.0.conn()
    }

    /// Makes everything written durable: it survives a crash of process and machine, or of the
    /// process alone after [`Store::begin_rebuildable`].
    ///
    /// # Errors
    /// When it is not known to be durable. It may be after all when the connection broke.
    pub async fn commit(self) -> Result<(), Error> {
        match self.0 {
            TxKind::Sqlite(tx) => tx.commit().await,
            TxKind::Postgres(tx, _) => tx.commit().await,
        }
        .map_err(|source| Error::sql("committing", source))
    }

    /// Takes everything back now rather than when dropped.
    ///
    /// # Errors
    /// When the connection broke, which takes everything back as well.
    pub async fn rollback(self) -> Result<(), Error> {
        match self.0 {
            TxKind::Sqlite(tx) => tx.rollback().await,
            TxKind::Postgres(tx, _) => tx.rollback().await,
        }
        .map_err(|source| Error::sql("rolling back", source))
    }
}

impl Store {
    /// Opens the database. On SQLite the file is made when there is none.
    ///
    /// # Errors
    /// By class: the server does not answer, or refuses the credentials, or the file can't be
    /// opened.
    pub async fn connect(config: &Config) -> Result<Self, Error> {
        let doing = || format!("connecting to {}", config.describe());
        let pools = match config {
            Config::Sqlite(config) => connect_sqlite(config).await,
            Config::Postgres(config) => connect_postgres(config).await,
        };
        pools.map(|pools| Self { pools }).map_err(|source| Error::sql(doing(), source))
    }

    /// Opens a database that is there: one that is looked for in the wrong place is not made.
    ///
    /// # Errors
    /// [`Error::NoDatabase`], and those of [`Self::connect`].
    pub async fn open(config: &Config) -> Result<Self, Error> {
        match config {
            Config::Sqlite(SqliteConfig { path, .. }) if !path.exists() => {
                Err(Error::NoDatabase { path: path.clone() })
            }
            Config::Sqlite(_) | Config::Postgres(_) => Self::connect(config).await,
        }
    }

    pub fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(..) => Engine::Postgres,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        let mut reader = Source::from(self).open().await?;
        sql("SELECT 1").all(&mut reader.conn()).await.map(drop)
    }

    /// Has the planner know at once what was written in bulk. PostgreSQL looks by itself some time
    /// later; SQLite plans without.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn refresh_statistics(&self) -> Result<(), Error> {
        if self.engine() == Engine::Postgres {
            let mut tx = self.begin().await?;
            sql("ANALYZE").run(&mut tx.conn()).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Starts a write transaction. On SQLite it is the only one, from here to its end.
    ///
    /// # Errors
    /// When no connection, or on SQLite no turn, is to be had in time.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.begin_for(Purpose::Durable).await.map(Tx)
    }

    /// Starts a write transaction for what the ledger can tell again: read models, and how far
    /// commands were sent to it. Its commit does not wait for the disk. It survives a crash of the
    /// process; a crash of the machine may take it back together with what was written after it,
    /// up to the last commit of a transaction from [`Store::begin`], which makes it durable too.
    ///
    /// # Errors
    /// Those of [`Store::begin`].
    pub async fn begin_rebuildable(&self) -> Result<Tx, Error> {
        self.begin_for(Purpose::Rebuildable).await.map(Tx)
    }

    async fn begin_for(&self, purpose: Purpose) -> Result<TxKind, Error> {
        let doing = match purpose {
            Purpose::Durable | Purpose::Rebuildable => "beginning a transaction",
            Purpose::Snapshot | Purpose::Read => "beginning a read view",
        };
        let begun = uncut(self.pools.clone(), purpose).await;
        begun.map_err(|source| Error::sql(doing, source))
    }

    /// Starts a consistent view for several reads.
    ///
    /// # Errors
    /// When no connection is to be had in time.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        self.begin_for(Purpose::Snapshot).await.map(Snapshot)
    }

    /// How much of each pool of connections is in use at this moment.
    pub fn pools(&self) -> Vec<PoolUse> {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                vec![pool_use("writer", writer), pool_use("readers", readers)]
            }
            Pools::Postgres(pool, _) => vec![pool_use("all", pool)],
        }
    }

    /// Closes all connections; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool, _) => pool.close().await,
        }
    }
}

fn pool_use<DB: sqlx::Database>(pool: &'static str, of: &sqlx::Pool<DB>) -> PoolUse {
    let idle = u32::try_from(of.num_idle()).unwrap_or(u32::MAX);
    let in_use = of.size().saturating_sub(idle);
    PoolUse { pool, in_use, max: of.options().get_max_connections() }
}

/// Begins a transaction on a task of its own. A caller that is dropped while the statement is on
/// its way would otherwise put a connection back into the pool inside a transaction, and whoever
/// took it next would write into it, or find it read-only.
async fn uncut(pools: Pools, purpose: Purpose) -> Result<TxKind, sqlx::Error> {
    let begun = tokio::spawn(async move {
        match pools {
            Pools::Sqlite { writer, readers } => {
                let pool = match purpose {
                    Purpose::Durable | Purpose::Rebuildable => writer,
                    Purpose::Snapshot | Purpose::Read => readers,
                };
                pool.begin_with(purpose.begin_sqlite()).await.map(TxKind::Sqlite)
            }
            Pools::Postgres(pool, link) => {
                let tx = pool.begin_with(purpose.begin_postgres(link)).await?;
                Ok(TxKind::Postgres(tx, link))
            }
        }
    });
    begun.await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

/// Statements that a connection keeps prepared.
const PREPARED: usize = 256;

async fn connect_sqlite(config: &SqliteConfig) -> Result<Pools, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(&config.path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(config.acquire_timeout)
        .statement_cache_capacity(PREPARED)
        .row_buffer_size(1024)
        .pragma("temp_store", "memory")
        // Texts of statements say nothing to an operator; what takes long is measured by callers.
        .disable_statement_logging();
    // One connection writes: SQLite allows no more, and a queue in here is fair where its own lock
    // is not. It lives as long as the pool.
    let pool = || {
        SqlitePoolOptions::new()
            .acquire_timeout(config.acquire_timeout)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .before_acquire(|conn, _| {
                // A commit that failed, as on a full disk, leaves a connection that believes it is
                // inside a transaction for ever.
                let usable = !conn.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
    };
    let writing = dialect::SQLITE_WRITER_PRAGMAS
        .iter()
        .fold(options.clone(), |options, (name, value)| options.pragma(*name, *value));
    let writer = pool().max_connections(1).connect_with(writing).await?;
    let reading = dialect::SQLITE_READER_PRAGMAS
        .iter()
        .fold(options, |options, (name, value)| options.pragma(*name, *value));
    let readers = pool()
        .min_connections(1)
        .max_connections(config.readers.max(1))
        .connect_with(reading)
        .await?;
    Ok(Pools::Sqlite { writer, readers })
}

async fn connect_postgres(config: &PostgresConfig) -> Result<Pools, sqlx::Error> {
    let mut options = PgConnectOptions::new()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .database(&config.database)
        .application_name(&config.application_name)
        .ssl_mode(PgSslMode::from_str(config.ssl_mode.as_str())?)
        .extra_float_digits(None)
        .statement_cache_capacity(PREPARED)
        // Texts of statements say nothing to an operator; what takes long is measured by callers.
        .disable_statement_logging();
    if let Some(password) = &config.password {
        options = options.password(password.reveal());
    }
    if let Some(path) = &config.ssl_root_cert {
        options = options.ssl_root_cert(path);
    }
    if let Some(path) = &config.ssl_cert {
        options = options.ssl_client_cert(path);
    }
    if let Some(path) = &config.ssl_key {
        options = options.ssl_client_key(path);
    }
    let (options, link) = linked(options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(config.connections.max(2))
        .acquire_timeout(config.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                // A connection that was just used is taken as it is: a ping costs a round trip.
                if meta.idle_for > Duration::from_secs(1) {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await?;
    Ok(Pools::Postgres(pool, link))
}

/// Connects once, and finds out whether that is a session of the server or a pooler's. One that
/// lends a session for a transaction refuses settings of the connection, or passes over them; then
/// each transaction brings its own, and no statement stays prepared.
///
/// Without this connection the pool would go on trying until its time is over, and then speak of
/// time alone.
async fn linked(options: PgConnectOptions) -> Result<(PgConnectOptions, Link), sqlx::Error> {
    let direct = options.clone().options(dialect::POSTGRES_SETTINGS);
    let link = match direct.connect().await {
        Ok(mut conn) => {
            let shown = conn.fetch_one(sqlx::raw_sql(dialect::POSTGRES_SHOW_SETTING)).await?;
            let in_effect = shown.try_get::<&str, _>(0)? == dialect::POSTGRES_SHOWN;
            conn.close().await?;
            if in_effect { Link::Direct } else { Link::Pooled }
        }
        Err(error) if refuses_settings(&error) => {
            options.connect().await?.close().await?;
            Link::Pooled
        }
        Err(error) => return Err(error),
    };
    Ok(match link {
        Link::Direct => (direct, link),
        Link::Pooled => (options, link),
    })
}

/// PgBouncer's answer, until it can pass the parameter on.
fn refuses_settings(error: &sqlx::Error) -> bool {
    let message = error.as_database_error().map(|error| error.message());
    message.is_some_and(|message| message.starts_with("unsupported startup parameter"))
}
