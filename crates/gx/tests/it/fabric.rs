//! The platform on a real Fabric network, when the environment names one; `cargo xtask fabric test`
//! does.

use crate::crash::check_survival;
use crate::place::Place;

const KILLS: u64 = 10;

/// The network that the environment names, for a process of the platform; none is said aloud.
#[expect(clippy::print_stderr, reason = "a skipped test is seen")]
fn network() -> Option<Vec<(String, String)>> {
    let named: Vec<_> = std::env::vars().filter(|(name, _)| name.starts_with("FABRIC_")).collect();
    if !named.iter().any(|(name, _)| name == "FABRIC_PEER_ENDPOINT") {
        eprintln!("SKIPPED: no Fabric network (FABRIC_PEER_ENDPOINT)");
        return None;
    }
    Some(named)
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "a skipped test is seen")]
async fn the_platform_survives_kills_and_keeps_to_its_network() {
    let Some(network) = network() else { return };
    let engine = ("GX_LEDGER__ENGINE".to_owned(), "fabric".to_owned());
    let environment: Vec<_> = network.into_iter().chain([engine]).collect();
    let place = Place::with(environment.clone());
    let status = place.run(&["fabric", "query", "AdminContract:GetSystemStatus"]);
    if status.out.contains("\"networkId\":null") {
        check_survival(&place, KILLS).await;
    } else {
        eprintln!("SKIPPED: the channel has been used; the platform is tested on a new one");
    }
    let testnet = [
        ("GX_NETWORK", "testnet"),
        ("GX_AUTH__ARGON2_MEMORY_KIB", "19456"),
        ("GX_AUTH__ARGON2_ITERATIONS", "2"),
    ];
    let testnet = testnet.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let other = Place::with(environment.into_iter().chain(testnet).collect());
    let migrated = other.run(&["migrate", "--data", "data"]);
    assert_eq!(migrated.status, Some(0), "{migrated:?}");
    for role in ["submitter", "projector"] {
        let refused = other.run(&[role, "--data", "data"]);
        refused.failed(&["the ledger is that of devnet, but this process is set to testnet"]);
    }
}
