//! Authentication of a request: a token that is ours, of a session that stands, of somebody who
//! may still use it.
//!
//! The signature is checked once per token and remembered. Session and account are asked of the
//! store on every request, many requests to a query, so that a revoked session or a frozen account
//! stops at the next request in every process.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use gx_store::Store;
use gx_store::identity::users::UserStatus;
use gx_store::login::standing::{self, Owner, Standing};
use gx_store::login::{Subject, SubjectKind, sessions};
use gx_types::{AccountId, AdminId, NetworkId, TimeMs};
use sha2::{Digest, Sha256};

use super::permissions::{AdminRole, Permission, Permissions};
use super::scopes::ByPartner;
use super::tokens::{Audience, Tokens};
use crate::calendar::now_ms;
use crate::config::Auth;
use crate::data_loader::{DataLoader, queries};
use crate::error::{Error, Result};

/// Who calls.
#[derive(Debug, Clone)]
pub enum Caller {
    User(User),
    Admin(Admin),
}

/// Somebody in a session of theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InSession<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) session: &'a str,
}

/// A user with a valid session, or one for whom a partner acts.
#[derive(Debug, Clone)]
pub struct User {
    token: Arc<Verified>,
    /// The account, once it exists on the ledger.
    pub(crate) account: Option<AccountId>,
    /// The partner that acts for the user, if it is not the user who calls.
    pub(crate) partner: Option<Arc<ByPartner>>,
}

/// An admin with a valid session.
#[derive(Debug, Clone)]
pub struct Admin {
    token: Arc<Verified>,
    pub(crate) role: AdminRole,
    permissions: Permissions,
    /// The id under which they act on the ledger.
    pub(crate) ledger_id: Option<AdminId>,
    must_change_password: bool,
    /// Whether a second factor is missing that the network asks of administrators.
    lacks_second_factor: bool,
}

impl Caller {
    /// `user:<id>`, `admin:<id>` or `partner:<id>`.
    pub(crate) fn scope(&self) -> &str {
        match self {
            Self::User(user) => user.scope(),
            Self::Admin(admin) => admin.scope(),
        }
    }

    /// Who has to keep a limit, and a limit of their own where they have one: a partner's key does
    /// not use up what its users have.
    pub(crate) fn limited(&self) -> (&str, Option<u32>) {
        match self {
            Self::User(User { partner: Some(by), .. }) => (&by.key_id, by.requests_per_minute),
            Self::User(_) | Self::Admin(_) => (self.scope(), None),
        }
    }
}

impl User {
    /// A user for whom a partner acts. There is no session: nothing that is about sessions is open
    /// to partners.
    pub(super) fn of_partner(user_id: &str, account: AccountId, by: ByPartner) -> Self {
        let token = Verified {
            session: "".into(),
            subject: user_id.into(),
            scope: by.actor.as_str().into(),
            audience: Audience::User,
            expires_s: 0,
        };
        Self { token: Arc::new(token), account: Some(account), partner: Some(Arc::new(by)) }
    }

    pub(crate) fn in_session(&self) -> InSession<'_> {
        InSession { subject: Subject::user(&self.token.subject), session: &self.token.session }
    }

    /// The account that the user acts for on the ledger.
    pub(crate) fn own_account(&self) -> Result<AccountId> {
        let missing = "Your account is not on the ledger yet";
        self.account.ok_or_else(|| Error::conflict("not_on_ledger", missing))
    }

    pub(crate) fn id(&self) -> &str {
        &self.token.subject
    }

    pub(crate) fn scope(&self) -> &str {
        &self.token.scope
    }
}

impl Admin {
    pub(crate) fn in_session(&self) -> InSession<'_> {
        InSession { subject: Subject::admin(self.id()), session: &self.token.session }
    }

    pub(crate) fn id(&self) -> &str {
        &self.token.subject
    }

    pub(crate) fn scope(&self) -> &str {
        &self.token.scope
    }

    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
    }

    /// Refuses an admin who has not yet replaced the one-time password, or has no second factor
    /// where coins are worth something.
    pub(crate) fn is_settled(&self) -> Result<()> {
        if self.must_change_password {
            let message = "Change the one-time password first: POST /admin/auth/password/change";
            let status = axum::http::StatusCode::FORBIDDEN;
            return Err(Error::new(status, "password_change_required", message));
        }
        if self.lacks_second_factor {
            let message = "Set a second factor up first: POST /admin/auth/mfa/setup";
            let status = axum::http::StatusCode::FORBIDDEN;
            return Err(Error::new(status, "mfa_required", message));
        }
        Ok(())
    }
}

