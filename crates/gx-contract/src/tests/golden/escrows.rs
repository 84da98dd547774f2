//! One value of everything that escrows and limits store and emit.

use gx_types::{AccountId, Amount, EscrowId, Pool};

use super::samples::{COMMAND, TIME, account, all, posting, word};
use crate::escrow::{
    Escrow, EscrowOpened, EscrowRefunded, EscrowReleased, EscrowState, OpenEscrow, RefundEscrow,
    ReleaseEscrow,
};
use crate::spending::{NextLimit, SetSpendingLimit, SpendingLimit, SpendingLimitSet};
use crate::state::{Key, Record, RunningMs, Version};
use crate::{Command, Event, Scope, TransferType};

all!(STATES of EscrowState: Open Released Refunded);

pub(super) fn escrow_id() -> EscrowId {
    EscrowId::made_by(COMMAND)
}

/// With an arbiter and a remark, and without.
fn terms() -> [(&'static str, Option<AccountId>, String); 2] {
    [("plain", None, String::new()), ("arbiter", Some(account("DE")), "a loom".to_owned())]
}

const GX_20: Amount = Amount::from_gx(20);

/// A limit, and none.
fn limits() -> [(&'static str, Option<Amount>); 2] {
    [("limit", Some(Amount::from_gx(10))), ("none", None)]
}

pub(super) fn records() -> Vec<(String, Key, Record)> {
    let mut all: Vec<(String, Key, Record)> = Vec::new();
    for (case, arbiter_id, remark) in terms() {
        for state in STATES {
            let escrow = Escrow {
                v: Version,
                payer_id: account("IN"),
                payee_id: account("FR"),
                amount: Amount::from_gx(10),
                fee: Amount::from_qirat(15_000),
                arbiter_id,
                remark: remark.clone(),
                state: *state,
                opened_at: TIME,
                expires_at: RunningMs(TIME.0 - 1),
            };
            all.push((format!("{case}-{}", word(state)), Key::Escrow(escrow_id()), escrow.into()));
        }
    }
    for (case, per_day) in limits() {
        let next = |raised: bool| {
            raised.then_some(NextLimit { per_day: per_day.map(|_| GX_20), from: RunningMs(TIME.0) })
        };
        for raised in [false, true] {
            let (day, spent, next) = (20_000, Amount::from_gx(5), next(raised));
            let limit = SpendingLimit { v: Version, per_day, next, day, spent };
            let case = if raised { format!("{case}-changing") } else { case.to_owned() };
            all.push((case, Key::SpendingLimit(account("IN")), limit.into()));
        }
    }
    all
}

pub(super) fn events() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    let (escrow_id, pool) = (escrow_id(), AccountId::escrow());
    let (payer_id, payee_id, fund) = (account("IN"), account("FR"), Pool::OperationsFund.account());
    let (amount, fee) = (Amount::from_qirat(50), Amount::from_qirat(1));
    for (case, arbiter_id, remark) in terms() {
        let event = EscrowOpened {
            escrow_id,
            payer_id,
            payee_id,
            amount,
            fee,
            kind: TransferType::P2P,
            scope: Scope::CrossBorder,
            arbiter_id,
            expires_at: TIME,
            remark,
            postings: vec![posting(payer_id, "-51", 0), posting(pool, "51", 51)],
        };
        all.push((case.to_owned(), event.into()));
    }
    let user_id = payer_id;
    for (case, per_day) in limits() {
        for (when, holds_from) in [("now", None), ("later", Some(TIME))] {
            let event = SpendingLimitSet { user_id, per_day, holds_from };
            all.push((format!("{case}-{when}"), event.into()));
        }
    }
    let (released_by, refunded_by) = (payer_id, payee_id);
    let out = posting(pool, "-51", 0);
    let paid = [posting(payee_id, "50", 50), posting(fund, "1", 1)];
    let postings = [out.clone()].into_iter().chain(paid).collect();
    let released =
        EscrowReleased { escrow_id, payer_id, payee_id, amount, fee, released_by, postings };
    all.push(("plain".to_owned(), released.into()));
    let (amount, postings) = (Amount::from_qirat(51), vec![out, posting(payer_id, "51", 51)]);
    let refunded = EscrowRefunded { escrow_id, payer_id, payee_id, amount, refunded_by, postings };
    all.push(("plain".to_owned(), refunded.into()));
    all
}

pub(super) fn commands() -> Vec<(String, Command)> {
    let (escrow_id, to, amount) = (escrow_id(), account("FR"), Amount::from_gx(10));
    let open = |(case, arbiter_id, remark): (&str, _, String)| {
        let open = OpenEscrow { to, amount, expires_at: TIME, arbiter_id, remark };
        (case.to_owned(), open.into())
    };
    let mut all: Vec<(String, Command)> = terms().map(open).to_vec();
    for (case, per_day) in limits() {
        let set = SetSpendingLimit { user_id: account("IN"), per_day };
        all.push((case.to_owned(), set.into()));
    }
    all.push(("plain".to_owned(), ReleaseEscrow { escrow_id }.into()));
    all.push(("plain".to_owned(), RefundEscrow { escrow_id }.into()));
    all
}
