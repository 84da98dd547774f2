//! Organizations: how they come into being, whose approvals a payment needs, and that it is made
//! once and never with fewer.

use std::collections::BTreeMap;

use gx_types::AccountType;
use proptest::prelude::*;
use serde_json::json;

use super::host::Host;
use super::notation::{account, command_id, query};
use super::script::{check, go_on, try_line};
use crate::organization::{OrganizationKind, PendingTx, PendingTxState};
use crate::state::Account;

/// Three users with 500 GX, and a shop of theirs that holds 100.
const SHOP: &str = "world IN=60000000 FR=40000000
    open alice.IN 30
    open bob.FR 30
    open carol.IN 30
    open dave.IN 30
    org shop.IN.1 alice.IN bob.FR carol.IN
    user:alice.IN Transfer alice.IN shop.IN.1 100GX => Transferred";

const THIRTY_DAYS: i64 = 30 * 24 * 60 * 60 * 1000;

fn check_shop(table: &str) -> Host {
    check(&format!("{SHOP}\n{table}"))
}

/// A ladder that all three stakeholders have approved.
fn ladder(rules: &str) -> String {
    format!(
        "user:alice.IN DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
        user:bob.FR DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed
        user:carol.IN DefineAuthRule shop.IN.1 {rules} => AuthRuleProposed, AuthRuleDefined\n"
    )
}

#[test]
fn an_organization_is_active_when_every_stakeholder_has_endorsed_it() {
    check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        open bob.FR 30
        open carol.IN 30
        user:alice.IN ProposeOrganization shop.IN.1 \"Tea Shop\" BUSINESS alice.IN bob.FR => \
            OrganizationProposed orgId=shop.IN.1 type=BUSINESS country=IN accountType=1 \
            \"name=Tea Shop\"
        user:bob.FR EndorseMembership shop.IN.1 => MembershipEndorsed endorsements=1 required=2
        + user:bob.FR EndorseMembership shop.IN.1 => already_endorsed
        user:carol.IN EndorseMembership shop.IN.1 => not_stakeholder
        user:bob.FR ActivateOrganization shop.IN.1 => endorsements_missing
        user:bob.FR Transfer bob.FR shop.IN.1 1GX => account_not_found
        user:alice.IN EndorseMembership shop.IN.1 => MembershipEndorsed endorsements=2
        user:carol.IN ActivateOrganization shop.IN.1 => not_stakeholder
        user:bob.FR ActivateOrganization shop.IN.1 => OrganizationActivated activatedBy=bob.FR
        + user:bob.FR ActivateOrganization shop.IN.1 => organization_not_pending
        user:bob.FR EndorseMembership shop.IN.1 => organization_not_pending
        user:bob.FR Transfer bob.FR shop.IN.1 1GX => Transferred type=MERCHANT
        = shop.IN.1 1GX",
    );
}

#[test]
fn who_proposes_is_a_stakeholder_and_for_a_government_two_super_admins() {
    check(
        r#"world IN=60000000 FR=40000000
        put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        open a.IN 30
        open b.IN 30
        open c.IN 30
        user:c.IN ProposeOrganization shop.IN.1 shop BUSINESS a.IN b.IN => not_stakeholder
        admin:clerk ProposeOrganization shop.IN.1 shop BUSINESS a.IN b.IN => actor_not_allowed
        user:a.IN ProposeOrganization office.IN.7 office GOVERNMENT a.IN b.IN => actor_not_allowed
        as gx_partner_api admin:clerk ProposeOrganization office.IN.7 office GOVERNMENT \
            a.IN b.IN => \
            role_not_allowed
        as gx_admin admin:clerk ProposeOrganization office.IN.7 office GOVERNMENT a.IN b.IN => \
            role_not_allowed
        admin:clerk ProposeOrganization office.IN.7 office GOVERNMENT a.IN b.IN => \
            actor_not_allowed
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #office admin:root ProposeOrganization office.IN.7 office GOVERNMENT a.IN b.IN => \
            ActionProposed
        admin:boss ApproveAction #office => \
            ActionApproved, OrganizationProposed proposedBy=admin:root
        user:a.IN ProposeOrganization shop.IN.1 shop BUSINESS a.IN b.IN => OrganizationProposed
        user:b.IN ProposeOrganization shop.IN.1 shop BUSINESS a.IN b.IN => user_id_taken"#,
    );
}

