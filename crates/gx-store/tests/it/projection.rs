//! Blocks become read models: whole, in order, once, or not at all.

use gx_contract::freezing::{FreezeReason, FreezeReasons, FreezeWallet, UnfreezeWallet};
use gx_contract::state::AccountKind;
use gx_contract::{Effects, GenesisStatus, Outcome, admin::PauseSystem, admin::ResumeSystem};
use gx_store::lease::{self, Lease};
use gx_store::projection::{self, Applied, Known};
use gx_store::tokenomics::{accounts, countries, supply};
use gx_store::{Class, Engine, Error, Store};
use gx_types::{AccountId, Actor, Amount, MAX_SUPPLY, Pool, Role, TimeMs};

use crate::backend::{Backend, TTL, for_each_backend};
use crate::chain::{Block, Chain, START, admin, person};

/// Applies blocks in one transaction.
pub(crate) async fn apply(store: &Store, lease: &Lease, blocks: &[Block]) -> Applied {
    try_apply(store, lease, blocks).await.unwrap()
}

pub(crate) async fn try_apply(
    store: &Store,
    lease: &Lease,
    blocks: &[Block],
) -> Result<Applied, Error> {
    apply_knowing(store, lease, blocks, Known::default()).await.map(|(applied, _)| applied)
}

pub(crate) async fn apply_knowing(
    store: &Store,
    lease: &Lease,
    blocks: &[Block],
    known: Known,
) -> Result<(Applied, Known), Error> {
    let mut tx = store.begin_rebuildable().await?;
    let projected: Vec<_> = blocks.iter().map(Block::projected).collect();
    let done = projection::apply(&mut tx, lease, &projected, known).await?;
    tx.commit().await?;
    Ok(done)
}

fn gx(gx: u64) -> Amount {
    Amount::from_gx(gx)
}

async fn balance(store: &Store, id: &AccountId) -> Amount {
    accounts::get(store, id).await.unwrap().unwrap().balance
}

/// A ledger with users, payments, refusals, a freeze and a pause.
pub(crate) fn history(users: &[AccountId]) -> Chain {
    let mut chain = Chain::default();
    chain.bootstrap();
    chain.create_users(users);
    let payments = vec![
        chain.transfer(&users[0], &users[1], "10"),
        chain.transfer(&users[1], &users[2], "200"),
        chain.transfer(&users[2], &users[0], "1000"),
        chain.transfer(&users[0], &users[1], "0.5"),
    ];
    chain.execute(Role::PartnerApi, payments);
    let root = Actor::Admin(admin());
    let freeze = FreezeWallet { account_id: users[1], reason: FreezeReason::CourtOrder };
    let freeze = chain.envelope(root, freeze);
    let pause = chain.envelope(root, PauseSystem { reason: "a look at the books".to_owned() });
    chain.execute(Role::SuperAdmin, vec![freeze, pause]);
    chain
}

fn people(count: u64) -> Vec<AccountId> {
    (0..count).map(person).collect()
}

#[test]
fn bootstrap_fills_pools_and_countries() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert!(supply::get(store).await.unwrap().is_none());
        assert!(supply::system(store).await.unwrap().is_none());
        let lease = backend.projector().await;
        let mut chain = Chain::default();
        chain.bootstrap();
        let applied = apply(store, &lease, &chain.blocks).await;
        assert_eq!(applied, Applied { block: 1, commands: 2, refused: 0, entries: 6 });
        let found = supply::get(store).await.unwrap().unwrap();
        assert_eq!(found.pools.iter().map(|row| row.pool).collect::<Vec<_>>(), Pool::ALL);
        let sum: u64 = found.pools.iter().map(|row| row.balance.qirat()).sum();
        assert_eq!((sum, found.treasuries), (MAX_SUPPLY.qirat(), Amount::ZERO));
        assert!(found.pools.iter().all(|row| row.cap == row.balance));
        let system = supply::system(store).await.unwrap().unwrap();
        assert_eq!(system.bootstrapped_at, TimeMs(START + 1000));
        assert_eq!((system.first_super_admin, system.paused), (admin(), None));
        assert_eq!((system.countries, system.total_weight), (2, 100_000_000));
        let all = countries::all(store).await.unwrap();
        assert_eq!(all.iter().map(|c| c.code.to_string()).collect::<Vec<_>>(), ["IN", "LS"]);
        assert_eq!((all[0].weight, all[0].slots[0]), (99_000_000, 99_000_000));
    });
}

