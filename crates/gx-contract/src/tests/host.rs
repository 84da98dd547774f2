//! A naive host: a sorted map of bytes that executes batches and asks queries.
//!
//! It believes no batch before the laws hold for it, and none of a history before it has been
//! replayed from nothing. It has no rule of the contract in it.

use std::collections::{BTreeMap, VecDeque};

use gx_types::{Actor, BatchId, CommandId, MspId, Role, TimeMs};
use serde_json::Value;

use super::invariants;
use crate::state::Key;
use crate::{
    Batch, BatchRecord, BatchRefused, Command, CommandResult, Context, Done, Envelope, Execution,
    ExecutionError, Outcome, Query, QueryExecution, QueryStep, Refused, Step,
};

/// Encoded keys and what is stored under them.
pub(super) type Ledger = BTreeMap<String, Vec<u8>>;

/// A batch may ask this often; each time is a round trip to the engine. Two confirmations of one
/// person's relations in one batch need most: the request, the family, both sides, and the family
/// and sides again for what the first has changed.
const ROUNDS_MAX: usize = 6;

/// One key a round is tried only while it stays cheap.
const ONE_BY_ONE_MAX: usize = 40;

/// How a host answers what an execution asks for.
#[derive(Clone, Copy)]
enum Supply<'a> {
    AsAsked,
    Backwards,
    /// One key at a time, with a run after each.
    OneByOne,
    /// Everything at once before it asks, the last key first.
    Beforehand(&'a [Key]),
}

/// What has happened to a ledger, oldest first.
#[derive(Clone)]
enum Entry {
    Put(String, Vec<u8>),
    Batch(Batch, Context, BatchRecord),
}

#[derive(Clone, Default)]
pub(super) struct Host {
    pub(super) ledger: Ledger,
    /// The engine's transaction time of the next batch.
    pub(super) now: i64,
    /// Who submits, when it is not the platform.
    pub(super) organization: Option<MspId>,
    history: Vec<Entry>,
    batches: u128,
    commands: u128,
}

impl Host {
    /// A command under an id that no other has.
    pub(super) fn envelope(&mut self, actor: Actor, command: impl Into<Command>) -> Envelope {
        self.commands += 1;
        let command_id = CommandId::from_u128(self.commands << 64);
        Envelope { command_id, actor, command: command.into(), signature: None }
    }

    fn context(&self, role: Role) -> Context {
        let context = Context::embedded(role, TimeMs(self.now));
        self.organization.map_or(context, |organization| Context { organization, ..context })
    }

    /// Writes a record that no command can make, or not cheaply.
    pub(super) fn put(&mut self, key: &str, record: &str) {
        let (key, record) = (key.to_owned(), record.as_bytes().to_vec());
        self.history.push(Entry::Put(key.clone(), record.clone()));
        self.ledger.insert(key, record);
    }

    /// Executes a batch submitted by a service of the role that the batch claims.
    pub(super) fn execute(&mut self, role: Role, commands: Vec<Envelope>) -> BatchRecord {
        self.submit(role, role, commands).unwrap()
    }

    /// What a batch would do, without doing it and without holding any law against it.
    pub(super) fn try_on(&self, ledger: &Ledger, role: Role, commands: Vec<Envelope>) -> Done {
        let batch = Batch { batch_id: BatchId::from_u128(0), role, commands };
        let context = self.context(role);
        run(ledger, &batch, context, Supply::AsAsked).done
    }

    /// Executes a batch that claims one role and comes from a service of another.
    pub(super) fn submit(
        &mut self,
        claimed: Role,
        submitter: Role,
        commands: Vec<Envelope>,
    ) -> Result<BatchRecord, BatchRefused> {
        let batch = self.batch(claimed, commands);
        let context = self.context(submitter);
        match refusal(&self.ledger, &batch, context) {
            Some(refused) => Err(refused),
            None => Ok(self.settle(batch, context)),
        }
    }

    /// A batch under an id that no other has.
    pub(super) fn batch(&mut self, role: Role, commands: Vec<Envelope>) -> Batch {
        self.batches += 1;
        Batch { batch_id: BatchId::from_u128(self.batches), role, commands }
    }

    pub(super) fn settle(&mut self, batch: Batch, context: Context) -> BatchRecord {
        let done = self.execute_in_every_way(&batch, context);
        let before = self.ledger.clone();
        for write in &done.writes {
            self.ledger.insert(write.key.clone(), write.value.clone());
        }
        invariants::hold(&before, &batch, &done, &self.ledger);
        refused_commands_leave_no_trace(&before, &batch, context, &done);
        self.history.push(Entry::Batch(batch, context, done.record.clone()));
        done.record
    }

    /// The result, which must not depend on how and in which order the state is supplied.
    fn execute_in_every_way(&self, batch: &Batch, context: Context) -> Done {
        let first = run(&self.ledger, batch, context, Supply::AsAsked);
        assert!(first.rounds <= ROUNDS_MAX, "{} rounds of reading for a batch", first.rounds);
        let mut ways = vec![Supply::AsAsked, Supply::Backwards, Supply::Beforehand(&first.asked)];
        if first.asked.len() <= ONE_BY_ONE_MAX {
            ways.push(Supply::OneByOne);
        }
        for way in ways {
            let again = run(&self.ledger, batch, context, way);
            assert_eq!(first.done, again.done, "the same batch on the same state");
        }
        first.done
    }

