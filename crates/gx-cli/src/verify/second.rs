//! Read models filled a second time, beside the platform's, to compare them row by row.

use std::time::Duration;

use anyhow::{Context, Result};
use gx_engine::{ChainBlock, Random, holder_name};
use gx_server::config::Config;
use gx_store::lease::{self, Lease};
use gx_store::projection::{self, Known, ProjectedBlock};
use gx_store::{SqliteConfig, Store};

use super::{Findings, rules};
use crate::scratch::Scratch;

/// Nobody else can want the lease of a database that is made for one verification.
const LEASE: Duration = Duration::from_secs(7 * 24 * 3600);

pub(super) struct Second {
    store: Store,
    lease: Lease,
    known: Known,
    /// Removed when this is dropped.
    _folder: Scratch,
}

impl Second {
    /// Makes empty read models in the data folder, which has room for a database.
    pub(super) async fn start(config: &Config) -> Result<Self> {
        let folder = Scratch::make(&config.data_dir, "verify")?;
        let file = SqliteConfig::new(folder.path().join("second.db"));
        let store = Store::connect(&gx_store::Config::Sqlite(file)).await?;
        store.migrate(config.network).await?;
        let lease =
            lease::acquire(&store, lease::PROJECTOR, &holder_name(&Random::system()), LEASE)
                .await?;
        let lease = lease.context("somebody uses the database of this verification")?;
        Ok(Self { store, lease, known: Known::default(), _folder: folder })
    }

    pub(super) async fn apply(&mut self, blocks: &[ChainBlock]) -> Result<()> {
        let projected: Vec<ProjectedBlock<'_>> = blocks.iter().map(ChainBlock::projected).collect();
        let mut tx = self.store.begin_rebuildable().await?;
        let known = std::mem::take(&mut self.known);
        (_, self.known) = projection::apply(&mut tx, &self.lease, &projected, known).await?;
        Ok(tx.commit().await?)
    }

    /// Adds what is not the same in the platform's read models.
    pub(super) async fn compare(self, store: &Store, found: &mut Findings) -> Result<()> {
        let differences = projection::differences(store, &self.store).await;
        for differs in found.read("the read models", differences)?.unwrap_or_default() {
            let table = differs.table;
            for row in &differs.first {
                found.add(&rules::READ_MODELS, format!("table {table}"), row.to_string());
            }
            let more = differs.rows.saturating_sub(differs.first.len() as u64);
            if more > 0 {
                let evidence = format!("{more} more rows differ");
                found.add(&rules::READ_MODELS, format!("table {table}"), evidence);
            }
        }
        self.store.close().await;
        Ok(())
    }
}