/// What a valid token says.
#[derive(Debug)]
struct Verified {
    session: Arc<str>,
    subject: Arc<str>,
    scope: Arc<str>,
    audience: Audience,
    expires_s: i64,
}

/// Authenticates requests.
#[derive(Debug)]
pub(crate) struct Gate {
    tokens: Tokens,
    verified: Cache,
    standings: DataLoader<Arc<str>, Standing, gx_store::Error>,
    store: Store,
    admin_idle_ms: i64,
    admins_need_second_factor: bool,
}

/// An admin's session counts as used at most this often, so that reads do not become writes.
const TOUCH_EVERY_MS: i64 = 30_000;

impl Gate {
    pub(crate) fn new(tokens: Tokens, store: Store, auth: &Auth, network: NetworkId) -> Self {
        let source = store.clone();
        Self {
            tokens,
            verified: Cache::default(),
            standings: DataLoader::new(queries(&source), move |ids| load(source.clone(), ids)),
            store,
            admin_idle_ms: i64::from(auth.admin_idle_seconds) * 1000,
            admins_need_second_factor: network != NetworkId::Devnet,
        }
    }

    /// Who sent a request.
    pub(crate) async fn authenticate(&self, headers: &HeaderMap) -> Result<Caller> {
        let token = self.verify(bearer(headers)?)?;
        let standing = self.standings.get(Arc::clone(&token.session)).await;
        let standing = standing.map_err(Error::internal)??;
        let now = TimeMs(now_ms());
        let valid =
            |standing: &Standing| standing.is_open(now) && *standing.subject == *token.subject;
        let Some(standing) = standing.filter(valid) else { return Err(invalid()) };
        match (token.audience, &standing.owner) {
            (Audience::User, &Owner::User { status, account }) => {
                may_act(status)?;
                Ok(Caller::User(User { token, account, partner: None }))
            }
            (
                Audience::Admin,
                Owner::Admin {
                    role,
                    enabled,
                    ledger_id,
                    must_change_password,
                    second_factor,
                    permissions,
                },
            ) => {
                let role = AdminRole::parse(role).filter(|_| *enabled).ok_or_else(invalid)?;
                self.use_admin_session(&standing, now).await?;
                let lacks_second_factor = self.admins_need_second_factor && !*second_factor;
                Ok(Caller::Admin(Admin {
                    token,
                    role,
                    permissions: Permissions::of(role, permissions, now),
                    ledger_id: *ledger_id,
                    must_change_password: *must_change_password,
                    lacks_second_factor,
                }))
            }
            _ => Err(invalid()),
        }
    }

    /// Whether a request that was let in once still would be. It does not count as a use of the
    /// session: an answer that goes on keeps nobody's session alive.
    pub(crate) async fn still_admits(&self, headers: &HeaderMap) -> bool {
        let Ok(token) = bearer(headers).and_then(|token| self.verify(token)) else { return false };
        let standing = self.standings.get(Arc::clone(&token.session)).await;
        let Ok(Ok(Some(standing))) = standing else { return false };
        let now = TimeMs(now_ms());
        standing.is_open(now)
            && match &standing.owner {
                Owner::User { status, .. } => may_act(*status).is_ok(),
                Owner::Admin { enabled, .. } => {
                    let idle_ms = now.0.saturating_sub(standing.last_used_at.0);
                    *enabled && idle_ms <= self.admin_idle_ms
                }
                Owner::Gone => false,
            }
    }

