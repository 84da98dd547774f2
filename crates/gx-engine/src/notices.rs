//! Whom the events of the ledger concern, and what they are told.
//!
//! One arm for each event, none forgotten. Accounts are named here, not people: whose they are is
//! looked up by whoever writes the notifications.

use gx_contract::identity::{AccountStatus, RecoveryState};
use gx_contract::organization::PendingTxState;
use gx_contract::{Event, governance};
use gx_store::notifications::Topic;
use gx_types::{AccountId, AdminId, Amount};

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Whose account it is; of an organization or a treasury, those who decide.
    Account(AccountId),
    /// Every administrator, but for the one who has done it.
    Admins { except: Option<AdminId> },
}

/// What somebody is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) reader: Reader,
    pub(crate) topic: Topic,
    pub(crate) title: &'static str,
    pub(crate) message: String,
    pub(crate) resource: Option<(&'static str, String)>,
    pub(crate) action_required: bool,
}

impl Notice {
    fn to(account: AccountId, topic: Topic, title: &'static str, message: String) -> Self {
        let reader = Reader::Account(account);
        Self { reader, topic, title, message, resource: None, action_required: false }
    }

    fn to_admins(
        except: Option<AdminId>,
        topic: Topic,
        title: &'static str,
        message: String,
    ) -> Self {
        let reader = Reader::Admins { except };
        Self { reader, topic, title, message, resource: None, action_required: false }
    }

    fn about(self, kind: &'static str, id: impl ToString) -> Self {
        Self { resource: Some((kind, id.to_string())), ..self }
    }

    fn asking(self) -> Self {
        Self { action_required: true, ..self }
    }
}

/// What kind of thing a notification is about.
mod resource {
    pub(super) const ACCOUNT: &str = "ACCOUNT";
    pub(super) const ACTION: &str = "ACTION";
    pub(super) const COMMAND: &str = "COMMAND";
    pub(super) const ESCROW: &str = "ESCROW";
    pub(super) const LOAN: &str = "LOAN";
    pub(super) const ORGANIZATION: &str = "ORGANIZATION";
    pub(super) const PAYMENT: &str = "PENDING_TRANSACTION";
    pub(super) const PROPOSAL: &str = "PROPOSAL";
    pub(super) const RECOVERY: &str = "RECOVERY";
    pub(super) const RELATIONSHIP: &str = "RELATIONSHIP";
}

fn gx(amount: Amount) -> String {
    format!("{} GX", amount.to_gx())
}

