//! Balances and accounts by id, in bulk, and as of earlier blocks.

use gx_store::tokenomics::{accounts, countries};
use gx_types::{AccountId, Amount, Pool, Role};

use crate::backend::for_each_backend;
use crate::chain::{Chain, person};
use crate::projection::{apply, history};

#[test]
fn balances_come_in_the_order_of_the_ids() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let users = [person(0), person(1), person(2)];
        apply(store, &lease, &history(&users).blocks).await;
        let ids = [users[1], person(9), users[0], users[1], Pool::Loan.account()];
        let (found, position) = accounts::balances(store, &ids).await.unwrap();
        assert_eq!(
            position.checkpoint,
            gx_store::projection::position(store).await.unwrap().checkpoint
        );
        assert_eq!(found.len(), 5);
        assert!(found[1].is_none());
        assert_eq!(found[0], found[3]);
        assert_eq!(found[4].unwrap().balance, Amount::from_gx(300_000_000_000));
        assert!(!found[0].unwrap().frozen.is_empty());
        let accounts = accounts::get_many(store, &ids).await.unwrap();
        for (balance, account) in found.iter().zip(&accounts) {
            let pair = account.as_ref().map(|account| (account.balance, account.frozen));
            assert_eq!(balance.map(|balance| (balance.balance, balance.frozen)), pair);
            let changed = account.as_ref().map(|account| account.changed_block);
            assert_eq!(balance.map(|balance| balance.changed_block), changed);
        }
        assert!(accounts::get(store, &person(9)).await.unwrap().is_none());
        assert!(accounts::balances(store, &[]).await.unwrap().0.is_empty());
    });
}

#[test]
fn a_balance_as_of_a_block_is_that_of_its_end() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let (one, two) = (person(1), person(2));
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&[one, two]);
        // Many entries, so that some lie before a mark and some after it.
        for _ in 0..8 {
            let payments = (0..50).map(|_| chain.transfer(&one, &two, "0.1")).collect();
            chain.execute(Role::PartnerApi, payments);
        }
        apply(store, &lease, &chain.blocks).await;
        let at = |id: AccountId, block| async move {
            accounts::balance_at(store, &id, block).await.unwrap()
        };
        assert_eq!(at(one, 1).await, None, "not there yet");
        assert_eq!(at(person(9), 5).await, None);
        assert_eq!(at(one, 2).await, Some(Amount::from_gx(500)));
        assert_eq!(at(Pool::Loan.account(), 5).await, Some(Amount::from_gx(300_000_000_000)));
        let lesotho = countries::get(store, "LS".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(lesotho.treasury_balance, Amount::ZERO);
        let treasury = AccountId::treasury(lesotho.code);
        assert_eq!(at(treasury, 1).await, Some(Amount::ZERO));
        for block in 3..=10 {
            let paid = 5_000_000 * (block - 2);
            assert_eq!(at(two, block).await, Some(Amount::from_qirat(500_000_000 + paid)));
        }
        assert_eq!(at(two, 99).await, at(two, 10).await);
    });
}

#[test]
fn every_account_is_on_one_page() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let users: Vec<AccountId> = (0..25).map(person).collect();
        let mut chain = Chain::default();
        chain.bootstrap();
        chain.create_users(&users);
        apply(store, &lease, &chain.blocks).await;
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = accounts::page(store, after.as_ref(), 7).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.account_id);
            seen.extend(page.into_iter().map(|account| account.account_id));
        }
        assert_eq!(seen.len(), 25 + 6 + 2);
        assert!(seen.is_sorted_by(|a, b| a.as_str() < b.as_str()), "by bytes on both engines");
    });
}
