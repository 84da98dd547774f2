//! The fee table, cell by cell, with the edges of its tiers and the rounding.

use gx_types::{AccountType, Amount};
use proptest::prelude::*;

use super::notation::amount;
use super::script::check;
use crate::freezing::FreezeReasons;
use crate::identity::AccountStatus;
use crate::state::{Account, AccountKind, Version};
use crate::{FeeSchedule, Refusal, Scope, TransferType};

/// Type, scope, amount, fee in Qirat. The figures recorded on the existing ledger are among them.
const TABLE: &str = "
    P2P        LOCAL        1            0
    P2P        LOCAL        2GX          0
    P2P        LOCAL        2999999      0
    P2P        LOCAL        3GX          1500
    P2P        LOCAL        3000001      1501
    P2P        LOCAL        50GX         25000
    P2P        LOCAL        100GX        50000
    P2P        LOCAL        100000001    100001
    P2P        LOCAL        1000GX       1000000
    P2P        CROSS_BORDER 1            1
    P2P        CROSS_BORDER 50           1
    P2P        CROSS_BORDER 666          1
    P2P        CROSS_BORDER 667          2
    P2P        CROSS_BORDER 10000        15
    P2P        CROSS_BORDER 1000000      1500
    P2P        CROSS_BORDER 2500000      3750
    P2P        CROSS_BORDER 5000000      7500
    P2P        CROSS_BORDER 100GX        150000
    P2P        CROSS_BORDER 100000001    250001
    P2P        CROSS_BORDER 1000GX       2500000
    MERCHANT   LOCAL        1            1
    MERCHANT   LOCAL        500GX        750000
    MERCHANT   CROSS_BORDER 1            1
    MERCHANT   CROSS_BORDER 500GX        1500000
    GOVERNMENT LOCAL        1            1
    GOVERNMENT LOCAL        500GX        500000
    GOVERNMENT CROSS_BORDER 500GX        1000000
    B2B        LOCAL        1            1
    B2B        LOCAL        500GX        1000000
    B2B        CROSS_BORDER 500GX        2000000
    SYSTEM     LOCAL        500GX        0
    SYSTEM     CROSS_BORDER 500GX        0
    SYSTEM     CROSS_BORDER 1            0";

fn text<T: serde::de::DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(word.into()).unwrap()
}

#[test]
fn every_cell_of_the_table() {
    let schedule = FeeSchedule::default();
    for row in TABLE.lines().skip(1) {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let (kind, scope, paid) = (text(cells[0]), text(cells[1]), amount(cells[2]));
        let fee = paid.basis_points_ceil(schedule.rate(kind, scope, paid));
        assert_eq!(fee, Some(amount(cells[3])), "{row}");
    }
}

/// An account of a type in a country, with no coins.
fn account(kind: AccountKind, account_type: AccountType, country: Option<&str>) -> Account {
    let country = country.map(|code| code.parse().unwrap());
    Account {
        v: Version,
        kind,
        account_type,
        country,
        balance: Amount::ZERO,
        frozen: FreezeReasons::NONE,
        tax_timer: None,
        tax_exempt: false,
        limited: false,
        escrowed: Amount::ZERO,
        custodian: 0,
        status: AccountStatus::Active,
        keyed: false,
    }
}

fn user(account_type: AccountType, country: &str) -> Account {
    account(AccountKind::User, account_type, Some(country))
}

/// What the type of a payment between two accounts must be, as the contract's text says it.
fn expected_type(payer: AccountType, payee: AccountType) -> &'static str {
    let governmental = |kind: AccountType| ["6", "7", "8", "9"].contains(&kind.as_str());
    let organization = |kind: AccountType| ["1", "2", "3", "4", "5", "A"].contains(&kind.as_str());
    if governmental(payer) || governmental(payee) {
        "GOVERNMENT"
    } else if organization(payer) && organization(payee) {
        "B2B"
    } else if organization(payee) {
        "MERCHANT"
    } else {
        "P2P"
    }
}

