//! A repository that takes parts in.

use std::path::{Path, PathBuf};

use rustic_core::repofile::SnapshotFile;
use rustic_core::{
    BackupOptions, IndexedIdsStatus, ParentOptions, ReadSource, Repository, RusticError,
    SnapshotOptions,
};

use super::contents::{MANIFEST, PART};
use super::location::Location;
use crate::Error;
use crate::manifest::Manifest;
use crate::source::Stream;

/// A repository that takes parts in.
pub(crate) struct Writing {
    pub(super) inner: Repository<IndexedIdsStatus>,
    pub(super) location: Location,
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
        (name, part): (&str, &str),
        source: &Stream<std::io::Cursor<Vec<u8>>>,
        description: String,
    ) -> Result<SnapshotFile, Error> {
        self.take((label, Some(description)), name, part, source, false)
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
