//! A second view of keys, payments of organizations and loans, kept from events alone: who acted
//! was allowed to, nothing is paid twice, and no more comes back than was lent.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;
use gx_types::{AccountId, Actor, NetworkId, PendingTxId};

use super::host::Ledger;
use super::invariants::all;
use super::people_audit::PeopleAudit;
use crate::identity::KeyRecord;
use crate::loan_pool::Loan;
use crate::organization::{AuthRule, MultiSigTxExecuted, Organization};
use crate::{Batch, BatchRecord, Command, Envelope, Event, Outcome, PublicKey};

/// A payment that waits: its approvers so far, and how many it needs.
struct Waiting {
    approved_by: Vec<String>,
    required: usize,
    executed: bool,
    org: String,
    /// What its organization or treasury had paid since yesterday when it was initiated.
    paid_before: u64,
}

/// What organizations and treasuries pay, by their rules.
#[derive(Default)]
struct Spending {
    /// Who stands for each organization.
    stakeholders: BTreeMap<String, Vec<String>>,
    /// Of organizations that have rules.
    ladders: BTreeMap<String, Vec<AuthRule>>,
    /// When, by which account and how much.
    paid: Vec<(i64, String, u64)>,
    now: i64,
}

impl Spending {
    fn since_yesterday(&self, from: &str) -> u64 {
        let first = (self.now.div_euclid(86_400_000) - 1) * 86_400_000;
        let paid = self.paid.iter().filter(|(at, by, _)| *at >= first && by == from);
        paid.map(|(_, _, qirat)| qirat).sum()
    }

    /// More was paid since it was initiated: those approve it who approve the sum.
    fn is_approved(&self, event: &MultiSigTxExecuted, waiting: &Waiting) {
        let before = self.since_yesterday(event.from.as_str());
        let Some(ladder) = self.ladders.get(event.org_id.as_str()) else { return };
        if before <= waiting.paid_before {
            return;
        }
        let sum = before + event.amount.qirat();
        let rule = ladder.iter().rfind(|rule| rule.from_amount.qirat() <= sum);
        let Some(rule) = rule else { return };
        let of_group = |id: &&String| rule.approver_group.iter().any(|one| one.as_str() == **id);
        let approved = waiting.approved_by.iter().filter(of_group).count();
        assert!(approved >= usize::from(rule.required_approvers), "by another rule: {event:?}");
    }
}

#[derive(Default)]
pub(super) struct SocietyAudit {
    network: Option<NetworkId>,
    keys: BTreeMap<String, PublicKey>,
    /// Of admins in office.
    admin_keys: BTreeMap<String, PublicKey>,
    payments: BTreeMap<String, Waiting>,
    spending: Spending,
    /// What was lent and what is still owed.
    loans: BTreeMap<String, (u64, u64)>,
    people: PeopleAudit,
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let digit = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    std::array::from_fn(digit)
}

impl SocietyAudit {
    pub(super) fn follow(&mut self, batch: &Batch, record: &BatchRecord) {
        self.spending.now = record.time.0;
        for (envelope, result) in batch.commands.iter().zip(&record.results) {
            if let Outcome::Applied(events) = &result.outcome {
                self.was_allowed(envelope, record.time.0);
                events.iter().for_each(|event| self.follow_event(event));
                events.iter().for_each(|event| self.people.follow(event, record.time));
            }
        }
    }

    /// An applied command is signed exactly if its actor has a key, by that key, for its time.
    fn was_allowed(&self, envelope: &Envelope, now: i64) {
        let key = match envelope.actor {
            Actor::User(id) => self.keys.get(id.as_str()),
            Actor::Admin(id) => self.admin_keys.get(id.as_str()),
            Actor::System => None,
        };
        match (key, envelope.signature) {
            (None, None) => {}
            (Some(key), Some(signature)) => {
                let until = signature.expires_at;
                // What confirms a jump of the clock is signed for the time before it.
                let confirms = matches!(envelope.command, Command::ConfirmClock(_));
                let in_time = now <= until.0 && until.0 - now <= 86_400_000;
                assert!(confirms || in_time, "signed for another time");
                let key = VerifyingKey::from_bytes(&bytes(&key.to_string())).unwrap();
                let proof = bytes(&signature.signature.to_string());
                let proof = ed25519_dalek::Signature::from_bytes(&proof);
                let signed = envelope.signed_bytes(self.network.unwrap(), until);
                key.verify_strict(&signed, &proof).unwrap();
            }
            (Some(_), None) => panic!("not signed: {envelope:?}"),
            (None, Some(_)) => panic!("signed without a key: {envelope:?}"),
        }
    }

