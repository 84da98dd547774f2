//! An address that leads to a peer wherever it is now, as a name or a service does. Connections are
//! cut when it leads elsewhere, and on demand.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Leads connections to a peer.
#[derive(Debug)]
pub struct Forwarder {
    pub address: SocketAddr,
    target: watch::Sender<SocketAddr>,
    _serving: JoinSet<()>,
}

impl Forwarder {
    /// Leads to this address at first.
    pub async fn to(target: SocketAddr) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), target)
    }

    /// Leads from a listener of the test's own.
    pub fn on(listener: TcpListener, target: SocketAddr) -> Self {
        let address = listener.local_addr().unwrap();
        let (target, now) = watch::channel(target);
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, now));
        Self { address, target, _serving: serving }
    }

    /// Cuts every connection; new ones lead to the target.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.target.send_modify(|_| ());
    }
}

async fn serve(listener: TcpListener, target: watch::Receiver<SocketAddr>) {
    let mut open = JoinSet::new();
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut target = target.clone();
        open.spawn(async move {
            let address = *target.borrow_and_update();
            let Ok(mut server) = TcpStream::connect(address).await else { return };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _ = target.changed() => {}
            }
        });
    }
}
