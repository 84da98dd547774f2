//! Whether a session stands and what its owner may do: what every request asks, in one query.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use gx_types::{AccountId, AdminId, TimeMs};

use super::SubjectKind;
use crate::admin::admins;
use crate::admin::permissions::{self, Single};
use crate::bulk::{Bulk, Column};
use crate::identity::users::UserStatus;
use crate::sql::Row;
use crate::{Error, Source};

/// A session and its owner, as they stand now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub session_id: String,
    /// User id or admin id.
    pub subject: String,
    pub last_used_at: TimeMs,
    pub expires_at: TimeMs,
    pub revoked: bool,
    pub owner: Owner,
}

/// Whose session it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    User {
        status: UserStatus,
        /// The account, once it is on the ledger.
        account: Option<AccountId>,
    },
    Admin {
        role: String,
        enabled: bool,
        /// The id under which they act on the ledger.
        ledger_id: Option<AdminId>,
        must_change_password: bool,
        /// Whether a second factor is asked of them: a device that shows codes, or a passkey.
        second_factor: bool,
        /// What was decided of single permissions.
        permissions: Vec<Single>,
    },
    /// Nobody has the id any more.
    Gone,
}

impl Standing {
    /// Whether the session still stands at a time.
    pub fn is_open(&self, now: TimeMs) -> bool {
        !self.revoked && now < self.expires_at
    }
}

/// The standings of these sessions, in no particular order; ids that have none are left out.
///
/// # Errors
/// Those of the database.
pub async fn get_many(
    source: impl Into<Source<'_>>,
    session_ids: &[&str],
) -> Result<Vec<Standing>, Error> {
    let mut reader = source.into().open().await?;
    let ids = session_ids.iter().map(|id| (*id).into()).collect();
    let rows = Bulk::new(
        "WITH input (session_id) AS ({rows})
        SELECT s.session_id, s.kind, s.subject, s.last_used_at_ms, s.expires_at_ms,
            s.revoked_at_ms, u.status, u.ledger_id, a.account_no, a.frozen,
            d.role, d.status, d.ledger_id,
            CASE WHEN s.kind = 'ADMIN' THEN (SELECT c.must_change_password FROM credentials c
                WHERE c.kind = 'ADMIN' AND c.subject = s.subject) END,
            CASE WHEN s.kind = 'ADMIN' THEN COALESCE((SELECT f.confirmed_at_ms
                FROM second_factors f WHERE f.kind = 'ADMIN' AND f.subject = s.subject),
                (SELECT MIN(k.created_at_ms) FROM passkeys k
                WHERE k.kind = 'ADMIN' AND k.subject = s.subject)) END,
            p.permission, p.effect, p.expires_at_ms
        FROM input i JOIN sessions s ON s.session_id = i.session_id
        LEFT JOIN users u ON s.kind = 'USER' AND u.user_id = s.subject
        LEFT JOIN accounts a ON a.account_id = u.ledger_id
        LEFT JOIN admins d ON s.kind = 'ADMIN' AND d.admin_id = s.subject
        LEFT JOIN admin_permissions p ON s.kind = 'ADMIN' AND p.admin_id = s.subject",
        vec![Column::Text(ids)],
    )
    .all(&mut reader.conn())
    .await?;
    // An administrator has a row for each permission that was decided on.
    let mut found: HashMap<String, Standing> = HashMap::with_capacity(rows.len());
    for row in &rows {
        let standing = match found.entry(row.string(0)?) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(standing(row)?),
        };
        if let Owner::Admin { permissions, .. } = &mut standing.owner {
            permissions.extend(permissions::single(row, 15)?);
        }
    }
    Ok(found.into_values().collect())
}

fn standing(row: &Row) -> Result<Standing, Error> {
    let owner = match SubjectKind::from_text(row.text(1)?)? {
        SubjectKind::User => user(row)?,
        SubjectKind::Admin => admin(row)?,
    };
    Ok(Standing {
        session_id: row.string(0)?,
        subject: row.string(2)?,
        last_used_at: row.time(3)?,
        expires_at: row.time(4)?,
        revoked: row.opt_int(5)?.is_some(),
        owner,
    })
}

fn user(row: &Row) -> Result<Owner, Error> {
    let Some(decision) = row.opt_parse::<UserStatus>(6, "status of a user")? else {
        return Ok(Owner::Gone);
    };
    let on_ledger = row.opt_int(8)?.is_some();
    let account = row.opt_parse(7, "account id")?.filter(|_| on_ledger);
    let status = decision.decision().status(on_ledger, row.opt_text(9)?.is_some());
    Ok(Owner::User { status, account })
}

fn admin(row: &Row) -> Result<Owner, Error> {
    let Some(role) = row.opt_string(10)? else { return Ok(Owner::Gone) };
    Ok(Owner::Admin {
        role,
        enabled: row.opt_text(11)? == Some(admins::status(true)),
        ledger_id: row.opt_parse(12, "admin id")?,
        must_change_password: row.opt_int(13)?.is_some_and(|flag| flag != 0),
        second_factor: row.opt_int(14)?.is_some(),
        permissions: Vec::new(),
    })
}
