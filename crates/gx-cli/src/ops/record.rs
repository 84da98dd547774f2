//! `gx ops record`: what was done between two snapshots, in Markdown.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use gx_ops::collect::Redactor;
use gx_ops::questions::record::{Applied, record};

use super::input::{new_salt, snapshot_of};
use crate::{End, console};

/// What is recorded.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A snapshot from before the work, or a folder of what one is made from.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The same from after it.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Plans that were applied and what was told meanwhile, as text or JSON. What looks like a
    /// password in them is left out.
    #[arg(long, value_name = "FILE")]
    applied: Vec<PathBuf>,
    /// What the work was.
    #[arg(long, value_name = "TEXT", default_value = "work record")]
    title: String,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let salt = new_salt()?;
    let (before, after) = (snapshot_of(&args.before, &salt)?, snapshot_of(&args.after, &salt)?);
    let redactor = Redactor::new(salt);
    let mut applied = Vec::new();
    for path in &args.applied {
        let failed = || format!("cannot read {}", path.display());
        let text = fs::read_to_string(path).with_context(failed)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        applied.push(Applied { name, text: redactor.transcript(&text) });
    }
    console::line(record(&args.title, &before, &after, &applied).trim_end());
    Ok(End::Done)
}
