//! What is asked for, and how promotions are answered.

use gx_engine::{GateResult, Verdict};
use gx_store::deployments::{Deployment, DeploymentStatus, LogLine};
use gx_types::NetworkId;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::calendar::rfc3339;
use crate::http::answer::Pagination;
use crate::http::fields::{Count, Text, Written, choices, listed_fields, one_of, request};

choices! {
    /// A network.
    Environment("invalid_environment") {
        Devnet = "devnet",
        Testnet = "testnet",
        Mainnet = "mainnet",
    }
    /// A workload that can be promoted.
    Deployable("invalid_service") {
        Identity = "svc-identity",
        Admin = "svc-admin",
        Tokenomics = "svc-tokenomics",
        Organization = "svc-organization",
        Loanpool = "svc-loanpool",
        Governance = "svc-governance",
        Tax = "svc-tax",
        Submitter = "outbox-submitter",
        Projector = "projector",
    }
}

impl Environment {
    pub(super) const fn network(self) -> NetworkId {
        match self {
            Self::Devnet => NetworkId::Devnet,
            Self::Testnet => NetworkId::Testnet,
            Self::Mainnet => NetworkId::Mainnet,
        }
    }
}

listed_fields! {
    DeploymentStatus: "invalid_status";
}

/// A status of a promotion, where the description names it.
fn statuses(_: &mut SchemaGenerator) -> Schema {
    one_of(DeploymentStatus::ALL.map(DeploymentStatus::as_str))
}

request! {
    /// What is to be promoted.
    pub(crate) struct PromoteBody {
        service as "service": Deployable,
        source as "sourceEnv": Environment,
        /// The network after it: testnet after devnet, mainnet after testnet.
        target as "targetEnv": Environment,
        /// The digest that the source is expected to run, `sha256:…`; without it whichever it runs.
        digest as "imageDigest": Option<Text<71, 71>>,
        reason as "reason": Written<10, 1000>,
    }
}

request! {
    /// Why the image before is to be put back.
    pub(crate) struct RollbackBody {
        reason as "reason": Written<10, 1000>,
    }
}

request! {
    /// Which promotions.
    pub(crate) struct DeploymentsQuery {
        service as "service": Option<Deployable>,
        target as "targetEnv": Option<Environment>,
        #[schemars(schema_with = "statuses")]
        status as "status": Option<DeploymentStatus>,
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Which lines of the log.
    pub(crate) struct LogsQuery {
        /// Lines after the one with this number.
        after_line as "afterLine": Option<Count<0, 1_000_000_000>>,
        limit as "limit": Option<Count<1, 500>>,
    }
}

/// What stands in the way of a promotion, or does not.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GateReply {
    gate: &'static str,
    /// `passed`, `failed`, `unknown` or `not_needed`; what is unknown stands in the way as well.
    verdict: &'static str,
    /// What shows it, for people.
    evidence: String,
}

impl From<GateResult> for GateReply {
    fn from(result: GateResult) -> Self {
        let GateResult { gate, verdict, evidence } = result;
        Self { gate: gate.as_str(), verdict: Verdict::as_str(verdict), evidence }
    }
}

/// A promotion.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeploymentReply {
    id: String,
    service: String,
    source_env: &'static str,
    target_env: &'static str,
    /// By its digest.
    image: String,
    /// What ran before, once that is known.
    previous_image: Option<String>,
    git_commit: Option<String>,
    reason: String,
    /// `PENDING_APPROVAL`, `APPROVED`, `IN_PROGRESS`, `HEALTH_CHECK`, `COMPLETED`, `FAILED`,
    /// `ROLLED_BACK`, `CANCELLED` or `EXPIRED`.
    status: &'static str,
    /// `GATES`, `CANARY`, `SPREAD`, `WATCH` or `RESTORE`, while something is done.
    step: Option<&'static str>,
    requested_by: String,
    requested_at: String,
    /// Until then it has to be approved and begun.
    expires_at: String,
    approved_by: Option<String>,
    approved_at: Option<String>,
    executed_by: Option<String>,
    executed_at: Option<String>,
    finished_at: Option<String>,
    /// Why it came to nothing.
    failure: Option<String>,
    rolled_back_by: Option<String>,
    rollback_reason: Option<String>,
    /// As they were looked at last.
    gates: Vec<GateReply>,
}

impl From<Deployment> for DeploymentReply {
    fn from(row: Deployment) -> Self {
        let Deployment { asked, status, decided, executed, step, previous, failure, .. } = row;
        let (approved_by, approved_at) = decided.unzip();
        let (executed_by, executed_at) = executed.unzip();
        let (rolled_back_by, rollback_reason) = row.taken_back.unzip();
        // Gates that another build has written are left out.
        let gates: Vec<GateResult> = serde_json::from_str(&asked.gates).unwrap_or_default();
        Self {
            id: asked.deployment_id,
            service: asked.service,
            source_env: asked.source.as_str(),
            target_env: asked.target.as_str(),
            image: asked.image,
            previous_image: previous.map(|previous| previous.image),
            git_commit: asked.git_commit,
            reason: asked.reason,
            status: status.as_str(),
            step: step.map(|(step, _)| step.as_str()),
            requested_by: asked.requester,
            requested_at: rfc3339(asked.created_at.0),
            expires_at: rfc3339(asked.expires_at.0),
            approved_by,
            approved_at: approved_at.map(|at| rfc3339(at.0)),
            executed_by,
            executed_at: executed_at.map(|at| rfc3339(at.0)),
            finished_at: row.finished_at.map(|at| rfc3339(at.0)),
            failure,
            rolled_back_by,
            rollback_reason,
            gates: gates.into_iter().map(GateReply::from).collect(),
        }
    }
}

/// A promotion as it stands after a request.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeploymentDone {
    pub(super) success: bool,
    pub(super) deployment: DeploymentReply,
}

/// A page of promotions.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DeploymentsReply {
    pub(super) deployments: Vec<DeploymentReply>,
    pub(super) pagination: Pagination,
}

/// A line of a promotion's log.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogReply {
    number: u64,
    at: String,
    /// `INFO`, `WARNING` or `ERROR`.
    level: &'static str,
    /// The step, or `REQUEST` of what administrators do.
    step: String,
    message: String,
}

impl From<LogLine> for LogReply {
    fn from(line: LogLine) -> Self {
        let LogLine { number, at, level, step, message } = line;
        Self { number, at: rfc3339(at.0), level: level.as_str(), step, message }
    }
}

/// Lines of a promotion's log, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct LogsReply {
    pub(super) logs: Vec<LogReply>,
}

/// What this process can promote.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ServicesReply {
    pub(super) services: Vec<&'static str>,
}

/// From which network to which, and whether this process promotes there.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PathReply {
    pub(super) source_env: &'static str,
    pub(super) target_env: &'static str,
    pub(super) is_open: bool,
}

/// The ways from network to network.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct EnvironmentsReply {
    pub(super) environments: Vec<PathReply>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;

    #[test]
    fn every_service_can_be_promoted() {
        let listed: Vec<&str> = Deployable::ALL.iter().map(|one| one.as_str()).collect();
        for service in Service::ALL {
            assert!(listed.contains(&format!("svc-{}", service.as_str()).as_str()), "{listed:?}");
        }
        assert_eq!(listed.len(), Service::ALL.len() + 2, "and the two workers");
    }
}
