//! What the demo found: every figure beside what its books say, and what differs.
//!
//! The report holds no opinion: a figure is right when it is exactly the expected one.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use gx_server::FIRST_ADMIN;
use gx_types::{Amount, Pool};
use serde_json::{Value, json};

use super::api::Version;
use super::book::Book;
use super::stages::Snapshot;
use gx_cli::console;
use gx_cli::verify::Findings;

/// Differences that are listed one by one.
const LISTED: usize = 20;

/// A figure, as it is and as it has to be.
#[derive(Debug, Clone)]
struct Check {
    what: String,
    found: String,
    expected: String,
    right: bool,
}

/// The figures of one run.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) registered: u64,
    pub(super) approved: u64,
    pub(super) on_ledger: u64,
    pub(super) frozen: u64,
    /// Commands given by the society that lives on simulated time.
    pub(super) society: u64,
    /// Payments by the code that they were refused with; `applied` for those that were not.
    outcomes: BTreeMap<String, (u64, u64)>,
    balances: u64,
    checks: Vec<Check>,
    /// What attacks got.
    attacks: Vec<Check>,
    /// Differences of single payments and balances.
    differences: Vec<String>,
    verified: Option<Findings>,
    platform: Option<Version>,
    /// Whether the one-time password of a platform that stays was used.
    pub(super) used_up_password: bool,
    pub(super) paying: Duration,
    pub(super) took: Duration,
}

/// Prints rows, and which of them are wrong.
fn table(heading: [&str; 4], checks: &[Check]) {
    let mut rows = vec![heading.map(str::to_owned)];
    for Check { what, found, expected, right } in checks {
        let verdict = if *right { "" } else { "WRONG" }.to_owned();
        rows.push([what.clone(), found.clone(), expected.clone(), verdict]);
    }
    console::table(&rows);
}

impl Report {
    /// Takes in what became of a payment, as codes of refusal.
    pub(super) fn paid(&mut self, expected: Option<&str>, found: Option<&str>) {
        let name = |code: Option<&str>| code.unwrap_or("applied").to_owned();
        self.outcomes.entry(name(expected)).or_default().0 += 1;
        self.outcomes.entry(name(found)).or_default().1 += 1;
        if expected != found {
            self.differ(format!("a payment: {} expected, {}", name(expected), name(found)));
        }
    }

    /// Takes in a balance in Qirat.
    pub(super) fn balance(&mut self, id: &str, found: u64, expected: u64) {
        self.balances += 1;
        if found != expected {
            self.differ(format!("{id}: {expected} Q expected, {found} Q"));
        }
    }

    /// Takes in what `gx verify` found.
    pub(super) fn verified(&mut self, findings: Findings) {
        self.verified = Some(findings);
    }

    /// Takes in what it runs on.
    pub(super) fn on(&mut self, platform: Version) {
        self.platform = Some(platform);
    }

    fn differ(&mut self, difference: String) {
        self.differences.push(difference);
    }

    pub(super) fn check(
        &mut self,
        what: impl Into<String>,
        found: impl ToString,
        expected: impl ToString,
    ) {
        let (found, expected) = (found.to_string(), expected.to_string());
        let right = found == expected;
        self.checks.push(Check { what: what.into(), found, expected, right });
    }

    fn check_gx(&mut self, what: impl Into<String>, found: u64, expected: u64) {
        let gx = |qirat| format!("{} GX", Amount::from_qirat(qirat).to_gx());
        self.check(what, gx(found), gx(expected));
    }

    /// Compares how supply and countries have changed with the books.
    pub(super) fn compare(
        &mut self,
        before: &Snapshot,
        after: &Snapshot,
        book: &Book,
    ) -> Result<()> {
        let people = book.balances().len() as u64;
        self.check("registered", self.registered, people);
        self.check("approved", self.approved, people);
        self.check("on the ledger", self.on_ledger, people);
        self.compare_genesis(before, after, book);
        for (code, (expected, found)) in self.outcomes.clone() {
            let what = match code.as_str() {
                "applied" => "payments applied".to_owned(),
                code => format!("payments refused: {code}"),
            };
            self.check(what, found, expected);
        }
        self.check("payments in the books", book.payments, self.outcomes_of("applied"));
        let (to_users, to_treasuries) = book.granted();
        let fees = Pool::OperationsFund.as_str();
        let gained = after.supply.pool(fees)?.saturating_sub(before.supply.pool(fees)?);
        self.check_gx("fees collected", gained, book.fees);
        for (pool, given) in [(Pool::UserGenesis, to_users), (Pool::GovtGenesis, to_treasuries)] {
            let id = pool.as_str();
            let left = before.supply.pool(id)?.saturating_sub(after.supply.pool(id)?);
            self.check_gx(format!("given by {id}"), left, given);
        }
        let minted = after.supply.minted.saturating_sub(before.supply.minted);
        self.check_gx("minted", minted, to_users + to_treasuries);
        let circulating = after.supply.circulating.saturating_sub(before.supply.circulating);
        self.check_gx("more in circulation", circulating, book.balances().iter().sum());
        self.check("balances that agree", self.balances - self.wrong_balances(), people);
        let treasuries: u64 = after.countries.iter().map(|country| country.treasury).sum();
        let pools: u64 = after.supply.pools.iter().map(|(_, balance)| balance).sum();
        let everywhere = after.supply.circulating + pools + treasuries;
        self.check_gx("pools, treasuries and circulation", everywhere, after.supply.max);
        self.check("books in balance", book.is_balanced(), true);
        Ok(())
    }

