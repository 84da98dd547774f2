//! `gx up`: the whole platform in one process, on a folder.
//!
//! A first start makes everything that is needed, down to the countries; a later one finds it
//! there. The demo and the benchmarks start their platforms through here as well.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use gx_contract::Command;
use gx_contract::admin::{BootstrapSystem, InitializeCountryData};
use gx_engine::{ChainError, Submission};
use gx_server::config::Config;
use gx_server::{
    FIRST_ADMIN, Listening, OneTimePassword, Platform, Service, Services, Starting, Workers,
};
use gx_store::commands::State;
use gx_store::lease::{self, Holder, Lease};
use gx_store::{Store, projection, submission, tokenomics::supply};
use gx_types::{Actor, AdminId};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::roles::BUILD;
use crate::settings::Settings;
use crate::{End, backup, console, countries, process, supervisor};

/// How often the log says that the first commands are not settled yet.
const REMIND_EVERY: Duration = Duration::from_secs(10);

/// How long the read models may take to show a sign of life. A process that was killed holds its
/// lease for three seconds more.
const SIGN_OF_LIFE: Duration = Duration::from_secs(20);

/// How `gx up` is set.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port of the HTTP API [default: 3000]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
}

/// Runs the platform until a signal asks it to stop.
pub fn run(settings: &Settings, args: &Args) -> Result<End> {
    let flags: Vec<_> = args.port.map(|port| ("http.port", port.to_string())).into_iter().collect();
    let config = settings.load(&flags)?;
    process::log(&config)?;
    process::block_on(async {
        let began = Instant::now();
        let signal = process::stop_signal()?;
        let network = config.network;
        let folder = config.data_dir.display().to_string();
        let tell = |first: &OneTimePassword| {
            console::line(format_args!("A new platform in {folder}. Its first administrator:"));
            show_once(first);
        };
        let mut signal = std::pin::pin!(signal);
        // The port first: what cannot listen should leave no trace.
        let listener = listen(&config, Services::All).await?;
        let supervised = supervisor::listening();
        let running = tokio::select! {
            running = Running::on(listener, config, &tell) => running?,
            // Nothing is running that would have to end in good order.
            () = &mut signal => return Ok(End::Done),
        };
        let address = running.address;
        console::line(format_args!(
            "ready on http://{address} ({network}, data in {folder}) after {} ms; \
             API at /api/v1, described at /docs",
            began.elapsed().as_millis()
        ));
        supervisor::status("serving");
        signal.await;
        supervised.stopping();
        running.stop().await;
        Ok(End::Done)
    })
}

/// Tells the password at once: it exists nowhere else.
pub fn show_once(login: &OneTimePassword) {
    let OneTimePassword { username, password } = login;
    console::line(format_args!("  user name          {username}"));
    console::line(format_args!("  one-time password  {password}"));
    console::line("It is shown only now, and has to be changed after the first login.");
}

/// A platform in this process.
#[derive(Debug)]
pub struct Running {
    pub platform: Platform,
    /// Where it listens.
    pub address: SocketAddr,
    /// The first administrator, if this start has made one.
    pub first: Option<OneTimePassword>,
    listening: Listening,
    stop: CancellationToken,
    gate: Option<gx_backup::Gate>,
}

impl Running {
    /// Starts everything and returns when it is ready.
    pub async fn start(config: Config, tell: &dyn Fn(&OneTimePassword)) -> Result<Self> {
        let listener = listen(&config, Services::All).await?;
        Self::on(listener, config, tell).await
    }

    /// The same on a port that is open already.
    async fn on(
        listener: TcpListener,
        config: Config,
        tell: &dyn Fn(&OneTimePassword),
    ) -> Result<Self> {
        let address = listener.local_addr().context("the listener has no address")?;
        let began = Instant::now();
        end_dead_leases(&config).await?;
        let (starting, stop) = (Starting::patient(), CancellationToken::new());
        let shutdown = stop.clone().cancelled_owned();
        let listening = Listening::open(&config, &starting, listener, Services::All, shutdown);
        let platform = Platform::start(config, Workers::ALL, true, &starting).await?;
        let app = platform.app(BUILD, &starting).await?;
        let first = app.ensure_first_admin().await?;
        if let Some(first) = &first {
            tell(first);
        }
        listening.ready(&app);
        let gate = backup::gate(&platform);
        let running = Self { platform, address, first, listening, stop, gate };
        if let Err(error) = running.get_ready(began).await {
            running.stop().await;
            return Err(error);
        }
        Ok(running)
    }

