//! The laws of the contract as properties of random histories.
//!
//! Conservation, determinism, one outcome per id, no trace of what was refused, and replay are
//! asserted by the host for each batch and history; what takes two histories stands here.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{
    AccountId, ActionId, Actor, AdminId, Amount, BatchId, CommandId, CountryCode, EscrowId, LoanId,
    PendingTxId, ProposalId, RecoveryId, RelationshipId, Role, TimeMs,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::histories::{at_once, beginnings, history, in_batches, one_by_one, world};
use super::host::{Host, Ledger};
use super::invariants;
use super::notation::{account, identity_hash};
use crate::state::{CommandOutcome, Key, Record};
use crate::tokenomics::Transfer;
use crate::{Batch, BatchRecord, Command, Context, Event, Execution, Outcome, Query, Refusal};

/// What a history did, without the batches and times in which it did it.
fn outcomes(records: &[BatchRecord]) -> Vec<String> {
    let results = records.iter().flat_map(|record| &record.results);
    results
        .map(|result| match &result.outcome {
            Outcome::Applied(events) => serde_json::to_string(events).unwrap(),
            Outcome::Refused(refused) => refused.to_string(),
            Outcome::Repeated(first) => format!("again {:?}", first.refused),
        })
        .collect()
}

/// A ledger without the batches in which outcomes were recorded.
fn without_batches(ledger: &Ledger) -> BTreeMap<String, Vec<u8>> {
    let stripped = ledger.iter().map(|(key, value)| {
        let value = if key.starts_with("o/") {
            let outcome: CommandOutcome = serde_json::from_slice(value).unwrap();
            format!("{} {:?}", outcome.body, outcome.refused).into_bytes()
        } else {
            value.clone()
        };
        (key.clone(), value)
    });
    stripped.collect()
}

proptest! {
    #![proptest_config(super::many(48))]

    #[test]
    fn the_laws_hold_for_any_history(history in history()) {
        let mut host = world();
        in_batches(&mut host, &history);
        host.finish();
    }

    #[test]
    fn the_laws_hold_from_the_empty_ledger_on(history in beginnings()) {
        let mut host = Host::default();
        in_batches(&mut host, &history);
        host.finish();
    }
}

proptest! {
    #![proptest_config(super::many(32))]

    #[test]
    fn it_does_not_matter_how_commands_are_cut_into_batches(history in history()) {
        let history = at_once(history);
        let (mut together, mut apart) = (world(), world());
        let records = in_batches(&mut together, &history);
        let singles = one_by_one(&mut apart, &history);
        prop_assert_eq!(outcomes(&records), outcomes(&singles));
        prop_assert_eq!(without_batches(&together.ledger), without_batches(&apart.ledger));
    }

    #[test]
    fn a_history_that_is_sent_again_changes_nothing(history in history()) {
        let history = at_once(history);
        let mut host = world();
        let first = in_batches(&mut host, &history);
        let after = host.ledger.clone();
        let again = one_by_one(&mut host, &history);
        prop_assert_eq!(&host.ledger, &after);
        let pairs = first.iter().flat_map(|record| &record.results);
        for (first, again) in pairs.zip(again.iter().flat_map(|record| &record.results)) {
            match (&first.outcome, &again.outcome) {
                (Outcome::Applied(_), Outcome::Repeated(outcome)) => {
                    prop_assert_eq!(&outcome.refused, &None);
                }
                (Outcome::Refused(why), Outcome::Repeated(outcome)) => {
                    prop_assert_eq!(outcome.refused.as_ref(), Some(why));
                }
                (before, now) => prop_assert_eq!(before, now),
            }
        }
        host.finish();
    }
}

/// The laws say little of what never happens in a history.
#[test]
fn histories_come_to_every_event() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    // The world is there already, its network follows the engine's clock, and one organization
    // submits alone.
    let never: BTreeSet<&str> =
        ["SystemBootstrapped", "CountriesInitialized", "ClockConfirmed", "CustodyTransferred"]
            .into();
    for _ in 0..1000 {
        let history = history().new_tree(&mut runner).unwrap().current();
        let mut host = world();
        for record in in_batches(&mut host, &history) {
            seen.extend(invariants::events(&record).map(Event::name));
        }
        if Event::NAMES.iter().all(|name| seen.contains(name) || never.contains(name)) {
            return;
        }
    }
    let missing: Vec<&str> =
        Event::NAMES.iter().filter(|name| !seen.contains(*name)).copied().collect();
    panic!("no history comes to {missing:?}");
}

