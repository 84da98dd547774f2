//! Pieces of a ledger: archives that begin after block 1, and the one archive that they make
//! together. What was settled since a whole archive was written is kept without writing all of it
//! again.

use std::io::{self, Read, Write};
use std::path::Path;

use crate::archive::{Part, Source, block_bytes, end_bytes, head_bytes};
use crate::error::ArchiveFault;
use crate::store::{BlockReader, Head, Identity, Store, guard};
use crate::{Error, Hash, Ledger};

/// Where a piece begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Number and hash of its first block; `None` when it holds none.
    pub first: Option<(u64, Hash)>,
    /// The number and the hash that its end names.
    pub last: (u64, Hash),
}

/// As [`Ledger::export_piece`], of a file that no process has open.
///
/// # Errors
/// When the file cannot be opened or read as a ledger, or the piece cannot be written.
pub fn export_piece(
    path: &Path,
    first: u64,
    bytes: usize,
    piece: &mut dyn Write,
) -> Result<u64, Error> {
    let store = Store::open(path, 32 << 20)?;
    let (identity, head, reader) = guard(path, || {
        Ok((store.identity()?, store.head()?, BlockReader::new(&store, &store.read()?)?))
    })?;
    write(path, (&identity, &head, &reader), (first, bytes), piece)
}

impl Ledger {
    /// Writes the blocks from `first` on, about so many bytes of them and one at least, up to the
    /// present tip; the number of the last one. There may be none.
    ///
    /// # Errors
    /// When a block is damaged or the piece cannot be written.
    pub fn export_piece(
        &self,
        first: u64,
        bytes: usize,
        piece: &mut dyn Write,
    ) -> Result<u64, Error> {
        let (_, head, reader) = self.freeze()?;
        write(self.path(), (self.identity(), &head, &reader), (first, bytes), piece)
    }
}

fn write(
    path: &Path,
    (identity, head, reader): (&Identity, &Head, &BlockReader),
    (first, bytes): (u64, usize),
    piece: &mut dyn Write,
) -> Result<u64, Error> {
    let mut blocks = Vec::new();
    let mut last = (head.tip.number, head.tip.hash);
    for number in first.max(1)..=head.tip.number {
        let block = reader.block(number).map_err(|fault| Error::block(path, number, fault))?;
        blocks.extend_from_slice(&block_bytes(&block));
        last = (number, block.hash());
        if blocks.len() >= bytes {
            break;
        }
    }
    let parts = [head_bytes(identity, last.0), blocks, end_bytes(last.0, &last.1)];
    let written = parts.iter().try_for_each(|part| piece.write_all(part));
    written.and_then(|()| piece.flush()).map_err(Error::io("write the archive of", path))?;
    Ok(last.0)
}

/// Reads a piece whose first block should be `first`, and holds it against its checksums.
///
/// # Errors
/// [`Error::Archive`] says what is wrong with it.
pub fn look(piece: &mut dyn Read, first: u64) -> Result<Ends, Error> {
    let mut source = Source::from(piece, first);
    source.head().map_err(Error::archive)?;
    let (mut begins, mut last) = (None, None);
    loop {
        match source.part().map_err(Error::archive)? {
            Part::Block(block) => {
                let number = block.number();
                let next = last.map_or(first, |(last, _): (u64, Hash)| last.saturating_add(1));
                if number != next {
                    let gap = ArchiveFault::Gap { first: next, last: number.saturating_sub(1) };
                    return Err(Error::archive(gap));
                }
                begins.get_or_insert((number, block.hash()));
                last = Some((number, block.hash()));
            }
            Part::End { tip, hash } if last.is_none_or(|last| last == (tip, hash)) => {
                return Ok(Ends { first: begins, last: (tip, hash) });
            }
            Part::End { tip, .. } => return Err(Error::archive(ArchiveFault::End(tip))),
        }
    }
}

/// Writes one archive of several, each of which goes on where the one before ends, or before that:
/// a block that is there twice is taken from the first. `newest` is the last of them once more: its
/// head knows every key that has signed. Nothing is executed; an import does that.
///
/// # Errors
/// [`Error::Archive`] names the blocks that nothing holds, or what is wrong; [`Error::Io`] when the
/// archive cannot be written.
pub fn join(
    newest: &mut dyn Read,
    archives: &mut dyn Iterator<Item = io::Result<Box<dyn Read + '_>>>,
    to: &mut dyn Write,
) -> Result<u64, Error> {
    let mut write =
        |bytes: &[u8]| to.write_all(bytes).map_err(Error::io("write", Path::new("the archive")));
    let (identity, of) = Source::from(newest, 1).head().map_err(Error::archive)?;
    write(&head_bytes(&identity, of))?;
    let (mut next, mut last) = (1_u64, identity.origin.hash());
    for archive in archives {
        let unread = |error: io::Error| Error::archive(ArchiveFault::Read(error.to_string()));
        let mut archive = archive.map_err(unread)?;
        let mut source = Source::from(&mut *archive, 1);
        let (found, _) = source.head().map_err(Error::archive)?;
        if found.origin != identity.origin {
            return Err(Error::archive(ArchiveFault::Another));
        }
        while let Part::Block(block) = source.part().map_err(Error::archive)? {
            let number = block.number();
            if number > next {
                let gap = ArchiveFault::Gap { first: next, last: number.saturating_sub(1) };
                return Err(Error::archive(gap));
            }
            if number == next {
                if block.header().previous != last {
                    return Err(Error::archive(ArchiveFault::Another));
                }
                write(&block_bytes(&block))?;
                (next, last) = (next.saturating_add(1), block.hash());
            }
        }
    }
    let end = next.saturating_sub(1);
    if end != of {
        return Err(Error::archive(ArchiveFault::End(end)));
    }
    write(&end_bytes(end, &last))?;
    Ok(end)
}
