//! Redis: limits that processes share, news that they hear, and how they go on without it.
//!
//! Each test has a server of its own on a port of its own, where `redis-server` is installed.

use gx_server::Workers;
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use crate::client::{Client, Reply};
use crate::real::{REDIS_PASSWORD as SECRET, RedisServer};
use crate::server::{PASSWORD, Server, eventually};

async fn serving(url: &str, more: &[(&str, &str)], workers: Workers) -> Server {
    let mut settings = vec![("rate_limits.devnet_factor", "1")];
    settings.extend(more);
    Server::start_in(&[("REDIS_URL", url)], &settings, workers).await
}

/// What `/readyz` says of Redis, once it is this.
async fn until(server: &Server, word: &str) -> Value {
    let what = format!("Redis is {word}");
    eventually(&what, async || {
        let reply = server.client.send("GET", "/readyz", &[], None).await;
        let check = &reply.body["checks"]["redis"];
        let is_so = check["status"] == word || check["error"] == word;
        is_so.then(|| reply.body.clone())
    })
    .await
}

async fn guess(client: &Client) -> Reply {
    let body = json!({ "email": "ada@example.org", "password": PASSWORD }).to_string();
    client.send("POST", "/api/v1/auth/login", &[], Some(&body)).await
}

fn figure(server: &Server, name: &str) -> u64 {
    let figures = server.app.metrics().render();
    let line = figures.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn processes_count_a_caller_together() {
    let Some(redis) = RedisServer::start(false).await else { return };
    let one = serving(&redis.url(SECRET), &[], Workers::NONE).await;
    let two = serving(&redis.url(SECRET), &[], Workers::NONE).await;
    for server in [&one, &two] {
        until(server, "healthy").await;
        assert_eq!(figure(server, "redis_connected"), 1);
    }
    for (server, left) in [(&one, "4"), (&two, "3"), (&one, "2"), (&two, "1"), (&one, "0")] {
        let reply = guess(&server.client).await;
        let told = (reply.status.as_u16(), reply.header("ratelimit-remaining"));
        assert_eq!(told, (401, left), "{}", reply.text);
    }
    for server in [&one, &two] {
        let reply = guess(&server.client).await;
        assert_eq!(reply.status, 429, "{}", reply.text);
        let seconds: u32 = reply.header("retry-after").parse().unwrap();
        assert!((1..=12).contains(&seconds), "{seconds}");
    }
    // A guess for another route is another limit.
    assert_eq!(two.client.get("/api/v1/countries", 200).await.header("ratelimit-limit"), "300");
}

#[tokio::test]
async fn without_redis_each_process_counts_and_comes_back_by_itself() {
    let Some(mut redis) = RedisServer::start(false).await else { return };
    let server = serving(&redis.url(SECRET), &[], Workers::ALL).await;
    until(&server, "healthy").await;
    redis.stop().await;
    let without = until(&server, "unhealthy").await;
    assert_eq!(without["checks"]["redis"]["error"], "unavailable");
    eventually("the process is ready all the same", async || {
        let reply = server.client.send("GET", "/readyz", &[], None).await;
        (reply.status == 200).then_some(())
    })
    .await;
    assert_eq!(figure(&server, "redis_connected"), 0);
    for _ in 0..5 {
        assert_eq!(guess(&server.client).await.status, 401);
    }
    assert_eq!(guess(&server.client).await.status, 429);
    redis.restart().await;
    until(&server, "healthy").await;
    assert_eq!(figure(&server, "redis_connected"), 1);
    // The new one has counted nobody.
    assert_eq!(guess(&server.client).await.status, 401);
}

#[tokio::test]
async fn a_wrong_password_is_told_apart() {
    let Some(redis) = RedisServer::start(false).await else { return };
    let server = serving(&redis.url("wrong"), &[], Workers::NONE).await;
    until(&server, "denied").await;
    let shown = server.client.send("GET", "/readyz", &[], None).await.text;
    assert!(!shown.contains("wrong") && !shown.contains(&redis.port.to_string()), "{shown}");
    server.client.get("/api/v1/countries", 200).await;
}

#[tokio::test]
async fn the_way_to_redis_can_be_tls() {
    let Some(redis) = RedisServer::start(true).await else { return };
    let ca = redis.folder.path().join("ca.pem").display().to_string();
    let trusting = [("redis.tls_ca", ca.as_str())];
    let server = serving(&redis.url(SECRET), &trusting, Workers::NONE).await;
    until(&server, "healthy").await;
    assert_eq!(guess(&server.client).await.header("ratelimit-remaining"), "4");
    // Whom the system does not trust is not talked to.
    let wary = serving(&redis.url(SECRET), &[], Workers::NONE).await;
    until(&wary, "unavailable").await;
}

#[tokio::test]
async fn processes_tell_each_other_what_is_settled() {
    let Some(redis) = RedisServer::start(false).await else { return };
    let server = serving(&redis.url(SECRET), &[], Workers::ALL).await;
    until(&server, "healthy").await;
    let client = redis::Client::open(redis.url(SECRET)).unwrap();
    let mut listening = client.get_async_pubsub().await.unwrap();
    listening.subscribe("gx:devnet:settled").await.unwrap();
    let admin = server.admin().await;
    let reply = admin.settle("/api/v1/admin/bootstrap", json!({ "userId": null })).await;
    let told = listening.on_message().next().await.unwrap();
    let told: String = told.get_payload().unwrap();
    assert!(told.split(' ').any(|id| id == reply.str("commandId")), "{told}");

    let before = eventually("the process has heard itself", async || {
        Some(figure(&server, "redis_heard_commands_total")).filter(|heard| *heard > 0)
    })
    .await;
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let message = format!("{} nonsense", reply.str("commandId"));
    let mut publish = redis::cmd("PUBLISH");
    publish.arg("gx:devnet:settled").arg(message);
    publish.query_async::<u64>(&mut connection).await.unwrap();
    eventually("another process is heard", async || {
        (figure(&server, "redis_heard_commands_total") > before).then_some(())
    })
    .await;
}
