//! A Fabric network in this process: two peers, a gateway, and orderers that cut a block for each
//! transaction unless told otherwise.
//!
//! Its semantics are Fabric's: a transaction does not see its own writes, versions that were read
//! are compared at commit, endorsements must be equal, the first copy of an id counts. So is what
//! is signed: its configuration, its blocks and its endorsements are such as a peer gives them out.

mod forwarder;
mod gateway;
mod ledger;
mod members;
mod peer;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gx_fabric::chaincode::{self, Access};
use gx_fabric::issue::{Authority, Key, write_msp_folder};
use gx_fabric::proto::{ChannelHeader, Header, Proposal, SignedProposal};
use gx_fabric::{Deadlines, FabricEngine, Options, PeerAddress, Peers, Wallet};
use gx_types::{Role, TimeMs};
use prost::Message;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use forwarder::Forwarder;
pub use ledger::Ledger;
use members::Members;
use peer::Peer;

pub const CHAINCODE_ID: &str = "gxtv3_1:00";
pub const CHANNEL: &str = "testchannel";
pub const CHAINCODE: &str = "gxtv3";

/// What goes wrong, once, when it is next possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
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
    /// The gateway takes the transaction and never answers.
    Silent,
    /// No endorser answers in time.
    EndorsementSilent,
    /// The peers of an organization that the policy needs are away.
    OrganizationAway,
    /// The peer refuses the identity.
    AccessDenied,
    /// The record of the batch is longer than the contract lets be ordered.
    RecordTooLarge,
    /// The stream of blocks breaks after one more block.
    StreamCut,
}

/// Whether the peers offer many keys at once, as Fabric 3.1 does and 2.5 does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    V2,
    V3,
}

/// What tests and the gateway share.
#[derive(Debug)]
pub struct Shared {
    pub ledger: Mutex<Ledger>,
    members: Arc<Members>,
    faults: Mutex<Vec<Fault>>,
    /// How far the submitters' clocks are ahead of this machine's, in seconds.
    ahead: AtomicI64,
}

impl Shared {
    fn new(clients: &Authority) -> Self {
        let members = Arc::new(Members::generate(clients));
        Self {
            ledger: Mutex::new(Ledger::new(members.clone())),
            members,
            faults: Mutex::default(),
            ahead: AtomicI64::default(),
        }
    }

    /// Whether a fault is due here; it is then spent.
    fn takes(&self, fault: Fault) -> bool {
        let mut faults = self.faults.lock().unwrap();
        let found = faults.iter().position(|due| *due == fault);
        found.map(|at| faults.remove(at)).is_some()
    }

    /// The proposal as a submitter whose clock is ahead would have made it.
    fn later(&self, signed: SignedProposal) -> SignedProposal {
        let ahead = self.ahead.load(Ordering::SeqCst);
        if ahead == 0 {
            return signed;
        }
        let mut proposal = Proposal::decode(signed.proposal_bytes.as_slice()).unwrap();
        let mut header = Header::decode(proposal.header.as_slice()).unwrap();
        let mut channel = ChannelHeader::decode(header.channel_header.as_slice()).unwrap();
        channel.timestamp.as_mut().unwrap().seconds += ahead;
        header.channel_header = channel.encode_to_vec();
        proposal.header = header.encode_to_vec();
        SignedProposal { proposal_bytes: proposal.encode_to_vec(), ..signed }
    }
}

/// A channel with a peer of each of two organizations, their gateway and their orderers.
#[derive(Debug)]
pub struct Network {
    pub shared: Arc<Shared>,
    pub chaincode: SocketAddr,
    /// The chaincode server of each peer.
    servers: [SocketAddr; 2],
    pub gateway: SocketAddr,
    pub wallet: Wallet,
    pub stop_chaincode: CancellationToken,
    stop_gateway: CancellationToken,
    release: Release,
    authority: Authority,
    folder: TempDir,
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop_chaincode.cancel();
        self.stop_gateway.cancel();
    }
}

/// Starts a chaincode server.
pub async fn serve_chaincode(listener: TcpListener, stop: CancellationToken) {
    let access = Access::read(["Org1MSP", "Org2MSP=gx_partner_api"]).unwrap();
    let grace = Duration::from_secs(5);
    let chaincode_id = CHAINCODE_ID.to_owned();
    let chaincode = CHAINCODE.to_owned();
    let options = chaincode::Options { chaincode_id, chaincode, access, tls: None, grace };
    chaincode::serve(listener, options, stop).await.unwrap();
}

async fn serve_gateway(
    shared: Arc<Shared>,
    servers: [SocketAddr; 2],
    release: Release,
) -> (SocketAddr, CancellationToken) {
    let stop = CancellationToken::new();
    let peers = servers.map(|server| Peer::new(server, release));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(gateway::serve(listener, shared, peers, stop.clone()));
    (address, stop)
}

