//! The read models' side of `gx verify`: account by account, command by command.
//!
//! Everything is read in pages, so that a large platform is verified in little memory.

use std::collections::BTreeMap;

use anyhow::Result;
use gx_contract::{Envelope, Outcome};
use gx_engine::ChainBlock;
use gx_store::commands::{self, State};
use gx_store::tokenomics::accounts;
use gx_store::{Store, outbox};
use gx_types::CommandId;

use super::Findings;
use super::auditor::Auditor;

/// Accounts of one query.
const PAGE: u32 = 1000;

impl Findings {
    /// Every account of the read models against the books, both ways.
    pub(super) async fn check_read_models(
        &mut self,
        store: &Store,
        auditor: &Auditor,
    ) -> Result<()> {
        let (mut last, mut seen) = (None, 0);
        loop {
            let page = accounts::page(store, last.as_ref(), PAGE).await;
            let Some(page) = self.read("accounts", page)? else { return Ok(()) };
            let Some(end) = page.last() else { break };
            last = Some(end.account_id);
            seen += page.len();
            for account in page {
                let facts = (account.balance.qirat(), account.frozen.is_some());
                self.compare("read models", auditor, account.account_id, facts);
            }
        }
        if seen < auditor.accounts().len() {
            let missing = auditor.accounts().len() - seen;
            self.add(format!("the read models lack {missing} accounts"));
        }
        Ok(())
    }

    /// What the read models say of a block's commands, against their outcomes in the block.
    pub(super) async fn check_outcomes(
        &mut self,
        store: &Store,
        block: &ChainBlock,
    ) -> Result<(), gx_store::Error> {
        let ChainBlock { number, commands: envelopes, record, .. } = block;
        // A repeated command has its outcome in an earlier block, which is compared there.
        let outcomes: BTreeMap<CommandId, Option<&str>> = record
            .results
            .iter()
            .filter_map(|result| match &result.outcome {
                Outcome::Applied(_) => Some((result.command_id, None)),
                Outcome::Refused(refused) => Some((result.command_id, Some(refused.code.code()))),
                Outcome::Repeated(_) => None,
            })
            .collect();
        let settled = envelopes.iter().filter(|one| outcomes.contains_key(&one.command_id));
        let settled: Vec<&Envelope> = settled.collect();
        for envelopes in settled.chunks(PAGE as usize) {
            for id in outbox::differing(store, envelopes).await? {
                self.add(format!("command {id} of block {number} is another one in the outbox"));
            }
        }
        let ids: Vec<CommandId> = outcomes.keys().copied().collect();
        for ids in ids.chunks(PAGE as usize) {
            for (id, status) in ids.iter().zip(commands::statuses(store, ids).await?) {
                // A command whose row was purged, or that came from elsewhere, stands on the
                // ledger only.
                let Some(status) = status else { continue };
                let fits = match &status.state {
                    State::Committed { block: at, .. } => {
                        at == number && outcomes.get(id) == Some(&None)
                    }
                    State::Refused { block: at, code, .. } => {
                        at == number && outcomes.get(id) == Some(&Some(code.as_str()))
                    }
                    State::Queued | State::Submitted { .. } | State::Dead { .. } => false,
                };
                if fits {
                    self.outcomes += 1;
                } else {
                    let told = told(&status.state);
                    self.add(format!("command {id} of block {number} is told as {told}"));
                }
            }
        }
        Ok(())
    }
}

/// What the read models say of a command.
fn told(state: &State) -> String {
    match state {
        State::Queued => "queued".to_owned(),
        State::Submitted { .. } => "submitted".to_owned(),
        State::Committed { block, .. } => format!("committed in block {block}"),
        State::Refused { block, code, .. } => format!("refused in block {block}: {code}"),
        State::Dead { reason, .. } => format!("dead: {reason}"),
    }
}
