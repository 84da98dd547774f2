//! `check`: runs a text table of set-up lines, commands and expectations on a naive host.
//!
//! ```text
//! # a comment
//! world IN=60000000 FR=40000000            bootstrap by the admin `root`, then these countries
//! at 1000                                  time of the batches that follow; also 355d+7
//! put c/IN {"v":1,…}                       a record written past the contract
//! open alice.IN 30                         CreateUser by the system, which must be applied
//! user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=0.015GX
//! + user:bob.FR Transfer bob.FR bob.FR 1 => same_account       in the batch of the line before
//! #key as gx_admin admin:root ResumeSystem => role_not_allowed     under an id, by a role
//! = alice.IN 489.985GX                     a balance
//! since alice.IN 355d                      since when it is taxable; - when it is not
//! ```
//! A line that ends with a backslash goes on in the next one.

use gx_types::Role;

use super::host::Host;
use super::notation::{account, actor, amount, command, command_id, fits, time, words};
use crate::state::Account;
use crate::{BatchRecord, Envelope};

/// A world of two countries for tables that need no other.
pub(super) const WORLD: &str = "world IN=60000000 FR=40000000";

/// Runs a table to its end and replays it.
pub(super) fn check(table: &str) -> Host {
    let host = go_on(Host::default(), table);
    host.finish();
    host
}

/// Runs a table on a host that has run others before.
pub(super) fn go_on(host: Host, table: &str) -> Host {
    let mut script = Script { host, pending: Vec::new() };
    for line in table.replace("\\\n", "").lines().map(str::trim) {
        script.line(line);
    }
    script.flush();
    script.host
}

/// Runs a table in the world of two countries.
pub(super) fn check_in_world(table: &str) -> Host {
    check(&format!("{WORLD}\n{table}"))
}

struct Script {
    host: Host,
    /// Commands of the batch that is not complete yet, with what is expected of each.
    pending: Vec<Line>,
}

struct Line {
    text: String,
    role: Role,
    envelope: Envelope,
    expected: String,
}

impl Script {
    fn line(&mut self, line: &str) {
        let (head, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        if let Some(rest) = line.strip_prefix("+ ") {
            let line = self.parse(rest);
            return self.pending.push(line);
        }
        self.flush();
        match head {
            "" | "#" => {}
            "world" => self.world(rest),
            "at" => self.host.now = time(rest),
            "put" => {
                let (key, record) = rest.split_once(' ').unwrap();
                self.host.put(key, record);
            }
            "open" => self.open(rest),
            "=" => self.balance(rest),
            "since" => self.taxable_since(rest),
            _ => {
                let line = self.parse(line);
                self.pending.push(line);
            }
        }
    }

    fn world(&mut self, countries: &str) {
        for line in [
            "system BootstrapSystem root => SystemBootstrapped",
            &format!("admin:root InitializeCountryData {countries} => CountriesInitialized"),
        ] {
            let line = self.parse(line);
            self.pending.push(line);
            self.flush();
        }
    }

    fn open(&mut self, args: &str) {
        let Line { role, envelope, .. } = self.parse(&format!("system CreateUser {args} => "));
        let record = self.host.execute(role, vec![envelope]);
        let opened = matches!(record.results[0].outcome, crate::Outcome::Applied(_));
        assert!(opened, "open {args}: {}", shown(&record, 0));
    }

    fn stored(&self, name: &str) -> Account {
        let stored = self.host.ledger.get(&format!("a/{}", account(name)));
        let stored = stored.unwrap_or_else(|| panic!("no account {name}"));
        serde_json::from_slice(stored).unwrap()
    }

    fn taxable_since(&self, line: &str) {
        let (name, expected) = line.split_once(' ').unwrap();
        let expected = if expected == "-" { None } else { Some(time(expected)) };
        let found = self.stored(name).taxable_since.map(|since| since.0);
        assert_eq!(found, expected, "{name} is taxable since");
    }

    fn balance(&self, line: &str) {
        let (name, expected) = line.split_once(' ').unwrap();
        let found = self.stored(name).balance;
        assert_eq!(found, amount(expected.trim()), "balance of {name}: {}", found.to_gx());
    }

    fn parse(&mut self, line: &str) -> Line {
        let (words_of, expected) =
            line.split_once("=>").unwrap_or_else(|| panic!("{line:?} expects nothing"));
        let words = words(words_of);
        let mut rest = words.as_slice();
        let id = rest[0].strip_prefix('#').map(str::to_owned);
        rest = if id.is_some() { &rest[1..] } else { rest };
        let role = if rest[0] == "as" { Some(rest[1].parse().unwrap()) } else { None };
        rest = if role.is_some() { &rest[2..] } else { rest };
        let mut envelope = self.host.envelope(actor(&rest[0]), command(&rest[1], &rest[2..]));
        if let Some(id) = id {
            envelope.command_id = command_id(&id);
        }
        let role = role.unwrap_or(envelope.role());
        Line { text: line.to_owned(), role, envelope, expected: expected.trim().to_owned() }
    }

    /// Executes the pending batch, which claims the role of its first line.
    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.pending);
        let Some(first) = lines.first() else { return };
        let commands = lines.iter().map(|line| line.envelope.clone()).collect();
        let record = self.host.execute(first.role, commands);
        for (at, line) in lines.iter().enumerate() {
            let fitting = fits(&record.results[at].outcome, &line.expected);
            assert!(fitting, "{}\n  got {}", line.text, shown(&record, at));
        }
    }
}

fn shown(record: &BatchRecord, at: usize) -> String {
    serde_json::to_string(&record.results[at]).unwrap()
}
