//! What the handlers of a process share.
//!
//! An [`App`] is made once, after settings, store and engine. It is cheap to clone.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRef;
use gx_cluster::KubeCluster;
use gx_engine::{Chain, Outbox, Spans, Waiters};
use gx_metrics::Metrics;
use gx_store::Store;
use gx_store::projection::Position;
use gx_store::tokenomics::accounts::{self, Balance};
use gx_types::{AccountId, NetworkId};
use tokio::sync::watch;

use crate::attester::Attester;
use crate::auth::{Gate, Hasher, KeyError, Logins, PartnerGate};
use crate::bell::Bell;
use crate::build::Build;
use crate::config::Config;
use crate::data_loader::{DataLoader, queries};
use crate::documents::Documents;
use crate::http::extract::BodyLimits;
use crate::http::limits::Limiter;
use crate::outbound::Reach;
use crate::redis::Redis;
use crate::tiers::Limits;

/// Why a process cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("{0}")]
    Settings(String),
    #[error(transparent)]
    Store(#[from] gx_store::Error),
    #[error(transparent)]
    Ledger(#[from] gx_ledger::Error),
    #[error("the Fabric network can't be used: {0}")]
    Fabric(#[from] gx_fabric::Error),
    #[error("the wallet can't be used")]
    Wallet(#[from] gx_fabric::IdentityError),
    #[error("the ledger can't be used")]
    Chain(#[from] gx_engine::ChainError),
    /// Put the right file back, or start over with another database.
    #[error("there is no ledger at {path}, but the database was filled from one")]
    LedgerMissing { path: std::path::PathBuf },
    /// An older copy, or a copy that has gone on by itself.
    #[error(
        "the ledger lacks block {block}, which the database was filled from; \
         is it an older copy?"
    )]
    LedgerBehind { block: u64 },
    /// As after the loss of a database: its users and sessions are nowhere else.
    #[error(
        "the ledger is in use already, but the database is new; \
         put the database's backup in place, or choose another folder or ledger"
    )]
    DatabaseNew,
    #[error("there is no administrator {username:?}")]
    NoAdmin { username: String },
    /// Other peers, another channel, or another setting `network`.
    #[error("the ledger is that of {found}, but this process is set to {expected}")]
    OtherNetwork { found: gx_types::NetworkId, expected: gx_types::NetworkId },
    #[error("cannot create the folder {path}")]
    Folder { path: std::path::PathBuf, source: std::io::Error },
}

/// Something on the network that a start needs, and that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Away {
    /// What it is, for people and for health routes.
    pub(crate) dependency: Dependency,
    pub(crate) class: &'static str,
    pub(crate) message: String,
}

/// What a start may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dependency {
    Database,
    Fabric,
}

impl std::fmt::Display for Dependency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Database => "database",
            Self::Fabric => "Fabric network",
        })
    }
}

impl StartError {
    /// What is away, if waiting for it can help. A file is not away, and a wrong setting stays
    /// wrong.
    pub(crate) fn away(&self) -> Option<Away> {
        let (dependency, class) = match self {
            Self::Store(error) if error.is_away() => (Dependency::Database, error.class().as_str()),
            Self::Chain(error) if error.is_away() => (Dependency::Fabric, error.class()),
            Self::Fabric(error) if error.class() == gx_fabric::Class::NotAnswered => {
                (Dependency::Fabric, "unavailable")
            }
            _ => return None,
        };
        Some(Away { dependency, class, message: gx_types::with_causes(self) })
    }
}

/// What operators can ask any process for, also one that only works.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) build: Build,
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    /// The ledger, in a process that has a worker.
    pub(crate) chain: Option<Chain>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) started: Instant,
    /// Where documents are kept, in a process that serves.
    pub(crate) documents: Option<Documents>,
    /// What hashes passwords, in a process that serves.
    pub(crate) hasher: Option<Hasher>,
    /// Where the settings name one.
    pub(crate) redis: Option<Redis>,
    pub(crate) spans: Spans,
    /// What promotes images, where the settings say that this process does.
    pub(crate) promotion: Option<KubeCluster>,
}

/// The shared parts of a serving process.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    process: Process,
    outbox: Outbox,
    waiters: Waiters,
    gate: Gate,
    partners: PartnerGate,
    logins: Logins,
    attester: Attester,
    documents: Documents,
    tiers: Limits,
    limiter: Limiter,
    bell: Bell,
    balances: DataLoader<AccountId, (Balance, Position), gx_store::Error>,
    stopping: watch::Sender<bool>,
}

