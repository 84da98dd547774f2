//! A process of the platform, put together from its settings and started in order.
//!
//! Store, then ledger, then the workers that were asked for. What cannot start says which part and
//! why; nothing half-started is left behind. Serving HTTP on top is [`crate::App`]'s.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRef as _;
use gx_cluster::KubeCluster;
use gx_engine::{
    Applied, BatchLimits, Chain, Clock, Collector, Housekeeper, Messenger, Notifier, Outbox,
    Projector, Promoter, Random, Spans, Submitter, Waiters, holder_name,
};
use gx_fabric::{Peers, Wallet};
use gx_ledger::{Ledger, NodeKey};
use gx_metrics::{ByBuild, Metrics};
use gx_store::Store;
use gx_store::admin::admins;
use gx_types::{Finding, TimeMs};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Process, StartError};
use crate::auth::{AdminRole, Logins, Permission};
use crate::build::Build;
use crate::calendar::now_ms;
use crate::config::{Config, LedgerEngine};
use crate::error_budget::Prometheus;
use crate::mail::Couriers;
use crate::otlp::Exporter;
use crate::outbound::{Outbound, Reach};
use crate::redis::Redis;
use crate::starting::Starting;
use crate::webhook_client::HttpWebhookClient;

/// What a process does beside serving HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Workers {
    pub submitter: bool,
    pub projector: bool,
}

impl Workers {
    pub const ALL: Self = Self { submitter: true, projector: true };
    pub const NONE: Self = Self { submitter: false, projector: false };
}

/// The running parts of a process.
#[derive(Debug)]
pub struct Platform {
    config: Config,
    started: Instant,
    store: Store,
    chain: Option<Chain>,
    outbox: Outbox,
    waiters: Waiters,
    metrics: Arc<Metrics>,
    clock: Clock,
    redis: Option<Redis>,
    spans: Spans,
    /// Those that need the network's keys begin with the HTTP side.
    workers: Mutex<JoinSet<()>>,
    stop: CancellationToken,
}

impl Platform {
    /// Connects, checks schema and network, opens the ledger if a worker needs it, and starts the
    /// workers. With `migrate` an older or empty schema is brought up to date first. A patient
    /// start waits for what is away.
    ///
    /// # Errors
    /// [`StartError`] names the part that can't start.
    pub async fn start(
        config: Config,
        workers: Workers,
        migrate: bool,
        starting: &Starting,
    ) -> Result<Self, StartError> {
        let store = starting.until_there(async || the_database(&config, migrate).await).await?;
        let chain = match workers {
            Workers::NONE => None,
            Workers { .. } => Some(the_ledger(&config, &store, starting).await?),
        };
        if let Some(chain) = &chain {
            // Before the first worker runs: what it does is told of already.
            let begin = async || Notifier::begin::<StartError>(&store, chain).await;
            starting.until_there(begin).await?;
        }
        let metrics: Arc<Metrics> = Arc::default();
        let redis = Redis::of(&config, metrics.clone()).map_err(StartError::Settings)?;
        let clock = Clock::system();
        metrics.process_start_time_seconds.set(clock.now().0 / 1000);
        let (wake, applied) = (Arc::new(Notify::new()), Applied::default());
        let otlp = &config.telemetry.otlp;
        let exporter = Exporter::of(otlp, config.network, metrics.clone());
        let (spans, exporter) = exporter.map_err(StartError::Settings)?.unzip();
        let spans = spans.unwrap_or_default();
        let outbox = Outbox::start(store.clone(), metrics.clone(), wake.clone(), clock.clone());
        let outbox = outbox.telling(spans.clone());
        let waiters = Waiters::start(store.clone(), &applied);
        let platform = Self {
            config,
            started: starting.began(),
            store,
            chain,
            outbox,
            waiters,
            metrics,
            clock,
            redis,
            spans,
            workers: Mutex::default(),
            stop: CancellationToken::new(),
        };
        if let Some(exporter) = exporter {
            platform.work(exporter.run(platform.stop.clone()));
        }
        if let Some(redis) = platform.redis.clone() {
            platform.work(redis.keep(applied.clone(), platform.stop.clone()));
        }
        platform.spawn(workers, wake, applied);
        Ok(platform)
    }