    fn compare_genesis(&mut self, before: &Snapshot, after: &Snapshot, book: &Book) {
        let mut used = [0; 6];
        let (mut users, mut wrong) = (0, 0);
        for (then, now) in before.countries.iter().zip(&after.countries) {
            let slots = then.slots_used.iter().zip(&now.slots_used);
            for (sum, (then, now)) in used.iter_mut().zip(slots) {
                *sum += now.saturating_sub(*then);
            }
            users += now.users.saturating_sub(then.users);
            let gained = now.treasury.saturating_sub(then.treasury);
            let expected = book.countries().get(&now.code).map_or(0, |country| country.treasury);
            wrong += u64::from(gained != expected || then.code != now.code);
        }
        for (phase, (used, (expected, ..))) in (1..).zip(used.into_iter().zip(book.genesis)) {
            if used > 0 || expected > 0 {
                self.check(format!("genesis in phase {phase}"), used, expected);
            }
        }
        let granted: u64 = book.genesis.iter().map(|(users, ..)| users).sum();
        self.check("without genesis", users.saturating_sub(used.iter().sum()), book.ungranted);
        self.check("users of all countries", users, granted + book.ungranted);
        self.check("treasuries that differ", wrong, 0);
    }

    /// What an attack got, and the code that it has to get.
    pub(super) fn attack(&mut self, what: &str, got: String, expected: &str) {
        let right = got == expected;
        let (what, expected) = (what.to_owned(), expected.to_owned());
        self.attacks.push(Check { what, found: got, expected, right });
    }

    fn outcomes_of(&self, code: &str) -> u64 {
        self.outcomes.get(code).map_or(0, |(_, found)| *found)
    }

    fn wrong_balances(&self) -> u64 {
        self.differences.iter().filter(|difference| !difference.starts_with("a payment")).count()
            as u64
    }

    pub(super) fn all_right(&self) -> bool {
        self.checks.iter().chain(&self.attacks).all(|check| check.right)
            && self.differences.is_empty()
            && self.verified.as_ref().is_none_or(|verified| verified.findings.is_empty())
    }

    /// Prints the figures for people, or as one JSON object.
    pub(super) fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            console::line(self.json()?);
            return Ok(());
        }
        table(["figure", "found", "expected", ""], &self.checks);
        if !self.attacks.is_empty() {
            console::line("");
            table(["attack", "got", "expected", ""], &self.attacks);
        }
        for difference in self.differences.iter().take(LISTED) {
            console::line(format_args!("WRONG: {difference}"));
        }
        if self.differences.len() > LISTED {
            let more = self.differences.len() - LISTED;
            console::line(format_args!("WRONG: and {more} more"));
        }
        if let Some(Version { network, ledger, database }) = &self.platform {
            let text = format_args!("on {network}: ledger {ledger}, database {database}");
            console::line(text);
        }
        if let Some(verified) = &self.verified {
            console::line("");
            verified.print();
        }
        let (took, paying) = (self.took.as_secs(), self.paying.as_secs_f64());
        let payments: u64 = self.outcomes.values().map(|(_, found)| found).sum();
        let rate = payments as f64 / paying.max(f64::EPSILON);
        console::line("");
        console::line(format_args!(
            "{took} s in all; {payments} payments in {paying:.1} s, {rate:.0} a second"
        ));
        if self.used_up_password {
            console::line(format_args!(
                "The one-time password of {FIRST_ADMIN} is used up: \
                 gx admin reset-password {FIRST_ADMIN} gives another."
            ));
        }
        console::line(if self.all_right() { "All figures agree." } else { "Figures differ." });
        Ok(())
    }

    fn json(&self) -> Result<Value> {
        let rows = |name: &str, checks: &[Check]| -> Vec<Value> {
            let row = |check: &Check| {
                json!({
                    name: check.what, "found": check.found, "expected": check.expected,
                    "ok": check.right,
                })
            };
            checks.iter().map(row).collect()
        };
        Ok(json!({
            "ok": self.all_right(),
            "platform": serde_json::to_value(&self.platform)?,
            "checks": rows("figure", &self.checks),
            "attacks": rows("attack", &self.attacks),
            "frozen": self.frozen,
            "societyCommands": self.society,
            "differences": self.differences,
            "verified": serde_json::to_value(&self.verified)?,
            "seconds": self.took.as_secs(),
        }))
    }
}
