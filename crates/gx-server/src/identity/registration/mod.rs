//! Registration in steps: an address that mail reaches, who somebody is, a password, and a
//! telephone that text messages reach. At the end the person stands where `POST /auth/register`
//! leaves them, and has a session.
//!
//! Nothing here tells who has an account: a known address or number gets the same answer after the
//! same time, and its owner a message that says so.

mod steps;

use axum::extract::State;
use axum::http::HeaderMap;
use gx_store::Store;
use gx_store::identity::registrations::{Registration, Step};
use gx_types::CountryCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::fields::{BirthDate, DialledPhone, Gender, OneTimeCode, PersonName};
use super::login::LoggedIn;
use crate::api::{Failure, Route};
use crate::audit::Audit;
use crate::auth::Logins;
use crate::auth::fields::{Email, GivenPassword, NewUserPassword, Token};
use crate::auth::session::Origin;
use crate::calendar::rfc3339;
use crate::error::Result;
use crate::http::answer::{Created, Json};
use crate::http::context::Context;
use crate::http::extract::{Body, Path};
use crate::http::fields::request;

/// How a step is refused that comes too late or in another order.
const STEP: [Failure; 4] = [
    (404, "registration_not_found"),
    (409, "registration_already_completed"),
    (409, "registration_step_invalid"),
    (410, "registration_expired"),
];

/// How a code is refused.
const CODE: [Failure; 3] = [(400, "otp_expired"), (400, "otp_invalid"), (429, "otp_max_attempts")];

/// How no further code is sent.
const ENOUGH: [Failure; 1] = [(429, "otp_resend_limit")];

pub(super) fn routes() -> Vec<Route> {
    let mut routes = Vec::from(of_email());
    routes.extend(of_person());
    routes.extend(of_phone());
    routes.push(
        Route::get("/api/v1/registration/{registrationId}", standing)
            .summary("How far a registration has come; nothing of the person")
            .fails(&[(404, "registration_not_found"), (410, "registration_expired")]),
    );
    routes
}

fn of_email() -> [Route; 3] {
    [
        Route::post("/api/v1/registration/email", email)
            .summary("Begins a registration: mails a code to an address")
            .credentials()
            .sample(r#"{"email": "dora@example.org"}"#),
        Route::post("/api/v1/registration/email/verify", verify_email)
            .summary("Takes the code that was mailed")
            .credentials()
            .sample(r#"{"registrationId": "{registrationId}", "otp": "{otp}"}"#)
            .fails(&STEP)
            .fails(&CODE),
        Route::post("/api/v1/registration/email/resend", resend_email)
            .summary("Mails another code")
            .credentials()
            .sample(r#"{"registrationId": "{registrationId}"}"#)
            .fails(&STEP)
            .fails(&ENOUGH),
    ]
}

fn of_person() -> [Route; 3] {
    [
        Route::post("/api/v1/registration/name-country", name_country)
            .summary("Takes name and country of residence")
            .sample(
                r#"{"registrationId": "{registrationId}", "firstName": "Dora",
                    "lastName": "Example", "countryCode": "DE"}"#,
            )
            .fails(&STEP)
            .fails(&[(404, "country_not_found")]),
        Route::post("/api/v1/registration/dob-gender", dob_gender)
            .summary("Takes date of birth and gender")
            .sample(
                r#"{"registrationId": "{registrationId}", "dateOfBirth": "1990-06-15",
                    "gender": "FEMALE"}"#,
            )
            .fails(&STEP),
        Route::post("/api/v1/registration/password", password)
            .summary("Takes the password of the account to be")
            .credentials()
            .sample(
                r#"{"registrationId": "{registrationId}", "password": "Blue7horse",
                    "confirmPassword": "Blue7horse"}"#,
            )
            .fails(&STEP)
            .fails(&[(503, "busy")]),
    ]
}