    fn spawn(&self, workers: Workers, wake: Arc<Notify>, applied: Applied) {
        let Some(chain) = self.chain.clone() else { return };
        let (store, metrics) = (self.store.clone(), self.metrics.clone());
        let (clock, random) = (self.clock.clone(), Random::system());
        if workers.submitter {
            let (store, chain, metrics) = (store.clone(), chain.clone(), metrics.clone());
            let limits = match self.config.ledger.engine {
                LedgerEngine::Embedded => BatchLimits::default(),
                LedgerEngine::Fabric => BatchLimits::FABRIC,
            };
            let (clock, random) = (clock.clone(), random.clone());
            let holder = holder_name(&random);
            let spans = self.spans.clone();
            let submitter = Submitter { store, chain, metrics, wake, limits, clock, random, spans };
            self.work(submitter.run(holder, self.stop.clone()));
        }
        if workers.projector {
            let holder = holder_name(&random);
            let housekeeper = Housekeeper {
                store: store.clone(),
                metrics: metrics.clone(),
                clock: clock.clone(),
                terms: self.config.retention.terms(),
            };
            self.work(housekeeper.run(holder_name(&random), self.stop.clone()));
            self.spawn_collector(&random);
            let notifier = Notifier {
                store: store.clone(),
                chain: chain.clone(),
                metrics: metrics.clone(),
                clock: clock.clone(),
                random: random.clone(),
            };
            self.work(notifier.run(holder_name(&random), self.stop.clone()));
            let spans = self.spans.clone();
            let projector = Projector { store, chain, metrics, applied, clock, random, spans };
            self.work(projector.run(holder, self.stop.clone()));
        }
    }

    fn work(&self, worker: impl Future<Output = ()> + Send + 'static) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).spawn(worker);
    }

    /// Sends messages and writes mail where requests are served: keys and a way out are there.
    fn spawn_messenger(&self, app: &App) -> Result<(), StartError> {
        let reach = Reach::from_ref(app);
        let outbound = Outbound::new(reach).map_err(StartError::Settings)?;
        let sealer = Logins::from_ref(app).sealer().clone();
        let oversees = |role: &AdminRole| role.may(Permission::ConfigUpdate);
        let random = Random::system();
        let messenger = Messenger {
            store: self.store.clone(),
            client: Arc::new(HttpWebhookClient { outbound, sealer }),
            metrics: self.metrics.clone(),
            clock: self.clock.clone(),
            random: random.clone(),
            overseers: AdminRole::ALL.into_iter().filter(oversees).map(AdminRole::as_str).collect(),
        };
        self.work(messenger.run(holder_name(&random), self.stop.clone()));
        Ok(())
    }

    /// Carries promotions out where they are asked for: the way to the cluster is there.
    fn spawn_promoter(&self, app: &App) {
        let Some(cluster) = Process::from_ref(app).promotion else { return };
        let promoter = Promoter {
            store: self.store.clone(),
            cluster,
            metrics: self.metrics.clone(),
            clock: self.clock.clone(),
            pace: self.config.promotion.pace(),
            terms: self.config.promotion.terms(),
        };
        self.work(promoter.run(holder_name(&Random::system()), self.stop.clone()));
    }

    /// Asks for tax that is due where read models are kept: what is due stands in them.
    fn spawn_collector(&self, random: &Random) {
        let seconds = self.config.tax.interval_seconds;
        if seconds > 0 {
            let collector = Collector {
                store: self.store.clone(),
                outbox: self.outbox.clone(),
                waiters: self.waiters.clone(),
                metrics: self.metrics.clone(),
                clock: self.clock.clone(),
                every: Duration::from_secs(seconds.into()),
            };
            self.work(collector.run(holder_name(random), self.stop.clone()));
        }
    }

