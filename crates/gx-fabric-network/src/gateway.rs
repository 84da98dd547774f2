//! The gateway and the orderer: the service that clients speak to, on a real socket.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use gx_fabric::certificate::Certificate;
use gx_fabric::proposal::ProposalParts;
use gx_fabric::proto::{
    Any, ChaincodeAction, ChaincodeActionPayload, ChaincodeEndorsedAction, ChaincodeEvent,
    ChaincodeId, ChaincodeInvocationSpec, ChaincodeProposalPayload, CommitStatusRequest,
    CommitStatusResponse, DeliverResponse, Delivered, EndorseRequest, EndorseResponse, Envelope,
    ErrorDetail, EvaluateRequest, EvaluateResponse, FilteredBlock, Header, KvRead, KvRwSet,
    KvVersion, KvWrite, NsReadWriteSet, Payload, Position, Proposal, ProposalResponsePayload,
    Response, RpcStatus, SeekInfo, SerializedIdentity, SignedProposal, SignedRequest,
    SubmitRequest, SubmitResponse, Transaction, TransactionAction, TxReadWriteSet,
};
use prost::Message;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::Grpc;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::service_fn;

use super::members::Members;
use super::peer::{Peer, Simulation};
use super::{CHAINCODE, Fault, Shared};

const BYTES_MAX: usize = 100 << 20;

struct Gateway {
    shared: Arc<Shared>,
    peers: [Peer; 2],
    /// What was found of transactions that are endorsed and perhaps submitted.
    endorsed: Mutex<HashMap<String, Simulation>>,
}

pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    peers: [Peer; 2],
    stop: CancellationToken,
) {
    let gateway = Arc::new(Gateway { shared, peers, endorsed: Mutex::default() });
    let service = service_fn(move |request: http::Request<Body>| {
        let gateway = gateway.clone();
        async move { Ok::<_, Infallible>(gateway.route(request).await) }
    });
    // Each call waits for its answer: nothing may be held back to be joined.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = tonic::transport::Server::builder();
    // Connections that clients keep open must not outlive the test.
    tokio::select! {
        ended = server.serve_with_incoming(service, incoming) => ended.unwrap(),
        () = stop.cancelled() => {}
    }
}

macro_rules! unary {
    ($self:ident, $request:ident, $method:ident) => {{
        let service = service_fn(move |message| {
            let gateway = $self.clone();
            async move {
                let message = Request::into_inner(message);
                gateway.$method(message).await.map(tonic::Response::new)
            }
        });
        let mut grpc = Grpc::new(ProstCodec::default())
            .max_decoding_message_size(BYTES_MAX)
            .max_encoding_message_size(BYTES_MAX);
        grpc.unary(service, $request).await
    }};
}

impl Gateway {
    async fn route(self: Arc<Self>, request: http::Request<Body>) -> http::Response<Body> {
        match request.uri().path() {
            "/gateway.Gateway/Evaluate" => unary!(self, request, evaluate),
            "/gateway.Gateway/Endorse" => unary!(self, request, endorse),
            "/gateway.Gateway/Submit" => unary!(self, request, submit),
            "/gateway.Gateway/CommitStatus" => unary!(self, request, commit_status),
            "/protos.Deliver/Deliver" => self.stream(request, false).await,
            "/protos.Deliver/DeliverFiltered" => self.stream(request, true).await,
            other => panic!("no service at {other}"),
        }
    }

    async fn simulate(&self, at: usize, signed: &SignedProposal) -> Result<Simulation, Status> {
        let (parts, args) = open(signed);
        let state = self.shared.ledger.lock().unwrap().state.clone();
        let tx_id = &parts.channel_header.tx_id;
        let result = self.peers[at].simulate(tx_id, args, signed, state).await;
        let result = result.map_err(|reason| failed(Code::Unavailable, "failed", &reason))?;
        let Response { status, message, .. } = &result.response;
        if *status >= 400 {
            let detail = format!("chaincode response {status}, {message}");
            return Err(failed(Code::Unknown, "the call returned an error", &detail));
        }
        Ok(result)
    }

