//! What keeps a process from what it needs: names, ways, TLS, log-ins, networks, clocks, room.
//!
//! Probes speak the plain protocols alone and know nothing of the platform's settings; whoever
//! calls hands in addresses, credentials and the time. Nothing is changed anywhere. A step that was
//! not tried, because one before it failed, is never told as good.

mod host;
mod pod;
mod postgres;
mod reach;
mod redis;
mod service;
#[cfg(test)]
mod tests;
mod tls;
mod tree;

use serde::Serialize;

pub use host::{disk, limits};
pub use pod::pod;
pub use postgres::{PostgresLogin, TlsMode, postgres};
pub use reach::{Endpoint, reach};
pub use redis::{RedisLogin, RedisUrlError, redis};
pub use service::{Expected, Service, ServiceError, service};
pub use tls::{Tls, Trust};
pub(crate) use tree::not_ready;

use crate::report::{Look, wrapped};

/// How one step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Ok,
    /// The name has no address.
    Unresolved,
    /// Somebody is there, and nobody listens.
    Refused,
    /// Nothing comes back: what is sent is dropped on the way.
    Filtered,
    /// There is no way to the address.
    Unreachable,
    Tls,
    Authentication,
    /// What answers belongs to another network than the settings.
    WrongNetwork,
    /// Something else, which is told.
    Wrong,
    /// Nothing is known of it, since something before it failed or nobody told.
    Unknown,
}

impl Verdict {
    pub const ALL: [Self; 10] = [
        Self::Ok,
        Self::Unresolved,
        Self::Refused,
        Self::Filtered,
        Self::Unreachable,
        Self::Tls,
        Self::Authentication,
        Self::WrongNetwork,
        Self::Wrong,
        Self::Unknown,
    ];

    /// The word that people read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unresolved => "UNRESOLVED",
            Self::Refused => "REFUSED",
            Self::Filtered => "FILTERED",
            Self::Unreachable => "UNREACHABLE",
            Self::Tls => "TLS",
            Self::Authentication => "AUTHENTICATION",
            Self::WrongNetwork => "WRONG NETWORK",
            Self::Wrong => "WRONG",
            Self::Unknown => "not known",
        }
    }
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    pub step: &'static str,
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do; empty when all is well.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remedy: String,
}

/// All that was tried of one thing, in the order in which it was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    pub what: String,
    pub lines: Vec<Line>,
}

impl Part {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), lines: Vec::new() }
    }

    /// A step that went well.
    pub fn ok(&mut self, step: &'static str, seen: impl Into<String>) {
        self.add(step, Verdict::Ok, seen, "");
    }

    /// A step that did not.
    pub fn add(
        &mut self,
        step: &'static str,
        verdict: Verdict,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        // What others answer is shown on a terminal, and does nothing else there.
        let seen: String = seen.into();
        let seen = seen.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
        self.lines.push(Line { step, verdict, seen, remedy: remedy.into() });
    }

    /// Steps that come to nothing when one before them has failed.
    fn not_tried(&mut self, steps: &[&'static str]) {
        for step in steps {
            self.add(step, Verdict::Unknown, "not tried", "");
        }
    }

    pub fn is_well(&self) -> bool {
        self.lines.iter().all(|line| line.verdict == Verdict::Ok)
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    pub parts: Vec<Part>,
}

impl Diagnosis {
    pub fn is_well(&self) -> bool {
        self.parts.iter().all(Part::is_well)
    }
}

/// The text of an answer.
pub fn render(answer: &Diagnosis, look: &Look) -> String {
    let lines = || answer.parts.iter().flat_map(|part| &part.lines);
    let is = |verdict| lines().filter(|line| line.verdict == verdict).count();
    let (well, unknown) = (is(Verdict::Ok), is(Verdict::Unknown));
    let wrong = lines().count().saturating_sub(well.saturating_add(unknown));
    let mut text = format!("{well} ok, {wrong} wrong, {unknown} not known\n");
    for part in &answer.parts {
        text.push('\n');
        text.push_str(&wrapped(&part.what, "", "  ", look.width));
        for line in &part.lines {
            let first = format!("  {:<14} {:<9} ", line.verdict.word(), line.step);
            let rest = " ".repeat(first.chars().count());
            text.push_str(&wrapped(&line.seen, &first, &rest, look.width));
            if !line.remedy.is_empty() {
                text.push_str(&wrapped(&line.remedy, "      → ", "        ", look.width));
            }
        }
    }
    text
}
