//! What a user sees of themselves, and what of it they can change.
//!
//! Who somebody is was approved by somebody: it stays as it is from then on. The rest is theirs.

use axum::extract::State;
use gx_store::Store;
use gx_store::identity::details::{self, Details};
use gx_store::identity::users::{self, Person, User as Row, UserStatus};
use gx_types::{AccountId, CountryCode, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::fields::{BirthDate, DialledPhone, Gender, LanguageTag, PersonName};
use super::register::{check_birth, taken};
use crate::api::{Failure, Route};
use crate::audit::{Audit, Entry};
use crate::auth::fields::Email;
use crate::auth::principal::USER_ROLE;
use crate::auth::{Caller, Permission, User};
use crate::calendar::{now_ms, rfc3339};
use crate::config::Tier;
use crate::error::{Error, Result};
use crate::http::answer::Json;
use crate::http::extract::{Body, Path};
use crate::http::fields::{FieldErrors, FieldPath, Truth, Written, request};
use crate::tiers;

/// What the tests and the description send.
const SAMPLE: &str = r#"{"language": "de", "city": "Ulm", "addressCountry": "DE"}"#;

/// How a profile does not change.
const UNCHANGED: [Failure; 3] =
    [(404, "not_found"), (409, "phone_already_exists"), (409, "profile_is_approved")];

pub(super) fn routes() -> [Route; 5] {
    let changes = |route: Route| {
        let summary = "Changes the caller's own data; who they are, before that is approved";
        route.summary(summary).concerns("profile").sample(SAMPLE).fails(&UNCHANGED)
    };
    [
        Route::get("/api/v1/users/profile", profile)
            .summary("The caller's own data")
            .fails(&[(404, "not_found")]),
        changes(Route::patch("/api/v1/users/profile", change_profile)),
        changes(Route::put("/api/v1/users/profile", change_profile)),
        Route::get("/api/v1/users/{userId}", get)
            .summary("The caller's own data, or somebody's for an admin who may see it")
            .fails(&[(403, "forbidden"), (404, "not_found")]),
        changes(Route::patch("/api/v1/users/{userId}", change)),
    ]
}

/// A user as they see themselves.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Profile {
    /// Id on the platform.
    id: String,
    /// Id on the ledger, assigned with the approval.
    user_id: Option<String>,
    email: String,
    first_name: String,
    last_name: String,
    phone: Option<String>,
    /// Whether a code has shown that mail reaches them.
    email_verified: bool,
    /// Whether a code has shown that text messages reach them.
    phone_verified: bool,
    country_code: String,
    date_of_birth: String,
    role: &'static str,
    /// `REGISTERED`, `PENDING_ADMIN_APPROVAL`, `APPROVED_PENDING_ONCHAIN`, `ACTIVE`, `FROZEN`,
    /// `DENIED`, `SUSPENDED` or `CLOSED`.
    status: &'static str,
    /// The same in the terms of established clients: `ACTIVE`, `SUSPENDED` or `DELETED`.
    account_status: &'static str,
    /// `PENDING`, `APPROVED` or `REJECTED`.
    kyc_status: &'static str,
    /// How far the identity was verified: `TIER1`, `TIER2` or `TIER3`.
    tier: &'static str,
    created_at: String,
    updated_at: String,
}

impl Profile {
    pub(super) fn new(row: Row, tier: Tier) -> Self {
        Self {
            id: row.user_id,
            user_id: row.ledger_id.map(|id| id.to_string()),
            email: row.email,
            first_name: row.first_name,
            last_name: row.last_name,
            phone: row.phone,
            email_verified: row.email_verified_at.is_some(),
            phone_verified: row.phone_verified_at.is_some(),
            country_code: row.country.to_string(),
            date_of_birth: row.date_of_birth,
            role: USER_ROLE,
            status: row.status.as_str(),
            account_status: account_status(row.status),
            kyc_status: kyc_status(row.status),
            tier: tier.as_str(),
            created_at: rfc3339(row.created_at.0),
            updated_at: rfc3339(row.updated_at.0),
        }
    }
}

