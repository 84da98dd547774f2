//! What is put into the repository, in the form that it takes things in: streams and folders.
//!
//! The library skips what it cannot read and says so in a log that nobody has. So everything here
//! notes its failures, and whoever captured asks for them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata as FileMetadata};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::repofile::{Metadata, Node, NodeType};
use rustic_core::{ReadSource, ReadSourceEntry, ReadSourceOpen, RusticResult};
use sha2::{Digest as _, Sha256};

/// A stream is cut into files of so many bytes. The repository wants to know how long a file is
/// before it reads it, and a stream does not know; and pieces are read while others are packed.
pub(crate) const PIECE: usize = 32 << 20;

/// What was seen of a source while it was read.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    pub(crate) bytes: u64,
    pub(crate) files: u64,
    /// Of a stream only.
    pub(crate) sha256: Option<String>,
    pub(crate) failures: Vec<String>,
}

type Shared = Arc<Mutex<Seen>>;

fn with<R>(seen: &Shared, change: impl FnOnce(&mut Seen) -> R) -> R {
    change(&mut seen.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A stream as a folder of pieces named by their numbers.
pub(crate) struct Stream<R> {
    folder: PathBuf,
    reader: Mutex<Option<R>>,
    seen: Shared,
}

impl<R: Read + Send> Stream<R> {
    pub(crate) fn new(folder: PathBuf, reader: R) -> Self {
        Self { folder, reader: Mutex::new(Some(reader)), seen: Shared::default() }
    }

    pub(crate) fn seen(&self) -> Seen {
        with(&self.seen, |seen| seen.clone())
    }
}

impl<R: Read + Send + 'static> ReadSource for Stream<R> {
    type Open = Cursor<Vec<u8>>;
    type Iter = Pieces<R>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(None)
    }

    fn entries(&self) -> Self::Iter {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (folder, seen) = (self.folder.clone(), self.seen.clone());
        Pieces { folder, reader, hash: Sha256::new(), next: 0, seen }
    }
}

/// The pieces of a stream, each read when it is asked for.
pub(crate) struct Pieces<R> {
    folder: PathBuf,
    reader: Option<R>,
    hash: Sha256,
    next: u32,
    seen: Shared,
}

impl<R: Read> Iterator for Pieces<R> {
    type Item = RusticResult<ReadSourceEntry<Cursor<Vec<u8>>>>;

    fn next(&mut self) -> Option<Self::Item> {
        let reader = self.reader.as_mut()?;
        let mut piece = Vec::new();
        let most = u64::try_from(PIECE).unwrap_or(u64::MAX);
        let read = reader.take(most).read_to_end(&mut piece);
        if let Err(error) = &read {
            with(&self.seen, |seen| seen.failures.push(format!("reading stopped: {error}")));
        }
        if read.is_err() || piece.is_empty() {
            self.reader = None;
            let digest = self.hash.clone().finalize();
            with(&self.seen, |seen| seen.sha256 = Some(hex(digest.as_slice())));
            return None;
        }
        self.hash.update(&piece);
        let size = length(piece.len());
        with(&self.seen, |seen| {
            seen.bytes = seen.bytes.saturating_add(size);
            seen.files = seen.files.saturating_add(1);
        });
        let name = format!("{:06}", self.next);
        self.next = self.next.saturating_add(1);
        let meta = Metadata { mode: Some(0o600), size, ..Metadata::default() };
        let node = Node::new_node(OsStr::new(&name), NodeType::File, meta);
        Some(Ok(ReadSourceEntry {
            path: self.folder.join(&name),
            node,
            open: Some(Cursor::new(piece)),
        }))
    }
}

/// Files and folders of the disk, under other names.
pub(crate) struct Files {
    entries: Vec<(PathBuf, PathBuf, FileMetadata)>,
    seen: Shared,
}

impl Files {
    /// All of a folder, in order. Sockets and pipes hold nothing and are left out.
    pub(crate) fn below(folder: &Path, as_folder: &Path) -> Self {
        let mut files = Self { entries: Vec::new(), seen: Shared::default() };
        match folder.metadata() {
            // The folder itself, so that an empty one is there after a restore.
            Ok(found) => files.entries.push((folder.to_owned(), as_folder.to_owned(), found)),
            Err(error) => files.failed(folder, &error),
        }
        files.walk(folder, as_folder);
        files
    }

