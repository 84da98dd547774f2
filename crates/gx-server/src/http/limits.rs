//! Rate limits: how many requests a caller may make in a minute, whichever process is asked.
//!
//! Each caller has a bucket that refills evenly, kept as one number: the time at which it would be
//! full again. A full bucket and an unknown caller are the same, so forgetting is harmless. The
//! numbers stand in Redis, where the settings name one and it answers, else in this process.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gx_types::NetworkId;

use crate::config::RateLimits;
use crate::redis::{Counted, Redis};

/// What kind of request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Takes a password or makes an account.
    Credentials,
    /// Changes something.
    Command,
    Read,
    /// Health, metrics, description: not limited.
    Unlimited,
}

impl Class {
    const fn bucket(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Command => "commands",
            Self::Read => "reads",
            Self::Unlimited => "none",
        }
    }
}

/// The bucket of those who have a limit of their own for all that they ask.
const OWN: &str = "own";

/// Who has to keep a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limited<'a> {
    /// Nobody who is known: the address of the client.
    Client(IpAddr),
    Caller(&'a str),
    /// Somebody with a limit of their own in place of those of the classes.
    Own(&'a str, u32),
}

impl fmt::Display for Limited<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(address) => write!(f, "client:{address}"),
            Self::Caller(caller) | Self::Own(caller, _) => f.write_str(caller),
        }
    }
}

/// The answer for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) allowed: bool,
    /// Requests a minute.
    pub(crate) limit: u32,
    /// Requests that would be allowed at once now.
    pub(crate) remaining: u32,
    /// Until the bucket is full again, or when refused, until the next request is allowed.
    pub(crate) seconds: u32,
}

