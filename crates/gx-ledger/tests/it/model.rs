//! What the ledger is compared with: the contract on a map.

use gx_contract::testing::Memory;
use gx_contract::{Batch, BatchRecord, Context};
use gx_ledger::{Snapshot, state_digest};
use gx_types::{Role, TimeMs};

pub(crate) const SUPPLY: u128 = 1_250_000_000_000_000_000;

#[derive(Default)]
pub(crate) struct Model(Memory);

impl Model {
    pub(crate) fn submit(&mut self, batch: &Batch, role: Role, time: i64) -> BatchRecord {
        self.0.execute(batch, Context::embedded(role, TimeMs(time))).unwrap()
    }

    /// The ledger holds the same state, and the whole supply.
    pub(crate) fn assert_same(&self, snapshot: &Snapshot) {
        let stored: Vec<_> = snapshot.entries().unwrap().map(Result::unwrap).collect();
        let mine = self.0.state.iter().filter(|(key, _)| !key.starts_with("o/"));
        let mine: Vec<_> = mine.map(|(key, value)| (key.clone(), value.clone())).collect();
        assert_eq!(stored.len(), mine.len());
        for (stored, mine) in stored.iter().zip(&mine) {
            assert_eq!(stored, mine);
        }
        assert_eq!(snapshot.total().unwrap(), SUPPLY);
    }
}

#[test]
fn the_digest_covers_key_and_value_apart() {
    let write = |key: &str, value: &str| gx_contract::Write {
        key: key.to_owned(),
        value: value.as_bytes().to_vec(),
    };
    let before = gx_ledger::Hash::from_bytes([0; 32]);
    let one = state_digest(&before, &[write("a/b", "c")]);
    assert_ne!(one, state_digest(&before, &[write("a/", "bc")]));
    assert_ne!(one, state_digest(&before, &[write("a/b", "c"), write("", "")]));
    assert_ne!(one, state_digest(&one, &[write("a/b", "c")]));
}
