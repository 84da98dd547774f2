//! Partners: companies whose programs may act for users who agree to it. Administrators say who is
//! one and what its keys can do at most; what they do for a user is the user's decision.

mod fields;
mod keys;

use axum::extract::State;
use gx_store::Store;
use gx_store::partner::keys as key_rows;
use gx_store::partner::partners::{self, Partner, PartnerStatus};
use gx_types::TimeMs;
use serde_json::json as value;

use crate::api::Route;
use crate::audit::{Audit, Entry};
use crate::auth::{Admin, May, grant};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json, Message, Page};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::Text;
use fields::{NewPartnerBody, PartnerBody, PartnerDetail, PartnerReply, PartnersQuery, codes};

/// Keys that are shown with a partner.
const KEYS_SHOWN: u32 = 50;

pub(super) fn routes() -> Vec<Route> {
    let taken = (409, "partner_name_taken");
    let [new_key, revoke_key] = keys::routes();
    vec![
        Route::get("/api/v1/admin/partners", list).summary("Partners, by their ids"),
        Route::post("/api/v1/admin/partners", create)
            .summary("Adds a partner, which has no key yet")
            .sample(concat!(
                r#"{"partnerId": "example-shop", "name": "Example shop", "#,
                r#""contactEmail": "shop@example.org", "scopes": ["balance:read"]}"#
            ))
            .fails(&[taken, (409, "partner_already_exists")]),
        Route::get("/api/v1/admin/partners/{partnerId}", get)
            .summary("A partner with its keys, without their secrets"),
        Route::patch("/api/v1/admin/partners/{partnerId}", update)
            .summary("Changes a partner, or suspends all of its keys")
            .sample(r#"{"contactEmail": "support@example.org", "suspended": false}"#)
            .fails(&[taken]),
        new_key,
        revoke_key,
        Route::delete("/api/v1/admin/partners/{partnerId}", remove)
            .summary("Removes a partner for ever: its keys and what users have agreed to end"),
    ]
}

/// `GET /admin/partners`
async fn list(
    _: May<grant::ConfigView>,
    State(store): State<Store>,
    Query(query): Query<PartnersQuery>,
) -> Result<Json<Page<PartnerReply>>> {
    let (limit, after) = (query.limit.map_or(20, |limit| limit.0), query.cursor);
    let after = after.as_ref().map(|Text(after)| after.as_str());
    let rows = partners::page(&store, after, limit.saturating_add(1)).await?;
    let page = Page::of(rows, limit, |row: &Partner| row.partner_id.clone());
    Ok(Json(page.try_map(|row| Ok(row.into()))?))
}

/// `GET /admin/partners/{partnerId}`
async fn get(
    _: May<grant::ConfigView>,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Json<PartnerDetail>> {
    let partner = partners::get(&store, &id).await?.ok_or_else(unknown)?;
    let keys = key_rows::of_partner(&store, &id, KEYS_SHOWN).await?;
    let keys = keys.into_iter().map(Into::into).collect();
    Ok(Json(PartnerDetail { partner: partner.into(), keys }))
}

/// `POST /admin/partners`
async fn create(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    Body(body): Body<NewPartnerBody>,
) -> Result<Created<PartnerReply>> {
    let partner = new_partner(&admin, body);
    let mut change = audit.begin().await?;
    partners::create(change.tx(), &partner).await.map_err(taken)?;
    let target = &partner.partner_id;
    let entry = Entry { actor: admin.scope(), action: "partner.create", target };
    change.commit_with(entry, &value!({ "scopes": partner.scopes })).await?;
    Ok(Created(partner.into()))
}

fn new_partner(by: &Admin, body: NewPartnerBody) -> Partner {
    let now = TimeMs(now_ms());
    Partner {
        partner_id: body.id.0,
        name: body.name.0,
        contact: body.contact.map(|contact| contact.0),
        status: PartnerStatus::Active,
        scopes: codes(&body.scopes),
        created_by: by.id().to_owned(),
        created_at: now,
        updated_at: now,
    }
}

/// `PATCH /admin/partners/{partnerId}`
async fn update(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    Path(id): Path<String>,
    Body(body): Body<PartnerBody>,
) -> Result<Json<PartnerReply>> {
    let mut change = audit.begin().await?;
    let partner = partners::get(change.tx(), &id).await?.ok_or_else(unknown)?;
    let (partner, told) = revised(partner, body);
    if !partners::update(change.tx(), &partner).await.map_err(taken)? {
        return Err(unknown());
    }
    let entry = Entry { actor: admin.scope(), action: "partner.update", target: &id };
    change.commit_with(entry, &told).await?;
    Ok(Json(partner.into()))
}

/// A partner as it is to be, and what of it is told in the log.
fn revised(partner: Partner, body: PartnerBody) -> (Partner, serde_json::Value) {
    let PartnerBody { name, contact, scopes, suspended } = body;
    let scopes = scopes.as_ref().map(codes);
    let suspended = suspended.map(|suspended| suspended.0);
    let told = value!({
        "name": name.as_ref().map(|name| &name.0), "contactEmail": contact.is_some(),
        "scopes": scopes, "suspended": suspended,
    });
    let status = match suspended {
        Some(true) => PartnerStatus::Suspended,
        Some(false) => PartnerStatus::Active,
        None => partner.status,
    };
    let partner = Partner {
        name: name.map_or(partner.name, |name| name.0),
        contact: contact.map(|contact| contact.0).or(partner.contact),
        scopes: scopes.unwrap_or(partner.scopes),
        status,
        updated_at: TimeMs(now_ms()),
        ..partner
    };
    (partner, told)
}

/// `DELETE /admin/partners/{partnerId}`
async fn remove(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    Path(id): Path<String>,
) -> Result<Json<Message>> {
    let mut change = audit.begin().await?;
    if !partners::remove(change.tx(), &id, TimeMs(now_ms())).await? {
        return Err(unknown());
    }
    change.commit(Entry { actor: admin.scope(), action: "partner.remove", target: &id }).await?;
    Ok(Json(Message::done("Removed; its keys have ended")))
}

fn taken(error: gx_store::Error) -> Error {
    if error.is_unique("partners.partner_id") {
        let message = "There is, or was, a partner with this id";
        Error::conflict("partner_already_exists", message)
    } else if error.is_unique("partners.name") {
        Error::conflict("partner_name_taken", "Another partner is called so")
    } else {
        error.into()
    }
}

fn unknown() -> Error {
    Error::not_found("Partner")
}
