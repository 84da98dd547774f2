//! How a payment of an organization is made: judged by the rule of its day, approved by those who
//! could approve it now, paid, and counted.

use gx_types::{AccountId, Amount, CountryCode, PendingTxId};
use serde::{Deserialize, Serialize};

use super::payments::{PendingTx, PendingTxState, country_of};
use super::{OpenTx, Organization, Treasury};
use crate::fees::{Scope, TransferType};
use crate::identity::AccountStatus;
use crate::posting::Posting;
use crate::state::Key;
use crate::tokenomics::pay;
use crate::tx::{Stop, Tx};
use crate::{Effects, Refusal, Refused};

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

/// More has been paid since the start of yesterday than when the payment was initiated, and the
/// ladder has another rule for that: approvals of those who are not of its group count no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxRejudged {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub required: u8,
    pub approver_group: Vec<AccountId>,
    pub approved_by: Vec<AccountId>,
    pub rejected_by: Vec<AccountId>,
    /// `PENDING`, or `REJECTED` when the quorum is out of reach.
    pub state: PendingTxState,
}

impl Effects for MultiSigTxRejudged {}

/// A payment has its approvals and could not be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxExecutionFailed {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub code: Refusal,
}

impl Effects for MultiSigTxExecutionFailed {}

/// A payment can't be made any more: too many of its approvers have left, or its treasury was given
/// to another organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxDropped {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
}

impl Effects for MultiSigTxDropped {}

impl PendingTx {
    /// Nothing will come of it.
    pub(crate) fn reject(&mut self) {
        self.state = PendingTxState::Rejected;
    }

    /// Finds the rule again when more has been paid than when it was found: whoever initiates many
    /// small payments and has them approved later gets past no rule.
    fn judge(&mut self, tx: &mut Tx<'_>, id: PendingTxId, sum: Amount, by: &Organization) {
        if sum <= self.judged_by {
            return;
        }
        self.judged_by = sum;
        let (required, approver_group) = by.rule_for(sum);
        if (required, &approver_group) == (self.required, &self.approver_group) {
            return;
        }
        (self.required, self.approver_group) = (required, approver_group);
        self.forget_others();
        let out = self.is_out_of_reach();
        self.state = if out { PendingTxState::Rejected } else { PendingTxState::Pending };
        self.failure = None;
        tx.emit(MultiSigTxRejudged {
            pending_tx_id: id,
            org_id: self.org_id,
            required,
            approver_group: self.approver_group.clone(),
            approved_by: self.approved_by.clone(),
            rejected_by: self.rejected_by.clone(),
            state: self.state,
        });
    }
}

/// What a payment is judged by: the amount, and what the account has paid since the start of
/// yesterday. An organization and a treasury that it governs are judged each by itself.
pub(super) fn judged_by(
    tx: &mut Tx<'_>,
    from: &AccountId,
    amount: Amount,
    organization: &Organization,
) -> Result<Amount, Stop> {
    let spent = match country_of(from) {
        None => organization.spent,
        Some(country) => treasury(tx, country)?.spent,
    };
    Ok(spent.since_yesterday(tx.now).checked_add(amount).unwrap_or(Amount::from_qirat(u64::MAX)))
}

fn treasury(tx: &mut Tx<'_>, country: CountryCode) -> Result<Treasury, Stop> {
    let treasury: Option<Treasury> = tx.state.get(Key::Treasury(country))?;
    Ok(treasury.ok_or(Refusal::TreasuryLocked)?)
}

/// Counts a payment that was made.
fn note(tx: &mut Tx<'_>, paid: &PendingTx, organization: &mut Organization) -> Result<(), Stop> {
    let Some(country) = country_of(&paid.from) else {
        organization.spent = organization.spent.plus(tx.now, paid.amount);
        return Ok(());
    };
    let treasury = treasury(tx, country)?;
    let spent = treasury.spent.plus(tx.now, paid.amount);
    tx.put(Key::Treasury(country), Treasury { spent, ..treasury })
}

/// Pays if the quorum is there, and stores payment and organization as they are then.
pub(super) fn settle(
    tx: &mut Tx<'_>,
    id: PendingTxId,
    mut pending: PendingTx,
    mut organization: Organization,
) -> Result<(), Stop> {
    if pending.has_quorum() {
        let sum = judged_by(tx, &pending.from, pending.amount, &organization)?;
        pending.judge(tx, id, sum, &organization);
    }
    if pending.has_quorum() {
        match tx.attempt(|tx| execute(tx, id, &pending, &organization))? {
            Ok(()) => {
                (pending.state, pending.failure) = (PendingTxState::Executed, None);
                note(tx, &pending, &mut organization)?;
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

/// Approvals count of those who could give them now: a court that freezes an approver, or a death,
/// must not come too late for what waits already.
fn check_approvers(
    tx: &mut Tx<'_>,
    pending: &PendingTx,
    organization: &Organization,
) -> Result<(), Stop> {
    let mut able: usize = 0;
    for id in pending.approved_by.iter().filter(|id| organization.stakeholders.contains(id)) {
        let counts = tx.state.existing_account(id)?.may_act();
        able = able.saturating_add(usize::from(counts));
    }
    if able < usize::from(pending.required) {
        return Err(Refusal::ApproverNotActive.into());
    }
    Ok(())
}

/// Neither the account that pays is frozen nor that of the organization that decides: who is kept
/// from their own coins does not get a treasury's instead.
pub(super) fn check_payer(
    tx: &mut Tx<'_>,
    from: &AccountId,
    org_id: &AccountId,
) -> Result<(), Stop> {
    for id in [from, org_id] {
        if tx.state.existing_account(id)?.is_frozen() {
            return Err(Refusal::AccountFrozen.into());
        }
    }
    Ok(())
}

fn execute(
    tx: &mut Tx<'_>,
    id: PendingTxId,
    pending: &PendingTx,
    organization: &Organization,
) -> Result<(), Stop> {
    let PendingTx { org_id, from, to, amount, .. } = *pending;
    let approvers = pending.approved_by.iter().map(|id| Key::Account(*id));
    let accounts = [from, org_id, to].map(Key::Account);
    tx.state.load(approvers.chain(accounts))?;
    check_payer(tx, &from, &org_id)?;
    let payee = tx.state.existing_account(&to)?;
    if payee.is_frozen() {
        return Err(Refusal::CounterpartyFrozen.into());
    }
    if payee.status == AccountStatus::Deceased {
        return Err(Refusal::CounterpartyDeceased.into());
    }
    check_approvers(tx, pending, organization)?;
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

/// Changes the payments that an organization may still make, at most 50 of them; tells of those
/// that it can't make any more.
pub(crate) fn revise_open(
    tx: &mut Tx<'_>,
    organization: &mut Organization,
    revise: impl Fn(&mut PendingTx),
) -> Result<(), Stop> {
    organization.drop_expired(tx.clocks);
    tx.state.load(organization.open.iter().map(|open| Key::PendingTx(open.id)))?;
    for OpenTx { id, .. } in std::mem::take(&mut organization.open) {
        let found: Option<PendingTx> = tx.state.get(Key::PendingTx(id))?;
        let Some(mut pending) = found else { continue };
        revise(&mut pending);
        if pending.is_settled() {
            tx.emit(MultiSigTxDropped { pending_tx_id: id, org_id: pending.org_id });
        } else {
            let (initiated_by, expires_at) = (pending.initiated_by, pending.expires_at);
            organization.open.push(OpenTx { id, initiated_by, expires_at });
        }
        tx.put(Key::PendingTx(id), pending)?;
    }
    Ok(())
}