    fn verify(&self, token: &str) -> Result<Arc<Verified>> {
        let now_s = now_ms() / 1000;
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(known) = self.verified.get(&key, now_s) {
            return Ok(known);
        }
        let claims = self.tokens.verify(token, now_s).ok_or_else(invalid)?;
        let kind = match claims.aud {
            Audience::User => SubjectKind::User,
            Audience::Admin => SubjectKind::Admin,
        };
        let verified = Arc::new(Verified {
            session: claims.sid.into(),
            scope: Subject { kind, id: &claims.sub }.to_string().into(),
            subject: claims.sub.into(),
            audience: claims.aud,
            expires_s: claims.exp,
        });
        self.verified.put(key, Arc::clone(&verified), now_s);
        Ok(verified)
    }

    /// Ends an admin's session that lay idle for too long, and notes that it is used otherwise.
    async fn use_admin_session(&self, session: &Standing, now: TimeMs) -> Result<()> {
        let idle_ms = now.0.saturating_sub(session.last_used_at.0);
        if idle_ms > self.admin_idle_ms {
            return Err(idle());
        }
        if idle_ms > TOUCH_EVERY_MS {
            let mut tx = self.store.begin().await?;
            sessions::touch(&mut tx, &session.session_id, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Refuses users whom the platform or the ledger has shut out.
pub(crate) fn may_act(status: UserStatus) -> Result<()> {
    let (code, message) = match status {
        UserStatus::Frozen => ("account_frozen", "The account is frozen"),
        UserStatus::Suspended => ("account_suspended", "The account is suspended"),
        UserStatus::Closed => ("account_closed", "The account is closed"),
        UserStatus::Registered
        | UserStatus::PendingAdminApproval
        | UserStatus::ApprovedPendingOnchain
        | UserStatus::Active
        | UserStatus::Denied => return Ok(()),
    };
    Err(Error::new(axum::http::StatusCode::FORBIDDEN, code, message))
}

fn bearer(headers: &HeaderMap) -> Result<&str> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        let message = "No authorization header provided";
        return Err(Error::unauthorized("authorization_missing", message));
    };
    let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    token.map(str::trim).filter(|token| !token.is_empty()).ok_or_else(|| {
        let message = "Invalid authorization header format. Expected: Bearer <token>";
        Error::unauthorized("authorization_malformed", message)
    })
}

pub(crate) fn idle() -> Error {
    Error::unauthorized("idle_timeout", "The session was idle for too long; log in again")
}

fn invalid() -> Error {
    Error::unauthorized("token_invalid", "Invalid or expired token")
}

async fn load(
    store: Store,
    ids: Vec<Arc<str>>,
) -> std::result::Result<HashMap<Arc<str>, Standing>, gx_store::Error> {
    let wanted: Vec<&str> = ids.iter().map(|id| &**id).collect();
    let found = standing::get_many(&store, &wanted).await?;
    Ok(found.into_iter().map(|found| (Arc::from(found.session_id.as_str()), found)).collect())
}

const SHARDS: usize = 16;
const TOKENS_PER_SHARD: usize = 4096;

type Shard = HashMap<[u8; 32], Arc<Verified>>;

/// Tokens whose signature was checked, by their SHA-256.
#[derive(Debug, Default)]
struct Cache {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

impl Cache {
    fn shard(&self, key: &[u8; 32]) -> Option<&Mutex<Shard>> {
        let place = self.hasher.hash_one(key) % SHARDS as u64;
        self.shards.get(usize::try_from(place).unwrap_or_default())
    }

    fn get(&self, key: &[u8; 32], now_s: i64) -> Option<Arc<Verified>> {
        let shard = self.shard(key)?.lock().unwrap_or_else(PoisonError::into_inner);
        shard.get(key).filter(|verified| verified.expires_s > now_s).cloned()
    }

    fn put(&self, key: [u8; 32], verified: Arc<Verified>, now_s: i64) {
        let Some(shard) = self.shard(&key) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= TOKENS_PER_SHARD {
            shard.retain(|_, verified| verified.expires_s > now_s);
        }
        if shard.len() >= TOKENS_PER_SHARD {
            // More valid tokens than places: checking some signatures again is all that it costs.
            shard.clear();
        }
        shard.insert(key, verified);
    }
}
