//! Everything that may break between endorsement and commit, one after the other: each batch is
//! settled exactly once, and what cannot be settled says why.

use gx_fabric::{Class, Error};

use crate::load::Load;
use crate::network::{Fault, Network, Release};

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
        (Fault::AccessDenied, Class::Misconfigured, "Org1MSP at peer0.org1:7051: error validating"),
    ];
    for (fault, class, text) in rows {
        let network = Network::start(Release::V3).await;
        let engine = network.engine();
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
    network.cause(&[Fault::StreamCut; 15]);
    let (mut next, mut previous) = (1, engine.origin().await.unwrap());
    while next <= 22 {
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
