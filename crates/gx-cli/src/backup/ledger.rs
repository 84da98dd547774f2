//! `gx backup ledger`: the blocks of the embedded ledger between two backups.

use anyhow::Result;
use clap::Subcommand;
use gx_backup::{Blocks, Piece, Plan, Platform};
use gx_server::calendar::rfc3339;
use serde_json::json;

use crate::{End, console};

#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum Act {
    /// Makes the archive below the repository, once.
    Init,
    /// Stores the blocks that were settled since the push before.
    Push,
    /// Lists what is archived.
    List,
}

/// Carries one of them out.
pub(super) fn run(plan: &Plan, platform: &Platform, act: Act, as_json: bool) -> Result<End> {
    match act {
        Act::Init => {
            Blocks::init(plan)?;
            if as_json {
                console::line(json!({ "archive": format!("{}/blocks", plan.repository.location) }));
            } else {
                console::line("A new archive of the ledger's blocks below the repository.");
            }
        }
        Act::Push => tell(&Blocks::open(plan)?.push(plan, platform)?, as_json, "nothing is new"),
        Act::List => tell(&Blocks::open(plan)?.pieces()?, as_json, "nothing is archived yet"),
    }
    Ok(End::Done)
}

fn tell(pieces: &[Piece], as_json: bool, none: &str) {
    if as_json {
        return console::line(json!({ "pieces": pieces }));
    }
    if pieces.is_empty() {
        return console::line(none);
    }
    let mut rows = vec![["first block", "last block", "bytes", "pushed"].map(str::to_owned)];
    for piece in pieces {
        let blocks = [piece.first, piece.last, piece.bytes].map(console::thousands);
        let [first, last, bytes] = blocks;
        rows.push([first, last, bytes, rfc3339(piece.pushed_at_ms)]);
    }
    console::table(&rows);
}
