//! A transaction's way to the peer's state: many keys at once where the peer offers it.
//!
//! The peer shows the state before the transaction, never its own writes; the contract's overlay
//! makes up for that.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use prost::Message;
use tokio::sync::mpsc;

use super::session::{Outbound, message};
use crate::packed;
use crate::proto::{
    ChaincodeAdditionalParams, ChaincodeMessage, GetState, GetStateByRange, GetStateMultiple,
    GetStateMultipleResult, Kv, MessageType, PutState, QueryResponse, QueryStateClose,
    QueryStateNext, WriteBatchState, WriteRecord, write_record,
};

/// The most keys of one message, whatever a peer offers.
const KEYS_MAX: usize = 1000;

/// How long a request may stay unanswered; peers give a whole transaction 30 s.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// How many keys the peer takes at once; 0 when only one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bulk {
    reads: usize,
    writes: usize,
}

impl Bulk {
    pub(super) fn offered(params: ChaincodeAdditionalParams) -> Self {
        let keys = |offered: bool, most: u32| match offered {
            true => usize::try_from(most).unwrap_or(KEYS_MAX).min(KEYS_MAX),
            false => 0,
        };
        Self {
            reads: keys(params.use_get_multiple_keys, params.max_size_get_multiple_keys),
            writes: keys(params.use_write_batch, params.max_size_write_batch),
        }
    }
}

/// Why the state cannot be reached: in the peer's words, or because the stream is gone.
pub(super) type Unreachable = String;

#[derive(Debug)]
pub(super) struct Ports {
    pub(super) channel_id: String,
    pub(super) tx_id: String,
    outbound: Outbound,
    inbound: mpsc::Receiver<ChaincodeMessage>,
    bulk: Bulk,
    /// Time spent on waiting for values.
    pub(super) reading: Duration,
}

impl Ports {
    pub(super) fn new(
        (channel_id, tx_id): (String, String),
        outbound: Outbound,
        inbound: mpsc::Receiver<ChaincodeMessage>,
        bulk: Bulk,
    ) -> Self {
        Self { channel_id, tx_id, outbound, inbound, bulk, reading: Duration::ZERO }
    }

    /// The values of keys, in their order; an empty one means that there is none.
    pub(super) async fn get(&mut self, keys: Vec<String>) -> Result<Vec<Vec<u8>>, Unreachable> {
        let begun = Instant::now();
        let values = self.read(keys).await;
        self.reading = self.reading.saturating_add(begun.elapsed());
        let unpacked = |value: Vec<u8>| match packed::unpack(&value) {
            Ok(Cow::Borrowed(_)) => Ok(value),
            Ok(Cow::Owned(text)) => Ok(text),
            Err(damaged) => Err(damaged.to_string()),
        };
        values?.into_iter().map(unpacked).collect()
    }

    async fn read(&mut self, keys: Vec<String>) -> Result<Vec<Vec<u8>>, Unreachable> {
        let mut values = Vec::with_capacity(keys.len());
        if self.bulk.reads == 0 {
            for key in keys {
                let request = GetState { key, collection: String::new() };
                values.push(self.ask(MessageType::GetState, &request).await?);
            }
            return Ok(values);
        }
        for keys in keys.chunks(self.bulk.reads) {
            let request = GetStateMultiple { keys: keys.to_vec(), collection: String::new() };
            let answer = self.ask(MessageType::GetStateMultiple, &request).await?;
            let answer = GetStateMultipleResult::decode(answer.as_slice());
            let mut answer = answer.map_err(|error| error.to_string())?;
            if answer.values.len() != keys.len() {
                return Err("the peer gave another number of values than keys".to_owned());
            }
            values.append(&mut answer.values);
        }
        Ok(values)
    }

    /// The keys of a range in their order: all, or those that the peer gives at once and until a
    /// time. None are left when there are none. Values come with them, so it is a slow way.
    pub(super) async fn keys(
        &mut self,
        (start, end): (&str, &str),
        until: Instant,
    ) -> Result<Vec<String>, Unreachable> {
        let (start_key, end_key) = (start.to_owned(), end.to_owned());
        let (collection, metadata) = (String::new(), Vec::new());
        let range = GetStateByRange { start_key, end_key, collection, metadata };
        let mut answer = self.ask(MessageType::GetStateByRange, &range).await?;
        let mut keys = Vec::new();
        loop {
            let read = QueryResponse::decode(answer.as_slice()).map_err(|e| e.to_string())?;
            for result in read.results {
                let found = Kv::decode(result.result_bytes.as_slice());
                keys.push(found.map_err(|error| error.to_string())?.key);
            }
            let id = read.id;
            if !read.has_more {
                return Ok(keys);
            }
            if Instant::now() >= until {
                self.ask(MessageType::QueryStateClose, &QueryStateClose { id }).await?;
                return Ok(keys);
            }
            answer = self.ask(MessageType::QueryStateNext, &QueryStateNext { id }).await?;
        }
    }

    pub(super) async fn put(&mut self, writes: Vec<(String, Vec<u8>)>) -> Result<(), Unreachable> {
        let collection = String::new;
        if self.bulk.writes == 0 {
            for (key, value) in writes {
                let value = packed::pack(value);
                let request = PutState { key, value, collection: collection() };
                self.ask(MessageType::PutState, &request).await?;
            }
            return Ok(());
        }
        let mut writes = writes.into_iter().peekable();
        while writes.peek().is_some() {
            let records = writes.by_ref().take(self.bulk.writes).map(|(key, value)| WriteRecord {
                key,
                value: packed::pack(value),
                collection: collection(),
                metadata: None,
                r#type: write_record::Type::PutState.into(),
            });
            let request = WriteBatchState { rec: records.collect() };
            self.ask(MessageType::WriteBatchState, &request).await?;
        }
        Ok(())
    }

    async fn ask(
        &mut self,
        kind: MessageType,
        request: &impl Message,
    ) -> Result<Vec<u8>, Unreachable> {
        let gone = || "the peer's stream has ended".to_owned();
        let mut asked = message(kind, request.encode_to_vec());
        (asked.channel_id, asked.txid) = (self.channel_id.clone(), self.tx_id.clone());
        self.outbound.send(Ok(asked)).await.map_err(|_| gone())?;
        // A peer that has given the transaction up says so to nobody.
        let answer = tokio::time::timeout(ANSWER_MAX, self.inbound.recv()).await;
        let answer = answer.map_err(|_| "the peer gave no answer".to_owned())?.ok_or_else(gone)?;
        match MessageType::try_from(answer.r#type) {
            Ok(MessageType::Response) => Ok(answer.payload),
            _ => Err(String::from_utf8_lossy(&answer.payload).into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_offered_is_used() {
        let params = |reads, writes, most| ChaincodeAdditionalParams {
            use_write_batch: writes,
            max_size_write_batch: most,
            use_get_multiple_keys: reads,
            max_size_get_multiple_keys: most,
        };
        let rows = [
            (params(false, false, 1000), (0, 0)),
            (params(true, false, 500), (500, 0)),
            (params(true, true, 1_000_000), (1000, 1000)),
            (params(true, true, 0), (0, 0)),
        ];
        for (params, (reads, writes)) in rows {
            assert_eq!(Bulk::offered(params), Bulk { reads, writes });
        }
    }
}