    /// Files by name; one that does not exist is left out.
    pub(crate) fn named(files: &BTreeMap<PathBuf, PathBuf>) -> Self {
        let mut named = Self { entries: Vec::new(), seen: Shared::default() };
        for (as_path, path) in files {
            match path.symlink_metadata() {
                Ok(metadata) => named.entries.push((path.clone(), as_path.clone(), metadata)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => named.failed(path, &error),
            }
        }
        named
    }

    fn failed(&self, path: &Path, error: &std::io::Error) {
        let failure = format!("{} can't be read: {error}", path.display());
        with(&self.seen, |seen| seen.failures.push(failure));
    }

    fn walk(&mut self, folder: &Path, as_folder: &Path) {
        let listed: std::io::Result<Vec<_>> =
            std::fs::read_dir(folder).and_then(|entries| entries.collect());
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(error) => return self.failed(folder, &error),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (path, as_path) = (entry.path(), as_folder.join(entry.file_name()));
            let metadata = match path.symlink_metadata() {
                Ok(metadata) => metadata,
                // Gone since it was listed, as a temporary file is.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.failed(&path, &error);
                    continue;
                }
            };
            let is_folder = metadata.is_dir();
            if is_folder || metadata.is_file() || metadata.is_symlink() {
                self.entries.push((path.clone(), as_path.clone(), metadata));
            }
            if is_folder {
                self.walk(&path, &as_path);
            }
        }
    }

    pub(crate) fn seen(&self) -> Seen {
        with(&self.seen, |seen| seen.clone())
    }
}

impl ReadSource for Files {
    type Open = Opening;
    type Iter = std::vec::IntoIter<RusticResult<ReadSourceEntry<Opening>>>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(Some(self.entries.iter().map(|(_, _, metadata)| metadata.len()).sum()))
    }

    fn entries(&self) -> Self::Iter {
        let entries = self.entries.iter().map(|(path, as_path, metadata)| {
            let node_type = if metadata.is_dir() {
                NodeType::Dir
            } else if metadata.is_symlink() {
                NodeType::from_link(&std::fs::read_link(path).unwrap_or_default())
            } else {
                NodeType::File
            };
            let is_file = node_type == NodeType::File;
            let name = as_path.file_name().unwrap_or_default();
            let node = Node::new_node(name, node_type, described(metadata));
            let (path, left, seen) = (path.clone(), metadata.len(), self.seen.clone());
            let open = is_file.then_some(Opening { path, left, seen });
            if !metadata.is_dir() {
                with(&self.seen, |seen| seen.files = seen.files.saturating_add(1));
            }
            Ok(ReadSourceEntry { path: as_path.clone(), node, open })
        });
        entries.collect::<Vec<_>>().into_iter()
    }
}

fn described(metadata: &FileMetadata) -> Metadata {
    let time = |seconds: i64, nanos: i64| {
        let nanos = i32::try_from(nanos).unwrap_or(0);
        rustic_core::jiff::Timestamp::new(seconds, nanos).ok()
    };
    Metadata {
        mode: Some(metadata.mode()),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        uid: Some(metadata.uid()),
        gid: Some(metadata.gid()),
        inode: metadata.ino(),
        size: if metadata.is_file() { metadata.len() } else { 0 },
        ..Metadata::default()
    }
}

/// A file that is opened when its turn comes.
pub(crate) struct Opening {
    path: PathBuf,
    left: u64,
    seen: Shared,
}

impl ReadSourceOpen for Opening {
    type Reader = Watched;

    fn open(self) -> RusticResult<Watched> {
        // What can't be opened fails at the first byte: there is one way to fail.
        let file = File::open(&self.path);
        Ok(Watched { file, path: self.path, left: self.left, seen: self.seen })
    }
}

/// A file whose failures are noted. Of one that grows meanwhile, what it held when it was listed.
pub(crate) struct Watched {
    file: std::io::Result<File>,
    path: PathBuf,
    left: u64,
    seen: Shared,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let (part, _) = buffer.split_at_mut(most);
        let read = match &mut self.file {
            Ok(file) => file.read(part),
            Err(error) => Err(std::io::Error::new(error.kind(), error.to_string())),
        };
        let failure = match &read {
            Ok(0) if most > 0 => Some("became shorter while it was read".to_owned()),
            Err(error) if error.kind() != std::io::ErrorKind::Interrupted => {
                Some(format!("can't be read: {error}"))
            }
            _ => None,
        };
        let count = read.as_ref().map_or(0, |count| length(*count));
        self.left = self.left.saturating_sub(count);
        with(&self.seen, |seen| {
            seen.bytes = seen.bytes.saturating_add(count);
            seen.failures.extend(failure.map(|why| format!("{} {why}", self.path.display())));
        });
        read
    }
}

/// Adds up what it writes on.
pub(crate) struct Summed<W> {
    pub(crate) to: W,
    pub(crate) sum: Sha256,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.sum.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

pub(crate) fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
