//! Documents of people: uploaded, listed, looked at by a link of ours, taken back.
//!
//! Everybody has their own; nobody else's exist for them. Administrators who decide about people
//! see what was submitted to them, and the audit log keeps that they have looked.

use axum::body::Body as Bytes;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use gx_store::Store;
use gx_store::identity::documents::{self, Added, Document, DocumentType};
use gx_types::TimeMs;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json as value;
use sha2::{Digest as _, Sha256};

use super::upload::{Details, Upload, UploadBody};
use crate::api::{Answer, Route, Shape};
use crate::audit::{Audit, Entry};
use crate::auth::{Caller, Logins, Permission, User, random_id};
use crate::calendar::{now_ms, rfc3339};
use crate::documents::{Cleaned, DOCUMENTS_MAX, Documents, Kind, Refused};
use crate::error::{Detail, Error, Result};
use crate::http::answer::{Created, Json, Message, Pagination};
use crate::http::extract::{Path, Query};
use crate::http::fields::{Count, Text, request};

/// A picture of one point, for the description and the tests.
const POINT: &str = concat!(
    r#"{"documentType": "PASSPORT", "side": "FRONT", "fileName": "passport.png", "file": ""#,
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E",
    r#"rkJggg==", "metadata": {"documentNumber": "L01X00T47", "issuingCountry": "DE"}}"#,
);

const URL: &str = "/api/v1/documents/{documentId}/url";

/// How long a link is good for, in minutes, unless somebody says otherwise.
const LINK_MINUTES: u32 = 15;

pub(super) fn routes() -> Vec<Route> {
    let upload = Route::post("/api/v1/users/{id}/documents", upload)
        .summary("Uploads a document of the caller's; its type follows from its content")
        .sample(POINT);
    vec![
        upload.alias("/api/v1/users/{id}/documents/upload"),
        upload,
        Route::get("/api/v1/users/{id}/documents", list)
            .summary("The caller's documents, newest first"),
        Route::get("/api/v1/documents/constraints", constraints)
            .summary("Which documents are taken"),
        Route::get(URL, url)
            .summary("A link to a document, good for some minutes for whoever has it")
            .fails(&[(403, "forbidden")]),
        Route::get("/api/v1/documents/{documentId}/content", content)
            .summary("A document's content, by such a link")
            .fails(&[(403, "link_invalid"), (503, "document_store_unavailable")]),
        Route::delete("/api/v1/documents/{documentId}", remove)
            .summary("Takes a document back that was not submitted yet")
            .fails(&[(409, "document_submitted")]),
    ]
}

request! {
    /// Which part of the list.
    pub(crate) struct DocumentsQuery {
        page as "page": Option<Count<1, 1_000_000>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// How long a link is to be good for.
    pub(crate) struct LinkQuery {
        /// In minutes; 15 by default.
        minutes as "expiresIn": Option<Count<1, 60>>,
    }
}

request! {
    /// What makes a link ours.
    pub(crate) struct ContentQuery {
        expires as "expires": Text<1, 20>,
        signature as "signature": Text<1, 64>,
    }
}

/// A document as its owner and administrators see it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DocumentReply {
    document_id: String,
    /// The same.
    file_id: String,
    /// The route that gives a link to it.
    storage_url: String,
    /// A name of ours for it.
    file_name: String,
    /// SHA-256 of what was sent.
    hash: String,
    /// SHA-256 of what is kept: pictures are drawn anew.
    kept_hash: String,
    /// Of what is kept.
    size: u64,
    mime_type: String,
    document_type: &'static str,
    side: Option<String>,
    /// `CLEAN`, or `SKIPPED` where no scanner is set up.
    virus_scan_status: String,
    /// The application that it was submitted with.
    kyc_id: Option<String>,
    uploaded_at: String,
}

impl From<Document> for DocumentReply {
    fn from(row: Document) -> Self {
        Self {
            file_name: file_name(&row),
            storage_url: URL.replace("{documentId}", &row.document_id),
            file_id: row.document_id.clone(),
            document_id: row.document_id,
            hash: row.received_sha256,
            kept_hash: row.sha256,
            size: row.size_bytes,
            mime_type: row.media_type,
            document_type: row.document_type.as_str(),
            side: row.side,
            virus_scan_status: row.scan,
            kyc_id: row.application_id,
            uploaded_at: rfc3339(row.uploaded_at.0),
        }
    }
}

