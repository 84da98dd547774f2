//! Finds the place of a key: open addressing over the keys in the order of their arrival.
//!
//! The standard hash map is banned from this crate for its random order. Here nothing can observe
//! an order but that of arrival, and the hash is the same on every machine.

use crate::state::Key;

/// Keys in order of arrival, and a table that finds them.
#[derive(Debug, Default)]
pub(crate) struct Index {
    keys: Vec<Key>,
    /// Place in `keys` plus one of the keys that are one for the whole ledger: every command looks
    /// for some of them.
    lone: [u32; Key::LONE],
    /// Place in `keys` plus one; zero is free. The length is a power of two, at most half full.
    table: Vec<u32>,
}

impl Index {
    /// Room for so many keys.
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let table = vec![0; keys.saturating_mul(2).next_power_of_two()];
        Self { keys: Vec::with_capacity(keys), lone: [0; Key::LONE], table }
    }

    /// Place of the key, in order of arrival.
    #[inline]
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        if let Some(at) = key.lone() {
            return usize::try_from(self.lone.get(at)?.checked_sub(1)?).ok();
        }
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash(key) & mask;
        // The table is never full, so that the search ends at a free slot at the latest.
        loop {
            let place = usize::try_from(self.table.get(at)?.checked_sub(1)?).ok()?;
            if self.keys.get(place)? == key {
                return Some(place);
            }
            at = at.wrapping_add(1) & mask;
        }
    }

    /// Adds a key that is not there yet and returns its place.
    pub(crate) fn insert(&mut self, key: Key) -> usize {
        self.keys.push(key);
        if self.keys.len().saturating_mul(2) > self.table.len() {
            self.table = vec![0; self.keys.len().saturating_mul(4).next_power_of_two().max(64)];
            for place in 0..self.keys.len() {
                self.enter(place);
            }
        } else {
            self.enter(self.keys.len().saturating_sub(1));
        }
        self.keys.len().saturating_sub(1)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    fn enter(&mut self, place: usize) {
        let Some(key) = self.keys.get(place) else { return };
        let entry = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        if let Some(at) = key.lone().and_then(|at| self.lone.get_mut(at)) {
            *at = entry;
            return;
        }
        let mask = self.table.len().wrapping_sub(1);
        let mut at = hash(key) & mask;
        while self.table.get(at).is_some_and(|entry| *entry != 0) {
            at = at.wrapping_add(1) & mask;
        }
        if let Some(free) = self.table.get_mut(at) {
            *free = entry;
        }
    }
}

/// Mixes the words, multiplies once and folds: ids are mostly random, so little is enough.
fn hash(key: &Key) -> usize {
    let [kind, a, b, c, d, e] = key.sort_key();
    let mixed =
        kind ^ a ^ b.rotate_left(19) ^ c.rotate_left(37) ^ d.rotate_left(51) ^ e.rotate_left(7);
    let product = u128::from(mixed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((product >> 64) as u64 ^ product as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use gx_types::CommandId;

    #[test]
    fn every_key_is_found_at_its_place() {
        let mut index = Index::default();
        let key = |n: u128| Key::Outcome(CommandId::from_u128(n));
        for n in 0..1000 {
            assert_eq!(index.find(&key(n)), None);
            assert_eq!(index.insert(key(n)), n as usize);
        }
        for n in 0..1000 {
            assert_eq!(index.find(&key(n)), Some(n as usize));
        }
        assert_eq!(index.find(&key(1000)), None);
        let lone = [Key::Clock, Key::Countries, Key::Disbursed, Key::Parameters, Key::Proposals];
        for (at, key) in lone.into_iter().chain([Key::System]).enumerate() {
            assert_eq!(index.find(&key), None);
            assert_eq!(index.insert(key), 1000 + at);
            assert_eq!(index.find(&key), Some(1000 + at));
        }
    }
}
