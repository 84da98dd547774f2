//! Dishonest stakeholders of an organization, and whoever holds the account of one.

use super::attack;

/// Carol, mallory and bob own a shop that holds 450 GX. Mallory alone pays less than 100 GX, and
/// two of the three whatever is more. Dave is a stranger; the clerk locks.
const SHOP: &str = "open carol.IN 30
    open dave.IN 30
    org shop.IN.1 mallory.FR carol.IN bob.FR
    user:bob.FR Transfer bob.FR shop.IN.1 450GX => Transferred
    user:mallory.FR DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
    user:carol.IN DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
    user:bob.FR DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed, AuthRuleDefined";

const RULES: &str = "0:1:mallory.FR 100GX:2:mallory.FR,carol.IN,bob.FR";

fn attack_shop(table: &str) {
    attack(&format!("{}\n{table}", SHOP.replace("{rules}", RULES)));
}

/// What one may pay alone is what one may pay alone in two days.
#[test]
fn one_approver_pays_no_more_by_paying_often() {
    let pay = "user:mallory.FR InitiateMultiSigTx shop.IN.1 mallory.FR";
    attack_shop(&format!(
        "{pay} 99GX => MultiSigTxInitiated required=1, MultiSigTxExecuted
        + {pay} 99GX => MultiSigTxInitiated required=2
        {pay} 1GX => MultiSigTxInitiated required=2
        {pay} 999999 => MultiSigTxInitiated required=1, MultiSigTxExecuted
        {pay} 1 => MultiSigTxInitiated required=2
        at 1d
        {pay} 1 => MultiSigTxInitiated required=2
        at 1d+86399999
        {pay} 1 => MultiSigTxInitiated required=2
        at 2d
        {pay} 60GX => MultiSigTxInitiated required=1, MultiSigTxExecuted
        at 3d
        {pay} 39999999 => MultiSigTxInitiated required=1, MultiSigTxExecuted
        {pay} 1 => MultiSigTxInitiated required=2
        at 4d
        {pay} 60000000 => MultiSigTxInitiated required=1, MultiSigTxExecuted
        {pay} 1 => MultiSigTxInitiated required=2"
    ));
}

/// A payment that fails is none, and what two have approved counts like what one has.
#[test]
fn what_was_paid_counts_whoever_approved_it() {
    let pay = "user:mallory.FR InitiateMultiSigTx shop.IN.1 dave.IN";
    attack_shop(&format!(
        "#all {pay} 9000GX => MultiSigTxInitiated required=2
        user:bob.FR ApproveMultiSigTx #all => MultiSigTxApproved, \
            MultiSigTxExecutionFailed code=insufficient_balance
        {pay} 1GX => MultiSigTxInitiated required=1, MultiSigTxExecuted
        #rent {pay} 200GX => MultiSigTxInitiated required=2
        user:carol.IN ApproveMultiSigTx #rent => MultiSigTxApproved, MultiSigTxExecuted
        {pay} 1GX => MultiSigTxInitiated required=2"
    ));
}

/// Many are initiated while each is small, and approved when all of them are there.
#[test]
fn payments_that_waited_are_judged_again_when_they_are_made() {
    let pay = "user:carol.IN InitiateMultiSigTx shop.IN.1 mallory.FR";
    attack_shop(&format!(
        "#a {pay} 60GX => MultiSigTxInitiated required=1
        + #b {pay} 60GX => MultiSigTxInitiated required=1
        + #c {pay} 60GX => MultiSigTxInitiated required=1
        user:mallory.FR ApproveMultiSigTx #a => MultiSigTxApproved, MultiSigTxExecuted
        + user:mallory.FR ApproveMultiSigTx #b => MultiSigTxApproved, \
            MultiSigTxRejudged required=2 state=PENDING approvedBy.0=mallory.FR
        + user:mallory.FR ApproveMultiSigTx #b => already_decided
        + user:mallory.FR ApproveMultiSigTx #c => MultiSigTxApproved, MultiSigTxRejudged
        at 9d
        user:mallory.FR ApproveMultiSigTx #b => already_decided
        user:carol.IN ApproveMultiSigTx #b => MultiSigTxApproved, MultiSigTxExecuted
        user:carol.IN RejectMultiSigTx #c => MultiSigTxRejected state=PENDING
        user:bob.FR RejectMultiSigTx #c => MultiSigTxRejected state=REJECTED
        = shop.IN.1 329820000"
    ));
}

