//! Opens accounts on the ledger for users who were approved.
//!
//! The command's id derives from the user and an attempt, not from the request: however often and
//! by whomever it is asked for, a user's account is opened by one command at a time, and one that
//! the ledger refused can be tried again.

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::response::IntoResponse;
use gx_contract::Named as _;
use gx_contract::identity::CreateUser;
use gx_store::commands::{self, State as Stage};
use gx_store::identity::users::{self, ListUsers, User as Row, UserStatus};
use gx_types::{AccountType, Actor, CommandId, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json as value;

use crate::api::{Answer, Route, Shape};
use crate::app::App;
use crate::audit::{Audit, Entry};
use crate::auth::{May, grant};
use crate::calendar::{Date, now_ms};
use crate::error::{Error, Result};
use crate::http::answer::json;
use crate::http::context::Context;
use crate::http::extract::{Body, Key};
use crate::http::fields::{Count, List, Text, request};
use crate::service::Service;
use gx_engine::Submission;

pub(super) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/admin/users/batch-register-onchain", batch)
        .summary("Opens accounts on the ledger for approved users")
        .sample("{}")
        .fails(&[(409, "attester_not_configured")])]
}

request! {
    /// Whose accounts to open: the users named by their ids on the platform, or all who are
    /// waiting.
    pub(crate) struct BatchBody {
        user_ids as "userIds": Option<List<Text<1, 64>, 1, 1000>>,
        /// At most so many; 1000 by default.
        limit as "limit": Option<Count<1, 1000>>,
    }
}

/// Users of one request at most.
const USERS_MAX: u32 = 1000;

/// Refused attempts of one user that are looked through.
const ATTEMPTS_MAX: usize = 16;

