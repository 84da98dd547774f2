//! `gx demo`: drives a platform through HTTP as its users and administrators would, keeps books of
//! its own, and compares every figure with them.
//!
//! Without an address it starts a platform on a folder that goes away, lets a society live there
//! on simulated time through everything else that the contract knows, and verifies the files at
//! the end.

mod amounts;
mod api;
mod book;
mod crew;
pub mod crowd;
mod names;
mod payments;
mod people;
mod report;
mod society;
mod stages;

use std::num::NonZeroU8;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use gx_server::calendar::now_ms;
use gx_server::config::Config;
use gx_server::{FIRST_ADMIN, OneTimePassword};
use gx_types::NetworkId;

use crate::client::{Base, Client};
use crew::Crew;
use crowd::Admin;
use gx_cli::scratch::Scratch;
use gx_cli::settings::{ADMIN_PASSWORD, Settings, secret};
use gx_cli::up::Running;
use gx_cli::verify::verify;
use gx_cli::{End, process};
use report::Report;

/// How the demo is set.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// People to register, in all countries by weight.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    users: usize,
    /// Payments to make; some are refused on purpose.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    transfers: usize,
    /// A running platform, such as http://127.0.0.1:3000, instead of a temporary one. The
    /// environment variable GX_ADMIN_PASSWORD holds its administrator's password.
    #[arg(long, value_name = "URL", conflicts_with = "configured")]
    url: Option<Base>,
    /// The platform that the settings name, started in this process, instead of a temporary one.
    /// What the demo does stays there. If it is not new, its administrator's password is needed as
    /// for a running one.
    #[arg(long)]
    configured: bool,
    /// Name of the administrator on the running platform.
    #[arg(long, value_name = "NAME", default_value = FIRST_ADMIN)]
    admin: String,
    /// File whose first line is the administrator's password.
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    /// The same number gives the same people and payments.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Connections to the platform.
    #[arg(long, value_name = "N", default_value = "64")]
    connections: NonZeroU8,
    /// The result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the demo; a figure that is off is a finding.
pub fn run(settings: &Settings, args: &Args) -> Result<End> {
    let configured = args.configured.then(|| settings.load(&[])).transpose()?;
    let report = process::block_on(async {
        match (&args.url, configured) {
            (Some(base), _) => against_running(args, base.clone()).await,
            (None, Some(config)) => against_configured(args, config).await,
            (None, None) => against_temporary(args).await,
        }
    })?;
    report.print(args.json)?;
    Ok(if report.all_right() { End::Done } else { End::Findings })
}

async fn against_running(args: &Args, base: Base) -> Result<Report> {
    let username = args.admin.clone();
    let admin = Admin { username, password: given_password(args)? };
    // Six digits that are not met again for eleven days.
    let run = u32::try_from(now_ms().rem_euclid(1_000_000_000) / 1000).unwrap_or_default();
    drive(args, base, &admin, run).await
}

/// Runs on the platform that the settings name, from its start to its end. No society lives there:
/// it would set the ledger's clock forward.
async fn against_configured(args: &Args, config: Config) -> Result<Report> {
    if config.network == NetworkId::Mainnet {
        bail!("the demo makes people up and pays among them; it does not run on mainnet");
    }
    process::log(&config)?;
    let running = Running::start(config.clone(), &|_| {}).await?;
    let base = Base::new(running.address);
    let driven = match running.first.clone() {
        Some(first) => drive_new(args, base, Some(first)).await,
        None => against_running(args, base).await,
    };
    let is_new = running.first.is_some();
    running.stop().await;
    let mut report = driven?;
    report.verified(verify(&config).await?);
    report.used_up_password = is_new;
    Ok(report)
}

fn given_password(args: &Args) -> Result<String> {
    if let Some(path) = &args.admin_password_file {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(text.lines().next().unwrap_or_default().to_owned());
    }
    secret(ADMIN_PASSWORD)
        .with_context(|| format!("the demo needs the administrator's password in {ADMIN_PASSWORD}"))
}

/// Runs on a platform of its own and then verifies what is left in its files.
async fn against_temporary(args: &Args) -> Result<Report> {
    let folder = Scratch::make(Path::new("."), "demo")?;
    let data = folder.path().join("data").display().to_string();
    let flags = [
        ("data_dir", data),
        ("http.port", "0".to_owned()),
        ("log.level", "error".to_owned()),
        // The passwords of people who do not exist need no protection, and hashing them well would
        // take longer than everything else together.
        ("auth.argon2_memory_kib", "64".to_owned()),
        ("auth.argon2_iterations", "1".to_owned()),
        // The society lives through years, and asks for its taxes itself.
        ("tax.interval_seconds", "0".to_owned()),
    ];
    let config = Config::load(None, [], &flags)?;
    let running = Running::start(config.clone(), &|_| {}).await?;
    let base = Base::new(running.address);
    let driven = async {
        let mut report = drive_new(args, base, running.first.clone()).await?;
        society::live(&running.platform, args.seed, &mut report).await?;
        anyhow::Ok(report)
    };
    let driven = driven.await;
    running.stop().await;
    let mut report = driven?;
    report.verified(verify(&config).await?);
    Ok(report)
}

/// Runs on a new platform: its administrator first replaces the one-time password.
async fn drive_new(args: &Args, base: Base, first: Option<OneTimePassword>) -> Result<Report> {
    let OneTimePassword { username, password } = first.context("a new platform has no admin")?;
    let admin = crowd::replace_password(&base, Admin { username, password }).await?;
    drive(args, base, &admin, 0).await
}

async fn drive(args: &Args, base: Base, admin: &Admin, run: u32) -> Result<Report> {
    let mut client = Client::new(base.clone());
    let (_, settled) = api::admin_login(&mut client, &admin.username, &admin.password).await?;
    if !settled {
        bail!(
            "{} still has the one-time password; replace it first: \
             POST /api/v1/admin/auth/password/change",
            admin.username
        );
    }
    let platform = api::version(&mut client).await?;
    let workers = usize::from(args.connections.get());
    let crew = Crew { base, workers };
    let mut report = stages::run(args, &crew, admin, run).await?;
    report.on(platform);
    Ok(report)
}
