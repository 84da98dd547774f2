//! Acts: a plan is applied to a cluster, step by step, and taken back.
//!
//! Before anything is changed the same plan is made again from the facts as they are then; when it
//! comes out otherwise, nothing is done. Every step is looked at once more right before it, checked
//! after it, and written to disk before and after, so that a run that was killed is continued or
//! taken back. The first surprise stops it. What `plans` has not put into the plan is not done.

mod api;
mod doing;
mod journal;
mod record;
mod run;
mod secrets;

pub use journal::{Entry, Event, Journal, JournalError, Runs};
pub use run::{ActError, Answer, Facts, Go, Outcome, Point, Runner, Watcher};