fn of_phone() -> [Route; 3] {
    [
        Route::post("/api/v1/registration/phone", phone)
            .summary("Sends a code to a telephone; another number replaces one that was mistyped")
            .credentials()
            .sample(r#"{"registrationId": "{registrationId}", "phoneNum": "+4915155501234"}"#)
            .fails(&STEP)
            .fails(&ENOUGH),
        Route::post("/api/v1/registration/phone/verify", verify_phone)
            .summary("Takes the code that was sent, registers the person and opens a session")
            .credentials()
            .gives_tokens()
            .sample(r#"{"registrationId": "{registrationId}", "otp": "{otp}"}"#)
            .fails(&STEP)
            .fails(&CODE)
            .fails(&[(409, "email_already_exists"), (409, "phone_already_exists")]),
        Route::post("/api/v1/registration/phone/resend", resend_phone)
            .summary("Sends another code")
            .credentials()
            .sample(r#"{"registrationId": "{registrationId}"}"#)
            .fails(&STEP)
            .fails(&ENOUGH),
    ]
}

request! {
    /// Who wants to register.
    pub(crate) struct RegistrationEmailBody {
        email as "email": Email,
    }
}

request! {
    /// A code that was sent.
    pub(crate) struct RegistrationCodeBody {
        id as "registrationId": Token,
        code as "otp": OneTimeCode,
    }
}

request! {
    /// Which registration.
    pub(crate) struct RegistrationBody {
        id as "registrationId": Token,
    }
}

request! {
    /// Who the person is, and where they live.
    pub(crate) struct RegistrationNameBody {
        id as "registrationId": Token,
        first_name as "firstName": PersonName,
        last_name as "lastName": PersonName,
        /// Country of residence, ISO 3166-1 alpha-2.
        country as "countryCode": CountryCode,
    }
}

request! {
    /// When the person was born, and the gender.
    pub(crate) struct RegistrationBirthBody {
        id as "registrationId": Token,
        born as "dateOfBirth": BirthDate,
        gender as "gender": Gender,
    }
}

request! {
    /// The password of the account to be.
    pub(crate) struct RegistrationPasswordBody {
        id as "registrationId": Token,
        password as "password": NewUserPassword,
        confirm as "confirmPassword": GivenPassword,
    }
}

request! {
    /// The person's telephone.
    pub(crate) struct RegistrationPhoneBody {
        id as "registrationId": Token,
        phone as "phoneNum": DialledPhone,
    }
}

/// How far a registration has come.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistrationStep {
    success: bool,
    registration_id: String,
    /// `EMAIL_SENT`, `EMAIL_VERIFIED`, `NAME_COUNTRY_SET`, `DOB_GENDER_SET`, `PASSWORD_SET`,
    /// `PHONE_SENT` or `COMPLETED`.
    current_step: &'static str,
    message: &'static str,
}

impl RegistrationStep {
    fn at(registration_id: Token, step: Step, message: &'static str) -> Self {
        let current_step = step.as_str();
        Self { success: true, registration_id: registration_id.0, current_step, message }
    }
}

/// The same, and whether the person can have genesis coins by their age.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BirthStep {
    #[serde(flatten)]
    step: RegistrationStep,
    genesis_eligible: bool,
    eligibility_message: &'static str,
}

/// The same, and what the password is worth.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PasswordStep {
    #[serde(flatten)]
    step: RegistrationStep,
    /// `weak`, `medium` or `strong`.
    password_strength: &'static str,
}

/// A registration that is done, and the session of the person.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FinishedRegistration {
    #[serde(flatten)]
    step: RegistrationStep,
    #[serde(flatten)]
    session: LoggedIn,
}

/// A registration, without anything of the person.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistrationStanding {
    registration_id: String,
    current_step: &'static str,
    email_verified: bool,
    phone_verified: bool,
    created_at: String,
    expires_at: String,
}

impl RegistrationStanding {
    fn of(registration_id: String, row: &Registration) -> Self {
        Self {
            registration_id,
            current_step: row.step.as_str(),
            email_verified: row.step != Step::EmailSent,
            phone_verified: row.step == Step::Completed,
            created_at: rfc3339(row.created_at.0),
            expires_at: rfc3339(row.expires_at.0),
        }
    }
}

const SENT: &str = "A code is on its way; it is good for 10 minutes";

/// `POST /registration/email`
async fn email(
    State(logins): State<Logins>,
    context: Context,
    Body(body): Body<RegistrationEmailBody>,
) -> Result<Created<RegistrationStep>> {
    let id = steps::begin(&logins, &context, &body.email.0).await?;
    Ok(Created(RegistrationStep::at(id, Step::EmailSent, SENT)))
}

