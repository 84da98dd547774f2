//! How answers are told: to people, or to programs.

use anyhow::Result;
use clap::ValueEnum;
use gx_ops::report::Look;
use serde::Serialize;

use super::audit::look;
use crate::console;

/// The forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Table,
    Json,
}

/// How an answer is told.
#[derive(Debug, clap::Args)]
pub(super) struct Telling {
    #[arg(long, value_enum, default_value = "table")]
    format: Form,
    /// Shows all of each list on a terminal, not the first ten.
    #[arg(long)]
    all: bool,
}

impl Telling {
    pub(super) fn tell<T: Serialize>(
        &self,
        answer: &T,
        render: impl FnOnce(&T, &Look) -> String,
    ) -> Result<()> {
        let text = match self.format {
            Form::Table => render(answer, &look(self.all)),
            Form::Json => serde_json::to_string_pretty(answer)?,
        };
        console::line(text.trim_end());
        Ok(())
    }
}