/// What an event of a command has people told, the most important first: who is told of an event
/// twice hears the first alone.
#[expect(clippy::too_many_lines, reason = "one arm for each event, none forgotten")]
pub(crate) fn notices(event: &Event, command: &str) -> Vec<Notice> {
    use resource::{ACCOUNT, ACTION, COMMAND, PROPOSAL};
    let security = |account: AccountId, title: &'static str, message: &str| {
        vec![
            Notice::to(account, Topic::Security, title, message.to_owned()).about(ACCOUNT, account),
        ]
    };
    let status = |account: AccountId, title: &'static str, message: String| {
        vec![Notice::to(account, Topic::AccountStatus, title, message).about(ACCOUNT, account)]
    };
    match event {
        Event::SystemBootstrapped(_)
        | Event::CountriesInitialized(_)
        | Event::SystemPaused(_)
        | Event::SystemResumed(_)
        | Event::ActionApproved(_)
        | Event::ActionRejected(_)
        | Event::ActionWithdrawn(_)
        | Event::AdminAppointed(_)
        | Event::AdminReplaced(_)
        | Event::AdminRemoved(_)
        | Event::ParameterChangeCancelled(_)
        | Event::SystemParameterUpdated(_)
        | Event::AdminKeyRegistered(_)
        | Event::AdminKeyRotated(_)
        | Event::ClockConfirmed(_)
        | Event::AttesterRegistered(_)
        | Event::AttesterRemoved(_)
        | Event::GuardiansDropped(_)
        | Event::GenesisSkipped(_)
        | Event::MembershipEndorsed(_)
        | Event::StakeholderChangeWithdrawn(_)
        | Event::MultiSigTxApproved(_)
        | Event::ApprovalWithdrawn(_)
        | Event::TreasuryReassigned(_)
        | Event::VoteCast(_)
        | Event::VelocityTaxSkipped(_)
        | Event::VelocityTaxExemptSet(_)
        | Event::LoanApplied(_)
        | Event::LoanApplicationCancelled(_) => Vec::new(),
        Event::OrganizationProposed(_)
        | Event::OrganizationActivated(_)
        | Event::OrganizationStatusSet(_)
        | Event::AuthRuleProposed(_)
        | Event::AuthRuleDefined(_)
        | Event::StakeholderChangeProposed(_)
        | Event::StakeholdersChanged(_)
        | Event::TreasuryActivated(_) => organizations(event),
        Event::MultiSigTxInitiated(_)
        | Event::MultiSigTxRejected(_)
        | Event::MultiSigTxRejudged(_)
        | Event::MultiSigTxCancelled(_)
        | Event::MultiSigTxExecuted(_)
        | Event::MultiSigTxExecutionFailed(_)
        | Event::MultiSigTxDropped(_) => payments(event),
        Event::ActionProposed(event) => {
            let message = format!(
                "{} has proposed {} and needs another administrator",
                event.proposed_by,
                event.command.name()
            );
            let by = Some(event.proposed_by);
            let notice = Notice::to_admins(by, Topic::AdminApproval, "A decision waits", message);
            vec![notice.about(ACTION, event.action_id).asking()]
        }
        Event::ParameterScheduled(_) => {
            let message = "A parameter of the currency will change".to_owned();
            vec![Notice::to_admins(None, Topic::Governance, "A change is scheduled", message)]
        }
        Event::PoolDisbursed(event) => {
            let message = format!("{} from {}", gx(event.amount), event.pool_id.as_str());
            vec![credited(event.recipient_id, "Payment received", message).about(COMMAND, command)]
        }
        Event::TransferredByOrder(event) => {
            let taken = format!("{} were moved by order", gx(event.amount));
            let came = format!("{} came by order", gx(event.amount));
            let from = Notice::to(event.from, Topic::Security, "Coins were moved by order", taken);
            vec![
                from.about(COMMAND, command),
                credited(event.to, "Coins came by order", came).about(COMMAND, command),
            ]
        }
        Event::UserCreated(event) => {
            let message = format!("Your account is {}", event.user_id);
            status(event.user_id, "Your account is open", message)
        }
        Event::CustodyOffered(event) => {
            let message = format!("The keeper {} offers your account to {}", event.from, event.to);
            status(event.user_id, "Your account may change its keeper", message)
        }
        Event::CustodyTransferred(event) => {
            let message = format!("Your account is kept by {} now", event.to);
            status(event.user_id, "Your account has another keeper", message)
        }
        Event::KeyRegistered(event) => security(
            event.user_id,
            "A key was registered",
            "What you do has to be signed with the new key from now on",
        ),
        Event::KeyRotated(event) => {
            security(event.user_id, "The key was changed", "Another key signs for your account now")
        }
        Event::KeyResetOrdered(event) => {
            let message = "Another key was ordered for your account. Veto if it was not you";
            let mut told = security(event.user_id, "Another key was ordered", message);
            told.iter_mut().for_each(|notice| notice.action_required = true);
            told
        }
        Event::KeyResetCancelled(event) => {
            let message = "The key that was ordered for your account will not come";
            security(event.user_id, "The order of a key has ended", message)
        }
        Event::KeyResetCompleted(event) => security(
            event.user_id,
            "The key was changed",
            "The key that was ordered signs for your account now",
        ),
        Event::UserStatusSet(event) => {
            let (title, message) = match event.status {
                AccountStatus::Active => ("Your account is active", "You can act again"),
                AccountStatus::Locked => ("Your account is locked", "Nothing can be done with it"),
                AccountStatus::Deceased => {
                    ("The account is closed", "Its owner was found deceased")
                }
            };
            status(event.user_id, title, message.to_owned())
        }
        Event::RelationshipRequested(_)
        | Event::RelationshipConfirmed(_)
        | Event::RelationshipRejected(_)
        | Event::RelationshipEnded(_) => relationships(event),
        Event::GuardiansNominated(_)
        | Event::RecoveryInitiated(_)
        | Event::RecoveryConfirmed(_)
        | Event::RecoveryCancelled(_)
        | Event::RecoveryCompleted(_) => recoveries(event),
        Event::GenesisDistributed(event) => {
            let message = format!("{} of genesis", gx(event.amount));
            vec![credited(event.user_id, "Genesis received", message).about(COMMAND, command)]
        }
        Event::Transferred(event) => {
            let came = format!("{} from {}", gx(event.amount), event.from);
            let gone = format!("{} to {}", gx(event.amount), event.to);
            let debited = Notice::to(event.from, Topic::WalletDebited, "Payment sent", gone);
            vec![
                credited(event.to, "Payment received", came).about(COMMAND, command),
                debited.about(COMMAND, command),
            ]
        }
        Event::SpendingLimitSet(event) => security(
            event.user_id,
            "The spending limit was changed",
            "What your account may spend in a day has changed, or will",
        ),
        Event::EscrowOpened(_) | Event::EscrowReleased(_) | Event::EscrowRefunded(_) => {
            escrows(event)
        }
        Event::WalletFrozen(event) => {
            let message = format!("Nothing can be paid from it: {}", event.reason.as_str());
            status(event.account_id, "The account is frozen", message)
        }
        Event::WalletUnfrozen(event) if event.reasons.is_empty() => {
            let message = "It can be paid from again".to_owned();
            status(event.account_id, "The account is free again", message)
        }
        // Another reason still holds it.
        Event::WalletUnfrozen(_) => Vec::new(),
        Event::LoanApproved(_)
        | Event::LoanRejected(_)
        | Event::LoanLapsed(_)
        | Event::LoanRepaid(_)
        | Event::LoanDefaulted(_) => loans(event),
        Event::ProposalSubmitted(event) => {
            let by = Some(event.proposed_by);
            let title = "A proposal can be voted on";
            let notice = Notice::to_admins(by, Topic::Governance, title, event.title.clone());
            vec![notice.about(PROPOSAL, event.proposal_id)]
        }
        Event::ProposalExecuted(event) => {
            let message = "Its votes were counted and the change is made".to_owned();
            let title = "A proposal was carried out";
            let notice = Notice::to_admins(None, Topic::Governance, title, message);
            vec![notice.about(PROPOSAL, event.proposal_id)]
        }
        Event::ProposalFailed(governance::ProposalFailed { proposal_id, .. }) => {
            let message = "Its votes were counted and nothing changes".to_owned();
            let notice =
                Notice::to_admins(None, Topic::Governance, "A proposal has failed", message);
            vec![notice.about(PROPOSAL, proposal_id)]
        }
        Event::VelocityTaxApplied(event) => {
            let message =
                format!("{} of a balance of {}", gx(event.amount), gx(event.taxed_balance));
            let notice =
                Notice::to(event.account_id, Topic::Tax, "Velocity tax was taken", message);
            vec![notice.about(COMMAND, command)]
        }
    }
}

