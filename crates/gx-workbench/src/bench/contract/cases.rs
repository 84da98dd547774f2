//! What is measured of each command but payments: on which state, and what has to come of it.
//!
//! A batch is executed and not stored, so that it can be executed again; batches on different
//! records take turns, so that not all of it lies in the processor's cache.

use std::time::Duration;

use anyhow::{Result, bail};
use gx_contract::{Batch, Done, Outcome};
use gx_types::MspId;

use super::host::Host;
use super::people::givers;
use super::town::{Town, Trial};
use super::{BAR, SIGNED_BAR, admins, organizations, people, trusted};
use crate::bench::figure::{Bar, Report, per_second};
use gx_cli::console;

/// Whether accounts sign the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signed {
    /// No account gives it, or one without a key.
    Never,
    /// One figure without keys, and one with a signature on every command.
    Too,
    /// It is about the account's own key.
    Always,
    /// No account signs it, and it carries the word of a new key or of an attester.
    Proof,
    /// As `Too`, and it carries the word of a new key.
    ProofToo,
}

/// A figure, or two.
struct Case {
    /// `Contract:Function`.
    command: &'static str,
    signed: Signed,
    prepare: fn(&mut Town) -> Result<Trial>,
    /// Each command has one of these events.
    events: &'static [&'static str],
    /// What is particular about the figure.
    note: &'static str,
}

/// `command: signed, prepare, events, note;`
macro_rules! cases {
    ($($command:literal: $signed:ident, $prepare:path, [$($event:literal),+], $note:literal;)+) => {
        const CASES: &[Case] = &[$(Case {
            command: $command,
            signed: Signed::$signed,
            prepare: $prepare,
            events: &[$($event),+],
            note: $note,
        }),+];
    };
}

