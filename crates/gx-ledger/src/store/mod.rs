//! The ledger's file: its tables, how it is opened, and what it says of itself.
//!
//! Blocks and the state they make stand in one redb file. Every write transaction ends with a
//! commit that a crash at any moment leaves whole or undone, and that the next start need not
//! repair, however long the history is.

mod blocks;
mod outcomes;
mod state;

use std::path::{Path, PathBuf};

use gx_types::TimeMs;
use redb::{
    Builder, Database, DatabaseError, ReadOnlyTable, ReadTransaction, ReadableDatabase, Table,
    TableDefinition, TableError, WriteTransaction,
};

use crate::block::Origin;
use crate::encoding::{Malformed, Reader, put_i64, put_u32, put_u64};
use crate::hash::Hash;
use crate::key::{PublicKey, sync_folder_of};
use crate::{Error, Options};

pub(crate) use blocks::{BlockReader, pack, put_block};
pub(crate) use outcomes::{
    Place, Segment, SegmentReader, for_each_logged, put_filter, put_outcome_log, trim_outcome_log,
};
pub(crate) use state::{
    StateReader, for_each_logged_write, put_state, put_state_log, trim_state_log,
};

/// Version of the file's tables.
const FORMAT: u32 = 1;

/// Values larger than a page are cut into pieces that fill pages of 32 KiB: redb gives a value
/// the next power of two.
const PIECE: usize = 32_700;

type Pieces = TableDefinition<'static, (u64, u32), &'static [u8]>;
type Bytes = &'static [u8];

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// A number's bytes, cut into pieces.
fn put_pieces(
    table: &mut Table<'_, (u64, u32), Bytes>,
    number: u64,
    bytes: &[u8],
) -> Result<(), redb::Error> {
    for (piece, at) in bytes.chunks(PIECE).zip(0..) {
        table.insert((number, at), piece)?;
    }
    Ok(())
}

/// The bytes of a number; empty when there are none.
fn get_pieces(
    table: &ReadOnlyTable<(u64, u32), Bytes>,
    number: u64,
) -> Result<Vec<u8>, redb::Error> {
    let mut bytes = Vec::new();
    for piece in table.range((number, 0)..=(number, u32::MAX))? {
        bytes.extend_from_slice(piece?.1.value());
    }
    Ok(bytes)
}

/// Calls `each` with every number and its bytes, in order, one at a time in memory; `what` names
/// the bytes in the error when `each` cannot read them.
fn for_each_number(
    table: &ReadOnlyTable<(u64, u32), Bytes>,
    what: &str,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), Malformed>,
) -> Result<(), redb::Error> {
    let mut read = |number: u64, bytes: &[u8]| {
        each(number, bytes)
            .map_err(|malformed| redb::Error::Corrupted(format!("{what} {number}: {malformed}")))
    };
    let mut current: Option<(u64, Vec<u8>)> = None;
    for piece in table.range::<(u64, u32)>(..)? {
        let (key, bytes) = piece?;
        let (number, _) = key.value();
        match &mut current {
            Some((same, all)) if *same == number => all.extend_from_slice(bytes.value()),
            other => {
                let complete = other.replace((number, bytes.value().to_vec()));
                complete.map_or(Ok(()), |(number, bytes)| read(number, &bytes))?;
            }
        }
    }
    current.map_or(Ok(()), |(number, bytes)| read(number, &bytes))
}

/// Forgets the bytes of all numbers up to `last`.
fn remove_pieces_through(
    transaction: &WriteTransaction,
    table: Pieces,
    last: u64,
) -> Result<(), redb::Error> {
    transaction.open_table(table)?.retain_in((0, 0)..=(last, u32::MAX), |_, _| false)?;
    Ok(())
}

/// Where the ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Number of the last block; 0 when there is none yet.
    pub number: u64,
    /// Hash of the last block, or of the origin.
    pub hash: Hash,
    /// Time of the last block, or of the ledger's creation.
    pub time: TimeMs,
}

/// [`Tip`], and what the next block is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) tip: Tip,
    pub(crate) digest: Hash,
    /// Commands in all blocks.
    pub(crate) commands: u64,
}

