//! A command id has one outcome for ever, wherever the ledger has put it by now.

use gx_contract::{Batch, Context, Outcome, Refusal};
use gx_ledger::Ledger;
use gx_types::{Role, TimeMs};

use crate::load::{Load, filled, open, submit, transfer};

fn refused_or_repeated(ledger: &Ledger, batch: &Batch) -> Vec<Outcome> {
    let receipt = submit(ledger, batch, 99_000);
    receipt.record.results.iter().map(|result| result.outcome.clone()).collect()
}

/// The batch's commands again, in a batch of another id.
fn again(load: &mut Load, batch: &Batch) -> Batch {
    let next = load.batch(batch.role, []);
    Batch { commands: batch.commands.clone(), ..next }
}

#[test]
fn an_id_is_found_in_memory_in_segments_and_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let mut ledger = filled(&path, 1, 5, 0);
    let mut load = Load::new(4);
    let first = load.batch(Role::PartnerApi, [transfer(1, 2, 7), transfer(1, 1, 7)]);
    let receipt = submit(&ledger, &first, 5_000);
    for round in 0..60 {
        let repeated = again(&mut load, &first);
        for outcome in refused_or_repeated(&ledger, &repeated) {
            let Outcome::Repeated(repeated) = outcome else { panic!("{outcome:?}") };
            assert_eq!(repeated.batch_id, first.batch_id);
            assert_eq!(repeated.time, receipt.time);
        }
        let others = load.batch(Role::PartnerApi, (0..9).map(|_| transfer(2, 3, 1)));
        submit(&ledger, &others, 6_000);
        if round % 13 == 0 {
            drop(ledger);
            ledger = open(&path);
        }
    }
    let mut stolen = load.batch(Role::PartnerApi, [transfer(1, 2, 8)]);
    stolen.commands[0].command_id = first.commands[0].command_id;
    let outcome = refused_or_repeated(&ledger, &stolen).remove(0);
    let Outcome::Refused(refused) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refused.code, Refusal::CommandIdReused);
}

#[test]
fn an_id_is_found_before_its_block_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = filled(&folder.path().join("ledger"), 1, 5, 0);
    let mut load = Load::new(4);
    let context = Context::embedded(Role::PartnerApi, TimeMs(9_000));
    for _ in 0..20 {
        let first = load.batch(Role::PartnerApi, (0..30).map(|_| transfer(1, 2, 7)));
        let second = again(&mut load, &first);
        let first = ledger.enqueue(&first, context).unwrap();
        let second = ledger.enqueue(&second, context).unwrap();
        let applied = first.wait().unwrap().record;
        assert!(applied.results.iter().all(|r| matches!(r.outcome, Outcome::Applied(_))));
        let repeated = second.wait().unwrap().record;
        assert!(repeated.results.iter().all(|r| matches!(r.outcome, Outcome::Repeated(_))));
    }
}

#[test]
fn of_an_id_twice_in_a_batch_the_first_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = filled(&path, 1, 5, 0);
    let mut load = Load::new(4);
    let mut batch = load.batch(Role::PartnerApi, [transfer(1, 2, 7), transfer(1, 2, 7)]);
    batch.commands[1] = batch.commands[0].clone();
    let outcomes = refused_or_repeated(&ledger, &batch);
    assert!(matches!(outcomes[0], Outcome::Applied(_)));
    assert!(matches!(outcomes[1], Outcome::Repeated(_)));
    drop(ledger);
    let ledger = open(&path);
    let batch = again(&mut load, &batch);
    let outcomes = refused_or_repeated(&ledger, &batch);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Repeated(_))));
}
