//! `gx deploy check`: what would go wrong with an overlay, before it is applied.
//!
//! What is looked at stands in `gx-deploy`; here are the flags and what is printed.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use gx_deploy::check::{self, Circumstances};
use gx_server::config::DEFAULTS;

use crate::{End, console};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Says what would go wrong with an overlay for Kubernetes, with file and field; asks no
    /// cluster. Ends with status 0 when all is well, 3 with findings, 1 when it cannot be read.
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// Folder with a kustomization.yaml, which kubectl renders; or rendered YAML, a file or a
    /// folder.
    #[arg(value_name = "DIR")]
    path: PathBuf,
    /// Nodes that pods of mainnet may run on.
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    nodes: u16,
    /// The findings as one JSON array.
    #[arg(long)]
    json: bool,
}

/// Does what the command line says.
pub fn run(args: &Args) -> Result<End> {
    let Command::Check(args) = &args.command;
    ensure!(args.nodes > 0, "--nodes must be at least 1");
    let is_overlay = args.path.join("kustomization.yaml").is_file();
    let objects = match is_overlay {
        true => check::overlay(&args.path)?,
        false => check::rendered(&args.path)?,
    };
    let settings = check::settings(DEFAULTS);
    let circumstances = Circumstances { nodes: args.nodes, settings };
    let findings = check::check(&objects, &circumstances);
    if args.json {
        console::line(serde_json::to_string(&findings)?);
    } else {
        findings.iter().for_each(console::line);
        let (found, looked) = (findings.len(), objects.all.len());
        console::line(format_args!("{looked} objects looked at, {found} findings"));
    }
    Ok(if findings.is_empty() { End::Done } else { End::Findings })
}
