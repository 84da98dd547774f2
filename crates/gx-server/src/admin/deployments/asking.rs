//! Whether something may be promoted by whom, what exactly, and what stands in the way.

use axum::http::StatusCode;
use gx_cluster::KubeCluster;
use gx_engine::{
    Cluster as _, ClusterError, GateResult, Wanted, image_digest, in_the_way, look_at_gates,
};
use gx_store::deployments::{Deployment, DeploymentStatus, NewDeployment};
use gx_types::{NetworkId, TimeMs};

use super::fields::PromoteBody;
use crate::app::Process;
use crate::auth::{Admin, AdminRole, Permission, random_id};
use crate::calendar::now_ms;
use crate::error::{Detail, Error, Result};

/// How long something that was asked for can be approved and begun.
const OPEN_MS: i64 = 30 * 60 * 1000;

/// The ways from network to network.
pub(super) const PATHS: [(NetworkId, NetworkId); 2] =
    [(NetworkId::Devnet, NetworkId::Testnet), (NetworkId::Testnet, NetworkId::Mainnet)];

/// The cluster that this process promotes on.
pub(super) fn cluster(process: &Process) -> Result<&KubeCluster> {
    let message = "This process promotes nothing; an operator sets promotion.target";
    let missing = || Error::conflict("promotion_not_configured", message);
    process.promotion.as_ref().ok_or_else(missing)
}

pub(super) fn away(error: ClusterError) -> Error {
    let message = "The cluster does not answer as it should; the same request may be sent again";
    Error::unavailable("cluster_unavailable", message).because(error)
}

/// Whether somebody may promote to a network, and this process does.
pub(super) fn may_promote(admin: &Admin, process: &Process, target: NetworkId) -> Result<()> {
    let needed = match target {
        NetworkId::Devnet => return Err(wrong_path()),
        NetworkId::Testnet => Permission::DeploymentPromoteTestnet,
        NetworkId::Mainnet => Permission::DeploymentPromoteMainnet,
    };
    if !admin.may(needed) {
        return Err(Error::forbidden());
    }
    if process.config.promotion.target() != Some(target) {
        let message = format!("This process does not promote to {target}");
        return Err(Error::new(StatusCode::FORBIDDEN, "network_not_promoted", message));
    }
    Ok(())
}

/// What changes a network is decided by those who answer for the platform.
pub(super) fn is_super_owner(admin: &Admin) -> Result<()> {
    if admin.role == AdminRole::SuperOwner { Ok(()) } else { Err(Error::forbidden()) }
}

fn wrong_path() -> Error {
    let message = "Images go from devnet to testnet and from testnet to mainnet";
    Error::bad_request("invalid_promotion_path", message)
}

/// What is asked for, as it is written down.
pub(super) async fn new_deployment(
    admin: &Admin,
    process: &Process,
    body: PromoteBody,
) -> Result<NewDeployment> {
    let cluster = cluster(process)?;
    let (source, target) = (body.source.network(), body.target.network());
    if !PATHS.contains(&(source, target)) {
        return Err(wrong_path());
    }
    may_promote(admin, process, target)?;
    let service = body.service.as_str();
    let image = running(cluster, source, service).await?;
    let digest = image_digest(&image).unwrap_or_default().to_owned();
    if body.digest.as_ref().is_some_and(|expected| expected.0 != digest) {
        let message = format!("{source} runs {digest}, not what is asked for");
        return Err(Error::conflict("image_not_at_source", message));
    }
    let wanted = Wanted { service, source, target, image: &image };
    let gates = look(cluster, process, wanted).await?;
    let build = cluster.build(target, &digest).await.map_err(away)?;
    let now = now_ms();
    Ok(NewDeployment {
        deployment_id: random_id().map_err(Error::internal)?,
        service: service.to_owned(),
        source,
        target,
        git_commit: build.ok().and_then(|build| build.git_commit),
        reason: body.reason.0,
        requester: admin.id().to_owned(),
        // A list of plain structs always serialises.
        gates: serde_json::to_string(&gates).unwrap_or_default(),
        created_at: TimeMs(now),
        expires_at: TimeMs(now.saturating_add(OPEN_MS)),
        image,
    })
}

/// The image that the source runs, by its digest.
async fn running(cluster: &KubeCluster, source: NetworkId, service: &str) -> Result<String> {
    let workload = cluster.workload(source, service).await.map_err(away)?;
    let Some(workload) = workload else {
        let message = format!("{source} has no {service}");
        return Err(Error::conflict("not_at_source", message));
    };
    if image_digest(&workload.image).is_none() {
        let message = format!("{source} runs an image that is not named by its digest");
        return Err(Error::conflict("image_without_digest", message));
    }
    Ok(workload.image)
}

async fn look(
    cluster: &KubeCluster,
    process: &Process,
    wanted: Wanted<'_>,
) -> Result<Vec<GateResult>> {
    let terms = process.config.promotion.terms();
    look_at_gates(cluster, wanted, terms, TimeMs(now_ms())).await.map_err(away)
}

/// Refuses what something stands in the way of, and says what.
pub(super) async fn pass_gates(process: &Process, row: &Deployment) -> Result<()> {
    let asked = &row.asked;
    let wanted = Wanted {
        service: &asked.service,
        source: asked.source,
        target: asked.target,
        image: &asked.image,
    };
    let gates = look(cluster(process)?, process, wanted).await?;
    let Some(found) = in_the_way(&gates) else { return Ok(()) };
    let error =
        Error::conflict("gates_not_passed", format!("Something stands in the way: {found}"));
    let detail = |result: GateResult| Detail {
        field: result.gate.as_str().to_owned(),
        code: result.verdict.as_str().into(),
        message: result.evidence.into(),
    };
    let closed = gates.into_iter().filter(GateResult::is_in_the_way).map(detail);
    Err(closed.fold(error, Error::detailing))
}

/// How a promotion that does not stand where it should is refused.
pub(super) fn not_there(row: &Deployment) -> Error {
    let status = row.status.as_str();
    match row.status {
        DeploymentStatus::PendingApproval => {
            Error::conflict("not_approved", "Nobody has approved it yet")
        }
        DeploymentStatus::Expired => {
            Error::conflict("deployment_expired", "Its time is over; ask once more")
        }
        DeploymentStatus::Approved
        | DeploymentStatus::InProgress
        | DeploymentStatus::HealthCheck
        | DeploymentStatus::Completed
        | DeploymentStatus::Failed
        | DeploymentStatus::RolledBack
        | DeploymentStatus::Cancelled => {
            let message = format!("It is {status} already");
            Error::conflict("deployment_already_processed", message)
        }
    }
}
