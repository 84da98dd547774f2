//! SmartContract: what is known of commands, whichever contract they belong to, and of the whole.

use gx_types::{BatchId, CommandId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::params::ParametersDigest;
use crate::query::Answer;
use crate::state::{Clock, CommandOutcome, Key, State};
use crate::tx::Stop;
use crate::{BodyHash, Refused};

/// Of the contract of this build.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The one outcome of a command, or nothing when the ledger has not seen its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetCommandOutcome {
    pub command_id: CommandId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordedOutcome {
    /// Hash of actor and command: the first 128 bits of BLAKE3.
    pub body: BodyHash,
    pub batch_id: BatchId,
    /// Time of the batch.
    pub time: TimeMs,
    pub applied: bool,
    pub refused: Option<Refused>,
}

impl Answer for GetCommandOutcome {
    type Answer = Option<RecordedOutcome>;

    fn answer(&self, state: &mut State) -> Result<Option<RecordedOutcome>, Stop> {
        let outcome: Option<CommandOutcome> = state.get(Key::Outcome(self.command_id))?;
        Ok(outcome.map(|CommandOutcome { body, batch_id, time, refused, .. }| RecordedOutcome {
            body,
            batch_id,
            time,
            applied: refused.is_none(),
            refused: refused.map(|refused| *refused),
        }))
    }
}

/// Which contract runs here, by which parameters, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetContractInfo {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContractInfo {
    /// Of the contract that answers.
    pub version: &'static str,
    /// Equal on two ledgers exactly if all parameters are.
    pub parameters_digest: ParametersDigest,
    /// Time of the last batch; absent before the first.
    pub last_batch_at: Option<TimeMs>,
}

impl Answer for GetContractInfo {
    type Answer = ContractInfo;

    fn answer(&self, state: &mut State) -> Result<ContractInfo, Stop> {
        state.load([Key::Clock, Key::Parameters])?;
        let clock: Option<Clock> = state.get(Key::Clock)?;
        Ok(ContractInfo {
            version: VERSION,
            parameters_digest: state.params()?.digest(),
            last_batch_at: clock.map(|clock| clock.last_batch_at),
        })
    }
}
