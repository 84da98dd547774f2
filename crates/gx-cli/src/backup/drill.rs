//! A drill: a backup is restored beside the platform, brought to one height and verified with all
//! that `gx verify` knows. What is left of it is the proof, and how long it took.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use gx_backup::{Action, Choice, Error, How, Kind, Lock, Plan, Proof, Repo, Restored, ThrowAway};
use gx_server::calendar::now_ms;
use gx_server::config::{Config, DatabaseEngine, Secret};

use super::progress::shown;
use super::{Show, platform, replay, tell, with_database};
use crate::scratch::Scratch;
use crate::{End, process, verify};

/// Carries a drill out and prints what came of it.
pub(super) fn run(config: &Config, plan: &Plan, asked: &str, show: Show) -> Result<End> {
    let (lock, as_json) = (Lock::take(plan)?, show.json);
    let mut found = None;
    let work = || {
        let repo = Repo::open(plan)?;
        let backup = repo.backup(asked)?;
        let id = backup.manifest.id.clone();
        let failed = |reason: String| Error::Drill { backup: id.clone(), reason };
        let began = Instant::now();
        let drilled = drill(config, plan, &repo, &backup);
        let (restored, took_ms, findings) =
            drilled.map_err(|error| failed(gx_types::with_causes(error.as_ref())))?;
        let all_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let is_good = findings.findings.is_empty();
        let first = findings.findings.first().map(ToString::to_string);
        found = Some((restored, took_ms, all_ms, findings));
        if !is_good {
            return Err(failed(first.unwrap_or_default()));
        }
        repo.prove(&Proof { backup: id.clone(), how: How::Drilled, at_ms: now_ms(), took_ms })
    };
    let noted = || lock.note(plan, Action::Drill, work);
    let noted = shown(&plan.progress, "drill", show, noted);
    match (noted, found) {
        (noted, Some((restored, took_ms, all_ms, findings))) => {
            let is_good = findings.findings.is_empty();
            tell::drilled(&restored, (took_ms, all_ms), &findings, as_json)?;
            // That it was proved must have been written down as well.
            if is_good {
                noted?;
            }
            Ok(if is_good { End::Done } else { End::Findings })
        }
        (Err(error), None) => Err(error.into()),
        (Ok(()), None) => Ok(End::Done),
    }
}

/// The settings of a copy: everything that the platform keeps stands in one folder.
fn beside(config: &Config, data: &Path, database: Option<&ThrowAway>) -> Config {
    let mut copy = config.clone();
    data.clone_into(&mut copy.data_dir);
    copy.database.url = Secret::new(database.map_or_else(String::new, ThrowAway::url));
    if database.is_none() {
        copy.database.engine = DatabaseEngine::Sqlite;
    }
    for path in [
        &mut copy.database.path,
        &mut copy.ledger.path,
        &mut copy.auth.keys_dir,
        &mut copy.documents.folder,
        &mut copy.fabric.wallet_dir,
    ] {
        *path = PathBuf::new();
    }
    copy
}

/// Restores into a folder that is gone afterwards; with how long that took until the platform
/// could have been started.
fn drill(
    config: &Config,
    plan: &Plan,
    repo: &Repo,
    backup: &gx_backup::Backup,
) -> Result<(Restored, u64, verify::Findings)> {
    std::fs::create_dir_all(&config.data_dir).context("the data folder")?;
    let folder = Scratch::make(&config.data_dir, "drill")?;
    let database = ThrowAway::make(plan, backup)?;
    let is_base = backup.manifest.part(gx_backup::DATABASE).is_some_and(|p| p.kind == Kind::Base);
    let mut copy = beside(config, folder.path(), database.as_ref());
    if is_base {
        // Role and database are those of the cluster that is made.
        copy.database = config.database.clone();
    }
    let began = Instant::now();
    let parts: Vec<String> = platform(&copy)?
        .folders
        .into_iter()
        .map(|folder| folder.name)
        .chain([gx_backup::DATABASE.to_owned(), gx_backup::LEDGER.to_owned()])
        .filter(|name| backup.manifest.part(name).is_some())
        .collect();
    // A cluster goes beside the copy's files, and its server is the one that makes it.
    let mut aside = plan.clone();
    aside.postgres.data_dir = folder.path().join("cluster");
    let choice = Choice::of(backup);
    let (restored, cluster) =
        gx_backup::restore_choice(&aside, repo, &choice, &platform(&copy)?, &parts)?;
    let copy = match &cluster {
        Some(cluster) => with_database(&copy, &cluster.database()),
        None => copy,
    };
    if restored.ledger_block.is_some() {
        replay::catch_up(&copy)?;
    }
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let findings = process::block_on(verify::verify(&copy))?;
    Ok((restored, took_ms, findings))
}
