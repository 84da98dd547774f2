//! The youngest state, in memory: what blocks have written and the file's state has not yet.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Error;
use crate::store::{Store, for_each_logged_write};

pub(crate) type Records = HashMap<Box<str>, Vec<u8>>;

/// Records on their way into the file's state. They change no more.
#[derive(Debug, Clone)]
pub(crate) struct Settling {
    pub(crate) records: Arc<Records>,
    /// The last block that they are from.
    pub(crate) through: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Pending {
    active: Records,
    /// Length of the log that the active records come from.
    log_bytes: u64,
    /// They stay as a cache when they are in the file, until others take their place.
    settling: Option<Settling>,
}

impl Pending {
    pub(crate) fn load(store: &Store, transaction: &redb::ReadTransaction) -> Result<Self, Error> {
        let mut pending = Self::default();
        for_each_logged_write(store, transaction, |key, value| pending.write(key, value))?;
        Ok(pending)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        let settling = || self.settling.as_ref().and_then(|settling| settling.records.get(key));
        self.active.get(key).or_else(settling).map(Vec::as_slice)
    }

    pub(crate) fn write(&mut self, key: &str, value: &[u8]) {
        let length = key.len().saturating_add(value.len()).saturating_add(8);
        self.log_bytes = self.log_bytes.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        match self.active.get_mut(key) {
            Some(record) => {
                record.clear();
                record.extend_from_slice(value);
            }
            None => {
                self.active.insert(key.into(), value.to_vec());
            }
        }
    }

    /// When there is enough, and what went before is in the file up to block `settled`, takes the
    /// active records out to settle in the file.
    pub(crate) fn settle(
        &mut self,
        limits: &Limits,
        through: u64,
        settled: u64,
    ) -> Option<Settling> {
        let busy = self.settling.as_ref().is_some_and(|settling| settling.through > settled);
        let enough = self.active.len() >= limits.records || self.log_bytes >= limits.log_bytes;
        if busy || !enough {
            return None;
        }
        self.log_bytes = 0;
        let records = Arc::new(std::mem::take(&mut self.active));
        self.settling = Some(Settling { records, through });
        self.settling.clone()
    }

    /// All records, the youngest of each key.
    pub(crate) fn records(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let older = self.settling.iter().flat_map(|settling| settling.records.iter());
        let older = older.filter(|(key, _)| !self.active.contains_key(*key));
        older.chain(&self.active).map(|(key, value)| (key.as_ref(), value.as_slice()))
    }
}

/// How much the ledger keeps in memory before it moves it into place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records of the state. Up to twice as many are in memory.
    pub records: usize,
    /// Length of the log that a start reads back.
    pub log_bytes: u64,
    /// Command ids, each with the place of its outcome.
    pub outcomes: usize,
    /// Uncompressed bytes of the youngest blocks, kept for those who follow the tip.
    pub recent_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // A hash table of 2^18 places holds 7/8 of that before it doubles.
        let outcomes = (1 << 18) / 8 * 7;
        Self { records: 48 << 10, log_bytes: 16 << 20, outcomes, recent_bytes: 4 << 20 }
    }
}
