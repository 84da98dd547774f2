//! What people and scripts read: results on standard output, progress and errors beside it.
//!
//! Every line that the binary prints goes through here; logs are `tracing`'s.

#![expect(clippy::print_stderr, reason = "a command-line program")]

use std::io::{ErrorKind, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

/// Whether a line of the result could not be written.
static LOST: AtomicBool = AtomicBool::new(false);

/// A line of the result. One that cannot be written, as on a full disk, makes the process fail in
/// the end: what is told only once must not seem to have been told.
pub fn line(text: impl std::fmt::Display) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        // Whoever read the result may have seen enough.
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("error: the result cannot be written: {error}");
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Whether all of the result could be written.
pub fn is_told() -> bool {
    !LOST.load(Ordering::Relaxed)
}

/// Why a command could not be carried out: one line with all its causes.
pub fn failure(error: &anyhow::Error) {
    eprintln!("error: {}", gx_types::with_causes(error.as_ref()));
}

/// A line beside the result, for programs that watch.
pub fn beside(text: impl std::fmt::Display) {
    eprintln!("{text}");
}

/// A bar on standard error; it is drawn on a terminal only.
pub fn progress(what: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what);
    let style = ProgressStyle::with_template("{msg:28} {bar:30} {human_pos}/{human_len} {per_sec}");
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Columns as wide as their widest cell, figures set to the right; the first row is the heading.
pub fn table<const N: usize>(rows: &[[String; N]]) {
    let mut widths = [0; N];
    let mut figures = [true; N];
    for (at, row) in rows.iter().enumerate() {
        for ((width, figure), cell) in widths.iter_mut().zip(&mut figures).zip(row) {
            *width = cell.chars().count().max(*width);
            *figure &= at == 0 || cell.is_empty() || is_number(cell);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths).zip(figures);
        let cells = cells.map(|((cell, width), figure)| match figure {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn is_number(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-'))
}

/// A number with its thousands apart, for people.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn only_figures_are_set_to_the_right() {
        assert!(is_number("1,234.50") && is_number("-3"));
        assert!(!is_number("") && !is_number("3 of 4") && !is_number("gx"));
    }
}
