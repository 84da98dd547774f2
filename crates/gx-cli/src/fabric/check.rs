//! `gx fabric check`: one line for each thing that can be wrong, and what to do about it.
//!
//! The exit status tells scripts whether anything is.

use anyhow::Result;
use gx_fabric::check;
use gx_types::Finding;

use super::Connection;
use crate::{End, console};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: Connection,
    /// The result as one JSON array of findings.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args) -> Result<End> {
    let (options, wallet) = (args.network.options()?, args.network.wallet()?);
    let findings = check::run(&options, &wallet, args.network.wallet_path()).await;
    if args.json {
        console::line(serde_json::to_string(&findings)?);
    } else {
        findings.iter().for_each(console::line);
    }
    Ok(if findings.iter().any(Finding::is_wrong) { End::Findings } else { End::Done })
}
