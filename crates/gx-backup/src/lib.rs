//! Backups that are proved: captured part by part while the platform runs, encrypted and without
//! repetition in a repository that restic reads as well, restored as a whole.
//!
//! A backup is there when its manifest is: parts come first, the manifest last, so that a run that
//! is killed leaves no half of one. Nothing here knows HTTP, and nothing removes what the newest
//! proved backup needs.

#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]
#![cfg_attr(test, allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used))]

mod after;
mod blocks;
mod cluster;
mod error;
mod gate;
mod manifest;
mod metrics;
mod parts;
mod plan;
mod progress;
mod prune;
mod recover;
mod repository;
mod restore;
mod retention;
mod run;
mod schedule;
mod sheet;
mod source;
mod state;
mod status;
mod time;
mod verify;
mod wal;

pub use after::After;
pub use blocks::{Blocks, Piece};
pub use error::Error;
pub use gate::Gate;
pub use manifest::{Heights, How, Kind, LogRange, Manifest, Part, Proof};
pub use metrics::write as write_metrics;
pub use parts::database::ThrowAway;
pub use plan::{DATABASE, Folder, LEDGER, Method, Plan, Platform};
pub use progress::{Progress, Seen};
pub use prune::{Pruned, prune};
pub use recover::Recovered;
pub use repository::{Backup, Repo};
pub use restore::{Choice, Restored, extract, restore, restore_choice};
pub use run::{Ran, host, run};
pub use schedule::{cron_job, systemd};
pub use sheet::recovery_sheet;
pub use state::{Action, Lock, Outcome, State};
pub use status::{Space, Status, status};
pub use time::read_time;
pub use verify::verify;
pub use wal::{Archive, Pushed, Segment};
