//! The projector: how far it is, whether it lives, and having it fill the read models anew.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gx_store::projection::rebuild::{self, Rebuild};
use gx_store::projection::{self, Position};
use gx_store::{Store, lease};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json as value;

use crate::api::{Answer, Route, Shape};
use crate::audit::{Audit, Entry};
use crate::auth::{May, grant};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::http::answer::{Json, json};
use crate::http::extract::Body;
use crate::http::fields::{Written, request};

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/admin/projector", status)
            .summary("How far the read models are, and whether the projector lives"),
        Route::post("/api/v1/admin/projector/rebuild", start)
            .summary("Has the projector empty the read models and fill them again")
            .sample(r#"{"reason": "A column is computed anew"}"#)
            .concerns("projector")
            .fails(&[(409, "rebuild_running")]),
    ]
}

request! {
    /// Why the read models are filled anew.
    pub(crate) struct RebuildBody {
        reason as "reason": Written<10, 500>,
    }
}

/// The projector and its read models.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProjectorReply {
    /// The last block in the read models; absent before the first.
    applied_block: Option<u64>,
    applied_hash: Option<String>,
    /// The block's time.
    applied_block_at: Option<String>,
    /// The newest block that is known of.
    tip_block: Option<u64>,
    lag_blocks: u64,
    /// The time of the oldest block that was not applied at the last sign of life.
    behind_since: Option<String>,
    heartbeat_at: Option<String>,
    heartbeat_age_seconds: Option<u64>,
    /// The process that leads, or led last.
    leader: Option<String>,
    /// Whether that process still leads.
    is_led: bool,
    accounts: u64,
    commands: u64,
    refused: u64,
    /// The last rebuild that was asked for.
    rebuild: Option<RebuildReply>,
}

/// A rebuild of the read models.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RebuildReply {
    /// `REQUESTED`, `RUNNING` or `FINISHED`.
    status: &'static str,
    requested_by: String,
    reason: String,
    requested_at: String,
    started_at: Option<String>,
    /// The block that the read models have to come to.
    target_block: Option<u64>,
    /// How much of that is done, from 0 to 100.
    percent: u64,
    finished_at: Option<String>,
}

impl RebuildReply {
    fn of(row: Rebuild, applied: u64) -> Self {
        let (status, percent) = match (row.finished_at, row.target_block) {
            (Some(_), _) => ("FINISHED", 100),
            (None, None) => ("REQUESTED", 0),
            (None, Some(target)) => {
                ("RUNNING", applied.saturating_mul(100).checked_div(target).unwrap_or(0).min(100))
            }
        };
        Self {
            status,
            requested_by: row.requested_by,
            reason: row.reason,
            requested_at: rfc3339(row.requested_at.0),
            started_at: row.started_at.map(|at| rfc3339(at.0)),
            target_block: row.target_block,
            percent,
            finished_at: row.finished_at.map(|at| rfc3339(at.0)),
        }
    }
}

impl ProjectorReply {
    fn of(position: &Position, leader: Option<lease::Holder>, rebuild: Option<Rebuild>) -> Self {
        let (checkpoint, heartbeat) = (position.checkpoint, position.heartbeat);
        let applied = checkpoint.map_or(0, |checkpoint| checkpoint.block);
        Self {
            applied_block: checkpoint.map(|at| at.block),
            applied_hash: checkpoint.map(|at| hex::encode(at.hash)),
            applied_block_at: checkpoint.map(|at| rfc3339(at.at.0)),
            tip_block: position.tip(),
            lag_blocks: position.lag_blocks(),
            behind_since: heartbeat.and_then(|beat| beat.behind_since).map(|at| rfc3339(at.0)),
            heartbeat_at: heartbeat.map(|beat| rfc3339(beat.at.0)),
            heartbeat_age_seconds: heartbeat.map(|beat| beat.age.as_secs()),
            is_led: leader.as_ref().is_some_and(|leader| !leader.expired),
            leader: leader.map(|leader| leader.holder),
            accounts: position.totals.accounts,
            commands: position.totals.commands,
            refused: position.totals.refused,
            rebuild: rebuild.map(|rebuild| RebuildReply::of(rebuild, applied)),
        }
    }
}

/// `GET /admin/projector`
async fn status(
    _: May<grant::SystemStatusRead>,
    State(store): State<Store>,
) -> Result<Json<ProjectorReply>> {
    let mut snapshot = store.snapshot().await?;
    let position = projection::position(&mut snapshot).await?;
    let leader = lease::holder(&mut snapshot, lease::PROJECTOR).await?;
    let rebuild = rebuild::last(&mut snapshot).await?;
    Ok(Json(ProjectorReply::of(&position, leader, rebuild)))
}

/// 202: the projector begins with its next sign of life.
#[derive(Debug)]
pub(crate) struct RebuildAsked(RebuildReply);

impl IntoResponse for RebuildAsked {
    fn into_response(self) -> Response {
        json(StatusCode::ACCEPTED, &self.0)
    }
}

impl Answer for RebuildAsked {
    fn describe(shape: &mut Shape) {
        shape.json::<RebuildReply>(StatusCode::ACCEPTED);
    }
}

/// `POST /admin/projector/rebuild`
async fn start(
    admin: May<grant::SystemBootstrap>,
    audit: Audit,
    Body(RebuildBody { reason: Written(reason) }): Body<RebuildBody>,
) -> Result<RebuildAsked> {
    let mut change = audit.begin().await?;
    let asked = rebuild::ask(change.tx(), admin.scope(), &reason, TimeMs(now_ms())).await;
    if !asked.or_else(|error| if error.is_unique(REBUILDS) { Ok(false) } else { Err(error) })? {
        let message = "A rebuild is running already: see GET /admin/projector";
        return Err(Error::conflict("rebuild_running", message));
    }
    let row = rebuild::last(change.tx()).await?;
    let row = row.ok_or_else(|| Error::internal("a rebuild vanished"))?;
    let entry = Entry { actor: admin.scope(), action: "projector.rebuild", target: "projector" };
    change.commit_with(entry, &value!({ "reason": reason })).await?;
    Ok(RebuildAsked(RebuildReply::of(row, 0)))
}

/// What is not unique when two ask in the same moment.
const REBUILDS: &str = "rebuilds.rebuild_no";
