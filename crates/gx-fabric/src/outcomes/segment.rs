//! The outcomes of one batch as they are stored: ids, hashes of the bodies, and why some were
//! refused. Nothing that all of them share is said twice.
//!
//! The bytes are part of every channel: what was stored once is read for ever.

use std::sync::OnceLock;

use gx_contract::state::{CommandOutcome, Version};
use gx_contract::{BodyHash, Refused};
use gx_types::{BatchId, CommandId, TimeMs};

/// The first byte: nothing that is packed, and no JSON text, starts with it.
const FORMAT: u8 = 2;
const ID: usize = 16;
const BODY: usize = 16;

/// Bytes that no build has stored as a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("outcomes on the ledger are damaged, or are of a later build")]
pub(crate) struct Damaged;

/// A command and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) command_id: CommandId,
    pub(crate) outcome: CommandOutcome,
}

/// The outcomes of one batch, in the order of its commands.
#[derive(Debug)]
pub(crate) struct Segment {
    batch_id: BatchId,
    time: TimeMs,
    ids: Vec<u128>,
    bodies: Vec<[u8; BODY]>,
    /// By place, in order.
    refused: Vec<(u32, Refused)>,
    /// Places in the order of the ids, for whoever looks for one.
    sorted: OnceLock<Vec<u32>>,
}

impl Segment {
    pub(crate) fn new(batch_id: BatchId, time: TimeMs) -> Self {
        let (ids, bodies, refused) = (Vec::new(), Vec::new(), Vec::new());
        Self { batch_id, time, ids, bodies, refused, sorted: OnceLock::new() }
    }

    /// Appends the outcome of a command.
    pub(crate) fn push(&mut self, id: &CommandId, body: BodyHash, refused: Option<&Refused>) {
        if let Some(refused) = refused {
            self.refused.push((self.ids.len() as u32, refused.clone()));
        }
        self.ids.push(id.to_u128());
        self.bodies.push(*body.as_bytes());
        self.sorted = OnceLock::new();
    }

    pub(crate) fn ids(&self) -> &[u128] {
        &self.ids
    }

    /// The outcome of a command, if it stands here.
    pub(crate) fn find(&self, id: u128) -> Option<Entry> {
        let sorted = self.sorted.get_or_init(|| {
            let mut places: Vec<u32> = (0..self.ids.len() as u32).collect();
            places.sort_unstable_by_key(|place| self.ids.get(*place as usize));
            places
        });
        let at = |place: &u32| self.ids.get(*place as usize).copied().unwrap_or_default();
        let found = sorted.binary_search_by_key(&id, at).ok()?;
        self.entry(*sorted.get(found)?)
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        (0..self.ids.len() as u32).filter_map(|place| self.entry(place))
    }

    fn entry(&self, place: u32) -> Option<Entry> {
        let body = self.bodies.get(place as usize)?;
        let refused = self.refused.binary_search_by_key(&place, |(place, _)| *place).ok();
        let refused = refused.and_then(|at| self.refused.get(at));
        let outcome = CommandOutcome {
            v: Version,
            body: BodyHash::from_bytes(*body),
            batch_id: self.batch_id,
            time: self.time,
            refused: refused.map(|(_, refused)| Box::new(refused.clone())),
        };
        Some(Entry { command_id: CommandId::from_u128(*self.ids.get(place as usize)?), outcome })
    }

    /// As it is stored.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.ids.len().saturating_mul(ID + BODY + 1) + 32);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.time.0.to_be_bytes());
        bytes.extend_from_slice(&self.batch_id.to_u128().to_be_bytes());
        bytes.extend_from_slice(&(self.ids.len() as u32).to_be_bytes());
        self.ids.iter().for_each(|id| bytes.extend_from_slice(&id.to_be_bytes()));
        self.bodies.iter().for_each(|body| bytes.extend_from_slice(body));
        for (place, refused) in &self.refused {
            let text = serde_json::to_vec(refused).unwrap_or_default();
            bytes.extend_from_slice(&place.to_be_bytes());
            bytes.extend_from_slice(&(text.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&text);
        }
        bytes
    }

