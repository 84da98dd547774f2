//! Second views of the tax and of votes, kept from events alone: when an account became taxable,
//! that it paid only when it owed, and that every vote counts once.

use std::collections::{BTreeMap, BTreeSet};

use super::host::Ledger;
use super::invariants::{all, events};
use crate::governance::{ActiveProposals, CastVote, Proposal, ProposalStatus, Tally, Vote};
use crate::identity::AccountStatus;
use crate::organization::OrganizationStatus;
use crate::params::{Parameters, StoredParameters};
use crate::state::{Account, RunningMs};
use crate::tax_and_fee::TaxTimer;
use crate::{BatchRecord, Effects, Event};

const DAY_MS: i64 = 86_400_000;

#[derive(Default, Clone, Copy)]
struct Holder {
    balance: u64,
    escrowed: u64,
    timer: Option<Timer>,
    exempt: bool,
    frozen: bool,
    inactive: bool,
}

/// For how long a balance has been large.
#[derive(Default, Clone, Copy)]
struct Timer {
    counted: i64,
    /// Since when it goes on counting; absent while it rests.
    from: Option<i64>,
}

impl Timer {
    fn counted_by(&self, now: i64) -> i64 {
        self.counted + self.from.map_or(0, |from| now - from)
    }

    /// The start that it would have had if it had never rested.
    fn since(&self) -> Option<i64> {
        Some(self.from? - self.counted)
    }
}

/// What the tax's timers must say, on the clock that stands still during pauses.
pub(super) struct TaxAudit {
    threshold: u64,
    period_days: u64,
    /// Until when it was longer, and how long.
    longer: Vec<(i64, u64)>,
    paused_ms: i64,
    holders: BTreeMap<String, Holder>,
}

impl Default for TaxAudit {
    fn default() -> Self {
        let mut audit = Self {
            threshold: 0,
            period_days: 0,
            longer: Vec::new(),
            paused_ms: 0,
            holders: BTreeMap::new(),
        };
        audit.govern(&Parameters::DEFAULT);
        audit
    }
}

impl TaxAudit {
    fn govern(&mut self, parameters: &Parameters) {
        self.threshold = parameters.tax.threshold.qirat();
        self.period_days = parameters.tax.period_days.into();
    }

    /// Takes parameters that were written past the contract.
    pub(super) fn put(&mut self, key: &str, record: &[u8]) {
        if key == "s/parameters" {
            self.govern(&serde_json::from_slice::<StoredParameters>(record).unwrap().0);
        }
    }

    pub(super) fn follow(&mut self, record: &BatchRecord) {
        for event in events(record) {
            self.follow_event(event, record.time.0);
        }
    }