#[test]
fn users_payments_and_freezes_show() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let users = people(3);
        let mut chain = history(&users);
        apply(store, &lease, &chain.blocks).await;
        // 500 each; 0 pays 10 to 1 and 0.5; 1 pays 200 to 2; 2 has too little for 1000.
        let first = accounts::get(store, &users[0]).await.unwrap().unwrap();
        assert_eq!(first.genesis, Some(GenesisStatus::Granted { phase: 1, amount: gx(500) }));
        assert_eq!((first.entries, first.changed_block), (3, Some(3)));
        assert_eq!((first.created_block, first.created_at), (2, TimeMs(START + 2000)));
        assert_eq!(
            (first.country.unwrap().to_string().as_str(), first.frozen),
            ("LS", FreezeReasons::NONE)
        );
        let second = accounts::get(store, &users[1]).await.unwrap().unwrap();
        assert_eq!(second.frozen, FreezeReasons::NONE.with(FreezeReason::CourtOrder));
        let country = countries::get(store, "IN".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((country.users, country.slots_used[0]), (2, 2));
        assert_eq!(country.treasury_balance, gx(100));
        let system = supply::system(store).await.unwrap().unwrap();
        assert_eq!(system.paused, Some((TimeMs(START + 4000), "a look at the books".to_owned())));
        agrees_with_events(store, &chain).await;
        let root = Actor::Admin(admin());
        let resume = chain.envelope(root, ResumeSystem {});
        let unfreeze = chain.envelope(
            root,
            UnfreezeWallet { account_id: users[1], reason: FreezeReason::CourtOrder },
        );
        chain.execute(Role::SuperAdmin, vec![resume, unfreeze]);
        apply(store, &lease, &chain.blocks[4..]).await;
        assert_eq!(supply::system(store).await.unwrap().unwrap().paused, None);
        assert_eq!(
            accounts::get(store, &users[1]).await.unwrap().unwrap().frozen,
            FreezeReasons::NONE
        );
    });
}

#[test]
fn remembered_accounts_hold_for_their_checkpoint_only() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let users = people(3);
        let mut chain = history(&users);
        let mut known = Known::default();
        for block in chain.blocks.chunks(1) {
            known = apply_knowing(store, &lease, block, known).await.unwrap().1;
        }
        agrees_with_events(store, &chain).await;
        let payments = |chain: &mut Chain, gx| {
            let root = Actor::Admin(admin());
            let resume = chain.envelope(root, ResumeSystem {});
            chain.execute(Role::SuperAdmin, vec![resume]);
            let payment = chain.transfer(&users[0], &users[2], gx);
            chain.execute(Role::PartnerApi, vec![payment]);
        };
        // Another projector applies two blocks; the first one's memory is then out of date.
        payments(&mut chain, "7");
        apply(store, &lease, &chain.blocks[4..6]).await;
        let payment = chain.transfer(&users[2], &users[0], "3");
        chain.execute(Role::PartnerApi, vec![payment]);
        apply_knowing(store, &lease, &chain.blocks[6..], known).await.unwrap();
        agrees_with_events(store, &chain).await;
        assert_eq!(accounts::get(store, &users[0]).await.unwrap().unwrap().entries, 5);
    });
}

#[test]
fn outcomes_of_other_commands_are_found() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let chain = history(&people(3));
        apply(store, &lease, &chain.blocks).await;
        let found = projection::contradictions(store).await.unwrap();
        assert_eq!(found, projection::Contradictions::default());
        backend.alter(
            "INSERT INTO outbox (seq, command_id, actor, role, function, args, service,
                created_at_ms)
            SELECT 1, command_id, 'system', 'gx_admin', function, '{}', 'admin', 0
            FROM transactions WHERE tx_no IN (SELECT MAX(tx_no) FROM transactions);
            INSERT INTO outcomes (seq, tx_no) SELECT 1, MAX(tx_no) FROM transactions",
        );
        assert_eq!(projection::contradictions(store).await.unwrap().mistaken, 1);
    });
}

