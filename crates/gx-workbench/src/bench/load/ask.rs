//! Asks every read route, at a rate that does not wait for answers.
//!
//! The routes are those of the table, so that a new one is measured as soon as it answers. A time
//! counts from when the request was due: what queues behind slow answers is slow as well.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use gx_server::{Access, Verb, routes};
use hyper::StatusCode;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::crowd::{Crowd, Server};
use crate::bench::latency::Latencies;
use crate::client::{Ask, Client};
use gx_cli::console;

const CONNECTIONS: usize = 64;
/// For every request of an admin there are so many of users.
const USERS_SHARE: usize = 10;

/// Ends of paths that give no answer that ends, or a whole table, for people or programs that wait.
const LEFT_OUT: [&str; 4] = ["/events", "/stream", "/export", "/docs"];

/// Routes that ask the ledger, which is not there: the database alone is measured.
const OF_THE_LEDGER: [&str; 1] = ["/api/v1/receipts/{commandId}"];

/// What a route needs behind its path.
const QUERIES: [(&str, &str); 2] = [
    ("/api/v1/fees/hoarding-tax/eligibility", "?userId={userId}"),
    ("/api/v1/wallets/{userId}/statements", "?from={monthAgo}&to={today}"),
];

/// Further ways to ask, beside the plain path.
const BESIDES: [&str; 5] = [
    "/api/v1/wallets/{userId}/transactions?limit=100",
    "/api/v1/wallets/{userId}/transactions?page=20&limit=20",
    "/api/v1/admin/users?search=given12",
    "/api/v1/admin/users?status=ACTIVE&page=50",
    "/api/v1/admin/audit-logs?limit=100",
];

/// Ids of what the load does not have: to find nothing is a way of reading, too.
const NOBODYS: [(&str, &str); 9] = [
    ("{actionId}", "ACT_00000000000000000000000007"),
    ("{orgId}", "IN%207K3%20ABC123%201WXYZ%201234"),
    ("{ptxId}", "PTX_00000000000000000000000007"),
    ("{relationshipId}", "REL_00000000000000000000000007"),
    ("{recoveryId}", "REC_00000000000000000000000007"),
    ("{escrowId}", "ESC_00000000000000000000000007"),
    ("{loanId}", "LOAN_00000000000000000000000007"),
    ("{proposalId}", "PROP_00000000000000000000000007"),
    ("{poolId}", "SYSTEM_CHARITABLE_POOL"),
];

/// A route with its times.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Path and query as they are drawn from, and the status if it is not 200.
    pub(super) route: String,
    pub(super) latencies: Latencies,
}

#[derive(Debug, Clone)]
struct Target {
    pattern: String,
    of_admin: bool,
}

/// What the next request is.
struct Next {
    target: usize,
    path: String,
    token: String,
}

fn targets() -> Vec<Target> {
    let read = routes().iter().filter(|route| {
        let left_out = LEFT_OUT.iter().any(|end| route.path.ends_with(end));
        route.verb == Verb::Get
            && !left_out
            && !matches!(route.access(), Access::System | Access::Partner)
            && !OF_THE_LEDGER.contains(&route.path)
    });
    let plain = read.map(|route| {
        let query = QUERIES.iter().find(|(path, _)| *path == route.path);
        let query = query.map_or("", |(_, query)| *query);
        let of_admin = matches!(route.access(), Access::Admin(_) | Access::AnyAdmin);
        Target { pattern: format!("{}{query}", route.path), of_admin }
    });
    let besides = BESIDES.iter().map(|pattern| Target {
        pattern: (*pattern).to_owned(),
        of_admin: pattern.contains("/admin/"),
    });
    plain.chain(besides).collect()
}

