//! What a ledger does when nothing goes wrong, and whom it refuses.

use gx_contract::admin::{GetSystemStatus, PauseSystem};
use gx_contract::smart_contract::GetCommandOutcome;
use gx_contract::tokenomics::GetBalance;
use gx_contract::{Context, Outcome, Query};
use gx_ledger::{BlockLimit, Error, Expected, Ledger, NodeKey, Options};
use gx_types::{Actor, NetworkId, Role, TimeMs};

use crate::load::{Load, admin, filled, key, open, options, submit, transfer, user};
use crate::model::{Model, SUPPLY};

#[test]
fn it_holds_what_a_map_would_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let (mut load, mut model) = (Load::new(5), Model::default());
    let mut ledger = open(&path);
    let mut batches = load.foundation(30);
    batches.extend((0..150).map(|_| load.next(20)));
    for (batch, time) in batches.iter().zip(10..) {
        let expected = model.submit(batch, batch.role, time);
        let receipt = submit(&ledger, batch, time);
        assert_eq!(*receipt.record, expected);
        model.assert_same(&ledger.snapshot().unwrap());
        // Now and then everything that is only in memory has to come back from the file.
        if time % 29 == 0 {
            drop(ledger);
            ledger = open(&path);
            model.assert_same(&ledger.snapshot().unwrap());
        }
    }
    let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
    assert_eq!((report.problem, report.tip), (None, ledger.tip()));
}

#[test]
fn blocks_are_chained_and_say_what_was_submitted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = open(&path);
    let origin = ledger.info().unwrap().origin;
    assert_eq!((ledger.tip().number, ledger.tip().hash), (0, origin.hash()));
    let mut load = Load::new(3);
    let mut previous = origin.hash();
    let mut tip = ledger.subscribe();
    for batch in load.foundation(4) {
        let receipt = submit(&ledger, &batch, 5);
        assert!(tip.has_changed().unwrap());
        assert_eq!(tip.borrow_and_update().hash, receipt.hash);
        let block = ledger.block(receipt.number).unwrap().unwrap();
        assert_eq!(block.header().previous, previous);
        assert_eq!(block.batch().unwrap(), batch);
        assert_eq!(block.record().unwrap(), receipt.record);
        assert_eq!(block.check(&key().public()), Ok(()));
        previous = receipt.hash;
    }
    // The same from the file as from memory.
    let young: Vec<_> = (1..=3).map(|n| ledger.block(n).unwrap().unwrap().to_bytes()).collect();
    drop(ledger);
    let ledger = open(&path);
    let old: Vec<_> = (1..=3).map(|n| ledger.block(n).unwrap().unwrap().to_bytes()).collect();
    assert_eq!(young, old);
    assert!(ledger.block(0).unwrap().is_none());
    assert!(ledger.block(4).unwrap().is_none());
    let info = ledger.info().unwrap();
    assert_eq!((info.tip.number, info.commands), (3, 6));
    assert_eq!(info.keys, [(1, key().public())]);
}

#[test]
fn blocks_come_in_order_and_within_limits() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = filled(&folder.path().join("ledger"), 1, 5, 40);
    let limit = |blocks, bytes| BlockLimit { blocks, bytes };
    let numbers = |from, limit| -> Vec<u64> {
        ledger.blocks(from, limit).unwrap().iter().map(|block| block.number()).collect()
    };
    assert_eq!(numbers(0, limit(3, usize::MAX)), [1, 2, 3]);
    assert_eq!(numbers(40, limit(9, usize::MAX)), [40, 41, 42, 43]);
    assert_eq!(numbers(7, limit(9, 0)), [7]);
    assert!(numbers(44, limit(9, usize::MAX)).is_empty());
    let all = numbers(1, limit(usize::MAX, usize::MAX));
    assert_eq!(all, (1..=43).collect::<Vec<_>>());
}