#[test]
fn balances_are_the_supply_and_the_sums_of_their_entries() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let chain = history(&people(3));
        apply(store, &lease, &chain.blocks).await;
        let sums = projection::sums(store).await.unwrap();
        assert_eq!(sums, projection::Sums { supply: MAX_SUPPLY, unbalanced: 0 });
        backend.alter("UPDATE balances SET balance_qirat = balance_qirat - 1 WHERE account_no = 1");
        let sums = projection::sums(store).await.unwrap();
        assert_eq!((MAX_SUPPLY.qirat() - sums.supply.qirat(), sums.unbalanced), (1, 1));
    });
}

#[test]
fn kinds_of_accounts_hold_the_supply_together() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert!(projection::held(store).await.unwrap().is_empty());
        let lease = backend.projector().await;
        apply(store, &lease, &history(&people(3)).blocks).await;
        let held = projection::held(store).await.unwrap();
        let of =
            |kind| held.iter().filter(move |(own, _)| *own == kind).map(|(_, held)| held.qirat());
        assert_eq!(of(AccountKind::Pool).count(), 1);
        assert!(of(AccountKind::User).sum::<u64>() > 0);
        let sum: u64 = held.iter().map(|(_, amount)| amount.qirat()).sum();
        assert_eq!(sum, MAX_SUPPLY.qirat());
        let pools = store.pools();
        assert!(pools.iter().all(|pool| pool.max > 0 && pool.in_use <= pool.max), "{pools:?}");
    });
}

#[test]
fn rows_that_are_not_as_the_blocks_make_them_are_told() {
    for_each_backend(|backend| async move {
        let chain = history(&people(3));
        let lease = backend.projector().await;
        apply(&backend.store, &lease, &chain.blocks).await;
        let second = Backend::migrated(Engine::Sqlite).await;
        let lease = second.projector().await;
        apply(&second.store, &lease, &chain.blocks).await;
        let told = async || {
            let differing = projection::differences(&backend.store, &second.store).await.unwrap();
            let line = |table: &projection::TableDiffers| {
                let rows: Vec<String> = table.first.iter().map(ToString::to_string).collect();
                format!("{} {}: {}", table.table, table.rows, rows.join("; "))
            };
            differing.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(told().await, "");
        backend.alter(
            "UPDATE entries SET change_qirat = change_qirat + 1 WHERE kind = 'SENT';
            UPDATE countries SET users = 77 WHERE code = 'LS';
            UPDATE accounts SET frozen = 'why' WHERE account_no = 3;
            DELETE FROM system;
            INSERT INTO entry_marks (account_no, entry_no) VALUES (7, 8)",
        );
        let told = told().await;
        for part in [
            "entries 3: row 50331649 has change_qirat -10014999, not -10015000;",
            "countries 1: row LS has users 77, not ",
            "accounts 1: row 3 has frozen why, not nothing",
            "system 1: row 1 is missing",
            "entry_marks 1: row 7, 8 should not be there",
        ] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
    });
}

/// Every balance is the sum of its postings, and all of them together are the supply.
async fn agrees_with_events(store: &Store, chain: &Chain) {
    let mut sums: std::collections::BTreeMap<AccountId, i64> = std::collections::BTreeMap::new();
    for result in chain.blocks.iter().flat_map(|block| &block.record.results) {
        let Outcome::Applied(events) = &result.outcome else { continue };
        for event in events {
            for posting in event.postings() {
                *sums.entry(*posting.account()).or_default() += posting.change().qirat();
            }
        }
    }
    let (mut found, mut after) = (0, None);
    loop {
        let page = accounts::page(store, after.as_ref(), 3).await.unwrap();
        for account in &page {
            let expected = sums.get(&account.account_id).copied().unwrap_or_default();
            let balance = i64::try_from(account.balance.qirat()).unwrap();
            assert_eq!(balance, expected, "{}", account.account_id);
            found += balance;
        }
        match page.last() {
            Some(last) => after = Some(last.account_id),
            None => break,
        }
    }
    assert_eq!(u64::try_from(found).unwrap(), MAX_SUPPLY.qirat());
}

#[test]
fn one_by_one_and_all_at_once_are_the_same() {
    for_each_backend(|backend| async move {
        let users = people(5);
        let chain = history(&users);
        let other = crate::backend::Backend::migrated(backend.engine()).await;
        let lease = backend.projector().await;
        apply(&backend.store, &lease, &chain.blocks).await;
        let lease = other.projector().await;
        for block in &chain.blocks {
            apply(&other.store, &lease, std::slice::from_ref(block)).await;
        }
        let all = |store: Store| async move { accounts::page(&store, None, 100).await.unwrap() };
        assert_eq!(all(backend.store.clone()).await, all(other.store.clone()).await);
        let (one, two) = (
            projection::position(&backend.store).await.unwrap(),
            projection::position(&other.store).await.unwrap(),
        );
        assert_eq!((one.checkpoint, one.totals), (two.checkpoint, two.totals));
        assert_eq!(one.totals.accounts, 6 + 2 + 5);
    });
}

#[test]
fn a_block_is_applied_once_and_in_its_turn() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let chain = history(&people(3));
        let error = try_apply(store, &lease, &chain.blocks[1..]).await.unwrap_err();
        assert!(matches!(error, Error::BlockOrder { found: 2, expected: 1 }), "{error}");
        apply(store, &lease, &chain.blocks[..2]).await;
        for wrong in [&chain.blocks[1..2], &chain.blocks[..1], &chain.blocks[3..]] {
            let error = try_apply(store, &lease, wrong).await.unwrap_err();
            assert!(matches!(error, Error::BlockOrder { expected: 3, .. }), "{error}");
        }
        apply(store, &lease, &chain.blocks[2..]).await;
        assert_eq!(projection::position(store).await.unwrap().checkpoint.unwrap().block, 4);
        let nothing = apply(store, &lease, &[]).await;
        assert_eq!(nothing, Applied { block: 4, ..Applied::default() });
    });
}