/// Commands that were accepted.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchReply {
    success: bool,
    message: &'static str,
    /// How many commands were accepted now.
    count: usize,
    commands: Vec<CreateReply>,
    /// Users whose account is not opened by this request, and why.
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateReply {
    /// Id on the platform.
    id: String,
    /// Id of the account on the ledger.
    user_id: String,
    /// The same as `userId`, under its older name.
    ledger_id: String,
    #[schemars(with = "String")]
    command_id: CommandId,
    status: &'static str,
    status_url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Skipped {
    /// Id on the platform, as it was asked for.
    id: String,
    /// `not_found`, `not_pending`, `in_progress` or `refused_too_often`.
    reason: &'static str,
}

/// 202: the commands are accepted, each with a status of its own.
#[derive(Debug)]
pub(crate) struct Started(BatchReply);

impl IntoResponse for Started {
    fn into_response(self) -> Response<HttpBody> {
        let mut response = json(StatusCode::ACCEPTED, &self.0);
        let place = HeaderValue::from_static("/api/v1/admin/users/pending-onchain");
        response.headers_mut().insert(axum::http::header::LOCATION, place);
        response
    }
}

impl Answer for Started {
    fn describe(shape: &mut Shape) {
        shape.command = Some(CreateUser::NAME);
        shape.json::<BatchReply>(StatusCode::ACCEPTED);
    }
}

/// `POST /admin/users/batch-register-onchain`
async fn batch(
    admin: May<grant::UserApprove>,
    State(app): State<App>,
    context: Context,
    _: Key,
    Body(body): Body<BatchBody>,
) -> Result<Started> {
    let limit = body.limit.map_or(USERS_MAX, |limit| limit.0);
    let mut skipped = Vec::new();
    let rows = match body.user_ids {
        Some(ids) => named(&app, ids.0, &mut skipped).await?,
        None => waiting(&app, limit).await?,
    };
    let orders = orders(&app, rows, &mut skipped).await?;
    let commands = submit(&app, &context, admin.scope(), orders).await?;
    Ok(Started(BatchReply::new(commands, skipped)))
}

impl BatchReply {
    fn new(commands: Vec<CreateReply>, skipped: Vec<Skipped>) -> Self {
        let message = "The accounts will be opened by the ledger";
        Self { success: true, message, count: commands.len(), commands, skipped }
    }
}

async fn waiting(app: &App, limit: u32) -> Result<Vec<Row>> {
    let status = Some(UserStatus::ApprovedPendingOnchain);
    let filter = ListUsers { status, search: None, country: None, offset: 0, limit };
    Ok(users::list(app.store(), &filter).await?.0)
}

async fn named(app: &App, ids: Vec<Text<1, 64>>, skipped: &mut Vec<Skipped>) -> Result<Vec<Row>> {
    let mut ids: Vec<String> = ids.into_iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut rows = users::get_many(app.store(), &ids).await?;
    for id in ids {
        if !rows.iter().any(|row| row.user_id == id) {
            skipped.push(Skipped { id, reason: "not_found" });
        }
    }
    rows.retain(|row| {
        let is_pending = row.status == UserStatus::ApprovedPendingOnchain;
        if !is_pending {
            skipped.push(Skipped { id: row.user_id.clone(), reason: "not_pending" });
        }
        is_pending
    });
    Ok(rows)
}

/// A command to accept, and the user that it is for.
#[derive(Debug)]
struct Order {
    user_id: String,
    key: String,
    command: CreateUser,
}

/// The commands for users of whom none is on its way.
async fn orders(app: &App, rows: Vec<Row>, skipped: &mut Vec<Skipped>) -> Result<Vec<Order>> {
    let mut orders = Vec::with_capacity(rows.len());
    let mut open = rows;
    for attempt in 0..ATTEMPTS_MAX {
        if open.is_empty() {
            return Ok(orders);
        }
        let key = |row: &Row| format!("create-user/{}/{attempt}", row.user_id);
        let ids: Vec<CommandId> =
            open.iter().map(|row| CommandId::derive(&Actor::System, &key(row))).collect();
        let found = commands::statuses(app.store(), &ids).await?;
        let mut refused = Vec::new();
        for (row, status) in open.into_iter().zip(found) {
            match status.map(|status| status.state) {
                None => orders.push(order(app, key(&row), row)?),
                Some(Stage::Refused { .. } | Stage::Dead { .. }) => refused.push(row),
                Some(Stage::Queued | Stage::Submitted { .. } | Stage::Committed { .. }) => {
                    skipped.push(Skipped { id: row.user_id, reason: "in_progress" });
                }
            }
        }
        open = refused;
    }
    let too_often = |row: Row| Skipped { id: row.user_id, reason: "refused_too_often" };
    skipped.extend(open.into_iter().map(too_often));
    Ok(orders)
}

fn order(app: &App, key: String, row: Row) -> Result<Order> {
    let damaged = |what: &str| Error::internal(format!("user {}: {what}", row.user_id));
    let born: Date = row.date_of_birth.parse().map_err(|()| damaged("no birth date"))?;
    let now = now_ms();
    let mut command = CreateUser {
        user_id: row.ledger_id.ok_or_else(|| damaged("approved without a ledger id"))?,
        identity_hash: row.identity_hash.parse().map_err(|_| damaged("no identity hash"))?,
        country: row.country,
        age: born.age_on(Date::of_ms(now)),
        account_type: AccountType::Individual,
        attestation: None,
    };
    command.attestation = app.attester().attest(&command.attested(), TimeMs(now))?;
    Ok(Order { user_id: row.user_id, key, command })
}

/// Accepts all commands and the audit row in one transaction.
async fn submit(
    app: &App,
    context: &Context,
    admin: &str,
    orders: Vec<Order>,
) -> Result<Vec<CreateReply>> {
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let traceparent = Some(context.trace.to_string());
    let submission = |order: &Order| Submission {
        actor: Actor::System,
        key: order.key.clone(),
        command: order.command.clone().into(),
        signature: None,
        service: Service::Admin.as_str(),
        traceparent: traceparent.clone(),
    };
    let mut change = Audit::new(app.store().clone(), context).begin().await?;
    let submissions = orders.iter().map(submission).collect();
    let accepted = app.outbox().submit_in(change.tx(), submissions).await?;
    let ids: Vec<&str> = orders.iter().map(|order| order.user_id.as_str()).collect();
    let entry = Entry { actor: admin, action: "user.register-onchain", target: "users" };
    change.commit_with(entry, &value!({ "userIds": ids })).await?;
    app.outbox().committed();
    let reply = |(order, accepted): (Order, gx_engine::Accepted)| CreateReply {
        id: order.user_id,
        user_id: order.command.user_id.to_string(),
        ledger_id: order.command.user_id.to_string(),
        command_id: accepted.command_id,
        status: "queued",
        status_url: format!("/api/v1/commands/{}", accepted.command_id),
    };
    Ok(orders.into_iter().zip(accepted).map(reply).collect())
}
