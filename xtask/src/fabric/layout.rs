//! Names, ports and paths of the development network. All addresses are loopback.
//!
//! The ports are fixed, so that one network runs at a time and configuration can be written down.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

pub(crate) const CHANNEL: &str = "gxchannel";
pub(crate) const CHAINCODE: &str = "gxtv3";
pub(crate) const CHAINCODE_ADDRESS: &str = "127.0.0.1:19000";
pub(crate) const HOST: &str = "127.0.0.1";

const PROGRAMS: [&str; 5] = ["peer", "orderer", "configtxgen", "cryptogen", "osnadmin"];

/// Where things are.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    home: PathBuf,
    folder: PathBuf,
}

/// An orderer, by its number from 1 on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Orderer(pub(crate) u16);

/// A peer of an organization, both counted as Fabric's samples do: peer0 of org1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) number: u16,
    pub(crate) org: u16,
}

impl Orderer {
    pub(crate) fn name(self) -> String {
        format!("orderer{}", self.0)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        (1..=5).map(Self).find(|orderer| orderer.name() == name)
    }

    pub(crate) fn port(self) -> u16 {
        17_000 + 10 * self.0
    }

    pub(crate) fn admin_port(self) -> u16 {
        self.port() + 1
    }

    pub(crate) fn operations_port(self) -> u16 {
        self.port() + 2
    }
}

impl Peer {
    /// The first `count` peers: the first of each organization, then the second of each.
    pub(crate) fn all(count: u16) -> Vec<Self> {
        let both = |number| [Self { number, org: 1 }, Self { number, org: 2 }];
        (0..count.div_ceil(2)).flat_map(both).collect()
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all(4).into_iter().find(|peer| peer.name() == name)
    }

    pub(crate) fn name(self) -> String {
        format!("peer{}-org{}", self.number, self.org)
    }

    pub(crate) fn port(self) -> u16 {
        18_000 + 100 * self.org + 10 * self.number
    }

    pub(crate) fn chaincode_port(self) -> u16 {
        self.port() + 1
    }

    pub(crate) fn operations_port(self) -> u16 {
        self.port() + 2
    }
}

pub(crate) fn msp_id(org: u16) -> String {
    format!("Org{org}MSP")
}

impl Layout {
    pub(crate) fn new(home: PathBuf, folder: PathBuf) -> Result<Self> {
        for program in PROGRAMS {
            let path = home.join("bin").join(program);
            ensure!(path.is_file(), "{} is missing", path.display());
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (home, folder) = (home.canonicalize()?, folder.canonicalize()?);
        Ok(Self { home, folder })
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.home.join("bin").join(name)
    }

    /// The release's own configuration files.
    pub(crate) fn config(&self) -> PathBuf {
        self.home.join("config")
    }

    /// The release's builder of chaincode as a service, if it came with one.
    pub(crate) fn builder(&self) -> Option<PathBuf> {
        let folder = self.home.join("builders/ccaas");
        let whole = ["detect", "build", "release"].map(|name| folder.join("bin").join(name));
        whole.iter().all(|path| path.is_file()).then_some(folder)
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn crypto(&self) -> PathBuf {
        self.folder.join("crypto")
    }

    pub(crate) fn wallet(&self) -> PathBuf {
        self.folder.join("wallet")
    }

    pub(crate) fn genesis(&self) -> PathBuf {
        self.folder.join("channel.block")
    }

    pub(crate) fn data(&self, node: &str) -> PathBuf {
        self.folder.join("data").join(node)
    }

    pub(crate) fn orderer_org(&self) -> PathBuf {
        self.crypto().join("ordererOrganizations/orderer.gx.local")
    }

    pub(crate) fn orderer_ca(&self) -> PathBuf {
        self.orderer_org().join("tlsca/tlsca.orderer.gx.local-cert.pem")
    }

    pub(crate) fn orderer(&self, orderer: Orderer) -> PathBuf {
        self.orderer_org().join(format!("orderers/orderer{}.orderer.gx.local", orderer.0))
    }

    pub(crate) fn org(&self, org: u16) -> PathBuf {
        self.crypto().join(format!("peerOrganizations/org{org}.gx.local"))
    }

    pub(crate) fn org_tls_ca(&self, org: u16) -> PathBuf {
        self.org(org).join(format!("tlsca/tlsca.org{org}.gx.local-cert.pem"))
    }

    pub(crate) fn org_admin(&self, org: u16) -> PathBuf {
        self.org(org).join(format!("users/Admin@org{org}.gx.local/msp"))
    }

    pub(crate) fn peer(&self, peer: Peer) -> PathBuf {
        self.org(peer.org).join(format!("peers/peer{}.org{}.gx.local", peer.number, peer.org))
    }

    /// What clients of the network set.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let gateway = Peer { number: 0, org: 1 };
        vec![
            ("FABRIC_PEER_ENDPOINT", format!("{HOST}:{}", gateway.port())),
            ("FABRIC_PEER_TLS_CA_CERT_PATH", self.org_tls_ca(1).display().to_string()),
            ("FABRIC_WALLET_PATH", self.wallet().display().to_string()),
            ("FABRIC_CHANNEL_NAME", CHANNEL.to_owned()),
            ("FABRIC_CHAINCODE_NAME", CHAINCODE.to_owned()),
        ]
    }
}
