//! What is asked for and decided, and how it is answered.

use gx_store::admin::approvals::{Approval, ApprovalStatus};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::auth::AdminRole;
use crate::calendar::rfc3339;
use crate::http::answer::Pagination;
use crate::http::fields::{Count, Text, Written, choices, listed_fields, one_of, request};

choices! {
    /// What can be asked for.
    ApprovalKind("invalid_request_type") {
        UserSuspend = "USER_SUSPEND",
        UserClose = "USER_CLOSE",
        AdminRoleChange = "ADMIN_ROLE_CHANGE",
    }
    /// What is decided.
    ApprovalVote("invalid_decision") {
        Approve = "APPROVE",
        Reject = "REJECT",
    }
}

listed_fields! {
    ApprovalStatus: "invalid_status";
}

/// A status of an approval, where the description names it.
fn statuses(_: &mut SchemaGenerator) -> Schema {
    one_of(ApprovalStatus::ALL.map(ApprovalStatus::as_str))
}

request! {
    /// What is asked for.
    pub(crate) struct ApprovalBody {
        kind as "requestType": ApprovalKind,
        /// Id of the user, or user name of the administrator.
        target as "targetResource": Text<1, 64>,
        /// In a few words, for whoever decides.
        action as "action": Option<Written<1, 200>>,
        /// What more has to be known.
        payload as "payload": Option<PayloadBody>,
        reason as "reason": Written<10, 1000>,
    }
}

request! {
    /// What more has to be known of what is asked for.
    pub(crate) struct PayloadBody {
        /// With `ADMIN_ROLE_CHANGE`: the role that the administrator is to have.
        role as "role": Option<AdminRole>,
    }
}

request! {
    /// Which approvals. Who can't decide on them sees their own.
    pub(crate) struct ApprovalsQuery {
        #[schemars(schema_with = "statuses")]
        status as "status": Option<ApprovalStatus>,
        kind as "requestType": Option<ApprovalKind>,
        /// User name of who has asked.
        requester as "requesterId": Option<Text<1, 64>>,
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// What is decided, and why.
    pub(crate) struct VoteBody {
        decision as "decision": ApprovalVote,
        reason as "reason": Option<Written<1, 1000>>,
    }
}

/// Something that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalReply {
    id: String,
    request_type: String,
    target_resource: String,
    action: String,
    /// The role that is asked for, with `ADMIN_ROLE_CHANGE`.
    role: Option<String>,
    reason: String,
    requester_id: String,
    /// `PENDING`, `APPROVED`, `REJECTED`, `CANCELLED` or `EXPIRED`.
    status: &'static str,
    created_at: String,
    /// From then on it can be neither decided on nor carried out.
    expires_at: String,
    /// Who has approved or rejected it.
    approver_id: Option<String>,
    decided_at: Option<String>,
    decision_reason: Option<String>,
    executed_by: Option<String>,
    /// When it was carried out.
    executed_at: Option<String>,
}

impl From<Approval> for ApprovalReply {
    fn from(row: Approval) -> Self {
        let Approval { asked, status, decided, decision_reason, executed } = row;
        let (approver_id, decided_at) = decided.unzip();
        let (executed_by, executed_at) = executed.unzip();
        Self {
            id: asked.approval_id,
            request_type: asked.kind,
            target_resource: asked.target,
            action: asked.action,
            role: asked.role,
            reason: asked.reason,
            requester_id: asked.requester,
            status: status.as_str(),
            created_at: rfc3339(asked.created_at.0),
            expires_at: rfc3339(asked.expires_at.0),
            approver_id,
            decided_at: decided_at.map(|at| rfc3339(at.0)),
            decision_reason,
            executed_by,
            executed_at: executed_at.map(|at| rfc3339(at.0)),
        }
    }
}

/// An approval as it stands after a request.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ApprovalDone {
    pub(super) success: bool,
    pub(super) approval: ApprovalReply,
}

/// A page of approvals.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ApprovalsReply {
    pub(super) approvals: Vec<ApprovalReply>,
    pub(super) pagination: Pagination,
}