/// The requests as they follow one another.
struct Script {
    targets: Vec<Target>,
    crowd: Crowd,
    /// Dates, as a query has them.
    days: [(&'static str, String); 2],
    count: usize,
}

impl Script {
    fn new(targets: Vec<Target>, crowd: Crowd) -> Self {
        let now = gx_server::calendar::now_ms();
        let day = |days: i64| {
            let text = gx_server::calendar::rfc3339(now - days * 86_400_000);
            text.get(..10).unwrap_or_default().to_owned()
        };
        let days = [("{monthAgo}", day(31)), ("{today}", day(1))];
        Self { targets, crowd, days, count: 0 }
    }

    /// The next request: users take most turns, and in its turn each route comes as often as any.
    fn next(&mut self) -> Result<Next> {
        self.count += 1;
        let of_admin = self.count.is_multiple_of(USERS_SHARE + 1);
        let fits = |target: &Target| target.of_admin == of_admin;
        let count = self.targets.iter().filter(|target| fits(target)).count();
        let place = self.crowd.draw.place(count);
        let mut fitting = self.targets.iter().enumerate().filter(|(_, target)| fits(target));
        let (target, _) = fitting.nth(place).context("no routes")?;
        self.of(target)
    }

    /// A request to the route of that number.
    fn of(&mut self, target: usize) -> Result<Next> {
        let Crowd { callers, admin, commands, blocks, draw } = &mut self.crowd;
        let Target { pattern, of_admin } = self.targets.get(target).context("no such route")?;
        let caller = callers.get(draw.zipf(callers.len())).context("nobody asks")?;
        let command = commands.get(draw.place(commands.len())).context("no commands")?.to_string();
        let block = (1 + draw.below(*blocks)).to_string();
        let (ledger_id, user_id) = (caller.ledger_id.as_str(), caller.user_id.as_str());
        let id = if pattern.contains("/commands/") { command.as_str() } else { user_id };
        let drawn = [
            ("{userId}", ledger_id),
            ("{accountId}", ledger_id),
            ("{id}", id),
            ("{commandId}", command.as_str()),
            ("{n}", block.as_str()),
            ("{cc}", "IN"),
            ("{adminId}", gx_server::FIRST_ADMIN),
        ];
        let fill = |text: String, (name, with): (&str, &str)| text.replace(name, with);
        let days = self.days.iter().map(|(name, day)| (*name, day.as_str()));
        let all = drawn.into_iter().chain(NOBODYS).chain(days);
        let path = without_names(&all.fold(pattern.clone(), fill));
        let token = if *of_admin { admin.clone() } else { caller.token.clone() };
        Ok(Next { target, path, token })
    }
}

/// What is still a name in braces stands for an id that nobody has.
fn without_names(path: &str) -> String {
    let mut parts = path.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let rest = part.split_once('}').map_or("", |(_, rest)| rest);
        text + "00000000-0000-4000-8000-000000000007" + rest
    })
}

/// Asks for a time, at so many requests a second.
pub(super) async fn run(
    server: &Server,
    crowd: Crowd,
    rate: u32,
    time: Duration,
) -> Result<Vec<Asked>> {
    let targets = targets();
    let mut script = Script::new(targets.clone(), crowd);
    let mut asked = Vec::new();
    let mut client = server.client();
    for (number, target) in targets.iter().enumerate() {
        let status = ask(&mut client, &script.of(number)?).await?;
        let note = if status == StatusCode::OK { String::new() } else { format!(" ({status})") };
        let route = format!("GET {}{note}", target.pattern);
        asked.push(Asked { route, latencies: Latencies::default() });
    }
    let pace = Arc::new(Pace {
        began: Instant::now(),
        rate: rate.into(),
        time,
        next: AtomicU64::new(0),
        script: Mutex::new(script),
    });
    let bar = console::progress("requests", u64::from(rate) * time.as_secs());
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (client, pace, count) = (server.client(), pace.clone(), targets.len());
        connections.spawn(async move { pace.drive(client, count).await });
    }
    while let Some(some) = connections.join_next().await {
        for (all, some) in asked.iter_mut().zip(some??) {
            bar.inc(some.count() as u64);
            all.latencies.merge(some);
        }
    }
    bar.finish_and_clear();
    Ok(asked)
}

/// When each request is due, and what it is.
struct Pace {
    began: Instant,
    rate: u64,
    time: Duration,
    next: AtomicU64,
    script: Mutex<Script>,
}

impl Pace {
    /// One connection: it takes the next request, waits until that is due, and asks.
    async fn drive(&self, mut client: Client, targets: usize) -> Result<Vec<Latencies>> {
        let mut latencies = vec![Latencies::default(); targets];
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let after = Duration::from_micros(number * 1_000_000 / self.rate);
            if after >= self.time {
                return Ok(latencies);
            }
            let next = match self.script.lock() {
                Ok(mut script) => script.next()?,
                Err(_) => bail!("another connection has panicked"),
            };
            let due = self.began + after;
            tokio::time::sleep_until(due).await;
            ask(&mut client, &next).await?;
            if let Some(of_target) = latencies.get_mut(next.target) {
                of_target.add(due.elapsed());
            }
        }
    }
}

/// Asks once; the status of an answer that the service has looked something up for.
async fn ask(client: &mut Client, next: &Next) -> Result<StatusCode> {
    let answer = client.send(Ask::get(&next.path).token(&next.token)).await?;
    let status = answer.status;
    let is_turned_away =
        status == StatusCode::UNAUTHORIZED || status == StatusCode::TOO_MANY_REQUESTS;
    if is_turned_away || status.is_server_error() {
        bail!("GET {} answered {status}: {}", next.path, answer.text());
    }
    Ok(status)
}