    /// Lets running requests finish, ends the workers and closes the files.
    pub async fn stop(self) {
        self.stop.cancel();
        drop(self.gate);
        self.listening.ended().await;
        self.platform.stop().await;
    }

    async fn get_ready(&self, began: Instant) -> Result<()> {
        self.lay_foundation().await?;
        loop {
            let position = projection::position(self.platform.store()).await?;
            let heartbeat = position.heartbeat.filter(|beat| beat.age < began.elapsed());
            if heartbeat.is_some() {
                return Ok(());
            }
            if began.elapsed() > SIGN_OF_LIFE {
                bail!("the projector shows no sign of life; the log says why");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Bootstraps the ledger and loads the countries, if the read models show that nobody has. The
    /// commands have fixed keys: after a crash in between they are the same commands.
    async fn lay_foundation(&self) -> Result<()> {
        let system = supply::system(self.platform.store()).await?;
        let admin: AdminId = FIRST_ADMIN.parse().context("id of the first administrator")?;
        if system.is_none() {
            let network_id = self.platform.config().network;
            let (first_super_admin, account_id, key) = (admin, None, None);
            let command = BootstrapSystem { first_super_admin, network_id, account_id, key };
            self.carry_out(Actor::System, "first-start/bootstrap", command.into()).await?;
        }
        if system.is_none_or(|system| system.countries == 0) {
            let command = InitializeCountryData { countries: countries::all()? };
            self.carry_out(Actor::Admin(admin), "first-start/countries", command.into()).await?;
        }
        Ok(())
    }

    /// Submits a command as any other and waits until it can be read.
    async fn carry_out(&self, actor: Actor, key: &str, command: Command) -> Result<()> {
        let (name, key) = (command.name(), key.to_owned());
        let service = Service::Admin.as_str();
        let submission =
            Submission { actor, key, command, signature: None, service, traceparent: None };
        let id = self.platform.outbox().submit(submission).await?.command_id;
        loop {
            match self.platform.waiters().wait(id, REMIND_EVERY).await? {
                Some(State::Committed { .. }) => return Ok(()),
                Some(State::Refused { code, detail, .. }) => {
                    bail!("{name} at the first start was refused: {code}: {detail}")
                }
                Some(State::Dead { reason, .. }) => {
                    bail!("{name} at the first start failed: {reason}")
                }
                Some(State::Queued | State::Submitted { .. }) | None => {
                    let waiting = submission::waiting(self.platform.store()).await?;
                    let wrong = waiting
                        .stuck
                        .iter()
                        .find(|lane| ChainError::needs_an_operator(&lane.stuck.class));
                    if let Some(lane) = wrong {
                        bail!("{name} can't be sent by {}: {}", lane.role, lane.stuck.reason);
                    }
                    tracing::warn!(command = name, "waiting for the ledger to settle it");
                }
            }
        }
    }
}

/// Ends the leases of an earlier process on this machine that was killed, so that a restart need
/// not wait until they expire. Were one to live after all, the fence of its lease would stop it.
async fn end_dead_leases(config: &Config) -> Result<()> {
    if !config.is_file_database() || !config.sqlite_path().exists() {
        return Ok(());
    }
    let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
    // A file without our schema, or of another network, is reported by what comes next.
    if store.check(config.network).await.is_ok() {
        for name in [lease::SUBMITTER, lease::PROJECTOR] {
            let held = lease::holder(&store, name).await?.filter(|held| !held.expired);
            if let Some(Holder { holder, epoch, .. }) = held
                && !is_alive(&holder)
            {
                let lease = Lease { name: name.to_owned(), holder, epoch };
                lease::release(&store, &lease).await?;
            }
        }
    }
    store.close().await;
    Ok(())
}

/// Whether the process that a holder's name begins with still exists.
fn is_alive(holder: &str) -> bool {
    let process = holder.split('-').next().unwrap_or_default();
    !Path::new("/proc/self").exists() || Path::new("/proc").join(process).exists()
}

/// Listens where the settings say that a set of services listens.
pub async fn listen(config: &Config, services: Services) -> Result<TcpListener> {
    let address = SocketAddr::new(config.http.address, config.port(services));
    TcpListener::bind(address).await.with_context(|| match services {
        Services::All => format!("cannot listen on {address}; choose another port with --port"),
        _ => format!("cannot listen on {address} for the {} service", services.as_str()),
    })
}