#[test]
fn another_ledger_is_refused() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let mut chain = history(&people(3));
        projection::check_ledger(store, [8; 32]).await.unwrap();
        apply(store, &lease, &chain.blocks[..2]).await;
        projection::check_ledger(store, [7; 32]).await.unwrap();
        let error = projection::check_ledger(store, [8; 32]).await.unwrap_err();
        assert!(matches!(error, Error::OtherLedger { block: 0, .. }), "{error}");
        chain.blocks[2].prev_hash = [9; 32];
        let error = try_apply(store, &lease, &chain.blocks[2..]).await.unwrap_err();
        assert!(matches!(error, Error::OtherLedger { block: 2, .. }), "{error}");
        assert_eq!(error.class(), Class::Projection);
    });
}

#[test]
fn what_does_not_fit_stops_and_leaves_nothing() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let users = people(3);
        let chain = history(&users);
        apply(store, &lease, &chain.blocks[..2]).await;
        // A ledger in which the users have other balances: the events do not fit.
        let mut other = Chain::default();
        other.bootstrap();
        other.create_users(&people(4));
        let ghost = other.transfer(&person(3), &users[0], "1");
        let id = ghost.command_id;
        other.execute(Role::PartnerApi, vec![ghost]);
        let mut unknown = other.blocks[2].clone();
        unknown.prev_hash = chain.blocks[1].hash;
        let error = try_apply(store, &lease, &[unknown]).await.unwrap_err();
        let ghost = person(3);
        assert_eq!(
            error.to_string(),
            format!("block 3, command {id}, cannot be projected: account {ghost} is not known")
        );
        let mut wrong = chain.blocks[2].clone();
        wrong.record.results.remove(0);
        let error = try_apply(store, &lease, &[wrong]).await.unwrap_err();
        assert_eq!(error.to_string(), "block 3 cannot be projected: 4 commands, 3 outcomes");
        let mut twice = chain.blocks[2].clone();
        let repeated = twice.record.results[0].clone();
        twice.record.results[3].outcome = repeated.outcome;
        let error = try_apply(store, &lease, &[twice]).await.unwrap_err();
        assert!(error.to_string().contains("changes by"), "{error}");
        assert_eq!(balance(store, &users[0]).await, gx(500));
        apply(store, &lease, &chain.blocks[2..]).await;
    });
}

