//! Commands that the platform has accepted, in the order in which the ledger will get them.
//!
//! [`insert`] is the only function that makes an outbox row. Rows are never changed: how far a
//! command has come is written elsewhere, by whoever moves it.

use std::collections::HashMap;

use gx_contract::{Command, Envelope, Signature};
use gx_types::{Actor, CommandId, Role, TimeMs};

use crate::bulk::{Bulk, Column};
use crate::sql::{Conn, Row, json_of, sql};
use crate::{Engine, Error, Source, Tx, dialect};

/// A command to accept. It has been validated; the store does not judge it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommand {
    pub command_id: CommandId,
    pub actor: Actor,
    pub role: Role,
    /// `Contract:Function`.
    pub function: &'static str,
    /// JSON object of the arguments, fields in declaration order.
    pub args: String,
    /// By the key of the acting account. It is no part of the body: a retry may be signed anew.
    pub signature: Option<Signature>,
    /// The service that accepted it.
    pub service: String,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
    pub created_at: TimeMs,
}

impl NewCommand {
    pub fn new(
        envelope: &Envelope,
        service: impl Into<String>,
        traceparent: Option<String>,
        created_at: TimeMs,
    ) -> Self {
        Self {
            command_id: envelope.command_id,
            actor: envelope.actor,
            role: envelope.role(),
            function: envelope.command.name(),
            args: envelope.command.args_json(),
            signature: envelope.signature,
            service: service.into(),
            traceparent,
            created_at,
        }
    }
}

/// What became of a command that was to be inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is in the outbox now.
    New { seq: i64 },
    /// Its id was there before: a retry when the body is the same, a misuse when it is not.
    Existing { seq: i64, same_body: bool },
}

impl Inserted {
    /// The row's number in the outbox.
    pub const fn seq(self) -> i64 {
        match self {
            Self::New { seq } | Self::Existing { seq, .. } => seq,
        }
    }
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    pub seq: i64,
    pub command_id: CommandId,
    pub actor: Actor,
    pub role: Role,
    pub function: String,
    pub args: String,
    pub signature: Option<Signature>,
    pub service: String,
    pub traceparent: Option<String>,
    pub created_at: TimeMs,
}

impl Queued {
    /// The command as the ledger takes it.
    ///
    /// # Errors
    /// When this build has no such command: a row of a newer build, or a damaged one. Such a row
    /// is set aside as dead; it never blocks the others.
    pub fn envelope(&self) -> Result<Envelope, gx_contract::NameError> {
        let command = Command::from_name_and_args(&self.function, &self.args)?;
        let Self { command_id, actor, signature, .. } = *self;
        Ok(Envelope { command_id, actor, command, signature })
    }
}

/// Columns that [`queued`] reads, in its order, of the table `o`.
pub(crate) const COLUMNS: &str = "o.seq, o.command_id, o.actor, o.role, o.function, o.args, \
    o.service, o.traceparent, o.created_at_ms, o.signature";

/// How many they are.
pub(crate) const COLUMN_COUNT: usize = 10;

pub(crate) fn queued(row: &Row) -> Result<Queued, Error> {
    Ok(Queued {
        seq: row.int(0)?,
        command_id: row.parse(1, "command id")?,
        actor: row.parse(2, "actor")?,
        role: row.parse(3, "role")?,
        function: row.string(4)?,
        args: row.string(5)?,
        service: row.string(6)?,
        traceparent: row.opt_string(7)?,
        created_at: row.time(8)?,
        signature: row.opt_json(9, "signature")?,
    })
}