fn credited(account: AccountId, title: &'static str, message: String) -> Notice {
    Notice::to(account, Topic::WalletCredited, title, message)
}

fn relationships(event: &Event) -> Vec<Notice> {
    let told = |account: AccountId, topic: Topic, title: &'static str, other: AccountId| {
        Notice::to(account, topic, title, format!("The other side is {other}"))
    };
    let (notice, id) = match event {
        Event::RelationshipRequested(event) => {
            let title = "Somebody asks for a relationship";
            let topic = Topic::RelationshipInvitation;
            let notice = told(event.object_id, topic, title, event.subject_id).asking();
            (notice, event.relationship_id)
        }
        Event::RelationshipConfirmed(event) => {
            let title = "A relationship was confirmed";
            let topic = Topic::RelationshipConfirmed;
            (told(event.subject_id, topic, title, event.object_id), event.relationship_id)
        }
        Event::RelationshipRejected(event) => {
            let title = "A relationship was rejected";
            let topic = Topic::RelationshipRejected;
            (told(event.subject_id, topic, title, event.object_id), event.relationship_id)
        }
        Event::RelationshipEnded(event) => {
            let subject_ended = event.ended_by == event.subject_id;
            let other = if subject_ended { event.object_id } else { event.subject_id };
            let title = "A relationship was ended";
            let topic = Topic::RelationshipEnded;
            (told(other, topic, title, event.ended_by), event.relationship_id)
        }
        _ => return Vec::new(),
    };
    vec![notice.about(resource::RELATIONSHIP, id)]
}

