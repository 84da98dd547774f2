//! Everything that may break between endorsement and commit, one after the other: each batch is
//! settled exactly once, and what cannot be settled says why.

use std::collections::BTreeMap;
use std::time::Duration;

use gx_contract::{Batch, Outcome};
use gx_fabric::{Class, Error, FabricEngine};
use gx_types::{CommandId, Role};
use tokio::task::JoinSet;

use crate::load::Load;
use gx_fabric_network::{Fault, Forwarder, Network, Release};

const VALID: u8 = 0;
const DUPLICATE: u8 = 9;
const CONFLICT: u8 = 11;

/// Faults that the engine overcomes by itself, and the codes of the transactions that it took.
#[tokio::test]
async fn what_is_free_to_retry_is_retried() {
    let rows: [(&[Fault], &[u8]); 7] = [
        (&[Fault::SubmitAnswerLost], &[VALID]),
        (&[Fault::SubmitLost], &[VALID]),
        (&[Fault::StatusLost], &[VALID, DUPLICATE]),
        (&[Fault::SubmitAnswerLost, Fault::StatusLost], &[VALID, DUPLICATE]),
        (&[Fault::Mismatch, Fault::Mismatch], &[VALID]),
        (&[Fault::Overtaken], &[CONFLICT, VALID]),
        (&[Fault::Overtaken, Fault::StatusLost], &[CONFLICT, DUPLICATE, VALID]),
    ];
    for (faults, codes) in rows {
        let network = Network::start(Release::V3).await;
        let engine = network.engine();
        let mut load = Load::default();
        engine.submit(&load.foundation()).await.unwrap();
        network.cause(faults);
        let settled = engine.submit(&load.openings(3)).await.unwrap();
        assert_eq!(settled[0].counts.applied, 3, "{faults:?}");
        assert_eq!(network.codes()[1..], *codes, "{faults:?}");
        assert_eq!(network.faults_left(), [], "{faults:?}");
    }
}

/// Faults that are given back: the batch can be sent again for nothing, or needs an operator.
#[tokio::test]
async fn other_faults_are_given_back_with_their_class() {
    let rows = [
        (Fault::Unavailable, Class::NotAnswered, "going away"),
        (Fault::OrganizationAway, Class::NotAnswered, "no combination of peers"),
        (Fault::EndorsementSilent, Class::NotAnswered, "endorse: no answer within 2 s"),
        (Fault::AccessDenied, Class::Misconfigured, "Org1MSP at peer0.org1:7051: error validating"),
    ];
    for (fault, class, text) in rows {
        let network = Network::start(Release::V3).await;
        let mut options = network.options();
        options.deadlines.endorse = Duration::from_secs(2);
        let engine = FabricEngine::new(options, &network.wallet).unwrap();
        let batch = Load::default().foundation();
        network.cause(&[fault]);
        let error = engine.submit(&batch).await.unwrap_err();
        assert_eq!(error.class(), class, "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(engine.submit(&batch).await.unwrap()[0].counts.applied, 2);
        assert_eq!(network.codes(), [VALID]);
    }
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_left_at_the_deadline() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    network.cause(&[Fault::Silent]);
    let settled = engine.submit(&Load::default().foundation()).await.unwrap();
    assert_eq!(settled[0].counts.applied, 2);
    assert_eq!(network.codes(), [VALID]);
}

#[tokio::test]
async fn conflicts_without_end_are_given_back() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    network.cause(&[Fault::Overtaken; 6]);
    let error = engine.submit(&load.openings(1)).await.unwrap_err();
    assert!(matches!(&error, Error::Invalid { .. }), "{error}");
    assert_eq!(error.class(), Class::NotAnswered);
    assert!(error.to_string().contains("MVCC_READ_CONFLICT"), "{error}");
    assert_eq!(engine.submit(&load.openings(1)).await.unwrap()[0].counts.applied, 1);
}

