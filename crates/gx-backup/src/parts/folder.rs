//! Folders: keys, documents, identities, and what else the settings name.

use std::path::{Path, PathBuf};

use crate::manifest::{Kind, Part};
use crate::parts::{Capture, taken};
use crate::repository::{Reading, folder_of};
use crate::source::Files;
use crate::{Backup, Error, Folder};

/// Captures a folder; nothing when it is missing and may be.
pub(crate) fn capture(to: &Capture<'_>, folder: &Folder) -> Result<Option<Part>, Error> {
    let Folder { name, path, may_be_missing, holds } = folder;
    if !path.is_dir() {
        return match may_be_missing {
            true => Ok(None),
            false => {
                Err(Error::not_captured(name, format!("there is no folder {}", path.display())))
            }
        };
    }
    lacks(path, holds).map_or(Ok(()), |reason| Err(Error::not_captured(name, reason)))?;
    let source = Files::below(path, &folder_of(name));
    let snapshot = to.to.part(to.backup, name, &source, true)?;
    taken(name, Kind::Folder, &snapshot, source.seen()).map(Some)
}

/// Which of the paths below a folder is missing, or is a file or folder with nothing in it.
fn lacks(folder: &Path, holds: &[PathBuf]) -> Option<String> {
    let is_empty = |path: &Path| match path.read_dir() {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => path.metadata().map_or(true, |metadata| metadata.len() == 0),
    };
    let missing = holds.iter().find(|path| is_empty(&folder.join(path)))?;
    Some(format!("{} lacks {}, or it is empty", folder.display(), missing.display()))
}

/// Makes the folder anew. It appears under its name when all of it is there.
pub(crate) fn restore(
    from: &Reading,
    backup: &Backup,
    (name, holds): (&str, &[PathBuf]),
    to: &Path,
) -> Result<(), Error> {
    let unfinished = unfinished(to);
    let failed = |error: std::io::Error| Error::not_restored(name, error.to_string());
    if is_in_use(to) {
        let reason = format!("{} is not empty; move it away first", to.display());
        return Err(Error::not_restored(name, reason));
    }
    clear(&unfinished).map_err(failed)?;
    std::fs::create_dir_all(&unfinished).map_err(failed)?;
    from.files(backup, name, &unfinished)?;
    lacks(&unfinished, holds).map_or(Ok(()), |reason| Err(Error::not_restored(name, reason)))?;
    if to.exists() {
        std::fs::remove_dir(to).map_err(failed)?;
    }
    std::fs::rename(&unfinished, to).map_err(failed)
}

/// Whether something is there that a restore would overwrite.
pub(crate) fn is_in_use(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// Beside the place itself, so that it can be renamed.
pub(crate) fn unfinished(path: &Path) -> std::path::PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    path.with_file_name(name)
}

/// Removes what a restore that was killed has left.
pub(crate) fn clear(unfinished: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
