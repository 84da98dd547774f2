//! Keys of a partner: made, shown once, and revoked. Several are good at once, so that a partner
//! changes to a new one before the old one ends.

use axum::extract::State;
use gx_store::partner::keys::{self, PartnerKey};
use gx_store::partner::partners::{self, Partner};
use gx_types::TimeMs;
use serde_json::json as value;

use super::fields::{KeyReply, NewKeyBody, NewKeyReply, codes};
use super::unknown;
use crate::api::Route;
use crate::audit::{Audit, Entry};
use crate::auth::partners::NewApiKey;
use crate::auth::{Admin, Logins, May, grant};
use crate::calendar::now_ms;
use crate::error::{Detail, Error, Result};
use crate::http::answer::{Created, Json, Message};
use crate::http::extract::{Body, Path};

/// Keys of a partner that may be good at once.
const KEYS_MAX: u64 = 10;

pub(super) fn routes() -> [Route; 2] {
    [
        Route::post("/api/v1/admin/partners/{partnerId}/keys", create)
            .summary("Makes a key of a partner, which is shown once; others stay good")
            .sample(r#"{"label": "Production", "requestsPerMinute": 600}"#)
            .gives_tokens()
            .fails(&[(409, "too_many_keys")]),
        Route::delete("/api/v1/admin/partners/{partnerId}/keys/{keyId}", revoke)
            .summary("Revokes a key of a partner, with its next request"),
    ]
}

/// `POST /admin/partners/{partnerId}/keys`
async fn create(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    State(logins): State<Logins>,
    Path(id): Path<String>,
    Body(body): Body<NewKeyBody>,
) -> Result<Created<NewKeyReply>> {
    let mut change = audit.begin().await?;
    let partner = partners::get(change.tx(), &id).await?.ok_or_else(unknown)?;
    let made = NewApiKey::make(logins.pepper())?;
    let row = new_key(&admin, partner, body, &made)?;
    if !keys::create(change.tx(), &row, KEYS_MAX).await? {
        let message = format!("{KEYS_MAX} keys are good already: revoke one first");
        return Err(Error::conflict("too_many_keys", message));
    }
    let entry = Entry { actor: admin.scope(), action: "partner.key.create", target: &id };
    change.commit_with(entry, &value!({ "keyId": row.key_id, "scopes": row.scopes })).await?;
    Ok(Created(NewKeyReply { api_key: made.text, shown: KeyReply::from(row) }))
}

fn new_key(by: &Admin, of: Partner, body: NewKeyBody, made: &NewApiKey) -> Result<PartnerKey> {
    let now = now_ms();
    let mut details = Vec::new();
    let mut fault = |field: &str, code: &'static str, message: String| {
        let field = field.to_owned();
        details.push(Detail { field, code: code.into(), message: message.into() });
    };
    let scopes = body.scopes.as_ref().map_or_else(|| of.scopes.clone(), codes);
    if let Some(scope) = scopes.iter().find(|scope| !of.scopes.contains(*scope)) {
        fault("scopes", "scope_not_granted", format!("the partner does not have {scope}"));
    }
    if body.expires_at.is_some_and(|at| at.0 <= now) {
        fault("expiresAt", "time_passed", "must be in the future".to_owned());
    }
    if !details.is_empty() {
        return Err(Error::invalid(details));
    }
    let networks = body.networks.map(|networks| networks.0).unwrap_or_default();
    Ok(PartnerKey {
        key_id: made.id.clone(),
        partner_id: of.partner_id,
        secret_hash: made.secret_hash.clone(),
        label: body.label.map(|label| label.0),
        scopes,
        networks: networks.into_iter().map(|network| network.0).collect(),
        requests_per_minute: body.limit.map(|limit| limit.0),
        created_by: by.id().to_owned(),
        created_at: TimeMs(now),
        expires_at: body.expires_at.map(|at| TimeMs(at.0)),
        revoked_at: None,
        last_used_at: None,
    })
}

/// `DELETE /admin/partners/{partnerId}/keys/{keyId}`
async fn revoke(
    admin: May<grant::ConfigUpdate>,
    audit: Audit,
    Path((id, key_id)): Path<(String, String)>,
) -> Result<Json<Message>> {
    let mut change = audit.begin().await?;
    if !keys::revoke(change.tx(), &id, &key_id, TimeMs(now_ms())).await? {
        return Err(Error::not_found("Key"));
    }
    let entry = Entry { actor: admin.scope(), action: "partner.key.revoke", target: &id };
    change.commit_with(entry, &value!({ "keyId": key_id })).await?;
    Ok(Json(Message::done("Revoked")))
}
