//! The repository: where everything is kept, sealed with a password.
//!
//! One that is opened is never made: a target that is away must not look like an empty one. Runs
//! of several machines may go on at once; what one of them marks as removed, another may still use
//! for a day.

mod folder;
mod rclone;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustic_core::repofile::{MasterKey, Node, SnapshotFile, SnapshotId};
use rustic_core::{
    BackupOptions, CheckOptions, ConfigOptions, Credentials, FileType, IndexedFullStatus,
    IndexedIdsStatus, KeyOptions, LocalDestination, LsOptions, OpenStatus, ParentOptions,
    PruneOptions, ReadBackend, ReadSource, Repository, RepositoryBackends, RepositoryOptions,
    RestoreOptions, RusticError, SnapshotOptions, WriteBackend,
};

use sha2::{Digest as _, Sha256};

use crate::manifest::{Manifest, Part, Proof, VERSION};
use crate::source::{Stream, hex};
use crate::{Error, Plan, Space};

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

    /// The archive of the write-ahead log, beside the folders of the repository.
    fn of_wal(&self) -> Self {
        match self {
            Self::Folder(path) => Self::Folder(path.join("wal")),
            Self::Rclone(remote, config) => {
                Self::Rclone(format!("{}/wal", remote.trim_end_matches('/')), config.clone())
            }
        }
    }

    fn backends(&self) -> Result<RepositoryBackends, Error> {
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

/// What a snapshot of the repository is for us; it stands in its label.
const MANIFEST: &str = "gx-manifest";
const PROOF: &str = "gx-proof";
const PART: &str = "gx-part";

/// A backup, and how it was proved.
#[derive(Debug, Clone)]
pub struct Backup {
    pub manifest: Manifest,
    /// Oldest first.
    pub proofs: Vec<Proof>,
    /// Snapshots of the manifest and the proofs.
    own: Vec<SnapshotId>,
    parts: Vec<SnapshotFile>,
}

/// What is in a repository.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) backups: Vec<Backup>,
    pub(crate) loose: Vec<SnapshotFile>,
    pub(crate) damaged: Vec<String>,
}

impl Backup {
    /// When it was last found good, and when it was last restored, in milliseconds.
    pub fn proved(&self, how: crate::How) -> Option<i64> {
        self.proofs.iter().filter(|proof| proof.how == how).map(|proof| proof.at_ms).max()
    }
}

/// A repository that is open.
pub struct Repo {
    location: Location,
    password: String,
    /// What the password opens. Finding it is made slow, so it is done once.
    key: OnceLock<MasterKey>,
    /// Where sealed copies of index and snapshots are kept, if anywhere.
    cache: Option<PathBuf>,
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

    pub(crate) fn init_wal(plan: &Plan) -> Result<Self, Error> {
        Self::of_wal(plan)?.make()
    }

    pub(crate) fn open_wal(plan: &Plan) -> Result<Self, Error> {
        let repo = Self::of_wal(plan)?;
        repo.opened()?;
        Ok(repo)
    }

    fn of_wal(plan: &Plan) -> Result<Self, Error> {
        let repo = Self::named(plan)?;
        // Every file that is archived reads the index; from a remote each time anew would take
        // longer from day to day.
        let cache = matches!(repo.location, Location::Rclone(..));
        let cache = cache.then(|| plan.state_dir.join("gx-backup-cache"));
        Ok(Self { location: repo.location.of_wal(), cache, ..repo })
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
        Ok(Self { location, password: plan.password()?, key: OnceLock::new(), cache: None })
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
        let made = Repository::new(&options, &self.location.backends()?);
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
        Ok(Reading { inner, location: self.location.clone() })
    }

