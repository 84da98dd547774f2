//! Who is calling: passwords, tokens, keys, permissions and sessions.
//!
//! Nothing here knows a route. A secret that enters is hashed or compared and never printed.

mod address;
mod caller;
pub(crate) mod fields;
mod gate;
mod keys;
pub(crate) mod login;
mod logins;
mod password;
mod permissions;
pub(crate) mod principal;
pub(crate) mod refresh;
mod secrets;
pub(crate) mod session;
mod tokens;

pub use caller::May;
pub use permissions::{AdminRole, Grant, Permission, grant};

pub(crate) use gate::Gate;
pub use gate::{Admin, Caller, User};
pub use keys::KeyError;
pub(crate) use logins::Logins;
pub(crate) use password::{Hasher, Policy};
pub(crate) use secrets::{entropy, hex, random_id};
pub(crate) use tokens::Jwks;
