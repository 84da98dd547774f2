//! The way to the ledger of a running platform: a socket beside its file.
//!
//! One process has the ledger open, and it may be the one that pays out all day. So it hands the
//! archive out itself, to whoever may write in its folder; there is no route and no password.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use gx_ledger::Ledger;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::source::length;

/// Bytes of one frame. Each is preceded by its length in four bytes; one of no bytes is followed by
/// the end, one more frame with [`End`] as JSON.
const FRAME: usize = 64 << 10;

/// The largest piece that is given out: all of it is held in memory.
const PIECE_MAX: usize = 64 << 20;

/// What a caller asks for in its first sixteen bytes: the number of the first block and about how
/// many bytes of blocks, or everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    All,
    Piece { first: u64, bytes: u64 },
}

impl Asked {
    fn to_bytes(self) -> [u8; 16] {
        let (first, bytes) = match self {
            Self::All => (0, 0),
            Self::Piece { first, bytes } => (first, bytes),
        };
        u128::from(first).checked_shl(64).map_or(0, |high| high | u128::from(bytes)).to_be_bytes()
    }

    fn read(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        let half = |half: u128| u64::try_from(half & u128::from(u64::MAX)).unwrap_or(0);
        match (half(both >> 64), half(both)) {
            (0, _) => Self::All,
            (first, bytes) => Self::Piece { first, bytes },
        }
    }
}

/// How long a side waits for the other one before it gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands behind the archive. Without it the archive is torn.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    block: u64,
    error: Option<String>,
}

/// The open gate; closed when it is dropped.
#[derive(Debug)]
pub struct Gate {
    socket: PathBuf,
    closing: Arc<AtomicBool>,
    /// Whoever is being answered.
    caller: Arc<Mutex<Option<UnixStream>>>,
    doorkeeper: Option<JoinHandle<()>>,
}

/// The socket of the ledger in this file.
pub(crate) fn socket_of(ledger: &Path) -> PathBuf {
    let mut name = ledger.file_name().unwrap_or_default().to_owned();
    name.push(".gate");
    ledger.with_file_name(name)
}

/// Calls `with` with a path to the socket that is short enough for every folder: a socket's path
/// has room for a hundred bytes, a folder's may be longer.
fn near<R>(socket: &Path, with: impl FnOnce(&Path) -> io::Result<R>) -> io::Result<R> {
    let folder = socket.parent().unwrap_or(Path::new("."));
    let folder = File::open(folder)?;
    let name = socket.file_name().unwrap_or_default();
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    with(&short)
}

impl Gate {
    /// Opens the gate of a ledger whose file is `path`.
    ///
    /// # Errors
    /// [`Error::Io`] when the socket cannot be made.
    pub fn open(path: &Path, ledger: Ledger) -> Result<Self, Error> {
        let socket = socket_of(path);
        // Whoever has the ledger open is the only one who can have left it.
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &socket)(error));
            }
            _ => {}
        }
        let listener = near(&socket, |short| UnixListener::bind(short));
        let listener = listener.map_err(Error::io("listen on", &socket))?;
        let only_us = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&socket, only_us).map_err(Error::io("protect", &socket))?;
        let closing = Arc::new(AtomicBool::new(false));
        let caller: Arc<Mutex<Option<UnixStream>>> = Arc::default();
        let (told, answered) = (closing.clone(), caller.clone());
        let doorkeeper = std::thread::Builder::new()
            .name("ledger-backup".to_owned())
            .spawn(move || {
                for caller in listener.incoming() {
                    if told.load(Ordering::Acquire) {
                        break;
                    }
                    let Ok(caller) = caller else { continue };
                    *locked(&answered) = caller.try_clone().ok();
                    // One at a time: each keeps old pages of the file from being used again.
                    // Whoever has gone away needs no answer.
                    let _ = hand_out(&ledger, caller);
                    *locked(&answered) = None;
                }
            })
            .map_err(Error::io("start a thread for", &socket))?;
        Ok(Self { socket, closing, caller, doorkeeper: Some(doorkeeper) })
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Release);
        // An answer may take minutes; a backup that is cut off says so.
        if let Some(caller) = locked(&self.caller).as_ref() {
            let _ = caller.shutdown(Shutdown::Both);
        }
        // Wakes the thread; without a caller it would wait for ever.
        let woken = near(&self.socket, |short| UnixStream::connect(short));
        let _ = std::fs::remove_file(&self.socket);
        if let (Ok(_), Some(doorkeeper)) = (woken, self.doorkeeper.take()) {
            let _ = doorkeeper.join();
        }
    }
}

