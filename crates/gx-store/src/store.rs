//! Connections: pools, write transactions, read views, and what functions may read from.
//!
//! SQLite has one writer connection that transactions queue up for in order, and readers beside it
//! that see the last commit. PostgreSQL has one pool. Nothing here knows a table.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, PgPool, Postgres, Sqlite, SqlitePool, Transaction};

use crate::sql::{Conn, sql};
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
    Postgres(PgPool),
}

/// A write transaction. Dropped without [`Tx::commit`], it leaves nothing.
#[derive(Debug)]
pub struct Tx(TxKind);

#[derive(Debug)]
enum TxKind {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
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
    Lent(Conn<'a>),
}

impl Reader<'_> {
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn) => Conn::Postgres(conn),
            Self::Lent(conn) => conn.again(),
        }
    }
}

impl<'a> Source<'a> {
    pub(crate) async fn open(self) -> Result<Reader<'a>, Error> {
        let reader = match self {
            Self::Store(store) => match &store.pools {
                Pools::Sqlite { readers, .. } => readers.acquire().await.map(Reader::Sqlite),
                Pools::Postgres(pool) => pool.acquire().await.map(Reader::Postgres),
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
            Self::Postgres(tx) => Conn::Postgres(tx),
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
            TxKind::Postgres(tx) => tx.commit().await,
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
            TxKind::Postgres(tx) => tx.rollback().await,
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
            Config::Postgres(config) => connect_postgres(config).await.map(Pools::Postgres),
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
            Pools::Postgres(_) => Engine::Postgres,
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

    /// Starts a write transaction. On SQLite it is the only one, from here to its end.
    ///
    /// # Errors
    /// When no connection, or on SQLite no turn, is to be had in time.
    pub async fn begin(&self) -> Result<Tx, Error> {
        self.begin_with(Engine::begin).await
    }

    /// Starts a write transaction for what the ledger can tell again: read models, and how far
    /// commands were sent to it. Its commit does not wait for the disk. It survives a crash of the
    /// process; a crash of the machine may take it back together with what was written after it,
    /// up to the last commit of a transaction from [`Store::begin`], which makes it durable too.
    ///
    /// # Errors
    /// Those of [`Store::begin`].
    pub async fn begin_rebuildable(&self) -> Result<Tx, Error> {
        self.begin_with(Engine::begin_rebuildable).await
    }

    async fn begin_with(&self, statement: fn(Engine) -> &'static str) -> Result<Tx, Error> {
        let (pools, statement) = (self.pools.clone(), statement(self.engine()));
        uncut(async move {
            match pools {
                Pools::Sqlite { writer, .. } => {
                    writer.begin_with(statement).await.map(TxKind::Sqlite)
                }
                Pools::Postgres(pool) => pool.begin_with(statement).await.map(TxKind::Postgres),
            }
        })
        .await
        .map(Tx)
        .map_err(|source| Error::sql("beginning a transaction", source))
    }

    /// Starts a consistent view for several reads.
    ///
    /// # Errors
    /// When no connection is to be had in time.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        let pools = self.pools.clone();
        uncut(async move {
            match pools {
                Pools::Sqlite { readers, .. } => readers.begin().await.map(TxKind::Sqlite),
                Pools::Postgres(pool) => {
                    pool.begin_with(dialect::POSTGRES_BEGIN_SNAPSHOT).await.map(TxKind::Postgres)
                }
            }
        })
        .await
        .map(Snapshot)
        .map_err(|source| Error::sql("beginning a read view", source))
    }

    /// Closes all connections; SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// Begins a transaction on a task of its own. A caller that is dropped while the statement is on
/// its way would otherwise put a connection back into the pool inside a transaction, and whoever
/// took it next would write into it, or find it read-only.
async fn uncut(
    begin: impl Future<Output = Result<TxKind, sqlx::Error>> + Send + 'static,
) -> Result<TxKind, sqlx::Error> {
    tokio::spawn(begin).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
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

async fn connect_postgres(config: &PostgresConfig) -> Result<PgPool, sqlx::Error> {
    let mut options = PgConnectOptions::new()
        .host(&config.host)
        .port(config.port)
        .username(&config.user)
        .database(&config.database)
        .application_name(&config.application_name)
        .ssl_mode(PgSslMode::from_str(config.ssl_mode.as_str())?)
        .extra_float_digits(None)
        .statement_cache_capacity(PREPARED)
        .options(dialect::POSTGRES_SETTINGS)
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
    // The pool would go on trying until its time is over, and then speak of time alone.
    options.connect().await?.close().await?;
    PgPoolOptions::new()
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
        .await
}
