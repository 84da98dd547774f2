//! What a repository holds: backups that are whole, what belongs to none, what can't be read.

use rustic_core::repofile::{SnapshotFile, SnapshotId};

use super::Repo;
use crate::Error;
use crate::manifest::{Manifest, Part, Proof, VERSION};

/// What a snapshot of the repository is for us; it stands in its label.
pub(super) const MANIFEST: &str = "gx-manifest";
pub(super) const PROOF: &str = "gx-proof";
pub(super) const PART: &str = "gx-part";

/// A backup, and how it was proved.
#[derive(Debug, Clone)]
pub struct Backup {
    pub manifest: Manifest,
    /// Oldest first.
    pub proofs: Vec<Proof>,
    /// Snapshots of the manifest and the proofs.
    pub(super) own: Vec<SnapshotId>,
    pub(super) parts: Vec<SnapshotFile>,
}

/// What is in a repository.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) backups: Vec<Backup>,
    pub(crate) loose: Vec<SnapshotFile>,
    pub(crate) damaged: Vec<String>,
}

impl Backup {
    /// When it was last found good, and when it was last restored, in milliseconds.
    pub fn proved(&self, how: crate::How) -> Option<i64> {
        self.proofs.iter().filter(|proof| proof.how == how).map(|proof| proof.at_ms).max()
    }
}

impl Repo {
    /// Every backup that is whole, oldest first; what belongs to none, the rest of runs that did
    /// not come to their end; and what can't be read.
    pub(crate) fn contents(&self) -> Result<Contents, Error> {
        let reading = self.to_read()?;
        let listed = reading.inner.list::<SnapshotId>();
        let listed = listed.map_err(|error| self.failed("list its snapshots")(&error))?;
        let mut found = Contents::default();
        let mut snapshots = Vec::new();
        for id in listed {
            // One by one: a file that is damaged hides no other.
            match reading.inner.get_file::<SnapshotFile>(&id) {
                Ok(mut snapshot) => {
                    snapshot.id = id;
                    snapshots.push(snapshot);
                }
                Err(error) => found.damaged.push(format!("snapshot {id}: {}", error.display_log())),
            }
        }
        snapshots.sort_by(|a, b| a.time.cmp(&b.time));
        for snapshot in snapshots.iter().filter(|snapshot| snapshot.label == MANIFEST) {
            match reading.document::<Manifest>(snapshot) {
                Ok(manifest) if manifest.version == VERSION => found.backups.push(Backup {
                    manifest,
                    proofs: Vec::new(),
                    own: vec![snapshot.id],
                    parts: Vec::new(),
                }),
                Ok(Manifest { version, id, .. }) => found
                    .damaged
                    .push(format!("{id} is of version {version}, this build knows {VERSION}")),
                Err(error) => found.damaged.push(gx_types::with_causes(&error)),
            }
        }
        for snapshot in snapshots {
            let belongs = |backup: &&mut Backup| snapshot.tags.contains(&backup.manifest.id);
            let backup = found.backups.iter_mut().find(belongs);
            match (snapshot.label.clone().as_str(), backup) {
                (PROOF, Some(backup)) => match reading.document(&snapshot) {
                    Ok(proof) => {
                        backup.proofs.push(proof);
                        backup.own.push(snapshot.id);
                    }
                    Err(error) => found.damaged.push(gx_types::with_causes(&error)),
                },
                (PART, Some(backup)) => backup.parts.push(snapshot),
                (PROOF | PART, None) => found.loose.push(snapshot),
                // A manifest, or somebody else's, who uses the same repository.
                _ => {}
            }
        }
        let Contents { backups, damaged, .. } = &mut found;
        backups.retain(|backup| {
            let lacks = |part: &&Part| {
                !backup.parts.iter().any(|held| held.id.to_hex().as_str() == part.snapshot)
            };
            let missing = backup.manifest.parts.iter().find(lacks);
            if let Some(part) = missing {
                damaged.push(format!("{} lacks its part {}", backup.manifest.id, part.name));
            }
            missing.is_none()
        });
        Ok(found)
    }

    /// Every backup that is whole, oldest first.
    ///
    /// # Errors
    /// [`Error::Repository`].
    pub fn backups(&self) -> Result<Vec<Backup>, Error> {
        self.contents().map(|contents| contents.backups)
    }

    /// The backup of that id, or the newest one when `latest` is asked for. While something can't
    /// be read nobody knows which is the newest.
    ///
    /// # Errors
    /// [`Error::NoBackup`]; [`Error::Repository`] with what is damaged.
    pub fn backup(&self, asked: &str) -> Result<Backup, Error> {
        let Contents { mut backups, damaged, .. } = self.contents()?;
        if let (Some(first), "latest") = (damaged.first(), asked) {
            return Err(Error::Repository {
                location: self.location.to_string(),
                what: "say which backup is the newest (name one by its id)",
                reason: first.clone(),
            });
        }
        let found = match asked {
            "latest" => backups.pop(),
            id => backups.into_iter().find(|backup| backup.manifest.id == id),
        };
        found.ok_or_else(|| Error::NoBackup { asked: asked.to_owned() })
    }

    /// Every snapshot with a label, oldest first.
    pub(crate) fn labelled(&self, label: &str) -> Result<Vec<SnapshotFile>, Error> {
        let open = self.opened()?;
        let found = open.get_matching_snapshots(|snapshot| snapshot.label == label);
        let mut found = found.map_err(|error| self.failed("list its snapshots")(&error))?;
        found.sort_by(|a, b| a.time.cmp(&b.time));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::manifest::Heights;
    use crate::{Error, Plan};

    /// Made by a program that is newer than this one: nothing of it is taken for something else,
    /// and nothing is taken for the newest.
    #[test]
    fn a_repository_of_a_newer_version_is_named_and_nothing_is_taken_from_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("backup.key"), "7f".repeat(32)).unwrap();
        let only_us = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(at("backup.key"), only_us).unwrap();
        let text = format!(
            "[repository]\nlocation = \"{}\"\npassword_file = \"backup.key\"\n",
            at("repository").display()
        );
        std::fs::write(at("backup.toml"), text).unwrap();
        let plan = Plan::load(&at("backup.toml")).unwrap();
        let repo = Repo::init(&plan).unwrap();
        let manifest = |version: u32| Manifest {
            version,
            id: format!("b{version}"),
            network: "devnet".to_owned(),
            host: String::new(),
            program: String::new(),
            started_at_ms: 1,
            finished_at_ms: 2,
            parts: Vec::new(),
            heights: Heights::default(),
        };
        for version in [VERSION, VERSION + 1] {
            repo.to_write().unwrap().manifest(&manifest(version)).unwrap();
        }
        let refused = repo.backup("latest").unwrap_err().to_string();
        assert!(refused.contains("b2 is of version 2, this build knows 1"), "{refused}");
        assert_eq!(repo.backup("b1").unwrap().manifest, manifest(1));
        assert!(matches!(repo.backup("b2"), Err(Error::NoBackup { .. })));
        let contents = repo.contents().unwrap();
        assert_eq!((contents.backups.len(), contents.damaged.len()), (1, 1));
    }
}
