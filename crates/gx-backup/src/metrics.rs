//! Figures for Prometheus, as a file that its node exporter picks up.
//!
//! A run that is missed writes no file: the age of the newest backup is what tells.

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
    let proof = plan.proof;
    vec![
        (
            "newest_timestamp_seconds",
            "When the newest backup that is whole began.",
            plain(newest.map(|manifest| seconds(manifest.started_at_ms))),
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
            "recovery_point_objective_seconds",
            "The recovery point that is promised.",
            plain(Some(i64::from(proof.recovery_point_hours).saturating_mul(3600))),
        ),
        (
            "recovery_time_objective_seconds",
            "The recovery time that is promised.",
            plain(Some(i64::from(proof.recovery_time_minutes).saturating_mul(60))),
        ),
        ("newest_good", "Whether the newest of each action came to a good end.", good.collect()),
        (
            "warnings",
            "What gx backup status warns of.",
            plain(i64::try_from(status.warnings.len()).ok()),
        ),
    ]
}
