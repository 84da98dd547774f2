//! Why a backup, a restore or a proof did not come about.
//!
//! Nothing here says "partly": what was not captured or not restored names itself and its reason,
//! and the whole is an error.

use std::path::{Path, PathBuf};

/// What can go wrong. No text holds a password or a URL with one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that would make backups worthless, or that cannot be read.
    #[error("{setting}: {reason}")]
    Setting { setting: String, reason: String },
    #[error("cannot {what}")]
    Io { what: String, source: std::io::Error },
    #[error("there is no repository at {location}: it was never made (gx backup init), or is away")]
    NoRepository { location: String },
    #[error("there is a repository at {location} already; it stays as it is")]
    RepositoryExists { location: String },
    #[error("the password file does not open the repository at {location}")]
    WrongKey { location: String },
    #[error("cannot {what} in the repository at {location}: {reason}")]
    Repository { location: String, what: &'static str, reason: String },
    #[error("{part} was not captured: {reason}")]
    NotCaptured { part: String, reason: String },
    #[error("{part} was not restored: {reason}")]
    NotRestored { part: String, reason: String },
    #[error(
        "ledger was not restored: the database stands at block {database}, the ledger of this \
         backup ends at {ledger}; only both of one backup fit together: move the database away, \
         restore both, and have the {} commands after block {ledger} given again, which {} lists",
        commands.len(), list.display()
    )]
    LedgerBehind {
        database: u64,
        ledger: u64,
        /// What the database has and the ledger has not.
        commands: Vec<crate::After>,
        /// The file that they stand in as well.
        list: PathBuf,
    },
    #[error("another run of gx backup is going on: {path} is locked")]
    Busy { path: PathBuf },
    #[error("there is no backup {asked} in the repository; gx backup status lists what there is")]
    NoBackup { asked: String },
    #[error("the drill of {backup} failed: {reason}")]
    Drill { backup: String, reason: String },
    #[error("{name} of the write-ahead log: {reason}")]
    Wal { name: String, reason: String },
    #[error("the archive of the ledger's blocks: {reason}")]
    Blocks { reason: String },
    #[error("nothing was removed: {reason}")]
    PruneRefused { reason: String },
}

impl Error {
    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }

    pub(crate) fn setting(setting: &str, reason: impl Into<String>) -> Self {
        Self::Setting { setting: setting.to_owned(), reason: reason.into() }
    }

    pub(crate) fn not_captured(part: &str, reason: impl Into<String>) -> Self {
        Self::NotCaptured { part: part.to_owned(), reason: reason.into() }
    }

    pub(crate) fn not_restored(part: &str, reason: impl Into<String>) -> Self {
        Self::NotRestored { part: part.to_owned(), reason: reason.into() }
    }
}
