//! The state in the file, and the log of what has not reached it yet.
//!
//! A batch changes records all over the state, and rewriting a page for each would cost more than
//! everything else together. So a batch appends its writes to a log; memory holds them; and they
//! move into the state in key order, many to a page, a few at a time. After a crash the log is
//! read back into memory.

use redb::{ReadOnlyTable, ReadTransaction, TableDefinition, WriteTransaction};

use super::{Bytes, Pieces, Store, for_each_number, put_pieces, remove_pieces_through};
use crate::Error;
use crate::encoding::{Malformed, Reader};

/// Keys are bytes, which compare without being checked for UTF-8 first.
const STATE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("state");
const STATE_LOG: Pieces = TableDefinition::new("state_log");

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(STATE)?;
    transaction.open_table(STATE_LOG)?;
    Ok(())
}

/// Appends a block's writes, in the notation of the digest.
pub(crate) fn put_state_log(
    transaction: &WriteTransaction,
    number: u64,
    log: &[u8],
) -> Result<(), redb::Error> {
    put_pieces(&mut transaction.open_table(STATE_LOG)?, number, log)
}

/// Moves writes into the state.
pub(crate) fn put_state<'a>(
    transaction: &WriteTransaction,
    writes: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<(), redb::Error> {
    let mut table = transaction.open_table(STATE)?;
    for (key, value) in writes {
        table.insert(key.as_bytes(), value)?;
    }
    Ok(())
}

/// Forgets the log up to a block whose writes all are in the state.
pub(crate) fn trim_state_log(transaction: &WriteTransaction, last: u64) -> Result<(), redb::Error> {
    remove_pieces_through(transaction, STATE_LOG, last)
}

/// Calls `each` with every write that may not be in the state yet, in order.
pub(crate) fn for_each_logged_write(
    store: &Store,
    transaction: &ReadTransaction,
    mut each: impl FnMut(&str, &[u8]),
) -> Result<(), Error> {
    let table = transaction.open_table(STATE_LOG).map_err(store.failed())?;
    let read = |_, log: &[u8]| {
        let mut reader = Reader::new(log);
        while !reader.is_empty() {
            let key = std::str::from_utf8(reader.bytes()?).map_err(|_| Malformed::Field("key"))?;
            each(key, reader.bytes()?);
        }
        Ok(())
    };
    for_each_number(&table, "state log", read).map_err(store.failed())
}

/// The state in the file as one moment saw it.
pub(crate) struct StateReader(ReadOnlyTable<Bytes, Bytes>);

impl StateReader {
    pub(crate) fn new(store: &Store, transaction: &ReadTransaction) -> Result<Self, Error> {
        transaction.open_table(STATE).map(Self).map_err(store.failed())
    }

    /// Calls `with` with the value of a key.
    pub(crate) fn get<T>(
        &self,
        key: &str,
        with: impl FnOnce(Option<&[u8]>) -> T,
    ) -> Result<T, redb::Error> {
        let value = self.0.get(key.as_bytes())?;
        Ok(with(value.as_ref().map(redb::AccessGuard::value)))
    }

    /// All entries from `first` on, in key order.
    pub(crate) fn entries(
        &self,
        first: &str,
    ) -> Result<redb::OwnedRange<Bytes, Bytes>, redb::Error> {
        Ok(self.0.range_owned(first.as_bytes()..)?)
    }
}
