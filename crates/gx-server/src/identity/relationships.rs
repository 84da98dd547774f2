//! Relationships: what people say to be to each other, and what the others answer.
//!
//! A name is shown once somebody has asked for it to be: the one who is asked sees who asks, and
//! who asks sees nothing of the other but the id until that one confirms.

use std::collections::HashMap;

use axum::extract::State;
use gx_contract::identity::{
    ConfirmRelationship, EndRelationship, RejectRelationship, RelationshipKind, RelationshipState,
    RequestRelationship,
};
use gx_store::identity::relationships::{self, Filter, Relationship};
use gx_store::identity::users;
use gx_store::{Snapshot, Store};
use gx_types::{AccountId, RelationshipId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::User;
use crate::auth::fields::LoginEmail;
use crate::calendar::rfc3339;
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Page, Read, View};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{NoBody, contract_fields, request};
use crate::http::paging::{Cursor, Limit, Part};

pub(super) fn routes() -> [Route; 6] {
    [
        Route::get("/api/v1/relationships", list)
            .summary("The caller's relationships, newest request first")
            .fails(&[(400, "invalid_cursor"), (409, "not_on_ledger")]),
        Route::post("/api/v1/relationships", request)
            .summary("Asks somebody to confirm what the caller is to them")
            .sample(r#"{"userId": "IN 7K3 ABC123 0WXYZ 1234", "type": "FRIEND_OF"}"#)
            .fails(&[(404, "user_not_found")]),
        Route::get("/api/v1/relationships/{relationshipId}", get)
            .summary("One relationship of the caller's")
            .fails(&[(409, "not_on_ledger")]),
        Route::post("/api/v1/relationships/{relationshipId}/confirm", confirm)
            .summary("Confirms a relationship that another user has asked for")
            .sample("{}"),
        Route::post("/api/v1/relationships/{relationshipId}/reject", reject)
            .summary("Rejects it; it can be asked for again after 7 days")
            .sample("{}"),
        Route::post("/api/v1/relationships/{relationshipId}/end", end)
            .summary("Ends a confirmed relationship; either side may")
            .sample("{}"),
    ]
}

contract_fields! {
    RelationshipKind: "invalid_type",
        "must be FATHER_OF, MOTHER_OF, SPOUSE_OF, SIBLING_OF, CHILD_OF, FRIEND_OF, \
         BUSINESS_PARTNER_OF, DIRECTOR_OF or WORKPLACE_ASSOCIATE_OF";
    RelationshipState: "invalid_status",
        "must be PENDING_CONFIRMATION, CONFIRMED, REJECTED or ENDED";
}

request! {
    /// What the caller is to whom: with `FATHER_OF`, the father of the user that is named.
    pub(crate) struct RelationshipBody {
        /// The other's id on the ledger.
        user as "userId": Option<AccountId>,
        /// Or the address that they are registered with.
        email as "email": Option<LoginEmail>,
        kind as "type": Option<RelationshipKind>,
        /// Another name of `type`.
        relation_type as "relationType": Option<RelationshipKind>,
    }
    any_of ["userId", "email"]
}

request! {
    /// Which relationships, newest request first.
    pub(crate) struct RelationshipsQuery {
        kind as "type": Option<RelationshipKind>,
        status as "status": Option<RelationshipState>,
        /// Those with this other user.
        with as "userId": Option<AccountId>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Cursor>,
        limit as "limit": Option<Limit>,
    }
}

/// A relationship, as one side sees it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RelationshipReply {
    #[schemars(with = "String")]
    relationship_id: RelationshipId,
    /// What the subject is to the object.
    relation_type: RelationshipKind,
    status: RelationshipState,
    /// Who has asked for it.
    #[schemars(with = "String")]
    subject_id: AccountId,
    /// Who answers.
    #[schemars(with = "String")]
    object_id: AccountId,
    /// Whether the caller is to confirm or reject it.
    awaits_answer: bool,
    related_profile: RelatedProfile,
    /// Since when it has this status.
    since: String,
    /// From when on a rejected one may be asked for again.
    askable_from: Option<String>,
    #[schemars(with = "Option<String>")]
    ended_by: Option<AccountId>,
}

/// The other side.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RelatedProfile {
    #[schemars(with = "String")]
    user_id: AccountId,
    /// Absent until the other side has asked for the relationship or confirmed it; so is the next.
    first_name: Option<String>,
    last_name: Option<String>,
}

impl RelatedProfile {
    fn nameless(user_id: AccountId) -> Self {
        Self { user_id, first_name: None, last_name: None }
    }
}

/// First and last names by account.
type Names = HashMap<AccountId, (String, String)>;

fn other(row: &Relationship, own: AccountId) -> AccountId {
    if row.subject_id == own { row.object_id } else { row.subject_id }
}

/// Whether the caller may see the other's name.
fn is_introduced(row: &Relationship, own: AccountId) -> bool {
    match row.state {
        RelationshipState::Confirmed | RelationshipState::Ended => true,
        RelationshipState::PendingConfirmation | RelationshipState::Rejected => {
            row.object_id == own
        }
    }
}

