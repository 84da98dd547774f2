//! Requests for a payment: what is told of them is what the ledger has said of their payment.

use gx_contract::Envelope;
use gx_store::identity::qsend::{self, Filter, NewRequest, QSendStatus, Request, Side};
use gx_store::retention::{self, Kept};
use gx_store::{Store, Tx};
use gx_types::{Amount, CommandId, Role, TimeMs};

use crate::backend::{Backend, for_each_backend};
use crate::chain::{Chain, person};
use crate::outbox::accept;
use crate::projection::apply;

const BEFORE: TimeMs = TimeMs(500);
const AFTER: TimeMs = TimeMs(1_000);

fn new(number: u16) -> NewRequest {
    NewRequest {
        request_id: format!("r{number}"),
        code: format!("QS-{number}"),
        creator: "u1".to_owned(),
        account: person(1),
        amount: Amount::from_gx(10),
        description: None,
        reference: Some("Table 7".to_owned()),
        qr_data: "data".to_owned(),
        created_at: TimeMs(number.into()),
        expires_at: AFTER,
    }
}

async fn in_tx<T>(
    store: &Store,
    work: impl AsyncFnOnce(&mut Tx) -> Result<T, gx_store::Error>,
) -> T {
    let mut tx = store.begin().await.unwrap();
    let done = work(&mut tx).await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn get(store: &Store, number: u16, now: TimeMs) -> Request {
    qsend::get(store, &format!("QS-{number}"), now).await.unwrap().unwrap()
}

async fn status(store: &Store, number: u16, now: TimeMs) -> QSendStatus {
    get(store, number, now).await.status
}

async fn claim(store: &Store, seen: &Request, id: &CommandId) -> bool {
    in_tx(store, async |tx| qsend::claim(tx, seen, "u2", id).await).await
}

/// A ledger with two users and a request of the first.
async fn prepared(backend: &Backend) -> (Chain, gx_store::lease::Lease) {
    let lease = backend.projector().await;
    let mut chain = Chain::default();
    chain.bootstrap();
    chain.create_users(&[person(1), person(2)]);
    apply(&backend.store, &lease, &chain.blocks).await;
    in_tx(&backend.store, async |tx| qsend::create(tx, &new(1)).await).await;
    (chain, lease)
}

/// Settles commands that stand in the outbox.
async fn settle(
    store: &Store,
    chain: &mut Chain,
    lease: &gx_store::lease::Lease,
    commands: Vec<Envelope>,
) {
    chain.execute(Role::PartnerApi, commands);
    apply(store, lease, &chain.blocks[chain.blocks.len() - 1..]).await;
}

#[test]
fn a_payment_is_told_when_it_is_settled_however_late() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, lease) = prepared(&backend).await;
        let seen = get(store, 1, BEFORE).await;
        assert_eq!((seen.status, &seen.new), (QSendStatus::Active, &new(1)));
        assert_eq!(status(store, 1, AFTER).await, QSendStatus::Expired);
        let payment = chain.transfer(&person(2), &person(1), "10");
        accept(store, std::slice::from_ref(&payment)).await;
        assert!(claim(store, &seen, &payment.command_id).await);
        let other = CommandId::from_u128(9);
        assert!(!claim(store, &seen, &other).await, "somebody else was first");
        assert!(!in_tx(store, async |tx| qsend::cancel(tx, &seen, BEFORE).await).await);
        for now in [BEFORE, AFTER] {
            let paying = get(store, 1, now).await;
            assert_eq!((paying.status, paying.paid_at), (QSendStatus::Paying, None));
            assert_eq!(paying.payer.unwrap().id, "u2");
        }
        settle(store, &mut chain, &lease, vec![payment.clone()]).await;
        let paid = get(store, 1, AFTER).await;
        assert_eq!((paid.status, paid.paid_at), (QSendStatus::Paid, Some(chain.now())));
        assert_eq!(paid.command_id, Some(payment.command_id));

        // It stays told when the command is forgotten.
        let last = chain.transfer(&person(2), &person(1), "1");
        accept(store, std::slice::from_ref(&last)).await;
        let far = TimeMs(i64::MAX);
        let gone =
            in_tx(store, async |tx| retention::purge(tx, Kept::Commands, far, 9).await).await;
        assert_eq!(gone, 1);
        assert_eq!(get(store, 1, AFTER).await, paid);
    });
}

