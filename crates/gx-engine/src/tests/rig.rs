//! The engine without HTTP: a database, an embedded ledger, and as many workers as a test wants.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gx_contract::Command;
use gx_contract::admin::{BootstrapSystem, CountryWeight, InitializeCountryData};
use gx_contract::identity::{CreateUser, IdentityHash};
use gx_contract::tokenomics::Transfer;
use gx_ledger::{Ledger, NodeKey};
use gx_metrics::Metrics;
use gx_store::commands::State;
use gx_store::{Config, Engine, Store};
use gx_types::{AccountId, AccountType, Actor, AdminId, Amount, NetworkId, Role, TimeMs};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::*;

/// Nothing in these tests takes longer than this unless it is broken.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

pub(super) struct Rig {
    pub(super) store: Store,
    pub(super) config: Config,
    pub(super) ledger: Ledger,
    pub(super) chain: Chain,
    /// While true, the ledger gives no answer.
    pub(super) cut: Arc<AtomicBool>,
    /// While true, the super admin's certificate is one that has expired.
    pub(super) expired: Arc<AtomicBool>,
    pub(super) outbox: Outbox,
    pub(super) waiters: Waiters,
    pub(super) metrics: Arc<Metrics>,
    pub(super) wake: Arc<Notify>,
    pub(super) applied: Applied,
    /// Of the submitters.
    pub(super) clock: Clock,
    _folder: TempDir,
    _database: Option<gx_pg::Database>,
}

impl Rig {
    pub(super) async fn new(engine: Engine) -> Self {
        Self::of(engine, NetworkId::Devnet).await
    }

    pub(super) async fn of(engine: Engine, network: NetworkId) -> Self {
        let folder = TempDir::new().unwrap();
        let (config, database) = match engine {
            Engine::Sqlite => (Config::sqlite(folder.path().join("gx.db")), None),
            Engine::Postgres => {
                let database = gx_pg::shared().unwrap().fresh_database().unwrap();
                (database.url().parse().unwrap(), Some(database))
            }
        };
        Self::on_network(network, config, folder, database).await
    }

    pub(super) async fn on(
        config: Config,
        folder: TempDir,
        database: Option<gx_pg::Database>,
    ) -> Self {
        Self::on_network(NetworkId::Devnet, config, folder, database).await
    }

    async fn on_network(
        network: NetworkId,
        config: Config,
        folder: TempDir,
        database: Option<gx_pg::Database>,
    ) -> Self {
        let store = Store::connect(&config).await.unwrap();
        store.migrate(network).await.unwrap();
        let key = NodeKey::from_seed([7; 32]);
        let path = folder.path().join("ledger.redb");
        let options = gx_ledger::Options::new(path, network, TimeMs(1));
        let ledger = Ledger::create_or_open(options, &key).unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let expired = Arc::new(AtomicBool::new(false));
        let (is_cut, is_expired) = (cut.clone(), expired.clone());
        let faults = Faults::new(move |request| match request {
            _ if is_cut.load(Ordering::SeqCst) => Err(ChainError::Interrupted),
            Request::Submit(role @ Role::SuperAdmin) if is_expired.load(Ordering::SeqCst) => {
                Err(ChainError::Fabric(gx_fabric::Error::NoIdentity(role)))
            }
            _ => Ok(()),
        });
        let chain = Chain::embedded(ledger.clone()).with_faults(faults);
        let (metrics, wake) = (Arc::new(Metrics::default()), Arc::new(Notify::new()));
        let applied = Applied::default();
        let outbox = Outbox::start(store.clone(), metrics.clone(), wake.clone(), Clock::system());
        let waiters = Waiters::start(store.clone(), &applied);
        let (_folder, _database) = (folder, database);
        Self {
            store,
            config,
            ledger,
            chain,
            cut,
            expired,
            outbox,
            waiters,
            metrics,
            wake,
            applied,
            clock: Clock::system(),
            _folder,
            _database,
        }
    }

    pub(super) fn submitter_on(&self, store: Store) -> Submitter {
        Submitter {
            store,
            chain: self.chain.clone(),
            metrics: self.metrics.clone(),
            wake: self.wake.clone(),
            limits: BatchLimits { commands_max: 50, ..BatchLimits::default() },
            clock: self.clock.clone(),
            random: Random::system(),
            spans: Spans::default(),
        }
    }

    pub(super) fn projector_on(&self, store: Store) -> Projector {
        let (chain, metrics) = (self.chain.clone(), self.metrics.clone());
        let (clock, random) = (Clock::system(), Random::system());
        let (applied, spans) = (self.applied.clone(), Spans::default());
        Projector { store, chain, metrics, applied, clock, random, spans }
    }

    /// Aborting the task is what a crash looks like to the others: nothing is given up.
    pub(super) fn start_submitter(&self) -> JoinHandle<()> {
        let submitter = self.submitter_on(self.store.clone());
        tokio::spawn(submitter.run(holder_name(&Random::system()), CancellationToken::new()))
    }

