//! A process of the platform over HTTP: running, alive, ready; and of the right network, schema and
//! time.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use url::Url;

use super::reach::{Connection, Endpoint, connect, silence};
use super::tls::{Tls, Trust, handshake};
use super::{Part, Verdict, not_ready};
use crate::facts::ReadyCheck;

/// Most that is read of an answer, in bytes.
const ANSWER_MAX: u64 = 256 * 1024;

/// Clocks that differ by more than this, in seconds, are told.
const SKEW_MAX: i64 = 5;

/// A process, and how it is reached.
#[derive(Debug, Clone)]
pub struct Service {
    url: Url,
    endpoint: Endpoint,
    tls: Option<Tls>,
}

/// An address that names no process.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("{0} is no address such as http://127.0.0.1:3000")]
    Address(String, #[source] url::ParseError),
    #[error("{0} is neither http nor https, or names no host")]
    Scheme(String),
}

impl Service {
    /// # Errors
    /// When it is no `http` or `https` URL with a host.
    pub fn at(address: &str) -> Result<Self, ServiceError> {
        let url = Url::parse(address)
            .map_err(|error| ServiceError::Address(address.to_owned(), error))?;
        let wrong = || ServiceError::Scheme(address.to_owned());
        let host = url.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        let tls = match url.scheme() {
            "http" => None,
            "https" => Some(Tls {
                trust: Trust::Name,
                name: host.clone(),
                authorities: None,
                identity: None,
                protocols: vec![b"http/1.1".to_vec()],
            }),
            _ => return Err(wrong()),
        };
        Ok(Self { url, endpoint: Endpoint { host, port }, tls })
    }
}

