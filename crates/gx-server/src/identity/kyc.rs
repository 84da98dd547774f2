//! Applications of people to have their identity accepted.
//!
//! Whoever applies waits for an administrator, also somebody who was denied before. Who has an
//! account already applies to be trusted with more. What somebody else has shown is nobody's to
//! learn here: that a number is there twice is told to reviewers alone.

use axum::extract::State;
use gx_store::Tx;
use gx_store::identity::documents::{self, Document, DocumentType};
use gx_store::identity::kyc::{self, Application, Evidence, KycStatus, OWNERS_OPEN};
use gx_store::identity::users::{self, Decision, UserStatus};
use gx_types::{CountryCode, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;

use super::documents::{details_of, own};
use super::fields::{Day, DocumentNumber, FileHash, document_types};
use super::upload::{Details, Side, sides};
use crate::api::{Failure, Route};
use crate::app::App;
use crate::audit::{Audit, Entry};
use crate::auth::{Logins, User, random_id};
use crate::calendar::{Date, now_ms, rfc3339};
use crate::config::{Tier, TierLimits};
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Created, Json};
use crate::http::extract::{Body, Path};
use crate::http::fields::{Count, FieldErrors, FieldPath, List, Text, request};
use crate::tiers;

/// An application that the description shows and the tests send.
const SAMPLE: &str = concat!(
    r#"{"documentType": "PASSPORT", "documentNumber": "L01X00T47", "issuingCountry": "DE", "#,
    r#""expiryDate": "2099-12-31"}"#,
);

/// How somebody cannot apply.
const UNFIT: [Failure; 3] =
    [(409, "kyc_under_review"), (409, "kyc_already_approved"), (409, "user_status_wrong")];

pub(super) fn routes() -> [Route; 3] {
    [
        Route::post("/api/v1/users/{id}/kyc", submit)
            .summary("Applies to have the caller's identity accepted, with what was uploaded")
            .sample(SAMPLE)
            .fails(&UNFIT),
        Route::post("/api/v1/users/kyc/submit", submit_own)
            .summary("The same, as established wallets call it")
            .sample(SAMPLE)
            .concerns("kyc")
            .fails(&UNFIT)
            .fails(&[(404, "not_found")]),
        Route::get("/api/v1/users/{id}/kyc", get)
            .summary("The caller's newest application, and what they may pay"),
    ]
}

request! {
    /// Something that belongs to an application: one of the uploaded documents, by id, link or
    /// hash. What was never uploaded is told to the reviewer as such, and not fetched.
    pub(crate) struct ShownBody {
        id as "documentId": Option<Text<1, 64>>,
        url as "url": Option<Text<1, 2000>>,
        hash as "hash": Option<FileHash>,
        kind as "type": Option<Text<1, 40>>,
        #[schemars(schema_with = "sides")]
        #[expect(dead_code, reason = "known from the upload")]
        side as "side": Option<Side>,
        #[expect(dead_code, reason = "known from the upload")]
        size as "size": Option<Count<1, 33_554_432>>,
        #[expect(dead_code, reason = "known from the upload")]
        mime as "mimeType": Option<Text<0, 100>>,
        #[expect(dead_code, reason = "known from the upload")]
        file_name as "fileName": Option<Text<0, 255>>,
        #[expect(dead_code, reason = "known from the upload")]
        number as "documentNumber": Option<DocumentNumber>,
        #[expect(dead_code, reason = "known from the upload")]
        country as "issuingCountry": Option<CountryCode>,
        #[expect(dead_code, reason = "known from the upload")]
        issued as "issuedDate": Option<Day>,
        #[expect(dead_code, reason = "known from the upload")]
        expires as "expiryDate": Option<Day>,
    }
}

