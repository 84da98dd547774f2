//! Requests to addresses that others have chosen: HTTPS to the public internet and nothing else.
//!
//! A name is resolved here, every address that it has is checked, and the connection goes to one of
//! those: what a resolver says later changes nothing. Redirects are answers like any other, and of
//! a body no more is read than is thrown away quickly.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::http::uri::Scheme;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};
use tokio_util::task::AbortOnDropHandle;

use crate::peer::Network;

/// How long a request may take, from the look-up of the name to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a name may take to be resolved when an address is only checked.
const LOOK_UP: Duration = Duration::from_secs(3);

/// What is read of an answer.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Longest address.
const LENGTH_MAX: usize = 2000;

/// Why nothing was sent, or no answer came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("must be an address such as https://hooks.example.org/gx")]
    NotAnAddress,
    #[error("must begin with https://")]
    NotHttps,
    #[error("must have no name and password before the host")]
    HasCredentials,
    #[error("must be an address on the public internet")]
    Private,
    #[error("the name of the host is not known")]
    Unknown,
    #[error("the host takes no connection")]
    Refused(#[source] std::io::Error),
    #[error("no TLS connection with a certificate for the host")]
    Tls(#[source] std::io::Error),
    #[error("the connection broke before the answer")]
    Broken(#[source] hyper::Error),
    #[error("no answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
}

/// Where a request goes.
#[derive(Clone)]
pub(crate) struct Target {
    uri: Uri,
    host: String,
    port: u16,
    is_tls: bool,
}

/// Paths and queries can hold what lets somebody in.
impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Target {
    /// What the text says. Whether it may be reached is another question.
    pub(crate) fn parse(text: &str) -> Result<Self, Fault> {
        let uri: Uri = text.parse().map_err(|_| Fault::NotAnAddress)?;
        let is_plain = text.len() <= LENGTH_MAX && !text.contains('#');
        let scheme = uri.scheme().filter(|_| is_plain).ok_or(Fault::NotAnAddress)?;
        let is_tls = *scheme == Scheme::HTTPS;
        if !is_tls && *scheme != Scheme::HTTP {
            return Err(Fault::NotHttps);
        }
        let authority = uri.authority().ok_or(Fault::NotAnAddress)?;
        if authority.as_str().contains('@') {
            return Err(Fault::HasCredentials);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(Fault::NotAnAddress);
        }
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self { host, port, is_tls, uri })
    }
}

/// What may be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reach {
    /// This machine as well, and without TLS: for development.
    pub(crate) allow_local: bool,
}

impl Reach {
    fn admits(self, address: IpAddr) -> bool {
        is_public(address) || (self.allow_local && address.to_canonical().is_loopback())
    }

    /// Whether a request may go there as far as that can be seen now: a name that nobody knows
    /// yet may be known later, and is looked at again then.
    pub(crate) async fn check(self, target: &Target) -> Result<(), Fault> {
        match tokio::time::timeout(LOOK_UP, self.addresses(target)).await {
            Ok(Err(Fault::Unknown)) | Err(_) if target.is_tls => Ok(()),
            Ok(found) => found.map(drop),
            Err(_) => Err(Fault::Unknown),
        }
    }

    /// The addresses of a host. One that may not be reached is one too many: whoever answers for
    /// the name is not to be trusted with the others.
    async fn addresses(self, target: &Target) -> Result<Vec<SocketAddr>, Fault> {
        let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|_| Fault::Unknown)?.collect();
        if found.is_empty() {
            return Err(Fault::Unknown);
        }
        if !found.iter().all(|address| self.admits(address.ip())) {
            return Err(Fault::Private);
        }
        let is_local = found.iter().all(|address| address.ip().to_canonical().is_loopback());
        if target.is_tls || (self.allow_local && is_local) {
            Ok(found)
        } else {
            Err(Fault::NotHttps)
        }
    }
}

/// Networks of IPv4 that are not the public internet, as their registry lists them.
const RESERVED: [&str; 15] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// Of IPv6, only this is the public internet …
const GLOBAL: &str = "2000::/3";

/// … but for what leads elsewhere, or nowhere: tunnels that hold another address, examples.
const SPECIAL: [&str; 4] = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().filter_map(|text| Network::parse(text)).collect()
}

/// Whether an address is one of the public internet.
fn is_public(address: IpAddr) -> bool {
    static OF_FOUR: LazyLock<Vec<Network>> = LazyLock::new(|| networks(&RESERVED));
    static OF_SIX: LazyLock<[Vec<Network>; 2]> =
        LazyLock::new(|| [networks(&[GLOBAL]), networks(&SPECIAL)]);
    let is_in = |networks: &[Network], address: IpAddr| {
        networks.iter().any(|network| network.contains(address))
    };
    match address.to_canonical() {
        address @ IpAddr::V4(_) => !is_in(&OF_FOUR, address),
        address @ IpAddr::V6(_) => {
            let [global, special] = &*OF_SIX;
            is_in(global, address) && !is_in(special, address)
        }
    }
}

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outbound {
    tls: TlsConnector,
    reach: Reach,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.reach.fmt(f)
    }
}