impl App {
    /// Takes the parts together; makes the network's keys when there are none.
    ///
    /// # Errors
    /// [`StartError`] when keys or settings cannot be used.
    pub(crate) async fn new(
        mut process: Process,
        outbox: Outbox,
        waiters: Waiters,
    ) -> Result<Self, StartError> {
        let Process { config, store, .. } = &process;
        let (config, store) = (Arc::clone(config), store.clone());
        let (config, store) = (&*config, &store);
        let hasher = Hasher::new(&config.auth).map_err(StartError::Settings)?;
        let logins = Logins::new(config, store.clone(), hasher)?;
        store.pin_pepper(&logins.pepper().fingerprint()).await?;
        let attester = Attester::load(config)?;
        let documents = Documents::open(config, store.clone(), logins.sealer().clone());
        let documents = documents.map_err(StartError::Settings)?;
        process.documents = Some(documents.clone());
        process.hasher = Some(logins.hasher().clone());
        let source = store.clone();
        Ok(Self(Arc::new(Inner {
            gate: Gate::new(logins.tokens().clone(), store.clone(), &config.auth, config.network),
            partners: PartnerGate::new(store.clone(), logins.pepper().clone()),
            logins,
            attester,
            bell: Bell::new(source.clone()),
            documents,
            tiers: Limits::new(&config.tiers),
            limiter: Limiter::new(&config.rate_limits, config.network, process.redis.clone()),
            balances: DataLoader::new(queries(&source), move |ids| {
                load_balances(source.clone(), ids)
            }),
            stopping: watch::Sender::new(false),
            process,
            outbox,
            waiters,
        })))
    }

    pub fn config(&self) -> &Config {
        &self.0.process.config
    }

    pub fn store(&self) -> &Store {
        &self.0.process.store
    }

    pub fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    pub fn waiters(&self) -> &Waiters {
        &self.0.waiters
    }

    pub fn metrics(&self) -> &Metrics {
        &self.0.process.metrics
    }

    /// Where stages of requests are told.
    pub(crate) fn spans(&self) -> &Spans {
        &self.0.process.spans
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(crate) fn partners(&self) -> &PartnerGate {
        &self.0.partners
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        self.0.logins.hasher()
    }

    pub(crate) fn attester(&self) -> &Attester {
        &self.0.attester
    }

    pub(crate) fn tiers(&self) -> &Limits {
        &self.0.tiers
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// Rings when somebody was told something.
    pub(crate) fn bell(&self) -> &Bell {
        &self.0.bell
    }

    /// Ends the streams of answers.
    pub(crate) fn stop_streams(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Becomes true when the process is asked to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    /// The balance of an account, and the block that it is of. Look-ups that come at once share a
    /// query.
    pub(crate) async fn balance(
        &self,
        account: AccountId,
    ) -> crate::error::Result<Option<(Balance, Position)>> {
        let answer = self.0.balances.get(account).await.map_err(crate::error::Error::internal)?;
        Ok(answer?)
    }
}

/// What handlers take of the process: each the part that it needs.
macro_rules! parts {
    ($($part:ty: |$app:ident| $value:expr;)+) => {$(
        impl FromRef<App> for $part {
            fn from_ref($app: &App) -> Self {
                $value
            }
        }
    )+};
}

parts! {
    Process: |app| app.0.process.clone();
    Store: |app| app.0.process.store.clone();
    Outbox: |app| app.0.outbox.clone();
    Waiters: |app| app.0.waiters.clone();
    BodyLimits: |app| BodyLimits::new(&app.config().http);
    Logins: |app| app.0.logins.clone();
    Attester: |app| app.0.attester.clone();
    Documents: |app| app.0.documents.clone();
    NetworkId: |app| app.config().network;
    Reach: |app| Reach { allow_local: app.config().webhooks.allow_local };
}

async fn load_balances(
    store: Store,
    ids: Vec<AccountId>,
) -> Result<HashMap<AccountId, (Balance, Position)>, gx_store::Error> {
    let (balances, position) = accounts::balances(&store, &ids).await?;
    let found = ids.into_iter().zip(balances);
    Ok(found.filter_map(|(id, balance)| Some((id, (balance?, position)))).collect())
}
