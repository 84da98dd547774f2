//! A small HTTP client: one connection, one request after the other.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use gx_server::{Route, routes};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::log_lines;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// How the command ended: `committed`, or what it was refused for.
    pub(crate) fn outcome(&self) -> &str {
        let code = self.body["code"].as_str();
        code.unwrap_or_else(|| self.str("status"))
    }

    pub(crate) fn str(&self, key: &str) -> &str {
        self.body[key].as_str().unwrap_or_else(|| panic!("no {key} in {}", self.text))
    }
}

/// A client of one server, perhaps with a token, or with the key of a partner.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
    key: Option<String>,
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

/// Keys that nobody else uses.
pub(crate) fn new_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("test-key-{:08}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The row of the route table that a request belongs to.
fn route_of(method: &str, path: &str) -> Option<&'static Route> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |pattern: &str| {
        let (mut given, mut wanted) = (path.split('/'), pattern.split('/'));
        loop {
            match (given.next(), wanted.next()) {
                (None, None) => return true,
                (Some(given), Some(wanted)) if wanted.starts_with('{') || given == wanted => {}
                _ => return false,
            }
        }
    };
    let mut known = routes().iter().filter(|route| route.verb.as_str() == method);
    // Fixed words win over parameters, as in the router.
    let exact = known.clone().find(|route| route.path == path);
    exact.or_else(|| known.find(|route| fits(route.path)))
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, token: None, key: None, connection: Mutex::default() }
    }

    /// Somebody else at the same server, with no session.
    pub(crate) fn stranger(&self) -> Self {
        Self::new(self.address)
    }

    /// The same caller, on a connection of their own.
    pub(crate) fn anew(&self) -> Self {
        Self { token: self.token.clone(), key: self.key.clone(), ..Self::new(self.address) }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::new(self.address) }
    }

    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::new(self.address) }
    }

    /// Sends a request with extra headers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path).header("host", "test");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = &self.key {
            request = request.header("x-api-key", key);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = body.unwrap_or_default();
        let body = Full::new(Bytes::copy_from_slice(sent.as_bytes()));
        let response = self.exchange(request.body(body).unwrap()).await;
        let reply = Self::reply(method, path, response).await;
        log_lines::remember(self.token.as_deref(), sent, &reply.body);
        reply
    }

    /// Posts a body of another type than JSON, with nothing else.
    pub(crate) async fn post_bytes(&self, path: &str, kind: &str, bytes: Vec<u8>) -> Reply {
        let token = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let request = Request::builder().method("POST").uri(path).header("host", "test");
        let request = request.header("authorization", token).header("content-type", kind);
        let response = self.exchange(request.body(Full::new(bytes.into())).unwrap()).await;
        Self::reply("POST", path, response).await
    }

    async fn reply(method: &str, path: &str, response: hyper::Response<Incoming>) -> Reply {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        // Some documents are no text.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if let Some(route) = route_of(method, path) {
            let failed = parts.status.as_u16() >= 400;
            let code = body["code"].as_str().filter(|_| failed);
            let status = parts.status.as_u16();
            let is_known = route.admits(status, code);
            assert!(is_known, "{route:?} answers what its description does not list: {text}");
        }
        Reply { status: parts.status, headers: parts.headers, body, text }
    }

    /// Sends a request and hands the answer over while its body is still coming.
    pub(crate) async fn open(&self, path: &str) -> hyper::Response<Incoming> {
        self.open_with(path, &[]).await
    }

    /// The same with extra headers.
    pub(crate) async fn open_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> hyper::Response<Incoming> {
        let token = format!("Bearer {}", self.token.as_deref().unwrap_or_default());
        let mut request = Request::builder().uri(path).header("host", "test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("authorization", token).body(Full::default()).unwrap();
        self.exchange(request).await
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> hyper::Response<Incoming> {
        let mut connection = self.connection.lock().await;
        let mut sender = match connection.take().filter(|sender| !sender.is_closed()) {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(self.address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (sender, task) = handshake(TokioIo::new(stream)).await.unwrap();
                tokio::spawn(task);
                sender
            }
        };
        sender.ready().await.unwrap();
        let response = sender.send_request(request).await.unwrap();
        *connection = Some(sender);
        response
    }

    pub(crate) async fn get(&self, path: &str, expect: u16) -> Reply {
        let reply = self.send("GET", path, &[], None).await;
        assert_eq!(reply.status, expect, "GET {path}: {}", reply.text);
        reply
    }

    /// Sends a body under a new idempotency key.
    pub(crate) async fn post(&self, path: &str, body: Value, expect: u16) -> Reply {
        self.post_with(path, body, &[("idempotency-key", &new_key())], expect).await
    }

    /// The same, and waits for the command's outcome.
    pub(crate) async fn settle(&self, path: &str, body: Value) -> Reply {
        let headers = [("idempotency-key", &*new_key()), ("prefer", "wait=20")];
        self.post_with(path, body, &headers, 200).await
    }

    /// Gives a command by another method than POST, and waits for its outcome.
    pub(crate) async fn settle_by(&self, method: &str, path: &str, body: Value) -> Reply {
        let headers = [("idempotency-key", &*new_key()), ("prefer", "wait=20")];
        let reply = self.send(method, path, &headers, Some(&body.to_string())).await;
        assert_eq!(reply.status, 200, "{method} {path}: {}", reply.text);
        reply
    }

    pub(crate) async fn post_with(
        &self,
        path: &str,
        body: Value,
        headers: &[(&str, &str)],
        expect: u16,
    ) -> Reply {
        let reply = self.send("POST", path, headers, Some(&body.to_string())).await;
        assert_eq!(reply.status, expect, "POST {path}: {}", reply.text);
        reply
    }
}
