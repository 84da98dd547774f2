//! What can go wrong in the store, sorted once into classes that callers act upon.
//!
//! A source is never printed inside an error's own text, and no text holds a bound value, so that
//! neither passwords nor personal data reach a log through an error.

use std::borrow::Cow;

use gx_types::NetworkId;
use sqlx::error::ErrorKind;
use sqlx::sqlite::SqliteError;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The database does not answer; the same call may pass later.
    Unavailable,
    /// The transaction collided with another and was taken back; repeat it.
    Conflict,
    /// The database refuses these credentials or this access.
    Auth,
    /// Another schema version than this build's, or no such database.
    Schema,
    /// The database belongs to another network.
    Network,
    /// The lease has gone to another holder: stop leading.
    LeaseLost,
    /// A value that must be unique exists.
    Unique,
    /// No space left for the database.
    DiskFull,
    /// Stored data cannot be read as what it should be.
    Corrupt,
    /// A block does not fit the read models: a bug, or the wrong ledger. Stop projecting.
    Projection,
    /// Any other refusal of a statement: a bug.
    Sql,
}

impl Class {
    /// The name that health routes and metrics show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Conflict => "conflict",
            Self::Auth => "auth",
            Self::Schema => "schema",
            Self::Network => "network",
            Self::LeaseLost => "lease_lost",
            Self::Unique => "unique",
            Self::DiskFull => "disk_full",
            Self::Corrupt => "corrupt",
            Self::Projection => "projection",
            Self::Sql => "sql",
        }
    }
}

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database did not do what it was asked for.
    #[error("database: {doing}")]
    Sql {
        /// What was asked for: the beginning of the statement, without values.
        doing: Cow<'static, str>,
        class: Class,
        source: sqlx::Error,
    },
    /// A unique value exists; `what` is `table.column` on both engines.
    #[error("{what} exists already")]
    Unique { what: String, source: sqlx::Error },
    #[error("the configuration of the database is wrong")]
    Config(#[from] crate::ConfigError),
    #[error("there is no database at {path}; gx up makes one, and gx migrate")]
    NoDatabase { path: std::path::PathBuf },
    /// Run `gx migrate`, or another build.
    #[error("the database has schema version {found}, this build needs {expected}")]
    SchemaVersion { found: i64, expected: i64 },
    #[error("the database belongs to {found}, this process to {expected}")]
    Network { found: NetworkId, expected: NetworkId },
    /// Put the right pepper back; see the key `auth.identity_pepper`.
    #[error(
        "the identities in the database were hashed with another pepper; put the file \
         identity-pepper of the keys folder, or the key auth.identity_pepper, back"
    )]
    Pepper,
    /// Somebody else leads now, or nobody does.
    #[error("the lease {name:?} of epoch {epoch} is lost")]
    LeaseLost { name: String, epoch: i64 },
    /// The connection stands and nothing comes over it.
    #[error("the database has said nothing for {} s", .after.as_secs())]
    Silent { after: std::time::Duration },
    /// A stored text is not a value of its type.
    #[error("stored {what} cannot be read: {reason}")]
    Corrupt { what: Cow<'static, str>, reason: String },
    /// A block cannot be applied. The projector stops here.
    #[error("block {block}{} cannot be projected: {reason}", of_command(.command_id.as_deref()))]
    Projection { block: u64, command_id: Option<String>, reason: String },
    /// The block is not the successor of the last applied one.
    #[error("block {found} came where block {expected} is next")]
    BlockOrder { found: u64, expected: u64 },
    /// The database was filled from another ledger.
    #[error("the read models belong to another ledger: block {block} is {expected}, not {found}")]
    OtherLedger { block: u64, expected: String, found: String },
}

fn of_command(id: Option<&str>) -> String {
    id.map_or_else(String::new, |id| format!(", command {id},"))
}

impl Error {
    pub fn class(&self) -> Class {
        match self {
            Self::Sql { class, .. } => *class,
            Self::Unique { .. } => Class::Unique,
            Self::Config(_) => Class::Auth,
            Self::NoDatabase { .. } | Self::SchemaVersion { .. } => Class::Schema,
            Self::Network { .. } => Class::Network,
            Self::Pepper => Class::Auth,
            Self::LeaseLost { .. } => Class::LeaseLost,
            Self::Silent { .. } => Class::Unavailable,
            Self::Corrupt { .. } => Class::Corrupt,
            Self::Projection { .. } | Self::BlockOrder { .. } | Self::OtherLedger { .. } => {
                Class::Projection
            }
        }
    }