impl Allowance {
    /// From how much of the bucket is used, in parts of which a minute has `minute`.
    fn new(allowed: bool, limit: u32, used: u64, minute: u64) -> Self {
        let second = minute / 60;
        let seconds = |parts: u64| u32::try_from(parts.div_ceil(second)).unwrap_or(60);
        if !allowed {
            let seconds = seconds(used.saturating_sub(minute));
            return Self { allowed, limit, remaining: 0, seconds };
        }
        let step = (minute / u64::from(limit.max(1))).max(1);
        let remaining = u32::try_from(minute.saturating_sub(used) / step).unwrap_or(u32::MAX);
        Self { allowed, limit, remaining: remaining.min(limit), seconds: seconds(used) }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
const SHARDS: usize = 16;

/// The buckets of all callers.
#[derive(Debug)]
pub(crate) struct Limiter {
    credentials: u32,
    commands: u32,
    reads: u32,
    started: Instant,
    hasher: RandomState,
    /// Hash of class and caller → when the bucket is full, in nanoseconds since `started`.
    shards: [Mutex<HashMap<u64, u64>>; SHARDS],
    shard_max: usize,
    /// Where the buckets of all processes are.
    redis: Option<Redis>,
}

impl Limiter {
    pub(crate) fn new(limits: &RateLimits, network: NetworkId, redis: Option<Redis>) -> Self {
        let scaled = |limit: u32| limits.scaled(limit, network);
        Self {
            credentials: scaled(limits.credentials_per_minute),
            commands: scaled(limits.commands_per_minute),
            reads: scaled(limits.reads_per_minute),
            started: Instant::now(),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
            shard_max: (limits.clients_max / SHARDS).max(1),
            redis,
        }
    }

    /// Counts one request of a caller. `None` for a class without a limit.
    pub(crate) async fn count(
        &self,
        class: Class,
        caller: Limited<'_>,
        now: Instant,
    ) -> Option<Allowance> {
        let (bucket, limit) = self.bucket(class, caller)?;
        if let Some(redis) = &self.redis
            && let Some(Counted { allowed, used_us }) =
                redis.count(bucket, &caller.to_string(), limit).await
        {
            return Some(Allowance::new(allowed, limit, used_us, 60_000_000));
        }
        self.count_here(class, caller, now)
    }

    /// The bucket of a request, and how much it holds.
    fn bucket(&self, class: Class, caller: Limited<'_>) -> Option<(&'static str, u32)> {
        let limit = match (class, caller) {
            (Class::Unlimited, _) => return None,
            (_, Limited::Own(_, limit)) => return Some((OWN, limit)),
            (Class::Credentials, _) => self.credentials,
            (Class::Command, _) => self.commands,
            (Class::Read, _) => self.reads,
        };
        Some((class.bucket(), limit))
    }

    /// The same in this process alone.
    fn count_here(&self, class: Class, caller: Limited<'_>, now: Instant) -> Option<Allowance> {
        let (bucket, limit) = self.bucket(class, caller)?;
        let key = self.hasher.hash_one((bucket, caller));
        let now = nanos(now.saturating_duration_since(self.started));
        let (minute, step) = (nanos(MINUTE), nanos(MINUTE) / u64::from(limit.max(1)));
        let place = usize::try_from(key % SHARDS as u64).unwrap_or_default();
        let mut shard = self.shards.get(place)?.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = shard.get(&key).copied().unwrap_or(now).max(now);
        let used = full_at - now + step;
        // Whole steps are compared: a minute need not be a multiple of a step.
        let allowed = used <= minute;
        if !allowed {
            return Some(Allowance::new(allowed, limit, used, minute));
        }
        if shard.len() >= self.shard_max && !shard.contains_key(&key) {
            forget(&mut shard, now, self.shard_max);
        }
        shard.insert(key, now + used);
        Some(Allowance::new(allowed, limit, used, minute))
    }
}

/// Makes room: full buckets first, then the half that will be full soonest.
fn forget(shard: &mut HashMap<u64, u64>, now: u64, most: usize) {
    shard.retain(|_, full_at| *full_at > now);
    if shard.len() >= most {
        let mut times: Vec<u64> = shard.values().copied().collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        shard.retain(|_, full_at| *full_at > median);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn limiter(network: NetworkId) -> Limiter {
        let mut limits = Config::load(None, [], &[]).unwrap().rate_limits;
        limits.clients_max = 1000;
        Limiter::new(&limits, network, None)
    }

    #[test]
    fn a_minutes_worth_passes_at_once_and_then_evenly() {
        let limiter = limiter(NetworkId::Mainnet);
        let start = Instant::now();
        let count = |after: u64| {
            limiter
                .count_here(
                    Class::Credentials,
                    Limited::Caller("a"),
                    start + Duration::from_secs(after),
                )
                .unwrap()
        };
        let remaining: Vec<u32> = (0..5).map(|_| count(0).remaining).collect();
        assert_eq!(remaining, [4, 3, 2, 1, 0]);
        let refused = count(0);
        assert!(!refused.allowed);
        assert_eq!((refused.limit, refused.seconds), (5, 12));
        assert!(count(12).allowed);
        assert!(!count(12).allowed);
        assert_eq!(count(200).remaining, 4);
    }

    #[test]
    fn callers_and_classes_do_not_share_a_bucket() {
        let limiter = limiter(NetworkId::Testnet);
        let now = Instant::now();
        for _ in 0..5 {
            assert!(
                limiter.count_here(Class::Credentials, Limited::Caller("a"), now).unwrap().allowed
            );
        }
        assert!(
            !limiter.count_here(Class::Credentials, Limited::Caller("a"), now).unwrap().allowed
        );
        assert!(limiter.count_here(Class::Credentials, Limited::Caller("b"), now).unwrap().allowed);
        assert!(limiter.count_here(Class::Read, Limited::Caller("a"), now).unwrap().allowed);
        assert!(limiter.count_here(Class::Unlimited, Limited::Caller("a"), now).is_none());
    }

    #[test]
    fn a_limit_of_ones_own_holds_for_all_classes_together() {
        let limiter = limiter(NetworkId::Devnet);
        let now = Instant::now();
        let own = Limited::Own("key", 2);
        assert_eq!(limiter.count_here(Class::Read, own, now).unwrap().remaining, 1);
        assert!(limiter.count_here(Class::Command, own, now).unwrap().allowed);
        assert!(!limiter.count_here(Class::Read, own, now).unwrap().allowed);
    }

    #[test]
    fn devnet_takes_load() {
        let limiter = limiter(NetworkId::Devnet);
        let now = Instant::now();
        assert!((0..10_000).all(|_| {
            limiter.count_here(Class::Command, Limited::Caller("a"), now).unwrap().allowed
        }));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = limiter(NetworkId::Mainnet);
        let now = Instant::now();
        for caller in 0..20_000_u32 {
            let client = Limited::Client(std::net::Ipv4Addr::from(caller).into());
            limiter.count_here(Class::Read, client, now).unwrap();
        }
        let known: usize = limiter.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(known <= 1000, "{known}");
    }
}
