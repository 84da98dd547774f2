//! A peer as chaincode knows it: it dials the server, sends transactions, and answers for state.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use gx_fabric::proto::chaincode_client::ChaincodeClient;
use gx_fabric::proto::{
    ChaincodeAdditionalParams, ChaincodeEvent, ChaincodeId, ChaincodeInput, ChaincodeMessage,
    GetState, GetStateByRange, GetStateMultiple, GetStateMultipleResult, Kv, MessageType, PutState,
    QueryResponse, QueryResultBytes, QueryStateNext, Response, SignedProposal, WriteBatchState,
};
use prost::Message;
use tokio::sync::{Mutex, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Endpoint;

use super::{CHAINCODE_ID, CHANNEL, Release};

/// Keys that a range query gives at once.
const PAGE: usize = 100;

/// Block and place of the transaction that wrote a value.
pub(crate) type Version = (u64, u32);

/// Values with their versions.
pub(crate) type State = BTreeMap<String, (Vec<u8>, Version)>;

/// The result of a simulated transaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Simulation {
    pub(crate) reads: BTreeMap<String, Option<Version>>,
    pub(crate) writes: BTreeMap<String, Vec<u8>>,
    pub(crate) response: Response,
    pub(crate) event: Option<ChaincodeEvent>,
    /// Messages that asked for state.
    pub(crate) requests: usize,
}

struct Open {
    outbound: mpsc::Sender<ChaincodeMessage>,
    inbound: Streaming<ChaincodeMessage>,
}

pub(crate) struct Peer {
    chaincode: SocketAddr,
    release: Release,
    /// One transaction at a time.
    open: Mutex<Option<Open>>,
}

impl Peer {
    pub(crate) fn new(chaincode: SocketAddr, release: Release) -> Self {
        Self { chaincode, release, open: Mutex::new(None) }
    }

