//! Whether two databases' read models hold the same rows. For audits: it reads whole tables.

use std::fmt;

use tokio_stream::StreamExt as _;

use super::checkpoint::READ_MODELS;
use crate::sql::{Conn, Row, Rows, sql};
use crate::{Engine, Error, Source, Store};

/// Differences of one table that are told one by one.
const TOLD: usize = 5;

/// A table whose rows are not the expected ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDiffers {
    pub table: &'static str,
    pub rows: u64,
    /// The first ones.
    pub first: Vec<RowDiffers>,
}

/// A row that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowDiffers {
    /// The values of the primary key.
    pub key: Vec<String>,
    pub how: How,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    Missing,
    NotExpected,
    /// `None` stands for an absent value.
    Column {
        name: String,
        found: Option<String>,
        expected: Option<String>,
    },
}

impl fmt::Display for RowDiffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} ", self.key.join(", "))?;
        match &self.how {
            How::Missing => f.write_str("is missing"),
            How::NotExpected => f.write_str("should not be there"),
            How::Column { name, found, expected } => {
                let text = |value: &Option<String>| value.clone().unwrap_or("nothing".to_owned());
                write!(f, "has {name} {}, not {}", text(found), text(expected))
            }
        }
    }
}

/// Compares all read models with the `expected` ones, which are in SQLite. Outcomes by outbox
/// number are left out: the numbers are the platform's own.
///
/// # Errors
/// Those of the databases.
pub async fn differences(
    found: impl Into<Source<'_>>,
    expected: &Store,
) -> Result<Vec<TableDiffers>, Error> {
    let (mut found, mut expected) =
        (found.into().open().await?, Source::from(expected).open().await?);
    let mut differing = Vec::new();
    for table in READ_MODELS.into_iter().filter(|table| *table != "outcomes") {
        let columns = Columns::of(table, &mut expected.conn()).await?;
        let (mut found, mut expected) = (found.conn(), expected.conn());
        let differs = columns.compare(table, &mut found, &mut expected).await?;
        differing.extend((differs.rows > 0).then_some(differs));
    }
    Ok(differing)
}

/// The columns of a table: those of the primary key first, in its order.
struct Columns {
    names: Vec<String>,
    /// Of the primary key's columns, whether they are text.
    key_is_text: Vec<bool>,
}

/// A value of a primary key, in an order that both engines can sort by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Int(i64),
    Text(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// A row under its key.
struct Keyed {
    key: Vec<Key>,
    values: Vec<Option<String>>,
}

impl Columns {
    async fn of(table: &str, sqlite: &mut Conn<'_>) -> Result<Self, Error> {
        let rows = sql("SELECT name, type, pk FROM pragma_table_info($1)
            ORDER BY CASE WHEN pk = 0 THEN 1 ELSE 0 END, pk, cid")
        .bind(table)
        .all(sqlite)
        .await?;
        let (mut names, mut key_is_text) = (Vec::new(), Vec::new());
        for row in &rows {
            names.push(row.string(0)?);
            if row.int(2)? > 0 {
                key_is_text.push(row.text(1)? == "TEXT");
            }
        }
        Ok(Self { names, key_is_text })
    }

    /// All rows in the order of the key, every column as text.
    fn select<'c>(&self, table: &str, conn: &'c mut Conn<'_>) -> Rows<'c> {
        // Byte by byte, whatever language the database sorts texts by.
        let collation = match conn.engine() {
            Engine::Sqlite => "",
            Engine::Postgres => " COLLATE \"C\"",
        };
        let columns: Vec<String> =
            self.names.iter().map(|name| format!("CAST({name} AS TEXT)")).collect();
        let key = self.names.iter().zip(&self.key_is_text);
        let order: Vec<String> = key
            .map(|(name, is_text)| {
                format!("{table}.{name}{}", if *is_text { collation } else { "" })
            })
            .collect();
        let (columns, order) = (columns.join(", "), order.join(", "));
        sql(format!("SELECT {columns} FROM {table} ORDER BY {order}")).stream(conn)
    }

    fn keyed(&self, row: &Row) -> Result<Keyed, Error> {
        let values: Result<Vec<_>, _> =
            (0..self.names.len()).map(|column| row.opt_string(column)).collect();
        let key = self.key_is_text.iter().enumerate();
        let key: Result<Vec<_>, _> = key
            .map(|(column, is_text)| {
                if *is_text {
                    row.string(column).map(Key::Text)
                } else {
                    row.parse(column, "key").map(Key::Int)
                }
            })
            .collect();
        Ok(Keyed { key: key?, values: values? })
    }

    async fn next(&self, rows: &mut Rows<'_>) -> Result<Option<Keyed>, Error> {
        rows.next().await.transpose()?.map(|row| self.keyed(&row)).transpose()
    }

    async fn compare(
        &self,
        table: &'static str,
        found: &mut Conn<'_>,
        expected: &mut Conn<'_>,
    ) -> Result<TableDiffers, Error> {
        let mut differs = TableDiffers { table, rows: 0, first: Vec::new() };
        let (mut found, mut expected) = (self.select(table, found), self.select(table, expected));
        let (mut left, mut right) = (self.next(&mut found).await?, self.next(&mut expected).await?);
        loop {
            let order = match (&left, &right) {
                (None, None) => return Ok(differs),
                (Some(left), Some(right)) => left.key.cmp(&right.key),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
            };
            let how = match (order, &left, &right) {
                (std::cmp::Ordering::Less, ..) => Some(How::NotExpected),
                (std::cmp::Ordering::Greater, ..) => Some(How::Missing),
                (std::cmp::Ordering::Equal, Some(left), Some(right)) => self.how(left, right),
                (std::cmp::Ordering::Equal, ..) => None,
            };
            if let (Some(how), Some(row)) = (how, if order.is_gt() { &right } else { &left }) {
                differs.rows += 1;
                if differs.first.len() < TOLD {
                    let key = row.key.iter().map(Key::to_string).collect();
                    differs.first.push(RowDiffers { key, how });
                }
            }
            if order.is_le() {
                left = self.next(&mut found).await?;
            }
            if order.is_ge() {
                right = self.next(&mut expected).await?;
            }
        }
    }

    /// The first column of two rows with one key that is not the same.
    fn how(&self, found: &Keyed, expected: &Keyed) -> Option<How> {
        let mut columns = self.names.iter().zip(found.values.iter().zip(&expected.values));
        let (name, (found, expected)) = columns.find(|(_, (found, expected))| found != expected)?;
        let (name, found, expected) = (name.clone(), found.clone(), expected.clone());
        Some(How::Column { name, found, expected })
    }
}
