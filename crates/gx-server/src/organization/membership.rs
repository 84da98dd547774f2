//! How an organization comes into being: proposed, endorsed by each stakeholder, activated.

use gx_contract::organization::{ActivateOrganization, EndorseMembership, ProposeOrganization};
use gx_types::{AccountId, AccountType, CommandId, CountryCode};
use sha2::{Digest, Sha256};

use super::fields::{OrganizationType, Stakeholder, org_id};
use crate::api::Route;
use crate::auth::{May, User, grant};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::extract::{Body, Path};
use crate::http::fields::{Count, List, NoBody, Written, contract_fields, request};

pub(super) fn routes() -> Vec<Route> {
    let propose = Route::post("/api/v1/organizations", propose)
        .summary("Proposes an organization; every stakeholder has to endorse it")
        .sample(
            r#"{"name": "Example Works", "type": "BUSINESS", "countryCode": "DE",
                "stakeholders": ["{ledgerId}", "IN 7K3 ABC123 0WXYZ 1234"]}"#,
        );
    let propose_government = Route::post("/api/v1/admin/organizations", propose_government)
        .summary("Proposes an organization of a government to a second super admin")
        .sample(
            r#"{"name": "Ministry of Examples", "countryCode": "DE",
                "stakeholders": ["{ledgerId}", "IN 7K3 ABC123 0WXYZ 1234"]}"#,
        )
        .concerns("organizations");
    vec![
        propose.alias("/api/v1/organizations/propose"),
        propose,
        propose_government,
        Route::post("/api/v1/organizations/{orgId}/endorse", endorse)
            .summary("Agrees to stand for an organization that is proposed")
            .sample("{}"),
        Route::post("/api/v1/organizations/{orgId}/activate", activate)
            .summary("Opens the account of an organization that all have endorsed")
            .sample("{}"),
    ]
}

contract_fields! {
    AccountType: "invalid_account_type", "must be the fourth block's first digit: 0-9, A, E or F";
}

request! {
    /// An organization. Until it has rules of its own, every stakeholder approves every payment.
    pub(crate) struct OrganizationBody {
        /// An id of the layout; one is made when it is left out.
        id as "organizationId": Option<AccountId>,
        /// Readable by everybody on the ledger.
        name as "name": Written<3, 100>,
        kind as "type": OrganizationType,
        /// The proposer's country when it is left out.
        country as "countryCode": Option<CountryCode>,
        /// Of the id that is made: `1` for profit, `2` not, `3` education, `4` health, `5`
        /// finance, `A` trust or estate.
        account_type as "accountType": Option<AccountType>,
        /// Users on the ledger, the proposer among them.
        stakeholders as "stakeholders": List<Stakeholder, 2, 20>,
        /// Taken for the sake of established clients: rules follow when it is active.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        threshold as "approvalThreshold": Option<Count<1, 100>>,
        /// Taken for the sake of established clients; it is not kept.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        description as "description": Option<Written<0, 2000>>,
    }
}

request! {
    /// An organization of a government.
    pub(crate) struct GovernmentBody {
        /// An id of the layout; one is made when it is left out.
        id as "organizationId": Option<AccountId>,
        /// Readable by everybody on the ledger.
        name as "name": Written<3, 100>,
        country as "countryCode": CountryCode,
        /// Of the id that is made: `7` governmental, `8` intergovernmental, `9` diplomatic.
        account_type as "accountType": Option<AccountType>,
        /// Users on the ledger.
        stakeholders as "stakeholders": List<Stakeholder, 2, 20>,
    }
}

/// An id that the same command always has: who sends it again names the same organization.
fn made_for(command: CommandId, country: CountryCode, kind: AccountType) -> AccountId {
    let mut hash = Sha256::new();
    hash.update(b"gx/organization/1\0");
    hash.update(command.as_str().as_bytes());
    let mut entropy = [0; 16];
    entropy.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    AccountId::from_entropy(country, kind, entropy)
}

fn ids(stakeholders: List<Stakeholder, 2, 20>) -> Vec<AccountId> {
    stakeholders.0.into_iter().map(|stakeholder| stakeholder.0).collect()
}

/// The country that an account was opened in.
fn country_of(account: &AccountId) -> Result<CountryCode> {
    let layout = account.layout();
    layout
        .map(|layout| layout.country)
        .map_err(|_| Error::field("countryCode", "required", "is required"))
}

/// `POST /organizations`
async fn propose(
    commands: Commands<User>,
    Body(body): Body<OrganizationBody>,
) -> Result<Accepted<ProposeOrganization>> {
    let (kind, usual) = body.kind.on_ledger();
    let own = commands.by.own_account()?;
    let country = body.country.map_or_else(|| country_of(&own), Ok)?;
    let made = made_for(commands.id()?, country, body.account_type.unwrap_or(usual));
    let (org_id, stakeholders) = (body.id.unwrap_or(made), ids(body.stakeholders));
    let name = body.name.into();
    commands.give(ProposeOrganization { org_id, name, kind, country, stakeholders }).await
}

/// `POST /admin/organizations`
async fn propose_government(
    commands: Commands<May<grant::TreasuryActivate>>,
    Body(body): Body<GovernmentBody>,
) -> Result<Accepted<ProposeOrganization>> {
    let (kind, usual) = OrganizationType::Government.on_ledger();
    let country = body.country;
    let made = made_for(commands.id()?, country, body.account_type.unwrap_or(usual));
    let (org_id, stakeholders) = (body.id.unwrap_or(made), ids(body.stakeholders));
    let name = body.name.into();
    commands.give(ProposeOrganization { org_id, name, kind, country, stakeholders }).await
}

/// `POST /organizations/{orgId}/endorse`
async fn endorse(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<EndorseMembership>> {
    commands.give(EndorseMembership { org_id: org_id(&id)? }).await
}

/// `POST /organizations/{orgId}/activate`
async fn activate(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ActivateOrganization>> {
    commands.give(ActivateOrganization { org_id: org_id(&id)? }).await
}