#[test]
fn an_organization_has_two_to_twenty_distinct_users() {
    let propose = |names: &[String]| {
        format!("user:w0.IN ProposeOrganization shop.IN.1 shop BUSINESS {}", names.join(" "))
    };
    for (count, expected) in [
        (1, "list_invalid"),
        (2, "OrganizationProposed"),
        (20, "OrganizationProposed"),
        (21, "list_invalid"),
    ] {
        let names: Vec<String> = (0..count).map(|at| format!("w{at}.IN")).collect();
        let opened: Vec<String> = names.iter().map(|name| format!("open {name} 30")).collect();
        check(&format!(
            "world IN=60000000 FR=40000000\n{}\n{} => {expected}",
            opened.join("\n"),
            propose(&names)
        ));
    }
    check_shop(
        "user:alice.IN ProposeOrganization tea.IN.1 tea BUSINESS alice.IN alice.IN => list_invalid
        user:alice.IN ProposeOrganization tea.IN.1 tea BUSINESS alice.IN no.IN => \
            stakeholder_not_found
        user:alice.IN ProposeOrganization tea.IN.1 tea BUSINESS alice.IN shop.IN.1 => \
            stakeholder_not_found
        user:alice.IN ProposeOrganization tea.IN.1 te BUSINESS alice.IN bob.FR => text_invalid
        user:alice.IN ProposeOrganization tea.IN.1 é*100 BUSINESS alice.IN bob.FR => \
            OrganizationProposed
        user:alice.IN ProposeOrganization coffee.IN.1 x*101 BUSINESS alice.IN bob.FR => text_invalid
        user:alice.IN ProposeOrganization coffee.IN.1 coffee@FR BUSINESS alice.IN bob.FR => \
            user_id_mismatch
        user:alice.IN ProposeOrganization coffee.XX.1 coffee BUSINESS alice.IN bob.FR => \
            country_unknown
        user:alice.IN ProposeOrganization tea tea BUSINESS alice.IN bob.FR => user_id_invalid",
    );
}

#[test]
fn the_account_type_fits_the_organization() {
    let types = |kind: OrganizationKind| {
        let fitting = AccountType::ALL.into_iter().filter(|account| kind.admits(*account));
        fitting.map(|account| account.digit()).collect::<String>()
    };
    assert_eq!(types(OrganizationKind::Business), "1345A");
    assert_eq!(types(OrganizationKind::Ngo), "234A");
    assert_eq!(types(OrganizationKind::Government), "789");
    for digit in "0126EF".chars() {
        let expected = if digit == '1' { "OrganizationProposed" } else { "user_id_mismatch" };
        check_shop(&format!(
            "user:alice.IN ProposeOrganization new.IN.{digit} new BUSINESS alice.IN bob.FR => \
             {expected}"
        ));
    }
}

#[test]
fn no_actor_pays_from_an_organization_alone() {
    check_shop(
        "user:shop.IN.1 Transfer shop.IN.1 alice.IN 1GX => actor_not_allowed
        user:alice.IN Transfer shop.IN.1 alice.IN 1GX => not_own_account
        user:shop.IN.1 RegisterKey shop.IN.1 k => actor_not_allowed
        user:dave.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => not_stakeholder
        user:alice.IN InitiateMultiSigTx bob.FR alice.IN 1GX => organization_not_found
        user:alice.IN InitiateMultiSigTx treasury_IN alice.IN 1GX => treasury_locked
        user:alice.IN InitiateMultiSigTx SYSTEM_LOAN_POOL alice.IN 1GX => organization_not_found
        = shop.IN.1 100GX",
    );
}

#[test]
fn without_a_ladder_every_stakeholder_approves_every_payment() {
    check_shop(
        "#p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 10GX rent => MultiSigTxInitiated \
            orgId=shop.IN.1 required=3 approvedBy.0=alice.IN remark=rent
        user:alice.IN ApproveMultiSigTx #p => already_decided
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved approvals=2 required=3
        user:dave.IN ApproveMultiSigTx #p => not_approver
        = shop.IN.1 100GX
        user:carol.IN ApproveMultiSigTx #p => MultiSigTxApproved approvals=3, \
            MultiSigTxExecuted from=shop.IN.1 to=dave.IN amount=10GX fee=5000 type=P2P remark=rent \
            postings.0.0=shop.IN.1 postings.0.1=-10005000 postings.1.0=dave.IN
        + user:bob.FR ApproveMultiSigTx #p => pending_tx_settled
        user:alice.IN CancelMultiSigTx #p => pending_tx_settled
        = shop.IN.1 89995000
        = dave.IN 510GX",
    );
}

