//! `gx chaincode`: the contract as a server that Fabric's peers connect to.
//!
//! One server can serve any number of peers. It keeps no state; it may be stopped at any time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use gx_fabric::chaincode::{self, Access, Options, Tls};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;
use crate::{End, console, process, supervisor};

/// How long running transactions may take after a signal: a call may take 30 s at the peer.
const GRACE: Duration = Duration::from_secs(25);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on.
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "CHAINCODE_SERVER_ADDRESS",
        default_value = "127.0.0.1:9999"
    )]
    address: String,
    /// Package id that the peers gave when the chaincode was installed, label:hash.
    #[arg(long, value_name = "ID", env = "CHAINCODE_ID")]
    id: String,
    /// Name of the chaincode's definition on the channel; what another chaincode passes on is
    /// refused.
    #[arg(long, value_name = "NAME", env = "FABRIC_CHAINCODE_NAME", default_value = "gxtv3")]
    chaincode: String,
    /// Organizations that may submit, each under all roles or, as MSP=ROLE,ROLE, under some; the
    /// same list at every organization.
    #[arg(
        long,
        value_name = "MSP",
        env = "CHAINCODE_ACCESS",
        value_delimiter = ';',
        required = true
    )]
    allow: Vec<String>,
    /// PEM file of the server's TLS certificate.
    #[arg(long, value_name = "FILE", env = "CHAINCODE_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file of its key.
    #[arg(long, value_name = "FILE", env = "CHAINCODE_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// PEM file of the authority of the peers' client certificates; they must then show one.
    #[arg(long, value_name = "FILE", env = "CHAINCODE_TLS_CLIENT_CA", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

impl Args {
    fn options(&self) -> Result<Options> {
        let access = Access::read(self.allow.iter().map(String::as_str))?;
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls {
                certificate: read(certificate)?,
                key: read(key)?,
                client_ca: self.tls_client_ca.as_deref().map(read).transpose()?,
            }),
            _ => None,
        };
        let (chaincode_id, chaincode) = (self.id.clone(), self.chaincode.clone());
        Ok(Options { chaincode_id, chaincode, access, tls, grace: GRACE })
    }
}

/// Serves until asked to stop.
pub fn run(settings: &Settings, args: &Args) -> Result<End> {
    process::log(&settings.load_without_network()?)?;
    let options = args.options()?;
    process::block_on(async {
        let signal = process::stop_signal()?;
        let listener = TcpListener::bind(&args.address).await;
        let listener = listener.with_context(|| format!("cannot listen on {}", args.address))?;
        console::line(format_args!("ready: chaincode {} on {}", args.id, listener.local_addr()?));
        let supervised = supervisor::listening();
        supervisor::status("serving");
        let stop = CancellationToken::new();
        let serving = chaincode::serve(listener, options, stop.clone());
        let mut serving = std::pin::pin!(serving);
        tokio::select! {
            served = &mut serving => served?,
            () = signal => {
                supervised.stopping();
                stop.cancel();
                serving.await?;
            }
        }
        Ok(End::Done)
    })
}
