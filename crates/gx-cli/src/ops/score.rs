//! `gx ops score`: how well pods are spread, and how many nodes can be lost.

use anyhow::Result;
use gx_ops::questions::score::{Options, render, score};

use super::answer::Telling;
use super::input::Source;
use crate::End;

/// What is scored.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
    /// Environment that is looked at.
    #[arg(long, value_name = "NAME", default_value = "mainnet")]
    environment: String,
    /// Counts services of one pod as well, which can lose no node.
    #[arg(long)]
    single: bool,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let options = Options { environment: args.environment.clone(), single: args.single };
    args.telling.tell(&score(&args.source.snapshot()?, &options), render)?;
    Ok(End::Done)
}