    pub(super) fn start_projector(&self) -> JoinHandle<()> {
        let projector = self.projector_on(self.store.clone());
        tokio::spawn(projector.run(holder_name(&Random::system()), CancellationToken::new()))
    }

    /// Bootstraps, makes one country with all the weight, and opens accounts of individuals.
    pub(super) async fn populate(&self, users: u8) -> Vec<AccountId> {
        let root: AdminId = "ROOT".parse().unwrap();
        let country_code = "IN".parse().unwrap();
        let countries = vec![CountryWeight { country_code, weight: 100_000_000 }];
        let (first_super_admin, network_id) = (root, NetworkId::Devnet);
        let bootstrap =
            BootstrapSystem { first_super_admin, network_id, account_id: None, key: None };
        self.settle(Actor::System, bootstrap).await;
        self.settle(Actor::Admin(root), InitializeCountryData { countries }).await;
        let mut ids = Vec::new();
        for n in 0..users {
            let account_type = AccountType::Individual;
            let user_id = AccountId::from_entropy(country_code, account_type, [n; 16]);
            let identity_hash = IdentityHash::from_bytes([n; 32]);
            let (country, age) = (country_code, 30);
            let attestation = None;
            let create =
                CreateUser { user_id, identity_hash, country, age, account_type, attestation };
            self.settle(Actor::System, create).await;
            ids.push(user_id);
        }
        ids
    }

    /// Submits a command and waits until it is carried out.
    pub(super) async fn settle(&self, actor: Actor, command: impl Into<Command>) {
        let command = command.into();
        let key = command.args_json();
        let accepted = self.submit(actor, &key, command).await.unwrap();
        let state = self.outcome(accepted).await;
        assert!(matches!(state, State::Committed { .. }), "{state:?}");
    }

    pub(super) async fn submit(
        &self,
        actor: Actor,
        key: &str,
        command: impl Into<Command>,
    ) -> Result<Accepted, SubmitError> {
        let (key, command, service) = (key.to_owned(), command.into(), "tokenomics");
        self.outbox
            .submit(Submission { actor, key, command, signature: None, service, traceparent: None })
            .await
    }

    pub(super) async fn pay(
        &self,
        from: AccountId,
        to: AccountId,
        qirat: u64,
        key: &str,
    ) -> Result<Accepted, SubmitError> {
        self.submit(Actor::User(from), key, transfer(from, to, qirat)).await
    }

    /// Pays once for each key, all at once: what was accepted, and the keys that were turned away.
    pub(super) async fn pay_all(
        &self,
        from: AccountId,
        to: AccountId,
        qirat: u64,
        keys: Vec<String>,
    ) -> (Vec<Accepted>, Vec<String>) {
        let mut payments = JoinSet::new();
        for key in keys {
            let (actor, command) = (Actor::User(from), transfer(from, to, qirat).into());
            let (service, traceparent) = ("tokenomics", None);
            let payment = Submission {
                actor,
                key: key.clone(),
                command,
                signature: None,
                service,
                traceparent,
            };
            let outbox = self.outbox.clone();
            payments.spawn(async move { (outbox.submit(payment).await, key) });
        }
        let (mut accepted, mut turned_away) = (Vec::new(), Vec::new());
        for (answer, key) in payments.join_all().await {
            match answer {
                Ok(one) => accepted.push(one),
                Err(error) => {
                    assert!(error.is_unavailable(), "{error:?}");
                    turned_away.push(key);
                }
            }
        }
        (accepted, turned_away)
    }

    pub(super) async fn outcome(&self, accepted: Accepted) -> State {
        self.waiters.wait(accepted.command_id, DEADLINE).await.unwrap().unwrap()
    }

    /// Every account of the ledger has the same balance in the read models, and all coins are
    /// there.
    pub(super) async fn verify(&self) {
        let snapshot = self.ledger.snapshot().unwrap();
        let accounts: Vec<_> = snapshot.accounts().unwrap().map(Result::unwrap).collect();
        let ids: Vec<AccountId> = accounts.iter().map(|(id, _)| *id).collect();
        let (balances, _) =
            gx_store::tokenomics::accounts::balances(&self.store, &ids).await.unwrap();
        for ((id, account), read) in accounts.iter().zip(balances) {
            assert_eq!(read.map(|read| read.balance), Some(account.balance), "{id}");
        }
        let total = u128::from(gx_types::MAX_SUPPLY.qirat());
        assert_eq!(snapshot.total().unwrap(), total);
    }
}

pub(super) fn transfer(from: AccountId, to: AccountId, qirat: u64) -> Transfer {
    Transfer { from, to, amount: Amount::from_qirat(qirat), remark: String::new() }
}

/// Waits until something holds.
pub(super) async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < DEADLINE, "{what} did not come about");
        tokio::task::yield_now().await;
    }
}
