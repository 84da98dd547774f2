//! A restore: every part into the place that the settings name for it, over nothing.
//!
//! Keys first, then the database, then the ledger up to the last block that the database can
//! follow. A block with a command that the database never accepted was made after it was captured;
//! with it, people would be on the ledger whose names and passwords nobody has.

use std::collections::BTreeSet;
use std::io::{self, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::time::Instant;

use gx_ledger::{Block, NodeKey, Options};
use gx_store::Store;
use gx_types::{CommandId, TimeMs};
use sha2::{Digest as _, Sha256};

use crate::after::{after, keep};
use crate::blocks::{Blocks, Stored};
use crate::manifest::Kind;
use crate::parts::{database, folder, joined};
use crate::plan::{DATABASE, LEDGER};
use crate::recover::{Recovered, recover};
use crate::repository::Reading;
use crate::source::{Summed, hex};
use crate::time::now_ms;
use crate::{Backup, Error, Folder, Plan, Platform, Repo};

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    pub backup: String,
    pub parts: Vec<String>,
    /// The block that the database stands at.
    pub database_block: Option<u64>,
    /// The last block of the ledger.
    pub ledger_block: Option<u64>,
    /// Commands of the blocks after it, which the archive holds and the database does not know.
    pub left_out: Vec<String>,
    /// Parts for which the settings name no place.
    pub homeless: Vec<String>,
    pub took_ms: u64,
}

/// Which backups a restore is made of, and which moment it is to come to.
#[derive(Debug, Clone)]
pub struct Choice {
    /// It holds the database.
    pub database: Backup,
    /// It holds everything else: the same one, or the first that was made after the moment, whose
    /// ledger, keys and documents are those of the moment and more.
    pub rest: Backup,
    pub at_ms: Option<i64>,
}

impl Choice {
    /// One backup, as it is.
    pub fn of(backup: &Backup) -> Self {
        Self { database: backup.clone(), rest: backup.clone(), at_ms: None }
    }

    /// What leads to a moment: the newest base before it, and the log from there on.
    ///
    /// # Errors
    /// [`Error::NotRestored`] when there is no base before it; [`Error::Repository`].
    pub fn at(repo: &Repo, at_ms: i64) -> Result<Self, Error> {
        let failed = |reason: String| Err(Error::not_restored(DATABASE, reason));
        if at_ms > now_ms() {
            return failed(format!("{} has not come yet", told(at_ms)));
        }
        let backups = repo.backups()?;
        let is_base = |backup: &&Backup| {
            backup.manifest.part(DATABASE).is_some_and(|part| part.kind == Kind::Base)
        };
        let bases = || backups.iter().filter(is_base);
        let Some(first) = bases().next() else {
            let reason = "no backup holds a base; postgres.method = \"base\" makes runs take one";
            return failed(reason.to_owned());
        };
        let Some(database) = bases().rfind(|backup| backup.manifest.finished_at_ms <= at_ms) else {
            let (asked, least) = (told(at_ms), told(first.manifest.finished_at_ms));
            return failed(format!("no base ended before {asked}; the first one did at {least}"));
        };
        let later = backups.iter().find(|backup| backup.manifest.started_at_ms >= at_ms);
        let rest = later.or(backups.last()).unwrap_or(database);
        Ok(Self { database: database.clone(), rest: rest.clone(), at_ms: Some(at_ms) })
    }
}

/// A time for people.
fn told(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default().to_string()
}

/// Restores a backup, or the parts of it that are named. A cluster that is made again is stopped
/// when it stands in its place.
///
/// # Errors
/// As [`restore_choice`].
pub fn restore(
    plan: &Plan,
    repo: &Repo,
    backup: &Backup,
    platform: &Platform,
    only: &[String],
) -> Result<Restored, Error> {
    let (restored, cluster) = restore_choice(plan, repo, &Choice::of(backup), platform, only)?;
    cluster.map(Recovered::finish).transpose()?;
    Ok(restored)
}

