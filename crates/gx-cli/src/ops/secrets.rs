//! `gx ops secrets`: whether copies of credentials agree, by their hashes.

use anyhow::Result;
use gx_ops::questions::secrets::{check, render};

use super::answer::Telling;
use super::input::Source;
use crate::End;

/// What can be asked of credentials.
#[derive(Debug, clap::Subcommand)]
pub enum Secrets {
    /// Whether all copies of a credential are equal, can stand in an address as they are, and are
    /// those of one environment alone. Exits with 1 when not.
    Check(Box<Args>),
}

/// What is looked at.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(secrets: &Secrets) -> Result<End> {
    let Secrets::Check(args) = secrets;
    let answer = check(&args.source.snapshot()?);
    args.telling.tell(&answer, render)?;
    Ok(if answer.is_clean() { End::Done } else { End::Findings })
}
