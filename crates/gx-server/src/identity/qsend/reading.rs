//! Requests as their creators, their payers and whoever holds the code see them.
//!
//! Who pays is a matter of creator and payer alone.

use axum::extract::State;
use gx_store::Store;
use gx_store::identity::qsend::{self, Filter, QSendStatus, Request, Side, Total};
use gx_types::{AccountId, Amount, CommandId, TimeMs};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use super::code::{Code, QrData};
use super::{now, read};
use crate::api::Route;
use crate::auth::User;
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Json, Page, Svg, place};
use crate::http::extract::{After, Body, Path, Query};
use crate::http::fields::{Instant, Text, listed_fields, one_of, request};
use crate::http::paging::Limit;

/// Requests that a dashboard shows.
const RECENT: u32 = 5;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/api/v1/qsend", list)
            .summary("Requests that the caller has made or paid, newest first")
            .fails(&[(400, "invalid_cursor")]),
        Route::get("/api/v1/qsend/dashboard", dashboard)
            .summary("How many requests the caller has made, and what came of them"),
        Route::post("/api/v1/qsend/verify", verify)
            .only_asks()
            .summary("Whether what a QR code holds is a request that can be paid")
            .sample(r#"{"qrData": "eyJ2IjoxLCJ0IjoiUVNFTkQifQ=="}"#),
        Route::get("/api/v1/qsend/{requestCode}", get)
            .summary("A request, for whoever has its code"),
        Route::get("/api/v1/qsend/{requestCode}/qr.svg", picture)
            .summary("The QR code of a request, as a drawing"),
    ]
}

/// A request for a payment.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QSendReply {
    id: String,
    request_code: String,
    /// What the QR code holds.
    qr_data: String,
    amount: String,
    currency: &'static str,
    description: Option<String>,
    reference: Option<String>,
    /// `ACTIVE`, `PAYING`, `PAID`, `EXPIRED` or `CANCELLED`.
    status: &'static str,
    created_at: String,
    expires_at: String,
    validity_seconds: i64,
    /// 0 once it can't be paid any more.
    remaining_seconds: i64,
    creator_profile_id: String,
    creator_name: Option<String>,
    /// The account that is paid.
    #[schemars(with = "String")]
    creator_fabric_id: AccountId,
    /// Who pays, for both sides alone.
    payer_profile_id: Option<String>,
    payer_name: Option<String>,
    paid_at: Option<String>,
    /// The command that pays it, for both sides alone.
    #[schemars(with = "Option<String>")]
    command_id: Option<CommandId>,
    /// The same, once it has paid.
    #[schemars(with = "Option<String>")]
    on_chain_tx_id: Option<CommandId>,
}

impl QSendReply {
    /// As a user sees it.
    pub(super) fn of(request: Request, viewer: &str, now: TimeMs) -> Self {
        let Request { new, creator_name, status, command_id, payer, paid_at } = request;
        let left = new.expires_at.0.saturating_sub(now.0).max(0) / 1000;
        let is_side = |payer: &qsend::Payer| new.creator == viewer || payer.id == viewer;
        let payer = payer.filter(is_side);
        let command_id = command_id.filter(|_| payer.is_some());
        Self {
            id: new.request_id,
            request_code: new.code,
            qr_data: new.qr_data,
            amount: new.amount.to_gx(),
            currency: CURRENCY,
            description: new.description,
            reference: new.reference,
            status: status.as_str(),
            created_at: rfc3339(new.created_at.0),
            expires_at: rfc3339(new.expires_at.0),
            validity_seconds: (new.expires_at.0 - new.created_at.0) / 1000,
            remaining_seconds: if status == QSendStatus::Active { left } else { 0 },
            creator_profile_id: new.creator,
            creator_name,
            creator_fabric_id: new.account,
            payer_name: payer.as_ref().and_then(|payer| payer.name.clone()),
            payer_profile_id: payer.map(|payer| payer.id),
            paid_at: paid_at.map(|at| rfc3339(at.0)),
            command_id,
            on_chain_tx_id: command_id.filter(|_| status == QSendStatus::Paid),
        }
    }
}

