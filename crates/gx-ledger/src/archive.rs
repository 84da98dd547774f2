//! A ledger as a plain sequential file: to keep, to move, to read with other tools.
//!
//! Everything in it is checked twice when it is read: by checksums, which tell a torn file from an
//! altered one, and by executing every block again.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use gx_contract::Context;

use crate::block::Block;
use crate::encoding::{Reader, put_bytes, put_u32, put_u64};
use crate::error::{ArchiveFault, Fault};
use crate::hash::Hash;
use crate::key::{NodeKey, sync_folder_of};
use crate::ledger::{Ledger, Options, Ticket};
use crate::store::{BlockReader, Head, Identity, Store, guard, remove_abandoned, with_suffix};
use crate::{Error, Progress, Tip};

const MAGIC: &[u8; 8] = b"GXLEDGER";
const VERSION: u32 = 1;
const BLOCK: u8 = 1;
const END: u8 = 0;
/// Bytes of its hash behind each part.
const CHECKSUM: usize = 16;
/// Blocks that are executed while earlier ones are written.
const AHEAD: usize = 4;

/// Writes the ledger in a file that no process has open.
///
/// # Errors
/// When the file cannot be opened or read as a ledger, or the archive cannot be written.
pub fn export(
    path: &Path,
    archive: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Tip, Error> {
    let store = Store::open(path, 32 << 20)?;
    let (identity, head, reader) = guard(path, || {
        Ok((store.identity()?, store.head()?, BlockReader::new(&store, &store.read()?)?))
    })?;
    export_blocks(path, &identity, &head, &reader, archive, progress)
}

impl Ledger {
    /// Writes the ledger up to its present tip, while it goes on working.
    ///
    /// # Errors
    /// When a block is damaged or the archive cannot be written.
    pub fn export(
        &self,
        archive: &mut dyn Write,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Tip, Error> {
        let (_, head, reader) = self.freeze()?;
        export_blocks(self.path(), self.identity(), &head, &reader, archive, progress)
    }
}

fn export_blocks(
    path: &Path,
    identity: &Identity,
    head: &Head,
    reader: &BlockReader,
    archive: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<Tip, Error> {
    let mut write = |bytes: &[u8]| {
        let failed = Error::io("write the archive of", path);
        archive.write_all(bytes).map_err(failed)
    };
    let of = head.tip.number;
    write(&head_bytes(identity, of))?;
    for number in 1..=of {
        let block = reader.block(number).map_err(|fault| Error::block(path, number, fault))?;
        write(&block_bytes(&block))?;
        progress(Progress { blocks: number, of });
    }
    write(&end_bytes(of, &head.tip.hash))?;
    archive.flush().map_err(Error::io("write the archive of", path))?;
    Ok(head.tip)
}

/// What an archive begins with: whose it is, and the number of its last block.
pub(crate) fn head_bytes(identity: &Identity, of: u64) -> Vec<u8> {
    let mut part = Vec::new();
    identity.put(&mut part);
    put_u64(&mut part, of);
    let mut out = MAGIC.to_vec();
    put_u32(&mut out, VERSION);
    put_bytes(&mut out, &part);
    out.extend_from_slice(&checksum(&part));
    out
}

pub(crate) fn block_bytes(block: &Block) -> Vec<u8> {
    let part = block.to_bytes();
    let mut out = Vec::with_capacity(part.len().saturating_add(32));
    out.push(BLOCK);
    put_bytes(&mut out, &part);
    out.extend_from_slice(&checksum(&part));
    out
}

pub(crate) fn end_bytes(number: u64, hash: &Hash) -> Vec<u8> {
    let mut part = Vec::with_capacity(40);
    put_u64(&mut part, number);
    part.extend_from_slice(hash.as_bytes());
    let mut out = vec![END];
    out.extend_from_slice(&part);
    out.extend_from_slice(&checksum(&part));
    out
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut checksum = [0; CHECKSUM];
    checksum.iter_mut().zip(Hash::of(bytes).as_bytes()).for_each(|(to, from)| *to = *from);
    checksum
}

/// Makes a ledger at `options.path` from an archive. Its blocks keep their signatures; `key` signs
/// what comes after them. The file appears under its name only when it is complete.
///
/// # Errors
/// [`Error::Archive`] says what is wrong with the archive and names the block; [`Error::Exists`]
/// when there is a ledger already; else as for [`Ledger::create_or_open`].
pub fn import(
    archive: &mut dyn Read,
    options: &Options,
    key: &NodeKey,
    progress: &mut dyn FnMut(Progress),
) -> Result<Tip, Error> {
    import_while(archive, options, key, &mut |_| true, progress)
}

/// As [`import`], up to the first block that `keep` does not want. The rest of the archive is read
/// and held against its checksums all the same, and shown to `keep`, whose answer no longer counts.
///
/// # Errors
/// As [`import`].
pub fn import_while(
    archive: &mut dyn Read,
    options: &Options,
    key: &NodeKey,
    keep: &mut dyn FnMut(&Block) -> bool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Tip, Error> {
    let path = &options.path;
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
        return Err(Error::Exists { path: path.clone() });
    }
    let unfinished = with_suffix(path, ".import");
    let imported = import_as(archive, &unfinished, options, key, (keep, progress));
    if imported.is_err() {
        // The error that is on its way says more than one from here could.
        let _ = std::fs::remove_file(&unfinished);
    }
    let tip = imported?;
    std::fs::rename(&unfinished, path).map_err(Error::io("create", path))?;
    sync_folder_of(path)?;
    Ok(tip)
}

/// Which blocks are taken, and who is told how far it is.
type Taking<'a> = (&'a mut dyn FnMut(&Block) -> bool, &'a mut dyn FnMut(Progress));

fn import_as(
    archive: &mut dyn Read,
    unfinished: &Path,
    options: &Options,
    key: &NodeKey,
    taking: Taking<'_>,
) -> Result<Tip, Error> {
    remove_abandoned(unfinished)?;
    let mut source = Source::from(archive, 1);
    let (mut identity, of) = source.head().map_err(Error::archive)?;
    let (found, expected) = (identity.origin.network, options.network);
    if found != expected {
        return Err(Error::archive(ArchiveFault::Network { found, expected }));
    }
    let store = Store::create(unfinished, options.cache_bytes, &identity)?;
    let options = Options { path: unfinished.to_owned(), ..options.clone() };
    let ledger = Ledger::start(options, key, store, identity.clone())?;
    let tip = import_blocks(&mut source, &ledger, of, taking)?;
    drop(ledger);
    // Keys that signed blocks which were not taken have signed nothing here.
    identity.keys.retain(|(from, _)| *from <= tip.number.saturating_add(1));
    if identity.current() != key.public() {
        identity.keys.push((tip.number.saturating_add(1), key.public()));
    }
    Store::open(unfinished, 1 << 20)?.record_identity(&identity)?;
    Ok(tip)
}

fn import_blocks(
    source: &mut Source<'_>,
    ledger: &Ledger,
    of: u64,
    (keep, progress): Taking<'_>,
) -> Result<Tip, Error> {
    let mut waiting = VecDeque::new();
    let mut finish = |ticket: Ticket| -> Result<(), Error> {
        let blocks = ticket.wait().map_err(of_block)?.number;
        progress(Progress { blocks, of });
        Ok(())
    };
    let (mut number, mut taking) = (0_u64, true);
    let end = loop {
        number = number.saturating_add(1);
        match source.part().map_err(Error::archive)? {
            Part::End { tip, hash } => break (tip, hash),
            Part::Block(block) => {
                taking = keep(&block) && taking;
                if taking {
                    waiting.push_back(enqueue(ledger, number, &block)?);
                }
            }
        }
        if waiting.len() > AHEAD
            && let Some(ticket) = waiting.pop_front()
        {
            finish(ticket)?;
        }
    };
    waiting.into_iter().try_for_each(finish)?;
    let (tip, last) = (ledger.tip(), number.saturating_sub(1));
    let as_it_ends = if taking { end == (tip.number, tip.hash) } else { end.0 == last };
    if !as_it_ends || of != last {
        return Err(Error::archive(ArchiveFault::End(last)));
    }
    Ok(tip)
}

fn enqueue(ledger: &Ledger, number: u64, block: &Block) -> Result<Ticket, Error> {
    let header = block.header();
    let wrong = |fault| Error::archive(ArchiveFault::Block { number, fault });
    if header.number != number {
        return Err(wrong(Fault::Number(header.number)));
    }
    block.check(&ledger.identity().signer(number)).map_err(wrong)?;
    let batch = block.batch().map_err(wrong)?;
    let context = Context::embedded(header.submitter, header.time);
    let ticket = ledger.enqueue_as(&batch, context, Some(block.sealed().clone()));
    ticket.map_err(|error| match error {
        Error::Panicked { message, .. } => wrong(Fault::Panicked(message)),
        Error::Refused { source, .. } => wrong(Fault::Refused(source)),
        error => of_block(error),
    })
}

/// A block that this ledger refuses is wrong in the archive.
fn of_block(error: Error) -> Error {
    match error {
        Error::Block { number, source, .. } => {
            Error::archive(ArchiveFault::Block { number, fault: source })
        }
        error => error,
    }
}

pub(crate) enum Part {
    Block(Box<Block>),
    End { tip: u64, hash: Hash },
}

/// An archive, read from the front.
pub(crate) struct Source<'a> {
    archive: &'a mut dyn Read,
    /// Number of the block that is being read.
    block: u64,
}

impl<'a> Source<'a> {
    /// One whose first block has that number.
    pub(crate) fn from(archive: &'a mut dyn Read, first: u64) -> Self {
        Self { archive, block: first.saturating_sub(1) }
    }

    pub(crate) fn head(&mut self) -> Result<(Identity, u64), ArchiveFault> {
        let mut magic = [0; 8];
        let read = self.fill(&mut magic);
        if read.is_err() || magic != *MAGIC {
            return Err(ArchiveFault::NotAnArchive);
        }
        let version = u32::from_le_bytes(self.array()?);
        if version != VERSION {
            return Err(ArchiveFault::Version(version));
        }
        let part = self.checked(|_| ArchiveFault::Head)?;
        let mut reader = Reader::new(&part);
        let read = Identity::read(&mut reader).and_then(|identity| Ok((identity, reader.u64()?)));
        read.and_then(|read| reader.end().map(|()| read)).map_err(|_| ArchiveFault::Head)
    }

    pub(crate) fn part(&mut self) -> Result<Part, ArchiveFault> {
        self.block = self.block.saturating_add(1);
        let [tag] = self.array()?;
        match tag {
            BLOCK => {
                let bytes = self.checked(ArchiveFault::Checksum)?;
                let (number, malformed) = (self.block, Fault::Malformed);
                Block::from_bytes(&bytes)
                    .map(|block| Part::Block(Box::new(block)))
                    .map_err(|error| ArchiveFault::Block { number, fault: malformed(error) })
            }
            END => self.end(),
            _ => Err(ArchiveFault::Checksum(self.block)),
        }
    }

    fn end(&mut self) -> Result<Part, ArchiveFault> {
        let last = self.block.saturating_sub(1);
        let torn = |_| ArchiveFault::End(last);
        let part: [u8; 40] = self.array().map_err(torn)?;
        let found: [u8; CHECKSUM] = self.array().map_err(torn)?;
        if found != checksum(&part) {
            return Err(ArchiveFault::End(last));
        }
        let mut reader = Reader::new(&part);
        let read = reader.u64().and_then(|tip| Ok((tip, Hash::from_bytes(reader.array()?))));
        let (tip, hash) = read.map_err(|_| ArchiveFault::End(last))?;
        match self.archive.read(&mut [0]) {
            Ok(0) => Ok(Part::End { tip, hash }),
            Ok(_) => Err(ArchiveFault::Trailing),
            Err(error) => Err(ArchiveFault::Read(error.to_string())),
        }
    }

    /// A part that is preceded by its length and followed by its checksum.
    fn checked(&mut self, altered: impl Fn(u64) -> ArchiveFault) -> Result<Vec<u8>, ArchiveFault> {
        let length = u64::from(u32::from_le_bytes(self.array()?));
        let mut part = Vec::new();
        // A damaged length may claim gigabytes: memory is taken as bytes come in.
        let read = self.archive.take(length).read_to_end(&mut part);
        read.map_err(|error| ArchiveFault::Read(error.to_string()))?;
        if u64::try_from(part.len()).ok() != Some(length) {
            return Err(ArchiveFault::Torn(self.block));
        }
        let found: [u8; CHECKSUM] = self.array()?;
        if found == checksum(&part) { Ok(part) } else { Err(altered(self.block)) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ArchiveFault> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ArchiveFault> {
        self.archive.read_exact(bytes).map_err(|error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => ArchiveFault::Torn(self.block),
            _ => ArchiveFault::Read(error.to_string()),
        })
    }
}