/// `POST /registration/email/verify`
async fn verify_email(
    State(logins): State<Logins>,
    audit: Audit,
    Body(body): Body<RegistrationCodeBody>,
) -> Result<Json<RegistrationStep>> {
    steps::verify_email(&logins, &audit, &body.id, &body.code).await?;
    let message = "The address is verified; name and country are next";
    Ok(Json(RegistrationStep::at(body.id, Step::EmailVerified, message)))
}

/// `POST /registration/email/resend`
async fn resend_email(
    State(logins): State<Logins>,
    context: Context,
    Body(body): Body<RegistrationBody>,
) -> Result<Json<RegistrationStep>> {
    steps::resend(&logins, &context, &body.id, Step::EmailSent).await?;
    Ok(Json(RegistrationStep::at(body.id, Step::EmailSent, SENT)))
}

/// `POST /registration/name-country`
async fn name_country(
    State(store): State<Store>,
    audit: Audit,
    Body(body): Body<RegistrationNameBody>,
) -> Result<Json<RegistrationStep>> {
    let name = (body.first_name.0.as_str(), body.last_name.0.as_str());
    steps::set_name(&store, &audit, &body.id, name, body.country).await?;
    let message = "Date of birth and gender are next";
    Ok(Json(RegistrationStep::at(body.id, Step::NameCountrySet, message)))
}

/// `POST /registration/dob-gender`
async fn dob_gender(
    State(store): State<Store>,
    audit: Audit,
    Body(body): Body<RegistrationBirthBody>,
) -> Result<Json<BirthStep>> {
    let genesis_eligible =
        steps::set_birth(&store, &audit, &body.id, (body.born.0, &body.gender)).await?;
    let eligibility_message = match genesis_eligible {
        true => "The age fits the grant of genesis coins",
        false => "Genesis coins are for people aged 13 to 73",
    };
    let step = RegistrationStep::at(body.id, Step::DobGenderSet, "The password is next");
    Ok(Json(BirthStep { step, genesis_eligible, eligibility_message }))
}

/// `POST /registration/password`
async fn password(
    State(logins): State<Logins>,
    audit: Audit,
    Body(body): Body<RegistrationPasswordBody>,
) -> Result<Json<PasswordStep>> {
    let given = (body.password.0, body.confirm.0);
    let password_strength = steps::set_password(&logins, &audit, &body.id, given).await?;
    let step = RegistrationStep::at(body.id, Step::PasswordSet, "The telephone is next");
    Ok(Json(PasswordStep { step, password_strength }))
}

/// `POST /registration/phone`
async fn phone(
    State(logins): State<Logins>,
    context: Context,
    Body(body): Body<RegistrationPhoneBody>,
) -> Result<Json<RegistrationStep>> {
    steps::set_phone(&logins, &context, &body.id, &body.phone.0).await?;
    Ok(Json(RegistrationStep::at(body.id, Step::PhoneSent, SENT)))
}

/// `POST /registration/phone/verify`
async fn verify_phone(
    State(logins): State<Logins>,
    context: Context,
    headers: HeaderMap,
    Body(body): Body<RegistrationCodeBody>,
) -> Result<Json<FinishedRegistration>> {
    let origin = Origin { context: &context, headers: &headers, device: None };
    let session = steps::finish(&logins, origin, &body.id, &body.code).await?;
    let message = "Registered; an administrator will review the application";
    let step = RegistrationStep::at(body.id, Step::Completed, message);
    Ok(Json(FinishedRegistration { step, session }))
}

/// `POST /registration/phone/resend`
async fn resend_phone(
    State(logins): State<Logins>,
    context: Context,
    Body(body): Body<RegistrationBody>,
) -> Result<Json<RegistrationStep>> {
    steps::resend(&logins, &context, &body.id, Step::PhoneSent).await?;
    Ok(Json(RegistrationStep::at(body.id, Step::PhoneSent, SENT)))
}

/// `GET /registration/{registrationId}`
async fn standing(
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<RegistrationStanding>> {
    let row = steps::standing(&store, &id).await?;
    Ok(Json(RegistrationStanding::of(id, &row)))
}