fn file_name(row: &Document) -> String {
    let kind = Kind::ALL.into_iter().find(|kind| kind.media_type() == row.media_type);
    let word = row.document_type.as_str().to_lowercase().replace('_', "-");
    let id: String = row.document_id.chars().take(8).collect();
    format!("{word}-{id}.{}", kind.map_or("bin", Kind::ending))
}

/// Something that went well, and what came of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DoneWith{T}")]
pub(crate) struct Done<T> {
    success: bool,
    data: T,
}

/// A page of documents.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct DocumentsReply {
    success: bool,
    data: Vec<DocumentReply>,
    pagination: Pagination,
}

/// Which documents are taken.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Constraints {
    max_file_size_bytes: usize,
    #[serde(rename = "maxFileSizeMB")]
    max_file_size_mb: usize,
    allowed_mime_types: Vec<&'static str>,
    document_types: Vec<&'static str>,
    /// Documents that one person may have.
    max_documents: u64,
}

/// A link to a document.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Link {
    /// On this server. Whoever has it sees the document.
    url: String,
    expires_in_minutes: u32,
    expires_at: String,
}

/// Refuses what belongs to somebody else: for the caller it does not exist.
pub(super) fn own(user: &User, id: &str) -> Result<()> {
    let is_account = user.account.is_some_and(|account| account.as_str() == id);
    if id == user.id() || is_account { Ok(()) } else { Err(Error::not_found("User")) }
}

/// `POST /users/{id}/documents`
async fn upload(
    user: User,
    audit: Audit,
    State(logins): State<Logins>,
    State(documents): State<Documents>,
    Path(id): Path<String>,
    upload: Upload,
) -> Result<Created<Done<DocumentReply>>> {
    own(&user, &id)?;
    let Upload { file, body } = upload;
    says_what_it_is(&file, &body)?;
    let declared = body.mime.as_ref().map(|mime| mime.0.as_str());
    let cleaned = match documents.clean(file, declared).await? {
        Ok(cleaned) => cleaned,
        Err(refused) => return Err(refuse(&audit, &user, body.document_type, refused).await?),
    };
    let row = keep(&logins, &documents, &user, (body, cleaned)).await?;
    record(&audit, &user, &documents, &row).await?;
    Ok(Created(Done { success: true, data: row.into() }))
}

/// Compares hash and length, where they were said.
fn says_what_it_is(file: &[u8], body: &UploadBody) -> Result<()> {
    let mut faults = Vec::new();
    if body.size.is_some_and(|size| usize::try_from(size.0) != Ok(file.len())) {
        faults.push(("size", "size_mismatch", "is not the length of what has come"));
    }
    if body.hash.as_ref().is_some_and(|hash| hash.0 != hex::encode(Sha256::digest(file))) {
        faults.push(("hash", "hash_mismatch", "is not the SHA-256 of what has come"));
    }
    let detail = |(field, code, message): (&str, &'static str, &'static str)| Detail {
        field: field.to_owned(),
        code: code.into(),
        message: message.into(),
    };
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid(faults.into_iter().map(detail).collect()))
    }
}

/// The answer to a file that is not taken. What a scanner has found is the audit log's to know.
async fn refuse(
    audit: &Audit,
    user: &User,
    document_type: DocumentType,
    refused: Refused,
) -> Result<Error> {
    let (signature, sha256) = match refused {
        Refused::Misfit((code, message)) => return Ok(Error::field("file", code, message)),
        Refused::Infected { signature, sha256 } => (signature, sha256),
    };
    let entry = Entry { actor: user.scope(), action: "document.infected", target: user.id() };
    let found = value!({
        "signature": signature, "sha256": sha256, "documentType": document_type.as_str(),
    });
    audit.begin().await?.commit_with(entry, &found).await?;
    let message = "The virus scanner does not let this document pass";
    Ok(Error::new(StatusCode::UNPROCESSABLE_ENTITY, "document_infected", message))
}

