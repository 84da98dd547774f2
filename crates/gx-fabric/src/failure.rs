//! What a Fabric network answers when it does not do what it was asked, and what that means.
//!
//! Three classes: the contract has answered; nobody has, and sending again is free; or somebody
//! has to change something first. Every endorser's own words are kept.

use std::fmt;

use gx_contract::Refused;
use prost::Message;
use tonic::{Code, Status};

use crate::proto::{ErrorDetail, RpcStatus};
use crate::receipt::Fault;

/// Marks that the chaincode puts before its answers of status 400 and 500, to be told from what
/// peers say.
pub(crate) const REFUSED: &str = "refused: ";
pub(crate) const PANICKED: &str = "panicked: ";
pub(crate) const TOO_LARGE: &str = "too large: ";
pub(crate) const NOT_EXECUTED: &str = "not executed: ";
pub(crate) const BEHIND: &str = "behind: ";

/// What an error means for whoever sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The contract has answered; the same request gets the same answer.
    Answered,
    /// No answer, or one that passes by itself. Sending again is free.
    NotAnswered,
    /// Certificates, policies, names or versions are wrong. Sending again helps only once an
    /// operator has put that right.
    Misconfigured,
}

/// What one peer or orderer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndorserDetail {
    pub msp_id: String,
    pub address: String,
    pub message: String,
}

impl fmt::Display for EndorserDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.msp_id, self.address, self.message)
    }
}

