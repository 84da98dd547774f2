//! Which segments an id may stand in: nearly always none, and that is known without reading any.
//!
//! Segments are taken in one after the other, and what comes of it depends on them alone: every
//! server that has taken in as many asks for the same. A false answer of a filter has a segment
//! read in vain; what counts is what stands in it.
//!
//! Runs of segments with at least [`RUN_MIN`] ids have a filter each. Levels of runs, each with
//! twice the ids of the one before, have one as well, so that a new id costs a question for each
//! doubling of the history. Together they take 5 to 11 bytes for each id.

use std::collections::VecDeque;
use std::ops::Range;

use gx_types::{Filter, TimeMs};

use super::{Digest, Head, Segment};

/// Ids of a run. Batches of one command would otherwise take a line of memory each.
const RUN_MIN: usize = 64;
/// Ids of the first level.
const LEVEL_MIN: usize = 1 << 16;
/// Digests that are remembered, for peers that are a little behind.
const RECENT: usize = 64;

/// Segments that follow each other, and their ids.
#[derive(Debug)]
struct Run {
    segments: Range<u64>,
    filter: Filter,
}

#[derive(Debug)]
struct Level {
    /// Ids that it is made for.
    room: usize,
    ids: usize,
    filter: Filter,
    runs: Vec<Run>,
}

impl Level {
    fn with_room(room: usize) -> Self {
        // Three bytes for each id: behind a false answer lies a search through all runs.
        let filter = Filter::for_ids(room.saturating_add(room / 2));
        Self { room, ids: 0, filter, runs: Vec::new() }
    }
}

/// Ids that had their outcome under a key of their own, before there were segments.
#[derive(Debug)]
pub(crate) struct Before {
    /// The time of the last batch among them.
    pub(crate) last: TimeMs,
    filter: Filter,
}

impl Before {
    pub(crate) fn new(last: TimeMs, ids: &[u128]) -> Self {
        let mut filter = Filter::for_ids(ids.len());
        ids.iter().for_each(|id| filter.insert(*id));
        Self { last, filter }
    }

    pub(crate) fn may_contain(&self, id: u128) -> bool {
        self.filter.may_contain(id)
    }
}

/// What a server knows of the segments of a channel.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// How many segments were taken in.
    segments: u64,
    digest: Digest,
    /// Numbers of segments and the digests over them, the last at the end.
    recent: VecDeque<(u64, Digest)>,
    levels: Vec<Level>,
    /// Ids of the last segments, which make no run yet, with their segments.
    open: Vec<(u128, u64)>,
    /// Absent until it was read; only on a channel that is older than segments.
    pub(crate) before: Option<Before>,
}

impl Index {
    pub(crate) fn segments(&self) -> u64 {
        self.segments
    }

    /// Takes in the next segment; any other is known, or comes too early.
    pub(crate) fn take_in(&mut self, number: u64, bytes: &[u8], segment: &Segment) {
        if number != self.segments {
            return;
        }
        self.digest = self.digest.with(bytes);
        self.segments = number.saturating_add(1);
        self.recent.push_back((self.segments, self.digest));
        if self.recent.len() > RECENT {
            self.recent.pop_front();
        }
        self.open.extend(segment.ids().iter().map(|id| (*id, number)));
        if self.open.len() >= RUN_MIN {
            self.close_run();
        }
    }

    /// The open ids become a run of the last level that has room.
    fn close_run(&mut self) {
        let ids = std::mem::take(&mut self.open);
        let Some((_, first)) = ids.first() else { return };
        let mut filter = Filter::for_ids(ids.len());
        ids.iter().for_each(|(id, _)| filter.insert(*id));
        let run = Run { segments: *first..self.segments, filter };
        let room = match self.levels.last() {
            Some(level) if level.ids < level.room => None,
            Some(level) => Some(level.room.saturating_mul(2)),
            None => Some(LEVEL_MIN),
        };
        self.levels.extend(room.map(Level::with_room));
        if let Some(level) = self.levels.last_mut() {
            ids.iter().for_each(|(id, _)| level.filter.insert(*id));
            level.ids = level.ids.saturating_add(ids.len());
            level.runs.push(run);
        }
    }

    /// Whether the first `segments` segments are those that a head says the channel has; `None`
    /// when so few of them are no longer remembered.
    pub(crate) fn agrees(&self, segments: u64, digest: Digest) -> Option<bool> {
        if segments == 0 {
            return (self.segments <= RECENT as u64).then(|| digest == Digest::default());
        }
        let known = self.recent.iter().rev().find(|(number, _)| *number == segments);
        known.map(|(_, known)| *known == digest)
    }

    /// Whether all is known of the outcomes that a head speaks of.
    pub(crate) fn is_of(&self, head: &Head) -> bool {
        let before = self.before.as_ref().map(|before| before.last);
        self.agrees(head.segments, head.digest) == Some(true)
            && (head.before.is_none() || head.before == before)
    }

