//! `cargo xtask gen`: the files that are made from the code and checked in.
//!
//! They are checked in so that a change of the interface shows in review. Nobody edits them.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::process;

/// A file, and the arguments with which the binary prints it.
const FILES: [(&str, &[&str]); 1] = [("openapi/openapi.json", &["openapi"])];

/// Writes the generated files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only checks that the files are what the code makes.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut stale = Vec::new();
    for (path, words) in FILES {
        let made = process::output(
            process::cargo(&["run", "--quiet", "--package", "gx", "--"]).args(words),
        )?;
        let file = process::root().join(path);
        if fs::read_to_string(&file).is_ok_and(|text| text == made) {
            continue;
        }
        if args.check {
            stale.push(path);
            continue;
        }
        let folder = file.parent().unwrap_or(&file);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, made))
            .with_context(|| format!("could not write {path}"))?;
        eprintln!("{path} is written");
    }
    if !stale.is_empty() {
        bail!("not what the code makes: {}; run cargo xtask gen", stale.join(", "));
    }
    Ok(())
}

/// The step of continuous integration.
pub(crate) fn check() -> Result<()> {
    run(&Args { check: true })
}
