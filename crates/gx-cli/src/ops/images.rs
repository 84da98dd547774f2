//! `gx ops images`: where images are missing, which may go, and how to bring them there.

use anyhow::Result;
use gx_ops::questions::images::{Options, images, render};

use super::answer::Telling;
use super::input::Source;
use crate::End;

/// What is looked at.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
    /// Versions of each image that are kept to go back to.
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: usize,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let options = Options { keep: args.keep };
    args.telling.tell(&images(&args.source.snapshot()?, &options), render)?;
    Ok(End::Done)
}
