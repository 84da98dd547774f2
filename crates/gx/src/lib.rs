//! The commands of the binary `gx`: every role of the platform, the demo, the benchmarks.
//!
//! Rules of the currency, SQL and HTTP routes stand in the crates below; what stands here starts
//! them, drives them from outside, and prints.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod bench;
pub mod child;
mod cli;
pub mod client;
mod console;
mod countries;
pub mod demo;
mod fabric;
mod key;
mod ledger;
mod load;
mod process;
mod rebuild;
mod roles;
mod scratch;
mod settings;
mod up;
mod verify;

use std::process::ExitCode;

/// Runs the command line and returns the process's exit status: 0 done, 1 it could not be done,
/// 2 wrong usage, 3 done, and something was found that is not as it should be.
pub fn run() -> ExitCode {
    // Databases, ledgers and keys are for nobody else on the machine.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    match cli::run() {
        Ok(_) if !console::is_told() => ExitCode::FAILURE,
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Findings) => ExitCode::from(3),
        Err(error) => {
            console::failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// How a command ended that was able to do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done,
    /// A figure misses its bar, a block is altered, a balance differs.
    Findings,
}
