//! Finds out whether a ledger is what its commands make it: every block is executed again and
//! compared, then the stored state and the index of outcomes with what came out.
//!
//! It changes nothing and needs no private key.

use std::path::Path;
use std::sync::Arc;

use gx_types::{CommandId, NetworkId};

use crate::error::Fault;
use crate::executor::Executor;
use crate::key::PublicKey;
use crate::ledger::Ledger;
use crate::pending::Limits;
use crate::replay::Replay;
use crate::snapshot::Snapshot;
use crate::store::{BlockReader, Head, Identity, Place, Store, guard};
use crate::{Error, Tip};

/// What the verifier knows of the ledger from elsewhere. Whoever can write the file could have
/// made it anew as a whole, with a key of their own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    pub network: Option<NetworkId>,
    /// The node's key.
    pub node: Option<PublicKey>,
    /// A block that is known to exist, such as the last one that a reader has applied.
    pub block: Option<(u64, crate::Hash)>,
}

/// How far the verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Blocks executed so far.
    pub blocks: u64,
    pub of: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The last block that was found good, with everything before it.
    pub tip: Tip,
    /// Commands in the good blocks.
    pub commands: u64,
    /// The first thing that is wrong; `None` when the ledger is good.
    pub problem: Option<Problem>,
}

/// A block and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("block {block}: {fault}")]
pub struct Problem {
    pub block: u64,
    pub fault: Fault,
}

