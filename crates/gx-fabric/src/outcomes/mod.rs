//! How the outcomes of commands lie on a channel: in segments, one for each batch, written once.
//!
//! Ids of commands are random. A key for each would be looked up and written all over a state that
//! only grows. So the outcomes of a batch are one value under the next number, and the head says
//! how many there are. Whether an id is new is known from an index that every chaincode server
//! makes of the segments alone, so that all of them read the same keys.

mod index;
mod segment;

use std::collections::BTreeMap;
use std::ops::Range;

use gx_contract::state::{Key, Record};
use gx_types::TimeMs;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub(crate) use index::{Before, Index};
pub(crate) use segment::{Entry, Segment};

/// The key of the head.
pub(crate) const HEAD: &str = "outcomes/head";
const SEGMENTS: &str = "outcomes/";

/// The key of a segment. The order of the keys is that of the numbers.
pub(crate) fn segment_key(number: u64) -> String {
    format!("{SEGMENTS}{number:016x}")
}

/// The number of the segment that is stored under a key.
pub(crate) fn segment_number(key: &str) -> Option<u64> {
    let digits = key.strip_prefix(SEGMENTS).filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// SHA-256 over all segments before: each in turn after what the ones before it have given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    /// That of one segment more.
    pub(crate) fn with(self, segment: &[u8]) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update(segment).finalize().into())
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut digest = [0; 32];
        hex::decode_to_slice(text, &mut digest).map_err(serde::de::Error::custom)?;
        Ok(Self(digest))
    }
}

/// What the channel says of its segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) v: gx_contract::state::Version<1>,
    /// Their number.
    pub(crate) segments: u64,
    /// The outcomes in them.
    pub(crate) commands: u64,
    pub(crate) digest: Digest,
    /// On a channel that once had a key for each outcome: the time of its last batch before the
    /// first segment. Those keys have not changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<TimeMs>,
}

impl Head {
    /// The last segments: they are read with every batch, so that a server that has missed a few
    /// batches, for its neighbour has executed them, need not have that one sent again.
    pub(crate) fn window(&self) -> Range<u64> {
        const WINDOW: u64 = 8;
        self.segments.saturating_sub(WINDOW)..self.segments
    }

    /// The head with one segment more.
    pub(crate) fn with(self, segment: &[u8], commands: usize) -> Self {
        Self {
            segments: self.segments.saturating_add(1),
            commands: self.commands.saturating_add(commands as u64),
            digest: self.digest.with(segment),
            ..self
        }
    }
}

/// What was found of a command: the record that the contract has written.
pub(crate) fn record(entry: Entry) -> Vec<u8> {
    Record::Outcome(entry.outcome).encode()
}

/// The state of a channel as the contract sees it: each outcome under a key of its own, and
/// nothing of how it is stored.
///
/// # Errors
/// The key of a segment that no build has written.
pub fn as_contract_sees(
    stored: BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut state = BTreeMap::new();
    for (key, value) in stored {
        if segment_number(&key).is_some() {
            let segment = Segment::read(&value).map_err(|_| key)?;
            state.extend(
                segment
                    .entries()
                    .map(|entry| (Key::Outcome(entry.command_id).encode(), record(entry))),
            );
        } else if key != HEAD {
            state.insert(key, value);
        }
    }
    Ok(state)
}
