//! The way to something that listens: its name, its addresses, its port.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use super::tls::{Tls, handshake};
use super::{Part, Verdict};

/// Something that bytes go through, whatever is below it.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}
pub(super) type Connection = Box<dyn Stream>;

/// Where something listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address; the path of a socket, or of PostgreSQL's folder of it, when it begins with
    /// a slash.
    pub host: String,
    pub port: u16,
}

/// Looks whether something listens there, and whether it speaks TLS that can be trusted.
pub async fn reach(what: &str, to: &Endpoint, tls: Option<&Tls>, patience: Duration) -> Part {
    let mut part = Part::new(what);
    let Some(stream) = connect(&mut part, to, patience).await else {
        if tls.is_some() {
            part.not_tried(&["tls"]);
        }
        return part;
    };
    if let Some(tls) = tls {
        handshake(&mut part, stream, tls, patience).await;
    }
    part
}

/// Resolves and connects, and tells of both.
pub(super) async fn connect(
    part: &mut Part,
    to: &Endpoint,
    patience: Duration,
) -> Option<Connection> {
    if to.host.starts_with('/') {
        return connect_socket(part, to, patience).await;
    }
    let addresses = resolve(part, to, patience).await?;
    let mut failed = None;
    for address in &addresses {
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                part.ok("connect", address.to_string());
                return Some(Box::new(stream));
            }
            Ok(Err(error)) => failed = Some((*address, classify(&error), error.to_string())),
            Err(_) => failed = Some((*address, Verdict::Filtered, silence(patience))),
        }
    }
    let (address, verdict, error) = failed?;
    let seen = match addresses.len() {
        1 => format!("{address}: {error}"),
        count => format!("none of {count} addresses; the last, {address}: {error}"),
    };
    part.add("connect", verdict, seen, remedy(verdict, to));
    None
}

async fn resolve(part: &mut Part, to: &Endpoint, patience: Duration) -> Option<Vec<SocketAddr>> {
    let looked = timeout(patience, lookup_host((to.host.as_str(), to.port))).await;
    let seen = match looked {
        Ok(Ok(found)) => {
            let mut addresses: Vec<SocketAddr> = found.collect();
            addresses.dedup();
            if !addresses.is_empty() {
                let told: Vec<String> = addresses.iter().map(|one| one.ip().to_string()).collect();
                part.ok("resolve", told.join(", "));
                return Some(addresses);
            }
            format!("{} has no address", to.host)
        }
        Ok(Err(error)) => format!("{}: {error}", to.host),
        Err(_) => format!("{}: the name servers: {}", to.host, silence(patience)),
    };
    part.add("resolve", Verdict::Unresolved, seen, remedy(Verdict::Unresolved, to));
    part.not_tried(&["connect"]);
    None
}

async fn connect_socket(part: &mut Part, to: &Endpoint, patience: Duration) -> Option<Connection> {
    match timeout(patience, UnixStream::connect(&to.host)).await {
        Ok(Ok(stream)) => {
            part.ok("connect", to.host.clone());
            Some(Box::new(stream))
        }
        Ok(Err(error)) => {
            let remedy = match error.kind() {
                ErrorKind::NotFound => "the server is not running here, or its socket is elsewhere",
                ErrorKind::PermissionDenied => "run it as a user that may use this socket",
                _ => "start the server",
            };
            part.add("connect", classify(&error), format!("{}: {error}", to.host), remedy);
            None
        }
        Err(_) => {
            part.add("connect", Verdict::Wrong, silence(patience), "the server hangs: its log");
            None
        }
    }
}

pub(super) fn silence(patience: Duration) -> String {
    format!("no answer within {} seconds", patience.as_secs_f32())
}

/// What an error of connecting means.
pub(super) fn classify(error: &Error) -> Verdict {
    match error.kind() {
        ErrorKind::ConnectionRefused => Verdict::Refused,
        ErrorKind::TimedOut => Verdict::Filtered,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Verdict::Unreachable,
        _ => Verdict::Wrong,
    }
}

/// What to do about a way that ends.
pub(super) fn remedy(verdict: Verdict, to: &Endpoint) -> String {
    let Endpoint { host, port } = to;
    match verdict {
        Verdict::Unresolved => format!(
            "put the name right, or add {host} to DNS; in a pod, its network policies must let it \
             ask the cluster's DNS (port 53, UDP and TCP)"
        ),
        Verdict::Refused => {
            format!("nothing listens on port {port} there: start it, or put the port right")
        }
        Verdict::Filtered => format!(
            "what is sent is dropped on the way: let this place out to port {port} of {host}, and \
             in there (network policies of both namespaces, firewalls of both hosts)"
        ),
        Verdict::Unreachable => {
            "there is no route, or a firewall says so: the machine, its network, its VPN".to_owned()
        }
        _ => format!("look at what listens on {host}:{port}"),
    }
}
