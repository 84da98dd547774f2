//! Transfers from `submit()` until they are visible in the read models, and how long one takes.
//!
//! First as many as go through: callers keep a bounded number on their way. Then at half of that
//! rate, evenly paced whatever the answers take, the time of each from submit to committed. Then
//! lone transfers on an idle platform. `--history` records that many transfers first and compares;
//! `--admin-share` compares with a load that admins give orders among.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use gx_contract::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_engine::Submission;
use gx_server::Workers;
use gx_store::commands::State;
use gx_store::projection;
use gx_types::Actor;
use tokio::task::JoinSet;

use super::fabric;
use super::figure::{Bar, Report, per_second};
use super::latency::Latencies;
use super::slices::Slices;
use super::stage::{Sql, Stage, submission};
use crate::load::Population;
use gx_cli::console;

const ACCOUNTS: usize = 100_000;
/// Accounts that pay nobody and that admins freeze and open.
const ORDERED: usize = 1_000;
/// Transfers handed in at once; each group is a transaction of the outbox.
const GROUP: usize = 64;
/// Transfers accepted and not yet visible, at most.
const ON_THEIR_WAY: u64 = 8_000;
const RATE_BAR: f64 = 10_000.0;
const P99_BAR_MS: f64 = 250.0;
const LONE_BAR_MS: f64 = 20.0;
/// The ledger is a Fabric network of 3 orderers and 2 peers on the same machine.
const FABRIC_RATE_BAR: f64 = 3_000.0;
const FABRIC_LONE_BAR_MS: f64 = 150.0;
const LONE: usize = 200;
/// Long enough for anything that is not broken.
const DEADLINE: Duration = Duration::from_secs(60);
/// The population is larger than any load.
const NO_ACCOUNTS: &str = "no accounts to pay among";
/// The part of its rate that the pipeline keeps, with a history, or with few hot accounts.
const HISTORY_BAR: f64 = 0.8;
const HOT_BAR: f64 = 0.5;
/// The part of their rate that payments keep with commands of another role among them.
const ADMIN_SHARE_BAR: f64 = 0.9;

/// What is measured beside the rate.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Settings {
    /// Payments among this many accounts only, compared with payments among all.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(2..),
        conflicts_with = "history"
    )]
    hot: Option<u32>,
    /// Transfers recorded before a second measurement, whose rate is compared with the first; and
    /// the rate of recording them in ten slices of time.
    #[arg(long, value_name = "N")]
    history: Option<u64>,
    /// Commands of super admins for every hundred payments, in a second measurement whose payments
    /// are compared with the first.
    #[arg(
        long,
        value_name = "PERCENT",
        value_parser = clap::value_parser!(u32).range(1..=100),
        conflicts_with_all = ["hot", "history"]
    )]
    admin_share: Option<u32>,
    /// How long the orderers of a Fabric network wait for a second transaction, in milliseconds;
    /// 0 when their message count is 1. A lone command may take so much longer there.
    #[arg(long, value_name = "MS", default_value = "0")]
    batch_timeout: u32,
}

impl Settings {
    fn bars(&self, sql: Sql) -> Bars {
        match sql {
            Sql::Fabric => Bars {
                rate: Bar::AtLeast(FABRIC_RATE_BAR),
                p99: Bar::None,
                lone: Bar::AtMost(FABRIC_LONE_BAR_MS + f64::from(self.batch_timeout)),
            },
            Sql::Pooled => Bars { rate: Bar::None, p99: Bar::None, lone: Bar::None },
            Sql::Sqlite | Sql::Postgres | Sql::Both => Bars {
                rate: Bar::AtLeast(RATE_BAR),
                p99: Bar::AtMost(P99_BAR_MS),
                lone: Bar::AtMost(LONE_BAR_MS),
            },
        }
    }
}

/// What an engine has to reach.
#[derive(Debug, Clone, Copy)]
struct Bars {
    rate: Bar,
    p99: Bar,
    lone: Bar,
}

