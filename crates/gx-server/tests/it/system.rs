//! Health, readiness, metrics, version, description, and a good end.

use gx_server::Workers;
use serde_json::json;

use crate::server::{Server, eventually};

#[tokio::test]
async fn an_idle_platform_is_ready() {
    let server = Server::start().await;
    let health = server.client.get("/health", 200).await;
    assert_eq!(health.str("status"), "ok");
    assert_eq!(health.str("database"), "connected");
    server.client.get("/livez", 200).await;
    let ready = eventually("the projector has been seen", async || {
        let reply = server.client.send("GET", "/readyz", &[], None).await;
        Some(reply).filter(|reply| reply.status == 200)
    })
    .await;
    assert_eq!(ready.body["lagBlocks"], 0);
    assert_eq!(ready.body["oldestUnappliedSeconds"], 0.0);
    assert_eq!(ready.body["checks"]["database"]["status"], "healthy");
}

#[tokio::test]
async fn without_a_projector_a_process_is_alive_and_not_ready() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let reply = server.client.get("/readyz", 503).await;
    assert_eq!(reply.body["checks"]["projection"]["error"], "never_seen");
    server.client.get("/livez", 200).await;
    server.client.get("/health", 200).await;
}

#[tokio::test]
async fn commands_that_nobody_sends_are_shown_and_take_no_process_out_of_service() {
    let workers = Workers { submitter: false, projector: true };
    let server = Server::start_with(&[("readiness.queue_threshold_ms", "1")], workers).await;
    let admin = server.admin().await;
    let ready = async || {
        let reply = server.client.send("GET", "/readyz", &[], None).await;
        Some(reply.body).filter(|body| body["ready"] == true)
    };
    let before = eventually("the projector has been seen", ready).await;
    assert_eq!(before["checks"]["submission"], json!({ "status": "healthy" }));
    admin.post("/api/v1/admin/bootstrap", json!({ "userId": null }), 202).await;
    let stuck = eventually("the command has waited", async || {
        ready().await.filter(|body| body["checks"]["submission"]["error"] == "waiting")
    })
    .await;
    let message = stuck["checks"]["submission"]["message"].as_str().unwrap();
    assert!(message.starts_with("1 commands wait to be sent and 0 batches"), "{message}");
}

#[tokio::test]
async fn a_read_comes_too_early_while_its_command_is_not_projected() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let admin = server.admin().await;
    let accepted = admin.post("/api/v1/admin/bootstrap", json!({ "userId": null }), 202).await;
    let path = format!("/api/v1/ledger/info?after={}", accepted.str("commandId"));
    let reply = server.client.get(&path, 425).await;
    assert_eq!(reply.str("code"), "not_projected");
    assert_eq!(reply.header("retry-after"), "1");
}

#[tokio::test]
async fn metrics_count_requests_and_commands() {
    let server = Server::start().await;
    let admin = server.bootstrapped().await;
    admin.get("/api/v1/admin/users", 200).await;
    let metrics = server.client.get("/metrics", 200).await;
    for part in [
        "http_requests_total{api=\"admin\",method=\"GET\",route=\"/api/v1/admin/users\",\
         status_code=\"200\"} 1",
        "commands_submitted_total{function=\"AdminContract:BootstrapSystem\"} 1",
        "outbox_queue_depth 0",
        "projector_lag_blocks 0",
        "projector_behind_seconds 0",
        "projector_heartbeat_age_seconds ",
        "accounts_open ",
        "dependency_up{dependency=\"database\"} 1",
        "dependency_up{dependency=\"documents\"} 1",
        "database_connections_max{pool=",
        "password_hashes_max 256",
        "build_info{version=",
        "process_start_time_seconds 1",
        "worker_is_leader{worker=\"submitter\"} 1",
    ] {
        assert!(metrics.text.contains(part), "{part}\n{}", metrics.text);
    }
}

#[tokio::test]
async fn version_and_description_are_served() {
    let server = Server::start().await;
    let version = server.client.get("/version", 200).await;
    assert_eq!(version.str("network"), "devnet");
    assert_eq!(version.str("gitHash"), "0123456789abcdef");
    assert_eq!(version.str("builtAt"), "2023-11-14T22:13:20.000Z");
    assert_eq!(version.str("configDigest").len(), 16);
    let description = server.client.get("/openapi.json", 200).await;
    assert_eq!(description.str("openapi"), "3.1.0");
    let transfer = &description.body["paths"]["/api/v1/transfers"]["post"];
    assert_eq!(transfer["x-gx-command"], "TokenomicsContract:Transfer");
    let page = server.client.get("/docs", 200).await;
    assert!(page.text.contains("/api/v1/transfers"));
    assert!(page.header("content-type").starts_with("text/html"));
    // The page works without anything from elsewhere.
    for foreign in ["<script", "src=", "href=\"http", "@import", "url("] {
        assert!(!page.text.contains(foreign), "{foreign}");
    }
}

#[tokio::test]
async fn a_stop_lets_requests_finish_and_refuses_new_ones() {
    let server = Server::start().await;
    let client = server.client.with_token("");
    client.get("/livez", 200).await;
    let platform = server.stop().await;
    platform.stop().await;
}
