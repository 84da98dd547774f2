//! Partners and their keys as administrators write and see them.

use gx_store::partner::keys::PartnerKey;
use gx_store::partner::partners::Partner;
use schemars::JsonSchema;
use serde::Serialize;

use crate::auth::Scope;
use crate::auth::fields::{Email, PartnerId};
use crate::auth::partners::public_part;
use crate::calendar::rfc3339;
use crate::http::fields::{Count, Instant, List, Text, Truth, Written, request, text_field};
use crate::peer::is_network;

/// Scopes, at least one.
pub(crate) type Scopes = List<Scope, 1, { Scope::ALL.len() }>;

/// Their codes.
pub(super) fn codes(scopes: &Scopes) -> Vec<String> {
    scopes.0.iter().map(|scope| scope.as_str().to_owned()).collect()
}

/// A network or an address.
#[derive(Debug, Clone)]
pub(crate) struct NetworkText(pub(super) String);

text_field!(
    [] NetworkText,
    "Network",
    |text| {
        let misfit = "must be an address, or a network such as 192.0.2.0/24";
        let fits = is_network(text).then(|| Self(text.to_owned()));
        fits.ok_or(("invalid_network", misfit.into()))
    },
    { "type": "string", "examples": ["192.0.2.0/24"] }
);

request! {
    /// Which part of the list.
    pub(crate) struct PartnersQuery {
        /// The `nextCursor` of the page before.
        cursor as "cursor": Option<Text<1, 64>>,
        limit as "limit": Option<Count<1, 100>>,
    }
}

request! {
    /// Who is to be a partner.
    pub(crate) struct NewPartnerBody {
        id as "partnerId": PartnerId,
        /// What users are shown when they agree to something.
        name as "name": Written<1, 100>,
        /// Of whoever answers for it.
        contact as "contactEmail": Option<Email>,
        /// What its keys can be given at most.
        scopes as "scopes": Scopes,
    }
}

request! {
    /// What is to change; what is left out stays.
    pub(crate) struct PartnerBody {
        name as "name": Option<Written<1, 100>>,
        contact as "contactEmail": Option<Email>,
        /// Keys lose at once what the partner loses.
        scopes as "scopes": Option<Scopes>,
        /// Whether none of its keys works for now.
        suspended as "suspended": Option<Truth>,
    }
}

request! {
    /// A key that is to be made. Others stay good, so that one can follow another.
    pub(crate) struct NewKeyBody {
        /// What it is for.
        label as "label": Option<Written<1, 100>>,
        /// Of the partner's scopes; all of them when left out.
        scopes as "scopes": Option<Scopes>,
        /// Where it is good from; everywhere when left out.
        networks as "networks": Option<List<NetworkText, 1, 20>>,
        /// Until when; until it is revoked when left out.
        expires_at as "expiresAt": Option<Instant>,
        /// In place of the limits that everybody has, for all that it asks together.
        limit as "requestsPerMinute": Option<Count<1, 1_000_000>>,
    }
}

/// A partner.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartnerReply {
    partner_id: String,
    name: String,
    contact_email: Option<String>,
    /// `ACTIVE` or `SUSPENDED`.
    status: &'static str,
    scopes: Vec<String>,
    created_by: String,
    created_at: String,
    updated_at: String,
}

impl From<Partner> for PartnerReply {
    fn from(row: Partner) -> Self {
        Self {
            partner_id: row.partner_id,
            name: row.name,
            contact_email: row.contact,
            status: row.status.as_str(),
            scopes: row.scopes,
            created_by: row.created_by,
            created_at: rfc3339(row.created_at.0),
            updated_at: rfc3339(row.updated_at.0),
        }
    }
}

/// A key, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyReply {
    key_id: String,
    /// What the key begins with.
    prefix: String,
    label: Option<String>,
    scopes: Vec<String>,
    /// None: it is good from everywhere.
    networks: Vec<String>,
    requests_per_minute: Option<u32>,
    created_by: String,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    /// To the minute.
    last_used_at: Option<String>,
}

impl From<PartnerKey> for KeyReply {
    fn from(row: PartnerKey) -> Self {
        let time = |at: gx_types::TimeMs| rfc3339(at.0);
        Self {
            prefix: public_part(&row.key_id),
            key_id: row.key_id,
            label: row.label,
            scopes: row.scopes,
            networks: row.networks,
            requests_per_minute: row.requests_per_minute,
            created_by: row.created_by,
            created_at: time(row.created_at),
            expires_at: row.expires_at.map(time),
            revoked_at: row.revoked_at.map(time),
            last_used_at: row.last_used_at.map(time),
        }
    }
}

/// A partner with its keys.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PartnerDetail {
    #[serde(flatten)]
    pub(super) partner: PartnerReply,
    /// At most 50: those that were not revoked, then the newest.
    pub(super) keys: Vec<KeyReply>,
}

/// A new key.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewKeyReply {
    /// The whole key, for the header `X-API-Key`. Nobody can be shown it again.
    pub(super) api_key: String,
    #[serde(flatten)]
    pub(super) shown: KeyReply,
}

impl std::fmt::Debug for NewKeyReply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.shown, f)
    }
}
