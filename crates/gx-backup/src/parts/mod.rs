//! The parts of a platform: how each is captured while it runs, and what has to be true of it.

pub(crate) mod base;
pub(crate) mod database;
pub(crate) mod dump;
pub(crate) mod folder;
pub(crate) mod ledger;
pub(crate) mod output;

use rustic_core::repofile::SnapshotFile;

use crate::Error;
use crate::manifest::{Kind, Part};
use crate::repository::Writing;
use crate::source::Seen;

/// What a run captures into.
pub(crate) struct Capture<'a> {
    pub(crate) to: &'a Writing,
    /// The backup's id.
    pub(crate) backup: &'a str,
}

/// A part that was taken in, unless its source failed.
pub(crate) fn taken(
    name: &str,
    kind: Kind,
    snapshot: &SnapshotFile,
    seen: Seen,
) -> Result<Part, Error> {
    if let Some(first) = seen.failures.first() {
        let more = seen.failures.len().saturating_sub(1);
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        return Err(Error::not_captured(name, format!("{first}{more}")));
    }
    Ok(Part {
        name: name.to_owned(),
        kind,
        snapshot: snapshot.id.to_hex().as_str().to_owned(),
        bytes: seen.bytes,
        files: seen.files,
        sha256: seen.sha256,
        rows: std::collections::BTreeMap::new(),
        log: None,
    })
}

/// The result of a thread; one that has panicked has none.
pub(crate) fn joined<T>(handle: std::thread::ScopedJoinHandle<'_, T>) -> Result<T, String> {
    handle.join().map_err(|_| "a thread has panicked".to_owned())
}

/// The first and last bytes of a stream, and how many there were.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    pub(crate) first: Vec<u8>,
    pub(crate) last: Vec<u8>,
}

impl Ends {
    const KEPT: usize = 4096;

    pub(crate) fn see(&mut self, bytes: &[u8]) {
        let room = Self::KEPT.saturating_sub(self.first.len());
        self.first.extend(bytes.iter().take(room));
        let keep = Self::KEPT.saturating_sub(bytes.len()).min(self.last.len());
        self.last.drain(..self.last.len().saturating_sub(keep));
        let from = bytes.len().saturating_sub(Self::KEPT);
        self.last.extend(bytes.iter().skip(from));
    }
}