    /// Whether the same call may pass later without anybody changing it.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.class(), Class::Unavailable | Class::Conflict | Class::DiskFull)
    }

    /// Whether a server does not answer now; it may come back by itself. A file is never away.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Sql { class: Class::Unavailable, source, .. } => {
                let database = source.as_database_error();
                database.is_none_or(|error| error.try_downcast_ref::<SqliteError>().is_none())
            }
            Self::Silent { .. } => true,
            _ => false,
        }
    }

    /// Whether a value of `what`, written `table.column`, exists already.
    pub fn is_unique(&self, what: &str) -> bool {
        matches!(self, Self::Unique { what: found, .. } if found == what)
    }

    pub(crate) fn sql(doing: impl Into<Cow<'static, str>>, source: sqlx::Error) -> Self {
        let unique = source
            .as_database_error()
            .filter(|error| error.kind() == ErrorKind::UniqueViolation)
            .map(unique_columns);
        match unique {
            Some(what) => Self::Unique { what, source },
            None => Self::Sql { doing: doing.into(), class: classify(&source), source },
        }
    }

    pub(crate) fn corrupt(
        what: impl Into<Cow<'static, str>>,
        reason: impl std::fmt::Display,
    ) -> Self {
        Self::Corrupt { what: what.into(), reason: reason.to_string() }
    }
}

fn classify(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Class::Unavailable,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
                classify_postgres(&code)
            } else {
                classify_sqlite(&code)
            }
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Class::Corrupt,
        _ => Class::Sql,
    }
}

/// By SQLSTATE.
fn classify_postgres(code: &str) -> Class {
    match code {
        "40001" | "40P01" => Class::Conflict,
        "3D000" | "3F000" | "42P01" | "42703" | "42883" => Class::Schema,
        "42501" => Class::Auth,
        "53100" => Class::DiskFull,
        "25P03" | "57014" | "25006" => Class::Unavailable,
        _ => match code.get(..2) {
            Some("28") => Class::Auth,
            Some("08" | "53" | "57" | "58") => Class::Unavailable,
            Some("XX") => Class::Corrupt,
            _ => Class::Sql,
        },
    }
}

/// By result code; the low byte is the primary one.
fn classify_sqlite(code: &str) -> Class {
    match code.parse::<i32>().unwrap_or_default() & 0xff {
        // BUSY, LOCKED, NOMEM, INTERRUPT, IOERR, CANTOPEN, PROTOCOL
        5 | 6 | 7 | 9 | 10 | 14 | 15 => Class::Unavailable,
        // PERM, READONLY, AUTH
        3 | 8 | 23 => Class::Auth,
        // CORRUPT, NOTADB
        11 | 26 => Class::Corrupt,
        13 => Class::DiskFull,
        17 => Class::Schema,
        _ => Class::Sql,
    }
}

/// `table.column[,column]` of a unique violation, the same on both engines.
fn unique_columns(error: &dyn sqlx::error::DatabaseError) -> String {
    if let Some(postgres) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        // The detail reads "Key (email)=(…) already exists." in the server's language.
        let columns = postgres
            .detail()
            .and_then(|detail| detail.split_once('('))
            .and_then(|(_, rest)| rest.split_once(")=("));
        let table = postgres.table().unwrap_or_default();
        return match columns {
            Some((columns, _)) => format!("{table}.{}", columns.replace(' ', "")),
            None => postgres.constraint().unwrap_or(table).to_owned(),
        };
    }
    // "UNIQUE constraint failed: users.email, users.x"
    let message = error.message();
    let names = message.rsplit_once(": ").map_or(message, |(_, names)| names);
    let table = names.split('.').next().unwrap_or_default();
    let columns: Vec<&str> =
        names.split(", ").map(|name| name.rsplit('.').next().unwrap_or(name)).collect();
    format!("{table}.{}", columns.join(","))
}
