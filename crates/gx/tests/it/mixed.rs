//! `kill -9` of the whole platform while people pay, befriend each other, found companies, ask for
//! loans, take keys and sign with them: what was accepted has one outcome, whatever it is.
//!
//! `GX_KILLS` says how often; a few times when nobody says.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use ed25519_dalek::{Signer as _, SigningKey};
use gx_workbench::child::Child;
use gx_workbench::client::{Ask, Base, Client};
use gx_workbench::demo::crowd::Payer;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::crash::moment;
use crate::place::Place;

const PEOPLE: usize = 234;

/// The last of them take keys, and sign all that they do from then on.
const KEYED: usize = 6;
const UNKEYED: usize = PEOPLE - KEYED;

const CONNECTIONS: usize = 8;

/// What each round has one of, payments apart, which are half of it.
const ROUND: usize = 8;

/// Errands that are run at least: enough rounds for every key to sign.
const ERRANDS_MIN: usize = ROUND * (KEYED + 2);

/// How long everything may take to settle at the end.
const SETTLING: Duration = Duration::from_secs(30);

fn kills() -> u64 {
    std::env::var("GX_KILLS").map_or(5, |text| text.parse().unwrap())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Payment,
    Loan,
    Friendship,
    Answer,
    Company,
    Endorsement,
    Key,
    SignedPayment,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Payment,
        Self::Loan,
        Self::Friendship,
        Self::Answer,
        Self::Company,
        Self::Endorsement,
        Self::Key,
        Self::SignedPayment,
    ];
}

/// What somebody asks for, under one key however often it is sent.
#[derive(Debug, Clone)]
struct Errand {
    kind: Kind,
    /// The idempotency key.
    key: String,
    who: usize,
    /// Whom it concerns besides.
    with: usize,
    path: String,
    body: Value,
    /// Whether nothing has to be signed before it is sent.
    is_ready: bool,
}

fn signing_key(seed: usize) -> SigningKey {
    SigningKey::from_bytes(&[u8::try_from(seed).unwrap(); 32])
}

/// Signs bytes in hexadecimal digits.
fn sign(seed: usize, bytes: &Value) -> String {
    let bytes = HEXLOWER.decode(bytes.as_str().unwrap().as_bytes()).unwrap();
    HEXLOWER.encode(&signing_key(seed).sign(&bytes).to_bytes())
}

fn public(seed: usize) -> String {
    HEXLOWER.encode(signing_key(seed).verifying_key().as_bytes())
}

impl Errand {
    /// The errand of a number, which is always the same.
    fn of(number: usize, people: &[Payer]) -> Self {
        let (round, place) = (number / ROUND, number % ROUND);
        let id = |at: usize| people[at].ledger_id.as_str();
        let (who, next) = (round % UNKEYED, (round + 1) % UNKEYED);
        let keyed = UNKEYED + round % KEYED;
        let with = id(next);
        let (kind, who, path, body) = match place {
            0 => (
                Kind::Loan,
                who,
                "loans",
                json!({
                    "amount": "500.00", "purpose": "A kiln", "repaymentPeriod": 6,
                    "collateral": "The kiln",
                }),
            ),
            1 => {
                let body = json!({ "userId": with, "type": "FRIEND_OF" });
                (Kind::Friendship, who, "relationships", body)
            }
            2 => {
                let both = [id(who), with];
                let body = json!({
                    "name": "Example Works", "type": "BUSINESS", "stakeholders": both,
                });
                (Kind::Company, who, "organizations", body)
            }
            3 if round < KEYED => {
                let body = json!({ "publicKey": public(keyed), "proof": "0".repeat(128) });
                (Kind::Key, keyed, "keys", body)
            }
            3 => {
                let body = json!({ "toUserId": id(who), "amount": "0.01" });
                (Kind::SignedPayment, keyed, "transfers", body)
            }
            _ => {
                let body = json!({ "toUserId": with, "amount": "0.01" });
                (Kind::Payment, who, "transfers", body)
            }
        };
        let is_ready = !matches!(kind, Kind::Key | Kind::SignedPayment);
        let (key, path) = (format!("mixed-{number:08}"), format!("/api/v1/{path}"));
        Self { kind, key, who, with: next, path, body, is_ready }
    }

