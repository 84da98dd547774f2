//! A second view of whose coins move, kept from commands and events alone: nobody but its holder
//! takes coins from an account, and what is nobody's or everybody's leaves by its own rules.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{AccountId, Actor, MspId, Pool};

use crate::{Command, CommandResult, Effects, Envelope, Event, Outcome};

#[derive(Default)]
pub(super) struct CoinsAudit {
    /// Who speaks for each user who has no key.
    custodians: BTreeMap<AccountId, MspId>,
    keyed: BTreeSet<AccountId>,
}

/// The accounts that an event may take coins from.
fn payers(event: &Event, envelope: &Envelope) -> Vec<AccountId> {
    let by = |id: &AccountId| {
        assert_eq!(envelope.actor, Actor::User(*id), "another's coins: {envelope:?} {event:?}");
        vec![*id]
    };
    let by_two_admins = || {
        let command = &envelope.command;
        assert!(matches!(command, Command::ApproveAction(_)), "decided by one: {event:?}");
    };
    match event {
        Event::Transferred(event) => by(&event.from),
        Event::EscrowOpened(event) => by(&event.payer_id),
        Event::LoanRepaid(event) => by(&event.paid_by),
        Event::EscrowReleased(event) => {
            assert_eq!(envelope.actor, Actor::User(event.released_by));
            vec![AccountId::escrow()]
        }
        Event::EscrowRefunded(_) => vec![AccountId::escrow()],
        // Who has approved it, and that they could, is seen by the audit of organizations.
        Event::MultiSigTxExecuted(event) => vec![event.from],
        Event::VelocityTaxApplied(event) => vec![event.account_id],
        Event::TransferredByOrder(event) => {
            by_two_admins();
            assert!(!event.from.is_reserved(), "no order is for pools and treasuries");
            vec![event.from]
        }
        Event::PoolDisbursed(event) => {
            by_two_admins();
            vec![event.pool_id.account()]
        }
        Event::GenesisDistributed(_) => {
            [Pool::UserGenesis, Pool::GovtGenesis].map(Pool::account).to_vec()
        }
        Event::LoanApproved(_) => vec![Pool::Loan.account()],
        _ => Vec::new(),
    }
}

impl CoinsAudit {
    pub(super) fn follow(&mut self, envelope: &Envelope, by: MspId, result: &CommandResult) {
        let Outcome::Applied(events) = &result.outcome else { return };
        if let Actor::User(id) = envelope.actor
            && !self.keyed.contains(&id)
            && let Some(custodian) = self.custodians.get(&id)
        {
            assert_eq!(*custodian, by, "spoken for by another: {envelope:?}");
        }
        for event in events {
            let payers = payers(event, envelope);
            let taken = event.postings().iter().filter(|posting| posting.change().qirat() < 0);
            for posting in taken {
                let payer = posting.account();
                assert!(payers.contains(payer), "{payer} pays for {event:?}");
            }
            self.follow_event(event);
        }
    }

    fn follow_event(&mut self, event: &Event) {
        match event {
            Event::UserCreated(event) => {
                self.custodians.insert(event.user_id, event.custodian);
            }
            Event::CustodyTransferred(event) => {
                let before = self.custodians.insert(event.user_id, event.to);
                assert_eq!(before, Some(event.from), "it was theirs");
                assert!(!self.keyed.contains(&event.user_id), "a key has no custodian");
            }
            Event::KeyRegistered(event) => drop(self.keyed.insert(event.user_id)),
            // For a user who never had one it is the first.
            Event::RecoveryCompleted(event) => drop(self.keyed.insert(event.user_id)),
            Event::KeyResetCompleted(event) => drop(self.keyed.insert(event.user_id)),
            _ => {}
        }
    }
}