impl Head {
    pub(crate) fn of_origin(origin: &Origin) -> Self {
        let tip = Tip { number: 0, hash: origin.hash(), time: origin.created_at };
        Self { tip, digest: crate::block::digest_before_all(), commands: 0 }
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        put_u64(&mut out, self.tip.number);
        out.extend_from_slice(self.tip.hash.as_bytes());
        put_i64(&mut out, self.tip.time.0);
        out.extend_from_slice(self.digest.as_bytes());
        put_u64(&mut out, self.commands);
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let number = reader.u64()?;
        let hash = Hash::from_bytes(reader.array()?);
        let tip = Tip { number, hash, time: TimeMs(reader.i64()?) };
        let digest = Hash::from_bytes(reader.array()?);
        let head = Self { tip, digest, commands: reader.u64()? };
        reader.end().map(|()| head)
    }
}

/// Who the ledger is, and which key signs its blocks from which block on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) origin: Origin,
    /// Never empty; block numbers rise.
    pub(crate) keys: Vec<(u64, PublicKey)>,
}

impl Identity {
    pub(crate) fn new(origin: Origin) -> Self {
        Self { keys: vec![(1, origin.node)], origin }
    }

    /// The key that signs block `number`.
    pub(crate) fn signer(&self, number: u64) -> PublicKey {
        let in_force = self.keys.iter().rev().find(|(from, _)| *from <= number);
        in_force.map_or(self.origin.node, |(_, key)| *key)
    }

    pub(crate) fn current(&self) -> PublicKey {
        self.keys.last().map_or(self.origin.node, |(_, key)| *key)
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        self.origin.put(out);
        put_u32(out, u32::try_from(self.keys.len()).unwrap_or(u32::MAX));
        for (from, key) in &self.keys {
            put_u64(out, *from);
            out.extend_from_slice(key.as_bytes());
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let origin = Origin::read(reader)?;
        let mut keys = Vec::new();
        for _ in 0..reader.u32()? {
            keys.push((reader.u64()?, PublicKey::from_bytes(reader.array()?)));
        }
        Ok(Self { origin, keys })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_u32(&mut out, FORMAT);
        self.put(&mut out);
        out
    }
}

/// The open file.
#[derive(Debug)]
pub(crate) struct Store {
    db: Database,
    pub(crate) path: PathBuf,
}

impl Store {
    /// Opens a file that exists and is not empty.
    pub(crate) fn open(path: &Path, cache_bytes: usize) -> Result<Self, Error> {
        if !has_content(path)? {
            return Err(Error::Missing { path: path.to_owned() });
        }
        let open = || builder(cache_bytes).open(path).map_err(|error| opening(path, error));
        Ok(Self { db: guard(path, open)?, path: path.to_owned() })
    }

    /// Creates the file with who the ledger is. It appears under its name only when that is in it:
    /// a process may be killed at any moment of its first start.
    pub(crate) fn create(
        path: &Path,
        cache_bytes: usize,
        identity: &Identity,
    ) -> Result<Self, Error> {
        let unfinished = with_suffix(path, ".new");
        remove_abandoned(&unfinished)?;
        let created = builder(cache_bytes).create(&unfinished);
        let db = created.map_err(|error| opening(&unfinished, error))?;
        let store = Self { db, path: path.to_owned() };
        store.initialise(identity)?;
        std::fs::rename(&unfinished, path).map_err(Error::io("create", path))?;
        sync_folder_of(path)?;
        Ok(store)
    }

    pub(crate) fn failed<E: Into<redb::Error>>(&self) -> impl Fn(E) -> Error {
        Error::storage(&self.path)
    }

    pub(crate) fn read(&self) -> Result<ReadTransaction, Error> {
        self.db.begin_read().map_err(self.failed())
    }

    /// A transaction whose commit is durable, and needs no repair after a crash: without that the
    /// next start would read the whole file.
    pub(crate) fn write(&self) -> Result<WriteTransaction, redb::Error> {
        let mut transaction = self.db.begin_write()?;
        transaction.set_quick_repair(true);
        Ok(transaction)
    }

    /// Writes who the ledger is into a new file, with all its tables.
    fn initialise(&self, identity: &Identity) -> Result<(), Error> {
        let transaction = self.write().map_err(self.failed())?;
        blocks::create(&transaction)
            .and_then(|()| state::create(&transaction))
            .and_then(|()| outcomes::create(&transaction))
            .and_then(|()| put_identity(&transaction, identity))
            .and_then(|()| put_head(&transaction, &Head::of_origin(&identity.origin)))
            .map_err(self.failed())?;
        transaction.commit().map_err(self.failed())
    }

