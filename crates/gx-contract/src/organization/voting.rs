//! What approvers do with a payment that waits: approve, reject; and its initiator: cancel.

use gx_types::{AccountId, PendingTxId, Role};
use serde::{Deserialize, Serialize};

use super::payments::country_of;
use super::settlement::settle;
use super::{Organization, PendingTx, PendingTxState, count, organization};
use crate::gates::{ActorRule, Gate};
use crate::state::Key;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

fn pending_tx(tx: &mut Tx<'_>, id: PendingTxId) -> Result<PendingTx, Stop> {
    let pending: Option<PendingTx> = tx.state.get(Key::PendingTx(id))?;
    Ok(pending.ok_or(Refusal::PendingTxNotFound)?)
}

/// A payment that the actor may decide on, and its organization.
fn decidable(
    tx: &mut Tx<'_>,
    id: PendingTxId,
) -> Result<(AccountId, PendingTx, Organization), Stop> {
    let actor = tx.user()?;
    let pending = pending_tx(tx, id)?;
    // What the quorum asks for is known here, and is not asked for later in a round of its own.
    let treasury = country_of(&pending.from).map(Key::Treasury);
    tx.state.load([Key::Organization(pending.org_id)].into_iter().chain(treasury))?;
    let organization = organization(tx.state, &pending.org_id)?;
    if !pending.approver_group.contains(&actor) || !organization.stakeholders.contains(&actor) {
        return Err(Refusal::NotApprover.into());
    }
    organization.check_active()?;
    pending.check_open(tx.clocks)?;
    Ok((actor, pending, organization))
}

impl PendingTx {
    fn is_decided_by(&self, actor: &AccountId) -> bool {
        self.approved_by.contains(actor) || self.rejected_by.contains(actor)
    }
}

/// Approves a payment; at the quorum it is made in the same command. When it has failed before,
/// any approver tries again by this, also one who has decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproveMultiSigTx {
    pub pending_tx_id: PendingTxId,
}

/// A payment has an approval more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxApproved {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub approver_id: AccountId,
    pub approvals: u8,
    pub required: u8,
}

impl Effects for MultiSigTxApproved {}

impl Rule for ApproveMultiSigTx {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::PendingTxNotFound,
        Refusal::NotApprover,
        Refusal::OrganizationNotActive,
        Refusal::PendingTxSettled,
        Refusal::PendingTxExpired,
        Refusal::AlreadyDecided,
    ];
    const EVENTS: &[&str] = &[
        "MultiSigTxApproved",
        "MultiSigTxRejudged",
        "VelocityTaxApplied",
        "MultiSigTxExecuted",
        "MultiSigTxExecutionFailed",
    ];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (approver_id, mut pending, organization) = decidable(tx, self.pending_tx_id)?;
        if !pending.is_decided_by(&approver_id) {
            pending.approved_by.push(approver_id);
            tx.emit(MultiSigTxApproved {
                pending_tx_id: self.pending_tx_id,
                org_id: pending.org_id,
                approver_id,
                approvals: count(&pending.approved_by),
                required: pending.required,
            });
        } else if !pending.has_quorum() {
            return Err(Refusal::AlreadyDecided.into());
        }
        settle(tx, self.pending_tx_id, pending, organization)
    }
}

/// Rejects a payment. When too few are left to approve it, it is rejected for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectMultiSigTx {
    pub pending_tx_id: PendingTxId,
}

/// An approver is against a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxRejected {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub approver_id: AccountId,
    pub rejections: u8,
    /// `REJECTED` when the quorum can no longer be reached.
    pub state: PendingTxState,
}

impl Effects for MultiSigTxRejected {}

impl Rule for RejectMultiSigTx {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::PendingTxNotFound,
        Refusal::NotApprover,
        Refusal::OrganizationNotActive,
        Refusal::PendingTxSettled,
        Refusal::PendingTxExpired,
        Refusal::AlreadyDecided,
    ];
    const EVENTS: &[&str] = &["MultiSigTxRejected"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (approver_id, mut pending, organization) = decidable(tx, self.pending_tx_id)?;
        if pending.is_decided_by(&approver_id) {
            return Err(Refusal::AlreadyDecided.into());
        }
        pending.rejected_by.push(approver_id);
        if pending.is_out_of_reach() {
            pending.state = PendingTxState::Rejected;
        }
        tx.emit(MultiSigTxRejected {
            pending_tx_id: self.pending_tx_id,
            org_id: pending.org_id,
            approver_id,
            rejections: count(&pending.rejected_by),
            state: pending.state,
        });
        store(tx, self.pending_tx_id, pending, organization)
    }
}

/// Takes the actor's own approval back, as long as the payment is not made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WithdrawApproval {
    pub pending_tx_id: PendingTxId,
}

/// A payment has an approval less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalWithdrawn {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
    pub approver_id: AccountId,
    pub approvals: u8,
    pub required: u8,
}

impl Effects for ApprovalWithdrawn {}

impl Rule for WithdrawApproval {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::PendingTxNotFound,
        Refusal::NotApprover,
        Refusal::PendingTxSettled,
        Refusal::PendingTxExpired,
    ];
    const EVENTS: &[&str] = &["ApprovalWithdrawn"];

    // A locked organization pays nothing, and who thinks better of it need not wait.
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let approver_id = tx.user()?;
        let mut pending = pending_tx(tx, self.pending_tx_id)?;
        if !pending.approved_by.contains(&approver_id) {
            return Err(Refusal::NotApprover.into());
        }
        pending.check_open(tx.clocks)?;
        pending.approved_by.retain(|id| *id != approver_id);
        tx.emit(ApprovalWithdrawn {
            pending_tx_id: self.pending_tx_id,
            org_id: pending.org_id,
            approver_id,
            approvals: count(&pending.approved_by),
            required: pending.required,
        });
        tx.put(Key::PendingTx(self.pending_tx_id), pending)
    }
}

/// Stores a payment on which nothing is to be paid now.
fn store(
    tx: &mut Tx<'_>,
    id: PendingTxId,
    pending: PendingTx,
    mut organization: Organization,
) -> Result<(), Stop> {
    if pending.is_settled() {
        organization.open.retain(|open| open.id != id);
        tx.put(Key::Organization(pending.org_id), organization)?;
    }
    tx.put(Key::PendingTx(id), pending)
}

/// Gives up a payment, as its initiator, who is a stakeholder still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelMultiSigTx {
    pub pending_tx_id: PendingTxId,
}

/// A payment was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MultiSigTxCancelled {
    pub pending_tx_id: PendingTxId,
    pub org_id: AccountId,
}

impl Effects for MultiSigTxCancelled {}

impl Rule for CancelMultiSigTx {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::PendingTxNotFound,
        Refusal::NotParty,
        Refusal::NotStakeholder,
        Refusal::PendingTxSettled,
        Refusal::PendingTxExpired,
    ];
    const EVENTS: &[&str] = &["MultiSigTxCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let actor = tx.user()?;
        let mut pending = pending_tx(tx, self.pending_tx_id)?;
        if pending.initiated_by != actor {
            return Err(Refusal::NotParty.into());
        }
        let organization = organization(tx.state, &pending.org_id)?;
        organization.check_stakeholder(&actor)?;
        pending.check_open(tx.clocks)?;
        pending.state = PendingTxState::Cancelled;
        let (pending_tx_id, org_id) = (self.pending_tx_id, pending.org_id);
        tx.emit(MultiSigTxCancelled { pending_tx_id, org_id });
        store(tx, pending_tx_id, pending, organization)
    }
}
