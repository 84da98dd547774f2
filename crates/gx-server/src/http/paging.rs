//! Which part of a list somebody asks for.

use super::answer::place;
use super::fields::{Count, Text, request};
use crate::error::Result;

/// The `nextCursor` of the page before.
pub(crate) type Cursor = Text<1, 20>;

/// The most rows that a page has.
pub(crate) const LIMIT_MAX: u32 = 100;

/// How many rows a page has at most.
pub(crate) type Limit = Count<1, LIMIT_MAX>;

request! {
    /// Which part of a list.
    pub(crate) struct ListQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Cursor>,
        limit as "limit": Option<Limit>,
    }
}

/// The rows before which a page begins, and how many it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) before: Option<i64>,
    pub(crate) limit: u32,
}

impl Part {
    pub(crate) fn new(cursor: Option<Cursor>, limit: Option<Limit>) -> Result<Self> {
        Ok(Self { before: place(cursor)?, limit: limit.map_or(20, |limit| limit.0) })
    }

    /// How many rows to read: one more than the page has tells whether there are more.
    pub(crate) fn more(self) -> u32 {
        self.limit.saturating_add(1)
    }
}