#[test]
fn time_never_runs_backwards() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = open(&folder.path().join("ledger"));
    let mut load = Load::new(1);
    let times = [100, 50, 101];
    let batches = load.foundation(2);
    let seen: Vec<i64> = batches
        .iter()
        .zip(times)
        .map(|(batch, time)| submit(&ledger, batch, time).time.0)
        .collect();
    assert_eq!(seen, [100, 100, 101]);
    assert_eq!(ledger.tip().time, TimeMs(101));
}

#[test]
fn queries_see_what_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = filled(&folder.path().join("ledger"), 1, 5, 0);
    let balance = |id| {
        let answer = ledger.query(Query::GetBalance(GetBalance { account_id: id })).unwrap();
        answer.map_err(|refused| refused.code.code())
    };
    assert!(balance(user(1)).unwrap().contains(r#""balance":"500000000""#));
    assert_eq!(balance("nobody".parse().unwrap()), Err("account_not_found"));
    let mut load = Load::new(77);
    let batch = load.batch(Role::PartnerApi, [transfer(1, 3, 1_000_000), transfer(9, 1, 5)]);
    submit(&ledger, &batch, 9_000);
    assert!(balance(user(3)).unwrap().contains(r#""balance":"501000000""#));
    let outcome = |at: usize| {
        let command_id = batch.commands.get(at).unwrap().command_id;
        ledger.query(Query::GetCommandOutcome(GetCommandOutcome { command_id })).unwrap().unwrap()
    };
    assert!(outcome(0).contains(r#""applied":true"#), "{}", outcome(0));
    assert!(outcome(1).contains("actor_unknown"), "{}", outcome(1));
    let status = ledger.query(Query::GetSystemStatus(GetSystemStatus {})).unwrap().unwrap();
    assert!(status.contains(r#""countries":2"#), "{status}");
}

#[test]
fn a_snapshot_does_not_move() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = filled(&folder.path().join("ledger"), 1, 20, 5);
    let snapshot = ledger.snapshot().unwrap();
    let accounts = || -> Vec<_> { snapshot.accounts().unwrap().map(Result::unwrap).collect() };
    let before = accounts();
    assert_eq!(snapshot.tip(), ledger.tip());
    let mut load = Load::new(9).with_users(20);
    for time in 0..60 {
        submit(&ledger, &load.next(20), 9_000 + time);
    }
    assert_eq!(accounts(), before);
    assert_eq!(snapshot.total().unwrap(), SUPPLY);
    assert_ne!(ledger.snapshot().unwrap().tip(), snapshot.tip());
    // Six pools, two treasuries, and twenty people at least.
    assert!(before.len() >= 28, "{}", before.len());
    assert!(before.is_sorted_by_key(|(id, _)| *id));
}

#[test]
fn batches_may_be_handed_in_ahead_and_by_many() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = filled(&path, 1, 20, 0);
    let mut load = Load::new(9).with_users(20);
    let context = |time| Context::embedded(Role::PartnerApi, TimeMs(time));
    let mut tickets = Vec::new();
    for time in 0..40 {
        let batch = load.batch(Role::PartnerApi, [transfer(1, 2, 1), transfer(2, 3, 1)]);
        tickets.push(ledger.enqueue(&batch, context(time)).unwrap());
    }
    let numbers: Vec<u64> =
        tickets.into_iter().map(|ticket| ticket.wait().unwrap().number).collect();
    assert_eq!(numbers, (4..44).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let ledger = ledger.clone();
            scope.spawn(move || {
                let mut load = Load::new(100 + thread);
                for _ in 0..25 {
                    let batch = load.batch(Role::PartnerApi, [transfer(1, 2, 1)]);
                    let receipt = submit(&ledger, &batch, 9_000);
                    let record = receipt.record;
                    assert!(matches!(record.results[0].outcome, Outcome::Applied(_)));
                }
            });
        }
    });
    assert_eq!(ledger.tip().number, 143);
    let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
    assert_eq!(report.problem, None);
}

#[test]
fn a_batch_of_too_much_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = filled(&folder.path().join("ledger"), 1, 5, 0);
    let context = Context::embedded(Role::PartnerApi, TimeMs(1));
    let much = Load::new(9).batch(Role::PartnerApi, (0..65_537).map(|_| transfer(1, 2, 1)));
    assert!(matches!(ledger.submit(&much, context), Err(Error::BatchTooLarge { .. })));
    assert_eq!(ledger.tip().number, 3);
}

/// It carries the time on where nothing else does.
#[test]
fn a_batch_of_nothing_is_a_block() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = filled(&folder.path().join("ledger"), 1, 5, 0);
    let context = Context::embedded(Role::PartnerApi, TimeMs(9_000));
    ledger.submit(&Load::new(9).batch(Role::PartnerApi, []), context).unwrap();
    assert_eq!(
        (ledger.tip().number, ledger.block(4).unwrap().unwrap().header().time.0),
        (4, 9_000)
    );
    let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
    assert_eq!(report.problem, None);
}

/// A fault of the set-up leaves nothing in the ledger, and the next batch is executed.
#[test]
fn a_role_that_was_only_claimed_executes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = filled(&folder.path().join("ledger"), 1, 5, 0);
    let reason = "a reason of ten characters".to_owned();
    let pause = (Actor::Admin(admin()), PauseSystem { reason }.into());
    let batch = Load::new(9).batch(Role::SuperAdmin, [pause]);
    let context = Context::embedded(Role::PartnerApi, TimeMs(9_000));
    let refused = ledger.submit(&batch, context);
    assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    assert_eq!(ledger.tip().number, 3);
    let context = Context { role: Role::SuperAdmin, ..context };
    let receipt = ledger.submit(&batch, context).unwrap();
    assert!(matches!(receipt.record.results[0].outcome, Outcome::Applied(_)));
    let report = ledger.verify(&Expected::default(), &mut |_| ()).unwrap();
    assert_eq!(report.problem, None);
}

