//! What hostile or careless clients meet.

use std::io::Write;
use std::sync::{Arc, Mutex};

use gx_server::config::{Config, LogFormat};
use gx_server::{Workers, telemetry};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::new_key;
use crate::server::{PASSWORD, Server};

#[tokio::test]
async fn refusals_have_the_established_fields() {
    let server = Server::start().await;
    let reply = server.client.get("/api/v1/users/profile", 401).await;
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    assert_eq!(reply.str("error"), "Unauthorized");
    assert_eq!(reply.str("message"), "No authorization header provided");
    assert_eq!(reply.str("detail"), reply.str("message"));
    assert_eq!(reply.str("title"), reply.str("error"));
    assert_eq!(reply.body["status"], 401);
    assert_eq!(reply.str("requestId"), reply.header("x-request-id"));
    assert_eq!(reply.str("path"), "/api/v1/users/profile");
    let basic = [("authorization", "Basic abc")];
    let reply = server.client.send("GET", "/api/v1/users/profile", &basic, None).await;
    assert_eq!(
        reply.str("message"),
        "Invalid authorization header format. Expected: Bearer <token>"
    );
    let reply = server.client.get("/api/v1/nowhere", 404).await;
    assert_eq!(reply.str("message"), "Route GET /api/v1/nowhere not found");
    let reply = server.client.send("DELETE", "/api/v1/supply", &[], None).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (405, "method_not_allowed"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_the_clients_fault() {
    let server = Server::start_with(&[("http.request_timeout_ms", "1000")], Workers::NONE).await;
    let mut stream = TcpStream::connect(server.client.address).await.unwrap();
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: test\r\n\
        content-type: application/json\r\ncontent-length: 50\r\n\r\n{\"e";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

/// An answer that comes before the body was read is not lost by a connection that is reset.
#[tokio::test]
async fn who_is_refused_early_can_send_to_the_end_and_hears_why() {
    let server = Server::start_with(&[], Workers::NONE).await;
    // More than any buffer on the way holds.
    let body = vec![b'x'; 24 << 20];
    for (path, status) in [("/api/v1/auth/login", "413"), ("/api/v1/users/me/documents", "401")] {
        let mut stream = TcpStream::connect(server.client.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{path}: {answer}");
    }
}

/// What nobody wants is not read for ever.
#[tokio::test]
async fn a_body_without_an_end_is_cut() {
    let server = Server::start_with(&[], Workers::NONE).await;
    let mut stream = TcpStream::connect(server.client.address).await.unwrap();
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: test\r\n\
        content-type: application/json\r\ncontent-length: 1000000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while stream.write_all(&piece).await.is_ok() {
        sent += 1;
        assert!(sent < 1024, "{sent} MiB were taken");
    }
}

/// As many connections as there may be ask for more than fits on the way and read nothing.
#[tokio::test]
async fn clients_that_do_not_read_lose_their_places() {
    let settings = [("http.connections_max", "16"), ("http.idle_timeout_ms", "1000")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let asked = "GET /openapi.json HTTP/1.1\r\nhost: test\r\n\r\n".repeat(400);
    let mut silent = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(server.client.address).await.unwrap();
        stream.write_all(asked.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    let answer = server.client.get("/livez", 200);
    tokio::time::timeout(std::time::Duration::from_secs(20), answer).await.unwrap();
    drop(silent);
}

#[tokio::test]
async fn bodies_are_bounded_and_must_be_json() {
    let server = Server::start().await;
    let path = "/api/v1/auth/login";
    let large = format!("{{\"email\":\"{}\"}}", "a".repeat(1 << 20));
    assert_eq!(server.client.send("POST", path, &[], Some(&large)).await.status, 413);
    let reply = server.client.send("POST", path, &[], Some("{\"email\":")).await;
    assert_eq!((reply.status.as_u16(), reply.str("code")), (400, "malformed_json"));
    for (name, value, status) in [
        ("content-type", "application/x-www-form-urlencoded", 415),
        ("content-type", "application/json; charset=utf-16", 415),
        ("content-type", "application/json; charset = latin1", 415),
        ("content-encoding", "gzip", 415),
        ("content-type", "application/json; Charset=\"UTF-8\"", 400),
        ("content-encoding", "identity", 400),
    ] {
        let reply = server.client.send("POST", path, &[(name, value)], None).await;
        assert_eq!(reply.status, status, "{name}: {value}");
    }
    for (name, values) in [
        ("content-type", ["application/json", "text/plain"]),
        ("content-encoding", ["identity", "gzip"]),
    ] {
        let both = values.map(|value| (name, value));
        assert_eq!(server.client.send("POST", path, &both, None).await.status, 415, "{name}");
    }
    assert_eq!(server.client.send("POST", path, &[], Some("[]")).await.status, 400);
}

#[tokio::test]
async fn answers_carry_ids_and_security_headers() {
    let server = Server::start().await;
    let sent = [
        ("x-request-id", "abc-123"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    let reply = server.client.send("GET", "/api/v1/countries", &sent, None).await;
    assert_eq!(reply.header("x-request-id"), "abc-123");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        (
            "content-security-policy",
            "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(reply.header(name), value);
    }
    // Preflights, failures and pages have them too.
    let asks = [("origin", "https://a.example.org"), ("access-control-request-method", "POST")];
    for (method, path, headers) in [
        ("OPTIONS", "/api/v1/transfers", &asks[..]),
        ("GET", "/api/v1/nowhere", &asks[..0]),
        ("GET", "/docs", &asks[..0]),
        ("GET", "/metrics", &asks[..0]),
    ] {
        let reply = server.client.send(method, path, headers, None).await;
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert!(!reply.header("strict-transport-security").is_empty(), "{path}");
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src"), "{path}: no page has scripts");
    }
}

#[tokio::test]
async fn only_listed_origins_are_let_in() {
    let settings = [("http.allowed_origins", "https://wallet.example.org")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let ask = async |origin: &str, method: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        server.client.send(method, "/api/v1/countries", &headers, None).await
    };
    let listed = ask("https://wallet.example.org", "OPTIONS").await;
    assert_eq!(listed.status, 204);
    assert_eq!(listed.header("access-control-allow-origin"), "https://wallet.example.org");
    let read = ask("https://wallet.example.org", "GET").await;
    assert_eq!(read.header("access-control-allow-origin"), "https://wallet.example.org");
    for method in ["OPTIONS", "GET"] {
        let foreign = ask("https://evil.example.org", method).await;
        assert_eq!(foreign.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn limits_are_told_and_kept() {
    let settings = [("rate_limits.devnet_factor", "1")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let path = "/api/v1/auth/login";
    for left in ["4", "3", "2", "1", "0"] {
        let reply = server.client.post(path, body.clone(), 401).await;
        assert_eq!(reply.header("ratelimit-limit"), "5");
        assert_eq!(reply.header("ratelimit-remaining"), left);
    }
    // A header that anybody can send changes nothing.
    let headers = [("x-forwarded-for", "203.0.113.7"), ("idempotency-key", &new_key())];
    let reply = server.client.post_with(path, body, &headers, 429).await;
    assert_eq!(reply.str("code"), "rate_limited");
    let seconds: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=12).contains(&seconds), "{seconds}");
    assert_eq!(reply.body["retryAfter"], seconds);
    // Health is never limited.
    server.client.get("/health", 200).await;
}

#[tokio::test]
async fn a_trusted_proxy_tells_clients_apart() {
    let settings = [("rate_limits.devnet_factor", "1"), ("http.trusted_proxies", "127.0.0.0/8")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    for client in 0..10 {
        let address = format!("6.6.6.6, 203.0.113.{client}");
        let headers = [("x-forwarded-for", address.as_str())];
        server.client.post_with("/api/v1/auth/login", body.clone(), &headers, 401).await;
    }
}

/// A proxy may add a line of its own instead of lengthening the client's: the last line counts.
#[tokio::test]
async fn a_line_that_the_client_has_sent_itself_is_not_believed() {
    let settings = [("rate_limits.devnet_factor", "1"), ("http.trusted_proxies", "127.0.0.0/8")];
    let server = Server::start_with(&settings, Workers::NONE).await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    for attempt in 0..6 {
        let claimed = format!("6.6.6.{attempt}");
        let headers = [("x-forwarded-for", claimed.as_str()), ("x-forwarded-for", "203.0.113.7")];
        let expect = if attempt < 5 { 401 } else { 429 };
        server.client.post_with("/api/v1/auth/login", body.clone(), &headers, expect).await;
    }
}

/// Everything that is logged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Has everything that this thread logs written here, until the guard is dropped.
    pub(crate) fn collect(&self, format: LogFormat) -> tracing::subscriber::DefaultGuard {
        let mut log = Config::load(None, [], &[]).unwrap().log;
        (log.level, log.format) = ("trace,hyper=info".to_owned(), format);
        let writer = self.clone();
        let subscriber = telemetry::subscriber(&log, false, move || writer.clone()).unwrap();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
