//! What a dump of PostgreSQL says while it goes by: which tables, how many rows, whether it ended.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

/// What was seen of a dump.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Rows of each table, by its name without the schema.
    pub(crate) rows: BTreeMap<String, u64>,
    /// The mark that `pg_dump` writes last.
    pub(crate) ended: bool,
    /// The table whose rows are being copied.
    table: Option<String>,
    /// The beginning of the present line.
    line: Vec<u8>,
}

/// What a dump ends with.
const END: &[u8] = b"-- PostgreSQL database dump complete";
/// Longer beginnings of lines matter to nobody.
const LINE: usize = 512;

impl Tally {
    pub(crate) fn see(&mut self, mut bytes: &[u8]) {
        while let Some(at) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(at);
            self.begin(line);
            self.end_line();
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.begin(bytes);
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend(bytes.iter().take(room));
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        match &self.table {
            Some(_) if line == b"\\." => self.table = None,
            Some(table) => {
                let rows = self.rows.entry(table.clone()).or_default();
                *rows = rows.saturating_add(1);
            }
            None if line == END => self.ended = true,
            None => {
                if let Some(table) = copied(&line) {
                    self.rows.entry(table.clone()).or_default();
                    self.table = Some(table);
                }
            }
        }
    }
}

/// The table of a line like `COPY public.accounts (id, …) FROM stdin;`.
fn copied(line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(line);
    let named = line.strip_prefix("COPY ")?;
    let (name, _) = named.split_once(" (").or_else(|| named.split_once(" FROM"))?;
    let name = name.rsplit_once('.').map_or(name, |(_, name)| name);
    Some(name.trim_matches('"').to_owned())
}

/// Counts what is read from a dump.
pub(crate) struct Counted<R> {
    pub(crate) from: R,
    pub(crate) tally: Arc<Mutex<Tally>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.from.read(buffer)?;
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.see(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "--\n-- PostgreSQL database dump\n--\n\
        COPY public.accounts (id, balance) FROM stdin;\na\t1\nb\t2\n\\.\n\
        COPY public.\"order\" (id) FROM stdin;\n\\.\n\
        --\n-- PostgreSQL database dump complete\n--\n";

    fn tally(dump: &str, piece: usize) -> Tally {
        let mut tally = Tally::default();
        dump.as_bytes().chunks(piece).for_each(|piece| tally.see(piece));
        tally
    }

    #[test]
    fn tables_and_rows_are_counted_however_the_dump_is_cut() {
        for piece in [1, 2, 7, 64, 4096] {
            let tally = tally(DUMP, piece);
            let rows = [("accounts".to_owned(), 2), ("order".to_owned(), 0)];
            assert_eq!(tally.rows, BTreeMap::from(rows), "{piece}");
            assert!(tally.ended);
        }
    }

    #[test]
    fn a_dump_that_ends_early_and_a_row_that_looks_like_the_end_are_no_end() {
        assert!(!tally(&DUMP[..DUMP.len() - 30], 16).ended);
        let row =
            "COPY public.notes (text) FROM stdin;\n-- PostgreSQL database dump complete\n\\.\n";
        let tally = tally(row, 16);
        assert!(!tally.ended);
        assert_eq!(tally.rows["notes"], 1);
    }
}