    fn follow_event(&mut self, event: &Event) {
        match event {
            Event::KeyRegistered(event) => {
                let before = self.keys.insert(event.user_id.to_string(), event.public_key);
                assert_eq!(before, None, "a first key is registered once");
            }
            Event::KeyRotated(event) => {
                self.keys.insert(event.user_id.to_string(), event.public_key);
            }
            Event::AdminKeyRegistered(event) => {
                let before = self.admin_keys.insert(event.admin_id.to_string(), event.public_key);
                assert_eq!(before, None, "a first key is registered once");
            }
            Event::AdminKeyRotated(event) => {
                self.admin_keys.insert(event.admin_id.to_string(), event.public_key);
            }
            Event::SystemBootstrapped(event) => {
                self.network = Some(event.network_id);
                let first = event.public_key.map(|key| (event.first_super_admin.to_string(), key));
                self.admin_keys.extend(first);
            }
            Event::AdminRemoved(event) => {
                self.admin_keys.remove(event.admin_id.as_str());
            }
            Event::AdminReplaced(event) => {
                self.admin_keys.remove(event.old_admin_id.as_str());
            }
            Event::RecoveryCompleted(event) => {
                self.keys.insert(event.user_id.to_string(), event.public_key);
            }
            Event::KeyResetCompleted(event) => {
                self.keys.insert(event.user_id.to_string(), event.public_key);
            }
            Event::OrganizationProposed(_)
            | Event::StakeholdersChanged(_)
            | Event::AuthRuleDefined(_)
            | Event::MultiSigTxInitiated(_)
            | Event::MultiSigTxApproved(_)
            | Event::ApprovalWithdrawn(_)
            | Event::MultiSigTxRejudged(_)
            | Event::MultiSigTxExecuted(_) => self.follow_payment(event),
            Event::LoanApproved(event) => {
                let lent = (event.amount.qirat(), event.amount.qirat());
                let before = self.loans.insert(event.loan_id.to_string(), lent);
                assert_eq!(before, None, "a loan is paid out once");
            }
            Event::LoanRepaid(event) => {
                let (_, owed) = self.loans.get_mut(&event.loan_id.to_string()).unwrap();
                *owed = owed.checked_sub(event.amount.qirat()).unwrap();
                assert_eq!(*owed, event.outstanding.qirat(), "{event:?}");
            }
            _ => {}
        }
    }

    fn waiting(&mut self, id: PendingTxId) -> &mut Waiting {
        self.payments.get_mut(&id.to_string()).unwrap()
    }

    fn follow_payment(&mut self, event: &Event) {
        let named = |ids: &[AccountId]| ids.iter().map(ToString::to_string).collect();
        match event {
            Event::OrganizationProposed(event) => {
                let all: Vec<String> = named(&event.stakeholders);
                self.spending.stakeholders.insert(event.org_id.to_string(), all);
            }
            Event::StakeholdersChanged(event) => {
                let org = event.org_id.to_string();
                let all: Vec<String> = named(&event.stakeholders);
                for waiting in self.payments.values_mut().filter(|waiting| waiting.org == org) {
                    waiting.approved_by.retain(|id| all.contains(id));
                }
                self.spending.ladders.insert(org.clone(), event.ladder.clone());
                self.spending.stakeholders.insert(org, all);
            }
            Event::AuthRuleDefined(event) => {
                self.spending.ladders.insert(event.org_id.to_string(), event.ladder.clone());
            }
            Event::MultiSigTxInitiated(event) => {
                let required = usize::from(event.required);
                let paid_before = self.spending.since_yesterday(event.from.as_str());
                let approved_by = named(&event.approved_by);
                let (executed, org) = (false, event.org_id.to_string());
                let waiting = Waiting { approved_by, required, executed, org, paid_before };
                let before = self.payments.insert(event.pending_tx_id.to_string(), waiting);
                assert!(before.is_none(), "a payment is initiated once");
            }
            Event::MultiSigTxApproved(event) => {
                let waiting = self.waiting(event.pending_tx_id);
                let approver = event.approver_id.to_string();
                assert!(!waiting.approved_by.contains(&approver), "approved twice");
                waiting.approved_by.push(approver);
            }
            Event::ApprovalWithdrawn(event) => {
                let waiting = self.waiting(event.pending_tx_id);
                let before = waiting.approved_by.len();
                waiting.approved_by.retain(|id| id != event.approver_id.as_str());
                assert_eq!(waiting.approved_by.len() + 1, before, "it was given");
            }
            Event::MultiSigTxRejudged(event) => {
                let waiting = self.waiting(event.pending_tx_id);
                waiting.required = usize::from(event.required);
                waiting.approved_by = named(&event.approved_by);
            }
            Event::MultiSigTxExecuted(event) => {
                let waiting = &self.payments[&event.pending_tx_id.to_string()];
                assert!(waiting.approved_by.len() >= waiting.required, "below its rule");
                assert!(!waiting.executed, "paid twice");
                let stakeholders = &self.spending.stakeholders[event.org_id.as_str()];
                let all_are = waiting.approved_by.iter().all(|id| stakeholders.contains(id));
                assert!(all_are, "approved by who has left: {event:?}");
                self.spending.is_approved(event, waiting);
                let paid = (self.spending.now, event.from.to_string(), event.amount.qirat());
                self.spending.paid.push(paid);
                self.waiting(event.pending_tx_id).executed = true;
            }
            other => panic!("no business of organizations: {other:?}"),
        }
    }

    pub(super) fn agrees_with(&self, ledger: &Ledger) {
        let keys = all::<KeyRecord>(ledger, "k/").into_iter();
        let keys: BTreeMap<_, _> = keys.map(|(id, record)| (id, record.public_key)).collect();
        assert!(keys.iter().eq(&self.keys), "keys are those that were told of");
        for (id, found) in all::<Organization>(ledger, "n/") {
            let stakeholders: Vec<String> =
                found.stakeholders.iter().map(ToString::to_string).collect();
            assert!((2..=20).contains(&stakeholders.len()), "{id}: {stakeholders:?}");
            assert_eq!(self.spending.stakeholders[&id], stakeholders);
            for rule in &found.ladder {
                let of_them = |one: &AccountId| found.stakeholders.contains(one);
                assert!(rule.approver_group.iter().all(of_them), "{id}: {rule:?}");
                assert!(usize::from(rule.required_approvers) <= rule.approver_group.len());
            }
        }
        for (id, (lent, owed)) in &self.loans {
            let loan: &Loan = &all(ledger, "l/")[id];
            assert_eq!((loan.amount.qirat(), loan.outstanding.qirat()), (*lent, *owed), "{id}");
        }
    }
}
