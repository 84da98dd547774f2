//! The folder of one cluster: created for nobody else to read, deleted by the watchdog.
//!
//! Nothing outside of it is ever written.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::{Error, random};

/// Paths below the cluster's folder, and the account that owns it.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    account: Option<Account>,
}

impl Folder {
    /// Creates `<parent>/gx-pg-<random>`.
    pub(crate) fn create(parent: Option<&Path>) -> Result<Self, Error> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let path = parent.join(format!("gx-pg-{}", random::hex::<8>()?));
        let action = || format!("create the folder {}", path.display());
        DirBuilder::new().mode(0o700).create(&path).map_err(Error::io(action()))?;
        let path = path.canonicalize().map_err(Error::io(action()))?;
        let owner = fs::metadata(&path).map_err(Error::io(action()))?.uid();
        let account = Account::to_change_to(owner)
            .and_then(|account| {
                account.map_or(Ok(()), |account| account.own(&path)).map(|()| account)
            })
            .inspect_err(|_| {
                // The error that led here is the one to report; an empty folder is no harm.
                let _ = fs::remove_dir(&path);
            })?;
        Ok(Self { path, account })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn account(&self) -> Option<Account> {
        self.account
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// The last lines of the server's log, for error texts.
    pub(crate) fn log_tail(&self) -> String {
        const LINES: usize = 20;
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(LINES)).copied().collect::<Vec<_>>().join("\n")
    }
}
