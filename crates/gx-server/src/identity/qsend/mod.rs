//! Requests for a payment that are shown as a QR code, and paid by whoever has the code.
//!
//! A payment and the request that waits for it are written together, so that of two payers one
//! pays. What has become of it is what the ledger says of the command.

mod code;
mod reading;

use std::cmp::max;

use axum::extract::State;
use axum::http::StatusCode;
use gx_contract::tokenomics::Transfer;
use gx_store::commands as outcomes;
use gx_store::identity::qsend::{self, NewRequest, QSendStatus, Request};
use gx_store::identity::users;
use gx_store::{Source, Store, Tx, projection};
use gx_types::{CommandId, TimeMs};

use crate::api::{Failure, Route};
use crate::audit::{Audit, Entry};
use crate::auth::{User, random_id};
use crate::calendar::now_ms;
use crate::commands::{Accepted, Along, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Created, Json};
use crate::http::extract::{Body, Path};
use crate::http::fields::{Count, GxAmount, NoBody, Written, request};
use code::{Code, QrData};
use reading::QSendReply;

/// How long a request stands, unless its creator says otherwise.
const VALIDITY_SECONDS: u32 = 300;

/// How a request is no longer what it has to be.
const SPENT: [Failure; 4] = [
    (409, "qsend_expired"),
    (409, "qsend_cancelled"),
    (409, "qsend_paid"),
    (409, "qsend_being_paid"),
];

