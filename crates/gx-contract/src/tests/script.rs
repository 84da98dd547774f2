//! `check`: runs a text table of set-up lines, commands and expectations on a naive host.
//!
//! ```text
//! # a comment
//! world IN=60000000 FR=40000000            bootstrap by the admin `root`, then these countries
//! world mainnet IN=60000000 FR=40000000    the same on another network than devnet
//! at 1000                                  time of the batches that follow; also 355d+7
//! put c/IN {"v":1,…}                       a record written past the contract; `f/@alice.IN`
//! trust alice.IN 75            a score, with relations and the age for it, past the contract
//! needs #p 3 10                            so many votes and such trust, past the contract
//! poor SYSTEM_GX_POOL 1GX                  the pool has no more; the operations fund has the rest
//! open alice.IN 30                         CreateUser by the system, which must be applied
//! org shop.IN.1 alice.IN bob.FR            an active organization of these stakeholders
//! attester clinic 10 IN                    attests so many a day there, by a key of its name
//! treasury IN office.IN.7                  a treasury that this organization is given
//! user:alice.IN Transfer alice.IN bob.FR 10GX => Transferred fee=0.015GX
//! + user:bob.FR Transfer bob.FR bob.FR 1 => same_account       in the batch of the line before
//! #key as gx_admin admin:root ResumeSystem => role_not_allowed     under an id, by a role
//! by OtherMSP user:alice.IN Transfer …       submitted by another organization
//! signed=k user:alice.IN Transfer …         by the key named `k`; `k@5000@testnet`: when and where
//! = alice.IN 489.985GX                     a balance
//! since alice.IN 355d                      since when it is taxable; - when it is not
//! ran alice.IN 10d                         for how long it was, when its timer came to rest
//! ```
//! A line that ends with a backslash goes on in the next one.

use gx_types::{MspId, NetworkId, ProposalId, Role, TimeMs};

use super::host::Host;
use super::notation::{
    account, actor, amount, attest, command, command_id, fits, prove, sign, time, words,
};
use crate::governance::Proposal;
use crate::identity::Tally;
use crate::state::{Account, RunningMs, System, User};
use crate::tax_and_fee::TaxTimer;
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

