//! `gx ledger`: verifies, describes and moves the file of the embedded ledger.
//!
//! Nothing here needs the database. The platform must be stopped: the file has one owner.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;
use gx_ledger::{Expected, Info, NodeKey, Options, Progress, PublicKey, Tip};
use gx_server::calendar::{now_ms, rfc3339};
use gx_types::TimeMs;
use indicatif::ProgressBar;
use serde_json::json;

use crate::settings::Settings;
use crate::verify::{expected, node_key_path, verify_file};
use crate::{End, console};

/// What to do with the ledger, and which one.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// The ledger's file, instead of the one that the settings name.
    #[arg(long, global = true, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The result as one JSON object.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Executes every block again and compares hashes, signatures, outcomes and state.
    Verify {
        /// The public key that must have signed the blocks, 64 hexadecimal digits; the node's own
        /// if there is one.
        #[arg(long, value_name = "KEY")]
        key: Option<PublicKey>,
    },
    /// Writes all blocks to an archive that any node can import.
    Export {
        /// The archive to make; it must not exist yet.
        archive: PathBuf,
    },
    /// Makes a ledger from an archive, executing every block again.
    Import {
        /// The archive to read.
        archive: PathBuf,
    },
    /// Whose ledger it is, and where it stands.
    Info,
}

/// Carries one action out.
pub fn run(settings: &Settings, args: &Args) -> Result<End> {
    let flags: Vec<(&str, String)> = match &args.file {
        Some(file) => {
            let file = file.to_str().context("--file is no text")?;
            vec![("ledger.path", file.to_owned())]
        }
        None => Vec::new(),
    };
    let config = settings.load(&flags)?;
    let path = config.ledger_path();
    match &args.action {
        Action::Verify { key } => {
            let expected = expected(&config)?;
            let node = key.or(expected.node);
            verify(&path, &Expected { node, ..expected }, args.json)
        }
        Action::Export { archive } => export(&path, archive, args.json),
        Action::Import { archive } => {
            let keys = config.keys_dir();
            for folder in [Some(keys.as_path()), path.parent()].into_iter().flatten() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            }
            let key = NodeKey::load_or_create(&node_key_path(&config))?;
            let options = Options::new(path, config.network, TimeMs(now_ms()));
            import(archive, &options, &key, args.json)
        }
        Action::Info => {
            let info = gx_ledger::info(&path)?;
            describe(&info, args.json);
            Ok(End::Done)
        }
    }
}

fn verify(path: &Path, expected: &Expected, as_json: bool) -> Result<End> {
    let report = verify_file(path, expected)?;
    let (blocks, hash) = (report.tip.number, report.tip.hash);
    if as_json {
        let problem = report
            .problem
            .as_ref()
            .map(|problem| json!({ "block": problem.block, "fault": problem.fault.to_string() }));
        console::line(json!({
            "blocks": blocks, "commands": report.commands, "hash": hash.to_string(),
            "problem": problem,
        }));
    } else {
        let (blocks, commands) = (console::thousands(blocks), console::thousands(report.commands));
        console::line(format_args!(
            "{blocks} blocks with {commands} commands are good, up to {hash}"
        ));
        if let Some(problem) = &report.problem {
            console::line(format_args!("WRONG: {problem}"));
        }
    }
    Ok(if report.problem.is_none() { End::Done } else { End::Findings })
}

fn export(path: &Path, archive: &Path, as_json: bool) -> Result<End> {
    let failed = || format!("cannot write {}", archive.display());
    let file = File::create_new(archive).with_context(failed)?;
    let mut writer = BufWriter::new(file);
    let bar = console::progress("exporting blocks", 0);
    let exported = gx_ledger::export(path, &mut writer, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let written = exported.map_err(anyhow::Error::from).and_then(|tip| {
        writer.flush().with_context(failed)?;
        writer.get_ref().sync_all().with_context(failed)?;
        Ok(tip)
    });
    if written.is_err() {
        // Half an archive is of no use; the error that is on its way says more.
        let _ = std::fs::remove_file(archive);
    }
    moved("exported to", archive, &written?, as_json);
    Ok(End::Done)
}

fn import(archive: &Path, options: &Options, key: &NodeKey, as_json: bool) -> Result<End> {
    let file = File::open(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    ensure!(file.metadata()?.is_file(), "{} is no file", archive.display());
    let bar = console::progress("importing blocks", 0);
    let mut reader = BufReader::new(file);
    let tip = gx_ledger::import(&mut reader, options, key, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    moved("imported to", &options.path, &tip?, as_json);
    Ok(End::Done)
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(progress.of);
    bar.set_position(progress.blocks);
}

fn moved(how: &str, to: &Path, tip: &Tip, as_json: bool) {
    let (blocks, hash, to) = (tip.number, tip.hash, to.display().to_string());
    if as_json {
        console::line(json!({ "blocks": blocks, "hash": hash.to_string(), "file": to }));
    } else {
        let blocks = console::thousands(blocks);
        console::line(format_args!("{blocks} blocks {how} {to}, up to {hash}"));
    }
}

fn describe(info: &Info, as_json: bool) {
    let Info { path, origin, keys, tip, state_digest, commands, file_length } = info;
    if as_json {
        let keys: Vec<_> = keys
            .iter()
            .map(|(from, key)| json!({ "fromBlock": from, "key": key.to_string() }))
            .collect();
        console::line(json!({
            "file": path.display().to_string(), "network": origin.network,
            "createdAt": rfc3339(origin.created_at.0), "keys": keys, "blocks": tip.number,
            "commands": commands, "lastBlockAt": rfc3339(tip.time.0),
            "hash": tip.hash.to_string(), "stateDigest": state_digest.to_string(),
            "fileBytes": file_length,
        }));
        return;
    }
    let row = |name: &str, value: String| [name.to_owned(), value];
    let mut rows = vec![
        row("file", path.display().to_string()),
        row("network", origin.network.to_string()),
        row("created", rfc3339(origin.created_at.0)),
        row("blocks", console::thousands(tip.number)),
        row("commands", console::thousands(*commands)),
        row("last block", rfc3339(tip.time.0)),
        row("hash", tip.hash.to_string()),
        row("state digest", state_digest.to_string()),
        row("bytes", console::thousands(*file_length)),
    ];
    for (from, key) in keys {
        rows.push(row(&format!("key from block {from}"), key.to_string()));
    }
    console::table(&rows);
}
