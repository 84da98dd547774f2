//! A call of a chaincode and what endorsers have signed of its answer: the transaction in a block,
//! and the question that is asked about it afterwards.
//!
//! Both are read as peers read them, and checked by the same rules; what a peer would not have let
//! pass is refused here.

use prost::Message as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bytes::Bytes;
use super::configuration::Configuration;
use super::{Fault, Part, SIGNATURES_MAX};
use crate::proposal::transaction_id;
use crate::proto::{
    ChaincodeAction, ChaincodeEvent, ChaincodeHeaderExtension, ChannelHeader,
    HEADER_ENDORSER_TRANSACTION, ProposalResponsePayload, SignatureHeader, TxReadWriteSet,
};
use crate::wire::Message;

/// A call and its endorsements. All bytes are base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endorsed {
    /// `common.ChannelHeader`: the channel, the chaincode, the time.
    pub channel_header: Bytes,
    /// `common.SignatureHeader`: who asks, and a nonce.
    pub signature_header: Bytes,
    /// `protos.ChaincodeProposalPayload`: what is asked.
    pub proposal: Bytes,
    /// `protos.ProposalResponsePayload`: what is answered, read and written.
    pub response: Bytes,
    /// Of the response, in order.
    pub endorsements: Vec<Endorsement>,
}

/// Who answers for a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endorsement {
    /// `msp.SerializedIdentity`: organization and certificate.
    pub endorser: Bytes,
    /// ECDSA over the response and the endorser.
    pub signature: Bytes,
}

/// Whether each endorsement has to be right, or enough of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    Each,
    /// As peers have it: one that is wrong counts for nothing.
    Enough,
}

/// A call that was checked.
#[derive(Debug)]
pub(super) struct Called {
    pub(super) tx_id: String,
    pub(super) creator: Vec<u8>,
    pub(super) args: Vec<Vec<u8>>,
    /// The payload of the chaincode's answer.
    pub(super) answer: Vec<u8>,
    /// The payload of its event of that name.
    pub(super) event: ChaincodeEvent,
    pub(super) results: TxReadWriteSet,
}

impl Endorsed {
    /// Reads an envelope's payload.
    pub(super) fn of_payload(payload: &[u8]) -> Option<Self> {
        let payload = Message::read(payload)?;
        let header = payload.embedded(1)?;
        let header = Message::read(&header)?;
        let mut actions = Message::read(payload.bytes(2))?.all(1);
        // Peers take a transaction of one action only.
        let (Some(action), None) = (actions.next(), actions.next()) else { return None };
        let action = Message::read(action)?;
        let body = Message::read(action.bytes(2))?;
        let endorsed = body.embedded(2)?;
        let endorsed = Message::read(&endorsed)?;
        let endorsements = endorsed.all(2).map(|bytes| {
            let read = Message::read(bytes)?;
            let (endorser, signature) = (read.bytes(1).into(), read.bytes(2).into());
            Some(Endorsement { endorser, signature })
        });
        Some(Self {
            channel_header: header.bytes(1).into(),
            signature_header: action.bytes(1).into(),
            proposal: body.bytes(1).into(),
            response: endorsed.bytes(1).into(),
            endorsements: endorsements.collect::<Option<_>>()?,
        })
    }

    /// Checks all that needs no knowledge of what was asked.
    pub(super) fn check(
        &self,
        part: Part,
        configuration: &Configuration,
        chaincode: &str,
        strictness: Strictness,
    ) -> Result<Called, Fault> {
        let unreadable = || Fault::Unreadable(part);
        let header = ChannelHeader::decode(self.channel_header.as_slice());
        let header = header.map_err(|_| unreadable())?;
        if header.r#type != HEADER_ENDORSER_TRANSACTION {
            return Err(unreadable());
        }
        if header.channel_id != configuration.channel() {
            let (found, expected) = (header.channel_id, configuration.channel().to_owned());
            return Err(Fault::OtherChannel { part, found, expected });
        }
        let creator = SignatureHeader::decode(self.signature_header.as_slice());
        let creator = creator.map_err(|_| unreadable())?;
        if header.tx_id != transaction_id(&creator.nonce, &creator.creator) {
            return Err(Fault::TransactionId(part));
        }
        let (action, event) = self.check_response(part)?;
        let extension = ChaincodeHeaderExtension::decode(header.extension.as_slice());
        let called = extension.ok().and_then(|extension| extension.chaincode_id);
        for found in [called, action.chaincode_id] {
            let found = found.ok_or_else(unreadable)?.name;
            if found != chaincode {
                let expected = chaincode.to_owned();
                return Err(Fault::OtherChaincode { part, found, expected });
            }
        }
        self.check_endorsements(part, configuration, strictness)?;
        let results = TxReadWriteSet::decode(action.results.as_slice());
        Ok(Called {
            tx_id: header.tx_id,
            creator: creator.creator,
            args: arguments(&self.proposal).ok_or_else(unreadable)?,
            answer: action.response.map(|response| response.payload).unwrap_or_default(),
            event,
            results: results.map_err(|_| unreadable())?,
        })
    }

    /// The response is one to this very proposal, and no refusal.
    fn check_response(&self, part: Part) -> Result<(ChaincodeAction, ChaincodeEvent), Fault> {
        let unreadable = |_| Fault::Unreadable(part);
        let response = ProposalResponsePayload::decode(self.response.as_slice());
        let response = response.map_err(unreadable)?;
        let mut hash = Sha256::new();
        for bytes in [&self.channel_header, &self.signature_header, &self.proposal] {
            hash.update(bytes.as_slice());
        }
        if hash.finalize().as_slice() != response.proposal_hash {
            return Err(Fault::Proposal(part));
        }
        let action = ChaincodeAction::decode(response.extension.as_slice()).map_err(unreadable)?;
        let event = ChaincodeEvent::decode(action.events.as_slice()).map_err(unreadable)?;
        match action.response.as_ref().map(|response| response.status) {
            Some(200..400) => Ok((action, event)),
            Some(_) | None => Err(Fault::Unreadable(part)),
        }
    }

    fn check_endorsements(
        &self,
        part: Part,
        configuration: &Configuration,
        strictness: Strictness,
    ) -> Result<(), Fault> {
        if self.endorsements.len() > SIGNATURES_MAX {
            return Err(Fault::TooManySignatures(self.endorsements.len()));
        }
        let mut endorsers = Vec::with_capacity(self.endorsements.len());
        for (at, Endorsement { endorser, signature }) in self.endorsements.iter().enumerate() {
            let member = configuration
                .member(endorser.as_slice())
                .map_err(|reason| Fault::UnknownEndorser { part, at, reason });
            let signed = [self.response.as_slice(), endorser.as_slice()].concat();
            let member = member.and_then(|member| {
                match member.certificate.has_signed(&signed, signature.as_slice()) {
                    true => Ok(member),
                    false => Err(Fault::Endorsement { part, at, endorser: member.name() }),
                }
            });
            match (member, strictness) {
                (Ok(member), _) => endorsers.push(member),
                (Err(fault), Strictness::Each) => return Err(fault),
                (Err(_), Strictness::Enough) => {}
            }
        }
        match configuration.endorses(&endorsers) {
            true => Ok(()),
            false => Err(Fault::TooFewEndorsements(part)),
        }
    }
}

/// The arguments in a proposal's payload, as peers hand them to the chaincode.
fn arguments(proposal: &Bytes) -> Option<Vec<Vec<u8>>> {
    crate::block::read_arguments(proposal.as_slice())
}