/// Why a request did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no gateway can be reached: {reason}")]
    Unreachable { reason: String },
    #[error("{call}: {code:?}: {message}{}", joined(.message, .details))]
    Status { call: &'static str, code: Code, message: String, details: Vec<EndorserDetail> },
    #[error("{call}: no answer within {seconds} s")]
    Deadline { call: &'static str, seconds: u64 },
    #[error("transaction {tx_id} is invalid: {code}")]
    Invalid { tx_id: String, code: Validation },
    #[error("a command makes the contract panic: {reason}")]
    Panicked { reason: String },
    #[error("the query is refused: {0}")]
    Refused(Refused),
    /// Nothing was recorded: the set-up or the clock is wrong.
    #[error("the batch is refused as a whole: {reason}")]
    NotExecuted { reason: String },
    /// A chaincode server had to read what it lacked, and has executed nothing.
    #[error("a chaincode server was behind: {reason}")]
    Behind { reason: String },
    #[error("the record of the batch is longer than the chaincode lets be ordered")]
    RecordTooLarge,
    #[error("the transaction of one command has {bytes} bytes, {most} is the most")]
    TooLarge { bytes: usize, most: usize },
    #[error("{what} of the network's answer cannot be read")]
    Unreadable { what: &'static str },
    #[error("block {number}: {reason}")]
    Block { number: u64, reason: String },
    /// What the channel has shows too little to whoever asks no peer.
    #[error("no receipt can be made: {0}")]
    NoReceipt(Box<Fault>),
    #[error("there is no identity with the role {0}")]
    NoIdentity(gx_types::Role),
    #[error("the system gives no random numbers")]
    NoRandomness,
    #[error("the settings do not fit: {0}")]
    Settings(String),
}

/// What the endorsers said, and who they are; a gateway repeats some of it in its own message.
fn joined(message: &str, details: &[EndorserDetail]) -> String {
    let told = |detail: &EndorserDetail| match message.contains(&detail.message) {
        true => format!("; said by {} at {}", detail.msp_id, detail.address),
        false => format!("; {detail}"),
    };
    details.iter().map(told).collect()
}

impl Error {
    /// What the error means for whoever sent the request.
    pub fn class(&self) -> Class {
        match self {
            Self::Unreachable { .. } | Self::Deadline { .. } | Self::Behind { .. } => {
                Class::NotAnswered
            }
            Self::Status { code, message, details, .. } => status_class(*code, message, details),
            Self::Invalid { code, .. } => code.class(),
            Self::Panicked { .. }
            | Self::Refused(_)
            | Self::RecordTooLarge
            | Self::TooLarge { .. } => Class::Answered,
            Self::Unreadable { .. }
            | Self::NotExecuted { .. }
            | Self::Block { .. }
            | Self::NoReceipt(_)
            | Self::NoIdentity(_)
            | Self::NoRandomness
            | Self::Settings(_) => Class::Misconfigured,
        }
    }

    /// What each endorser said.
    pub fn details(&self) -> &[EndorserDetail] {
        match self {
            Self::Status { details, .. } => details,
            _ => &[],
        }
    }

    /// Whether endorsing anew, at once, is likely to succeed: peers were at different heights, a
    /// chaincode server knows now what it lacked, or another transaction was faster.
    pub(crate) fn is_conflict(&self) -> bool {
        match self {
            Self::Invalid { code, .. } => code.is_conflict(),
            Self::Behind { .. } => true,
            Self::Status { code: Code::Aborted, message, details, .. } => {
                const MISMATCH: &str = "ProposalResponsePayloads do not match";
                message.contains(MISMATCH)
                    || details.iter().any(|detail| detail.message.contains(MISMATCH))
            }
            _ => false,
        }
    }

    /// The status of a call, with what the contract may have said in it.
    pub(crate) fn from_status(call: &'static str, status: &Status) -> Self {
        let details = read_details(status);
        let texts = details.iter().map(|detail| detail.message.as_str());
        for text in texts.chain([status.message()]) {
            if let Some(error) = contract_answer(text) {
                return error;
            }
        }
        let (code, message) = (status.code(), status.message().to_owned());
        Self::Status { call, code, message, details }
    }
}

/// The contract's own words in an endorser's message.
fn contract_answer(text: &str) -> Option<Error> {
    let (_, said) = text.split_once("chaincode response ")?;
    let (_, said) = said.split_once(", ")?;
    if let Some(reason) = said.strip_prefix(PANICKED) {
        return Some(Error::Panicked { reason: reason.to_owned() });
    }
    if let Some(reason) = said.strip_prefix(NOT_EXECUTED) {
        return Some(Error::NotExecuted { reason: reason.to_owned() });
    }
    if let Some(reason) = said.strip_prefix(BEHIND) {
        return Some(Error::Behind { reason: reason.to_owned() });
    }
    if said.starts_with(TOO_LARGE) {
        return Some(Error::RecordTooLarge);
    }
    serde_json::from_str(said.strip_prefix(REFUSED)?).ok().map(Error::Refused)
}

fn read_details(status: &Status) -> Vec<EndorserDetail> {
    let Ok(rpc) = RpcStatus::decode(status.details()) else { return Vec::new() };
    let details = rpc.details.iter().filter(|any| any.type_url.ends_with("/gateway.ErrorDetail"));
    let details = details.filter_map(|any| ErrorDetail::decode(any.value.as_slice()).ok());
    details
        .map(|ErrorDetail { address, msp_id, message }| EndorserDetail { msp_id, address, message })
        .collect()
}

/// Texts of peers that tell a lasting fault from a passing one under the same code.
const LASTING: [&str; 12] = [
    "access denied",
    "creator is malformed",
    "no attribute gxc_role",
    "which is no role",
    "may not submit",
    "arguments do not fit",
    "batch cannot be unpacked",
    "is not text",
    "is called by",
    "incorrect timestamp",
    "has no function",
    "sub-policies were satisfied",
];

fn status_class(code: Code, message: &str, details: &[EndorserDetail]) -> Class {
    let mut texts = details.iter().map(|d| d.message.as_str()).chain([message]);
    if texts.any(|text| LASTING.iter().any(|lasting| text.contains(lasting))) {
        return Class::Misconfigured;
    }
    match code {
        Code::PermissionDenied
        | Code::Unauthenticated
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::Unimplemented
        | Code::OutOfRange => Class::Misconfigured,
        // Among them: "no combination of peers can be derived which satisfy the policy", said
        // while an organization is away.
        Code::FailedPrecondition
        | Code::Aborted
        | Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Internal
        | Code::ResourceExhausted
        | Code::DataLoss
        | Code::Ok => Class::NotAnswered,
    }
}

macro_rules! validations {
    ($($variant:ident = $code:literal $name:literal $class:ident,)+) => {
        /// What the peers found of an ordered transaction (`protos.TxValidationCode`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Validation {
            $($variant,)+
            /// A code that this build does not know.
            Other(i32),
        }

        impl Validation {
            pub fn from_code(code: i32) -> Self {
                match code { $($code => Self::$variant,)+ other => Self::Other(other) }
            }

            pub fn class(self) -> Class {
                match self {
                    $(Self::$variant => Class::$class,)+
                    Self::Other(_) => Class::NotAnswered,
                }
            }
        }

        impl fmt::Display for Validation {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str($name),)+
                    Self::Other(code) => write!(f, "code {code}"),
                }
            }
        }
    };
}

