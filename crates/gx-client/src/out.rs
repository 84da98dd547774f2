//! What people and scripts read: results on standard output, everything else beside it.
//!
//! Texts of other people come through here as well: what a terminal would obey is not written.

use std::io::{ErrorKind, Write as _};

use gx_types::Amount;
use serde_json::Value;

use crate::failure::{Failure, Result};

/// Names of columns or lines, and where their text stands in the answer.
pub(crate) type Parts = [(&'static str, &'static str)];

/// Where results go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Out {
    pub(crate) json: bool,
}

impl Out {
    /// A line of the result. One that cannot be written makes the command fail: what is told only
    /// once must not seem to have been told.
    pub(crate) fn line(self, text: &str) -> Result<()> {
        match writeln!(std::io::stdout(), "{}", printable(text)) {
            // Whoever read the result may have seen enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::local("the result cannot be written", error))
            }
            _ => Ok(()),
        }
    }

    /// What is worth knowing while the command runs, for people only.
    pub(crate) fn note(self, text: &str) {
        if !self.json {
            tell(text);
        }
    }

    /// Why the command came to nothing.
    pub(crate) fn failure(self, failure: &Failure) {
        match self.json {
            true => tell(&failure.to_json().to_string()),
            false => tell(&failure.to_text()),
        }
    }

    /// One thing: named lines for people, the answer as it came for scripts.
    pub(crate) fn record(self, value: &Value, parts: &Parts) -> Result<()> {
        if self.json {
            return self.line(&value.to_string());
        }
        let present = parts.iter().map(|(name, at)| (*name, text(value, at)));
        let present: Vec<_> = present.filter(|(_, text)| !text.is_empty()).collect();
        let width = present.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, text) in present {
            self.line(&format!("{name:<width$}  {text}"))?;
        }
        Ok(())
    }

    /// A page: a table for people, the answer as it came for scripts.
    pub(crate) fn page(self, page: &Value, parts: &Parts) -> Result<()> {
        if self.json {
            return self.line(&page.to_string());
        }
        let rows = page.as_array().or_else(|| page.pointer("/data").and_then(Value::as_array));
        self.table(rows.map_or(&[], Vec::as_slice), parts)?;
        let next = text(page, "/nextCursor");
        if !next.is_empty() {
            tell(&format!("there is more: --cursor {next}"));
        }
        Ok(())
    }

    /// Columns as wide as their widest cell, figures set to the right.
    pub(crate) fn table(self, rows: &[Value], parts: &Parts) -> Result<()> {
        if rows.is_empty() {
            tell("nothing to list");
            return Ok(());
        }
        let columns: Vec<Column> = parts.iter().map(|part| Column::of(rows, *part)).collect();
        for at in 0..=rows.len() {
            let cells = columns.iter().filter_map(|column| column.cell(at));
            self.line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A column of a table: its heading, then its cells.
#[derive(Debug)]
struct Column {
    cells: Vec<String>,
    width: usize,
    figures: bool,
}

impl Column {
    fn of(rows: &[Value], (heading, at): (&'static str, &'static str)) -> Self {
        let mut cells = vec![heading.to_owned()];
        cells.extend(rows.iter().map(|row| text(row, at)));
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or_default();
        let figures = cells.iter().skip(1).all(|cell| cell.is_empty() || is_figure(cell));
        Self { cells, width, figures }
    }

    fn cell(&self, at: usize) -> Option<String> {
        let (cell, width) = (self.cells.get(at)?, self.width);
        Some(if self.figures { format!("{cell:>width$}") } else { format!("{cell:<width$}") })
    }
}

fn is_figure(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
        // A day is no figure.
        && cell.matches('-').count() < 2
}

/// What stands at a place of an answer, as people read it; empty when there is nothing.
pub(crate) fn text(value: &Value, at: &str) -> String {
    match value.pointer(at) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(true)) => "yes".to_owned(),
        Some(Value::Bool(false)) => "no".to_owned(),
        Some(Value::Array(list)) => {
            let words = list.iter().map(|item| match item {
                Value::Object(_) => text(item, "/userId"),
                other => text(other, ""),
            });
            words.collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// The text with amounts as the ledger writes them, `12500000 Q`, in coins, as tables have them.
pub(crate) fn in_coins(text: &str) -> String {
    let (mut told, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(" Q") {
        let head = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let figure = before.strip_prefix(head).unwrap_or_default();
        let is_word = !after.starts_with(char::is_alphanumeric)
            && !head.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
        match figure.parse::<Amount>() {
            Ok(amount) if is_word => {
                told.push_str(head);
                told.push_str(&amount.to_gx());
                told.push_str(" GX");
            }
            _ => {
                told.push_str(before);
                told.push_str(" Q");
            }
        }
        rest = after;
    }
    told.push_str(rest);
    told
}

/// A line beside the result.
pub(crate) fn tell(text: &str) {
    // There is nowhere else to say that this cannot be said.
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}

/// The text without what would move the cursor, change colours, or turn the direction of writing.
fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_safe = |c: char| c == '\n' || !(c.is_control() || turns(c));
    text.chars().map(|c| if is_safe(c) { c } else { '\u{fffd}' }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_not_written() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}c\nd");
    }

    #[test]
    fn values_are_worded_for_people() {
        let value = json!({
            "a": null, "b": true, "c": 7, "d": ["x", { "userId": "y" }], "e": { "f": "1.00" },
        });
        let texts = ["/a", "/b", "/c", "/d", "/e/f", "/g"].map(|at| text(&value, at));
        assert_eq!(texts, ["", "yes", "7", "x, y", "1.00", ""]);
    }

    #[test]
    fn amounts_of_the_ledger_are_told_in_coins() {
        for (said, told) in [
            ("holds 1 Q, needed 2500000 Q", "holds 0.000001 GX, needed 2.50 GX"),
            ("at most 0 Q.", "at most 0.00 GX."),
            ("5 Qirat, 5 Q1, x5 Q, 1.5 Q, 007 Q", "5 Qirat, 5 Q1, x5 Q, 1.5 Q, 007 Q"),
            ("é Q 99999999999999999999 Q", "é Q 99999999999999999999 Q"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(in_coins(said), told);
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [json!({ "n": "1.00", "t": "ab" }), json!({ "n": "10.00", "t": "" })];
        let column = Column::of(&rows, ("N", "/n"));
        assert_eq!((column.width, column.figures), (5, true));
        assert_eq!(column.cell(1).as_deref(), Some(" 1.00"));
        assert!(!Column::of(&rows, ("T", "/t")).figures);
        assert!(!is_figure("2026-01-02") && is_figure("-1.5"));
    }
}