cases! {
    "AdminContract:BootstrapSystem": Never, admins::bootstrap,
        ["SystemBootstrapped"], "each on nothing: once for a system";
    "AdminContract:InitializeCountryData": Never, admins::initialize_countries,
        ["CountriesInitialized"], "one country a command, the last completes the set";
    "AdminContract:PauseSystem": Never, admins::pause_and_resume,
        ["SystemPaused", "SystemResumed"], "in turn with ResumeSystem";
    "AdminContract:ResumeSystem": Never, admins::pause_and_resume,
        ["SystemPaused", "SystemResumed"], "in turn with PauseSystem";
    "AdminContract:AppointAdmin": Never, admins::appoint_admin,
        ["ActionProposed"], "proposed by the first of two admins";
    "AdminContract:ReplaceAdmin": Never, admins::replace_admin,
        ["ActionProposed"], "proposed by the first of two admins";
    "AdminContract:RemoveAdmin": Never, admins::remove_admin,
        ["ActionProposed"], "proposed by the first of two admins";
    "AdminContract:UpdateSystemParameter": Never, admins::update_parameter,
        ["ActionProposed"], "proposed by the first of two admins";
    "AdminContract:CancelParameterChange": Never, admins::cancel_parameter_change,
        ["ParameterChangeCancelled"], "scheduled, one of each parameter";
    "AdminContract:DisburseFromPool": Never, admins::disburse,
        ["ActionProposed"], "proposed by the first of two admins";
    "AdminContract:ApproveAction": Never, admins::approve_action,
        ["PoolDisbursed"], "disbursements are approved and made";
    "AdminContract:TransferByOrder": Never, admins::transfer_by_order,
        ["ActionProposed"], "proposed by the first of two admins";
    "AdminContract:RegisterAdminKey": Proof, admins::register_admin_key,
        ["AdminKeyRegistered"], "each admin one, with a proof by the new key";
    "AdminContract:RotateAdminKey": Proof, admins::rotate_admin_key,
        ["AdminKeyRotated"], "each admin one, with a proof and a signature";
    "AdminContract:RegisterAttester": Proof, admins::register_attester,
        ["ActionProposed"], "proposed by the first of two admins, with a proof by its key";
    "AdminContract:RemoveAttester": Never, admins::remove_attester,
        ["ActionProposed"], "proposed by the first of two admins";
    "AdminContract:RejectAction": Never, admins::reject_action,
        ["ActionRejected"], "disbursements";
    "AdminContract:WithdrawAction": Never, admins::withdraw_action,
        ["ActionWithdrawn"], "disbursements";
    "IdentityContract:CreateUser": Proof, people::create_user,
        ["GenesisDistributed"], "with genesis, attested by one attester";
    "IdentityContract:TransferCustody": Never, people::offer_custody,
        ["CustodyOffered"], "users without a key";
    "IdentityContract:AcceptCustody": Never, people::accept_custody,
        ["CustodyTransferred"], "users without a key, by the other organization";
    "IdentityContract:RegisterKey": Proof, people::register_key,
        ["KeyRegistered"], "no account has a key before, with a proof by the new key";
    "IdentityContract:RotateKey": Always, people::rotate_key,
        ["KeyRotated"], "every account has a key, with a proof by the new one";
    "IdentityContract:SetUserStatus": Never, people::set_status,
        ["UserStatusSet"], "users are locked";
    "IdentityContract:RequestRelationship": Too, people::request_relationship,
        ["RelationshipRequested"], "friends";
    "IdentityContract:ConfirmRelationship": Too, people::confirm_relationship,
        ["RelationshipConfirmed"], "friends, two trust scores each";
    "IdentityContract:RejectRelationship": Too, people::reject_relationship,
        ["RelationshipRejected"], "friends";
    "IdentityContract:EndRelationship": Too, people::end_relationship,
        ["RelationshipEnded"], "friends, two trust scores each";
    "IdentityContract:NominateGuardians": Too, people::nominate_guardians,
        ["GuardiansNominated"], "3 guardians";
    "IdentityContract:InitiateRecovery": ProofToo, people::initiate_recovery,
        ["RecoveryInitiated"], "3 guardians, with a proof by the new key";
    "IdentityContract:ConfirmRecovery": Too, people::confirm_recovery,
        ["RecoveryConfirmed"], "3 guardians, the second agrees";
    "IdentityContract:CancelRecovery": Always, people::cancel_recovery,
        ["RecoveryCancelled"], "3 guardians, every owner has a key";
    "IdentityContract:CompleteRecovery": Too, people::complete_recovery,
        ["RecoveryCompleted"], "3 guardians";
    "IdentityContract:ResetKeyByOrder": Proof, people::order_key,
        ["ActionProposed"], "proposed by the first of two admins, with a proof by the new key";
    "IdentityContract:VetoKeyReset": Always, people::veto_key,
        ["KeyResetCancelled"], "every account has a key";
    "IdentityContract:CompleteKeyReset": Never, people::complete_key,
        ["KeyResetCompleted"], "by the system";
    "TokenomicsContract:DistributeGenesis": Proof, people::distribute_genesis,
        ["GenesisDistributed"], "one user a command, attested by one attester";
    "TokenomicsContract:OpenEscrow": Too, people::open_escrow,
        ["EscrowOpened"], "a payer each, all to one account";
    "TokenomicsContract:ReleaseEscrow": Too, people::release_escrow,
        ["EscrowReleased"], "by the payer, a payer each";
    "TokenomicsContract:RefundEscrow": Too, people::refund_escrow,
        ["EscrowRefunded"], "by the payer, once it has expired";
    "TokenomicsContract:SetSpendingLimit": Too, people::set_limit,
        ["SpendingLimitSet"], "users, their first limit";
    "TokenomicsContract:FreezeWallet": Never, people::freeze,
        ["WalletFrozen"], "users";
    "TokenomicsContract:UnfreezeWallet": Never, people::unfreeze,
        ["WalletUnfrozen"], "users";
    "OrganizationContract:ProposeOrganization": Too, organizations::propose,
        ["OrganizationProposed"], "3 stakeholders";
    "OrganizationContract:EndorseMembership": Too, organizations::endorse,
        ["MembershipEndorsed"], "3 stakeholders";
    "OrganizationContract:ActivateOrganization": Too, organizations::activate,
        ["OrganizationActivated"], "3 stakeholders";
    "OrganizationContract:SetOrganizationStatus": Never, organizations::set_status,
        ["OrganizationStatusSet"], "3 stakeholders, locked";
    "OrganizationContract:DefineAuthRule": Too, organizations::define_rules,
        ["AuthRuleDefined"], "3 stakeholders, 2 rules, the last approval";
    "OrganizationContract:ChangeStakeholders": Too, organizations::change_stakeholders,
        ["StakeholderChangeProposed"], "one of 3 leaves, the first approves";
    "OrganizationContract:WithdrawStakeholderChange": Too, organizations::withdraw_change,
        ["StakeholderChangeWithdrawn"], "one of 3 was to leave";
    "OrganizationContract:ChangeStakeholdersByOrder": Never, organizations::change_by_order,
        ["ActionProposed"], "one of 3 is locked, proposed by the first of two admins";
    "OrganizationContract:InitiateMultiSigTx": Too, organizations::initiate,
        ["MultiSigTxInitiated"], "3 stakeholders, 2 rules";
    "OrganizationContract:ApproveMultiSigTx": Too, organizations::approve,
        ["MultiSigTxExecuted"], "3 stakeholders, the payment is made";
    "OrganizationContract:RejectMultiSigTx": Too, organizations::reject,
        ["MultiSigTxRejected"], "3 stakeholders";
    "OrganizationContract:WithdrawApproval": Too, organizations::withdraw,
        ["ApprovalWithdrawn"], "3 stakeholders";
    "OrganizationContract:CancelMultiSigTx": Too, organizations::cancel,
        ["MultiSigTxCancelled"], "3 stakeholders";
    "LoanPoolContract:ApplyForLoan": Too, trusted::apply_for_loan,
        ["LoanApplied"], "a borrower each";
    "LoanPoolContract:ApproveLoan": Never, trusted::approve_loan,
        ["LoanApproved"], "a borrower each, paid out";
    "LoanPoolContract:RejectLoan": Never, trusted::reject_loan,
        ["LoanRejected"], "a borrower each";
    "LoanPoolContract:CancelLoanApplication": Too, trusted::cancel_application,
        ["LoanApplicationCancelled"], "a borrower each";
    "LoanPoolContract:RepayLoan": Too, trusted::repay_loan,
        ["LoanRepaid"], "a borrower each, repaid as a whole";
    "LoanPoolContract:MarkLoanDefaulted": Never, trusted::mark_defaulted,
        ["LoanDefaulted"], "a borrower each";
    "AdminContract:ActivateTreasuryAccount": Never, organizations::activate_treasury,
        ["ActionProposed"], "all countries, proposed by the first of two admins";
    "AdminContract:ReassignTreasury": Never, organizations::reassign_treasury,
        ["ActionProposed"], "all countries, proposed by the first of two admins";
    "GovernanceContract:SubmitProposal": Never, trusted::submit_proposal,
        ["ProposalSubmitted"], "100 can be active at most";
    "GovernanceContract:VoteOnProposal": Too, trusted::vote,
        ["VoteCast"], "all on one proposal";
    "GovernanceContract:ExecuteProposal": Never, trusted::execute_proposal,
        ["SystemParameterUpdated"], "adopted, one of each parameter";
    "TaxAndFeeContract:ApplyVelocityTax": Never, people::tax,
        ["VelocityTaxApplied"], "one account a command, all due";
    "TaxAndFeeContract:SetVelocityTaxExempt": Never, people::exempt,
        ["VelocityTaxExemptSet"], "users";
}

