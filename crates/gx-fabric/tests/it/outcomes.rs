//! One outcome for each command id, whatever a chaincode server knows of those before: restarted,
//! new, behind its neighbour, or on a channel that once had a key for each of them.

use gx_contract::smart_contract::GetCommandOutcome;
use gx_contract::testing::Memory;
use gx_contract::{Batch, Outcome, QueryExecution};
use gx_fabric::FabricEngine;
use gx_fabric::receipt::Extent;
use gx_fabric_network::{Network, Release};
use gx_types::{CommandId, Role};

use crate::load::{Load, context};

/// A network, and what the contract makes of the same batches in memory.
struct Channel {
    network: Network,
    engine: FabricEngine,
    load: Load,
    model: Memory,
    sent: Vec<Batch>,
}

impl Channel {
    async fn start(release: Release) -> Self {
        let network = Network::start(release).await;
        let (engine, load) = (network.engine(), Load::default());
        let mut channel =
            Self { network, engine, load, model: Memory::default(), sent: Vec::new() };
        let batches = [channel.load.foundation(), channel.load.openings(7)];
        for batch in batches {
            channel.settle(batch).await;
        }
        channel
    }

    /// Has a batch settled here and there, and compares what came of it.
    async fn settle(&mut self, batch: Batch) {
        let settled = self.engine.submit(&batch).await.unwrap();
        assert_eq!(settled.len(), 1);
        let block = self.engine.block(settled[0].block).await.unwrap().unwrap();
        let record = self.model.execute(&batch, context(batch.role, block.time)).unwrap();
        assert_eq!(block.settled.unwrap().record, record);
        self.sent.push(batch);
    }

    async fn pay(&mut self, batches: usize, payments: usize) {
        for _ in 0..batches {
            let batch = self.load.payments(payments, 7);
            self.settle(batch).await;
        }
    }

    /// Sends commands of all batches so far once more, with one that is new.
    async fn repeat(&mut self, of_each: usize) {
        let users = self.sent.iter().filter(|batch| batch.role == Role::PartnerApi);
        let mut commands: Vec<_> =
            users.flat_map(|batch| batch.commands.iter().take(of_each).cloned()).collect();
        let repeated = commands.len();
        commands.push(self.load.payment(1, 2, 3_000_000));
        let batch = self.load.batch(Role::PartnerApi, commands);
        self.settle(batch.clone()).await;
        let block = self.engine.tip().await.unwrap().number;
        let record = self.engine.block(block).await.unwrap().unwrap().settled.unwrap().record;
        let repetitions =
            record.results.iter().filter(|result| matches!(result.outcome, Outcome::Repeated(_)));
        assert_eq!(repetitions.count(), repeated);
    }

    /// The outcomes as questions find them.
    async fn ask(&self, ids: impl Iterator<Item = CommandId>) {
        for command_id in ids {
            let query = GetCommandOutcome { command_id };
            let state = &self.model.state;
            let expected = QueryExecution::new(query.clone().into())
                .complete(|execution, keys| {
                    keys.into_iter().try_for_each(|key| {
                        let value = state.get(&key.encode()).map(Vec::as_slice);
                        execution.supply(key, value)
                    })
                })
                .unwrap()
                .unwrap();
            let found = self.engine.query(&query.into()).await.unwrap().unwrap();
            assert_eq!(found, expected, "{command_id}");
        }
    }

    async fn renew(&mut self, peer: usize) {
        self.network.renew_server(peer).await;
        self.engine = self.network.engine();
    }

    /// The same state, and no transaction that was ordered in vain.
    fn compare(&self) {
        assert_eq!(self.network.state(), self.model.state);
        let codes = self.network.codes();
        assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
    }

    fn ids(&self) -> impl Iterator<Item = CommandId> {
        self.sent.iter().flat_map(|batch| &batch.commands).map(|command| command.command_id)
    }
}

async fn a_restarted_server_reads_what_it_lacks(release: Release) {
    let mut channel = Channel::start(release).await;
    channel.pay(20, 5).await;
    channel.pay(10, 70).await;
    // A batch without commands has no outcomes.
    let empty = channel.load.batch(Role::PartnerApi, Vec::new());
    channel.settle(empty).await;
    for peer in [0, 1] {
        channel.renew(peer).await;
        channel.repeat(2).await;
        channel.pay(1, 3).await;
    }
    channel.compare();
    channel.renew(0).await;
    channel.ask(channel.ids()).await;
    channel.ask([CommandId::from_u128(1 << 90)].into_iter()).await;
    channel.compare();
}

