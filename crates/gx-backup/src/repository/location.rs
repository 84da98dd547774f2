//! Where a repository is, as the settings name it.

use std::path::PathBuf;
use std::sync::Arc;

use rustic_core::{RepositoryBackends, WriteBackend};

use super::{folder, rclone};
use crate::Error;

/// Where a repository is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Folder(PathBuf),
    /// A remote and a path, and rclone's configuration when it is not the account's own.
    Rclone(String, PathBuf),
}

const LOCATION: &str = "repository.location";

/// Options of remotes whose values are secrets.
const SECRETS: [&str; 6] =
    ["pass", "password", "secret_access_key", "session_token", "key_pem", "token"];

impl Location {
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        if let Some(remote) = text.strip_prefix("rclone:") {
            // A location is printed, and stands on rclone's command line.
            let mut options = remote.split(',').filter_map(|option| option.split_once('='));
            if options.any(|(name, _)| SECRETS.contains(&name.trim())) {
                let reason = "a location holds no secrets; they belong into rclone's configuration";
                return Err(Error::setting(LOCATION, reason));
            }
            return match remote.split_once(':') {
                Some((_, path)) if !path.is_empty() => {
                    Ok(Self::Rclone(remote.to_owned(), PathBuf::new()))
                }
                _ => Err(Error::setting(
                    LOCATION,
                    "rclone: wants a remote and a path, as in rclone:offsite:gx",
                )),
            };
        }
        let path = PathBuf::from(text);
        if !path.is_absolute() {
            let reason = "a folder's whole path, or rclone:, a remote and a path in it";
            return Err(Error::setting(LOCATION, reason));
        }
        Ok(Self::Folder(path))
    }

    /// An archive beside the folders of the repository.
    pub(super) fn below(&self, folder: &str) -> Self {
        match self {
            Self::Folder(path) => Self::Folder(path.join(folder)),
            Self::Rclone(remote, config) => {
                let remote = remote.trim_end_matches('/');
                Self::Rclone(format!("{remote}/{folder}"), config.clone())
            }
        }
    }

    pub(super) fn backends(&self) -> Result<RepositoryBackends, Error> {
        let backend: Arc<dyn WriteBackend> = match self {
            Self::Folder(path) => {
                let path = path.to_str().ok_or_else(|| Error::setting(LOCATION, "is no text"))?;
                let folder = folder::Folder::new(path);
                Arc::new(folder.map_err(|error| Error::setting(LOCATION, error.display_log()))?)
            }
            Self::Rclone(..) if !rclone::is_installed() => {
                return Err(Error::setting(LOCATION, "needs the program rclone"));
            }
            Self::Rclone(remote, config) => Arc::new(rclone::Rclone::new(remote, config)),
        };
        Ok(RepositoryBackends::new(backend, None))
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Rclone(remote, _) => write!(f, "rclone:{remote}"),
        }
    }
}
