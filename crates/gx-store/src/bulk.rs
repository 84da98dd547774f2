//! Many rows in one statement: arrays on PostgreSQL, lists of values on SQLite.
//!
//! A template holds `{rows}` where the rows go, which reads as a table on both engines:
//! `INSERT INTO t (a, b) {rows}` or `WITH input (a, b) AS ({rows}) …`. Nothing else may be bound.

use std::borrow::Cow;

use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Executor};

use crate::sql::{Conn, Row, tell};
use crate::{Engine, Error};

/// A column of values.
#[derive(Debug)]
pub(crate) enum Column<'v> {
    Int(Vec<i64>),
    OptInt(Vec<Option<i64>>),
    Text(Vec<Cow<'v, str>>),
    OptText(Vec<Option<Cow<'v, str>>>),
}

impl Column<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::OptInt(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::OptText(values) => values.len(),
        }
    }
}

impl Column<'_> {
    /// Whether it says the same of every row.
    fn is_constant(&self) -> bool {
        fn constant<T: PartialEq>(values: &[T]) -> bool {
            values.windows(2).all(|pair| pair.first() == pair.last())
        }
        match self {
            Self::Int(values) => constant(values),
            Self::OptInt(values) => constant(values),
            Self::Text(values) => constant(values),
            Self::OptText(values) => constant(values),
        }
    }

    /// The type of a value, as PostgreSQL names it.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) | Self::OptInt(_) => "bigint",
            Self::Text(_) | Self::OptText(_) => "text",
        }
    }

    /// Binds all values as one array.
    fn bind_array(&self, arguments: &mut PgArguments) {
        let _ = match self {
            Self::Int(values) => Arguments::add(arguments, values),
            Self::OptInt(values) => Arguments::add(arguments, values),
            Self::Text(values) => {
                let values: Vec<&str> = values.iter().map(AsRef::as_ref).collect();
                Arguments::add(arguments, values)
            }
            Self::OptText(values) => {
                let values: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
                Arguments::add(arguments, values)
            }
        };
    }

    /// Binds the value of the first row.
    fn bind_first(&self, arguments: &mut PgArguments) {
        let _ = match self {
            Self::Int(values) => Arguments::add(arguments, values.first()),
            Self::OptInt(values) => Arguments::add(arguments, values.first().copied().flatten()),
            Self::Text(values) => {
                Arguments::add(arguments, values.first().map(AsRef::<str>::as_ref))
            }
            Self::OptText(values) => {
                Arguments::add(arguments, values.first().and_then(Option::as_deref))
            }
        };
    }
}

/// Rows per statement on SQLite, largest first. Few sizes, so that prepared statements are reused.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

/// A statement over many rows.
#[derive(Debug)]
pub(crate) struct Bulk<'v> {
    template: Cow<'static, str>,
    columns: Vec<Column<'v>>,
}

impl<'v> Bulk<'v> {
    /// All columns have the same length.
    pub(crate) fn new(template: impl Into<Cow<'static, str>>, columns: Vec<Column<'v>>) -> Self {
        let template = template.into();
        let rows = columns.first().map_or(0, Column::len);
        debug_assert!(columns.iter().all(|column| column.len() == rows));
        Self { template, columns }
    }

