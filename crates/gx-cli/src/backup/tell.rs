//! What `gx backup` prints: lines for people, one JSON object for programs.

use std::path::Path;

use anyhow::Result;
use gx_backup::{Action, After, Backup, How, Outcome, Plan, Pruned, Ran, Restored, Status};
use gx_server::calendar::rfc3339;
use gx_types::NetworkId;
use serde_json::{Value, json};

use crate::console;
use crate::verify::Findings;

pub(super) fn ran(ran: &Ran, as_json: bool) {
    let manifest = &ran.manifest;
    if as_json {
        return console::line(json!({
            "backup": manifest.id, "tookMs": ran.took_ms, "bytes": manifest.bytes(),
            "parts": manifest.parts, "heights": manifest.heights,
        }));
    }
    let mut rows = vec![["part", "files", "bytes"].map(str::to_owned)];
    for part in &manifest.parts {
        let (files, bytes) = (console::thousands(part.files), console::thousands(part.bytes));
        rows.push([part.name.clone(), files, bytes]);
    }
    console::table(&rows);
    let rate = manifest.bytes().checked_div(ran.took_ms.max(1)).unwrap_or(0);
    console::line(format_args!(
        "backup {} after {} ms ({} kB/s), database at block {}, ledger at {}",
        manifest.id,
        console::thousands(ran.took_ms),
        console::thousands(rate),
        manifest.heights.database_to,
        manifest.heights.ledger,
    ));
}

pub(super) fn verified(id: &str, found: &[String], as_json: bool) {
    if as_json {
        return console::line(json!({ "backup": id, "findings": found }));
    }
    for wrong in found {
        console::line(format_args!("WRONG: {wrong}"));
    }
    if found.is_empty() {
        console::line(format_args!("backup {id} is as it was captured, every byte of it"));
    }
}

pub(super) fn extracted(part: &str, to: &Path, as_json: bool) {
    let to = to.display().to_string();
    if as_json {
        console::line(json!({ "part": part, "path": to }));
    } else {
        console::line(format_args!("{part} written to {to}"));
    }
}

fn json_of(restored: &Restored) -> Value {
    let Restored { backup, parts, database_block, ledger_block, left_out, homeless, took_ms } =
        restored;
    json!({
        "backup": backup, "parts": parts, "databaseBlock": database_block,
        "ledgerBlock": ledger_block, "commandsLeftOut": left_out, "partsWithoutPlace": homeless,
        "tookMs": took_ms,
    })
}

fn lines_of(restored: &Restored) {
    for part in &restored.parts {
        console::line(format_args!("restored: {part}"));
    }
    for part in &restored.homeless {
        console::line(format_args!(
            "not restored: {part}, for which the settings name no place; \
             gx backup extract {part} PATH"
        ));
    }
    for command in &restored.left_out {
        console::line(format_args!(
            "left out: command {command}, which was accepted after the database was captured"
        ));
    }
}

pub(super) fn restored(restored: &Restored, block: Option<u64>, as_json: bool) {
    if as_json {
        let mut told = json_of(restored);
        if let Some(object) = told.as_object_mut() {
            object.insert("block".to_owned(), json!(block));
        }
        return console::line(told);
    }
    lines_of(restored);
    if let Some(block) = block {
        console::line(format_args!("database and ledger stand at block {block}"));
    }
    let took = console::thousands(restored.took_ms);
    console::line(format_args!(
        "backup {} restored after {took} ms; gx verify compares everything",
        restored.backup
    ));
}

/// What a ledger that ends before the database lacks.
pub(super) fn lost(commands: &[After], as_json: bool) {
    if as_json {
        return console::line(json!({ "commandsAfter": commands }));
    }
    let mut rows =
        vec![["block", "command", "kind", "given by", "when", "state"].map(str::to_owned)];
    for command in commands {
        let block = command.block.map(console::thousands).unwrap_or_default();
        let After { command: id, function, actor, at_ms, state, .. } = command.clone();
        rows.push([block, id, function, actor, rfc3339(at_ms), state]);
    }
    console::table(&rows);
}