/// Restores what was chosen, or the parts of it that are named. Where the database is a cluster
/// that was made again, its server goes on, so that more can be asked of it.
///
/// # Errors
/// The first part that was not restored, with its reason. What was restored before it stays, and
/// has to be moved away before the next attempt.
pub fn restore_choice(
    plan: &Plan,
    repo: &Repo,
    choice: &Choice,
    platform: &Platform,
    only: &[String],
) -> Result<(Restored, Option<Recovered>), Error> {
    let began = Instant::now();
    let Choice { database, rest: backup, at_ms } = choice;
    let wanted = |name: &str| only.is_empty() || only.iter().any(|part| part == name);
    let held: BTreeSet<&str> =
        backup.manifest.parts.iter().map(|part| part.name.as_str()).chain([DATABASE]).collect();
    if let Some(unknown) = only.iter().find(|part| !held.contains(part.as_str())) {
        return Err(Error::not_restored(unknown, "the backup does not hold it"));
    }
    if let Some(other) = [database, backup]
        .into_iter()
        .find(|backup| backup.manifest.network != platform.network.as_str())
    {
        let (found, expected) = (&other.manifest.network, platform.network);
        let reason = format!("it is of {found}, the settings are those of {expected}");
        return Err(Error::not_restored(&other.manifest.id, reason));
    }
    let folders = || platform.folders.iter().chain(&plan.folders);
    let reading = repo.to_read()?;
    let parts = || [DATABASE, LEDGER].into_iter().chain(folders().map(|f| f.name.as_str()));
    let of = |name: &str| if name == DATABASE { database } else { backup };
    let sizes = parts().filter(|name| wanted(name)).filter_map(|name| of(name).manifest.part(name));
    plan.progress.begin("restoring", sizes.map(|part| part.bytes).fold(0, u64::saturating_add));
    let mut done = Restored { backup: database.manifest.id.clone(), ..Restored::default() };
    for Folder { name, path, holds, .. } in folders() {
        if held.contains(name.as_str()) && wanted(name) {
            plan.progress.name(name);
            folder::restore(&reading, backup, (name, holds), path)?;
            done.parts.push(name.clone());
        }
    }
    let mut cluster = None;
    if wanted(DATABASE) {
        plan.progress.name(DATABASE);
        let is_base = database.manifest.part(DATABASE).is_some_and(|part| part.kind == Kind::Base);
        let block = if is_base || at_ms.is_some() {
            let made = recover(plan, &reading, database, *at_ms, platform)?;
            cluster.insert(made).block
        } else {
            database::restore(&reading, database, platform, &plan.postgres)?
        };
        done.database_block = Some(block);
        done.parts.push(DATABASE.to_owned());
    }
    let beside = cluster
        .as_ref()
        .map(|cluster| Platform { database: cluster.database(), ..platform.clone() });
    let platform = beside.as_ref().unwrap_or(platform);
    if held.contains(LEDGER) && wanted(LEDGER) {
        plan.progress.name(LEDGER);
        restore_ledger(plan, (&reading, backup, *at_ms), platform, &mut done)?;
        done.parts.push(LEDGER.to_owned());
    }
    let homeless = held.iter().filter(|name| wanted(name));
    let homeless = homeless.filter(|name| !done.parts.iter().any(|part| part == *name));
    done.homeless = homeless.map(|name| (*name).to_owned()).collect();
    done.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok((done, cluster))
}

/// Writes one part to a place of the caller's choice: a folder, or one file for what is a stream.
///
/// # Errors
/// [`Error::NotRestored`].
pub fn extract(repo: &Repo, backup: &Backup, name: &str, to: &Path) -> Result<(), Error> {
    let Some(part) = backup.manifest.part(name) else {
        return Err(Error::not_restored(name, "the backup does not hold it"));
    };
    let reading = repo.to_read()?;
    match part.kind {
        Kind::Folder | Kind::Sqlite => folder::restore(&reading, backup, (name, &[]), to),
        Kind::Postgres | Kind::Base | Kind::Ledger | Kind::Output => {
            let failed = |error: io::Error| {
                Error::not_restored(name, format!("{} can't be written: {error}", to.display()))
            };
            let file = std::fs::File::create_new(to).map_err(failed)?;
            let mut writer = Summed { to: BufWriter::new(file), sum: Sha256::new() };
            reading.part(backup, name, &mut writer)?;
            let sum = hex(writer.sum.finalize().as_slice());
            if part.sha256.as_ref().is_some_and(|expected| *expected != sum) {
                return Err(Error::not_restored(name, "it is not what was captured"));
            }
            let file = writer.to.into_inner().map_err(|error| failed(error.into_error()))?;
            file.sync_all().map_err(failed)
        }
    }
}

fn failed(reason: impl Into<String>) -> Error {
    Error::not_restored(LEDGER, reason)
}

fn restore_ledger(
    plan: &Plan,
    (reading, backup, at_ms): (&Reading, &Backup, Option<i64>),
    platform: &Platform,
    done: &mut Restored,
) -> Result<(), Error> {
    let Some((file, key)) = &platform.ledger else {
        return Err(failed("the settings name no embedded ledger"));
    };
    let key = NodeKey::load(key).map_err(|error| {
        failed(format!("restore the keys first: {}", gx_types::with_causes(&error)))
    })?;
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
    }
    let runtime = database::runtime()?;
    let sql = |error: gx_store::Error| failed(gx_types::with_causes(&error));
    let (store, stands_at) = runtime
        .block_on(async {
            let store = Store::open(&platform.database).await?;
            let at = database::height(&store).await?;
            Ok((store, at))
        })
        .map_err(sql)?;
    let mut from = From { reading, backup, pieces: None };
    let held = backup.manifest.heights.ledger;
    // A backup by itself is whole; what was archived since leads on where something went on.
    if at_ms.is_some() || stands_at > held {
        from.pieces = pieces(plan, backup)?;
    }
    let last = from.last();
    if stands_at > last {
        let commands = runtime.block_on(after(&store, last));
        runtime.block_on(store.close());
        let commands = commands.map_err(sql)?;
        let list = keep(&plan.state_dir, last, &commands)?;
        return Err(Error::LedgerBehind { database: stands_at, ledger: last, commands, list });
    }
    let (mut cut, mut trouble, mut left_out) = (false, None, Vec::new());
    let mut wanted = |block: &Block| {
        if !cut && block.number() <= stands_at {
            return true;
        }
        // The import names a block that can't be read.
        let Ok(batch) = block.batch() else { return !cut };
        let ids: Vec<CommandId> = batch.commands.iter().map(|command| command.command_id).collect();
        if !cut {
            match runtime.block_on(gx_store::commands::statuses(&store, &ids)) {
                Ok(known) if known.iter().all(Option::is_some) => return true,
                Ok(_) => {}
                Err(error) => trouble = Some(error),
            }
            cut = true;
        }
        left_out.extend(ids.iter().map(ToString::to_string));
        false
    };
    let options = Options::new(file, platform.network, TimeMs(now_ms()));
    let imported = import(&from, &options, &key, &mut wanted);
    runtime.block_on(store.close());
    if let Some(error) = trouble {
        // It ends where the database could not be asked any more.
        let _ = std::fs::remove_file(file);
        return Err(sql(error));
    }
    done.ledger_block = Some(imported?);
    done.left_out = left_out;
    Ok(())
}

