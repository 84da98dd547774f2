//! Single permissions of administrators: what somebody may do beside the role, or may not although
//! the role says so.
//!
//! Which permissions there are and what a role has is the server's; here they are words. A row
//! whose time is over is still there for people to read, and counts for nothing.

use std::collections::BTreeMap;
use std::str::FromStr;

use gx_types::TimeMs;

use crate::sql::{Conn, Row, sql};
use crate::{Error, Tx};

/// What was decided of a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The administrator has it, whatever the role.
    Granted,
    /// The administrator does not have it, whatever the role.
    Withdrawn,
}

impl Effect {
    pub const ALL: [Self; 2] = [Self::Granted, Self::Withdrawn];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "GRANTED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

impl FromStr for Effect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|effect| effect.as_str() == text);
        found.ok_or_else(|| format!("{text:?} is no effect of a permission"))
    }
}

/// What counts of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single {
    /// The permission's code.
    pub permission: String,
    pub effect: Effect,
    /// From then on the role alone decides.
    pub expires_at: Option<TimeMs>,
}

impl Single {
    /// Whether it counts at a time.
    pub fn is_in_force(&self, now: TimeMs) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

/// A decision about a permission of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinglePermission {
    pub single: Single,
    pub reason: Option<String>,
    /// Admin id of who has decided.
    pub set_by: String,
    pub set_at: TimeMs,
}

/// The decision in three columns from `at` on, if there is one.
pub(crate) fn single(row: &Row, at: usize) -> Result<Option<Single>, Error> {
    let Some(permission) = row.opt_string(at)? else { return Ok(None) };
    let effect = row.parse(at + 1, "effect of a permission")?;
    Ok(Some(Single { permission, effect, expires_at: row.opt_time(at + 2)? }))
}

/// The decisions about administrators whose ids lie between two, these included, by administrator
/// and permission.
pub(crate) async fn between(
    conn: &mut Conn<'_>,
    first: &str,
    last: &str,
) -> Result<BTreeMap<(String, String), SinglePermission>, Error> {
    let rows = sql("SELECT admin_id, reason, set_by, set_at_ms, permission, effect, expires_at_ms
        FROM admin_permissions WHERE admin_id >= $1 AND admin_id <= $2")
    .bind(first)
    .bind(last)
    .all(conn)
    .await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let Some(single) = single(row, 4)? else { continue };
        let decided = SinglePermission {
            reason: row.opt_string(1)?,
            set_by: row.string(2)?,
            set_at: row.time(3)?,
            single,
        };
        found.insert((row.string(0)?, decided.single.permission.clone()), decided);
    }
    Ok(found)
}

/// Puts these decisions about an administrator in the place of all that there were.
///
/// # Errors
/// [`Error::Unique`] when two are about one permission.
pub async fn replace(
    tx: &mut Tx,
    admin_id: &str,
    decided: &[SinglePermission],
) -> Result<(), Error> {
    let mut conn = tx.conn();
    sql("DELETE FROM admin_permissions WHERE admin_id = $1").bind(admin_id).run(&mut conn).await?;
    for SinglePermission { single, reason, set_by, set_at } in decided {
        sql("INSERT INTO admin_permissions (admin_id, permission, effect, reason, expires_at_ms,
                set_by, set_at_ms)
            VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(admin_id)
        .bind(single.permission.as_str())
        .bind(single.effect.as_str())
        .bind(reason.as_deref())
        .bind(single.expires_at)
        .bind(set_by.as_str())
        .bind(*set_at)
        .run(&mut conn)
        .await?;
    }
    Ok(())
}