    /// What others do about it once it was accepted.
    fn consequences(&self, reply: &Value) -> Vec<Self> {
        let next = |kind: Kind, who: usize, path: String| Self {
            kind,
            key: format!("{}-{who}", self.key),
            who,
            with: self.with,
            path,
            body: json!({}),
            is_ready: true,
        };
        let id = |field: &str| reply[field].as_str().unwrap().replace(' ', "%20");
        match self.kind {
            Kind::Friendship => {
                let path = format!("/api/v1/relationships/{}/confirm", id("relationshipId"));
                vec![next(Kind::Answer, self.with, path)]
            }
            Kind::Company => {
                let path = format!("/api/v1/organizations/{}/endorse", id("organizationId"));
                [self.who, self.with].map(|who| next(Kind::Endorsement, who, path.clone())).into()
            }
            Kind::Payment
            | Kind::Loan
            | Kind::Answer
            | Kind::Endorsement
            | Kind::Key
            | Kind::SignedPayment => Vec::new(),
        }
    }

    /// Signs it, as the server says that it is signed. `None` when the server does not say.
    async fn make_ready(&mut self, client: &mut Client, token: &str) -> Option<()> {
        let asked = json!({ "route": format!("POST {}", self.path), "body": self.body });
        let ask = Ask::post("/api/v1/commands/canonical", &asked).token(token).key(&self.key);
        let told = client.send(ask).await.ok().filter(|answer| answer.status == 200)?;
        let told: Value = told.json().ok()?;
        if self.kind == Kind::Key {
            self.body["proof"] = sign(self.who, &told["newKey"]["proofBytes"]).into();
        } else {
            self.body["signature"] = json!({
                "value": sign(self.who, &told["signedBytes"]), "expiresAt": told["expiresAt"],
                "publicKey": public(self.who),
            });
        }
        self.is_ready = true;
        Some(())
    }

    /// Sends it. `None` when it is not known whether it was accepted.
    async fn send(&mut self, client: &mut Client, people: &[Payer]) -> Option<Value> {
        let token = &people[self.who].token;
        if !self.is_ready {
            self.make_ready(client, token).await?;
        }
        let ask = Ask::post(&self.path, &self.body).token(token).key(&self.key);
        let answer = client.send(ask).await.ok().filter(|answer| answer.status == 202)?;
        answer.json().ok()
    }
}

/// An errand that was accepted, and the command that it is.
type Accepted = (Errand, String);

#[derive(Debug, Default)]
struct Journal {
    begun: usize,
    /// Without an answer, or asked for by what was accepted.
    waiting: VecDeque<Errand>,
    /// By their idempotency keys.
    accepted: BTreeMap<String, Accepted>,
}

/// The load and what is known of it.
#[derive(Debug, Clone)]
struct Load {
    people: Arc<Vec<Payer>>,
    journal: Arc<Mutex<Journal>>,
}

impl Load {
    fn next(&self) -> Errand {
        let mut journal = self.journal.lock().unwrap();
        if let Some(errand) = journal.waiting.pop_front() {
            return errand;
        }
        journal.begun += 1;
        Errand::of(journal.begun - 1, &self.people)
    }

    /// Runs the next errand. Whether it was accepted.
    async fn run(&self, client: &mut Client) -> bool {
        let mut errand = self.next();
        let reply = errand.send(client, &self.people).await;
        let mut journal = self.journal.lock().unwrap();
        let Some(reply) = reply else {
            journal.waiting.push_front(errand);
            return false;
        };
        let id = reply["commandId"].as_str().unwrap().to_owned();
        journal.waiting.extend(errand.consequences(&reply));
        let before = journal.accepted.insert(errand.key.clone(), (errand, id));
        assert!(before.is_none(), "accepted, and run again: {before:?}");
        true
    }

