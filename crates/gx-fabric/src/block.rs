//! Blocks of a channel: their hashes, and the batch that at most one of their transactions settled.
//!
//! Every batch reads and writes the contract's clock, so the peers' own rule against read conflicts
//! leaves at most one valid batch in a block. A block with two is refused rather than guessed at.

use gx_contract::{Batch, BatchRecord};
use gx_types::{Role, TimeMs};
use prost::Message as _;
use sha2::{Digest, Sha256};

use crate::certificate::Certificate;
use crate::compressed::{READ_MAX, decompress, length};
use crate::der::{OCTET_STRING, SEQUENCE, tlv, unsigned};
use crate::proto::{
    self, BlockHeader, Envelope, HEADER_ENDORSER_TRANSACTION, METADATA_TRANSACTIONS_FILTER,
};
use crate::wire::Message;
use crate::{EVENT_NAME, Error, Invocation, Submitter};

/// A block as the read models need it.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub number: u64,
    pub hash: [u8; 32],
    pub previous: [u8; 32],
    /// The latest time that one of its transactions names; 0 when none names any.
    pub time: TimeMs,
    pub settled: Option<SettledBatch>,
    /// Length of the block on the wire and of the texts in it: what reading it takes.
    pub bytes: usize,
}

/// A batch and what became of its commands.
#[derive(Debug, Clone, PartialEq)]
pub struct SettledBatch {
    pub tx_id: String,
    /// Of the transaction in the block, from 0 on.
    pub place: u64,
    pub batch: Batch,
    pub record: BatchRecord,
}

/// SHA-256 over the header's ASN.1 form: the hash by which the next block names this one.
pub fn header_hash(header: &BlockHeader) -> [u8; 32] {
    Sha256::digest(header_bytes(header)).into()
}