fn account_status(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Frozen | UserStatus::Suspended => "SUSPENDED",
        UserStatus::Closed => "DELETED",
        UserStatus::Registered
        | UserStatus::PendingAdminApproval
        | UserStatus::ApprovedPendingOnchain
        | UserStatus::Active
        | UserStatus::Denied => "ACTIVE",
    }
}

/// Whether somebody's identity is accepted.
pub(crate) fn kyc_status(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Registered | UserStatus::PendingAdminApproval => "PENDING",
        UserStatus::Denied => "REJECTED",
        UserStatus::ApprovedPendingOnchain
        | UserStatus::Active
        | UserStatus::Frozen
        | UserStatus::Suspended
        | UserStatus::Closed => "APPROVED",
    }
}

request! {
    /// What a user changes about themselves. What is not given stays; an empty text takes back what
    /// was told.
    pub(crate) struct ProfileBody {
        /// Before the approval only, as are date of birth and gender.
        first_name as "firstName": Option<PersonName>,
        last_name as "lastName": Option<PersonName>,
        born as "dateOfBirth": Option<BirthDate>,
        gender as "gender": Option<Gender>,
        /// Another number counts as not verified.
        phone as "phone": Option<DialledPhone>,
        /// The same, as established clients call it.
        phone_num as "phoneNum": Option<DialledPhone>,
        middle_name as "middleName": Option<Written<0, 100>>,
        language as "language": Option<LanguageTag>,
        place_of_birth as "placeOfBirth": Option<Written<0, 100>>,
        address_line1 as "addressLine1": Option<Written<0, 200>>,
        address_line2 as "addressLine2": Option<Written<0, 200>>,
        city as "city": Option<Written<0, 100>>,
        state_province as "stateProvince": Option<Written<0, 100>>,
        postal_code as "postalCode": Option<Written<0, 20>>,
        address_country as "addressCountry": Option<CountryCode>,
        employment_status as "employmentStatus": Option<Written<0, 50>>,
        job_title as "jobTitle": Option<Written<0, 100>>,
        company_name as "companyName": Option<Written<0, 100>>,
        industry as "industry": Option<Written<0, 100>>,
        work_email as "workEmail": Option<Email>,
        work_phone as "workPhoneNum": Option<DialledPhone>,
        /// Whether the user holds a public office, or is close to somebody who does.
        is_pep as "isPEP": Option<Truth>,
        pep_details as "pepDetails": Option<Written<0, 500>>,
    }
}

impl ProfileBody {
    /// The names of what is given.
    fn given(&self) -> Vec<&'static str> {
        let fields = [
            ("firstName", self.first_name.is_some()),
            ("lastName", self.last_name.is_some()),
            ("dateOfBirth", self.born.is_some()),
            ("gender", self.gender.is_some()),
            ("phone", self.phone.is_some() || self.phone_num.is_some()),
            ("middleName", self.middle_name.is_some()),
            ("language", self.language.is_some()),
            ("placeOfBirth", self.place_of_birth.is_some()),
            ("addressLine1", self.address_line1.is_some()),
            ("addressLine2", self.address_line2.is_some()),
            ("city", self.city.is_some()),
            ("stateProvince", self.state_province.is_some()),
            ("postalCode", self.postal_code.is_some()),
            ("addressCountry", self.address_country.is_some()),
            ("employmentStatus", self.employment_status.is_some()),
            ("jobTitle", self.job_title.is_some()),
            ("companyName", self.company_name.is_some()),
            ("industry", self.industry.is_some()),
            ("workEmail", self.work_email.is_some()),
            ("workPhoneNum", self.work_phone.is_some()),
            ("isPEP", self.is_pep.is_some()),
            ("pepDetails", self.pep_details.is_some()),
        ];
        fields.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name).collect()
    }

    /// What somebody approves of.
    fn person(&self) -> Option<Person> {
        let person = Person {
            first_name: self.first_name.as_ref().map(|name| name.0.clone()),
            last_name: self.last_name.as_ref().map(|name| name.0.clone()),
            date_of_birth: self.born.map(|born| born.0.to_string()),
            gender: self.gender.as_ref().map(|gender| gender.0.to_owned()),
        };
        (person != Person::default()).then_some(person)
    }

    /// The rest.
    fn details(self) -> Details {
        Details {
            middle_name: self.middle_name.map(String::from),
            language: self.language.map(|language| language.0),
            place_of_birth: self.place_of_birth.map(String::from),
            address_line1: self.address_line1.map(String::from),
            address_line2: self.address_line2.map(String::from),
            city: self.city.map(String::from),
            state_province: self.state_province.map(String::from),
            postal_code: self.postal_code.map(String::from),
            address_country: self.address_country,
            employment_status: self.employment_status.map(String::from),
            job_title: self.job_title.map(String::from),
            company_name: self.company_name.map(String::from),
            industry: self.industry.map(String::from),
            work_email: self.work_email.map(|email| email.0),
            work_phone: self.work_phone.map(|phone| phone.0),
            is_pep: self.is_pep.map(|flag| flag.0),
            pep_details: self.pep_details.map(String::from),
        }
    }
}

