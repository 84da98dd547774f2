//! The same script on Fabric and on the embedded ledger: every command has the same outcome with
//! the same events, and what is left on the ledgers is the same.
//!
//! A transaction's time is its submitter's clock, which no two runs share. The embedded ledger is
//! therefore given the channel's blocks: each batch under its role, at the time that it had there.

use std::collections::{BTreeMap, BTreeSet};

use gx_contract::tokenomics::GetBalance;
use gx_contract::{Batch, Command, Effects, Event, Outcome};
use gx_fabric::FabricEngine;
use gx_ledger::{Ledger, NodeKey, Options};
use gx_types::{NetworkId, TimeMs};
use tempfile::TempDir;

use crate::load::{Load, context};
use crate::script::Script;
use gx_fabric_network::{Network, Release};

pub(crate) const COMMANDS: usize = 10_000;

const SUPPLY: u128 = 1_250_000_000_000_000_000;

/// The embedded ledger, filled from a channel's blocks.
pub(crate) struct Twin {
    pub(crate) ledger: Ledger,
    /// The channel's next block.
    next: u64,
    /// Batches in the order of the blocks.
    pub(crate) batches: Vec<Batch>,
    /// Names of commands that were applied, and of their events.
    seen: BTreeSet<&'static str>,
    _folder: TempDir,
}

impl Twin {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options::new(folder.path().join("twin.redb"), NetworkId::Devnet, TimeMs(1));
        let ledger = Ledger::create_or_open(options, &NodeKey::from_seed([7; 32])).unwrap();
        Self { ledger, next: 1, batches: Vec::new(), seen: BTreeSet::new(), _folder: folder }
    }

    /// Executes all that the channel has settled since, and compares every record.
    pub(crate) async fn follow(&mut self, engine: &FabricEngine) {
        let tip = engine.tip().await.unwrap().number;
        while self.next <= tip {
            let blocks = engine.blocks(self.next, 64, 8 << 20).await.unwrap();
            let mut waiting = Vec::new();
            for block in blocks {
                self.next = block.number + 1;
                let Some(settled) = block.settled else { continue };
                let context = context(settled.batch.role, block.time);
                let ticket = self.ledger.enqueue(&settled.batch, context).unwrap();
                waiting.push((ticket, settled));
            }
            for (ticket, settled) in waiting {
                let receipt = ticket.wait().unwrap();
                assert_eq!(*receipt.record, settled.record, "{}", settled.tx_id);
                for (sent, result) in settled.batch.commands.iter().zip(&settled.record.results) {
                    let Outcome::Applied(events) = &result.outcome else { continue };
                    // Bootstrap alone makes coins.
                    let postings = events.iter().flat_map(Event::postings);
                    let made: i128 =
                        postings.map(|posting| i128::from(posting.change().qirat())).sum();
                    assert!([0, SUPPLY.cast_signed()].contains(&made), "{}", settled.tx_id);
                    self.seen.insert(sent.command.name());
                    self.seen.extend(events.iter().map(Event::name));
                }
                self.batches.push(settled.batch);
            }
            self.assert_supply();
        }
    }

    /// No coin was made or lost since the first block with any.
    fn assert_supply(&self) {
        let snapshot = self.ledger.snapshot().unwrap();
        let balances = snapshot.accounts().unwrap().map(|account| account.unwrap().1.balance);
        let sum: u128 = balances.map(|balance| u128::from(balance.qirat())).sum();
        assert!(sum == SUPPLY || self.batches.is_empty(), "{sum} Q");
    }

    /// The embedded ledger's state but for the outcomes, which it keeps elsewhere; commands that
    /// are sent again show them.
    fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let snapshot = self.ledger.snapshot().unwrap();
        snapshot.entries().unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// Commands and events that have not happened. The clock is confirmed on mainnet only.
    fn missing(&self) -> Vec<&'static str> {
        let all = Command::NAMES.iter().chain(Event::NAMES);
        let elsewhere = ["AdminContract:ConfirmClock", "ClockConfirmed"];
        let all = all.copied().filter(|name| !elsewhere.contains(name));
        all.filter(|name| !self.seen.contains(name)).collect()
    }
}

/// Commands of the script, up to a number, sent batch by batch. `pass` lets days pass and tells the
/// time that follows.
pub(crate) async fn play(
    engine: &FabricEngine,
    script: &mut Script,
    load: &mut Load,
    commands: usize,
    mut pass: impl FnMut(u32) -> TimeMs,
) -> Vec<Batch> {
    let (mut sent, mut count) = (Vec::new(), 0);
    let foundation = load.foundation();
    engine.submit(&foundation).await.unwrap();
    sent.push(foundation);
    let mut parts = script.prologue();
    while count < commands {
        for part in std::mem::take(&mut parts) {
            let now = pass(part.after_days);
            for batch in part.batches(load, now) {
                engine.submit(&batch).await.unwrap();
                count += batch.commands.len();
                sent.push(batch);
            }
        }
        parts = script.act();
    }
    sent
}

/// What only a second organization can do.
pub(crate) const OF_ANOTHER: [&str; 2] = ["IdentityContract:AcceptCustody", "CustodyTransferred"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_mixed_commands_end_as_on_the_embedded_ledger() {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let (mut load, mut script) = (Load::default(), Script::new(Load::starting_at(1 << 100), 1));
    let sent = play(&engine, &mut script, &mut load, COMMANDS, |days| network.pass(days)).await;
    let mut twin = Twin::new();
    twin.follow(&engine).await;
    assert_eq!(twin.batches, sent);
    let mut state = network.state();
    state.retain(|key, _| !key.starts_with("o/"));
    assert_eq!(twin.state(), state);
    assert_eq!(twin.missing(), OF_ANOTHER);
}

/// Balances of the script's people, as both ledgers tell them.
pub(crate) async fn compare_balances(engine: &FabricEngine, twin: &Twin, script: &Script) {
    for account_id in script.people.iter().copied() {
        let query = GetBalance { account_id };
        let here = twin.ledger.query(query.clone().into()).unwrap();
        assert_eq!(engine.query(&query.into()).await.unwrap(), here);
    }
}
