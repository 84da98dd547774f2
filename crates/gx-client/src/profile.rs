//! Sessions on disk: tokens in a folder and a file that only their owner may read.
//!
//! A file is replaced as a whole, so that a reader finds the old tokens or the new ones. Whoever
//! replaces tokens holds the profile's lock: two clients of one profile refresh one after the
//! other, and the second finds what the first was given.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Result};

/// Whose session it is; a profile has room for one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    User,
    Admin,
}

impl Who {
    const fn file(self) -> &'static str {
        match self {
            Self::User => "user.json",
            Self::Admin => "admin.json",
        }
    }

    /// Path of the routes that open, refresh and end sessions.
    pub(crate) const fn routes(self) -> &'static str {
        match self {
            Self::User => "/api/v1/auth",
            Self::Admin => "/api/v1/admin/auth",
        }
    }
}

/// What lets somebody in; it is never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// Tokens are sent there and nowhere else.
    pub(crate) server: String,
    /// E-mail address or user name.
    pub(crate) name: String,
    /// Id on the platform.
    pub(crate) id: String,
    pub(crate) access_token: Secret,
    pub(crate) refresh_token: Secret,
}

/// The place of one session.
#[derive(Debug)]
pub(crate) struct Profile {
    folder: PathBuf,
    pub(crate) who: Who,
}

/// Held while tokens are replaced; the system lets go of it when the process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Profile {
    pub(crate) const fn new(folder: PathBuf, who: Who) -> Self {
        Self { folder, who }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(self.who.file())
    }

    /// The session that is kept, if there is one.
    pub(crate) fn load(&self) -> Result<Option<Session>> {
        let path = self.path();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path, &error)),
        };
        keep_private(&self.folder, fs::metadata(&self.folder), "700")?;
        keep_private(&path, file.metadata(), "600")?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| failed("read", &path, &error))?;
        // What is wrong with it is not quoted: it may be a token.
        let damaged = || format!("{} holds no session; remove it", path.display());
        serde_json::from_str(&text).map(Some).map_err(|_| Failure::Local(damaged()))
    }

    /// Waits until no other client replaces tokens of this profile.
    pub(crate) fn lock(&self) -> Result<Lock> {
        let make = |error: &std::io::Error| failed("make", &self.folder, error);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(|error| make(&error))?;
        keep_private(&self.folder, fs::metadata(&self.folder), "700")?;
        let path = self.folder.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed("make", &path, &error))?;
        file.lock().map_err(|error| failed("lock", &path, &error))?;
        Ok(Lock { _file: file })
    }

    /// Keeps a session in place of the one before.
    pub(crate) fn save(&self, _: &Lock, session: &Session) -> Result<()> {
        let path = self.path();
        let write = || -> std::io::Result<()> {
            // Made with mode 600.
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(serde_json::to_string(session)?.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            File::open(&self.folder)?.sync_all()
        };
        write().map_err(|error| failed("write", &path, &error))
    }

    /// Forgets the session.
    pub(crate) fn remove(&self, _: &Lock) -> Result<()> {
        let path = self.path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("remove", &path, &error))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a place where others find the tokens.
fn keep_private(path: &Path, found: std::io::Result<fs::Metadata>, right: &str) -> Result<()> {
    let found = found.map_err(|error| failed("read", path, &error))?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::Local(format!(
        "others may read {path} (mode {mode:o}), and may have read the tokens there; \
         set mode {right}, log out and log in again"
    )))
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Local(format!("cannot {what} {}: {error}", path.display()))
}

/// Reads a file of a secret, which nobody but its owner may read.
pub(crate) fn read_secret_file(path: &Path) -> Result<String> {
    let read = |error: &std::io::Error| failed("read", path, error);
    let mut file = File::open(path).map_err(|error| read(&error))?;
    let found = file.metadata().map_err(|error| read(&error))?;
    let mode = found.permissions().mode() & 0o777;
    if found.is_file() && mode & 0o077 != 0 {
        let path = path.display();
        return Err(Failure::Local(format!(
            "others may read {path} (mode {mode:o}); set mode 600"
        )));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| read(&error))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(token: &str) -> Session {
        let secret = || Secret(token.to_owned());
        Session {
            server: "https://gx.example.org".to_owned(),
            name: "ada@example.org".to_owned(),
            id: "u-1".to_owned(),
            access_token: secret(),
            refresh_token: secret(),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_session_is_kept_for_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::new(home.path().join("deep/ada"), Who::User);
        assert_eq!(profile.load().unwrap(), None);
        let lock = profile.lock().unwrap();
        for token in ["first", "second"] {
            profile.save(&lock, &session(token)).unwrap();
            assert_eq!(profile.load().unwrap(), Some(session(token)));
        }
        assert_eq!((mode(&profile.folder), mode(&profile.path())), (0o700, 0o600));
        let admin = Profile::new(profile.folder.clone(), Who::Admin);
        assert_eq!(admin.load().unwrap(), None, "an admin's session is another one");
        profile.remove(&lock).unwrap();
        profile.remove(&lock).unwrap();
        assert_eq!(profile.load().unwrap(), None);
    }

    #[test]
    fn what_others_may_read_is_refused_and_never_quoted() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::new(home.path().join("ada"), Who::User);
        let lock = profile.lock().unwrap();
        profile.save(&lock, &session("hunter2")).unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&profile.path(), 0o640);
        let told = profile.load().unwrap_err().to_text();
        assert!(told.contains("mode 640") && !told.contains("hunter2"), "{told}");
        set(&profile.path(), 0o600);
        set(&profile.folder, 0o750);
        assert!(profile.load().unwrap_err().to_text().contains("mode 750"));
        set(&profile.folder, 0o700);
        fs::write(profile.path(), "hunter2").unwrap();
        let told = profile.load().unwrap_err().to_text();
        assert!(told.contains("holds no session") && !told.contains("hunter2"), "{told}");
        assert!(!format!("{:?}", session("hunter2")).contains("hunter2"));
    }

    #[test]
    fn a_lock_is_held_by_one() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::new(home.path().join("ada"), Who::User);
        let lock = profile.lock().unwrap();
        let other = File::open(profile.folder.join("lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(lock);
        assert!(other.try_lock().is_ok());
    }
}
