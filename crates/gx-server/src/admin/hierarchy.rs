//! Who decides about whom among administrators: everybody about those below them, a super owner
//! about everybody. Nobody decides about themselves, and one super owner always stays.

use axum::http::StatusCode;
use gx_store::admin::admins::{self, Admin as Row, AdminChange};
use gx_types::TimeMs;

use crate::audit::Change;
use crate::auth::{Admin, AdminRole};
use crate::calendar::now_ms;
use crate::error::{Error, Result};

/// An administrator whom somebody may decide about.
pub(super) async fn subordinate(change: &mut Change, by: &Admin, id: &str) -> Result<Row> {
    let row = admins::get(change.tx(), id).await?.ok_or_else(|| Error::not_found("Admin"))?;
    if row.admin_id == by.id() {
        let message = "Nobody decides about themselves: ask another administrator";
        return Err(Error::new(StatusCode::FORBIDDEN, "own_account", message));
    }
    // A role that this build does not know is above everybody but super owners.
    stands_above(by, AdminRole::parse(&row.role).unwrap_or(AdminRole::SuperOwner))?;
    Ok(row)
}

/// Refuses to decide about a role that is not below one's own.
pub(super) fn stands_above(by: &Admin, role: AdminRole) -> Result<()> {
    if by.role.stands_above(role) {
        return Ok(());
    }
    let message = format!("Your role {} is not above {}", by.role.as_str(), role.as_str());
    Err(Error::new(StatusCode::FORBIDDEN, "role_not_below_own", message))
}

/// Refuses to take the last super owner away who can log in.
pub(super) async fn one_owner_stays(change: &mut Change, row: &Row) -> Result<()> {
    let owner = AdminRole::SuperOwner.as_str();
    if row.role != owner || !row.enabled {
        return Ok(());
    }
    if admins::others_with(change.tx(), owner, &row.admin_id).await? == 0 {
        let message = "There would be no super owner left who can log in";
        return Err(Error::conflict("last_super_owner", message));
    }
    Ok(())
}

/// Whether somebody may give a role to an administrator whom they may decide about, and whether a
/// super owner is left then.
pub(super) async fn give_role(
    change: &mut Change,
    by: &Admin,
    row: &Row,
    role: AdminRole,
) -> Result<()> {
    stands_above(by, role)?;
    if role == AdminRole::SuperOwner { Ok(()) } else { one_owner_stays(change, row).await }
}

/// Gives an administrator another role.
pub(super) async fn change_role(
    change: &mut Change,
    by: &Admin,
    id: &str,
    role: AdminRole,
) -> Result<()> {
    let row = subordinate(change, by, id).await?;
    give_role(change, by, &row, role).await?;
    let to = AdminChange {
        email: &row.email,
        display_name: &row.display_name,
        role: role.as_str(),
        enabled: row.enabled,
    };
    admins::update(change.tx(), id, to, TimeMs(now_ms())).await.map_err(taken)?;
    Ok(())
}

/// What another administrator has already.
pub(super) fn taken(error: gx_store::Error) -> Error {
    if error.is_unique("admins.admin_id") || error.is_unique("admins.ledger_id") {
        let message = "An administrator has, or had, this user name or acts under it on the ledger";
        Error::conflict("admin_already_exists", message)
    } else if error.is_unique("admins.email") {
        Error::conflict("email_already_exists", "An administrator has this e-mail address")
    } else {
        error.into()
    }
}
