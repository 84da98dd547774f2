//! Which commit a build is of, and when it was made.
//!
//! Nothing here fails: sources without a repository, or a machine without git, make a build that
//! does not say its commit.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    println!("cargo::rerun-if-env-changed=GX_GIT_HASH");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    // Both change with every commit and check-out, and with nothing else.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file]) {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let given = std::env::var("GX_GIT_HASH").ok();
    if let Some(hash) = given.or_else(|| git(&["rev-parse", "HEAD"])) {
        println!("cargo::rustc-env=GX_GIT_HASH={hash}");
    }
    let given = std::env::var("SOURCE_DATE_EPOCH").ok();
    #[expect(clippy::disallowed_methods, reason = "a build has no clock but the machine's")]
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs().to_string())
    };
    if let Some(seconds) = given.or_else(now) {
        println!("cargo::rustc-env=GX_BUILT_AT={seconds}");
    }
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
