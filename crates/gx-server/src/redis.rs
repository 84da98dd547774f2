//! Redis, where several processes share what each could have for itself: rate limits, and the news
//! that commands are settled. It is optional, and nothing is lost with it.
//!
//! One task keeps the connections. While there is none, limits hold for each process and outcomes
//! are looked up at short intervals, as without Redis; `/readyz`, a figure and one line in the log
//! say so at each change. Nothing that Redis holds is needed after a minute.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gx_engine::{Applied, Settled};
use gx_metrics::Metrics;
use gx_types::{CommandId, NetworkId};
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, TlsCertificates};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// Counts a request: the time at which the bucket would be full again is all that is kept, in
/// microseconds of Redis's own clock, which is the same for all who count. See `http/limits.rs`.
const COUNT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local minute, step = 60000000, tonumber(ARGV[1])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local used = full_at - now + step
if used > minute then return {0, used} end
redis.call('SET', KEYS[1], string.format('%.0f', now + used), 'PX', math.ceil(used / 1000))
return {1, used}";

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// How often a connection is tried that nobody uses.
const PING_EVERY: Duration = Duration::from_secs(1);
/// Between two attempts, at first and at most.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// Ids of one message at most.
const IDS_MAX: usize = 1000;

/// How much of a bucket is used, in microseconds until it is full again, and whether that is
/// allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) allowed: bool,
    pub(crate) used_us: u64,
}

/// How Redis is, as a stable word when it does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// Nothing is known yet.
    Starting,
    Up,
    Down(&'static str),
}

/// The way to Redis. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    network: NetworkId,
    patience: Duration,
    metrics: Arc<Metrics>,
    link: Mutex<(Condition, Option<Link>)>,
}

/// A connection, and the name that Redis has given the script.
#[derive(Clone)]
struct Link {
    connection: MultiplexedConnection,
    script: String,
    /// Told by whoever gets no answer.
    lost: Arc<Notify>,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The client knows the password.
        f.debug_tuple("Redis").field(&self.condition()).finish()
    }
}