    /// Keeps a platform busy until it is killed.
    fn start(&self, base: &Base) -> JoinSet<()> {
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (load, mut client) = (self.clone(), Client::new(base.clone()));
            connections.spawn(async move { while load.run(&mut client).await {} });
        }
        connections
    }

    /// Runs what is left, and what is not yet enough.
    async fn finish(&self, base: &Base) {
        let mut client = Client::new(base.clone());
        let is_done = || {
            let journal = self.journal.lock().unwrap();
            journal.waiting.is_empty() && journal.begun >= ERRANDS_MIN
        };
        while !is_done() {
            assert!(self.run(&mut client).await, "{:?}", self.journal.lock().unwrap().waiting);
        }
    }

    /// The outcomes of all that was accepted: how many were committed and refused, by kind.
    async fn outcomes(&self, base: &Base) -> BTreeMap<Kind, [usize; 2]> {
        let accepted: Vec<Accepted> =
            self.journal.lock().unwrap().accepted.values().cloned().collect();
        let mut connections = JoinSet::new();
        for some in accepted.chunks(accepted.len().div_ceil(CONNECTIONS)) {
            let (some, people) = (some.to_vec(), self.people.clone());
            let mut client = Client::new(base.clone());
            connections.spawn(async move {
                let mut outcomes = Vec::new();
                for one in some {
                    outcomes.push((one.0.kind, outcome(&mut client, &people, one).await));
                }
                outcomes
            });
        }
        let mut counted: BTreeMap<Kind, [usize; 2]> = BTreeMap::new();
        for (kind, was_committed) in connections.join_all().await.into_iter().flatten() {
            counted.entry(kind).or_default()[usize::from(!was_committed)] += 1;
        }
        counted
    }
}

/// Sends an errand once more, which has to be the same command, and waits for its outcome. Whether
/// it was committed.
async fn outcome(client: &mut Client, people: &[Payer], (mut errand, id): Accepted) -> bool {
    let again = errand.send(client, people).await.unwrap_or_else(|| panic!("{errand:?}"));
    assert_eq!(again["commandId"], id, "one key, two commands: {errand:?}");
    let (path, token) = (format!("/api/v1/commands/{id}"), &people[errand.who].token);
    let deadline = Instant::now() + SETTLING;
    loop {
        let answer = client.send(Ask::get(&path).token(token)).await.unwrap();
        assert_eq!(answer.status, 200, "{errand:?} is lost: {}", answer.text());
        let command: Value = answer.json().unwrap();
        match command["status"].as_str().unwrap() {
            "committed" => return true,
            "refused" => return false,
            "queued" | "submitted" => assert!(Instant::now() < deadline, "{command}"),
            _ => panic!("{command}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_people_do_happens_once_however_often_the_platform_is_killed() {
    let place = Place::new();
    let (child, people) = place.start_with(PEOPLE).await;
    let load = Load { people: Arc::new(people), journal: Arc::default() };
    let mut running = Some(child);
    for round in 0..kills() {
        let child = running.take().unwrap_or_else(|| place.start());
        let mut connections = load.start(&child.url.parse().unwrap());
        // The load ends by itself only when the platform is gone.
        let early = tokio::time::timeout(moment(round), connections.join_next()).await;
        assert!(early.is_err(), "the platform stopped to answer before it was killed");
        child.kill().unwrap();
        while connections.join_next().await.is_some() {}
    }
    let child: Child = running.take().unwrap_or_else(|| place.start());
    let base: Base = child.url.parse().unwrap();
    load.finish(&base).await;
    let counted = load.outcomes(&base).await;
    assert!(child.stop().unwrap().success());
    for kind in Kind::ALL {
        let [committed, refused] = counted.get(&kind).copied().unwrap_or_default();
        // Nobody's account is old enough for a loan.
        let is_right =
            if kind == Kind::Loan { committed == 0 && refused > 0 } else { committed > 0 };
        assert!(is_right, "{kind:?}: {counted:?}");
    }
    let journal = load.journal.lock().unwrap();
    let ids: BTreeSet<&String> = journal.accepted.values().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), journal.accepted.len(), "two keys, one command");
    // Foundation, accounts and errands: every outcome stands once in the read models.
    let figures = place.verified();
    assert_eq!(figures["outcomes"], (2 + PEOPLE + ids.len()) as u64, "{figures}");
}
