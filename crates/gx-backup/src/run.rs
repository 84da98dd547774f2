//! A run: captures every part, looks whether it is there, and writes the manifest last.

use crate::manifest::{Heights, Kind, Manifest, Part, VERSION};
use crate::parts::{Capture, database, folder, ledger, output};
use crate::plan::LEDGER;
use crate::source::hex;
use crate::state::{Action, Lock, State};
use crate::time::{now_ms, stamp};
use crate::{Error, Plan, Platform, Repo};

/// A backup that was made.
#[derive(Debug, Clone)]
pub struct Ran {
    pub manifest: Manifest,
    pub took_ms: u64,
}

/// Makes a backup. `tell` is called with the name of each part before it is captured.
///
/// # Errors
/// The first part that was not captured, with its reason; nothing counts as a backup then.
pub fn run(plan: &Plan, platform: &Platform, tell: &dyn Fn(&str)) -> Result<Ran, Error> {
    plan.check_against(platform)?;
    let lock = Lock::take(plan)?;
    lock.note(plan, Action::Run, || {
        let repo = Repo::open(plan)?;
        let started_at_ms = now_ms();
        let expected = State::read(plan)?.captured_bytes.unwrap_or(0);
        plan.progress.begin("reading the index", expected);
        let tell = |part: &str| {
            plan.progress.name(part);
            tell(part);
        };
        let manifest = capture(plan, platform, &repo, started_at_ms, &tell)?;
        let state = State { captured_bytes: Some(manifest.bytes()), ..State::read(plan)? };
        state.write(plan)?;
        let took = manifest.finished_at_ms.saturating_sub(started_at_ms);
        Ok(Ran { manifest, took_ms: u64::try_from(took).unwrap_or(0) })
    })
}

fn capture(
    plan: &Plan,
    platform: &Platform,
    repo: &Repo,
    started_at_ms: i64,
    tell: &dyn Fn(&str),
) -> Result<Manifest, Error> {
    let writing = repo.to_write()?;
    let id = new_id(started_at_ms);
    let to = Capture { to: &writing, backup: &id };
    let mut parts = Vec::new();
    tell(crate::DATABASE);
    // Before the ledger: what the database holds of it must be in the ledger's part.
    let database::Captured { part, from, to: upto } =
        database::capture(&to, platform, &plan.postgres)?;
    parts.push(part);
    let mut heights = Heights { database_from: from, database_to: upto, ledger: 0 };
    if let Some((file, _)) = &platform.ledger {
        tell(LEDGER);
        let (part, last) = ledger::capture(&to, file)?;
        if last < upto {
            let reason = format!("it ends at block {last}, the database stands at {upto}");
            return Err(Error::not_captured(LEDGER, reason));
        }
        parts.push(part);
        heights.ledger = last;
    }
    for folder in platform.folders.iter().chain(&plan.folders) {
        tell(&folder.name);
        parts.extend(folder::capture(&to, folder)?);
    }
    for output in &plan.outputs {
        tell(&output.name);
        parts.push(output::capture(&to, output)?);
    }
    tell("what was written");
    let reading = repo.to_read()?;
    for part in &mut parts {
        let (files, bytes) = reading.listed(part)?;
        // Files that did not change are not read again; they count as the repository lists them.
        let same = match part.kind {
            Kind::Folder => files == part.files,
            _ => (files, bytes) == (part.files, part.bytes),
        };
        if !same {
            let Part { files: had, bytes: of, .. } = part;
            let reason =
                format!("the repository lists {files} files of {bytes} bytes, not {had} of {of}");
            return Err(Error::not_captured(&part.name, reason));
        }
        part.bytes = bytes;
    }
    let manifest = Manifest {
        version: VERSION,
        id: id.clone(),
        network: platform.network.as_str().to_owned(),
        host: host(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        started_at_ms,
        finished_at_ms: now_ms(),
        parts,
        heights,
    };
    writing.manifest(&manifest)?;
    Ok(manifest)
}

/// The name of this machine.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().to_owned()
}

/// Ids are in the order of their times, and those of one second differ.
fn new_id(at_ms: i64) -> String {
    use sha2::Digest as _;
    let nanos = jiff::Timestamp::now().as_nanosecond();
    let seed = format!("{} {} {nanos}", host(), std::process::id());
    let digest = hex(sha2::Sha256::digest(seed).as_slice());
    format!("{}-{}", stamp(at_ms), digest.get(..8).unwrap_or_default())
}