pub(super) fn routes() -> Vec<Route> {
    let mut routes = reading::routes();
    routes.extend([
        Route::post("/api/v1/qsend", create)
            .summary("Asks for a payment, to be shown as a QR code")
            .sample(r#"{"amount": "12.50", "description": "Two coffees", "validitySeconds": 300}"#)
            .fails(&[(404, "not_found"), (409, "not_on_ledger")]),
        Route::post("/api/v1/qsend/{requestCode}/pay", pay)
            .summary("Pays what was asked for; of several who do at once, one does")
            .sample("{}")
            .fails(&SPENT)
            .fails(&[(409, "qsend_own_request")]),
        Route::post("/api/v1/qsend/{requestCode}/cancel", cancel)
            .summary("Takes a request of the caller's back that nobody has paid")
            .sample("{}")
            .fails(&SPENT),
    ]);
    routes
}

request! {
    /// A payment to ask for.
    pub(crate) struct QSendBody {
        amount as "amount": GxAmount,
        /// For whoever pays.
        description as "description": Option<Written<0, 200>>,
        /// The caller's own, such as the number of an invoice.
        reference as "reference": Option<Written<0, 100>>,
        /// How long it can be paid; 300 when it is left out.
        validity as "validitySeconds": Option<Count<60, 600>>,
    }
}

/// What time it is for what expires: the ledger's time may be ahead of this machine's.
async fn now(source: impl Into<Source<'_>>) -> Result<TimeMs> {
    let applied = projection::position(source).await?.checkpoint;
    Ok(max(applied.map(|checkpoint| checkpoint.at).unwrap_or_default(), TimeMs(now_ms())))
}

/// `POST /qsend`
async fn create(
    user: User,
    audit: Audit,
    State(store): State<Store>,
    Body(body): Body<QSendBody>,
) -> Result<Created<QSendReply>> {
    let new = new_request(&store, &user, body).await?;
    let mut change = audit.begin().await?;
    qsend::create(change.tx(), &new).await?;
    let entry = Entry { actor: user.scope(), action: "qsend.create", target: &new.request_id };
    change.commit(entry).await?;
    let request = read(&store, &new.code).await?;
    Ok(Created(QSendReply::of(request, user.id(), new.created_at)))
}

async fn new_request(store: &Store, user: &User, body: QSendBody) -> Result<NewRequest> {
    let account = user.own_account()?;
    let row = users::get(store, user.id()).await?.ok_or_else(|| Error::not_found("User"))?;
    let created_at = now(store).await?;
    let seconds = body.validity.map_or(VALIDITY_SECONDS, |seconds| seconds.0);
    let expires_at = TimeMs(created_at.0.saturating_add(i64::from(seconds) * 1000));
    let code = Code::new().map_err(Error::internal)?;
    let mut new = NewRequest {
        request_id: random_id().map_err(Error::internal)?,
        code: code.to_string(),
        creator: user.id().to_owned(),
        account,
        amount: body.amount.0,
        description: body.description.map(|text| text.0).filter(|text| !text.is_empty()),
        reference: body.reference.map(|text| text.0).filter(|text| !text.is_empty()),
        qr_data: String::new(),
        created_at,
        expires_at,
    };
    new.qr_data = QrData::of(&new, &format!("{} {}", row.first_name, row.last_name)).to_text();
    Ok(new)
}

/// A request as it stands now.
async fn read(store: &Store, code: &str) -> Result<Request> {
    let at = now(store).await?;
    qsend::get(store, &Code::typed(code), at).await?.ok_or_else(unknown)
}

/// What is written with the payment of a request.
#[derive(Debug)]
struct Claim {
    code: String,
    /// User id.
    payer: String,
}

impl Along for Claim {
    async fn write(self, tx: &mut Tx, id: CommandId) -> Result<()> {
        let at = now(&mut *tx).await?;
        let seen = qsend::get(&mut *tx, &self.code, at).await?.ok_or_else(unknown)?;
        is_open(&seen)?;
        if qsend::claim(tx, &seen, &self.payer, &id).await? {
            Ok(())
        } else {
            Err(spent(QSendStatus::Paying))
        }
    }
}

/// `POST /qsend/{requestCode}/pay`
async fn pay(
    commands: Commands<User>,
    State(store): State<Store>,
    Path(code): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<Transfer>> {
    let (from, payer) = (commands.by.own_account()?, commands.by.id().to_owned());
    let request = read(&store, &code).await?;
    // A retry gets the answer that it had, whatever has become of the request.
    if outcomes::status(&store, &commands.id()?).await?.is_none() {
        is_payable(&request, &payer)?;
    }
    let NewRequest { account: to, amount, code, .. } = request.new;
    // Everybody on the ledger reads remarks: what the payment is for stays here.
    let remark = format!("QSend {code}");
    commands.give_with(Transfer { from, to, amount, remark }, Claim { code, payer }).await
}

fn is_payable(request: &Request, payer: &str) -> Result<()> {
    if request.new.creator == payer {
        let message = "A request is paid by somebody else than its creator";
        return Err(Error::conflict("qsend_own_request", message));
    }
    is_open(request)
}

fn is_open(request: &Request) -> Result<()> {
    match request.status {
        QSendStatus::Active => Ok(()),
        status => Err(spent(status)),
    }
}

/// Why a request with this status can neither be paid nor taken back.
fn spent(status: QSendStatus) -> Error {
    let (code, message) = match status {
        QSendStatus::Expired => ("qsend_expired", "The request has expired"),
        QSendStatus::Cancelled => ("qsend_cancelled", "The request was taken back"),
        QSendStatus::Paid => ("qsend_paid", "The request is paid"),
        QSendStatus::Active | QSendStatus::Paying => {
            ("qsend_being_paid", "Somebody's payment of the request is on its way")
        }
    };
    Error::new(StatusCode::CONFLICT, code, message)
}

/// `POST /qsend/{requestCode}/cancel`
async fn cancel(
    user: User,
    audit: Audit,
    State(store): State<Store>,
    Path(code): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Json<QSendReply>> {
    take_back(&user, &audit, &Code::typed(&code)).await?;
    let request = read(&store, &code).await?;
    let at = now(&store).await?;
    Ok(Json(QSendReply::of(request, user.id(), at)))
}

async fn take_back(user: &User, audit: &Audit, code: &str) -> Result<()> {
    let mut change = audit.begin().await?;
    let at = now(change.tx()).await?;
    let seen = qsend::get(change.tx(), code, at).await?;
    let seen = seen.filter(|seen| seen.new.creator == user.id()).ok_or_else(unknown)?;
    is_open(&seen)?;
    if !qsend::cancel(change.tx(), &seen, at).await? {
        return Err(spent(QSendStatus::Paying));
    }
    let target = &seen.new.request_id;
    change.commit(Entry { actor: user.scope(), action: "qsend.cancel", target }).await
}

fn unknown() -> Error {
    Error::not_found("Request")
}
