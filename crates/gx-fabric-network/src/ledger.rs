//! The channel: blocks, state with versions, and the rule that what was read must not have changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gx_fabric::block::{data_hash, header_bytes, header_hash};
use gx_fabric::proto::{Block, BlockData, BlockHeader, BlockMetadata, Envelope, Metadata};
use prost::Message;
use tokio::sync::watch;

use super::members::Members;
use super::peer::{Simulation, State, Version};

pub(crate) const VALID: u8 = 0;
pub(crate) const DUPLICATE: u8 = 9;
pub(crate) const CONFLICT: u8 = 11;

/// A channel's blocks and state.
#[derive(Debug)]
pub struct Ledger {
    pub blocks: Vec<Block>,
    pub(crate) state: Arc<State>,
    /// Code and block of the first copy of each transaction.
    results: HashMap<String, (u8, u64)>,
    pub(crate) height: watch::Sender<u64>,
    members: Arc<Members>,
    /// Number of the block whose configuration is in force.
    configuration: u64,
}

impl Ledger {
    pub(crate) fn new(members: Arc<Members>) -> Self {
        let mut ledger = Self {
            blocks: Vec::new(),
            state: Arc::default(),
            results: HashMap::new(),
            height: watch::channel(0).0,
            members,
            configuration: 0,
        };
        ledger.reconfigure();
        ledger
    }

    /// A block with the configuration, under which it is in force from the next block on.
    pub fn reconfigure(&mut self) {
        let number = self.blocks.len() as u64;
        let envelope = self.members.configuration(number);
        self.append(vec![envelope], vec![VALID]);
        self.configuration = number;
    }

    pub(crate) fn result(&self, tx_id: &str) -> Option<(u8, u64)> {
        self.results.get(tx_id).copied()
    }

    pub(crate) fn codes(&self) -> Vec<u8> {
        let filters = self.blocks.iter().skip(1).map(|block| {
            block.metadata.as_ref().map(|metadata| metadata.metadata[2].clone()).unwrap()
        });
        filters.flatten().collect()
    }

    /// A block of transactions in order, each with what its endorsers found.
    pub(crate) fn commit(&mut self, transactions: Vec<(String, Envelope, Simulation)>) {
        let number = self.blocks.len() as u64;
        let (mut codes, mut data) = (Vec::new(), Vec::new());
        // Copied only while a transaction still runs on it.
        let state = Arc::make_mut(&mut self.state);
        for (place, (tx_id, envelope, simulation)) in transactions.into_iter().enumerate() {
            data.push(envelope.encode_to_vec());
            let code = match self.results.get(&tx_id) {
                Some(_) => DUPLICATE,
                None if unchanged(state, &simulation.reads) => VALID,
                None => CONFLICT,
            };
            codes.push(code);
            if code != DUPLICATE {
                self.results.insert(tx_id, (code, number));
            }
            if code == VALID {
                let version: Version = (number, place as u32);
                let writes = simulation.writes.into_iter();
                state.extend(writes.map(|(key, value)| (key, (value, version))));
            }
        }
        self.append(data, codes);
    }

    /// A block whose writes come from outside the contract.
    pub(crate) fn overwrite(&mut self, key: &str) {
        let number = self.blocks.len() as u64;
        let mut state = State::clone(&self.state);
        if let Some((_, version)) = state.get_mut(key) {
            *version = (number, 0);
        }
        self.state = Arc::new(state);
        self.append(Vec::new(), Vec::new());
    }

    /// Gives each outcome a key of its own, as builds did that knew no segments.
    pub fn without_segments(&mut self) {
        let segments = "outcomes/".to_owned().."outcomes0".to_owned();
        let mut state = State::clone(&self.state);
        for (key, (value, version)) in self.state.range(segments) {
            state.remove(key);
            let alone = BTreeMap::from([(key.clone(), value.clone())]);
            let alone = gx_fabric::outcomes::as_contract_sees(alone).unwrap().into_iter();
            let packed = alone.map(|(key, text)| (key, (gx_fabric::packed::pack(text), *version)));
            state.extend(packed);
        }
        self.state = Arc::new(state);
    }

    /// Makes a value unreadable, under its version.
    pub fn damage(&mut self, key: &str) {
        let mut state = State::clone(&self.state);
        state.get_mut(key).unwrap().0 = b"damaged".to_vec();
        self.state = Arc::new(state);
    }

    /// Takes the last signature from a block.
    pub fn unsign(&mut self, number: usize) {
        let metadata = self.blocks[number].metadata.as_mut().unwrap();
        let mut signed = Metadata::decode(metadata.metadata[0].as_slice()).unwrap();
        signed.signatures.pop();
        metadata.metadata[0] = signed.encode_to_vec();
    }

    fn append(&mut self, data: Vec<Vec<u8>>, codes: Vec<u8>) {
        let previous = self.blocks.last().and_then(|block| block.header.as_ref());
        let header = BlockHeader {
            number: self.blocks.len() as u64,
            previous_hash: previous.map_or_else(Vec::new, |header| header_hash(header).to_vec()),
            data_hash: data_hash(&data).to_vec(),
        };
        // Nobody has ordered the first block.
        let signed = match header.number {
            0 => Vec::new(),
            number => {
                let nonce = number.to_be_bytes();
                self.members.sign_block(&header_bytes(&header), self.configuration, &nonce)
            }
        };
        let metadata = BlockMetadata { metadata: vec![signed, Vec::new(), codes] };
        self.blocks.push(Block {
            header: Some(header),
            data: Some(BlockData { data }),
            metadata: Some(metadata),
        });
        self.height.send_replace(self.blocks.len() as u64);
    }
}

fn unchanged(state: &State, reads: &BTreeMap<String, Option<Version>>) -> bool {
    reads.iter().all(|(key, version)| state.get(key).map(|(_, version)| *version) == *version)
}
