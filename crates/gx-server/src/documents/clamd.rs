//! Asks clamd whether a file holds a virus (`INSTREAM`). No answer is never "no".

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Away;
use crate::config::ClamAv;

/// How much is sent at once.
const CHUNK: usize = 64 << 10;

/// The longest answer that is read.
const ANSWER_MAX: u64 = 4 << 10;

#[derive(Debug)]
enum Address {
    Tcp(String),
    Unix(PathBuf),
}

/// A virus scanner.
#[derive(Debug)]
pub(super) struct Clamd {
    address: Address,
    timeout: Duration,
}

/// The scanner has answered, but neither yes nor no.
#[derive(Debug, thiserror::Error)]
#[error("clamd answered {0:?}")]
struct Answered(String);

impl Clamd {
    /// `None` when the settings name no scanner.
    pub(super) fn new(settings: &ClamAv) -> Option<Self> {
        let address = match settings.address.strip_prefix("unix:") {
            _ if settings.address.is_empty() => return None,
            Some(path) => Address::Unix(path.into()),
            None => Address::Tcp(settings.address.clone()),
        };
        Some(Self { address, timeout: Duration::from_millis(settings.timeout_ms) })
    }

    /// What the scanner has found, if anything.
    pub(super) async fn scan(&self, file: &[u8]) -> Result<Option<String>, Away> {
        let mut sent = b"zINSTREAM\0".to_vec();
        for chunk in file.chunks(CHUNK) {
            // A chunk's length always fits.
            sent.extend(u32::try_from(chunk.len()).unwrap_or_default().to_be_bytes());
            sent.extend(chunk);
        }
        sent.extend(0_u32.to_be_bytes());
        let answer = self.ask(&sent).await?;
        let verdict = answer.strip_prefix("stream: ").unwrap_or_default();
        match verdict.strip_suffix(" FOUND") {
            Some(signature) => Ok(Some(signature.to_owned())),
            None if verdict == "OK" => Ok(None),
            None => Err(Answered(answer).into()),
        }
    }

    /// Whether the scanner answers.
    pub(super) async fn ping(&self) -> Result<(), Away> {
        let answer = self.ask(b"zPING\0").await?;
        if answer == "PONG" { Ok(()) } else { Err(Answered(answer).into()) }
    }

    async fn ask(&self, sent: &[u8]) -> Result<String, Away> {
        let exchange = async {
            match &self.address {
                Address::Tcp(address) => converse(TcpStream::connect(address).await?, sent).await,
                #[cfg(unix)]
                Address::Unix(path) => {
                    converse(tokio::net::UnixStream::connect(path).await?, sent).await
                }
                #[cfg(not(unix))]
                Address::Unix(path) => Err(format!("no socket {}", path.display()).into()),
            }
        };
        tokio::time::timeout(self.timeout, exchange).await?
    }
}

/// Sends and reads at once: a scanner that has seen enough answers early and reads no more.
async fn converse(stream: impl AsyncRead + AsyncWrite + Send, sent: &[u8]) -> Result<String, Away> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut answer = Vec::new();
    let mut reader = reader.take(ANSWER_MAX);
    let write = async {
        // What it does not want to read any more shows in its answer.
        let _ = writer.write_all(sent).await;
        let _ = writer.flush().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        done = read_answer(&mut reader, &mut answer) => done?,
        () = write => {}
    }
    let text = String::from_utf8_lossy(&answer);
    Ok(text.trim_end_matches(['\0', '\n']).to_owned())
}

/// Reads up to the zero that ends an answer, or the end.
async fn read_answer(
    reader: &mut (impl AsyncRead + Unpin),
    answer: &mut Vec<u8>,
) -> std::io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        let count = reader.read(&mut buffer).await?;
        answer.extend(buffer.iter().take(count));
        if count == 0 || answer.ends_with(b"\0") {
            return Ok(());
        }
    }
}
