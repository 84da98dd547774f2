//! The velocity tax: its timer, its bands, where it goes, and who is exempt.

use serde_json::{Value, json};

use super::notation::{account, query};
use super::script::check;

/// Two super admins, who can give anybody any balance, and two people without coins.
const WORLD: &str = "world IN=60000000 FR=40000000
    admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
    open alice.IN 5
    open bob.FR 5";

fn check_tax(table: &str) -> super::host::Host {
    check(&format!("{WORLD}\n{table}"))
}

/// Lines by which an account receives coins.
fn give(user: &str, amount: &str) -> String {
    let key = format!("#{user}-{amount}");
    format!(
        "{key} admin:root DisburseFromPool SYSTEM_GX_POOL {user} {amount} aid => ActionProposed
        admin:boss ApproveAction {key} => ActionApproved, PoolDisbursed"
    )
}

#[test]
fn the_rate_is_that_of_the_band_of_the_whole_balance() {
    for (balance, rate, tax) in [
        ("100GX", 250, "2500000"),
        ("100.000001GX", 250, "2500001"),
        ("999.999999GX", 250, "25000000"),
        ("1000GX", 300, "30GX"),
        ("4999.999999GX", 300, "150000000"),
        ("5000GX", 350, "175GX"),
        ("9999.999999GX", 350, "350000000"),
        ("10000GX", 400, "400GX"),
        ("24999.999999GX", 400, "1000000000"),
        ("25000GX", 450, "1125GX"),
        ("49999.999999GX", 450, "2250000000"),
        ("50000GX", 550, "2750GX"),
        ("99999.999999GX", 550, "5500000000"),
        ("100000GX", 600, "6000GX"),
        ("100000000GX", 600, "6000000GX"),
    ] {
        let give = give("alice.IN", balance);
        check_tax(&format!(
            "{give}
            at 355d
            system ApplyVelocityTax alice.IN => VelocityTaxApplied accountId=alice.IN country=IN \
                taxedBalance={balance} rateBps={rate} amount={tax} wasTaxableSince=0"
        ));
    }
}

#[test]
fn the_tax_is_shared_between_treasury_and_charity_and_the_odd_qirat_is_the_treasurys() {
    let give = give("alice.IN", "100.000001GX");
    check_tax(&format!(
        "{give}
        at 355d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied amount=2500001 \
            treasuryAmount=1250001 charitableAmount=1250000 \
            postings.0.0=alice.IN postings.0.1=-2500001 postings.0.2=97500000 \
            postings.1.0=treasury_IN postings.1.1=1250001 \
            postings.2.0=SYSTEM_CHARITABLE_POOL postings.2.1=1250000
        = alice.IN 97.5GX
        = treasury_IN 1250001
        = SYSTEM_CHARITABLE_POOL 158000000001250000"
    ));
    for (percent, treasury, charity) in
        [(0, 0, 2_500_001), (100, 2_500_001, 0), (33, 825_001, 1_675_000), (99, 2_475_001, 25_000)]
    {
        check_tax(&format!(
            "put s/parameters {{\"v\":1,\"changes\":1,\
                \"values\":{{\"velocityTaxTreasuryPercent\":\"{percent}\"}}}}
            {give}
            at 355d
            system ApplyVelocityTax alice.IN => VelocityTaxApplied amount=2500001 \
                treasuryAmount={treasury} charitableAmount={charity}"
        ));
    }
}

#[test]
fn the_tax_is_due_after_355_days_to_the_millisecond() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "at 7
        {give}
        since alice.IN 7
        at 355d+6
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped accountId=alice.IN \
            code=tax_not_due taxableSince=7
        at 355d+7
        system ApplyVelocityTax alice.IN => VelocityTaxApplied wasTaxableSince=7 \
            taxableSince=30672000007
        since alice.IN 355d+7
        + system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        at 710d+6
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        at 710d+7
        system ApplyVelocityTax alice.IN => VelocityTaxApplied
        = alice.IN 190125000"
    ));
}

#[test]
fn the_timer_starts_with_the_credit_that_lifts_the_balance_to_the_threshold() {
    check(&format!(
        "{WORLD}
        at 1000
        {}
        since alice.IN -
        at 2000
        {}
        since alice.IN 2000
        at 3000
        {}
        since alice.IN 2000
        at 4000
        open rich.IN 30
        since rich.IN 4000
        since treasury_IN -
        since SYSTEM_GX_POOL -",
        give("alice.IN", "99.999999GX"),
        give("alice.IN", "1"),
        give("alice.IN", "50GX"),
    ));
}