impl Outbound {
    /// With the authorities that this machine trusts.
    ///
    /// # Errors
    /// When TLS cannot be set up at all.
    pub(crate) fn new(reach: Reach) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        let (taken, _) = roots.add_parsable_certificates(found.certs);
        if taken == 0 {
            tracing::warn!("this machine trusts no authority: no endpoint can be told anything");
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), reach })
    }

    /// Sends a body once and gives back the status of the answer.
    ///
    /// # Errors
    /// [`Fault`]; whether the request has arrived is not known then.
    pub(crate) async fn post(
        &self,
        target: &Target,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<u16, Fault> {
        let sent = self.exchange(target, headers, body);
        tokio::time::timeout(PATIENCE, sent).await.unwrap_or(Err(Fault::TooSlow))
    }

    async fn exchange(
        &self,
        target: &Target,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<u16, Fault> {
        let request = request(target, headers, body)?;
        let addresses = self.reach.addresses(target).await?;
        let stream = TcpStream::connect(addresses.as_slice()).await.map_err(Fault::Refused)?;
        if !target.is_tls {
            return talk(stream, request).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(|_| Fault::NotAnAddress)?;
        talk(self.tls.connect(name, stream).await.map_err(Fault::Tls)?, request).await
    }
}

fn request(
    target: &Target,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Fault> {
    let path = target.uri.path_and_query().map_or("/", |path| path.as_str());
    let host = target.uri.authority().map_or("", |authority| authority.as_str());
    let host = HeaderValue::try_from(host).map_err(|_| Fault::NotAnAddress)?;
    let request = Request::builder().method(Method::POST).uri(path).header(header::HOST, host);
    let mut request = request.body(Full::new(body)).map_err(|_| Fault::NotAnAddress)?;
    request.headers_mut().extend(headers);
    Ok(request)
}

/// One request on a connection of its own.
async fn talk<S>(stream: S, request: Request<Full<Bytes>>) -> Result<u16, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(Fault::Broken)?;
    let _driven = AbortOnDropHandle::new(tokio::spawn(connection));
    let answer = sender.send_request(request).await.map_err(Fault::Broken)?;
    let status = answer.status().as_u16();
    // Whoever answers is let finish, within bounds; what it says is no matter.
    let _ = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::10.0.0.1",
            "64:ff9b::10.0.0.1",
            "2002:a00:1::1",
            "2001::1",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn an_address_is_read_as_a_whole() {
        let target = Target::parse("https://hooks.example.org:8443/gx?a=1").unwrap();
        assert_eq!((target.host.as_str(), target.port), ("hooks.example.org", 8443));
        let six = Target::parse("https://[2606:4700:4700::1111]/").unwrap();
        assert_eq!((six.host.as_str(), six.port), ("2606:4700:4700::1111", 443));
        for (text, message) in [
            ("hooks.example.org", "must be an address"),
            ("/gx", "must be an address"),
            ("https://", "must be an address"),
            ("https://a.example.org/#part", "must be an address"),
            ("ftp://a.example.org/", "must begin with https"),
            ("https://ada:secret@a.example.org/", "must have no name"),
        ] {
            let fault = Target::parse(text).unwrap_err().to_string();
            assert!(fault.starts_with(message), "{text}: {fault}");
        }
    }

    async fn refused(allow_local: bool, text: &str) -> Option<String> {
        let target = Target::parse(text).unwrap();
        Reach { allow_local }.check(&target).await.err().map(|fault| fault.to_string())
    }

    #[tokio::test]
    async fn what_is_private_is_refused_by_number_and_by_name() {
        for text in [
            "https://127.0.0.1/",
            "https://10.0.0.7/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://localhost/",
        ] {
            let fault = refused(false, text).await;
            assert_eq!(
                fault.as_deref(),
                Some("must be an address on the public internet"),
                "{text}"
            );
        }
        assert!(refused(false, "http://1.1.1.1/").await.unwrap().contains("https"));
        assert_eq!(refused(false, "https://1.1.1.1/").await, None);
    }

    #[tokio::test]
    async fn in_development_this_machine_is_reached_and_nothing_else_besides() {
        for text in ["http://127.0.0.1:9/", "http://localhost:9/", "https://[::1]/"] {
            assert_eq!(refused(true, text).await, None, "{text}");
        }
        assert!(refused(true, "http://1.1.1.1/").await.unwrap().contains("https"));
        assert!(refused(true, "http://10.0.0.1/").await.unwrap().contains("public"));
    }

    #[tokio::test]
    async fn the_address_is_looked_at_when_it_is_connected_to() {
        let outbound = Outbound::new(Reach { allow_local: false }).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
            let target = Target::parse(&format!("https://{host}:{port}/")).unwrap();
            let sent = outbound.post(&target, HeaderMap::new(), Bytes::new()).await;
            assert!(matches!(sent, Err(Fault::Private)), "{host}: {sent:?}");
        }
    }
}
