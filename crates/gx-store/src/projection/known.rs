//! Accounts that the projector remembers from one transaction to the next.
//!
//! It is their only writer, so that what it wrote is what stands there, as long as the checkpoint
//! is the one it left. It must not be trusted beyond that: every posting is compared with it.

use std::collections::HashMap;

use gx_types::AccountId;

use crate::projection::checkpoint::Checkpoint;
use crate::projection::state::{AccountState, Taxation};

/// Accounts remembered at most, about 30 MB of them.
const ACCOUNTS_MAX: usize = 1 << 18;

/// Accounts as an applied block has left them.
#[derive(Debug, Default)]
pub struct Known {
    /// The block that left them so; `None` when nothing is remembered.
    at: Option<Checkpoint>,
    accounts: HashMap<AccountId, AccountState>,
    /// What timers go by, then.
    taxation: Option<Taxation>,
}

impl Known {
    /// What holds at a checkpoint: everything, or nothing when it was left by somebody else.
    pub(super) fn at(self, checkpoint: Option<Checkpoint>) -> Self {
        if self.at.is_some() && self.at == checkpoint { self } else { Self::default() }
    }

    pub(super) fn get(&self, id: &AccountId) -> Option<AccountState> {
        self.accounts.get(id).copied()
    }

    pub(super) fn taxation(&self) -> Option<Taxation> {
        self.taxation
    }

    /// Remembers accounts as the block of the checkpoint leaves them.
    pub(super) fn learn(
        &mut self,
        checkpoint: Checkpoint,
        taxation: Taxation,
        accounts: HashMap<AccountId, AccountState>,
    ) {
        self.at = Some(checkpoint);
        self.taxation = Some(taxation);
        if self.accounts.len().saturating_add(accounts.len()) > ACCOUNTS_MAX {
            self.accounts.clear();
        }
        if accounts.len() <= ACCOUNTS_MAX {
            let left = |(id, state)| {
                (id, AccountState { new: None, touched: false, retimed: false, ..state })
            };
            self.accounts.extend(accounts.into_iter().map(left));
        }
    }
}
