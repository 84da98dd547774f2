//! Files of an image or a package before they are an archive: paths, owners, modes, contents.
//!
//! The archive of a tree is the same bytes wherever it is made: entries are sorted, every time is
//! the one that is given, and owners have numbers but no names.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

#[derive(Debug, Clone)]
struct Entry {
    mode: u32,
    /// Number of the owner and of the owner's group.
    owner: u32,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Folder,
    File(Vec<u8>),
}

/// Entries by their path, which has no `/` at either end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree(BTreeMap<String, Entry>);

impl Tree {
    pub(crate) fn folder(&mut self, path: &str, mode: u32, owner: u32) {
        self.put(path, Entry { mode, owner, kind: Kind::Folder });
    }

    /// A file of root.
    pub(crate) fn file(&mut self, path: &str, mode: u32, content: impl Into<Vec<u8>>) {
        self.put(path, Entry { mode, owner: 0, kind: Kind::File(content.into()) });
    }

    /// A file of root with the content of one of this machine.
    pub(crate) fn copy(&mut self, path: &str, mode: u32, from: &Path) -> Result<()> {
        let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.file(path, mode, content);
        Ok(())
    }

    /// Folders on the way that nobody has described are root's.
    fn put(&mut self, path: &str, entry: Entry) {
        let path = path.trim_matches('/');
        for (at, _) in path.match_indices('/') {
            let parent = Entry { mode: 0o755, owner: 0, kind: Kind::Folder };
            self.0.entry(path[..at].to_owned()).or_insert(parent);
        }
        self.0.insert(path.to_owned(), entry);
    }

    /// Paths and contents of the files.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().filter_map(|(path, entry)| match &entry.kind {
            Kind::File(content) => Some((path.as_str(), content.as_slice())),
            Kind::Folder => None,
        })
    }

    /// The archive. A parent sorts before what is below it, so it is there first.
    pub(crate) fn tar(&self, seconds: u64) -> Result<Vec<u8>> {
        let mut archive = Builder::new(Vec::new());
        for (path, Entry { mode, owner, kind }) in &self.0 {
            let mut header = Header::new_gnu();
            header.set_mode(*mode);
            header.set_uid((*owner).into());
            header.set_gid((*owner).into());
            header.set_mtime(seconds);
            header.set_size(0);
            let failed = || format!("{path} does not fit into an archive");
            match kind {
                Kind::Folder => {
                    header.set_entry_type(EntryType::Directory);
                    let path = format!("{path}/");
                    archive.append_data(&mut header, path, [].as_slice()).with_context(failed)?;
                }
                Kind::File(content) => {
                    header.set_entry_type(EntryType::Regular);
                    header.set_size(content.len() as u64);
                    let content = content.as_slice();
                    archive.append_data(&mut header, path, content).with_context(failed)?;
                }
            }
        }
        Ok(archive.into_inner()?)
    }
}

/// Compresses without saying when, where and under what name.
pub(crate) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    // 255: of no particular system.
    let settings = GzBuilder::new().mtime(0).operating_system(255);
    let mut packed = settings.write(Vec::new(), Compression::best());
    packed.write_all(content)?;
    Ok(packed.finish()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::io::Read as _;

    use super::{Tree, gzip};

    fn tree(reverse: bool) -> Tree {
        let mut tree = Tree::default();
        let mut files = [("usr/bin/gx", "program"), ("etc/passwd", "root"), ("usr/b", "b")];
        if reverse {
            files.reverse();
        }
        for (path, content) in files {
            tree.file(path, 0o644, content);
        }
        tree.folder("var/lib/gx", 0o750, 10001);
        tree
    }

    #[test]
    fn one_tree_is_one_archive_however_it_was_filled() {
        let archives: BTreeSet<Vec<u8>> =
            [true, false].map(|reverse| tree(reverse).tar(1_700_000_000).unwrap()).into();
        assert_eq!(archives.len(), 1);
        assert_ne!(tree(true).tar(1).unwrap(), tree(true).tar(2).unwrap());
    }

    #[test]
    fn an_archive_has_what_was_put_in() {
        let bytes = tree(false).tar(1_700_000_000).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut lines = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let (path, header) = (entry.path().unwrap().display().to_string(), entry.header());
            let (mode, owner) = (header.mode().unwrap(), header.uid().unwrap());
            assert_eq!(header.mtime().unwrap(), 1_700_000_000);
            assert_eq!(header.gid().unwrap(), owner);
            lines.push(format!("{path} {mode:o} {owner}"));
        }
        let expected = [
            "etc/ 755 0",
            "etc/passwd 644 0",
            "usr/ 755 0",
            "usr/b 644 0",
            "usr/bin/ 755 0",
            "usr/bin/gx 644 0",
            "var/ 755 0",
            "var/lib/ 755 0",
            "var/lib/gx/ 750 10001",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_is_compressed_comes_back_and_has_no_time() {
        let packed = gzip(b"the same").unwrap();
        assert_eq!(packed[4..8], [0; 4]);
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "the same");
    }
}
