//! Whom tokens are for: whoever logs in, be it a user or an administrator.
//!
//! What the two have in common is written once against this type; what they have not, such as the
//! statuses that keep a user out, is asked here.

use gx_store::Tx;
use gx_store::admin::admins::{self, Admin};
use gx_store::identity::users::{self, User, UserStatus};
use gx_store::login::{Subject, SubjectKind};

use super::gate::may_act;
use crate::error::Result;

/// The role in users' tokens.
pub(crate) const USER_ROLE: &str = "USER";

/// Somebody who may have tokens, or may not.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    id: String,
    pub(crate) role: String,
    pub(crate) ledger_id: Option<String>,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    User(UserStatus),
    Admin { enabled: bool },
}

impl From<&User> for Principal {
    fn from(row: &User) -> Self {
        Self {
            id: row.user_id.clone(),
            role: USER_ROLE.to_owned(),
            ledger_id: row.ledger_id.as_ref().map(ToString::to_string),
            state: State::User(row.status),
        }
    }
}

impl From<&Admin> for Principal {
    fn from(row: &Admin) -> Self {
        Self {
            id: row.admin_id.clone(),
            role: row.role.clone(),
            ledger_id: row.ledger_id.as_ref().map(ToString::to_string),
            state: State::Admin { enabled: row.enabled },
        }
    }
}

impl Principal {
    /// Who has an id, if anybody.
    pub(crate) async fn load(tx: &mut Tx, subject: Subject<'_>) -> Result<Option<Self>> {
        Ok(match subject.kind {
            SubjectKind::User => users::get(tx, subject.id).await?.as_ref().map(Self::from),
            SubjectKind::Admin => admins::get(tx, subject.id).await?.as_ref().map(Self::from),
        })
    }

    pub(crate) fn subject(&self) -> Subject<'_> {
        match self.state {
            State::User(_) => Subject::user(&self.id),
            State::Admin { .. } => Subject::admin(&self.id),
        }
    }

    /// Whether they may have tokens now. Users who are shut out are told so.
    pub(crate) fn is_admitted(&self) -> Result<bool> {
        match self.state {
            State::User(status) => may_act(status).map(|()| true),
            State::Admin { enabled } => Ok(enabled),
        }
    }

    /// As tokens say it.
    pub(crate) fn status(&self) -> &'static str {
        match self.state {
            State::User(status) => status.as_str(),
            State::Admin { .. } => "ACTIVE",
        }
    }
}
