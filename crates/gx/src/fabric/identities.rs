//! `gx fabric dev-identities`: service identities for development networks.
//!
//! It needs the authority's key, which nobody but a Fabric CA holds in production.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use gx_fabric::certificate::ROLE_ATTRIBUTE;
use gx_fabric::issue::{Authority, Key, write_msp_folder};
use gx_types::Role;

use crate::{End, console};

#[derive(Debug, clap::Args)]
pub(crate) struct DevArgs {
    /// MSP that the identities belong to.
    #[arg(long, value_name = "MSP", default_value = "Org1MSP")]
    msp: String,
    /// PEM file of the authority's certificate; without it a new authority is made.
    #[arg(long, value_name = "FILE", requires = "ca_key")]
    ca_cert: Option<PathBuf>,
    /// PEM file of the authority's key.
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    ca_key: Option<PathBuf>,
    /// Folder to write the identities to.
    #[arg(long, value_name = "DIR")]
    wallet: PathBuf,
    /// How long they are valid.
    #[arg(long, value_name = "DAYS", default_value = "365")]
    days: u32,
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(crate) fn develop(args: &DevArgs) -> Result<End> {
    let authority = match (&args.ca_cert, &args.ca_key) {
        (Some(certificate), Some(key)) => Authority::from_pem(&read(certificate)?, &read(key)?)?,
        _ => Authority::generate("gx-dev-ca", args.days)?,
    };
    for role in Role::ALL {
        let key = Key::generate()?;
        let attributes = [(ROLE_ATTRIBUTE, role.as_str())];
        let certificate = authority.issue(role.as_str(), &key, &attributes, args.days)?;
        let folder = args.wallet.join(role.as_str());
        let (ca, pem) = (authority.certificate_pem(), key.pem());
        write_msp_folder(&folder, &args.msp, &certificate, pem, ca)
            .with_context(|| format!("cannot write {}", folder.display()))?;
        console::line(format_args!("{role}: {}", folder.display()));
    }
    Ok(End::Done)
}
