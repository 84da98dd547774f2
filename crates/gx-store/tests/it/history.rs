//! Histories: pages by cursor and by number, filters, and long ones.

use gx_store::tokenomics::history::{self, Entry, EntryKind, Filter, Page, Place};
use gx_store::{Store, projection};
use gx_types::{AccountId, Amount, Pool, Role, TimeMs};

use crate::backend::{Backend, for_each_backend};
use crate::chain::{Chain, START, person};
use crate::projection::apply;

async fn page(store: &Store, id: &AccountId, filter: &Filter, place: Place, limit: u32) -> Page {
    history::page(store, id, filter, place, limit).await.unwrap().unwrap()
}

/// All entries that fit, page after page.
async fn all(store: &Store, id: &AccountId, filter: &Filter, limit: u32) -> Vec<Entry> {
    let (mut entries, mut place) = (Vec::new(), Place::Newest);
    loop {
        let found = page(store, id, filter, place, limit).await;
        assert!(found.entries.len() <= usize::try_from(limit).unwrap());
        entries.extend(found.entries);
        match found.next {
            Some(next) => place = Place::After(next),
            None => return entries,
        }
    }
}

#[test]
fn both_sides_and_the_fee_have_a_line() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let (india, lesotho) = (person(1), person(3));
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&[india, lesotho]);
        let payment = chain.transfer(&india, &lesotho, "10");
        let id = payment.command_id;
        chain.execute(Role::PartnerApi, vec![payment]);
        apply(store, &lease, &chain.blocks).await;
        let any = Filter::default();
        let sent = &page(store, &india, &any, Place::Newest, 10).await;
        assert_eq!((sent.entries.len(), sent.next, sent.total), (2, None, 2));
        let fee = Amount::from_qirat(15_000);
        assert_eq!(
            sent.entries[0],
            Entry {
                entry: sent.entries[0].entry,
                kind: EntryKind::Sent,
                command_id: id,
                block: 3,
                at: TimeMs(START + 3000),
                counterparty: Some(lesotho),
                change_qirat: -10_015_000,
                amount: Amount::from_gx(10),
                fee,
                balance: Amount::from_qirat(489_985_000),
                remark: Some("10 GX".to_owned()),
            }
        );
        let genesis = &sent.entries[1];
        assert_eq!((genesis.kind, genesis.block), (EntryKind::Genesis, 2));
        assert_eq!(genesis.counterparty, Some(Pool::UserGenesis.account()));
        assert_eq!(genesis.change_qirat, 500_000_000);
        let received = &page(store, &lesotho, &any, Place::Newest, 10).await.entries[0];
        assert_eq!((received.kind, received.counterparty), (EntryKind::Received, Some(india)));
        assert_eq!((received.amount, received.fee), (Amount::from_gx(10), Amount::ZERO));
        assert_eq!(received.remark.as_deref(), Some("10 GX"));
        let pool = Pool::OperationsFund.account();
        let income = &page(store, &pool, &any, Place::Newest, 10).await.entries;
        assert_eq!((income[0].kind, income[0].amount), (EntryKind::Fee, fee));
        assert_eq!((income[0].counterparty, &income[0].remark), (None, &None));
        assert_eq!((income[1].kind, income[1].counterparty), (EntryKind::Supply, None));
        let treasury = AccountId::treasury("LS".parse().unwrap());
        let share = &page(store, &treasury, &any, Place::Newest, 10).await.entries[0];
        assert_eq!(share.counterparty, Some(Pool::GovtGenesis.account()));
        assert!(history::page(store, &person(9), &any, Place::Newest, 9).await.unwrap().is_none());
    });
}

/// One account that pays each of three others in turn, `blocks` × `each` times.
async fn long(backend: &Backend, blocks: usize, each: usize) -> AccountId {
    let lease = backend.projector().await;
    let people = [person(1), person(2), person(4), person(5)];
    let mut chain = Chain::default();
    chain.bootstrap();
    chain.create_users(&people);
    for block in 0..blocks {
        let payments = (0..each)
            .map(|place| {
                let other = people[1 + (block * each + place) % 3];
                // Every tenth comes the other way.
                if place % 10 == 9 {
                    chain.transfer(&other, &people[0], "0.01")
                } else {
                    chain.transfer(&people[0], &other, "0.01")
                }
            })
            .collect();
        chain.execute(Role::PartnerApi, payments);
    }
    apply(&backend.store, &lease, &chain.blocks).await;
    let totals = projection::position(&backend.store).await.unwrap().totals;
    assert_eq!(totals.refused, 0);
    people[0]
}

