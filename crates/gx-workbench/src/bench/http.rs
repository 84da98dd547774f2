//! How many transfers the HTTP API accepts, and how many balances it tells.
//!
//! The platform is a process of its own, started as it is shipped. The load comes from this process
//! on the same machine, over connections that are kept, each with one request on its way.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use serde::Deserialize;
use tokio::task::JoinSet;

use super::figure::{Bar, Report, per_second};
use super::latency::Latencies;
use crate::child::Child;
use crate::client::{Ask, Base, Client};
use crate::demo::crowd::{Admin, Payer, gather};
use gx_cli::console;
use gx_cli::scratch::Scratch;

const USERS: usize = 256;
const CONNECTIONS: usize = 64;
const TRANSFERS_BAR: f64 = 10_000.0;
const BALANCES_BAR: f64 = 25_000.0;

/// Users of the load need no strong passwords; hashing them is not what is measured.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("LOG_LEVEL", "error"),
    ("GX_AUTH__ARGON2_MEMORY_KIB", "64"),
    ("GX_AUTH__ARGON2_ITERATIONS", "1"),
];

/// How long what was accepted may take to be settled.
const SETTLING: Duration = Duration::from_secs(120);

/// What is asked for over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Transfers,
    Balances,
}

pub(super) async fn run(report: &mut Report, time: Duration, within: &Path) -> Result<()> {
    let folder = Scratch::make(within, "bench")?;
    let program = std::env::current_exe().context("the binary's own path")?;
    let child = Child::start(program, &folder.path().join("data"), &ENVIRONMENT)?;
    let (username, password) = child.first.clone().context("a new platform has no admin")?;
    let base: Base = child.url.parse()?;
    let payers = gather(base.clone(), Admin { username, password }, USERS).await?;
    let payers = Arc::new(payers);
    let setting = format!("{CONNECTIONS} connections, {USERS} users, load from the same machine");

    let before = settled(&base).await?;
    let began = Instant::now();
    let (latencies, took) = drive(&base, &payers, Work::Transfers, time).await?;
    let accepted = latencies.count() as u64;
    let rate = (per_second(accepted, took), "1/s");
    report.add(("http", &setting), "transfers accepted", rate, Bar::AtLeast(TRANSFERS_BAR));
    report.add(("http", &setting), "p99 of a transfer", (latencies.ms(99), "ms"), Bar::None);
    wait_until_settled(&base, before + accepted).await?;
    let rate = (per_second(accepted, began.elapsed()), "1/s");
    report.add(("http", &setting), "transfers settled", rate, Bar::None);

    let (latencies, took) = drive(&base, &payers, Work::Balances, time).await?;
    let rate = (per_second(latencies.count() as u64, took), "1/s");
    report.add(("http", &setting), "balances told", rate, Bar::AtLeast(BALANCES_BAR));
    report.add(("http", &setting), "p99 of a balance", (latencies.ms(99), "ms"), Bar::None);
    child.stop()?;
    Ok(())
}

/// Keeps all connections busy for a time; the time that each answer took.
async fn drive(
    base: &Base,
    payers: &Arc<Vec<Payer>>,
    work: Work,
    time: Duration,
) -> Result<(Latencies, Duration)> {
    let (began, done) = (Instant::now(), Arc::new(AtomicU64::new(0)));
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (base, payers, done) = (base.clone(), payers.clone(), done.clone());
        connections.spawn(async move {
            let mut client = Client::new(base);
            let (mut latencies, mut count) = (Latencies::default(), 0);
            while began.elapsed() < time {
                let request = request(&payers, work, (number, count))?;
                count += 1;
                let asked = Instant::now();
                let answer = client.exchange(request).await?;
                if !matches!(answer.status, StatusCode::OK | StatusCode::ACCEPTED) {
                    bail!("answered {}: {}", answer.status, answer.text());
                }
                latencies.add(asked.elapsed());
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(latencies)
        });
    }
    let what = if work == Work::Transfers { "transfers" } else { "balances" };
    let bar = console::progress(what, 0);
    let mut all = Latencies::default();
    while let Some(latencies) = connections.join_next().await {
        all.merge(latencies??);
        bar.set_position(done.load(Ordering::Relaxed));
    }
    bar.finish_and_clear();
    Ok((all, began.elapsed()))
}

/// The next request of a connection: users take turns, and each pays the next one in the list.
fn request(
    payers: &[Payer],
    work: Work,
    (connection, count): (usize, usize),
) -> Result<Request<Full<Bytes>>> {
    let at = connection + count * CONNECTIONS;
    let (payer, other) = (payers.get(at % payers.len()), payers.get((at + 1) % payers.len()));
    let (payer, other) = payer.zip(other).context("no users")?;
    let request = Request::builder()
        .header("host", "127.0.0.1")
        .header("authorization", format!("Bearer {}", payer.token));
    match work {
        Work::Transfers => {
            let body = format!(r#"{{"toUserId":"{}","amount":"0.01"}}"#, other.ledger_id);
            Ok(request
                .method("POST")
                .uri("/api/v1/transfers")
                .header("content-type", "application/json")
                .header("idempotency-key", format!("bench-{connection:04}-{count}"))
                .body(Full::from(body))?)
        }
        Work::Balances => {
            let id = payer.ledger_id.replace(' ', "%20");
            let path = format!("/api/v1/wallets/{id}/balance");
            Ok(request.uri(path).body(Full::default())?)
        }
    }
}

#[derive(Deserialize)]
struct LedgerInfo {
    commands: u64,
}

/// Commands that are settled and can be read.
async fn settled(base: &Base) -> Result<u64> {
    let mut client = Client::new(base.clone());
    let answer = client.send(Ask::get("/api/v1/ledger/info")).await?;
    Ok(answer.expect::<LedgerInfo>(StatusCode::OK)?.commands)
}

async fn wait_until_settled(base: &Base, commands: u64) -> Result<()> {
    let began = Instant::now();
    while settled(base).await? < commands {
        if began.elapsed() > SETTLING {
            bail!("accepted transfers were not settled within {} s", SETTLING.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
