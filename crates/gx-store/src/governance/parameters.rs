//! The parameters in force, and every change of them.
//!
//! Only what was ever changed is in the database; all else has the default of the contract's table.

use std::collections::HashMap;

use gx_contract::Parameters;
use gx_contract::params::{Parameter, ParameterValue};
use gx_types::{CommandId, TimeMs};

use crate::numbering::block_of;
use crate::sql::{Conn, Row, int, sql};
use crate::{Error, Source};

/// A parameter and its value. Unit, default and bounds are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InForce {
    pub parameter: Parameter,
    pub value: ParameterValue,
    /// Number and time of the last change; absent if there was none.
    pub last_change: Option<(u64, TimeMs)>,
    /// What it will be and from when on; absent while nothing is decided.
    pub scheduled: Option<(ParameterValue, TimeMs)>,
}

/// A change of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Changes are numbered from 1, over all parameters. The cursor of a page.
    pub change_no: u64,
    pub parameter: Parameter,
    pub old_value: ParameterValue,
    pub new_value: ParameterValue,
    /// The command that has led to it: an approval by a second admin, days before, or the end of a
    /// proposal; and its block.
    pub command_id: CommandId,
    pub function: String,
    pub block: u64,
    pub at: TimeMs,
}

fn parameter(row: &Row, column: usize) -> Result<Parameter, Error> {
    row.parse(column, "parameter")
}

fn value(row: &Row, column: usize) -> Result<ParameterValue, Error> {
    row.natural(column).map(ParameterValue::new)
}

/// What two super admins have decided on and has not taken effect yet, by parameter.
async fn scheduled(
    conn: &mut Conn<'_>,
) -> Result<HashMap<&'static str, (ParameterValue, TimeMs)>, Error> {
    let rows = sql("SELECT param_id, new_value, effective_at_ms FROM parameter_schedules
        WHERE ended_at_ms IS NULL")
    .all(conn)
    .await?;
    rows.iter().map(|row| Ok((parameter(row, 0)?.id(), (value(row, 1)?, row.time(2)?)))).collect()
}

/// All parameters, in the order of the contract's table.
///
/// # Errors
/// Those of the database.
pub async fn all(source: impl Into<Source<'_>>) -> Result<Vec<InForce>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT param_id, value, change_no, changed_at_ms FROM parameters")
        .all(&mut reader.conn())
        .await?;
    let scheduled = scheduled(&mut reader.conn()).await?;
    let mut changed = HashMap::with_capacity(rows.len());
    for row in &rows {
        let last_change = (row.natural(2)?, row.time(3)?);
        changed.insert(parameter(row, 0)?.id(), (value(row, 1)?, last_change));
    }
    let one = |parameter: Parameter| {
        let (value, last_change) = changed.get(parameter.id()).copied().unzip();
        InForce {
            parameter,
            value: value.unwrap_or(parameter.default_value()),
            last_change,
            scheduled: scheduled.get(parameter.id()).copied(),
        }
    };
    Ok(Parameter::all().map(one).collect())
}

/// One parameter.
///
/// # Errors
/// Those of the database.
pub async fn get(source: impl Into<Source<'_>>, wanted: Parameter) -> Result<InForce, Error> {
    let mut reader = source.into().open().await?;
    let row = sql("SELECT value, change_no, changed_at_ms FROM parameters WHERE param_id = $1")
        .bind(wanted.id())
        .optional(&mut reader.conn())
        .await?;
    let scheduled = scheduled(&mut reader.conn()).await?.get(wanted.id()).copied();
    let (parameter, value, last_change) = match row {
        None => (wanted, wanted.default_value(), None),
        Some(row) => (wanted, value(&row, 0)?, Some((row.natural(1)?, row.time(2)?))),
    };
    Ok(InForce { parameter, value, last_change, scheduled })
}

/// The parameters in force, as rules read them.
///
/// # Errors
/// Those of the database; [`Error::Corrupt`] when the changes do not fit each other.
pub async fn in_force(source: impl Into<Source<'_>>) -> Result<Parameters, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT param_id, new_value FROM parameter_changes ORDER BY change_no")
        .all(&mut reader.conn())
        .await?;
    let mut parameters = Parameters {
        changes: 0,
        fees: Default::default(),
        tax: Default::default(),
        loans: Default::default(),
        voting: Default::default(),
        recovery: Default::default(),
        admins: Default::default(),
        disbursement: Default::default(),
    };
    for row in &rows {
        parameters = parameters
            .with(parameter(row, 0)?, value(row, 1)?)
            .map_err(|unfit| Error::corrupt("parameters", unfit))?;
    }
    Ok(parameters)
}

/// Changes of one parameter or of all, newest first, those before the number `before`.
///
/// # Errors
/// Those of the database.
pub async fn changes(
    source: impl Into<Source<'_>>,
    wanted: Option<Parameter>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<Change>, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT c.change_no, c.param_id, c.old_value, c.new_value, t.command_id,
            t.function, c.tx_no, c.at_ms
        FROM parameter_changes c JOIN transactions t ON t.tx_no = c.tx_no
        WHERE c.change_no < $1 AND ($2 = '' OR c.param_id = $2)
        ORDER BY c.change_no DESC LIMIT $3")
    .bind(before.map_or(Ok(i64::MAX), int)?)
    .bind(wanted.map_or("", Parameter::id))
    .bind(i64::from(limit))
    .all(&mut reader.conn())
    .await?;
    let change = |row: &Row| {
        Ok(Change {
            change_no: row.natural(0)?,
            parameter: parameter(row, 1)?,
            old_value: value(row, 2)?,
            new_value: value(row, 3)?,
            command_id: row.parse(4, "command id")?,
            function: row.string(5)?,
            block: block_of(row.int(6)?),
            at: row.time(7)?,
        })
    };
    rows.iter().map(change).collect()
}
