//! Statements on paper: A4, in the fonts that every reader of PDF has.
//!
//! Those fonts know the letters of Western Europe only: others show as question marks here, and as
//! they were written in every other form.

use gx_store::tokenomics::history::Entry;
use gx_types::Amount;
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str};

use super::Statement;
use crate::calendar::rfc3339;

/// Points.
const WIDTH: i16 = 595;
const HEIGHT: i16 = 842;
const MARGIN: i16 = 40;
const TOP: i16 = 790;
const LINE: i16 = 12;
const SIZE: i16 = 7;

/// Movements on a page.
const ROWS: usize = 54;

const FONT: Name<'static> = Name(b"F1");

/// Where the columns begin, counted in characters, each as wide as the other in this font.
const PLACES: [usize; 5] = [0, 21, 34, 53, 72];

pub(super) fn write(statement: &Statement) -> Vec<u8> {
    let mut pages: Vec<&[Entry]> = statement.entries.chunks(ROWS).collect();
    if pages.is_empty() {
        pages.push(&[]);
    }
    let mut next = 1;
    let mut reference = || {
        let new = Ref::new(next);
        next = next.saturating_add(1);
        new
    };
    let (catalog, tree, font) = (reference(), reference(), reference());
    let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (reference(), reference())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
    pdf.type1_font(font).base_font(Name(b"Courier")).encoding_predefined(Name(b"WinAnsiEncoding"));
    for (number, (entries, (page, content))) in (1..).zip(pages.iter().zip(&ids)) {
        let mut written = pdf.page(*page);
        let (zero, width, height) = (f32::from(0_i16), f32::from(WIDTH), f32::from(HEIGHT));
        written.media_box(Rect::new(zero, zero, width, height));
        written.parent(tree).contents(*content);
        written.resources().fonts().pair(FONT, font);
        written.finish();
        let lines = lines(statement, entries, number, ids.len());
        pdf.stream(*content, &text(&lines));
    }
    pdf.finish()
}

/// The lines of a page, from the top.
fn lines(statement: &Statement, entries: &[Entry], number: usize, of: usize) -> Vec<String> {
    let Statement { account, from, to, opening, closing, credits, debits, .. } = statement;
    let mut lines = vec![
        format!("GX Protocol - Statement of account {account} - page {number} of {of}"),
        format!("From {} to {}, amounts in GXC", rfc3339(from.0), rfc3339(to.0)),
        format!(
            "Opening balance {}   Credits {} ({})   Debits {} ({})   Closing balance {}",
            opening.to_gx(),
            credits.amount.to_gx(),
            credits.count,
            debits.amount.to_gx(),
            debits.count,
            closing.to_gx()
        ),
        String::new(),
        row(&["Time", "Kind", "Change", "Balance", "With, and what for"]),
    ];
    lines.extend(entries.iter().map(|entry| {
        let sign = if entry.change_qirat < 0 { "-" } else { "+" };
        let change = Amount::from_qirat(entry.change_qirat.unsigned_abs()).to_gx();
        let time: String = rfc3339(entry.at.0).chars().take(19).collect();
        let other = entry.counterparty.map(|id| id.to_string()).unwrap_or_default();
        let remark = entry.remark.as_deref().unwrap_or_default();
        let with = format!("{other} {remark}");
        row(&[
            &time.replace('T', " "),
            entry.kind.as_str(),
            &format!("{sign}{change}"),
            &entry.balance.to_gx(),
            with.trim(),
        ])
    }));
    lines
}

/// Cells at their places, the line cut off where the page ends.
fn row(cells: &[&str; 5]) -> String {
    let mut line = String::new();
    for (cell, place) in cells.iter().zip(PLACES) {
        let missing = place.saturating_sub(line.chars().count());
        line.extend(std::iter::repeat_n(' ', missing));
        line.push_str(cell);
        line.push(' ');
    }
    // A character of this font is six tenths of its size wide.
    let width = usize::try_from((WIDTH - 2 * MARGIN) * 10 / (6 * SIZE)).unwrap_or_default();
    line.chars().take(width).collect()
}

fn text(lines: &[String]) -> Vec<u8> {
    let mut content = Content::new();
    content.begin_text();
    content.set_font(FONT, f32::from(SIZE));
    content.next_line(f32::from(MARGIN), f32::from(TOP));
    for line in lines {
        content.show(Str(&encoded(line)));
        content.next_line(f32::from(0_i16), f32::from(-LINE));
    }
    content.end_text();
    content.finish().to_vec()
}

/// In the encoding of the font: Latin letters as they are, a question mark for all others.
fn encoded(line: &str) -> Vec<u8> {
    let byte = |character: char| match character {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(character).unwrap_or(b'?'),
        _ => b'?',
    };
    line.chars().map(byte).collect()
}
