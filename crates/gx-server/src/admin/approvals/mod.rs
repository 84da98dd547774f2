//! Four eyes for what is off the ledger: one administrator asks, another decides, and what was
//! approved is carried out once, in the transaction that notes it.
//!
//! Asking needs less than doing: a moderator may ask for what only others may do. Whoever decides
//! must be able to do it themselves, so that nobody gets a role by way of two others.

mod fields;

use axum::extract::State;
use axum::http::StatusCode;
use gx_store::Store;
use gx_store::admin::approvals::{self, Approval, ApprovalStatus, ListApprovals, NewApproval};
use gx_types::TimeMs;
use serde_json::json as value;

use super::closing::{Turn, turn};
use super::hierarchy::{change_role, stands_above, subordinate};
use crate::api::{Failure, Route};
use crate::audit::{Audit, Change, Entry};
use crate::auth::{Admin, AdminRole, May, Permission, grant, random_id};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Pagination};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::{NoBody, Text};
use fields::{
    ApprovalBody, ApprovalDone, ApprovalKind, ApprovalReply, ApprovalVote, ApprovalsQuery,
    ApprovalsReply, VoteBody,
};

/// How long something that was asked for can be decided on and carried out.
const OPEN_MS: i64 = 30 * 60 * 1000;

/// How much one administrator may have open at once.
const OPEN_MAX: u64 = 10;

/// How an approval is refused for where it stands.
const STANDING: [Failure; 2] = [(409, "approval_expired"), (409, "approval_already_processed")];

/// How what is asked for can't be done.
const UNDOABLE: [Failure; 5] = [
    (403, "forbidden"),
    (403, "own_account"),
    (403, "role_not_below_own"),
    (409, "last_super_owner"),
    (409, "user_status_wrong"),
];

