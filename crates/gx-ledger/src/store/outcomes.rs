//! Where the outcome of each command id stands, in the file: segments of sorted ids.
//!
//! Ids are random: in one tree, each would touch a page of its own in an ever larger tree. So a
//! segment holds the ids of one stretch of blocks and is written once. Some segments together have
//! a filter, and are asked only when it says so. The ids of the blocks since the last segment
//! stand in a log.

use gx_types::Filter;
use redb::{ReadOnlyTable, ReadTransaction, TableDefinition, WriteTransaction};

use super::{Bytes, Pieces, Store, for_each_number, get_pieces, put_pieces, remove_pieces_through};
use crate::Error;
use crate::encoding::{Malformed, Reader, put_u32, put_u64};

/// By segment and page: entries of 16 bytes of id and 8 of place, sorted by id.
const PAGES: Pieces = TableDefinition::new("outcome_pages");
/// By segment: the first id of each page.
const FENCES: Pieces = TableDefinition::new("outcome_fences");
/// By number of the group of segments.
const FILTERS: Pieces = TableDefinition::new("outcome_filters");
const LOG: Pieces = TableDefinition::new("outcome_log");

const ENTRY: usize = 24;
const ENTRIES_PER_PAGE: usize = super::PIECE / ENTRY;

/// Block and position in it of the command that an outcome is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(u64);

impl Place {
    const INDEX_BITS: u32 = 24;

    pub(crate) fn new(block: u64, index: u32) -> Self {
        Self(block << Self::INDEX_BITS | u64::from(index))
    }

    pub(crate) fn block(self) -> u64 {
        self.0 >> Self::INDEX_BITS
    }

    pub(crate) fn index(self) -> u32 {
        (self.0 & ((1 << Self::INDEX_BITS) - 1)) as u32
    }
}

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    for table in [PAGES, FENCES, FILTERS, LOG] {
        transaction.open_table(table)?;
    }
    Ok(())
}

/// Appends the ids that got their outcome in a block, each with its position there.
pub(crate) fn put_outcome_log(
    transaction: &WriteTransaction,
    number: u64,
    ids: &[(u128, u32)],
) -> Result<(), redb::Error> {
    let mut log = Vec::with_capacity(ids.len().saturating_mul(20));
    for (id, index) in ids {
        log.extend_from_slice(&id.to_be_bytes());
        put_u32(&mut log, *index);
    }
    put_pieces(&mut transaction.open_table(LOG)?, number, &log)
}

/// Forgets the log up to a block whose ids all are in segments.
pub(crate) fn trim_outcome_log(
    transaction: &WriteTransaction,
    last: u64,
) -> Result<(), redb::Error> {
    remove_pieces_through(transaction, LOG, last)
}

/// Calls `each` with every id that is in no segment yet.
pub(crate) fn for_each_logged(
    store: &Store,
    transaction: &ReadTransaction,
    mut each: impl FnMut(u128, Place),
) -> Result<(), Error> {
    let table = transaction.open_table(LOG).map_err(store.failed())?;
    let read = |number, log: &[u8]| -> Result<(), Malformed> {
        let mut reader = Reader::new(log);
        while !reader.is_empty() {
            let id = u128::from_be_bytes(reader.array()?);
            each(id, Place::new(number, reader.u32()?));
        }
        Ok(())
    };
    for_each_number(&table, "outcome log", read).map_err(store.failed())
}

/// What memory keeps of a segment.
#[derive(Debug)]
pub(crate) struct Segment {
    number: u64,
    /// The first id of each page.
    fences: Vec<u128>,
}

