//! `cargo xtask gen`: the files that are made from the code and checked in.
//!
//! They are checked in so that a change of the interface shows in review. Nobody edits them.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

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

pub(crate) fn run(args: &Args) -> Result<()> {
    let files = if args.contract { vec![CONTRACT] } else { vec![CONTRACT, METRICS, OPENAPI] };
    let made = files.into_iter().map(|File { path, make }| Ok((path.to_owned(), make()?)));
    let mut made = made.collect::<Result<Vec<_>>>()?;
    if !args.contract {
        made.extend(gx_deploy::monitoring::files());
        made.extend(gx_deploy::systemd::files());
    }
    let mut stale = Vec::new();
    for (path, made) in made {
        let file = process::root().join(&path);
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
    run(&Args { check: true, contract: false })
}
