//! Backups of a small platform that is really there, restored and compared; and everything that
//! may go wrong on the way.

#![expect(clippy::print_stderr, reason = "a test that cannot run here says so")]

mod blocks;
mod faults;
mod kills;
mod moment;
mod place;
mod postgres;
mod remote;
mod restic;
mod settings;
mod walks;
mod whole;
