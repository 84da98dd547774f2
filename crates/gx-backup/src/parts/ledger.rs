//! The embedded ledger: an archive of all its blocks, from the process that has it open, or from
//! the file when none has.
//!
//! An archive only grows at its end, so that the repository takes in what is new of it.

use std::io::{self, BufWriter, Read, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Error;
use crate::gate::{Archive, Asked};
use crate::manifest::{Kind, Part};
use crate::parts::{Capture, taken};
use crate::plan::LEDGER;
use crate::repository::folder_of;
use crate::source::Stream;

/// Captures the ledger; with the number of its last block.
pub(crate) fn capture(to: &Capture<'_>, file: &Path) -> Result<(Part, u64), Error> {
    let failed = |error: io::Error| Error::not_captured(LEDGER, error.to_string());
    if let Some(archive) = Archive::ask(file, Asked::All).map_err(failed)? {
        let end = archive.end();
        let part = take(to, archive)?;
        let end = *end.lock().unwrap_or_else(PoisonError::into_inner);
        let end = end.ok_or_else(|| Error::not_captured(LEDGER, "the platform ended it early"));
        return Ok((part, end?));
    }
    let (reader, writer) = io::pipe().map_err(failed)?;
    let exported = Arc::new(Mutex::new(None));
    let (result, path) = (exported.clone(), file.to_owned());
    let exporting = std::thread::spawn(move || {
        let mut writer = BufWriter::with_capacity(1 << 20, writer);
        let done = gx_ledger::export(&path, &mut writer, &mut |_| ());
        let done = done.map_err(|error| gx_types::with_causes(&error));
        let flushed = writer.flush().map_err(|error| error.to_string());
        let done = done.and_then(|tip| flushed.map(|()| tip));
        *result.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    });
    let part = take(to, reader);
    let ended = exporting.join();
    let done = exported.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (ended, done) {
        (Ok(()), Some(Ok(tip))) => Ok((part?, tip.number)),
        // Why the archive ended says more than that it did.
        (_, Some(Err(reason))) => Err(Error::not_captured(LEDGER, reason)),
        _ => Err(Error::not_captured(LEDGER, "reading it panicked: the file is damaged")),
    }
}

fn take(to: &Capture<'_>, archive: impl Read + Send + 'static) -> Result<Part, Error> {
    let source = Stream::new(folder_of(LEDGER), archive);
    let snapshot = to.to.part(to.backup, LEDGER, &source, false)?;
    taken(LEDGER, Kind::Ledger, &snapshot, source.seen())
}
