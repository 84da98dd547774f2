//! The engine as the platform uses it: tip, identity of the channel, news, large batches.

use std::time::Duration;

use gx_contract::admin::{CountryWeight, InitializeCountryData};
use gx_contract::tokenomics::GetBalance;
use gx_fabric::{Class, Error, FabricEngine};
use gx_types::{Actor, Role};

use crate::load::{Load, account};
use gx_fabric_network::{Fault, Network, Release};

/// Long enough for anything that is not broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_empty_channel_has_an_identity_and_a_tip() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let tip = engine.tip().await.unwrap();
    assert_eq!((tip.number, tip.hash), (0, engine.origin().await.unwrap()));
    assert_eq!(engine.block(1).await.unwrap(), None);
    assert_eq!(engine.block(0).await.unwrap().unwrap().settled, None);
}

#[tokio::test]
async fn blocks_are_chained_from_the_genesis_block() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(3)).await.unwrap();
    engine.submit(&load.payments(5, 3)).await.unwrap();
    let mut previous = engine.origin().await.unwrap();
    for (number, block) in (1..).zip(engine.blocks(1, 100, usize::MAX).await.unwrap()) {
        assert_eq!((block.number, block.previous), (number, previous));
        previous = block.hash;
    }
    assert_eq!(engine.tip().await.unwrap().hash, previous);
    // One block at a time gives the same blocks, from any place.
    for number in [2, 1, 2, 3] {
        let blocks = engine.blocks(number, 1, usize::MAX).await.unwrap();
        assert_eq!(blocks, [engine.block(number).await.unwrap().unwrap()]);
    }
}

#[tokio::test]
async fn followers_are_told_of_new_blocks() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut news = engine.subscribe();
    engine.submit(&Load::default().foundation()).await.unwrap();
    tokio::time::timeout(DEADLINE, news.wait_for(|number| *number == 1)).await.unwrap().unwrap();
}

/// A frame hides how long a text is; the chaincode bounds the text.
#[tokio::test]
async fn a_batch_with_a_long_text_or_record_is_settled_in_parts() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    let weight = CountryWeight { country_code: "IN".parse().unwrap(), weight: 1 };
    let countries = || InitializeCountryData { countries: vec![weight; 5000] };
    let commands = (0..120).map(|_| load.envelope(Actor::System, countries())).collect();
    let batch = load.batch(Role::SuperAdmin, commands);
    assert!(serde_json::to_vec(&batch).unwrap().len() > 16 << 20);
    let settled = engine.submit(&batch).await.unwrap();
    assert_eq!(settled.iter().map(|part| part.counts.refused).collect::<Vec<_>>(), [60, 60]);
    // What reads blocks counts what it unpacks.
    let block = engine.block(settled[0].block).await.unwrap().unwrap();
    assert!(block.bytes > 8 << 20, "{}", block.bytes);

    network.cause(&[Fault::RecordTooLarge]);
    let settled = engine.submit(&load.openings(4)).await.unwrap();
    assert_eq!(settled.iter().map(|part| part.counts.applied).collect::<Vec<_>>(), [2, 2]);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_settled_in_parts() {
    let network = Network::start(Release::V3).await;
    let mut options = network.options();
    options.transaction_bytes_max = 20 << 10;
    let engine = FabricEngine::new(options, &network.wallet).unwrap();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(4)).await.unwrap();
    let batch = load.payments(400, 4);
    let settled = engine.submit(&batch).await.unwrap();
    assert!(settled.len() > 1, "{settled:?}");
    let applied: u64 = settled.iter().map(|part| part.counts.applied).sum();
    assert_eq!(applied, 400);
    // In order, and each under an id of its own.
    let first = settled[0].block;
    let blocks = engine.blocks(first, 100, usize::MAX).await.unwrap();
    let parts: Vec<_> = blocks.into_iter().filter_map(|block| block.settled).collect();
    assert_ne!(parts[0].batch.batch_id, parts[1].batch.batch_id);
    let ids = parts.iter().flat_map(|part| &part.batch.commands).map(|c| c.command_id);
    assert!(ids.eq(batch.commands.iter().map(|command| command.command_id)));
    let again = engine.submit(&batch).await.unwrap();
    let repeated: u64 = again.iter().map(|part| part.counts.repeated).sum();
    assert_eq!(repeated, 400);
}

#[tokio::test]
async fn one_command_that_is_too_large_is_said_so() {
    let network = Network::start(Release::V3).await;
    let mut options = network.options();
    options.transaction_bytes_max = 1 << 10;
    let engine = FabricEngine::new(options, &network.wallet).unwrap();
    let mut load = Load::default();
    let error = engine.submit(&load.foundation()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    assert_eq!(error.class(), Class::Answered);
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_one_that_expired_ends_no_reading() {
    let network = Network::start(Release::V3).await;
    network.issue(Role::SuperAdmin, 0);
    let engine = FabricEngine::new(network.options(), &network.wallet()).unwrap();
    let foundation = Load::default().foundation();
    let error = engine.submit(&foundation).await.unwrap_err();
    assert_eq!(error.class(), Class::Misconfigured, "{error}");
    assert_eq!(engine.tip().await.unwrap().number, 0);
    network.issue(Role::SuperAdmin, 10);
    engine.submit(&foundation).await.unwrap();
    assert_eq!(engine.tip().await.unwrap().number, 1);
}

#[tokio::test]
async fn queries_see_what_is_committed() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(2)).await.unwrap();
    let balance = GetBalance { account_id: account(1) };
    let balance = engine.query(&balance.into()).await.unwrap().unwrap();
    assert!(balance.contains("500000000"), "{balance}");
}

#[tokio::test]
async fn nobody_listening_is_no_answer() {
    let network = Network::start(Release::V3).await;
    let mut options = network.options();
    // A port that was free a moment ago.
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    options.peers.addresses = vec![free.to_string().parse().unwrap()];
    let engine = FabricEngine::new(options.clone(), &network.wallet).unwrap();
    let error = engine.tip().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }) && error.class() == Class::NotAnswered);
    // With a second peer that answers, the first may be away.
    options.peers.addresses.push(network.gateway.to_string().parse().unwrap());
    let engine = FabricEngine::new(options, &network.wallet).unwrap();
    assert_eq!(engine.tip().await.unwrap().number, 0);
}