#[test]
fn the_type_follows_from_both_accounts() {
    let schedule = FeeSchedule::default();
    let paid = Amount::from_gx(50);
    for payer in AccountType::ALL {
        for payee in AccountType::ALL {
            for (country, scope) in [("IN", Scope::Local), ("FR", Scope::CrossBorder)] {
                let quote =
                    schedule.quote(&user(payer, "IN"), &user(payee, country), paid).unwrap();
                let kind: TransferType = text(expected_type(payer, payee));
                assert_eq!((quote.kind, quote.scope), (kind, scope), "{payer} pays {payee}");
                let fee = paid.basis_points_ceil(schedule.rate(kind, scope, paid));
                assert_eq!(Some(quote.fee), fee);
            }
        }
    }
}

#[test]
fn a_pool_or_treasury_on_either_side_is_free() {
    let schedule = FeeSchedule::default();
    let holders = [
        account(AccountKind::Pool, AccountType::System, None),
        account(AccountKind::Treasury, AccountType::Treasury, Some("IN")),
    ];
    for holder in &holders {
        for kind in AccountType::ALL {
            let other = user(kind, "IN");
            for (from, to) in [(holder, &other), (&other, holder)] {
                let quote = schedule.quote(from, to, Amount::from_gx(500)).unwrap();
                assert_eq!((quote.kind, quote.fee), (TransferType::System, Amount::ZERO));
            }
        }
    }
}

#[test]
fn rates_that_do_not_fit_are_refused_and_not_cut() {
    let schedule = FeeSchedule {
        merchant_local: 10_001,
        merchant_cross_border: u32::MAX,
        ..FeeSchedule::default()
    };
    let (payer, payee) = (user(AccountType::Individual, "IN"), user(AccountType::ForProfit, "IN"));
    let largest = Amount::from_qirat(u64::MAX);
    assert_eq!(schedule.quote(&payer, &payee, largest), Err(Refusal::AmountOverflow));
    let abroad = user(AccountType::ForProfit, "FR");
    assert_eq!(schedule.quote(&payer, &abroad, largest), Err(Refusal::AmountOverflow));
}

#[test]
fn recorded_fees_are_what_a_payment_costs() {
    check(
        "world IN=60000000 FR=40000000
        open alice.IN 30
        open bob.FR 30
        open carol.IN 30
        org shop.FR.1 alice.IN bob.FR
        user:alice.IN Transfer alice.IN bob.FR 10000 => Transferred fee=15
        user:alice.IN Transfer alice.IN bob.FR 1000000 => Transferred fee=1500
        user:alice.IN Transfer alice.IN bob.FR 2500000 => Transferred fee=3750
        user:alice.IN Transfer alice.IN bob.FR 5000000 => Transferred fee=7500
        user:alice.IN Transfer alice.IN bob.FR 50 => Transferred fee=1
        user:alice.IN Transfer alice.IN carol.IN 50GX => Transferred fee=25000 scope=LOCAL
        user:alice.IN Transfer alice.IN carol.IN 2GX => Transferred fee=0 scope=LOCAL
        user:carol.IN Transfer carol.IN shop.FR.1 500GX => \
            Transferred fee=1500000 type=MERCHANT scope=CROSS_BORDER
        = SYSTEM_OPERATIONS_FUND 31250000001537766",
    );
}

const TYPES: [TransferType; 5] = [
    TransferType::P2P,
    TransferType::Merchant,
    TransferType::Government,
    TransferType::B2B,
    TransferType::System,
];

proptest! {
    #[test]
    fn a_fee_is_its_rate_rounded_up(
        paid: u64, kind in prop::sample::select(&TYPES[..]), local: bool,
    ) {
        let scope = if local { Scope::Local } else { Scope::CrossBorder };
        let rate = FeeSchedule::default().rate(kind, scope, Amount::from_qirat(paid));
        prop_assert!(rate <= 1000, "no rate is above ten per cent");
        let fee = Amount::from_qirat(paid).basis_points_ceil(rate).unwrap();
        let (fee, exact) = (u128::from(fee.qirat()) * 10_000, u128::from(paid) * u128::from(rate));
        prop_assert!(exact <= fee && fee < exact + 10_000);
    }
}
