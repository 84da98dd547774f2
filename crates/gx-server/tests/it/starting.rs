//! A start while the Fabric network is away: the process lives, says for what it waits, and is
//! there as soon as the network is.

use std::time::{Duration, Instant};

use gx_fabric_network::{CHAINCODE, CHANNEL, Forwarder, Network, Release};
use gx_server::config::Config;
use gx_server::{Listening, Platform, Services, Starting, Workers};
use tokio::net::{TcpListener, TcpSocket};

use crate::client::Client;
use crate::server::eventually;

#[tokio::test]
async fn a_start_waits_for_fabric_and_goes_on_within_a_second_of_its_return() {
    let network = Network::start(Release::V3).await;
    // Bound and not listening: nobody else gets the port, and who connects is refused.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("data_dir", folder.path().display().to_string()),
        ("ledger.engine", "fabric".to_owned()),
        ("fabric.peers", socket.local_addr().unwrap().to_string()),
        ("fabric.wallet_dir", network.wallet_path().display().to_string()),
        ("fabric.channel", CHANNEL.to_owned()),
        ("fabric.chaincode", CHAINCODE.to_owned()),
    ];
    let config = Config::load(None, Vec::new(), &settings).unwrap();
    let starting = Starting::patient();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::new(listener.local_addr().unwrap());
    let stopped = std::future::pending();
    let _served = Listening::open(&config, &starting, listener, Services::All, stopped);
    let start = Platform::start(config, Workers::ALL, true, &starting);
    let watch = async {
        let ready = eventually("it says what it waits for", async || {
            let reply = client.send("GET", "/readyz", &[], None).await;
            Some(reply).filter(|reply| reply.body["checks"]["submission"]["error"] != "starting")
        })
        .await;
        assert_eq!(ready.status.as_u16(), 503, "{}", ready.text);
        let check = &ready.body["checks"]["submission"];
        assert_eq!(check["error"], "unavailable", "{}", ready.text);
        assert!(check["message"].as_str().unwrap().contains("Connection refused"), "{check}");
        client.get("/livez", 200).await;
        (Forwarder::on(socket.listen(16).unwrap(), network.gateway), Instant::now())
    };
    let (platform, (_way, back)) = tokio::join!(start, watch);
    assert!(back.elapsed() < Duration::from_secs(1), "{:?}", back.elapsed());
    platform.unwrap().stop().await;
}
