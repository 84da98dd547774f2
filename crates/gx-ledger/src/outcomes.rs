//! Where the outcome of each command id stands: in memory for the youngest, else by segment.
//!
//! A batch asks for every one of its ids, and nearly always the answer is "nowhere". That answer
//! must cost the same after five million commands as after none.

use std::collections::HashMap;
use std::sync::Arc;

use gx_types::CommandId;

use crate::Error;
use crate::encoding::Malformed;
use crate::store::{Place, Segment, SegmentReader, Store, outcome_log, read_outcome_log};

/// Ids that are in no segment yet.
pub(crate) type Young = HashMap<u128, Place>;

/// Ids on their way into a segment.
#[derive(Debug, Clone)]
pub(crate) struct Sealing {
    pub(crate) ids: Arc<Young>,
    /// Number of the segment that they become.
    pub(crate) segment: u64,
    /// The last block that they are from.
    pub(crate) through: u64,
}

#[derive(Debug, Default)]
pub(crate) struct OutcomeIndex {
    young: Young,
    sealing: Option<Sealing>,
    segments: Vec<Arc<Segment>>,
}

impl OutcomeIndex {
    pub(crate) fn load(store: &Store, transaction: &redb::ReadTransaction) -> Result<Self, Error> {
        let segments = SegmentReader::segments(store, transaction)?;
        let mut young = Young::new();
        for (number, log) in outcome_log(store, transaction)? {
            let ids = read_outcome_log(&log).map_err(|malformed: Malformed| {
                let what = format!("outcome log of block {number}: {malformed}");
                store.failed()(redb::Error::Corrupted(what))
            })?;
            young.extend(ids.into_iter().map(|(id, index)| (id, Place::new(number, index))));
        }
        let segments = segments.into_iter().map(Arc::new).collect();
        Ok(Self { young, sealing: None, segments })
    }

    /// Where the outcome of `id` stands; `None` when the ledger has not seen the id.
    pub(crate) fn find(
        &self,
        id: u128,
        reader: &SegmentReader,
    ) -> Result<Option<Place>, redb::Error> {
        let sealing = self.sealing.as_ref();
        let young =
            self.young.get(&id).or_else(|| sealing.and_then(|sealing| sealing.ids.get(&id)));
        if let Some(place) = young {
            return Ok(Some(*place));
        }
        for segment in self.segments.iter().rev() {
            if let Some(place) = reader.find(segment, id)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    pub(crate) fn insert(&mut self, id: u128, place: Place) {
        self.young.insert(id, place);
    }

    /// When there are enough young ids, takes them out to become a segment.
    pub(crate) fn seal(&mut self, enough: usize, through: u64) -> Option<Sealing> {
        if self.young.len() < enough || self.sealing.is_some() {
            return None;
        }
        let ids = Arc::new(std::mem::take(&mut self.young));
        let segment = u64::try_from(self.segments.len()).unwrap_or(u64::MAX);
        self.sealing = Some(Sealing { ids, segment, through });
        self.sealing.clone()
    }

    /// A segment is in the file.
    pub(crate) fn sealed(&mut self, segment: Arc<Segment>) {
        if self.sealing.as_ref().is_some_and(|sealing| sealing.segment == segment.number()) {
            self.sealing = None;
            self.segments.push(segment);
        }
    }
}

/// The 128 bits that the 26 characters of a command id stand for.
pub(crate) fn id_bits(id: &CommandId) -> u128 {
    id.as_str().bytes().fold(0, |bits, character| {
        let value = match character {
            b'0'..=b'9' => character - b'0',
            // The alphabet leaves I, L, O and U out.
            b'A'..=b'H' => character - b'A' + 10,
            b'J' | b'K' => character - b'J' + 18,
            b'M' | b'N' => character - b'M' + 20,
            b'P'..=b'T' => character - b'P' + 22,
            _ => character.saturating_sub(b'V') + 27,
        };
        bits << 5 | u128::from(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_bits_are_those_of_the_id(bits: u128) {
            proptest::prop_assert_eq!(id_bits(&CommandId::from_u128(bits)), bits);
        }
    }
}
