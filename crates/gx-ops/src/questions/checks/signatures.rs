//! Who has signed for what: a file that people write, by name.
//!
//! A signature answers for what only a person can know, or closes a phase. It never makes a check
//! pass that failed or is not known.

use serde::Deserialize;

use super::{Judge, PHASES};

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    pub phase: u8,
    /// The check that it answers for; none: the phase is signed off.
    #[serde(default)]
    pub check: Option<String>,
    pub name: String,
    pub role: String,
    /// Day, such as `2026-11-30`.
    pub on: String,
}

/// A file of signatures that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    #[error("this is no file of signatures")]
    Toml(#[from] toml::de::Error),
    #[error("the signature of {0} for phase {1} gives no {2}")]
    Empty(String, u8, &'static str),
    #[error("the signature of {0} for phase {1} is of no day such as 2026-11-30")]
    Day(String, u8),
    #[error("there is no phase {0}")]
    NoPhase(u8),
    #[error("phase {0} has no check {1} that a person answers for")]
    NoCheck(u8, String),
}

/// All signatures of a file.
#[derive(Debug, Clone, Default)]
pub struct Signatures(Vec<Signature>);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    signature: Vec<Signature>,
}

impl Signature {
    pub(super) fn told(&self) -> String {
        format!("{}, {}, on {}", self.name, self.role, self.on)
    }
}

impl Signatures {
    /// Reads a file, in TOML: `[[signature]]` with `phase`, `name`, `role`, `on`, and `check` for
    /// one that answers for a check.
    ///
    /// # Errors
    /// When one names no phase, no check that people answer for, nobody, or no day.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let file: File = toml::from_str(text)?;
        for one in &file.signature {
            let phase = PHASES.iter().find(|phase| phase.number == one.phase);
            let phase = phase.ok_or(SignatureError::NoPhase(one.phase))?;
            for (field, text) in [("name", &one.name), ("role", &one.role)] {
                if text.trim().is_empty() {
                    return Err(SignatureError::Empty(one.name.clone(), one.phase, field));
                }
            }
            if one.on.parse::<jiff::civil::Date>().is_err() {
                return Err(SignatureError::Day(one.name.clone(), one.phase));
            }
            let people = phase.checks.iter().filter(|it| matches!(it.judge, Judge::Person));
            if let Some(check) = &one.check
                && !people.into_iter().any(|it| it.id == check)
            {
                return Err(SignatureError::NoCheck(one.phase, check.clone()));
            }
        }
        Ok(Self(file.signature))
    }

    pub(super) fn of(&self, phase: u8) -> Vec<&Signature> {
        self.0.iter().filter(|one| one.phase == phase).collect()
    }
}
