//! The words of the text tables for users among each other, organizations and loans.

use gx_types::{
    AccountId, ActionId, EscrowId, LoanId, PendingTxId, RecoveryId, RelationshipId, TimeMs,
};

use super::notation::{account, amount, command_id, proven, text, time};
use crate::Command;
use crate::admin::{
    ApproveAction, OrderHash, RegisterAdminKey, RegisterAttester, RejectAction, RemoveAttester,
    RotateAdminKey, TransferByOrder, WithdrawAction,
};
use crate::escrow::{OpenEscrow, RefundEscrow, ReleaseEscrow};
use crate::identity::{
    CancelRecovery, CompleteKeyReset, CompleteRecovery, ConfirmRecovery, ConfirmRelationship,
    EndRelationship, InitiateRecovery, NominateGuardians, RegisterKey, RejectRelationship,
    RelationshipKind, RequestRelationship, ResetKeyByOrder, RotateKey, SetUserStatus, VetoKeyReset,
};
use crate::loan_pool::{
    ApplyForLoan, ApproveLoan, CancelLoanApplication, CollateralHash, MarkLoanDefaulted,
    RejectLoan, RepayLoan,
};
use crate::organization::{
    ActivateOrganization, ApproveMultiSigTx, AuthRule, CancelMultiSigTx, ChangeStakeholders,
    ChangeStakeholdersByOrder, DefineAuthRule, EndorseMembership, InitiateMultiSigTx,
    ProposeOrganization, RejectMultiSigTx, SetOrganizationStatus, WithdrawApproval,
    WithdrawStakeholderChange,
};
use crate::spending::SetSpendingLimit;
use crate::treasury::{ActivateTreasuryAccount, ReassignTreasury};

/// A command of these contracts from its function name and arguments.
pub(super) fn command(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    match function {
        "RegisterKey" | "RotateKey" | "RegisterAdminKey" | "RotateAdminKey" | "ResetKeyByOrder"
        | "VetoKeyReset" | "CompleteKeyReset" => key(function, args),
        "TransferByOrder" | "ApproveAction" | "RejectAction" | "WithdrawAction" => {
            decision(function, args)
        }
        "RegisterAttester" => {
            let (attester_id, (public_key, proof)) = (text(arg(0)), proven(&args[1..]));
            let rest: Vec<&String> = args[2..].iter().filter(|word| *word != "unproven").collect();
            let (daily_max, countries) = (rest[0].parse().unwrap(), &rest[1..]);
            let countries = countries.iter().map(|code| text(code)).collect();
            RegisterAttester { attester_id, public_key, proof, daily_max, countries }.into()
        }
        "RemoveAttester" => RemoveAttester { attester_id: text(arg(0)) }.into(),
        "SetUserStatus" => {
            let order_hash = args.get(2).map(|_| OrderHash::from_bytes([9; 32]));
            SetUserStatus { user_id: account(arg(0)), status: text(arg(1)), order_hash }.into()
        }
        "RequestRelationship" => {
            let (subject_id, object_id) = (account(arg(0)), account(arg(1)));
            RequestRelationship { subject_id, object_id, kind: text(arg(2)) }.into()
        }
        "ConfirmRelationship" => {
            ConfirmRelationship { relationship_id: relationship(arg(0)) }.into()
        }
        "RejectRelationship" => RejectRelationship { relationship_id: relationship(arg(0)) }.into(),
        "EndRelationship" => EndRelationship { relationship_id: relationship(arg(0)) }.into(),
        "NominateGuardians" | "InitiateRecovery" | "ConfirmRecovery" | "CancelRecovery"
        | "CompleteRecovery" => recovery(function, args),
        "InitiateMultiSigTx" | "ApproveMultiSigTx" | "RejectMultiSigTx" | "CancelMultiSigTx"
        | "WithdrawApproval" => payment(function, args),
        "ProposeOrganization"
        | "EndorseMembership"
        | "ActivateOrganization"
        | "SetOrganizationStatus"
        | "DefineAuthRule"
        | "ChangeStakeholders"
        | "WithdrawStakeholderChange"
        | "ChangeStakeholdersByOrder" => organization(function, args),
        "SetSpendingLimit" => {
            let per_day = Some(arg(1)).filter(|word| *word != "none").map(amount);
            SetSpendingLimit { user_id: account(arg(0)), per_day }.into()
        }
        "OpenEscrow" | "ReleaseEscrow" | "RefundEscrow" => escrow(function, args),
        "ReassignTreasury" => {
            let (country_code, org_id) = (text(arg(0)), account(arg(1)));
            let order_hash = OrderHash::from_bytes([9; 32]);
            ReassignTreasury { country_code, org_id, order_hash }.into()
        }
        "ActivateTreasuryAccount" => {
            let (country_code, org_id) = (text(arg(0)), account(arg(1)));
            ActivateTreasuryAccount { country_code, org_id }.into()
        }
        "ApplyForLoan"
        | "ApproveLoan"
        | "RejectLoan"
        | "CancelLoanApplication"
        | "RepayLoan"
        | "MarkLoanDefaulted" => loan(function, args),
        _ => panic!("no function {function:?}"),
    }
}

