//! The same on a real network, when the environment names one; `cargo xtask fabric test` does.

use std::path::Path;

use gx_contract::Outcome;
use gx_fabric::{Engine, Options, Peers, Wallet};
use gx_types::Role;

use crate::engine::DEADLINE;
use crate::load::Load;

/// The network that the environment names; none is said aloud.
#[expect(clippy::print_stderr, reason = "a skipped test is seen")]
fn network() -> Option<Engine> {
    let read = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let Some((peer, wallet)) = read("FABRIC_PEER_ENDPOINT").zip(read("FABRIC_WALLET_PATH")) else {
        eprintln!("SKIPPED: no Fabric network (FABRIC_PEER_ENDPOINT, FABRIC_WALLET_PATH)");
        return None;
    };
    let addresses = peer.split(',').map(|address| address.parse().unwrap()).collect();
    let mut peers = Peers { addresses, ..Peers::default() };
    if let Some(path) = read("FABRIC_PEER_TLS_CA_CERT_PATH") {
        peers = peers.with_tls_ca(Path::new(&path)).unwrap();
    }
    let channel = read("FABRIC_CHANNEL_NAME").unwrap_or_else(|| "gxchannel".to_owned());
    let chaincode = read("FABRIC_CHAINCODE_NAME").unwrap_or_else(|| "gxtv3".to_owned());
    let options = Options::new(peers, &channel, &chaincode);
    let wallet = Wallet::open(Path::new(&wallet), read("FABRIC_MSP_ID").as_deref()).unwrap();
    Some(Engine::new(options, &wallet).unwrap())
}

/// Ids that no earlier run on the same network had.
#[expect(clippy::disallowed_methods, reason = "ids that no earlier run had")]
fn load() -> Load {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Load::starting_at(since.as_nanos() << 32)
}

#[tokio::test]
async fn batches_are_settled_and_read_back() {
    let Some(engine) = network() else { return };
    let mut load = load();
    let mut news = engine.subscribe();
    // On a network that was used before, these are refused as done.
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(50)).await.unwrap();
    let batch = load.payments(3000, 50);
    let settled = engine.submit(&batch).await.unwrap();
    let block = engine.block(settled[0].block).await.unwrap().unwrap();
    let read = block.settled.as_ref().unwrap();
    assert_eq!(read.batch, batch);
    assert!(read.record.results.iter().all(|r| matches!(r.outcome, Outcome::Applied(_))));
    let again = engine.submit(&batch).await.unwrap();
    assert_eq!(again[0].counts.repeated, 3000);
    let tip = engine.tip().await.unwrap();
    tokio::time::timeout(DEADLINE, news.wait_for(|number| *number >= tip.number))
        .await
        .unwrap()
        .unwrap();

    // The whole channel, from the block after the genesis block.
    let (mut next, mut previous) = (1, engine.origin().await.unwrap());
    while next <= tip.number {
        for block in engine.blocks(next, 16, 4 << 20).await.unwrap() {
            assert_eq!((block.number, block.previous), (next, previous));
            (next, previous) = (next + 1, block.hash);
        }
    }
    assert!(next > tip.number && engine.identity(Role::Admin).is_ok());
}

#[tokio::test]
async fn two_submitters_settle_each_batch_once() {
    let Some(engine) = network() else { return };
    let mut load = load();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(50)).await.unwrap();
    let batches: Vec<_> = (0..6).map(|_| load.payments(20, 50)).collect();
    let mut running = tokio::task::JoinSet::new();
    for batch in batches {
        let engine = engine.clone();
        running.spawn(async move {
            // The submitter sends again for ever; here a bounded number of times is enough.
            let mut error = None;
            for _ in 0..20 {
                match engine.submit(&batch).await {
                    Ok(settled) => return Ok(settled[0].counts),
                    Err(failed) => error = Some(failed),
                }
            }
            Err(error)
        });
    }
    while let Some(ended) = running.join_next().await {
        let counts = ended.unwrap().unwrap();
        assert_eq!(counts.applied + counts.repeated, 20);
    }
}
