//! Brings a restored database to the height of its ledger.
//!
//! The projector's own statements, without anything else that a platform does: nobody is told of
//! what happened, nothing is asked for.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use gx_engine::{Chain, ChainBlock, Random, holder_name};
use gx_ledger::{Ledger, NodeKey, Options};
use gx_server::calendar::now_ms;
use gx_server::config::Config;
use gx_store::Store;
use gx_store::lease::{self, Lease};
use gx_store::projection::{self, Known, ProjectedBlock};
use gx_types::TimeMs;

use crate::process;
use crate::verify::node_key_path;

/// Bytes of blocks that are read at once.
const BYTES: usize = 4 << 20;

/// Long enough for every replay; it is given back at its end.
const LEASE: Duration = Duration::from_secs(24 * 3600);

/// The lease of a projector that was captured with the database runs out by itself within this.
const PATIENCE: Duration = Duration::from_secs(10);

/// Applies every block that the database lacks; the number of the last one.
pub(super) fn catch_up(config: &Config) -> Result<u64> {
    process::block_on(async {
        let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
        let done = replay(config, &store).await;
        store.close().await;
        done
    })
}

async fn replay(config: &Config, store: &Store) -> Result<u64> {
    let key = NodeKey::load(&node_key_path(config))?;
    let options = Options::new(config.ledger_path(), config.network, TimeMs(now_ms()));
    let chain = Chain::embedded(Ledger::create_or_open(options, &key)?);
    let lease = the_lease(store).await?;
    let tip = chain.tip().await?.map_or(0, |tip| tip.number);
    let position = projection::position(store).await?;
    let mut at = position.checkpoint.map_or(0, |checkpoint| checkpoint.block);
    let mut known = Known::default();
    while at < tip {
        let blocks = chain.blocks(at.saturating_add(1), BYTES).await?;
        let last = blocks.last().context("the ledger ends before its last block")?.number;
        let projected: Vec<ProjectedBlock<'_>> = blocks.iter().map(ChainBlock::projected).collect();
        let mut tx = store.begin().await?;
        (_, known) = projection::apply(&mut tx, &lease, &projected, known).await?;
        tx.commit().await?;
        at = last;
    }
    lease::release(store, &lease).await?;
    Ok(at)
}

async fn the_lease(store: &Store) -> Result<Lease> {
    let (holder, began) = (holder_name(&Random::system()), Instant::now());
    loop {
        let lease = lease::acquire(store, lease::PROJECTOR, &holder, LEASE).await?;
        if let Some(lease) = lease {
            return Ok(lease);
        }
        if began.elapsed() > PATIENCE {
            anyhow::bail!("a projector works on the restored database; stop it first");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
