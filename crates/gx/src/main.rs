//! The binary `gx`. All that it does stands in the library beside it.
//!
//! Nothing is decided here but the allocator and the exit status.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    gx::run()
}