impl Redis {
    /// The way to the server that the settings name, if they name one. Nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the settings, without the URL.
    pub(crate) fn of(config: &Config, metrics: Arc<Metrics>) -> Result<Option<Self>, String> {
        let settings = &config.redis;
        if !settings.url.is_set() {
            return Ok(None);
        }
        let url = settings.url.reveal();
        let wrong = |error: RedisError| format!("redis.url: {}", error.category());
        let client = if settings.tls_ca.as_os_str().is_empty() {
            Client::open(url)
        } else {
            let path = &settings.tls_ca;
            let pem = std::fs::read(path);
            let pem = pem.map_err(|error| format!("redis.tls_ca {}: {error}", path.display()))?;
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem) };
            Client::build_with_tls(url, certificates)
        };
        Ok(Some(Self(Arc::new(Inner {
            client: client.map_err(wrong)?,
            network: config.network,
            patience: Duration::from_millis(settings.timeout_ms),
            metrics,
            link: Mutex::new((Condition::Starting, None)),
        }))))
    }

    pub(crate) fn condition(&self) -> Condition {
        self.0.link.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn link(&self) -> Option<Link> {
        self.0.link.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Counts one request in a bucket that all processes share. `None` when Redis does not say.
    pub(crate) async fn count(&self, bucket: &str, caller: &str, limit: u32) -> Option<Counted> {
        let Link { mut connection, script, lost } = self.link()?;
        // Addresses of clients are nobody's business who looks into Redis.
        let caller = hex::encode(Sha256::digest(caller.as_bytes()));
        let key = format!("gx:{}:limit:{bucket}:{}", self.0.network, caller.get(..32)?);
        let mut command = redis::cmd("EVALSHA");
        command.arg(script).arg(1).arg(key).arg((60_000_000 / u64::from(limit.max(1))).max(1));
        let asked = command.query_async::<(u8, u64)>(&mut connection);
        match timeout(self.0.patience, asked).await {
            Ok(Ok((allowed, used_us))) => Some(Counted { allowed: allowed == 1, used_us }),
            Ok(Err(_)) | Err(_) => {
                lost.notify_one();
                None
            }
        }
    }

    /// Keeps the connections, tells other processes what is settled here, and hears what is settled
    /// there, until it is stopped.
    pub(crate) async fn keep(self, applied: Applied, stop: CancellationToken) {
        let mut pause = PAUSE;
        loop {
            let began = Instant::now();
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = self.hold(&applied) => ended,
            };
            self.turn(Condition::Down(ended), None);
            if began.elapsed() > PAUSE_MAX {
                pause = PAUSE;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
            }
        }
    }

    /// Connects and stays so. Says what has ended it.
    async fn hold(&self, applied: &Applied) -> &'static str {
        let connected = timeout(CONNECT_MAX, self.connect()).await;
        let (link, subscribed) = match connected {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => return class(&error),
            Err(_) => return "timeout",
        };
        let (mut connection, lost) = (link.connection.clone(), link.lost.clone());
        let mut settled = applied.settled();
        self.turn(Condition::Up, Some(link));
        let mut messages = subscribed.into_on_message();
        let mut pings = tokio::time::interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                () = lost.notified() => Err("unavailable"),
                message = messages.next() => match message {
                    Some(message) => {
                        self.hear(applied, message.get_payload_bytes());
                        Ok(())
                    }
                    None => Err("unavailable"),
                },
                ids = next(&mut settled) => self.tell(&mut connection, &ids).await,
                _ = pings.tick() => self.ask(&mut connection, &redis::cmd("PING")).await,
            };
            if let Err(class) = done {
                return class;
            }
        }
    }

    async fn connect(&self) -> Result<(Link, PubSub), RedisError> {
        let client = &self.0.client;
        let config = AsyncConnectionConfig::new().set_connection_timeout(CONNECT_MAX);
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut load = redis::cmd("SCRIPT");
        let script = load.arg("LOAD").arg(COUNT).query_async(&mut connection).await?;
        let mut subscribed = client.get_async_pubsub().await?;
        subscribed.subscribe(self.channel()).await?;
        Ok((Link { connection, script, lost: Arc::default() }, subscribed))
    }

    fn channel(&self) -> String {
        format!("gx:{}:settled", self.0.network)
    }

    /// Tells other processes what is settled.
    async fn tell(
        &self,
        connection: &mut MultiplexedConnection,
        ids: &[CommandId],
    ) -> Result<(), &'static str> {
        for ids in ids.chunks(IDS_MAX) {
            let ids: Vec<String> = ids.iter().map(CommandId::to_string).collect();
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(self.channel()).arg(ids.join(" "));
            self.ask(connection, &publish).await?;
        }
        Ok(())
    }

    /// Takes what another process tells. What is no id is passed over: whoever waits looks up
    /// outcomes, and believes no message.
    fn hear(&self, applied: &Applied, message: &[u8]) {
        let text = std::str::from_utf8(message).unwrap_or_default();
        let ids: Vec<CommandId> = text.split(' ').filter_map(|id| id.parse().ok()).collect();
        self.0.metrics.redis_heard_commands.inc_by(ids.len() as u64);
        applied.hear(&ids);
    }

    async fn ask(
        &self,
        connection: &mut MultiplexedConnection,
        command: &redis::Cmd,
    ) -> Result<(), &'static str> {
        // What nobody waits for may take longer than a request would wait.
        let asked = command.query_async::<redis::Value>(connection);
        match timeout(PING_EVERY.max(self.0.patience), asked).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(class(&error)),
            Err(_) => Err("timeout"),
        }
    }

    /// Notes how Redis is, and says so when that is new.
    fn turn(&self, to: Condition, link: Option<Link>) {
        let mut held = self.0.link.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, (to, link)).0;
        drop(held);
        self.0.metrics.redis_connected.set(i64::from(to == Condition::Up));
        match (before, to) {
            (Condition::Up, Condition::Up) | (_, Condition::Starting) => {}
            (_, Condition::Up) => tracing::info!("Redis answers: processes share limits and news"),
            (Condition::Down(_), Condition::Down(_)) => {}
            (_, Condition::Down(class)) => {
                let message = "Redis does not answer: limits hold for each process by itself";
                tracing::warn!(class, message);
            }
        }
    }
}

/// The next ids that are settled here; never, where nothing is projected any more.
async fn next(settled: &mut Settled) -> Vec<CommandId> {
    match settled.next().await {
        Some(ids) => ids,
        None => std::future::pending().await,
    }
}

/// What is wrong, as a stable word.
fn class(error: &RedisError) -> &'static str {
    match error.kind() {
        ErrorKind::AuthenticationFailed => "denied",
        ErrorKind::BusyLoadingError => "loading",
        ErrorKind::ReadOnly => "read_only",
        ErrorKind::InvalidClientConfig => "settings",
        _ if matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM")) => "denied",
        _ => "unavailable",
    }
}