#[test]
fn a_payment_that_was_refused_leaves_the_request_as_it_was() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, lease) = prepared(&backend).await;
        let seen = get(store, 1, BEFORE).await;
        let payment = chain.transfer(&person(2), &person(1), "100000");
        accept(store, std::slice::from_ref(&payment)).await;
        assert!(claim(store, &seen, &payment.command_id).await);
        settle(store, &mut chain, &lease, vec![payment]).await;
        assert_eq!(status(store, 1, AFTER).await, QSendStatus::Expired);
        let again = get(store, 1, BEFORE).await;
        assert_eq!((again.status, &again.payer), (QSendStatus::Active, &None));
        assert!(!claim(store, &seen, &CommandId::from_u128(9)).await, "seen before");
        assert!(in_tx(store, async |tx| qsend::cancel(tx, &again, BEFORE).await).await);
        assert_eq!(status(store, 1, BEFORE).await, QSendStatus::Cancelled);
        assert_eq!(status(store, 1, AFTER).await, QSendStatus::Cancelled);
        assert!(!claim(store, &again, &CommandId::from_u128(9)).await);
    });
}

#[test]
fn lists_and_totals_go_by_side_and_status() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let (mut chain, lease) = prepared(&backend).await;
        in_tx(store, async |tx| {
            for number in [2, 3] {
                qsend::create(tx, &new(number)).await?;
            }
            let foreign = NewRequest { creator: "u3".to_owned(), ..new(4) };
            qsend::create(tx, &foreign).await
        })
        .await;
        let payment = chain.transfer(&person(2), &person(1), "10");
        accept(store, std::slice::from_ref(&payment)).await;
        assert!(claim(store, &get(store, 2, BEFORE).await, &payment.command_id).await);
        settle(store, &mut chain, &lease, vec![payment]).await;
        let list = async |user: &str, side: Side, wanted: Option<QSendStatus>| {
            let filter = Filter { user, side, status: wanted, from: None, to: None };
            let rows = qsend::list(store, filter, None, 9, BEFORE).await.unwrap();
            rows.into_iter().map(|row| row.new.request_id).collect::<Vec<_>>()
        };
        assert_eq!(list("u1", Side::Creator, None).await, ["r3", "r2", "r1"]);
        assert_eq!(list("u1", Side::Both, Some(QSendStatus::Active)).await, ["r3", "r1"]);
        assert_eq!(list("u2", Side::Payer, None).await, ["r2"]);
        assert_eq!(list("u2", Side::Both, Some(QSendStatus::Paid)).await, ["r2"]);
        assert_eq!(list("u2", Side::Creator, None).await, [""; 0]);
        let filter = Filter {
            user: "u1",
            side: Side::Creator,
            status: None,
            from: Some(TimeMs(1)),
            to: Some(TimeMs(3)),
        };
        let after = Some((TimeMs(2), "r2"));
        let rows = qsend::list(store, filter, after, 9, BEFORE).await.unwrap();
        assert_eq!(rows.len(), 1);
        let totals = qsend::totals(store, "u1", AFTER).await.unwrap();
        let totals: Vec<_> = totals.iter().map(|t| (t.status, t.count, t.amount)).collect();
        assert_eq!(
            totals,
            [
                (QSendStatus::Expired, 2, Amount::from_gx(20)),
                (QSendStatus::Paid, 1, Amount::from_gx(10)),
            ]
        );
    });
}
