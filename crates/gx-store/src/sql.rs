//! One way to run a statement on either engine: text with `$1`, values, rows.
//!
//! The text is the common subset of both engines. Values are always bound, never written into the
//! text; every text is a literal of this crate.

use std::borrow::Cow;
use std::pin::Pin;
use std::str::FromStr;

use gx_types::{AccountId, Amount, TimeMs};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Executor, PgConnection, Row as _, SqliteConnection};
use tokio_stream::{Stream, StreamExt as _};

use crate::{Engine, Error};

/// What the connections of a pool lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The server: a connection is a session.
    Direct,
    /// A pooler that lends a session for a transaction.
    Pooled,
}

impl Link {
    /// A statement, which is kept prepared where the session that prepared it stays.
    pub(crate) fn query(
        self,
        text: impl Into<Cow<'static, str>>,
        arguments: PgArguments,
    ) -> Query<'static, Postgres, PgArguments> {
        let text: Cow<'static, str> = text.into();
        sqlx::query_with(AssertSqlSafe(text), arguments).persistent(self == Self::Direct)
    }
}

/// A connection of either engine.
#[derive(Debug)]
pub(crate) enum Conn<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection, Link),
}

impl Conn<'_> {
    pub(crate) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(..) => Engine::Postgres,
        }
    }

    /// The same connection for one more statement.
    pub(crate) fn again(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(conn) => Conn::Sqlite(conn),
            Self::Postgres(conn, link) => Conn::Postgres(conn, *link),
        }
    }
}

/// A value to bind. SQL knows two types here: integers of 64 bits and text.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
}

macro_rules! value_from {
    ($($from:ty => |$value:ident| $into:expr;)+) => {
        $(impl From<$from> for Value {
            fn from($value: $from) -> Self { $into }
        })+
    };
}

value_from! {
    i64 => |value| Value::Int(Some(value));
    Option<i64> => |value| Value::Int(value);
    u8 => |value| Value::Int(Some(i64::from(value)));
    u32 => |value| Value::Int(Some(i64::from(value)));
    bool => |value| Value::Int(Some(i64::from(value)));
    TimeMs => |value| Value::Int(Some(value.0));
    Option<TimeMs> => |value| Value::Int(value.map(|time| time.0));
    &AccountId => |value| Value::Text(Some(value.as_str().to_owned()));
    &str => |value| Value::Text(Some(value.to_owned()));
    Option<&str> => |value| Value::Text(value.map(str::to_owned));
    String => |value| Value::Text(Some(value));
    Option<String> => |value| Value::Text(value);
}

/// A statement with its values.
#[derive(Debug)]
pub(crate) struct Statement {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// Starts a statement.
pub(crate) fn sql(text: impl Into<Cow<'static, str>>) -> Statement {
    Statement { text: text.into(), values: Vec::new() }
}

/// Says in the log, at its most detailed level, which statement runs: its text and the types of
/// its values, never the values. The tests learn from it what to ask the engines' planners about.
pub(crate) fn tell(engine: Engine, text: &str, values: &[Value]) {
    let engine = engine.as_str();
    tracing::trace!(target: "gx_store::sql", engine, types = types(values), "{text}");
}

/// The types of the values as PostgreSQL names them.
fn types(values: &[Value]) -> String {
    let kind = |value: &Value| match value {
        Value::Int(_) => "bigint",
        Value::Text(_) => "text",
    };
    values.iter().map(kind).collect::<Vec<_>>().join(",")
}

/// The beginning of a statement, for error messages.
fn beginning(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(8).collect();
    words.join(" ")
}

impl Statement {
    /// Binds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Its first words, for error messages.
    pub(crate) fn beginning(&self) -> String {
        beginning(&self.text)
    }