pub(super) async fn run(
    report: &mut Report,
    time: Duration,
    within: &Path,
    sql: Sql,
    settings: Settings,
) -> Result<()> {
    for sql in sql.each() {
        let stage = Stage::start(*sql, within, Workers::ALL).await?;
        // Command ids must be new in every run on the same ledger.
        let seed = if *sql == Sql::Fabric { fabric::seed() } else { 4 };
        let mut population = Population::new(ACCOUNTS, seed)?;
        stage.populate(&mut population, ACCOUNTS).await?;
        let mut load = Load::new(&stage, population);
        let (name, bars) = (sql.as_str(), settings.bars(*sql));
        let rate = load.rate(time).await?;
        let setting = format!("{name}, {ACCOUNTS} accounts, {} s", time.as_secs());
        report.add(("pipeline", &setting), "transfers", (rate, "1/s"), bars.rate);
        if let Some(hot) = settings.hot {
            load.among = hot as usize;
            let hot_rate = load.rate(time).await?;
            let setting = format!("{name}, among {hot} accounts");
            report.add(("pipeline", &setting), "transfers", (hot_rate, "1/s"), Bar::None);
            let share = hot_rate / rate;
            report.add(("pipeline", &setting), "share", (share, "of 1"), Bar::AtLeast(HOT_BAR));
        } else if let Some(history) = settings.history {
            let slices = load.record(history).await?;
            let setting = format!("{name}, to {history} transfers");
            slices.report(report, ("pipeline", &setting), Bar::None);
            let late_rate = load.rate(time).await?;
            let setting = format!("{name}, after {history} transfers");
            report.add(("pipeline", &setting), "transfers", (late_rate, "1/s"), Bar::None);
            let share = late_rate / rate;
            report.add(("pipeline", &setting), "share", (share, "of 1"), Bar::AtLeast(HISTORY_BAR));
        } else if let Some(percent) = settings.admin_share {
            load.admin_share = percent;
            let mixed_rate = load.rate(time).await?;
            let setting = format!("{name}, {percent} commands of admins for 100 transfers");
            report.add(("pipeline", &setting), "transfers", (mixed_rate, "1/s"), Bar::None);
            let share = (mixed_rate / rate, "of 1");
            report.add(("pipeline", &setting), "share", share, Bar::AtLeast(ADMIN_SHARE_BAR));
            // The orders are carried out as well.
            let commands = mixed_rate * f64::from(100 + percent) / 100.0;
            report.add(("pipeline", &setting), "commands", (commands, "1/s"), Bar::None);
        } else {
            load.latencies(report, (name, bars), rate, time).await?;
        }
        stage.stop().await;
    }
    Ok(())
}

struct Load<'s> {
    stage: &'s Stage,
    population: Population,
    among: usize,
    /// Orders of an admin for every hundred payments.
    admin_share: u32,
    /// Hundredths of an order.
    owed: u32,
    orders: usize,
}

impl<'s> Load<'s> {
    fn new(stage: &'s Stage, population: Population) -> Self {
        Self { stage, population, among: ACCOUNTS - ORDERED, admin_share: 0, owed: 0, orders: 0 }
    }

    fn payment(&mut self) -> Result<Submission> {
        self.population.payment(self.among).map(submission).context(NO_ACCOUNTS)
    }

    /// Commands visible in the read models.
    async fn visible(&self) -> Result<u64> {
        Ok(projection::position(self.stage.platform.store()).await?.totals.commands)
    }

    /// Transfers per second from `submit()` to visible, over `time`.
    async fn rate(&mut self, time: Duration) -> Result<f64> {
        let (first, start) = (self.visible().await?, Instant::now());
        let (mut sent, mut payments) = (0, 0);
        let bar = console::progress("transfers", time.as_secs());
        while start.elapsed() < time {
            sent += self.send(GROUP * 8).await?;
            payments += GROUP as u64 * 8;
            self.drain(first + sent, ON_THEIR_WAY).await?;
            bar.set_position(start.elapsed().as_secs());
        }
        self.drain(first + sent, 0).await?;
        bar.finish_and_clear();
        Ok(per_second(payments, start.elapsed()))
    }

    /// Records a history, and how fast that went.
    async fn record(&mut self, transfers: u64) -> Result<Slices> {
        let (first, mut sent) = (self.visible().await?, 0);
        let mut slices = Slices::begin();
        let bar = console::progress("recording a history", transfers);
        while sent < transfers {
            sent += self.send(GROUP * 8).await?;
            self.drain(first + sent, ON_THEIR_WAY).await?;
            slices.mark(self.visible().await? - first);
            bar.set_position(sent);
        }
        self.drain(first + sent, 0).await?;
        slices.mark(sent);
        bar.finish_and_clear();
        Ok(slices)
    }