#[test]
fn a_ladder_counts_when_every_stakeholder_has_given_it() {
    check_shop(
        "user:alice.IN DefineAuthRule shop.IN.1 0:1:alice.IN => \
            AuthRuleProposed approvedBy.0=alice.IN required=3
        user:alice.IN DefineAuthRule shop.IN.1 0:1:alice.IN => already_decided
        user:bob.FR DefineAuthRule shop.IN.1 0:1:alice.IN => AuthRuleProposed approvedBy.1=bob.FR
        user:dave.IN DefineAuthRule shop.IN.1 0:1:alice.IN => not_stakeholder
        user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => MultiSigTxInitiated required=3
        user:carol.IN DefineAuthRule shop.IN.1 0:1:carol.IN => \
            AuthRuleProposed approvedBy.0=carol.IN
        user:carol.IN DefineAuthRule shop.IN.1 0:1:alice.IN => \
            AuthRuleProposed approvedBy.0=carol.IN
        user:alice.IN DefineAuthRule shop.IN.1 0:1:alice.IN => AuthRuleProposed
        user:bob.FR DefineAuthRule shop.IN.1 0:1:alice.IN => \
            AuthRuleProposed approvedBy.2=bob.FR, AuthRuleDefined ladder.0.requiredApprovers=1
        user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => \
            MultiSigTxInitiated required=1, MultiSigTxExecuted fee=0
        user:alice.IN DefineAuthRule shop.IN.1 => AuthRuleProposed
        user:bob.FR DefineAuthRule shop.IN.1 => AuthRuleProposed
        user:carol.IN DefineAuthRule shop.IN.1 => AuthRuleProposed, AuthRuleDefined ladder=[]
        user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => MultiSigTxInitiated required=3",
    );
}

#[test]
fn what_is_no_ladder() {
    for rules in [
        "1:1:alice.IN",
        "0:0:alice.IN",
        "0:2:alice.IN",
        "0:1:",
        "0:1:alice.IN,alice.IN",
        "0:1:alice.IN 0:1:bob.FR",
        "0:1:alice.IN 9:1:bob.FR 8:1:bob.FR",
        "0:1:alice.IN 1:1:alice.IN 2:1:alice.IN 3:1:alice.IN 4:1:alice.IN 5:1:alice.IN \
         6:1:alice.IN 7:1:alice.IN 8:1:alice.IN 9:1:alice.IN 10:1:alice.IN",
    ] {
        check_shop(&format!("user:alice.IN DefineAuthRule shop.IN.1 {rules} => auth_rule_invalid"));
    }
    check_shop(
        "user:alice.IN DefineAuthRule shop.IN.1 0:1:dave.IN => approver_not_stakeholder
        user:alice.IN DefineAuthRule shop.IN.1 0:1:alice.IN,dave.IN => approver_not_stakeholder",
    );
}

#[test]
fn a_ladder_has_up_to_ten_rules() {
    let rules: Vec<String> = (0..10).map(|amount| format!("{amount}:1:alice.IN")).collect();
    check_shop(&format!(
        "user:alice.IN DefineAuthRule shop.IN.1 {} => AuthRuleProposed",
        rules.join(" ")
    ));
}

#[test]
fn the_rule_is_the_one_with_the_greatest_amount_not_above_the_payment() {
    let rules = "0:1:alice.IN,bob.FR 10GX:2:alice.IN,bob.FR 50GX:2:bob.FR,carol.IN";
    for (paid, required, group) in [
        ("1", 1, "alice.IN"),
        ("9999999", 1, "alice.IN"),
        ("10GX", 2, "alice.IN"),
        ("49999999", 2, "alice.IN"),
        ("50GX", 2, "bob.FR"),
        ("5000GX", 2, "bob.FR"),
    ] {
        let host = check_shop(&format!(
            "{}#p user:carol.IN InitiateMultiSigTx shop.IN.1 dave.IN {paid} => \
             MultiSigTxInitiated required={required} approverGroup.0={group}",
            ladder(rules)
        ));
        let approved = stored(&host, "p").approved_by.len();
        assert_eq!(approved, usize::from(group == "bob.FR"), "only one of the group approves");
    }
}

