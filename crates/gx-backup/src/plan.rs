//! The settings of backups: where to, what besides the platform, for how long.
//!
//! They stand in a file of their own, because they are those of a machine and its credentials
//! rather than of a process of the platform.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format as _, Toml};
use gx_types::NetworkId;
use serde::Deserialize;

use crate::Error;
use crate::progress::Progress;
use crate::repository::Location;

/// What `backup.toml` says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub repository: Repository,
    #[serde(default)]
    pub retention: Retention,
    #[serde(default)]
    pub proof: Proof,
    #[serde(default)]
    pub postgres: Postgres,
    #[serde(default, rename = "folder")]
    pub folders: Vec<Folder>,
    #[serde(default, rename = "output")]
    pub outputs: Vec<Output>,
    /// Where this machine notes its runs; the folder of the settings' file by default.
    #[serde(default)]
    pub state_dir: PathBuf,
    /// File that Prometheus' node exporter reads; empty means none.
    #[serde(default)]
    pub metrics_file: PathBuf,
    /// How far the present act of this process is.
    #[serde(skip)]
    pub progress: Progress,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// A folder, or `rclone:` and a remote of rclone: `rclone:offsite:gx/mainnet`.
    pub location: String,
    /// File whose first line is the password.
    pub password_file: PathBuf,
    /// rclone's configuration, where it is not that of the account; it holds the credentials.
    #[serde(default)]
    pub rclone_config: PathBuf,
    /// Whether the repository may lie on the disk of the data, as it does in trials.
    #[serde(default)]
    pub same_disk: bool,
}

/// How long backups are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Every backup of so many days; without it 30 on mainnet and 14 elsewhere.
    pub days: Option<u32>,
    /// The last backup of each of so many days, weeks and months.
    pub daily: u32,
    pub weekly: u32,
    pub monthly: u32,
    /// So many backups of each part are kept, however old.
    pub floor: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: None, daily: 14, weekly: 8, monthly: 12, floor: 3 }
    }
}

/// How often backups are to be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proof {
    /// A backup counts as good when one at most so many days old was drilled.
    pub drill_days: u32,
    /// Most hours between two backups: the recovery point that is promised.
    pub recovery_point_hours: u32,
    /// Most minutes for a restore: the recovery time that is promised.
    pub recovery_time_minutes: u32,
}

impl Default for Proof {
    fn default() -> Self {
        Self { drill_days: 31, recovery_point_hours: 6, recovery_time_minutes: 60 }
    }
}

/// What only PostgreSQL needs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// Folder of `pg_dump` and `psql`; empty means those of `PATH`.
    pub programs: PathBuf,
    /// How the database is captured.
    pub method: Method,
    /// File whose first line is the URL of a role that may replicate; without it the platform's own
    /// role takes the base.
    pub replication_url_file: PathBuf,
    /// The folder that a base is restored into. Its folder's owner runs the server.
    pub data_dir: PathBuf,
    /// A dump of fewer bytes is no dump of this platform.
    pub bytes_min: Option<u64>,
    /// File whose first line is the URL of a server on which drills may make databases.
    pub drill_url_file: PathBuf,
}

/// How PostgreSQL is captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The rows of the platform's database, as text.
    #[default]
    Dump,
    /// The files of the whole cluster: with its write-ahead log the way back to every moment.
    Base,
}

/// A folder that is captured besides those of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    pub name: String,
    pub path: PathBuf,
    /// Whether it may be missing, as that of documents is before the first of them.
    #[serde(default)]
    pub may_be_missing: bool,
    /// Paths below it without which it is none, such as the database and the key of a certificate
    /// authority: a backup without them fails, and so does a restore.
    #[serde(default)]
    pub holds: Vec<PathBuf>,
}