#[test]
fn the_timer_stops_when_the_balance_falls_below_and_starts_anew() {
    let give = give("alice.IN", "110GX");
    check_tax(&format!(
        "{give}
        open carol.IN 5
        at 100d
        user:alice.IN Transfer alice.IN SYSTEM_CHARITABLE_POOL 10GX => Transferred
        since alice.IN 0
        at 200d
        user:alice.IN Transfer alice.IN carol.IN 1 => Transferred
        since alice.IN -
        at 355d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        user:carol.IN Transfer carol.IN alice.IN 1 => Transferred
        since alice.IN 355d
        at 709d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        at 710d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied"
    ));
}

#[test]
fn a_balance_that_dips_within_a_batch_has_not_stayed() {
    let give = give("alice.IN", "100GX");
    check_tax(&format!(
        "{give}
        open carol.IN 5
        at 300d
        user:alice.IN Transfer alice.IN carol.IN 2GX => Transferred
        + user:carol.IN Transfer carol.IN alice.IN 2GX => Transferred
        since alice.IN 300d"
    ));
}

#[test]
fn what_is_left_below_the_threshold_is_not_watched() {
    let give = give("alice.IN", "102GX");
    check_tax(&format!(
        "{give}
        at 355d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied amount=2550000
        = alice.IN 99.45GX
        since alice.IN -"
    ));
}

#[test]
fn each_account_of_a_list_has_its_result() {
    let (alice, bob) = (give("alice.IN", "200GX"), give("bob.FR", "2000GX"));
    check_tax(&format!(
        "{alice}
        {bob}
        at 355d
        open late.IN 30
        admin:root ApplyVelocityTax \
            bob.FR nobody.IN late.IN treasury_IN SYSTEM_GX_POOL alice.IN => \
            VelocityTaxApplied accountId=bob.FR amount=60GX, \
            VelocityTaxSkipped accountId=nobody.IN code=account_not_found, \
            VelocityTaxSkipped accountId=late.IN code=tax_not_due, \
            VelocityTaxSkipped accountId=treasury_IN code=not_taxable, \
            VelocityTaxSkipped accountId=SYSTEM_GX_POOL code=not_taxable, \
            VelocityTaxApplied accountId=alice.IN amount=5GX
        = treasury_FR 30GX
        = treasury_IN 52.5GX
        admin:root ApplyVelocityTax => list_invalid
        admin:root ApplyVelocityTax alice.IN bob.FR alice.IN => list_invalid"
    ));
}

#[test]
fn a_list_has_at_most_a_thousand_accounts() {
    let ids = |count: usize| (0..count).map(|n| format!("h{n}.IN ")).collect::<String>();
    let skips = vec!["VelocityTaxSkipped"; 1000].join(", ");
    check_tax(&format!(
        "system ApplyVelocityTax {} => list_invalid
        system ApplyVelocityTax {} => {skips}",
        ids(1001),
        ids(1000)
    ));
}

#[test]
fn an_exempt_account_pays_nothing_and_its_timer_rests() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "{give}
        admin:root SetVelocityTaxExempt alice.IN false => exemption_unchanged
        at 300d
        admin:root SetVelocityTaxExempt alice.IN true => \
            VelocityTaxExemptSet accountId=alice.IN exempt=true
        + admin:root SetVelocityTaxExempt alice.IN true => exemption_unchanged
        since alice.IN -
        at 400d
        user:alice.IN Transfer alice.IN SYSTEM_CHARITABLE_POOL 1GX => Transferred
        since alice.IN -
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_exempt
        at 500d
        admin:root SetVelocityTaxExempt alice.IN false => \
            VelocityTaxExemptSet exempt=false taxableSince=43200000000
        at 854d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        at 855d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied
        admin:root SetVelocityTaxExempt treasury_IN true => not_taxable
        admin:root SetVelocityTaxExempt SYSTEM_GX_POOL true => not_taxable
        admin:root SetVelocityTaxExempt nobody.IN true => account_not_found
        admin:root SetVelocityTaxExempt bob.FR true => VelocityTaxExemptSet
        admin:root SetVelocityTaxExempt bob.FR false => VelocityTaxExemptSet
        since bob.FR -"
    ));
}

