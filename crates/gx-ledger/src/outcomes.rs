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
    let value = |character| VALUES.get(usize::from(character)).copied().unwrap_or_default();
    let fold = |characters: &[u8]| {
        characters.iter().fold(0_u64, |bits, character| bits << 5 | u64::from(value(*character)))
    };
    // In three parts, each of which fits a machine word.
    let text = id.as_str();
    let (high, rest) = text.as_bytes().split_at_checked(2).unwrap_or_default();
    let (middle, low) = rest.split_at_checked(12).unwrap_or_default();
    u128::from(fold(high)) << 120 | u128::from(fold(middle)) << 60 | u128::from(fold(low))
}

/// By character, the five bits that it stands for.
const VALUES: [u8; 256] = {
    let mut values = [0; 256];
    let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut at = 0;
    while at < alphabet.len() {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            values[alphabet[at] as usize] = at as u8;
        }
        at += 1;
    }
    values
};

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
