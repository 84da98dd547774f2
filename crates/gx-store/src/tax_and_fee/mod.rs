//! The velocity tax: timers of accounts, what is due, what was taken and what was not owed; and
//! payments with their fees.

pub mod assessments;
pub mod payments;
pub mod standing;
pub mod timers;
