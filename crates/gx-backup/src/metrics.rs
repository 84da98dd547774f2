//! Figures for Prometheus, as a file that its node exporter picks up.
//!
//! A run that is missed writes no file: the age of the newest backup is what tells.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::manifest::How;
use crate::state::replace;
use crate::{Error, Plan, Status};

/// Writes the file that the settings name, if they name one.
///
/// # Errors
/// [`Error::Io`] when it cannot be written.
pub fn write(plan: &Plan, status: &Status) -> Result<(), Error> {
    if plan.metrics_file.as_os_str().is_empty() {
        return Ok(());
    }
    replace(&plan.metrics_file, render(plan, status).as_bytes())
}

/// Name, what it tells, and its lines: labels and value.
type Family = (&'static str, &'static str, Vec<(String, i64)>);

fn render(plan: &Plan, status: &Status) -> String {
    let mut text = String::new();
    for (name, help, lines) in families(plan, status) {
        if lines.is_empty() {
            continue;
        }
        // Writing to a text cannot fail.
        let _ = writeln!(text, "# HELP gx_backup_{name} {help}\n# TYPE gx_backup_{name} gauge");
        for (labels, value) in lines {
            let _ = writeln!(text, "gx_backup_{name}{labels} {value}");
        }
    }
    text
}

fn families(plan: &Plan, status: &Status) -> Vec<Family> {
    let seconds = |ms: i64| ms.checked_div(1000).unwrap_or(0);
    let plain = |value: Option<i64>| -> Vec<(String, i64)> {
        value.map(|value| (String::new(), value)).into_iter().collect()
    };
    let newest = status.newest().map(|backup| &backup.manifest);
    let unsigned = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let parts: Option<Vec<(String, i64)>> = newest.map(|manifest| {
        let parts = manifest.parts.iter();
        parts.map(|part| (format!("{{part=\"{}\"}}", part.name), unsigned(part.bytes))).collect()
    });
    let took = newest.map(|m| seconds(m.finished_at_ms.saturating_sub(m.started_at_ms)));
    let good = status.state.newest.iter().map(|(action, outcome)| {
        (format!("{{action=\"{}\"}}", action.as_str()), i64::from(outcome.is_good()))
    });
    let mut all = vec![
        (
            "newest_timestamp_seconds",
            "When the newest backup that is whole began.",
            plain(newest.map(|manifest| seconds(manifest.started_at_ms))),
        ),
        (
            "part_timestamp_seconds",
            "When the newest backup that holds the part began; of parts that were seen lately.",
            known_parts(status),
        ),
        ("bytes", "Bytes of each part of the newest backup.", parts.unwrap_or_default()),
        ("duration_seconds", "How long the newest backup took.", plain(took)),
        ("backups", "Backups in the repository.", plain(i64::try_from(status.backups.len()).ok())),
        (
            "verified_timestamp_seconds",
            "When a backup was last read again as a whole.",
            plain(status.last(How::Verified).map(seconds)),
        ),
        (
            "drilled_timestamp_seconds",
            "When a backup was last restored and verified as a platform.",
            plain(status.last(How::Drilled).map(seconds)),
        ),
        (
            "recovery_point_seconds",
            "Age of the newest backup when this was written: what would be lost.",
            plain(newest.map(|m| seconds(status.now_ms.saturating_sub(m.started_at_ms)))),
        ),
        (
            "recovery_time_seconds",
            "How long the last drill took to restore.",
            plain(status.recovery_time_ms().map(|ms| seconds(unsigned(ms)))),
        ),
        (
            "target_available_bytes",
            "Room that is left at the target, where it can say so.",
            plain(status.space.map(|space| unsigned(space.available))),
        ),
        (
            "target_size_bytes",
            "Room of the target as a whole, where it can say so.",
            plain(status.space.map(|space| unsigned(space.size))),
        ),
        ("newest_good", "Whether the newest of each action came to a good end.", good.collect()),
        (
            "warnings",
            "What gx backup status warns of.",
            plain(i64::try_from(status.warnings.len()).ok()),
        ),
    ];
    all.extend(promised(plan));
    all
}

/// What the settings promise, beside what is.
fn promised(plan: &Plan) -> [Family; 3] {
    let proof = plan.proof;
    let plain = |value: i64| vec![(String::new(), value)];
    [
        (
            "recovery_point_objective_seconds",
            "The recovery point that is promised.",
            plain(i64::from(proof.recovery_point_hours).saturating_mul(3600)),
        ),
        (
            "recovery_time_objective_seconds",
            "The recovery time that is promised.",
            plain(i64::from(proof.recovery_time_minutes).saturating_mul(60)),
        ),
        (
            "drill_objective_seconds",
            "The most time between two drills.",
            plain(i64::from(proof.drill_days).saturating_mul(86_400)),
        ),
    ]
}

/// A part that no backup has held for so long was given up on purpose.
const KNOWN_MS: i64 = 7 * 24 * 3600 * 1000;

/// When each part was last captured. One that the newest backup lacks, as a folder that may be
/// missing and suddenly is, has an older time than the backup.
fn known_parts(status: &Status) -> Vec<(String, i64)> {
    let newest = status.newest().map_or(0, |backup| backup.manifest.started_at_ms);
    let since = newest.saturating_sub(KNOWN_MS);
    let mut known = BTreeMap::new();
    // Oldest first, so that the last one stays.
    for backup in &status.backups {
        let manifest = &backup.manifest;
        let at = manifest.started_at_ms.checked_div(1000).unwrap_or(0);
        for part in manifest.parts.iter().filter(|_| manifest.started_at_ms >= since) {
            known.insert(part.name.as_str(), at);
        }
    }
    known.into_iter().map(|(name, at)| (format!("{{part=\"{name}\"}}"), at)).collect()
}