/// On a sound ledger no credit can overflow; on a damaged one it is refused and not wrapped.
#[test]
fn sums_are_checked_even_where_the_supply_would_not_allow_them() {
    let mut host = world();
    let (from, to) = (account("h0.AA"), account("h1.BB"));
    let pay = |qirat| Transfer { from, to, amount: Amount::from_qirat(qirat), remark: "".into() };
    let full = |balance: u64| {
        let record = format!(
            r#"{{"v":1,"kind":"USER","accountType":"0","country":"BB","balance":"{balance}"}}"#
        );
        record.into_bytes()
    };
    let mut ledger = host.ledger.clone();
    let mut outcome = |payer, payee, qirat| {
        ledger.insert(Key::Account(from).encode(), full(payer));
        ledger.insert(Key::Account(to).encode(), full(payee));
        let envelope = host.envelope(Actor::User(from), pay(qirat));
        let done = host.try_on(&ledger, Role::PartnerApi, vec![envelope]);
        let accounts = done.writes.iter().filter(|write| write.key.starts_with("a/")).count();
        match &done.record.results[0].outcome {
            Outcome::Refused(why) => {
                assert_eq!(accounts, 0, "the debit before the credit is taken back");
                Some(why.code)
            }
            Outcome::Applied(_) | Outcome::Repeated(_) => None,
        }
    };
    assert_eq!(outcome(10, u64::MAX - 1, 1), None);
    assert_eq!(outcome(10, u64::MAX, 1), Some(Refusal::AmountOverflow));
    // A change is a signed number of 64 bits.
    let half = 1 << 63;
    assert_eq!(outcome(u64::MAX, 0, half), Some(Refusal::AmountOverflow));
}

#[test]
fn a_damaged_value_is_named_by_its_key() {
    let batch = Batch { batch_id: BatchId::from_u128(0), role: Role::Admin, commands: Vec::new() };
    let mut execution = Execution::new(&batch, Context::embedded(Role::Admin, TimeMs(0)));
    for (key, name) in [(Key::System, "s/system"), (Key::Admin("root".parse().unwrap()), "d/root")]
    {
        for damaged in ["", "{}", "null", r#"{"v":2}"#] {
            let error = execution.supply(key, Some(damaged.as_bytes())).unwrap_err();
            assert_eq!(error.key, name);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}

fn any_key() -> impl Strategy<Value = Key> {
    let account = "[A-Za-z0-9_-]{1,24}".prop_map(|text| text.parse::<AccountId>().unwrap());
    let admin = "[A-Za-z0-9_-]{3,24}".prop_map(|text| text.parse::<AdminId>().unwrap());
    let proposal = any::<u128>().prop_map(|id| ProposalId::made_by(CommandId::from_u128(id)));
    let few = (0..3_u128).prop_map(|id| ProposalId::made_by(CommandId::from_u128(id)));
    let country = "[A-Z]{2}".prop_map(|text| text.parse::<CountryCode>().unwrap());
    prop_oneof![
        account.clone().prop_map(Key::Account),
        account.clone().prop_map(Key::AccountKey),
        account.clone().prop_map(Key::Borrower),
        account.clone().prop_map(Key::SpendingLimit),
        any::<u128>().prop_map(|id| Key::Escrow(EscrowId::made_by(CommandId::from_u128(id)))),
        any::<u128>().prop_map(|id| Key::Loan(LoanId::made_by(CommandId::from_u128(id)))),
        account.clone().prop_map(Key::Organization),
        any::<u128>().prop_map(|id| Key::PendingTx(PendingTxId::made_by(CommandId::from_u128(id)))),
        country.clone().prop_map(Key::Treasury),
        account.clone().prop_map(Key::Guardians),
        account.clone().prop_map(Key::Tally),
        any::<u128>()
            .prop_map(|id| Key::Relationship(RelationshipId::made_by(CommandId::from_u128(id)))),
        any::<u128>().prop_map(|id| Key::Recovery(RecoveryId::made_by(CommandId::from_u128(id)))),
        account.clone().prop_map(Key::User),
        (few, account).prop_map(|(proposal, voter)| Key::Vote(proposal, voter)),
        proposal.prop_map(Key::Proposal),
        Just(Key::Proposals),
        country.prop_map(Key::Country),
        admin.prop_map(Key::Admin),
        "[a-z]{0,4}".prop_map(|human| Key::Identity(identity_hash(&human))),
        any::<u128>().prop_map(|id| Key::Outcome(CommandId::from_u128(id))),
        Just(Key::Clock),
        Just(Key::Countries),
        Just(Key::Disbursed),
        Just(Key::Parameters),
        any::<u128>().prop_map(|id| Key::Action(ActionId::made_by(CommandId::from_u128(id)))),
        Just(Key::System),
    ]
}

proptest! {
    #[test]
    fn keys_are_told_apart_and_ordered_by_their_encodings(a in any_key(), b in any_key()) {
        prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
        prop_assert_eq!(a == b, a.encode() == b.encode());
    }

    /// Whatever the bytes, reading them ends in a value or an error.
    #[test]
    fn nothing_that_is_read_makes_it_panic(
        key in any_key(), bytes: Vec<u8>, name in 0..Command::NAMES.len(), at: usize, byte: u8,
    ) {
        let _ = Record::decode(&key, &bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = Command::from_name_and_args(Command::NAMES[name], &text);
        let _ = Query::from_name_and_args(Query::NAMES[name % Query::NAMES.len()], &text);
        let _ = serde_json::from_slice::<BatchRecord>(&bytes);
        for (_, key, record) in super::golden::records_of_all_kinds() {
            let mut damaged = record.encode();
            let place = at % damaged.len();
            damaged[place] = byte;
            let _ = Record::decode(&key, &damaged);
        }
    }
}
