//! What two admins decide on: looking at it, approving, rejecting, and taking it back.

use std::borrow::Cow;

use axum::extract::State;
use gx_contract::admin::{ApproveAction, RejectAction, WithdrawAction};
use gx_store::Store;
use gx_store::admin::ledger::{self, Action};
use gx_types::{ActionId, AdminId, Amount, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::api::Route;
use crate::auth::{May, grant};
use crate::calendar::{now_ms, rfc3339};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Page, Read, View, place};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{Count, NoBody, Text, listed_fields, one_of, request};

pub(super) fn routes() -> [Route; 5] {
    [
        Route::get("/api/v1/admin/actions", actions)
            .summary("What two admins decide on, newest first")
            .fails(&[(400, "invalid_cursor")]),
        Route::get("/api/v1/admin/actions/{actionId}", action)
            .summary("One action, and what has become of it"),
        Route::post("/api/v1/admin/actions/{actionId}/approve", approve)
            .summary("Runs what another admin has proposed")
            .sample("{}"),
        Route::post("/api/v1/admin/actions/{actionId}/reject", reject)
            .summary("Ends what another admin has proposed")
            .sample("{}"),
        Route::post("/api/v1/admin/actions/{actionId}/withdraw", withdraw)
            .summary("Takes back what the caller has proposed")
            .sample("{}"),
    ]
}

/// Which actions somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ActionFilter {
    Pending,
    All,
}

impl ActionFilter {
    pub(crate) const ALL: [Self; 2] = [Self::Pending, Self::All];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::All => "ALL",
        }
    }
}

listed_fields! {
    ActionFilter: "invalid_status";
}

impl JsonSchema for ActionFilter {
    fn schema_name() -> Cow<'static, str> {
        "ActionFilter".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// Which actions, newest first.
    pub(crate) struct ActionsQuery {
        /// `PENDING` for those that can still be approved; all of them by default.
        status as "status": Option<ActionFilter>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 20>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

/// An action that needs two admins.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionReply {
    #[schemars(with = "String")]
    action_id: ActionId,
    /// `Contract:Function` of what the approval runs.
    function: String,
    /// Its arguments, money in GX.
    arguments: Map<String, Value>,
    /// `PENDING`, `EXECUTED`, `REJECTED`, `WITHDRAWN` or `EXPIRED`.
    status: &'static str,
    #[schemars(with = "String")]
    proposed_by: AdminId,
    proposed_at: String,
    /// From then on it can't be approved any more.
    expires_at: String,
    /// From when on the proposer may approve it alone, if nobody rejects it; absent if never.
    alone_from: Option<String>,
    /// Who has approved, rejected or withdrawn it.
    #[schemars(with = "Option<String>")]
    decided_by: Option<AdminId>,
    decided_at: Option<String>,
}

impl ActionReply {
    fn of(row: Action, now: TimeMs) -> Result<Self> {
        let status = match (row.approval, row.closure) {
            (Some(_), _) => "EXECUTED",
            (None, Some((by, _))) if by == row.proposed_by => "WITHDRAWN",
            (None, Some(_)) => "REJECTED",
            (None, None) if now >= row.expires_at => "EXPIRED",
            (None, None) => "PENDING",
        };
        let decided = row.approval.or(row.closure);
        Ok(Self {
            action_id: row.action_id,
            arguments: arguments(&row.args)?,
            function: row.function,
            status,
            proposed_by: row.proposed_by,
            proposed_at: rfc3339(row.proposed_at.0),
            expires_at: rfc3339(row.expires_at.0),
            alone_from: row.alone_from.map(|at| rfc3339(at.0)),
            decided_by: decided.map(|(by, _)| by),
            decided_at: decided.map(|(_, at)| rfc3339(at.0)),
        })
    }
}

/// What the second admin decides on, with money as it is written everywhere else.
fn arguments(text: &str) -> Result<Map<String, Value>> {
    let mut arguments: Map<String, Value> = serde_json::from_str(text).map_err(Error::internal)?;
    if let Some(amount) = arguments.get_mut("amount") {
        let money: Amount = serde_json::from_value(amount.take()).map_err(Error::internal)?;
        *amount = money.to_gx().into();
        arguments.insert("currency".to_owned(), CURRENCY.into());
    }
    Ok(arguments)
}

/// `GET /admin/actions`
async fn actions(
    _: May<grant::ApprovalView>,
    State(store): State<Store>,
    _: After,
    Query(query): Query<ActionsQuery>,
) -> Result<Read<Page<ActionReply>>> {
    let before = place(query.cursor)?;
    let limit = query.limit.map_or(20, |limit| limit.0);
    let now = TimeMs(now_ms());
    let mut view = View::open(&store).await?;
    let open_at = (query.status == Some(ActionFilter::Pending)).then_some(now);
    let more = limit.saturating_add(1);
    let rows = ledger::actions(&mut view.snapshot, open_at, before, more).await?;
    let page = Page::of(rows, limit, |row| row.cursor);
    Ok(view.read(page.try_map(|row| ActionReply::of(row, now))?))
}

/// `GET /admin/actions/{actionId}`
async fn action(
    _: May<grant::ApprovalView>,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<ActionReply>> {
    let id = action_id(&id)?;
    let mut view = View::open(&store).await?;
    let found = ledger::get_action(&mut view.snapshot, id).await?;
    let row = found.ok_or_else(|| Error::not_found("Action"))?;
    Ok(view.read(ActionReply::of(row, TimeMs(now_ms()))?))
}

fn action_id(text: &str) -> Result<ActionId> {
    text.parse().map_err(|_| Error::not_found("Action"))
}

/// `POST /admin/actions/{actionId}/approve`
async fn approve(
    commands: Commands<May<grant::ApprovalApprove>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ApproveAction>> {
    commands.give(ApproveAction { action_id: action_id(&id)? }).await
}

/// `POST /admin/actions/{actionId}/reject`
async fn reject(
    commands: Commands<May<grant::ApprovalReject>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<RejectAction>> {
    commands.give(RejectAction { action_id: action_id(&id)? }).await
}

/// `POST /admin/actions/{actionId}/withdraw`
async fn withdraw(
    commands: Commands<May<grant::ApprovalCreate>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<WithdrawAction>> {
    commands.give(WithdrawAction { action_id: action_id(&id)? }).await
}
