//! What can go wrong with a throw-away cluster, each with what to do about it.
//!
//! The texts are for the person who runs the tests; the end of the server's log is part of them,
//! because its folder may be gone by the time the text is read.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a cluster could not be made, started, stopped or spoken to.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server programs are nowhere to be found.
    NotInstalled,
    /// PgBouncer is nowhere to be found.
    NoPooler,
    /// Running as root, and the unprivileged account that PostgreSQL insists on does not exist.
    NoAccount { name: &'static str },
    /// The system refused something; `action` says what was tried.
    Io { action: String, source: io::Error },
    /// A program of PostgreSQL ended with a failure.
    Program { name: &'static str, status: ExitStatus, output: String },
    /// The server ended before it was ready, or was not ready in time.
    NotReady { reason: String, log: String },
    /// The server did not stop in time and was killed.
    NotStopped { folder: PathBuf },
    /// A URL of a shared server that this crate did not write.
    Url { variable: &'static str },
    /// Only letters, digits and `_` are taken for names of databases.
    DatabaseName { name: String },
    /// The shared cluster failed to start earlier in this process.
    Shared { text: String },
}

impl Error {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str(
                "PostgreSQL's server programs (initdb, postgres, psql) are neither in PATH nor in \
                 /usr/lib/postgresql/*/bin; on Debian and Ubuntu: apt-get install postgresql",
            ),
            Self::NoPooler => f.write_str(
                "pgbouncer is neither in PATH nor in /usr/sbin; on Debian and Ubuntu: \
                 apt-get install pgbouncer",
            ),
            Self::NoAccount { name } => write!(
                f,
                "PostgreSQL does not run as root and there is no account '{name}' in /etc/passwd; \
                 on Debian and Ubuntu: apt-get install postgresql"
            ),
            Self::Io { action, .. } => write!(f, "could not {action}"),
            Self::Program { name, status, output } => {
                write!(f, "{name} failed ({status}): {}", output.trim())
            }
            Self::NotReady { reason, log } => {
                write!(f, "PostgreSQL {reason}; the end of its log:\n{log}")
            }
            Self::NotStopped { folder } => {
                write!(f, "PostgreSQL in {} did not stop in time and was killed", folder.display())
            }
            Self::Url { variable } => write!(
                f,
                "{variable} must read postgres://user:password@host:port, without percent signs"
            ),
            Self::DatabaseName { name } => {
                write!(f, "'{name}' is no name for a database: use letters, digits and _")
            }
            Self::Shared { text } => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