/// Accepts commands, in order. What it returns is in the order of `commands`.
///
/// A command whose id exists, also in a transaction of another process that ends first, is found
/// as [`Inserted::Existing`]. Nothing is accepted before the transaction is committed.
///
/// # Errors
/// Those of the database; then the transaction is of no use any more.
pub async fn insert(tx: &mut Tx, commands: &[NewCommand]) -> Result<Vec<Inserted>, Error> {
    let ids: Vec<String> = commands.iter().map(|new| new.command_id.to_string()).collect();
    // Of commands with one id in this call, the first is the one to insert.
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(commands.len());
    let mut fresh: Vec<(&str, &NewCommand)> = Vec::with_capacity(commands.len());
    for (place, (id, new)) in ids.iter().zip(commands).enumerate() {
        first.entry(id).or_insert_with(|| {
            fresh.push((id, new));
            place
        });
    }
    let mut conn = tx.conn();
    let seqs = match conn.engine() {
        Engine::Sqlite => insert_numbered(&mut conn, &fresh).await?,
        Engine::Postgres => insert_drawn(&mut conn, &fresh).await?,
    };
    let missing = fresh.iter().map(|(id, _)| *id).filter(|id| !seqs.contains_key(*id)).collect();
    let existing = find(&mut conn, missing).await?;
    let outcome = |(place, (id, new)): (usize, (&String, &NewCommand))| {
        if let Some(seq) = seqs.get(id).copied() {
            let at = first.get(id.as_str()).copied().unwrap_or(place);
            if at == place {
                return Ok(Inserted::New { seq });
            }
            let same_body = commands.get(at).is_some_and(|other| same_body(new, other));
            return Ok(Inserted::Existing { seq, same_body });
        }
        let (seq, body) =
            existing.get(id).ok_or_else(|| Error::corrupt("outbox", "a row vanished"))?;
        Ok(Inserted::Existing { seq: *seq, same_body: *body == body_of(new) })
    };
    ids.iter().zip(commands).enumerate().map(outcome).collect()
}

fn same_body(one: &NewCommand, other: &NewCommand) -> bool {
    body_of(one) == body_of(other)
}

/// What a command id stands for: actor, function and arguments.
fn body_of(new: &NewCommand) -> (String, String, String) {
    (new.actor.to_string(), new.function.to_owned(), new.args.clone())
}

/// Inserts with numbers that follow the last one: SQLite has one writer, and returns rows slowly.
async fn insert_numbered(
    conn: &mut Conn<'_>,
    fresh: &[(&str, &NewCommand)],
) -> Result<HashMap<String, i64>, Error> {
    // Not below what was taken either: a lost row's number has an outcome already.
    let last = sql("SELECT MAX(COALESCE((SELECT MAX(seq) FROM outbox), 0),
            COALESCE((SELECT last_seq FROM submission), 0))")
    .one(conn)
    .await?
    .int(0)?;
    let seqs: Vec<i64> = fresh.iter().zip(1..).map(|(_, place)| last + place).collect();
    let mut columns = columns(fresh);
    columns.push(Column::Int(seqs.clone()));
    let inserted = Bulk::new(dialect::insert_outbox(conn.engine()), columns).run(conn).await?;
    if usize::try_from(inserted) == Ok(fresh.len()) {
        return Ok(fresh.iter().zip(seqs).map(|((id, _), seq)| ((*id).to_owned(), seq)).collect());
    }
    let rows =
        sql("SELECT seq, command_id FROM outbox WHERE seq > $1").bind(last).all(conn).await?;
    rows.iter().map(|row| Ok((row.string(1)?, row.int(0)?))).collect()
}

/// Inserts with numbers that PostgreSQL draws.
async fn insert_drawn(
    conn: &mut Conn<'_>,
    fresh: &[(&str, &NewCommand)],
) -> Result<HashMap<String, i64>, Error> {
    let rows = Bulk::new(dialect::insert_outbox(conn.engine()), columns(fresh)).all(conn).await?;
    rows.iter().map(|row| Ok((row.string(1)?, row.int(0)?))).collect()
}

fn columns<'v>(fresh: &[(&'v str, &'v NewCommand)]) -> Vec<Column<'v>> {
    let text = |value: fn(&NewCommand) -> String| {
        Column::Text(fresh.iter().map(|(_, new)| value(new).into()).collect())
    };
    vec![
        Column::Text(fresh.iter().map(|(id, _)| (*id).into()).collect()),
        text(|new| new.actor.to_string()),
        Column::Text(fresh.iter().map(|(_, new)| new.role.as_str().into()).collect()),
        Column::Text(fresh.iter().map(|(_, new)| new.function.into()).collect()),
        Column::Text(fresh.iter().map(|(_, new)| new.args.as_str().into()).collect()),
        Column::Text(fresh.iter().map(|(_, new)| new.service.as_str().into()).collect()),
        Column::OptText(
            fresh.iter().map(|(_, new)| new.traceparent.as_deref().map(Into::into)).collect(),
        ),
        Column::Int(fresh.iter().map(|(_, new)| new.created_at.0).collect()),
        Column::OptText(
            fresh.iter().map(|(_, new)| Some(json_of(&new.signature?).into())).collect(),
        ),
    ]
}

