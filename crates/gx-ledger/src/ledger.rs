//! The ledger as its callers see it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use gx_contract::{Batch, Context, Query, Refused};
use gx_types::{NetworkId, TimeMs};
use tokio::sync::watch;

use crate::block::{Block, Body, Notation, Origin, Sealed};
use crate::executor::Executor;
use crate::hash::Hash;
use crate::key::{NodeKey, PublicKey};
use crate::pending::Limits;
use crate::shared::{Receipt, Shared};
use crate::snapshot::Snapshot;
use crate::store::{BlockReader, Head, Identity, Place, Store, guard, open_or_create};
use crate::work::{Message, Work};
use crate::writer::Writer;
use crate::{Error, Tip};

/// Batches that may be executed and not yet durable; the next submission waits.
const QUEUE: usize = 8;

/// The most commands of a batch.
pub(crate) const COMMANDS_MAX: usize = 1 << 16;

/// Where a ledger is and whose it is.
#[derive(Debug, Clone)]
pub struct Options {
    pub path: PathBuf,
    /// A ledger of another network is refused.
    pub network: NetworkId,
    /// What a new ledger notes as its time of creation.
    pub created_at: TimeMs,
    /// Memory for pages of the file.
    pub cache_bytes: usize,
    pub limits: Limits,
}

impl Options {
    pub fn new(path: impl Into<PathBuf>, network: NetworkId, created_at: TimeMs) -> Self {
        let (cache_bytes, limits) = (32 << 20, Limits::default());
        Self { path: path.into(), network, created_at, cache_bytes, limits }
    }
}

/// How many blocks [`Ledger::blocks`] gives at once: at least one, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimit {
    pub blocks: usize,
    /// Uncompressed bytes of commands and outcomes.
    pub bytes: usize,
}

impl Default for BlockLimit {
    fn default() -> Self {
        Self { blocks: 64, bytes: 8 << 20 }
    }
}

/// What a ledger says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    pub path: PathBuf,
    pub origin: Origin,
    /// The keys that have signed its blocks, each with the first block it signs.
    pub keys: Vec<(u64, PublicKey)>,
    pub tip: Tip,
    /// The state digest of the last block.
    pub state_digest: Hash,
    /// Commands in all blocks.
    pub commands: u64,
    /// Length of the file in bytes.
    pub file_length: u64,
}

/// What the ledger in a file that no process has open says of itself.
///
/// # Errors
/// When the file cannot be opened as a ledger.
pub fn info(path: &Path) -> Result<Info, Error> {
    let store = Store::open(path, 1 << 20)?;
    guard(path, || Info::new(path, store.identity()?, store.head()?))
}

impl Info {
    fn new(path: &Path, identity: Identity, head: Head) -> Result<Self, Error> {
        let Identity { origin, keys } = identity;
        let metadata = std::fs::metadata(path).map_err(Error::io("read", path))?;
        Ok(Self {
            path: path.to_owned(),
            origin,
            keys,
            tip: head.tip,
            state_digest: head.digest,
            commands: head.commands,
            file_length: metadata.len(),
        })
    }
}

/// An open ledger. Clones are the same ledger; it is closed when the last is dropped.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

/// A batch that has been executed and waits to be durable.
#[derive(Debug)]
pub struct Ticket {
    answer: Receiver<Result<Receipt, Error>>,
    path: PathBuf,
}

impl Ticket {
    /// Waits until the batch is durable.
    ///
    /// # Errors
    /// [`Error::Storage`] or [`Error::Stopped`] when it did not become part of the ledger.
    pub fn wait(self) -> Result<Receipt, Error> {
        let reason = || "the ledger was closed".to_owned();
        let closed = |_| Err(Error::Stopped { path: self.path, reason: reason() });
        self.answer.recv().unwrap_or_else(closed)
    }
}

