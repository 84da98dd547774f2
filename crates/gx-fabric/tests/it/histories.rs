//! The contract's random histories on a channel: what each block settled is what the rules say for
//! its time, and every law holds.

use gx_contract::testing::{Witness, histories};
use gx_fabric_network::{Network, Release};

use crate::load::context;

const HISTORIES: u32 = 6;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_laws_hold_for_random_histories() {
    for (number, history) in histories(HISTORIES, 2).enumerate() {
        let network = Network::start(Release::V3).await;
        let engine = network.engine();
        let mut witness = Witness::default();
        for part in &history {
            let days = u32::try_from(part.elapsed().max(0) / DAY_MS).unwrap();
            let now = network.pass(days);
            let batch = witness.batch(part, now);
            let settled = engine.submit(&batch).await.unwrap();
            let block = engine.block(settled[0].block).await.unwrap().unwrap();
            let time = block.time;
            let settled = block.settled.unwrap();
            assert_eq!(settled.batch, batch);
            let context = context(settled.batch.role, time);
            witness.follow(batch, context, &settled.record);
        }
        assert_eq!(network.state(), witness.finish(), "history {number}");
    }
}