/// A command about the key of an account or an admin.
fn key(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    match function {
        "RegisterKey" => {
            let (user_id, (public_key, proof)) = (account(arg(0)), proven(&args[1..]));
            RegisterKey { user_id, public_key, proof }.into()
        }
        "RotateKey" => {
            let (user_id, (public_key, proof)) = (account(arg(0)), proven(&args[1..]));
            RotateKey { user_id, public_key, proof }.into()
        }
        "RegisterAdminKey" => {
            let (public_key, proof) = proven(args);
            RegisterAdminKey { public_key, proof }.into()
        }
        "RotateAdminKey" => {
            let (public_key, proof) = proven(args);
            RotateAdminKey { public_key, proof }.into()
        }
        "ResetKeyByOrder" => {
            let (user_id, (new_key, proof)) = (account(arg(0)), proven(&args[1..]));
            let order_hash = OrderHash::from_bytes([9; 32]);
            ResetKeyByOrder { user_id, new_key, proof, order_hash }.into()
        }
        "VetoKeyReset" => VetoKeyReset { user_id: account(arg(0)) }.into(),
        "CompleteKeyReset" => CompleteKeyReset { user_id: account(arg(0)) }.into(),
        _ => panic!("no function {function:?}"),
    }
}

/// A command about what two admins decide on; an action is named by its `#label`.
fn decision(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    let action_id = || ActionId::made_by(command_id(arg(0)));
    match function {
        "TransferByOrder" => {
            let (from, to, amount) = (account(arg(0)), account(arg(1)), amount(arg(2)));
            let (order_hash, reason) = (OrderHash::from_bytes([9; 32]), text(arg(3)));
            TransferByOrder { from, to, amount, order_hash, reason }.into()
        }
        "ApproveAction" => ApproveAction { action_id: action_id() }.into(),
        "RejectAction" => RejectAction { action_id: action_id() }.into(),
        "WithdrawAction" => WithdrawAction { action_id: action_id() }.into(),
        _ => panic!("no function {function:?}"),
    }
}

/// A command about a payment of an organization.
fn payment(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    let pending_tx_id = PendingTxId::made_by(command_id(arg(0)));
    match function {
        "InitiateMultiSigTx" => {
            let (from, to, remark) = (account(arg(0)), account(arg(1)), arg(3).to_owned());
            InitiateMultiSigTx { from, to, amount: amount(arg(2)), remark }.into()
        }
        "ApproveMultiSigTx" => ApproveMultiSigTx { pending_tx_id }.into(),
        "RejectMultiSigTx" => RejectMultiSigTx { pending_tx_id }.into(),
        "CancelMultiSigTx" => CancelMultiSigTx { pending_tx_id }.into(),
        "WithdrawApproval" => WithdrawApproval { pending_tx_id }.into(),
        _ => panic!("no function {function:?}"),
    }
}

/// The relationship that a word such as `FRIEND_OF:alice.IN:bob.FR` names.
pub(super) fn relationship(word: &str) -> RelationshipId {
    let parts: Vec<&str> = word.split(':').collect();
    let [kind, subject, object] = parts[..] else { panic!("{word:?} is no relationship") };
    text::<RelationshipKind>(kind).id_between(account(subject), account(object))
}

/// A command about an organization: `id name type stakeholders…` proposes one, whose country
/// follows from the id unless the name is given as `name@CC`.
fn organization(function: &str, args: &[String]) -> Command {
    let org_id = account(&args[0]);
    match function {
        "ProposeOrganization" => {
            let (name, country) = args[1].split_once('@').unwrap_or((&args[1], ""));
            let written = org_id.layout().map_or_else(|_| text("IN"), |layout| layout.country);
            let country = if country.is_empty() { written } else { text(country) };
            let stakeholders = args[3..].iter().map(|word| account(word)).collect();
            let (name, kind) = (name.to_owned(), text(&args[2]));
            ProposeOrganization { org_id, name, kind, country, stakeholders }.into()
        }
        "EndorseMembership" => EndorseMembership { org_id }.into(),
        "ActivateOrganization" => ActivateOrganization { org_id }.into(),
        "SetOrganizationStatus" => {
            SetOrganizationStatus { org_id, locked: args[1] == "LOCKED" }.into()
        }
        "DefineAuthRule" => {
            DefineAuthRule { org_id, ladder: args[1..].iter().map(|word| rule(word)).collect() }
                .into()
        }
        "ChangeStakeholders" => {
            let (add, remove, new_ladder) = change(&args[1..]);
            ChangeStakeholders { org_id, add, remove, new_ladder }.into()
        }
        "WithdrawStakeholderChange" => WithdrawStakeholderChange { org_id }.into(),
        "ChangeStakeholdersByOrder" => {
            let (add, remove, new_ladder) = change(&args[1..]);
            let order_hash = OrderHash::from_bytes([9; 32]);
            ChangeStakeholdersByOrder { org_id, add, remove, new_ladder, order_hash }.into()
        }
        _ => panic!("no function {function:?}"),
    }
}

