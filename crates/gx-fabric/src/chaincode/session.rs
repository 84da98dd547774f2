//! One peer's stream: registration, and the transactions that run on it side by side.
//!
//! Messages of a transaction carry its id and channel; answers find their transaction by these.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::Serving;
use super::state::{Bulk, Ports};
use super::transaction::{self, Ended};
use crate::proto::{ChaincodeAdditionalParams, ChaincodeId, ChaincodeMessage, MessageType};

/// Channel and id: the same id may run on two channels.
type TxKey = (String, String);

pub(super) type Outbound = mpsc::Sender<Result<ChaincodeMessage, Status>>;

#[derive(Debug)]
pub(super) struct Session {
    serving: Arc<Serving>,
    outbound: Outbound,
    stop: CancellationToken,
    /// How many keys the peer takes at once.
    bulk: Bulk,
    /// Where the answers for running transactions go.
    running: HashMap<TxKey, mpsc::Sender<ChaincodeMessage>>,
    tasks: JoinSet<Ended>,
}

impl Session {
    pub(super) fn new(serving: Arc<Serving>, outbound: Outbound, stop: CancellationToken) -> Self {
        let (bulk, running, tasks) = (Bulk::default(), HashMap::new(), JoinSet::new());
        Self { serving, outbound, stop, bulk, running, tasks }
    }

    /// Runs until the peer closes the stream, or until a stop and the end of what is running.
    pub(super) async fn run(mut self, inbound: Streaming<ChaincodeMessage>) -> Result<(), Status> {
        // By value: dropping it tells the peer that nobody listens any more.
        let mut inbound = inbound;
        let id = ChaincodeId {
            name: self.serving.options.chaincode_id.clone(),
            ..ChaincodeId::default()
        };
        self.send(message(MessageType::Register, id.encode_to_vec())).await?;
        loop {
            if self.stop.is_cancelled() && self.tasks.is_empty() {
                return Ok(());
            }
            tokio::select! {
                received = inbound.next() => match received {
                    Some(received) => self.receive(received?).await?,
                    None => return Ok(()),
                },
                Some(ended) = self.tasks.join_next() => self.end(ended).await?,
                () = self.stop.cancelled(), if !self.stop.is_cancelled() => {}
            }
        }
    }

    async fn send(&self, message: ChaincodeMessage) -> Result<(), Status> {
        let sent = self.outbound.send(Ok(message)).await;
        sent.map_err(|_| Status::unavailable("the peer reads no more"))
    }

    async fn receive(&mut self, received: ChaincodeMessage) -> Result<(), Status> {
        match MessageType::try_from(received.r#type) {
            Ok(MessageType::Registered) => Ok(()),
            Ok(MessageType::Ready) => {
                let params = ChaincodeAdditionalParams::decode(received.payload.as_slice());
                self.bulk = Bulk::offered(params.unwrap_or_default());
                tracing::info!(bulk = ?self.bulk, "the peer is ready");
                Ok(())
            }
            Ok(MessageType::Keepalive) => self.send(received).await,
            Ok(MessageType::Transaction | MessageType::Init) => self.begin(received).await,
            Ok(MessageType::Response | MessageType::Error) => {
                let key = (received.channel_id.clone(), received.txid.clone());
                match self.running.get(&key) {
                    // A transaction asks one thing at a time, so there is room for the answer.
                    Some(transaction) => drop(transaction.try_send(received)),
                    None => tracing::debug!(tx_id = received.txid, "an answer to nobody"),
                }
                Ok(())
            }
            _ => {
                tracing::warn!(kind = received.r#type, "the peer sent a message of another kind");
                Ok(())
            }
        }
    }

    async fn begin(&mut self, received: ChaincodeMessage) -> Result<(), Status> {
        let key = (received.channel_id.clone(), received.txid.clone());
        let refusal = if self.stop.is_cancelled() {
            Some("the chaincode server is stopping")
        } else if self.running.contains_key(&key) {
            Some("the transaction is running already")
        } else {
            None
        };
        if let Some(reason) = refusal {
            return self.send(transaction::failed(&key.0, &key.1, reason)).await;
        }
        let (answers, inbound) = mpsc::channel(1);
        let ports = Ports::new(key.clone(), self.outbound.clone(), inbound, self.bulk);
        self.running.insert(key, answers);
        self.tasks.spawn(transaction::run(self.serving.clone(), received, ports));
        Ok(())
    }

    async fn end(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Result<(), Status> {
        match ended {
            Ok(Ended { channel_id, tx_id, answer }) => {
                self.running.remove(&(channel_id, tx_id));
                self.send(answer).await
            }
            // Rules are shielded; this would be a fault of the server's own code. The peer ends
            // the transaction when its time is over.
            Err(error) => {
                tracing::error!(%error, "a transaction was cut off");
                self.running.retain(|_, answers| !answers.is_closed());
                Ok(())
            }
        }
    }
}

pub(super) fn message(kind: MessageType, payload: Vec<u8>) -> ChaincodeMessage {
    ChaincodeMessage { r#type: kind.into(), payload, ..ChaincodeMessage::default() }
}
