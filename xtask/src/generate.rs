//! `cargo xtask gen`: the files that are made from the code and checked in.
//!
//! They are checked in so that a change of the interface shows in review. Nobody edits them.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use gx_deploy::KUBERNETES;

use crate::{contract_page, metrics_page, process};

/// Writes the generated files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only checks that the files are what the code makes.
    #[arg(long)]
    check: bool,
    /// Only the description of the contract, which needs no build of the platform.
    #[arg(long)]
    contract: bool,
    /// Only what is deployed, from the API description that is there; needs no build either.
    #[arg(long, conflicts_with = "contract")]
    deploy: bool,
}

/// What is generated: where it stands, and how it is made.
struct File {
    path: &'static str,
    make: fn() -> Result<String>,
}

const CONTRACT: File = File { path: "docs/contract.md", make: || Ok(contract_page::page()) };
const METRICS: File = File { path: "docs/metrics.md", make: || Ok(metrics_page::page()) };
const OPENAPI: File = File { path: "openapi/openapi.json", make: openapi };

/// The whole workspace is built with its tests, as those build it: another selection would turn on
/// other features of what they depend on, and build all of it once more.
fn openapi() -> Result<String> {
    process::run(&mut process::cargo(&["build", "--quiet", "--workspace", "--all-targets"]))?;
    let folder = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    let binary = process::root().join(folder).join("debug/gx");
    process::output(&mut process::command(&binary.to_string_lossy(), &["openapi"]))
}

/// What is deployed, and the folder that holds nothing else. It follows from the description of the
/// API, so it is made after it.
fn deployment() -> Result<Vec<(String, String)>> {
    let description = fs::read_to_string(process::root().join(OPENAPI.path));
    let files = gx_deploy::kubernetes::tree(&description.context(OPENAPI.path)?)?;
    Ok(files.into_iter().map(|file| (file.path, file.text)).collect())
}

/// Files below a folder, as paths from the repository's root.
fn below(folder: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(process::root().join(&folder)) else { continue };
        for entry in entries {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    Ok(files)
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let files = match (args.contract, args.deploy) {
        (true, _) => vec![CONTRACT],
        (_, true) => vec![],
        (false, false) => vec![CONTRACT, METRICS, OPENAPI],
    };
    let mut stale = Vec::new();
    for File { path, make } in files {
        bring(args, path, &make()?, &mut stale)?;
    }
    if !args.contract {
        let made = deployment()?;
        let beside = gx_deploy::monitoring::files().into_iter().chain(gx_deploy::systemd::files());
        for (path, text) in made.iter().chain(&beside.collect::<Vec<_>>()) {
            bring(args, path, text, &mut stale)?;
        }
        for path in below(KUBERNETES)? {
            if made.iter().any(|(known, _)| *known == path) {
                continue;
            }
            if args.check {
                stale.push(path);
            } else {
                fs::remove_file(process::root().join(&path))?;
                eprintln!("{path} is deleted");
            }
        }
    }
    if !stale.is_empty() {
        bail!("not what the code makes: {}; run cargo xtask gen", stale.join(", "));
    }
    Ok(())
}

/// Writes a file that is not as it should be, or says so.
fn bring(args: &Args, path: &str, made: &str, stale: &mut Vec<String>) -> Result<()> {
    let file = process::root().join(path);
    if fs::read_to_string(&file).is_ok_and(|text| text == made) {
        return Ok(());
    }
    if args.check {
        stale.push(path.to_owned());
        return Ok(());
    }
    let folder = file.parent().unwrap_or(&file);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, made))
        .with_context(|| format!("could not write {path}"))?;
    eprintln!("{path} is written");
    Ok(())
}

/// The step of continuous integration.
pub(crate) fn check() -> Result<()> {
    run(&Args { check: true, contract: false, deploy: false })
}
