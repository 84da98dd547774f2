//! The read models' side of `gx verify`: account by account, command by command.
//!
//! Everything is read in pages, so that a large platform is verified in little memory.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use gx_contract::identity::CreateUser;
use gx_contract::{Command, Envelope, Outcome};
use gx_engine::ChainBlock;
use gx_server::Service;
use gx_store::commands::{self, State};
use gx_store::identity::users;
use gx_store::tokenomics::accounts;
use gx_store::{Store, outbox};
use gx_types::{AccountId, CommandId};

use super::auditor::Auditor;
use super::{Findings, rules};

/// Accounts of one query.
const PAGE: u32 = 1000;

/// The service that opens the accounts of people.
const ADMIN: &str = Service::Admin.as_str();

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
                let facts = (account.balance.qirat(), !account.frozen.is_empty());
                self.compare(&rules::READ_MODELS, auditor, account.account_id, facts);
            }
        }
        if seen < auditor.accounts().len() {
            let missing = auditor.accounts().len() - seen;
            self.add(&rules::READ_MODELS, "the read models", format!("lack {missing} accounts"));
        }
        Ok(())
    }

    /// The users whose accounts a block opens. Accounts that no service has opened have none.
    async fn check_users(
        &mut self,
        store: &Store,
        block: &ChainBlock,
    ) -> Result<(), gx_store::Error> {
        let results = block.record.results.iter();
        let applied = results.filter(|one| matches!(one.outcome, Outcome::Applied(_)));
        let applied: BTreeSet<CommandId> = applied.map(|one| one.command_id).collect();
        let opened = block.commands.iter().filter(|one| applied.contains(&one.command_id));
        let opened: Vec<(&Envelope, &CreateUser)> = opened
            .filter_map(|one| match &one.command {
                Command::CreateUser(create) => Some((one, create)),
                _ => None,
            })
            .collect();
        for opened in opened.chunks(PAGE as usize) {
            let ids: Vec<AccountId> = opened.iter().map(|(_, create)| create.user_id).collect();
            let users = users::by_ledger_ids(store, &ids).await?;
            let users: BTreeMap<_, _> =
                users.into_iter().map(|user| (user.ledger_id, user)).collect();
            let commands: Vec<CommandId> = opened.iter().map(|(one, _)| one.command_id).collect();
            let services = outbox::services(store, &commands).await?;
            for (one, create) in opened {
                let id = create.user_id;
                match users.get(&Some(id)) {
                    Some(user)
                        if user.country != create.country
                            || user.identity_hash != create.identity_hash.to_string() =>
                    {
                        let evidence = format!("is not the person whom block {} has", block.number);
                        self.add(&rules::USER, format!("the user of {id}"), evidence);
                    }
                    None if services.get(&one.command_id).is_some_and(|name| name == ADMIN) => {
                        self.add(&rules::USER, format!("the user of {id}"), "is missing");
                    }
                    Some(_) | None => {}
                }
            }
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
                let subject = format!("command {id} of block {number}");
                self.add(&rules::OUTBOX, subject, "is another one in the outbox");
            }
        }
        self.check_users(store, block).await?;
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
                    let subject = format!("command {id} of block {number}");
                    self.add(
                        &rules::OUTCOME,
                        subject,
                        format!("is told as {}", told(&status.state)),
                    );
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
