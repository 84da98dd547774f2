//! What the server under test runs on: SQLite and the embedded ledger, unless the environment
//! variable `GX_TEST_ON` names another database or ledger. `cargo xtask test` runs the suite on
//! all four combinations.

use gx_fabric_network::{CHAINCODE, CHANNEL, Network, Release};

/// The database and the ledger of one server; they go with the value.
#[derive(Debug)]
pub(crate) struct Combination {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) settings: Vec<(&'static str, String)>,
    database: Option<gx_pg::Database>,
    network: Option<Network>,
}

/// Whether the variable names this part.
fn is_on(part: &str) -> bool {
    let named = std::env::var("GX_TEST_ON").unwrap_or_default();
    let parts: Vec<&str> = named.split('+').filter(|part| !part.is_empty()).collect();
    let is_known = |part: &&str| matches!(*part, "postgres" | "fabric");
    assert!(parts.iter().all(is_known), "GX_TEST_ON is {named:?}, not of postgres and fabric");
    parts.contains(&part)
}

/// The ledger, as the server names it.
pub(crate) fn engine() -> &'static str {
    if is_on("fabric") { "fabric" } else { "embedded" }
}

impl Combination {
    /// New ones; a test that brings its own database gets none.
    pub(crate) async fn new(has_database: bool) -> Self {
        let (mut environment, mut settings) = (Vec::new(), Vec::new());
        let mut database = None;
        if is_on("postgres") && !has_database {
            let fresh = gx_pg::shared().unwrap().fresh_database().unwrap();
            environment.push(("DATABASE_URL".to_owned(), fresh.url()));
            database = Some(fresh);
        }
        let mut network = None;
        if is_on("fabric") {
            let started = Network::start(Release::V3).await;
            settings.extend([
                ("ledger.engine", "fabric".to_owned()),
                ("fabric.peers", started.gateway.to_string()),
                ("fabric.wallet_dir", started.wallet_path().display().to_string()),
                ("fabric.channel", CHANNEL.to_owned()),
                ("fabric.chaincode", CHAINCODE.to_owned()),
            ]);
            network = Some(started);
        }
        Self { environment, settings, database, network }
    }

    /// The channel's network, where there is one.
    pub(crate) fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// Lets days pass where the ledger's time is not the platform's.
    pub(crate) fn pass(&self, days: u16) {
        if let Some(network) = &self.network {
            network.pass(u32::from(days));
        }
    }
}

impl Drop for Combination {
    fn drop(&mut self) {
        // PostgreSQL waits for connections whose log-in is half done, and it is this thread that
        // goes on with them. What the process's end cuts off goes with the cluster.
        let database = self.database.take();
        std::thread::spawn(move || drop(database));
    }
}