    pub(crate) fn record_identity(&self, identity: &Identity) -> Result<(), Error> {
        let transaction = self.write().map_err(self.failed())?;
        put_identity(&transaction, identity).map_err(self.failed())?;
        transaction.commit().map_err(self.failed())
    }

    /// Who the ledger is.
    pub(crate) fn identity(&self) -> Result<Identity, Error> {
        let bytes = self.meta("identity")?;
        let mut reader = Reader::new(&bytes);
        let not_a_ledger = |_| Error::NotALedger { path: self.path.clone() };
        let found = reader.u32().map_err(not_a_ledger)?;
        if found != FORMAT {
            return Err(Error::Format { path: self.path.clone(), found, known: FORMAT });
        }
        let identity = Identity::read(&mut reader).map_err(not_a_ledger)?;
        reader.end().map(|()| identity).map_err(not_a_ledger)
    }

    pub(crate) fn head(&self) -> Result<Head, Error> {
        let bytes = self.meta("head")?;
        Head::decode(&bytes).map_err(|_| Error::NotALedger { path: self.path.clone() })
    }

    /// What the ledger says of itself; another redb file says nothing.
    fn meta(&self, name: &str) -> Result<Vec<u8>, Error> {
        let table = match self.read()?.open_table(META) {
            Ok(table) => table,
            Err(TableError::Storage(error)) => return Err(self.failed()(error)),
            Err(_) => return Err(Error::NotALedger { path: self.path.clone() }),
        };
        let value = table.get(name).map_err(self.failed())?;
        Ok(value.map(|value| value.value().to_vec()).unwrap_or_default())
    }

    /// Whether all of the file's own checksums match.
    pub(crate) fn checksums_match(&mut self) -> Result<bool, Error> {
        let path = self.path.clone();
        let db = &mut self.db;
        guard(&path, || db.check_integrity().map_err(Error::storage(&path)))
    }
}

fn put_identity(transaction: &WriteTransaction, identity: &Identity) -> Result<(), redb::Error> {
    transaction.open_table(META)?.insert("identity", identity.encode().as_slice())?;
    Ok(())
}

pub(crate) fn put_head(transaction: &WriteTransaction, head: &Head) -> Result<(), redb::Error> {
    transaction.open_table(META)?.insert("head", head.encode().as_slice())?;
    Ok(())
}

/// What redb says when it opens a file, in the ledger's words.
fn opening(path: &Path, error: DatabaseError) -> Error {
    let path = path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen => Error::InUse { path },
        DatabaseError::Storage(redb::StorageError::Io(error))
            if error.kind() == std::io::ErrorKind::InvalidData =>
        {
            Error::NotALedger { path }
        }
        error => Error::storage(&path)(error),
    }
}

/// Runs what reads a file that may be damaged: a panic in it is damage as well.
pub(crate) fn guard<T>(path: &Path, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(|panic| {
        let what = format!("reading it panics: {}", panic_text(&*panic));
        Err(Error::storage(path)(redb::Error::Corrupted(what)))
    })
}

/// The text that a panic was raised with.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Opens the ledger at `options.path`, checks who it is, or makes it a new one of `node`.
pub(crate) fn open_or_create(
    options: &Options,
    node: PublicKey,
) -> Result<(Store, Identity), Error> {
    let Options { path, network, created_at, cache_bytes, .. } = options;
    if !has_content(path)? {
        let origin = Origin { network: *network, created_at: *created_at, node };
        let identity = Identity::new(origin);
        return Ok((Store::create(path, *cache_bytes, &identity)?, identity));
    }
    let store = Store::open(path, *cache_bytes)?;
    let identity = store.identity()?;
    let (path, found, recorded) = (path.clone(), identity.origin.network, identity.current());
    if found != *network {
        return Err(Error::Network { path, found, expected: *network });
    }
    if recorded != node {
        return Err(Error::ForeignKey { path, recorded, given: node });
    }
    Ok((store, identity))
}

fn builder(cache_bytes: usize) -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(cache_bytes);
    builder
}

fn has_content(path: &Path) -> Result<bool, Error> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() > 0),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("open ledger", path)(error)),
    }
}

/// The path with something behind the file's name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(suffix);
    path.with_file_name(name)
}

/// Removes a file that a killed process has left behind, but none that a process still works on.
pub(crate) fn remove_abandoned(path: &Path) -> Result<(), Error> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("open", path)(error)),
    };
    match file.try_lock() {
        Ok(()) => std::fs::remove_file(path).map_err(Error::io("remove", path)),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::InUse { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
    }
}
