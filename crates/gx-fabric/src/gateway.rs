//! The Gateway service of a peer: evaluate, endorse, submit, commit status, events, blocks.
//!
//! Every call has a deadline, here and on the wire. Nothing is retried here; errors say what a
//! retry would mean. A prepared transaction may be submitted again and again: only its first copy
//! is ever executed.

use std::time::Duration;

use prost::Message;
use tonic::codec::Streaming;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::connection::{Connected, Connection, Peers, is_transport};
use crate::proposal::{self, Proposed};
use crate::proto::{
    CommitStatusRequest, CommitStatusResponse, DeliverResponse, EndorseRequest, EndorseResponse,
    Envelope, EvaluateRequest, EvaluateResponse, SeekInfo, SeekPosition, SignedRequest,
    SubmitRequest, SubmitResponse,
};
use crate::{Error, Identity, MESSAGE_BYTES_MAX, Validation};

/// How long each call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    pub evaluate: Duration,
    pub endorse: Duration,
    pub submit: Duration,
    /// Until a transaction is committed. Counted anew for each submission.
    pub commit: Duration,
    /// Until a stream of blocks or events is open.
    pub open: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            evaluate: seconds(10),
            endorse: seconds(35),
            submit: seconds(10),
            commit: seconds(20),
            open: seconds(10),
        }
    }
}

/// An endorsed, signed transaction.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub tx_id: String,
    envelope: Envelope,
    /// What the chaincode has answered.
    pub answer: Vec<u8>,
}

impl Prepared {
    /// Bytes that the orderers get.
    pub fn bytes(&self) -> usize {
        self.envelope.encoded_len()
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.envelope.payload
    }
}

/// What became of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    pub code: Validation,
    pub block: u64,
}

/// A client of one channel, for any identity.
#[derive(Debug)]
pub struct Gateway {
    connection: Connection,
    channel: String,
    deadlines: Deadlines,
}

/// The name and path of a call.
#[derive(Debug, Clone, Copy)]
struct Call(&'static str, &'static str);

const EVALUATE: Call = Call("evaluate", "/gateway.Gateway/Evaluate");
const ENDORSE: Call = Call("endorse", "/gateway.Gateway/Endorse");
const SUBMIT: Call = Call("submit", "/gateway.Gateway/Submit");
const COMMIT_STATUS: Call = Call("commit status", "/gateway.Gateway/CommitStatus");
const DELIVER: Call = Call("deliver", "/protos.Deliver/Deliver");
const DELIVER_FILTERED: Call = Call("deliver", "/protos.Deliver/DeliverFiltered");

impl Gateway {
    /// # Errors
    /// [`Error::Settings`] when addresses or TLS files do not fit. Nothing is sent yet.
    pub fn new(peers: Peers, channel: &str, deadlines: Deadlines) -> Result<Self, Error> {
        let connection = Connection::new(peers)?;
        Ok(Self { connection, channel: channel.to_owned(), deadlines })
    }

    pub fn channel(&self) -> &str {
        &self.channel
    }

    pub(crate) fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// Asks a chaincode on one peer; nothing is ordered.
    ///
    /// # Errors
    /// [`Error::Refused`] is the contract's answer; see [`Error::class`] for others.
    pub async fn evaluate(
        &self,
        identity: &Identity,
        chaincode: &str,
        args: Vec<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        let Proposed { tx_id, signed } =
            proposal::propose(identity, &self.channel, chaincode, args)?;
        let request = EvaluateRequest {
            transaction_id: tx_id,
            channel_id: self.channel.clone(),
            proposed_transaction: Some(signed),
            target_organizations: Vec::new(),
        };
        let answer: EvaluateResponse =
            self.unary(EVALUATE, self.deadlines.evaluate, request).await?;
        let result = answer.result.ok_or(Error::Unreadable { what: "the result" })?;
        Ok(result.payload)
    }

    /// Has a call executed by the organizations named, or by those that the policy asks for.
    ///
    /// # Errors
    /// See [`Error::class`]. Nothing is ordered in any case.
    pub async fn endorse(
        &self,
        identity: &Identity,
        chaincode: &str,
        args: Vec<Vec<u8>>,
        organizations: &[String],
    ) -> Result<Prepared, Error> {
        let Proposed { tx_id, signed } =
            proposal::propose(identity, &self.channel, chaincode, args)?;
        let request = EndorseRequest {
            transaction_id: tx_id.clone(),
            channel_id: self.channel.clone(),
            proposed_transaction: Some(signed),
            endorsing_organizations: organizations.to_vec(),
        };
        let answer: EndorseResponse = self.unary(ENDORSE, self.deadlines.endorse, request).await?;
        let unreadable = Error::Unreadable { what: "the prepared transaction" };
        let envelope = answer.prepared_transaction.ok_or(unreadable)?;
        let answer = crate::block::answer_of(&envelope).unwrap_or_default();
        let envelope = proposal::sign(identity, envelope)?;
        Ok(Prepared { tx_id, envelope, answer })
    }

