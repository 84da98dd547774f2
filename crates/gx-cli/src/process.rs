//! What every long-running command shares: runtime, log, signals.
//!
//! The runtime is set up in one place, so that all roles behave alike on the same machine.

use std::future::Future;

use anyhow::{Context, Result, anyhow};
use gx_server::config::Config;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a command's work to its end on a runtime with a thread for each processor.
pub fn block_on<R>(work: impl Future<Output = Result<R>>) -> Result<R> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("gx")
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(work)
}

/// Sends the log where the settings say.
pub fn log(config: &Config) -> Result<()> {
    gx_server::telemetry::init(&config.log).map_err(|error| anyhow!(error))
}

/// Becomes ready when the process is asked to stop: Ctrl-C or SIGTERM.
pub fn stop_signal() -> Result<impl Future<Output = ()>> {
    let failed = "cannot listen to signals";
    let mut terminate = signal(SignalKind::terminate()).context(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).context(failed)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("asked to stop");
    })
}
