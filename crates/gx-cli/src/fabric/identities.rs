//! `gx fabric enroll`, `reenroll` and `dev-identities`: where the wallet's identities come from.
//!
//! The last one needs the authority's key, which nobody but a Fabric CA holds in production.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use gx_fabric::Identity;
use gx_fabric::authority::{CaServer, Enrolled};
use gx_fabric::certificate::ROLE_ATTRIBUTE;
use gx_fabric::issue::{Authority, Key, write_msp_folder};
use gx_types::Role;

use crate::settings::{self, CA_SECRET};
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

/// The Fabric CA that is asked.
#[derive(Debug, clap::Args)]
struct Ca {
    /// Address of the CA, such as `https://ca.org1.example.com:7054`
    #[arg(long, value_name = "URL", env = "FABRIC_CA_URL")]
    ca: String,
    /// PEM file of the authority of its TLS certificate.
    #[arg(long, value_name = "FILE", env = "FABRIC_CA_TLS_CERT_PATH")]
    ca_tls: Option<PathBuf>,
    /// Name of the CA, when the server has several.
    #[arg(long, value_name = "NAME", env = "FABRIC_CA_NAME")]
    ca_name: Option<String>,
    /// Folder of the identities.
    #[arg(long, value_name = "DIR", env = "FABRIC_WALLET_PATH")]
    wallet: PathBuf,
}

impl Ca {
    fn server(&self) -> Result<CaServer> {
        let tls_ca = self.ca_tls.as_deref().map(read).transpose()?;
        Ok(CaServer { url: self.ca.clone(), tls_ca, ca_name: self.ca_name.clone() })
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct EnrollArgs {
    #[command(flatten)]
    ca: Ca,
    /// Name at the CA; the identity's folder gets it too.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// MSP that the CA issues for.
    #[arg(long, value_name = "MSP", env = "FABRIC_MSP_ID")]
    msp: String,
    /// Registers the name first, with this role as its attribute gxc_role.
    #[arg(long, value_name = "ROLE", requires = "registrar", conflicts_with = "secret_file")]
    role: Option<Role>,
    /// MSP folder of an identity that may register names, outside of the wallet.
    #[arg(long, value_name = "DIR", requires = "role")]
    registrar: Option<PathBuf>,
    /// File whose first line is the secret of a name that is registered already; without it the
    /// environment variable FABRIC_CA_SECRET.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// It is an identity without a role: one that registers others.
    #[arg(long, conflicts_with = "role")]
    no_role: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReenrollArgs {
    #[command(flatten)]
    ca: Ca,
    /// Identity of the wallet. The one in use now is kept beside the new one.
    #[arg(long, value_name = "NAME")]
    name: String,
}

pub(crate) async fn enroll(args: &EnrollArgs) -> Result<End> {
    let folder = args.ca.wallet.join(&args.name);
    if folder.exists() {
        bail!("{} exists; gx fabric reenroll renews it", folder.display());
    }
    let (server, name) = (args.ca.server()?, &args.name);
    let enrolled = match (&args.registrar, args.role) {
        (Some(registrar), Some(role)) => {
            let registrar = Identity::from_msp_folder(registrar, None).context("the registrar")?;
            server.register_and_enroll(&registrar, name, role).await?
        }
        _ => server.enroll(name, &args.secret()?).await?,
    };
    write(&folder, name, &args.msp, &enrolled)?;
    tell(&folder, name, args.no_role)
}

impl EnrollArgs {
    fn secret(&self) -> Result<String> {
        match &self.secret_file {
            Some(path) => Ok(read(path)?.lines().next().unwrap_or_default().to_owned()),
            None => settings::secret(CA_SECRET)
                .with_context(|| format!("give --secret-file, or set {CA_SECRET}")),
        }
    }
}

pub(crate) async fn reenroll(args: &ReenrollArgs) -> Result<End> {
    let folder = args.ca.wallet.join(&args.name);
    let identity = Identity::from_msp_folder(&folder, None)?;
    let enrolled = args.ca.server()?.reenroll(&identity).await?;
    // Not in the wallet, where it would be taken for an identity before it is whole.
    let unfinished = beside(&args.ca.wallet, "new").join(&args.name);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let no_role = identity.role().is_err();
    write(&unfinished, &args.name, identity.msp_id(), &enrolled)?;
    let kept = beside(&args.ca.wallet, "replaced").join(&args.name);
    fs::create_dir_all(kept.parent().unwrap_or(&kept))?;
    if kept.exists() {
        fs::remove_dir_all(&kept)?;
    }
    fs::rename(&folder, &kept)?;
    fs::rename(&unfinished, &folder)?;
    // Empty now, unless somebody renews another identity at the same time.
    let _ = fs::remove_dir(beside(&args.ca.wallet, "new"));
    tell(&folder, &args.name, no_role)
}

/// A folder beside the wallet, on the same disk.
fn beside(wallet: &Path, what: &str) -> PathBuf {
    let name = wallet.file_name().unwrap_or_default().to_string_lossy();
    wallet.with_file_name(format!("{name}.{what}"))
}

/// Checks what the CA has issued, and writes it.
fn write(folder: &Path, name: &str, msp_id: &str, enrolled: &Enrolled) -> Result<()> {
    let Enrolled { key, certificate_pem, chain_pem } = enrolled;
    Identity::from_pem(name, msp_id, certificate_pem.as_bytes(), key.pem())
        .map_err(|reason| anyhow!("the CA's answer: {reason}"))?;
    write_msp_folder(folder, msp_id, certificate_pem, key.pem(), chain_pem)
        .with_context(|| format!("cannot write {}", folder.display()))
}

/// Says which role the identity has; a service's without one is a finding.
fn tell(folder: &Path, name: &str, no_role: bool) -> Result<End> {
    match Identity::from_msp_folder(folder, None)?.role() {
        Ok(role) => {
            console::line(format_args!("{name}: {role}, {}", folder.display()));
            Ok(End::Done)
        }
        Err(_) if no_role => {
            console::line(format_args!("{name}: no role, {}", folder.display()));
            Ok(End::Done)
        }
        Err(error) => {
            console::line(format_args!("{name}: {error}; register it with gxc_role=<role>:ecert"));
            Ok(End::Findings)
        }
    }
}
