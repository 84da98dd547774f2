//! Payments of organizations and active treasuries: initiated by a stakeholder, made at the quorum.

use gx_types::{AccountId, Amount, CountryCode, PendingTxId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use super::settlement::{check_payer, judged_by, settle};
use super::{OpenTx, Treasury, count, own};
use crate::gates::{ActorRule, Gate};
use crate::state::{Clocks, Key, RunningMs, Version};
use crate::text::check_text;
use crate::tokenomics::check_payee;
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
    /// It could not be paid when it had its approvals; an approver may try again.
    ExecutionFailed,
    /// Its approvals are out of reach.
    Rejected,
    Cancelled,
}

/// A payment with the rule as it was when it was initiated, or judged again.
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
    /// What the rule was found by: the amount, and what had been paid since the start of the day
    /// before.
    pub judged_by: Amount,
    pub required: u8,
    pub approver_group: Vec<AccountId>,
    pub approved_by: Vec<AccountId>,
    pub rejected_by: Vec<AccountId>,
    pub state: PendingTxState,
    /// Why it could not be paid when it was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Refusal>,
    pub initiated_by: AccountId,
    pub expires_at: RunningMs,
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

/// The country whose treasury the account is.
pub(super) fn country_of(from: &AccountId) -> Option<CountryCode> {
    from.as_str().strip_prefix("treasury_").and_then(|code| code.parse().ok())
}

/// The organization that decides on payments from an account, and from when on.
fn deciding(tx: &mut Tx<'_>, from: &AccountId) -> Result<(AccountId, Option<RunningMs>), Stop> {
    let Some(country) = country_of(from) else { return Ok((*from, None)) };
    let treasury: Option<Treasury> = tx.state.get(Key::Treasury(country))?;
    let treasury = treasury.ok_or(Refusal::TreasuryLocked)?;
    Ok((treasury.org_id, Some(treasury.payable_from)))
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
        Refusal::AccountFrozen,
        Refusal::TreasuryNotPayable,
        Refusal::TooManyPending,
        Refusal::TooManyOwnPending,
    ];
    const EVENTS: &[&str] = &[
        "MultiSigTxInitiated",
        "VelocityTaxApplied",
        "MultiSigTxExecuted",
        "MultiSigTxExecutionFailed",
    ];

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
        let (org_id, payable_from) = deciding(tx, &self.from)?;
        let pending_tx_id = PendingTxId::made_by(tx.command_id);
        let accounts = [self.from, org_id].map(Key::Account);
        let others = [Key::Organization(org_id), Key::PendingTx(pending_tx_id)];
        tx.state.load(accounts.into_iter().chain(others))?;
        let (initiated_by, mut organization) = own(tx, &org_id)?;
        organization.check_active()?;
        check_payer(tx, &self.from, &org_id)?;
        if payable_from.is_some_and(|from| tx.clocks.running() < from) {
            return Err(Refusal::TreasuryNotPayable.into());
        }
        organization.drop_expired(tx.clocks);
        if organization.open.len() >= OPEN_MAX {
            return Err(Refusal::TooManyPending.into());
        }
        let own = organization.open.iter().filter(|open| open.initiated_by == initiated_by);
        if own.count() >= OPEN_BY_ONE_MAX {
            return Err(Refusal::TooManyOwnPending.into());
        }
        let judged_by = judged_by(tx, &self.from, self.amount, &organization)?;
        let (required, approver_group) = organization.rule_for(judged_by);
        let mut approved_by = vec![initiated_by];
        approved_by.retain(|id| approver_group.contains(id));
        let expires_at = tx.clocks.running().plus_days(OPEN_FOR_DAYS);
        organization.open.push(OpenTx { id: pending_tx_id, initiated_by, expires_at });
        let pending = PendingTx {
            v: Version,
            org_id,
            from: self.from,
            to: self.to,
            amount: self.amount,
            remark: self.remark.clone(),
            judged_by,
            required,
            approver_group,
            approved_by,
            rejected_by: Vec::new(),
            state: PendingTxState::Pending,
            failure: None,
            initiated_by,
            expires_at,
        };
        tx.emit(pending.initiated(pending_tx_id, tx.clocks));
        settle(tx, pending_tx_id, pending, organization)
    }
}

impl PendingTx {
    fn initiated(&self, pending_tx_id: PendingTxId, clocks: Clocks) -> MultiSigTxInitiated {
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
            expires_at: clocks.time_of_day(self.expires_at),
        }
    }

    /// Whether nothing will come of it any more, whatever the approvers do.
    pub(super) fn is_settled(&self) -> bool {
        match self.state {
            PendingTxState::Pending | PendingTxState::ExecutionFailed => false,
            PendingTxState::Executed | PendingTxState::Rejected | PendingTxState::Cancelled => true,
        }
    }

    /// Whether the payment can still be decided on.
    pub(super) fn check_open(&self, clocks: Clocks) -> Result<(), Refusal> {
        if self.is_settled() {
            return Err(Refusal::PendingTxSettled);
        }
        if clocks.running() >= self.expires_at {
            return Err(Refusal::PendingTxExpired);
        }
        Ok(())
    }

    /// Whether as many have approved as must.
    pub(super) fn has_quorum(&self) -> bool {
        !self.is_settled() && count(&self.approved_by) >= self.required
    }

    /// Whether too few are left who could approve it.
    pub(super) fn is_out_of_reach(&self) -> bool {
        let left = self.approver_group.len().saturating_sub(self.rejected_by.len());
        left < usize::from(self.required)
    }

    /// Keeps what those have decided who are of the group.
    pub(super) fn forget_others(&mut self) {
        let group = &self.approver_group;
        self.approved_by.retain(|id| group.contains(id));
        self.rejected_by.retain(|id| group.contains(id));
    }
}
