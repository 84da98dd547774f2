//! Stakeholders against each other, and whoever would like to be one.

use super::attack;

/// Carol, mallory and bob own a shop that holds 300 GX; every payment needs all three. Puppet and
/// heir own nothing.
const SHOP: &str = "open carol.IN 30
    open puppet.IN 30
    open heir.IN 30
    org shop.IN.1 mallory.FR carol.IN bob.FR
    user:bob.FR Transfer bob.FR shop.IN.1 300GX => Transferred";

fn attack_shop(table: &str) {
    attack(&format!("{SHOP}\n{table}"));
}

/// Everybody who stays and everybody who comes agrees on the very same change.
#[test]
fn nobody_joins_or_expels_without_all_who_stay_and_come() {
    let change = "ChangeStakeholders shop.IN.1 +puppet.IN -carol.IN";
    attack_shop(&format!(
        "user:puppet.IN {change} => not_stakeholder
        user:mallory.FR {change} => StakeholderChangeProposed required=3 expiresAt=2592000000
        + user:mallory.FR {change} => already_decided
        user:puppet.IN {change} => StakeholderChangeProposed
        user:carol.IN {change} => not_party
        user:heir.IN {change} => not_stakeholder
        user:bob.FR ChangeStakeholders shop.IN.1 +heir.IN -carol.IN => stakeholder_change_open
        user:bob.FR {change} 0:1:mallory.FR => stakeholder_change_open
        user:puppet.IN InitiateMultiSigTx shop.IN.1 puppet.IN 1GX => not_stakeholder
        user:bob.FR {change} => StakeholderChangeProposed, StakeholdersChanged \
            stakeholders.0=mallory.FR stakeholders.1=bob.FR stakeholders.2=puppet.IN
        user:carol.IN InitiateMultiSigTx shop.IN.1 carol.IN 1GX => not_stakeholder"
    ));
}

/// One of three, or of two, would be all who stay.
#[test]
fn few_expel_nobody() {
    attack_shop(
        "user:mallory.FR ChangeStakeholders shop.IN.1 +puppet.IN -carol.IN -bob.FR => too_few_stay
        user:mallory.FR ChangeStakeholders shop.IN.1 -carol.IN -bob.FR => stakeholders_invalid
        org pair.IN.1 mallory.FR bob.FR
        user:mallory.FR ChangeStakeholders pair.IN.1 +puppet.IN -bob.FR => too_few_stay
        user:bob.FR ChangeStakeholders pair.IN.1 +heir.IN -bob.FR => \
            StakeholderChangeProposed required=2
        user:mallory.FR ChangeStakeholders pair.IN.1 +heir.IN -bob.FR => \
            StakeholderChangeProposed
        user:bob.FR ChangeStakeholders pair.IN.1 +heir.IN -bob.FR => not_party
        user:heir.IN ChangeStakeholders pair.IN.1 +heir.IN -bob.FR => \
            StakeholderChangeProposed, StakeholdersChanged",
    );
}

/// Who is to leave can't call it off; who proposes nonsense does not stop the others for long.
#[test]
fn a_change_is_called_off_by_those_who_decide_on_it() {
    let expel = "ChangeStakeholders shop.IN.1 -mallory.FR";
    attack_shop(&format!(
        "user:mallory.FR ChangeStakeholders shop.IN.1 +puppet.IN => StakeholderChangeProposed
        user:heir.IN WithdrawStakeholderChange shop.IN.1 => not_party
        user:carol.IN {expel} => stakeholder_change_open
        user:carol.IN WithdrawStakeholderChange shop.IN.1 => \
            StakeholderChangeWithdrawn withdrawnBy=carol.IN
        + user:carol.IN WithdrawStakeholderChange shop.IN.1 => stakeholder_change_not_found
        user:carol.IN {expel} => StakeholderChangeProposed
        user:mallory.FR WithdrawStakeholderChange shop.IN.1 => not_party
        user:bob.FR {expel} => StakeholderChangeProposed, StakeholdersChanged"
    ));
}

/// After 30 days, less pauses, nobody is held to what they said.
#[test]
fn a_change_lapses_and_a_pause_puts_that_off() {
    let change = "ChangeStakeholders shop.IN.1 -mallory.FR";
    attack_shop(&format!(
        "user:carol.IN {change} => StakeholderChangeProposed
        at 1d
        admin:root PauseSystem \"ten letters\" => SystemPaused
        at 2d
        admin:root ResumeSystem => SystemResumed
        at 30d+86399999
        user:carol.IN {change} => already_decided
        at 31d
        user:carol.IN WithdrawStakeholderChange shop.IN.1 => stakeholder_change_not_found
        user:bob.FR {change} => StakeholderChangeProposed change.approvedBy.0=bob.FR
        user:carol.IN {change} => StakeholderChangeProposed, StakeholdersChanged"
    ));
}