#[tokio::test]
async fn a_restarted_server_reads_what_it_lacks_with_many_keys_at_once() {
    a_restarted_server_reads_what_it_lacks(Release::V3).await;
}

#[tokio::test]
async fn a_restarted_server_reads_what_it_lacks_with_one_key_at_a_time() {
    a_restarted_server_reads_what_it_lacks(Release::V2).await;
}

#[tokio::test]
async fn servers_that_know_different_batches_agree() {
    let mut channel = Channel::start(Release::V3).await;
    // Each peer has a server of its own, and one of the two is new at every turn: it lacks
    // everything, the other nothing.
    for turn in 0..8 {
        channel.renew(turn % 2).await;
        channel.pay(turn, 40).await;
        channel.repeat(1).await;
    }
    channel.compare();
}

/// Both servers are lost, with all that they know, at ever later moments of a batch, also while
/// they read what they lack; and the batch is sent again.
#[tokio::test]
async fn servers_lost_at_any_moment_of_a_batch_change_nothing() {
    let mut channel = Channel::start(Release::V3).await;
    channel.pay(12, 30).await;
    for moment in 0..24 {
        let batch = channel.load.payments(30, 7);
        let (engine, lost) = (channel.engine.clone(), batch.clone());
        let lost = tokio::spawn(async move { engine.submit(&lost).await });
        for _ in 0..moment * 15 {
            tokio::task::yield_now().await;
        }
        lost.abort();
        channel.renew(0).await;
        channel.renew(1).await;
        let settled = channel.engine.submit(&batch).await.unwrap();
        let counts = &settled[0].counts;
        assert_eq!(counts.applied + counts.repeated, 30, "{moment}");
    }
    let mut model = Memory::default();
    let mut next = 1;
    while next <= channel.engine.tip().await.unwrap().number {
        for block in channel.engine.blocks(next, 100, usize::MAX).await.unwrap() {
            next = block.number + 1;
            let Some(settled) = block.settled else { continue };
            let context = context(settled.batch.role, block.time);
            assert_eq!(model.execute(&settled.batch, context).unwrap(), settled.record);
        }
    }
    assert_eq!(channel.network.state(), model.state);
}

#[tokio::test]
async fn an_id_is_used_once_within_a_batch_and_for_one_command() {
    let mut channel = Channel::start(Release::V3).await;
    let payment = channel.load.payment(1, 2, 3_000_000);
    let twice = channel.load.batch(Role::PartnerApi, vec![payment.clone(), payment.clone()]);
    channel.settle(twice).await;
    let mut other = channel.load.payment(1, 2, 4_000_000);
    other.command_id = payment.command_id;
    let reused = channel.load.batch(Role::PartnerApi, vec![other.clone(), payment]);
    channel.settle(reused).await;
    channel.renew(1).await;
    let reused = channel.load.batch(Role::PartnerApi, vec![other]);
    channel.settle(reused).await;
    channel.compare();
}

#[tokio::test]
async fn a_channel_with_a_key_for_each_outcome_goes_on() {
    let mut channel = Channel::start(Release::V3).await;
    channel.pay(4, 150).await;
    channel.network.shared.ledger.lock().unwrap().without_segments();
    for peer in [0, 1] {
        channel.renew(peer).await;
    }
    channel.ask(channel.ids().take(20)).await;
    let old = channel.sent.last().unwrap().commands[3].command_id;
    channel.repeat(20).await;
    channel.pay(12, 30).await;
    channel.renew(0).await;
    channel.repeat(3).await;
    channel.renew(1).await;
    channel.ask(channel.ids().step_by(9)).await;
    channel.compare();
    // Receipts of both times.
    let new = channel.sent.last().unwrap().commands[0].command_id;
    for id in [old, new] {
        let blocks = channel.engine.blocks(1, 100, usize::MAX).await.unwrap();
        let holds = |block: &&gx_fabric::block::Block| {
            let settled = block.settled.as_ref();
            settled.is_some_and(|s| s.batch.commands.iter().any(|c| c.command_id == id))
        };
        let block = blocks.iter().find(holds).unwrap().number;
        for extent in [Extent::Block, Extent::Command] {
            channel.engine.prove(block, id, extent).await.unwrap().unwrap();
        }
    }
}
