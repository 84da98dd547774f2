//! Where a benchmark keeps its files: a folder below the working folder, gone afterwards.
//!
//! Not the system's folder for temporary files, which is often memory: what has to be durable is
//! measured on a disk.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

pub(super) fn folder(within: &Path) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix(".gx-bench-")
        .tempdir_in(within)
        .with_context(|| format!("cannot make a folder in {}", within.display()))
}
