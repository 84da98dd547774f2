//! `kill -9` of the whole platform at random moments under load: nothing accepted is lost or done
//! twice, and nothing waits for a hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gx_workbench::child::Child;
use gx_workbench::client::{Ask, Base, Client};
use gx_workbench::demo::crowd::Payer;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::place::Place;

const PEOPLE: usize = 234;
const CONNECTIONS: usize = 8;

/// How long everything may take to settle at the end.
const SETTLING: Duration = Duration::from_secs(30);

/// A payment by its idempotency key: who pays, and the command that it was accepted as.
#[derive(Debug, Default)]
struct Journal {
    sent: u64,
    /// Accepted: the payer and the command's id.
    accepted: BTreeMap<String, (usize, String)>,
    /// Sent, and the process died before it answered.
    unanswered: BTreeMap<String, usize>,
}

/// The load and what is known of it.
#[derive(Clone)]
struct Load {
    payers: Arc<Vec<Payer>>,
    journal: Arc<Mutex<Journal>>,
}

impl Load {
    /// The next payment to send: one without an answer, or a new one.
    fn next(&self) -> (String, usize) {
        let mut journal = self.journal.lock().unwrap();
        if let Some((key, payer)) = journal.unanswered.pop_first() {
            return (key, payer);
        }
        journal.sent += 1;
        (format!("crash-{:08}", journal.sent), journal.sent as usize % self.payers.len())
    }

    /// Sends one payment. Whether it was accepted; a retry has to be the same command.
    async fn pay(&self, client: &mut Client, (key, payer): (String, usize)) -> bool {
        let (from, to) = (&self.payers[payer], &self.payers[(payer + 1) % self.payers.len()]);
        let body = json!({ "toUserId": to.ledger_id, "amount": "0.01" });
        let ask = Ask::post("/api/v1/transfers", &body).token(&from.token).key(&key);
        let answer = client.send(ask).await.ok().filter(|answer| answer.status == 202);
        let reply = answer.and_then(|answer| answer.json::<Value>().ok());
        let id = reply.and_then(|reply| Some(reply["commandId"].as_str()?.to_owned()));
        let mut journal = self.journal.lock().unwrap();
        match id {
            Some(id) => {
                let before = journal.accepted.insert(key, (payer, id.clone()));
                assert!(before.is_none_or(|(_, before)| before == id), "one key, two commands");
                true
            }
            None => {
                journal.unanswered.insert(key, payer);
                false
            }
        }
    }

    /// Keeps a platform busy until it is killed.
    fn start(&self, base: &Base) -> JoinSet<()> {
        let mut connections = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (load, mut client) = (self.clone(), Client::new(base.clone()));
            connections.spawn(async move { while load.pay(&mut client, load.next()).await {} });
        }
        connections
    }
}

/// Milliseconds after which the platform is killed, different in each round.
pub(crate) fn moment(round: u64) -> Duration {
    let scattered = round.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    Duration::from_millis(5 + scattered % 350)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_accepted_survives_fifty_kills_and_happens_once() {
    check_survival(&Place::new(), 50).await;
}

/// Kills a new platform again and again under load, and looks at what is left.
pub(crate) async fn check_survival(place: &Place, kills: u64) {
    let (child, payers) = place.start_with(PEOPLE).await;
    let load = Load { payers: Arc::new(payers), journal: Arc::default() };
    let mut running = Some(child);
    for round in 0..kills {
        let child = running.take().unwrap_or_else(|| place.start());
        let mut connections = load.start(&child.url.parse().unwrap());
        // The load ends by itself only when the platform is gone.
        let early = tokio::time::timeout(moment(round), connections.join_next()).await;
        assert!(early.is_err(), "the platform stopped to answer before it was killed");
        child.kill().unwrap();
        while connections.join_next().await.is_some() {}
    }
    let child = place.start();
    settle(&load, &child).await;
    assert!(child.stop().unwrap().success());
    let figures = place.verified();
    let journal = load.journal.lock().unwrap();
    let payments = journal.accepted.len();
    assert!(payments as u64 > kills * 20, "{payments} payments are no load");
    let ids: BTreeSet<&String> = journal.accepted.values().map(|(_, id)| id).collect();
    assert_eq!(ids.len(), journal.accepted.len(), "two keys, one command");
    // Foundation, accounts and payments: every outcome stands once in the read models.
    let outcomes = (2 + PEOPLE + ids.len()) as u64;
    assert_eq!(figures["outcomes"], outcomes, "{figures}");
}

/// Sends what had no answer once more, and waits until every payment has its outcome.
async fn settle(load: &Load, child: &Child) {
    let mut client = Client::new(child.url.parse().unwrap());
    while !load.journal.lock().unwrap().unanswered.is_empty() {
        let next = load.next();
        assert!(load.pay(&mut client, next).await, "a payment is not accepted");
    }
    let accepted: Vec<(usize, String)> =
        load.journal.lock().unwrap().accepted.values().cloned().collect();
    let deadline = Instant::now() + SETTLING;
    for (payer, id) in accepted {
        let (path, token) = (format!("/api/v1/commands/{id}"), &load.payers[payer].token);
        loop {
            let answer = client.send(Ask::get(&path).token(token)).await.unwrap();
            assert_eq!(answer.status, 200, "command {id} is lost: {}", answer.text());
            let command: Value = answer.json().unwrap();
            match command["status"].as_str().unwrap() {
                "committed" | "refused" => break,
                "queued" | "submitted" => assert!(Instant::now() < deadline, "{command}"),
                _ => panic!("{command}"),
            }
        }
    }
}
