//! Finds the place of a key: open addressing over the keys in the order of their arrival.
//!
//! The standard hash map is banned from this crate for its random order. Here nothing can observe
//! an order but that of arrival, and the hash is the same on every machine.

use crate::state::Key;

/// Keys in order of arrival, and a table that finds them.
#[derive(Debug, Default)]
pub(crate) struct Index {
    keys: Vec<Key>,
    /// Place in `keys` plus one; zero is free. The length is a power of two, at most half full.
    table: Vec<u32>,
}

impl Index {
    /// Place of the key, in order of arrival.
    pub(crate) fn find(&self, key: &Key) -> Option<usize> {
        for at in self.probe(key) {
            let place = usize::try_from(self.table.get(at)?.checked_sub(1)?).ok()?;
            if self.keys.get(place) == Some(key) {
                return Some(place);
            }
        }
        None
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
        let free = self.probe(key).find(|at| self.table.get(*at) == Some(&0));
        let entry = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        if let Some(slot) = free.and_then(|at| self.table.get_mut(at)) {
            *slot = entry;
        }
    }

    /// The slots to look at, in order: linear probing from the key's hash.
    fn probe(&self, key: &Key) -> impl Iterator<Item = usize> + use<> {
        let length = self.table.len();
        let mask = length.wrapping_sub(1);
        let start = hash(key);
        (0..length).map(move |step| start.wrapping_add(step) & mask)
    }
}

/// Multiply and fold, over the key's words.
fn hash(key: &Key) -> usize {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let folded = key.sort_key().iter().fold(0, |hash: u64, word| {
        let product = u128::from(hash ^ word).wrapping_mul(u128::from(ODD));
        (product as u64) ^ ((product >> 64) as u64)
    });
    folded as usize
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
    }
}