pub(super) fn drilled(
    restored: &Restored,
    (took_ms, all_ms): (u64, u64),
    findings: &Findings,
    as_json: bool,
) -> Result<()> {
    if as_json {
        console::line(json!({
            "restored": json_of(restored), "recoveryTimeMs": took_ms, "tookMs": all_ms,
            "verified": serde_json::to_value(findings)?,
        }));
        return Ok(());
    }
    lines_of(restored);
    findings.print();
    let (took, all) = (console::thousands(took_ms), console::thousands(all_ms));
    console::line(format_args!(
        "drill of backup {}: restored after {took} ms, verified after {all} ms",
        restored.backup
    ));
    Ok(())
}

pub(super) fn pruned(pruned: &Pruned, only_told: bool, as_json: bool) {
    let Pruned { removed, kept, swept, log, blocks } = pruned;
    if as_json {
        let kept: serde_json::Map<String, Value> =
            kept.iter().map(|(id, reasons)| (id.clone(), json!(reasons))).collect();
        return console::line(json!({
            "removed": removed, "kept": kept, "swept": swept, "log": log, "blocks": blocks,
            "dryRun": only_told,
        }));
    }
    for (id, reasons) in kept {
        console::line(format_args!("kept     {id}  {}", reasons.join(", ")));
    }
    let word = if only_told { "would go" } else { "removed " };
    for id in removed {
        console::line(format_args!("{word} {id}"));
    }
    if *swept > 0 {
        console::line(format_args!("{word} {swept} parts of runs that did not end"));
    }
    if *log > 0 {
        console::line(format_args!("{word} {log} files of the write-ahead log"));
    }
    if *blocks > 0 {
        console::line(format_args!("{word} {blocks} pieces of the ledger's blocks"));
    }
}

fn json_of_outcome((action, outcome): (&Action, &Outcome)) -> (String, Value) {
    let value = json!({
        "startedAt": rfc3339(outcome.started_at_ms),
        "endedAt": outcome.ended_at_ms.map(rfc3339), "failure": outcome.failure(),
    });
    (action.as_str().to_owned(), value)
}

pub(super) fn status(plan: &Plan, status: &Status, as_json: bool) {
    let proved = |backup: &Backup, how| backup.proved(how).map(rfc3339);
    if as_json {
        let backups: Vec<Value> = status
            .backups
            .iter()
            .map(|backup| {
                json!({
                    "backup": backup.manifest.id, "network": backup.manifest.network,
                    "host": backup.manifest.host, "parts": backup.manifest.parts,
                    "startedAt": rfc3339(backup.manifest.started_at_ms),
                    "bytes": backup.manifest.bytes(), "heights": backup.manifest.heights,
                    "verifiedAt": proved(backup, How::Verified),
                    "drilledAt": proved(backup, How::Drilled),
                })
            })
            .collect();
        let newest: serde_json::Map<String, Value> =
            status.state.newest.iter().map(json_of_outcome).collect();
        let network = status.newest().map(|backup| backup.manifest.network.parse::<NetworkId>());
        let days = network.and_then(Result::ok).map(|network| plan.retention.days_on(network));
        return console::line(json!({
            "backups": backups, "newest": newest, "warnings": status.warnings,
            "recoveryTimeMs": status.recovery_time_ms(),
            "location": plan.repository.location, "retentionDays": days,
        }));
    }
    let mut rows = vec![["backup", "block", "bytes", "verified", "drilled"].map(str::to_owned)];
    for backup in &status.backups {
        rows.push([
            backup.manifest.id.clone(),
            console::thousands(backup.manifest.heights.database_to),
            console::thousands(backup.manifest.bytes()),
            proved(backup, How::Verified).unwrap_or_else(|| "never".to_owned()),
            proved(backup, How::Drilled).unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    console::table(&rows);
    for warning in &status.warnings {
        console::line(format_args!("WARNING: {warning}"));
    }
}
