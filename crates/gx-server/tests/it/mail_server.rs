//! A mail server as small as one can be: STARTTLS with a certificate of its own, AUTH PLAIN, and
//! the ways in which servers fail.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, crypto};

pub(crate) const USERNAME: &str = "gx";
pub(crate) const PASSWORD: &str = "made-up";

/// How a server fails at the next mail.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// It hangs up before the message.
    HangsUp,
    /// It answers the recipient with this.
    Recipient(&'static str),
    /// It takes nothing from this sender.
    Sender(&'static str),
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) recipient: String,
    pub(crate) text: String,
}

/// What a server knows, whether it runs or not.
#[derive(Clone)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    acceptor: TlsAcceptor,
    taken: Arc<Mutex<Vec<Taken>>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl MailServer {
    /// A server that does not run yet; the certificate of its authority is written to the file.
    pub(crate) async fn new(authority: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        std::fs::write(authority, certificate.pem()).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            port: free.local_addr().unwrap().port(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
            taken: Arc::default(),
            faults: Arc::default(),
        }
    }

    /// Runs it until what is returned is dropped, connections and all.
    pub(crate) async fn run(&self) -> JoinSet<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        let (server, mut running) = (self.clone(), JoinSet::new());
        running.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let server = server.clone();
                // A client that goes away is no fault of the server's.
                connections.spawn(async move { drop(server.converse(stream).await) });
            }
        });
        running
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.faults.lock().unwrap().push_back(fault);
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut plain = BufReader::new(stream);
        plain.write_all(b"220 localhost ESMTP\r\n").await?;
        if !self.talk(&mut plain, false).await? {
            return Ok(());
        }
        let stream = self.acceptor.accept(plain.into_inner()).await?;
        self.talk(&mut BufReader::new(stream), true).await.map(drop)
    }

    /// Answers line after line; says whether the client wants to go on encrypted.
    async fn talk<S>(&self, stream: &mut BufReader<S>, encrypted: bool) -> std::io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mut recipient, mut let_in, mut fault) = (String::new(), false, None);
        while let Some(line) = line(stream).await? {
            let word = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
            let answer = match word.as_str() {
                "EHLO" if encrypted => "250-localhost\r\n250 AUTH PLAIN",
                "EHLO" => "250-localhost\r\n250 STARTTLS",
                "STAR" if !encrypted => {
                    stream.write_all(b"220 go on\r\n").await?;
                    return Ok(true);
                }
                "AUTH" if encrypted => {
                    let_in = line.split(' ').nth(2) == Some(plain_login().as_str());
                    if let_in { "235 welcome" } else { "535 5.7.8 wrong" }
                }
                "MAIL" if let_in => {
                    fault = self.faults.lock().unwrap().pop_front();
                    match fault {
                        Some(Fault::Sender(answer)) => answer,
                        _ => "250 ok",
                    }
                }
                "RCPT" if let_in => {
                    recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    match fault {
                        Some(Fault::Recipient(answer)) => answer,
                        _ => "250 ok",
                    }
                }
                "DATA" if matches!(fault, Some(Fault::HangsUp)) => return Ok(false),
                "DATA" if let_in => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let text = message(stream).await?;
                    self.taken.lock().unwrap().push(Taken { recipient: recipient.clone(), text });
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "530 5.7.0 not like that",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
        Ok(false)
    }
}

fn plain_login() -> String {
    BASE64.encode(format!("\0{USERNAME}\0{PASSWORD}"))
}

async fn line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await?;
    Ok((read > 0).then(|| line.trim_end().to_owned()))
}

/// Everything up to the line with a dot alone.
async fn message<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<String> {
    let mut text = String::new();
    while let Some(line) = line(stream).await?.filter(|line| line != ".") {
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}