fn recoveries(event: &Event) -> Vec<Notice> {
    let owner = |account: AccountId, title: &'static str, message: &str| {
        Notice::to(account, Topic::Security, title, message.to_owned())
    };
    match event {
        Event::GuardiansNominated(event) => {
            let mut told = vec![owner(
                event.user_id,
                "Guardians were nominated",
                "They can give your account another key together",
            )];
            told.extend(event.guardians.iter().map(|guardian| {
                let message = format!("{} relies on you to get the account back", event.user_id);
                Notice::to(*guardian, Topic::Guardian, "You are a guardian", message)
            }));
            let about = |notice: Notice| notice.about(resource::ACCOUNT, event.user_id);
            told.into_iter().map(about).collect()
        }
        Event::RecoveryInitiated(event) => {
            let message = "Guardians are asked to give your account another key. \
                Cancel it if it was not you";
            let mut told =
                vec![owner(event.user_id, "A recovery of your account has begun", message)];
            let asked = event.guardians.iter().filter(|id| **id != event.initiated_by);
            told.extend(asked.map(|guardian| {
                let message = format!("Confirm it if {} has asked you to", event.user_id);
                Notice::to(*guardian, Topic::Guardian, "A recovery waits for you", message)
            }));
            let about = |notice: Notice| notice.about(resource::RECOVERY, event.recovery_id);
            told.into_iter().map(|notice| about(notice).asking()).collect()
        }
        Event::RecoveryConfirmed(event) => {
            let message = match event.state {
                RecoveryState::Confirmed => {
                    "Enough guardians have confirmed it. Cancel it if it was not you"
                }
                RecoveryState::Pending | RecoveryState::Cancelled | RecoveryState::Completed => {
                    "A guardian has confirmed it. Cancel it if it was not you"
                }
            };
            let notice = owner(event.user_id, "A recovery of your account goes on", message);
            vec![notice.about(resource::RECOVERY, event.recovery_id).asking()]
        }
        Event::RecoveryCancelled(event) => {
            let message = "Your account keeps its key";
            let notice = owner(event.user_id, "A recovery was cancelled", message);
            vec![notice.about(resource::RECOVERY, event.recovery_id)]
        }
        Event::RecoveryCompleted(event) => {
            let message = "Another key signs for your account now";
            let notice = owner(event.user_id, "Your account was recovered", message);
            vec![notice.about(resource::RECOVERY, event.recovery_id)]
        }
        _ => Vec::new(),
    }
}

fn escrows(event: &Event) -> Vec<Notice> {
    let told = |account: AccountId, title: &'static str, message: String| {
        Notice::to(account, Topic::Escrow, title, message)
    };
    let (id, notices) = match event {
        Event::EscrowOpened(event) => {
            let message = format!("{} from {}", gx(event.amount), event.payer_id);
            let mut all = vec![told(event.payee_id, "Coins are held for you", message)];
            all.extend(event.arbiter_id.map(|arbiter| {
                let message = format!("{} between two others", gx(event.amount));
                told(arbiter, "You decide on coins that are held", message)
            }));
            (event.escrow_id, all)
        }
        Event::EscrowReleased(event) => {
            let came = format!("{} from {}", gx(event.amount), event.payer_id);
            let gone = format!("{} to {}", gx(event.amount), event.payee_id);
            let payee = told(event.payee_id, "Held coins were released to you", came);
            let mut all = vec![payee];
            if event.released_by != event.payer_id {
                all.push(told(event.payer_id, "Held coins were released", gone));
            }
            (event.escrow_id, all)
        }
        Event::EscrowRefunded(event) => {
            let back = format!("{} came back", gx(event.amount));
            let gone = format!("{} went back", gx(event.amount));
            let mut all = vec![told(event.payer_id, "Held coins were refunded to you", back)];
            if event.refunded_by != event.payee_id {
                all.push(told(event.payee_id, "Held coins were refunded", gone));
            }
            (event.escrow_id, all)
        }
        _ => return Vec::new(),
    };
    notices.into_iter().map(|notice| notice.about(resource::ESCROW, id)).collect()
}

