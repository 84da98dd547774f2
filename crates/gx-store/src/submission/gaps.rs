//! Numbers that the submitter has passed without seeing their rows, and when to stop waiting.
//!
//! On PostgreSQL a row may become visible after rows with larger numbers. Its transaction had its
//! id before it drew the number, and the number was drawn before a larger one was seen; so its id
//! is below the `xmax` of the snapshot in which the gap showed. Once a snapshot's `xmin` has
//! reached that `xmax` the transaction has ended, and what this snapshot does not show never comes.

use std::collections::BTreeSet;

/// A range of numbers that were not visible when larger ones were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) first: i64,
    pub(super) last: i64,
    /// The transaction id that decides it.
    pub(super) xmax: i64,
}

/// Reads the JSON list of `[first, last, xmax]`.
pub(super) fn decode(text: &str) -> Result<Vec<Gap>, serde_json::Error> {
    let gaps: Vec<(i64, i64, i64)> = serde_json::from_str(text)?;
    Ok(gaps.into_iter().map(|(first, last, xmax)| Gap { first, last, xmax }).collect())
}

pub(super) fn encode(gaps: &[Gap]) -> String {
    let gaps: Vec<_> = gaps.iter().map(|gap| (gap.first, gap.last, gap.xmax)).collect();
    // Serialising integers into memory cannot fail.
    serde_json::to_string(&gaps).unwrap_or_default()
}

/// The maximal ranges of consecutive numbers among ascending ones.
pub(super) fn ranges(seqs: impl IntoIterator<Item = i64>) -> Vec<(i64, i64)> {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for seq in seqs {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(seq) => *last = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    ranges
}

/// What one snapshot showed.
#[derive(Debug)]
pub(super) struct Sight<'s> {
    /// Numbers of visible rows that lie in gaps.
    pub(super) late: &'s BTreeSet<i64>,
    /// Numbers of the rows that are taken now, ascending.
    pub(super) taken: &'s [i64],
    /// The cursor before.
    pub(super) cursor: i64,
    pub(super) xmin: i64,
    pub(super) xmax: i64,
}

/// The cursor and the gaps after taking what is taken.
pub(super) fn advance(gaps: &[Gap], sight: &Sight<'_>) -> (i64, Vec<Gap>) {
    let taken: BTreeSet<i64> = sight.taken.iter().copied().collect();
    let mut left: Vec<Gap> = Vec::new();
    for gap in gaps {
        if sight.xmin >= gap.xmax {
            // Decided: only what is visible and not taken yet remains.
            let late = sight.late.range(gap.first..=gap.last).copied();
            let remaining = ranges(late.filter(|seq| !taken.contains(seq)));
            left.extend(remaining.into_iter().map(|(first, last)| Gap { first, last, ..*gap }));
        } else {
            let within = taken.range(gap.first..=gap.last).copied();
            left.extend(between(gap.first, gap.last, within).map(|(first, last)| Gap {
                first,
                last,
                ..*gap
            }));
        }
    }
    let cursor = taken.last().copied().map_or(sight.cursor, |last| last.max(sight.cursor));
    let fresh = taken.range(sight.cursor.saturating_add(1)..).copied();
    left.extend(between(sight.cursor.saturating_add(1), cursor, fresh).map(|(first, last)| Gap {
        first,
        last,
        xmax: sight.xmax,
    }));
    (cursor, left)
}

/// The ranges of `first..=last` that ascending `present` numbers leave free.
fn between(
    first: i64,
    last: i64,
    present: impl Iterator<Item = i64>,
) -> impl Iterator<Item = (i64, i64)> {
    let mut next = first;
    present.map(Some).chain(std::iter::once(None)).filter_map(move |number| {
        let end = number.map_or(last, |number| number.saturating_sub(1));
        let free = (next, end);
        next = number.map_or(next, |number| number.saturating_add(1));
        (free.0 <= free.1).then_some(free)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(first: i64, last: i64, xmax: i64) -> Gap {
        Gap { first, last, xmax }
    }

    fn check(
        gaps: &[Gap],
        (late, taken): (&[i64], &[i64]),
        (cursor, xmin, xmax): (i64, i64, i64),
        expected: (i64, &[Gap]),
    ) {
        let late = late.iter().copied().collect();
        let sight = Sight { late: &late, taken, cursor, xmin, xmax };
        let (after, left) = advance(gaps, &sight);
        assert_eq!((after, left.as_slice()), expected);
    }

    #[test]
    fn a_missing_number_becomes_a_gap() {
        check(&[], (&[], &[1, 2, 3]), (0, 9, 9), (3, &[]));
        check(&[], (&[], &[2, 5]), (0, 9, 12), (5, &[gap(1, 1, 12), gap(3, 4, 12)]));
    }

    #[test]
    fn a_late_row_leaves_its_gap() {
        let gaps = [gap(3, 6, 12)];
        check(&gaps, (&[4], &[4, 11]), (10, 10, 20), (11, &[gap(3, 3, 12), gap(5, 6, 12)]));
        check(&gaps, (&[4], &[4]), (10, 10, 20), (10, &[gap(3, 3, 12), gap(5, 6, 12)]));
    }

    #[test]
    fn a_decided_gap_keeps_only_what_is_visible_and_not_taken() {
        let gaps = [gap(3, 6, 12)];
        check(&gaps, (&[], &[11]), (10, 12, 20), (11, &[]));
        check(&gaps, (&[4, 6], &[4]), (10, 12, 20), (10, &[gap(6, 6, 12)]));
        check(&gaps, (&[4, 6], &[]), (10, 11, 20), (10, &[gap(3, 6, 12)]));
    }

    #[test]
    fn the_stored_form_is_stable() {
        let gaps = [gap(3, 4, 12), gap(9, 9, 70)];
        assert_eq!(encode(&gaps), "[[3,4,12],[9,9,70]]");
        assert_eq!(decode("[[3,4,12],[9,9,70]]").unwrap(), gaps);
        assert_eq!(ranges([1, 2, 3, 7, 9, 10]), [(1, 3), (7, 7), (9, 10)]);
    }
}
