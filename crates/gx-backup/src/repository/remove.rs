//! Removing, and nothing else that removes.

use rustic_core::PruneOptions;
use rustic_core::repofile::SnapshotId;

use super::{Backup, Repo};
use crate::Error;

impl Repo {
    /// Removes snapshots, manifests first: a removal that is cut off leaves no manifest whose
    /// parts are gone.
    pub(crate) fn remove(&self, backups: &[Backup], loose: &[SnapshotId]) -> Result<(), Error> {
        let open = self.opened()?;
        let own: Vec<SnapshotId> = backups.iter().flat_map(|backup| backup.own.clone()).collect();
        let parts = backups.iter().flat_map(|backup| backup.parts.iter().map(|part| part.id));
        let parts: Vec<SnapshotId> = parts.chain(loose.iter().copied()).collect();
        for ids in [own, parts] {
            let removed = open.delete_snapshots(&ids);
            removed.map_err(|error| self.failed("remove snapshots")(&error))?;
        }
        Ok(())
    }

    /// Removes snapshots by their ids.
    pub(crate) fn forget(&self, ids: &[SnapshotId]) -> Result<(), Error> {
        let removed = self.opened()?.delete_snapshots(ids);
        removed.map_err(|error| self.failed("remove snapshots")(&error))
    }

    /// Frees what no snapshot needs. What is not needed now is marked, and removed by a later call
    /// a day after; so a run that goes on elsewhere loses nothing.
    pub(crate) fn free(&self) -> Result<(), Error> {
        let open = self.opened()?;
        let failed = self.failed("free space");
        let options = PruneOptions::default();
        let plan = open.prune_plan(&options).map_err(|error| failed(&error))?;
        open.prune(&options, plan).map_err(|error| failed(&error))
    }
}
