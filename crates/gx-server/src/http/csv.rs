//! Tables as RFC 4180 has them, safe to open in a spreadsheet.

use std::borrow::Cow;

/// What spreadsheets take for the beginning of a formula; in Asia also in full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A text that somebody else has written, so that no spreadsheet executes it: an apostrophe before
/// it makes it text.
fn inert(text: &str) -> Cow<'_, str> {
    let starts = text.trim_start().starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n']);
    if starts { format!("'{text}").into() } else { text.into() }
}

/// Appends a row, each cell in quotes.
pub(crate) fn row<'c>(out: &mut String, cells: impl IntoIterator<Item = &'c str>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        out.push('"');
        out.push_str(&inert(cell).replace('"', "\"\""));
        out.push('"');
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_executed_or_ends_it() {
        for (cell, written) in [
            ("rent", "\"rent\"\r\n"),
            ("", "\"\"\r\n"),
            ("1.00", "\"1.00\"\r\n"),
            ("=1+1", "\"'=1+1\"\r\n"),
            (" =1+1", "\"' =1+1\"\r\n"),
            ("@SUM(A1)", "\"'@SUM(A1)\"\r\n"),
            ("+49", "\"'+49\"\r\n"),
            ("-2", "\"'-2\"\r\n"),
            ("\u{ff1d}A1", "\"'\u{ff1d}A1\"\r\n"),
            ("say \"hi\", then", "\"say \"\"hi\"\", then\"\r\n"),
        ] {
            let mut out = String::new();
            row(&mut out, [cell]);
            assert_eq!(out, written);
        }
        let mut out = String::new();
        row(&mut out, ["a", "b"]);
        assert_eq!(out, "\"a\",\"b\"\r\n");
    }
}
