//! What a block changes, worked out in memory before anything is written.
//!
//! Pure: from the accounts and countries that the blocks touch to the rows to write. Each event has
//! one arm here, and what it does stands in the file of its domain; an event that does not fit what
//! is known stops the projection.

use gx_contract::identity::KeyResetState;
use gx_contract::loan_pool::LoanState;
use gx_contract::{Event, Outcome};

use crate::Error;
use crate::numbering::numbered;
use crate::projection::block::ProjectedBlock;
use crate::projection::entries::enter_fees;
use crate::projection::state::{At, Projection};
use crate::projection::{
    admin, attesters, escrow, governance, identity, keys, loan_pool, organization, payments,
    tax_and_fee, tokenomics,
};

/// Applies one block.
pub(super) fn block<'b>(
    projection: &mut Projection<'b>,
    block: &ProjectedBlock<'b>,
) -> Result<(), Error> {
    // Entry 0 ends an account's list, so that places begin at 1.
    projection.place = 1;
    for (index, result) in block.record.results.iter().enumerate() {
        let tx_no = numbered(block.number, index)?;
        let at = At { block, command_id: result.command_id, tx_no };
        match &result.outcome {
            Outcome::Applied(events) => {
                // A new user's genesis comes before the event that tells of the user.
                for event in events {
                    if let Event::UserCreated(created) = event {
                        identity::open_user(projection, at, created)?;
                    }
                }
                for event in events {
                    apply(projection, at, event)?;
                }
            }
            Outcome::Refused(_) | Outcome::Repeated(_) => {}
        }
    }
    enter_fees(projection, block)
}

