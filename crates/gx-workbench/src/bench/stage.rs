//! The platform that a benchmark runs on: no HTTP, a database of its own, and a ledger of its own
//! unless that is a Fabric network.
//!
//! Durability is as in production: fsync on every commit of database and ledger.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use gx_engine::Submission;
use gx_pg::{Cluster, Options, Pooler, Pooling};
use gx_server::config::Config;
use gx_server::{Platform, Starting, Workers};
use gx_store::commands::State;

use crate::load::Population;
use gx_cli::scratch::Scratch;
use gx_cli::{rebuild, settings};

/// Accounts are opened this many at a time.
const OPENING: usize = 4_000;

/// Long enough for what is not broken: a used channel's history is read first.
const DEADLINE: Duration = Duration::from_secs(300);

/// The engines that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sql {
    Sqlite,
    Postgres,
    /// PostgreSQL behind a PgBouncer that lends sessions for transactions.
    Pooled,
    Both,
    /// SQLite, and as the ledger the Fabric network that the environment variables FABRIC_* name.
    Fabric,
}

impl Sql {
    /// The engines one by one.
    pub(super) fn each(self) -> &'static [Self] {
        match self {
            Self::Sqlite => &[Self::Sqlite],
            Self::Postgres => &[Self::Postgres],
            Self::Pooled => &[Self::Pooled],
            Self::Both => &[Self::Sqlite, Self::Postgres],
            Self::Fabric => &[Self::Fabric],
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Pooled => "postgres behind pgbouncer",
            Self::Both => "both",
            Self::Fabric => "sqlite and fabric",
        }
    }
}

/// A database and a folder that go away with the value.
pub(super) struct Stage {
    pub(super) config: Config,
    pub(super) platform: Platform,
    _folder: Scratch,
    _pooler: Option<Pooler>,
    _cluster: Option<Cluster>,
}

impl Stage {
    pub(super) async fn start(sql: Sql, within: &Path, workers: Workers) -> Result<Self> {
        Self::start_with(sql, within, workers, &[]).await
    }

    /// A platform with settings that differ from those of production.
    pub(super) async fn start_with(
        sql: Sql,
        within: &Path,
        workers: Workers,
        settings: &[(&'static str, &str)],
    ) -> Result<Self> {
        let folder = Scratch::make(within, "bench")?;
        let data = folder.path().join("data").display().to_string();
        let (mut environment, mut cluster, mut pooler) = (Vec::new(), None, None);
        if sql == Sql::Postgres || sql == Sql::Pooled {
            let url = match settings::secret(settings::BENCH_DATABASE_URL) {
                Some(url) => url,
                None => {
                    let started = Cluster::start(Options::durable())?;
                    let name = "gx_bench";
                    started.create_database(name)?;
                    let mut url = started.url(name);
                    if sql == Sql::Pooled {
                        let between = Pooler::start(started.server(), Pooling::Transaction)?;
                        url = between.url(name);
                        pooler = Some(between);
                    }
                    cluster = Some(started);
                    url
                }
            };
            environment.push(("DATABASE_URL".to_owned(), url));
        }
        let mut flags = vec![
            ("data_dir", data),
            ("log.level", "error".to_owned()),
            // Nothing happens beside what is measured.
            ("tax.interval_seconds", "0".to_owned()),
        ];
        flags.extend(settings.iter().map(|(key, text)| (*key, (*text).to_owned())));
        if sql == Sql::Fabric {
            flags.push(("ledger.engine", "fabric".to_owned()));
            let all = std::env::vars_os();
            environment.extend(
                all.filter_map(|(name, text)| {
                    Some((name.into_string().ok()?, text.into_string().ok()?))
                })
                .filter(|(name, _)| name.starts_with("FABRIC_")),
            );
        }
        let config = Config::load(None, environment, &flags)?;
        let starting = Starting::once().beside_any_ledger();
        let platform = Platform::start(config.clone(), workers, true, &starting).await?;
        Ok(Self { config, platform, _folder: folder, _pooler: pooler, _cluster: cluster })
    }

    /// Bootstraps and opens the population's accounts, through the same path as everything. What
    /// an earlier run has done on a ledger that is not the stage's own is refused, which is fine.
    pub(super) async fn populate(&self, population: &mut Population, users: usize) -> Result<()> {
        let bar = gx_cli::console::progress("opening accounts", users as u64);
        for envelope in population.foundation() {
            self.outcome(vec![submission(envelope)]).await?;
        }
        let numbers: Vec<usize> = (0..users).collect();
        for numbers in numbers.chunks(OPENING) {
            let openings = numbers.iter().filter_map(|number| population.opening(*number));
            let outcome = self.outcome(openings.map(submission).collect()).await?;
            bar.inc(numbers.len() as u64);
            if matches!(outcome, State::Refused { .. }) {
                break;
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Submits commands in one transaction and waits until the last of them is carried out.
    pub(super) async fn settle(&self, commands: Vec<Submission>) -> Result<()> {
        match self.outcome(commands).await? {
            State::Committed { .. } => Ok(()),
            state => bail!("a command of the load was not carried out: {state:?}"),
        }
    }

    /// Submits commands in one transaction. What becomes of the last of them.
    async fn outcome(&self, commands: Vec<Submission>) -> Result<State> {
        let outbox = self.platform.outbox();
        let mut tx = self.platform.store().begin().await?;
        let accepted = outbox.submit_in(&mut tx, commands).await?;
        tx.commit().await?;
        outbox.committed();
        let last = accepted.last().context("no command to settle")?.command_id;
        let state = self.platform.waiters().wait(last, DEADLINE).await?;
        state.context("a command of the load has no outcome; the log says why")
    }

    /// Stops the platform and fills its read models again; how long that took.
    pub(super) async fn rebuild(self) -> Result<Duration> {
        let Self { platform, config, _folder: folder, _pooler: pooler, _cluster: cluster } = self;
        platform.stop().await;
        let rebuilt = rebuild::read_models(config).await;
        drop((folder, pooler, cluster));
        Ok(rebuilt?.took)
    }

    pub(super) async fn stop(self) {
        self.platform.stop().await;
    }

    /// Stops the platform and keeps its files.
    pub(super) async fn close(self) -> Kept {
        let Self { platform, config, _folder, _pooler: _, _cluster: _ } = self;
        platform.stop().await;
        Kept { config, _folder }
    }
}

/// What a stopped platform has left; it goes away with the value.
pub(super) struct Kept {
    config: Config,
    _folder: Scratch,
}

impl Kept {
    /// The folder of database, ledger and keys.
    pub(super) fn data(&self) -> &Path {
        &self.config.data_dir
    }
}

/// The command as a service would hand it in; accounts that it opens are nobody's.
pub(super) fn submission(envelope: gx_contract::Envelope) -> Submission {
    let gx_contract::Envelope { command_id, actor, command, signature } = envelope;
    let (key, traceparent, service) = (command_id.to_string(), None, "bench");
    Submission { actor, key, command, signature, service, traceparent }
}
