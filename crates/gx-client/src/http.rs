//! Requests and answers: one after the other, over TLS, or in the clear on this machine only.
//!
//! It knows no route. An answer that is lost is asked for again as long as that is free: a read
//! changes nothing, and a command under its key is the same command. A server that a session is
//! open on is waited for while it starts again; one that nobody has logged in on is only said to
//! be away. Redirections are not followed, so that no token goes where the user has not said.

use std::cell::Cell;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, Uri, header};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::failure::{Failure, Refusal, Result};
use crate::out::Out;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(10);

/// What an answer may have at most.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Pauses before an answer that was lost is asked for again; with the answers' own time they are
/// longer than a server takes to start again.
const PAUSES_MS: [u64; 6] = [100, 300, 1_000, 2_000, 4_000, 4_000];

/// Longest wait that a server may ask for.
const RETRY_AFTER_MAX_S: u64 = 10;

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    /// Scheme, host and port, without a slash at the end.
    text: String,
    is_safe: bool,
}

impl Base {
    /// The server of `gx up` on this machine.
    pub(crate) fn usual() -> Self {
        Self { text: "http://127.0.0.1:3000".to_owned(), is_safe: true }
    }

    /// Whether nobody on the way can read what is sent.
    pub(crate) const fn is_safe(&self) -> bool {
        self.is_safe
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Base {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("an address such as https://gx.example.org expected, got {text:?}");
        let uri: Uri = text.trim_end_matches('/').parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        let is_plain = uri.path() == "/" && uri.query().is_none();
        if !is_plain || authority.as_str().contains('@') || !matches!(scheme, "http" | "https") {
            return Err(wrong());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let is_local = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let text = format!("{scheme}://{authority}").to_ascii_lowercase();
        Ok(Self { text, is_safe: scheme == "https" || is_local })
    }
}

/// A request, apart from where it goes.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: &'a str,
    pub(crate) body: Option<&'a Value>,
    pub(crate) key: Option<&'a str>,
    /// Whether doing it twice is doing it once.
    pub(crate) is_free: bool,
    pub(crate) accept: &'static str,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(path: &'a str) -> Self {
        let (method, accept) = (Method::GET, "application/json");
        Self { method, path, body: None, key: None, is_free: true, accept }
    }

    /// A request that changes something; without a key it is sent once.
    pub(crate) fn write(
        method: Method,
        path: &'a str,
        body: &'a Value,
        key: Option<&'a str>,
    ) -> Self {
        let (body, is_free) = (Some(body), key.is_some());
        Self { method, path, body, key, is_free, accept: "application/json" }
    }

    fn request(&self, base: &Base, token: Option<&str>) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(format!("{}{}", base.as_str(), self.path))
            .header(header::ACCEPT, self.accept)
            .header(header::USER_AGENT, concat!("gx/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = self.key {
            request = request.header("idempotency-key", key);
        }
        if self.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = self.body.map(Value::to_string).unwrap_or_default();
        let unfit = |error| Failure::local("this cannot be sent", error);
        request.body(Full::new(Bytes::from(bytes))).map_err(unfit)
    }
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Bytes,
    retry_after_s: Option<u64>,
}

impl Answer {
    /// The text of an answer that is no failure.
    pub(crate) fn text(&self) -> Result<String> {
        match self.status {
            200..=299 => Ok(String::from_utf8_lossy(&self.body).into_owned()),
            _ => Err(self.failure()),
        }
    }

    /// The JSON of an answer that is no failure.
    pub(crate) fn json(&self) -> Result<Value> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|_| foreign(self.status))
    }

    /// The stable code of a failure; empty when the answer is not the platform's.
    pub(crate) fn code(&self) -> String {
        self.problem().map(|refusal| refusal.code).unwrap_or_default()
    }

    pub(crate) fn failure(&self) -> Failure {
        match self.problem() {
            // What stands between cannot reach the platform, or it is only just starting.
            None if self.status >= 500 => {
                Failure::Unreachable(format!("the server answers {}", self.status))
            }
            None => foreign(self.status),
            Some(refusal) if self.is_away(&refusal.code) => {
                Failure::Unreachable(format!("{}: {}", refusal.code, refusal.message))
            }
            Some(refusal) => Failure::Refused(Box::new(refusal)),
        }
    }

    fn problem(&self) -> Option<Refusal> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the platform cannot do anything at present. A pause of the ledger is its answer.
    fn is_away(&self, code: &str) -> bool {
        matches!(self.status, 502..=504) && code != "system_paused"
    }

    /// Whether the same request may get another answer in a moment.
    fn is_passing(&self) -> bool {
        match self.status {
            425 | 429 => true,
            409 => matches!(self.code().as_str(), "request_in_flight" | "refresh_in_progress"),
            _ => self.is_away(&self.code()),
        }
    }
}

