//! What is stored on the ledger, and the overlay that rules work on.

mod hot;
mod key;
mod record;
mod running;

use std::sync::Arc;

use gx_types::{AccountId, CountryCode};

use crate::Refusal;
use crate::index::Index;
use crate::params::{Governed, StoredParameters};
use crate::tx::Stop;
pub use key::Key;
pub use record::{
    Account, AccountKind, Admin, AdminLevel, Clock, CommandOutcome, Countries, Country, Identity,
    Pause, Record, System, User, Version,
};
pub(crate) use record::{Stored, TRUST_BASE};
pub(crate) use running::Clocks;
pub use running::RunningMs;

#[derive(Debug, Clone)]
enum Slot {
    /// Asked for, not yet supplied.
    Wanted,
    /// As the ledger holds it.
    Read(Option<Record>),
    /// As this batch leaves it.
    Written(Record),
}

impl Slot {
    fn record(&self) -> Option<&Record> {
        match self {
            Self::Wanted => None,
            Self::Read(record) => record.as_ref(),
            Self::Written(record) => Some(record),
        }
    }
}

/// The part of the ledger's state that an execution has seen, with its own writes on top.
///
/// Reading a key that was not supplied yet notes it as missing and abandons the attempt. A key is
/// read before it is written.
#[derive(Debug, Default)]
pub struct State {
    index: Index,
    slots: Vec<Slot>,
    /// Keys that became wanted since they were last taken; each once.
    missing: Vec<Key>,
    /// Whether a read met a wanted key since the missing keys were last taken.
    starved: bool,
    /// What the current command has overwritten, oldest first.
    undo: Vec<(usize, Slot)>,
    /// What holds while the ledger has no record of parameters.
    defaults: StoredParameters,
}