    /// Runs it and says how many rows it touched.
    pub(crate) async fn run(self, conn: &mut Conn<'_>) -> Result<u64, Error> {
        let doing = self.text.clone();
        tell(conn.engine(), &self.text, &self.values);
        let done = match conn {
            Conn::Sqlite(conn) => {
                let query = sqlx::query_with(AssertSqlSafe(self.text), sqlite(self.values));
                conn.execute(query).await.map(|done| done.rows_affected())
            }
            Conn::Postgres(conn, link) => {
                let query = link.query(self.text, postgres(self.values));
                conn.execute(query).await.map(|done| done.rows_affected())
            }
        };
        done.map_err(|source| Error::sql(beginning(&doing), source))
    }

    /// All rows.
    pub(crate) async fn all(self, conn: &mut Conn<'_>) -> Result<Vec<Row>, Error> {
        let doing = self.text.clone();
        tell(conn.engine(), &self.text, &self.values);
        let rows = match conn {
            Conn::Sqlite(conn) => {
                let query = sqlx::query_with(AssertSqlSafe(self.text), sqlite(self.values));
                conn.fetch_all(query).await.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Conn::Postgres(conn, link) => {
                let query = link.query(self.text, postgres(self.values));
                conn.fetch_all(query)
                    .await
                    .map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        rows.map_err(|source| Error::sql(beginning(&doing), source))
    }

    /// Row after row, for tables that need not fit into memory.
    pub(crate) fn stream<'c>(self, conn: &'c mut Conn<'_>) -> Rows<'c> {
        let doing = beginning(&self.text);
        let failed = move |source| Error::sql(doing.clone(), source);
        match conn {
            Conn::Sqlite(conn) => {
                let query = sqlx::query_with(AssertSqlSafe(self.text), sqlite(self.values));
                Box::pin(conn.fetch(query).map(move |row| row.map(Row::Sqlite).map_err(&failed)))
            }
            Conn::Postgres(conn, link) => {
                let query = link.query(self.text, postgres(self.values));
                Box::pin(conn.fetch(query).map(move |row| row.map(Row::Postgres).map_err(&failed)))
            }
        }
    }

    /// The first row, if there is one.
    pub(crate) async fn optional(self, conn: &mut Conn<'_>) -> Result<Option<Row>, Error> {
        Ok(self.all(conn).await?.into_iter().next())
    }

    /// The one row.
    pub(crate) async fn one(self, conn: &mut Conn<'_>) -> Result<Row, Error> {
        let doing = beginning(&self.text);
        let row = self.all(conn).await?.into_iter().next();
        row.ok_or_else(|| Error::sql(doing, sqlx::Error::RowNotFound))
    }
}

/// Adding an integer or a text to arguments cannot fail; a failure would show as a missing value.
fn sqlite(values: Vec<Value>) -> SqliteArguments {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let _ = match value {
            Value::Int(value) => Arguments::add(&mut arguments, value),
            Value::Text(value) => Arguments::add(&mut arguments, value),
        };
    }
    arguments
}

fn postgres(values: Vec<Value>) -> PgArguments {
    let mut arguments = PgArguments::default();
    for value in values {
        let _ = match value {
            Value::Int(value) => Arguments::add(&mut arguments, value),
            Value::Text(value) => Arguments::add(&mut arguments, value),
        };
    }
    arguments
}

/// Rows as they come.
pub(crate) type Rows<'c> = Pin<Box<dyn Stream<Item = Result<Row, Error>> + Send + 'c>>;

/// A row of either engine; columns by place.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(column),
            Self::Postgres(row) => row.try_get_unchecked(column),
        }
        .map_err(|source| Error::sql("reading an integer", source))
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<&str>, Error> {
        match self {
            Self::Sqlite(row) => row.try_get_unchecked(column),
            Self::Postgres(row) => row.try_get_unchecked(column),
        }
        .map_err(|source| Error::sql("reading a text", source))
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, Error> {
        self.opt_int(column)?.ok_or_else(|| missing(column))
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, Error> {
        self.opt_text(column)?.ok_or_else(|| missing(column))
    }

    pub(crate) fn string(&self, column: usize) -> Result<String, Error> {
        self.text(column).map(str::to_owned)
    }

    pub(crate) fn opt_string(&self, column: usize) -> Result<Option<String>, Error> {
        Ok(self.opt_text(column)?.map(str::to_owned))
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool, Error> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn time(&self, column: usize) -> Result<TimeMs, Error> {
        self.int(column).map(TimeMs)
    }

    pub(crate) fn opt_time(&self, column: usize) -> Result<Option<TimeMs>, Error> {
        Ok(self.opt_int(column)?.map(TimeMs))
    }

    /// A count, a block number or anything else that is never negative.
    pub(crate) fn natural(&self, column: usize) -> Result<u64, Error> {
        let value = self.int(column)?;
        u64::try_from(value).map_err(|_| Error::corrupt("number", "negative"))
    }

    pub(crate) fn amount(&self, column: usize) -> Result<Amount, Error> {
        self.natural(column).map(Amount::from_qirat)
    }

    pub(crate) fn opt_amount(&self, column: usize) -> Result<Option<Amount>, Error> {
        if self.opt_int(column)?.is_none() { Ok(None) } else { self.amount(column).map(Some) }
    }

    /// A text that is a value of a type; `what` names it when it is not.
    pub(crate) fn parse<T: FromStr<Err: std::fmt::Display>>(
        &self,
        column: usize,
        what: &'static str,
    ) -> Result<T, Error> {
        self.text(column)?.parse().map_err(|reason| Error::corrupt(what, reason))
    }

    pub(crate) fn opt_parse<T: FromStr<Err: std::fmt::Display>>(
        &self,
        column: usize,
        what: &'static str,
    ) -> Result<Option<T>, Error> {
        self.opt_text(column)?
            .map(|text| text.parse().map_err(|reason| Error::corrupt(what, reason)))
            .transpose()
    }

    /// A value of an enum by the name that the ledger writes; `what` names it when it is none.
    pub(crate) fn named<T: DeserializeOwned>(
        &self,
        column: usize,
        what: &'static str,
    ) -> Result<T, Error> {
        let text = serde_json::Value::String(self.string(column)?);
        serde_json::from_value(text).map_err(|reason| Error::corrupt(what, reason))
    }

    pub(crate) fn opt_named<T: DeserializeOwned>(
        &self,
        column: usize,
        what: &'static str,
    ) -> Result<Option<T>, Error> {
        if self.opt_text(column)?.is_none() { Ok(None) } else { self.named(column, what).map(Some) }
    }

    /// A value that is kept as JSON.
    pub(crate) fn opt_json<T: DeserializeOwned>(
        &self,
        column: usize,
        what: &'static str,
    ) -> Result<Option<T>, Error> {
        self.opt_text(column)?
            .map(|text| serde_json::from_str(text))
            .transpose()
            .map_err(|reason| Error::corrupt(what, reason))
    }

    /// A small count.
    pub(crate) fn small<T: TryFrom<i64>>(&self, column: usize) -> Result<T, Error> {
        let too_large = |_| Error::corrupt(format!("column {column}"), "out of range");
        T::try_from(self.int(column)?).map_err(too_large)
    }

    /// 32 bytes written as hexadecimal digits.
    pub(crate) fn hash(&self, column: usize) -> Result<[u8; 32], Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(self.text(column)?, &mut bytes)
            .map_err(|_| Error::corrupt("hash", "not 64 digits"))?;
        Ok(bytes)
    }
}

fn missing(column: usize) -> Error {
    Error::corrupt(format!("column {column}"), "null")
}

/// The name of a value of an enum as the ledger writes it.
pub(crate) fn name_of(value: &impl Serialize) -> String {
    // Enums without fields become strings; nothing else is handed in.
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

/// A value as the JSON that [`Row::opt_json`] reads.
pub(crate) fn json_of(value: &impl Serialize) -> String {
    // Plain lists and structs with string keys are always written.
    serde_json::to_string(value).unwrap_or_default()
}

/// A count or a block number as SQL keeps it.
///
/// # Errors
/// [`Error::Corrupt`] above 2^63, which no real one reaches.
pub(crate) fn int(value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::corrupt("number", "above 2^63"))
}
