//! A Fabric network in this process: two peers, a gateway, and an orderer that cuts a block for
//! each transaction unless told otherwise.
//!
//! Its semantics are Fabric's: a transaction does not see its own writes, versions that were read
//! are compared at commit, endorsements must be equal, the first copy of an id counts.

mod gateway;
mod ledger;
mod peer;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gx_fabric::chaincode::{self, Access};
use gx_fabric::issue::{Authority, Key, write_msp_folder};
use gx_fabric::{Deadlines, Engine, Options, PeerAddress, Peers, Wallet};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use ledger::Ledger;
pub(crate) use peer::Peer;

pub(crate) const CHAINCODE_ID: &str = "gxtv3_1:00";
pub(crate) const CHANNEL: &str = "testchannel";
pub(crate) const CHAINCODE: &str = "gxtv3";

/// What goes wrong, once, when it is next possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The orderers take the transaction, and the answer is lost.
    SubmitAnswerLost,
    /// The transaction is lost on its way to the orderers.
    SubmitLost,
    /// The answer about the commit is lost.
    StatusLost,
    /// The peers' results differ.
    Mismatch,
    /// Another transaction that wrote the clock comes first in the block.
    Overtaken,
    /// The gateway's connection is refused from now on until the next fault is taken.
    Unavailable,
    /// The gateway takes the request and never answers.
    Silent,
    /// The peer refuses the identity.
    AccessDenied,
    /// The stream of blocks breaks after one more block.
    StreamCut,
}

/// Whether the peers offer many keys at once, as Fabric 3.1 does and 2.5 does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    V2,
    V3,
}

/// What tests and the gateway share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) ledger: Mutex<Ledger>,
    faults: Mutex<Vec<Fault>>,
}

impl Shared {
    /// Whether a fault is due here; it is then spent.
    fn takes(&self, fault: Fault) -> bool {
        let mut faults = self.faults.lock().unwrap();
        let found = faults.iter().position(|due| *due == fault);
        found.map(|at| faults.remove(at)).is_some()
    }
}

pub(crate) struct Network {
    pub(crate) shared: Arc<Shared>,
    pub(crate) chaincode: SocketAddr,
    pub(crate) gateway: SocketAddr,
    pub(crate) wallet: Wallet,
    pub(crate) stop_chaincode: CancellationToken,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop_chaincode.cancel();
        self.stop.cancel();
    }
}

/// Starts a chaincode server.
pub(crate) async fn serve_chaincode(listener: TcpListener, stop: CancellationToken) {
    let access = Access::read(["Org1MSP"]).unwrap();
    let grace = Duration::from_secs(5);
    let chaincode_id = CHAINCODE_ID.to_owned();
    let options = chaincode::Options { chaincode_id, access, tls: None, grace };
    chaincode::serve(listener, options, stop).await.unwrap();
}

pub(crate) fn wallet() -> (TempDir, Wallet) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::generate("ca.org1", 10).unwrap();
    for role in gx_types::Role::ALL {
        let key = Key::generate().unwrap();
        let attributes = [("gxc_role", role.as_str())];
        let pem = authority.issue(role.as_str(), &key, &attributes, 10).unwrap();
        let path = folder.path().join(role.as_str());
        write_msp_folder(&path, "Org1MSP", &pem, key.pem(), authority.certificate_pem()).unwrap();
    }
    let wallet = Wallet::open(folder.path(), None).unwrap();
    (folder, wallet)
}

impl Network {
    pub(crate) async fn start(release: Release) -> Self {
        let (folder, wallet) = wallet();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let chaincode = listener.local_addr().unwrap();
        let (stop, stop_chaincode) = (CancellationToken::new(), CancellationToken::new());
        tokio::spawn(serve_chaincode(listener, stop_chaincode.clone()));
        let shared = Arc::<Shared>::default();
        let peers = [Peer::new(chaincode, release), Peer::new(chaincode, release)];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = listener.local_addr().unwrap();
        tokio::spawn(gateway::serve(listener, shared.clone(), peers, stop.clone()));
        Self { shared, chaincode, gateway, wallet, stop_chaincode, stop, _folder: folder }
    }

    pub(crate) fn options(&self) -> Options {
        let address: PeerAddress = self.gateway.to_string().parse().unwrap();
        let peers = Peers { addresses: vec![address], ..Peers::default() };
        let mut options = Options::new(peers, CHANNEL, CHAINCODE);
        let second = Duration::from_secs(1);
        options.deadlines = Deadlines { submit: second, commit: second, ..Deadlines::default() };
        options
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(self.options(), &self.wallet).unwrap()
    }

    pub(crate) fn cause(&self, faults: &[Fault]) {
        self.shared.faults.lock().unwrap().extend(faults);
    }

    /// Faults that have not happened.
    pub(crate) fn faults_left(&self) -> Vec<Fault> {
        self.shared.faults.lock().unwrap().clone()
    }

    /// Validation codes of all transactions, in the order of the blocks.
    pub(crate) fn codes(&self) -> Vec<u8> {
        self.shared.ledger.lock().unwrap().codes()
    }
}