#[test]
fn one_process_one_network_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let ledger = open(&path);
    let clone = ledger.clone();
    drop(ledger);
    let again = Ledger::create_or_open(options(&path), &key());
    let refused = again.map(drop).unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }));
    assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
    drop(clone);
    let other = Options { network: NetworkId::Mainnet, ..options(&path) };
    let refused = Ledger::create_or_open(other, &key()).map(drop).unwrap_err().to_string();
    assert!(refused.contains("belongs to devnet, mainnet expected"), "{refused}");
    let stranger = NodeKey::from_seed([8; 32]);
    let refused = Ledger::create_or_open(options(&path), &stranger).map(drop).unwrap_err();
    assert!(matches!(refused, Error::ForeignKey { .. }));
    drop(open(&path));
}

#[test]
fn other_files_are_not_ledgers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    std::fs::write(&path, "a text that is certainly no ledger".repeat(1000)).unwrap();
    let refused = Ledger::create_or_open(options(&path), &key()).map(drop).unwrap_err();
    assert!(matches!(refused, Error::NotALedger { .. }), "{refused:?}");
    let missing = folder.path().join("missing");
    assert!(matches!(gx_ledger::info(&missing), Err(Error::Missing { .. })));
    let nowhere = folder.path().join("no/such/folder");
    let refused = Ledger::create_or_open(options(&nowhere), &key()).map(drop).unwrap_err();
    assert!(refused.to_string().contains("no/such/folder"), "{refused}");
}

#[test]
fn what_a_killed_first_start_left_behind_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    std::fs::write(folder.path().join("ledger.new"), "half a file").unwrap();
    std::fs::write(&path, []).unwrap();
    drop(filled(&path, 1, 5, 3));
    assert_eq!(open(&path).tip().number, 6);
    assert!(!folder.path().join("ledger.new").exists());
}
