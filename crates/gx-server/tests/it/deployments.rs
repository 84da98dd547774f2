//! An image from devnet to testnet: asked for by one, approved by another, gates, one replica, all
//! of them, and back.

use gx_server::Route;
use serde_json::{Value, json};

use crate::client::{Client, Reply, new_key};
use crate::cluster::{Cluster, image, record};
use crate::decisions::colleague;
use crate::server::{Server, eventually};

const PATH: &str = "/api/v1/admin/deployments";

fn wish(service: &str) -> Value {
    json!({
        "service": service, "sourceEnv": "devnet", "targetEnv": "testnet",
        "reason": "The fix of the sign-up form",
    })
}

async fn ask(client: &Client, service: &str) -> String {
    let reply = client.post(&format!("{PATH}/promote"), wish(service), 201).await;
    let deployment = &reply.body["deployment"];
    assert_eq!(deployment["status"], "PENDING_APPROVAL");
    deployment["id"].as_str().unwrap().to_owned()
}

async fn act(client: &Client, id: &str, verb: &str, expect: u16) -> Reply {
    let body = match verb {
        "rollback" => json!({ "reason": "Log-ins have become slow" }),
        _ => json!({}),
    };
    client.post(&format!("{PATH}/{id}/{verb}"), body, expect).await
}

/// Waits until a promotion is over, and says how.
async fn ended(client: &Client, id: &str) -> Value {
    let path = format!("{PATH}/{id}");
    eventually("the promotion is over", async || {
        let row = client.get(&path, 200).await.body;
        (!row["finishedAt"].is_null()).then_some(row)
    })
    .await
}

/// The super owner, and a developer who asks.
async fn people(server: &Server) -> (Client, Client) {
    let owner = server.admin().await;
    let developer = colleague(server, "dev", "DEVELOPER").await;
    (owner, developer)
}

/// What a route of these needs: something that stands where it can be sent.
pub(crate) async fn prepared(
    server: &Server,
    owner: &Client,
    route: &Route,
) -> (Client, String, Option<String>) {
    let verb = route.path.rsplit('/').next().unwrap();
    let path = |id: &str| route.path.replace("{deploymentId}", id);
    let sender = owner.with_token(owner.token.as_deref().unwrap());
    let body = route.sample.map(str::to_owned);
    let service = match verb {
        "approve" => "svc-tokenomics",
        "execute" => "svc-tax",
        "rollback" => "svc-governance",
        "cancel" => "svc-loanpool",
        _ => return (sender, route.path.to_owned(), body),
    };
    let name = format!("n{}", new_key());
    let id = ask(&colleague(server, &name, "DEVELOPER").await, service).await;
    if matches!(verb, "execute" | "rollback") {
        act(owner, &id, "approve", 200).await;
    }
    if verb == "rollback" {
        act(owner, &id, "execute", 200).await;
        assert_eq!(ended(owner, &id).await["status"], "COMPLETED");
    }
    (sender, path(&id), body)
}

#[tokio::test]
async fn an_image_goes_on_and_comes_back() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let (owner, developer) = people(&server).await;
    let id = ask(&developer, "svc-identity").await;
    assert_eq!(act(&owner, &id, "execute", 409).await.str("code"), "not_approved");
    act(&developer, &id, "approve", 403).await;
    act(&owner, &id, "approve", 200).await;
    act(&developer, &id, "execute", 403).await;
    let begun = act(&owner, &id, "execute", 200).await;
    assert_eq!(begun.body["deployment"]["status"], "IN_PROGRESS");
    let row = ended(&owner, &id).await;
    assert_eq!(row["status"], "COMPLETED", "{row}");
    assert_eq!((&row["previousImage"], &row["image"]), (&json!(image("b")), &json!(image("a"))));
    assert_eq!(row["gitCommit"], "0123456789abcdef");
    assert_eq!(cluster.testnet("svc-identity"), (image("a"), vec![image("a"); 2]));
    let places = cluster.changed();
    let only = ("backend-testnet".to_owned(), "svc-identity".to_owned());
    assert!(places.iter().all(|place| *place == only), "{places:?}");
    let logs = owner.get(&format!("{PATH}/{id}/logs"), 200).await;
    let steps: Vec<&str> =
        logs.body["logs"].as_array().unwrap().iter().map(|l| l["step"].as_str().unwrap()).collect();
    for step in ["REQUEST", "GATES", "CANARY", "SPREAD", "WATCH"] {
        assert!(steps.contains(&step), "{steps:?}");
    }
    let rest = owner.get(&format!("{PATH}/{id}/logs?afterLine=1&limit=1"), 200).await;
    assert_eq!(rest.body["logs"][0]["number"], 2);
    assert_eq!(act(&owner, &id, "execute", 409).await.str("code"), "deployment_already_processed");
    assert_eq!(act(&owner, &id, "cancel", 409).await.str("code"), "deployment_already_processed");

    act(&owner, &id, "rollback", 200).await;
    let row = ended(&owner, &id).await;
    assert_eq!(
        (&row["status"], &row["rolledBackBy"]),
        (&json!("ROLLED_BACK"), &json!("superowner"))
    );
    assert_eq!(cluster.testnet("svc-identity"), (image("b"), vec![image("b"); 2]));
    let listed = owner.get(&format!("{PATH}?status=ROLLED_BACK&service=svc-identity"), 200).await;
    assert_eq!(listed.body["pagination"]["total"], 1);
}