impl Segment {
    /// Writes a segment of entries, which must be sorted by id.
    pub(crate) fn write(
        transaction: &WriteTransaction,
        number: u64,
        entries: &[(u128, Place)],
    ) -> Result<Self, redb::Error> {
        let mut fences = Vec::new();
        let mut stored = Vec::new();
        let mut pages = transaction.open_table(PAGES)?;
        for (page, at) in entries.chunks(ENTRIES_PER_PAGE).zip(0..) {
            let mut bytes = Vec::with_capacity(super::PIECE);
            for (id, Place(place)) in page {
                bytes.extend_from_slice(&id.to_be_bytes());
                bytes.extend_from_slice(&place.to_le_bytes());
            }
            for (id, _) in page.iter().take(1) {
                fences.push(*id);
                stored.extend_from_slice(&id.to_be_bytes());
            }
            pages.insert((number, at), bytes.as_slice())?;
        }
        put_pieces(&mut transaction.open_table(FENCES)?, number, &stored)?;
        Ok(Self { number, fences })
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// Writes the filter of a group of segments.
pub(crate) fn put_filter(
    transaction: &WriteTransaction,
    group: u64,
    filter: &Filter,
) -> Result<(), redb::Error> {
    let mut bytes = Vec::new();
    filter.words().for_each(|word| put_u64(&mut bytes, word));
    put_pieces(&mut transaction.open_table(FILTERS)?, group, &bytes)
}

/// Segments as one moment saw them.
pub(crate) struct SegmentReader(ReadOnlyTable<(u64, u32), Bytes>);

impl SegmentReader {
    pub(crate) fn new(store: &Store, transaction: &ReadTransaction) -> Result<Self, Error> {
        transaction.open_table(PAGES).map(Self).map_err(store.failed())
    }

    /// Where the outcome of `id` stands, if it is in the segment.
    pub(crate) fn find(&self, segment: &Segment, id: u128) -> Result<Option<Place>, redb::Error> {
        let after = segment.fences.partition_point(|fence| *fence <= id);
        let Some(page) = after.checked_sub(1).and_then(|page| u32::try_from(page).ok()) else {
            return Ok(None);
        };
        let Some(page) = self.0.get((segment.number, page))? else { return Ok(None) };
        let (entries, _) = page.value().as_chunks::<ENTRY>();
        let split = |entry: &[u8; ENTRY]| {
            let (mut id, mut place) = ([0; 16], [0; 8]);
            id.iter_mut().chain(&mut place).zip(entry).for_each(|(to, from)| *to = *from);
            (u128::from_be_bytes(id), Place(u64::from_le_bytes(place)))
        };
        let found = entries.binary_search_by_key(&id, |entry| split(entry).0).ok();
        Ok(found.and_then(|at| entries.get(at)).map(|entry| split(entry).1))
    }

    /// All segments, oldest first.
    pub(crate) fn segments(
        store: &Store,
        transaction: &ReadTransaction,
    ) -> Result<Vec<Segment>, Error> {
        let table = transaction.open_table(FENCES).map_err(store.failed())?;
        let mut segments = Vec::new();
        let read = |number, bytes: &[u8]| {
            let (fences, rest) = bytes.as_chunks::<16>();
            let fences = fences.iter().map(|fence| u128::from_be_bytes(*fence)).collect();
            segments.push(Segment { number, fences });
            if rest.is_empty() { Ok(()) } else { Err(Malformed::Long) }
        };
        for_each_number(&table, "outcome segment", read).map_err(store.failed())?;
        Ok(segments)
    }

    /// The filter of a group of segments.
    pub(crate) fn filter(
        store: &Store,
        transaction: &ReadTransaction,
        group: u64,
    ) -> Result<Filter, Error> {
        let table = transaction.open_table(FILTERS).map_err(store.failed())?;
        let bytes = get_pieces(&table, group).map_err(store.failed())?;
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        Filter::from_words(&words).filter(|_| rest.is_empty()).ok_or_else(|| {
            store.failed()(redb::Error::Corrupted(format!("outcome filter {group} is malformed")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;

    #[test]
    fn the_stored_bits_never_change() {
        let mut filter = Filter::for_ids(100);
        (1..=100_u128).for_each(|n| filter.insert(n << 100 | n));
        let mut bytes = Vec::new();
        filter.words().for_each(|word| put_u64(&mut bytes, word));
        let hash = "ac4fa5181a1b4ea9155654b2b667aa31f38105421500bb797bcf8738325d64a4";
        assert_eq!(Hash::of(&bytes).to_string(), hash);
    }
}
