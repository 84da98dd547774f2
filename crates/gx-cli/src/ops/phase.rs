//! `gx ops phase`: one phase of the plan, with what holds when it is done.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use gx_ops::questions::checks::{PhaseState, Signatures, phase, render_phase};

use super::answer::Telling;
use super::input::Source;
use crate::End;

/// Which phase, and what it is held against.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "PHASE", value_parser = clap::value_parser!(u8).range(0..=7))]
    phase: u8,
    #[command(flatten)]
    source: Source,
    /// An earlier snapshot, or a folder of what one is made from, for what has to have moved.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// File in TOML of who has signed: `[[signature]]` with phase, name, role, on, and check for
    /// what only a person can know.
    #[arg(long, value_name = "FILE")]
    signatures: Option<PathBuf>,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let signatures = match &args.signatures {
        None => Signatures::default(),
        Some(path) => {
            let failed = || format!("cannot use {}", path.display());
            Signatures::parse(&fs::read_to_string(path).with_context(failed)?)
                .with_context(failed)?
        }
    };
    let (now, before) = args.source.snapshot_and(args.before.as_slice())?;
    let Some(answer) = phase(args.phase, &now, before.as_ref(), &signatures) else {
        bail!("there is no phase {}", args.phase);
    };
    args.telling.tell(&answer, render_phase)?;
    Ok(if answer.state == PhaseState::Done { End::Done } else { End::Findings })
}