    /// The cluster that the settings name; `None` when this process promotes nothing.
    async fn cluster(&self) -> Result<Option<KubeCluster>, String> {
        let settings = &self.config.promotion;
        if settings.target().is_none() {
            return Ok(None);
        }
        let cluster = KubeCluster::new(settings.access(), Prometheus::of(settings)?).await;
        cluster.map(Some).map_err(|error| format!("promotion.kubeconfig: {error}"))
    }

    /// The HTTP side of this process, which also delivers mail and text messages where the settings
    /// say how.
    ///
    /// # Errors
    /// [`StartError`] when keys or settings cannot be used.
    pub async fn app(&self, build: Build, starting: &Starting) -> Result<App, StartError> {
        let promotion = self.cluster().await.map_err(StartError::Settings)?;
        let app = async || {
            let (outbox, waiters) = (self.outbox.clone(), self.waiters.clone());
            let process = Process { promotion: promotion.clone(), ..self.process(build) };
            App::new(process, outbox, waiters).await
        };
        let app = starting.until_there(app).await?;
        self.spawn_messenger(&app)?;
        self.spawn_promoter(&app);
        let parts = (&self.store, &self.metrics, &self.clock);
        let couriers = Couriers::new(&self.config, parts)?;
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        couriers.spawn(&mut workers, &self.stop);
        Ok(app)
    }

