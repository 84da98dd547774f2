//! `INFO` of Redis, and its users without their passwords.

use std::collections::BTreeMap;

use super::bundle::Bundle;
use super::name;
use crate::facts::{Known, Redis, Time};

/// Whether a text is what `redis-cli INFO` prints.
pub(in crate::collect) fn is_info(text: &str) -> bool {
    text.starts_with("# Server") && text.lines().nth(1).is_some_and(|l| l.starts_with("redis_"))
}

pub(super) fn bundle(bundle: &Bundle<'_>) -> Option<Redis> {
    let mut redis = info(bundle.place, bundle.body("info")?)?;
    redis.asks_password = match bundle.body("acl") {
        None => bundle.why("acl"),
        Some(users) => asks_password(users),
    };
    Some(redis)
}

/// Whether the user that everybody is who says no name has a password, or may not come at all.
fn asks_password(users: &str) -> Known<bool> {
    let mut lines = users.lines().map(|line| line.split_whitespace().collect::<Vec<&str>>());
    let default = lines.find(|words| matches!(words.as_slice(), ["user", "default", ..]));
    match default {
        None => Known::missing("it does not tell its users"),
        Some(words) => Known::Known(!(words.contains(&"on") && words.contains(&"nopass"))),
    }
}

/// What INFO says; none when it is not that.
pub(super) fn info(place: &str, text: &str) -> Option<Redis> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let told: BTreeMap<&str, &str> =
        lines.filter_map(|line| line.trim_end().split_once(':')).collect();
    let of = |key: &str| told.get(key).copied().unwrap_or_default();
    let number = |key: &str| of(key).parse::<u64>().ok();
    let version = told.get("redis_version")?;
    let is_sentinel = of("redis_mode") == "sentinel";
    let keys = told.iter().filter(|(key, _)| is_database(key)).filter_map(|(_, line)| {
        let keys = line.split(',').find_map(|part| part.strip_prefix("keys="));
        keys.and_then(|keys| keys.parse::<u64>().ok())
    });
    let masters = told.iter().filter(|(key, _)| key.starts_with("master") && is_numbered(key));
    let sentinels = masters.filter_map(|(_, line)| {
        let count = line.split(',').find_map(|part| part.strip_prefix("sentinels="));
        count.and_then(|count| count.parse::<u32>().ok())
    });
    let follows = match (of("master_host"), of("master_port")) {
        ("", _) => String::new(),
        (host, port) => name(&format!("{host}:{port}")),
    };
    let saved = number("rdb_last_save_time").and_then(|at| i64::try_from(at).ok());
    Some(Redis {
        place: place.to_owned(),
        version: name(version),
        role: if is_sentinel { "sentinel".to_owned() } else { name(of("role")) },
        replicas: number("connected_slaves").and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
        follows,
        link_up: match of("master_link_status") {
            "" => None,
            status => Some(status == "up"),
        },
        append_only: of("aof_enabled") == "1",
        last_save: saved.map(Time::from_seconds),
        used_bytes: number("used_memory").unwrap_or(0),
        max_bytes: number("maxmemory").unwrap_or(0),
        eviction: name(of("maxmemory_policy")),
        asks_password: Known::missing("its users were not asked for"),
        keys: keys.fold(0, u64::saturating_add),
        sentinels: if is_sentinel { sentinels.min() } else { None },
    })
}

fn is_database(key: &str) -> bool {
    let number = key.strip_prefix("db");
    number.is_some_and(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
}

fn is_numbered(key: &str) -> bool {
    key.ends_with(|c: char| c.is_ascii_digit())
}