/// Measures every case for so long.
pub(super) fn measure(report: &mut Report, time: Duration, mut town: Town) -> Result<()> {
    let bar = console::progress("commands one by one", CASES.len() as u64);
    for case in CASES {
        let trial = (case.prepare)(&mut town)?;
        if case.signed != Signed::Always {
            case.figure(report, time, &mut town, &trial, false)?;
        }
        if matches!(case.signed, Signed::Too | Signed::ProofToo | Signed::Always) {
            if case.signed != Signed::Always {
                town.give_keys(&givers(&trial.orders))?;
            }
            case.figure(report, time, &mut town, &trial, true)?;
        }
        // A state of its own goes with the trial.
        drop(trial);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

impl Case {
    /// The command without its contract.
    fn function(&self) -> &'static str {
        self.command.split_once(':').map_or(self.command, |(_, function)| function)
    }

    fn figure(
        &self,
        report: &mut Report,
        time: Duration,
        town: &mut Town,
        trial: &Trial,
        sign: bool,
    ) -> Result<()> {
        let Trial { role, orders, batch, host, organization } = trial;
        let batches = town.batches(*role, orders, *batch, sign);
        town.host.organization = organization.unwrap_or(MspId::PLATFORM);
        let host = host.as_ref().unwrap_or(&town.host);
        let executed = self.execute(host, &batches, time);
        town.host.organization = MspId::PLATFORM;
        let (commands, executing) = executed?;
        let rate = per_second(commands, executing);
        let (metric, bar, signed) = match sign {
            false if matches!(self.signed, Signed::Proof | Signed::ProofToo) => {
                (self.function().to_owned(), SIGNED_BAR, "")
            }
            false => (self.function().to_owned(), BAR, ""),
            true => (format!("signed {}", self.function()), SIGNED_BAR, ", each command signed"),
        };
        let setting =
            format!("one core, batches of {batch} on one state in turn, {}{signed}", self.note);
        report.add(("contract", &setting), &metric, (rate, "1/s"), Bar::AtLeast(bar));
        Ok(())
    }

    /// Executes the batches in turn, each at least once; how many commands that were, and how long
    /// it took.
    fn execute(&self, host: &Host, batches: &[Batch], time: Duration) -> Result<(u64, Duration)> {
        let (mut commands, mut executing) = (0, Duration::ZERO);
        for (at, batch) in batches.iter().cycle().enumerate() {
            if at >= batches.len() && executing >= time {
                break;
            }
            let (done, took) = host.tried(batch)?;
            self.check(&done)?;
            commands += batch.commands.len() as u64;
            executing += took;
        }
        Ok((commands, executing))
    }

    /// Every command has led to what is measured.
    fn check(&self, done: &Done) -> Result<()> {
        for result in &done.record.results {
            let expected = match &result.outcome {
                Outcome::Applied(events) => {
                    events.iter().any(|event| self.events.contains(&event.name()))
                }
                Outcome::Refused(_) | Outcome::Repeated(_) => false,
            };
            if !expected {
                bail!("{} has not led to {:?}: {:?}", self.command, self.events, result.outcome);
            }
        }
        Ok(())
    }
}

/// How many figures there are.
#[cfg(test)]
pub(super) fn figures() -> usize {
    let twice = |case: &&Case| matches!(case.signed, Signed::Too | Signed::ProofToo);
    CASES.len() + CASES.iter().filter(twice).count()
}

#[cfg(test)]
mod tests {
    use gx_contract::{ActorRule, Command};

    use super::*;

    #[test]
    fn every_command_has_a_figure() {
        let mut measured: Vec<&str> = CASES.iter().map(|case| case.command).collect();
        measured.push("TokenomicsContract:Transfer");
        // Given once in years, in a batch of its own.
        measured.push("AdminContract:ConfirmClock");
        measured.sort_unstable();
        let mut commands = Command::NAMES.to_vec();
        commands.sort_unstable();
        assert_eq!(measured, commands);
    }

    #[test]
    fn every_command_that_accounts_sign_has_a_signed_figure() {
        for case in CASES {
            let command = Command::describe(case.command).unwrap();
            let by_users = command.gates.iter().any(|gate| gate.actor == ActorRule::User);
            // Before its first key an account can't sign.
            let signs = by_users && case.function() != "RegisterKey";
            let is_signed = matches!(case.signed, Signed::Too | Signed::ProofToo | Signed::Always);
            assert_eq!(is_signed, signs, "{}", case.command);
        }
    }
}
