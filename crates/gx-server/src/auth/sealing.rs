//! Secrets that have to be read again: sealed before they are stored, so that whoever reads the
//! database cannot use them.
//!
//! XChaCha20-Poly1305 with a random nonce. What a secret is and whose is sealed with it: one that
//! was moved to another row does not open.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};

use super::secrets::entropy;
use crate::error::{Error, Result};

const NONCE_BYTES: usize = 24;

/// Seals and opens with the network's key.
#[derive(Clone)]
pub(crate) struct Sealer(XChaCha20Poly1305);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self(XChaCha20Poly1305::new(&key.into()))
    }

    /// The secret as it is stored; `of` says what it is and whose.
    pub(crate) fn seal(&self, of: &str, secret: &[u8]) -> Result<String> {
        self.seal_bytes(of, secret).map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The same as bytes, for files.
    pub(crate) fn seal_bytes(&self, of: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let nonce = entropy::<NONCE_BYTES>().map_err(Error::internal)?;
        let payload = Payload { msg: secret, aad: of.as_bytes() };
        let sealed = self.0.encrypt(&nonce.into(), payload);
        let sealed = sealed.map_err(|_| Error::internal("a secret cannot be sealed"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The secret that was sealed. `None` when it was changed, is of another or under another key.
    pub(crate) fn open(&self, of: &str, sealed: &str) -> Option<Vec<u8>> {
        self.open_bytes(of, &URL_SAFE_NO_PAD.decode(sealed).ok()?)
    }

    /// The file that was sealed.
    pub(crate) fn open_bytes(&self, of: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: of.as_bytes() };
        self.0.decrypt(&(*nonce).into(), payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Sealer;

    #[test]
    fn what_was_sealed_opens_for_its_owner_alone() {
        let sealer = Sealer::new([7; 32]);
        let sealed = sealer.seal("user:u1", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_ne!(sealer.seal("user:u1", b"secret").unwrap(), sealed, "another nonce");
        assert_eq!(sealer.open("user:u1", &sealed).unwrap(), b"secret");
        assert_eq!(sealer.open("user:u2", &sealed), None);
        assert_eq!(Sealer::new([8; 32]).open("user:u1", &sealed), None);
        let mut changed = sealed.clone().into_bytes();
        changed[40] ^= 1;
        assert_eq!(sealer.open("user:u1", std::str::from_utf8(&changed).unwrap()), None);
        assert_eq!(sealer.open("user:u1", "AAAA"), None);
        assert_eq!(sealer.open("user:u1", ""), None);
    }
}
