//! What was commanded after a block, as the database tells it: the list of what has to be given
//! again where the ledger ends before the database.
//!
//! It names commands, not what is in them: id, kind, who gave it, when, what came of it.

use std::path::{Path, PathBuf};

use gx_store::Store;
use gx_store::blocks::{self, TransactionResult};
use gx_store::commands;
use gx_store::submission::listing::{self, Stage};
use gx_types::CommandId;
use serde::Serialize;

use crate::Error;
use crate::state::replace;

/// One command that a ledger which ends earlier lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct After {
    /// The block that it was settled in; `None` when it was not yet.
    pub block: Option<u64>,
    pub command: String,
    /// `Contract:Function`.
    pub function: String,
    /// The id of whoever gave it.
    pub actor: String,
    /// When it was settled, or accepted when it was not yet; milliseconds since 1970.
    pub at_ms: i64,
    /// `applied`, `waiting`, or the code of a refusal.
    pub state: String,
}

/// Rows that are read at once.
const PAGE: u32 = 500;

/// Everything after a block: first what was settled, in the order of the ledger, then what waits.
pub(crate) async fn after(store: &Store, block: u64) -> Result<Vec<After>, gx_store::Error> {
    let last = crate::parts::database::height(store).await?;
    let mut found = Vec::new();
    for number in block.saturating_add(1)..=last {
        let mut from = 0_u64;
        loop {
            let page = blocks::transactions(store, number, from, PAGE).await?;
            let Some(newest) = page.last() else { break };
            from = newest.index.saturating_add(1);
            found.extend(page.into_iter().filter_map(|settled| {
                let state = match settled.result {
                    TransactionResult::Applied => "applied".to_owned(),
                    TransactionResult::Refused { code, .. } => code,
                    // It counts where it was settled first.
                    TransactionResult::Repeated => return None,
                };
                Some(After {
                    block: Some(number),
                    command: settled.command_id.to_string(),
                    function: settled.function,
                    actor: settled.actor.to_string(),
                    at_ms: settled.at.0,
                    state,
                })
            }));
        }
    }
    for stage in [Stage::Submitted, Stage::Waiting] {
        let mut after = None;
        loop {
            let page = listing::list(store, stage, None, after, PAGE).await?;
            let Some(newest) = page.last() else { break };
            after = Some(newest.seq);
            // An outcome counts, however far the submitter has noted that it came.
            let ids: Vec<CommandId> = page.iter().map(|waiting| waiting.command_id).collect();
            let states = commands::statuses(store, &ids).await?.into_iter().flatten();
            found.extend(states.filter(|status| !status.state.is_final()).map(|waiting| After {
                block: None,
                command: waiting.command_id.to_string(),
                function: waiting.function,
                actor: waiting.actor.to_string(),
                at_ms: waiting.created_at.0,
                state: "waiting".to_owned(),
            }));
        }
    }
    Ok(found)
}

/// Writes the list beside the notes of this machine, for the database is moved away next.
pub(crate) fn keep(folder: &Path, block: u64, list: &[After]) -> Result<PathBuf, Error> {
    std::fs::create_dir_all(folder).map_err(Error::io("make", folder))?;
    let path = folder.join(format!("commands-after-block-{block}.json"));
    let mut text = serde_json::to_vec_pretty(list).unwrap_or_default();
    text.push(b'\n');
    replace(&path, &text)?;
    Ok(path)
}