pub(super) fn routes() -> [Route; 6] {
    [
        Route::get("/api/v1/admin/approvals", list)
            .summary("What administrators ask each other for, newest first"),
        Route::get("/api/v1/admin/approvals/{approvalId}", get)
            .summary("One approval, and what has become of it"),
        Route::post("/api/v1/admin/approvals", create)
            .summary("Asks another administrator to decide on something, for half an hour")
            .sample(concat!(
                r#"{"requestType": "USER_CLOSE", "targetResource": "{id}", "#,
                r#""reason": "Asked for by the user in writing"}"#
            ))
            .concerns("approvals")
            .fails(&[(409, "too_many_open")]),
        Route::post("/api/v1/admin/approvals/{approvalId}/vote", vote)
            .summary("Approves or rejects what another administrator asks for")
            .sample(r#"{"decision": "APPROVE", "reason": "The letter is on file"}"#)
            .fails(&STANDING)
            .fails(&UNDOABLE)
            .fails(&[(403, "self_approval")]),
        Route::post("/api/v1/admin/approvals/{approvalId}/cancel", cancel)
            .summary("Takes back what the caller has asked for")
            .sample("{}")
            .fails(&STANDING),
        Route::post("/api/v1/admin/approvals/{approvalId}/execute", execute)
            .summary("Carries out what was approved, once")
            .sample("{}")
            .fails(&STANDING)
            .fails(&UNDOABLE)
            .fails(&[(409, "not_approved")]),
    ]
}

/// `GET /admin/approvals`
async fn list(
    admin: May<grant::ApprovalView>,
    State(store): State<Store>,
    Query(query): Query<ApprovalsQuery>,
) -> Result<Json<ApprovalsReply>> {
    Ok(Json(page(&admin, &store, query).await?))
}

async fn page(admin: &Admin, store: &Store, query: ApprovalsQuery) -> Result<ApprovalsReply> {
    let (page, limit) = (query.page.map_or(1, |page| page.0), query.limit.map_or(20, |l| l.0));
    let asked_for = query.requester.as_ref().map(|Text(requester)| requester.as_str());
    // Of others', whoever can't decide sees nothing, also by asking for them.
    let own = Some(admin.id()).filter(|_| !admin.may(Permission::ApprovalApprove));
    let place = |total| Pagination::new(u64::from(page), limit, total);
    if own.is_some() && asked_for.is_some_and(|requester| Some(requester) != own) {
        return Ok(ApprovalsReply { approvals: Vec::new(), pagination: place(0) });
    }
    let which = ListApprovals {
        requester: own.or(asked_for),
        kind: query.kind.map(ApprovalKind::as_str),
        status: query.status,
        offset: u64::from(page - 1) * u64::from(limit),
        limit,
    };
    let (rows, total) = approvals::list(store, which, TimeMs(now_ms())).await?;
    let approvals = rows.into_iter().map(ApprovalReply::from).collect();
    Ok(ApprovalsReply { approvals, pagination: place(total) })
}

/// `GET /admin/approvals/{approvalId}`
async fn get(
    admin: May<grant::ApprovalView>,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<ApprovalReply>> {
    let row = approvals::get(&store, &id, TimeMs(now_ms())).await?;
    let may_see = |row: &Approval| {
        row.asked.requester == admin.id() || admin.may(Permission::ApprovalApprove)
    };
    row.filter(may_see).map(|row| Json(row.into())).ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::not_found("Approval")
}

/// `POST /admin/approvals`
async fn create(
    admin: May<grant::ApprovalCreate>,
    audit: Audit,
    Body(body): Body<ApprovalBody>,
) -> Result<Created<ApprovalDone>> {
    let new = new_approval(admin.id(), body)?;
    let mut change = audit.begin().await?;
    if !approvals::create(change.tx(), &new, OPEN_MAX).await? {
        let message = format!("You have {OPEN_MAX} open already; take one back or wait");
        return Err(Error::conflict("too_many_open", message));
    }
    let done = reread(&mut change, &new.approval_id).await?;
    let entry = Entry { actor: admin.scope(), action: "approval.create", target: &new.approval_id };
    let told = value!({ "requestType": new.kind, "target": new.target, "role": new.role });
    change.commit_with(entry, &told).await?;
    Ok(Created(done))
}

fn new_approval(requester: &str, body: ApprovalBody) -> Result<NewApproval> {
    let ApprovalBody { kind, target, action, payload, reason } = body;
    let role = payload.and_then(|payload| payload.role);
    if (kind == ApprovalKind::AdminRoleChange) != role.is_some() {
        let message = "is needed with ADMIN_ROLE_CHANGE, and with nothing else";
        return Err(Error::field("payload.role", "invalid_payload", message));
    }
    let action = action.map_or_else(|| described(kind, role), |action| action.0);
    let now = now_ms();
    Ok(NewApproval {
        approval_id: random_id().map_err(Error::internal)?,
        kind: kind.as_str().to_owned(),
        target: target.0,
        role: role.map(|role| role.as_str().to_owned()),
        action,
        reason: reason.0,
        requester: requester.to_owned(),
        created_at: TimeMs(now),
        expires_at: TimeMs(now.saturating_add(OPEN_MS)),
    })
}

fn described(kind: ApprovalKind, role: Option<AdminRole>) -> String {
    match (kind, role) {
        (ApprovalKind::UserSuspend, _) => "Suspend the user".to_owned(),
        (ApprovalKind::UserClose, _) => "Close the user's account".to_owned(),
        (ApprovalKind::AdminRoleChange, None) => "Change the role".to_owned(),
        (ApprovalKind::AdminRoleChange, Some(role)) => format!("Give the role {}", role.as_str()),
    }
}

/// `POST /admin/approvals/{approvalId}/vote`
async fn vote(
    admin: May<grant::ApprovalApprove>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<VoteBody>,
) -> Result<Json<ApprovalDone>> {
    let mut change = audit.begin().await?;
    decide(&mut change, &admin, &id, &body).await?;
    let done = reread(&mut change, &id).await?;
    let entry = Entry { actor: admin.scope(), action: "approval.vote", target: &id };
    change.commit_with(entry, &value!({ "decision": body.decision.as_str() })).await?;
    Ok(Json(done))
}

async fn decide(change: &mut Change, by: &Admin, id: &str, body: &VoteBody) -> Result<()> {
    let now = TimeMs(now_ms());
    let row = approvals::get(change.tx(), id, now).await?.ok_or_else(unknown)?;
    if row.asked.requester == by.id() {
        let message = "Another administrator has to decide on what you have asked for";
        return Err(Error::new(StatusCode::FORBIDDEN, "self_approval", message));
    }
    let to = match body.decision {
        ApprovalVote::Approve => ApprovalStatus::Approved,
        ApprovalVote::Reject => ApprovalStatus::Rejected,
    };
    if to == ApprovalStatus::Approved {
        may_do(change, by, &row.asked).await?;
    }
    let reason = body.reason.as_ref().map(|reason| reason.0.as_str());
    if approvals::vote(change.tx(), id, by.id(), (to, reason), now).await? {
        return Ok(());
    }
    Err(no_longer(change, id).await?)
}

/// Why nothing can be done about an approval any more.
async fn no_longer(change: &mut Change, id: &str) -> Result<Error> {
    let row = approvals::get(change.tx(), id, TimeMs(now_ms())).await?.ok_or_else(unknown)?;
    Ok(match (row.status, row.executed) {
        (ApprovalStatus::Expired, _) => {
            Error::conflict("approval_expired", "Its time is over; ask once more")
        }
        (_, Some(_)) => Error::conflict("approval_already_processed", "It is carried out already"),
        (status, None) => {
            let message = format!("It is {} already", status.as_str());
            Error::conflict("approval_already_processed", message)
        }
    })
}

/// `POST /admin/approvals/{approvalId}/cancel`
async fn cancel(
    admin: May<grant::ApprovalCreate>,
    audit: Audit,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<ApprovalDone>> {
    let (mut change, now) = (audit.begin().await?, TimeMs(now_ms()));
    let row = approvals::get(change.tx(), &id, now).await?;
    row.filter(|row| row.asked.requester == admin.id()).ok_or_else(unknown)?;
    if !approvals::cancel(change.tx(), &id, admin.id(), now).await? {
        return Err(no_longer(&mut change, &id).await?);
    }
    let done = reread(&mut change, &id).await?;
    let entry = Entry { actor: admin.scope(), action: "approval.cancel", target: &id };
    change.commit(entry).await?;
    Ok(Json(done))
}

/// `POST /admin/approvals/{approvalId}/execute`
async fn execute(
    admin: May<grant::ApprovalApprove>,
    audit: Audit,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<ApprovalDone>> {
    let mut change = audit.begin().await?;
    let asked = carry_out(&mut change, &admin, &id).await?;
    let done = reread(&mut change, &id).await?;
    let entry = Entry { actor: admin.scope(), action: "approval.execute", target: &id };
    let told = value!({ "requestType": asked.kind, "target": asked.target, "role": asked.role });
    change.commit_with(entry, &told).await?;
    Ok(Json(done))
}

/// Notes that an approval is carried out, and does it; either both are committed or neither.
async fn carry_out(change: &mut Change, by: &Admin, id: &str) -> Result<NewApproval> {
    let now = TimeMs(now_ms());
    let row = approvals::get(change.tx(), id, now).await?.ok_or_else(unknown)?;
    if row.status == ApprovalStatus::Pending {
        return Err(Error::conflict("not_approved", "Nobody has decided on it yet"));
    }
    if !approvals::execute(change.tx(), id, by.id(), now).await? {
        return Err(no_longer(change, id).await?);
    }
    let asked = row.asked;
    match doable(&asked)? {
        Doable::Turn(what) => drop(turn(change, &asked.target, what, &asked.reason).await?),
        Doable::Role(role) => change_role(change, by, &asked.target, role).await?,
    }
    Ok(asked)
}

/// What an approval comes to.
enum Doable {
    Turn(Turn),
    Role(AdminRole),
}

fn doable(asked: &NewApproval) -> Result<Doable> {
    let damaged = || Error::internal(format!("approval {} can't be read", asked.approval_id));
    let kind = ApprovalKind::ALL.into_iter().find(|kind| kind.as_str() == asked.kind);
    Ok(match kind.ok_or_else(damaged)? {
        ApprovalKind::UserSuspend => Doable::Turn(Turn::Suspend),
        ApprovalKind::UserClose => Doable::Turn(Turn::Close),
        ApprovalKind::AdminRoleChange => {
            let role = asked.role.as_deref().and_then(AdminRole::parse);
            Doable::Role(role.ok_or_else(damaged)?)
        }
    })
}

/// Whether somebody could do what is asked for by themselves, or stands above those whom it is
/// about: two can't give what neither has.
async fn may_do(change: &mut Change, by: &Admin, asked: &NewApproval) -> Result<()> {
    match doable(asked)? {
        Doable::Turn(Turn::Suspend) if by.may(Permission::UserFreeze) => Ok(()),
        Doable::Turn(Turn::Close | Turn::Reinstate) if by.may(Permission::UserUnfreeze) => Ok(()),
        Doable::Turn(_) => Err(Error::forbidden()),
        Doable::Role(role) => {
            subordinate(change, by, &asked.target).await?;
            stands_above(by, role)
        }
    }
}

async fn reread(change: &mut Change, id: &str) -> Result<ApprovalDone> {
    let row = approvals::get(change.tx(), id, TimeMs(now_ms())).await?.ok_or_else(unknown)?;
    Ok(ApprovalDone { success: true, approval: row.into() })
}