/// What a program writes, such as a snapshot of etcd or the objects of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    pub name: String,
    /// The program and its arguments; no shell is in between.
    pub command: Vec<String>,
    /// Fewer bytes are a failure.
    #[serde(default = "one")]
    pub bytes_min: u64,
    /// What the output begins with, when it has a mark; the same for its end.
    #[serde(default)]
    pub begins_with: String,
    #[serde(default)]
    pub ends_with: String,
}

fn one() -> u64 {
    1
}

impl Retention {
    /// For how many days every backup is kept.
    pub fn days_on(&self, network: NetworkId) -> u32 {
        let usual = if network == NetworkId::Mainnet { 30 } else { 14 };
        self.days.unwrap_or(usual)
    }
}

/// The platform that is captured or restored: where its parts stand.
#[derive(Debug, Clone)]
pub struct Platform {
    pub network: NetworkId,
    pub database: gx_store::Config,
    /// The embedded ledger's file and the key of its node; `None` with Fabric, whose peers keep it.
    pub ledger: Option<(PathBuf, PathBuf)>,
    /// Keys, documents, wallet.
    pub folders: Vec<Folder>,
}

/// Parts that are the platform's own; no folder of the settings may have their names.
pub const DATABASE: &str = "database";
pub const LEDGER: &str = "ledger";

impl Plan {
    /// Reads and checks the settings for a platform.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is wrong.
    pub fn load(file: &Path) -> Result<Self, Error> {
        let named = file.display().to_string();
        if !file.is_file() {
            return Err(Error::setting(&named, "there is no such file of settings"));
        }
        let read: Result<Self, _> = Figment::from(Toml::file_exact(file)).extract();
        let mut plan = read.map_err(|error| Error::setting(&named, error.to_string()))?;
        let file = std::path::absolute(file).map_err(Error::io("find", file))?;
        plan.stand_in(file.parent().unwrap_or(Path::new("/")));
        plan.check()?;
        Ok(plan)
    }

    /// Paths are meant from the folder of the settings, wherever the process was started.
    fn stand_in(&mut self, folder: &Path) {
        self.state_dir = folder.join(&self.state_dir);
        let files = [
            &mut self.metrics_file,
            &mut self.postgres.drill_url_file,
            &mut self.postgres.programs,
            &mut self.postgres.replication_url_file,
            &mut self.postgres.data_dir,
            &mut self.repository.rclone_config,
        ];
        let given = files.into_iter().filter(|path| !path.as_os_str().is_empty());
        let folders = self.folders.iter_mut().map(|folder| &mut folder.path);
        for path in given.chain(folders).chain([&mut self.repository.password_file]) {
            *path = folder.join(path.as_path());
        }
    }