#[derive(Debug)]
struct Inner {
    options: Options,
    identity: Identity,
    /// None while the file cannot be opened anew after an error.
    executor: Mutex<Option<Executor>>,
    store: RwLock<Option<Arc<Store>>>,
    shared: Arc<Shared>,
    /// None only while it is dropped.
    queue: Option<SyncSender<Message>>,
    writer: Option<JoinHandle<()>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The writer ends when it has stored what is in the queue and nobody can add to it.
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            // It catches its own panics; there is nobody left to tell.
            let _ = writer.join();
        }
    }
}

impl Ledger {
    /// Opens the ledger, or makes a new one whose blocks `key` signs.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::NotALedger`], [`Error::Format`], [`Error::Network`],
    /// [`Error::ForeignKey`], [`Error::Storage`] and [`Error::Io`], each naming the file.
    pub fn create_or_open(options: Options, key: &NodeKey) -> Result<Self, Error> {
        let (store, identity) = open_or_create(&options, key.public())?;
        Self::start(options, key, store, identity)
    }

    pub(crate) fn start(
        options: Options,
        key: &NodeKey,
        store: Store,
        identity: Identity,
    ) -> Result<Self, Error> {
        let store = Arc::new(store);
        let head = store.head()?;
        let executor = Executor::load(store.clone(), options.limits, head.tip.number)?;
        let shared = Arc::new(Shared::new(head, options.limits.recent_bytes));
        let (queue, messages) = sync_channel(QUEUE);
        let writer =
            Writer::new(identity.clone(), key.clone(), shared.clone(), store.clone(), head);
        let writer = std::thread::Builder::new()
            .name("ledger-writer".to_owned())
            .spawn(move || writer.run(messages))
            .map_err(Error::io("start a thread for", &options.path))?;
        let inner = Inner {
            options,
            identity,
            executor: Mutex::new(Some(executor)),
            store: RwLock::new(Some(store)),
            shared,
            queue: Some(queue),
            writer: Some(writer),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Executes a batch and waits until it is durable.
    ///
    /// # Errors
    /// As [`Ledger::enqueue`] and [`Ticket::wait`]. In every case nothing of the batch is written.
    pub fn submit(&self, batch: &Batch, context: Context) -> Result<Receipt, Error> {
        self.enqueue(batch, context)?.wait()
    }

    /// Executes a batch; blocks are in the order of these calls. While one batch becomes durable
    /// the next can be executed, also by the same thread.
    ///
    /// # Errors
    /// [`Error::BatchTooLarge`], [`Error::Refused`], [`Error::Panicked`] when a rule panics on one
    /// of the commands, [`Error::State`], [`Error::Storage`] and [`Error::Stopped`].
    pub fn enqueue(&self, batch: &Batch, context: Context) -> Result<Ticket, Error> {
        self.enqueue_as(batch, context, None)
    }

    /// Executes a batch that must become the block `given`, if any.
    pub(crate) fn enqueue_as(
        &self,
        batch: &Batch,
        context: Context,
        given: Option<Sealed>,
    ) -> Result<Ticket, Error> {
        let path = &self.inner.options.path;
        let commands = batch.commands.len();
        if commands > COMMANDS_MAX {
            return Err(Error::BatchTooLarge { commands, most: COMMANDS_MAX });
        }
        // Before the executor's lock, so that it overlaps with the execution of other batches.
        let body = Body::of_commands(&batch.commands)
            .map_err(|error| Error::io("encode commands for", path)(error.into()))?;
        let notation = given.as_ref().map_or(Notation::NEWEST, |given| given.header.notation);
        let commands_hash = notation.hash(body.commands()).map_err(|malformed| {
            Error::io("encode commands for", path)(std::io::Error::other(malformed))
        })?;
        let (answer, ticket) = sync_channel(1);
        let mut guard = self.inner.lock_executor();
        let executor = self.inner.ready(&mut guard)?;
        let opening = self.inner.shared.progress().opening;
        let fetch = |number| self.inner.durable_block(number, opening);
        let executed = executor.execute(batch, context, &fetch)?;
        let settled = self.inner.shared.progress().settled;
        let chores = executor.apply(&executed, settled);
        let number = executor.executed();
        let mut work = Work::new(number, (batch, context), (body, commands_hash), executed, answer);
        (work.chores, work.given) = (chores, given);
        // Still under the lock, so that blocks reach the writer in their order.
        self.inner.send(Message::Work(Box::new(work)))?;
        Ok(Ticket { answer: ticket, path: path.clone() })
    }

    /// Answers a query from the state after the last block, as a JSON text.
    ///
    /// # Errors
    /// Outer: the ledger failed, as for [`Ledger::enqueue`]. Inner: the contract's refusal.
    pub fn query(&self, query: Query) -> Result<Result<String, Refused>, Error> {
        let (answer, executed, opening) = {
            let mut guard = self.inner.lock_executor();
            let executor = self.inner.ready(&mut guard)?;
            let opening = self.inner.shared.progress().opening;
            let fetch = |number| self.inner.durable_block(number, opening);
            (executor.query(query, &fetch)?, executor.executed(), opening)
        };
        // What it was answered from may still be on its way to the file, and may yet be lost.
        self.inner.wait_for(executed, opening)?;
        Ok(answer)
    }

    /// The whole state after the last block.
    ///
    /// # Errors
    /// [`Error::Storage`], [`Error::Stopped`].
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        self.freeze().map(|(snapshot, _, _)| snapshot)
    }

    /// State, head and blocks as of one moment.
    pub(crate) fn freeze(&self) -> Result<(Snapshot, Head, BlockReader), Error> {
        let mut guard = self.inner.lock_executor();
        let executor = self.inner.ready(&mut guard)?;
        let opening = self.inner.shared.progress().opening;
        let head = self.inner.wait_for(executor.executed(), opening)?;
        Ok((executor.snapshot(head.tip)?, head, self.inner.open_reader()?))
    }

    /// Where the outcomes of command ids stand.
    pub(crate) fn places(&self, ids: &[u128]) -> Result<Vec<Option<Place>>, Error> {
        let mut guard = self.inner.lock_executor();
        self.inner.ready(&mut guard)?.places(ids)
    }

    pub fn tip(&self) -> Tip {
        *self.inner.shared.tip.borrow()
    }

    /// Follows the tip: it changes when a block is durable.
    pub fn subscribe(&self) -> watch::Receiver<Tip> {
        self.inner.shared.tip.subscribe()
    }

    /// A block; `None` when there is none of that number.
    ///
    /// # Errors
    /// [`Error::Block`] when it is damaged, [`Error::Storage`].
    pub fn block(&self, number: u64) -> Result<Option<Arc<Block>>, Error> {
        let limit = BlockLimit { blocks: 1, bytes: 0 };
        let mut blocks = self.blocks(number, limit)?;
        Ok(blocks.pop().filter(|block| block.number() == number))
    }

    /// Blocks from number `from` on, in order.
    ///
    /// # Errors
    /// [`Error::Block`] when one is damaged, [`Error::Storage`].
    pub fn blocks(&self, from: u64, limit: BlockLimit) -> Result<Vec<Arc<Block>>, Error> {
        let mut blocks = Vec::new();
        let (mut bytes, mut reader) = (0_usize, None);
        for number in from.max(1)..=self.tip().number {
            if !blocks.is_empty() && (blocks.len() >= limit.blocks || bytes >= limit.bytes) {
                break;
            }
            let block = self.inner.read_block(number, &mut reader)?;
            bytes = bytes.saturating_add(block.body_length());
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// # Errors
    /// [`Error::Io`] when the file's length cannot be read.
    pub fn info(&self) -> Result<Info, Error> {
        let head = self.inner.shared.progress().head;
        Info::new(self.path(), self.identity().clone(), head)
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    pub(crate) fn path(&self) -> &Path {
        &self.inner.options.path
    }
}

impl Inner {
    fn lock_executor(&self) -> MutexGuard<'_, Option<Executor>> {
        // A panic under the lock leaves the executor's state in doubt: it is then loaded anew.
        self.executor.lock().unwrap_or_else(|poisoned| {
            self.executor.clear_poison();
            let mut guard = PoisonError::into_inner(poisoned);
            *guard = None;
            guard
        })
    }

    /// The executor, told of what the writer has done meanwhile; after an error the file is opened
    /// anew first.
    fn ready<'g>(
        &self,
        guard: &'g mut MutexGuard<'_, Option<Executor>>,
    ) -> Result<&'g mut Executor, Error> {
        let (sealed, failed) = {
            let mut progress = self.shared.progress();
            (std::mem::take(&mut progress.sealed), progress.failed.is_some())
        };
        if failed || guard.is_none() {
            **guard = None;
            **guard = Some(self.reopen()?);
        }
        let closed = || self.stopped("the file is closed");
        let executor = guard.as_mut().ok_or_else(closed)?;
        executor.sealed(sealed);
        Ok(executor)
    }

    /// Closes the file and opens it again: an error leaves redb unable to go on, and what was
    /// executed but not stored must be forgotten.
    fn reopen(&self) -> Result<Executor, Error> {
        let mut slot = self.store.write().unwrap_or_else(PoisonError::into_inner);
        // The writer has let go of it, or is about to answer everything that waits; readers keep
        // it for one read at most.
        drop(slot.take());
        let Options { path, cache_bytes, .. } = &self.options;
        let store = Store::open(path, *cache_bytes).map_err(|error| match error {
            // It is this process itself.
            Error::InUse { .. } => self.stopped("a reader has not finished yet"),
            error => error,
        })?;
        if store.identity()? != self.identity {
            return Err(self.stopped("the file is not the one that was opened before"));
        }
        let (head, store) = (store.head()?, Arc::new(store));
        let executor = Executor::load(store.clone(), self.options.limits, head.tip.number)?;
        self.send(Message::Resume(store.clone(), head))?;
        self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.shared.resume(head);
        *slot = Some(store);
        Ok(executor)
    }

    fn send(&self, message: Message) -> Result<(), Error> {
        let sent = self.queue.as_ref().map(|queue| queue.send(message));
        match sent {
            Some(Ok(())) => Ok(()),
            _ => Err(self.stopped("its writer has ended")),
        }
    }

    fn stopped(&self, reason: impl Into<String>) -> Error {
        Error::Stopped { path: self.options.path.clone(), reason: reason.into() }
    }

    fn wait_for(&self, number: u64, opening: u64) -> Result<Head, Error> {
        self.shared.wait_for(number, opening).map_err(|reason| self.stopped(reason))
    }

    fn durable_block(&self, number: u64, opening: u64) -> Result<Arc<Block>, Error> {
        self.wait_for(number, opening)?;
        self.read_block(number, &mut None)
    }

    fn read_block(
        &self,
        number: u64,
        reader: &mut Option<BlockReader>,
    ) -> Result<Arc<Block>, Error> {
        let recent = self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = recent.get(number) {
            return Ok(block);
        }
        drop(recent);
        let opened = match reader {
            Some(opened) => opened,
            None => reader.insert(self.open_reader()?),
        };
        let block = opened.block(number);
        block.map(Arc::new).map_err(|fault| Error::block(&self.options.path, number, fault))
    }

    fn open_reader(&self) -> Result<BlockReader, Error> {
        let slot = self.store.read().unwrap_or_else(PoisonError::into_inner);
        let store = slot.as_ref().ok_or_else(|| self.stopped("the file is closed"))?;
        BlockReader::new(store, &store.read()?)
    }
}