#[tokio::test]
async fn a_stream_that_is_cut_again_and_again_loses_and_doubles_nothing() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(3)).await.unwrap();
    for _ in 0..20 {
        engine.submit(&load.payments(2, 3)).await.unwrap();
    }
    network.cause(&[Fault::StreamCut; 1_000]);
    let origin = engine.origin().await.unwrap();
    let (mut next, mut previous) = (1, origin);
    while next <= 22 || !network.faults_left().is_empty() {
        if next > 22 {
            (next, previous) = (1, origin);
        }
        match engine.blocks(next, 4, usize::MAX).await {
            Ok(blocks) => {
                for block in blocks {
                    assert_eq!((block.number, block.previous), (next, previous));
                    (next, previous) = (next + 1, block.hash);
                }
            }
            Err(error) => assert_eq!(error.class(), Class::NotAnswered, "{error}"),
        }
    }
    assert_eq!(network.faults_left(), []);
}

/// Sends batches in order, each until it is settled.
pub(crate) async fn send(engine: FabricEngine, batches: Vec<Batch>) {
    for batch in batches {
        // A submitter pauses between attempts, and never gives up.
        let mut attempts = tokio::time::interval(Duration::from_millis(50));
        loop {
            attempts.tick().await;
            match engine.submit(&batch).await {
                Ok(_) => break,
                Err(error) => assert_eq!(error.class(), Class::NotAnswered, "{error}"),
            }
        }
    }
}

/// Checks that every command of the batches has been applied, once, and that those of each list
/// of batches have kept their order. Blocks are read from one on.
pub(crate) async fn check_once_in_order(engine: &FabricEngine, from: u64, lists: &[Vec<Batch>]) {
    let mut places: BTreeMap<CommandId, (u64, usize)> = BTreeMap::new();
    let (tip, mut next) = (engine.tip().await.unwrap().number, from);
    while next <= tip {
        for block in engine.blocks(next, 64, 8 << 20).await.unwrap() {
            next = block.number + 1;
            let results = block.settled.map(|settled| settled.record.results);
            for (at, result) in results.into_iter().flatten().enumerate() {
                if matches!(result.outcome, Outcome::Applied(_)) {
                    let before = places.insert(result.command_id, (block.number, at));
                    assert_eq!(before, None, "{} was applied twice", result.command_id);
                }
            }
        }
    }
    for batches in lists {
        let commands = batches.iter().flat_map(|batch| &batch.commands);
        let order: Vec<_> = commands.map(|command| places[&command.command_id]).collect();
        assert!(order.is_sorted(), "{order:?}");
    }
}

#[tokio::test]
async fn two_submitters_and_a_foreign_client_settle_everything_once_and_in_order() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(3)).await.unwrap();
    // Both pay from the same accounts.
    let lists = [(); 2].map(|()| (0..20).map(|_| load.payments(3, 3)).collect::<Vec<_>>());
    let mut running = JoinSet::new();
    for batches in lists.clone() {
        running.spawn(send(network.engine(), batches));
    }
    while !running.is_empty() {
        // It writes the same key as every batch, and does not care what becomes of it.
        let foreign = load.batch(Role::Admin, Vec::new());
        tokio::select! {
            Some(ended) = running.join_next() => ended.unwrap(),
            submitted = engine.submit(&foreign) => drop(submitted),
        }
    }
    assert!(network.codes().contains(&CONFLICT));
    check_once_in_order(&engine, 1, &lists).await;
}

#[tokio::test]
async fn a_peer_that_has_moved_is_found_behind_its_name() {
    let mut network = Network::start(Release::V3).await;
    let name = Forwarder::to(network.gateway).await;
    let mut options = network.options();
    options.peers.addresses = vec![name.address.to_string().parse().unwrap()];
    let engine = FabricEngine::new(options, &network.wallet).unwrap();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(3)).await.unwrap();
    let mut lists = vec![Vec::new()];
    for _ in 0..5 {
        network.move_gateway().await;
        name.lead_to(network.gateway);
        let batch = load.payments(3, 3);
        lists[0].push(batch.clone());
        send(engine.clone(), vec![batch]).await;
    }
    check_once_in_order(&engine, 1, &lists).await;
}

#[tokio::test]
async fn damaged_state_fails_its_transaction_and_leaves_the_server() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    network.shared.ledger.lock().unwrap().damage("s/system");
    let error = engine.submit(&load.openings(1)).await.unwrap_err();
    assert_eq!(error.class(), Class::NotAnswered, "{error}");
    assert!(error.to_string().contains("value of ledger key \"s/system\""), "{error}");
    assert_eq!(engine.tip().await.unwrap().number, 1);
}
