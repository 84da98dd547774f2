//! Which backups are kept, and why. Nothing here reads a clock or a repository.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Retention;
use crate::time::periods;

/// What retention has to know of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) id: String,
    pub(crate) at_ms: i64,
    /// The last block that it holds. Blocks go on whatever the clock does.
    pub(crate) block: u64,
    pub(crate) parts: BTreeSet<String>,
    pub(crate) verified: bool,
    pub(crate) drilled: bool,
}

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Why each backup is kept; one without a reason may go. `facts` are in the order of time.
pub(crate) fn reasons(
    facts: &[Facts],
    keep: &Retention,
    days: u32,
    now_ms: i64,
) -> BTreeMap<String, Vec<&'static str>> {
    let mut kept: BTreeMap<String, Vec<&'static str>> =
        facts.iter().map(|backup| (backup.id.clone(), Vec::new())).collect();
    let mut because = |backup: &Facts, reason: &'static str| {
        let reasons = kept.entry(backup.id.clone()).or_default();
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    };
    let newest_first = || facts.iter().rev();
    if let Some(newest) = facts.last() {
        because(newest, "newest");
    }
    if let Some(verified) = newest_first().find(|backup| backup.verified || backup.drilled) {
        because(verified, "last that was verified");
    }
    if let Some(drilled) = newest_first().find(|backup| backup.drilled) {
        because(drilled, "last that was restored in a drill");
    }
    // Where a clock was put back, or was ahead for a while, the newest by its time is not the one
    // that was made last; the one with the most in it is.
    let furthest = |facts: &mut dyn Iterator<Item = &Facts>| {
        facts.max_by_key(|backup| backup.block).map(|backup| backup.id.clone())
    };
    let good = |backup: &&Facts| backup.verified || backup.drilled;
    let ends = [
        (furthest(&mut facts.iter()), "holds the most blocks"),
        (furthest(&mut facts.iter().filter(good)), "holds the most blocks of those verified"),
    ];
    for (id, reason) in ends {
        for backup in facts.iter().filter(|backup| Some(&backup.id) == id.as_ref()) {
            because(backup, reason);
        }
    }
    let since = now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS));
    for backup in facts.iter().filter(|backup| backup.at_ms >= since) {
        because(backup, "younger than the days that all are kept");
    }
    let spans = [(keep.daily, "day"), (keep.weekly, "week"), (keep.monthly, "month")];
    for (at, (count, reason)) in spans.into_iter().enumerate() {
        let mut seen = BTreeSet::new();
        for backup in newest_first() {
            let period = periods(backup.at_ms).into_iter().nth(at).unwrap_or_default();
            if seen.len() < usize::try_from(count).unwrap_or(usize::MAX) && seen.insert(period) {
                because(backup, reason);
            }
        }
    }
    let parts: BTreeSet<&String> = facts.iter().flat_map(|backup| &backup.parts).collect();
    for part in parts {
        let with = newest_first().filter(|backup| backup.parts.contains(part));
        for backup in with.take(usize::try_from(keep.floor).unwrap_or(usize::MAX)) {
            because(backup, "floor");
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One backup a day at noon, oldest first; the last is of day `count` after 2026-01-01.
    fn daily(count: i64) -> Vec<Facts> {
        let first = 1_767_268_800_000;
        (0..count)
            .map(|day| Facts {
                id: format!("b{day:03}"),
                at_ms: first + day * DAY_MS,
                block: u64::try_from(day).unwrap(),
                parts: BTreeSet::from(["database".to_owned()]),
                verified: false,
                drilled: false,
            })
            .collect()
    }

    fn kept(facts: &[Facts], keep: Retention, days: u32) -> Vec<String> {
        let now = facts.last().unwrap().at_ms + 1000;
        let reasons = reasons(facts, &keep, days, now);
        reasons.into_iter().filter(|(_, why)| !why.is_empty()).map(|(id, _)| id).collect()
    }

    const NOTHING: Retention = Retention { days: None, daily: 0, weekly: 0, monthly: 0, floor: 1 };

    #[test]
    fn all_of_the_last_days_and_the_last_of_each_week_and_month_are_kept() {
        let facts = daily(120);
        let keep = Retention { weekly: 4, monthly: 3, ..NOTHING };
        // 2026-04-30 is a Thursday: the weeks before end on Sundays, the months on their last days.
        let expected = ["b058", "b089", "b101", "b108", "b115", "b118", "b119"];
        assert_eq!(kept(&facts, keep, 2), expected);
    }

    #[test]
    fn the_last_proved_and_the_floor_of_each_part_are_kept_however_old() {
        let mut facts = daily(100);
        facts[3].drilled = true;
        facts[10].verified = true;
        facts[50].parts.insert("etcd".to_owned());
        assert_eq!(kept(&facts, NOTHING, 0), ["b003", "b010", "b050", "b099"]);
        let floor = Retention { floor: 3, ..NOTHING };
        assert_eq!(kept(&facts, floor, 0), ["b003", "b010", "b050", "b097", "b098", "b099"]);
    }

    /// Backups are in the order of their times, as the repository lists them.
    fn listed(mut facts: Vec<Facts>) -> Vec<Facts> {
        facts.sort_by_key(|backup| backup.at_ms);
        facts
    }

    #[test]
    fn a_clock_that_jumps_costs_neither_the_newest_nor_the_newest_good_one() {
        const MONTH_MS: i64 = 30 * DAY_MS;
        for (jump, from) in [(-DAY_MS, 6), (MONTH_MS, 6), (-MONTH_MS, 6), (-DAY_MS, 9)] {
            for keep in [NOTHING, Retention { daily: 2, weekly: 1, ..NOTHING }] {
                // The clock is put forward or back before the backup `from`, and stays so.
                let mut facts = daily(10);
                for backup in &mut facts[from..] {
                    backup.at_ms += jump;
                }
                facts[8].verified = true;
                // Nothing of the last two may go, whatever time it is taken for.
                for now in [0, facts[9].at_ms, facts[0].at_ms + 10 * MONTH_MS, i64::MAX] {
                    let reasons = reasons(&listed(facts.clone()), &keep, 0, now);
                    for id in ["b008", "b009"] {
                        assert!(!reasons[id].is_empty(), "{id} after {jump} before {from}");
                    }
                }
            }
        }
        // One that was made while the clock was ahead, and is found to be from the future.
        let mut facts = daily(6);
        facts[2].at_ms += MONTH_MS;
        facts[4].drilled = true;
        let reasons = reasons(&listed(facts), &NOTHING, 0, 0);
        assert!(!reasons["b004"].is_empty() && !reasons["b005"].is_empty());
    }

    #[test]
    fn one_backup_is_never_too_many() {
        assert_eq!(kept(&daily(1), NOTHING, 0), ["b000"]);
        assert!(reasons(&[], &NOTHING, 0, 0).is_empty());
    }
}
