//! The roles of the platform, each in a process of its own, and the small commands around them.
//!
//! `gx up` plays all of them at once. The embedded ledger has one owner, so on it submitter and
//! projector run in one process.

use anyhow::Result;
use gx_server::calendar::rfc3339;
use gx_server::config::Config;
use gx_server::{
    Build, Listening, Platform, Services, StartError, Starting, Workers, openapi, routes,
};
use gx_store::{Store, admin::audit};
use tokio_util::sync::CancellationToken;

use crate::settings::Settings;
use crate::{End, backup, console, process, rebuild, supervisor, up};

/// `gx serve`
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Services, separated by commas, each on its own port.
    #[arg(long, value_delimiter = ',', default_value = "all", value_name = "NAMES")]
    service: Vec<Services>,
}

/// `gx submitter`
#[derive(Debug, clap::Args)]
pub struct SubmitterArgs {
    /// Projects in the same process too, as only one process can open the embedded ledger.
    #[arg(long)]
    projector: bool,
}

/// `gx projector`
#[derive(Debug, clap::Args)]
pub struct ProjectorArgs {
    /// Empties the read models, fills them again from the first block, and ends.
    #[arg(long)]
    rebuild: bool,
}

/// Serves HTTP until asked to stop.
pub fn serve(settings: &Settings, args: &ServeArgs) -> Result<End> {
    let config = settings.load(&[])?;
    process::log(&config)?;
    process::block_on(play(config, Workers::NONE, &args.service))
}

/// Submits, and projects if asked to, until asked to stop.
pub fn submitter(settings: &Settings, args: &SubmitterArgs) -> Result<End> {
    work(settings.load(&[])?, Workers { submitter: true, projector: args.projector })
}

/// Projects until asked to stop, or fills the read models anew.
pub fn projector(settings: &Settings, args: &ProjectorArgs) -> Result<End> {
    let config = settings.load(&[])?;
    if !args.rebuild {
        return work(config, Workers { submitter: false, projector: true });
    }
    process::log(&config)?;
    process::block_on(async {
        let rebuilt = rebuild::read_models(config).await?;
        let blocks = console::thousands(rebuilt.blocks);
        console::line(format_args!("read models filled anew from {blocks} blocks"));
        Ok(End::Done)
    })
}

fn work(config: Config, workers: Workers) -> Result<End> {
    process::log(&config)?;
    let services = if workers.submitter { Services::Submitter } else { Services::Projector };
    process::block_on(play(config, workers, &[services]))
}

/// Plays roles until asked to stop, also when that comes while something is waited for.
async fn play(config: Config, workers: Workers, services: &[Services]) -> Result<End> {
    let mut signal = std::pin::pin!(process::stop_signal()?);
    // The ports first: what cannot listen should leave no trace.
    let mut listeners = Vec::new();
    for &services in services {
        listeners.push((services, up::listen(&config, services).await?));
    }
    let (starting, stop) = (Starting::patient(), CancellationToken::new());
    let mut open = Vec::new();
    for (services, listener) in listeners {
        let (address, shutdown) = (listener.local_addr()?, stop.clone().cancelled_owned());
        let listening = Listening::open(&config, &starting, listener, services, shutdown);
        open.push((services, address, listening));
    }
    let supervised = supervisor::listening();
    let start = async {
        let platform = Platform::start(config, workers, false, &starting).await?;
        let app = match workers {
            Workers::NONE => Some(platform.app(BUILD, &starting).await?),
            Workers { .. } => None,
        };
        Ok::<_, StartError>((platform, app))
    };
    let (platform, app) = tokio::select! {
        started = start => started?,
        () = &mut signal => return Ok(End::Done),
    };
    let gate = backup::gate(&platform);
    for (services, address, listening) in &open {
        match &app {
            Some(app) => listening.ready(app),
            None => listening.working(&platform, BUILD),
        }
        console::line(format_args!("ready: {} on http://{address}", services.as_str()));
    }
    supervisor::status("serving");
    signal.await;
    supervised.stopping();
    stop.cancel();
    drop(gate);
    for (.., listening) in open {
        listening.ended().await;
    }
    platform.stop().await;
    Ok(End::Done)
}

