//! The repository: where everything is kept, sealed with a password.
//!
//! One that is opened is never made: a target that is away must not look like an empty one. Runs
//! of several machines may go on at once; what one of them marks as removed, another may still use
//! for a day.

mod check;
mod contents;
mod folder;
mod location;
mod rclone;
mod reading;
mod remove;
mod writing;

use std::path::PathBuf;
use std::sync::OnceLock;

use rustic_core::repofile::MasterKey;
use rustic_core::{
    ConfigOptions, Credentials, FileType, KeyOptions, OpenStatus, ReadBackend as _, Repository,
    RepositoryOptions, RusticError,
};

use crate::manifest::Proof;
use crate::progress::Progress;
use crate::{Error, Plan, Space};

pub use contents::Backup;
pub(crate) use contents::Contents;
pub(crate) use location::Location;
pub(crate) use reading::Reading;
pub(crate) use writing::{Writing, folder_of};

/// A repository that is open.
pub struct Repo {
    location: Location,
    password: String,
    /// What the password opens. Finding it is made slow, so it is done once.
    key: OnceLock<MasterKey>,
    /// Where sealed copies of index and snapshots are kept, if anywhere.
    cache: Option<PathBuf>,
    progress: Progress,
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Repo({})", self.location)
    }
}

impl Repo {
    /// Makes the repository that the settings name.
    ///
    /// # Errors
    /// [`Error::RepositoryExists`]; [`Error::Repository`] when the target cannot be written.
    pub fn init(plan: &Plan) -> Result<Self, Error> {
        Self::named(plan)?.make()
    }

    /// Makes one of the archives that lie below it.
    pub(crate) fn init_below(plan: &Plan, folder: &str) -> Result<Self, Error> {
        Self::below(plan, folder)?.make()
    }

    pub(crate) fn open_below(plan: &Plan, folder: &str) -> Result<Self, Error> {
        let repo = Self::below(plan, folder)?;
        repo.opened()?;
        Ok(repo)
    }

    fn below(plan: &Plan, folder: &str) -> Result<Self, Error> {
        let repo = Self::named(plan)?;
        // Every file that is archived reads the index; from a remote each time anew would take
        // longer from day to day.
        let cache = matches!(repo.location, Location::Rclone(..));
        let cache = cache.then(|| plan.state_dir.join("gx-backup-cache"));
        Ok(Self { location: repo.location.below(folder), cache, ..repo })
    }

    fn make(self) -> Result<Self, Error> {
        let repo = self;
        let raw = repo.raw()?;
        let failed = repo.failed("look for a repository");
        if raw.config_id().map_err(|error| failed(&error))?.is_some() {
            return Err(Error::RepositoryExists { location: repo.location.to_string() });
        }
        let credentials = Credentials::password(&repo.password);
        raw.init(&credentials, &KeyOptions::default(), &ConfigOptions::default())
            .map_err(|error| repo.failed("make it")(&error))?;
        Ok(repo)
    }

    /// Opens the repository that the settings name.
    ///
    /// # Errors
    /// [`Error::NoRepository`], [`Error::WrongKey`], [`Error::Repository`].
    pub fn open(plan: &Plan) -> Result<Self, Error> {
        let repo = Self::named(plan)?;
        repo.opened()?;
        Ok(repo)
    }

    fn named(plan: &Plan) -> Result<Self, Error> {
        let location = match Location::read(&plan.repository.location)? {
            Location::Rclone(remote, _) => {
                Location::Rclone(remote, plan.repository.rclone_config.clone())
            }
            folder @ Location::Folder(_) => folder,
        };
        Ok(Self {
            location,
            password: plan.password()?,
            key: OnceLock::new(),
            cache: None,
            progress: plan.progress.clone(),
        })
    }

    /// Room at the target, where it can say so.
    pub(crate) fn space(&self) -> Option<Space> {
        match &self.location {
            Location::Folder(path) => {
                let found = rustix::fs::statvfs(path).ok()?;
                let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
                Some(Space { available: bytes(found.f_bavail), size: bytes(found.f_blocks) })
            }
            Location::Rclone(remote, config) => rclone::Rclone::new(remote, config).space(),
        }
    }

    /// Where it is, in the words of the settings.
    pub fn location(&self) -> String {
        self.location.to_string()
    }

    fn failed(&self, what: &'static str) -> impl Fn(&RusticError) -> Error + use<> {
        let location = self.location.to_string();
        move |error| Error::Repository {
            location: location.clone(),
            what,
            reason: error.display_log(),
        }
    }

    fn raw(&self) -> Result<Repository<()>, Error> {
        let mut options = RepositoryOptions::default().no_cache(self.cache.is_none());
        options.cache_dir.clone_from(&self.cache);
        let backends = self.location.backends()?;
        let made = Repository::new_with_progress(&options, &backends, self.progress.clone());
        made.map_err(|error| self.failed("open it")(&error))
    }

    fn opened(&self) -> Result<Repository<OpenStatus>, Error> {
        let raw = self.raw()?;
        let failed = self.failed("open it");
        if raw.config_id().map_err(|error| failed(&error))?.is_none() {
            return Err(Error::NoRepository { location: self.location.to_string() });
        }
        let credentials = match self.key.get() {
            Some(key) => Credentials::Masterkey(key.clone()),
            None => Credentials::password(&self.password),
        };
        let keys = self.location.backends()?.repository();
        if keys.list(FileType::Key).map_err(|error| failed(&error))?.is_empty() {
            let reason = "it holds no key: the folder keys is gone, and without it no password \
                          opens anything; bring it back from a copy of the repository";
            return Err(Error::Repository {
                location: self.location.to_string(),
                what: "open anything",
                reason: reason.to_owned(),
            });
        }
        let open = raw.open(&credentials).map_err(|error| {
            if error.is_incorrect_password() {
                return Error::WrongKey { location: self.location.to_string() };
            }
            failed(&error)
        })?;
        // Another thread may have found the same one.
        let _ = self.key.set(open.key());
        Ok(open)
    }

    /// Ready to take parts in.
    pub(crate) fn to_write(&self) -> Result<Writing, Error> {
        let indexed = self.opened()?.to_indexed_ids();
        let inner = indexed.map_err(|error| self.failed("read its index")(&error))?;
        Ok(Writing { inner, location: self.location.clone() })
    }

    /// Ready to give parts out.
    pub(crate) fn to_read(&self) -> Result<Reading, Error> {
        let indexed = self.opened()?.to_indexed();
        let inner = indexed.map_err(|error| self.failed("read its index")(&error))?;
        let (location, progress) = (self.location.clone(), self.progress.clone());
        Ok(Reading { inner, location, progress })
    }

    /// Writes down that a backup was proved.
    ///
    /// # Errors
    /// [`Error::Repository`].
    pub fn prove(&self, proof: &Proof) -> Result<(), Error> {
        self.to_write()?.document(contents::PROOF, &proof.backup, proof)
    }
}