    /// Every backup that is whole, oldest first; what belongs to none, the rest of runs that did
    /// not come to their end; and what can't be read.
    pub(crate) fn contents(&self) -> Result<Contents, Error> {
        let reading = self.to_read()?;
        let listed = reading.inner.list::<SnapshotId>();
        let listed = listed.map_err(|error| self.failed("list its snapshots")(&error))?;
        let mut found = Contents::default();
        let mut snapshots = Vec::new();
        for id in listed {
            // One by one: a file that is damaged hides no other.
            match reading.inner.get_file::<SnapshotFile>(&id) {
                Ok(mut snapshot) => {
                    snapshot.id = id;
                    snapshots.push(snapshot);
                }
                Err(error) => found.damaged.push(format!("snapshot {id}: {}", error.display_log())),
            }
        }
        snapshots.sort_by(|a, b| a.time.cmp(&b.time));
        for snapshot in snapshots.iter().filter(|snapshot| snapshot.label == MANIFEST) {
            match reading.document::<Manifest>(snapshot) {
                Ok(manifest) if manifest.version == VERSION => found.backups.push(Backup {
                    manifest,
                    proofs: Vec::new(),
                    own: vec![snapshot.id],
                    parts: Vec::new(),
                }),
                Ok(Manifest { version, id, .. }) => found
                    .damaged
                    .push(format!("{id} is of version {version}, this build knows {VERSION}")),
                Err(error) => found.damaged.push(gx_types::with_causes(&error)),
            }
        }
        for snapshot in snapshots {
            let belongs = |backup: &&mut Backup| snapshot.tags.contains(&backup.manifest.id);
            let backup = found.backups.iter_mut().find(belongs);
            match (snapshot.label.clone().as_str(), backup) {
                (PROOF, Some(backup)) => match reading.document(&snapshot) {
                    Ok(proof) => {
                        backup.proofs.push(proof);
                        backup.own.push(snapshot.id);
                    }
                    Err(error) => found.damaged.push(gx_types::with_causes(&error)),
                },
                (PART, Some(backup)) => backup.parts.push(snapshot),
                (PROOF | PART, None) => found.loose.push(snapshot),
                // A manifest, or somebody else's, who uses the same repository.
                _ => {}
            }
        }
        let Contents { backups, damaged, .. } = &mut found;
        backups.retain(|backup| {
            let lacks = |part: &&Part| {
                !backup.parts.iter().any(|held| held.id.to_hex().as_str() == part.snapshot)
            };
            let missing = backup.manifest.parts.iter().find(lacks);
            if let Some(part) = missing {
                damaged.push(format!("{} lacks its part {}", backup.manifest.id, part.name));
            }
            missing.is_none()
        });
        Ok(found)
    }

    /// Every backup that is whole, oldest first.
    ///
    /// # Errors
    /// [`Error::Repository`].
    pub fn backups(&self) -> Result<Vec<Backup>, Error> {
        self.contents().map(|contents| contents.backups)
    }

    /// The backup of that id, or the newest one when `latest` is asked for. While something can't
    /// be read nobody knows which is the newest.
    ///
    /// # Errors
    /// [`Error::NoBackup`]; [`Error::Repository`] with what is damaged.
    pub fn backup(&self, asked: &str) -> Result<Backup, Error> {
        let Contents { mut backups, damaged, .. } = self.contents()?;
        if let (Some(first), "latest") = (damaged.first(), asked) {
            return Err(Error::Repository {
                location: self.location.to_string(),
                what: "say which backup is the newest (name one by its id)",
                reason: first.clone(),
            });
        }
        let found = match asked {
            "latest" => backups.pop(),
            id => backups.into_iter().find(|backup| backup.manifest.id == id),
        };
        found.ok_or_else(|| Error::NoBackup { asked: asked.to_owned() })
    }

    /// Writes down that a backup was proved.
    ///
    /// # Errors
    /// [`Error::Repository`].
    pub fn prove(&self, proof: &Proof) -> Result<(), Error> {
        self.to_write()?.document(PROOF, &proof.backup, proof)
    }

    /// Removes snapshots, manifests first: a removal that is cut off leaves no manifest whose
    /// parts are gone.
    pub(crate) fn remove(&self, backups: &[Backup], loose: &[SnapshotId]) -> Result<(), Error> {
        let open = self.opened()?;
        let own: Vec<SnapshotId> = backups.iter().flat_map(|backup| backup.own.clone()).collect();
        let parts = backups.iter().flat_map(|backup| backup.parts.iter().map(|part| part.id));
        let parts: Vec<SnapshotId> = parts.chain(loose.iter().copied()).collect();
        for ids in [own, parts] {
            let removed = open.delete_snapshots(&ids);
            removed.map_err(|error| self.failed("remove snapshots")(&error))?;
        }
        Ok(())
    }

    /// Frees what no snapshot needs. What is not needed now is marked, and removed by a later call
    /// a day after; so a run that goes on elsewhere loses nothing.
    pub(crate) fn free(&self) -> Result<(), Error> {
        let open = self.opened()?;
        let failed = self.failed("free space");
        let options = PruneOptions::default();
        let plan = open.prune_plan(&options).map_err(|error| failed(&error))?;
        open.prune(&options, plan).map_err(|error| failed(&error))
    }