    fn check(&self) -> Result<(), Error> {
        Location::read(&self.repository.location)?;
        self.password()?;
        let Retention { days, floor, daily, weekly, monthly } = self.retention;
        if floor == 0 {
            let reason = "must be 1 or more: with 0 the last good backup could be removed";
            return Err(Error::setting("retention.floor", reason));
        }
        if days == Some(0) && daily == 0 && weekly == 0 && monthly == 0 {
            let reason = "days, daily, weekly and monthly are all 0: nothing would be kept";
            return Err(Error::setting("retention", reason));
        }
        let Proof { drill_days, recovery_point_hours, recovery_time_minutes } = self.proof;
        let zeros = [
            ("proof.drill_days", drill_days),
            ("proof.recovery_point_hours", recovery_point_hours),
            ("proof.recovery_time_minutes", recovery_time_minutes),
        ];
        if let Some((name, _)) = zeros.iter().find(|(_, value)| *value == 0) {
            return Err(Error::setting(name, "must be 1 or more: no backup could ever meet it"));
        }
        let mut names = BTreeSet::from([DATABASE, LEDGER]);
        let folders = self.folders.iter().map(|folder| ("folder", &folder.name));
        let outputs = self.outputs.iter().map(|output| ("output", &output.name));
        for (kind, name) in folders.chain(outputs) {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if name.is_empty() || !name.chars().all(plain) {
                let reason = "a name is made of lower-case letters, digits and hyphens";
                return Err(Error::setting(&format!("{kind} {name:?}"), reason));
            }
            if !names.insert(name) {
                let reason = "the name is taken by another part";
                return Err(Error::setting(&format!("{kind} {name:?}"), reason));
            }
        }
        for Folder { name, path, may_be_missing, .. } in &self.folders {
            if !may_be_missing && !path.is_dir() {
                let reason = format!("there is no folder {}", path.display());
                return Err(Error::setting(&format!("folder {name:?}"), reason));
            }
        }
        let mut held = self
            .folders
            .iter()
            .flat_map(|folder| folder.holds.iter().map(move |path| (&folder.name, path)));
        let is_below = |path: &Path| {
            path.components().all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        if let Some((name, path)) = held.find(|(_, path)| !is_below(path)) {
            let reason = format!("{} of holds is no path below it", path.display());
            return Err(Error::setting(&format!("folder {name:?}"), reason));
        }
        for Output { name, command, .. } in &self.outputs {
            if command.first().is_none_or(String::is_empty) {
                let reason = "command names no program";
                return Err(Error::setting(&format!("output {name:?}"), reason));
            }
        }
        Ok(())
    }

    /// The repository's password.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is none, when it is short, or when others could read it.
    pub fn password(&self) -> Result<String, Error> {
        const NAME: &str = "repository.password_file";
        let path = &self.repository.password_file;
        let unread = |error: std::io::Error| {
            Error::setting(NAME, format!("{} can't be read: {error}", path.display()))
        };
        let metadata = path.metadata().map_err(unread)?;
        if metadata.mode() & 0o077 != 0 {
            let reason = format!("{} can be read by others; chmod 600", path.display());
            return Err(Error::setting(NAME, reason));
        }
        let text = std::fs::read_to_string(path).map_err(unread)?;
        let password = text.lines().next().unwrap_or_default().trim();
        if password.chars().count() < 20 {
            let reason =
                "the password has fewer than 20 characters; openssl rand -hex 32 makes one";
            return Err(Error::setting(NAME, reason));
        }
        Ok(password.to_owned())
    }

    /// What would make backups of this platform worthless although every command works.
    ///
    /// # Errors
    /// [`Error::Setting`] when the repository lies on the disk of the data and the settings do not
    /// say that this is meant, or inside of what is captured.
    pub fn check_against(&self, platform: &Platform) -> Result<(), Error> {
        const NAME: &str = "repository.location";
        let Location::Folder(target) = Location::read(&self.repository.location)? else {
            return Ok(());
        };
        let target = existing(&target);
        let mut sources: Vec<&Path> = platform.folders.iter().map(|f| f.path.as_path()).collect();
        sources.extend(self.folders.iter().map(|folder| folder.path.as_path()));
        if let Some(inside) = sources.iter().find(|source| target.starts_with(existing(source))) {
            let reason = format!("it lies inside of {}, which it is to hold", inside.display());
            return Err(Error::setting(NAME, reason));
        }
        if let gx_store::Config::Sqlite(file) = &platform.database {
            sources.push(&file.path);
        }
        if let Some((file, _)) = &platform.ledger {
            sources.push(file);
        }
        let disk = |path: &Path| existing(path).metadata().map(|metadata| metadata.dev()).ok();
        let on =
            sources.iter().find(|source| disk(source).is_some_and(|d| disk(&target) == Some(d)));
        match on {
            Some(source) if !self.repository.same_disk => Err(Error::setting(
                NAME,
                format!(
                    "it lies on the disk of {}, and would be lost with it; \
                     repository.same_disk = true says that this is a trial",
                    source.display()
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// The path itself, or the nearest folder above it that exists, without links.
fn existing(path: &Path) -> PathBuf {
    let mut at = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    loop {
        if let Ok(found) = at.canonicalize() {
            return found;
        }
        if !at.pop() {
            return PathBuf::from("/");
        }
    }
}
