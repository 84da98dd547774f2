//! Fills the read models anew from the ledger's first block.
//!
//! It is the projector's own work, from an empty start: there is no second way to project. Readers
//! see read models that are still filling until it is done.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use gx_engine::{LEASE_TTL, Random, holder_name};
use gx_server::config::Config;
use gx_server::{Platform, Starting, Workers};
use gx_store::{Store, lease, projection};

use crate::console;

/// What was filled.
#[derive(Debug, Clone, Copy)]
pub struct Rebuilt {
    pub blocks: u64,
    /// From the first block to the last.
    pub took: Duration,
}

/// How often the projector's progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long a projector may stand still before it counts as stuck.
const STANDSTILL: Duration = Duration::from_secs(30);

/// Empties the read models and fills them again. No projector may be running.
pub async fn read_models(config: Config) -> Result<Rebuilt> {
    let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
    store.check(config.network).await?;
    empty(&store).await?;
    store.close().await;
    let workers = Workers { submitter: false, projector: true };
    let platform = Platform::start(config, workers, false, &Starting::once()).await?;
    let filled = fill(&platform).await;
    platform.stop().await;
    filled
}

async fn empty(store: &Store) -> Result<()> {
    let holder = holder_name(&Random::system());
    // A projector that was killed holds its lease until it expires.
    let deadline = Instant::now() + LEASE_TTL + Duration::from_secs(1);
    let lease = loop {
        match lease::acquire(store, lease::PROJECTOR, &holder, LEASE_TTL).await? {
            Some(lease) => break lease,
            None if Instant::now() > deadline => {
                bail!("a projector is running; stop it first: its read models would be emptied")
            }
            None => tokio::time::sleep(LOOK_EVERY * 20).await,
        }
    };
    let mut tx = store.begin().await?;
    projection::clear(&mut tx, &lease).await?;
    tx.commit().await?;
    Ok(lease::release(store, &lease).await?)
}

async fn fill(platform: &Platform) -> Result<Rebuilt> {
    let chain = platform.chain().context("a projector has a ledger")?;
    let tip = chain.tip().await?.map_or(0, |tip| tip.number);
    let (bar, began) = (console::progress("filling read models", tip), Instant::now());
    let (mut at, mut moved) = (0, Instant::now());
    while at < tip {
        tokio::time::sleep(LOOK_EVERY).await;
        let checkpoint = projection::position(platform.store()).await?.checkpoint;
        let block = checkpoint.map_or(0, |checkpoint| checkpoint.block);
        if block > at {
            (at, moved) = (block, Instant::now());
            bar.set_position(at);
        } else if moved.elapsed() > STANDSTILL {
            bail!("the projector stands at block {at} of {tip}; the log says why");
        }
    }
    bar.finish_and_clear();
    Ok(Rebuilt { blocks: tip, took: began.elapsed() })
}
