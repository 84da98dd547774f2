//! What is made from the command line's own description: completions of shells and manual pages.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
pub use clap_complete::Shell;

use crate::{End, console};

/// Prints a script that makes a shell complete the commands.
pub fn completions(mut command: clap::Command, shell: Shell) -> Result<End> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    console::line(String::from_utf8(script).context("the completions are no text")?.trim_end());
    Ok(End::Done)
}

/// Prints the manual page, or writes the pages of all commands to a folder.
pub fn man(command: clap::Command, folder: Option<&Path>) -> Result<End> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).context("the manual page")?;
        console::line(String::from_utf8(page).context("the manual page is no text")?.trim_end());
        return Ok(End::Done);
    };
    let failed = || format!("cannot write manual pages to {}", folder.display());
    fs::create_dir_all(folder).with_context(failed)?;
    clap_mangen::generate_to(command, folder).with_context(failed)?;
    let count = fs::read_dir(folder).with_context(failed)?.count();
    console::line(format_args!("{count} files in {}", folder.display()));
    Ok(End::Done)
}