/// What the settings say of every process of the network.
#[derive(Debug, Clone)]
pub struct Expected {
    pub network: String,
    /// Version of the schema that this build works with.
    pub schema: u64,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    /// Seconds since 1970, by the clock of who answered.
    at: Option<i64>,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Looks at a process. `now` tells the seconds since 1970.
pub async fn service(
    service: &Service,
    expected: &Expected,
    patience: Duration,
    now: impl Fn() -> i64,
) -> Part {
    let mut part = Part::new(format!("Service {}", service.url));
    const STEPS: [&str; 5] = ["alive", "ready", "network", "schema", "clock"];
    let Some(live) = first(&mut part, service, patience).await else {
        part.not_tried(&STEPS);
        return part;
    };
    let at = now();
    let told = match live {
        Ok(answer) => answer,
        Err(why) => {
            let remedy = "it runs and is not alive: read its log, and restart this one alone; or \
                          what listens there is no process of the platform";
            part.add("alive", Verdict::Wrong, why, remedy);
            part.not_tried(&["ready", "network", "schema", "clock"]);
            return part;
        }
    };
    readiness(&mut part, service, told.status, patience).await;
    version(&mut part, service, expected, patience).await;
    clock(&mut part, told.at, at);
    part
}

/// Connects, telling each step, and asks whether it is alive.
async fn first(
    part: &mut Part,
    service: &Service,
    patience: Duration,
) -> Option<Result<Answer, String>> {
    let stream = connect(part, &service.endpoint, patience).await?;
    let stream = match &service.tls {
        None => stream,
        Some(tls) => handshake(part, stream, tls, patience).await?,
    };
    Some(ask(stream, service, "livez", patience).await)
}

async fn readiness(part: &mut Part, service: &Service, live: u16, patience: Duration) {
    if live == 200 {
        part.ok("alive", "/livez answers 200");
    }
    let answer = get(service, "readyz", patience).await;
    let (ready, checks) = match &answer {
        Ok(answer) => (Some(answer.status), checks(answer)),
        Err(_) => (None, Vec::new()),
    };
    for branch in not_ready(Some(live), ready, &checks) {
        let step = match (live == 200, branch.stops) {
            (false, _) => "alive",
            (true, true) => "ready",
            (true, false) => "beside",
        };
        part.add(step, Verdict::Wrong, branch.seen, branch.remedy);
    }
    match answer {
        Ok(answer) if answer.status == 200 => part.ok("ready", "/readyz answers 200"),
        Ok(_) => {}
        Err(why) => part.add("ready", Verdict::Unknown, why, "its log"),
    }
}

fn checks(answer: &Answer) -> Vec<ReadyCheck> {
    let document = answer.json().unwrap_or_default();
    let checks = document.get("checks").and_then(Value::as_object).into_iter().flatten();
    let text = |check: &Value, key| check.get(key).and_then(Value::as_str).map(str::to_owned);
    checks
        .map(|(name, check)| ReadyCheck {
            name: name.clone(),
            ok: text(check, "status").as_deref() != Some("unhealthy"),
            detail: [text(check, "error"), text(check, "message")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(": "),
        })
        .collect()
}

async fn version(part: &mut Part, service: &Service, expected: &Expected, patience: Duration) {
    let answer = get(service, "version", patience).await;
    let document = answer.as_ref().ok().and_then(Answer::json).unwrap_or_default();
    let why = match &answer {
        Ok(answer) => format!("/version answers {} and does not tell", answer.status),
        Err(why) => why.clone(),
    };
    let other = "what listens there is no process of the platform";
    match document.get("network").and_then(Value::as_str) {
        Some(network) if network == expected.network => part.ok("network", network),
        Some(network) => part.add(
            "network",
            Verdict::WrongNetwork,
            format!("it serves {network}, the settings are of {}", expected.network),
            "another address, or the settings of that network",
        ),
        None => part.add("network", Verdict::Unknown, why.clone(), other),
    }
    match document.get("schemaVersion").and_then(Value::as_u64) {
        Some(schema) if schema == expected.schema => part.ok("schema", format!("{schema}")),
        Some(schema) => part.add(
            "schema",
            Verdict::Wrong,
            format!("it works with version {schema}, this build with {}", expected.schema),
            "use the build that runs there, or bring both to the same one",
        ),
        None => part.add("schema", Verdict::Unknown, why, other),
    }
}

fn clock(part: &mut Part, theirs: Option<i64>, ours: i64) {
    let Some(theirs) = theirs else {
        part.add("clock", Verdict::Unknown, "it does not tell its time", "timedatectl, on both");
        return;
    };
    let skew = ours.saturating_sub(theirs);
    let seen = format!("{} seconds apart from this one's", skew.saturating_abs());
    if skew.saturating_abs() > SKEW_MAX {
        let remedy = "have both clocks set by NTP: timedatectl tells which is not";
        part.add("clock", Verdict::Wrong, seen, remedy);
    } else {
        part.ok("clock", seen);
    }
}

async fn get(service: &Service, path: &str, patience: Duration) -> Result<Answer, String> {
    // How the way is was told with the first request.
    let mut silent = Part::new("");
    let failed = |part: &Part| part.lines.last().map(|line| line.seen.clone()).unwrap_or_default();
    let Some(mut stream) = connect(&mut silent, &service.endpoint, patience).await else {
        return Err(failed(&silent));
    };
    if let Some(tls) = &service.tls {
        let Some(encrypted) = handshake(&mut silent, stream, tls, patience).await else {
            return Err(failed(&silent));
        };
        stream = encrypted;
    }
    ask(stream, service, path, patience).await
}

/// One request. It is of HTTP/1.0, whose answers end with the connection and come in one piece.
async fn ask(
    mut stream: Connection,
    service: &Service,
    path: &str,
    patience: Duration,
) -> Result<Answer, String> {
    let base = service.url.path().trim_end_matches('/');
    let host = service.url.host_str().unwrap_or_default();
    let request = format!(
        "GET {base}/{path} HTTP/1.0\r\nHost: {host}:{}\r\nAccept: application/json\r\n\
         User-Agent: gx-ops-doctor\r\n\r\n",
        service.endpoint.port
    );
    let answer = async {
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_MAX).read_to_end(&mut bytes).await?;
        Ok::<_, std::io::Error>(bytes)
    };
    match timeout(patience, answer).await {
        Ok(Ok(bytes)) => parsed(&bytes).ok_or_else(|| "its answer is no HTTP".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("/{path}: {}", silence(patience))),
    }
}

fn parsed(bytes: &[u8]) -> Option<Answer> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).ok()? else { return None };
    let date = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("date"));
    let at = date.and_then(|header| {
        let text = std::str::from_utf8(header.value).ok()?;
        jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp().as_second())
    });
    Some(Answer { status: response.code?, at, body: bytes.get(head..)?.to_vec() })
}
