//! Blocks in the file: headers apart from bodies, bodies compressed.
//!
//! A body is mostly repeated field names and ids: compression makes it five times smaller, which
//! costs less time than writing it would, and a ledger is kept for ever.

use std::io::Read;

use redb::{ReadOnlyTable, ReadTransaction, TableDefinition, WriteTransaction};

use super::{Bytes, Pieces, Store, get_pieces, guard, put_pieces};
use crate::Error;
use crate::block::{Block, Body, Sealed};
use crate::encoding::{Malformed, Reader, put_u32};
use crate::error::Fault;

const HEADERS: TableDefinition<u64, &[u8]> = TableDefinition::new("block_headers");
const BODIES: Pieces = TableDefinition::new("block_bodies");

/// The level beyond which more time buys little space for texts such as these.
const COMPRESSION_LEVEL: i32 = 1;

/// The most that is set aside before a body is unpacked: its length field may be damaged.
const CAPACITY_MAX: usize = 64 << 20;

pub(super) fn create(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    transaction.open_table(HEADERS)?;
    transaction.open_table(BODIES)?;
    Ok(())
}

/// A body as it is stored: the lengths of its two sections, then both compressed.
pub(crate) fn pack(body: &Body) -> std::io::Result<Vec<u8>> {
    let length = |section: &[u8]| u32::try_from(section.len()).map_err(std::io::Error::other);
    let mut packed = Vec::new();
    put_u32(&mut packed, length(body.commands())?);
    put_u32(&mut packed, length(body.outcomes())?);
    packed.extend_from_slice(&zstd::bulk::compress(body.bytes(), COMPRESSION_LEVEL)?);
    Ok(packed)
}

fn unpack(packed: &[u8]) -> Result<Body, Malformed> {
    let mut reader = Reader::new(packed);
    let size = |length: u32| usize::try_from(length).map_err(|_| Malformed::Short);
    let (commands, outcomes) = (size(reader.u32()?)?, size(reader.u32()?)?);
    let length = commands.saturating_add(outcomes);
    let unreadable = |_| Malformed::Field("compressed body");
    let decoder = zstd::stream::read::Decoder::with_buffer(reader.rest()).map_err(unreadable)?;
    let mut bytes = Vec::with_capacity(length.min(CAPACITY_MAX));
    // One byte more than expected, so that too long a body is noticed and no longer one is read.
    let most = u64::try_from(length).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() != length {
        return Err(if bytes.len() < length { Malformed::Short } else { Malformed::Long });
    }
    Body::from_bytes(bytes, commands)
}

pub(crate) fn put_block(
    transaction: &WriteTransaction,
    sealed: &Sealed,
    packed: &[u8],
) -> Result<(), redb::Error> {
    let mut header = Vec::with_capacity(384);
    sealed.put(&mut header);
    let number = sealed.header.number;
    transaction.open_table(HEADERS)?.insert(number, header.as_slice())?;
    put_pieces(&mut transaction.open_table(BODIES)?, number, packed)
}

/// Blocks as one moment saw them.
pub(crate) struct BlockReader {
    headers: ReadOnlyTable<u64, Bytes>,
    bodies: ReadOnlyTable<(u64, u32), Bytes>,
}

impl BlockReader {
    pub(crate) fn new(store: &Store, transaction: &ReadTransaction) -> Result<Self, Error> {
        let headers = transaction.open_table(HEADERS).map_err(store.failed())?;
        let bodies = transaction.open_table(BODIES).map_err(store.failed())?;
        Ok(Self { headers, bodies })
    }

    /// A block, or what keeps it from being read.
    pub(crate) fn block(&self, number: u64) -> Result<Block, Fault> {
        let unreadable = |error: redb::Error| Fault::Unreadable(error.to_string());
        let read = || {
            let header = self.headers.get(number).map_err(|error| unreadable(error.into()))?;
            let header = header.ok_or(Fault::Missing)?.value().to_vec();
            let mut reader = Reader::new(&header);
            let sealed = Sealed::read(&mut reader)?;
            reader.end()?;
            if sealed.header.number != number {
                return Err(Fault::Number(sealed.header.number));
            }
            let packed = get_pieces(&self.bodies, number).map_err(unreadable)?;
            Ok(Block::new(sealed, unpack(&packed)?))
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
            .unwrap_or_else(|panic| Err(Fault::Unreadable(super::panic_text(&*panic))))
    }

    /// Numbers of the first and the last block that the file has anything of.
    pub(crate) fn ends(&self, store: &Store) -> Result<Option<(u64, u64)>, Error> {
        use redb::ReadableTable as _;
        guard(&store.path, || {
            let failed = store.failed::<redb::StorageError>();
            let first = self.headers.first().map_err(&failed)?.map(|(number, _)| number.value());
            let last = self.headers.last().map_err(&failed)?.map(|(number, _)| number.value());
            let body = self.bodies.last().map_err(&failed)?.map(|(key, _)| key.value().0);
            Ok(first.zip(last.max(body)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_unpacked_whole_or_refused() {
        let body = Body::from_sections(b"commands".repeat(100), b"outcomes");
        let packed = pack(&body).unwrap();
        assert_eq!(unpack(&packed), Ok(body));
        for at in 0..packed.len() {
            assert!(unpack(packed.get(..at).unwrap()).is_err(), "cut at {at}");
        }
        let mut longer = packed.clone();
        if let Some(byte) = longer.first_mut() {
            *byte = byte.wrapping_sub(1);
        }
        assert_eq!(unpack(&longer), Err(Malformed::Long));
    }
}
