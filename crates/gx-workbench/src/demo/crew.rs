//! Many connections working through one list of jobs, in order of the list and side by side.
//!
//! A worker is one connection and one task. The first error ends the work.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use tokio::task::JoinSet;

use crate::client::{Base, Client};
use gx_cli::console;

/// A worker's own connection.
pub(super) type Connection = Arc<tokio::sync::Mutex<Client>>;

/// How many connections, and where to.
#[derive(Debug, Clone)]
pub(super) struct Crew {
    pub(super) base: Base,
    pub(super) workers: usize,
}

impl Crew {
    /// Does every job and returns the results in the order of the jobs.
    pub(super) async fn work<T, R, F, W>(
        &self,
        what: &'static str,
        jobs: Vec<T>,
        run: F,
    ) -> Result<Vec<R>>
    where
        T: Clone + Send + Sync + 'static,
        R: Send + 'static,
        F: Fn(Connection, T) -> W + Clone + Send + 'static,
        W: Future<Output = Result<R>> + Send,
    {
        let (total, jobs) = (jobs.len(), Arc::new(jobs));
        let bar = console::progress(what, total as u64);
        let next = Arc::new(AtomicUsize::new(0));
        let results: Arc<Mutex<Vec<Option<R>>>> =
            Arc::new(Mutex::new((0..total).map(|_| None).collect()));
        let mut workers = JoinSet::new();
        for _ in 0..self.workers.min(total) {
            let connection = Arc::new(tokio::sync::Mutex::new(Client::new(self.base.clone())));
            let (jobs, next, results) = (jobs.clone(), next.clone(), results.clone());
            let (run, bar): (F, ProgressBar) = (run.clone(), bar.clone());
            workers.spawn(async move {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(at) else { return Ok(()) };
                    let result = run(connection.clone(), job.clone()).await?;
                    let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(place) = results.get_mut(at) {
                        *place = Some(result);
                    }
                    bar.inc(1);
                }
            });
        }
        while let Some(worker) = workers.join_next().await {
            let done: Result<()> = worker.context("a worker of the demo ended")?;
            done.context(what)?;
        }
        bar.finish_and_clear();
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        results.drain(..).map(|result| result.context("a job was left out")).collect()
    }
}
