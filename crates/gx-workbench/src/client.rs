//! A small HTTP client for driving the platform from outside, over connections that are kept.
//!
//! It knows no route. Only plain HTTP: TLS is ended by a proxy, and load is driven behind it.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

/// How long a request may take before the platform counts as gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a platform listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Host and port.
    authority: String,
}

impl Base {
    /// A host and a port.
    pub fn new(authority: impl std::fmt::Display) -> Self {
        Self { authority: authority.to_string() }
    }
}

impl FromStr for Base {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let Some(rest) = text.strip_prefix("http://") else {
            bail!("an address such as http://127.0.0.1:3000 expected, got {text}");
        };
        let authority = rest.trim_end_matches('/');
        let legal = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if authority.is_empty() || !authority.chars().all(legal) {
            bail!("an address such as http://127.0.0.1:3000 expected, got {text}");
        }
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        Ok(Self::new(if has_port { authority.to_owned() } else { format!("{authority}:80") }))
    }
}

impl std::fmt::Display for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Answer {
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("an answer that does not fit: {}", self.text()))
    }

    /// The body of an answer with the status that was expected.
    pub fn expect<T: DeserializeOwned>(&self, status: StatusCode) -> Result<T> {
        if self.status == status {
            return self.json();
        }
        Err(anyhow!("answered {}: {}", self.status, self.text()))
    }

    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// A request, apart from where it goes.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    pub method: Method,
    pub path: &'a str,
    pub token: Option<&'a str>,
    pub key: Option<&'a str>,
    /// Seconds to wait for the outcome of a command.
    pub wait: Option<u32>,
    pub body: Vec<u8>,
}

impl<'a> Ask<'a> {
    pub fn get(path: &'a str) -> Self {
        let (method, body) = (Method::GET, Vec::new());
        Self { method, path, token: None, key: None, wait: None, body }
    }

    pub fn post(path: &'a str, body: &serde_json::Value) -> Self {
        let (method, body) = (Method::POST, body.to_string().into_bytes());
        Self { method, path, token: None, key: None, wait: None, body }
    }

    pub fn token(self, token: &'a str) -> Self {
        Self { token: Some(token), ..self }
    }

    pub fn key(self, key: &'a str) -> Self {
        Self { key: Some(key), ..self }
    }

    pub fn wait(self, seconds: u32) -> Self {
        Self { wait: Some(seconds), ..self }
    }

    fn request(self, authority: &str) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = self.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(seconds) = self.wait {
            request = request.header("prefer", format!("wait={seconds}"));
        }
        Ok(request.body(Full::new(Bytes::from(self.body)))?)
    }
}

/// One connection, opened when it is needed and again when it was closed.
#[derive(Debug)]
pub struct Client {
    base: Base,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    pub fn new(base: Base) -> Self {
        Self { base, sender: None }
    }

    /// Sends a request and reads the whole answer. An error means that it is not known whether
    /// the request was carried out.
    pub async fn send(&mut self, ask: Ask<'_>) -> Result<Answer> {
        let what = format!("{} {}{}", ask.method, self.base, ask.path);
        let request = ask.request(&self.base.authority)?;
        let sent = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        match sent.unwrap_or_else(|_| Err(anyhow!("no answer for {} s", PATIENCE.as_secs()))) {
            Ok(answer) => Ok(answer),
            Err(error) => {
                self.sender = None;
                Err(error.context(what))
            }
        }
    }

    /// Sends a request as it stands.
    pub async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let sender = self.ready().await?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body })
    }

    async fn ready(&mut self) -> Result<&mut SendRequest<Full<Bytes>>> {
        let usable = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            self.sender = None;
        }
        match self.sender {
            Some(ref mut sender) => Ok(sender),
            None => {
                let sender = connect(&self.base.authority).await?;
                Ok(self.sender.insert(sender))
            }
        }
    }
}

async fn connect(authority: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // A broken connection shows in the next request.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::Base;

    #[test]
    fn addresses_are_plain_http_with_a_port() {
        let base = |text: &str| text.parse::<Base>().map(|base| base.to_string()).ok();
        assert_eq!(base("http://127.0.0.1:3000/").as_deref(), Some("http://127.0.0.1:3000"));
        assert_eq!(base("http://gx.example.org").as_deref(), Some("http://gx.example.org:80"));
        assert_eq!(base("http://[::1]:3000").as_deref(), Some("http://[::1]:3000"));
        for wrong in ["https://gx.example.org", "127.0.0.1:3000", "http://", "http://a/b"] {
            assert_eq!(base(wrong), None, "{wrong}");
        }
    }
}
