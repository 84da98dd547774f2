//! `gx backup wal`: what PostgreSQL calls to archive its write-ahead log, and to have it back.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;
use gx_backup::{Archive, Plan, Pushed};
use gx_server::calendar::rfc3339;
use serde_json::json;

use crate::{End, console};

#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// Makes the archive below the repository, once.
    Init,
    /// Stores a file of the log: archive_command = 'gx backup wal push --plan FILE %p'.
    Push {
        /// The file, as `%p` names it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Writes a file of the log: restore_command = 'gx backup wal fetch --plan FILE %f %p'.
    Fetch {
        /// Its name, as `%f` names it.
        #[arg(value_name = "NAME")]
        name: String,
        /// Where it goes, as `%p` names it.
        #[arg(value_name = "PATH")]
        to: PathBuf,
    },
    /// Lists what is archived.
    List,
}

/// What a file that was never archived ends with: PostgreSQL takes it for the end of the log.
const NOT_THERE: u8 = 1;

/// What everything else ends with: PostgreSQL stops instead of taking the log for ended.
const FAILED: u8 = 200;

/// Carries one of them out.
pub(super) fn run(plan: &Plan, act: &Act, as_json: bool) -> Result<End> {
    match act {
        Act::Init => {
            Archive::init(plan)?;
            if !as_json {
                console::line("A new archive of the write-ahead log below the repository.");
            }
        }
        Act::Push { file } => {
            let pushed = Archive::open(plan)?.push(plan, file)?;
            if as_json {
                console::line(json!({ "stored": pushed == Pushed::Stored }));
            }
        }
        Act::Fetch { name, to } => {
            let fetched = Archive::open(plan).and_then(|archive| archive.fetch(name, to));
            return Ok(match fetched {
                Ok(true) => End::Done,
                Ok(false) => End::Fetched(NOT_THERE),
                Err(error) => {
                    console::failure(&error.into());
                    End::Fetched(FAILED)
                }
            });
        }
        Act::List => list(plan, as_json)?,
    }
    Ok(End::Done)
}

fn list(plan: &Plan, as_json: bool) -> Result<()> {
    let segments = Archive::open(plan)?.segments()?;
    if as_json {
        console::line(json!({ "segments": segments.into_values().collect::<Vec<_>>() }));
        return Ok(());
    }
    let mut rows = vec![["file", "bytes", "last record"].map(str::to_owned)];
    for segment in segments.into_values() {
        let (bytes, ended) = (console::thousands(segment.bytes), rfc3339(segment.ended_at_ms));
        rows.push([segment.name, bytes, ended]);
    }
    console::table(&rows);
    Ok(())
}
