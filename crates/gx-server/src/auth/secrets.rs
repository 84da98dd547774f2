//! Random bytes, ids and tokens, and what is kept of a token.
//!
//! The randomness is the operating system's alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Bytes that nobody can guess, from the operating system.
///
/// # Errors
/// When the operating system has none.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], rand::rngs::SysError> {
    use rand::TryRng as _;
    let mut bytes = [0; N];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes)?;
    Ok(bytes)
}

/// A new opaque token of 256 bits, as text for URLs.
pub(crate) fn opaque_token() -> Result<String, rand::rngs::SysError> {
    entropy::<32>().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// A new id of 128 bits: 32 hexadecimal digits.
pub(crate) fn random_id() -> Result<String, rand::rngs::SysError> {
    entropy::<16>().map(hex::encode)
}

/// What is kept of an opaque token. The token has 256 bits of entropy: a plain hash is enough.
pub(crate) fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