    /// Segments below a number in which the id may stand, the likeliest first.
    pub(crate) fn candidates(&self, id: u128, below: u64) -> Vec<u64> {
        let open = self.open.iter().rev().filter(|(known, _)| *known == id).map(|(_, at)| *at);
        let mut found: Vec<u64> = open.collect();
        for level in self.levels.iter().rev().filter(|level| level.filter.may_contain(id)) {
            for run in level.runs.iter().rev().filter(|run| run.filter.may_contain(id)) {
                found.extend(run.segments.clone().rev());
            }
        }
        found.retain(|number| *number < below);
        found
    }

    /// What it takes of memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let runs = |level: &Level| {
            let runs = level.runs.iter().map(|run| run.filter.bytes() + size_of::<Run>());
            runs.fold(level.filter.bytes(), usize::saturating_add)
        };
        let levels = self.levels.iter().map(runs).fold(0, usize::saturating_add);
        let before = self.before.as_ref().map_or(0, |before| before.filter.bytes());
        levels.saturating_add(before)
    }
}

#[cfg(test)]
mod tests {
    use gx_contract::BodyHash;
    use gx_types::{BatchId, CommandId};

    use super::*;

    fn segment(ids: impl Iterator<Item = u128>) -> Segment {
        let mut segment = Segment::new(BatchId::from_u128(1), TimeMs(1));
        for id in ids {
            segment.push(&CommandId::from_u128(id), BodyHash::from_bytes([0; 16]), None);
        }
        segment
    }

    /// Ids that are spread as hashes are.
    fn id(n: u64) -> u128 {
        let mixed = Digest::default().with(&n.to_be_bytes()).0;
        u128::from_be_bytes(*mixed.first_chunk().unwrap())
    }

    fn filled(sizes: impl Iterator<Item = u64>) -> (Index, Vec<Range<u64>>) {
        let (mut index, mut next, mut ranges) = (Index::default(), 0, Vec::new());
        for (size, number) in sizes.zip(0..) {
            let range = next..next + size;
            next = range.end;
            let segment = segment(range.clone().map(id));
            index.take_in(number, &segment.write(), &segment);
            ranges.push(range);
        }
        (index, ranges)
    }

    #[test]
    fn every_id_has_its_segment_among_the_candidates() {
        let sizes = (0..400).map(|n| if n % 7 == 0 { 2_000 } else { n % 3 });
        let (index, ranges) = filled(sizes);
        for (range, number) in ranges.iter().zip(0..) {
            for id in range.clone().map(id) {
                let candidates = index.candidates(id, index.segments());
                assert!(candidates.contains(&number), "{number}: {candidates:?}");
                // A run that is made of many small ones is read as a whole.
                assert!(candidates.len() < 100, "{number}: {candidates:?}");
                assert!(!index.candidates(id, number).contains(&number));
            }
        }
    }

    #[test]
    fn a_new_id_has_none() {
        let (index, ranges) = filled((0..300).map(|_| 1_000));
        let end = ranges.last().unwrap().end;
        let in_vain: usize =
            (end..end + 100_000).map(|n| index.candidates(id(n), index.segments()).len()).sum();
        assert!(in_vain < 20, "{in_vain} segments would be read for 100,000 new ids");
    }

    #[test]
    fn memory_for_each_id_is_bounded() {
        for sizes in [vec![1_000; 400], vec![1; 70_000]] {
            let ids: u64 = sizes.iter().sum();
            let (index, _) = filled(sizes.into_iter());
            let bytes = index.bytes() as u64;
            assert!(bytes < 12 * ids, "{bytes} bytes for {ids} ids");
        }
    }

    #[test]
    fn what_was_taken_in_is_told_by_its_digest() {
        let (index, _) = filled([3, 70, 1].into_iter());
        let (same, _) = filled([3, 70].into_iter());
        let (other, _) = filled([3, 71].into_iter());
        assert_eq!(index.agrees(2, same.digest), Some(true));
        assert_eq!(index.agrees(2, other.digest), Some(false));
        assert_eq!(index.agrees(0, Digest::default()), Some(true));
        assert_eq!(index.agrees(4, same.digest), None);
        let (many, _) = filled((0..65).map(|_| 1));
        assert_eq!(many.agrees(0, Digest::default()), None);
        assert_eq!(many.agrees(1, Digest::default()), None);
        assert_eq!(many.agrees(2, Digest::default()), Some(false));
    }

    #[test]
    fn an_index_that_was_begun_anew_is_of_no_channel_with_outcomes() {
        let (mut index, _) = filled([3, 70].into_iter());
        let (segments, digest) = (2, index.digest);
        let head = Head { segments, digest, ..Head::default() };
        assert!(index.is_of(&head) && !Index::default().is_of(&head));
        let before = Some(TimeMs(5));
        for old in [Head { before, ..head }, Head { before, ..Head::default() }] {
            assert!(!index.is_of(&old) && !Index::default().is_of(&old));
        }
        index.before = Some(Before::new(TimeMs(5), &[]));
        assert!(index.is_of(&Head { before, ..head }));
    }

    #[test]
    fn only_the_next_segment_is_taken_in() {
        let (mut index, _) = filled([3, 70].into_iter());
        let known = index.digest;
        let late = segment([1].into_iter());
        index.take_in(1, &late.write(), &late);
        index.take_in(3, &late.write(), &late);
        assert_eq!((index.segments(), index.digest), (2, known));
    }
}
