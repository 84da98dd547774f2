//! The connection to a gateway: addresses, TLS, and a channel that is rebuilt when it breaks.
//!
//! A broken channel is dropped, and the next call resolves the next address anew: a peer that has
//! moved is found again without a restart. "Connected" is said by nobody before a call succeeds.

use std::error::Error as _;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use gx_types::with_causes;
use tokio::sync::Mutex;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::Error;

/// How long an attempt to connect may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Pings keep the way through proxies open and find peers that are gone.
const PING_EVERY: Duration = Duration::from_secs(60);
const PING_MAX: Duration = Duration::from_secs(10);

/// Host and port of a peer, `peer0.org1.example.com:7051`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerAddress {
    pub host: String,
    pub port: u16,
}

impl FromStr for PeerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("host:port expected, got {text:?}");
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let legal =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
        if host.is_empty() || !host.chars().all(legal) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port: port.parse().map_err(|_| wrong())? })
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// The peers whose gateway is used: the first that can be reached.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    pub addresses: Vec<PeerAddress>,
    /// PEM text of the authorities of the peers' TLS certificates; without it there is no TLS.
    pub tls_ca: Option<String>,
    /// The name in the peers' TLS certificates, when it is not the host's.
    pub tls_server_name: Option<String>,
    /// PEM texts of certificate and key, for peers that ask clients for one.
    pub tls_client: Option<(String, String)>,
}

impl Peers {
    /// Reads the file of authorities.
    ///
    /// # Errors
    /// [`Error::Settings`] when it cannot be read.
    pub fn with_tls_ca(mut self, path: &Path) -> Result<Self, Error> {
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|error| Error::Settings(format!("{}: {error}", path.display())))?;
        self.tls_ca = Some(text);
        Ok(self)
    }

    pub(crate) fn endpoint(&self, address: &PeerAddress) -> Result<Endpoint, Error> {
        let unfit = |error: tonic::transport::Error| Error::Settings(with_causes(&error));
        let scheme = if self.tls_ca.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(unfit)?
            .connect_timeout(CONNECT_MAX)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_MAX)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(8 << 20)
            .initial_connection_window_size(16 << 20);
        let Some(ca) = &self.tls_ca else { return Ok(endpoint) };
        let name = self.tls_server_name.as_deref().unwrap_or(&address.host);
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let mut tls =
            ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca)).domain_name(name);
        if let Some((certificate, key)) = &self.tls_client {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        endpoint.tls_config(tls).map_err(unfit)
    }
}

/// A channel to one of the peers, and which one it is.
#[derive(Debug, Clone)]
pub(crate) struct Connected {
    pub(crate) channel: Channel,
    /// Counts the channels, so that a late complaint does not break a newer one.
    generation: u64,
}

#[derive(Debug, Default)]
struct State {
    connected: Option<Connected>,
    generation: u64,
    /// Place of the peer to be tried next.
    next: usize,
}

#[derive(Debug)]
pub(crate) struct Connection {
    peers: Peers,
    state: Mutex<State>,
}

impl Connection {
    pub(crate) fn new(peers: Peers) -> Result<Self, Error> {
        if peers.addresses.is_empty() {
            return Err(Error::Settings("no address of a peer is set".to_owned()));
        }
        for address in &peers.addresses {
            peers.endpoint(address)?;
        }
        Ok(Self { peers, state: Mutex::default() })
    }

    /// The channel in use, or a new one to the first peer that answers.
    pub(crate) async fn get(&self) -> Result<Connected, Error> {
        let mut state = self.state.lock().await;
        if let Some(connected) = &state.connected {
            return Ok(connected.clone());
        }
        let mut reasons = Vec::new();
        for _ in 0..self.peers.addresses.len() {
            let at = state.next % self.peers.addresses.len();
            let Some(address) = self.peers.addresses.get(at) else { break };
            match self.peers.endpoint(address)?.connect().await {
                Ok(channel) => {
                    state.generation = state.generation.wrapping_add(1);
                    let connected = Connected { channel, generation: state.generation };
                    state.connected = Some(connected.clone());
                    return Ok(connected);
                }
                Err(error) => {
                    reasons.push(format!("{address}: {}", with_causes(&error)));
                    state.next = state.next.wrapping_add(1);
                }
            }
        }
        Err(Error::Unreachable { reason: reasons.join("; ") })
    }

    /// A call over this channel got no answer: the next one uses another.
    pub(crate) async fn broken(&self, connected: &Connected) {
        let mut state = self.state.lock().await;
        if state.connected.as_ref().is_some_and(|now| now.generation == connected.generation) {
            state.connected = None;
            state.next = state.next.wrapping_add(1);
        }
    }
}

/// Whether the status was made here because the transport failed, not sent by a peer.
pub(crate) fn is_transport(status: &tonic::Status) -> bool {
    status.source().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port() {
        let rows = [("peer0:7051", true), ("127.0.0.1:8051", true), ("[::1]:7051", true)];
        let wrong = [("peer0", false), (":7051", false), ("peer0:x", false), ("a b:1", false)];
        for (text, fits) in rows.into_iter().chain(wrong) {
            assert_eq!(text.parse::<PeerAddress>().is_ok(), fits, "{text}");
        }
    }
}