fn foreign(status: u16) -> Failure {
    Failure::Unreachable(format!(
        "what answers there is no GX platform (status {status}); compare --server"
    ))
}

/// Why there is no answer.
#[derive(Debug)]
enum Lost {
    /// Nothing was sent.
    Away(String),
    /// It is not known what became of it.
    Unknown(String),
    Unfit(Failure),
}

#[derive(Debug)]
enum Sender {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// A client of one server.
#[derive(Debug)]
pub(crate) struct Wire {
    base: Base,
    runtime: Runtime,
    sender: Sender,
    out: Out,
    /// Before an answer that was lost is asked for again.
    pauses_ms: &'static [u64],
    /// Whether it was said that the server is waited for.
    is_told: Cell<bool>,
}

impl Wire {
    pub(crate) fn open(base: Base, out: Out) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::local("cannot start the client", error))?;
        let mut plain = HttpConnector::new();
        plain.set_connect_timeout(Some(CONNECTING));
        let builder = Client::builder(TokioExecutor::new());
        let sender = match base.as_str().starts_with("https:") {
            false => Sender::Plain(builder.build(plain)),
            true => {
                plain.enforce_http(false);
                let connector = HttpsConnectorBuilder::new().with_tls_config(tls()?);
                let connector = connector.https_only().enable_http1().wrap_connector(plain);
                Sender::Tls(builder.build(connector))
            }
        };
        let (pauses_ms, is_told) = (&PAUSES_MS[..], Cell::new(false));
        Ok(Self { base, runtime, sender, out, pauses_ms, is_told })
    }

    pub(crate) const fn base(&self) -> &Base {
        &self.base
    }

    /// Waits.
    pub(crate) fn pause(&self, time: Duration) {
        // A timer is made where the runtime is entered.
        self.runtime.block_on(async { tokio::time::sleep(time).await });
    }

    /// Sends a request and reads the whole answer; asks again while that is free and may help.
    pub(crate) fn send(&self, ask: &Ask<'_>, token: Option<&str>) -> Result<Answer> {
        let mut was_sent = false;
        let mut pauses = self.pauses_ms.iter();
        loop {
            let outcome = self.once(ask, token);
            let away = |was_sent: bool, reason: &str| {
                let text = format!("{} cannot be reached: {reason}", self.base.text);
                if was_sent { Failure::Unreachable(text) } else { Failure::Away(text) }
            };
            let after = match &outcome {
                Ok(answer) if ask.is_free && answer.is_passing() => {
                    was_sent = true;
                    answer.retry_after_s
                }
                Ok(answer) => return Ok(answer.clone()),
                // Whoever has a session there knows the server: it is starting again, perhaps.
                Err(Lost::Away(reason)) if !was_sent && token.is_none() => {
                    return Err(away(was_sent, reason));
                }
                Err(Lost::Away(reason)) => {
                    self.tell_away(reason);
                    None
                }
                Err(Lost::Unknown(reason)) if !ask.is_free => return Err(away(true, reason)),
                Err(Lost::Unknown(_)) => {
                    was_sent = true;
                    None
                }
                Err(Lost::Unfit(_)) => None,
            };
            let too_long = after.is_some_and(|seconds| seconds > RETRY_AFTER_MAX_S);
            match (pauses.next().filter(|_| !too_long), outcome) {
                (_, Err(Lost::Unfit(failure))) => return Err(failure),
                (Some(ms), _) => {
                    let asked = Duration::from_secs(after.unwrap_or_default());
                    self.pause(asked.max(Duration::from_millis(*ms)));
                }
                (None, Ok(answer)) => return Ok(answer),
                (None, Err(Lost::Away(reason) | Lost::Unknown(reason))) => {
                    return Err(away(was_sent, &reason));
                }
            }
        }
    }

    /// Says once why nothing seems to happen.
    fn tell_away(&self, reason: &str) {
        if !self.is_told.replace(true) {
            let base = &self.base.text;
            self.out.note(&format!("{base} cannot be reached, trying again: {reason}"));
        }
    }

    fn once(&self, ask: &Ask<'_>, token: Option<&str>) -> std::result::Result<Answer, Lost> {
        let request = ask.request(&self.base, token).map_err(Lost::Unfit)?;
        let exchange = async {
            let sent = match &self.sender {
                Sender::Plain(client) => client.request(request).await,
                Sender::Tls(client) => client.request(request).await,
            };
            let lost = |error: &dyn std::error::Error| gx_types::with_causes(error);
            let answer = sent.map_err(|error| match error.is_connect() {
                true => Lost::Away(lost(&error)),
                false => Lost::Unknown(lost(&error)),
            })?;
            let after = answer.headers().get(header::RETRY_AFTER);
            let retry_after_s = after.and_then(|text| text.to_str().ok()?.parse().ok());
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| Lost::Unknown(lost(&*error)))?.to_bytes();
            Ok(Answer { status, body, retry_after_s })
        };
        let timely = async { tokio::time::timeout(PATIENCE, exchange).await };
        self.runtime.block_on(timely).unwrap_or_else(|_| {
            Err(Lost::Unknown(format!("no answer for {} s", PATIENCE.as_secs())))
        })
    }
}

