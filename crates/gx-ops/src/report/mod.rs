//! How an audit is told: to people on a terminal, on a page or in a ticket, and to programs.
//!
//! Pure: an audit and a form give a text, always the same.

mod html;
mod junit;
mod markdown;
mod prometheus;
mod sarif;
mod table;
mod words;

use crate::rules::Audit;

pub use table::explain;
pub(crate) use table::{plural, wrapped};

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Table,
    Markdown,
    Json,
    /// One page without parts elsewhere.
    Html,
    /// For code hosts.
    Sarif,
    /// For whatever shows results of tests.
    Junit,
    /// For a collector of text files.
    Prometheus,
}

impl Format {
    pub const ALL: [(&'static str, Self); 7] = [
        ("table", Self::Table),
        ("markdown", Self::Markdown),
        ("json", Self::Json),
        ("html", Self::Html),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("prometheus", Self::Prometheus),
    ];
}

/// How a terminal is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns.
    pub width: usize,
    pub colour: bool,
    /// Causes that are shown; the rest is counted.
    pub top: usize,
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 80, colour: false, top: 10 }
    }
}

/// An audit that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the audit cannot be written as JSON")]
pub struct ReportError(#[from] serde_json::Error);

/// The text of an audit.
///
/// # Errors
/// Never for an audit that was made here.
pub fn render(audit: &Audit, format: Format, look: &Look) -> Result<String, ReportError> {
    Ok(match format {
        Format::Table => table::render(audit, look),
        Format::Markdown => markdown::render(audit),
        Format::Json => serde_json::to_string_pretty(audit)? + "\n",
        Format::Html => html::render(audit),
        Format::Sarif => sarif::render(audit)?,
        Format::Junit => junit::render(audit),
        Format::Prometheus => prometheus::render(audit),
    })
}

#[cfg(test)]
mod tests;
