//! The archive of the embedded ledger's blocks: what was settled between two backups, as the
//! write-ahead log is for PostgreSQL.
//!
//! It is a repository of its own below the other one. Each push stores the blocks since the one
//! before, in pieces that fit into memory; a restore joins them to the newest backup's ledger.

use std::io::{Cursor, Read as _};
use std::path::Path;

use rustic_core::repofile::SnapshotFile;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::gate::{Archive, Asked};
use crate::repository::{Reading, folder_of};
use crate::source::{Stream, hex, length};
use crate::state::BlocksLock;
use crate::time::now_ms;
use crate::{Error, Plan, Platform, Repo};

/// Its folder below the repository, and the label of its snapshots.
const FOLDER: &str = "blocks";
const LABEL: &str = "gx-blocks";

/// Bytes of blocks in one piece, about.
const PIECE: usize = 32 << 20;

/// Blocks that were pushed together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Piece {
    /// Numbers of its first and its last block.
    pub first: u64,
    pub last: u64,
    /// The hash of its last block: a ledger that was restored to before it has another one there.
    pub last_hash: String,
    pub sha256: String,
    pub bytes: u64,
    /// In milliseconds since 1970.
    pub pushed_at_ms: i64,
}

/// The archive, open.
#[derive(Debug)]
pub struct Blocks {
    repo: Repo,
}

fn refused(reason: impl Into<String>) -> Error {
    Error::Blocks { reason: reason.into() }
}

fn of_ledger(error: &gx_ledger::Error) -> Error {
    refused(gx_types::with_causes(error))
}