#[test]
fn pages_of_a_long_history_fit_together() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let id = long(&backend, 10, 110).await;
        let any = Filter::default();
        let whole = all(store, &id, &any, 1101).await;
        assert_eq!(whole.len(), 1101);
        assert!(whole.is_sorted_by(|newer, older| newer.entry > older.entry));
        for limit in [1000, 100, 37] {
            assert_eq!(all(store, &id, &any, limit).await, whole, "by {limit}");
        }
        // Balances run through the pages without a break.
        for pair in whole.windows(2) {
            let after = i64::try_from(pair[0].balance.qirat()).unwrap();
            let before = i64::try_from(pair[1].balance.qirat()).unwrap();
            assert_eq!(before + pair[0].change_qirat, after);
        }
        for offset in [0_usize, 1, 75, 76, 77, 300, 589, 590, 844, 845, 846, 1090, 1100] {
            let place = Place::Offset(u64::try_from(offset).unwrap());
            let found = page(store, &id, &any, place, 20).await;
            assert_eq!(found.entries, whole[offset..whole.len().min(offset + 20)], "{offset}");
            assert_eq!(found.total, 1101);
        }
        for offset in [1101, 5000] {
            assert!(page(store, &id, &any, Place::Offset(offset), 20).await.entries.is_empty());
        }
    });
}

#[test]
fn filters_find_exactly_what_fits() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let id = long(&backend, 10, 110).await;
        let whole = all(store, &id, &Filter::default(), 2000).await;
        let any = Filter::default;
        let time = |block: i64| TimeMs(START + block * 1000);
        let filters = [
            Filter { kinds: vec![EntryKind::Received], ..any() },
            Filter { counterparty: Some(person(4)), ..any() },
            Filter { counterparty: Some(person(4)), kinds: vec![EntryKind::Sent], ..any() },
            Filter { kinds: vec![EntryKind::Supply], ..any() },
            Filter { kinds: vec![EntryKind::Sent, EntryKind::Received], ..any() },
            Filter { kinds: EntryKind::ALL.to_vec(), to: Some(time(9)), ..any() },
            Filter { from: Some(time(10)), ..any() },
            Filter { to: Some(time(10)), ..any() },
            Filter { from: Some(time(5)), to: Some(time(6)), ..any() },
            Filter {
                from: Some(TimeMs(time(5).0 - 500)),
                to: Some(TimeMs(time(6).0 + 1)),
                ..any()
            },
            Filter { from: Some(time(99)), ..any() },
            Filter { to: Some(time(1)), ..any() },
            Filter { as_of_block: Some(7), ..any() },
            Filter { as_of_block: Some(7), kinds: vec![EntryKind::Received], ..any() },
            Filter { as_of_block: Some(0), ..any() },
            Filter { counterparty: Some(person(77)), ..any() },
        ];
        for filter in filters {
            let fits = |entry: &&Entry| {
                (filter.kinds.is_empty() || filter.kinds.contains(&entry.kind))
                    && filter.counterparty.is_none_or(|id| entry.counterparty == Some(id))
                    && filter.from.is_none_or(|from| entry.at >= from)
                    && filter.to.is_none_or(|to| entry.at < to)
                    && filter.as_of_block.is_none_or(|block| entry.block <= block)
            };
            let expected: Vec<Entry> = whole.iter().filter(fits).cloned().collect();
            for limit in [7, 100, 3000] {
                assert_eq!(all(store, &id, &filter, limit).await, expected, "{filter:?} {limit}");
            }
        }
    });
}

#[test]
fn a_cursor_of_another_account_does_no_harm() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let id = long(&backend, 3, 100).await;
        let whole = all(store, &id, &Filter::default(), 2000).await;
        let foreign = whole[40].entry + 1;
        let found = page(store, &id, &Filter::default(), Place::After(foreign), 5).await;
        assert_eq!(found.entries, whole[40..45]);
        for odd in [0, -1, i64::MAX, i64::MIN] {
            page(store, &id, &Filter::default(), Place::After(odd), 5).await;
        }
    });
}

#[test]
fn a_page_looks_at_a_bounded_number_of_entries() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let id = long(&backend, 60, 100).await;
        let rare = Filter { kinds: vec![EntryKind::Genesis], ..Filter::default() };
        let first = page(store, &id, &rare, Place::Newest, 10).await;
        assert!(first.entries.is_empty() && first.next.is_some(), "{first:?}");
        let found = all(store, &id, &rare, 10).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].block, 2);
    });
}