    async fn connect(&self) -> Result<Open, String> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.chaincode)).unwrap();
        let channel = endpoint.connect().await.map_err(|error| error.to_string())?;
        let mut client = ChaincodeClient::new(channel).max_decoding_message_size(100 << 20);
        let (outbound, messages) = mpsc::channel(8);
        let inbound = client.connect(ReceiverStream::new(messages)).await;
        let mut inbound = inbound.map_err(|error| error.to_string())?.into_inner();
        let register = inbound.message().await.map_err(|e| e.to_string())?.unwrap();
        let id = ChaincodeId::decode(register.payload.as_slice()).unwrap();
        assert_eq!((register.r#type(), id.name.as_str()), (MessageType::Register, CHAINCODE_ID));
        let params = match self.release {
            Release::V2 => Vec::new(),
            Release::V3 => ChaincodeAdditionalParams {
                use_write_batch: true,
                max_size_write_batch: 100,
                use_get_multiple_keys: true,
                max_size_get_multiple_keys: 100,
            }
            .encode_to_vec(),
        };
        for (kind, payload) in [
            (MessageType::Registered, Vec::new()),
            (MessageType::Ready, params),
            (MessageType::Keepalive, Vec::new()),
        ] {
            outbound
                .send(ChaincodeMessage { r#type: kind.into(), payload, ..empty() })
                .await
                .unwrap();
        }
        let pong = inbound.message().await.map_err(|e| e.to_string())?.unwrap();
        assert_eq!(pong.r#type(), MessageType::Keepalive);
        Ok(Open { outbound, inbound })
    }

    /// Runs a transaction on a state that does not change meanwhile.
    pub(crate) async fn simulate(
        &self,
        tx_id: &str,
        args: Vec<Vec<u8>>,
        proposal: &SignedProposal,
        state: Arc<State>,
    ) -> Result<Simulation, String> {
        let mut slot = self.open.lock().await;
        let mut open = match slot.take() {
            Some(open) if !open.outbound.is_closed() => open,
            _ => self.connect().await?,
        };
        let input = ChaincodeInput { args, ..ChaincodeInput::default() };
        let begin = ChaincodeMessage {
            r#type: MessageType::Transaction.into(),
            payload: input.encode_to_vec(),
            txid: tx_id.to_owned(),
            channel_id: CHANNEL.to_owned(),
            proposal: Some(proposal.clone()),
            ..empty()
        };
        let gone = || "chaincode stream terminated".to_owned();
        open.outbound.send(begin).await.map_err(|_| gone())?;
        let mut result = Simulation {
            reads: BTreeMap::new(),
            writes: BTreeMap::new(),
            response: Response::default(),
            event: None,
            requests: 0,
        };
        loop {
            let asked = open.inbound.message().await.map_err(|_| gone())?.ok_or_else(gone)?;
            assert_eq!((asked.txid.as_str(), asked.channel_id.as_str()), (tx_id, CHANNEL));
            if asked.r#type() == MessageType::Completed {
                result.response = Response::decode(asked.payload.as_slice()).unwrap();
                result.event = asked.chaincode_event;
                *slot = Some(open);
                return Ok(result);
            }
            result.requests += 1;
            let payload = answer(&mut result, &state, &asked);
            let answer = ChaincodeMessage {
                r#type: MessageType::Response.into(),
                payload,
                txid: tx_id.to_owned(),
                channel_id: CHANNEL.to_owned(),
                ..empty()
            };
            open.outbound.send(answer).await.map_err(|_| gone())?;
        }
    }
}

fn empty() -> ChaincodeMessage {
    ChaincodeMessage::default()
}

/// Answers from the state before the transaction: what it has written itself is not seen.
fn answer(result: &mut Simulation, state: &State, asked: &ChaincodeMessage) -> Vec<u8> {
    let mut read = |key: String| {
        let found = state.get(&key);
        result.reads.insert(key, found.map(|(_, version)| *version));
        found.map(|(value, _)| value.clone()).unwrap_or_default()
    };
    let payload = asked.payload.as_slice();
    match asked.r#type() {
        MessageType::GetState => read(GetState::decode(payload).unwrap().key),
        MessageType::GetStateMultiple => {
            let keys = GetStateMultiple::decode(payload).unwrap().keys;
            assert!(keys.len() <= 100, "{} keys at once", keys.len());
            let values = keys.into_iter().map(read).collect();
            GetStateMultipleResult { values }.encode_to_vec()
        }
        MessageType::GetStateByRange => {
            let range = GetStateByRange::decode(payload).unwrap();
            page(result, state, range.start_key, range.end_key)
        }
        MessageType::QueryStateNext => {
            // The id says where the page begins and the range ends.
            let QueryStateNext { id } = QueryStateNext::decode(payload).unwrap();
            let (start, end) = id.split_once('\n').unwrap();
            page(result, state, start.to_owned(), end.to_owned())
        }
        MessageType::QueryStateClose => QueryResponse::default().encode_to_vec(),
        MessageType::PutState => {
            let PutState { key, value, .. } = PutState::decode(payload).unwrap();
            result.writes.insert(key, value);
            Vec::new()
        }
        MessageType::WriteBatchState => {
            let records = WriteBatchState::decode(payload).unwrap().rec;
            assert!(records.len() <= 100, "{} writes at once", records.len());
            result.writes.extend(records.into_iter().map(|record| (record.key, record.value)));
            Vec::new()
        }
        other => panic!("the chaincode asks for {other:?}"),
    }
}

/// Some keys of a range, and whether there are more.
fn page(result: &mut Simulation, state: &State, start: String, end: String) -> Vec<u8> {
    let mut range = state.range(start..end.clone());
    let mut results = Vec::new();
    for (key, (value, version)) in range.by_ref().take(PAGE) {
        result.reads.insert(key.clone(), Some(*version));
        let found = Kv { namespace: String::new(), key: key.clone(), value: value.clone() };
        results.push(QueryResultBytes { result_bytes: found.encode_to_vec() });
    }
    let next = range.next().map(|(key, _)| format!("{key}\n{end}"));
    let has_more = next.is_some();
    let (id, metadata) = (next.unwrap_or_default(), Vec::new());
    QueryResponse { results, has_more, id, metadata }.encode_to_vec()
}