/// Of these commands, those that the outbox has with another actor, function, arguments or
/// signature. For audits.
///
/// # Errors
/// Those of the database.
pub async fn differing(
    source: impl Into<Source<'_>>,
    commands: &[&Envelope],
) -> Result<Vec<CommandId>, Error> {
    let ids: Vec<String> = commands.iter().map(|one| one.command_id.to_string()).collect();
    let mut reader = source.into().open().await?;
    let column = Column::Text(ids.iter().map(|id| id.as_str().into()).collect());
    let found = Bulk::new(
        format!(
            "WITH input (command_id) AS ({{rows}})
            SELECT {COLUMNS} FROM input i JOIN outbox o ON o.command_id = i.command_id"
        ),
        vec![column],
    )
    .all(&mut reader.conn())
    .await?;
    let rows = found
        .iter()
        .map(|row| queued(row).map(|row| (row.command_id, row)))
        .collect::<Result<HashMap<_, _>, _>>()?;
    let differs = |(_, envelope): &(&String, &&Envelope)| {
        let Envelope { command_id, actor, command, signature } = envelope;
        rows.get(command_id).is_some_and(|row| {
            row.actor != *actor
                || row.function != command.name()
                || row.args != command.args_json()
                || row.signature != *signature
        })
    };
    let differing = ids.iter().zip(commands).filter(differs);
    Ok(differing.map(|(_, envelope)| envelope.command_id).collect())
}

/// The services that have handed these commands in; those that the outbox has. For audits.
///
/// # Errors
/// Those of the database.
pub async fn services(
    source: impl Into<Source<'_>>,
    commands: &[CommandId],
) -> Result<HashMap<CommandId, String>, Error> {
    let mut reader = source.into().open().await?;
    let rows = Bulk::new(
        "WITH input (command_id) AS ({rows})
        SELECT o.command_id, o.service FROM input i JOIN outbox o ON o.command_id = i.command_id",
        vec![Column::Text(commands.iter().map(|id| id.to_string().into()).collect())],
    )
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(|row| Ok((row.parse(0, "command id")?, row.string(1)?))).collect()
}

/// The traces that these commands were given in; those that the outbox has and that came with one.
///
/// # Errors
/// Those of the database.
pub async fn traces(
    source: impl Into<Source<'_>>,
    commands: &[CommandId],
) -> Result<HashMap<CommandId, String>, Error> {
    let mut reader = source.into().open().await?;
    let rows = Bulk::new(
        "WITH input (command_id) AS ({rows})
        SELECT o.command_id, o.traceparent FROM input i
        JOIN outbox o ON o.command_id = i.command_id WHERE o.traceparent IS NOT NULL",
        vec![Column::Text(commands.iter().map(|id| id.to_string().into()).collect())],
    )
    .all(&mut reader.conn())
    .await?;
    rows.iter().map(|row| Ok((row.parse(0, "command id")?, row.string(1)?))).collect()
}

/// Number and body of the rows with these ids.
async fn find(
    conn: &mut Conn<'_>,
    ids: Vec<&str>,
) -> Result<HashMap<String, (i64, (String, String, String))>, Error> {
    let column = Column::Text(ids.into_iter().map(Into::into).collect());
    let rows = Bulk::new(
        "WITH input (command_id) AS ({rows})
        SELECT o.command_id, o.seq, o.actor, o.function, o.args
        FROM input i JOIN outbox o ON o.command_id = i.command_id",
        vec![column],
    )
    .all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let body = (row.string(2)?, row.string(3)?, row.string(4)?);
            Ok((row.string(0)?, (row.int(1)?, body)))
        })
        .collect()
}
