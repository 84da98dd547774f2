//! `gx ops certs`: certificates by the day they end.

use anyhow::Result;
use gx_ops::questions::certs::{calendar, certs, render};

use super::answer::Telling;
use super::input::Source;
use crate::{End, console};

/// What is listed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    telling: Telling,
    /// Prints a calendar (iCalendar) with alarms 30 and 7 days before.
    #[arg(long, conflicts_with = "format")]
    calendar: bool,
}

pub(super) fn run(args: &Args) -> Result<End> {
    let answer = certs(&args.source.snapshot()?);
    if args.calendar {
        // The line's own end stays, as the form wants it.
        console::line(calendar(&answer).trim_end_matches('\n'));
    } else {
        args.telling.tell(&answer, render)?;
    }
    Ok(End::Done)
}
