//! Promotion of an image from one network to the next: asked for by one administrator, approved by
//! another, carried out step by step by the promoter.
//!
//! Here it is asked, decided and read. What changes a network is done by the worker alone, which
//! another process takes over when this one dies.

mod asking;
mod fields;

use axum::extract::State;
use axum::http::StatusCode;
use gx_store::deployments::{self, Deployment, Level, ListDeployments, REQUEST};
use gx_store::{Class, Store};
use gx_types::{NetworkId, TimeMs};
use serde_json::json as value;

use crate::api::{Failure, Route};
use crate::app::Process;
use crate::audit::{Audit, Change, Entry};
use crate::auth::{Admin, May, Permission, grant};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Pagination};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::NoBody;
use asking::{PATHS, cluster, is_super_owner, may_promote, new_deployment, not_there, pass_gates};
use fields::{
    Deployable, DeploymentDone, DeploymentReply, DeploymentsQuery, DeploymentsReply,
    EnvironmentsReply, LogReply, LogsQuery, LogsReply, PathReply, PromoteBody, RollbackBody,
    ServicesReply,
};

/// How a promotion is refused for where it stands.
const STANDING: [Failure; 3] =
    [(409, "deployment_already_processed"), (409, "deployment_expired"), (409, "not_approved")];

/// How what changes a network is refused.
const REACH: [Failure; 4] = [
    (403, "forbidden"),
    (403, "network_not_promoted"),
    (409, "promotion_not_configured"),
    (503, "cluster_unavailable"),
];

