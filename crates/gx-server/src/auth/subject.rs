//! Whom tokens are for: whoever logs in, be it a user or an administrator.
//!
//! What the two have in common is written once against this type; what they have not, such as the
//! statuses that keep a user out, is asked here.

use gx_store::Tx;
use gx_store::admin::admins::{self, Admin};
use gx_store::identity::sessions::SubjectKind;
use gx_store::identity::users::{self, User};

use super::gate::may_act;
use crate::error::Result;

/// The role in users' tokens.
pub(crate) const USER_ROLE: &str = "USER";

/// Somebody who may have tokens.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) kind: SubjectKind,
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) status: String,
    pub(crate) ledger_id: Option<String>,
}

impl From<&User> for Subject {
    fn from(row: &User) -> Self {
        Self {
            kind: SubjectKind::User,
            id: row.user_id.clone(),
            role: USER_ROLE.to_owned(),
            status: row.status.as_str().to_owned(),
            ledger_id: row.ledger_id.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&Admin> for Subject {
    fn from(row: &Admin) -> Self {
        Self {
            kind: SubjectKind::Admin,
            id: row.admin_id.clone(),
            role: row.role.clone(),
            status: "ACTIVE".to_owned(),
            ledger_id: row.ledger_id.as_ref().map(ToString::to_string),
        }
    }
}

impl Subject {
    /// Who has an id and may have tokens now. Users who are shut out are told so.
    pub(crate) async fn admitted(tx: &mut Tx, kind: SubjectKind, id: &str) -> Result<Option<Self>> {
        match kind {
            SubjectKind::User => {
                let row = users::get(tx, id).await?;
                row.map(|row| may_act(row.status).map(|()| Self::from(&row))).transpose()
            }
            SubjectKind::Admin => {
                let row = admins::get(tx, id).await?;
                Ok(row.filter(|row| row.enabled).map(|row| Self::from(&row)))
            }
        }
    }
}

/// `user:<id>` or `admin:<id>`: who did something, in the audit log and as a scope of keys.
pub(crate) fn scope(kind: SubjectKind, id: &str) -> String {
    match kind {
        SubjectKind::User => format!("user:{id}"),
        SubjectKind::Admin => format!("admin:{id}"),
    }
}