impl State {
    /// Room for so many keys.
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let (index, slots) = (Index::with_capacity(keys), Vec::with_capacity(keys));
        Self { index, slots, missing: Vec::with_capacity(keys), ..Self::default() }
    }

    /// The place of a key that is known; notes it as missing otherwise.
    fn known(&mut self, key: &Key) -> Option<usize> {
        let place = match self.index.find(key) {
            Some(place) => place,
            None => {
                self.missing.push(*key);
                self.slots.push(Slot::Wanted);
                self.index.insert(*key)
            }
        };
        if matches!(self.slots.get(place), None | Some(Slot::Wanted)) {
            self.starved = true;
            return None;
        }
        Some(place)
    }

    /// Whether the key is known; notes it as missing otherwise.
    #[inline]
    pub(crate) fn want(&mut self, key: Key) -> bool {
        self.known(&key).is_some()
    }

    /// Abandons the attempt unless all keys are known. Keys that will be read one after the other
    /// cost one round trip to the engine this way instead of one each.
    pub(crate) fn load(&mut self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        let mut all_known = true;
        for key in keys {
            all_known &= self.want(key);
        }
        if all_known { Ok(()) } else { Err(Stop::Missing) }
    }

    pub(crate) fn get<R: Stored>(&mut self, key: Key) -> Result<Option<R>, Stop> {
        Ok(self.look_at(key)?.cloned())
    }

    /// The record itself, for what is read by every command.
    pub(crate) fn look_at<R: Stored>(&mut self, key: Key) -> Result<Option<&R>, Stop> {
        let place = self.known(&key).ok_or(Stop::Missing)?;
        Ok(self.slots.get(place).and_then(Slot::record).and_then(R::of))
    }

    pub(crate) fn put(&mut self, key: Key, record: impl Into<Record>) -> Result<(), Stop> {
        let place = self.known(&key).ok_or(Stop::Missing)?;
        self.put_at(place, record);
        Ok(())
    }

    /// Writes a record whose place was found when it was read.
    pub(crate) fn put_at(&mut self, place: usize, record: impl Into<Record>) {
        if let Some(slot) = self.slots.get_mut(place) {
            let before = std::mem::replace(slot, Slot::Written(record.into()));
            self.undo.push((place, before));
        }
    }

    /// Makes the current command's writes final.
    pub(crate) fn commit(&mut self) {
        self.undo.clear();
    }

    /// Takes the current command's writes back.
    pub(crate) fn rollback(&mut self) {
        self.rollback_to(0);
    }

    /// How many writes the current command has made.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back all but the first so many writes of the current command.
    pub(crate) fn rollback_to(&mut self, mark: usize) {
        while self.undo.len() > mark {
            let Some((place, before)) = self.undo.pop() else { return };
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = before;
            }
        }
    }

    /// The keys to ask the host for.
    pub(crate) fn take_missing(&mut self) -> Vec<Key> {
        self.starved = false;
        std::mem::take(&mut self.missing)
    }

    /// Whether something that was read is missing.
    pub(crate) fn is_starved(&self) -> bool {
        self.starved
    }

    pub(crate) fn supply(
        &mut self,
        key: Key,
        bytes: Option<&[u8]>,
    ) -> Result<(), serde_json::Error> {
        let record = bytes.map(|bytes| Record::decode(&key, bytes)).transpose()?;
        let place = match self.index.find(&key) {
            Some(place) => place,
            None => {
                self.slots.push(Slot::Wanted);
                self.index.insert(key)
            }
        };
        if let Some(slot @ Slot::Wanted) = self.slots.get_mut(place) {
            *slot = Slot::Read(record);
        }
        Ok(())
    }

    /// Everything written, in the order of the encoded keys.
    pub(crate) fn writes(&self) -> Vec<(&Key, &Record)> {
        let mut writes: Vec<_> = self
            .index
            .keys()
            .zip(&self.slots)
            .filter_map(|(key, slot)| match slot {
                Slot::Written(record) => Some((key.sort_prefix(), key, record)),
                Slot::Wanted | Slot::Read(_) => None,
            })
            .collect();
        // Nearly all keys differ in their first 16 bytes.
        writes.sort_unstable_by(|(a_prefix, a, _), (b_prefix, b, _)| {
            a_prefix.cmp(b_prefix).then_with(|| a.sort_key().cmp(&b.sort_key()))
        });
        writes.into_iter().map(|(_, key, record)| (key, record)).collect()
    }

    pub(crate) fn account(&mut self, id: &AccountId) -> Result<Option<Account>, Stop> {
        self.get(Key::Account(*id))
    }

    /// The account, or the refusal that it is not on the ledger.
    pub(crate) fn existing_account(&mut self, id: &AccountId) -> Result<Account, Stop> {
        self.account_place(id).map(|(_, account)| account)
    }

    /// The account and the place to write it to; or the refusal that it is not on the ledger.
    pub(crate) fn account_place(&mut self, id: &AccountId) -> Result<(usize, Account), Stop> {
        let place = self.known(&Key::Account(*id)).ok_or(Stop::Missing)?;
        let account = self.slots.get(place).and_then(Slot::record).and_then(Account::of);
        account
            .map(|account| (place, *account))
            .ok_or_else(|| Refusal::AccountNotFound.because(format!("no account {id}")).into())
    }

    pub(crate) fn put_account(&mut self, id: &AccountId, account: Account) -> Result<(), Stop> {
        self.put(Key::Account(*id), account)
    }

    pub(crate) fn system(&mut self) -> Result<Option<&System>, Stop> {
        self.look_at(Key::System)
    }

    /// The system, or the refusal that there is none yet.
    pub(crate) fn running_system(&mut self) -> Result<&System, Stop> {
        self.system()?.ok_or_else(|| Refusal::NotBootstrapped.into())
    }

    /// The clocks at the time of the last batch.
    pub(crate) fn clocks(&mut self) -> Result<Clocks, Stop> {
        self.load([Key::Clock, Key::System])?;
        let clock: Option<Clock> = self.get(Key::Clock)?;
        let now = clock.map(|clock| clock.last_batch_at).unwrap_or_default();
        Ok(Clocks::at(now, self.system()?))
    }

    /// The parameters in force. Costs a look-up and a count, no decoding and no allocation.
    pub(crate) fn params(&mut self) -> Result<Arc<Governed>, Stop> {
        let stored: Option<StoredParameters> = self.get(Key::Parameters)?;
        Ok(stored.map_or_else(|| Arc::clone(&self.defaults.0), |stored| stored.0))
    }

    pub(crate) fn countries(&mut self) -> Result<Countries, Stop> {
        Ok(self.get(Key::Countries)?.unwrap_or_default())
    }

    pub(crate) fn country(&mut self, code: CountryCode) -> Result<Option<Country>, Stop> {
        self.get(Key::Country(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_batch_holds_of_a_key_is_one_cache_line() {
        assert!(size_of::<Slot>() <= 64, "{}", size_of::<Slot>());
    }
}
