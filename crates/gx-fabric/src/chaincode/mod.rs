//! The chaincode: a server that peers connect to (chaincode as a service), for Fabric 2.5 and 3.
//!
//! Each peer keeps one stream, on which many transactions run at once. A transaction that fails,
//! or whose rule panics, fails alone. The server stops when its running transactions are done.

mod access;
mod outcomes;
mod session;
mod state;
mod transaction;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fabric_shim_protos::peer::chaincode_server;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status, Streaming};

use crate::proto::ChaincodeMessage;
use crate::{Error, MESSAGE_BYTES_MAX};

pub(crate) use transaction::surface_digest;

pub use access::{Access, WrongAccess};

const PING_EVERY: Duration = Duration::from_secs(60);
const PING_MAX: Duration = Duration::from_secs(20);

/// Messages that wait for a slow peer before the transaction that makes them waits too.
const OUTBOUND: usize = 64;

/// Batches that are executed at once, whoever sends them. Of those that follow the same state one
/// alone can become valid; the others only take memory.
const BATCHES_MAX: usize = 4;

/// What the transactions of a server share.
#[derive(Debug)]
struct Serving {
    options: Options,
    turns: Semaphore,
    channels: outcomes::Channels,
}

/// PEM texts of the server's certificate, its key, and of the authority of the peers' client
/// certificates if they must show one.
#[derive(Clone, Default)]
pub struct Tls {
    pub certificate: String,
    pub key: String,
    pub client_ca: Option<String>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("mutual", &self.client_ca.is_some()).finish_non_exhaustive()
    }
}

/// What a chaincode server is.
#[derive(Debug, Clone)]
pub struct Options {
    /// The package id that the peers know it by, `label:hash`.
    pub chaincode_id: String,
    /// The name of its definition on the channel. Commands that another chaincode passes on are
    /// refused: nobody who reads blocks would see them.
    pub chaincode: String,
    /// Which organizations may submit under which role.
    pub access: Access,
    pub tls: Option<Tls>,
    /// How long running transactions may take once the server has been asked to stop.
    pub grace: Duration,
}

/// Serves peers until `stop`, and then until the running transactions are done.
///
/// # Errors
/// [`Error::Settings`] when the TLS files do not fit or the listener fails.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    stop: CancellationToken,
) -> Result<(), Error> {
    let unfit = |error: tonic::transport::Error| Error::Settings(gx_types::with_causes(&error));
    let mut server = Server::builder()
        .http2_keepalive_interval(Some(PING_EVERY))
        .http2_keepalive_timeout(Some(PING_MAX))
        .initial_stream_window_size(8 << 20)
        .initial_connection_window_size(16 << 20);
    if let Some(tls) = &options.tls {
        let identity = Identity::from_pem(&tls.certificate, &tls.key);
        let mut config = ServerTlsConfig::new().identity(identity);
        if let Some(ca) = &tls.client_ca {
            config = config.client_ca_root(Certificate::from_pem(ca));
        }
        server = server.tls_config(config).map_err(unfit)?;
    }
    let grace = options.grace;
    let tracker = TaskTracker::new();
    let serving = Arc::new(Serving {
        options,
        turns: Semaphore::new(BATCHES_MAX),
        channels: outcomes::Channels::default(),
    });
    let service = Service { serving, stop: stop.clone(), sessions: tracker.clone() };
    let service = chaincode_server::ChaincodeServer::new(service)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let asked = stop.clone();
    // Each small request for state waits for its answer: nothing may be held back to be joined.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving = server
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, async move { asked.cancelled().await });
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended.map_err(unfit),
        () = stop.cancelled() => {}
    }
    tracker.close();
    let _ = tokio::time::timeout(grace, tracker.wait()).await;
    // The streams have ended; what is left is closing connections.
    match tokio::time::timeout(Duration::from_secs(1), serving).await {
        Ok(ended) => ended.map_err(unfit),
        Err(_) => Ok(()),
    }
}

#[derive(Debug)]
struct Service {
    serving: Arc<Serving>,
    stop: CancellationToken,
    sessions: TaskTracker,
}

#[tonic::async_trait]
impl chaincode_server::Chaincode for Service {
    type ConnectStream = ReceiverStream<Result<ChaincodeMessage, Status>>;

    async fn connect(
        &self,
        request: Request<Streaming<ChaincodeMessage>>,
    ) -> Result<Response<Self::ConnectStream>, Status> {
        let peer = request.remote_addr();
        let (outbound, messages) = tokio::sync::mpsc::channel(OUTBOUND);
        let session = session::Session::new(self.serving.clone(), outbound, self.stop.clone());
        let inbound = request.into_inner();
        self.sessions.spawn(async move {
            let peer = peer.map_or_else(String::new, |peer: SocketAddr| peer.to_string());
            tracing::info!(peer, "a peer has connected");
            match session.run(inbound).await {
                Ok(()) => tracing::info!(peer, "a peer's stream has ended"),
                Err(status) => tracing::warn!(peer, %status, "a peer's stream has broken"),
            }
        });
        Ok(Response::new(ReceiverStream::new(messages)))
    }
}
