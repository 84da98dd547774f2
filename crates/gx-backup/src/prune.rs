//! Removing backups that nobody needs any more, and the rest of runs that did not end.
//!
//! It is the only thing that removes anything, and it refuses while something is wrong: while the
//! newest run failed, the backups before it are all there is.

use std::collections::BTreeSet;

use crate::manifest::How;
use crate::repository::{Backup, Contents};
use crate::retention::{Facts, reasons};
use crate::state::{Action, Lock, State};
use crate::time::now_ms;
use crate::{Archive, Blocks, DATABASE, Error, Plan, Platform, Repo};

/// What was removed, and what was kept for which reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    pub removed: Vec<String>,
    pub kept: Vec<(String, Vec<String>)>,
    /// Parts of runs that did not come to their end.
    pub swept: usize,
    /// Files of the write-ahead log that come before every base that is kept.
    pub log: usize,
    /// Pieces of the ledger that every backup which is kept holds itself.
    pub blocks: usize,
}

/// The rest of a run elsewhere may still become a backup for so long.
const UNFINISHED_MS: i64 = 24 * 3600 * 1000;

/// Removes what the retention does not keep; with `only_tell`, says what it would remove.
///
/// # Errors
/// [`Error::PruneRefused`] while the newest run failed or no backup was ever verified.
pub fn prune(plan: &Plan, platform: &Platform, only_tell: bool) -> Result<Pruned, Error> {
    let lock = Lock::take(plan)?;
    let work = || {
        let repo = Repo::open(plan)?;
        let Contents { backups, loose, damaged } = repo.contents()?;
        may_prune(plan, &backups, &damaged)?;
        let days = plan.retention.days_on(platform.network);
        let facts: Vec<Facts> = backups.iter().map(facts).collect();
        let now = now_ms();
        let mut done = Pruned::default();
        let (mut gone, mut kept) = (Vec::new(), Vec::new());
        let mut why = reasons(&facts, &plan.retention, days, now);
        for backup in backups {
            let id = backup.manifest.id.clone();
            match why.remove(&id) {
                Some(reasons) if !reasons.is_empty() => {
                    kept.push(backup);
                    done.kept.push((id, reasons.into_iter().map(str::to_owned).collect()));
                }
                _ => {
                    done.removed.push(id);
                    gone.push(backup);
                }
            }
        }
        let old = loose.iter().filter(|rest| {
            rest.time.timestamp().as_millisecond() < now.saturating_sub(UNFINISHED_MS)
        });
        let old: Vec<_> = old.map(|rest| rest.id).collect();
        done.swept = old.len();
        if !only_tell {
            repo.remove(&gone, &old)?;
            repo.free()?;
            done.log = forget_log(plan, &kept)?;
            done.blocks = forget_blocks(plan, &kept)?;
        }
        Ok(done)
    };
    if only_tell { work() } else { lock.note(plan, Action::Prune, work) }
}

/// Removes the log that leads to no base any more. Without a base nothing of it goes.
fn forget_log(plan: &Plan, kept: &[Backup]) -> Result<usize, Error> {
    let begins = kept.iter().filter_map(|backup| backup.manifest.part(DATABASE)?.log.as_ref());
    // The place in the log, without the timeline: what is further on is needed.
    let first = begins.min_by_key(|log| log.first.get(8..).map(str::to_owned));
    let Some(log) = first else { return Ok(0) };
    let archive = Archive::open_made(plan)?;
    archive.map_or(Ok(0), |archive| archive.forget_before(&log.first))
}

/// Removes blocks that the oldest backup which is kept holds itself.
fn forget_blocks(plan: &Plan, kept: &[Backup]) -> Result<usize, Error> {
    let Some(held) = kept.iter().map(|backup| backup.manifest.heights.ledger).min() else {
        return Ok(0);
    };
    let blocks = Blocks::open_made(plan)?;
    blocks.map_or(Ok(0), |blocks| blocks.forget_until(held))
}

fn facts(backup: &Backup) -> Facts {
    let parts: BTreeSet<String> =
        backup.manifest.parts.iter().map(|part| part.name.clone()).collect();
    Facts {
        id: backup.manifest.id.clone(),
        at_ms: backup.manifest.started_at_ms,
        block: backup.manifest.heights.ledger.max(backup.manifest.heights.database_to),
        parts,
        verified: backup.proved(How::Verified).is_some(),
        drilled: backup.proved(How::Drilled).is_some(),
    }
}

fn may_prune(plan: &Plan, backups: &[Backup], damaged: &[String]) -> Result<(), Error> {
    let refused = |reason: String| Err(Error::PruneRefused { reason });
    if let Some(first) = damaged.first() {
        return refused(format!("something in the repository can't be read: {first}"));
    }
    if let Some(newest) = State::read(plan)?.newest.get(&Action::Run)
        && let Some(failure) = newest.failure()
    {
        return refused(format!("the newest run failed: {failure}"));
    }
    let is_proved = |backup: &Backup| !backup.proofs.is_empty();
    if !backups.is_empty() && !backups.iter().any(is_proved) {
        return refused("no backup was ever verified; gx backup verify does it".to_owned());
    }
    Ok(())
}
