//! What the ledger tells of organizations and their payments.

use gx_types::{AccountId, AccountType, Amount, CountryCode, PendingTxId, TimeMs};
use serde::{Deserialize, Serialize};

use super::{
    AuthRule, Organization, OrganizationKind, OrganizationStatus, PendingTx, PendingTxState,
    ProposedChange, ProposedLadder, organization,
};
use crate::Refusal;
use crate::query::Answer;
use crate::state::{Key, State};
use crate::tx::Stop;

/// An organization with its stakeholders, rules and balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetOrganization {
    pub org_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationView {
    pub org_id: AccountId,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: OrganizationKind,
    pub country: CountryCode,
    pub account_type: AccountType,
    pub status: OrganizationStatus,
    pub stakeholders: Vec<AccountId>,
    pub endorsed_by: Vec<AccountId>,
    pub ladder: Vec<AuthRule>,
    pub proposed: Option<ProposedLadder>,
    /// Zero until it is activated.
    pub balance: Amount,
    /// What its account has paid since the start of yesterday, by UTC: payments are judged by
    /// their amount and this.
    pub paid_since_yesterday: Amount,
    /// Others who are to stand for it, when not all have approved yet.
    pub change: Option<ProposedChange>,
    /// When that lapses; it is shown until another is proposed.
    pub change_expires_at: Option<TimeMs>,
}

impl Answer for GetOrganization {
    type Answer = OrganizationView;

    fn answer(&self, state: &mut State) -> Result<OrganizationView, Stop> {
        let keys = [Key::Organization(self.org_id), Key::Account(self.org_id)];
        state.load(keys.into_iter().chain([Key::Clock, Key::System]))?;
        let found = organization(state, &self.org_id)?;
        let account = state.account(&self.org_id)?;
        let clocks = state.clocks()?;
        let lapses = found.change.as_ref().map(|open| clocks.time_of_day(open.expires_at));
        Ok(OrganizationView {
            org_id: self.org_id,
            name: found.name,
            kind: found.kind,
            country: found.country,
            account_type: found.account_type,
            status: found.status,
            stakeholders: found.stakeholders,
            endorsed_by: found.endorsed_by,
            ladder: found.ladder,
            proposed: found.proposed,
            balance: account.map_or(Amount::ZERO, |account| account.balance),
            paid_since_yesterday: found.spent.since_yesterday(clocks.now()),
            change: found.change.map(|open| open.change),
            change_expires_at: lapses,
        })
    }
}

/// A payment that waits, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPendingTransaction {
    pub pending_tx_id: PendingTxId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingTxView {
    pub pending_tx_id: PendingTxId,
    /// The organization that decides.
    pub org_id: AccountId,
    /// The organization's account, or the treasury that it governs.
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    pub remark: String,
    /// How many of the group must approve.
    pub required: u8,
    pub approver_group: Vec<AccountId>,
    pub approved_by: Vec<AccountId>,
    pub rejected_by: Vec<AccountId>,
    pub state: PendingTxState,
    /// Why it could not be paid when it was last tried.
    pub failure: Option<Refusal>,
    pub initiated_by: AccountId,
    pub expires_at: TimeMs,
}

fn pending_tx_view(state: &mut State, id: PendingTxId) -> Result<PendingTxView, Stop> {
    state.load([Key::Clock, Key::System, Key::PendingTx(id)])?;
    let clocks = state.clocks()?;
    let found: Option<PendingTx> = state.get(Key::PendingTx(id))?;
    let found = found.ok_or(Refusal::PendingTxNotFound)?;
    Ok(PendingTxView {
        pending_tx_id: id,
        org_id: found.org_id,
        from: found.from,
        to: found.to,
        amount: found.amount,
        remark: found.remark,
        required: found.required,
        approver_group: found.approver_group,
        approved_by: found.approved_by,
        rejected_by: found.rejected_by,
        state: found.state,
        failure: found.failure,
        initiated_by: found.initiated_by,
        expires_at: clocks.time_of_day(found.expires_at),
    })
}

impl Answer for GetPendingTransaction {
    type Answer = PendingTxView;

    fn answer(&self, state: &mut State) -> Result<PendingTxView, Stop> {
        pending_tx_view(state, self.pending_tx_id)
    }
}

/// The payments of an organization that are not settled, oldest first; at most 50. One that has
/// expired is listed until the next is initiated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListPendingTransactions {
    pub org_id: AccountId,
}

impl Answer for ListPendingTransactions {
    type Answer = Vec<PendingTxView>;

    fn answer(&self, state: &mut State) -> Result<Vec<PendingTxView>, Stop> {
        let Organization { open, .. } = organization(state, &self.org_id)?;
        state.load(open.iter().map(|open| Key::PendingTx(open.id)))?;
        open.into_iter().map(|open| pending_tx_view(state, open.id)).collect()
    }
}
