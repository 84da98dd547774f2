//! Shutting users out of the platform, for a while or for ever, and letting them in again.
//!
//! It is local: the account on the ledger stays as it is. Their tokens stop at the next request.

use axum::extract::State;
use gx_store::Store;
use gx_store::identity::users::{self, Decision, UserStatus};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json as value;

use super::users::{PageQuery, UsersReply, page};
use crate::api::Route;
use crate::audit::{Audit, Change, Entry};
use crate::auth::{May, grant};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Json, Read};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{Written, request};

pub(super) fn routes() -> [Route; 4] {
    const WRONG: [(u16, &str); 1] = [(409, "user_status_wrong")];
    [
        Route::get("/api/v1/admin/users/frozen", frozen)
            .summary("Users whose account on the ledger is frozen"),
        Route::post("/api/v1/admin/users/{id}/suspend", suspend)
            .summary("Shuts an approved user out until they are reinstated")
            .sample(r#"{"reason": "Documents are being checked again"}"#)
            .fails(&WRONG),
        Route::post("/api/v1/admin/users/{id}/reinstate", reinstate)
            .summary("Lets a suspended user in again")
            .sample(r#"{"reason": "The documents are in order"}"#)
            .fails(&WRONG),
        Route::post("/api/v1/admin/users/{id}/close", close)
            .summary("Shuts a user out for ever; the account on the ledger stays as it is")
            .sample(r#"{"reason": "Asked for by the user in writing"}"#)
            .fails(&WRONG),
    ]
}

request! {
    /// Why it is decided so.
    pub(crate) struct ClosingBody {
        /// Kept with the user, for administrators.
        reason as "reason": Written<10, 500>,
    }
}

/// Where the user stands now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClosingReply {
    success: bool,
    status: &'static str,
}

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Suspend,
    Reinstate,
    Close,
}

impl Turn {
    const fn action(self) -> &'static str {
        match self {
            Self::Suspend => "user.suspend",
            Self::Reinstate => "user.reinstate",
            Self::Close => "user.close",
        }
    }

    /// The decisions that it can come after, and the one that it leads to.
    const fn step(self) -> (&'static [Decision], Decision) {
        use Decision as D;
        match self {
            Self::Suspend => (&[D::ApprovedPendingOnchain], D::Suspended),
            Self::Reinstate => (&[D::Suspended], D::ApprovedPendingOnchain),
            Self::Close => (
                &[
                    D::Registered,
                    D::PendingAdminApproval,
                    D::ApprovedPendingOnchain,
                    D::Denied,
                    D::Suspended,
                ],
                D::Closed,
            ),
        }
    }
}

/// Takes a user from where they stand to where a decision leads.
pub(super) async fn turn(
    change: &mut Change,
    id: &str,
    turn: Turn,
    reason: &str,
) -> Result<UserStatus> {
    let unknown = || Error::not_found("User");
    let row = users::get(change.tx(), id).await?.ok_or_else(unknown)?;
    let ((from, to), now) = (turn.step(), TimeMs(now_ms()));
    if !users::decide(change.tx(), id, from, to, Some(reason), now).await? {
        let message = format!("The user is {}, which this does not apply to", row.status.as_str());
        return Err(Error::conflict("user_status_wrong", message));
    }
    Ok(users::get(change.tx(), id).await?.ok_or_else(unknown)?.status)
}

async fn decided(
    audit: &Audit,
    actor: &str,
    (id, what): (&str, Turn),
    ClosingBody { reason }: ClosingBody,
) -> Result<Json<ClosingReply>> {
    let mut change = audit.begin().await?;
    let status = turn(&mut change, id, what, &reason.0).await?;
    let entry = Entry { actor, action: what.action(), target: id };
    change.commit_with(entry, &value!({ "reason": reason.0 })).await?;
    Ok(Json(ClosingReply { success: true, status: status.as_str() }))
}

/// `GET /admin/users/frozen`
async fn frozen(
    _: May<grant::UserList>,
    State(store): State<Store>,
    _: After,
    Query(query): Query<PageQuery>,
) -> Result<Read<UsersReply>> {
    page(&store, Some(UserStatus::Frozen), None, (query.page, query.limit)).await
}

/// `POST /admin/users/{id}/suspend`
async fn suspend(
    admin: May<grant::UserFreeze>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<ClosingBody>,
) -> Result<Json<ClosingReply>> {
    decided(&audit, admin.scope(), (&id, Turn::Suspend), body).await
}

/// `POST /admin/users/{id}/reinstate`
async fn reinstate(
    admin: May<grant::UserUnfreeze>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<ClosingBody>,
) -> Result<Json<ClosingReply>> {
    decided(&audit, admin.scope(), (&id, Turn::Reinstate), body).await
}

/// `POST /admin/users/{id}/close`
async fn close(
    admin: May<grant::UserUnfreeze>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<ClosingBody>,
) -> Result<Json<ClosingReply>> {
    decided(&audit, admin.scope(), (&id, Turn::Close), body).await
}