fn loans(event: &Event) -> Vec<Notice> {
    let (borrower, title, message, id) = match event {
        Event::LoanApproved(event) => {
            let message = format!("{} are on your account", gx(event.amount));
            (event.borrower_id, "Your loan was approved", message, event.loan_id)
        }
        Event::LoanRejected(event) => {
            let message = event.reason.clone();
            (event.borrower_id, "Your loan was rejected", message, event.loan_id)
        }
        Event::LoanLapsed(event) => {
            let message = "Nobody has decided on it in time; apply again".to_owned();
            (event.borrower_id, "Your application has lapsed", message, event.loan_id)
        }
        Event::LoanRepaid(event) => {
            let message = format!("{} are outstanding", gx(event.outstanding));
            (event.borrower_id, "A repayment has come", message, event.loan_id)
        }
        Event::LoanDefaulted(event) => {
            let message = format!("{} are outstanding", gx(event.outstanding));
            (event.borrower_id, "Your loan is in default", message, event.loan_id)
        }
        _ => return Vec::new(),
    };
    vec![Notice::to(borrower, Topic::Loan, title, message).about(resource::LOAN, id)]
}

/// What those are told who decide for organizations.
fn organizations(event: &Event) -> Vec<Notice> {
    let org = |id: AccountId, title: &'static str, message: String| {
        let notice = Notice::to(id, Topic::Organization, title, message);
        vec![notice.about(resource::ORGANIZATION, id)]
    };
    match event {
        Event::OrganizationProposed(event) => {
            let invited = event.stakeholders.iter().map(|stakeholder| {
                let title = "You are named as a stakeholder";
                let message = format!("Endorse your membership in {}", event.name);
                Notice::to(*stakeholder, Topic::SignatoryInvitation, title, message)
                    .about(resource::ORGANIZATION, event.org_id)
                    .asking()
            });
            invited.collect()
        }
        Event::OrganizationActivated(event) => {
            org(event.org_id, "An organization is active", "It has an account now".to_owned())
        }
        Event::OrganizationStatusSet(event) => {
            let message = "Administrators have decided about it".to_owned();
            org(event.org_id, "An organization's status has changed", message)
        }
        Event::AuthRuleProposed(event) => {
            let message = "Its other stakeholders have to agree".to_owned();
            let told = org(event.org_id, "Other rules for payments are proposed", message);
            told.into_iter().map(Notice::asking).collect()
        }
        Event::AuthRuleDefined(event) => {
            let message = "Payments are decided on by other rules".to_owned();
            org(event.org_id, "An organization's rules have changed", message)
        }
        Event::StakeholderChangeProposed(event) => {
            let message = "Its other stakeholders have to agree".to_owned();
            let told = org(event.org_id, "Other stakeholders are proposed", message);
            told.into_iter().map(Notice::asking).collect()
        }
        Event::StakeholdersChanged(event) => {
            let message =
                format!("{} have come, {} are gone", event.added.len(), event.removed.len());
            org(event.org_id, "An organization's stakeholders have changed", message)
        }
        Event::TreasuryActivated(event) => {
            let message = format!("Your organization decides on {}", event.treasury_id);
            org(event.org_id, "A treasury is in your hands", message)
        }
        _ => Vec::new(),
    }
}