    fn follow_event(&mut self, event: &Event, time: i64) {
        if let Event::SystemResumed(event) = event {
            self.paused_ms += time - event.paused_since.0;
        }
        let now = time - self.paused_ms;
        self.follow_rest(event, now);
        match event {
            Event::SystemParameterUpdated(event) => match event.param_id.id() {
                "velocityTaxThreshold" => self.threshold = event.new_value.get(),
                "velocityTaxPeriodDays" => {
                    self.longer.push((now, self.period_days));
                    self.period_days = event.new_value.get();
                }
                _ => {}
            },
            Event::VelocityTaxApplied(event) => {
                let id = event.account_id.to_string();
                self.touch(&id, now);
                let holder = self.holders.get_mut(&id).unwrap();
                assert_eq!(holder.balance + holder.escrowed, event.taxed_balance.qirat());
                let held = holder.timer.unwrap().counted_by(now);
                assert_eq!(time - event.was_taxable_since.0, held);
                let longer = self.longer.iter().filter(|(until, _)| now - held < *until);
                let days = longer.map(|(_, days)| *days).fold(self.period_days, u64::max);
                assert!(held >= days as i64 * DAY_MS, "taxed too early: {event:?}");
                assert!(!holder.exempt, "an exempt account was taxed: {event:?}");
                let shares = event.treasury_amount.checked_add(event.charitable_amount);
                assert_eq!(shares, Some(event.amount));
                holder.timer = None;
            }
            Event::VelocityTaxExemptSet(event) => {
                self.holders.entry(event.account_id.to_string()).or_default().exempt = event.exempt;
                self.touch(event.account_id.as_str(), now);
            }
            Event::VelocityTaxSkipped(event) => self.touch(event.account_id.as_str(), now),
            Event::EscrowOpened(event) => {
                let held = event.amount.qirat() + event.fee.qirat();
                self.holders.entry(event.payer_id.to_string()).or_default().escrowed += held;
            }
            Event::EscrowReleased(event) => {
                let held = event.amount.qirat() + event.fee.qirat();
                self.holders.get_mut(event.payer_id.as_str()).unwrap().escrowed -= held;
                self.touch(event.payer_id.as_str(), now);
            }
            Event::EscrowRefunded(event) => {
                let held = event.amount.qirat();
                self.holders.get_mut(event.payer_id.as_str()).unwrap().escrowed -= held;
            }
            _ => {}
        }
        for posting in event.postings() {
            let id = posting.account().as_str();
            let holder = self.holders.entry(id.to_owned()).or_default();
            holder.balance = posting.balance().qirat();
            self.touch(id, now);
        }
        let (id, told) = match event {
            Event::VelocityTaxApplied(event) => (event.account_id, event.taxable_since),
            Event::VelocityTaxExemptSet(event) => (event.account_id, event.taxable_since),
            Event::VelocityTaxSkipped(event) => (event.account_id, event.taxable_since),
            _ => return,
        };
        let since = self.holders.get(id.as_str()).and_then(|holder| holder.timer?.since());
        let told = told.map(|told| told.0 - self.paused_ms);
        assert_eq!(since, told, "the timer that {event:?} tells of");
    }

    /// What keeps an account from acting, or lets it act again.
    fn follow_rest(&mut self, event: &Event, now: i64) {
        match event {
            Event::WalletFrozen(event) => self.rest(event.account_id.as_str(), now, |holder| {
                holder.frozen = true;
            }),
            Event::WalletUnfrozen(event) => self.rest(event.account_id.as_str(), now, |holder| {
                holder.frozen = !event.reasons.is_empty();
            }),
            Event::UserStatusSet(event) => self.rest(event.user_id.as_str(), now, |holder| {
                holder.inactive = event.status != AccountStatus::Active;
            }),
            Event::OrganizationStatusSet(event) => {
                self.rest(event.org_id.as_str(), now, |holder| {
                    holder.inactive = event.status != OrganizationStatus::Active;
                })
            }
            _ => {}
        }
    }

    fn rest(&mut self, id: &str, now: i64, change: impl FnOnce(&mut Holder)) {
        change(self.holders.entry(id.to_owned()).or_default());
        self.touch(id, now);
    }

    /// The timer runs while the balance is large, starts when it is found so, and rests while the
    /// account may not act.
    fn touch(&mut self, id: &str, now: i64) {
        let watched = !id.starts_with("SYSTEM_") && !id.starts_with("treasury_");
        if let Some(holder) = self.holders.get_mut(id) {
            let runs =
                watched && !holder.exempt && holder.balance + holder.escrowed >= self.threshold;
            let counted = holder.timer.unwrap_or_default().counted_by(now);
            let from = (!holder.frozen && !holder.inactive).then_some(now);
            holder.timer = runs.then_some(Timer { counted, from });
        }
    }

    pub(super) fn agrees_with(&self, ledger: &Ledger) {
        for (id, account) in all::<Account>(ledger, "a/") {
            let holder = self.holders.get(&id).copied().unwrap_or_default();
            let timer = holder.timer.map(|timer| match timer.since() {
                Some(since) => TaxTimer::Since(RunningMs(since)),
                None => TaxTimer::Rests { ran_ms: timer.counted },
            });
            assert_eq!(account.tax_timer, timer, "timer of {id}");
            assert_eq!(account.tax_exempt, holder.exempt, "exemption of {id}");
            assert_eq!(account.escrowed.qirat(), holder.escrowed, "what of {id} waits");
        }
    }
}

