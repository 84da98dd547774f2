//! A fresh database on each engine for each test.

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use gx_pg::Database;
use gx_store::lease::{self, Lease};
use gx_store::{Config, Engine, Store};
use gx_types::NetworkId;
use tempfile::TempDir;

use crate::{plans, raw};

pub(crate) const NETWORK: NetworkId = NetworkId::Devnet;
pub(crate) const TTL: Duration = Duration::from_secs(60);

/// A database and a store on it; kept for inspection when the test fails.
pub(crate) struct Backend {
    pub(crate) store: Store,
    config: Config,
    place: Place,
    /// Whether the plans of what has run are looked at when the test is over.
    gated: bool,
}

enum Place {
    Folder(TempDir),
    Server(Database),
}

impl Backend {
    /// An empty database without a schema.
    pub(crate) async fn empty(engine: Engine) -> Self {
        let (config, place) = match engine {
            Engine::Sqlite => {
                let folder = TempDir::new().unwrap();
                (Config::sqlite(folder.path().join("gx.sqlite")), Place::Folder(folder))
            }
            Engine::Postgres => {
                let database = gx_pg::shared().unwrap().fresh_database().unwrap();
                (database.url().parse().unwrap(), Place::Server(database))
            }
        };
        let store = Store::connect(&config).await.unwrap();
        Self { store, config, place, gated: false }
    }

    /// A database with the schema.
    pub(crate) async fn migrated(engine: Engine) -> Self {
        let backend = Self::empty(engine).await;
        backend.store.migrate(NETWORK).await.unwrap();
        backend
    }

    /// Connections of another process.
    pub(crate) async fn another(&self) -> Store {
        Store::connect(&self.config).await.unwrap()
    }

    pub(crate) fn engine(&self) -> Engine {
        self.store.engine()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The database on the server; tests that need its own tools run on PostgreSQL alone.
    pub(crate) fn database(&self) -> &Database {
        match &self.place {
            Place::Server(database) => database,
            Place::Folder(_) => panic!("no server"),
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.path().join("gx.sqlite"),
            Place::Server(_) => panic!("no file"),
        }
    }

    /// Runs statements past the store.
    pub(crate) fn alter(&self, text: &str) {
        match &self.place {
            Place::Folder(_) => drop(raw::sqlite(&self.file(), text)),
            Place::Server(database) => drop(database.sql(text).unwrap()),
        }
    }

    pub(crate) async fn projector(&self) -> Lease {
        lease::acquire(&self.store, lease::PROJECTOR, "test", TTL).await.unwrap().unwrap()
    }

    pub(crate) async fn submitter(&self) -> Lease {
        lease::acquire(&self.store, lease::SUBMITTER, "test", TTL).await.unwrap().unwrap()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if let Place::Folder(folder) = &mut self.place {
                folder.disable_cleanup(true);
            }
        } else if self.gated {
            plans::check(self);
        }
    }
}

/// Runs a test on a migrated database of each engine. Every list that it reads has to come from an
/// index; see `plans`.
pub(crate) fn for_each_backend<F: Future<Output = ()>>(test: impl Fn(Backend) -> F) {
    plans::watch();
    run(async {
        for engine in [Engine::Sqlite, Engine::Postgres] {
            let mut backend = Backend::migrated(engine).await;
            backend.gated = true;
            test(backend).await;
        }
    });
}

/// Runs a test on several threads, as the platform does.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test);
}

/// Waits for a condition, at most half a minute.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(Instant::now() < deadline, "{what} did not happen in time");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