/// Where somebody lives.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    address_line1: Option<String>,
    address_line2: Option<String>,
    city: Option<String>,
    state_province: Option<String>,
    postal_code: Option<String>,
    country_code: Option<String>,
}

/// A user as they see themselves, with everything they have told.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FullProfile {
    #[serde(flatten)]
    profile: Profile,
    /// The same as `id`, as established clients call it.
    profile_id: String,
    /// The same as `phone`.
    phone_num: Option<String>,
    gender: Option<String>,
    middle_name: Option<String>,
    language: Option<String>,
    place_of_birth: Option<String>,
    address: Address,
    employment_status: Option<String>,
    job_title: Option<String>,
    company_name: Option<String>,
    industry: Option<String>,
    work_email: Option<String>,
    work_phone_num: Option<String>,
    #[serde(rename = "isPEP")]
    is_pep: Option<bool>,
    pep_details: Option<String>,
    /// Why an application was denied.
    denial_reason: Option<String>,
}

impl FullProfile {
    fn new(row: Row, tier: Tier, told: Details) -> Self {
        // What was taken back was never told.
        let told_text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let is_denied = row.status == UserStatus::Denied;
        Self {
            profile_id: row.user_id.clone(),
            phone_num: row.phone.clone(),
            gender: row.gender.clone(),
            denial_reason: row.status_reason.clone().filter(|_| is_denied),
            profile: Profile::new(row, tier),
            middle_name: told_text(told.middle_name),
            language: told.language,
            place_of_birth: told_text(told.place_of_birth),
            address: Address {
                address_line1: told_text(told.address_line1),
                address_line2: told_text(told.address_line2),
                city: told_text(told.city),
                state_province: told_text(told.state_province),
                postal_code: told_text(told.postal_code),
                country_code: told.address_country.map(|country| country.to_string()),
            },
            employment_status: told_text(told.employment_status),
            job_title: told_text(told.job_title),
            company_name: told_text(told.company_name),
            industry: told_text(told.industry),
            work_email: told.work_email,
            work_phone_num: told.work_phone,
            is_pep: told.is_pep,
            pep_details: told_text(told.pep_details),
        }
    }
}

/// A user, in an envelope.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProfileOfUser {
    user: FullProfile,
}

/// A profile as it is now.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfileChanged {
    message: &'static str,
    /// The names of the fields that were given.
    updated_fields: Vec<&'static str>,
    profile: FullProfile,
}

/// `GET /users/profile`
async fn profile(user: User, State(store): State<Store>) -> Result<Json<FullProfile>> {
    Ok(Json(full(&store, user.id()).await?))
}

