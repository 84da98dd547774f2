//! What must hold after every batch and for every history, whatever the commands were.
//!
//! Computed from stored bytes and events alone, so that it is no second copy of the rules.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{CommandId, MAX_SUPPLY, MspId, Pool};
use serde::de::DeserializeOwned;

use super::admin_audit::AdminAudit;
use super::attester_audit::AttesterAudit;
use super::audits::{TaxAudit, VoteAudit};
use super::coins_audit::CoinsAudit;
use super::host::Ledger;
use super::society_audit::SocietyAudit;
use crate::escrow::{Escrow, EscrowState};
use crate::identity::TrustScore;
use crate::state::{Account, Admin, AdminLevel, CommandOutcome, Country, Identity, System, User};
use crate::{
    Batch, BatchRecord, BodyHash, CARRIED_EVENTS, Command, CommandDescription, Done, Effects,
    Event, Gate, GenesisStatus, Outcome, Refusal, Refused,
};

/// Asserts every law that one batch can break.
pub(super) fn hold(before: &Ledger, batch: &Batch, done: &Done, after: &Ledger) {
    let keys: Vec<&String> = done.writes.iter().map(|write| &write.key).collect();
    assert!(keys.is_sorted_by(|a, b| a < b), "writes are sorted and unique: {keys:?}");
    let ids: Vec<CommandId> = batch.commands.iter().map(|envelope| envelope.command_id).collect();
    let answered: Vec<CommandId> = done.record.results.iter().map(|r| r.command_id).collect();
    assert_eq!(ids, answered, "one result per command, in order");
    assert_eq!(done.record.batch_id, batch.batch_id);
    outcomes_are_described(batch, &done.record);
    outcomes_are_recorded_once(before, done, after);
    movements_explain_balances(before, &done.record, after);
    supply_is_whole(after);
    super_admins_are_counted(after);
    escrows_are_covered(after);
    for (key, country) in all::<Country>(after, "c/") {
        let kept = country.slots.iter().zip(&country.slots_used).all(|(slots, used)| used <= slots);
        assert!(kept, "more grants than slots in {key}: {country:?}");
    }
}

/// What a command is refused for, and what it emits, stands in its description.
fn outcomes_are_described(batch: &Batch, record: &BatchRecord) {
    let of_actions = Command::descriptions().into_iter();
    let waits = |c: &CommandDescription| c.gates.iter().any(Gate::needs_two_admins);
    let of_actions: Vec<_> = of_actions.filter(waits).collect();
    for (envelope, result) in batch.commands.iter().zip(&record.results) {
        let name = envelope.command.name();
        let own = Command::describe(name).unwrap();
        let run = of_actions.iter().filter(|_| own.runs_actions);
        let all: Vec<&CommandDescription> = run.chain([&own]).collect();
        match &result.outcome {
            Outcome::Applied(events) => {
                for event in events.iter().map(Event::name) {
                    let told = CARRIED_EVENTS.contains(&event)
                        || all.iter().any(|described| described.events.contains(&event));
                    assert!(told, "{name} emits {event}, which its rule does not list");
                }
            }
            Outcome::Refused(Refused { code, .. }) => {
                let told = all.iter().any(|described| described.refusals.contains(code));
                assert!(told, "{name} is refused as {code}, which its rule does not list");
            }
            Outcome::Repeated(_) => {}
        }
    }
}

