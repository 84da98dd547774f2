//! The durable half of the ledger: one thread that hashes, signs and stores executed blocks.
//!
//! All blocks that wait when it comes round share a transaction. Nobody is answered, and the tip
//! does not move, before the file is synchronised.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, PoisonError};

use gx_contract::Write;
use gx_contract::state::Key;
use gx_types::Filter;

use crate::block::{Block, Header, Notation, Sealed, digest_of_log, write_log};
use crate::error::{Fault, describe};
use crate::executor::Chores;
use crate::key::NodeKey;
use crate::outcomes::{Added, Sealing};
use crate::settler::Settler;
use crate::shared::{Receipt, Shared};
use crate::store::{
    Head, Identity, Segment, Store, pack, panic_text, put_block, put_filter, put_head,
    put_outcome_log, put_state, put_state_log, trim_outcome_log, trim_state_log,
};
use crate::work::{Message, Work};
use crate::{Error, Tip};

/// Uncompressed bytes of blocks that one transaction takes at most before it is committed.
const GROUP_BYTES: usize = 4 << 20;

/// A block that is ready to be stored.
struct Prepared {
    block: Block,
    packed: Vec<u8>,
    /// Writes to the state, in the notation of the digest.
    state_log: Vec<u8>,
    writes: usize,
    new_ids: Vec<(u128, u32)>,
    chores: Chores,
    answer: SyncSender<Result<Receipt, Error>>,
}

/// What a transaction has moved, to be told when it is durable.
#[derive(Default)]
struct Moved {
    settled: Option<u64>,
    sealed: Vec<Added>,
}

pub(crate) struct Writer {
    identity: Identity,
    key: NodeKey,
    shared: Arc<Shared>,
    path: std::path::PathBuf,
    /// None after an error, until the file is opened anew.
    store: Option<Arc<Store>>,
    head: Head,
    settler: Option<Settler>,
}

impl Writer {
    pub(crate) fn new(
        identity: Identity,
        key: NodeKey,
        shared: Arc<Shared>,
        store: Arc<Store>,
        head: Head,
    ) -> Self {
        let path = store.path.clone();
        Self { identity, key, shared, path, store: Some(store), head, settler: None }
    }

    /// Works until the ledger is closed.
    pub(crate) fn run(mut self, queue: Receiver<Message>) {
        let mut next = queue.recv().ok();
        while let Some(message) = next.take() {
            match message {
                Message::Resume(store, head) => {
                    (self.store, self.head, self.settler) = (Some(store), head, None);
                }
                Message::Work(work) => {
                    let mut bytes = work.body.bytes().len();
                    let mut group = vec![*work];
                    while bytes < GROUP_BYTES
                        && let Ok(message) = queue.try_recv()
                    {
                        match message {
                            Message::Work(work) => {
                                bytes = bytes.saturating_add(work.body.bytes().len());
                                group.push(*work);
                            }
                            resume @ Message::Resume(..) => {
                                next = Some(resume);
                                break;
                            }
                        }
                    }
                    self.write_group(group);
                }
            }
            next = next.or_else(|| queue.recv().ok());
        }
    }

    fn write_group(&mut self, group: Vec<Work>) {
        let answers: Vec<_> = group.iter().map(|work| work.answer.clone()).collect();
        let error = match self.store.clone() {
            // Executed on top of what was lost: it is lost as well.
            None => Error::Stopped {
                path: self.path.clone(),
                reason: "a batch before this one could not be written".to_owned(),
            },
            Some(store) => match self.try_write(&store, group) {
                Ok(()) => return,
                Err(error) => {
                    // The file must be closed before it can be opened anew.
                    drop(store);
                    (self.store, self.settler) = (None, None);
                    let reason = describe(&error);
                    self.shared.update(|progress| progress.failed = Some(reason));
                    error
                }
            },
        };
        for answer in answers {
            // Whoever does not wait for the answer does not want it.
            let _ = answer.send(Err(error.clone()));
        }
    }

