//! The archive of PostgreSQL's write-ahead log: what happened between two base backups.
//!
//! It is a repository of its own below the other one, so that a list of backups need not go through
//! thousands of files, and it has the same password. A file is there when its snapshot is; until
//! then PostgreSQL is not told that it may forget it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rustic_core::repofile::SnapshotFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::repository::folder_of;
use crate::source::{Stream, Summed, hex};
use crate::state::WalLock;
use crate::{Error, Plan, Repo};

/// A file of the log, and what is known of it without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Segment {
    /// PostgreSQL's name of it.
    pub name: String,
    pub sha256: String,
    pub bytes: u64,
    /// When the server wrote its last record, in milliseconds since 1970.
    pub ended_at_ms: i64,
    /// The cluster that wrote it; `None` for what is no log, such as the history of a timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<u64>,
}

/// What a push came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    Stored,
    /// The same content was there under the same name.
    Known,
}

/// The names of the log's files, and where one stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) timeline: u32,
    /// The number of the segment, counted over all logs.
    pub(crate) number: u64,
}

/// Bytes of one log, which is cut into segments.
const LOG: u64 = 1 << 32;

impl Position {
    /// Reads the 24 digits of a segment's name; `None` for every other file.
    pub(crate) fn read(name: &str, segment: u64) -> Option<Self> {
        let part =
            |from: usize| u32::from_str_radix(name.get(from..from.checked_add(8)?)?, 16).ok();
        if name.len() != 24 || !is_hex(name) {
            return None;
        }
        let (timeline, log, low) = (part(0)?, part(8)?, part(16)?);
        let each = LOG.checked_div(segment)?;
        let number = u64::from(log).checked_mul(each)?.checked_add(u64::from(low))?;
        Some(Self { timeline, number })
    }

    pub(crate) fn name(self, segment: u64) -> String {
        let each = LOG.checked_div(segment).unwrap_or(1);
        let log = self.number.checked_div(each).unwrap_or(0);
        let low = self.number.checked_rem(each).unwrap_or(0);
        format!("{:08X}{log:08X}{low:08X}", self.timeline)
    }
}

fn is_hex(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || ('A'..='F').contains(&c))
}

/// Whether it is a name that PostgreSQL gives: a segment, part of one, a history, a mark.
fn is_named(name: &str) -> bool {
    let (first, rest) = name.split_once('.').map_or((name, ""), |(first, rest)| (first, rest));
    match first.len() {
        8 => is_hex(first) && rest == "history",
        24 if rest.is_empty() || rest == "partial" => is_hex(first),
        24 => {
            let mark = rest.strip_suffix(".backup");
            is_hex(first) && mark.is_some_and(|mark| mark.len() == 8 && is_hex(mark))
        }
        _ => false,
    }
}

/// Size of segments and cluster, as the first page of a segment says.
fn header(bytes: &[u8]) -> Option<(u64, u64)> {
    let long = u64::from_le_bytes(bytes.get(24..32)?.try_into().ok()?);
    let size = u32::from_le_bytes(bytes.get(32..36)?.try_into().ok()?);
    Some((long, u64::from(size)))
}

/// The label of snapshots that hold files of the log.
pub(crate) const WAL: &str = "gx-wal";

/// Its folder below the repository.
const FOLDER: &str = "wal";

/// The archive, open.
#[derive(Debug)]
pub struct Archive {
    repo: Repo,
}

fn refused(name: &str, reason: impl Into<String>) -> Error {
    Error::Wal { name: name.to_owned(), reason: reason.into() }
}

impl Archive {
    /// Makes it below the repository, once.
    ///
    /// # Errors
    /// [`Error::RepositoryExists`]; [`Error::Repository`].
    pub fn init(plan: &Plan) -> Result<(), Error> {
        // One without the repository would be the beginning of a second one.
        Repo::open(plan)?;
        Repo::init_below(plan, FOLDER).map(drop)
    }