/// What is known of a proposal from events.
#[derive(Clone, Default)]
struct Seen {
    /// On the clock that stands still during pauses.
    ends_at: i64,
    tally: Tally,
    voters: BTreeSet<String>,
    finished: bool,
}

/// One vote for each user, within the time, and a result that follows from the votes.
#[derive(Default)]
pub(super) struct VoteAudit {
    proposals: BTreeMap<String, Seen>,
    /// Whether active proposals were written past the contract.
    disturbed: bool,
    /// What all pauses have taken so far.
    paused_ms: i64,
}

impl VoteAudit {
    pub(super) fn put(&mut self, key: &str) {
        self.disturbed |= key == "s/proposals";
    }

    pub(super) fn follow(&mut self, record: &BatchRecord) {
        for event in events(record) {
            self.follow_event(event, record.time.0);
        }
    }

    fn follow_event(&mut self, event: &Event, time: i64) {
        let now = time - self.paused_ms;
        match event {
            Event::SystemResumed(event) => self.paused_ms += time - event.paused_since.0,
            Event::ProposalSubmitted(event) => {
                let ends_at = event.ends_at.0 - self.paused_ms;
                let seen = Seen { ends_at, ..Seen::default() };
                let before = self.proposals.insert(event.proposal_id.to_string(), seen);
                assert!(before.is_none(), "a proposal is submitted once");
            }
            Event::VoteCast(event) => {
                let seen = self.proposals.get_mut(&event.proposal_id.to_string()).unwrap();
                assert!(now < seen.ends_at && !seen.finished, "a late vote: {event:?}");
                assert!(seen.voters.insert(event.voter_id.to_string()), "twice: {event:?}");
                match event.vote {
                    Vote::For => seen.tally.in_favour += 1,
                    Vote::Against => seen.tally.against += 1,
                    Vote::Abstain => seen.tally.abstain += 1,
                }
                assert_eq!(seen.tally, event.tally);
            }
            Event::ProposalExecuted(event) => {
                self.finish(&event.proposal_id.to_string(), event.tally, now);
            }
            Event::ProposalFailed(event) => {
                self.finish(&event.proposal_id.to_string(), event.tally, now);
            }
            _ => {}
        }
    }

    fn finish(&mut self, id: &str, tally: Tally, now: i64) {
        let seen = self.proposals.get_mut(id).unwrap();
        assert!(now >= seen.ends_at, "the result of {id} is drawn too early");
        assert!(!std::mem::replace(&mut seen.finished, true), "{id} has one result");
        assert_eq!(seen.tally, tally);
    }

    pub(super) fn agrees_with(&self, ledger: &Ledger) {
        let mut votes = BTreeSet::new();
        for (id, seen) in &self.proposals {
            let stored: Proposal = serde_json::from_slice(&ledger[&format!("g/{id}")]).unwrap();
            assert_eq!((stored.tally, stored.ends_at.0), (seen.tally, seen.ends_at));
            assert_eq!(stored.status != ProposalStatus::Active, seen.finished);
            votes.extend(seen.voters.iter().map(|voter| format!("{id}/{voter}")));
        }
        let stored: BTreeSet<String> = all::<CastVote>(ledger, "v/").into_keys().collect();
        assert_eq!(stored, votes, "each vote is a key of its own");
        let active = ledger.get("s/proposals").map_or(BTreeSet::new(), |record| {
            let active: ActiveProposals = serde_json::from_slice(record).unwrap();
            active.proposals.iter().map(|active| active.proposal_id.to_string()).collect()
        });
        let open = self.proposals.iter().filter(|(_, seen)| !seen.finished);
        let open: BTreeSet<String> = open.map(|(id, _)| id.clone()).collect();
        assert!(self.disturbed || active == open, "the list holds what is active");
    }
}