#[test]
fn a_changed_threshold_reaches_accounts_that_do_not_move() {
    let (alice, bob) = (give("alice.IN", "90GX"), give("bob.FR", "110GX"));
    let threshold = |gx: &str| {
        format!(
            "put s/parameters {{\"v\":1,\"changes\":1,\
            \"values\":{{\"velocityTaxThreshold\":\"{gx}000000\"}}}}"
        )
    };
    check_tax(&format!(
        "{alice}
        {bob}
        at 10d
        {}
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due \
            taxableSince=864000000
        since alice.IN 10d
        at 20d
        {}
        system ApplyVelocityTax bob.FR => VelocityTaxSkipped code=tax_not_due
        since bob.FR -
        at 355d
        {}
        system ApplyVelocityTax bob.FR => VelocityTaxSkipped code=tax_not_due
        since bob.FR 355d",
        threshold("80"),
        threshold("120"),
        threshold("100"),
    ));
}

#[test]
fn the_period_is_a_parameter() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "put s/parameters {{\"v\":1,\"changes\":1,\"values\":{{\"velocityTaxPeriodDays\":\"180\"}}}}
        {give}
        at 179d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        at 180d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied"
    ));
}

/// Whoever can't spend does not hoard: the timer waits for as long as they have to.
#[test]
fn the_timer_rests_while_an_account_is_kept_from_spending() {
    let give = give("alice.IN", "200GX");
    for (stop, go) in [
        (
            "FreezeWallet alice.IN COURT_ORDER => WalletFrozen",
            "UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen",
        ),
        (
            "SetUserStatus alice.IN LOCKED => UserStatusSet",
            "SetUserStatus alice.IN ACTIVE => UserStatusSet",
        ),
    ] {
        check_tax(&format!(
            "{give}
            at 100d
            admin:root {stop}
            ran alice.IN 100d
            at 400d
            system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
            admin:root {go}
            since alice.IN 300d
            at 654d
            system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due \
                taxableSince=25920000000
            at 655d
            system ApplyVelocityTax alice.IN => VelocityTaxApplied wasTaxableSince=25920000000"
        ));
    }
}

#[test]
fn two_reasons_to_rest_are_one_rest() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "{give}
        at 100d
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        at 110d
        admin:root FreezeWallet alice.IN INACTIVITY => WalletFrozen
        admin:root SetUserStatus alice.IN LOCKED => UserStatusSet
        at 120d
        admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen
        admin:root UnfreezeWallet alice.IN INACTIVITY => WalletUnfrozen
        ran alice.IN 100d
        at 130d
        admin:root SetUserStatus alice.IN ACTIVE => UserStatusSet
        since alice.IN 30d
        #a admin:root SetUserStatus alice.IN DECEASED order => ActionProposed
        at 131d
        admin:boss ApproveAction #a => ActionApproved, UserStatusSet
        ran alice.IN 101d"
    ));
}

#[test]
fn the_timer_of_a_locked_or_frozen_organization_rests() {
    let give = give("shop.FR.1", "200GX");
    check_tax(&format!(
        "org shop.FR.1 alice.IN bob.FR
        {give}
        at 10d
        admin:root SetOrganizationStatus shop.FR.1 LOCKED => OrganizationStatusSet
        at 20d
        admin:root FreezeWallet shop.FR.1 INACTIVITY => WalletFrozen
        at 30d
        admin:root SetOrganizationStatus shop.FR.1 ACTIVE => OrganizationStatusSet
        ran shop.FR.1 10d
        at 40d
        admin:root UnfreezeWallet shop.FR.1 INACTIVITY => WalletUnfrozen
        since shop.FR.1 30d"
    ));
}

/// What was due before the account was frozen is owed, and nothing more.
#[test]
fn a_tax_that_was_due_before_a_rest_is_taken_in_it_once() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "{give}
        at 355d
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        at 800d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied amount=5GX \
            wasTaxableSince=38448000000
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        at 2000d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        admin:root UnfreezeWallet alice.IN COURT_ORDER => WalletUnfrozen
        since alice.IN 2000d"
    ));
}

#[test]
fn a_pause_is_no_time_in_which_somebody_hoards() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        r#"{give}
        at 100d
        admin:root PauseSystem "ten letters" => SystemPaused
        at 140d
        admin:root ResumeSystem => SystemResumed
        since alice.IN 0
        at 394d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due \
            taxableSince=3456000000
        at 395d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied wasTaxableSince=3456000000"#
    ));
}

