//! Codes that change with time (RFC 6238): six digits of HMAC-SHA-1 over steps of 30 seconds, which
//! is what every authenticator app reads.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::secrets::entropy;

/// Bytes of a secret: as many as the hash has.
const SECRET_BYTES: usize = 20;

const STEP_MS: i64 = 30_000;

/// What a device and the server share.
#[derive(Clone)]
pub(crate) struct TotpSecret([u8; SECRET_BYTES]);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret")
    }
}

impl TotpSecret {
    pub(crate) fn new() -> Result<Self, rand::rngs::SysError> {
        entropy().map(Self)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As people type it into a device.
    pub(crate) fn to_text(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// As devices read it from a picture. `issuer` and `account` are what they show.
    pub(crate) fn to_uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account, secret) = (escaped(issuer), escaped(account), self.to_text());
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}\
             &algorithm=SHA1&digits=6&period=30"
        )
    }

    /// The step whose code it is: this one, or one beside it, for clocks that go wrong.
    pub(crate) fn step_of(&self, code: u32, now_ms: i64) -> Option<i64> {
        let now = now_ms.div_euclid(STEP_MS);
        [now, now - 1, now + 1].into_iter().find(|step| self.code(*step) == Some(code))
    }

    fn code(&self, step: i64) -> Option<u32> {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).ok()?;
        mac.update(&u64::try_from(step).ok()?.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash.last()? & 0x0f);
        let word = hash.get(offset..)?.first_chunk::<4>()?;
        Some((u32::from_be_bytes(*word) & 0x7fff_ffff) % 1_000_000)
    }
}

/// Percent-encoded as a part of a URI.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::TotpSecret;

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six digits.
        for (seconds, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(secret().step_of(code, seconds * 1000), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off() {
        let now = 1_111_111_109_000;
        let step = now / 30_000;
        for off in -3..=3 {
            let code = secret().code(step + off).unwrap();
            let expected = (-1..=1).contains(&off).then_some(step + off);
            assert_eq!(secret().step_of(code, now), expected, "{off}");
        }
    }

    #[test]
    fn devices_are_told_what_they_need() {
        assert_eq!(
            secret().to_uri("GX Protocol", "ada@example.org"),
            "otpauth://totp/GX%20Protocol:ada%40example.org?\
             secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=GX%20Protocol\
             &algorithm=SHA1&digits=6&period=30"
        );
        assert!(TotpSecret::from_bytes(b"short").is_none());
    }
}
