//! Mail and text messages on their way: they wait while what carries them is away, and arrive once.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use gx_server::{Workers, read_mailbox};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::mail_server::{Fault, MailServer, PASSWORD, USERNAME};
use crate::registration::code_in;
use crate::server::{Server, eventually};

const BEGIN: &str = "/api/v1/registration/email";

/// A platform whose mail goes to a server that does not run yet.
async fn with_mail(extra: &[(&str, &str)]) -> (Server, MailServer, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let mail_server = MailServer::new(&authority).await;
    let (port, authority) = (mail_server.port.to_string(), authority.display().to_string());
    let mut settings = vec![
        ("mail.server", "localhost"),
        ("mail.port", &port),
        ("mail.tls_ca", &authority),
        ("mail.username", USERNAME),
        ("mail.password", PASSWORD),
        ("mail.from", "no-reply@example.org"),
    ];
    settings.extend_from_slice(extra);
    let server = Server::start_with(&settings, Workers::NONE).await;
    (server, mail_server, folder)
}

/// What `/readyz` says of mail, once it says this error, or none.
async fn state(server: &Server, error: Option<&str>) -> Value {
    eventually("the state of mail", async || {
        let reply = server.client.send("GET", "/readyz", &[], None).await;
        let mail = reply.body["checks"]["mail"].clone();
        (mail["error"].as_str() == error).then_some(mail)
    })
    .await
}

async fn begin(server: &Server, email: &str) {
    server.client.post(BEGIN, json!({ "email": email }), 201).await;
}

async fn states(server: &Server) -> Vec<&'static str> {
    let mail = read_mailbox(server.platform.config(), 20).await.unwrap();
    mail.iter().rev().map(|mail| mail.state).collect()
}

