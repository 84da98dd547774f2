//! Rate limits in this process: how many requests a caller may make in a minute.
//!
//! Each caller has a bucket that refills evenly, kept as one number: the time at which it would be
//! full again. A full bucket and an unknown caller are the same, so forgetting is harmless.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use gx_types::NetworkId;

use crate::config::RateLimits;

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
}

impl Limiter {
    pub(crate) fn new(limits: &RateLimits, network: NetworkId) -> Self {
        let scaled = |limit: u32| limits.scaled(limit, network);
        Self {
            credentials: scaled(limits.credentials_per_minute),
            commands: scaled(limits.commands_per_minute),
            reads: scaled(limits.reads_per_minute),
            started: Instant::now(),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
            shard_max: (limits.clients_max / SHARDS).max(1),
        }
    }

    /// Counts one request of a caller. `None` for a class without a limit.
    pub(crate) fn count(&self, class: Class, caller: impl Hash, now: Instant) -> Option<Allowance> {
        let limit = match class {
            Class::Credentials => self.credentials,
            Class::Command => self.commands,
            Class::Read => self.reads,
            Class::Unlimited => return None,
        };
        let key = self.hasher.hash_one((class, caller));
        let now = nanos(now.saturating_duration_since(self.started));
        let (minute, step) = (nanos(MINUTE), nanos(MINUTE) / u64::from(limit.max(1)));
        let place = usize::try_from(key % SHARDS as u64).unwrap_or_default();
        let mut shard = self.shards.get(place)?.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = shard.get(&key).copied().unwrap_or(now).max(now);
        let used = full_at - now + step;
        // Whole steps are compared: a minute need not be a multiple of a step.
        let allowed = used <= minute;
        let seconds = |nanos: u64| u32::try_from(nanos.div_ceil(1_000_000_000)).unwrap_or(60);
        if !allowed {
            return Some(Allowance {
                allowed,
                limit,
                remaining: 0,
                seconds: seconds(used - minute),
            });
        }
        if shard.len() >= self.shard_max && !shard.contains_key(&key) {
            forget(&mut shard, now, self.shard_max);
        }
        shard.insert(key, now + used);
        let remaining = u32::try_from((minute - used) / step.max(1)).unwrap_or(u32::MAX);
        Some(Allowance { allowed, limit, remaining: remaining.min(limit), seconds: seconds(used) })
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
        Limiter::new(&limits, network)
    }

    #[test]
    fn a_minutes_worth_passes_at_once_and_then_evenly() {
        let limiter = limiter(NetworkId::Mainnet);
        let start = Instant::now();
        let count = |after: u64| {
            limiter.count(Class::Credentials, "a", start + Duration::from_secs(after)).unwrap()
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
            assert!(limiter.count(Class::Credentials, "a", now).unwrap().allowed);
        }
        assert!(!limiter.count(Class::Credentials, "a", now).unwrap().allowed);
        assert!(limiter.count(Class::Credentials, "b", now).unwrap().allowed);
        assert!(limiter.count(Class::Read, "a", now).unwrap().allowed);
        assert!(limiter.count(Class::Unlimited, "a", now).is_none());
    }

    #[test]
    fn devnet_takes_load() {
        let limiter = limiter(NetworkId::Devnet);
        let now = Instant::now();
        assert!((0..10_000).all(|_| limiter.count(Class::Command, 1, now).unwrap().allowed));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = limiter(NetworkId::Mainnet);
        let now = Instant::now();
        for caller in 0..20_000 {
            limiter.count(Class::Read, caller, now).unwrap();
        }
        let known: usize = limiter.shards.iter().map(|shard| shard.lock().unwrap().len()).sum();
        assert!(known <= 1000, "{known}");
    }
}
