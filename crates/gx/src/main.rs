//! The binary `gx`: the command line and nothing else.
//!
//! Nothing is decided here but the allocator; what a command does stands in `gx-cli` and
//! `gx-client`, or in `gx-workbench` when it is built for developers.

use std::process::ExitCode;

mod cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gx_cli::run(cli::run)
}
