//! The velocity tax: timers of accounts, what is due, what was taken and what was not owed.

pub mod assessments;
pub mod timers;
