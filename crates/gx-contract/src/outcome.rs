//! What became of a batch: the one event of its transaction, and the projector's only input.

use gx_types::{BatchId, CommandId, TimeMs};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize};

use crate::state::Version;
use crate::{Event, Refused};

/// The outcomes of a batch, in the order of its commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchRecord {
    pub version: Version<1>,
    pub batch_id: BatchId,
    /// The batch's time: the engine's, raised to that of the batch before.
    pub time: TimeMs,
    pub results: Vec<CommandResult>,
}

/// The outcome of one command: `{commandId, applied}`, `{commandId, refused}` or
/// `{commandId, repeated}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct CommandResult {
    pub command_id: CommandId,
    pub outcome: Outcome,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out, with these events.
    Applied(Vec<Event>),
    /// It changed nothing, and this is why.
    Refused(Refused),
    /// It had its outcome in an earlier batch; nothing happened now.
    Repeated(Repeated),
}

/// The first outcome of a command that came again. Its events stand in that batch's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Repeated {
    pub batch_id: BatchId,
    /// Time of that batch.
    pub time: TimeMs,
    /// Why it was refused then; absent when it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

impl Serialize for CommandResult {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("CommandResult", 2)?;
        fields.serialize_field("commandId", &self.command_id)?;
        match &self.outcome {
            Outcome::Applied(events) => fields.serialize_field("applied", events)?,
            Outcome::Refused(refused) => fields.serialize_field("refused", refused)?,
            Outcome::Repeated(repeated) => fields.serialize_field("repeated", repeated)?,
        }
        fields.end()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fields {
    command_id: CommandId,
    applied: Option<Vec<Event>>,
    refused: Option<Refused>,
    repeated: Option<Repeated>,
}

impl TryFrom<Fields> for CommandResult {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        let outcome = match (fields.applied, fields.refused, fields.repeated) {
            (Some(events), None, None) => Outcome::Applied(events),
            (None, Some(refused), None) => Outcome::Refused(refused),
            (None, None, Some(repeated)) => Outcome::Repeated(repeated),
            _ => return Err("exactly one of applied, refused and repeated expected"),
        };
        Ok(Self { command_id: fields.command_id, outcome })
    }
}