pub(super) fn routes() -> Vec<Route> {
    let mut routes = reading();
    routes.extend([
        Route::post("/api/v1/admin/deployments/promote", promote)
            .summary("Asks for an image to go from one network to the next, for half an hour")
            .sample(concat!(
                r#"{"service": "svc-identity", "sourceEnv": "devnet", "targetEnv": "testnet", "#,
                r#""reason": "The fix of the sign-up form"}"#
            ))
            .concerns("deployments")
            .fails(&REACH)
            .fails(&[
                (400, "invalid_promotion_path"),
                (409, "deployment_open"),
                (409, "image_not_at_source"),
                (409, "image_without_digest"),
                (409, "not_at_source"),
            ]),
        Route::post("/api/v1/admin/deployments/{deploymentId}/approve", approve)
            .summary("Approves a promotion that another administrator has asked for")
            .sample("{}")
            .fails(&STANDING)
            .fails(&REACH)
            .fails(&[(400, "invalid_promotion_path"), (403, "self_approval")]),
        Route::post("/api/v1/admin/deployments/{deploymentId}/execute", execute)
            .summary("Begins a promotion that was approved, unless something stands in the way")
            .sample("{}")
            .fails(&STANDING)
            .fails(&REACH)
            .fails(&[(400, "invalid_promotion_path"), (409, "gates_not_passed")]),
        Route::post("/api/v1/admin/deployments/{deploymentId}/rollback", rollback)
            .summary("Puts the image before it back")
            .sample(r#"{"reason": "Log-ins have become slow"}"#)
            .fails(&STANDING)
            .fails(&REACH)
            .fails(&[
                (400, "invalid_promotion_path"),
                (409, "deployment_open"),
                (409, "not_the_last"),
                (409, "previous_image_unavailable"),
            ]),
        Route::post("/api/v1/admin/deployments/{deploymentId}/cancel", cancel)
            .summary("Calls off a promotion that has not been begun")
            .sample("{}")
            .fails(&STANDING)
            .fails(&[(403, "forbidden")]),
    ]);
    routes
}

fn reading() -> Vec<Route> {
    vec![
        Route::get("/api/v1/admin/deployments", list)
            .summary("Promotions of images from network to network, newest first"),
        Route::get("/api/v1/admin/deployments/services", services).summary("What can be promoted"),
        Route::get("/api/v1/admin/deployments/environments", environments)
            .summary("From where to where, and whether this process promotes there"),
        Route::get("/api/v1/admin/deployments/{deploymentId}", get)
            .summary("One promotion, how far it is, and what stands in its way"),
        Route::get("/api/v1/admin/deployments/{deploymentId}/logs", logs)
            .summary("What has happened in a promotion, oldest first"),
    ]
}

/// `GET /admin/deployments`
async fn list(
    _: May<grant::DeploymentView>,
    State(store): State<Store>,
    Query(query): Query<DeploymentsQuery>,
) -> Result<Json<DeploymentsReply>> {
    let (page, limit) = (query.page.map_or(1, |page| page.0), query.limit.map_or(20, |l| l.0));
    let which = ListDeployments {
        service: query.service.map(Deployable::as_str),
        target: query.target.map(fields::Environment::network),
        status: query.status,
        offset: u64::from(page - 1) * u64::from(limit),
        limit,
    };
    let (rows, total) = deployments::list(&store, which, TimeMs(now_ms())).await?;
    let pagination = Pagination::new(u64::from(page), limit, total);
    let deployments = rows.into_iter().map(DeploymentReply::from).collect();
    Ok(Json(DeploymentsReply { deployments, pagination }))
}

/// `GET /admin/deployments/services`
async fn services(_: May<grant::DeploymentView>) -> Result<Json<ServicesReply>> {
    Ok(Json(ServicesReply { services: Deployable::ALL.map(Deployable::as_str).to_vec() }))
}

/// `GET /admin/deployments/environments`
async fn environments(
    _: May<grant::DeploymentView>,
    State(process): State<Process>,
) -> Result<Json<EnvironmentsReply>> {
    let open = process.config.promotion.target();
    let path = |(source, target): (NetworkId, NetworkId)| PathReply {
        source_env: source.as_str(),
        target_env: target.as_str(),
        is_open: open == Some(target),
    };
    Ok(Json(EnvironmentsReply { environments: PATHS.map(path).into() }))
}

/// `GET /admin/deployments/{deploymentId}`
async fn get(
    _: May<grant::DeploymentView>,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<DeploymentReply>> {
    let row = deployments::get(&store, &id, TimeMs(now_ms())).await?;
    row.map(|row| Json(row.into())).ok_or_else(unknown)
}

fn unknown() -> Error {
    Error::not_found("Deployment")
}

/// `GET /admin/deployments/{deploymentId}/logs`
async fn logs(
    _: May<grant::DeploymentView>,
    State(store): State<Store>,
    Path(id): Path<String>,
    Query(query): Query<LogsQuery>,
) -> Result<Json<LogsReply>> {
    deployments::get(&store, &id, TimeMs(now_ms())).await?.ok_or_else(unknown)?;
    let after = query.after_line.map_or(0, |after| u64::from(after.0));
    let limit = query.limit.map_or(100, |limit| limit.0);
    let lines = deployments::logs(&store, &id, after, limit).await?;
    Ok(Json(LogsReply { logs: lines.into_iter().map(LogReply::from).collect() }))
}

/// `POST /admin/deployments/promote`
async fn promote(
    admin: May<grant::DeploymentCreate>,
    audit: Audit,
    State(process): State<Process>,
    Body(body): Body<PromoteBody>,
) -> Result<Created<DeploymentDone>> {
    let new = new_deployment(&admin, &process, body).await?;
    let mut change = audit.begin().await?;
    deployments::create(change.tx(), &new).await.or_else(already_open)?;
    let told = format!("asked for by {}: {}", new.requester, new.reason);
    let done = told_and_reread(&mut change, &new.deployment_id, &told).await?;
    let entry =
        Entry { actor: admin.scope(), action: "deployment.promote", target: &new.deployment_id };
    let what = value!({ "service": new.service, "target": new.target, "image": new.image });
    change.commit_with(entry, &what).await?;
    Ok(Created(done))
}

/// Of two that are asked for at once one is.
fn already_open(error: gx_store::Error) -> Result<()> {
    if error.class() == Class::Unique {
        let message = "A promotion of this service is open already: see GET /admin/deployments";
        return Err(Error::conflict("deployment_open", message));
    }
    Err(error.into())
}

/// Adds a line to the log, and reads the promotion as it stands now.
async fn told_and_reread(change: &mut Change, id: &str, told: &str) -> Result<DeploymentDone> {
    let now = TimeMs(now_ms());
    deployments::log(change.tx(), id, (Level::Info, REQUEST), told, now).await?;
    let row = deployments::get(change.tx(), id, now).await?.ok_or_else(unknown)?;
    Ok(DeploymentDone { success: true, deployment: row.into() })
}

async fn find(change: &mut Change, id: &str) -> Result<Deployment> {
    deployments::get(change.tx(), id, TimeMs(now_ms())).await?.ok_or_else(unknown)
}

/// Writes the audit row of what was done, and commits.
async fn done(
    mut change: Change,
    admin: &Admin,
    (action, id): (&'static str, &str),
    told: &str,
) -> Result<Json<DeploymentDone>> {
    let done = told_and_reread(&mut change, id, told).await?;
    change.commit(Entry { actor: admin.scope(), action, target: id }).await?;
    Ok(Json(done))
}

/// `POST /admin/deployments/{deploymentId}/approve`
async fn approve(
    admin: May<grant::DeploymentExecute>,
    audit: Audit,
    State(process): State<Process>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<DeploymentDone>> {
    cluster(&process)?;
    let mut change = audit.begin().await?;
    decide(&mut change, &admin, &process, &id).await?;
    let told = format!("approved by {}", admin.id());
    done(change, &admin, ("deployment.approve", &id), &told).await
}

async fn decide(change: &mut Change, by: &Admin, process: &Process, id: &str) -> Result<()> {
    let row = find(change, id).await?;
    is_super_owner(by)?;
    may_promote(by, process, row.asked.target)?;
    if row.asked.requester == by.id() {
        let message = "Another administrator has to decide on what you have asked for";
        return Err(Error::new(StatusCode::FORBIDDEN, "self_approval", message));
    }
    match deployments::approve(change.tx(), id, by.id(), TimeMs(now_ms())).await? {
        true => Ok(()),
        false => Err(not_there(&row)),
    }
}

/// `POST /admin/deployments/{deploymentId}/execute`
async fn execute(
    admin: May<grant::DeploymentExecute>,
    audit: Audit,
    State(process): State<Process>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<DeploymentDone>> {
    may_begin(&admin, &process, &id).await?;
    let mut change = audit.begin().await?;
    if !deployments::execute(change.tx(), &id, admin.id(), TimeMs(now_ms())).await? {
        return Err(not_there(&find(&mut change, &id).await?));
    }
    let told = format!("begun by {}", admin.id());
    done(change, &admin, ("deployment.execute", &id), &told).await
}

/// Asks the cluster before the transaction begins: it may take its time.
async fn may_begin(admin: &Admin, process: &Process, id: &str) -> Result<()> {
    cluster(process)?;
    let row = deployments::get(&process.store, id, TimeMs(now_ms())).await?;
    let row = row.ok_or_else(unknown)?;
    is_super_owner(admin)?;
    may_promote(admin, process, row.asked.target)?;
    if row.status != deployments::DeploymentStatus::Approved {
        return Err(not_there(&row));
    }
    pass_gates(process, &row).await
}

/// `POST /admin/deployments/{deploymentId}/rollback`
async fn rollback(
    admin: May<grant::DeploymentRollback>,
    audit: Audit,
    State(process): State<Process>,
    Path(id): Path<String>,
    Body(body): Body<RollbackBody>,
) -> Result<Json<DeploymentDone>> {
    cluster(&process)?;
    let mut change = audit.begin().await?;
    take_back(&mut change, &admin, &process, (&id, &body.reason.0)).await?;
    let told = format!("to be rolled back by {}: {}", admin.id(), body.reason.0);
    done(change, &admin, ("deployment.rollback", &id), &told).await
}

async fn take_back(
    change: &mut Change,
    by: &Admin,
    process: &Process,
    (id, reason): (&str, &str),
) -> Result<()> {
    let row = find(change, id).await?;
    is_super_owner(by)?;
    may_promote(by, process, row.asked.target)?;
    if row.executed.is_some() && row.previous.is_none() {
        let message = "It has changed nothing, or what ran before is not known";
        return Err(Error::conflict("previous_image_unavailable", message));
    }
    let (target, service) = (row.asked.target, row.asked.service.as_str());
    let last = deployments::last_begun(change.tx(), target, service).await?;
    if row.executed.is_some() && last.as_deref() != Some(id) {
        let message = "Another promotion of the service came after it";
        return Err(Error::conflict("not_the_last", message));
    }
    let taken = deployments::take_back(change.tx(), id, (by.id(), reason), TimeMs(now_ms())).await;
    match taken {
        Ok(true) => Ok(()),
        Ok(false) => Err(not_there(&row)),
        Err(error) => already_open(error),
    }
}

/// `POST /admin/deployments/{deploymentId}/cancel`
async fn cancel(
    admin: May<grant::DeploymentCreate>,
    audit: Audit,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<DeploymentDone>> {
    let mut change = audit.begin().await?;
    let row = find(&mut change, &id).await?;
    if row.asked.requester != admin.id() && !admin.may(Permission::DeploymentExecute) {
        return Err(Error::forbidden());
    }
    if !deployments::cancel(change.tx(), &id, TimeMs(now_ms())).await? {
        return Err(not_there(&row));
    }
    let told = format!("called off by {}", admin.id());
    done(change, &admin, ("deployment.cancel", &id), &told).await
}