    /// Hands a prepared transaction to the orderers. Doing it again is safe.
    ///
    /// # Errors
    /// See [`Error::class`]; unless it is misconfigured, the transaction may be ordered all the
    /// same.
    pub async fn submit(&self, prepared: &Prepared) -> Result<(), Error> {
        let request = SubmitRequest {
            transaction_id: prepared.tx_id.clone(),
            channel_id: self.channel.clone(),
            prepared_transaction: Some(prepared.envelope.clone()),
        };
        let _: SubmitResponse = self.unary(SUBMIT, self.deadlines.submit, request).await?;
        Ok(())
    }

    /// Waits until a transaction is committed.
    ///
    /// # Errors
    /// [`Error::Deadline`] when that is not known in time: also when the id is unknown.
    pub async fn commit_status(
        &self,
        identity: &Identity,
        tx_id: &str,
        deadline: Duration,
    ) -> Result<Committed, Error> {
        let request = CommitStatusRequest {
            transaction_id: tx_id.to_owned(),
            channel_id: self.channel.clone(),
            identity: identity.creator().to_vec(),
        };
        let request = signed(identity, &request)?;
        let answer: CommitStatusResponse = self.unary(COMMIT_STATUS, deadline, request).await?;
        let code = Validation::from_code(answer.result);
        Ok(Committed { code, block: answer.block_number })
    }

    /// Whole blocks from one on up to another; waits for those that do not exist yet.
    pub(crate) async fn deliver(
        &self,
        identity: &Identity,
        from: SeekPosition,
        to: u64,
    ) -> Result<Streaming<DeliverResponse>, Error> {
        self.deliver_as(DELIVER, identity, from, to).await
    }

    /// The numbers of blocks as they come, the last one first.
    pub(crate) async fn deliver_numbers(
        &self,
        identity: &Identity,
    ) -> Result<Streaming<DeliverResponse>, Error> {
        self.deliver_as(DELIVER_FILTERED, identity, SeekPosition::newest(), u64::MAX).await
    }

    async fn deliver_as(
        &self,
        call: Call,
        identity: &Identity,
        from: SeekPosition,
        to: u64,
    ) -> Result<Streaming<DeliverResponse>, Error> {
        let info = SeekInfo { start: Some(from), stop: Some(SeekPosition::block(to)), behavior: 0 };
        let envelope = proposal::seek(identity, &self.channel, &info)?;
        let connected = self.connection.get().await?;
        let mut grpc = client(&connected);
        // The peer stops delivering when the request stream ends, so it stays open.
        let requests =
            tokio_stream::StreamExt::chain(tokio_stream::once(envelope), tokio_stream::pending());
        let opening = async {
            grpc.ready().await.map_err(unready)?;
            let path = PathAndQuery::from_static(call.1);
            grpc.streaming(Request::new(requests), path, ProstCodec::default()).await
        };
        self.opened(call, &connected, opening).await
    }

    async fn opened<R>(
        &self,
        call: Call,
        connected: &Connected,
        opening: impl Future<Output = Result<tonic::Response<Streaming<R>>, Status>>,
    ) -> Result<Streaming<R>, Error> {
        self.timed(call, self.deadlines.open, connected, opening).await
    }

    async fn unary<Q, R>(&self, call: Call, deadline: Duration, message: Q) -> Result<R, Error>
    where
        Q: Message + Send + Sync + 'static,
        R: Message + Default + Send + Sync + 'static,
    {
        let connected = self.connection.get().await?;
        let mut grpc = client(&connected);
        let mut request = Request::new(message);
        request.set_timeout(deadline);
        let calling = async {
            grpc.ready().await.map_err(unready)?;
            grpc.unary(request, PathAndQuery::from_static(call.1), ProstCodec::default()).await
        };
        self.timed(call, deadline, &connected, calling).await
    }

    /// Waits for an answer no longer than the deadline, and drops a channel that gave none.
    async fn timed<R>(
        &self,
        call: Call,
        deadline: Duration,
        connected: &Connected,
        calling: impl Future<Output = Result<tonic::Response<R>, Status>>,
    ) -> Result<R, Error> {
        // The peer keeps the deadline too; a little more lets its own words arrive.
        let patience = deadline.saturating_add(Duration::from_millis(500));
        match tokio::time::timeout(patience, calling).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => {
                if is_transport(&status) {
                    self.connection.broken(connected).await;
                }
                if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled)
                    && status.details().is_empty()
                {
                    return Err(Error::Deadline { call: call.0, seconds: deadline.as_secs() });
                }
                Err(Error::from_status(call.0, &status))
            }
            Err(_) => {
                self.connection.broken(connected).await;
                Err(Error::Deadline { call: call.0, seconds: deadline.as_secs() })
            }
        }
    }
}

fn client(connected: &Connected) -> tonic::client::Grpc<tonic::transport::Channel> {
    tonic::client::Grpc::new(connected.channel.clone())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// The channel could not be made ready: a transport error.
fn unready(error: tonic::transport::Error) -> Status {
    let mut status = Status::unavailable(gx_types::with_causes(&error));
    status.set_source(std::sync::Arc::new(error));
    status
}

fn signed(identity: &Identity, request: &impl Message) -> Result<SignedRequest, Error> {
    let request = request.encode_to_vec();
    let signature = identity.sign(&request).ok_or(Error::NoRandomness)?;
    Ok(SignedRequest { request, signature })
}