/// What those are told who decide on payments of organizations.
fn payments(event: &Event) -> Vec<Notice> {
    let about = |notice: Notice, id: gx_types::PendingTxId| notice.about(resource::PAYMENT, id);
    let rejected = |org: AccountId, id: gx_types::PendingTxId, title: &'static str| {
        let message = "Nothing was paid".to_owned();
        vec![about(Notice::to(org, Topic::PaymentRejected, title, message), id)]
    };
    let asked = |approver: AccountId, id: gx_types::PendingTxId, message: String| {
        let title = "A payment needs your approval";
        about(Notice::to(approver, Topic::ApprovalRequest, title, message), id).asking()
    };
    match event {
        Event::MultiSigTxInitiated(event) => {
            let waiting = event.approver_group.iter().filter(|id| !event.approved_by.contains(id));
            let asked = waiting.map(|approver| {
                let message = format!("{} to {}", gx(event.amount), event.to);
                asked(*approver, event.pending_tx_id, message)
            });
            asked.collect()
        }
        Event::MultiSigTxRejudged(event) if event.state == PendingTxState::Pending => {
            let decided =
                |id: &&AccountId| event.approved_by.contains(id) || event.rejected_by.contains(id);
            let waiting = event.approver_group.iter().filter(|id| !decided(id));
            let message = || "The rules for it have changed".to_owned();
            waiting.map(|approver| asked(*approver, event.pending_tx_id, message())).collect()
        }
        Event::MultiSigTxRejected(event) if event.state == PendingTxState::Rejected => {
            rejected(event.org_id, event.pending_tx_id, "A payment was rejected")
        }
        Event::MultiSigTxCancelled(event) => {
            rejected(event.org_id, event.pending_tx_id, "A payment was cancelled")
        }
        Event::MultiSigTxDropped(event) => {
            rejected(event.org_id, event.pending_tx_id, "A payment was dropped")
        }
        Event::MultiSigTxExecutionFailed(event) => {
            rejected(event.org_id, event.pending_tx_id, "A payment could not be made")
        }
        Event::MultiSigTxExecuted(event) => {
            let came = format!("{} from {}", gx(event.amount), event.from);
            let gone = format!("{} to {}", gx(event.amount), event.to);
            let paid =
                Notice::to(event.org_id, Topic::PaymentCompleted, "A payment was made", gone);
            vec![
                about(credited(event.to, "Payment received", came), event.pending_tx_id),
                about(paid, event.pending_tx_id),
            ]
        }
        _ => Vec::new(),
    }
}

/// The type under which other systems are told of an event: its name in dotted form,
/// `LoanApproved` as `loan.approved`.
pub fn event_type(name: &str) -> String {
    let mut dotted = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !dotted.is_empty() {
            dotted.push('.');
        }
        dotted.push(letter.to_ascii_lowercase());
    }
    dotted
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gx_contract::loan_pool::LoanRejected;
    use gx_types::Actor;

    use super::*;

    #[test]
    fn every_event_has_a_type_of_its_own() {
        assert_eq!(event_type("LoanApproved"), "loan.approved");
        assert_eq!(event_type("MultiSigTxExecuted"), "multi.sig.tx.executed");
        assert_eq!(event_type("Transferred"), "transferred");
        let types: BTreeSet<String> = Event::NAMES.iter().map(|name| event_type(name)).collect();
        assert_eq!(types.len(), Event::NAMES.len());
    }

    #[test]
    fn the_borrower_hears_why_a_loan_was_rejected() {
        let borrower_id: AccountId = "treasury_DE".parse().unwrap();
        let event = LoanRejected {
            loan_id: "LOAN_00000000000000000000000007".parse().unwrap(),
            borrower_id,
            reason: "No papers".to_owned(),
            rejected_by: Actor::System,
        };
        let told = notices(&event.into(), "c1");
        let [notice] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((notice.reader, notice.topic), (Reader::Account(borrower_id), Topic::Loan));
        assert_eq!(notice.message, "No papers");
        let id = "LOAN_00000000000000000000000007".to_owned();
        assert_eq!(notice.resource, Some(("LOAN", id)));
    }
}