/// `GET /users/{userId}`
async fn get(
    caller: Caller,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<ProfileOfUser>> {
    let user_id = visible(&caller, &store, id).await?;
    Ok(Json(ProfileOfUser { user: full(&store, &user_id).await? }))
}

/// `PATCH /users/profile`
async fn change_profile(
    user: User,
    audit: Audit,
    Body(body): Body<ProfileBody>,
) -> Result<Json<ProfileChanged>> {
    Ok(Json(tell(&audit, &user, body).await?))
}

/// `PATCH /users/{userId}`
async fn change(
    user: User,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<ProfileBody>,
) -> Result<Json<ProfileChanged>> {
    if !is_own(&user, &id) {
        return Err(Error::not_found("User"));
    }
    Ok(Json(tell(&audit, &user, body).await?))
}

/// Whether an id is one of the caller's own, on the platform or on the ledger.
fn is_own(user: &User, id: &str) -> bool {
    user.id() == id || user.account.as_ref().is_some_and(|account| account.as_str() == id)
}

/// The user whom a path names by either id; somebody else does not exist for a user.
async fn visible(caller: &Caller, store: &Store, id: String) -> Result<String> {
    match caller {
        Caller::User(user) if is_own(user, &id) => Ok(user.id().to_owned()),
        Caller::User(_) => Err(Error::not_found("User")),
        Caller::Admin(admin) if admin.may(Permission::UserView) => {
            let Ok(account) = id.parse::<AccountId>() else { return Ok(id) };
            let row = users::by_ledger_id(store, &account).await?;
            row.map(|row| row.user_id).ok_or_else(|| Error::not_found("User"))
        }
        Caller::Admin(_) => Err(Error::forbidden()),
    }
}

/// Everything that is known of a user, for themselves.
async fn full(store: &Store, user_id: &str) -> Result<FullProfile> {
    let mut snapshot = store.snapshot().await?;
    let row = users::get(&mut snapshot, user_id).await?.ok_or_else(|| Error::not_found("User"))?;
    let told = details::get(&mut snapshot, user_id).await?;
    let tier = tiers::of(&mut snapshot, user_id).await?;
    Ok(FullProfile::new(row, tier, told))
}

/// Changes what the user tells of themselves.
async fn tell(audit: &Audit, user: &User, body: ProfileBody) -> Result<ProfileChanged> {
    let (updated_fields, now) = (body.given(), TimeMs(now_ms()));
    check(&body, &updated_fields)?;
    let mut change = audit.begin().await?;
    if let Some(person) = body.person()
        && !users::change_person(change.tx(), user.id(), &person, now).await?
    {
        let message = "Name, date of birth and gender were approved and stay as they are";
        return Err(Error::conflict("profile_is_approved", message));
    }
    let phone = body.phone.as_ref().or(body.phone_num.as_ref()).map(|phone| phone.0.as_str());
    users::change_phone(change.tx(), user.id(), phone, now).await.map_err(taken)?;
    details::tell(change.tx(), user.id(), &body.details(), now).await?;
    let row = users::get(change.tx(), user.id()).await?.ok_or_else(|| Error::not_found("User"))?;
    let told = details::get(change.tx(), user.id()).await?;
    let tier = tiers::of(change.tx(), user.id()).await?;
    let entry = Entry { actor: user.scope(), action: "user.profile.change", target: user.id() };
    change.commit_with(entry, &json!({ "fields": updated_fields })).await?;
    let profile = FullProfile::new(row, tier, told);
    Ok(ProfileChanged { message: "Changed", updated_fields, profile })
}

/// What the fields do not say by themselves.
fn check(body: &ProfileBody, given: &[&str]) -> Result<()> {
    let mut errors = FieldErrors::default();
    if given.is_empty() {
        errors.add(FieldPath::Root, "nothing_to_change", "must have a field at least");
    }
    if let Some(born) = body.born {
        check_birth(born.0, FieldPath::Key(&FieldPath::Root, "dateOfBirth"), &mut errors);
    }
    if body.phone.is_some() && body.phone_num.is_some() {
        let at = FieldPath::Key(&FieldPath::Root, "phoneNum");
        errors.add(at, "given_twice", "is the same as phone");
    }
    if errors.0.is_empty() { Ok(()) } else { Err(Error::invalid(errors.0)) }
}