fn stored(host: &Host, label: &str) -> PendingTx {
    let record = &host.ledger[&format!("x/PTX_{}", command_id(label))];
    serde_json::from_slice(record).unwrap()
}

#[test]
fn a_payment_keeps_the_rule_that_it_was_initiated_under() {
    check_shop(&format!(
        "#p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => MultiSigTxInitiated required=3
        {}user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved
        user:carol.IN ApproveMultiSigTx #p => MultiSigTxApproved, MultiSigTxExecuted",
        ladder("0:1:alice.IN")
    ));
}

#[test]
fn a_payment_that_fails_is_tried_again_by_any_approver() {
    check_shop(&format!(
        "{}#p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 200GX => MultiSigTxInitiated
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, \
            MultiSigTxExecutionFailed code=insufficient_balance
        = shop.IN.1 100GX
        = dave.IN 500GX
        user:alice.IN ApproveMultiSigTx #p => MultiSigTxExecutionFailed code=insufficient_balance
        user:carol.IN Transfer carol.IN shop.IN.1 150GX => Transferred
        admin:root FreezeWallet dave.IN COURT_ORDER => WalletFrozen
        user:carol.IN ApproveMultiSigTx #p => MultiSigTxApproved, \
            MultiSigTxExecutionFailed code=counterparty_frozen
        admin:root UnfreezeWallet dave.IN COURT_ORDER => WalletUnfrozen
        user:alice.IN ApproveMultiSigTx #p => MultiSigTxExecuted amount=200GX fee=200000
        user:alice.IN ApproveMultiSigTx #p => pending_tx_settled
        = shop.IN.1 49800000
        = dave.IN 700GX",
        ladder("0:2:alice.IN,bob.FR,carol.IN")
    ));
}

#[test]
fn a_payment_is_rejected_when_the_quorum_is_out_of_reach() {
    check_shop(&format!(
        "{}#p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => MultiSigTxInitiated
        user:alice.IN RejectMultiSigTx #p => already_decided
        user:bob.FR RejectMultiSigTx #p => MultiSigTxRejected rejections=1 state=PENDING
        user:bob.FR ApproveMultiSigTx #p => already_decided
        user:carol.IN RejectMultiSigTx #p => MultiSigTxRejected rejections=2 state=REJECTED
        user:carol.IN ApproveMultiSigTx #p => pending_tx_settled
        = shop.IN.1 100GX",
        ladder("0:2:alice.IN,bob.FR,carol.IN")
    ));
}

#[test]
fn a_payment_waits_for_thirty_days() {
    let (last, over) = (THIRTY_DAYS - 1, THIRTY_DAYS);
    check_shop(&format!(
        "#p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => \
            MultiSigTxInitiated expiresAt={over}
        at {last}
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved
        at {over}
        user:carol.IN ApproveMultiSigTx #p => pending_tx_expired
        user:carol.IN RejectMultiSigTx #p => pending_tx_expired
        user:alice.IN CancelMultiSigTx #p => pending_tx_expired"
    ));
}

#[test]
fn the_initiator_alone_cancels() {
    check_shop(
        "#p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => MultiSigTxInitiated
        user:bob.FR CancelMultiSigTx #p => not_party
        user:alice.IN CancelMultiSigTx #p => MultiSigTxCancelled orgId=shop.IN.1
        user:bob.FR ApproveMultiSigTx #p => pending_tx_settled",
    );
}

#[test]
fn a_locked_organization_pays_nothing() {
    check_shop(
        r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        #p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX => MultiSigTxInitiated
        admin:clerk SetOrganizationStatus shop.IN.1 ACTIVE => status_unchanged
        admin:clerk SetOrganizationStatus shop.IN.1 LOCKED => OrganizationStatusSet status=LOCKED
        user:bob.FR ApproveMultiSigTx #p => organization_not_active
        user:bob.FR InitiateMultiSigTx shop.IN.1 dave.IN 1GX => organization_not_active
        user:bob.FR DefineAuthRule shop.IN.1 0:1:bob.FR => organization_not_active
        user:dave.IN Transfer dave.IN shop.IN.1 1GX => Transferred
        admin:clerk SetOrganizationStatus shop.IN.1 ACTIVE => OrganizationStatusSet status=ACTIVE
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved
        user:carol.IN ApproveMultiSigTx #p => MultiSigTxApproved, MultiSigTxExecuted
        user:alice.IN SetOrganizationStatus shop.IN.1 LOCKED => actor_not_allowed"#,
    );
}

