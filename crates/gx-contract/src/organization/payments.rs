//! Payments of organizations and active treasuries: initiated by a stakeholder, made at the quorum.

use gx_types::{AccountId, Amount, CountryCode, PendingTxId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::{OpenTx, Organization, Treasury, count, own};
use crate::fees::{Scope, TransferType};
use crate::gates::{ActorRule, Gate};
use crate::identity::AccountStatus;
use crate::posting::Posting;
use crate::state::{Key, Version};
use crate::text::check_text;
use crate::tokenomics::{check_payee, pay};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// How long a payment waits for its approvals.
const OPEN_FOR_DAYS: u32 = 30;

/// Payments that an organization may have open at a time.
const OPEN_MAX: usize = 50;

/// How many of them one stakeholder may have initiated: nobody can clog a company.
const OPEN_BY_ONE_MAX: usize = 10;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PendingTxState {
    /// It waits for approvals, until it expires.
    Pending,
    Executed,
    /// It has its approvals and could not be paid; an approver may try again.
    ExecutionFailed,
    /// Too many were against it.
    Rejected,
    Cancelled,
}

/// A payment with the rule as it was when it was initiated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PendingTx {
    pub v: Version<1>,
    /// The organization that decides.
    pub org_id: AccountId,
    /// The organization's account, or the treasury that it governs.
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    pub required: u8,
    pub approver_group: Vec<AccountId>,
    pub approved_by: Vec<AccountId>,
    pub rejected_by: Vec<AccountId>,
    pub state: PendingTxState,
    /// Why it could not be paid when it was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Refusal>,
    pub initiated_by: AccountId,
    pub expires_at: TimeMs,
}

/// Initiates a payment of an organization, or of the treasury that it governs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InitiateMultiSigTx {
    /// The organization's account or `treasury_<CC>`.
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    /// At most 200 characters, readable by everybody on the ledger.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// A payment waits for its approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxInitiated {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    pub initiated_by: AccountId,
    pub required: u8,
    pub approver_group: Vec<AccountId>,
    /// The initiator, if in the group.
    pub approved_by: Vec<AccountId>,
    pub expires_at: TimeMs,
}

impl Effects for MultiSigTxInitiated {}

/// A payment was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxExecuted {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    pub fee: Amount,
    #[serde(rename = "type")]
    pub kind: TransferType,
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    pub postings: Vec<Posting>,
}

impl Effects for MultiSigTxExecuted {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// A payment has its approvals and could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxExecutionFailed {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub code: Refusal,
}

impl Effects for MultiSigTxExecutionFailed {}

/// The organization that decides on payments from an account.
fn deciding(tx: &mut Tx<'_>, from: &AccountId) -> Result<AccountId, Stop> {
    let country = from.as_str().strip_prefix("treasury_");
    let Some(country) = country.and_then(|code| code.parse::<CountryCode>().ok()) else {
        return Ok(*from);
    };
    let treasury: Option<Treasury> = tx.state.get(Key::Treasury(country))?;
    Ok(treasury.ok_or(Refusal::TreasuryLocked)?.org_id)
}