/// Time since 1970.
#[expect(clippy::disallowed_methods, reason = "proposals have this machine's time too")]
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

fn wallet(folder: &Path) -> (Authority, Wallet) {
    let authority = Authority::generate("ca.org1", 10).unwrap();
    for role in Role::ALL {
        issue(&authority, folder, role, 10);
    }
    (authority, Wallet::open(folder, None).unwrap())
}

fn issue(authority: &Authority, folder: &Path, role: Role, days: u32) {
    let key = Key::generate().unwrap();
    let attributes = [("gxc_role", role.as_str())];
    let pem = authority.issue(role.as_str(), &key, &attributes, days).unwrap();
    let path = folder.join(role.as_str());
    // A key is never written over another.
    let _ = std::fs::remove_dir_all(&path);
    write_msp_folder(&path, "Org1MSP", &pem, key.pem(), authority.certificate_pem()).unwrap();
}

impl Network {
    /// Starts peers, gateway and chaincode, with an identity for every role.
    pub async fn start(release: Release) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (authority, wallet) = wallet(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let chaincode = listener.local_addr().unwrap();
        let stop_chaincode = CancellationToken::new();
        tokio::spawn(serve_chaincode(listener, stop_chaincode.clone()));
        let shared = Arc::new(Shared::new(&authority));
        let (gateway, stop_gateway) = serve_gateway(shared.clone(), [chaincode; 2], release).await;
        Self {
            shared,
            chaincode,
            servers: [chaincode; 2],
            gateway,
            wallet,
            stop_chaincode,
            stop_gateway,
            release,
            authority,
            folder,
        }
    }

    /// Ends the gateway's peer and starts it on another port.
    pub async fn move_gateway(&mut self) {
        self.stop_gateway.cancel();
        let moved = serve_gateway(self.shared.clone(), self.servers, self.release).await;
        (self.gateway, self.stop_gateway) = moved;
    }

    /// Gives a peer a chaincode server of its own that knows nothing yet. The gateway moves.
    pub async fn renew_server(&mut self, peer: usize) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.servers[peer] = listener.local_addr().unwrap();
        tokio::spawn(serve_chaincode(listener, self.stop_chaincode.child_token()));
        self.move_gateway().await;
    }

    /// Puts another certificate for a role into the wallet's folder, valid for so many days.
    pub fn issue(&self, role: Role, days: u32) {
        issue(&self.authority, self.folder.path(), role, days);
    }

    /// Where the identities lie.
    pub fn wallet_path(&self) -> &Path {
        self.folder.path()
    }

    /// The wallet as it is now.
    pub fn wallet(&self) -> Wallet {
        Wallet::open(self.folder.path(), None).unwrap()
    }

    /// How a client reaches it.
    pub fn options(&self) -> Options {
        let address: PeerAddress = self.gateway.to_string().parse().unwrap();
        let peers = Peers { addresses: vec![address], ..Peers::default() };
        let mut options = Options::new(peers, CHANNEL, CHAINCODE);
        let second = Duration::from_secs(1);
        options.deadlines = Deadlines { submit: second, commit: second, ..Deadlines::default() };
        options
    }

    /// A client with the wallet's first identities.
    pub fn engine(&self) -> FabricEngine {
        FabricEngine::new(self.options(), &self.wallet).unwrap()
    }

    /// Has things go wrong, in this order, each once.
    pub fn cause(&self, faults: &[Fault]) {
        self.shared.faults.lock().unwrap().extend(faults);
    }

    /// Faults that have not happened.
    pub fn faults_left(&self) -> Vec<Fault> {
        self.shared.faults.lock().unwrap().clone()
    }

    /// Lets days pass for submitters. About the time that follows.
    pub fn pass(&self, days: u32) -> TimeMs {
        let seconds = i64::from(days) * 24 * 60 * 60;
        let ahead = self.shared.ahead.fetch_add(seconds, Ordering::SeqCst) + seconds;
        TimeMs(i64::try_from(now().as_millis()).unwrap() + ahead * 1000)
    }

    /// The channel's values as the contract sees them, without their versions.
    pub fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let ledger = self.shared.ledger.lock().unwrap();
        let text = |value: &[u8]| gx_fabric::packed::unpack(value).unwrap().into_owned();
        let stored = ledger.state.iter().map(|(key, (value, _))| (key.clone(), text(value)));
        gx_fabric::outcomes::as_contract_sees(stored.collect()).unwrap()
    }

    /// Validation codes of all transactions, in the order of the blocks.
    pub fn codes(&self) -> Vec<u8> {
        self.shared.ledger.lock().unwrap().codes()
    }
}
