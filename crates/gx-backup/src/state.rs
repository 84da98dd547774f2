//! What this machine notes of its runs, and the lock that keeps two of them apart.
//!
//! A run is noted before it does anything, as not ended: one that is killed stays a failure.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::time::now_ms;
use crate::{Error, Plan};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Run,
    Verify,
    Drill,
    Prune,
    Restore,
}

impl Action {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Verify => "verify",
            Self::Drill => "drill",
            Self::Prune => "prune",
            Self::Restore => "restore",
        }
    }
}

/// How the newest of a kind went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Outcome {
    pub started_at_ms: i64,
    /// `None` while it goes on, and for ever when it was killed.
    pub ended_at_ms: Option<i64>,
    pub error: Option<String>,
}

impl Outcome {
    /// Whether it came to a good end.
    pub fn is_good(&self) -> bool {
        self.ended_at_ms.is_some() && self.error.is_none()
    }

    /// Why it did not; `None` when it did.
    pub fn failure(&self) -> Option<&str> {
        match (&self.error, self.ended_at_ms) {
            (Some(error), _) => Some(error),
            (None, None) => Some("it did not come to its end"),
            (None, Some(_)) => None,
        }
    }
}

/// The notes of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    pub newest: BTreeMap<Action, Outcome>,
    /// When the recovery sheet was printed.
    #[serde(default)]
    pub sheet_printed_at_ms: Option<i64>,
    /// Bytes of the newest backup that was made here: how much the next one will be, about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_bytes: Option<u64>,
}

fn file_of(plan: &Plan) -> PathBuf {
    plan.state_dir.join("gx-backup.json")
}

impl State {
    /// Reads the notes; none when nothing was ever done here.
    ///
    /// # Errors
    /// [`Error::Io`] when they cannot be read, [`Error::Setting`] when they are not ours.
    pub fn read(plan: &Plan) -> Result<Self, Error> {
        let path = file_of(plan);
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| {
                Error::setting(
                    "state_dir",
                    format!("{} is no notes of ours: {error}", path.display()),
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::io("read", &path)(error)),
        }
    }

    pub(crate) fn write(&self, plan: &Plan) -> Result<(), Error> {
        let path = file_of(plan);
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        replace(&path, &text)
    }
}

/// Writes a file as a whole: readers see the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(Error::io("write", path))
}

/// Keeps every other run of this machine away, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Keeps other files of the write-ahead log away; a backup that goes on for hours is none of its
/// business.
#[derive(Debug)]
pub(crate) struct WalLock {
    _file: File,
}

/// The same for blocks of the ledger.
#[derive(Debug)]
pub(crate) struct BlocksLock {
    _file: File,
}

impl BlocksLock {
    pub(crate) fn take(plan: &Plan) -> Result<Self, Error> {
        Ok(Self { _file: locked(plan, "gx-backup-blocks.lock")? })
    }
}

impl WalLock {
    pub(crate) fn take(plan: &Plan) -> Result<Self, Error> {
        Ok(Self { _file: locked(plan, "gx-backup-wal.lock")? })
    }
}

fn locked(plan: &Plan, name: &str) -> Result<File, Error> {
    std::fs::create_dir_all(&plan.state_dir).map_err(Error::io("make", &plan.state_dir))?;
    let path = plan.state_dir.join(name);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(Error::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::Busy { path }),
        Err(std::fs::TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

impl Lock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`Error::Busy`] when another run has it.
    pub fn take(plan: &Plan) -> Result<Self, Error> {
        Ok(Self { _file: locked(plan, "gx-backup.lock")? })
    }

    /// Does something under the lock and notes how it went.
    ///
    /// # Errors
    /// Those of the work; [`Error::Io`] when nothing can be noted.
    pub fn note<T>(
        &self,
        plan: &Plan,
        action: Action,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let started_at_ms = now_ms();
        let noted = |ended_at_ms, error| -> Result<(), Error> {
            let mut state = State::read(plan)?;
            state.newest.insert(action, Outcome { started_at_ms, ended_at_ms, error });
            state.write(plan)
        };
        noted(None, None)?;
        let done = work();
        let error = done.as_ref().err().map(|error| gx_types::with_causes(error));
        noted(Some(now_ms()), error)?;
        done
    }
}