#[tokio::test]
async fn each_gate_refuses_and_names_itself() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let (owner, developer) = people(&server).await;
    let id = ask(&developer, "svc-tax").await;
    act(&owner, &id, "approve", 200).await;
    let with = |name: &str, value: Value| {
        let mut record = record(24);
        record[name] = value;
        Some(record)
    };
    let refused = async |gate: &str, code: &str| {
        let reply = act(&owner, &id, "execute", 409).await;
        assert_eq!(reply.str("code"), "gates_not_passed");
        let details = reply.body["details"].as_array().unwrap();
        let found = details.iter().find(|detail| detail["field"] == gate);
        assert_eq!(found.map(|detail| &detail["code"]), Some(&json!(code)), "{}", reply.text);
    };
    for (gate, code, record) in [
        ("tests_recorded", "unknown", None),
        ("tests_recorded", "failed", with("tests", json!({ "passed": 9, "failed": 1 }))),
        ("no_critical_finding", "failed", with("criticalFindings", json!(1))),
        ("no_critical_finding", "unknown", with("criticalFindings", Value::Null)),
        ("schema_compatible", "failed", with("schema", record(25)["schema"].clone())),
        ("schema_compatible", "unknown", with("schema", Value::Null)),
    ] {
        cluster.set_record("a", record);
        refused(gate, code).await;
    }
    cluster.set_record("a", Some(record(24)));
    cluster.set(|facts| facts.images = vec![image("b")]);
    refused("image_present", "failed").await;
    cluster.set(|facts| facts.images = vec![image("a")]);
    refused("rollback_image_present", "failed").await;
    cluster.set(|facts| facts.images = vec![image("a"), image("b")]);
    cluster.set(|facts| facts.budget = Some("-0.25"));
    refused("error_budget", "failed").await;
    cluster.set(|facts| facts.budget = None);
    refused("error_budget", "unknown").await;
    cluster.set(|facts| facts.budget = Some("1"));
    let backup = |at: Option<&str>| {
        cluster.set(|facts| {
            let backups = facts.maps.get_mut("gx-backups").unwrap();
            backups.clear();
            backups.extend(at.map(|at| ("finished-at".to_owned(), at.to_owned())));
        });
    };
    backup(Some("2020-01-01T00:00:00Z"));
    refused("backup_fresh", "failed").await;
    backup(None);
    refused("backup_fresh", "unknown").await;
    backup(Some(&jiff::Timestamp::now().to_string()));
    // Devnet's own pods are those of the image `a`.
    cluster.set(|facts| facts.ready = false);
    refused("source_healthy", "failed").await;
    cluster.set(|facts| facts.ready = true);
    cluster.set(|facts| facts.is_away = true);
    assert_eq!(act(&owner, &id, "execute", 503).await.str("code"), "cluster_unavailable");
    cluster.set(|facts| facts.is_away = false);
    assert!(cluster.changed().is_empty(), "{:?}", cluster.changed());
    act(&owner, &id, "execute", 200).await;
    assert_eq!(ended(&owner, &id).await["status"], "COMPLETED");
}

#[tokio::test]
async fn without_a_source_of_backups_nothing_goes_on() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[("promotion.backups", "")]).await;
    let (owner, developer) = people(&server).await;
    let id = ask(&developer, "svc-tax").await;
    act(&owner, &id, "approve", 200).await;
    let reply = act(&owner, &id, "execute", 409).await;
    assert!(reply.text.contains("promotion.backups is not set"), "{}", reply.text);
}

#[tokio::test]
async fn nobody_approves_their_own_and_one_is_open_at_a_time() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let owner = server.admin().await;
    let id = ask(&owner, "projector").await;
    assert_eq!(act(&owner, &id, "approve", 403).await.str("code"), "self_approval");
    let (path, body) = (format!("{PATH}/promote"), wish("svc-admin").to_string());
    let other = owner.with_token(owner.token.as_deref().unwrap());
    let send = async |client: &Client, key: &str| {
        client.send("POST", &path, &[("idempotency-key", key)], Some(&body)).await
    };
    let keys = (new_key(), new_key());
    let (one, two) = tokio::join!(send(&owner, &keys.0), send(&other, &keys.1));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", one.text, two.text);
    let late = if one.status == 409 { one } else { two };
    assert_eq!(late.str("code"), "deployment_open");
    // What was called off is in nobody's way.
    let cancelled = act(&owner, &id, "cancel", 200).await;
    assert_eq!(cancelled.body["deployment"]["status"], "CANCELLED");
    assert_eq!(act(&owner, &id, "cancel", 409).await.str("code"), "deployment_already_processed");
    ask(&owner, "projector").await;
}