/// Moving the coins a day before the collector comes saves nothing.
#[test]
fn a_due_tax_is_taken_before_the_first_payment() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "{give}
        at 354d
        user:alice.IN Transfer alice.IN bob.FR 1GX => Transferred
        at 355d
        user:alice.IN Transfer alice.IN bob.FR 150GX => \
            VelocityTaxApplied accountId=alice.IN taxedBalance=198998500 amount=4974963 \
                wasTaxableSince=0 taxableSince=30672000000, \
            Transferred amount=150GX
        = treasury_IN 2487482
        since alice.IN -
        user:bob.FR Transfer bob.FR alice.IN 100GX => Transferred
        since alice.IN 355d"
    ));
    check_tax(&format!(
        "{give}
        at 355d
        user:alice.IN Transfer alice.IN bob.FR 199GX => insufficient_balance
        = alice.IN 200GX
        = treasury_IN 0
        since alice.IN 0
        user:alice.IN Transfer alice.IN bob.FR 194GX => VelocityTaxApplied amount=5GX, Transferred"
    ));
}

#[test]
fn a_due_tax_is_taken_before_any_debit() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "{give}
        at 355d
        user:alice.IN OpenEscrow bob.FR 50GX 385d => VelocityTaxApplied amount=5GX, EscrowOpened"
    ));
    check_tax(&format!(
        "{give}
        at 355d
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen
        at 400d
        #o admin:root TransferByOrder alice.IN bob.FR 195GX COURT_ORDER order => ActionProposed
        admin:boss ApproveAction #o => ActionApproved, VelocityTaxApplied amount=5GX, \
            TransferredByOrder
        = alice.IN 0"
    ));
    let give = self::give("shop.FR.1", "200GX");
    check_tax(&format!(
        "org shop.FR.1 alice.IN bob.FR
        {give}
        at 355d
        #p user:alice.IN InitiateMultiSigTx shop.FR.1 bob.FR 199GX => MultiSigTxInitiated
        user:bob.FR ApproveMultiSigTx #p => MultiSigTxApproved, \
            MultiSigTxExecutionFailed code=insufficient_balance
        = shop.FR.1 200GX
        #q user:alice.IN InitiateMultiSigTx shop.FR.1 bob.FR 100GX => MultiSigTxInitiated
        user:bob.FR ApproveMultiSigTx #q => MultiSigTxApproved, VelocityTaxApplied amount=5GX, \
            MultiSigTxExecuted"
    ));
}

/// What waits in escrow may be most of what is taxed; the rest does not leave before the tax.
#[test]
fn a_tax_that_the_balance_does_not_cover_keeps_it_where_it_is() {
    let give = give("alice.IN", "200GX");
    check_tax(&format!(
        "{give}
        at 354d
        #e user:alice.IN OpenEscrow bob.FR 197GX 360d => EscrowOpened
        at 355d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=insufficient_balance
        user:alice.IN Transfer alice.IN bob.FR 1GX => insufficient_balance
        at 359d
        user:bob.FR RefundEscrow #e => EscrowRefunded
        user:alice.IN Transfer alice.IN bob.FR 1GX => VelocityTaxApplied amount=5GX, Transferred"
    ));
}

/// Nobody is taxed after 180 days because of a decision in the middle of their 355.
#[test]
fn a_shortened_period_is_for_timers_that_start_after_it() {
    let (alice, bob) = (give("alice.IN", "200GX"), give("bob.FR", "200GX"));
    let set = |key: &str, days: u32| {
        format!(
            "#{key} admin:root UpdateSystemParameter velocityTaxPeriodDays {days} => ActionProposed
            admin:boss ApproveAction #{key} => ActionApproved, ParameterScheduled"
        )
    };
    check_tax(&format!(
        "{alice}
        at 93d
        {}
        at 100d
        user:alice.IN Transfer alice.IN bob.FR 1 => SystemParameterUpdated, Transferred
        {bob}
        at 280d
        system ApplyVelocityTax alice.IN bob.FR => VelocityTaxSkipped code=tax_not_due, \
            VelocityTaxApplied accountId=bob.FR
        at 354d
        system ApplyVelocityTax alice.IN => VelocityTaxSkipped code=tax_not_due
        at 355d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied",
        set("short", 180),
    ));
    // A longer one is for all.
    check_tax(&format!(
        "{alice}
        at 93d
        {}
        at 100d
        user:alice.IN Transfer alice.IN bob.FR 1 => SystemParameterUpdated, Transferred
        at 343d
        {}
        at 355d
        system ApplyVelocityTax alice.IN => SystemParameterUpdated, \
            VelocityTaxSkipped code=tax_not_due
        at 400d
        system ApplyVelocityTax alice.IN => VelocityTaxApplied",
        set("short", 180),
        set("long", 400),
    ));
}

