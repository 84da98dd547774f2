//! What a court or an estate orders: coins leave an account without its holder.
//!
//! Two super admins carry an order out, and the hash of its document stands on the ledger. Nothing
//! else moves coins of an account that has a key but the key.

use gx_types::{AccountId, Amount, Role};
use serde::{Deserialize, Serialize};

use super::actions::deciding;
use super::declared::OwnAccount;
use crate::gates::{ActorRule, Gate};
use crate::hex_text;
use crate::identity::AccountStatus;
use crate::organization::Organization;
use crate::posting::Posting;
use crate::state::{AccountKind, Admin, Key};
use crate::tax_and_fee::settle_tax;
use crate::tokenomics::check_payee;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// SHA-256 of the document that orders something; written as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderHash([u8; 32]);

impl OrderHash {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

hex_text!(OrderHash, 32, "64 lower-case hexadecimal digits");

/// What an order rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderReason {
    /// A judgement; the account is frozen.
    CourtOrder,
    /// What somebody who is deceased has left.
    Estate,
    /// Coins that came there by mistake; the account is frozen.
    ErrorCorrection,
}

/// Moves coins from an account without its holder. Two super admins decide on it. There is no fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferByOrder {
    /// A frozen account, or for `ESTATE` that of somebody deceased; never a pool or treasury.
    pub from: AccountId,
    /// Not the account of one of the two admins or of an organization of theirs, and of the pools
    /// only those that anybody may pay into.
    pub to: AccountId,
    pub amount: Amount,
    pub order_hash: OrderHash,
    pub reason: OrderReason,
}

/// Coins were moved by order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferredByOrder {
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    pub order_hash: OrderHash,
    pub reason: OrderReason,
    pub postings: Vec<Posting>,
}

impl Effects for TransferredByOrder {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// The admins who decide have said which account is theirs, and it is not this one, nor one of an
/// organization that they are a stakeholder of.
pub(crate) fn check_recipient(tx: &mut Tx<'_>, recipient: &AccountId) -> Result<(), Stop> {
    let admins = deciding(tx);
    tx.state.load(admins.iter().map(|id| Key::Admin(*id)))?;
    let mut own = Vec::with_capacity(admins.len());
    for id in admins {
        let admin: Option<Admin> = tx.state.get(Key::Admin(id))?;
        match admin.map(|admin| admin.account_id).unwrap_or_default() {
            OwnAccount::Unsaid => return Err(Refusal::AdminAccountUnsaid.into()),
            OwnAccount::Absent => {}
            OwnAccount::Of(account) => own.push(account),
        }
    }
    if own.contains(recipient) {
        return Err(Refusal::RecipientIsAdmin.into());
    }
    let kind = tx.state.account(recipient)?.map(|account| account.kind);
    if kind != Some(AccountKind::Organization) {
        return Ok(());
    }
    let organization: Option<Organization> = tx.state.get(Key::Organization(*recipient))?;
    let theirs = organization.is_some_and(|organization| {
        own.iter().any(|account| organization.stakeholders.contains(account))
    });
    if theirs { Err(Refusal::RecipientIsAdmin.into()) } else { Ok(()) }
}

impl Rule for TransferByOrder {
    const GATE: Gate =
        Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin).by_two_admins().even_to_frozen();
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::CounterpartyDeceased,
        Refusal::AmountZero,
        Refusal::SameAccount,
        Refusal::RecipientNotAllowed,
        Refusal::PayerNotAllowed,
        Refusal::AdminAccountUnsaid,
        Refusal::RecipientIsAdmin,
        Refusal::NotDeceased,
        Refusal::NotFrozen,
        Refusal::AmountOverflow,
        Refusal::InsufficientBalance,
    ];
    const EVENTS: &[&str] = &["VelocityTaxApplied", "TransferredByOrder"];

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.to)
    }

    fn validate(&self) -> Result<(), Refused> {
        if self.amount.is_zero() {
            return Err(Refusal::AmountZero.into());
        }
        if self.from == self.to {
            return Err(Refusal::SameAccount.into());
        }
        check_payee(&self.to)?;
        if self.from.is_reserved() {
            return Err(Refusal::PayerNotAllowed.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        tx.state.load([Key::Account(self.from), Key::Account(self.to)])?;
        let account = tx.state.existing_account(&self.from)?;
        check_recipient(tx, &self.to)?;
        let is_deceased = account.status == AccountStatus::Deceased;
        match self.reason {
            OrderReason::Estate if !is_deceased => return Err(Refusal::NotDeceased.into()),
            OrderReason::CourtOrder | OrderReason::ErrorCorrection if !account.is_frozen() => {
                return Err(Refusal::NotFrozen.into());
            }
            OrderReason::Estate | OrderReason::CourtOrder | OrderReason::ErrorCorrection => {}
        }
        settle_tax(tx, &self.from, &account)?;
        tx.debit(&self.from, self.amount)?;
        tx.credit(&self.to, self.amount)?;
        let postings = tx.take_postings();
        let Self { from, to, amount, order_hash, reason } = *self;
        tx.emit(TransferredByOrder { from, to, amount, order_hash, reason, postings });
        Ok(())
    }
}