    /// What operators can ask this process for.
    pub(crate) fn process(&self, build: Build) -> Process {
        let git_hash = build.git_hash.unwrap_or("unknown");
        let label = ByBuild { version: env!("CARGO_PKG_VERSION"), git_hash };
        self.metrics.build_info.get_or_create(&label).set(1);
        Process {
            build,
            config: Arc::new(self.config.clone()),
            store: self.store.clone(),
            chain: self.chain.clone(),
            metrics: self.metrics.clone(),
            started: self.started,
            documents: None,
            hasher: None,
            redis: self.redis.clone(),
            spans: self.spans.clone(),
            promotion: None,
        }
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The ledger, in a process that has a worker.
    pub fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    pub fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// The clock that this process's submitter gives the ledger.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Ends the workers, each after the step it is in, and closes the database.
    pub async fn stop(self) {
        self.stop.cancel();
        let mut workers = self.workers.into_inner().unwrap_or_else(PoisonError::into_inner);
        while workers.join_next().await.is_some() {}
        self.store.close().await;
    }
}

/// Connects to the database that the settings name; with `migrate` its schema is brought up to
/// date, and a file is made when there is none.
async fn the_database(config: &Config, migrate: bool) -> Result<Store, StartError> {
    let make_folder = || {
        let path = config.data_dir.clone();
        std::fs::create_dir_all(&path).map_err(|source| StartError::Folder { path, source })
    };
    let database = config.store().map_err(gx_store::Error::from)?;
    let store = if migrate {
        // The database is made before the ledger, so one without the other was lost.
        if config.is_file_database()
            && config.ledger.engine == LedgerEngine::Embedded
            && config.ledger_path().exists()
            && !config.sqlite_path().exists()
        {
            return Err(StartError::DatabaseNew);
        }
        make_folder()?;
        let store = Store::connect(&database).await?;
        store.migrate(config.network).await?;
        store
    } else {
        let store = Store::open(&database).await?;
        make_folder()?;
        store
    };
    store.check(config.network).await?;
    Ok(store)
}

/// Opens the ledger that the settings name. It must be the one that the read models were filled
/// from, and an embedded one must hold all that they hold: nobody else can complete it.
async fn the_ledger(
    config: &Config,
    store: &Store,
    starting: &Starting,
) -> Result<Chain, StartError> {
    let position = async || Ok(gx_store::projection::position(store).await?);
    let checkpoint = starting.until_there(position).await?.checkpoint;
    let is_embedded = config.ledger.engine == LedgerEngine::Embedded;
    let path = config.ledger_path();
    if is_embedded && checkpoint.is_some() && !path.exists() {
        return Err(StartError::LedgerMissing { path });
    }
    let chain = if is_embedded { open_ledger(config)? } else { open_fabric(config)? };
    let check = async || {
        gx_store::projection::check_ledger(store, chain.origin().await?).await?;
        check_network(config, store, &chain, starting).await?;
        if is_embedded
            && let Some(at) = checkpoint
            && chain.block_hash(at.block).await? != Some(at.hash)
        {
            return Err(StartError::LedgerBehind { block: at.block });
        }
        Ok(())
    };
    starting.until_there(check).await?;
    Ok(chain)
}

/// Payments of one network must never meet the ledger of another. And somebody who has lost the
/// database must not be told that this is a new platform: the ledger would answer, and all the
/// users could never log in again.
async fn check_network(
    config: &Config,
    store: &Store,
    chain: &Chain,
    starting: &Starting,
) -> Result<(), StartError> {
    match chain.network().await {
        Ok(Some(found)) if found != config.network => {
            Err(StartError::OtherNetwork { found, expected: config.network })
        }
        Ok(Some(_)) if starting.minds_lost_database() && admins::count(store).await? == 0 => {
            Err(StartError::DatabaseNew)
        }
        Ok(_) => Ok(()),
        // The contract may come back at any time, and the database is pinned to this ledger.
        Err(error) => {
            let error = gx_types::with_causes(&error);
            tracing::warn!(error, "the ledger does not tell its network");
            Ok(())
        }
    }
}

/// How the settings say that the channel is reached.
///
/// # Errors
/// [`StartError`] names the setting that is of no use.
pub fn fabric_options(config: &Config) -> Result<gx_fabric::Options, StartError> {
    let settings = &config.fabric;
    let addresses: Result<Vec<_>, _> = settings.peers.iter().map(|peer| peer.parse()).collect();
    let mut peers = Peers {
        addresses: addresses.map_err(StartError::Settings)?,
        tls_server_name: Some(settings.tls_server_name.clone()).filter(|name| !name.is_empty()),
        ..Peers::default()
    };
    if !settings.tls_ca.as_os_str().is_empty() {
        peers = peers.with_tls_ca(&settings.tls_ca)?;
    }
    let mut options = gx_fabric::Options::new(peers, &settings.channel, &settings.chaincode);
    options.endorsing_organizations.clone_from(&settings.endorsing_organizations);
    options.transaction_bytes_max = settings.transaction_bytes_max;
    Ok(options)
}

/// Prepares the way to the channel; whether the network answers is seen with the first request.
///
/// # Errors
/// [`StartError`] names the setting that is of no use.
pub fn open_fabric(config: &Config) -> Result<Chain, StartError> {
    let options = fabric_options(config)?;
    let settings = &config.fabric;
    let msp_id = Some(settings.msp_id.as_str()).filter(|msp_id| !msp_id.is_empty());
    let wallet_path = config.wallet_dir();
    let wallet = Wallet::open(&wallet_path, msp_id)?;
    let engine = gx_fabric::FabricEngine::new(options.clone(), &wallet)?;
    // Nothing waits for it: what is wrong may pass, and what is not needed may stay so.
    tokio::spawn(async move {
        for finding in gx_fabric::check::run(&options, &wallet, &wallet_path).await {
            if finding.is_wrong() {
                let Finding { rule, subject, evidence, remedy, .. } = &finding;
                let message = "something is wrong with the Fabric network";
                tracing::warn!(%rule, subject, evidence, %remedy, message);
            }
        }
    });
    Ok(Chain::fabric(engine))
}

/// Opens the embedded ledger with the node's key, both made when there are none.
fn open_ledger(config: &Config) -> Result<Chain, StartError> {
    let keys = config.keys_dir();
    std::fs::create_dir_all(&keys)
        .map_err(|source| StartError::Folder { path: keys.clone(), source })?;
    // A new key beside a ledger that was signed with another would be in the way of the backup.
    let path = keys.join("node.pem");
    let is_new = !config.ledger_path().exists();
    let key = if is_new { NodeKey::load_or_create(&path) } else { NodeKey::load(&path) };
    let key = key.map_err(StartError::Ledger)?;
    let options = gx_ledger::Options::new(config.ledger_path(), config.network, TimeMs(now_ms()));
    Ledger::create_or_open(options, &key).map(Chain::embedded).map_err(StartError::Ledger)
}