    /// Hands in payments and the orders that belong to them, all callers at once, and waits until
    /// they are accepted. How many of both.
    async fn send(&mut self, payments: usize) -> Result<u64> {
        let (mut callers, mut sent) = (JoinSet::new(), 0);
        let mut hand_in = |command| {
            let outbox = self.stage.platform.outbox().clone();
            callers.spawn(async move { outbox.submit(command).await });
            sent += 1;
        };
        for _ in 0..payments {
            hand_in(self.population.payment(self.among).map(submission).context(NO_ACCOUNTS)?);
            self.owed += self.admin_share;
            while self.owed >= 100 {
                self.owed -= 100;
                hand_in(order(&mut self.population, self.among, &mut self.orders)?);
            }
        }
        while let Some(accepted) = callers.join_next().await {
            accepted??;
        }
        Ok(sent)
    }

    /// Waits until at most `rest` of `sent` commands are not visible yet.
    async fn drain(&self, sent: u64, rest: u64) -> Result<()> {
        let asked = Instant::now();
        while self.visible().await? + rest < sent {
            if asked.elapsed() > DEADLINE {
                bail!("the read models stand still; the log says why");
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    async fn latencies(
        &mut self,
        report: &mut Report,
        (name, bars): (&str, Bars),
        rate: f64,
        time: Duration,
    ) -> Result<()> {
        let half = rate / 2.0;
        let paced = self.paced(half, time / 2).await?;
        let setting = format!("{name}, {half:.0} transfers/s");
        let p99 = (paced.ms(99), "ms");
        report.add(("pipeline", &setting), "p50 to committed", (paced.ms(50), "ms"), Bar::None);
        report.add(("pipeline", &setting), "p99 to committed", p99, bars.p99);
        let mut lone = Latencies::default();
        for _ in 0..LONE {
            lone.add(one(self.stage, self.population.payment(ACCOUNTS)).await?);
        }
        let setting = format!("{name}, idle");
        let p50 = (lone.ms(50), "ms");
        report.add(("pipeline", &setting), "p50 to committed", p50, bars.lone);
        Ok(())
    }

    /// Transfers at a fixed rate, however long the ones before take.
    async fn paced(&mut self, rate: f64, time: Duration) -> Result<Latencies> {
        const TICK: Duration = Duration::from_millis(10);
        let (mut ticks, mut sent) = (tokio::time::interval(TICK), 0_u64);
        let (start, mut running) = (Instant::now(), JoinSet::new());
        while start.elapsed() < time {
            ticks.tick().await;
            let due = (rate * start.elapsed().as_secs_f64()) as u64;
            for _ in sent..due {
                let platform = &self.stage.platform;
                let (outbox, waiters) = (platform.outbox().clone(), platform.waiters().clone());
                let payment = self.payment()?;
                running.spawn(async move {
                    let asked = Instant::now();
                    let expected = waiters.expect(payment.command_id());
                    outbox.submit(payment).await?;
                    committed(expected.wait(DEADLINE).await?)?;
                    anyhow::Ok(asked.elapsed())
                });
            }
            sent = due;
        }
        let mut all = Latencies::default();
        while let Some(done) = running.join_next().await {
            all.add(done??);
        }
        Ok(all)
    }
}

/// The next order of a super admin: wallets that nobody pays with are frozen, one after the other,
/// and then opened.
fn order(population: &mut Population, first: usize, orders: &mut usize) -> Result<Submission> {
    let user_id = population.id(first + *orders % ORDERED).context(NO_ACCOUNTS)?;
    let (admin, is_closing) =
        (Actor::Admin(population.admin()), (*orders / ORDERED).is_multiple_of(2));
    *orders += 1;
    let reason = FreezeReason::ComplianceReview;
    Ok(submission(match is_closing {
        true => population.envelope(admin, FreezeWallet { account_id: user_id, reason }),
        false => population.envelope(admin, UnfreezeWallet { account_id: user_id, reason }),
    }))
}

/// The time of one transfer with nothing else going on.
async fn one(stage: &Stage, payment: Option<gx_contract::Envelope>) -> Result<Duration> {
    let payment = submission(payment.context("no accounts to pay among")?);
    let asked = Instant::now();
    let expected = stage.platform.waiters().expect(payment.command_id());
    stage.platform.outbox().submit(payment).await?;
    committed(expected.wait(DEADLINE).await?)?;
    Ok(asked.elapsed())
}

fn committed(state: Option<State>) -> Result<()> {
    match state {
        Some(State::Committed { .. }) => Ok(()),
        state => bail!("a transfer was not carried out: {state:?}"),
    }
}