    /// Every snapshot with a label, oldest first.
    pub(crate) fn labelled(&self, label: &str) -> Result<Vec<SnapshotFile>, Error> {
        let open = self.opened()?;
        let found = open.get_matching_snapshots(|snapshot| snapshot.label == label);
        let mut found = found.map_err(|error| self.failed("list its snapshots")(&error))?;
        found.sort_by(|a, b| a.time.cmp(&b.time));
        Ok(found)
    }

    /// Removes snapshots by their ids.
    pub(crate) fn forget(&self, ids: &[SnapshotId]) -> Result<(), Error> {
        let removed = self.opened()?.delete_snapshots(ids);
        removed.map_err(|error| self.failed("remove snapshots")(&error))
    }

    /// Reads everything that a backup needs and holds it against its checksums. What is wrong, in
    /// words.
    pub(crate) fn check(&self, backup: &Backup) -> Result<Vec<String>, Error> {
        let open = self.opened()?;
        let failed = self.failed("check");
        let mut options = CheckOptions::default();
        options.read_data = true;
        let trees = backup.parts.iter().map(|part| part.tree).collect();
        // The library gives up where files contradict each other. That is an answer.
        let check = AssertUnwindSafe(|| open.check_with_trees(options, trees));
        let Ok(checked) = catch_unwind(check) else {
            return Ok(vec!["the check came to no end: files are damaged or missing".to_owned()]);
        };
        let checked = checked.map_err(|error| failed(&error))?;
        let wrong = checked.0.into_iter().filter(|(level, _)| format!("{level:?}") == "Error");
        let mut found: Vec<String> = wrong.map(|(_, error)| error.to_string()).collect();
        found.extend(self.altered_keys()?);
        Ok(found)
    }

    /// Keys whose content is not what their name says. They stand in plain text, so that nothing
    /// else notices a change in what is not needed to open them.
    fn altered_keys(&self) -> Result<Vec<String>, Error> {
        let failed = self.failed("read the keys of");
        let backend = self.location.backends()?.repository();
        let mut found = Vec::new();
        for id in backend.list(FileType::Key).map_err(|error| failed(&error))? {
            let bytes = backend.read_full(FileType::Key, &id).map_err(|error| failed(&error))?;
            if hex(Sha256::digest(&bytes).as_slice()) != id.to_hex().as_str() {
                found.push(format!("key {} is not what was written", id.to_hex().as_str()));
            }
        }
        Ok(found)
    }
}

/// A repository that takes parts in.
pub(crate) struct Writing {
    inner: Repository<IndexedIdsStatus>,
    location: Location,
}

/// The folder of a part within its snapshot.
pub(crate) fn folder_of(part: &str) -> PathBuf {
    Path::new("/gx").join(part)
}

impl Writing {
    /// Takes one part in. `unchanged` are taken from the part of the run before without reading
    /// them again when size and times are the same.
    pub(crate) fn part<S>(
        &self,
        backup: &str,
        part: &str,
        source: &S,
        may_skip: bool,
    ) -> Result<SnapshotFile, Error>
    where
        S: ReadSource + 'static,
        S::Open: Send,
        S::Iter: Send,
    {
        self.take((PART, None), backup, part, source, may_skip)
    }

    /// Takes a stream in, with words of its own about it.
    pub(crate) fn described(
        &self,
        label: &'static str,
        name: &str,
        source: &Stream<std::io::Cursor<Vec<u8>>>,
        description: String,
    ) -> Result<SnapshotFile, Error> {
        self.take((label, Some(description)), name, "wal", source, false)
    }

    /// Writes a small document.
    pub(crate) fn document(
        &self,
        label: &'static str,
        backup: &str,
        document: &impl serde::Serialize,
    ) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(document).unwrap_or_default();
        let source = Stream::new(folder_of(label), std::io::Cursor::new(text));
        self.take((label, None), backup, label, &source, false).map(drop)
    }

    /// Writes the manifest: from then on the backup is there.
    pub(crate) fn manifest(&self, manifest: &Manifest) -> Result<(), Error> {
        self.document(MANIFEST, &manifest.id, manifest)
    }

    fn take<S>(
        &self,
        (label, description): (&str, Option<String>),
        backup: &str,
        part: &str,
        source: &S,
        may_skip: bool,
    ) -> Result<SnapshotFile, Error>
    where
        S: ReadSource + 'static,
        S::Open: Send,
        S::Iter: Send,
    {
        let failed = |error: Box<RusticError>| Error::Repository {
            location: self.location.to_string(),
            what: "write",
            reason: error.display_log(),
        };
        let options = SnapshotOptions::default().label(Some(label.to_owned()));
        let mut snapshot =
            options.add_tags(backup).and_then(|options| options.to_snapshot()).map_err(failed)?;
        snapshot.tags.add(format!("part-{part}"));
        snapshot.description = description;
        // One host for all machines of a platform: a part is compared with that of the run before.
        "gx".clone_into(&mut snapshot.hostname);
        let mut options = BackupOptions::default();
        options.no_scan = true;
        options.parent_opts = ParentOptions::default().force(!may_skip);
        self.inner.archive(&options, source, snapshot, &[folder_of(part)]).map_err(failed)
    }
}

