//! Authentication of partners: a key that is good, of a partner who is let in, for a user who has
//! agreed to what the request does.
//!
//! A key is `gxp_<id>_<secret>`. The id is public and finds the key's row; the secret is known by
//! its HMAC under the network's pepper alone, and compared in constant time. All is asked of the
//! store with every request, so that what is revoked or taken back ends at the next one. A partner
//! learns of a user nothing that the user has not agreed to, not even whether there is one.

use std::net::IpAddr;

use axum::http::{HeaderMap, StatusCode};
use gx_store::Store;
use gx_store::partner::partners::PartnerStatus;
use gx_store::partner::standing::{self, PartnerStanding, UserConsent};
use gx_store::partner::{keys, keys::PartnerKey};
use gx_types::{AccountId, TimeMs};

use super::gate::{User, may_act};
use super::keys::Pepper;
use super::scopes::{ByPartner, Scope};
use super::secrets::{entropy, opaque_token};
use crate::calendar::now_ms;
use crate::error::{Error, Result};
use crate::peer::Network;

/// The header that a key comes in, and nowhere else.
pub(crate) const KEY_HEADER: &str = "x-api-key";
/// The header that names the user by the id on the ledger.
pub(crate) const USER_HEADER: &str = "x-on-behalf-of";

/// What every key begins with, so that people and programs recognise one that was left somewhere.
const MARK: &str = "gxp_";
const ID_BYTES: usize = 8;

/// A key counts as used at most this often, so that reads do not become writes.
const TOUCH_EVERY_MS: i64 = 60_000;

/// How a request of a partner's for itself can fail.
pub(crate) const OWN_FAILURES: [(u16, &str); 9] = [
    (400, "api_key_in_query"),
    (400, "two_credentials"),
    (401, "api_key_missing"),
    (401, "api_key_invalid"),
    (401, "api_key_revoked"),
    (401, "api_key_expired"),
    (403, "partner_suspended"),
    (403, "network_not_allowed"),
    (403, "scope_missing"),
];

/// How a request with a key can fail.
pub(crate) const FAILURES: [(u16, &str); 10] = [
    (400, "api_key_in_query"),
    (400, "two_credentials"),
    (400, "on_behalf_of_required"),
    (401, "api_key_invalid"),
    (401, "api_key_revoked"),
    (401, "api_key_expired"),
    (403, "partner_suspended"),
    (403, "network_not_allowed"),
    (403, "scope_missing"),
    (403, "no_consent"),
];

/// A key as it is shown once, and what is kept of it.
pub(crate) struct NewApiKey {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) secret_hash: String,
}

impl NewApiKey {
    pub(crate) fn make(pepper: &Pepper) -> Result<Self> {
        let id = hex::encode(entropy::<ID_BYTES>().map_err(Error::internal)?);
        let secret = opaque_token().map_err(Error::internal)?;
        let secret_hash = pepper.of_api_key(&id, &secret);
        Ok(Self { text: format!("{}_{secret}", public_part(&id)), id, secret_hash })
    }
}

/// What may be shown of a key.
pub(crate) fn public_part(id: &str) -> String {
    format!("{MARK}{id}")
}

/// Id and secret of a key as it is written.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(MARK)?.split_once('_')?;
    (id.len() == 2 * ID_BYTES && secret.len() == 43).then_some((id, secret))
}

/// Refuses a URL that holds a key: URLs stand in the logs of everything on the way.
pub(crate) fn refuse_in_query(query: Option<&str>) -> Result<()> {
    let is_key = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.to_ascii_lowercase().replace(['-', '_'], "");
        matches!(name.as_str(), "apikey" | "xapikey") || value.starts_with(MARK)
    };
    if query.is_some_and(|query| query.split('&').any(is_key)) {
        let message = "A key in a URL is no secret any more: have it revoked, and send its \
            successor in the header X-API-Key";
        return Err(Error::bad_request("api_key_in_query", message));
    }
    Ok(())
}

/// A partner that calls for itself.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    pub(crate) partner_id: String,
    pub(crate) key_id: String,
    /// `partner:<id>`, as the audit log names it.
    pub(crate) actor: String,
    /// The key's own limit.
    pub(crate) requests_per_minute: Option<u32>,
}

impl Partner {
    fn of(key: PartnerKey) -> Self {
        Self {
            actor: format!("partner:{}", key.partner_id),
            partner_id: key.partner_id,
            key_id: key.key_id,
            requests_per_minute: key.requests_per_minute,
        }
    }
}

/// Authenticates requests of partners.
#[derive(Debug)]
pub(crate) struct PartnerGate {
    store: Store,
    pepper: Pepper,
}

impl PartnerGate {
    pub(crate) fn new(store: Store, pepper: Pepper) -> Self {
        Self { store, pepper }
    }