#[tokio::test]
async fn who_has_asked_or_may_execute_calls_it_off() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let (owner, developer) = people(&server).await;
    let other = colleague(&server, "other", "DEVELOPER").await;
    let first = ask(&developer, "svc-tax").await;
    act(&other, &first, "cancel", 403).await;
    act(&developer, &first, "cancel", 200).await;
    let second = ask(&developer, "svc-tax").await;
    act(&owner, &second, "cancel", 200).await;
    assert!(cluster.changed().is_empty(), "{:?}", cluster.changed());
    let refused = act(&owner, &second, "rollback", 409).await;
    assert_eq!(refused.str("code"), "deployment_already_processed");
}

#[tokio::test]
async fn what_falls_ill_comes_back_by_itself() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let (owner, developer) = people(&server).await;
    cluster.set(|facts| facts.restarts = 3);
    let id = ask(&developer, "outbox-submitter").await;
    act(&owner, &id, "approve", 200).await;
    act(&owner, &id, "execute", 200).await;
    let row = ended(&owner, &id).await;
    assert_eq!(row["status"], "ROLLED_BACK", "{row}");
    assert!(row["failure"].as_str().unwrap().contains("started again"));
    assert_eq!(cluster.testnet("outbox-submitter"), (image("b"), vec![image("b"); 2]));
    let again = act(&owner, &id, "rollback", 409).await;
    assert_eq!(again.str("code"), "deployment_already_processed");
}

#[tokio::test]
async fn the_last_is_taken_back_first() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let (owner, developer) = people(&server).await;
    let mut ids = Vec::new();
    cluster.set(|facts| facts.images = vec![image("a"), image("b"), image("c")]);
    cluster.set_record("c", Some(record(24)));
    for digit in ["a", "c"] {
        cluster.devnet("svc-tax", Some(&image(digit)));
        let id = ask(&developer, "svc-tax").await;
        act(&owner, &id, "approve", 200).await;
        act(&owner, &id, "execute", 200).await;
        assert_eq!(ended(&owner, &id).await["status"], "COMPLETED");
        ids.push(id);
    }
    assert_eq!(act(&owner, &ids[0], "rollback", 409).await.str("code"), "not_the_last");
    act(&owner, &ids[1], "rollback", 200).await;
}

#[tokio::test]
async fn images_go_one_network_on_and_where_this_process_may_take_them() {
    let cluster = Cluster::start().await;
    let server = cluster.server(&[]).await;
    let owner = server.admin().await;
    let path = format!("{PATH}/promote");
    let mut body = wish("svc-tax");
    body["targetEnv"] = json!("mainnet");
    let reply = owner.post(&path, body.clone(), 400).await;
    assert_eq!(reply.str("code"), "invalid_promotion_path");
    body["sourceEnv"] = json!("testnet");
    let reply = owner.post(&path, body, 403).await;
    assert_eq!(reply.str("code"), "network_not_promoted");
    let mut body = wish("svc-tax");
    body["imageDigest"] = json!(format!("sha256:{}", "c".repeat(64)));
    let reply = owner.post(&path, body, 409).await;
    assert_eq!(reply.str("code"), "image_not_at_source");
    cluster.devnet("svc-loanpool", None);
    let reply = owner.post(&path, wish("svc-loanpool"), 409).await;
    assert_eq!(reply.str("code"), "not_at_source");
    cluster.devnet("svc-loanpool", Some("registry.example.org/gx:latest"));
    let reply = owner.post(&path, wish("svc-loanpool"), 409).await;
    assert_eq!(reply.str("code"), "image_without_digest");
    let mut body = wish("svc-tax");
    body["service"] = json!("kube-system");
    owner.post(&path, body, 400).await;
    let ways = owner.get(&format!("{PATH}/environments"), 200).await;
    let open: Vec<_> =
        ways.body["environments"].as_array().unwrap().iter().map(|way| &way["isOpen"]).collect();
    assert_eq!(open, [true, false]);
    let services = owner.get(&format!("{PATH}/services"), 200).await;
    assert_eq!(services.body["services"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn a_process_that_promotes_nothing_says_so() {
    let server = Server::start().await;
    let owner = server.admin().await;
    let reply = owner.post(&format!("{PATH}/promote"), wish("svc-tax"), 409).await;
    assert_eq!(reply.str("code"), "promotion_not_configured");
    let list = owner.get(PATH, 200).await;
    assert_eq!(list.body["pagination"]["total"], 0);
    owner.get(&format!("{PATH}/none"), 404).await;
}
