//! The code of a request, and what its QR code holds.
//!
//! A code has 80 random bits: whoever has not seen it cannot find it in the minutes that it is good
//! for. Letters and digits that are mistaken for one another are not in it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gx_store::identity::qsend::NewRequest;
use serde::{Deserialize, Serialize};

use crate::auth::entropy;
use crate::calendar::rfc3339;

/// 32 letters and digits: one for each value of five bits.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const LENGTH: usize = 16;

/// The code of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code(String);

impl Code {
    pub(super) fn new() -> Result<Self, rand::rngs::SysError> {
        let letter =
            |byte: u8| ALPHABET.get(usize::from(byte) % ALPHABET.len()).copied().map(char::from);
        Ok(Self(entropy::<LENGTH>()?.into_iter().filter_map(letter).collect()))
    }

    /// A code as somebody may type it.
    pub(super) fn typed(text: &str) -> String {
        text.trim().to_ascii_uppercase()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QS-{}", self.0)
    }
}

/// What a QR code holds, in the short names of the established wallets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct QrData {
    /// Version of the form.
    v: u32,
    /// `QSEND`.
    t: String,
    /// Code.
    pub(super) c: String,
    /// Amount.
    a: String,
    /// Description.
    d: Option<String>,
    /// Reference.
    r: Option<String>,
    /// Account of the creator.
    f: String,
    /// Name of the creator.
    n: String,
    /// When it expires.
    e: String,
}

impl QrData {
    pub(super) fn of(new: &NewRequest, creator_name: &str) -> Self {
        Self {
            v: 1,
            t: "QSEND".to_owned(),
            c: new.code.clone(),
            a: new.amount.to_gx(),
            d: new.description.clone(),
            r: new.reference.clone(),
            f: new.account.to_string(),
            n: creator_name.to_owned(),
            e: rfc3339(new.expires_at.0),
        }
    }

    /// JSON in base64.
    pub(super) fn to_text(&self) -> String {
        // A plain struct of texts always serialises.
        STANDARD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads what a QR code holds; `None` when it is of something else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let read: Self = serde_json::from_slice(&STANDARD.decode(text.trim()).ok()?).ok()?;
        (read.t == "QSEND" && read.v == 1).then_some(read)
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, QrData};

    #[test]
    fn codes_differ_and_are_read_as_they_are_typed() {
        let (one, other) = (Code::new().unwrap().to_string(), Code::new().unwrap().to_string());
        assert_ne!(one, other);
        assert_eq!(one.len(), 19);
        assert!(!one.contains(['I', 'O', '0', '1']), "{one}");
        assert_eq!(Code::typed(&format!(" {}", one.to_lowercase())), one);
    }

    #[test]
    fn what_is_no_request_is_not_read() {
        for text in ["", "not base64!", "e30=", "eyJ2IjoxLCJ0IjoiT1RIRVIifQ=="] {
            assert_eq!(QrData::read(text), None, "{text}");
        }
    }
}