    /// Answers a query.
    pub(super) fn ask(&self, query: impl Into<Query>) -> Result<Value, Refused> {
        let mut execution = QueryExecution::new(query.into());
        for _ in 0..=ROUNDS_MAX {
            match execution.run() {
                QueryStep::Done(answer) => {
                    let answer = answer.map(|text| serde_json::from_str(&text).unwrap());
                    answer.iter().for_each(tells_no_format_version);
                    return answer;
                }
                QueryStep::Need(keys) => {
                    for key in keys {
                        let value = self.ledger.get(&key.encode());
                        execution.supply(key, value.map(Vec::as_slice)).unwrap();
                    }
                }
            }
        }
        panic!("a query needs more than {ROUNDS_MAX} rounds");
    }

    /// The records of all batches so far.
    pub(super) fn records(&self) -> impl Iterator<Item = &BatchRecord> {
        self.history.iter().filter_map(|entry| match entry {
            Entry::Batch(_, _, record) => Some(record),
            Entry::Put(..) => None,
        })
    }

    /// Replays the whole history on an empty state and audits it from its events.
    pub(super) fn finish(&self) {
        let mut again = Ledger::new();
        let mut audit = invariants::Audit::default();
        for entry in &self.history {
            match entry {
                Entry::Put(key, record) => {
                    audit.put(key, record);
                    again.insert(key.clone(), record.clone());
                }
                Entry::Batch(batch, context, record) => {
                    let done = run(&again, batch, *context, Supply::AsAsked).done;
                    assert_eq!(done.record, *record, "replay");
                    let text = serde_json::to_string(record).unwrap();
                    assert_eq!(serde_json::from_str::<BatchRecord>(&text).unwrap(), *record);
                    audit.follow(batch, context.organization, record);
                    again.extend(done.writes.into_iter().map(|write| (write.key, write.value)));
                }
            }
        }
        assert_eq!(again, self.ledger, "replay");
        audit.agrees_with(&self.ledger);
    }
}

/// Versions are a matter of what is stored; an answer that has one shows a record as it is stored.
fn tells_no_format_version(answer: &Value) {
    match answer {
        Value::Object(fields) => {
            assert!(!fields.contains_key("v"), "an answer with a format version: {answer}");
            fields.values().for_each(tells_no_format_version);
        }
        Value::Array(items) => items.iter().for_each(tells_no_format_version),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Why the batch is not executed at all, if it is not.
fn refusal(ledger: &Ledger, batch: &Batch, context: Context) -> Option<BatchRefused> {
    let done = Execution::new(batch, context).complete(|execution, keys| {
        let value = |key: &Key| ledger.get(&key.encode()).map(Vec::as_slice);
        keys.iter().try_for_each(|key| execution.supply(*key, value(key)))?;
        Ok::<(), ExecutionError>(())
    });
    match done {
        Ok(_) => None,
        Err(ExecutionError::Refused(refused)) => Some(refused),
        Err(ExecutionError::State(error)) => panic!("{error}"),
    }
}

struct Run {
    done: Done,
    rounds: usize,
    asked: Vec<Key>,
}

fn run(ledger: &Ledger, batch: &Batch, context: Context, supply: Supply<'_>) -> Run {
    let mut execution = Execution::new(batch, context);
    let give = |execution: &mut Execution<'_>, key: &Key| {
        let value = ledger.get(&key.encode());
        execution.supply(*key, value.map(Vec::as_slice)).unwrap();
    };
    if let Supply::Beforehand(keys) = supply {
        keys.iter().rev().for_each(|key| give(&mut execution, key));
    }
    let (mut rounds, mut asked) = (0, Vec::new());
    let mut queue = VecDeque::new();
    loop {
        let keys = match execution.run() {
            Step::Done(done) => return Run { done, rounds, asked },
            Step::Need(keys) => keys,
            Step::Refused(refused) => panic!("{refused}"),
        };
        rounds += 1;
        assert!(keys.iter().all(|key| !asked.contains(key)), "a key is asked for once");
        assert!(!keys.is_empty() || !queue.is_empty(), "it asks for something or is done");
        asked.extend(&keys);
        match supply {
            Supply::AsAsked => keys.iter().for_each(|key| give(&mut execution, key)),
            Supply::Backwards => keys.iter().rev().for_each(|key| give(&mut execution, key)),
            Supply::OneByOne => {
                queue.extend(keys);
                queue.pop_front().iter().for_each(|key| give(&mut execution, key));
            }
            Supply::Beforehand(_) => panic!("asked for {keys:?}, which it was given"),
        }
    }
}

/// The batch without its refused and repeated commands writes the same, but for outcomes.
fn refused_commands_leave_no_trace(before: &Ledger, batch: &Batch, context: Context, done: &Done) {
    let applied = |result: &CommandResult| matches!(result.outcome, Outcome::Applied(_));
    let pairs = batch.commands.iter().zip(&done.record.results);
    let kept = pairs.filter(|(_, result)| applied(result)).map(|(envelope, _)| envelope.clone());
    let alone = Batch { commands: kept.collect(), ..batch.clone() };
    let alone = run(before, &alone, context, Supply::AsAsked).done;
    let effects = |done: &Done| {
        let writes = done.writes.iter().filter(|write| !write.key.starts_with("o/"));
        let results = done.record.results.iter().filter(|result| applied(result));
        (writes.cloned().collect::<Vec<_>>(), results.cloned().collect::<Vec<_>>())
    };
    assert_eq!(effects(&alone), effects(done), "refused commands leave a trace");
}