    async fn evaluate(&self, request: EvaluateRequest) -> Result<EvaluateResponse, Status> {
        let signed = request.proposed_transaction.unwrap();
        if has_expired(&signed) {
            return Err(failed(Code::Aborted, "failed to evaluate transaction", ACCESS_DENIED));
        }
        let (_, args) = open(&signed);
        let system = |payload: Vec<u8>| EvaluateResponse {
            result: Some(Response { status: 200, message: String::new(), payload }),
        };
        if args[0] == b"GetChainInfo" {
            let ledger = self.shared.ledger.lock().unwrap();
            let last = ledger.blocks.last().unwrap().header.as_ref().unwrap();
            let info = gx_fabric::proto::BlockchainInfo {
                height: ledger.blocks.len() as u64,
                current_block_hash: gx_fabric::block::header_hash(last).to_vec(),
                previous_block_hash: last.previous_hash.clone(),
            };
            return Ok(system(info.encode_to_vec()));
        }
        if args[0] == b"GetBlockByNumber" {
            let number: usize = std::str::from_utf8(&args[2]).unwrap().parse().unwrap();
            let ledger = self.shared.ledger.lock().unwrap();
            return Ok(system(ledger.blocks[number].encode_to_vec()));
        }
        let result = self.simulate(0, &signed).await?;
        Ok(EvaluateResponse { result: Some(result.response) })
    }

    async fn endorse(&self, request: EndorseRequest) -> Result<EndorseResponse, Status> {
        if self.shared.takes(Fault::Unavailable) {
            return Err(Status::unavailable("the peer is going away"));
        }
        let signed = request.proposed_transaction.unwrap();
        if has_expired(&signed) || self.shared.takes(Fault::AccessDenied) {
            return Err(failed(Code::Aborted, "failed to endorse transaction", ACCESS_DENIED));
        }
        if self.shared.takes(Fault::RecordTooLarge) {
            let detail = "chaincode response 413, too large: the record has 50331649 bytes";
            return Err(failed(Code::Aborted, "failed to endorse transaction", detail));
        }
        if self.shared.takes(Fault::OrganizationAway) {
            let text = "no combination of peers can be derived which satisfy the policy";
            return Err(Status::failed_precondition(text));
        }
        if self.shared.takes(Fault::EndorsementSilent) {
            std::future::pending::<()>().await;
        }
        let signed = self.shared.later(signed);
        let first = self.simulate(0, &signed).await?;
        let second = self.simulate(1, &signed).await?;
        if first != second || self.shared.takes(Fault::Mismatch) {
            let detail = "ProposalResponsePayloads do not match";
            return Err(failed(Code::Aborted, "failed to assemble transaction", detail));
        }
        let envelope = prepare(&signed, &first, &self.shared.members);
        self.endorsed.lock().unwrap().insert(request.transaction_id, first);
        Ok(EndorseResponse { prepared_transaction: Some(envelope) })
    }

    async fn submit(&self, request: SubmitRequest) -> Result<SubmitResponse, Status> {
        if self.shared.takes(Fault::Silent) {
            std::future::pending::<()>().await;
        }
        let envelope = request.prepared_transaction.unwrap();
        check_signature(&envelope);
        if self.shared.takes(Fault::SubmitLost) {
            return Err(Status::unavailable("no orderers could successfully process transaction"));
        }
        let tx_id = request.transaction_id;
        let found = self.endorsed.lock().unwrap().get(&tx_id).cloned().unwrap();
        let mut ledger = self.shared.ledger.lock().unwrap();
        if self.shared.takes(Fault::Overtaken) {
            ledger.overwrite("s/clock");
        }
        ledger.commit(vec![(tx_id, envelope, found)]);
        if self.shared.takes(Fault::SubmitAnswerLost) {
            return Err(Status::unavailable("connection reset"));
        }
        Ok(SubmitResponse {})
    }

