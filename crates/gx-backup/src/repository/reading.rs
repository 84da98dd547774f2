//! A repository that gives parts out.

use std::io::Write;
use std::path::Path;

use rustic_core::repofile::{Node, SnapshotFile};
use rustic_core::{
    IndexedFullStatus, LocalDestination, LsOptions, Repository, RestoreOptions, RusticError,
};

use super::Backup;
use super::location::Location;
use super::writing::folder_of;
use crate::Error;
use crate::manifest::Part;
use crate::progress::{Counted, Progress};

/// A repository that gives parts out.
pub(crate) struct Reading {
    pub(super) inner: Repository<IndexedFullStatus>,
    pub(super) location: Location,
    pub(super) progress: Progress,
}

impl Reading {
    fn failed(&self, error: &RusticError) -> Error {
        let (location, what) = (self.location.to_string(), "read");
        Error::Repository { location, what, reason: error.display_log() }
    }

    pub(super) fn document<T: serde::de::DeserializeOwned>(
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
        let mut to = Counted { to, progress: &self.progress };
        for piece in &tree.nodes {
            self.inner.dump(piece, &mut to).map_err(|error| self.failed(&error))?;
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
