//! One transaction: who sent it, what it asks, and the contract's execution of it.
//!
//! The same `Execution` as on every other engine does the work, so the bytes are the same. A
//! panic of a rule is an answer: it fails this transaction and leaves the server as it was.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use gx_contract::state::Key;
use gx_contract::{
    Batch, Command, Context, Done, Event, Execution, Query, QueryExecution, QueryStep, Refused,
    Step,
};
use gx_types::{Role, TimeMs};
use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::outcomes::{Channels, Halt, Outcomes, Purpose};
use super::session::message;
use super::state::Ports;
use super::{Options, Serving};
use crate::certificate::Certificate;
use crate::compressed::{BATCH_MAX, RECORD_MAX, compress};
use crate::failure::{BEHIND, NOT_EXECUTED, PANICKED, REFUSED, TOO_LARGE};
use crate::proposal::ProposalParts;
use crate::proto::{
    ChaincodeEvent, ChaincodeInput, ChaincodeMessage, MessageType, Response, SerializedIdentity,
};
use crate::{Counts, EVENT_NAME, Invocation, Submitter};

/// The last message of a transaction.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) channel_id: String,
    pub(super) tx_id: String,
    pub(super) answer: ChaincodeMessage,
}

/// What the chaincode answers; above 399 the peer endorses nothing.
struct Answer {
    status: i32,
    message: String,
    payload: Vec<u8>,
    event: Option<Vec<u8>>,
}

impl Answer {
    fn ok(payload: Vec<u8>) -> Self {
        Self { status: 200, message: String::new(), payload, event: None }
    }

    fn error(status: i32, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), payload: Vec::new(), event: None }
    }

    fn refused(refused: &Refused) -> Self {
        let text = serde_json::to_string(refused).unwrap_or_default();
        Self::error(400, format!("{REFUSED}{text}"))
    }
}

impl From<Halt> for Answer {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Failed(reason) => Self::error(500, reason),
            Halt::Behind(reason) => Self::error(503, format!("{BEHIND}{reason}")),
        }
    }
}

pub(super) async fn run(
    serving: Arc<Serving>,
    received: ChaincodeMessage,
    mut ports: Ports,
) -> Ended {
    let answer = execute(&serving, &received, &mut ports).await.unwrap_or_else(|answer| answer);
    if answer.status >= 400 {
        tracing::warn!(tx_id = ports.tx_id, status = answer.status, reason = answer.message);
    }
    let Ports { channel_id, tx_id, .. } = ports;
    let event = answer.event.map(|payload| ChaincodeEvent {
        event_name: EVENT_NAME.to_owned(),
        payload,
        tx_id: tx_id.clone(),
        chaincode_id: label(&serving.options.chaincode_id).to_owned(),
    });
    let Answer { status, message, payload, .. } = answer;
    let mut answer = completed(&channel_id, &tx_id, Response { status, message, payload });
    answer.chaincode_event = event;
    Ended { channel_id, tx_id, answer }
}

/// The chaincode's name in its events: the peer replaces it by the name of the definition.
fn label(chaincode_id: &str) -> &str {
    chaincode_id.split_once(':').map_or(chaincode_id, |(label, _)| label)
}

fn completed(channel_id: &str, tx_id: &str, response: Response) -> ChaincodeMessage {
    let mut answer = message(MessageType::Completed, response.encode_to_vec());
    (answer.channel_id, answer.txid) = (channel_id.to_owned(), tx_id.to_owned());
    answer
}

/// A transaction that is not even begun.
pub(super) fn failed(channel_id: &str, tx_id: &str, reason: &str) -> ChaincodeMessage {
    let response = Response { status: 500, message: reason.to_owned(), payload: Vec::new() };
    completed(channel_id, tx_id, response)
}

