//! The contract's random histories on this ledger: the same records and the same state as on the
//! naive host, which holds every law against each batch.

use std::collections::BTreeMap;

use gx_contract::Context;
use gx_contract::testing::{Witness, histories};
use gx_ledger::{Ledger, NodeKey, Options};
use gx_types::{NetworkId, TimeMs};

const HISTORIES: u32 = 24;

#[test]
fn the_laws_hold_for_random_histories() {
    for (number, history) in histories(HISTORIES, 1).enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(folder.path().join("ledger"), NetworkId::Devnet, TimeMs(1));
        let ledger = Ledger::create_or_open(options, &NodeKey::from_seed([7; 32])).unwrap();
        let (mut witness, mut now) = (Witness::default(), 0);
        for part in &history {
            now += part.elapsed();
            let batch = witness.batch(part, TimeMs(now));
            let context = Context::embedded(batch.role, TimeMs(now));
            let receipt = ledger.submit(&batch, context).unwrap();
            witness.follow(batch, context, &receipt.record);
        }
        let snapshot = ledger.snapshot().unwrap();
        let state: BTreeMap<String, Vec<u8>> =
            snapshot.entries().unwrap().collect::<Result<_, _>>().unwrap();
        let mut expected = witness.finish();
        // Outcomes are kept elsewhere; commands that come again show them.
        expected.retain(|key, _| !key.starts_with("o/"));
        assert_eq!(state, expected, "history {number}");
    }
}
