//! Proposals, envelopes and the ids of transactions: the bytes that clients sign.

use prost::Message;
use sha2::{Digest, Sha256};

use crate::clock;
use crate::proto::{
    ChaincodeHeaderExtension, ChaincodeId, ChaincodeInput, ChaincodeInvocationSpec,
    ChaincodeProposalPayload, ChaincodeSpec, ChannelHeader, Envelope, HEADER_DELIVER_SEEK_INFO,
    HEADER_ENDORSER_TRANSACTION, Header, Payload, Proposal, SeekInfo, SignatureHeader,
    SignedProposal, Timestamp,
};
use crate::{Error, Identity};

/// A signed proposal and the id that its transaction will have.
#[derive(Debug, Clone)]
pub(crate) struct Proposed {
    pub(crate) tx_id: String,
    pub(crate) signed: SignedProposal,
}

/// Proposes to call a chaincode. The transaction's time is this machine's.
pub(crate) fn propose(
    identity: &Identity,
    channel: &str,
    chaincode: &str,
    args: Vec<Vec<u8>>,
) -> Result<Proposed, Error> {
    let (signature_header, tx_id) = signature_header(identity)?;
    let chaincode_id = ChaincodeId { name: chaincode.to_owned(), ..ChaincodeId::default() };
    let extension = ChaincodeHeaderExtension { chaincode_id: Some(chaincode_id.clone()) };
    let channel_header = ChannelHeader {
        r#type: HEADER_ENDORSER_TRANSACTION,
        timestamp: Some(timestamp()),
        channel_id: channel.to_owned(),
        tx_id: tx_id.clone(),
        extension: extension.encode_to_vec(),
        ..ChannelHeader::default()
    };
    let input = ChaincodeInput { args, ..ChaincodeInput::default() };
    let spec = ChaincodeSpec {
        chaincode_id: Some(chaincode_id),
        input: Some(input),
        ..ChaincodeSpec::default()
    };
    let invocation = ChaincodeInvocationSpec { chaincode_spec: Some(spec) };
    let payload = ChaincodeProposalPayload {
        input: invocation.encode_to_vec(),
        ..ChaincodeProposalPayload::default()
    };
    let header = Header { channel_header: channel_header.encode_to_vec(), signature_header };
    let proposal = Proposal {
        header: header.encode_to_vec(),
        payload: payload.encode_to_vec(),
        ..Proposal::default()
    };
    let proposal_bytes = proposal.encode_to_vec();
    let signature = identity.sign(&proposal_bytes).ok_or(Error::NoRandomness)?;
    Ok(Proposed { tx_id, signed: SignedProposal { proposal_bytes, signature } })
}

/// Signs what the gateway has made of endorsements.
pub(crate) fn sign(identity: &Identity, mut envelope: Envelope) -> Result<Envelope, Error> {
    envelope.signature = identity.sign(&envelope.payload).ok_or(Error::NoRandomness)?;
    Ok(envelope)
}

/// A signed request for blocks.
pub(crate) fn seek(identity: &Identity, channel: &str, seek: &SeekInfo) -> Result<Envelope, Error> {
    let (signature_header, _) = signature_header(identity)?;
    let channel_header = ChannelHeader {
        r#type: HEADER_DELIVER_SEEK_INFO,
        timestamp: Some(timestamp()),
        channel_id: channel.to_owned(),
        ..ChannelHeader::default()
    };
    let header = Header { channel_header: channel_header.encode_to_vec(), signature_header };
    let payload = Payload { header: Some(header), data: seek.encode_to_vec() };
    sign(identity, Envelope { payload: payload.encode_to_vec(), signature: Vec::new() })
}

/// The bytes of a signature header with a new nonce, and the id that follows from it.
fn signature_header(identity: &Identity) -> Result<(Vec<u8>, String), Error> {
    let nonce = identity.nonce().ok_or(Error::NoRandomness)?;
    let tx_id = transaction_id(&nonce, identity.creator());
    let header = SignatureHeader { creator: identity.creator().to_vec(), nonce: nonce.to_vec() };
    Ok((header.encode_to_vec(), tx_id))
}

/// A transaction's id: SHA-256 over nonce and creator, in hexadecimal digits.
pub fn transaction_id(nonce: &[u8], creator: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(nonce);
    hash.update(creator);
    hex::encode(hash.finalize())
}

fn timestamp() -> Timestamp {
    let now = clock::now();
    Timestamp {
        seconds: i64::try_from(now.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(now.subsec_nanos()).unwrap_or_default(),
    }
}

/// A proposal taken apart: what chaincode and readers of blocks need of it.
#[derive(Debug, Clone)]
pub struct ProposalParts {
    pub channel_header: ChannelHeader,
    pub signature_header: SignatureHeader,
}

impl ProposalParts {
    /// Reads the header of a proposal or of an envelope's payload.
    pub fn of_header(header: &Header) -> Option<Self> {
        Some(Self {
            channel_header: ChannelHeader::decode(header.channel_header.as_slice()).ok()?,
            signature_header: SignatureHeader::decode(header.signature_header.as_slice()).ok()?,
        })
    }

    /// Reads a signed proposal, as a peer hands it to chaincode.
    pub fn of_proposal(signed: &SignedProposal) -> Option<Self> {
        let proposal = Proposal::decode(signed.proposal_bytes.as_slice()).ok()?;
        Self::of_header(&Header::decode(proposal.header.as_slice()).ok()?)
    }

    /// The chaincode that the transaction is of: peers take its name from here alone, and the
    /// invocation in the payload may name another.
    pub fn chaincode(&self) -> Option<String> {
        let extension = self.channel_header.extension.as_slice();
        Some(ChaincodeHeaderExtension::decode(extension).ok()?.chaincode_id?.name)
    }

    /// The transaction's time in milliseconds since 1970.
    pub fn time_ms(&self) -> Option<i64> {
        let time = self.channel_header.timestamp.as_ref()?;
        let nanos = i64::from(time.nanos).checked_div(1_000_000)?;
        time.seconds.checked_mul(1000)?.checked_add(nanos)
    }
}