/// Gives one command, whatever comes of it: the name of its last event when it was applied.
pub(super) fn try_line(host: Host, line: &str) -> (Host, Option<String>) {
    let mut script = Script { host, pending: Vec::new() };
    let Line { role, envelope, .. } = script.parse(&format!("{line} => "));
    let record = script.host.execute(role, vec![envelope]);
    let name = match &record.results[0].outcome {
        crate::Outcome::Applied(events) => events.last().map(|event| event.name().to_owned()),
        crate::Outcome::Refused(_) | crate::Outcome::Repeated(_) => None,
    };
    (script.host, name)
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
    /// Who submits it, when it is not the platform.
    organization: Option<MspId>,
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
                let key = match key.split_once('@') {
                    Some((kind, word)) => format!("{kind}{}", account(word)),
                    None => key.to_owned(),
                };
                self.host.put(&key, record);
            }
            "trust" => self.trust(rest),
            "needs" => self.needs(rest),
            "poor" => self.poor(rest),
            "open" => self.open(rest),
            "org" => self.organization(rest),
            "attester" => self.attester(rest),
            "treasury" => self.treasury(rest),
            "=" => self.balance(rest),
            "since" => self.taxable_since(rest),
            "ran" => self.taxable_for(rest),
            _ => {
                let line = self.parse(line);
                self.pending.push(line);
            }
        }
    }

    fn world(&mut self, countries: &str) {
        let (network, countries) = match countries.split_once(' ') {
            Some((network, rest)) if !network.contains('=') => (network, rest),
            _ => ("devnet", countries),
        };
        for line in [
            &format!("system BootstrapSystem root {network} => SystemBootstrapped"),
            &format!("admin:root InitializeCountryData {countries} => CountriesInitialized"),
        ] {
            let line = self.parse(line);
            self.pending.push(line);
            self.flush();
        }
    }

    fn open(&mut self, args: &str) {
        let Line { role, organization, envelope, .. } =
            self.parse(&format!("system CreateUser {args} => "));
        self.host.organization = organization;
        let record = self.host.execute(role, vec![envelope]);
        let opened = matches!(record.results[0].outcome, crate::Outcome::Applied(_));
        assert!(opened, "open {args}: {}", shown(&record, 0));
    }

    /// Gives a user the score 10, which all have at first, or 75, with the relations for it, and
    /// makes the account 30 days old.
    fn trust(&mut self, args: &str) {
        let (word, score) = args.split_once(' ').unwrap();
        let tally = match score {
            "10" => Tally::default(),
            "75" => Tally {
                father: Some(account("dad.IN")),
                siblings: 1,
                children: 1,
                friends: 10,
                ..Tally::default()
            },
            _ => panic!("no relations for {score}"),
        };
        let id = account(word);
        let user: User = serde_json::from_slice(&self.host.ledger[&format!("u/{id}")]).unwrap();
        let created_at = user.created_at.min(TimeMs(self.host.now - time("30d")));
        let user = User { trust_score: score.parse().unwrap(), created_at, ..user };
        self.host.put(&format!("u/{id}"), &serde_json::to_string(&user).unwrap());
        self.host.put(&format!("t/{id}"), &serde_json::to_string(&tally).unwrap());
    }

    /// Has a proposal need fewer votes, or less trust, than parameters can ask for.
    fn needs(&mut self, args: &str) {
        let words: Vec<&str> = args.split_whitespace().collect();
        let key = format!("g/{}", ProposalId::made_by(command_id(words[0])));
        let proposal: Proposal = serde_json::from_slice(&self.host.ledger[&key]).unwrap();
        let (quorum, trust_min) = (words[1].parse().unwrap(), words[2].parse().unwrap());
        let proposal = Proposal { quorum, trust_min, ..proposal };
        self.host.put(&key, &serde_json::to_string(&proposal).unwrap());
    }

    fn poor(&mut self, args: &str) {
        let (pool, left) = args.split_once(' ').unwrap();
        let rest = "SYSTEM_OPERATIONS_FUND";
        let (pool_record, rest_record) = (self.stored(pool), self.stored(rest));
        let (held, left) = (pool_record.balance, amount(left));
        let gone = held.checked_sub(left).unwrap();
        let more = rest_record.balance.checked_add(gone).unwrap();
        for (name, record) in [
            (pool, Account { balance: left, ..pool_record }),
            (rest, Account { balance: more, ..rest_record }),
        ] {
            self.host.put(&format!("a/{name}"), &serde_json::to_string(&record).unwrap());
        }
    }

    fn organization(&mut self, args: &str) {
        let (org, stakeholders) = args.split_once(' ').unwrap();
        let members: Vec<&str> = stakeholders.split_whitespace().collect();
        let first = members[0];
        let mut lines = match org.rsplit('.').next() {
            Some("7" | "8" | "9") => self.government(org, stakeholders),
            Some("2") => vec![format!(
                "user:{first} ProposeOrganization {org} {org} NGO {stakeholders} => \
                 OrganizationProposed"
            )],
            _ => vec![format!(
                "user:{first} ProposeOrganization {org} {org} BUSINESS {stakeholders} => \
                 OrganizationProposed"
            )],
        };
        lines.extend(
            members.iter().map(|member| {
                format!("user:{member} EndorseMembership {org} => MembershipEndorsed")
            }),
        );
        lines.push(format!("user:{first} ActivateOrganization {org} => OrganizationActivated"));
        for line in lines {
            let line = self.parse(&line);
            self.pending.push(line);
            self.flush();
        }
    }

    fn network(&self) -> NetworkId {
        let system = self.host.ledger.get("s/system");
        let system = system.map(|system| serde_json::from_slice::<System>(system).unwrap());
        system.map_or(NetworkId::Devnet, |system| system.network_id)
    }

    fn treasury(&mut self, args: &str) {
        let country = args.split(' ').next().unwrap();
        for line in [
            format!("#give-{country} admin:root ActivateTreasuryAccount {args} => ActionProposed"),
            format!(
                "admin:boss ApproveAction #give-{country} => ActionApproved, TreasuryActivated"
            ),
        ] {
            let line = self.parse(&line);
            self.pending.push(line);
            self.flush();
        }
    }

    /// Registered by two super admins; where there is but `root`, that one names `boss` first.
    fn attester(&mut self, args: &str) {
        let (id, limits) = args.split_once(' ').unwrap();
        let alone = !self.host.ledger.contains_key("d/boss");
        let second = "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed".to_owned();
        let decided = [
            format!(
                "#attest-{id} admin:root RegisterAttester {id} {id} {limits} => ActionProposed"
            ),
            format!("admin:boss ApproveAction #attest-{id} => ActionApproved, AttesterRegistered"),
        ];
        for line in alone.then_some(second).into_iter().chain(decided) {
            let line = self.parse(&line);
            self.pending.push(line);
            self.flush();
        }
    }

    /// Two super admins propose one; where there is but `root`, that one names `boss` first.
    fn government(&self, org: &str, stakeholders: &str) -> Vec<String> {
        let alone = !self.host.ledger.contains_key("d/boss");
        let second = "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed".to_owned();
        let propose = format!("ProposeOrganization {org} {org} GOVERNMENT {stakeholders}");
        let decided = [
            format!("#propose-{org} admin:root {propose} => ActionProposed"),
            format!(
                "admin:boss ApproveAction #propose-{org} => ActionApproved, OrganizationProposed"
            ),
        ];
        alone.then_some(second).into_iter().chain(decided).collect()
    }

    fn stored(&self, name: &str) -> Account {
        let stored = self.host.ledger.get(&format!("a/{}", account(name)));
        let stored = stored.unwrap_or_else(|| panic!("no account {name}"));
        serde_json::from_slice(stored).unwrap()
    }

    fn taxable_since(&self, line: &str) {
        let (name, expected) = line.split_once(' ').unwrap();
        let since = |point| TaxTimer::Since(RunningMs(point));
        let expected = if expected == "-" { None } else { Some(since(time(expected))) };
        assert_eq!(self.stored(name).tax_timer, expected, "{name} is taxable since");
    }

    fn taxable_for(&self, line: &str) {
        let (name, expected) = line.split_once(' ').unwrap();
        let expected = TaxTimer::Rests { ran_ms: time(expected) };
        assert_eq!(self.stored(name).tax_timer, Some(expected), "{name} was taxable for");
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
        let organization = if rest[0] == "by" { Some(rest[1].parse().unwrap()) } else { None };
        rest = if organization.is_some() { &rest[2..] } else { rest };
        let signed_by = rest[0].strip_prefix("signed=").map(str::to_owned);
        rest = if signed_by.is_some() { &rest[1..] } else { rest };
        let mut envelope = self.host.envelope(actor(&rest[0]), command(&rest[1], &rest[2..]));
        if let Some(id) = id {
            envelope.command_id = command_id(&id);
        }
        prove(&mut envelope, self.network());
        attest(&mut envelope, self.network(), self.host.now, |id| {
            let user = self.host.ledger.get(&format!("u/{id}"))?;
            Some(serde_json::from_slice::<User>(user).unwrap().identity_hash)
        });
        if let Some(key) = signed_by {
            sign(&mut envelope, &key, self.host.now, self.network());
        }
        let role = role.unwrap_or(envelope.role());
        let (text, expected) = (line.to_owned(), expected.trim().to_owned());
        Line { text, role, organization, envelope, expected }
    }

    /// Executes the pending batch, which claims the role of its first line.
    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.pending);
        let Some(first) = lines.first() else { return };
        let commands = lines.iter().map(|line| line.envelope.clone()).collect();
        self.host.organization = first.organization;
        let record = match self.host.submit(first.role, first.role, commands) {
            Ok(record) => record,
            Err(refused) => {
                let text = refused.to_string();
                let fits = |line: &Line| text.contains(&format!("{}: ", line.expected));
                return assert!(lines.iter().all(fits), "{}\n  got {text}", first.text);
            }
        };
        for (at, line) in lines.iter().enumerate() {
            let fitting = fits(&record.results[at].outcome, &line.expected);
            assert!(fitting, "{}\n  got {}", line.text, shown(&record, at));
        }
    }
}

fn shown(record: &BatchRecord, at: usize) -> String {
    serde_json::to_string(&record.results[at]).unwrap()
}