#[test]
fn an_organization_is_taxed_as_a_user_is() {
    let (give, rest) = (give("shop.FR.1", "5000GX"), give("shop.FR.1", "1GX"));
    check_tax(&format!(
        "org shop.FR.1 alice.IN bob.FR
        since shop.FR.1 -
        {give}
        since shop.FR.1 0
        at 355d
        system ApplyVelocityTax shop.FR.1 => VelocityTaxApplied accountId=shop.FR.1 country=FR \
            rateBps=350 amount=175GX treasuryAmount=87.5GX charitableAmount=87.5GX
        = treasury_FR 87.5GX
        admin:root SetVelocityTaxExempt shop.FR.1 true => VelocityTaxExemptSet
        {rest}
        since shop.FR.1 -"
    ));
}

#[test]
fn taxes_are_the_business_of_admins() {
    check_tax(
        r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}
        user:alice.IN ApplyVelocityTax alice.IN => actor_not_allowed
        user:alice.IN SetVelocityTaxExempt alice.IN true => actor_not_allowed
        system SetVelocityTaxExempt alice.IN true => actor_not_allowed
        as gx_super_admin admin:root SetVelocityTaxExempt alice.IN true => role_not_allowed
        as gx_partner_api system ApplyVelocityTax alice.IN => role_not_allowed
        admin:clerk ApplyVelocityTax alice.IN => VelocityTaxSkipped
        admin:clerk SetVelocityTaxExempt alice.IN true => VelocityTaxExemptSet"#,
    );
}

#[test]
fn eligibility_is_what_the_next_application_would_find() {
    const NAME: &str = "TaxAndFeeContract:CheckVelocityTaxEligibility";
    let give = give("alice.IN", "1000GX");
    let at = |day: &str, word: &str| {
        let host = check_tax(&format!(
            "{give}
            admin:root SetVelocityTaxExempt bob.FR true => VelocityTaxExemptSet
            at {day}
            open late.IN 5"
        ));
        let id = account(word);
        let mut answer = host.ask(query(NAME, &json!({"accountId": id}))).unwrap();
        assert_eq!(answer["accountId"], id.to_string());
        answer.as_object_mut().unwrap().remove("accountId");
        answer
    };
    let expected = |balance: &str, status: &str, since: Value, due: Value, tax: [Value; 2]| {
        json!({"balance": balance, "status": status, "taxableSince": since, "dueAt": due,
               "taxableForMs": null, "rateBps": tax[0], "amount": tax[1]})
    };
    let due = json!(30_672_000_000_i64);
    let tax = [json!(300), json!("30000000")];
    let large = |status: &str| expected("1000000000", status, json!(0), due.clone(), tax.clone());
    assert_eq!(at("354d", "alice.IN"), large("RUNNING"));
    assert_eq!(at("355d", "alice.IN"), large("DUE"));
    let none = |balance: &str, status: &str| {
        expected(balance, status, Value::Null, Value::Null, [Value::Null, Value::Null])
    };
    assert_eq!(at("355d", "late.IN"), none("0", "BELOW_THRESHOLD"));
    assert_eq!(at("355d", "bob.FR"), none("0", "EXEMPT"));
    assert_eq!(at("355d", "SYSTEM_GX_POOL"), none("31249999000000000", "NOT_TAXABLE"));
    assert_eq!(at("355d", "treasury_IN"), none("0", "NOT_TAXABLE"));
}

#[test]
fn a_calculated_fee_is_what_the_payment_then_costs() {
    let host = check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        open bob.FR 30
        user:alice.IN Transfer alice.IN bob.FR 100.000001GX => Transferred fee=250001",
    );
    let fee = |from: &str, to: &str, qirat: &str| {
        let args = json!({"from": account(from), "to": account(to), "amount": qirat});
        host.ask(query("TaxAndFeeContract:CalculateTransactionFee", &args))
    };
    let expected = json!({
        "amount": "100000001", "fee": "250001", "total": "100250002", "taxDue": "0", "rateBps": 25,
        "type": "P2P", "scope": "CROSS_BORDER"
    });
    assert_eq!(fee("alice.IN", "bob.FR", "100000001").unwrap(), expected);
    let free = fee("alice.IN", "treasury_IN", "5").unwrap();
    assert_eq!((&free["type"], &free["fee"]), (&json!("SYSTEM"), &json!("0")));
    for (from, to, qirat, code) in [
        ("alice.IN", "bob.FR", "0", "amount_zero"),
        ("alice.IN", "alice.IN", "1", "same_account"),
        ("alice.IN", "nobody.IN", "1", "account_not_found"),
        ("alice.IN", "bob.FR", "18446744073709551615", "amount_overflow"),
    ] {
        assert_eq!(fee(from, to, qirat).unwrap_err().code.code(), code);
    }
}