/// TLS with the authorities of this machine.
fn tls() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let text = "this machine trusts no authority, so no https can be checked; \
                    install its ca-certificates, or name a file in SSL_CERT_FILE";
        return Err(Failure::Local(text.to_owned()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::local("cannot set up TLS", error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: Bytes::from(body.to_owned()), retry_after_s: None }
    }

    #[test]
    fn addresses_are_safe_with_tls_or_on_this_machine() {
        for (text, stands, is_safe) in [
            ("https://GX.example.org/", "https://gx.example.org", true),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000", true),
            ("http://[::1]:3000/", "http://[::1]:3000", true),
            ("http://localhost:8080", "http://localhost:8080", true),
            ("http://gx.example.org", "http://gx.example.org", false),
            ("http://127.0.0.1.example.org", "http://127.0.0.1.example.org", false),
        ] {
            let base: Base = text.parse().unwrap();
            assert_eq!((base.as_str(), base.is_safe()), (stands, is_safe));
        }
        let wrong = [
            "gx.example.org",
            "ftp://gx.example.org",
            "https://",
            "https://a@gx.example.org",
            "https://gx.example.org/api",
            "https://gx.example.org?x=1",
            "",
            "http:///",
        ];
        for text in wrong {
            assert!(text.parse::<Base>().is_err(), "{text}");
        }
    }

    /// A client that does not pause for long.
    fn wire(address: SocketAddr) -> Wire {
        let base = format!("http://{address}").parse().unwrap();
        let mut wire = Wire::open(base, Out { json: true }).unwrap();
        wire.pauses_ms = &[1; 3];
        wire
    }

    #[test]
    fn a_server_is_waited_for_by_those_who_know_it() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let wire = wire(free);
        for (token, is_waited_for) in [(None, false), (Some("token"), true)] {
            let failure = wire.send(&Ask::get("/"), token).unwrap_err();
            assert!(matches!(failure, Failure::Away(_)), "nothing was sent: {failure:?}");
            assert_eq!(wire.is_told.get(), is_waited_for);
        }
    }

    #[test]
    fn a_lost_answer_is_asked_for_again_where_that_is_free() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = wire(listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            // The first connection is for the request that is not free.
            for at in 0..4 {
                let (mut client, _) = listener.accept().unwrap();
                let mut head = [0; 4];
                client.read_exact(&mut head).unwrap();
                if at == 3 {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                    client.write_all(answer).unwrap();
                }
            }
        });
        let body = Value::Null;
        let once = Ask::write(Method::POST, "/", &body, None);
        let lost = wire.send(&once, Some("token")).unwrap_err();
        assert!(matches!(lost, Failure::Unreachable(_)), "it may have been sent: {lost:?}");
        assert_eq!(wire.send(&Ask::get("/"), Some("token")).unwrap().status, 200);
        server.join().unwrap();
    }

    #[test]
    fn an_answer_says_what_kind_of_failure_it_is() {
        let problem = |code: &str| format!(r#"{{"code": "{code}", "message": "no"}}"#);
        for (status, body, expected) in [
            (422, problem("insufficient_balance"), 1),
            (503, problem("system_paused"), 1),
            (503, problem("starting"), 3),
            (500, problem("internal"), 1),
            (502, "<html>".to_owned(), 3),
            (404, "<html>".to_owned(), 3),
        ] {
            assert_eq!(answer(status, &body).failure().status(), expected, "{status} {body}");
        }
        assert!(answer(200, "<html>").json().is_err());
        assert!(answer(409, &problem("request_in_flight")).is_passing());
        assert!(!answer(409, &problem("already_voted")).is_passing());
        assert!(!answer(503, &problem("system_paused")).is_passing());
    }
}