impl Blocks {
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
    /// [`Error::Blocks`] when it was never made; [`Error::WrongKey`], [`Error::Repository`].
    pub fn open(plan: &Plan) -> Result<Self, Error> {
        Self::open_made(plan)?.ok_or_else(|| {
            let location = &plan.repository.location;
            refused(format!("there is none at {location}; gx backup ledger init makes it"))
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

    /// Every piece, in the order in which they were pushed.
    ///
    /// # Errors
    /// [`Error::Repository`], also when what stands in it cannot be read.
    pub fn pieces(&self) -> Result<Vec<Piece>, Error> {
        Ok(self.held()?.into_iter().map(|(piece, _)| piece).collect())
    }

    fn held(&self) -> Result<Vec<(Piece, SnapshotFile)>, Error> {
        let snapshots = self.repo.labelled(LABEL)?.into_iter();
        snapshots
            .map(|snapshot| {
                let text = snapshot.description.as_deref().unwrap_or_default();
                let piece: Piece = serde_json::from_str(text).map_err(|error| {
                    refused(format!("it holds what is not understood: {error}"))
                })?;
                Ok((piece, snapshot))
            })
            .collect()
    }

    /// Stores the blocks that were settled since the push before; since the newest backup when it
    /// is the first, or when the ledger was restored to before it meanwhile. They are durable when
    /// this returns.
    ///
    /// # Errors
    /// [`Error::Blocks`] when the ledger cannot be read; [`Error::Busy`]; [`Error::Repository`].
    pub fn push(&self, plan: &Plan, platform: &Platform) -> Result<Vec<Piece>, Error> {
        let _lock = BlocksLock::take(plan)?;
        let Some((file, _)) = &platform.ledger else {
            return Err(refused("the settings name no embedded ledger"));
        };
        let mut next = self.begin(plan, file)?;
        let mut pushed = Vec::new();
        loop {
            let content = asked(file, next, PIECE)?;
            let ends = gx_ledger::look(&mut content.as_slice(), next);
            let ends = ends.map_err(|error| of_ledger(&error))?;
            if ends.first.is_none() {
                return Ok(pushed);
            }
            let piece = Piece {
                first: next,
                last: ends.last.0,
                last_hash: ends.last.1.to_string(),
                sha256: hex(Sha256::digest(&content).as_slice()),
                bytes: length(content.len()),
                pushed_at_ms: now_ms(),
            };
            let described = serde_json::to_string(&piece).unwrap_or_default();
            let source = Stream::new(folder_of(FOLDER), Cursor::new(content));
            let name = format!("{}-{}", piece.first, piece.last);
            self.repo.to_write()?.described(LABEL, (&name, FOLDER), &source, described)?;
            next = piece.last.saturating_add(1);
            pushed.push(piece);
        }
    }

    /// The block that a push begins with.
    fn begin(&self, plan: &Plan, file: &Path) -> Result<u64, Error> {
        if let Some(newest) = self.pieces()?.pop() {
            // The block that it ends with is asked for once more: only this ledger has its hash.
            let again = asked(file, newest.last, 1)?;
            let ends = gx_ledger::look(&mut again.as_slice(), newest.last);
            let first = ends.map_err(|error| of_ledger(&error))?.first;
            if first.is_some_and(|(_, hash)| hash.to_string() == newest.last_hash) {
                return Ok(newest.last.saturating_add(1));
            }
        }
        let backups = Repo::open(plan)?.backups()?;
        let held = backups.last().map_or(0, |backup| backup.manifest.heights.ledger);
        Ok(held.saturating_add(1))
    }

    /// What leads on from a backup whose ledger ends at `last` and that began at `since_ms`.
    pub(crate) fn way(&self, last: u64, since_ms: i64) -> Result<Vec<Stored>, Error> {
        let held = self.held()?;
        let pieces: Vec<Piece> = held.iter().map(|(piece, _)| piece.clone()).collect();
        let chosen = way(&pieces, last, since_ms);
        let stored = held.into_iter().zip(0_usize..).filter(|(_, at)| chosen.contains(at));
        Ok(stored.map(|((piece, snapshot), _)| Stored { piece, snapshot }).collect())
    }

    pub(crate) fn reading(&self) -> Result<Reading, Error> {
        self.repo.to_read()
    }

    /// Removes pieces that every backup which is kept holds itself; the newest one stays, as the
    /// next push begins where it ends.
    pub(crate) fn forget_until(&self, last: u64) -> Result<usize, Error> {
        let mut held = self.held()?;
        held.pop();
        let old = held.iter().filter(|(piece, _)| piece.last <= last);
        let old: Vec<_> = old.map(|(_, snapshot)| snapshot.id).collect();
        if !old.is_empty() {
            self.repo.forget(&old)?;
            self.repo.free()?;
        }
        Ok(old.len())
    }
}

/// A piece, and what holds it.
pub(crate) struct Stored {
    pub(crate) piece: Piece,
    snapshot: SnapshotFile,
}

impl Stored {
    /// Its content, which is what was stored.
    pub(crate) fn read(&self, from: &Reading) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        from.stream(&self.snapshot, FOLDER, &mut content)?;
        if hex(Sha256::digest(&content).as_slice()) == self.piece.sha256 {
            return Ok(content);
        }
        let Piece { first, last, .. } = self.piece;
        Err(refused(format!("blocks {first} to {last} are not what was stored")))
    }
}

/// The places of the pieces that lead on: pushed since the backup began, and of two that hold the
/// same block the later one, for it is of the ledger that went on.
fn way(pieces: &[Piece], last: u64, since_ms: i64) -> Vec<usize> {
    let mut chosen: Vec<(usize, u64)> = Vec::new();
    let newer = |piece: &Piece| piece.pushed_at_ms >= since_ms && piece.last > last;
    for (at, piece) in pieces.iter().enumerate().filter(|(_, piece)| newer(piece)) {
        while chosen.last().is_some_and(|(_, ends)| *ends >= piece.first) {
            chosen.pop();
        }
        chosen.push((at, piece.last));
    }
    chosen.into_iter().map(|(at, _)| at).collect()
}

/// Blocks from `first` on, from the process that has the ledger open, or from its file.
fn asked(file: &Path, first: u64, bytes: usize) -> Result<Vec<u8>, Error> {
    let unread = |error: std::io::Error| refused(format!("the ledger can't be read: {error}"));
    let piece = Asked::Piece { first, bytes: length(bytes) };
    let mut content = Vec::new();
    match Archive::ask(file, piece).map_err(unread)? {
        Some(mut archive) => {
            archive.read_to_end(&mut content).map_err(unread)?;
        }
        None => {
            let written = gx_ledger::export_piece(file, first, bytes, &mut content);
            written.map_err(|error| of_ledger(&error))?;
        }
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(first: u64, last: u64, pushed_at_ms: i64) -> Piece {
        let (last_hash, sha256) = (String::new(), String::new());
        Piece { first, last, last_hash, sha256, bytes: 1, pushed_at_ms }
    }

    #[test]
    fn what_was_pushed_after_a_restore_counts_more_than_what_it_undid() {
        let pieces = [piece(1, 4, 10), piece(5, 7, 20), piece(8, 9, 30)];
        assert_eq!(way(&pieces, 4, 15), [1, 2]);
        assert_eq!(way(&pieces, 6, 15), [1, 2]);
        assert_eq!(way(&pieces, 9, 35), [0_usize; 0]);
        // Restored to block 4, went on to 6, and was pushed from the backup on.
        let forked = [pieces[1].clone(), pieces[2].clone(), piece(5, 6, 40), piece(7, 8, 50)];
        assert_eq!(way(&forked, 4, 15), [2, 3]);
        assert_eq!(way(&forked, 4, 45), [3]);
    }
}