#[tokio::test]
async fn mail_waits_while_its_server_is_away_and_arrives_once() {
    let (server, mail_server, _folder) = with_mail(&[]).await;
    assert_eq!(state(&server, None).await["status"], "healthy");
    for email in ["ada@example.org", "bob@example.org"] {
        begin(&server, email).await;
    }
    let waiting = state(&server, Some("unreachable")).await;
    assert_eq!(waiting["status"], "unhealthy");
    assert!(waiting["message"].as_str().unwrap().starts_with("2 messages wait"), "{waiting}");

    // It comes back, hangs up once in the middle, and does not know somebody.
    mail_server.fail(Fault::HangsUp);
    mail_server.fail(Fault::Recipient("550 5.1.1 nobody here"));
    begin(&server, "eve@example.org").await;
    let running = mail_server.run().await;
    eventually("mail arrives", async || (mail_server.taken().len() == 2).then_some(())).await;
    eventually("nothing waits", async || {
        (!states(&server).await.contains(&"WAITING")).then_some(())
    })
    .await;
    assert_eq!(state(&server, None).await["status"], "healthy");
    let taken = mail_server.taken();
    let recipients: Vec<&str> = taken.iter().map(|mail| mail.recipient.as_str()).collect();
    assert_eq!(recipients, ["bob@example.org", "eve@example.org"], "in their order, once");
    assert_eq!(states(&server).await, ["UNDELIVERABLE", "DELIVERED", "DELIVERED"]);
    let text = &taken[0].text;
    for part in [
        "<no-reply@example.org>",
        "To: <bob@example.org>",
        "Subject: Your code",
        "Auto-Submitted: auto-generated",
        "Message-ID: <",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(code_in(text).len(), 6);
    let figures = server.client.get("/metrics", 200).await.text;
    assert!(figures.contains("messages_delivered_total{channel=\"mail\"} 2"), "{figures}");
    assert!(figures.contains("messages_waiting{channel=\"mail\"} 0"), "{figures}");

    // Away again, and back again.
    drop(running);
    begin(&server, "fay@example.org").await;
    state(&server, Some("unreachable")).await;
    let _running = mail_server.run().await;
    eventually("mail arrives", async || (mail_server.taken().len() == 3).then_some(())).await;
    server.stop().await.stop().await;
}

#[tokio::test]
async fn a_fault_of_the_settings_loses_no_mail() {
    let (server, mail_server, _folder) = with_mail(&[("mail.password", "another")]).await;
    let _running = mail_server.run().await;
    begin(&server, "ada@example.org").await;
    state(&server, Some("authentication")).await;
    assert_eq!(states(&server).await, ["WAITING"]);

    let (server, mail_server, _folder) = with_mail(&[]).await;
    let _running = mail_server.run().await;
    mail_server.fail(Fault::Sender("550 5.7.1 not from you"));
    mail_server.fail(Fault::Recipient("450 4.2.1 not now"));
    begin(&server, "ada@example.org").await;
    state(&server, Some("recipient_deferred")).await;
    begin(&server, "bob@example.org").await;
    eventually("another's mail need not wait", async || {
        (mail_server.taken().first()?.recipient == "bob@example.org").then_some(())
    })
    .await;
    assert_eq!(states(&server).await[0], "WAITING");
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_that_cannot_be_believed() {
    let other = tempfile::tempdir().unwrap();
    let authority = other.path().join("authority.pem");
    let _foreign = MailServer::new(&authority).await;
    let authority = authority.display().to_string();
    let (server, mail_server, _folder) = with_mail(&[("mail.tls_ca", &authority)]).await;
    let _running = mail_server.run().await;
    begin(&server, "ada@example.org").await;
    state(&server, Some("tls")).await;
    assert!(mail_server.taken().is_empty());
}

#[tokio::test]
async fn without_a_server_mail_stays_where_it_can_be_read() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let ready = server.client.get("/readyz", 503).await;
    assert_eq!(ready.body["checks"]["mail"], json!({ "status": "not_configured" }));
    assert_eq!(ready.body["checks"]["texts"], json!({ "status": "not_configured" }));
    begin(&server, "ada@example.org").await;
    assert_eq!(states(&server).await, ["WAITING"]);
}

type Texts = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// Takes text messages from the second one on.
async fn take(
    State(texts): State<Texts>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> StatusCode {
    let mut texts = texts.lock().unwrap();
    texts.push((headers, body));
    if texts.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::ACCEPTED }
}

#[tokio::test]
async fn text_messages_go_to_whoever_sends_them() {
    let texts = Texts::default();
    let router = Router::new().route("/send", post(take)).with_state(texts.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/send", listener.local_addr().unwrap());
    tokio::spawn(async move {
        use tokio_stream::StreamExt as _;
        let mut connections = tokio_stream::wrappers::TcpListenerStream::new(listener);
        while let Some(Ok(stream)) = connections.next().await {
            let router = router.clone();
            let service = hyper::service::service_fn(
                move |request: hyper::Request<hyper::body::Incoming>| {
                    tower_service::Service::call(&mut router.clone(), request)
                },
            );
            let stream = hyper_util::rt::TokioIo::new(stream);
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(async move { drop(connection.serve_connection(stream, service).await) });
        }
    });
    let settings = [("texts.url", url.as_str()), ("texts.bearer", "made-up")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let (id, _) = crate::registration::before(&server, "dora@example.org", "phone").await;
    let body = json!({ "registrationId": id, "phoneNum": "+4915155501234" });
    server.client.post("/api/v1/registration/phone", body, 200).await;
    let code = eventually("the text has arrived", async || {
        let texts = texts.lock().unwrap();
        let (headers, body) = texts.get(1)?;
        assert_eq!(headers["authorization"], "Bearer made-up");
        // Whoever has taken it although the answer was lost can tell.
        assert_eq!(headers["idempotency-key"], texts[0].0["idempotency-key"]);
        assert_eq!(body["to"], "+4915155501234");
        Some(code_in(body["text"].as_str().unwrap()))
    })
    .await;
    let body = json!({ "registrationId": id, "otp": code });
    server.client.post("/api/v1/registration/phone/verify", body, 200).await;
    eventually("it is noted", async || {
        let mail = read_mailbox(server.platform.config(), 1).await.unwrap();
        (mail[0].state == "DELIVERED" && mail[0].body.is_none()).then_some(())
    })
    .await;
}