/// The names that the caller may see.
async fn names(snapshot: &mut Snapshot, rows: &[Relationship], own: AccountId) -> Result<Names> {
    let introduced = rows.iter().filter(|row| is_introduced(row, own));
    let ids: Vec<AccountId> = introduced.map(|row| other(row, own)).collect();
    let people = users::by_ledger_ids(snapshot, &ids).await?;
    let named = |row: users::User| Some((row.ledger_id?, (row.first_name, row.last_name)));
    Ok(people.into_iter().filter_map(named).collect())
}

impl RelationshipReply {
    fn of(row: Relationship, own: AccountId, names: &Names) -> Self {
        let nameless = RelatedProfile::nameless(other(&row, own));
        let name = names.get(&nameless.user_id).filter(|_| is_introduced(&row, own)).cloned();
        let related_profile = match name {
            Some((first, last)) => {
                RelatedProfile { first_name: Some(first), last_name: Some(last), ..nameless }
            }
            None => nameless,
        };
        let pending = row.state == RelationshipState::PendingConfirmation;
        Self {
            relationship_id: row.relationship_id,
            relation_type: row.kind,
            status: row.state,
            subject_id: row.subject_id,
            object_id: row.object_id,
            awaits_answer: pending && row.object_id == own,
            related_profile,
            since: rfc3339(row.since.0),
            askable_from: row.askable_from.map(|at| rfc3339(at.0)),
            ended_by: row.ended_by,
        }
    }
}

/// `GET /relationships`
async fn list(
    user: User,
    State(store): State<Store>,
    _: After,
    Query(query): Query<RelationshipsQuery>,
) -> Result<Read<Page<RelationshipReply>>> {
    let (own, part) = (user.own_account()?, Part::new(query.cursor, query.limit)?);
    let filter = Filter { other: query.with, kind: query.kind, state: query.status };
    let mut view = View::open(&store).await?;
    let (before, more) = (part.before, part.more());
    let rows = relationships::page(&mut view.snapshot, &own, &filter, before, more).await?;
    let names = names(&mut view.snapshot, &rows, own).await?;
    let page = Page::of(rows, part.limit, |row| row.cursor);
    Ok(view.read(page.try_map(|row| Ok(RelationshipReply::of(row, own, &names)))?))
}

fn relationship_id(text: &str) -> Result<RelationshipId> {
    text.parse().map_err(|_| Error::not_found("Relationship"))
}

/// `GET /relationships/{relationshipId}`
async fn get(
    user: User,
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<RelationshipReply>> {
    let (own, id) = (user.own_account()?, relationship_id(&id)?);
    let mut view = View::open(&store).await?;
    let found = relationships::get(&mut view.snapshot, id).await?;
    let found = found.filter(|row| row.subject_id == own || row.object_id == own);
    let row = found.ok_or_else(|| Error::not_found("Relationship"))?;
    let names = names(&mut view.snapshot, std::slice::from_ref(&row), own).await?;
    Ok(view.read(RelationshipReply::of(row, own, &names)))
}

/// Who is asked. Whether an address is nobody's, or of somebody who can't be asked yet, is not told
/// apart.
async fn asked(
    store: &Store,
    user: Option<AccountId>,
    email: Option<LoginEmail>,
) -> Result<AccountId> {
    let email = match (user, email) {
        (Some(user), _) => return Ok(user),
        (None, Some(email)) => email,
        (None, None) => return Err(Error::field("userId", "required", "is required, or email")),
    };
    let mut found = users::by_email(store, &email.kept).await?;
    if let (None, Some(before)) = (&found, &email.before) {
        found = users::by_email(store, before).await?;
    }
    let account = found.filter(|row| row.on_ledger).and_then(|row| row.ledger_id);
    let message = "Nobody who can be asked has this e-mail address";
    let status = axum::http::StatusCode::NOT_FOUND;
    account.ok_or_else(|| Error::new(status, "user_not_found", message))
}

/// `POST /relationships`
async fn request(
    commands: Commands<User>,
    State(store): State<Store>,
    Body(body): Body<RelationshipBody>,
) -> Result<Accepted<RequestRelationship>> {
    let missing = || Error::field("type", "required", "is required");
    let kind = body.kind.or(body.relation_type).ok_or_else(missing)?;
    let subject_id = commands.by.own_account()?;
    let object_id = asked(&store, body.user, body.email).await?;
    commands.give(RequestRelationship { subject_id, object_id, kind }).await
}

/// `POST /relationships/{relationshipId}/confirm`
async fn confirm(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<ConfirmRelationship>> {
    commands.give(ConfirmRelationship { relationship_id: relationship_id(&id)? }).await
}

/// `POST /relationships/{relationshipId}/reject`
async fn reject(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<RejectRelationship>> {
    commands.give(RejectRelationship { relationship_id: relationship_id(&id)? }).await
}

/// `POST /relationships/{relationshipId}/end`
async fn end(
    commands: Commands<User>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<EndRelationship>> {
    commands.give(EndRelationship { relationship_id: relationship_id(&id)? }).await
}