/// Writes the object; what is returned has no row yet.
async fn keep(
    logins: &Logins,
    documents: &Documents,
    user: &User,
    (body, cleaned): (UploadBody, Cleaned),
) -> Result<Document> {
    let document_id = random_id().map_err(Error::internal)?;
    let kept = documents.keep(&document_id, &cleaned.bytes).await?;
    let details = body.metadata.map(Details::from).unwrap_or_default();
    Ok(Document {
        owner: user.id().to_owned(),
        application_id: None,
        document_type: body.document_type,
        side: body.side.map(|side| side.as_str().to_owned()),
        object_key: kept.object_key,
        media_type: cleaned.kind.media_type().to_owned(),
        size_bytes: kept.size_bytes,
        sha256: kept.sha256,
        received_sha256: cleaned.received_sha256,
        details: details.sealed(logins.sealer(), &details_of(&document_id))?,
        number_hash: details.number_hash(logins),
        scan: cleaned.scan.to_owned(),
        uploaded_at: TimeMs(now_ms()),
        document_id,
    })
}

async fn record(audit: &Audit, user: &User, documents: &Documents, row: &Document) -> Result<()> {
    let mut change = audit.begin().await?;
    match documents::add(change.tx(), row, DOCUMENTS_MAX).await? {
        Added::Yes => {}
        Added::TooMany => {
            let message = format!("Nobody has more than {DOCUMENTS_MAX} documents");
            documents::loosen(change.tx(), &row.object_key, TimeMs(0)).await?;
            let target = &row.document_id;
            let entry = Entry { actor: user.scope(), action: "document.refuse", target };
            change.commit(entry).await?;
            documents.sweep().await;
            return Err(Error::conflict("too_many_documents", message));
        }
        Added::Swept => return Err(Error::internal("the object was swept before it had a row")),
    }
    let entry = Entry { actor: user.scope(), action: "document.upload", target: &row.document_id };
    let what = value!({
        "documentType": row.document_type.as_str(), "sha256": row.sha256, "scan": row.scan,
    });
    change.commit_with(entry, &what).await
}

/// What sealed details are, and of which document.
pub(crate) fn details_of(document_id: &str) -> String {
    format!("details of document {document_id}")
}

/// `GET /users/{id}/documents`
async fn list(
    user: User,
    State(store): State<Store>,
    Path(id): Path<String>,
    Query(query): Query<DocumentsQuery>,
) -> Result<Json<DocumentsReply>> {
    own(&user, &id)?;
    let (page, limit) = (query.page.map_or(1, |page| page.0), query.limit.map_or(20, |l| l.0));
    let offset = u64::from(page - 1) * u64::from(limit);
    let (rows, total) = documents::list(&store, user.id(), offset, limit).await?;
    let data = rows.into_iter().map(Into::into).collect();
    let pagination = Pagination::new(u64::from(page), limit, total);
    Ok(Json(DocumentsReply { success: true, data, pagination }))
}

/// `GET /documents/constraints`
async fn constraints(State(documents): State<Documents>) -> Result<Json<Done<Constraints>>> {
    let bytes = documents.bytes_max();
    let data = Constraints {
        max_file_size_bytes: bytes,
        max_file_size_mb: bytes >> 20,
        allowed_mime_types: documents.accepted().iter().map(|kind| kind.media_type()).collect(),
        document_types: DocumentType::ALL.iter().map(|one| one.as_str()).collect(),
        max_documents: DOCUMENTS_MAX,
    };
    Ok(Json(Done { success: true, data }))
}

/// A document that the caller may see.
async fn visible(caller: &Caller, store: &Store, document_id: &str) -> Result<Document> {
    let row = documents::get(store, document_id).await?;
    let sees = |row: &Document| match caller {
        Caller::User(user) => user.id() == row.owner,
        Caller::Admin(_) => row.application_id.is_some(),
    };
    if let Caller::Admin(admin) = caller
        && !admin.may(Permission::UserApprove)
    {
        return Err(Error::forbidden());
    }
    row.filter(sees).ok_or_else(|| Error::not_found("Document"))
}