/// Five stakeholders, and as many payments as each of them may have waiting.
fn crowded() -> String {
    let ten = |user: &str| {
        let line = format!("user:{user} InitiateMultiSigTx big.IN.1 dave.IN 1GX");
        vec![format!("{line} => MultiSigTxInitiated"); 10].join("\n+ ")
    };
    let stakeholders = ["alice.IN", "bob.FR", "carol.IN", "dave.IN", "eve.IN"];
    let fifty = stakeholders.map(ten).join("\n+ ");
    format!("open eve.IN 30\norg big.IN.1 {}\n{fifty}", stakeholders.join(" "))
}

#[test]
fn fifty_payments_may_wait_and_those_that_expired_make_room() {
    let initiate = "user:alice.IN InitiateMultiSigTx big.IN.1 dave.IN 1GX";
    let host = check_shop(&format!(
        "{}\n{initiate} => too_many_pending
        at {THIRTY_DAYS}
        {initiate} => MultiSigTxInitiated",
        crowded()
    ));
    let args = json!({"orgId": account("big.IN.1")});
    let list = host.ask(query("OrganizationContract:ListPendingTransactions", &args)).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["amount"], "1000000");
}

/// One stakeholder can't keep the others from paying.
#[test]
fn a_payment_that_is_settled_makes_room_for_one_and_one_that_waits_does_not() {
    let initiate = "user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 1GX";
    let waiting = vec![format!("{initiate} => MultiSigTxInitiated"); 7].join("\n+ ");
    let last = THIRTY_DAYS - 1;
    check_shop(&format!(
        "{waiting}
        #a {initiate} => MultiSigTxInitiated
        #b {initiate} => MultiSigTxInitiated
        #c {initiate} => MultiSigTxInitiated
        {initiate} => too_many_own_pending
        user:bob.FR InitiateMultiSigTx shop.IN.1 dave.IN 1GX => MultiSigTxInitiated
        user:alice.IN CancelMultiSigTx #a => MultiSigTxCancelled
        {initiate} => MultiSigTxInitiated
        {initiate} => too_many_own_pending
        user:bob.FR RejectMultiSigTx #b => MultiSigTxRejected state=REJECTED
        {initiate} => MultiSigTxInitiated
        {initiate} => too_many_own_pending
        user:bob.FR ApproveMultiSigTx #c => MultiSigTxApproved
        {initiate} => too_many_own_pending
        user:carol.IN ApproveMultiSigTx #c => MultiSigTxApproved, MultiSigTxExecuted
        {initiate} => MultiSigTxInitiated
        at {last}
        {initiate} => too_many_own_pending"
    ));
}

#[test]
fn an_active_treasury_pays_by_its_government_s_rules() {
    let host = check_shop(
        "org office.IN.7 alice.IN bob.FR
        org office.FR.7 alice.IN bob.FR
        admin:root ActivateTreasuryAccount IN shop.IN.1 => organization_not_eligible
        admin:root ActivateTreasuryAccount IN office.FR.7 => organization_not_eligible
        admin:root ActivateTreasuryAccount DE office.IN.7 => country_unknown
        user:alice.IN ActivateTreasuryAccount IN office.IN.7 => actor_not_allowed
        system ActivateTreasuryAccount IN office.IN.7 => actor_not_allowed
        #give admin:root ActivateTreasuryAccount IN office.IN.7 => ActionProposed
        admin:boss ApproveAction #give => ActionApproved, TreasuryActivated \
            treasuryId=treasury_IN orgId=office.IN.7 payableFrom=604800000
        admin:root ActivateTreasuryAccount IN office.IN.7 => treasury_active
        at 6d+86399999
        user:alice.IN InitiateMultiSigTx treasury_IN dave.IN 1GX => treasury_not_payable
        at 7d
        user:carol.IN InitiateMultiSigTx treasury_IN dave.IN 1GX => not_stakeholder
        #p user:alice.IN InitiateMultiSigTx treasury_IN dave.IN 100GX => \
            MultiSigTxInitiated orgId=office.IN.7 from=treasury_IN
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, \
            MultiSigTxExecuted type=SYSTEM fee=0
        user:alice.IN InitiateMultiSigTx treasury_FR dave.IN 1GX => treasury_locked
        = treasury_IN 50GX
        = dave.IN 600GX",
    );
    let treasury = |code: &str| {
        let args = json!({"countryCode": code});
        host.ask(query("TokenomicsContract:GetTreasury", &args)).unwrap()["orgId"].clone()
    };
    assert_eq!(treasury("IN"), json!(account("office.IN.7")));
    assert_eq!(treasury("FR"), json!(null));
    let supply = host.ask(query("TokenomicsContract:GetSupplyStatus", &json!({}))).unwrap();
    assert_eq!(
        supply["circulatingSupply"], "2149850000",
        "all but the fee and the treasury that is locked"
    );
}