/// SHA-256 over a block's transactions, one after the other.
pub fn data_hash(data: &[Vec<u8>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    data.iter().for_each(|envelope| hash.update(envelope));
    hash.finalize().into()
}

/// The header's ASN.1 form, which is hashed and signed.
pub fn header_bytes(header: &BlockHeader) -> Vec<u8> {
    tlv(
        SEQUENCE,
        &[
            &unsigned(&header.number.to_be_bytes()),
            &tlv(OCTET_STRING, &[&header.previous_hash]),
            &tlv(OCTET_STRING, &[&header.data_hash]),
        ],
    )
}

impl Block {
    /// Reads a block that a peer has delivered, as far as it belongs to a chaincode.
    ///
    /// # Errors
    /// [`Error::Block`] when its data are not what its header says, or when a valid transaction of
    /// the chaincode cannot be read by this build.
    pub fn read(block: &proto::Block, chaincode: &str) -> Result<Self, Error> {
        let mut bytes = block.encoded_len();
        let unreadable = || Error::Unreadable { what: "a block" };
        let header = block.header.as_ref().ok_or_else(unreadable)?;
        let number = header.number;
        let wrong = |reason: &str| Error::Block { number, reason: reason.to_owned() };
        let data = block.data.as_ref().map(|data| data.data.as_slice()).unwrap_or_default();
        if data_hash(data).as_slice() != header.data_hash {
            return Err(wrong("its data are not those of its header"));
        }
        let metadata = block.metadata.as_ref().map(|metadata| metadata.metadata.as_slice());
        let codes = metadata.and_then(|list| list.get(METADATA_TRANSACTIONS_FILTER));
        let codes = codes.map(Vec::as_slice).unwrap_or_default();
        let (mut time, mut settled) = (0, None);
        for (at, envelope) in data.iter().enumerate() {
            // The genesis block has no codes; nobody has validated it.
            let valid = codes.get(at) == Some(&0);
            let Some(read) = read_envelope(envelope) else {
                // What peers take for valid may have changed their state.
                if valid {
                    return Err(wrong("a valid transaction cannot be read"));
                }
                continue;
            };
            time = time.max(read.time.unwrap_or_default());
            if !valid {
                continue;
            }
            let found = read.settled(chaincode).map_err(|reason| wrong(&reason))?;
            let Some((batch, unpacked)) = found else { continue };
            let place = at as u64;
            if settled.replace(SettledBatch { place, ..batch }).is_some() {
                return Err(wrong("it has two valid batches"));
            }
            bytes = bytes.saturating_add(unpacked);
        }
        let previous = header.previous_hash.as_slice();
        let previous = if number == 0 { &[0; 32] } else { previous };
        Ok(Self {
            number,
            hash: header_hash(header),
            previous: previous.try_into().map_err(|_| wrong("its previous hash is cut"))?,
            time: TimeMs(time),
            settled,
            bytes,
        })
    }
}

/// What is read of a transaction's envelope, as the peers have read it.
struct ReadEnvelope {
    /// `common.HeaderType`.
    kind: i32,
    tx_id: String,
    time: Option<i64>,
    /// The chaincode that the transaction is of: peers take its name from the header's extension
    /// alone, and the invocation in the payload may name another.
    chaincode: Option<String>,
    role: Option<Role>,
    /// A transaction.
    data: Vec<u8>,
}

fn read_envelope(envelope: &[u8]) -> Option<ReadEnvelope> {
    let payload = Message::read(Message::read(envelope)?.bytes(1))?;
    let header = payload.embedded(1)?;
    let header = Message::read(&header)?;
    let channel = Message::read(header.bytes(1))?;
    let creator = Message::read(header.bytes(2)).map(|header| header.bytes(1));
    Some(ReadEnvelope {
        kind: (channel.number(1) as u32).cast_signed(),
        tx_id: channel.text(5)?.to_owned(),
        time: channel.embedded(3).and_then(|time| time_ms(&time)),
        chaincode: chaincode_name(channel.bytes(7)),
        role: creator.and_then(role_of),
        data: payload.bytes(2).to_vec(),
    })
}

/// The name in a header's extension.
fn chaincode_name(extension: &[u8]) -> Option<String> {
    let id = Message::read(extension)?.embedded(2)?;
    Message::read(&id)?.text(2).map(str::to_owned)
}

/// Milliseconds since 1970 of a timestamp.
fn time_ms(timestamp: &[u8]) -> Option<i64> {
    let time = Message::read(timestamp)?;
    let (seconds, nanos) = (time.number(1).cast_signed(), (time.number(2) as u32).cast_signed());
    seconds.checked_mul(1000)?.checked_add(i64::from(nanos).checked_div(1_000_000)?)
}

/// The role in the certificate of a serialised identity, if it names one.
fn role_of(creator: &[u8]) -> Option<Role> {
    Certificate::from_pem(Message::read(creator)?.bytes(2)).ok()?.role().ok()
}

/// The parts of a chaincode's transaction that say what it settled.
struct Action {
    /// The payload of the chaincode's response.
    answer: Vec<u8>,
    event_name: String,
    /// The event's payload.
    record: Vec<u8>,
    /// The proposal's payload, which holds the arguments.
    proposal: Vec<u8>,
}

fn read_action(transaction: &[u8]) -> Option<Action> {
    let action = Message::read(Message::read(transaction)?.all(1).next()?)?;
    let payload = Message::read(action.bytes(2))?;
    let endorsed = payload.embedded(2).unwrap_or_default();
    let response = Message::read(Message::read(&endorsed)?.bytes(1))?;
    let action = Message::read(response.bytes(2))?;
    let event = Message::read(action.bytes(2))?;
    let answer = action.embedded(3).unwrap_or_default();
    Some(Action {
        answer: Message::read(&answer)?.bytes(3).to_vec(),
        event_name: event.text(3)?.to_owned(),
        record: event.bytes(4).to_vec(),
        proposal: payload.bytes(1).to_vec(),
    })
}

pub(crate) fn read_arguments(proposal: &[u8]) -> Option<Vec<Vec<u8>>> {
    let invocation = Message::read(Message::read(proposal)?.bytes(1))?;
    let spec = invocation.embedded(1)?;
    let input = Message::read(&spec)?.embedded(3)?;
    Some(Message::read(&input)?.all(1).map(<[u8]>::to_vec).collect())
}

impl ReadEnvelope {
    /// The batch of a valid transaction of the chaincode and the length of its texts; nothing for
    /// those of others.
    fn settled(&self, chaincode: &str) -> Result<Option<(SettledBatch, usize)>, String> {
        if self.kind != HEADER_ENDORSER_TRANSACTION {
            return Ok(None);
        }
        let unreadable = || "a valid transaction cannot be read".to_owned();
        if self.chaincode.as_deref().ok_or_else(unreadable)? != chaincode {
            return Ok(None);
        }
        let action = read_action(&self.data).ok_or_else(unreadable)?;
        if action.event_name != EVENT_NAME {
            return Ok(None);
        }
        let args = read_arguments(&action.proposal).ok_or_else(unreadable)?;
        let lengths = args.iter().chain([&action.record]).map(|carried| length(carried));
        let unpacked = lengths.map(|length| length.unwrap_or_default());
        let bytes = unpacked.fold(0, usize::saturating_add);
        let record = decompress(&action.record, READ_MAX)
            .map_err(|error| format!("its batch record cannot be unpacked: {error}"))?;
        let record: BatchRecord = serde_json::from_slice(&record)
            .map_err(|error| format!("its batch record does not fit this build: {error}"))?;
        let (tx_id, role) = (&self.tx_id, self.role);
        let invocation = Invocation::read(&args, Submitter { tx_id, role }, READ_MAX)
            .map_err(|error| format!("its commands do not fit this build: {error}"))?;
        match invocation {
            Invocation::Batch(batch) => {
                let (tx_id, place) = (tx_id.clone(), 0);
                Ok(Some((SettledBatch { tx_id, place, batch, record }, bytes)))
            }
            Invocation::Query(_) | Invocation::ContractInfo => {
                Err("a query has an event".to_owned())
            }
        }
    }
}

/// What the chaincode has answered in an endorsed transaction.
pub(crate) fn answer_of(envelope: &Envelope) -> Option<Vec<u8>> {
    let transaction = Message::read(&envelope.payload)?.bytes(2);
    read_action(transaction).map(|action| action.answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_hashed_in_its_asn1_form() {
        let header =
            BlockHeader { number: 200, previous_hash: vec![1; 32], data_hash: vec![2; 32] };
        let mut der = vec![0x30, 4 + 34 + 34, 2, 2, 0, 200, 4, 32];
        der.extend([1; 32]);
        der.extend([4, 32]);
        der.extend([2; 32]);
        assert_eq!(header_hash(&header), <[u8; 32]>::from(Sha256::digest(&der)));
    }
}
