//! Why a process that runs is not ready: the tree that leads from what is seen to what to do.
//!
//! Running, alive, ready are three things. A process that is not alive hangs; one that is alive and
//! not ready waits for something, which its own checks name. An idle ledger is ready: the age of
//! the last event says nothing.

use crate::facts::ReadyCheck;

/// Checks without which a process is ready all the same.
const BESIDE: [&str; 7] =
    ["submission", "documents", "virusScanner", "virus_scanner", "mail", "texts", "redis"];

/// One branch: what was seen, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) seen: String,
    pub(crate) remedy: String,
    /// Whether it keeps the process from being ready.
    pub(crate) stops: bool,
}

/// What keeps a process from being ready, by the statuses of `/livez` and `/readyz` and the checks
/// of the latter; nothing when it is ready and all of its checks are well. A status that is not
/// known says nothing.
pub(crate) fn not_ready(
    live: Option<u16>,
    ready: Option<u16>,
    checks: &[ReadyCheck],
) -> Vec<Branch> {
    let branch = |seen: String, remedy: &str, stops| Branch { seen, remedy: remedy.into(), stops };
    if let Some(status) = live.filter(|status| *status != 200) {
        let remedy = "it runs and is not alive: read its log, and restart this one alone";
        return vec![branch(format!("/livez answers {status}"), remedy, true)];
    }
    let failed = checks.iter().filter(|check| !check.ok);
    let mut found: Vec<Branch> = failed
        .map(|check| {
            let seen = format!("check {}: {}", check.name, check.detail);
            branch(seen, remedy(check), !BESIDE.contains(&check.name.as_str()))
        })
        .collect();
    let is_told = found.iter().any(|branch| branch.stops);
    if let Some(status) = ready.filter(|status| *status != 200 && !is_told) {
        let remedy = "it is alive and does not say what it waits for: read its log";
        found.insert(0, branch(format!("/readyz answers {status}"), remedy, true));
    }
    found
}

fn remedy(check: &ReadyCheck) -> &'static str {
    let word = check.detail.split(':').next().unwrap_or_default();
    match (check.name.as_str(), word) {
        (_, "starting") => "it is starting: what it waits for stands beside",
        ("projection", "never_seen" | "no_heartbeat") => {
            "start the projector, and read its log: gx projector, or its unit or Deployment"
        }
        ("projection", "lagging") => {
            "the projector runs and falls behind: its log says whether an event stops it; a load \
             passes by itself. Do not raise the threshold"
        }
        ("projection", _) | ("database", "unavailable") => {
            "see whether the database answers from there: gx ops doctor"
        }
        ("database", "auth") => "the password or the rights of the role: gx ops secrets check",
        ("database", "schema") => "gx migrate, by the newest build that runs",
        ("submission", _) => "see whether the ledger answers from there: gx ops doctor",
        ("redis", _) => "Redis, or the way to it; limits hold for each process meanwhile",
        _ => "what the check names, from where the process runs: gx ops doctor",
    }
}