/// What a ledger is made of: that of a backup, and the pieces that lead on from it.
struct From<'a> {
    reading: &'a Reading,
    backup: &'a Backup,
    pieces: Option<(Reading, Vec<Stored>)>,
}

impl From<'_> {
    /// The last block that there is.
    fn last(&self) -> u64 {
        let pieces = self.pieces.as_ref().and_then(|(_, pieces)| pieces.last());
        pieces.map_or(self.backup.manifest.heights.ledger, |stored| stored.piece.last)
    }

    /// Writes one archive of all.
    fn write(&self, to: &mut impl io::Write) -> Result<(), Error> {
        let Some((reading, pieces)) = &self.pieces else {
            return self.reading.part(self.backup, LEDGER, to);
        };
        let newest = pieces.last().map(|stored| stored.read(reading)).transpose()?;
        let (base, mut giving) = io::pipe().map_err(|error| failed(error.to_string()))?;
        std::thread::scope(|scope| {
            let given = scope.spawn(move || self.reading.part(self.backup, LEDGER, &mut giving));
            let base = Ok(Box::new(BufReader::with_capacity(1 << 20, base)) as Box<dyn io::Read>);
            let mut trouble = None;
            let mut archives = std::iter::once(base).chain(pieces.iter().map(|stored| {
                let content = stored.read(reading).map_err(|error| {
                    let text = error.to_string();
                    trouble = Some(error);
                    io::Error::other(text)
                })?;
                Ok(Box::new(io::Cursor::new(content)) as Box<dyn io::Read>)
            }));
            let newest = newest.unwrap_or_default();
            let joined = gx_ledger::join(&mut newest.as_slice(), &mut archives, to);
            drop(archives);
            let given = crate::parts::joined(given).map_err(failed)?;
            match (trouble, joined, given) {
                (Some(error), ..) => Err(error),
                // What the repository could not give is why an archive was torn.
                (None, Err(gx_ledger::Error::Archive { .. }), Err(error)) => Err(error),
                (None, Err(error), _) => Err(failed(gx_types::with_causes(&error))),
                (None, Ok(_), given) => given,
            }
        })
    }
}

/// The pieces that lead on from a backup, where there are any.
fn pieces(plan: &Plan, backup: &Backup) -> Result<Option<(Reading, Vec<Stored>)>, Error> {
    let Some(blocks) = Blocks::open_made(plan)? else { return Ok(None) };
    let manifest = &backup.manifest;
    let found = blocks.way(manifest.heights.ledger, manifest.started_at_ms)?;
    if found.is_empty() { Ok(None) } else { Ok(Some((blocks.reading()?, found))) }
}

/// Executes the blocks of the archive again, as they come out of the repository.
fn import(
    from: &From<'_>,
    options: &Options,
    key: &NodeKey,
    keep: &mut dyn FnMut(&Block) -> bool,
) -> Result<u64, Error> {
    let (reader, writer) = io::pipe().map_err(|error| failed(error.to_string()))?;
    std::thread::scope(|scope| {
        let giving = scope.spawn(move || {
            let mut writer = BufWriter::with_capacity(1 << 20, writer);
            from.write(&mut writer)?;
            writer.flush().map_err(|error| failed(error.to_string()))
        });
        let mut archive = BufReader::with_capacity(1 << 20, reader);
        let imported = gx_ledger::import_while(&mut archive, options, key, keep, &mut |_| ());
        drop(archive);
        let given = joined(giving).map_err(failed)?;
        match (imported, given) {
            (Ok(tip), Ok(())) => Ok(tip.number),
            // What the repository could not give is why the archive was torn.
            (Err(gx_ledger::Error::Archive { .. }), Err(error)) => Err(error),
            (Err(error), _) => Err(failed(gx_types::with_causes(&error))),
            (Ok(_), Err(error)) => Err(error),
        }
    })
}
