//! Blocks of a channel: their hashes, and the batch that at most one of their transactions settled.
//!
//! Every batch reads and writes the contract's clock, so the peers' own rule against read conflicts
//! leaves at most one valid batch in a block. A block with two is refused rather than guessed at.

use gx_contract::{Batch, BatchRecord};
use gx_types::TimeMs;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::certificate::Certificate;
use crate::compressed::{READ_MAX, decompress, length};
use crate::der::{OCTET_STRING, SEQUENCE, tlv, unsigned};
use crate::proposal::{ProposalParts, arguments};
use crate::proto::{
    self, BlockHeader, ChaincodeAction, ChaincodeActionPayload, ChaincodeEvent, Envelope,
    HEADER_ENDORSER_TRANSACTION, METADATA_TRANSACTIONS_FILTER, Payload, ProposalResponsePayload,
    SerializedIdentity, Transaction,
};
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
    pub batch: Batch,
    pub record: BatchRecord,
}

/// SHA-256 over the header's ASN.1 form: the hash by which the next block names this one.
pub fn header_hash(header: &BlockHeader) -> [u8; 32] {
    let der = tlv(
        SEQUENCE,
        &[
            &unsigned(&header.number.to_be_bytes()),
            &tlv(OCTET_STRING, &[&header.previous_hash]),
            &tlv(OCTET_STRING, &[&header.data_hash]),
        ],
    );
    Sha256::digest(&der).into()
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
        let mut hash = Sha256::new();
        data.iter().for_each(|envelope| hash.update(envelope));
        if hash.finalize().as_slice() != header.data_hash {
            return Err(wrong("its data are not those of its header"));
        }
        let metadata = block.metadata.as_ref().map(|metadata| metadata.metadata.as_slice());
        let codes = metadata.and_then(|list| list.get(METADATA_TRANSACTIONS_FILTER));
        let codes = codes.map(Vec::as_slice).unwrap_or_default();
        let (mut time, mut settled) = (0, None);
        for (at, envelope) in data.iter().enumerate() {
            let Some(read) = read_envelope(envelope) else { continue };
            time = time.max(read.parts.time_ms().unwrap_or_default());
            // The genesis block has no codes; nobody has validated it.
            if codes.get(at) != Some(&0) {
                continue;
            }
            let found = read.settled(chaincode).map_err(|reason| wrong(&reason))?;
            let Some((batch, unpacked)) = found else { continue };
            if settled.replace(batch).is_some() {
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

struct ReadEnvelope {
    parts: ProposalParts,
    data: Vec<u8>,
}

fn read_envelope(envelope: &[u8]) -> Option<ReadEnvelope> {
    let envelope = Envelope::decode(envelope).ok()?;
    let payload = Payload::decode(envelope.payload.as_slice()).ok()?;
    let parts = ProposalParts::of_header(payload.header.as_ref()?)?;
    Some(ReadEnvelope { parts, data: payload.data })
}

impl ReadEnvelope {
    /// The batch of a valid transaction of the chaincode and the length of its texts; nothing for
    /// those of others.
    fn settled(&self, chaincode: &str) -> Result<Option<(SettledBatch, usize)>, String> {
        if self.parts.channel_header.r#type != HEADER_ENDORSER_TRANSACTION {
            return Ok(None);
        }
        let unreadable = || "a transaction cannot be read".to_owned();
        if self.parts.chaincode().ok_or_else(unreadable)? != chaincode {
            return Ok(None);
        }
        let transaction = Transaction::decode(self.data.as_slice()).map_err(|_| unreadable())?;
        let Some(action) = transaction.actions.first() else { return Ok(None) };
        let payload = ChaincodeActionPayload::decode(action.payload.as_slice());
        let payload = payload.map_err(|_| unreadable())?;
        let args = arguments(&payload.chaincode_proposal_payload).ok_or_else(unreadable)?;
        let action = chaincode_action(&payload).ok_or_else(unreadable)?;
        let event = ChaincodeEvent::decode(action.events.as_slice()).map_err(|_| unreadable())?;
        if event.event_name != EVENT_NAME {
            return Ok(None);
        }
        let lengths = args.iter().chain([&event.payload]).map(|carried| length(carried));
        let unpacked = lengths.map(|length| length.unwrap_or_default());
        let bytes = unpacked.fold(0, usize::saturating_add);
        let record = decompress(&event.payload, READ_MAX)
            .map_err(|error| format!("its batch record cannot be unpacked: {error}"))?;
        let record: BatchRecord = serde_json::from_slice(&record)
            .map_err(|error| format!("its batch record does not fit this build: {error}"))?;
        let tx_id = &self.parts.channel_header.tx_id;
        let role = role_of(&self.parts.signature_header.creator);
        let invocation = Invocation::read(&args, Submitter { tx_id, role }, READ_MAX)
            .map_err(|error| format!("its commands do not fit this build: {error}"))?;
        match invocation {
            Invocation::Batch(batch) => {
                Ok(Some((SettledBatch { tx_id: tx_id.clone(), batch, record }, bytes)))
            }
            Invocation::Query(_) | Invocation::ContractInfo => {
                Err("a query has an event".to_owned())
            }
        }
    }
}

/// The role in the certificate of a serialised identity, if it names one.
fn role_of(creator: &[u8]) -> Option<gx_types::Role> {
    let identity = SerializedIdentity::decode(creator).ok()?;
    Certificate::from_pem(&identity.id_bytes).ok()?.role().ok()
}

fn chaincode_action(payload: &ChaincodeActionPayload) -> Option<ChaincodeAction> {
    let bytes = payload.action.as_ref()?.proposal_response_payload.as_slice();
    let response = ProposalResponsePayload::decode(bytes).ok()?;
    ChaincodeAction::decode(response.extension.as_slice()).ok()
}

/// What the chaincode has answered in an endorsed transaction.
pub(crate) fn answer_of(envelope: &Envelope) -> Option<Vec<u8>> {
    let payload = Payload::decode(envelope.payload.as_slice()).ok()?;
    let transaction = Transaction::decode(payload.data.as_slice()).ok()?;
    let action = ChaincodeActionPayload::decode(transaction.actions.first()?.payload.as_slice());
    Some(chaincode_action(&action.ok()?)?.response?.payload)
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