/// All records of one type with their ids.
pub(super) fn all<T: DeserializeOwned>(ledger: &Ledger, prefix: &str) -> BTreeMap<String, T> {
    let from_first = ledger.range(prefix.to_owned()..);
    let records = from_first.map_while(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
    records.map(|(id, value)| (id.to_owned(), serde_json::from_slice(value).unwrap())).collect()
}

fn balances(ledger: &Ledger) -> BTreeMap<String, u64> {
    let accounts = all::<Account>(ledger, "a/").into_iter();
    accounts.map(|(id, account)| (id, account.balance.qirat())).filter(|(_, q)| *q != 0).collect()
}

fn supply_is_whole(ledger: &Ledger) {
    let sum: u128 = balances(ledger).values().copied().map(u128::from).sum();
    let bootstrapped = ledger.contains_key("s/system");
    let supply = if bootstrapped { 1_250_000_000_000_000_000 } else { 0 };
    assert_eq!(sum, supply, "the sum of all balances");
    assert_eq!(u128::from(MAX_SUPPLY.qirat()), 1_250_000_000_000_000_000);
    let pools = Pool::ALL.map(|pool| ledger.contains_key(&format!("a/{pool}")));
    assert_eq!(pools, [bootstrapped; 6]);
}

/// What lies in escrow is what the open escrows say, altogether and of each payer.
fn escrows_are_covered(ledger: &Ledger) {
    let mut held: BTreeMap<String, u64> = BTreeMap::new();
    for escrow in all::<Escrow>(ledger, "w/").into_values() {
        if escrow.state == EscrowState::Open {
            let sum = escrow.amount.qirat() + escrow.fee.qirat();
            *held.entry(escrow.payer_id.to_string()).or_default() += sum;
        }
    }
    let accounts = all::<Account>(ledger, "a/");
    let pooled = accounts.get("SYSTEM_ESCROW").map_or(0, |account| account.balance.qirat());
    assert_eq!(pooled, held.values().sum::<u64>(), "the escrows' account");
    let waits = accounts.into_iter().map(|(id, account)| (id, account.escrowed.qirat()));
    assert_eq!(held, waits.filter(|(_, sum)| *sum > 0).collect(), "what of each payer waits");
}

/// In office, of the highest level.
fn super_admins(ledger: &Ledger) -> usize {
    let governs = |admin: &Admin| admin.level == AdminLevel::SuperAdmin && admin.in_office();
    all::<Admin>(ledger, "d/").values().filter(|admin| governs(admin)).count()
}

fn super_admins_are_counted(ledger: &Ledger) {
    if let Some(system) = ledger.get("s/system") {
        let system: System = serde_json::from_slice(system).unwrap();
        assert_eq!(system.super_admins as usize, super_admins(ledger), "super admins are counted");
    }
}

pub(super) fn events(record: &BatchRecord) -> impl Iterator<Item = &Event> {
    record.results.iter().flat_map(|result| match &result.outcome {
        Outcome::Applied(events) => events.as_slice(),
        Outcome::Refused(_) | Outcome::Repeated(_) => &[],
    })
}

/// An event with postings says so where readers look who do not know its rule.
fn tells_its_postings(event: &Event) {
    let written = serde_json::to_value(event).unwrap();
    let written = written.as_object().unwrap().values().next().unwrap();
    let told = serde_json::to_value(event.postings()).unwrap();
    assert_eq!(written.get("postings").unwrap_or(&serde_json::json!([])), &told, "{event:?}");
}

/// Applies the movements of a record and checks the balance that each one states.
fn follow_movements(balances: &mut BTreeMap<String, u64>, record: &BatchRecord) {
    for event in events(record) {
        let sum: i128 = event.postings().iter().map(|p| i128::from(p.change().qirat())).sum();
        let created = matches!(event, Event::SystemBootstrapped(_));
        let created = if created { i128::from(MAX_SUPPLY.qirat()) } else { 0 };
        assert_eq!(sum, created, "movements of {event:?}");
        tells_its_postings(event);
        for posting in event.postings() {
            let balance = balances.entry(posting.account().to_string()).or_default();
            *balance = balance.checked_add_signed(posting.change().qirat()).unwrap();
            assert_eq!(*balance, posting.balance().qirat(), "balance stated by {event:?}");
        }
    }
    balances.retain(|_, balance| *balance != 0);
}

fn movements_explain_balances(before: &Ledger, record: &BatchRecord, after: &Ledger) {
    let mut expected = balances(before);
    follow_movements(&mut expected, record);
    assert_eq!(expected, balances(after), "every change of a balance is told of");
}

fn outcomes_are_recorded_once(before: &Ledger, done: &Done, after: &Ledger) {
    for write in done.writes.iter().filter(|write| write.key.starts_with("o/")) {
        assert!(!before.contains_key(&write.key), "an outcome is overwritten: {}", write.key);
    }
    for result in &done.record.results {
        let stored = &after[&format!("o/{}", result.command_id)];
        let stored: CommandOutcome = serde_json::from_slice(stored).unwrap();
        let refused = stored.refused.as_deref();
        match &result.outcome {
            Outcome::Applied(_) => {
                assert_eq!((stored.batch_id, refused), (done.record.batch_id, None));
                assert_eq!(stored.time, done.record.time);
            }
            Outcome::Refused(Refused { code: Refusal::CommandIdReused, .. }) => {}
            Outcome::Refused(why) => {
                assert_eq!((stored.batch_id, refused), (done.record.batch_id, Some(why)));
            }
            Outcome::Repeated(first) => {
                assert_eq!((stored.batch_id, stored.time), (first.batch_id, first.time));
                assert_eq!(refused, first.refused.as_ref());
            }
        }
    }
}

/// A second view of a history, kept from its events alone.
#[derive(Default)]
pub(super) struct Audit {
    balances: BTreeMap<String, u64>,
    /// Users and used slots by country.
    countries: BTreeMap<String, (u64, [u64; 6])>,
    /// Where each user stands with genesis.
    genesis: BTreeMap<String, GenesisStatus>,
    granted: BTreeSet<String>,
    /// The trust score of each user.
    trust: BTreeMap<String, u8>,
    admins: AdminAudit,
    attesters: AttesterAudit,
    tax: TaxAudit,
    votes: VoteAudit,
    society: SocietyAudit,
    coins: CoinsAudit,
    /// The first body and answer under each command id.
    answers: BTreeMap<CommandId, (BodyHash, Option<Refused>)>,
}

impl Audit {
    /// Takes the figures of a country or user that was written past the contract.
    pub(super) fn put(&mut self, key: &str, record: &[u8]) {
        self.tax.put(key, record);
        self.votes.put(key);
        if let Some(id) = key.strip_prefix("a/") {
            let Account { balance, .. } = serde_json::from_slice(record).unwrap();
            self.balances.insert(id.to_owned(), balance.qirat());
        }
        if let Some(code) = key.strip_prefix("c/") {
            let Country { users, slots_used, .. } = serde_json::from_slice(record).unwrap();
            self.countries.insert(code.to_owned(), (users, slots_used));
        }
        if let Some(id) = key.strip_prefix("u/") {
            let User { trust_score, .. } = serde_json::from_slice(record).unwrap();
            self.trust.insert(id.to_owned(), trust_score);
        }
        self.admins.put(key, record);
    }

    pub(super) fn follow(&mut self, batch: &Batch, by: MspId, record: &BatchRecord) {
        follow_movements(&mut self.balances, record);
        self.tax.follow(record);
        self.votes.follow(record);
        self.admins.follow(record);
        self.attesters.follow(record);
        self.society.follow(batch, record);
        for event in events(record) {
            self.follow_event(event);
        }
        for (envelope, result) in batch.commands.iter().zip(&record.results) {
            self.coins.follow(envelope, by, result);
            let (id, body) = (envelope.command_id, envelope.body_hash());
            match (self.answers.get(&id), &result.outcome) {
                (None, Outcome::Applied(_)) => drop(self.answers.insert(id, (body, None))),
                (None, Outcome::Refused(why)) => {
                    drop(self.answers.insert(id, (body, Some(why.clone()))));
                }
                (Some((first, refused)), Outcome::Repeated(again)) => {
                    assert_eq!((*first, refused), (body, &again.refused));
                }
                (Some((first, _)), Outcome::Refused(why)) => {
                    assert_eq!(why.code, Refusal::CommandIdReused);
                    assert_ne!(*first, body);
                }
                unlikely => panic!("a second outcome of {id}: {unlikely:?}"),
            }
        }
    }

    fn follow_event(&mut self, event: &Event) {
        match event {
            Event::CountriesInitialized(event) => {
                for added in &event.countries {
                    let before = self.countries.insert(added.country_code.to_string(), (0, [0; 6]));
                    assert_eq!(before, None, "a country is added once");
                }
            }
            Event::UserCreated(_) | Event::GenesisDistributed(_) | Event::GenesisSkipped(_) => {
                self.follow_genesis(event);
            }
            Event::RelationshipConfirmed(event) => self.follow_trust(&event.trust),
            Event::RelationshipEnded(event) => self.follow_trust(&event.trust),
            Event::LoanRepaid(event) => self.follow_trust(event.trust.as_slice()),
            Event::LoanDefaulted(event) => self.follow_trust(&[event.trust]),
            // What the others do is seen in their postings, which are followed for every event.
            _ => {}
        }
    }

    fn follow_genesis(&mut self, event: &Event) {
        match event {
            Event::UserCreated(event) => {
                self.countries.get_mut(event.country.as_str()).unwrap().0 += 1;
                self.trust.insert(event.user_id.to_string(), event.trust_score);
                let told = self.genesis.insert(event.user_id.to_string(), event.genesis);
                assert_eq!(told.unwrap_or(event.genesis), event.genesis);
            }
            Event::GenesisDistributed(event) => {
                let used = &mut self.countries.get_mut(event.country.as_str()).unwrap().1;
                used[usize::from(event.phase) - 1] += 1;
                let (phase, amount) = (event.phase, event.amount);
                let user = event.user_id.to_string();
                assert!(self.granted.insert(user.clone()), "granted twice: {event:?}");
                self.genesis.insert(user, GenesisStatus::Granted { phase, amount });
            }
            Event::GenesisSkipped(event) => {
                let status = match event.code {
                    Refusal::GenesisIneligible => GenesisStatus::Ineligible,
                    Refusal::GenesisExhausted => GenesisStatus::Exhausted,
                    _ => return,
                };
                self.genesis.insert(event.user_id.to_string(), status);
            }
            other => panic!("no business of genesis: {other:?}"),
        }
    }

    fn follow_trust(&mut self, scores: &[TrustScore]) {
        for TrustScore { user_id, trust_score } in scores {
            assert!(*trust_score <= 100, "{user_id} has {trust_score}");
            self.trust.insert(user_id.to_string(), *trust_score);
        }
    }

    /// The state says what the events say, and one human has one account.
    pub(super) fn agrees_with(&self, ledger: &Ledger) {
        assert_eq!(self.balances, balances(ledger));
        let countries = all::<Country>(ledger, "c/").into_iter();
        let figures = countries.map(|(code, row)| (code, (row.users, row.slots_used)));
        assert_eq!(self.countries, figures.collect());
        self.admins.agrees_with(ledger);
        self.attesters.agrees_with(ledger);
        self.tax.agrees_with(ledger);
        self.votes.agrees_with(ledger);
        self.society.agrees_with(ledger);
        let users = all::<User>(ledger, "u/");
        let statuses = users.iter().map(|(id, user)| (id.clone(), user.genesis));
        assert_eq!(self.genesis, statuses.collect());
        let scores = users.iter().map(|(id, user)| (id.clone(), user.trust_score));
        assert_eq!(self.trust, scores.collect(), "every change of a score is told of");
        let identities = all::<Identity>(ledger, "i/");
        let persons: BTreeSet<String> =
            identities.values().map(|identity| identity.user_id.to_string()).collect();
        assert_eq!(persons.len(), identities.len(), "an account belongs to one human");
        assert_eq!(users.len(), identities.len(), "a human has one account");
        for (id, user) in &users {
            assert_eq!(identities[&user.identity_hash.to_string()].user_id.as_str(), id);
        }
        let recorded = all::<CommandOutcome>(ledger, "o/");
        assert_eq!(recorded.len(), self.answers.len(), "one outcome per command id");
    }
}