    fn rows(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// Runs it and says how many rows it touched.
    pub(crate) async fn run(self, conn: &mut Conn<'_>) -> Result<u64, Error> {
        let (rows, template) = (self.rows(), self.template.clone());
        if rows == 0 {
            return Ok(0);
        }
        let fail = |source| Error::sql(summary(&template), source);
        match conn {
            Conn::Sqlite(conn) => {
                let mut touched = 0;
                for (from, count) in chunks(rows) {
                    let text = values_text(&template, self.columns.len(), count);
                    tell(Engine::Sqlite, &text, &[]);
                    let query = sqlx::query_with(AssertSqlSafe(text), self.sqlite(from, count));
                    touched += conn.execute(query).await.map_err(fail)?.rows_affected();
                }
                Ok(touched)
            }
            Conn::Postgres(conn, link) => {
                let (text, arguments) = self.postgres();
                tell(Engine::Postgres, &text, &[]);
                let query = link.query(text, arguments);
                Ok(conn.execute(query).await.map_err(fail)?.rows_affected())
            }
        }
    }

    /// All rows that come back, in no particular order.
    pub(crate) async fn all(self, conn: &mut Conn<'_>) -> Result<Vec<Row>, Error> {
        let (rows, template) = (self.rows(), self.template.clone());
        if rows == 0 {
            return Ok(Vec::new());
        }
        let fail = |source| Error::sql(summary(&template), source);
        match conn {
            Conn::Sqlite(conn) => {
                let mut found = Vec::with_capacity(rows);
                for (from, count) in chunks(rows) {
                    let text = values_text(&template, self.columns.len(), count);
                    tell(Engine::Sqlite, &text, &[]);
                    let query = sqlx::query_with(AssertSqlSafe(text), self.sqlite(from, count));
                    let part = conn.fetch_all(query).await.map_err(fail)?;
                    found.extend(part.into_iter().map(Row::Sqlite));
                }
                Ok(found)
            }
            Conn::Postgres(conn, link) => {
                let (text, arguments) = self.postgres();
                tell(Engine::Postgres, &text, &[]);
                let query = link.query(text, arguments);
                let found = conn.fetch_all(query).await.map_err(fail)?;
                Ok(found.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The values of some rows, row by row. Adding an integer or a text cannot fail.
    fn sqlite(&self, from: usize, count: usize) -> SqliteArguments {
        let mut arguments = SqliteArguments::default();
        arguments.reserve(count * self.columns.len(), 0);
        for row in from..from + count {
            for column in &self.columns {
                let _ = match column {
                    Column::Int(values) => Arguments::add(&mut arguments, values.get(row).copied()),
                    Column::OptInt(values) => {
                        Arguments::add(&mut arguments, values.get(row).copied().flatten())
                    }
                    Column::Text(values) => {
                        Arguments::add(&mut arguments, values.get(row).map(AsRef::<str>::as_ref))
                    }
                    Column::OptText(values) => {
                        Arguments::add(&mut arguments, values.get(row).and_then(Option::as_deref))
                    }
                };
            }
        }
        arguments
    }

    /// `SELECT UNNEST($1::bigint[]), $2::text, …` in place of `{rows}`: side by side in the list of
    /// columns the arrays are read row by row, where a function in FROM would first be copied into
    /// a table, and a column that says the same of every row need not be one. `{unnest}` is such a
    /// function, of all columns. Adding an integer or a text cannot fail.
    fn postgres(&self) -> (String, PgArguments) {
        let in_from = self.template.contains("{unnest}");
        let mut arguments = PgArguments::default();
        let mut values = Vec::with_capacity(self.columns.len());
        for (place, column) in self.columns.iter().enumerate() {
            let (number, kind) = (place + 1, column.kind());
            // The first column gives the rows their number.
            values.push(if in_from {
                column.bind_array(&mut arguments);
                format!("${number}::{kind}[]")
            } else if place > 0 && column.is_constant() {
                column.bind_first(&mut arguments);
                format!("${number}::{kind}")
            } else {
                column.bind_array(&mut arguments);
                format!("UNNEST(${number}::{kind}[])")
            });
        }
        let values = values.join(", ");
        let text = if in_from {
            self.template.replacen("{unnest}", &format!("UNNEST({values})"), 1)
        } else {
            self.template.replacen("{rows}", &format!("SELECT {values}"), 1)
        };
        (text, arguments)
    }
}

fn summary(template: &str) -> String {
    template.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}

/// Splits a number of rows into (from, count).
fn chunks(rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let left = rows - from;
        let count = CHUNKS.into_iter().find(|size| *size <= left)?;
        from += count;
        Some((from - count, count))
    })
}

/// `VALUES (?,?),(?,?)` in place of `{rows}`.
fn values_text(template: &str, columns: usize, rows: usize) -> String {
    let mut row = "(".to_owned();
    row.push_str(&vec!["?"; columns].join(","));
    row.push(')');
    let mut values = String::with_capacity(8 + rows * (row.len() + 1));
    values.push_str("VALUES ");
    for place in 0..rows {
        if place > 0 {
            values.push(',');
        }
        values.push_str(&row);
    }
    // A statement that fails ends its transaction here, so that SQLite need not keep what pages
    // held before each statement.
    let text = template.replacen("{rows}", &values, 1);
    if text.contains("INSERT INTO") {
        text.replacen("INSERT INTO", "INSERT OR FAIL INTO", 1)
    } else {
        text.replacen("UPDATE ", "UPDATE OR FAIL ", 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_every_row_once() {
        for rows in [0, 1, 3, 4, 63, 64, 255, 256, 257, 1000] {
            let parts: Vec<_> = chunks(rows).collect();
            let next = parts.iter().fold(0, |next, (from, count)| {
                assert_eq!(*from, next);
                next + count
            });
            assert_eq!(next, rows);
        }
    }
}
