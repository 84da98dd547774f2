//! The programs that read what is made, where this machine has them, and folders for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gx_deploy::monitoring;
use tempfile::TempDir;

/// Whether this machine has a program; a line says what is not looked at without it.
pub(crate) fn has(program: &str, package: &str) -> bool {
    let has = Command::new(program).arg("--version").output().is_ok();
    if !has {
        // Seen by whoever runs the tests, captured or not.
        let line = format!("not checked: {program} is missing (Debian: {package})\n");
        let _ = std::io::Write::write_all(&mut std::io::stderr().lock(), line.as_bytes());
    }
    has
}

/// Runs a program that has to end well, and returns what it says.
pub(crate) fn run(program: &str, args: &[&str], folder: &Path) -> String {
    let output = Command::new(program).args(args).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}\n{said}");
    said
}

/// A folder with all files of monitoring as they are made.
pub(crate) fn written() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in monitoring::files() {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let monitoring = folder.path().join("deploy/monitoring");
    (folder, monitoring)
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