request! {
    /// An application. Documents that were uploaded and not submitted yet belong to it, unless
    /// `documents` names some of them.
    pub(crate) struct KycBody {
        #[schemars(schema_with = "document_types")]
        document_type as "documentType": Option<DocumentType>,
        number as "documentNumber": Option<DocumentNumber>,
        country as "issuingCountry": Option<CountryCode>,
        issued as "issuedDate": Option<Day>,
        expires as "expiryDate": Option<Day>,
        /// SHA-256 of something that the caller keeps.
        evidence_hash as "evidenceHash": Option<FileHash>,
        evidence_size as "evidenceSize": Option<Count<1, 33_554_432>>,
        evidence_mime as "evidenceMime": Option<Text<1, 100>>,
        /// Taken for the sake of established clients; nothing biometric is kept.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        biometric_hash as "biometricHash": Option<Text<0, 200>>,
        documents as "documents": Option<List<ShownBody, 0, 20>>,
    }
    any_of ["documentType", "evidenceHash", "documents"]
}

/// An application as its owner sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KycReply {
    kyc_id: String,
    /// Id of the person on the platform.
    profile_id: String,
    /// `PENDING`, `APPROVED`, `REJECTED`, or `EXPIRED` when the document has ended since.
    status: &'static str,
    document_type: Option<&'static str>,
    expiry_date: Option<String>,
    evidence_hash: Option<String>,
    evidence_size: Option<u32>,
    evidence_mime: Option<String>,
    verified_at: Option<String>,
    /// Why it was rejected, or what was noted.
    verifier_details: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<Application> for KycReply {
    fn from(row: Application) -> Self {
        let today = Date::of_ms(now_ms()).to_string();
        let has_ended = row.expires_on.as_ref().is_some_and(|day| *day < today);
        Self {
            kyc_id: row.kyc_id,
            profile_id: row.owner,
            status: match row.status {
                KycStatus::Approved if has_ended => "EXPIRED",
                status => status.as_str(),
            },
            document_type: row.document_type.map(DocumentType::as_str),
            expiry_date: row.expires_on,
            evidence_hash: row.evidence.hash,
            evidence_size: row.evidence.size,
            evidence_mime: row.evidence.mime,
            verified_at: row.decided_at.map(|at| rfc3339(at.0)),
            verifier_details: row.reason,
            created_at: rfc3339(row.submitted_at.0),
            updated_at: rfc3339(row.decided_at.unwrap_or(row.submitted_at).0),
        }
    }
}

/// An application that waits for review.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Submitted {
    success: bool,
    kyc_id: String,
    /// `SUBMITTED`.
    status: &'static str,
    message: &'static str,
    kyc_record: KycReply,
}

impl From<Application> for Submitted {
    fn from(row: Application) -> Self {
        Self {
            success: true,
            kyc_id: row.kyc_id.clone(),
            status: "SUBMITTED",
            message: "Submitted; an administrator will review the application",
            kyc_record: row.into(),
        }
    }
}

/// What somebody may pay, and what it takes to pay more.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TierReply {
    /// `TIER1`, `TIER2` or `TIER3`.
    tier: &'static str,
    /// Absent where there is no limit.
    per_payment: Option<String>,
    /// In a day of UTC. Absent where there is no limit.
    per_day: Option<String>,
    currency: &'static str,
    /// What lifts the limits; absent where nothing would.
    lifted_by: Option<&'static str>,
}

impl TierReply {
    fn new(tier: Tier, limits: TierLimits) -> Self {
        Self {
            tier: tier.as_str(),
            per_payment: limits.per_payment.map(|amount| amount.to_gx()),
            per_day: limits.per_day.map(|amount| amount.to_gx()),
            currency: CURRENCY,
            lifted_by: tiers::lifted_by(tier),
        }
    }
}

/// Where somebody's identity stands.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KycStanding {
    /// Absent where nobody has applied.
    kyc_status: Option<KycReply>,
    limits: TierReply,
}

