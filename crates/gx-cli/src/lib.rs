//! What the commands of the binary `gx` do: every role of the platform, and the tools of those who
//! operate it.
//!
//! Rules of the currency, SQL and HTTP routes stand in the crates below; what stands here starts
//! them and prints. Everything here is shipped: load and figures are `gx-workbench`'s.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod backup;
pub mod console;
pub mod countries;
pub mod deploy;
pub mod fabric;
pub mod key;
pub mod ledger;
pub mod ops;
pub mod pages;
pub mod process;
pub mod rebuild;
pub mod roles;
pub mod scratch;
pub mod settings;
mod supervisor;
pub mod up;
pub mod verify;

use std::process::ExitCode;

use anyhow::Result;

/// Does what the command line says and returns the process's exit status: 0 done, 1 it could not
/// be done, 2 wrong usage, 3 done, and something was found that is not as it should be. The client
/// has statuses of its own.
pub fn run(command_line: impl FnOnce() -> Result<End>) -> ExitCode {
    // Databases, ledgers and keys are for nobody else on the machine.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
    match command_line() {
        Ok(_) if !console::is_told() => ExitCode::FAILURE,
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Findings) => ExitCode::from(3),
        Ok(End::Audit(status) | End::Client(status) | End::Fetched(status)) => {
            ExitCode::from(status)
        }
        Err(error) => {
            console::failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// How a command ended that was able to do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    /// A figure misses its bar, a block is altered, a balance differs.
    Findings,
    /// What an audit found: 2 something critical, 1 something as bad as was asked for, 0 nothing.
    Audit(u8),
    /// A file of the write-ahead log that is not there, or could not be had, as PostgreSQL tells
    /// them apart.
    Fetched(u8),
    /// What the client has told, with its exit status.
    Client(u8),
}