async fn execute(
    serving: &Serving,
    received: &ChaincodeMessage,
    ports: &mut Ports,
) -> Result<Answer, Answer> {
    let unreadable = |what: &str| Answer::error(500, format!("{what} cannot be read"));
    if received.r#type == i32::from(MessageType::Init) {
        return Ok(Answer::ok(Vec::new()));
    }
    let input = ChaincodeInput::decode(received.payload.as_slice());
    let input = input.map_err(|_| unreadable("the input"))?;
    let proposal = received.proposal.as_ref().and_then(ProposalParts::of_proposal);
    let proposal = proposal.ok_or_else(|| unreadable("the proposal"))?;
    let creator = SerializedIdentity::decode(proposal.signature_header.creator.as_slice());
    let creator = creator.map_err(|_| unreadable("the submitter's identity"))?;
    let role = Certificate::from_pem(&creator.id_bytes)
        .map_err(|error| Answer::error(500, format!("the submitter's certificate: {error}")))?
        .role();
    let Serving { options, turns, channels } = serving;
    check_length(&input.args)?;
    // Before anything large is unpacked: whoever may not submit costs nothing.
    let turn = match writes(&input.args) {
        false => None,
        true => {
            let role = role.as_ref().map_err(|error| Answer::error(403, error.to_string()))?;
            check_sender(options, (&creator.mspid, *role), proposal.chaincode())?;
            let turn = tokio::time::timeout(TURN_MAX, turns.acquire()).await;
            Some(turn.ok().and_then(Result::ok).ok_or_else(busy)?)
        }
    };
    let submitter = Submitter { tx_id: &received.txid, role: role.clone().ok() };
    let invocation = Invocation::read(&input.args, submitter, BATCH_MAX)
        .map_err(|error| Answer::error(400, error.to_string()))?;
    match invocation {
        Invocation::Query(query) => answer_query(query, channels, ports).await,
        Invocation::ContractInfo => Ok(Answer::ok(contract_info(options))),
        Invocation::Batch(batch) => {
            let role = role.map_err(|error| Answer::error(403, error.to_string()))?;
            let time = proposal.time_ms().ok_or_else(|| unreadable("the transaction's time"))?;
            let direct = !is_batch(&input.args);
            let organization = creator.mspid.parse().map_err(|_| unreadable("the MSP's name"))?;
            let context = Context { role, time: TimeMs(time), organization };
            let settled = settle(&batch, context, direct, (channels, ports)).await;
            drop(turn);
            settled
        }
    }
}

fn is_batch(args: &[Vec<u8>]) -> bool {
    args.first().is_some_and(|name| name == crate::EXECUTE_BATCH.as_bytes())
}

/// The most bytes of the arguments of a call that is no batch: the longest command, the tax of a
/// thousand accounts, has half of it.
const CALL_MAX: usize = 64 << 10;

/// Everybody on the channel may ask, and a text that is parsed takes many times its length.
fn check_length(args: &[Vec<u8>]) -> Result<(), Answer> {
    let bytes = args.iter().map(Vec::len).fold(0, usize::saturating_add);
    if is_batch(args) || bytes <= CALL_MAX {
        return Ok(());
    }
    let reason = format!("arguments do not fit: they have {bytes} bytes, {CALL_MAX} is the most");
    Err(Answer::error(400, reason))
}

/// How long a batch may wait for its turn; peers give a whole transaction 30 s.
const TURN_MAX: Duration = Duration::from_secs(20);

fn busy() -> Answer {
    Answer::error(503, "too many batches are executed at once")
}

/// Whether a function may write: any that is not a query.
fn writes(args: &[Vec<u8>]) -> bool {
    let function = args.first().and_then(|function| std::str::from_utf8(function).ok());
    is_batch(args) || function.is_some_and(|name| Command::NAMES.contains(&name))
}

/// Who may have commands executed, and through which chaincode.
fn check_sender(
    options: &Options,
    (msp_id, role): (&str, Role),
    called: Option<String>,
) -> Result<(), Answer> {
    if !options.access.allows(msp_id, role) {
        return Err(Answer::error(403, format!("{msp_id} may not submit as {role}")));
    }
    let Options { chaincode, .. } = options;
    let called = called.unwrap_or_default();
    if called != *chaincode {
        // Readers of blocks see the events of the chaincode that the client has called.
        let reason = format!(
            "the contract {chaincode} is called by the chaincode {called:?}; commands have to be \
             sent to it directly (is it installed under another name? see --chaincode)"
        );
        return Err(Answer::error(403, reason));
    }
    Ok(())
}