/// A status to look for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted(QSendStatus);

impl Wanted {
    const ALL: [Self; 5] = [
        Self(QSendStatus::Active),
        Self(QSendStatus::Paying),
        Self(QSendStatus::Paid),
        Self(QSendStatus::Expired),
        Self(QSendStatus::Cancelled),
    ];

    const fn as_str(self) -> &'static str {
        self.0.as_str()
    }
}

/// The caller's part in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Role(Side);

impl Role {
    const ALL: [Self; 3] = [Self(Side::Creator), Self(Side::Payer), Self(Side::Both)];

    const fn as_str(self) -> &'static str {
        match self.0 {
            Side::Creator => "creator",
            Side::Payer => "payer",
            Side::Both => "all",
        }
    }
}

listed_fields! {
    Wanted: "invalid_status";
    Role: "invalid_role";
}

impl JsonSchema for Wanted {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "QSendStatus".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

impl JsonSchema for Role {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "QSendRole".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// Which requests.
    pub(crate) struct QSendQuery {
        status as "status": Option<Wanted>,
        /// `all` when it is left out.
        role as "role": Option<Role>,
        /// Made at this time or later.
        from as "startDate": Option<Instant>,
        /// Made before this time.
        to as "endDate": Option<Instant>,
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 64>>,
        limit as "limit": Option<Limit>,
    }
}

request! {
    /// What was read from a QR code.
    pub(crate) struct VerifyBody {
        qr_data as "qrData": Text<1, 4096>,
    }
}

/// What a QR code is good for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Verified {
    /// Whether it can be paid.
    valid: bool,
    /// The request, unless the QR code is not its.
    request: Option<QSendReply>,
    /// Why it can't be paid: `malformed`, `unknown`, `altered`, `expired`, `cancelled`, `paid` or
    /// `being_paid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// What came of the caller's requests.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dashboard {
    stats: Stats,
    recent_requests: Vec<QSendReply>,
}

/// Requests by status.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stats {
    total_requests: u64,
    active_requests: u64,
    paying_requests: u64,
    paid_requests: u64,
    expired_requests: u64,
    cancelled_requests: u64,
    total_amount_requested: String,
    total_amount_received: String,
    currency: &'static str,
}

impl Stats {
    fn of(totals: &[Total]) -> Self {
        let of = |status: QSendStatus| totals.iter().filter(move |total| total.status == status);
        let count = |status| of(status).map(|total| total.count).sum::<u64>();
        let sum = |wanted: &dyn Fn(&Total) -> bool| {
            let amounts = totals.iter().filter(|total| wanted(total)).map(|total| total.amount);
            // More than there are coins was asked for: what is shown stays at what can be written.
            let add = |sum: Amount, next| sum.checked_add(next).unwrap_or(sum);
            amounts.fold(Amount::ZERO, add).to_gx()
        };
        Self {
            total_requests: totals.iter().map(|total| total.count).sum(),
            active_requests: count(QSendStatus::Active),
            paying_requests: count(QSendStatus::Paying),
            paid_requests: count(QSendStatus::Paid),
            expired_requests: count(QSendStatus::Expired),
            cancelled_requests: count(QSendStatus::Cancelled),
            total_amount_requested: sum(&|_| true),
            total_amount_received: sum(&|total| total.status == QSendStatus::Paid),
            currency: CURRENCY,
        }
    }
}

/// Where a list of requests goes on.
#[derive(Debug)]
struct Cursor {
    created_at: TimeMs,
    request_id: String,
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (at, id) = text.split_once('.').ok_or(())?;
        let created_at = TimeMs(at.parse().map_err(|_| ())?);
        Ok(Self { created_at, request_id: id.to_owned() })
    }
}