/// Brings the database's schema up to date.
pub fn migrate(settings: &Settings) -> Result<End> {
    let config = settings.load(&[])?;
    process::block_on(async {
        std::fs::create_dir_all(&config.data_dir)?;
        let store = Store::connect(&config.store().map_err(gx_store::Error::from)?).await?;
        let migrated = store.migrate(config.network).await?;
        store.close().await;
        for name in &migrated.ran {
            console::line(format_args!("migrated: {name}"));
        }
        let (version, network) = (migrated.version, config.network);
        console::line(format_args!("schema version {version}, network {network}"));
        Ok(End::Done)
    })
}

/// Prints the settings in effect, secrets masked, and their digest.
pub fn config(settings: &Settings) -> Result<End> {
    let config = settings.load(&[])?;
    console::line(config.render_masked().trim_end());
    console::line(format_args!("\n# digest {}", config.digest()));
    Ok(End::Done)
}

/// Prints the API description.
pub fn print_openapi() -> Result<End> {
    console::line(serde_json::to_string_pretty(&openapi(routes(), Services::All))?);
    Ok(End::Done)
}

/// Computes the audit log's chain of hashes again.
pub fn verify_audit(settings: &Settings) -> Result<End> {
    let config = settings.load(&[])?;
    process::block_on(async {
        let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
        store.check(config.network).await?;
        let found = audit::verify(&store).await?;
        store.close().await;
        let rows = console::thousands(found.rows);
        console::line(format_args!("rows of the audit log that are in order: {rows}"));
        match found.broken {
            None => Ok(End::Done),
            Some((row, what)) => {
                console::line(format_args!("WRONG: row {row}: {what}"));
                Ok(End::Findings)
            }
        }
    })
}

/// Gives an administrator a new one-time password.
pub fn reset_password(settings: &Settings, username: &str) -> Result<End> {
    let config = settings.load(&[])?;
    let login =
        process::block_on(async { Ok(gx_server::reset_admin_password(&config, username).await?) })?;
    console::line(format_args!("A new login for {username}. All its sessions have ended."));
    up::show_once(&login);
    Ok(End::Done)
}

/// Takes an administrator's second factor away.
pub fn remove_second_factor(settings: &Settings, username: &str) -> Result<End> {
    let config = settings.load(&[])?;
    let had_one =
        process::block_on(async { Ok(gx_server::remove_second_factor(&config, username).await?) })?;
    console::line(match had_one {
        true => format!("The second factor of {username} is gone. All its sessions have ended."),
        false => format!("{username} has no second factor. All its sessions have ended."),
    });
    Ok(End::Done)
}

/// Prints mail and text messages: what those say that nothing has delivered.
pub fn mailbox(settings: &Settings, max: u32) -> Result<End> {
    let config = settings.load(&[])?;
    let found = process::block_on(async { Ok(gx_server::read_mailbox(&config, max).await?) })?;
    if found.is_empty() {
        console::line("The mailbox is empty.");
    }
    for mail in found {
        let (at, state) = (rfc3339(mail.created_at.0), mail.state.to_lowercase());
        console::line(format_args!("{at}  to {}  {state}", mail.recipient));
        console::line(&mail.title);
        let unread = match mail.state {
            "WAITING" => "(sealed under other keys than those of this machine)",
            _ => "(not kept)",
        };
        let body = mail.body.as_deref().unwrap_or(unread);
        console::line(format_args!("\n{}\n", body.trim_end()));
    }
    Ok(End::Done)
}

/// What the build script found out.
pub const BUILD: Build = Build {
    git_hash: option_env!("GX_GIT_HASH"),
    built_at_ms: match option_env!("GX_BUILT_AT") {
        Some(seconds) => match i64::from_str_radix(seconds, 10) {
            Ok(seconds) => seconds.checked_mul(1000),
            Err(_) => None,
        },
        None => None,
    },
};

/// Prints what this build is.
pub fn version() -> Result<End> {
    let (version, schema) = (env!("CARGO_PKG_VERSION"), gx_store::SCHEMA_VERSION);
    let keeps = gx_store::SCHEMA_KEEPS;
    let hash = BUILD.git_hash.unwrap_or("outside a repository");
    let built = BUILD.built_at_ms.map_or_else(|| "at an unknown time".to_owned(), rfc3339);
    console::line(format_args!(
        "gx {version} (git {hash}, built {built}, schema version {schema}, keeps builds from \
         {keeps} on)"
    ));
    Ok(End::Done)
}