impl Rule for InitiateMultiSigTx {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::CounterpartyFrozen,
        Refusal::CounterpartyDeceased,
        Refusal::TextInvalid,
        Refusal::AmountZero,
        Refusal::SameAccount,
        Refusal::RecipientNotAllowed,
        Refusal::TreasuryLocked,
        Refusal::OrganizationNotFound,
        Refusal::NotStakeholder,
        Refusal::OrganizationNotActive,
        Refusal::TooManyPending,
        Refusal::TooManyOwnPending,
    ];
    const EVENTS: &[&str] =
        &["MultiSigTxInitiated", "MultiSigTxExecuted", "MultiSigTxExecutionFailed"];

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.to)
    }

    fn validate(&self) -> Result<(), Refused> {
        check_text("remark", &self.remark, 0, 200)?;
        if self.amount.is_zero() {
            return Err(Refusal::AmountZero.into());
        }
        if self.from == self.to {
            return Err(Refusal::SameAccount.into());
        }
        check_payee(&self.to)?;
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let org_id = deciding(tx, &self.from)?;
        let pending_tx_id = PendingTxId::made_by(tx.command_id);
        tx.state.load([Key::Organization(org_id), Key::PendingTx(pending_tx_id)])?;
        let (initiated_by, mut organization) = own(tx, &org_id)?;
        organization.check_active()?;
        organization.open.retain(|open| tx.now < open.expires_at);
        if organization.open.len() >= OPEN_MAX {
            return Err(Refusal::TooManyPending.into());
        }
        let own = organization.open.iter().filter(|open| open.initiated_by == initiated_by);
        if own.count() >= OPEN_BY_ONE_MAX {
            return Err(Refusal::TooManyOwnPending.into());
        }
        let (required, approver_group) = organization.rule_for(self.amount);
        let mut approved_by = vec![initiated_by];
        approved_by.retain(|id| approver_group.contains(id));
        let expires_at = tx.now.plus_days(OPEN_FOR_DAYS);
        organization.open.push(OpenTx { id: pending_tx_id, initiated_by, expires_at });
        let pending = PendingTx {
            v: Version,
            org_id,
            from: self.from,
            to: self.to,
            amount: self.amount,
            remark: self.remark.clone(),
            required,
            approver_group,
            approved_by,
            rejected_by: Vec::new(),
            state: PendingTxState::Pending,
            failure: None,
            initiated_by,
            expires_at,
        };
        tx.emit(pending.initiated(pending_tx_id));
        settle(tx, pending_tx_id, pending, organization)
    }
}

impl PendingTx {
    fn initiated(&self, pending_tx_id: PendingTxId) -> MultiSigTxInitiated {
        MultiSigTxInitiated {
            pending_tx_id,
            org_id: self.org_id,
            from: self.from,
            to: self.to,
            amount: self.amount,
            remark: self.remark.clone(),
            initiated_by: self.initiated_by,
            required: self.required,
            approver_group: self.approver_group.clone(),
            approved_by: self.approved_by.clone(),
            expires_at: self.expires_at,
        }
    }

    /// Whether nothing will come of it any more, whatever the approvers do.
    fn is_settled(&self) -> bool {
        match self.state {
            PendingTxState::Pending | PendingTxState::ExecutionFailed => false,
            PendingTxState::Executed | PendingTxState::Rejected | PendingTxState::Cancelled => true,
        }
    }

    /// Whether the payment can still be decided on.
    pub(super) fn check_open(&self, now: TimeMs) -> Result<(), Refusal> {
        if self.is_settled() {
            return Err(Refusal::PendingTxSettled);
        }
        if now >= self.expires_at {
            return Err(Refusal::PendingTxExpired);
        }
        Ok(())
    }
}

/// Pays if the quorum is there, and stores payment and organization as they are then.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    id: PendingTxId,
    mut pending: PendingTx,
    mut organization: Organization,
) -> Result<(), Stop> {
    let wanted = !pending.is_settled() && count(&pending.approved_by) >= pending.required;
    if wanted {
        match tx.attempt(|tx| execute(tx, id, &pending))? {
            Ok(()) => {
                (pending.state, pending.failure) = (PendingTxState::Executed, None);
            }
            Err(Refused { code, .. }) => {
                pending.state = PendingTxState::ExecutionFailed;
                pending.failure = Some(code);
                let org_id = pending.org_id;
                tx.emit(MultiSigTxExecutionFailed { pending_tx_id: id, org_id, code });
            }
        }
    }
    if pending.is_settled() {
        organization.open.retain(|open| open.id != id);
    }
    tx.put(Key::Organization(pending.org_id), organization)?;
    tx.put(Key::PendingTx(id), pending)
}

fn execute(tx: &mut Tx<'_>, id: PendingTxId, pending: &PendingTx) -> Result<(), Stop> {
    let PendingTx { org_id, from, to, amount, .. } = *pending;
    tx.state.load([Key::Account(from), Key::Account(to)])?;
    let payee = tx.state.existing_account(&to)?;
    if payee.frozen.is_some() {
        return Err(Refusal::CounterpartyFrozen.into());
    }
    if payee.status == AccountStatus::Deceased {
        return Err(Refusal::CounterpartyDeceased.into());
    }
    let quote = pay(tx, &from, &to, amount)?;
    let postings = tx.take_postings();
    tx.emit(MultiSigTxExecuted {
        pending_tx_id: id,
        org_id,
        from,
        to,
        amount,
        fee: quote.fee,
        kind: quote.kind,
        scope: quote.scope,
        remark: pending.remark.clone(),
        postings,
    });
    Ok(())
}