/// `GET /qsend`
async fn list(
    user: User,
    State(store): State<Store>,
    _: After,
    Query(query): Query<QSendQuery>,
) -> Result<Json<Page<QSendReply>>> {
    Ok(Json(page(&store, &user, query).await?))
}

async fn page(store: &Store, user: &User, query: QSendQuery) -> Result<Page<QSendReply>> {
    let before: Option<Cursor> = place(query.cursor)?;
    let before = before.as_ref().map(|before| (before.created_at, before.request_id.as_str()));
    let limit = query.limit.map_or(20, |limit| limit.0);
    let filter = Filter {
        user: user.id(),
        side: query.role.map_or(Side::Both, |role| role.0),
        status: query.status.map(|wanted| wanted.0),
        from: query.from.map(|from| TimeMs(from.0)),
        to: query.to.map(|to| TimeMs(to.0)),
    };
    let at = now(store).await?;
    let rows = qsend::list(store, filter, before, limit + 1, at).await?;
    let cursor = |row: &Request| format!("{}.{}", row.new.created_at.0, row.new.request_id);
    Page::of(rows, limit, cursor).try_map(|row| Ok(QSendReply::of(row, user.id(), at)))
}

/// `GET /qsend/dashboard`
async fn dashboard(user: User, State(store): State<Store>, _: After) -> Result<Json<Dashboard>> {
    let at = now(&store).await?;
    let totals = qsend::totals(&store, user.id(), at).await?;
    let creator = Side::Creator;
    let filter = Filter { user: user.id(), side: creator, status: None, from: None, to: None };
    let recent = qsend::list(&store, filter, None, RECENT, at).await?;
    let recent = recent.into_iter().map(|row| QSendReply::of(row, user.id(), at));
    Ok(Json(Dashboard { stats: Stats::of(&totals), recent_requests: recent.collect() }))
}

/// `POST /qsend/verify`
async fn verify(
    user: User,
    State(store): State<Store>,
    Body(body): Body<VerifyBody>,
) -> Result<Json<Verified>> {
    Ok(Json(verified(&store, &user, &body.qr_data.0).await?))
}

async fn verified(store: &Store, user: &User, text: &str) -> Result<Verified> {
    let not = |error| Verified { valid: false, request: None, error: Some(error) };
    let Some(given) = QrData::read(text) else { return Ok(not("malformed")) };
    let at = now(store).await?;
    let Some(found) = qsend::get(store, &Code::typed(&given.c), at).await? else {
        return Ok(not("unknown"));
    };
    if found.new.qr_data != text.trim() {
        return Ok(not("altered"));
    }
    let error = match found.status {
        QSendStatus::Active => None,
        QSendStatus::Paying => Some("being_paid"),
        QSendStatus::Paid => Some("paid"),
        QSendStatus::Expired => Some("expired"),
        QSendStatus::Cancelled => Some("cancelled"),
    };
    let request = Some(QSendReply::of(found, user.id(), at));
    Ok(Verified { valid: error.is_none(), request, error })
}

/// `GET /qsend/{requestCode}`
async fn get(
    user: User,
    State(store): State<Store>,
    _: After,
    Path(code): Path<String>,
) -> Result<Json<QSendReply>> {
    let request = read(&store, &code).await?;
    let at = now(&store).await?;
    Ok(Json(QSendReply::of(request, user.id(), at)))
}

/// `GET /qsend/{requestCode}/qr.svg`
async fn picture(_: User, State(store): State<Store>, Path(code): Path<String>) -> Result<Svg> {
    let request = read(&store, &code).await?;
    draw(&request.new.qr_data)
}

fn draw(text: &str) -> Result<Svg> {
    // Long descriptions fit with less correction only.
    let drawn = QrCode::with_error_correction_level(text, EcLevel::M)
        .or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L));
    let drawn = drawn.map_err(Error::internal)?;
    Ok(Svg(drawn.render::<svg::Color<'_>>().min_dimensions(256, 256).build()))
}