/// `POST /users/{id}/kyc`
async fn submit(
    user: User,
    audit: Audit,
    State(logins): State<Logins>,
    Path(id): Path<String>,
    Body(body): Body<KycBody>,
) -> Result<Created<Submitted>> {
    own(&user, &id)?;
    Ok(Created(apply(&logins, &audit, &user, body).await?.into()))
}

/// `POST /users/kyc/submit`
async fn submit_own(
    user: User,
    audit: Audit,
    State(logins): State<Logins>,
    Body(body): Body<KycBody>,
) -> Result<Json<Submitted>> {
    Ok(Json(apply(&logins, &audit, &user, body).await?.into()))
}

/// `GET /users/{id}/kyc`
async fn get(
    user: User,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Json<KycStanding>> {
    own(&user, &id)?;
    let kyc_status = kyc::latest(app.store(), user.id()).await?.map(KycReply::from);
    let tier = tiers::of(app.store(), user.id()).await?;
    let limits = TierReply::new(tier, app.config().tiers.limits(tier));
    Ok(Json(KycStanding { kyc_status, limits }))
}

/// What the fields do not say by themselves.
fn check(body: &KycBody) -> Result<()> {
    let mut errors = FieldErrors::default();
    let at = |key: &'static str| FieldPath::Key(&FieldPath::Root, key);
    if body.document_type.is_none() && body.evidence_hash.is_none() && body.documents.is_none() {
        errors.add(at("documentType"), "required", "or evidenceHash or documents is required");
    }
    if body.number.is_some() && body.country.is_none() {
        errors.add(at("issuingCountry"), "required", "is required beside documentNumber");
    }
    let today = Date::of_ms(now_ms());
    if body.expires.is_some_and(|day| day.0 < today) {
        errors.add(at("expiryDate"), "document_expired", "is over");
    }
    if body.issued.is_some_and(|day| day.0 > today) {
        errors.add(at("issuedDate"), "date_in_future", "lies in the future");
    }
    if errors.0.is_empty() { Ok(()) } else { Err(Error::invalid(errors.0)) }
}

/// Submits an application with its documents, and has the person wait for review.
async fn apply(logins: &Logins, audit: &Audit, user: &User, body: KycBody) -> Result<Application> {
    check(&body)?;
    let mut change = audit.begin().await?;
    let (shown, declared) = shown(change.tx(), user, body.documents.as_ref()).await?;
    may_apply(change.tx(), user, &shown).await?;
    let new = application(logins, user, body, (&shown, declared))?;
    kyc::submit(change.tx(), &new).await.map_err(under_review)?;
    for document in &shown {
        documents::submit(change.tx(), user.id(), &document.document_id, &new.kyc_id).await?;
    }
    let waiting = Decision::PendingAdminApproval;
    let from = [Decision::Registered, Decision::Denied];
    users::decide(change.tx(), user.id(), &from, waiting, None, new.submitted_at).await?;
    let entry = Entry { actor: user.scope(), action: "kyc.submit", target: &new.kyc_id };
    let what = serde_json::json!({ "documents": shown.len() });
    change.commit_with(entry, &what).await?;
    Ok(new)
}

/// The uploaded documents that belong to an application, and what was only spoken of.
async fn shown(
    tx: &mut Tx,
    user: &User,
    named: Option<&List<ShownBody, 0, 20>>,
) -> Result<(Vec<Document>, Vec<String>)> {
    let uploaded = documents::unsubmitted(tx, user.id()).await?;
    let Some(named) = named.filter(|named| !named.0.is_empty()) else {
        return Ok((uploaded, Vec::new()));
    };
    let is = |document: &Document, named: &ShownBody| {
        let id = &document.document_id;
        named.id.as_ref().is_some_and(|given| given.0 == *id)
            || named.url.as_ref().is_some_and(|url| url.0.split('/').any(|part| part == id))
            || named.hash.as_ref().is_some_and(|hash| hash.0 == document.received_sha256)
    };
    let names = |document: &Document| named.0.iter().any(|named| is(document, named));
    let is_there = |named: &ShownBody| uploaded.iter().any(|document| is(document, named));
    let mut errors = FieldErrors::default();
    let mut declared = Vec::new();
    for (place, one) in named.0.iter().enumerate().filter(|(_, one)| !is_there(one)) {
        if one.id.is_some() {
            let list = FieldPath::Key(&FieldPath::Root, "documents");
            let at = FieldPath::Index(&list, place);
            errors.add(at, "document_not_found", "is no document that can be submitted");
        }
        declared.push(one.kind.as_ref().map_or("OTHER", |kind| kind.0.as_str()).to_owned());
    }
    if !errors.0.is_empty() {
        return Err(Error::invalid(errors.0));
    }
    let shown = uploaded.iter().filter(|document| names(document)).cloned().collect();
    Ok((shown, declared))
}

/// Whether somebody has reason to apply: nothing was accepted yet, or there is something new.
async fn may_apply(tx: &mut Tx, user: &User, shown: &[Document]) -> Result<()> {
    let row = users::get(&mut *tx, user.id()).await?.ok_or_else(|| Error::not_found("User"))?;
    if matches!(row.status, UserStatus::Suspended | UserStatus::Closed | UserStatus::Frozen) {
        let message = format!("The user is {}, which this does not apply to", row.status.as_str());
        return Err(Error::conflict("user_status_wrong", message));
    }
    match kyc::latest(tx, user.id()).await?.map(|latest| latest.status) {
        Some(KycStatus::Pending) => Err(is_under_review()),
        Some(KycStatus::Approved) if shown.is_empty() => {
            let message = "The identity is accepted; upload what is new before applying again";
            Err(Error::conflict("kyc_already_approved", message))
        }
        Some(KycStatus::Approved | KycStatus::Rejected) | None => Ok(()),
    }
}

fn under_review(error: gx_store::Error) -> Error {
    if error.is_unique(OWNERS_OPEN) { is_under_review() } else { error.into() }
}

fn is_under_review() -> Error {
    Error::conflict("kyc_under_review", "An application is being reviewed already")
}

/// The application. What its body does not say of the identity document, that document says.
fn application(
    logins: &Logins,
    user: &User,
    body: KycBody,
    (shown, declared): (&[Document], Vec<String>),
) -> Result<Application> {
    let kyc_id = random_id().map_err(Error::internal)?;
    let identity = shown.iter().find(|document| document.document_type.is_identity());
    let mut details = Details {
        number: body.number.map(|number| number.0),
        country: body.country.map(|country| country.to_string()),
        issued: body.issued.map(|day| day.0.to_string()),
        expires: body.expires.map(|day| day.0.to_string()),
        declared,
    };
    if let Some(document) = identity
        && details.number.is_none()
    {
        let of = details_of(&document.document_id);
        let on_it = Details::opened(logins.sealer(), &of, &document.details)?;
        details = Details { declared: details.declared, ..on_it };
    }
    let evidence = Evidence {
        hash: body.evidence_hash.map(|hash| hash.0),
        size: body.evidence_size.map(|size| size.0),
        mime: body.evidence_mime.map(|mime| mime.0),
    };
    Ok(Application {
        owner: user.id().to_owned(),
        status: KycStatus::Pending,
        document_type: body
            .document_type
            .filter(|given| given.is_identity())
            .or(identity.map(|document| document.document_type))
            .or(body.document_type),
        details: details.sealed(logins.sealer(), &application_of(&kyc_id))?,
        number_hash: details.number_hash(logins),
        expires_on: details.expires,
        evidence,
        submitted_at: TimeMs(now_ms()),
        reason: None,
        decided_by: None,
        decided_at: None,
        kyc_id,
    })
}

/// What sealed details are, and of which application.
pub(crate) fn application_of(kyc_id: &str) -> String {
    format!("details of application {kyc_id}")
}
