//! The same on a real network, when the environment names one; `cargo xtask fabric test` does.
//!
//! These tests stop and start nodes of the network, so they run one at a time.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use gx_contract::{Batch, Outcome};
use gx_fabric::receipt::{Extent, Fault, Part};
use gx_fabric::{Class, FabricEngine, Options, Peers, Wallet};
use gx_types::{Role, TimeMs};
use tokio::sync::{Mutex, MutexGuard};
use tokio::task::JoinSet;

use crate::engine::DEADLINE;
use crate::faults::{check_once_in_order, send};
use crate::load::Load;
use crate::mixed::{COMMANDS, Twin, compare_balances, play};
use crate::script::Script;
use gx_fabric_network::Forwarder;

/// How long the network may take to get over a fault.
const PATIENCE: Duration = Duration::from_secs(180);

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The network that the environment names; none is said aloud.
struct Network {
    options: Options,
    wallet: Wallet,
    _alone: MutexGuard<'static, ()>,
}

#[expect(clippy::print_stderr, reason = "a skipped test is seen")]
async fn network() -> Option<Network> {
    let Some((peer, wallet)) = read("FABRIC_PEER_ENDPOINT").zip(read("FABRIC_WALLET_PATH")) else {
        eprintln!("SKIPPED: no Fabric network (FABRIC_PEER_ENDPOINT, FABRIC_WALLET_PATH)");
        return None;
    };
    let alone = ONE_AT_A_TIME.lock().await;
    let addresses = peer.split(',').map(|address| address.parse().unwrap()).collect();
    let mut peers = Peers { addresses, ..Peers::default() };
    if let Some(path) = read("FABRIC_PEER_TLS_CA_CERT_PATH") {
        peers = peers.with_tls_ca(Path::new(&path)).unwrap();
    }
    let channel = read("FABRIC_CHANNEL_NAME").unwrap_or_else(|| "gxchannel".to_owned());
    let chaincode = read("FABRIC_CHAINCODE_NAME").unwrap_or_else(|| "gxtv3".to_owned());
    let mut options = Options::new(peers, &channel, &chaincode);
    options.deadlines.commit = Duration::from_secs(5);
    let wallet = Wallet::open(Path::new(&wallet), read("FABRIC_MSP_ID").as_deref()).unwrap();
    Some(Network { options, wallet, _alone: alone })
}

impl Network {
    fn engine(&self) -> FabricEngine {
        FabricEngine::new(self.options.clone(), &self.wallet).unwrap()
    }
}

/// The program that stops and starts nodes of the network, and of no other.
#[derive(Debug, Clone)]
struct Nodes(Arc<str>);

#[expect(clippy::print_stderr, reason = "a skipped test is seen")]
fn nodes() -> Option<Nodes> {
    let nodes = read("FABRIC_NODES").map(|program| Nodes(program.into()));
    if nodes.is_none() {
        eprintln!("SKIPPED: nobody may stop nodes of the network (FABRIC_NODES)");
    }
    nodes
}