    /// Opens it.
    ///
    /// # Errors
    /// [`Error::Wal`] when it was never made; [`Error::WrongKey`], [`Error::Repository`].
    pub fn open(plan: &Plan) -> Result<Self, Error> {
        Self::open_made(plan)?.ok_or_else(|| {
            let location = &plan.repository.location;
            let reason = format!("there is none at {location}; gx backup wal init makes it");
            refused("the archive", reason)
        })
    }

    /// Opens it, when it was ever made.
    pub(crate) fn open_made(plan: &Plan) -> Result<Option<Self>, Error> {
        match Repo::open_below(plan, FOLDER) {
            Ok(repo) => Ok(Some(Self { repo })),
            Err(Error::NoRepository { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every file, by its name.
    ///
    /// # Errors
    /// [`Error::Repository`], also when what stands in it cannot be read.
    pub fn segments(&self) -> Result<BTreeMap<String, Segment>, Error> {
        let held = self.held()?;
        Ok(held.into_iter().map(|(name, (segment, _))| (name, segment)).collect())
    }

    fn held(&self) -> Result<BTreeMap<String, (Segment, SnapshotFile)>, Error> {
        let mut held = BTreeMap::new();
        for snapshot in self.repo.labelled(WAL)? {
            let text = snapshot.description.as_deref().unwrap_or_default();
            let listed: Vec<Segment> = serde_json::from_str(text).map_err(|error| {
                refused("the archive", format!("it holds what is not understood: {error}"))
            })?;
            for segment in listed {
                held.insert(segment.name.clone(), (segment, snapshot.clone()));
            }
        }
        Ok(held)
    }

    /// Takes a file in, as `archive_command` asks for. It is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Wal`] when it is none, is not what its name says, is of another cluster, or when
    /// another one has its name; [`Error::Repository`].
    pub fn push(&self, plan: &Plan, file: &Path) -> Result<Pushed, Error> {
        let _lock = WalLock::take(plan)?;
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let (segment, content) = looked_at(name, file)?;
        let held = self.segments()?;
        if let Some(there) = held.get(name) {
            if there.sha256 == segment.sha256 {
                return Ok(Pushed::Known);
            }
            let reason = "it is there already, with another content; two servers archive into one \
                          repository, or one went on after it had been replaced";
            return Err(refused(name, reason));
        }
        let other =
            held.values().find_map(|there| there.system.filter(|_| segment.system.is_some()));
        if let (Some(other), Some(own)) = (other, segment.system)
            && other != own
        {
            let reason = format!("it is of the cluster {own}, the archive is that of {other}");
            return Err(refused(name, reason));
        }
        let described = serde_json::to_string(&[&segment]).unwrap_or_default();
        let source = Stream::new(folder_of(&part_of(name)), std::io::Cursor::new(content));
        self.repo.to_write()?.described(WAL, (name, FOLDER), &source, described)?;
        Ok(Pushed::Stored)
    }

    /// Writes a file of the log to a path, as `restore_command` asks for; whether there was one.
    ///
    /// # Errors
    /// [`Error::Wal`] when it cannot be written or is not what was stored; [`Error::Repository`].
    pub fn fetch(&self, name: &str, to: &Path) -> Result<bool, Error> {
        self.fetch_all(&[name.to_owned()], &|_| to.to_owned()).map(|fetched| fetched == 1)
    }

    /// Writes those of the files that there are, each to its path; how many there were.
    pub(crate) fn fetch_all(
        &self,
        names: &[String],
        to: &dyn Fn(&str) -> PathBuf,
    ) -> Result<usize, Error> {
        let held = self.held()?;
        let reading = self.repo.to_read()?;
        let mut fetched = 0_usize;
        for name in names {
            let Some((segment, snapshot)) = held.get(name) else { continue };
            let to = to(name);
            let failed = |error: std::io::Error| {
                refused(name, format!("{} can't be written: {error}", to.display()))
            };
            let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
            let mut sum = Summed { to: file, sum: Sha256::new() };
            reading.stream(snapshot, &part_of(name), &mut sum)?;
            if hex(sum.sum.finalize().as_slice()) != segment.sha256 {
                return Err(refused(name, "what the repository holds is not what was stored"));
            }
            sum.to.as_file().sync_all().map_err(failed)?;
            sum.to.persist(&to).map_err(|error| failed(error.error))?;
            fetched = fetched.saturating_add(1);
        }
        Ok(fetched)
    }

    /// Removes what comes before `oldest`, the first segment that a backup still needs. Histories
    /// stay: they are small, and tell which way the log went.
    pub(crate) fn forget_before(&self, oldest: &str) -> Result<usize, Error> {
        let held = self.held()?;
        let is_older = |name: &str| {
            // Timelines go on where they leave the one before; only the place counts.
            let place = |name: &str| name.get(8..24).map(str::to_owned);
            name.len() >= 24 && place(name) < place(oldest)
        };
        let old: Vec<_> = held
            .values()
            .filter(|(segment, _)| is_older(&segment.name))
            .map(|(_, snapshot)| snapshot.id)
            .collect();
        if !old.is_empty() {
            self.repo.forget(&old)?;
            self.repo.free()?;
        }
        Ok(old.len())
    }
}

/// Where a file stands in its snapshot.
fn part_of(name: &str) -> String {
    format!("wal/{name}")
}

/// The largest segment that PostgreSQL can be told to write.
const SEGMENT_MAX: u64 = 1 << 30;

/// Reads a file of the log and says what it is. All of it, at once: what is stored is what was
/// looked at.
fn looked_at(name: &str, file: &Path) -> Result<(Segment, Vec<u8>), Error> {
    if !is_named(name) {
        return Err(refused(name, "that is no name of a file of PostgreSQL's write-ahead log"));
    }
    let unread =
        |error: std::io::Error| refused(name, format!("{} can't be read: {error}", file.display()));
    let opened = File::open(file).map_err(unread)?;
    let ended = opened.metadata().and_then(|metadata| metadata.modified()).map_err(unread)?;
    let mut content = Vec::new();
    opened.take(SEGMENT_MAX.saturating_add(1)).read_to_end(&mut content).map_err(unread)?;
    let bytes = crate::source::length(content.len());
    if bytes == 0 || bytes > SEGMENT_MAX {
        return Err(refused(name, format!("it has {bytes} bytes, which no such file has")));
    }
    let since = ended.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let ended_at_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    let mut segment = Segment {
        name: name.to_owned(),
        sha256: hex(Sha256::digest(&content).as_slice()),
        bytes,
        ended_at_ms,
        system: None,
    };
    if name.len() == 24 {
        let (system, size) =
            header(&content).ok_or_else(|| refused(name, "it is too short for a segment"))?;
        if size != bytes {
            return Err(refused(name, format!("it has {bytes} bytes, and says {size} of itself")));
        }
        let start =
            content.get(8..16).and_then(|start| start.try_into().ok()).map(u64::from_le_bytes);
        let at = Position::read(name, size).map(|at| at.number.saturating_mul(size));
        if at.is_none() || start != at {
            return Err(refused(name, "its content stands at another place of the log"));
        }
        segment.system = Some(system);
    }
    Ok((segment, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 16 << 20;

    #[test]
    fn names_are_places_and_places_are_names() {
        for (name, number) in [
            ("000000010000000000000001", 1),
            ("0000000100000000000000FF", 255),
            ("000000010000000100000000", 256),
            ("0000000A0000000200000003", 515),
        ] {
            let at = Position::read(name, SIZE).unwrap();
            assert_eq!((at.number, at.name(SIZE).as_str()), (number, name));
        }
        for bad in ["", "00000001", "00000001000000000000000g", "00000002.history"] {
            assert_eq!(Position::read(bad, SIZE), None, "{bad}");
        }
    }

    #[test]
    fn only_what_postgresql_archives_is_taken() {
        for good in [
            "000000010000000000000001",
            "000000010000000000000001.partial",
            "00000002.history",
            "000000010000000000000002.00000028.backup",
        ] {
            assert!(is_named(good), "{good}");
        }
        for bad in ["", "backup_label", "00000002.historyx", "../00000002.history", "0000.history"]
        {
            assert!(!is_named(bad), "{bad}");
        }
    }
}
