//! Who is calling: passwords, tokens, keys, permissions and sessions.
//!
//! Nothing here knows a route. A secret that enters is hashed or compared and never printed.

mod address;
mod caller;
pub(crate) mod fields;
mod gate;
mod keys;
mod logins;
pub(crate) mod partners;
mod password;
mod permissions;
pub(crate) mod principal;
mod scopes;
mod sealing;
mod secrets;
pub(crate) mod session;
mod tokens;
mod totp;
pub(crate) mod webauthn;

pub use caller::May;
pub(crate) use partners::Partner;
pub use permissions::{AdminRole, Grant, Permission, grant};
pub use scopes::Scope;

pub use gate::{Admin, Caller, User};
pub(crate) use gate::{Gate, InSession, idle};
pub use keys::KeyError;
pub(crate) use keys::sealer;
pub(crate) use logins::Logins;
pub(crate) use partners::PartnerGate;
pub(crate) use password::{Hasher, Policy};
pub(crate) use permissions::Permissions;
pub(crate) use scopes::ByPartner;
pub(crate) use sealing::Sealer;
pub(crate) use secrets::{entropy, opaque_token, random_id, token_hash};
pub(crate) use tokens::Jwks;
pub(crate) use totp::TotpSecret;