/// Verifies the ledger in a file that no process has open.
///
/// # Errors
/// When the file cannot be opened as a ledger, or is not the one that is expected.
pub fn verify(
    path: &Path,
    expected: &Expected,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, Error> {
    let store = Store::open(path, 32 << 20)?;
    let (identity, head) = guard(path, || Ok((store.identity()?, store.head()?)))?;
    check_expected(path, &identity, expected)?;
    let store = Arc::new(store);
    let mut report = verify_file(&store, identity, head, expected, progress)?;
    if report.problem.is_none()
        && let Some(mut store) = Arc::into_inner(store)
        && !store.checksums_match()?
    {
        report.problem = Some(Problem { block: report.tip.number, fault: Fault::Checksums });
    }
    Ok(report)
}

fn check_expected(path: &Path, identity: &Identity, expected: &Expected) -> Result<(), Error> {
    let path = path.to_owned();
    let found = identity.origin.network;
    if let Some(network) = expected.network.filter(|network| *network != found) {
        return Err(Error::Network { path, found, expected: network });
    }
    let recorded = identity.current();
    if let Some(given) = expected.node.filter(|key| *key != recorded) {
        return Err(Error::ForeignKey { path, recorded, given });
    }
    Ok(())
}

fn verify_file(
    store: &Arc<Store>,
    identity: Identity,
    head: Head,
    expected: &Expected,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, Error> {
    let reader = guard(&store.path, || BlockReader::new(store, &store.read()?))?;
    let mut check = Check::new(identity, head);
    let mut found = check.blocks(&reader, expected, progress);
    if found.is_none() {
        let last = reader.ends(store)?.map(|(_, last)| last);
        if last.unwrap_or_default() > head.tip.number {
            found = Some(check.problem(Fault::Beyond));
        }
    }
    if found.is_none() {
        found = guard(&store.path, || {
            let executor = Executor::load(store.clone(), Limits::default(), head.tip.number)?;
            check.state(&executor.snapshot(head.tip)?, &|ids| executor.places(ids))
        })
        .unwrap_or_else(|error| Some(check.unreadable(&error)));
    }
    Ok(check.report(found))
}

impl Ledger {
    /// Verifies the ledger up to its present tip, while it goes on working.
    ///
    /// # Errors
    /// When the state cannot be read at all.
    pub fn verify(
        &self,
        expected: &Expected,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, Error> {
        check_expected(self.path(), self.identity(), expected)?;
        let (snapshot, head, reader) = self.freeze()?;
        let identity = self.identity().clone();
        let mut check = Check::new(identity, head);
        let mut found = check.blocks(&reader, expected, progress);
        if found.is_none() {
            found = guard(self.path(), || check.state(&snapshot, &|ids| self.places(ids)))
                .unwrap_or_else(|error| Some(check.unreadable(&error)));
        }
        Ok(check.report(found))
    }
}

/// Looks up where the outcomes of command ids stand.
type Places<'p> = &'p dyn Fn(&[u128]) -> Result<Vec<Option<Place>>, Error>;

struct Check {
    replay: Replay,
    /// Where the ledger says that it stands.
    head: Head,
    commands: u64,
    time: gx_types::TimeMs,
}

impl Check {
    fn new(identity: Identity, head: Head) -> Self {
        let time = identity.origin.created_at;
        Self { replay: Replay::new(identity), head, commands: 0, time }
    }

    fn report(self, problem: Option<Problem>) -> Report {
        let (number, hash) = self.replay.last();
        Report { tip: Tip { number, hash, time: self.time }, commands: self.commands, problem }
    }

    fn problem(&self, fault: Fault) -> Problem {
        Problem { block: self.replay.last().0, fault }
    }

    fn unreadable(&self, error: &Error) -> Problem {
        self.problem(Fault::Unreadable(crate::error::describe(error)))
    }

    fn blocks(
        &mut self,
        reader: &BlockReader,
        expected: &Expected,
        progress: &mut dyn FnMut(Progress),
    ) -> Option<Problem> {
        let of = self.head.tip.number;
        for number in 1..=of {
            let earlier = |number| reader.block(number).map(Arc::new);
            let block = reader.block(number);
            let checked = block.and_then(|block| {
                self.replay.next(&block, &earlier)?;
                Ok(block)
            });
            match checked {
                Ok(block) => {
                    let commands = u64::from(block.header().commands);
                    self.commands = self.commands.saturating_add(commands);
                    self.time = block.header().time;
                }
                Err(fault) => return Some(Problem { block: number, fault }),
            }
            if expected.block.is_some_and(|known| known.0 == number && known != self.replay.last())
            {
                return Some(Problem { block: number, fault: Fault::NotTheKnown });
            }
            progress(Progress { blocks: number, of });
        }
        if let Some((block, _)) = expected.block.filter(|known| known.0 > of) {
            return Some(Problem { block, fault: Fault::Missing });
        }
        let (_, hash) = self.replay.last();
        if hash != self.head.tip.hash
            || self.replay.digest() != self.head.digest
            || self.commands != self.head.commands
        {
            return Some(self.problem(Fault::Head));
        }
        None
    }

    /// Compares the stored state, entry by entry both ways, and where outcomes are found.
    fn state(&self, snapshot: &Snapshot, places: Places<'_>) -> Result<Option<Problem>, Error> {
        let expected = self.replay.state();
        for entry in snapshot.entries()? {
            let (key, value) = entry?;
            if expected.get(&key) != Some(&value) {
                return Ok(Some(self.problem(Fault::StateDiffers(key))));
            }
        }
        for (key, value) in expected {
            if snapshot.get(key)?.as_ref() != Some(value) {
                return Ok(Some(self.problem(Fault::StateDiffers(key.clone()))));
            }
        }
        let mut outcomes: Vec<(u128, Place)> =
            self.replay.outcomes().iter().map(|(id, place)| (*id, *place)).collect();
        outcomes.sort_unstable_by_key(|(id, _)| *id);
        for some in outcomes.chunks(1024) {
            let ids: Vec<u128> = some.iter().map(|(id, _)| *id).collect();
            for (found, (id, place)) in places(&ids)?.into_iter().zip(some) {
                if found != Some(*place) {
                    let id = CommandId::from_u128(*id).to_string();
                    return Ok(Some(Problem { block: place.block(), fault: Fault::Index(id) }));
                }
            }
        }
        Ok(None)
    }
}