    /// The user for whom a partner sends a request that needs a scope.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        client: IpAddr,
        wanted: Scope,
    ) -> Result<User> {
        let user = one(headers, USER_HEADER);
        let account = user.and_then(|text| text.parse::<AccountId>().ok());
        let standing = self.standing(headers, account.as_ref()).await?;
        let now = TimeMs(now_ms());
        admit(&standing, client, wanted, now)?;
        if user.is_none() {
            let message = "Name the user in the header X-On-Behalf-Of, by the id on the ledger";
            return Err(Error::bad_request("on_behalf_of_required", message));
        }
        let PartnerStanding { key, agreed, .. } = standing;
        let agreed = agreed.filter(|agreed| covers(agreed, wanted, now)).ok_or_else(no_consent)?;
        may_act(agreed.status)?;
        let account = agreed.account.ok_or_else(no_consent)?;
        self.touch(&key, now).await?;
        let Partner { partner_id, key_id, actor, requests_per_minute } = Partner::of(key);
        let user = format!("user:{}", agreed.user_id);
        let by = ByPartner { partner_id, key_id, actor, user, requests_per_minute };
        Ok(User::of_partner(&agreed.user_id, account, by))
    }

    /// The partner that sends a request for itself, which needs a scope.
    pub(crate) async fn authenticate_alone(
        &self,
        headers: &HeaderMap,
        client: IpAddr,
        wanted: Scope,
    ) -> Result<Partner> {
        if !headers.contains_key(KEY_HEADER) {
            let message = "Send the key of a partner in the header X-API-Key";
            return Err(Error::unauthorized("api_key_missing", message));
        }
        let standing = self.standing(headers, None).await?;
        let now = TimeMs(now_ms());
        admit(&standing, client, wanted, now)?;
        self.touch(&standing.key, now).await?;
        Ok(Partner::of(standing.key))
    }

    /// The key of a request, when it is right, and its standing towards a user.
    async fn standing(
        &self,
        headers: &HeaderMap,
        account: Option<&AccountId>,
    ) -> Result<PartnerStanding> {
        let given = one(headers, KEY_HEADER).ok_or_else(invalid)?;
        let (key_id, secret) = parts(given).ok_or_else(invalid)?;
        let standing = standing::get(&self.store, key_id, account).await?;
        // A key that nobody has costs what a wrong secret costs.
        let hash = standing.as_ref().map_or("", |standing| &standing.key.secret_hash);
        let is_right = self.pepper.is_api_key(key_id, secret, hash);
        standing.filter(|_| is_right).ok_or_else(invalid)
    }

    /// Notes that a key is used.
    async fn touch(&self, key: &PartnerKey, now: TimeMs) -> Result<()> {
        let is_old = |at: TimeMs| now.0.saturating_sub(at.0) > TOUCH_EVERY_MS;
        if key.last_used_at.is_none_or(is_old) {
            let mut tx = self.store.begin().await?;
            keys::touch(&mut tx, &key.key_id, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Refuses a key that is not good here, now, or for this.
fn admit(standing: &PartnerStanding, client: IpAddr, wanted: Scope, now: TimeMs) -> Result<()> {
    let PartnerStanding { key, status, scopes, .. } = standing;
    if key.revoked_at.is_some() {
        return Err(Error::unauthorized("api_key_revoked", "The key was revoked"));
    }
    if key.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::unauthorized("api_key_expired", "The time of the key is over"));
    }
    let refused = |code, message| Err(Error::new(StatusCode::FORBIDDEN, code, message));
    if *status != PartnerStatus::Active {
        return refused("partner_suspended", "The partner is suspended");
    }
    let networks = &key.networks;
    let is_inside = |text: &String| Network::parse(text).is_some_and(|net| net.contains(client));
    if !networks.is_empty() && !networks.iter().any(is_inside) {
        return refused("network_not_allowed", "The key is not good from this address");
    }
    if !has(&key.scopes, wanted) || !has(scopes, wanted) {
        return refused("scope_missing", "The key lacks the scope that this needs");
    }
    Ok(())
}

fn has(scopes: &[String], wanted: Scope) -> bool {
    scopes.iter().any(|scope| scope == wanted.as_str())
}

fn covers(agreed: &UserConsent, wanted: Scope, now: TimeMs) -> bool {
    now < agreed.expires_at && has(&agreed.scopes, wanted)
}

/// The text of a header that is there once.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok().map(str::trim)
}

fn invalid() -> Error {
    Error::unauthorized("api_key_invalid", "Invalid API key")
}

fn no_consent() -> Error {
    let message = "No user with this id has agreed that the partner does this";
    Error::new(StatusCode::FORBIDDEN, "no_consent", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let id = "0123456789abcdef";
        let secret = "a_b-".to_owned() + &"x".repeat(39);
        let text = format!("gxp_{id}_{secret}");
        assert_eq!(parts(&text), Some((id, secret.as_str())));
        for wrong in ["", "gxp_", "gxp_0123456789abcdef", &text[1..], &text[..text.len() - 1]] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_store_and_the_server_name_the_scope_of_events_alike() {
        assert_eq!(Scope::EventsRead.as_str(), gx_store::partner::consents::EVENTS_READ);
    }

    #[test]
    fn keys_in_urls_are_recognised() {
        for query in ["api_key=x", "limit=1&apiKey=x", "X-API-Key=x", "q=gxp_0123"] {
            assert_eq!(refuse_in_query(Some(query)).unwrap_err().code(), "api_key_in_query");
        }
        for query in [None, Some(""), Some("limit=1&type=TRANSFER")] {
            assert!(refuse_in_query(query).is_ok());
        }
    }
}
