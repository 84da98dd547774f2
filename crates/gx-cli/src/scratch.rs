//! Folders for what a run needs and nobody keeps: gone when it ends, and when it was killed, gone
//! with the next run.
//!
//! They lie below the working or data folder, not in the system's folder for temporary files, which
//! is often memory: what has to be durable is measured on a disk, and a second database needs room.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// The file whose lock tells that the folder's process is alive; the system lets it go with the
/// process, however that ends.
const LOCK: &str = "in-use";

#[derive(Debug)]
pub struct Scratch {
    folder: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes an empty folder `.gx-<purpose>-…`, and removes those that killed runs have left.
    pub fn make(within: &Path, purpose: &str) -> Result<Self> {
        let prefix = format!(".gx-{purpose}-");
        let failed = || format!("cannot make a folder in {}", within.display());
        remove_abandoned(within, &prefix).with_context(failed)?;
        loop {
            let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(within);
            let folder = folder.with_context(failed)?;
            let path = folder.path().join(LOCK);
            let lock = File::create(&path).with_context(failed)?;
            lock.lock().with_context(failed)?;
            // Before it was locked, another run may have taken it for abandoned.
            if path.exists() {
                return Ok(Self { folder, _lock: lock });
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn remove_abandoned(within: &Path, prefix: &str) -> std::io::Result<()> {
    for entry in fs::read_dir(within)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        // One without the file is being made at this moment.
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        // Locked until it is gone, so that its maker does not take it for its own meanwhile.
        if lock.try_lock().is_ok() {
            // Somebody else may be removing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders(within: &Path) -> usize {
        fs::read_dir(within).unwrap().count()
    }

    #[test]
    fn what_killed_runs_have_left_is_removed_and_what_is_in_use_is_not() {
        let within = tempfile::tempdir().unwrap();
        let first = Scratch::make(within.path(), "verify").unwrap();
        let second = Scratch::make(within.path(), "verify").unwrap();
        assert!(first.path().exists() && second.path().exists());
        // As a kill leaves it: the folder without the lock.
        let Scratch { folder, _lock } = first;
        let left = folder.keep();
        drop(_lock);
        let other = Scratch::make(within.path(), "demo").unwrap();
        assert!(left.exists(), "another purpose's folders are not looked at");
        let third = Scratch::make(within.path(), "verify").unwrap();
        assert!(!left.exists() && second.path().exists());
        drop((second, third, other));
        assert_eq!(folders(within.path()), 0);
    }
}
