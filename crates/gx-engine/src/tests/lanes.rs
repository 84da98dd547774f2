//! One role that can't submit: the others go on, and it does by itself once that is mended.

use std::sync::atomic::Ordering;

use gx_contract::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_store::commands::State;
use gx_store::{Engine, submission};
use gx_types::{AccountId, Actor, AdminId, Role};

use super::rig::{Rig, until};
use crate::Accepted;

/// A user whose wallet the super admin freezes and opens again, in turn.
async fn toggle(rig: &Rig, user: AccountId, times: usize, name: &str) -> Vec<Accepted> {
    let root = Actor::Admin("ROOT".parse::<AdminId>().unwrap());
    let mut accepted = Vec::new();
    for n in 0..times {
        let key = format!("{name}-{n}");
        let reason = FreezeReason::ComplianceReview;
        let one = match n % 2 {
            0 => rig.submit(root, &key, FreezeWallet { account_id: user, reason }).await,
            _ => rig.submit(root, &key, UnfreezeWallet { account_id: user, reason }).await,
        };
        accepted.push(one.unwrap());
    }
    accepted
}

async fn all_committed(rig: &Rig, accepted: Vec<Accepted>) {
    for one in accepted {
        let state = rig.outcome(one).await;
        assert!(matches!(state, State::Committed { .. }), "{state:?}");
    }
}

async fn stuck(rig: &Rig) -> Vec<Role> {
    let waiting = submission::waiting(&rig.store).await.unwrap();
    assert!(waiting.stuck.iter().all(|lane| lane.stuck.class == "misconfigured"));
    waiting.stuck.iter().map(|lane| lane.role).collect()
}

async fn an_expired_certificate_stops_its_own_lane_alone(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(3).await;
    rig.expired.store(true, Ordering::SeqCst);
    // Every opening needs the freezing before it: in another order they would be refused.
    let mut orders = toggle(&rig, users[2], 200, "first").await;
    let mut payments = Vec::new();
    for n in 0..200 {
        payments.push(rig.pay(users[0], users[1], 1_000, &format!("early-{n}")).await.unwrap());
        if n == 100 {
            orders.extend(toggle(&rig, users[2], 200, "second").await);
        }
    }
    all_committed(&rig, payments).await;
    until("the lane is shown as stuck", async || stuck(&rig).await == [Role::SuperAdmin]).await;
    let state = rig.waiters.status(orders[0].command_id).await.unwrap().unwrap().state;
    assert!(!state.is_final(), "{state:?}");

    // Whoever leads next knows it all, and payments go on under them.
    submitter.abort();
    let _successor = rig.start_submitter();
    let mut payments = Vec::new();
    for n in 0..200 {
        payments.push(rig.pay(users[1], users[0], 1_000, &format!("late-{n}")).await.unwrap());
    }
    all_committed(&rig, payments).await;
    assert_eq!(stuck(&rig).await, [Role::SuperAdmin]);

    rig.expired.store(false, Ordering::SeqCst);
    orders.extend(toggle(&rig, users[2], 2, "third").await);
    all_committed(&rig, orders).await;
    until("the lane is shown as free", async || stuck(&rig).await.is_empty()).await;
    let waiting = submission::waiting(&rig.store).await.unwrap();
    assert_eq!(waiting.queued, 0);
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_stops_its_own_lane_alone_on_sqlite() {
    an_expired_certificate_stops_its_own_lane_alone(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_stops_its_own_lane_alone_on_postgres() {
    an_expired_certificate_stops_its_own_lane_alone(Engine::Postgres).await;
}
