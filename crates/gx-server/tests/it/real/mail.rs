//! Mail by a real mail server: encrypted and with a password, or not at all, and each once.

use gx_server::Workers;
use serde_json::{Value, json};

use super::exim::{Exim, PASSWORD, Queued, UNKNOWN, USERNAME};
use super::tls;
use crate::registration::code_in;
use crate::server::{Server, eventually};

const BEGIN: &str = "/api/v1/registration/email";

/// A platform whose mail goes to this server.
async fn sending(exim: &Exim, tls: &str) -> Server {
    let port = if tls == "implicit" { exim.implicit } else { exim.starttls }.to_string();
    let authority = exim.folder.path().join("authority.pem").display().to_string();
    let settings = [
        ("mail.server", "127.0.0.1"),
        ("mail.port", &port),
        ("mail.tls", tls),
        ("mail.tls_ca", &authority),
        ("mail.username", USERNAME),
        ("mail.from", "no-reply@example.org"),
    ];
    Server::start_in(&[("GX_MAIL__PASSWORD", PASSWORD)], &settings, Workers::NONE).await
}

/// What `/readyz` says of mail, once it says this error, or none.
async fn until(server: &Server, error: Option<&str>) -> Value {
    eventually(&format!("mail has {error:?}"), async || {
        let reply = server.client.send("GET", "/readyz", &[], None).await;
        let mail = reply.body["checks"]["mail"].clone();
        (mail["error"].as_str() == error).then_some(mail)
    })
    .await
}

async fn begin(server: &Server, email: &str) -> String {
    let reply = server.client.post(BEGIN, json!({ "email": email }), 201).await;
    reply.str("registrationId").to_owned()
}

/// What is queued, once it is so many.
async fn queued(exim: &Exim, count: usize) -> Vec<Queued> {
    eventually(&format!("{count} mails are queued"), async || {
        Some(exim.queued()).filter(|queued| queued.len() == count)
    })
    .await
}

/// How many messages are in a state, by the platform's own figures.
async fn figure(server: &Server, name: &str) -> u64 {
    let figures = server.client.get("/metrics", 200).await.text;
    let begin = format!("{name}{{channel=\"mail\"}} ");
    let line = figures.lines().find_map(|line| line.strip_prefix(&*begin));
    line.map_or(0, |count| count.parse().unwrap())
}

/// Waits until nothing waits, and says how much was delivered.
async fn delivered(server: &Server) -> u64 {
    eventually("no mail waits", async || {
        (figure(server, "messages_waiting").await == 0).then_some(())
    })
    .await;
    figure(server, "messages_delivered_total").await
}

#[tokio::test]
async fn a_code_arrives_encrypted_from_whom_the_server_knows() {
    let Some(mut exim) = Exim::new() else { return };
    exim.start(PASSWORD).await;
    for (count, tls) in [(1, "starttls"), (2, "implicit")] {
        let server = sending(&exim, tls).await;
        let id = begin(&server, "ada@example.org").await;
        let mail = queued(&exim, count).await.remove(count - 1);
        for part in [
            "-auth_id gx\n",
            "-tls_cipher TLS1.3",
            "<no-reply@example.org>",
            "\nada@example.org\n",
            "To: <ada@example.org>",
            "Subject: Your code",
            "Message-ID: <",
        ] {
            assert!(mail.envelope.contains(part), "{part} by {tls}: {}", mail.envelope);
        }
        let body = json!({ "registrationId": id, "otp": code_in(&mail.body) });
        server.client.post("/api/v1/registration/email/verify", body, 200).await;
        assert_eq!(delivered(&server).await, 1);
        assert_eq!(until(&server, None).await["status"], "healthy");
    }
}

#[tokio::test]
async fn mail_outlasts_a_server_that_is_away_and_arrives_once() {
    let Some(mut exim) = Exim::new() else { return };
    exim.start(PASSWORD).await;
    let server = sending(&exim, "starttls").await;
    begin(&server, "ada@example.org").await;
    // A server that dies before its answer was heard has the message, and gets it once more.
    eventually("the answer was heard", async || {
        (figure(&server, "messages_delivered_total").await == 1).then_some(())
    })
    .await;
    exim.stop().await;
    for email in ["bob@example.org", UNKNOWN, "eve@example.org"] {
        begin(&server, email).await;
    }
    assert_eq!(until(&server, Some("unreachable")).await["status"], "unhealthy");
    exim.start(PASSWORD).await;
    assert_eq!(delivered(&server).await, 3);
    assert_eq!(figure(&server, "messages_failed_total").await, 1, "whom the server does not know");
    until(&server, None).await;
    // What came within one second has no order there.
    let queued = exim.queued();
    for name in ["ada", "bob", "eve"] {
        let to = format!("To: <{name}@example.org>");
        let found = queued.iter().filter(|mail| mail.envelope.contains(&to)).count();
        assert_eq!(found, 1, "{to}");
    }
    assert_eq!(queued.len(), 3);
}

#[tokio::test]
async fn a_password_that_is_refused_loses_no_mail() {
    let Some(mut exim) = Exim::new() else { return };
    exim.start("another").await;
    let server = sending(&exim, "starttls").await;
    begin(&server, "ada@example.org").await;
    let check = until(&server, Some("authentication")).await;
    assert_eq!(check["status"], "unhealthy");
    assert!(!check.to_string().contains("ada"), "{check}");
    assert!(exim.queued().is_empty());
    exim.stop().await;
    exim.start(PASSWORD).await;
    assert_eq!(delivered(&server).await, 1);
    assert_eq!(exim.queued().len(), 1);
}

#[tokio::test]
async fn nothing_is_given_to_a_server_of_another_authority() {
    for tls in ["starttls", "implicit"] {
        let Some(mut exim) = Exim::new() else { return };
        let right = ["cert.pem", "key.pem"]
            .map(|name| (name, std::fs::read(exim.folder.path().join(name)).unwrap()));
        tls::issue(exim.folder.path(), "another");
        exim.start(PASSWORD).await;
        let server = sending(&exim, tls).await;
        begin(&server, "ada@example.org").await;
        until(&server, Some("tls")).await;
        assert!(exim.queued().is_empty());
        exim.stop().await;
        for (name, text) in right {
            std::fs::write(exim.folder.path().join(name), text).unwrap();
        }
        exim.start(PASSWORD).await;
        assert_eq!(delivered(&server).await, 1);
        assert_eq!(exim.queued().len(), 1);
    }
}
