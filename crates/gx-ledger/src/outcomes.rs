//! Where the outcome of each command id stands: in memory for the youngest, else by segment.
//!
//! A batch asks for every one of its ids, and nearly always the answer is "nowhere". That answer
//! must cost the same after five million commands as after none.

use std::collections::HashMap;
use std::sync::Arc;

use gx_types::Filter;

use crate::Error;
use crate::store::{Place, Segment, SegmentReader, Store, for_each_logged};

/// Segments that share a filter: one question for all of them instead of one for each.
const GROUP: usize = 8;

/// Ids that are in no segment yet.
pub(crate) type Young = HashMap<u128, Place>;

/// Ids on their way into a segment.
#[derive(Debug, Clone)]
pub(crate) struct Sealing {
    pub(crate) ids: Arc<Young>,
    /// Number of the segment that they become.
    pub(crate) segment: u64,
    pub(crate) group: u64,
    /// The group's filter so far.
    pub(crate) filter: Arc<Filter>,
    /// The last block that they are from.
    pub(crate) through: u64,
}

/// A segment that is in the file, and the filter of its group with its ids.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) segment: Segment,
    pub(crate) filter: Filter,
}

#[derive(Debug)]
struct Group {
    filter: Arc<Filter>,
    segments: Vec<Segment>,
}

#[derive(Debug, Default)]
pub(crate) struct OutcomeIndex {
    young: Young,
    sealing: Option<Sealing>,
    /// All but the last are full.
    groups: Vec<Group>,
}

impl OutcomeIndex {
    pub(crate) fn load(store: &Store, transaction: &redb::ReadTransaction) -> Result<Self, Error> {
        let mut index = Self::default();
        let mut segments = SegmentReader::segments(store, transaction)?.into_iter().peekable();
        for number in 0.. {
            let segments: Vec<Segment> = segments.by_ref().take(GROUP).collect();
            if segments.is_empty() {
                break;
            }
            let filter = Arc::new(SegmentReader::filter(store, transaction, number)?);
            index.groups.push(Group { filter, segments });
        }
        for_each_logged(store, transaction, |id, place| index.insert(id, place))?;
        Ok(index)
    }

    /// Where the outcome of `id` stands; `None` when the ledger has not seen the id.
    pub(crate) fn find(
        &self,
        id: u128,
        reader: &SegmentReader,
    ) -> Result<Option<Place>, redb::Error> {
        let sealing = self.sealing.as_ref();
        let young =
            self.young.get(&id).or_else(|| sealing.and_then(|sealing| sealing.ids.get(&id)));
        if let Some(place) = young {
            return Ok(Some(*place));
        }
        for group in self.groups.iter().filter(|group| group.filter.may_contain(id)) {
            for segment in &group.segments {
                if let Some(place) = reader.find(segment, id)? {
                    return Ok(Some(place));
                }
            }
        }
        Ok(None)
    }

    pub(crate) fn insert(&mut self, id: u128, place: Place) {
        self.young.insert(id, place);
    }

    /// When there are enough young ids, takes them out to become a segment.
    pub(crate) fn seal(&mut self, enough: usize, through: u64) -> Option<Sealing> {
        if self.young.len() < enough || self.sealing.is_some() {
            return None;
        }
        let ids = Arc::new(std::mem::take(&mut self.young));
        let open = self.groups.last().filter(|group| group.segments.len() < GROUP);
        let new_filter = || Arc::new(Filter::for_ids(ids.len().saturating_mul(GROUP)));
        let filter = open.map_or_else(new_filter, |group| group.filter.clone());
        let full = self.groups.len().saturating_sub(usize::from(open.is_some()));
        let segment = full * GROUP + open.map_or(0, |group| group.segments.len());
        let (group, segment) = (full as u64, segment as u64);
        self.sealing = Some(Sealing { ids, segment, group, filter, through });
        self.sealing.clone()
    }

    /// A segment is in the file.
    pub(crate) fn add(&mut self, added: Added) {
        let expected = self.sealing.take_if(|sealing| sealing.segment == added.segment.number());
        let Some(Sealing { group, .. }) = expected else { return };
        let Added { segment, filter } = added;
        let filter = Arc::new(filter);
        match self.groups.get_mut(group as usize) {
            Some(open) => {
                open.filter = filter;
                open.segments.push(segment);
            }
            None => self.groups.push(Group { filter, segments: vec![segment] }),
        }
    }
}