/// `OpenEscrow to amount expiry [arbiter] [remark]`, the others by `#label`.
fn escrow(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    let escrow_id = EscrowId::made_by(command_id(arg(0)));
    match function {
        "OpenEscrow" => {
            let (to, amount, expires_at) = (account(arg(0)), amount(arg(1)), TimeMs(time(arg(2))));
            let arbiter_id = Some(arg(3)).filter(|word| !matches!(*word, "" | "-")).map(account);
            OpenEscrow { to, amount, expires_at, arbiter_id, remark: arg(4).to_owned() }.into()
        }
        "ReleaseEscrow" => ReleaseEscrow { escrow_id }.into(),
        "RefundEscrow" => RefundEscrow { escrow_id }.into(),
        _ => panic!("no function {function:?}"),
    }
}

/// `+bob.FR -carol.IN 0:1:bob.FR`: who comes, who leaves, new rules; `none` for no rule at all.
fn change(words: &[String]) -> (Vec<AccountId>, Vec<AccountId>, Option<Vec<AuthRule>>) {
    let named = |sign: char| words.iter().filter_map(move |word| word.strip_prefix(sign));
    let rules = words.iter().filter(|word| word.contains(':'));
    let ladder: Vec<AuthRule> = rules.map(|word| rule(word)).collect();
    let given = !ladder.is_empty() || words.iter().any(|word| word == "none");
    (named('+').map(account).collect(), named('-').map(account).collect(), given.then_some(ladder))
}

/// A command about loans: `ApplyForLoan amount days [purpose]`, the others by `#label`.
fn loan(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    let loan_id = LoanId::made_by(command_id(arg(0)));
    match function {
        "ApplyForLoan" => {
            let collateral_hash = CollateralHash::from_bytes([7; 32]);
            let (amount, duration_days) = (amount(arg(0)), arg(1).parse().unwrap());
            let purpose = arg(2).to_owned();
            ApplyForLoan { amount, collateral_hash, duration_days, purpose }.into()
        }
        "ApproveLoan" => ApproveLoan { loan_id }.into(),
        "RejectLoan" => RejectLoan { loan_id, reason: arg(1).to_owned() }.into(),
        "CancelLoanApplication" => CancelLoanApplication { loan_id }.into(),
        "RepayLoan" => RepayLoan { loan_id, amount: amount(arg(1)) }.into(),
        "MarkLoanDefaulted" => MarkLoanDefaulted { loan_id }.into(),
        _ => panic!("no function {function:?}"),
    }
}

/// `100GX:2:alice.IN,bob.FR,carol.IN`: from 100 GX, two of three.
fn rule(word: &str) -> AuthRule {
    let parts: Vec<&str> = word.split(':').collect();
    let [from, required, group] = parts[..] else { panic!("{word:?} is no rule") };
    let group = group.split(',').filter(|word| !word.is_empty());
    AuthRule {
        from_amount: amount(from),
        required_approvers: required.parse().unwrap(),
        approver_group: group.map(account).collect(),
    }
}

/// A command about guardians and recoveries; `#label` names what the command of that label made.
fn recovery(function: &str, args: &[String]) -> Command {
    let recovery_id = RecoveryId::made_by(command_id(&args[0]));
    match function {
        "NominateGuardians" => {
            let mut ids = args.iter().map(|word| account(word));
            let user_id = ids.next().unwrap();
            NominateGuardians { user_id, guardians: ids.collect() }.into()
        }
        "InitiateRecovery" => {
            let (user_id, (public_key, proof)) = (account(&args[0]), proven(&args[1..]));
            InitiateRecovery { user_id, public_key, proof }.into()
        }
        "ConfirmRecovery" => ConfirmRecovery { recovery_id }.into(),
        "CancelRecovery" => CancelRecovery { recovery_id }.into(),
        "CompleteRecovery" => CompleteRecovery { recovery_id }.into(),
        _ => panic!("no function {function:?}"),
    }
}
