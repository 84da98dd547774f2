//! `gx ops collect`: a snapshot of what is known.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use gx_ops::facts::Fact;

use super::input::Source;
use crate::{End, console};

/// What is collected, and where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    /// File that the snapshot is written to; without it the snapshot is printed.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let snapshot = args.source.snapshot()?;
    let text = snapshot.to_text()?;
    let Some(path) = &args.output else {
        console::line(text);
        return Ok(End::Done);
    };
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    for fact in Fact::ALL {
        match snapshot.lacks(*fact) {
            None => console::line(format_args!("{:>6} {}", snapshot.count(*fact), fact.name())),
            Some(why) => console::line(format_args!("     - {}: {why}", fact.name())),
        }
    }
    for note in &snapshot.notes {
        console::line(format_args!("left out: {}: {}", note.about, note.text));
    }
    console::line(format_args!("written to {}", path.display()));
    Ok(End::Done)
}
