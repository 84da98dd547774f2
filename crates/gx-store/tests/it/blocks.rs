//! The explorer's view: blocks, their commands, and where a command stands.

use gx_store::blocks::{self, TransactionResult};
use gx_types::{BatchId, CommandId, Role, TimeMs};

use crate::backend::for_each_backend;
use crate::chain::{START, person};
use crate::outbox::accept;
use crate::projection::{apply, history};

#[test]
fn blocks_are_listed_newest_first() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        assert!(blocks::page(store, None, 10).await.unwrap().is_empty());
        let lease = backend.projector().await;
        let chain = history(&[person(1), person(2), person(3)]);
        apply(store, &lease, &chain.blocks).await;
        let numbers = |blocks: Vec<blocks::Block>| -> Vec<u64> {
            blocks.iter().map(|block| block.number).collect()
        };
        assert_eq!(numbers(blocks::page(store, None, 3).await.unwrap()), [4, 3, 2]);
        assert_eq!(numbers(blocks::page(store, Some(2), 3).await.unwrap()), [1]);
        let block = blocks::get(store, 3).await.unwrap().unwrap();
        assert_eq!((block.hash, block.prev_hash), (chain.blocks[2].hash, chain.blocks[1].hash));
        assert_eq!((block.at, block.role), (TimeMs(START + 3000), Role::PartnerApi));
        assert_eq!(block.batch_id, chain.blocks[2].record.batch_id);
        assert_eq!((block.commands, block.refused), (4, 1));
        assert!(blocks::get(store, 5).await.unwrap().is_none());
    });
}

#[test]
fn a_block_shows_its_commands() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let mut chain = history(&[person(1), person(2), person(3)]);
        let again = chain.blocks[2].commands[0].clone();
        let batch_id = chain.blocks[2].record.batch_id;
        chain.execute(Role::PartnerApi, vec![again.clone()]);
        apply(store, &lease, &chain.blocks).await;
        let found = blocks::transactions(store, 3, 0, 100).await.unwrap();
        let ids: Vec<CommandId> = found.iter().map(|found| found.command_id).collect();
        let sent: Vec<CommandId> =
            chain.blocks[2].commands.iter().map(|sent| sent.command_id).collect();
        assert_eq!(ids, sent);
        assert_eq!((found[1].block, found[1].index, found[1].at), (3, 1, TimeMs(START + 3000)));
        assert_eq!(found[1].actor, chain.blocks[2].commands[1].actor);
        assert_eq!(found[1].function, "TokenomicsContract:Transfer");
        assert_eq!(found[1].result, TransactionResult::Applied);
        let TransactionResult::Refused { code, .. } = &found[2].result else { panic!() };
        assert_eq!(code, "insufficient_balance");
        assert_eq!(blocks::transactions(store, 3, 1, 2).await.unwrap(), found[1..3]);
        let repeated = &blocks::transactions(store, 5, 0, 100).await.unwrap()[0];
        assert_eq!(repeated.result, TransactionResult::Repeated);
        // Not from this outbox: the ledger knows the batch, and the batch leads to the block.
        let id = again.command_id;
        assert!(blocks::transaction_of(store, &id).await.unwrap().is_none());
        let place = blocks::transaction_in_batch(store, &batch_id, &id).await.unwrap();
        assert_eq!(place.as_ref(), Some(&found[0]));
        let nowhere = BatchId::from_u128(1 << 90);
        assert!(blocks::transaction_in_batch(store, &nowhere, &id).await.unwrap().is_none());
    });
}

#[test]
fn a_command_of_the_outbox_leads_to_its_block() {
    for_each_backend(|backend| async move {
        let store = &backend.store;
        let lease = backend.projector().await;
        let chain = history(&[person(1), person(2), person(3)]);
        let commands = &chain.blocks[2].commands;
        accept(store, commands).await;
        apply(store, &lease, &chain.blocks).await;
        let id = commands[3].command_id;
        let found = blocks::transaction_of(store, &id).await.unwrap().unwrap();
        assert_eq!((found.command_id, found.block, found.index), (id, 3, 3));
    });
}
