//! Where backups stand: what there is, what is proved, what is missing.

use crate::manifest::How;
use crate::repository::Contents;
use crate::state::{Action, State};
use crate::{Backup, Error, Plan, Repo};

/// Everything that is known of the backups of a platform.
#[derive(Debug, Clone)]
pub struct Status {
    /// Oldest first.
    pub backups: Vec<Backup>,
    pub state: State,
    /// Room at the target; `None` where it cannot say, as S3 cannot.
    pub space: Option<Space>,
    /// What an operator has to do something about.
    pub warnings: Vec<String>,
    pub now_ms: i64,
}

/// Room at a target, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    pub available: u64,
    pub size: u64,
}

const HOUR_MS: i64 = 3600 * 1000;

/// Looks at repository and notes.
///
/// # Errors
/// When either cannot be read.
pub fn status(plan: &Plan) -> Result<Status, Error> {
    let repo = Repo::open(plan)?;
    let Contents { backups, damaged, .. } = repo.contents()?;
    let (now_ms, state, space) = (crate::time::now_ms(), State::read(plan)?, repo.space());
    let mut status = Status { backups, state, space, warnings: Vec::new(), now_ms };
    let damaged = damaged.into_iter().map(|what| format!("can't be read: {what}"));
    status.warnings = damaged.chain(warnings(&status, plan)).collect();
    Ok(status)
}

impl Status {
    pub fn newest(&self) -> Option<&Backup> {
        self.backups.last()
    }

    /// The time of the last proof of that kind.
    pub fn last(&self, how: How) -> Option<i64> {
        self.backups.iter().filter_map(|backup| backup.proved(how)).max()
    }

    /// How long the last drill's restore took.
    pub fn recovery_time_ms(&self) -> Option<u64> {
        let drills = self.backups.iter().flat_map(|backup| &backup.proofs);
        let drills = drills.filter(|proof| proof.how == How::Drilled);
        drills.max_by_key(|proof| proof.at_ms).map(|proof| proof.took_ms)
    }
}

/// A target with less room than this part of it is nearly full.
const TENTH: u64 = 10;

fn warnings(status: &Status, plan: &Plan) -> Vec<String> {
    let mut warnings = Vec::new();
    let proof = &plan.proof;
    for action in [Action::Run, Action::Verify, Action::Drill, Action::Prune] {
        let failure = status.state.newest.get(&action).and_then(|outcome| outcome.failure());
        if let Some(failure) = failure {
            warnings.push(format!("the newest {} failed: {failure}", action.as_str()));
        }
    }
    match status.newest() {
        None => warnings.push("there is no backup".to_owned()),
        Some(newest) => {
            let age = status.now_ms.saturating_sub(newest.manifest.started_at_ms);
            let most = proof.recovery_point_hours;
            if age > i64::from(most).saturating_mul(HOUR_MS) {
                let hours = age.checked_div(HOUR_MS).unwrap_or(0);
                warnings.push(format!("the newest backup is {hours} hours old, more than {most}"));
            }
        }
    }
    let days = i64::from(proof.drill_days).saturating_mul(24).saturating_mul(HOUR_MS);
    match status.last(How::Drilled) {
        None => warnings.push(
            "no backup was ever restored: whether the keys and the repository are of use is not \
             known; gx backup drill finds out"
                .to_owned(),
        ),
        Some(at) if status.now_ms.saturating_sub(at) > days => {
            let most = proof.drill_days;
            warnings.push(format!("the last drill is more than {most} days ago"));
        }
        Some(_) => {}
    }
    if let Some(took) = status.recovery_time_ms() {
        let most = u64::from(proof.recovery_time_minutes);
        if took > most.saturating_mul(60_000) {
            let minutes = took.checked_div(60_000).unwrap_or(0);
            warnings.push(format!("the last drill took {minutes} minutes, more than {most}"));
        }
    }
    if let Some(Space { available, size }) = status.space
        && available < size.checked_div(TENTH).unwrap_or(0)
    {
        let mega = available.checked_div(1_000_000).unwrap_or(0);
        warnings.push(format!("the target has {mega} MB left, less than a tenth of its room"));
    }
    if status.state.sheet_printed_at_ms.is_none() {
        warnings.push("the recovery sheet was never printed here".to_owned());
    }
    warnings
}