#[test]
fn a_stakeholder_outside_of_the_group_decides_nothing() {
    let payment =
        "#p user:alice.IN InitiateMultiSigTx shop.IN.1 dave.IN 10GX => MultiSigTxInitiated
        user:carol.IN ApproveMultiSigTx #p => not_approver
        user:carol.IN RejectMultiSigTx #p => not_approver
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, MultiSigTxExecuted";
    check_shop(&format!("{}{payment}", ladder("0:2:alice.IN,bob.FR")));
}

#[test]
fn an_organization_is_told_with_rules_and_balance() {
    let host = check_shop(&ladder("0:1:alice.IN"));
    let of = json!({"orgId": account("shop.IN.1")});
    let told = host.ask(query("OrganizationContract:GetOrganization", &of)).unwrap();
    let stakeholders = ["alice.IN", "bob.FR", "carol.IN"].map(account);
    assert_eq!(
        told,
        json!({
            "orgId": account("shop.IN.1"), "name": "shop.IN.1", "type": "BUSINESS",
            "country": "IN", "accountType": "1", "status": "ACTIVE",
            "stakeholders": stakeholders, "endorsedBy": stakeholders,
            "ladder": [{"fromAmount": "0", "requiredApprovers": 1,
                        "approverGroup": [account("alice.IN")]}],
            "proposed": null, "balance": "100000000", "paidSinceYesterday": "0",
            "change": null, "changeExpiresAt": null
        })
    );
}

/// The naive model of one payment: who has said what.
#[derive(Default)]
struct Said {
    approved: Vec<usize>,
    paid: bool,
}

proptest! {
    #![proptest_config(super::many(32))]

    /// Whatever stakeholders and strangers try, a payment is made once and by its rule.
    #[test]
    fn a_payment_is_never_made_twice_nor_below_its_rule(
        required in 1..4_u8,
        steps in prop::collection::vec((0..4_usize, 0..3_usize, 0..6_u8, 1..60_u64), 1..40),
    ) {
        let people = ["alice.IN", "bob.FR", "carol.IN", "dave.IN"];
        let rules = format!("0:{required}:alice.IN,bob.FR,carol.IN");
        let mut host = go_on(check(SHOP), &ladder(&rules));
        let mut said: BTreeMap<String, Said> = BTreeMap::new();
        let mut spent = 0;
        for (who, which, act, gx) in steps {
            let (person, label) = (people[who], format!("p{which}"));
            let words = match act {
                0 | 1 => format!("InitiateMultiSigTx shop.IN.1 treasury_IN {gx}GX"),
                5 => format!("RejectMultiSigTx #{label}"),
                _ => format!("ApproveMultiSigTx #{label}"),
            };
            let id = if act < 2 { format!("#{label} ") } else { String::new() };
            let (next, last) = try_line(host, &format!("{id}user:{person} {words}"));
            host = next;
            let Some(last) = last.filter(|name| !name.starts_with("repeated")) else { continue };
            let entry = said.entry(label.clone()).or_default();
            if (act < 2 || (2..5).contains(&act)) && !entry.approved.contains(&who) {
                entry.approved.push(who);
            }
            if last == "MultiSigTxExecuted" {
                prop_assert!(!entry.paid, "paid twice");
                prop_assert!(entry.approved.len() >= usize::from(required), "paid below the rule");
                prop_assert!(entry.approved.iter().all(|who| *who < 3), "a stranger approved");
                entry.paid = true;
                spent += stored(&host, &label).amount.qirat();
            }
        }
        for (label, said) in &said {
            let state = stored(&host, label).state;
            prop_assert_eq!(state == PendingTxState::Executed, said.paid);
        }
        let shop = &host.ledger[&format!("a/{}", account("shop.IN.1"))];
        let shop: Account = serde_json::from_slice(shop).unwrap();
        prop_assert_eq!(shop.balance.qirat(), 100_000_000 - spent);
        host.finish();
    }
}
