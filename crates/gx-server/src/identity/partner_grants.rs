//! What a user lets partners do: which of them, what, up to how much, and until when. It is the
//! user's to take back, with the partner's next request.

use axum::extract::State;
use gx_store::Store;
use gx_store::partner::consents::{self, Consent, NamedConsent};
use gx_store::partner::partners::{self, Partner, PartnerStatus};
use gx_types::{MAX_SUPPLY, TimeMs};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json as value;

use crate::api::Route;
use crate::audit::{Audit, Entry};
use crate::auth::fields::PartnerId;
use crate::auth::{Scope, User};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Detail, Error, Result};
use crate::http::answer::{CURRENCY, Created, Json, Message, Page};
use crate::http::extract::{Body, Path, Query};
use crate::http::fields::{Count, GxAmount, Instant, List, Text, request};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a consent is good for, unless its time is said.
const USUAL_MS: i64 = 90 * DAY_MS;
/// How long it can be good for.
const LONGEST_MS: i64 = 366 * DAY_MS;

pub(super) fn routes() -> [Route; 3] {
    [
        Route::get("/api/v1/partners/grants", list)
            .summary("What the caller lets partners do, by the partners' ids"),
        Route::post("/api/v1/partners/grants", grant)
            .summary("Lets a partner act for the caller, in place of what was agreed before")
            .sample(concat!(
                r#"{"partnerId": "{partnerId}", "scopes": ["balance:read", "transfer:create"], "#,
                r#""perPayment": "5.00", "perDay": "20.00"}"#
            ))
            .fails(&[(404, "not_found")]),
        Route::delete("/api/v1/partners/grants/{partnerId}", withdraw)
            .summary("Takes back what a partner may do for the caller, with its next request"),
    ]
}

request! {
    /// Which part of the list.
    pub(crate) struct GrantsQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 64>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// What a partner may do for the caller.
    pub(crate) struct GrantBody {
        partner as "partnerId": PartnerId,
        scopes as "scopes": List<Scope, 1, { Scope::ALL.len() }>,
        /// The most of one payment, without its fee; needed with `transfer:create`.
        per_payment as "perPayment": Option<GxAmount>,
        /// The most of all payments of a day by UTC, without their fees; needed likewise.
        per_day as "perDay": Option<GxAmount>,
        /// Until when, at most a year ahead; 90 days when left out.
        expires_at as "expiresAt": Option<Instant>,
    }
}

/// What a partner may do for the caller.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GrantReply {
    partner_id: String,
    partner_name: String,
    scopes: Vec<String>,
    per_payment: Option<String>,
    per_day: Option<String>,
    currency: &'static str,
    granted_at: String,
    expires_at: String,
}

impl From<NamedConsent> for GrantReply {
    fn from(NamedConsent { consent, partner_name }: NamedConsent) -> Self {
        Self {
            partner_id: consent.partner_id,
            partner_name,
            scopes: consent.scopes,
            per_payment: consent.payment_max.map(|limit| limit.to_gx()),
            per_day: consent.day_max.map(|limit| limit.to_gx()),
            currency: CURRENCY,
            granted_at: rfc3339(consent.created_at.0),
            expires_at: rfc3339(consent.expires_at.0),
        }
    }
}

/// `GET /partners/grants`
async fn list(
    user: User,
    State(store): State<Store>,
    Query(query): Query<GrantsQuery>,
) -> Result<Json<Page<GrantReply>>> {
    let (limit, after) = (query.limit.map_or(20, |limit| limit.0), query.cursor);
    let after = after.as_ref().map(|Text(after)| after.as_str());
    let rows = consents::page(&store, user.id(), after, limit.saturating_add(1)).await?;
    let page = Page::of(rows, limit, |row: &NamedConsent| row.consent.partner_id.clone());
    Ok(Json(page.try_map(|row| Ok(row.into()))?))
}

/// `POST /partners/grants`
async fn grant(
    user: User,
    audit: Audit,
    Body(body): Body<GrantBody>,
) -> Result<Created<GrantReply>> {
    let mut change = audit.begin().await?;
    let found = partners::get(change.tx(), &body.partner.0).await?;
    let is_active = |partner: &Partner| partner.status == PartnerStatus::Active;
    let partner = found.filter(is_active).ok_or_else(unknown)?;
    let consent = agreed(&user, &partner, &body)?;
    consents::put(change.tx(), &consent).await?;
    let target = &partner.partner_id;
    let entry = Entry { actor: user.scope(), action: "partner.grant", target };
    change.commit_with(entry, &value!({ "scopes": consent.scopes })).await?;
    Ok(Created(NamedConsent { consent, partner_name: partner.name }.into()))
}

/// What is agreed to, with every fault of it at once.
fn agreed(user: &User, partner: &Partner, body: &GrantBody) -> Result<Consent> {
    let now = now_ms();
    let mut details = Vec::new();
    let mut fault = |field: &str, code: &'static str, message: &'static str| {
        let field = field.to_owned();
        details.push(Detail { field, code: code.into(), message: message.into() });
    };
    let scopes: Vec<&str> = body.scopes.0.iter().map(|scope| scope.as_str()).collect();
    if scopes.iter().any(|scope| !partner.scopes.iter().any(|known| known == scope)) {
        fault("scopes", "scope_not_granted", "the partner is not given all of them");
    }
    let pays = body.scopes.0.contains(&Scope::TransferCreate);
    for (field, limit) in [("perPayment", body.per_payment), ("perDay", body.per_day)] {
        match limit {
            None if pays => fault(field, "required", "is required with transfer:create"),
            Some(_) if !pays => fault(field, "not_applicable", "is for transfer:create only"),
            Some(GxAmount(limit)) if limit > MAX_SUPPLY => {
                fault(field, "too_large", "is more than there can be");
            }
            _ => {}
        }
    }
    let expires_at = body.expires_at.map_or(now.saturating_add(USUAL_MS), |at| at.0);
    if !(now.saturating_add(1)..=now.saturating_add(LONGEST_MS)).contains(&expires_at) {
        fault("expiresAt", "invalid_period", "must be in the future, at most a year ahead");
    }
    if !details.is_empty() {
        return Err(Error::invalid(details));
    }
    Ok(Consent {
        user_id: user.id().to_owned(),
        partner_id: partner.partner_id.clone(),
        scopes: scopes.into_iter().map(str::to_owned).collect(),
        payment_max: body.per_payment.map(|limit| limit.0),
        day_max: body.per_day.map(|limit| limit.0),
        created_at: TimeMs(now),
        expires_at: TimeMs(expires_at),
    })
}

/// `DELETE /partners/grants/{partnerId}`
async fn withdraw(user: User, audit: Audit, Path(id): Path<String>) -> Result<Json<Message>> {
    let mut change = audit.begin().await?;
    if !consents::remove(change.tx(), user.id(), &id).await? {
        return Err(unknown());
    }
    let entry = Entry { actor: user.scope(), action: "partner.withdraw", target: &id };
    change.commit(entry).await?;
    Ok(Json(Message::done("Taken back")))
}

fn unknown() -> Error {
    Error::not_found("Partner")
}
