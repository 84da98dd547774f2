//! `gx backup`: backups of the platform that the settings name, and the proof that they are good.
//!
//! What is captured and how stands in `gx-backup`; here it is told where the platform keeps its
//! parts, and a restore is brought to one height and verified as `gx verify` does it.

mod drill;
mod ledger;
mod progress;
mod replay;
mod tell;
mod wal;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Subcommand, ValueEnum};
use gx_backup::{Action as Noted, Choice, Folder, Gate, Lock, Plan, Platform, Repo};
use gx_server::config::{Config, DatabaseEngine, DocumentStore, LedgerEngine, Secret};
use serde_json::json;

use self::progress::shown;
use crate::settings::Settings;
use crate::verify::{self, node_key_path};
use crate::{End, console, process};

/// What to do with backups, and with which settings.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// Settings of backups: where to, for how long, what besides the platform.
    #[arg(long, global = true, value_name = "FILE", default_value = "backup.toml")]
    plan: PathBuf,
    /// The result as one JSON object.
    #[arg(long, global = true)]
    json: bool,
    /// Shows how far it is although standard error is no terminal, as JSON lines there.
    #[arg(long, global = true)]
    progress: bool,
}

/// How it is told what is done and what was.
#[derive(Debug, Clone, Copy)]
struct Show {
    json: bool,
    progress: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Makes the repository, once.
    Init,
    /// Makes a backup of the platform, which goes on meanwhile.
    Run,
    /// Reads a backup again as a whole and holds every byte against its checksums.
    Verify {
        /// Its id, as `gx backup status` lists them.
        #[arg(default_value = "latest", value_name = "BACKUP")]
        backup: String,
    },
    /// Restores a backup beside the platform, verifies it as a platform, and removes it again.
    Drill {
        /// Its id, as `gx backup status` lists them.
        #[arg(default_value = "latest", value_name = "BACKUP")]
        backup: String,
    },
    /// Restores a backup into the places that the settings name, over nothing.
    Restore {
        /// Its id, as `gx backup status` lists them.
        #[arg(default_value = "latest", value_name = "BACKUP")]
        backup: String,
        /// Only this part; may be given several times.
        #[arg(long = "part", value_name = "NAME")]
        parts: Vec<String>,
        /// The platform as it was at this time, such as 2026-01-31T14:05:00Z, from the base backup
        /// before it and the write-ahead log.
        #[arg(long, value_name = "TIME", value_parser = gx_backup::read_time,
            conflicts_with = "backup")]
        at: Option<i64>,
    },
    /// The archive of PostgreSQL's write-ahead log.
    #[command(subcommand)]
    Wal(wal::Act),
    /// The archive of the embedded ledger's blocks between two backups.
    #[command(subcommand)]
    Ledger(ledger::Act),
    /// Writes one part of a backup to a place of your choice.
    Extract {
        /// The part, such as ledger.
        #[arg(value_name = "NAME")]
        part: String,
        /// The file or folder to make.
        #[arg(value_name = "PATH")]
        to: PathBuf,
        /// The backup's id, as `gx backup status` lists them.
        #[arg(default_value = "latest", value_name = "BACKUP")]
        backup: String,
    },
    /// Removes backups that the retention does not keep.
    Prune {
        /// Says what would be removed, and removes nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// What there is, what is proved, and what an operator has to do something about.
    Status,
    /// Prints what makes a machine do all this by itself.
    Schedule {
        /// For whom.
        #[arg(value_enum)]
        kind: Scheduler,
        /// Image of the jobs of Kubernetes.
        #[arg(long, default_value = "gx:latest", value_name = "IMAGE")]
        image: String,
    },
    /// Prints, once, everything that a restore on an empty machine needs.
    RecoverySheet {
        /// Prints it although it was printed before.
        #[arg(long)]
        again: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scheduler {
    Systemd,
    Kubernetes,
}

/// Carries one action out.
pub fn run(settings: &Settings, args: &Args) -> Result<End> {
    let plan = Plan::load(&args.plan)?;
    match &args.action {
        Action::Schedule { kind, image } => return schedule(args, &plan, *kind, image),
        // Called by the server for every file, where nobody has the platform's settings.
        Action::Wal(act) => return wal::run(&plan, act, args.json),
        _ => {}
    }
    let config = settings.load(&[])?;
    let show = Show { json: args.json, progress: args.progress };
    let end = act(&config, &plan, &args.action, show);
    publish(&plan);
    end
}

fn act(config: &Config, plan: &Plan, action: &Action, show: Show) -> Result<End> {
    let json = show.json;
    let platform = platform(config)?;
    match action {
        Action::Init => init(plan, &platform, json),
        Action::Run => {
            let work = || gx_backup::run(plan, &platform, &|_| ());
            let ran = shown(&plan.progress, "run", show, work);
            tell::ran(&ran?, json);
            Ok(End::Done)
        }
        Action::Verify { backup } => {
            let work = || gx_backup::verify(plan, backup);
            let (id, found) = shown(&plan.progress, "verify", show, work)?;
            tell::verified(&id, &found, json);
            Ok(if found.is_empty() { End::Done } else { End::Findings })
        }
        Action::Drill { backup } => drill::run(config, plan, backup, show),
        Action::Ledger(act) => ledger::run(plan, &platform, *act, json),
        Action::Restore { backup, parts, at } => {
            restore(config, plan, &platform, (backup, *at, parts), show)
        }
        Action::Extract { part, to, backup } => {
            let repo = Repo::open(plan)?;
            gx_backup::extract(&repo, &repo.backup(backup)?, part, to)?;
            tell::extracted(part, to, json);
            Ok(End::Done)
        }
        Action::Prune { dry_run } => {
            let pruned = gx_backup::prune(plan, &platform, *dry_run)?;
            tell::pruned(&pruned, *dry_run, json);
            Ok(End::Done)
        }
        Action::Status => {
            let status = gx_backup::status(plan)?;
            tell::status(plan, &status, json);
            Ok(if status.warnings.is_empty() { End::Done } else { End::Findings })
        }
        Action::RecoverySheet { again } => {
            let sheet = gx_backup::recovery_sheet(plan, &platform, *again)?;
            console::line(sheet.trim_end());
            Ok(End::Done)
        }
        // They need no platform and were carried out already.
        Action::Schedule { .. } | Action::Wal(_) => Ok(End::Done),
    }
}

/// Writes the figures, whatever came of the action; what is away now is told by their age.
fn publish(plan: &Plan) {
    if plan.metrics_file.as_os_str().is_empty() {
        return;
    }
    let written =
        gx_backup::status(plan).and_then(|status| gx_backup::write_metrics(plan, &status));
    if let Err(error) = written {
        console::failure(&anyhow::Error::from(error).context("the figures were not written"));
    }
}

fn init(plan: &Plan, platform: &Platform, as_json: bool) -> Result<End> {
    plan.check_against(platform)?;
    let location = Repo::init(plan)?.location();
    if as_json {
        console::line(json!({ "repository": location }));
    } else {
        console::line(format_args!("A new repository at {location}."));
        console::line("Without its password nothing in it can be read again, by anybody.");
        console::line("gx backup recovery-sheet prints what to keep on paper.");
    }
    Ok(End::Done)
}

fn restore(
    config: &Config,
    plan: &Plan,
    platform: &Platform,
    (asked, at_ms, parts): (&str, Option<i64>, &[String]),
    show: Show,
) -> Result<End> {
    let (lock, as_json) = (Lock::take(plan)?, show.json);
    let work = || {
        let repo = Repo::open(plan)?;
        let choice = match at_ms {
            Some(at_ms) => Choice::at(&repo, at_ms)?,
            None => Choice::of(&repo.backup(asked)?),
        };
        gx_backup::restore_choice(plan, &repo, &choice, platform, parts)
    };
    let noted = || lock.note(plan, Noted::Restore, work);
    let restored = shown(&plan.progress, "restore", show, noted);
    if let Err(gx_backup::Error::LedgerBehind { commands, .. }) = &restored {
        tell::lost(commands, as_json);
    }
    let (restored, cluster) = restored?;
    let both = restored.database_block.is_some() && restored.ledger_block.is_some();
    let Some(cluster) = cluster else {
        let block = both.then(|| replay::catch_up(config)).transpose()?;
        tell::restored(&restored, block, as_json);
        return Ok(End::Done);
    };
    // Nobody has started a server over it yet: what follows asks the one that made it.
    let beside = with_database(config, &cluster.database());
    let block = both.then(|| replay::catch_up(&beside)).transpose()?;
    let findings = both.then(|| process::block_on(verify::verify(&beside))).transpose()?;
    let place = cluster.finish()?;
    tell::restored(&restored, block, as_json);
    let is_good = findings.as_ref().is_none_or(|found| found.findings.is_empty());
    if !as_json {
        if let Some(found) = &findings {
            found.print();
        }
        let place = place.display();
        console::line(format_args!("the cluster stands in {place}; start its server over it"));
    }
    Ok(if is_good { End::Done } else { End::Findings })
}

/// The settings of a platform whose database is that one.
fn with_database(config: &Config, database: &gx_store::Config) -> Config {
    let mut copy = config.clone();
    copy.database.engine = DatabaseEngine::Postgres;
    copy.database.url = Secret::new(database.to_url().reveal().to_owned());
    copy
}

/// Where a platform with these settings keeps its parts.
fn platform(config: &Config) -> Result<Platform> {
    let folder = |name: &str, path, may_be_missing| {
        let holds = Vec::new();
        Folder { name: name.to_owned(), path, may_be_missing, holds }
    };
    // With every secret in the environment no key was made here.
    let mut folders = vec![folder("keys", config.keys_dir(), true)];
    if config.documents.store == DocumentStore::Folder {
        folders.push(folder("documents", config.documents_dir(), true));
    }
    let embedded = config.ledger.engine == LedgerEngine::Embedded;
    if !embedded {
        folders.push(folder("wallet", config.wallet_dir(), false));
    }
    Ok(Platform {
        network: config.network,
        database: config.store().context("the settings of the database")?,
        ledger: embedded.then(|| (config.ledger_path(), node_key_path(config))),
        folders,
    })
}

fn schedule(args: &Args, plan: &Plan, kind: Scheduler, image: &str) -> Result<End> {
    let host = gx_backup::host();
    let program = std::env::current_exe().context("the program's own path")?;
    let settings = std::path::absolute(&args.plan).context("the path of the settings")?;
    let every = plan.proof.recovery_point_hours;
    let files = match kind {
        Scheduler::Systemd => gx_backup::systemd(&program, &settings, &host, every),
        Scheduler::Kubernetes => {
            vec![("gx-backup.yaml".to_owned(), gx_backup::cron_job(image, &host, every))]
        }
    };
    if args.json {
        let files: serde_json::Map<String, serde_json::Value> =
            files.into_iter().map(|(name, text)| (name, text.into())).collect();
        console::line(serde_json::Value::Object(files));
    } else {
        for (name, text) in files {
            console::line(format_args!("# {name}\n{text}"));
        }
    }
    Ok(End::Done)
}

/// Lets `gx backup` have the ledger of this process, which no other process can open. One that
/// cannot be asked is no reason not to start; the backup says so.
pub fn gate(platform: &gx_server::Platform) -> Option<Gate> {
    let ledger = platform.chain()?.ledger()?.clone();
    match Gate::open(&platform.config().ledger_path(), ledger) {
        Ok(gate) => Some(gate),
        Err(error) => {
            let error = gx_types::with_causes(&error);
            tracing::warn!(%error, "backups of the ledger can't be made while this process runs");
            None
        }
    }
}