validations! {
    Valid = 0 "VALID" Answered,
    NilEnvelope = 1 "NIL_ENVELOPE" Misconfigured,
    BadPayload = 2 "BAD_PAYLOAD" Misconfigured,
    BadCommonHeader = 3 "BAD_COMMON_HEADER" Misconfigured,
    BadCreatorSignature = 4 "BAD_CREATOR_SIGNATURE" Misconfigured,
    InvalidEndorserTransaction = 5 "INVALID_ENDORSER_TRANSACTION" Misconfigured,
    InvalidConfigTransaction = 6 "INVALID_CONFIG_TRANSACTION" Misconfigured,
    UnsupportedTxPayload = 7 "UNSUPPORTED_TX_PAYLOAD" Misconfigured,
    BadProposalTxid = 8 "BAD_PROPOSAL_TXID" Misconfigured,
    DuplicateTxid = 9 "DUPLICATE_TXID" NotAnswered,
    EndorsementPolicyFailure = 10 "ENDORSEMENT_POLICY_FAILURE" Misconfigured,
    MvccReadConflict = 11 "MVCC_READ_CONFLICT" NotAnswered,
    PhantomReadConflict = 12 "PHANTOM_READ_CONFLICT" NotAnswered,
    UnknownTxType = 13 "UNKNOWN_TX_TYPE" Misconfigured,
    TargetChainNotFound = 14 "TARGET_CHAIN_NOT_FOUND" Misconfigured,
    MarshalTxError = 15 "MARSHAL_TX_ERROR" Misconfigured,
    NilTxaction = 16 "NIL_TXACTION" Misconfigured,
    ExpiredChaincode = 17 "EXPIRED_CHAINCODE" NotAnswered,
    ChaincodeVersionConflict = 18 "CHAINCODE_VERSION_CONFLICT" NotAnswered,
    BadHeaderExtension = 19 "BAD_HEADER_EXTENSION" Misconfigured,
    BadChannelHeader = 20 "BAD_CHANNEL_HEADER" Misconfigured,
    BadResponsePayload = 21 "BAD_RESPONSE_PAYLOAD" Misconfigured,
    BadRwset = 22 "BAD_RWSET" Misconfigured,
    IllegalWriteset = 23 "ILLEGAL_WRITESET" Misconfigured,
    InvalidWriteset = 24 "INVALID_WRITESET" Misconfigured,
    InvalidChaincode = 25 "INVALID_CHAINCODE" Misconfigured,
    NotValidated = 254 "NOT_VALIDATED" NotAnswered,
    InvalidOtherReason = 255 "INVALID_OTHER_REASON" NotAnswered,
}

impl Validation {
    /// Whether another transaction was faster, so that endorsing anew settles it.
    pub fn is_conflict(self) -> bool {
        matches!(self, Self::MvccReadConflict | Self::PhantomReadConflict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(code: Code, message: &str, detail: &str) -> Class {
        let details = vec![EndorserDetail {
            msp_id: "Org1MSP".into(),
            address: "peer0:7051".into(),
            message: detail.into(),
        }];
        status_class(code, message, &details)
    }

    #[test]
    fn what_a_status_means() {
        let rows = [
            (Code::Unavailable, "connection refused", "", Class::NotAnswered),
            (Code::Aborted, "failed to endorse", "chaincode stream terminated", Class::NotAnswered),
            (
                Code::Aborted,
                "failed to endorse",
                "access denied: creator org",
                Class::Misconfigured,
            ),
            (
                Code::Aborted,
                "failed to endorse",
                "request unauthorized due to incorrect timestamp",
                Class::Misconfigured,
            ),
            (Code::FailedPrecondition, "no combination of peers", "", Class::NotAnswered),
            (Code::PermissionDenied, "", "", Class::Misconfigured),
            (Code::DeadlineExceeded, "", "", Class::NotAnswered),
            (Code::NotFound, "channel", "", Class::Misconfigured),
        ];
        for (code, message, detail, expected) in rows {
            assert_eq!(class(code, message, detail), expected, "{code:?} {message} {detail}");
        }
    }

    #[test]
    fn the_contracts_words_are_found_in_a_peers() {
        let refused =
            r#"chaincode response 400, refused: {"code":"account_not_found","detail":"x"}"#;
        assert!(matches!(contract_answer(refused), Some(Error::Refused(_))));
        let panicked = "chaincode response 500, panicked: index out of bounds";
        assert!(matches!(contract_answer(panicked), Some(Error::Panicked { reason })
            if reason == "index out of bounds"));
        let large = "chaincode response 413, too large: the record has 50331649 bytes";
        assert!(matches!(contract_answer(large), Some(Error::RecordTooLarge)));
        let jumped = "chaincode response 409, not executed: clock_jump: a time";
        assert!(matches!(contract_answer(jumped), Some(Error::NotExecuted { reason })
            if reason == "clock_jump: a time"));
        assert!(contract_answer("chaincode response 500, something else").is_none());
    }

    #[test]
    fn validation_codes_have_their_class() {
        let rows = [(0, Class::Answered), (11, Class::NotAnswered), (10, Class::Misconfigured)];
        for (code, class) in rows {
            assert_eq!(Validation::from_code(code).class(), class);
        }
        assert_eq!(Validation::from_code(11).to_string(), "MVCC_READ_CONFLICT");
        assert_eq!(Validation::from_code(99).to_string(), "code 99");
    }
}
