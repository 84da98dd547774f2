//! One cluster for all tests of a process, or of a whole run.
//!
//! `cargo xtask test` starts one and names it in [`SHARED_URL`]; nextest runs each test in a
//! process of its own, and a cluster for each of them would cost more than the tests. Without
//! that variable the first caller in a process starts one.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::{Cluster, Error, Options, Programs, Server};

/// The environment variable with [`Server::base_url`] of a cluster that is shared by processes.
pub const SHARED_URL: &str = "GX_PG_SHARED_URL";

/// Statics are never dropped; this cluster ends through its watchdog when the process does.
static OWN: OnceLock<Result<Mutex<Cluster>, String>> = OnceLock::new();

/// The shared server. Take a [`Server::fresh_database`] of it for each test, and start a
/// [`Cluster`] of your own for tests that stop it or depend on its settings.
pub fn shared() -> Result<Server, Error> {
    if let Some(url) = std::env::var_os(SHARED_URL) {
        let error = Error::Url { variable: SHARED_URL };
        let Some(url) = url.to_str() else { return Err(error) };
        return Server::from_base_url(Programs::find()?, url).ok_or(error);
    }
    let start = || Cluster::start(Options::default()).map(Mutex::new).map_err(|e| report(&e));
    match OWN.get_or_init(start) {
        Ok(cluster) => Ok(lock(cluster).server().clone()),
        Err(text) => Err(Error::Shared { text: text.clone() }),
    }
}

/// Keeps the folder of this process's own shared cluster, if there is one.
pub(crate) fn keep() {
    if let Some(Ok(cluster)) = OWN.get() {
        lock(cluster).keep();
    }
}

/// A panic elsewhere leaves the cluster as good as it was.
fn lock(cluster: &Mutex<Cluster>) -> MutexGuard<'_, Cluster> {
    cluster.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error with its sources, because the error itself cannot be kept and handed out twice.
fn report(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
