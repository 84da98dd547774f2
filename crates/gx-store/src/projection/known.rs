//! Accounts that the projector remembers from one transaction to the next.
//!
//! It is their only writer, so that what it wrote is what stands there, as long as the checkpoint
//! is the one it left. It must not be trusted beyond that: every posting is compared with it.

use std::collections::HashMap;

use gx_types::AccountId;

use crate::projection::checkpoint::Checkpoint;
use crate::projection::state::AccountState;

/// Accounts remembered at most, about 30 MB of them.
const ACCOUNTS_MAX: usize = 1 << 18;

/// Accounts as an applied block has left them.
#[derive(Debug, Default)]
pub struct Known {
    /// The block that left them so; `None` when nothing is remembered.
    at: Option<Checkpoint>,
    accounts: HashMap<AccountId, AccountState>,
    /// From which balance on the velocity tax is for, then.
    tax_threshold: Option<i64>,
}

impl Known {
    /// What holds at a checkpoint: everything, or nothing when it was left by somebody else.
    pub(super) fn at(self, checkpoint: Option<Checkpoint>) -> Self {
        if self.at.is_some() && self.at == checkpoint { self } else { Self::default() }
    }

    pub(super) fn get(&self, id: &AccountId) -> Option<AccountState> {
        self.accounts.get(id).copied()
    }

    pub(super) fn tax_threshold(&self) -> Option<i64> {
        self.tax_threshold
    }

    /// Remembers accounts as the block of the checkpoint leaves them.
    pub(super) fn learn(
        &mut self,
        checkpoint: Checkpoint,
        tax_threshold: i64,
        accounts: HashMap<AccountId, AccountState>,
    ) {
        self.at = Some(checkpoint);
        self.tax_threshold = Some(tax_threshold);
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