/// `GET /documents/{id}/url`
async fn url(
    caller: Caller,
    audit: Audit,
    State(logins): State<Logins>,
    Path(document_id): Path<String>,
    Query(query): Query<LinkQuery>,
) -> Result<Json<Done<Link>>> {
    let row = visible(&caller, logins.store(), &document_id).await?;
    if let Caller::Admin(admin) = &caller {
        let target = &row.document_id;
        let entry = Entry { actor: admin.scope(), action: "document.view", target };
        audit.begin().await?.commit_with(entry, &value!({ "owner": row.owner })).await?;
    }
    let minutes = query.minutes.map_or(LINK_MINUTES, |minutes| minutes.0);
    let data = link(&logins, &row.document_id, minutes);
    Ok(Json(Done { success: true, data }))
}

fn link(logins: &Logins, document_id: &str, minutes: u32) -> Link {
    let until = now_ms().saturating_add(i64::from(minutes) * 60_000);
    let expires = until.to_string();
    let signature = logins.pepper().of_document_link(document_id, &expires);
    let path = format!("/api/v1/documents/{document_id}/content");
    Link {
        url: format!("{path}?expires={expires}&signature={signature}"),
        expires_in_minutes: minutes,
        expires_at: rfc3339(until),
    }
}

/// A file for whoever has a link: to be kept, not to be shown as a page of ours.
#[derive(Debug)]
struct File {
    name: String,
    media_type: String,
    bytes: Vec<u8>,
}

impl IntoResponse for File {
    fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.bytes));
        let headers = response.headers_mut();
        let disposition = format!("attachment; filename=\"{}\"", self.name);
        let pairs =
            [(header::CONTENT_TYPE, self.media_type), (header::CONTENT_DISPOSITION, disposition)];
        for (name, text) in pairs {
            // Types and names are ours, of plain letters.
            if let Ok(text) = HeaderValue::try_from(text) {
                headers.insert(name, text);
            }
        }
        let policy = HeaderValue::from_static("default-src 'none'; sandbox");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        let nowhere = HeaderValue::from_static("private, no-store, max-age=0");
        headers.insert(header::CACHE_CONTROL, nowhere);
        response
    }
}

impl Answer for File {
    fn describe(shape: &mut Shape) {
        for kind in Kind::ALL {
            shape.other(kind.media_type());
        }
    }
}

/// `GET /documents/{id}/content`
async fn content(
    State(logins): State<Logins>,
    State(documents): State<Documents>,
    Path(document_id): Path<String>,
    Query(query): Query<ContentQuery>,
) -> Result<File> {
    let ContentQuery { expires: Text(expires), signature: Text(signature) } = query;
    let is_ours = logins.pepper().is_document_link(&document_id, &expires, &signature);
    let is_good = expires.parse::<i64>().is_ok_and(|until| now_ms() < until);
    if !is_ours || !is_good {
        let message = "The link is not one of ours, or its time is over: ask for another one";
        return Err(Error::new(StatusCode::FORBIDDEN, "link_invalid", message));
    }
    let row = documents::get(logins.store(), &document_id).await?;
    let row = row.ok_or_else(|| Error::not_found("Document"))?;
    let bytes = documents.read(&row).await?;
    Ok(File { name: file_name(&row), media_type: row.media_type, bytes })
}

/// `DELETE /documents/{id}`
async fn remove(
    user: User,
    audit: Audit,
    State(documents): State<Documents>,
    State(store): State<Store>,
    Path(document_id): Path<String>,
) -> Result<Json<Message>> {
    let row = documents::get(&store, &document_id).await?;
    let row = row.filter(|row| row.owner == user.id());
    let row = row.ok_or_else(|| Error::not_found("Document"))?;
    let mut change = audit.begin().await?;
    if !documents::remove(change.tx(), &row, TimeMs(now_ms())).await? {
        let message = "The document was submitted: it is kept with the application";
        return Err(Error::conflict("document_submitted", message));
    }
    let entry = Entry { actor: user.scope(), action: "document.delete", target: &document_id };
    change.commit(entry).await?;
    documents.sweep().await;
    Ok(Json(Message::done("The document is deleted")))
}