/// Somebody who has agreed and may not act any more has not agreed.
#[test]
fn who_is_frozen_agrees_to_nothing() {
    let change = "ChangeStakeholders shop.IN.1 +heir.IN";
    attack_shop(&format!(
        "user:mallory.FR {change} => StakeholderChangeProposed
        user:carol.IN {change} => StakeholderChangeProposed
        user:heir.IN {change} => StakeholderChangeProposed
        admin:root FreezeWallet mallory.FR COURT_ORDER => WalletFrozen
        user:bob.FR {change} => StakeholderChangeProposed
        + user:bob.FR {change} => already_decided
        admin:root UnfreezeWallet mallory.FR COURT_ORDER => WalletUnfrozen
        user:bob.FR {change} => StakeholdersChanged"
    ));
}

/// Payments that wait need approvals of those who are there.
#[test]
fn payments_keep_their_rule_less_who_has_left() {
    let rules = "0:1:carol.IN 10GX:2:mallory.FR,carol.IN,bob.FR";
    let pay = "user:mallory.FR InitiateMultiSigTx shop.IN.1 mallory.FR";
    let change = "ChangeStakeholders shop.IN.1 +heir.IN -mallory.FR";
    attack_shop(&format!(
        "#all {pay} 20GX => MultiSigTxInitiated required=3
        user:mallory.FR DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
        user:carol.IN DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
        user:bob.FR DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed, AuthRuleDefined
        #two {pay} 20GX => MultiSigTxInitiated required=2
        #no {pay} 30GX => MultiSigTxInitiated required=2
        user:bob.FR RejectMultiSigTx #no => MultiSigTxRejected state=PENDING
        user:carol.IN {change} => StakeholderChangeProposed
        user:bob.FR {change} => StakeholderChangeProposed
        user:heir.IN {change} => StakeholderChangeProposed, \
            StakeholdersChanged ladder.1.approverGroup.0=carol.IN, \
            MultiSigTxDropped, MultiSigTxDropped
        user:mallory.FR ApproveMultiSigTx #two => not_approver
        user:mallory.FR CancelMultiSigTx #two => not_stakeholder
        user:heir.IN ApproveMultiSigTx #two => not_approver
        user:bob.FR ApproveMultiSigTx #all => pending_tx_settled
        user:bob.FR ApproveMultiSigTx #two => MultiSigTxApproved approvals=1
        = shop.IN.1 300GX
        user:carol.IN ApproveMultiSigTx #two => MultiSigTxApproved, MultiSigTxExecuted"
    ));
}

/// A rule that nobody could fulfil is not left behind.
#[test]
fn rules_can_be_fulfilled_after_every_change() {
    let rules = "0:2:mallory.FR,carol.IN";
    attack_shop(&format!(
        "user:mallory.FR DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
        user:carol.IN DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
        user:bob.FR DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed, AuthRuleDefined
        user:carol.IN ChangeStakeholders shop.IN.1 -mallory.FR => ladder_unfit
        user:carol.IN ChangeStakeholders shop.IN.1 -mallory.FR 0:1:mallory.FR => \
            approver_not_stakeholder
        user:carol.IN ChangeStakeholders shop.IN.1 -mallory.FR none => StakeholderChangeProposed
        user:bob.FR ChangeStakeholders shop.IN.1 -mallory.FR none => \
            StakeholderChangeProposed, StakeholdersChanged
        user:bob.FR InitiateMultiSigTx shop.IN.1 bob.FR 1GX => MultiSigTxInitiated required=2"
    ));
}

/// The dead are replaced on a document, by two, and by nobody who gains a seat.
#[test]
fn by_order_leaves_only_who_cannot_act() {
    let order = "ChangeStakeholdersByOrder shop.IN.1 +heir.IN -carol.IN";
    attack_shop(&format!(
        "admin:root {order} => stakeholder_active
        #dead admin:root SetUserStatus carol.IN DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        user:heir.IN {order} => actor_not_allowed
        admin:clerk {order} => actor_not_allowed
        user:bob.FR ChangeStakeholders shop.IN.1 +puppet.IN => StakeholderChangeProposed
        #p user:bob.FR InitiateMultiSigTx shop.IN.1 bob.FR 1GX => MultiSigTxInitiated
        #own admin:root ChangeStakeholdersByOrder shop.IN.1 +heir.IN -carol.IN -mallory.FR => \
            stakeholder_active
        #order admin:root {order} => ActionProposed
        + admin:root ApproveAction #order => same_admin
        admin:boss ApproveAction #order => ActionApproved, StakeholdersChanged, MultiSigTxDropped
        user:bob.FR WithdrawStakeholderChange shop.IN.1 => stakeholder_change_not_found
        #q user:heir.IN InitiateMultiSigTx shop.IN.1 heir.IN 1GX => MultiSigTxInitiated required=3
        admin:root ChangeStakeholdersByOrder shop.IN.1 +puppet.IN -heir.IN => \
            stakeholder_active
        org pair.IN.1 puppet.IN heir.IN
        admin:clerk SetUserStatus puppet.IN LOCKED => UserStatusSet
        #seat admin:root ChangeStakeholdersByOrder pair.IN.1 +mallory.FR -puppet.IN => \
            ActionProposed
        admin:boss ApproveAction #seat => recipient_is_admin"
    ));
}