impl Nodes {
    /// What the program prints: the nodes' names.
    async fn ask(&self, verb: &'static str, node: &str) -> String {
        let (program, node) = (self.0.clone(), node.to_owned());
        let run = move || {
            let done = Command::new(&*program).args(["fabric", verb, &node]).output().unwrap();
            let errors = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{verb} {node}: {errors}");
            String::from_utf8(done.stdout).unwrap().trim().to_owned()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    async fn stop(&self, node: &str) -> String {
        self.ask("stop", node).await
    }

    async fn start(&self, node: &str) {
        self.ask("start", node).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "ids that no earlier run had")]
fn now() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}

/// Ids that no earlier run on the same network had.
fn load() -> Load {
    Load::starting_at(now().as_nanos() << 32)
}

#[tokio::test]
async fn batches_are_settled_and_read_back() {
    let Some(network) = network().await else { return };
    let engine = network.engine();
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

/// The orderers' and endorsers' own signatures, checked by nothing but the channel's configuration.
#[tokio::test]
async fn a_receipt_is_checked_without_the_network() {
    let Some(network) = network().await else { return };
    let engine = network.engine();
    let mut load = load();
    send(engine.clone(), vec![load.foundation(), load.openings(3)]).await;
    let batch = load.payments(20, 3);
    let block = engine.submit(&batch).await.unwrap()[0].block;
    let trusted = [engine.configuration().await.unwrap().hash()];
    for extent in [Extent::Command, Extent::Block] {
        let id = batch.commands[7].command_id;
        let proof = engine.prove(block, id, extent).await.unwrap().unwrap();
        let proven = proof.check(&trusted).unwrap();
        assert_eq!(proven.envelope, batch.commands[7]);
        assert!(proven.outcome.applied);
        assert_eq!(proven.channel, network.options.channel);
        let mut unsigned = proof.clone();
        unsigned.block.signatures.clear();
        assert_eq!(unsigned.check(&trusted), Err(Fault::TooFewOrderers));
        let mut alone = proof;
        alone.question.endorsements.truncate(1);
        let few = Fault::TooFewEndorsements(Part::Question);
        assert_eq!(alone.check(&trusted), Err(few));
    }
}

/// What the network has settled before is executed by the embedded ledger first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_mixed_commands_end_as_on_the_embedded_ledger() {
    let Some(network) = network().await else { return };
    let engine = network.engine();
    let seed = u64::try_from(now().as_micros()).unwrap();
    let mut load = load();
    // Batches and commands have ids of different ranges.
    let mut script = Script::new(Load::starting_at(load.ids() | 1 << 120), seed);
    let pass = |_| TimeMs(i64::try_from(now().as_millis()).unwrap());
    let sent = play(&engine, &mut script, &mut load, COMMANDS, pass).await;
    let mut twin = Twin::new();
    twin.follow(&engine).await;
    let first = twin.batches.len() - sent.len();
    assert_eq!(twin.batches[first..], sent);
    compare_balances(&engine, &twin, &script).await;
}

/// Sends payments, lets something happen in the middle, and checks that each is settled once and
/// in order.
async fn survive(network: &Network, submitters: usize, happening: impl AsyncFnOnce(&FabricEngine)) {
    let engine = network.engine();
    let mut load = load();
    send(engine.clone(), vec![load.foundation(), load.openings(20)]).await;
    let from = engine.tip().await.unwrap().number;
    let mut list = || (0..12).map(|_| load.payments(20, 20)).collect::<Vec<Batch>>();
    let lists: Vec<Vec<Batch>> = (0..submitters).map(|_| list()).collect();
    let (mut before, mut after) = (JoinSet::new(), JoinSet::new());
    for batches in &lists {
        before.spawn(send(network.engine(), batches[..4].to_vec()));
    }
    while let Some(ended) = before.join_next().await {
        ended.unwrap();
    }
    for batches in &lists {
        after.spawn(send(network.engine(), batches[4..].to_vec()));
    }
    happening(&engine).await;
    let all = async {
        while let Some(ended) = after.join_next().await {
            ended.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, all).await.unwrap();
    check_once_in_order(&engine, from, &lists).await;
}

#[tokio::test]
async fn two_submitters_settle_each_batch_once() {
    let Some(network) = network().await else { return };
    survive(&network, 2, async |_| ()).await;
}

/// Somebody else's payments change the same accounts as the batches, in between.
#[tokio::test]
async fn a_foreign_client_delays_and_spoils_nothing() {
    let Some(network) = network().await else { return };
    survive(&network, 1, async |engine| {
        let identity = &*engine.identity(Role::PartnerApi).unwrap();
        let mut load = load();
        for _ in 0..40 {
            let batch = serde_json::to_vec(&load.payments(1, 20)).unwrap();
            let args = vec![b"SmartContract:ExecuteBatch".to_vec(), batch];
            let chaincode = &engine.options().chaincode;
            // Neither an answer nor an error matters to anybody.
            if let Ok(prepared) = engine.gateway().endorse(identity, chaincode, args, &[]).await {
                let _ = engine.gateway().submit(&prepared).await;
            }
        }
    })
    .await;
}

async fn a_node_is_stopped_and_started(node: &str) {
    let Some((network, nodes)) = network().await.zip(nodes()) else { return };
    survive(&network, 1, async |_| {
        let stopped = nodes.stop(node).await;
        nodes.start(&stopped).await;
    })
    .await;
}

/// The other orderers choose a leader while it is away.
#[tokio::test]
async fn the_leading_orderer_is_stopped() {
    let Some((network, nodes)) = network().await.zip(nodes()) else { return };
    let mut stopped = String::new();
    survive(&network, 1, async |_| stopped = nodes.stop("leader").await).await;
    nodes.start(&stopped).await;
}

#[tokio::test]
async fn the_other_organizations_peer_is_stopped_and_started() {
    a_node_is_stopped_and_started("peer0-org2").await;
}

#[tokio::test]
async fn the_gateways_peer_is_stopped_and_started() {
    a_node_is_stopped_and_started("peer0-org1").await;
}

#[tokio::test]
async fn the_chaincode_server_is_stopped_and_started() {
    a_node_is_stopped_and_started("chaincode").await;
}

#[tokio::test]
async fn a_stream_that_is_cut_a_thousand_times_loses_and_doubles_nothing() {
    let Some(mut network) = network().await else { return };
    let engine = network.engine();
    let mut load = load();
    send(engine.clone(), vec![load.foundation(), load.openings(3)]).await;
    send(engine.clone(), (0..30).map(|_| load.payments(2, 3)).collect()).await;
    let peer: SocketAddr = network.options.peers.addresses[0].to_string().parse().unwrap();
    let forwarder = Forwarder::to(peer).await;
    network.options.peers.addresses = vec![forwarder.address.to_string().parse().unwrap()];
    let (cut, origin) = (network.engine(), engine.origin().await.unwrap());
    let tip = engine.tip().await.unwrap().number;
    let first = tip - 29;
    let before = match first {
        1 => origin,
        _ => engine.block(first - 1).await.unwrap().unwrap().hash,
    };
    let (mut next, mut previous, mut cuts) = (first, before, 0);
    while cuts < 1_000 {
        if next > tip {
            (next, previous) = (first, before);
        }
        match cut.blocks(next, 3, usize::MAX).await {
            Ok(blocks) => {
                for block in blocks {
                    assert_eq!((block.number, block.previous), (next, previous));
                    (next, previous) = (next + 1, block.hash);
                }
            }
            Err(error) => assert_eq!(error.class(), Class::NotAnswered, "{error}"),
        }
        forwarder.cut();
        cuts += 1;
    }
}
