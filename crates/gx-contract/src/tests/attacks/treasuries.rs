//! Treasuries: who would like to have one.

use super::attack;

/// Mallory and a puppet stand for an office that nobody asked for; bob and carol for the real one.
/// India's treasury holds 200 GX.
const OFFICES: &str = "open carol.IN 30
    open dave.IN 30
    open puppet.IN 30
    org fake.IN.7 mallory.FR puppet.IN
    org office.IN.7 bob.FR carol.IN";

fn attack_offices(table: &str) {
    attack(&format!("{OFFICES}\n{table}"));
}

/// One admin with two puppets took a treasury.
#[test]
fn one_admin_with_two_puppets_takes_no_treasury() {
    let propose = "ProposeOrganization spare.IN.7 spare GOVERNMENT mallory.FR puppet.IN";
    attack_offices(&format!(
        "admin:clerk {propose} => actor_not_allowed
        user:mallory.FR {propose} => actor_not_allowed
        system {propose} => actor_not_allowed
        #spare admin:root {propose} => ActionProposed
        + admin:root ApproveAction #spare => same_admin
        user:mallory.FR EndorseMembership spare.IN.7 => organization_not_found
        admin:clerk ActivateTreasuryAccount IN fake.IN.7 => actor_not_allowed
        user:mallory.FR ActivateTreasuryAccount IN fake.IN.7 => actor_not_allowed
        system ActivateTreasuryAccount IN fake.IN.7 => actor_not_allowed
        #give admin:root ActivateTreasuryAccount IN fake.IN.7 => ActionProposed
        + admin:root ApproveAction #give => same_admin
        + admin:clerk ApproveAction #give => admin_level_too_low
        user:mallory.FR InitiateMultiSigTx treasury_IN mallory.FR 1GX => treasury_locked
        admin:boss RejectAction #give => ActionRejected
        = treasury_IN 200GX"
    ));
}

/// Two stolen super admins give a treasury away, and the others have a week to take it back.
#[test]
fn a_treasury_that_was_given_away_is_taken_back_before_it_pays() {
    let pay = "user:mallory.FR InitiateMultiSigTx treasury_IN mallory.FR";
    attack_offices(&format!(
        "treasury IN fake.IN.7
        {pay} 200GX => treasury_not_payable
        at 6d+86399999
        {pay} 200GX => treasury_not_payable
        #back admin:root ReassignTreasury IN office.IN.7 => ActionProposed
        + admin:root ApproveAction #back => same_admin
        admin:boss ApproveAction #back => ActionApproved, TreasuryReassigned \
            orgId=office.IN.7 payableFrom=1209599999
        at 7d
        {pay} 200GX => not_stakeholder
        user:bob.FR InitiateMultiSigTx treasury_IN dave.IN 1GX => treasury_not_payable
        at 13d+86399999
        #aid user:bob.FR InitiateMultiSigTx treasury_IN dave.IN 1GX => MultiSigTxInitiated
        user:carol.IN ApproveMultiSigTx #aid => MultiSigTxApproved, MultiSigTxExecuted
        = treasury_IN 199GX"
    ));
}

/// What the organization before has waiting is not paid, not even when the treasury comes back.
#[test]
fn who_loses_a_treasury_pays_nothing_from_it_any_more() {
    attack_offices(
        "treasury IN fake.IN.7
        user:bob.FR Transfer bob.FR fake.IN.7 50GX => Transferred
        at 7d
        #all user:mallory.FR InitiateMultiSigTx treasury_IN mallory.FR 150GX => \
            MultiSigTxInitiated
        #own user:mallory.FR InitiateMultiSigTx fake.IN.7 mallory.FR 1GX => MultiSigTxInitiated
        #more user:puppet.IN InitiateMultiSigTx treasury_IN puppet.IN 1GX => MultiSigTxInitiated
        #late user:puppet.IN InitiateMultiSigTx treasury_IN puppet.IN 9000GX => MultiSigTxInitiated
        user:mallory.FR ApproveMultiSigTx #late => MultiSigTxApproved, MultiSigTxExecutionFailed
        #back admin:root ReassignTreasury IN office.IN.7 => ActionProposed
        admin:boss ApproveAction #back => ActionApproved, TreasuryReassigned, \
            MultiSigTxDropped, MultiSigTxDropped, MultiSigTxDropped
        + admin:boss ApproveAction #back => action_executed
        user:puppet.IN ApproveMultiSigTx #all => pending_tx_settled
        + user:mallory.FR ApproveMultiSigTx #more => pending_tx_settled
        + user:mallory.FR ApproveMultiSigTx #late => pending_tx_settled
        user:puppet.IN ApproveMultiSigTx #own => MultiSigTxApproved, MultiSigTxExecuted
        #again admin:root ReassignTreasury IN fake.IN.7 => ActionProposed
        admin:boss ApproveAction #again => ActionApproved, TreasuryReassigned
        user:puppet.IN ApproveMultiSigTx #all => pending_tx_settled
        user:puppet.IN InitiateMultiSigTx treasury_IN puppet.IN 1GX => treasury_not_payable
        = treasury_IN 200GX",
    );
}

/// The days of a treasury are its own: a new organization does not start with none paid.
#[test]
fn what_a_treasury_has_paid_stays_with_it() {
    let rules = "0:1:mallory.FR 100GX:2:mallory.FR,puppet.IN";
    let pay = "user:mallory.FR InitiateMultiSigTx";
    attack_offices(&format!(
        "user:mallory.FR DefineAuthRule fake.IN.7 {rules} => AuthRuleProposed
        user:puppet.IN DefineAuthRule fake.IN.7 {rules} => AuthRuleProposed, AuthRuleDefined
        treasury IN fake.IN.7
        user:bob.FR Transfer bob.FR fake.IN.7 150GX => Transferred
        at 7d
        {pay} treasury_IN mallory.FR 99GX => MultiSigTxInitiated required=1, MultiSigTxExecuted
        {pay} treasury_IN mallory.FR 1GX => MultiSigTxInitiated required=2
        {pay} fake.IN.7 mallory.FR 99GX => MultiSigTxInitiated required=1, MultiSigTxExecuted
        {pay} fake.IN.7 mallory.FR 1GX => MultiSigTxInitiated required=2"
    ));
}

/// A week in which nobody can object is none.
#[test]
fn a_pause_puts_off_the_first_payment_of_a_treasury() {
    attack_offices(
        "treasury IN fake.IN.7
        at 1d
        admin:root PauseSystem \"ten letters\" => SystemPaused
        at 9d
        admin:root ResumeSystem => SystemResumed
        at 14d+86399999
        user:mallory.FR InitiateMultiSigTx treasury_IN mallory.FR 1GX => treasury_not_payable
        at 15d
        user:mallory.FR InitiateMultiSigTx treasury_IN mallory.FR 1GX => MultiSigTxInitiated",
    );
}
