//! The signature that a request may carry for the ledger, beside the fields of its body.
//!
//! Whoever gives a command asks for it before the body is read; the body then leaves it there. On
//! every other route `signature` is a field that is not known.

use std::sync::{Arc, OnceLock};

use gx_contract::{PublicKey, SignatureBytes};
use serde_json::Value;

use super::fields::{Field, FieldErrors, FieldPath, Instant, request};

request! {
    /// A signature of the command by the key of whoever acts; see `docs/account-keys.md`.
    pub(crate) struct SignatureBody {
        /// The key that signed. Given, a wrong signature is refused at once, not by the ledger.
        public_key as "publicKey": Option<PublicKey>,
        /// The last time at which the signature is good, as it was signed; at most 24 hours ahead.
        expires_at as "expiresAt": Instant,
        value as "value": SignatureBytes,
    }
}

/// The body's field.
pub(crate) const FIELD: &str = "signature";

/// Where a request's signature is left for whoever gives its command.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried(Arc<OnceLock<SignatureBody>>);

impl Carried {
    /// Takes the signature out of a body.
    pub(super) fn take_from(&self, body: &mut Value, errors: &mut FieldErrors) {
        let Some(given) = body.as_object_mut().and_then(|body| body.remove(FIELD)) else { return };
        let at = FieldPath::Key(&FieldPath::Root, FIELD);
        if let Some(Some(signature)) = Option::read(Some(&given), at, errors) {
            // A body is read once.
            let _ = self.0.set(signature);
        }
    }

    pub(crate) fn get(&self) -> Option<&SignatureBody> {
        self.0.get()
    }
}