/// A repository that gives parts out.
pub(crate) struct Reading {
    inner: Repository<IndexedFullStatus>,
    location: Location,
}

impl Reading {
    fn failed(&self, error: &RusticError) -> Error {
        let (location, what) = (self.location.to_string(), "read");
        Error::Repository { location, what, reason: error.display_log() }
    }

    fn document<T: serde::de::DeserializeOwned>(
        &self,
        snapshot: &SnapshotFile,
    ) -> Result<T, Error> {
        let mut text = Vec::new();
        self.stream(snapshot, &snapshot.label, &mut text)?;
        serde_json::from_slice(&text).map_err(|error| Error::Repository {
            location: self.location.to_string(),
            what: "read a document",
            reason: error.to_string(),
        })
    }

    fn node(&self, snapshot: &SnapshotFile, part: &str) -> Result<Node, Error> {
        let path = folder_of(part);
        let path = path.strip_prefix("/").unwrap_or(&path);
        self.inner.node_from_path(snapshot.tree, path).map_err(|error| self.failed(&error))
    }

    fn snapshot<'b>(&self, backup: &'b Backup, part: &str) -> Result<&'b SnapshotFile, Error> {
        let named = backup.manifest.part(part);
        let held = named.and_then(|part| {
            backup.parts.iter().find(|held| held.id.to_hex().as_str() == part.snapshot)
        });
        held.ok_or_else(|| Error::not_restored(part, "the backup does not hold it"))
    }

    /// Files and bytes of a part, as the repository lists them.
    pub(crate) fn listed(&self, part: &Part) -> Result<(u64, u64), Error> {
        let found = self.inner.get_snapshots(&[&part.snapshot]);
        let found = found.map_err(|error| self.failed(&error))?;
        let Some(snapshot) = found.first() else { return Ok((0, 0)) };
        let node = self.node(snapshot, &part.name)?;
        let list = LsOptions::default();
        let entries = self.inner.ls(&node, &list);
        let entries = entries.map_err(|error| self.failed(&error))?;
        let (mut files, mut bytes) = (0_u64, 0_u64);
        for entry in entries {
            let (_, node) = entry.map_err(|error| self.failed(&error))?;
            if !node.is_dir() {
                files = files.saturating_add(1);
                bytes = bytes.saturating_add(node.meta.size);
            }
        }
        Ok((files, bytes))
    }

    /// Writes the pieces of a part one after the other.
    pub(crate) fn part(
        &self,
        backup: &Backup,
        part: &str,
        to: &mut impl Write,
    ) -> Result<(), Error> {
        self.stream(self.snapshot(backup, part)?, part, to)
    }

    pub(crate) fn stream(
        &self,
        snapshot: &SnapshotFile,
        part: &str,
        to: &mut impl Write,
    ) -> Result<(), Error> {
        let node = self.node(snapshot, part)?;
        let Some(tree) = node.subtree else {
            return Err(Error::not_restored(part, "it is no folder in the repository"));
        };
        let tree = self.inner.get_tree(&tree).map_err(|error| self.failed(&error))?;
        for piece in &tree.nodes {
            self.inner.dump(piece, to).map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// Makes the files of a part in a folder that does not exist yet.
    pub(crate) fn files(&self, backup: &Backup, part: &str, to: &Path) -> Result<(), Error> {
        let failed = |error: Box<RusticError>| Error::not_restored(part, error.display_log());
        let node = self.node(self.snapshot(backup, part)?, part)?;
        let path = to.to_str().ok_or_else(|| Error::not_restored(part, "its path is no text"))?;
        let is_root = rustix::process::getuid().is_root();
        let mut options = RestoreOptions::default();
        // Owners are those of the machine that it is restored on, unless root may give them.
        options.numeric_id = is_root;
        options.no_ownership = !is_root;
        let destination = LocalDestination::new(path, true, false).map_err(failed)?;
        let list = LsOptions::default();
        let entries = self.inner.ls(&node, &list).map_err(failed)?;
        let plan = self.inner.prepare_restore(&options, entries.clone(), &destination, false);
        self.inner.restore(plan.map_err(failed)?, &options, entries, &destination).map_err(failed)
    }
}
