//! Moves records from memory into the file's state, a few with each block.

use crate::pending::Settling;

/// Records that move into the file's state, a few with each block.
#[derive(Debug)]
pub(crate) struct Settler {
    settling: Settling,
    /// In the order of the state, so that neighbours share a page.
    keys: Vec<Box<str>>,
    next: usize,
}

impl Settler {
    pub(crate) fn new(settling: Settling) -> Self {
        let mut keys: Vec<Box<str>> = settling.records.keys().cloned().collect();
        keys.sort_unstable();
        Self { settling, keys, next: 0 }
    }

    pub(crate) fn take(&mut self, count: usize) -> impl Iterator<Item = (&str, &[u8])> {
        let end = self.next.saturating_add(count).min(self.keys.len());
        let taken = self.keys.get(self.next..end).unwrap_or_default();
        self.next = end;
        let records = &self.settling.records;
        taken.iter().filter_map(|key| Some((key.as_ref(), records.get(key)?.as_slice())))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.next >= self.keys.len()
    }

    /// The last block that the records are from.
    pub(crate) fn through(&self) -> u64 {
        self.settling.through
    }
}
