//! Redis: connects, speaks TLS when the settings say so, logs in, and asks whether it answers.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use url::Url;

use super::reach::{Connection, Endpoint, connect, silence};
use super::tls::{Tls, Trust, handshake};
use super::{Part, Verdict};

/// Longest line that is read of an answer.
const LINE_MAX: usize = 1024;

/// Where to log in, and as whom.
pub struct RedisLogin {
    pub endpoint: Endpoint,
    pub tls: Option<Tls>,
    /// Empty: the one that has no name.
    pub user: String,
    pub password: Option<String>,
}

/// Without the password.
impl fmt::Debug for RedisLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisLogin({} at {:?})", self.user, self.endpoint)
    }
}

/// A connection URL that names no Redis. Never shows the URL, which may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no redis:// or rediss:// URL with a host")]
pub struct RedisUrlError;

impl RedisLogin {
    /// What a connection URL says; `authorities` is the PEM file of who signs the server's
    /// certificate.
    ///
    /// # Errors
    /// When it is no URL of a Redis.
    pub fn parse(url: &str, authorities: Option<PathBuf>) -> Result<Self, RedisUrlError> {
        let url = Url::parse(url).map_err(|_| RedisUrlError)?;
        let decoded = |text: &str| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map(|text| text.into_owned()).map_err(|_| RedisUrlError)
        };
        let host = match url.host_str() {
            Some(host) if !host.is_empty() => host.trim_matches(['[', ']']).to_owned(),
            _ => return Err(RedisUrlError),
        };
        let tls = match url.scheme() {
            "redis" => None,
            "rediss" => Some(Tls {
                trust: Trust::Name,
                name: host.clone(),
                authorities,
                identity: None,
                protocols: Vec::new(),
            }),
            _ => return Err(RedisUrlError),
        };
        Ok(Self {
            endpoint: Endpoint { host, port: url.port().unwrap_or(6379) },
            tls,
            user: decoded(url.username())?,
            password: url.password().map(decoded).transpose()?,
        })
    }
}

/// Resolves, connects, logs in and has it answer.
pub async fn redis(login: &RedisLogin, patience: Duration) -> Part {
    let Endpoint { host, port } = &login.endpoint;
    let mut part = Part::new(format!("Redis {host}:{port}"));
    let steps: &[&'static str] =
        if login.password.is_some() { &["log in", "answers"] } else { &["answers"] };
    let Some(mut stream) = connect(&mut part, &login.endpoint, patience).await else {
        part.not_tried(steps);
        return part;
    };
    if let Some(tls) = &login.tls {
        let Some(encrypted) = handshake(&mut part, stream, tls, patience).await else {
            part.not_tried(steps);
            return part;
        };
        stream = encrypted;
    }
    if let Some(password) = &login.password {
        let user = (!login.user.is_empty()).then_some(login.user.as_str());
        let words: Vec<&str> =
            ["AUTH"].into_iter().chain(user).chain([password.as_str()]).collect();
        let answer = asked(&mut stream, &words, patience).await;
        if !judged(&mut part, "log in", answer) {
            part.not_tried(&["answers"]);
            return part;
        }
    }
    let answer = asked(&mut stream, &["PING"], patience).await;
    judged(&mut part, "answers", answer);
    part
}

fn judged(part: &mut Part, step: &'static str, answer: Result<String, String>) -> bool {
    let (verdict, seen, remedy) = match answer {
        Ok(line) if line.starts_with('+') => {
            part.ok(step, line.trim_start_matches('+'));
            return true;
        }
        Ok(line) if line.starts_with("-WRONGPASS") || line.starts_with("-ERR AUTH") => (
            Verdict::Authentication,
            line,
            "the password in redis.url is not the server's, or the server asks for none",
        ),
        Ok(line) if line.starts_with("-NOAUTH") => {
            (Verdict::Authentication, line, "the server asks for a password: put it into redis.url")
        }
        Ok(line) if line.starts_with("-NOPERM") => {
            (Verdict::Authentication, line, "this user may not: ACL of the server")
        }
        Ok(line) if line.starts_with("-LOADING") => {
            (Verdict::Wrong, line, "it reads its data after a start: wait")
        }
        Ok(line) if line.starts_with('-') => (Verdict::Wrong, line, "the log of the server"),
        Ok(line) => (Verdict::Wrong, line, "what listens there is not Redis: another port"),
        Err(why) => (
            Verdict::Wrong,
            why,
            "what listens there is not Redis, or wants TLS (rediss://), or hangs: its log",
        ),
    };
    part.add(step, verdict, seen, remedy);
    false
}

/// Gives one command, and takes the first line of the answer.
async fn asked(
    stream: &mut Connection,
    words: &[&str],
    patience: Duration,
) -> Result<String, String> {
    let mut command = format!("*{}\r\n", words.len());
    for word in words {
        command.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    let line = async {
        stream.write_all(command.as_bytes()).await?;
        let mut line = Vec::new();
        while line.len() < LINE_MAX && !line.ends_with(b"\n") {
            line.push(stream.read_u8().await?);
        }
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&line).trim_end().to_owned())
    };
    match timeout(patience, line).await {
        Ok(Ok(line)) => Ok(line),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(silence(patience)),
    }
}
