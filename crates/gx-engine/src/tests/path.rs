//! Commands on their way when nothing breaks.

use gx_store::Engine;
use gx_store::commands::State;
use gx_types::Actor;

use super::rig::{Rig, transfer};
use crate::SubmitError;

async fn commands_are_carried_out_and_refused(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(3).await;
    let paid = rig.pay(users[0], users[1], 100_000_000, "payment-1").await.unwrap();
    assert!(matches!(rig.outcome(paid).await, State::Committed { .. }));
    let poor = rig.pay(users[2], users[1], 900_000_000, "payment-2").await.unwrap();
    match rig.outcome(poor).await {
        State::Refused { code, .. } => assert_eq!(code, "insufficient_balance"),
        state => panic!("{state:?}"),
    }
    let (balances, _) = gx_store::tokenomics::accounts::balances(&rig.store, &users).await.unwrap();
    let qirat: Vec<u64> = balances.iter().map(|b| b.as_ref().unwrap().balance.qirat()).collect();
    assert_eq!(qirat, [399_950_000, 600_000_000, 500_000_000]);
    rig.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_carried_out_and_refused_on_sqlite() {
    commands_are_carried_out_and_refused(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_carried_out_and_refused_on_postgres() {
    commands_are_carried_out_and_refused(Engine::Postgres).await;
}

async fn one_key_is_one_command(engine: Engine) {
    let rig = Rig::new(engine).await;
    let (_submitter, _projector) = (rig.start_submitter(), rig.start_projector());
    let users = rig.populate(2).await;
    let keys = vec!["the same key".to_owned(); 100];
    let (accepted, _) = rig.pay_all(users[0], users[1], 1_000_000, keys).await;
    assert_eq!(accepted.len(), 100);
    assert_eq!(accepted.iter().filter(|accepted| !accepted.replayed).count(), 1);
    assert!(accepted.iter().all(|one| one.command_id == accepted[0].command_id));
    rig.outcome(accepted[0]).await;
    let other = rig.pay(users[0], users[1], 2_000_000, "the same key").await;
    assert!(matches!(other, Err(SubmitError::KeyReused)));
    // The key belongs to its actor: another one's is another command.
    let foreign = rig.pay(users[1], users[0], 1_000_000, "the same key").await.unwrap();
    assert!(!foreign.replayed);
    rig.outcome(foreign).await;
    let (balances, _) = gx_store::tokenomics::accounts::balances(&rig.store, &users).await.unwrap();
    let qirat: Vec<u64> = balances.iter().map(|b| b.as_ref().unwrap().balance.qirat()).collect();
    assert_eq!(qirat, [500_000_000, 500_000_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_command_on_sqlite() {
    one_key_is_one_command(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_command_on_postgres() {
    one_key_is_one_command(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_ledger_would_take_is_not_accepted() {
    let rig = Rig::new(Engine::Sqlite).await;
    let (me, other) = ("IN".parse().unwrap(), "LS".parse().unwrap());
    for (actor, from, to, code) in [
        (Actor::User(me), me, me, "same_account"),
        (Actor::User(me), other, me, "not_own_account"),
        (Actor::System, me, other, "actor_not_allowed"),
        (Actor::Admin("root".parse().unwrap()), me, other, "actor_not_allowed"),
    ] {
        match rig.submit(actor, "payment", transfer(from, to, 1)).await {
            Err(SubmitError::Refused(refused)) => assert_eq!(refused.code.code(), code),
            other => panic!("{actor}: {other:?}"),
        }
    }
    assert_eq!(gx_store::submission::waiting(&rig.store).await.unwrap().queued, 0);
}