/// The rule of the larger sum counts with its own approvers.
#[test]
fn who_may_not_approve_the_sum_has_approved_nothing() {
    let rules = "0:1:mallory.FR 100GX:2:carol.IN,bob.FR";
    let pay = "user:carol.IN InitiateMultiSigTx shop.IN.1 mallory.FR";
    attack(&format!(
        "{}
        #a {pay} 60GX => MultiSigTxInitiated required=1
        #b {pay} 60GX => MultiSigTxInitiated required=1
        user:mallory.FR ApproveMultiSigTx #a => MultiSigTxApproved, MultiSigTxExecuted
        user:mallory.FR ApproveMultiSigTx #b => MultiSigTxApproved, \
            MultiSigTxRejudged required=2 approverGroup.0=carol.IN approverGroup.1=bob.FR
        user:mallory.FR ApproveMultiSigTx #b => not_approver
        user:carol.IN ApproveMultiSigTx #b => MultiSigTxApproved approvals=1
        user:bob.FR ApproveMultiSigTx #b => MultiSigTxApproved, MultiSigTxExecuted",
        SHOP.replace("{rules}", rules)
    ));
}

/// Mallory has approved, and then a court, an admin or death comes between.
#[test]
fn approvals_of_who_may_not_act_do_not_count() {
    for (line, undone) in [
        (
            "admin:root FreezeWallet mallory.FR COURT_ORDER => WalletFrozen",
            "admin:root UnfreezeWallet mallory.FR COURT_ORDER => WalletUnfrozen",
        ),
        (
            "admin:clerk SetUserStatus mallory.FR LOCKED => UserStatusSet",
            "admin:clerk SetUserStatus mallory.FR ACTIVE => UserStatusSet",
        ),
        (
            "#dead admin:root SetUserStatus mallory.FR DECEASED order => ActionProposed
            admin:boss ApproveAction #dead => ActionApproved, UserStatusSet",
            "#alive admin:root SetUserStatus mallory.FR ACTIVE order => ActionProposed
            admin:boss ApproveAction #alive => ActionApproved, UserStatusSet",
        ),
    ] {
        let pay = "user:mallory.FR InitiateMultiSigTx shop.IN.1 dave.IN 200GX";
        let failed = "MultiSigTxExecutionFailed code=approver_not_active";
        attack_shop(&format!(
            "#p {pay} => MultiSigTxInitiated required=2
            #q {pay} => MultiSigTxInitiated required=2
            {line}
            user:carol.IN ApproveMultiSigTx #p => MultiSigTxApproved, {failed}
            + user:carol.IN ApproveMultiSigTx #p => {failed}
            = shop.IN.1 450GX
            user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, MultiSigTxExecuted
            user:carol.IN ApproveMultiSigTx #q => MultiSigTxApproved, {failed}
            {undone}
            user:carol.IN ApproveMultiSigTx #q => MultiSigTxExecuted
            + user:carol.IN ApproveMultiSigTx #q => pending_tx_settled
            = shop.IN.1 49600000"
        ));
    }
}

/// Who finds out in time takes the approval back; who finds out too late does not.
#[test]
fn an_approval_is_taken_back_until_the_payment_is_made() {
    let pay = "user:mallory.FR InitiateMultiSigTx shop.IN.1 dave.IN";
    attack_shop(&format!(
        "#p {pay} 500GX => MultiSigTxInitiated required=2
        user:carol.IN WithdrawApproval #p => not_approver
        user:dave.IN WithdrawApproval #p => not_approver
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, \
            MultiSigTxExecutionFailed code=insufficient_balance
        admin:clerk SetOrganizationStatus shop.IN.1 LOCKED => OrganizationStatusSet
        user:bob.FR WithdrawApproval #p => ApprovalWithdrawn approvals=1 required=2
        + user:bob.FR WithdrawApproval #p => not_approver
        admin:clerk SetOrganizationStatus shop.IN.1 ACTIVE => OrganizationStatusSet
        user:carol.IN Transfer carol.IN shop.IN.1 400GX => Transferred
        user:mallory.FR ApproveMultiSigTx #p => already_decided
        = shop.IN.1 850GX
        user:carol.IN ApproveMultiSigTx #p => MultiSigTxApproved, MultiSigTxExecuted
        user:carol.IN WithdrawApproval #p => pending_tx_settled
        #late {pay} 200GX => MultiSigTxInitiated
        at 30d
        user:mallory.FR WithdrawApproval #late => pending_tx_expired"
    ));
}

/// A pause must not use up the time in which others look at a payment.
#[test]
fn a_pause_puts_off_the_end_of_a_payment() {
    attack_shop(
        "#p user:mallory.FR InitiateMultiSigTx shop.IN.1 dave.IN 200GX => \
            MultiSigTxInitiated expiresAt=2592000000
        at 1d
        admin:root PauseSystem \"ten letters\" => SystemPaused
        at 40d
        user:bob.FR ApproveMultiSigTx #p => system_paused
        admin:root ResumeSystem => SystemResumed
        at 68d+86399999
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, MultiSigTxExecuted
        #q user:mallory.FR InitiateMultiSigTx shop.IN.1 dave.IN 200GX => \
            MultiSigTxInitiated expiresAt=8553599999
        at 99d
        user:bob.FR ApproveMultiSigTx #q => pending_tx_expired",
    );
}