#[expect(clippy::too_many_lines, reason = "one arm for each event, none forgotten")]
fn apply<'b>(
    projection: &mut Projection<'b>,
    at: At<'_, 'b>,
    event: &'b Event,
) -> Result<(), Error> {
    match event {
        Event::SystemBootstrapped(event) => admin::bootstrapped(projection, at, event),
        Event::CountriesInitialized(event) => admin::countries(projection, at, event),
        Event::SystemPaused(event) => admin::paused(projection, at, event),
        Event::SystemResumed(event) => admin::resumed(projection, at, event),
        Event::ActionProposed(event) => admin::action_proposed(projection, at, event),
        Event::ActionApproved(event) => admin::action_approved(projection, at, event),
        Event::ActionRejected(event) => {
            admin::action_closed(projection, at, event.action_id, event.rejected_by)
        }
        Event::ActionWithdrawn(event) => {
            admin::action_closed(projection, at, event.action_id, event.withdrawn_by)
        }
        Event::AdminAppointed(event) => admin::appointed(projection, at, event),
        Event::AdminRemoved(event) => admin::removed(projection, at, event.admin_id),
        Event::AdminReplaced(event) => admin::replaced(projection, at, event),
        Event::PoolDisbursed(event) => admin::disbursed(projection, at, event),
        Event::AdminKeyRegistered(event) => {
            admin::key(projection, at, event.admin_id, event.public_key)
        }
        Event::AttesterRegistered(event) => attesters::registered(projection, at, event),
        Event::AttesterRemoved(event) => attesters::removed(projection, at, event.attester_id),
        // The time of the block says it.
        Event::ClockConfirmed(_) => Ok(()),
        Event::AdminKeyRotated(event) => {
            admin::key(projection, at, event.admin_id, event.public_key)
        }
        Event::TransferredByOrder(event) => admin::ordered(projection, at, event),
        Event::TreasuryActivated(event) => admin::treasury_activated(projection, at, event),
        Event::TreasuryReassigned(event) => admin::treasury_reassigned(projection, at, event),
        Event::ParameterScheduled(event) => governance::scheduled(projection, at, event),
        Event::ParameterChangeCancelled(event) => governance::unscheduled(projection, at, event),
        Event::SystemParameterUpdated(event) => governance::parameter(projection, at, event),
        Event::ProposalSubmitted(event) => governance::submitted(projection, at, event),
        Event::VoteCast(event) => governance::voted(projection, at, event),
        Event::ProposalExecuted(event) => governance::executed(projection, at, event),
        Event::ProposalFailed(event) => governance::failed(projection, at, event),
        Event::UserCreated(event) => identity::created(projection, at, event),
        Event::CustodyOffered(event) => identity::custody_offered(projection, at, event),
        Event::CustodyTransferred(event) => identity::custody_transferred(projection, at, event),
        Event::KeyRegistered(event) => {
            identity::key(projection, at, &event.user_id, event.public_key)
        }
        Event::KeyRotated(event) => identity::key(projection, at, &event.user_id, event.public_key),
        Event::KeyResetOrdered(event) => keys::reset_ordered(projection, at, event),
        Event::KeyResetCancelled(event) => {
            keys::reset_ended(projection, at, &event.user_id, KeyResetState::Cancelled);
            Ok(())
        }
        Event::KeyResetCompleted(event) => keys::reset_completed(projection, at, event),
        Event::UserStatusSet(event) => identity::status(projection, at, event),
        Event::RelationshipRequested(event) => identity::requested(projection, at, event),
        Event::RelationshipConfirmed(event) => identity::confirmed(projection, at, event),
        Event::RelationshipRejected(event) => identity::rejected(projection, at, event),
        Event::RelationshipEnded(event) => identity::ended(projection, at, event),
        Event::GuardiansNominated(event) => identity::nominated(projection, at, event),
        Event::GuardiansDropped(event) => {
            identity::dropped(projection, at, &event.user_id);
            Ok(())
        }
        Event::RecoveryInitiated(event) => identity::recovery_initiated(projection, at, event),
        Event::RecoveryConfirmed(event) => identity::recovery_confirmed(projection, at, event),
        Event::RecoveryCancelled(event) => identity::recovery_cancelled(projection, at, event),
        Event::RecoveryCompleted(event) => identity::recovery_completed(projection, at, event),
        Event::GenesisDistributed(event) => tokenomics::genesis(projection, at, event),
        Event::GenesisSkipped(event) => tokenomics::skipped(projection, at, event),
        Event::Transferred(event) => tokenomics::transferred(projection, at, event),
        Event::SpendingLimitSet(event) => tokenomics::limit(projection, at, event),
        Event::EscrowOpened(event) => escrow::opened(projection, at, event),
        Event::EscrowReleased(event) => escrow::released(projection, at, event),
        Event::EscrowRefunded(event) => escrow::refunded(projection, at, event),
        Event::WalletFrozen(event) => {
            tokenomics::freeze(projection, at, &event.account_id, event.reasons)
        }
        Event::WalletUnfrozen(event) => {
            tokenomics::freeze(projection, at, &event.account_id, event.reasons)
        }
        Event::OrganizationProposed(event) => organization::proposed(projection, at, event),
        Event::MembershipEndorsed(event) => organization::endorsed(projection, at, event),
        Event::OrganizationActivated(event) => organization::activated(projection, at, event),
        Event::OrganizationStatusSet(event) => organization::status(projection, at, event),
        Event::AuthRuleProposed(event) => organization::ladder_proposed(projection, at, event),
        Event::AuthRuleDefined(event) => organization::ladder_defined(projection, at, event),
        Event::StakeholderChangeProposed(event) => {
            organization::change_proposed(projection, at, event)
        }
        Event::StakeholderChangeWithdrawn(event) => {
            organization::change_withdrawn(projection, at, event)
        }
        Event::StakeholdersChanged(event) => organization::changed(projection, at, event),
        Event::MultiSigTxInitiated(event) => payments::initiated(projection, at, event),
        Event::MultiSigTxApproved(event) => payments::approved(projection, at, event),
        Event::MultiSigTxRejected(event) => payments::rejected(projection, at, event),
        Event::MultiSigTxRejudged(event) => payments::rejudged(projection, at, event),
        Event::ApprovalWithdrawn(event) => payments::withdrawn(projection, at, event),
        Event::MultiSigTxCancelled(event) => payments::cancelled(projection, at, event),
        Event::MultiSigTxDropped(event) => payments::dropped(projection, at, event),
        Event::MultiSigTxExecuted(event) => payments::executed(projection, at, event),
        Event::MultiSigTxExecutionFailed(event) => payments::failed(projection, at, event),
        Event::LoanApplied(event) => loan_pool::applied(projection, at, event),
        Event::LoanApproved(event) => loan_pool::approved(projection, at, event),
        Event::LoanRejected(event) => loan_pool::rejected(projection, at, event),
        Event::LoanApplicationCancelled(event) => {
            loan_pool::ended(projection, at, event.loan_id, LoanState::Cancelled)
        }
        Event::LoanLapsed(event) => {
            loan_pool::ended(projection, at, event.loan_id, LoanState::Lapsed)
        }
        Event::LoanRepaid(event) => loan_pool::repaid(projection, at, event),
        Event::LoanDefaulted(event) => loan_pool::defaulted(projection, at, event),
        Event::VelocityTaxApplied(event) => tax_and_fee::applied(projection, at, event),
        Event::VelocityTaxSkipped(event) => tax_and_fee::skipped(projection, at, event),
        Event::VelocityTaxExemptSet(event) => tax_and_fee::exempt(projection, at, event),
    }
}