    /// # Errors
    /// [`Damaged`] when the bytes are nothing that [`Segment::write`] gives.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut rest = bytes.strip_prefix(&[FORMAT]).ok_or(Damaged)?;
        let time = TimeMs(i64::from_be_bytes(take(&mut rest)?));
        let batch_id = BatchId::from_u128(u128::from_be_bytes(take(&mut rest)?));
        let count = u32::from_be_bytes(take(&mut rest)?) as usize;
        let ids = part(&mut rest, count, ID)?.as_chunks::<ID>().0;
        let ids = ids.iter().map(|id| u128::from_be_bytes(*id)).collect();
        let bodies = part(&mut rest, count, BODY)?.as_chunks::<BODY>().0.to_vec();
        let mut refused: Vec<(u32, Refused)> = Vec::new();
        while !rest.is_empty() {
            let place = u32::from_be_bytes(take(&mut rest)?);
            let length = u32::from_be_bytes(take(&mut rest)?) as usize;
            let text = part(&mut rest, length, 1)?;
            let in_order = refused.last().is_none_or(|(last, _)| *last < place);
            if !in_order || place as usize >= count {
                return Err(Damaged);
            }
            refused.push((place, serde_json::from_slice(text).map_err(|_| Damaged)?));
        }
        Ok(Self { batch_id, time, ids, bodies, refused, sorted: OnceLock::new() })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Damaged> {
    let (head, after) = rest.split_first_chunk().ok_or(Damaged)?;
    *rest = after;
    Ok(*head)
}

fn part<'b>(rest: &mut &'b [u8], count: usize, size: usize) -> Result<&'b [u8], Damaged> {
    let length = count.checked_mul(size).ok_or(Damaged)?;
    let (head, after) = rest.split_at_checked(length).ok_or(Damaged)?;
    *rest = after;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use gx_contract::Refusal;
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Segment {
        let mut segment = Segment::new(BatchId::from_u128(7 << 100), TimeMs(1_795_286_858_730));
        for n in [5_u128, 3, 9] {
            let body = BodyHash::from_bytes([n as u8; 16]);
            let refused = (n == 3).then(|| Refused::from(Refusal::InsufficientBalance));
            segment.push(&CommandId::from_u128(n << 64 | n), body, refused.as_ref());
        }
        segment
    }

    /// What was once stored is read for ever.
    #[test]
    fn the_bytes_never_change() {
        let written = hex::encode(sample().write());
        let golden = include_str!("../../golden/segment.txt").trim_end();
        assert_eq!(written, golden);
        let read = Segment::read(&hex::decode(golden).unwrap()).unwrap();
        assert!(read.entries().eq(sample().entries()));
        assert_eq!(read.entries().count(), 3);
    }

    #[test]
    fn each_outcome_is_found_by_its_id() {
        let segment = sample();
        for entry in segment.entries() {
            assert_eq!(segment.find(entry.command_id.to_u128()), Some(entry));
        }
        assert_eq!(segment.find(4), None);
        assert_eq!(Segment::new(BatchId::from_u128(0), TimeMs(0)).find(0), None);
    }

    #[test]
    fn what_is_cut_or_continued_is_damaged() {
        let whole = sample().write();
        for length in 0..whole.len() {
            let cut = Segment::read(&whole[..length]);
            // Without its refusals a segment is whole, only of other outcomes.
            let at_end = length == 1 + 8 + 16 + 4 + 3 * 32;
            assert_eq!(cut.is_ok(), at_end, "{length}");
        }
        assert!(Segment::read(&[whole.as_slice(), &[0]].concat()).is_err());
        assert!(Segment::read(&[&[3], &whole[1..]].concat()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_is_read_panics(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..120),
        ) {
            if let Some(first) = bytes.first_mut() {
                *first = FORMAT;
            }
            if let Ok(segment) = Segment::read(&bytes) {
                prop_assert_eq!(segment.entries().count(), segment.ids().len());
            }
        }
    }
}