    async fn commit_status(&self, request: SignedRequest) -> Result<CommitStatusResponse, Status> {
        let request = CommitStatusRequest::decode(request.request.as_slice()).unwrap();
        let mut height = self.shared.ledger.lock().unwrap().height.subscribe();
        // As a real gateway: an unknown transaction is waited for.
        loop {
            let found = self.shared.ledger.lock().unwrap().result(&request.transaction_id);
            if let Some((code, block_number)) = found {
                if self.shared.takes(Fault::StatusLost) {
                    return Err(Status::unavailable("connection reset"));
                }
                return Ok(CommitStatusResponse { result: code.into(), block_number });
            }
            height.changed().await.map_err(|_| Status::cancelled("stopped"))?;
        }
    }

    async fn stream(
        self: Arc<Self>,
        request: http::Request<Body>,
        filtered: bool,
    ) -> http::Response<Body> {
        let service = service_fn(move |request: Request<Streaming<Envelope>>| {
            let shared = self.shared.clone();
            async move {
                let mut envelopes = request.into_inner();
                let envelope = envelopes.message().await?.unwrap();
                let (send, blocks) = mpsc::channel(4);
                tokio::spawn(deliver(shared, envelope, envelopes, send, filtered));
                Ok::<_, Status>(tonic::Response::new(ReceiverStream::new(blocks)))
            }
        });
        Grpc::new(ProstCodec::default()).streaming(service, request).await
    }
}

async fn deliver(
    shared: Arc<Shared>,
    envelope: Envelope,
    mut requests: Streaming<Envelope>,
    send: mpsc::Sender<Result<DeliverResponse, Status>>,
    filtered: bool,
) {
    let payload = Payload::decode(envelope.payload.as_slice()).unwrap();
    let seek = SeekInfo::decode(payload.data.as_slice()).unwrap();
    let mut height = shared.ledger.lock().unwrap().height.subscribe();
    let mut next = match seek.start.unwrap().position.unwrap() {
        Position::Specified(block) => block.number,
        Position::Newest(_) => *height.borrow() - 1,
        other => panic!("{other:?}"),
    };
    loop {
        let block = shared.ledger.lock().unwrap().blocks.get(next as usize).cloned();
        let Some(block) = block else {
            // A peer ends the stream when the client has ended its own.
            tokio::select! {
                changed = height.changed() => if changed.is_err() { return },
                ended = requests.message() => if !matches!(ended, Ok(Some(_))) { return },
            }
            continue;
        };
        let delivered = if filtered {
            Delivered::FilteredBlock(FilteredBlock { number: next, ..FilteredBlock::default() })
        } else {
            Delivered::Block(block)
        };
        let response = DeliverResponse { delivered: Some(delivered) };
        if send.send(Ok(response)).await.is_err() {
            return;
        }
        next += 1;
        if !filtered && shared.takes(Fault::StreamCut) {
            let _ = send.send(Err(Status::unavailable("connection reset"))).await;
            return;
        }
    }
}

fn open(signed: &SignedProposal) -> (ProposalParts, Vec<Vec<u8>>) {
    let proposal = Proposal::decode(signed.proposal_bytes.as_slice()).unwrap();
    let args = arguments(&proposal.payload).unwrap();
    (ProposalParts::of_proposal(signed).unwrap(), args)
}

/// The arguments in a proposal's payload.
fn arguments(proposal_payload: &[u8]) -> Option<Vec<Vec<u8>>> {
    let payload = ChaincodeProposalPayload::decode(proposal_payload).ok()?;
    let invocation = ChaincodeInvocationSpec::decode(payload.input.as_slice()).ok()?;
    Some(invocation.chaincode_spec?.input?.args)
}

