//! Verification: every byte of a backup is read again and held against its checksums.

use std::io::{self, Write};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use crate::manifest::{How, Proof};
use crate::source::hex;
use crate::state::{Action, Lock};
use crate::time::now_ms;
use crate::{Error, Plan, Repo};

/// Verifies a backup, `latest` or an id. What is wrong with it, in words; when nothing is, that is
/// written down as a proof. Returns the id as well.
///
/// # Errors
/// When the repository cannot be read; [`Error::NoBackup`].
pub fn verify(plan: &Plan, asked: &str) -> Result<(String, Vec<String>), Error> {
    let lock = Lock::take(plan)?;
    let mut found = (String::new(), Vec::new());
    let noted = lock.note(plan, Action::Verify, || {
        let began = Instant::now();
        let repo = Repo::open(plan)?;
        let backup = repo.backup(asked)?;
        found.0.clone_from(&backup.manifest.id);
        plan.progress.begin("reading every piece", 0);
        found.1 = repo.check(&backup)?;
        if found.1.is_empty() {
            let reading = repo.to_read()?;
            let summed = backup.manifest.parts.iter().filter(|part| part.sha256.is_some());
            let bytes = summed.map(|part| part.bytes).fold(0, u64::saturating_add);
            plan.progress.begin("adding up", bytes);
            for part in &backup.manifest.parts {
                let Some(expected) = &part.sha256 else { continue };
                plan.progress.name(&format!("adding up {}", part.name));
                let mut sink = Sum(Sha256::new());
                reading.part(&backup, &part.name, &mut sink)?;
                if hex(sink.0.finalize().as_slice()) != *expected {
                    found.1.push(format!("{} is not what was captured", part.name));
                }
            }
        }
        if let Some(first) = found.1.first() {
            return Err(Error::Repository {
                location: repo.location(),
                what: "find everything in order",
                reason: first.clone(),
            });
        }
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let backup = backup.manifest.id;
        repo.prove(&Proof { backup, how: How::Verified, at_ms: now_ms(), took_ms })
    });
    match noted {
        // It was able to look; what it found is the answer.
        Err(_) if !found.1.is_empty() => Ok(found),
        noted => noted.map(|()| found),
    }
}

/// Adds up and keeps nothing.
struct Sum(Sha256);

impl Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
