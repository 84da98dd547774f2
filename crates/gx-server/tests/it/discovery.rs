//! What programs are told of the network before they use it.

use gx_server::Workers;
use serde_json::json;

use crate::server::{BUILD, Server};

#[tokio::test]
async fn the_network_tells_what_it_is_and_can() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    let ada = server.account(&admin, "ada", "DE").await;
    let told = server.client.get("/.well-known/gx", 200).await.body;
    let version = server.client.get("/version", 200).await.body;
    assert_eq!(told["network"], version["network"]);
    assert_eq!(told["versions"]["build"], version["version"]);
    assert_eq!(told["versions"]["schema"], version["schemaVersion"]);
    assert_eq!(told["versions"]["gitHash"], BUILD.git_hash.unwrap());
    assert_eq!(told["versions"]["api"], "v1");
    assert_eq!(told["currency"]["code"], "GXC");
    assert_eq!(told["currency"]["decimals"], 6);
    let limits = &told["limits"];
    assert_eq!(limits["bodyBytes"], server.platform.config().http.body_limit_bytes);
    assert_eq!((&limits["listRows"], &limits["waitSeconds"]), (&json!(100), &json!(30)));
    // What is told of a limit is what the limit's own answers say.
    let reply = ada.person.client.get("/api/v1/users/profile", 200).await;
    let reads = limits["requestsPerMinute"]["reads"].to_string();
    assert_eq!(reply.header("ratelimit-limit"), reads);
    let features = told["features"].as_array().unwrap();
    for feature in ["passkeys", "signed_commands", "qsend", "escrows"] {
        assert!(features.contains(&json!(feature)), "{features:?}");
    }
    let identity = &told["services"][0];
    assert_eq!((&identity["name"], &identity["port"]), (&json!("identity"), &json!(3001)));
    assert!(identity["basePaths"].as_array().unwrap().contains(&json!("/api/v1/auth")));

    // The key of receipts is the one that signs them.
    if let Some(keys) = told["receipts"]["keys"].as_array() {
        assert!(features.contains(&json!("receipts")));
        let gift = json!({ "toUserId": "SYSTEM_CHARITABLE_POOL", "amount": "1" });
        let paid = ada.person.client.settle("/api/v1/transfers", gift).await;
        let path = format!("/api/v1/receipts/{}", paid.str("commandId"));
        let receipt = ada.person.client.get(&path, 200).await;
        assert_eq!(keys.last().unwrap()["publicKey"], receipt.str("signer"));
        assert_eq!(told["receipts"]["version"], receipt.body["version"]);
    }
    // A channel has no key; it has a configuration.
    if told["receipts"]["keys"].is_null() {
        assert!(features.contains(&json!("receipts")));
        let channel = &told["receipts"]["channel"];
        assert_eq!(
            (&channel["name"], &channel["chaincode"]),
            (&json!("testchannel"), &json!("gxtv3"))
        );
        assert_eq!(channel["configurationBlock"], 0);
        assert_eq!(channel["configurationHash"].as_str().unwrap().len(), 64);
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_told() {
    let settings = [("auth.passkeys.relying_party_id", "")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let told = server.client.get("/.well-known/gx", 200).await.body;
    let features = told["features"].as_array().unwrap();
    assert!(!features.contains(&json!("passkeys")) && told["passkeys"].is_null(), "{told}");
    assert!(!features.contains(&json!("receipts")) && told["receipts"].is_null(), "{told}");
}
