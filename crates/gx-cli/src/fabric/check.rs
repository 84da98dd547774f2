//! `gx fabric check`: one line for each thing that can be wrong, and what to do about it.
//!
//! The exit status tells scripts whether anything is.

use anyhow::Result;
use gx_fabric::check;

use super::Connection;
use crate::{End, console};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    network: Connection,
}

pub(crate) async fn run(args: &Args) -> Result<End> {
    let (options, wallet) = (args.network.options()?, args.network.wallet()?);
    let findings = check::run(&options, &wallet, args.network.wallet_path()).await;
    for check::Finding { what, state, remedy } in &findings {
        match remedy {
            None => console::line(format_args!("OK     {what}: {state}")),
            Some(remedy) => console::line(format_args!("WRONG  {what}: {state}; {remedy}")),
        }
    }
    let wrong = findings.iter().any(|finding| finding.remedy.is_some());
    Ok(if wrong { End::Findings } else { End::Done })
}