/// The transaction that endorsers' answers make, as a gateway assembles it.
fn prepare(signed: &SignedProposal, found: &Simulation, members: &Members) -> Envelope {
    let proposal = Proposal::decode(signed.proposal_bytes.as_slice()).unwrap();
    let header = Header::decode(proposal.header.as_slice()).unwrap();
    let event = found.event.clone().map(|event| {
        let chaincode_id = CHAINCODE.to_owned();
        ChaincodeEvent { chaincode_id, ..event }.encode_to_vec()
    });
    let action = ChaincodeAction {
        results: results(found).encode_to_vec(),
        events: event.unwrap_or_default(),
        response: Some(found.response.clone()),
        chaincode_id: Some(ChaincodeId { name: CHAINCODE.to_owned(), ..ChaincodeId::default() }),
    };
    let mut hash = Sha256::new();
    for bytes in [&header.channel_header, &header.signature_header, &proposal.payload] {
        hash.update(bytes);
    }
    let response = ProposalResponsePayload {
        proposal_hash: hash.finalize().to_vec(),
        extension: action.encode_to_vec(),
    };
    let response = response.encode_to_vec();
    let endorsements = members.endorse(&response);
    let action = ChaincodeActionPayload {
        chaincode_proposal_payload: proposal.payload,
        action: Some(ChaincodeEndorsedAction { proposal_response_payload: response, endorsements }),
    };
    let action = TransactionAction {
        header: header.signature_header.clone(),
        payload: action.encode_to_vec(),
    };
    let data = Transaction { actions: vec![action] }.encode_to_vec();
    let payload = Payload { header: Some(header), data }.encode_to_vec();
    Envelope { payload, signature: Vec::new() }
}

/// What a simulation has read and written, as peers write it into their answers.
fn results(found: &Simulation) -> TxReadWriteSet {
    let reads = found.reads.iter().map(|(key, version)| KvRead {
        key: key.clone(),
        version: version.map(|(block_num, place)| KvVersion { block_num, tx_num: place.into() }),
    });
    let writes = found.writes.iter().map(|(key, value)| KvWrite {
        key: key.clone(),
        is_delete: false,
        value: value.clone(),
    });
    let own = KvRwSet { reads: reads.collect(), writes: writes.collect() };
    let own = NsReadWriteSet { namespace: CHAINCODE.to_owned(), rwset: own.encode_to_vec() };
    TxReadWriteSet { data_model: 0, ns_rwset: vec![own] }
}

/// What peers say of an identity that they don't know, or whose time is over.
const ACCESS_DENIED: &str = "error validating proposal: access denied: channel [x] creator org [Y]";

/// Whether the certificate of whoever proposes is valid no more.
fn has_expired(signed: &SignedProposal) -> bool {
    let proposal = Proposal::decode(signed.proposal_bytes.as_slice()).unwrap();
    let certificate = creator(&Header::decode(proposal.header.as_slice()).unwrap());
    certificate.validity().1 <= super::now()
}

/// Who has made a proposal or a transaction.
fn creator(header: &Header) -> Certificate {
    let creator = ProposalParts::of_header(header).unwrap().signature_header.creator;
    let creator = SerializedIdentity::decode(creator.as_slice()).unwrap();
    Certificate::from_pem(&creator.id_bytes).unwrap()
}

/// Orderers check the creator's signature, and that its S is low: DER then holds at most 32 bytes
/// that start below 0x80.
fn check_signature(envelope: &Envelope) {
    let payload = Payload::decode(envelope.payload.as_slice()).unwrap();
    let certificate = creator(&payload.header.unwrap());
    let algorithm = &ring::signature::ECDSA_P256_SHA256_ASN1;
    let key = ring::signature::UnparsedPublicKey::new(algorithm, certificate.public_key());
    key.verify(&envelope.payload, &envelope.signature).unwrap();
    let signature = &envelope.signature;
    let r_length = usize::from(signature[3]);
    assert!(signature[5 + r_length] <= 32, "the signature's S is not low");
}

fn failed(code: Code, message: &str, detail: &str) -> Status {
    let detail = ErrorDetail {
        address: "peer0.org1:7051".to_owned(),
        msp_id: "Org1MSP".to_owned(),
        message: detail.to_owned(),
    };
    let detail = Any {
        type_url: "type.googleapis.com/gateway.ErrorDetail".to_owned(),
        value: detail.encode_to_vec(),
    };
    let rpc = RpcStatus { code: code as i32, message: message.to_owned(), details: vec![detail] };
    Status::with_details(code, message, rpc.encode_to_vec().into())
}