/// Nothing panics while it holds a lock, and every change under it is one assignment.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hand_out(ledger: &Ledger, caller: UnixStream) -> io::Result<()> {
    caller.set_write_timeout(Some(PATIENCE))?;
    caller.set_read_timeout(Some(PATIENCE))?;
    let mut asked = [0; 16];
    (&caller).read_exact(&mut asked)?;
    let mut to = BufWriter::with_capacity(FRAME, Frames(caller));
    let exported = match Asked::read(asked) {
        Asked::All => ledger.export(&mut to, &mut |_| ()).map(|tip| tip.number),
        Asked::Piece { first, bytes } => {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX).min(PIECE_MAX);
            ledger.export_piece(first, bytes, &mut to)
        }
    };
    to.flush()?;
    let mut caller = to.into_inner().map_err(io::IntoInnerError::into_error)?.0;
    let end = match exported {
        Ok(block) => End { block, error: None },
        Err(error) => End { block: 0, error: Some(gx_types::with_causes(&error)) },
    };
    caller.write_all(&0_u32.to_be_bytes())?;
    Frames(caller).write_all(&serde_json::to_vec(&end)?)
}

/// Writes each piece with its length before it.
struct Frames(UnixStream);

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (now, _) = bytes.split_at(bytes.len().min(FRAME));
        if now.is_empty() {
            return Ok(0);
        }
        let size = u32::try_from(now.len()).map_err(io::Error::other)?;
        self.0.write_all(&size.to_be_bytes())?;
        self.0.write_all(now)?;
        Ok(now.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The archive of a ledger that another process has open.
pub(crate) struct Archive {
    from: UnixStream,
    /// Bytes of the present frame that are not read yet.
    left: u64,
    /// The last block, when the end was read.
    end: Arc<Mutex<Option<u64>>>,
}

impl Archive {
    /// Asks the process that has the ledger open; `None` when there is none.
    pub(crate) fn ask(ledger: &Path, asked: Asked) -> io::Result<Option<Self>> {
        match near(&socket_of(ledger), |short| UnixStream::connect(short)) {
            Ok(from) => {
                from.set_read_timeout(Some(PATIENCE))?;
                from.set_write_timeout(Some(PATIENCE))?;
                (&from).write_all(&asked.to_bytes())?;
                Ok(Some(Self { from, left: 0, end: Arc::default() }))
            }
            Err(error) => match error.kind() {
                // A socket that nobody listens on was left by a process that was killed.
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Where the last block's number will stand when everything was read.
    pub(crate) fn end(&self) -> Arc<Mutex<Option<u64>>> {
        self.end.clone()
    }

    fn size(&mut self) -> io::Result<u64> {
        let mut size = [0; 4];
        self.from.read_exact(&mut size)?;
        Ok(u64::from(u32::from_be_bytes(size)))
    }

    fn finish(&mut self) -> io::Result<()> {
        let size = self.size()?;
        let mut text = Vec::new();
        (&self.from).take(size).read_to_end(&mut text)?;
        let end: End = serde_json::from_slice(&text)?;
        if let Some(error) = end.error {
            return Err(io::Error::other(error));
        }
        *locked(&self.end) = Some(end.block);
        Ok(())
    }
}

impl Read for Archive {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            if locked(&self.end).is_some() {
                return Ok(0);
            }
            self.left = self.size()?;
            if self.left == 0 {
                self.finish()?;
                return Ok(0);
            }
        }
        let count = (&self.from).take(self.left).read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(length(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_what_is_understood() {
        let piece = |first, bytes| Asked::Piece { first, bytes };
        for asked in [Asked::All, piece(1, 0), piece(7, 64 << 20), piece(u64::MAX, u64::MAX)] {
            assert_eq!(Asked::read(asked.to_bytes()), asked);
        }
    }
}
