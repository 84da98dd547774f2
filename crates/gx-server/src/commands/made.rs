//! Ids of what a command makes on the ledger. They follow from the command, so that they are known
//! before the ledger has run.

use gx_contract::escrow::OpenEscrow;
use gx_contract::governance::SubmitProposal;
use gx_contract::identity::InitiateRecovery;
use gx_contract::loan_pool::ApplyForLoan;
use gx_contract::organization::InitiateMultiSigTx;
use gx_contract::{Command, Named as _};
use gx_types::{
    AccountId, CommandId, EscrowId, LoanId, PendingTxId, ProposalId, RecoveryId, RelationshipId,
};
use schemars::JsonSchema;
use serde::Serialize;

/// What a command makes; nothing, for most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Made {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    loan_id: Option<LoanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    proposal_id: Option<ProposalId>,
    /// Of a payment that waits for approvals.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pending_tx_id: Option<PendingTxId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    recovery_id: Option<RecoveryId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    escrow_id: Option<EscrowId>,
    /// Told with the answer to the command; so is the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    organization_id: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    relationship_id: Option<RelationshipId>,
}

impl Made {
    /// What the command with this id makes, which calls this function of the contract.
    pub(crate) fn by(function: &str, id: CommandId) -> Self {
        let nothing = Self::default();
        match function {
            ApplyForLoan::NAME => Self { loan_id: Some(LoanId::made_by(id)), ..nothing },
            SubmitProposal::NAME => Self { proposal_id: Some(ProposalId::made_by(id)), ..nothing },
            InitiateMultiSigTx::NAME => {
                Self { pending_tx_id: Some(PendingTxId::made_by(id)), ..nothing }
            }
            InitiateRecovery::NAME => {
                Self { recovery_id: Some(RecoveryId::made_by(id)), ..nothing }
            }
            OpenEscrow::NAME => Self { escrow_id: Some(EscrowId::made_by(id)), ..nothing },
            _ => nothing,
        }
    }

    /// The same of a command that is at hand: some ids follow from its arguments.
    pub(crate) fn of(command: &Command, id: CommandId) -> Self {
        let made = Self::by(command.name(), id);
        match command {
            Command::ProposeOrganization(proposed) => {
                Self { organization_id: Some(proposed.org_id), ..made }
            }
            Command::RequestRelationship(asked) => {
                let between = asked.kind.id_between(asked.subject_id, asked.object_id);
                Self { relationship_id: Some(between), ..made }
            }
            _ => made,
        }
    }
}