#[test]
fn who_has_lost_the_lease_projects_nothing() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let old = backend.projector().await;
        let chain = history(&people(3));
        apply(store, &old, &chain.blocks[..1]).await;
        lease::release(store, &old).await.unwrap();
        let new = lease::acquire(store, lease::PROJECTOR, "new", TTL).await.unwrap().unwrap();
        let error = try_apply(store, &old, &chain.blocks[1..2]).await.unwrap_err();
        assert_eq!(error.class(), Class::LeaseLost);
        let error = projection::heartbeat(store, &old, Some(9), None).await.unwrap_err();
        assert_eq!(error.class(), Class::LeaseLost);
        let mut tx = store.begin().await.unwrap();
        let error = projection::clear(&mut tx, &old).await.unwrap_err();
        assert_eq!(error.class(), Class::LeaseLost);
        drop(tx);
        apply(store, &new, &chain.blocks[1..]).await;
    });
}

#[test]
fn the_heartbeat_tells_idle_from_stuck() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let position = projection::position(store).await.unwrap();
        assert_eq!((position.checkpoint, position.heartbeat), (None, None));
        let chain = history(&people(3));
        projection::heartbeat(store, &lease, Some(4), Some(TimeMs(START + 1000))).await.unwrap();
        let position = projection::position(store).await.unwrap();
        assert_eq!(position.lag_blocks(), 4);
        assert_eq!(position.heartbeat.unwrap().behind_since, Some(TimeMs(START + 1000)));
        apply(store, &lease, &chain.blocks).await;
        projection::heartbeat(store, &lease, Some(4), None).await.unwrap();
        let position = projection::position(store).await.unwrap();
        let (checkpoint, heartbeat) = (position.checkpoint.unwrap(), position.heartbeat.unwrap());
        assert_eq!(position.lag_blocks(), 0);
        assert_eq!((checkpoint.block, checkpoint.hash), (4, chain.blocks[3].hash));
        assert_eq!((heartbeat.tip, heartbeat.behind_since), (Some(4), None));
        assert!(heartbeat.age.as_secs() < 60, "{heartbeat:?}");
    });
}

#[test]
fn cleared_read_models_are_filled_again_the_same() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let chain = history(&people(5));
        apply(store, &lease, &chain.blocks).await;
        let before = accounts::page(store, None, 100).await.unwrap();
        let totals = projection::position(store).await.unwrap().totals;
        let mut tx = store.begin().await.unwrap();
        projection::clear(&mut tx, &lease).await.unwrap();
        tx.commit().await.unwrap();
        assert!(accounts::page(store, None, 100).await.unwrap().is_empty());
        assert_eq!(projection::position(store).await.unwrap().checkpoint, None);
        apply(store, &lease, &chain.blocks).await;
        assert_eq!(accounts::page(store, None, 100).await.unwrap(), before);
        assert_eq!(projection::position(store).await.unwrap().totals, totals);
    });
}

#[test]
fn genesis_that_comes_later_changes_the_status() {
    for_each_backend(|backend| async move {
        use gx_contract::tokenomics::{AttestedAge, DistributeGenesis};
        let store = &backend.store;
        let lease = backend.projector().await;
        let mut chain = Chain::default();
        chain.bootstrap();
        let (child, old) = (person(1), person(2));
        let commands = vec![chain.create(&child, 12), chain.create(&old, 80)];
        chain.execute(Role::PartnerApi, commands);
        apply(store, &lease, &chain.blocks).await;
        let genesis = |id| async move { accounts::get(store, id).await.unwrap().unwrap().genesis };
        assert_eq!(genesis(&child).await, Some(GenesisStatus::Ineligible));
        let users = [(child, 13), (old, 81), (person(9), 30)].map(|(user_id, age)| AttestedAge {
            user_id,
            age,
            attestation: None,
        });
        let distribute = DistributeGenesis { users: users.to_vec() };
        let distribute = chain.envelope(Actor::System, distribute);
        chain.execute(Role::Admin, vec![distribute]);
        apply(store, &lease, &chain.blocks[2..]).await;
        let granted = GenesisStatus::Granted { phase: 1, amount: gx(500) };
        assert_eq!(genesis(&child).await, Some(granted));
        assert_eq!(genesis(&old).await, Some(GenesisStatus::Ineligible));
        assert_eq!(balance(store, &child).await, gx(500));
        agrees_with_events(store, &chain).await;
    });
}
