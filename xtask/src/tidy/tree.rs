//! The files that the rules look at: what git tracks, and what it would track next.
//!
//! Files that are not text are left out; ignored ones are never seen.

use std::fs;

use anyhow::{Context, Result};

use crate::process;

/// A text file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, own)| own == extension)
    }

    /// Lines with their numbers, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.split('\n'))
    }

    /// The part of the path below a crate's folder, such as `src/lib.rs` of `crates/gx-types`.
    pub(crate) fn inside(&self, folder: &str) -> Option<&str> {
        self.path.strip_prefix(folder)?.strip_prefix('/')
    }
}

/// All text files of the repository.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    files: Vec<File>,
}

impl Tree {
    pub(crate) fn load() -> Result<Self> {
        let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let list = process::output(&mut process::command("git", &args))
            .context("tidy looks at the files that git tracks")?;
        let root = process::root();
        let mut files = Vec::new();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            // A tracked file that was just deleted, a link, or a file that is not text.
            let Ok(text) = fs::read_to_string(root.join(path)) else { continue };
            files.push(File { path: path.to_owned(), text });
        }
        Ok(Self { files })
    }

    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }
}

#[cfg(test)]
impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }
}

#[cfg(test)]
impl Tree {
    pub(crate) fn new<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self { files: files.map(|(path, text)| File::new(path, text)).to_vec() }
    }
}
