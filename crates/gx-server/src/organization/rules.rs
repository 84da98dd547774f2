//! By which rules an organization pays, and who stands for it. Giving the same again is approving
//! it: nobody approves what they have not seen.

use gx_contract::organization::{ChangeStakeholders, DefineAuthRule, WithdrawStakeholderChange};
use gx_types::AccountId;

use super::fields::{Rules, ladder, org_id};
use crate::api::Route;
use crate::auth::User;
use crate::commands::{Accepted, Commands};
use crate::error::Result;
use crate::http::extract::{Body, Path};
use crate::http::fields::{List, NoBody, request};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::post("/api/v1/organizations/{orgId}/rules", define)
            .summary("Proposes the rules of payments, or approves those that are proposed")
            .sample(
                r#"{"rules": [{"fromAmount": "0", "requiredApprovers": 1,
                    "approverGroup": ["{ledgerId}"]}]}"#,
            ),
        Route::post("/api/v1/organizations/{orgId}/stakeholders", change)
            .summary("Proposes other stakeholders, or approves those that are proposed")
            .sample(r#"{"add": ["IN 7K3 ABC123 0WXYZ 1234"]}"#),
        Route::post("/api/v1/organizations/{orgId}/stakeholders/withdraw", withdraw)
            .summary("Gives up the change of stakeholders that is proposed")
            .sample("{}"),
    ]
}

request! {
    /// Rules, which replace those in force as a whole when every stakeholder has approved them.
    pub(crate) struct RulesBody {
        /// By amount, rising from zero; an empty list has every stakeholder approve every payment.
        rules as "rules": Rules,
    }
}

request! {
    /// Who comes and who leaves. All who stay and all who come have to say the same.
    pub(crate) struct StakeholdersBody {
        /// Users who come.
        add as "add": Option<List<AccountId, 0, 20>>,
        /// Stakeholders who leave. 2 to 20 remain.
        remove as "remove": Option<List<AccountId, 0, 20>>,
        /// Needed when a rule would have fewer approvers left than it requires.
        rules as "rules": Option<Rules>,
    }
    any_of ["add", "remove"]
}

/// `POST /organizations/{orgId}/rules`
async fn define(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(RulesBody { rules }): Body<RulesBody>,
) -> Result<Accepted<DefineAuthRule>> {
    commands.give(DefineAuthRule { org_id: org_id(&id)?, ladder: ladder(rules) }).await
}

/// `POST /organizations/{orgId}/stakeholders`
async fn change(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(body): Body<StakeholdersBody>,
) -> Result<Accepted<ChangeStakeholders>> {
    let (org_id, new_ladder) = (org_id(&id)?, body.rules.map(ladder));
    let list = |ids: Option<List<AccountId, 0, 20>>| ids.map(|ids| ids.0).unwrap_or_default();
    let (add, remove) = (list(body.add), list(body.remove));
    commands.give(ChangeStakeholders { org_id, add, new_ladder, remove }).await
}

/// `POST /organizations/{orgId}/stakeholders/withdraw`
async fn withdraw(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<WithdrawStakeholderChange>> {
    commands.give(WithdrawStakeholderChange { org_id: org_id(&id)? }).await
}
