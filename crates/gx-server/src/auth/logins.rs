//! What logging in needs of the process: store, settings, keys and the hasher of passwords.
//!
//! Handlers take it as a part of the process; it knows nothing of the rest.

use std::sync::Arc;

use gx_store::Store;

use super::keys::{KeyError, Keys, Pepper};
use super::password::Hasher;
use super::sealing::Sealer;
use super::tokens::Tokens;
use super::webauthn::RelyingParty;
use crate::config::{Auth, Config};

/// The parts of logging in. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Logins(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    auth: Auth,
    tokens: Tokens,
    pepper: Pepper,
    sealer: Sealer,
    hasher: Hasher,
    passkeys: Option<RelyingParty>,
}

impl Logins {
    /// Makes the network's keys when there are none.
    pub(crate) fn new(config: &Config, store: Store, hasher: Hasher) -> Result<Self, KeyError> {
        let auth = config.auth.clone();
        let tokens = Tokens::new(Keys::load(config)?, &auth.issuer);
        let pepper = Pepper::load(config)?;
        let sealer = pepper.sealer();
        let passkeys = RelyingParty::new(&auth.passkeys);
        Ok(Self(Arc::new(Parts { store, auth, tokens, pepper, sealer, hasher, passkeys })))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(crate) fn pepper(&self) -> &Pepper {
        &self.0.pepper
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.0.sealer
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.0.hasher
    }

    /// Whom passkeys are made for, where there are any.
    pub(crate) fn passkeys(&self) -> Option<&RelyingParty> {
        self.0.passkeys.as_ref()
    }
}
