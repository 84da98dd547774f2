//! Plans: what would be changed, object by object, why, what becomes of everything that depends on
//! it, how it is taken back, and what has to hold before the next step.
//!
//! Pure: a plan is made from a snapshot, a request and the time, and always the same of the same.
//! It changes nothing; `acts` does, after it has made the same plan again from the facts as they
//! are then. No plan is made that one of the refusals (`refusals`) forbids.

mod action;
mod acts;
mod advance;
mod build;
#[cfg(test)]
mod by_hand;
mod refusals;
#[cfg(test)]
mod tests;
mod text;

use serde::{Deserialize, Serialize};

pub use action::{
    Action, Check, Effect, Exact, Holder, NEXT, PREVIOUS, Progress, REPLICAS_BEFORE, Stage,
};
pub use acts::clean::Clean;
pub use advance::advance;
pub use build::make;
pub(crate) use build::{judge, parts_of};
pub use refusals::{OLD, REFUSALS, Refused};
pub use text::{render, render_steps};

use crate::facts::{Fact, Time};
use crate::questions::NameError;

/// Version of a plan's form.
pub const PLAN_VERSION: u32 = 1;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Request {
    Clean(Clean),
    Scale {
        workload: String,
        replicas: u32,
    },
    Cordon {
        node: String,
    },
    Uncordon {
        node: String,
    },
    Drain {
        node: String,
    },
    Label {
        node: String,
        key: String,
        value: Option<String>,
    },
    Restart {
        workloads: Vec<String>,
        at_once: usize,
        settle_seconds: u64,
    },
    EtcdRemove {
        member: String,
    },
    EtcdAdd {
        node: String,
        even: bool,
    },
    ImagesDistribute {
        image: Option<String>,
    },
    SecretsRotate {
        environment: String,
        service: String,
    },
    StorageMigrate {
        workload: String,
        class: String,
    },
    /// To the server in this pod.
    PostgresSwitchover {
        to: String,
    },
}

/// A fact that a plan stands on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stand {
    pub what: String,
    pub is: String,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Step {
    pub number: usize,
    /// What it does, in words.
    pub title: String,
    pub action: Action,
    pub why: String,
    /// What happens to what depends on it.
    pub dependants: Vec<String>,
    /// Commands that take it back, or why there are none.
    pub rollback: Vec<String>,
    pub check: Check,
    /// Seconds within which the check has to hold.
    pub within: u64,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Plan {
    pub version: u32,
    /// Hash over the request, the steps with their objects, and the facts it stands on.
    pub id: String,
    /// UID of the namespace `kube-system`.
    pub cluster: Option<String>,
    pub request: Request,
    /// When the facts were collected that it was made from.
    pub made: Time,
    /// The network whose name has to be typed before it is applied.
    pub network: Option<String>,
    /// Parts of the snapshot without which it cannot be made.
    pub needs: Vec<Fact>,
    pub stands_on: Vec<Stand>,
    pub steps: Vec<Step>,
    pub notes: Vec<String>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Refused(Refused),
    /// It cannot be done, whoever asks.
    #[error("{0}")]
    Cannot(String),
    /// It is so already.
    #[error("there is nothing to do: {0}")]
    Nothing(String),
}

/// A text that is no plan of this version.
#[derive(Debug, thiserror::Error)]
pub enum PlanReadError {
    #[error("this is no plan")]
    Json(#[from] serde_json::Error),
    #[error("a plan of version {0} cannot be read, only one of version {PLAN_VERSION}")]
    Version(u32),
    #[error("the plan was changed after it was made: its id is not that of its content")]
    Changed,
}

impl Plan {
    /// Reads one, and sees that it is as it was made.
    ///
    /// # Errors
    /// When it is none, one of another version, or one that somebody has edited.
    pub fn parse(text: &str) -> Result<Self, PlanReadError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let Head { version } = serde_json::from_str(text)?;
        if version != PLAN_VERSION {
            return Err(PlanReadError::Version(version));
        }
        let plan: Self = serde_json::from_str(text)?;
        if plan.id != plan.hash() {
            return Err(PlanReadError::Changed);
        }
        Ok(plan)
    }

    /// Its text: JSON, always the same for the same plan.
    ///
    /// # Errors
    /// Never for a plan that was made or read.
    pub fn to_text(&self) -> Result<String, PlanReadError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// What is different in another plan for the same request, line by line.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        for stand in &self.stands_on {
            match now.stands_on.iter().find(|other| other.what == stand.what) {
                Some(other) if other.is == stand.is => {}
                Some(other) => {
                    lines.push(format!("{}: {}, was {}", stand.what, other.is, stand.is));
                }
                None => lines.push(format!("{}: nothing of it is known any more", stand.what)),
            }
        }
        let is_new = |other: &&Stand| !self.stands_on.iter().any(|one| one.what == other.what);
        let new = now.stands_on.iter().filter(is_new);
        lines.extend(new.map(|other| format!("{}: {}, which is new", other.what, other.is)));
        let steps = |plan: &Self| -> Vec<String> {
            plan.steps.iter().map(|step| step.title.clone()).collect()
        };
        let (then, now_steps) = (steps(self), steps(now));
        if then != now_steps {
            let gone = then.iter().filter(|one| !now_steps.contains(one));
            lines.extend(gone.map(|one| format!("not to be done any more: {one}")));
            let new = now_steps.iter().filter(|one| !then.contains(one));
            lines.extend(new.map(|one| format!("to be done as well now: {one}")));
        }
        lines
    }
}
