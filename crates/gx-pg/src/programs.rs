//! Where PostgreSQL's programs are, and how they are run.
//!
//! Debian keeps the server's programs out of PATH, one folder for each version, so that folder is
//! searched too. Nothing is ever downloaded or installed from here.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder with `initdb`, `postgres` and `psql` of one PostgreSQL version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// PATH first, then the highest version in `/usr/lib/postgresql/*/bin`.
    pub fn find() -> Result<Self, Error> {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .filter_map(|folder| real_folder(&folder))
            .chain(versions(Path::new(DEBIAN)))
            .find(|folder| is_complete(folder))
            .map(|folder| Self { folder })
            .ok_or(Error::NotInstalled)
    }

    /// The path of a program of the same version, such as `pgbench`; `None` if it is missing.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let path = self.folder.join(name);
        path.is_file().then_some(path)
    }

    /// A command without the caller's own PostgreSQL settings and in a fixed language.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.folder.join(name));
        for (key, _) in env::vars_os() {
            if key.to_str().is_some_and(|key| key.starts_with("PG") || key.starts_with("LC_")) {
                command.env_remove(key);
            }
        }
        command.env("LC_ALL", "C").stdin(Stdio::null());
        command
    }
}

/// Follows a link such as `/usr/local/bin/initdb` to the folder that holds all the others.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    let initdb = folder.join("initdb").canonicalize().ok()?;
    initdb.parent().map(Path::to_path_buf)
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file())
}

/// The `bin` folders of all installed versions, the highest one first.
fn versions(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, folder)| folder).collect()
}
