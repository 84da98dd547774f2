//! A repository in a folder. The library reads it; what is written here is durable and whole.
//!
//! A file appears under its name when all of it is on the disk. So a target that is full, or a run
//! that is killed, leaves no half of an index or of a snapshot that hides everything behind it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustic_backend::LocalBackend;
use rustic_core::{
    BytesList, ErrorKind, FileType, Id, ReadBackend, RusticError, RusticResult, WriteBackend,
};

/// The folder, and the library's way to read it.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    reading: LocalBackend,
}

impl Folder {
    pub(crate) fn new(root: &str) -> RusticResult<Self> {
        let reading = LocalBackend::new(root, std::iter::empty())?;
        Ok(Self { root: PathBuf::from(root), reading })
    }

    fn file(&self, tpe: FileType, id: &Id) -> PathBuf {
        let hex = id.to_hex();
        let hex: &str = &hex;
        match tpe {
            FileType::Config => self.root.join("config"),
            FileType::Pack => {
                self.root.join(tpe.dirname()).join(hex.get(..2).unwrap_or_default()).join(hex)
            }
            _ => self.root.join(tpe.dirname()).join(hex),
        }
    }
}

/// Writes all of a file and then gives it its name.
fn write(path: &Path, content: &BytesList) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Its name is that of no file of a repository, and a prune of restic sweeps none: it goes with
    // the value, and what a killed run leaves is in nobody's way.
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    for bytes in content.slice() {
        file.write_all(bytes)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

impl ReadBackend for Folder {
    fn location(&self) -> String {
        self.reading.location()
    }

    fn list_with_size(&self, tpe: FileType) -> RusticResult<Vec<(Id, u32)>> {
        self.reading.list_with_size(tpe)
    }

    fn list(&self, tpe: FileType) -> RusticResult<Vec<Id>> {
        self.reading.list(tpe)
    }

    fn read_full(&self, tpe: FileType, id: &Id) -> RusticResult<bytes::Bytes> {
        self.reading.read_full(tpe, id)
    }

    fn read_partial(
        &self,
        tpe: FileType,
        id: &Id,
        cacheable: bool,
        offset: u32,
        length: u32,
    ) -> RusticResult<bytes::Bytes> {
        self.reading.read_partial(tpe, id, cacheable, offset, length)
    }

    fn warmup_path(&self, tpe: FileType, id: &Id) -> String {
        self.reading.warmup_path(tpe, id)
    }
}

impl WriteBackend for Folder {
    fn create(&self) -> RusticResult<()> {
        self.reading.create()
    }

    fn write_bytes(
        &self,
        tpe: FileType,
        id: &Id,
        _cacheable: bool,
        content: BytesList,
    ) -> RusticResult<()> {
        let path = self.file(tpe, id);
        write(&path, &content).map_err(|error| {
            let told = format!("{} can't be written: {error}", path.display());
            RusticError::with_source(ErrorKind::Backend, told, error)
        })
    }

    fn remove(&self, tpe: FileType, id: &Id, _cacheable: bool) -> RusticResult<()> {
        let path = self.file(tpe, id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let told = format!("{} can't be removed: {error}", path.display());
                Err(RusticError::with_source(ErrorKind::Backend, told, error))
            }
            _ => Ok(()),
        }
    }
}
