//! Registration in one step. The person waits for an admin's approval afterwards.
//!
//! The document number is hashed at once and not kept. No coin moves and nothing reaches the ledger
//! here.

use axum::extract::State;
use axum::http::StatusCode;
use gx_store::identity::users::{self, Decision, NewUser};
use gx_store::tokenomics::{countries, supply};
use gx_store::{Store, Tx};
use gx_types::{CountryCode, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::{BirthDate, DocumentNumber, PersonName, Phone};
use crate::api::Route;
use crate::audit::{Audit, Change, Entry};
use crate::auth::fields::{Email, NewUserPassword};
use crate::auth::{Logins, Policy, random_id};
use crate::calendar::{Date, now_ms};
use crate::error::{Error, Result};
use crate::http::answer::Created;
use crate::http::extract::Body;
use crate::http::fields::{FieldErrors, FieldPath, request};

pub(super) fn routes() -> [Route; 1] {
    [Route::post("/api/v1/auth/register", register)
        .summary("Registers a person, who then waits for approval")
        .credentials()
        .sample(
            r#"{"email": "carol@example.org", "password": "Blue7horse", "firstName": "Carol",
                "lastName": "Example", "countryCode": "DE", "dateOfBirth": "1990-06-15"}"#,
        )
        .fails(&[
            (404, "country_not_found"),
            (409, "email_already_exists"),
            (409, "phone_already_exists"),
            (503, "busy"),
        ])]
}

request! {
    /// A person to register.
    pub(crate) struct RegisterBody {
        email as "email": Email,
        password as "password": NewUserPassword,
        first_name as "firstName": PersonName,
        last_name as "lastName": PersonName,
        phone as "phone": Option<Phone>,
        /// Country of residence, ISO 3166-1 alpha-2.
        country as "countryCode": CountryCode,
        born as "dateOfBirth": BirthDate,
        /// Number of a passport or identity card. It is hashed and not kept; without it the e-mail
        /// address stands for the person.
        document as "nationalId": Option<DocumentNumber>,
    }
}

/// A registered person.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registered {
    /// Id on the platform, which paths take for the account's id as well.
    id: String,
    /// The same, under the name that established clients read here. Everywhere else `userId` is the
    /// id on the ledger, which there is none of before the approval.
    user_id: String,
    message: &'static str,
    status: &'static str,
    kyc_status: &'static str,
}

/// A person about to be registered, with everything checked but whether they are known already.
pub(super) struct Applicant {
    pub(super) email: String,
    pub(super) phone: Option<String>,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) country: CountryCode,
    pub(super) gender: Option<String>,
    /// `YYYY-MM-DD`.
    pub(super) date_of_birth: String,
    /// Number of a document in its normal form.
    pub(super) document: Option<String>,
    pub(super) password_hash: String,
}

/// `POST /auth/register`
async fn register(
    State(logins): State<Logins>,
    audit: Audit,
    Body(body): Body<RegisterBody>,
) -> Result<Created<Registered>> {
    check(&body)?;
    check_country(logins.store(), body.country).await?;
    let new = new_user(&logins, applicant(&logins, body).await?)?;
    let mut change = audit.begin().await?;
    create(change.tx(), &new).await?;
    commit(change, &new).await?;
    Ok(Created(new.into()))
}

impl From<NewUser> for Registered {
    fn from(new: NewUser) -> Self {
        Self {
            status: new.decision.as_str(),
            id: new.user_id.clone(),
            user_id: new.user_id,
            message: "Registered; an administrator will review the application",
            kyc_status: "PENDING",
        }
    }
}

/// What the fields do not say by themselves.
fn check(body: &RegisterBody) -> Result<()> {
    let mut errors = FieldErrors::default();
    let at = FieldPath::Key(&FieldPath::Root, "password");
    Policy::User.check(&body.password.0, &body.email.0, at, &mut errors);
    check_birth(body.born.0, FieldPath::Key(&FieldPath::Root, "dateOfBirth"), &mut errors);
    if errors.0.is_empty() { Ok(()) } else { Err(Error::invalid(errors.0)) }
}

/// Whether somebody can have been born on a day.
pub(super) fn check_birth(born: Date, at: FieldPath<'_>, errors: &mut FieldErrors) {
    let today = Date::of_ms(now_ms());
    if born > today {
        errors.add(at, "dob_future_date", "lies in the future");
    } else if born.age_on(today) > 120 {
        errors.add(at, "dob_max_age", "is more than 120 years ago");
    }
}

/// Refuses a country that the network has not. Before the network has any, every code passes.
pub(super) async fn check_country(store: &Store, code: CountryCode) -> Result<()> {
    if countries::get(store, code).await?.is_some() {
        return Ok(());
    }
    if supply::system(store).await?.is_none_or(|system| system.countries == 0) {
        return Ok(());
    }
    let message = "countryCode is no country of this network";
    Err(Error::new(StatusCode::NOT_FOUND, "country_not_found", message))
}

async fn applicant(logins: &Logins, body: RegisterBody) -> Result<Applicant> {
    Ok(Applicant {
        email: body.email.0,
        phone: body.phone.map(|phone| phone.0),
        first_name: body.first_name.0,
        last_name: body.last_name.0,
        country: body.country,
        gender: None,
        date_of_birth: body.born.0.to_string(),
        document: body.document.map(|document| document.0),
        password_hash: logins.hasher().hash(body.password.0).await?,
    })
}

/// The user that a person becomes, however they have registered.
pub(super) fn new_user(logins: &Logins, applicant: Applicant) -> Result<NewUser> {
    let identity_hash = match &applicant.document {
        Some(document) => logins.pepper().of_document(applicant.country.as_str(), document),
        None => logins.pepper().of_email(&applicant.email),
    };
    Ok(NewUser {
        user_id: random_id().map_err(Error::internal)?,
        email: applicant.email,
        phone: applicant.phone,
        first_name: applicant.first_name,
        last_name: applicant.last_name,
        country: applicant.country,
        gender: applicant.gender,
        date_of_birth: applicant.date_of_birth,
        password_hash: applicant.password_hash,
        decision: Decision::PendingAdminApproval,
        identity_hash,
        created_at: TimeMs(now_ms()),
    })
}

/// Makes the user, whom nobody else may be.
pub(super) async fn create(tx: &mut Tx, new: &NewUser) -> Result<()> {
    users::create(tx, new).await.map_err(taken)
}

/// Ends the change that has made a user.
pub(super) async fn commit(change: Change, new: &NewUser) -> Result<()> {
    let actor = format!("user:{}", new.user_id);
    change.commit(Entry { actor: &actor, action: "user.register", target: &new.user_id }).await
}

pub(super) fn taken(error: gx_store::Error) -> Error {
    if error.is_unique("users.email") {
        Error::conflict("email_already_exists", "A user with this e-mail address exists")
    } else if error.is_unique("users.phone") {
        Error::conflict("phone_already_exists", "A user with this telephone number exists")
    } else {
        error.into()
    }
}
