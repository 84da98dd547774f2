//! The flags that say which network, as whom, and how to reach it.
//!
//! Each has a variable of the environment, so that a pod and a person use the same words.

use std::path::PathBuf;

use anyhow::{Context, Result};
use gx_fabric::{FabricEngine, Options, PeerAddress, Peers, Wallet};

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Network")]
pub struct Connection {
    /// Peers whose gateway is used, host:port, separated by commas; the first that answers.
    #[arg(
        long,
        value_name = "ADDRESSES",
        env = "FABRIC_PEER_ENDPOINT",
        value_delimiter = ',',
        required = true
    )]
    peer: Vec<PeerAddress>,
    /// PEM file of the authority of the peers' TLS certificates; without it there is no TLS.
    #[arg(long, value_name = "FILE", env = "FABRIC_PEER_TLS_CA_CERT_PATH")]
    tls_ca: Option<PathBuf>,
    /// Name in the peers' TLS certificates, when it is not their host name.
    #[arg(long, value_name = "NAME", env = "FABRIC_TLS_SERVER_NAME_OVERRIDE")]
    tls_name: Option<String>,
    /// Folder of the identities.
    #[arg(long, value_name = "DIR", env = "FABRIC_WALLET_PATH")]
    wallet: PathBuf,
    /// MSP of the identities, unless a file mspid beside them names it.
    #[arg(long, value_name = "MSP", env = "FABRIC_MSP_ID")]
    msp: Option<String>,
    #[arg(long, value_name = "NAME", env = "FABRIC_CHANNEL_NAME", default_value = "gxchannel")]
    channel: String,
    #[arg(long, value_name = "NAME", env = "FABRIC_CHAINCODE_NAME", default_value = "gxtv3")]
    chaincode: String,
    /// Organizations that endorse, separated by commas; by default those that the policy asks for.
    #[arg(
        long,
        value_name = "MSPS",
        env = "FABRIC_ENDORSING_ORGANIZATIONS",
        value_delimiter = ','
    )]
    endorsing: Vec<String>,
}

impl Connection {
    pub fn wallet(&self) -> Result<Wallet> {
        Wallet::open(&self.wallet, self.msp.as_deref()).context("the wallet")
    }

    pub fn options(&self) -> Result<Options> {
        let mut peers = Peers {
            addresses: self.peer.clone(),
            tls_server_name: self.tls_name.clone(),
            ..Peers::default()
        };
        if let Some(path) = &self.tls_ca {
            peers = peers.with_tls_ca(path)?;
        }
        let mut options = Options::new(peers, &self.channel, &self.chaincode);
        options.endorsing_organizations.clone_from(&self.endorsing);
        Ok(options)
    }

    pub fn engine(&self) -> Result<FabricEngine> {
        Ok(FabricEngine::new(self.options()?, &self.wallet()?)?)
    }

    pub fn wallet_path(&self) -> &std::path::Path {
        &self.wallet
    }

    pub fn chaincode(&self) -> &str {
        &self.chaincode
    }
}