/// Executes a batch, writes what it writes, and tells the outcomes.
async fn settle(
    batch: &Batch,
    context: Context,
    direct: bool,
    (channels, ports): (&Channels, &mut Ports),
) -> Result<Answer, Answer> {
    let begun = std::time::Instant::now();
    let mut outcomes = Outcomes::new(channels, &ports.channel_id, Purpose::Batch);
    let mut execution = shielded(|| Execution::new(batch, context))?;
    let Done { record, writes } = loop {
        match shielded(|| execution.run())? {
            Step::Done(done) => break done,
            Step::Refused(refused) => {
                return Err(Answer::error(409, format!("{NOT_EXECUTED}{refused}")));
            }
            Step::Need(mut keys) => {
                // In the order in which the peer's database stores them: neighbours share a block
                // of it, which is then read and unpacked once.
                keys.sort_unstable();
                let values = outcomes.values(&keys, ports).await?;
                for (key, value) in keys.into_iter().zip(&values) {
                    shielded(|| execution.supply(key, value.as_deref()))?
                        .map_err(|error| Answer::error(500, error.to_string()))?;
                }
            }
        }
    };
    let others = writes.into_iter().filter(|write| !Key::is_outcome(&write.key));
    let mut writes: Vec<_> = others.map(|write| (write.key, write.value)).collect();
    writes.extend(outcomes.writes(batch, &record)?);
    let executed = begun.elapsed();
    ports.put(writes).await.map_err(|reason| Answer::error(500, reason))?;
    tracing::debug!(
        tx_id = ports.tx_id,
        commands = batch.commands.len(),
        reading_ms = ports.reading.as_millis(),
        executed_ms = executed.as_millis(),
        settled_ms = begun.elapsed().as_millis(),
        "a batch is settled"
    );
    let unwritten = |error: serde_json::Error| Answer::error(500, error.to_string());
    let event = serde_json::to_vec(&record).map_err(unwritten)?;
    if event.len() > RECORD_MAX {
        let reason = format!("{TOO_LARGE}the record has {} bytes", event.len());
        return Err(Answer::error(413, reason));
    }
    let event = compress(event);
    // The event says it all; the answer to a batch is short, as it is ordered with it.
    let payload = match record.results.first().filter(|_| direct) {
        Some(result) => serde_json::to_vec(result).map_err(unwritten)?,
        None => serde_json::to_vec(&Counts::of(&record.results)).map_err(unwritten)?,
    };
    Ok(Answer { event: Some(event), ..Answer::ok(payload) })
}

async fn answer_query(
    query: Query,
    channels: &Channels,
    ports: &mut Ports,
) -> Result<Answer, Answer> {
    let mut execution = QueryExecution::new(query);
    let mut outcomes = Outcomes::new(channels, &ports.channel_id, Purpose::Question);
    loop {
        match shielded(|| execution.run())? {
            QueryStep::Done(Ok(text)) => return Ok(Answer::ok(text.into_bytes())),
            QueryStep::Done(Err(refused)) => return Err(Answer::refused(&refused)),
            QueryStep::Need(keys) => {
                let values = outcomes.values(&keys, ports).await?;
                for (key, value) in keys.into_iter().zip(&values) {
                    shielded(|| execution.supply(key, value.as_deref()))?
                        .map_err(|error| Answer::error(500, error.to_string()))?;
                }
            }
        }
    }
}

/// Runs the contract's code; a panic becomes the transaction's answer.
fn shielded<R>(run: impl FnOnce() -> R) -> Result<R, Answer> {
    // After a panic the execution is dropped with its transaction, so nothing broken is used on.
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Answer::error(500, format!("{PANICKED}{}", text.unwrap_or_default()))
    })
}

/// What this chaincode is and how it is set. The same on every peer, or they do not fit together.
fn contract_info(options: &Options) -> Vec<u8> {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "surfaceDigest": surface_digest(),
        "parametersDigest": options.access.digest(),
        "access": options.access.canonical(),
    })
    .to_string()
    .into_bytes()
}

/// SHA-256 over the names of all commands, events and queries.
pub(crate) fn surface_digest() -> String {
    let mut hash = Sha256::new();
    for name in Command::NAMES.iter().chain(Event::NAMES).chain(Query::NAMES) {
        hash.update(name.as_bytes());
        hash.update(b"\n");
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_answer() {
        let text = shielded(|| assert_eq!(1 + 1, 3, "rule 7")).unwrap_err().message;
        assert!(text.starts_with(PANICKED) && text.contains("rule 7"), "{text}");
    }
}
