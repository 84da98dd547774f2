//! Applications of people as reviewers see them: the queue, one of them with what was shown, and
//! what becomes of it with the decision about its owner.
//!
//! Numbers of documents are opened for reviewers alone; the audit log keeps who has looked.

use std::fmt;
use std::str::FromStr;

use axum::extract::State;
use gx_store::Store;
use gx_store::identity::documents;
use gx_store::identity::kyc::{self, Application, Verdict};
use gx_store::identity::users::{self, User as Row};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::audit::{Audit, Change, Entry};
use crate::auth::{Logins, May, grant};
use crate::error::{Error, Result};
use crate::http::answer::{Json, Page, place};
use crate::http::extract::{Path, Query};
use crate::http::fields::{Text, request};
use crate::http::paging::Limit;
use crate::identity::documents::DocumentReply;
use crate::identity::kyc::{KycReply, application_of};
use crate::identity::upload::Details;

pub(super) fn routes() -> [Route; 2] {
    [
        Route::get("/api/v1/admin/kyc", list)
            .summary("Applications that wait for review, those that wait longest first")
            .fails(&[(400, "invalid_cursor")]),
        Route::get("/api/v1/admin/kyc/{kycId}", get)
            .summary("An application with what was shown, and who has shown the same number"),
    ]
}

/// Other people named at most who have shown the same number.
const OTHERS_MAX: u32 = 20;

request! {
    /// Which part of the queue.
    pub(crate) struct QueueQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 64>>,
        limit as "limit": Option<Limit>,
    }
}

/// The application after which a page begins.
#[derive(Debug, Clone)]
struct After {
    submitted_at: TimeMs,
    kyc_id: String,
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.submitted_at.0, self.kyc_id)
    }
}

impl FromStr for After {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (at, kyc_id) = text.split_once('-').ok_or(())?;
        let submitted_at = TimeMs(at.parse().map_err(drop)?);
        Ok(Self { submitted_at, kyc_id: kyc_id.to_owned() })
    }
}

/// An application in the queue.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueuedReply {
    #[serde(flatten)]
    application: KycReply,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    /// Where the person stands.
    user_status: Option<&'static str>,
    /// Whether somebody else has shown a document of the same number.
    duplicate_number: bool,
}

/// An application with what was shown.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReviewReply {
    #[serde(flatten)]
    queued: QueuedReply,
    document_number: Option<String>,
    issuing_country: Option<String>,
    issued_date: Option<String>,
    /// What the person said to have without uploading it.
    declared: Vec<String>,
    /// `GET /documents/{id}/url` gives a link to each.
    documents: Vec<DocumentReply>,
    /// People, by their ids on the platform, who have shown a document of the same number.
    same_number: Vec<String>,
}

/// `GET /admin/kyc`
async fn list(
    _: May<grant::UserApprove>,
    State(store): State<Store>,
    Query(query): Query<QueueQuery>,
) -> Result<Json<Page<QueuedReply>>> {
    let after: Option<After> = place(query.cursor)?;
    let after = after.as_ref().map(|after| (after.submitted_at, after.kyc_id.as_str()));
    let limit = query.limit.map_or(20, |limit| limit.0);
    let rows = kyc::pending(&store, after, limit.saturating_add(1)).await?;
    let cursor =
        |row: &Application| After { submitted_at: row.submitted_at, kyc_id: row.kyc_id.clone() };
    let Page { data, has_more, next_cursor } = Page::of(rows, limit, cursor);
    let data = queued(&store, data).await?;
    Ok(Json(Page { data, has_more, next_cursor }))
}

async fn queued(store: &Store, rows: Vec<Application>) -> Result<Vec<QueuedReply>> {
    let owners: Vec<String> = rows.iter().map(|row| row.owner.clone()).collect();
    let people = users::get_many(store, &owners).await?;
    let mut replies = Vec::with_capacity(rows.len());
    for row in rows {
        let person = people.iter().find(|person| person.user_id == row.owner);
        let duplicate_number = !others(store, &row, 1).await?.is_empty();
        replies.push(QueuedReply {
            email: person.map(|person| person.email.clone()),
            first_name: person.map(|person| person.first_name.clone()),
            last_name: person.map(|person| person.last_name.clone()),
            user_status: person.map(|person| person.status.as_str()),
            duplicate_number,
            application: row.into(),
        });
    }
    Ok(replies)
}

/// Other people who have shown a document of the same number.
async fn others(store: &Store, row: &Application, max: u32) -> Result<Vec<String>> {
    match &row.number_hash {
        Some(hash) => Ok(kyc::others_with_number(store, hash, &row.owner, max).await?),
        None => Ok(Vec::new()),
    }
}

/// `GET /admin/kyc/{id}`
async fn get(
    admin: May<grant::UserApprove>,
    audit: Audit,
    State(logins): State<Logins>,
    Path(kyc_id): Path<String>,
) -> Result<Json<ReviewReply>> {
    let row = kyc::get(logins.store(), &kyc_id).await?;
    let row = row.ok_or_else(|| Error::not_found("Application"))?;
    let entry = Entry { actor: admin.scope(), action: "kyc.view", target: &kyc_id };
    audit.begin().await?.commit(entry).await?;
    Ok(Json(review(&logins, row).await?))
}

async fn review(logins: &Logins, row: Application) -> Result<ReviewReply> {
    let store = logins.store();
    let of = application_of(&row.kyc_id);
    let details = Details::opened(logins.sealer(), &of, &row.details)?;
    let shown = documents::of_application(store, &row.kyc_id).await?;
    let same_number = others(store, &row, OTHERS_MAX).await?;
    let queued = queued(store, vec![row]).await?.into_iter().next();
    Ok(ReviewReply {
        queued: queued.ok_or_else(|| Error::internal("one application has one row"))?,
        document_number: details.number,
        issuing_country: details.country,
        issued_date: details.issued,
        declared: details.declared,
        documents: shown.into_iter().map(Into::into).collect(),
        same_number,
    })
}

/// Decides about somebody's open application, if there is one, and says which. Who had nothing but
/// an e-mail address to be known by is known by the document from then on, so that they are one
/// person to the ledger however many addresses they have.
pub(super) async fn settle(
    change: &mut Change,
    logins: &Logins,
    user: &Row,
    verdict: Verdict<'_>,
) -> Result<Option<String>> {
    let Some(application) = kyc::decide(change.tx(), &user.user_id, verdict).await? else {
        return Ok(None);
    };
    let by_email = logins.pepper().of_email(&user.email);
    if let Some(number) = application.number_hash.filter(|_| verdict.approves)
        && user.identity_hash == by_email
    {
        let identity = (by_email.as_str(), number.as_str());
        users::set_identity(change.tx(), &user.user_id, identity, verdict.at).await?;
    }
    Ok(Some(application.kyc_id))
}