    fn try_write(&mut self, store: &Store, group: Vec<Work>) -> Result<(), Error> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.write(store, group)))
            .unwrap_or_else(|panic| {
                let what = format!("writing it panics: {}", panic_text(&*panic));
                Err(Error::storage(&self.path)(redb::Error::Corrupted(what)))
            })
    }

    fn write(&mut self, store: &Store, group: Vec<Work>) -> Result<(), Error> {
        let mut head = self.head;
        let mut prepared = Vec::with_capacity(group.len());
        for work in group {
            prepared.push(self.prepare(&mut head, work)?);
        }
        let moved = self.store_all(store, &mut prepared, &head).map_err(store.failed())?;
        self.head = head;
        self.publish(prepared, moved);
        Ok(())
    }

    /// Encodes, hashes, signs and compresses.
    fn prepare(&self, head: &mut Head, mut work: Work) -> Result<Prepared, Error> {
        let wrong = |fault| Error::block(&self.path, work.number, fault);
        let outcomes = work.body.push_outcomes(&work.record.results);
        outcomes.map_err(|error| wrong(Fault::Outcomes(error.to_string())))?;
        let given = work.given.take();
        let notation = given.as_ref().map_or(Notation::NEWEST, |given| given.header.notation);
        let outcomes_hash = notation.hash(work.body.outcomes());
        let outcomes_hash = outcomes_hash.map_err(|malformed| wrong(malformed.into()))?;
        let log = write_log(&work.writes);
        let header = Header {
            notation,
            network: self.identity.origin.network,
            number: work.number,
            previous: head.tip.hash,
            time: work.record.time,
            submitter: work.submitter,
            role: work.role,
            batch_id: work.batch_id,
            commands: work.commands,
            commands_hash: work.commands_hash,
            outcomes_hash,
            state_digest: digest_of_log(&head.digest, &log),
            signer: self.identity.signer(work.number),
        };
        let sealed = match given {
            Some(given) => check_given(&header, given).map_err(wrong)?,
            None => {
                let hash = header.hash();
                Sealed { signature: self.key.sign(&hash), hash, header }
            }
        };
        let packed = pack(&work.body).map_err(Error::io("compress block for", &self.path))?;
        *head = Head {
            tip: Tip { number: work.number, hash: sealed.hash, time: sealed.header.time },
            digest: sealed.header.state_digest,
            commands: head.commands.saturating_add(u64::from(work.commands)),
        };
        Ok(Prepared {
            block: Block::new(sealed, work.body).with_record(work.record),
            packed,
            state_log: without_outcomes(log, &work.writes),
            writes: work.writes.len(),
            new_ids: work.new_ids,
            chores: work.chores,
            answer: work.answer,
        })
    }

    fn store_all(
        &mut self,
        store: &Store,
        prepared: &mut [Prepared],
        head: &Head,
    ) -> Result<Moved, redb::Error> {
        let mut moved = Moved::default();
        let transaction = store.write()?;
        for block in prepared {
            let number = block.block.number();
            put_block(&transaction, block.block.sealed(), &block.packed)?;
            put_state_log(&transaction, number, &block.state_log)?;
            put_outcome_log(&transaction, number, &block.new_ids)?;
            if let Some(settling) = block.chores.settling.take() {
                self.settler = Some(Settler::new(settling));
            }
            // Twice what comes in: what settles is settled before as much has come again.
            let count = block.writes.saturating_mul(2).saturating_add(64);
            if let Some(through) = self.settle(&transaction, count)? {
                moved.settled = Some(through);
            }
            if let Some(sealing) = block.chores.sealing.take() {
                moved.sealed.push(seal(&transaction, &sealing)?);
            }
        }
        put_head(&transaction, head)?;
        transaction.commit()?;
        Ok(moved)
    }

    /// Moves some records; the block that all are settled through when these were the last.
    fn settle(
        &mut self,
        transaction: &redb::WriteTransaction,
        count: usize,
    ) -> Result<Option<u64>, redb::Error> {
        let Some(settler) = &mut self.settler else { return Ok(None) };
        put_state(transaction, settler.take(count))?;
        if !settler.is_done() {
            return Ok(None);
        }
        let through = settler.through();
        trim_state_log(transaction, through)?;
        self.settler = None;
        Ok(Some(through))
    }

    fn publish(&self, prepared: Vec<Prepared>, moved: Moved) {
        let mut receipts = Vec::with_capacity(prepared.len());
        {
            let mut recent = self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner);
            for Prepared { block, answer, .. } in prepared {
                if let Ok(record) = block.record() {
                    let (number, hash, time) = (block.number(), block.hash(), record.time);
                    receipts.push((answer, Receipt { number, hash, time, record }));
                }
                recent.push(Arc::new(block));
            }
        }
        self.shared.update(|progress| {
            progress.head = self.head;
            progress.settled = moved.settled.unwrap_or(progress.settled);
            progress.sealed.extend(moved.sealed);
        });
        self.shared.tip.send_replace(self.head.tip);
        for (answer, receipt) in receipts {
            // Whoever does not wait for the answer does not want it.
            let _ = answer.send(Ok(receipt));
        }
    }
}

fn seal(transaction: &redb::WriteTransaction, sealing: &Sealing) -> Result<Added, redb::Error> {
    let mut entries: Vec<_> = sealing.ids.iter().map(|(id, place)| (*id, *place)).collect();
    entries.sort_unstable_by_key(|(id, _)| *id);
    let mut filter = Filter::clone(&sealing.filter);
    entries.iter().for_each(|(id, _)| filter.insert(*id));
    let segment = Segment::write(transaction, sealing.segment, &entries)?;
    put_filter(transaction, sealing.group, &filter)?;
    trim_outcome_log(transaction, sealing.through)?;
    Ok(Added { segment, filter })
}

/// The log without the outcomes' records, which lie next to each other in key order.
fn without_outcomes(mut log: Vec<u8>, writes: &[Write]) -> Vec<u8> {
    let length = |writes: &[Write]| {
        let of_one = |write: &Write| write.key.len() + write.value.len() + 8;
        writes.iter().map(of_one).sum::<usize>()
    };
    let is_outcome = |write: &Write| Key::is_outcome(&write.key);
    let from = writes.iter().position(is_outcome).unwrap_or(writes.len());
    let to = writes.iter().rposition(is_outcome).map_or(from, |last| last + 1);
    let (before, rest) = writes.split_at(from.min(writes.len()));
    let (outcomes, _) = rest.split_at((to - from).min(rest.len()));
    let start = length(before);
    log.drain(start..start + length(outcomes));
    log
}

/// A block that was signed elsewhere must be the one that execution makes here.
fn check_given(header: &Header, given: Sealed) -> Result<Sealed, Fault> {
    let other = &given.header;
    if other == header {
        return Ok(given);
    }
    Err(if other.number != header.number {
        Fault::Number(other.number)
    } else if other.network != header.network {
        Fault::Network(other.network)
    } else if other.previous != header.previous {
        Fault::Previous
    } else if other.signer != header.signer {
        Fault::ForeignKey(other.signer)
    } else if other.outcomes_hash != header.outcomes_hash || other.time != header.time {
        Fault::OutcomesDiffer
    } else if other.state_digest != header.state_digest {
        Fault::Digest
    } else {
        Fault::CommandsHash
    })
}
