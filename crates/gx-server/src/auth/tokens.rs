//! Access tokens: JSON Web Tokens with exactly one algorithm, EdDSA over Ed25519.
//!
//! Header and key are fixed by us, so there is no algorithm to negotiate and none to confuse. Every
//! claim is checked; whether the session still stands is asked of the store on every request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer as _};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::{Keys, Verifier};

/// Whom a token is for. Users' and admins' tokens are never taken for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Audience {
    #[serde(rename = "gx-api")]
    User,
    #[serde(rename = "gx-admin")]
    Admin,
}

/// What an access token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) aud: Audience,
    /// Id of the user or admin on the platform.
    pub(crate) sub: String,
    /// Id on the ledger; absent until there is one.
    #[serde(rename = "userId", default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    pub(crate) role: String,
    pub(crate) status: String,
    /// Session.
    pub(crate) sid: String,
    pub(crate) jti: String,
    /// Always `access`.
    pub(crate) typ: String,
    pub(crate) iat: i64,
    pub(crate) exp: i64,
}

/// Clocks of machines of one network may differ by this much.
const LEEWAY_SECONDS: i64 = 30;

/// Signs and verifies access tokens.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    keys: Keys,
    issuer: String,
    header: String,
}

impl Tokens {
    pub(crate) fn new(keys: Keys, issuer: &str) -> Self {
        let header = json!({"alg": "EdDSA", "kid": keys.kid(), "typ": "JWT"}).to_string();
        Self { keys, issuer: issuer.to_owned(), header: URL_SAFE_NO_PAD.encode(header) }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        // A plain struct of texts and numbers always serialises.
        let payload = serde_json::to_vec(claims).unwrap_or_default();
        let mut token = self.header.clone();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.keys.signer.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.to_bytes(), &mut token);
        token
    }

    /// The claims of a token that is ours and valid at `now_s`, seconds since 1970.
    pub(crate) fn verify(&self, token: &str, now_s: i64) -> Option<Claims> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
            kid: String,
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if header.alg != "EdDSA" {
            return None;
        }
        let signature = Signature::from_slice(&decode(signature)?).ok()?;
        self.keys.verifier(&header.kid)?.verify_strict(signed.as_bytes(), &signature).ok()?;
        let claims: Claims = serde_json::from_slice(&decode(payload)?).ok()?;
        let fits = claims.iss == self.issuer
            && claims.typ == "access"
            && claims.exp > now_s
            && claims.iat <= now_s.saturating_add(LEEWAY_SECONDS);
        fits.then_some(claims)
    }

    /// The public keys, as `/.well-known/jwks.json` shows them.
    pub(crate) fn jwks(&self) -> Jwks {
        let key = |verifier: &Verifier| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            purpose: "sig",
            alg: "EdDSA",
            kid: verifier.kid.clone(),
            x: URL_SAFE_NO_PAD.encode(verifier.key.as_bytes()),
        };
        Jwks { keys: self.keys.verifiers.iter().map(key).collect() }
    }
}

/// A JSON Web Key Set (RFC 7517, keys as in RFC 8037).
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Debug, Serialize, schemars::JsonSchema)]
struct Jwk {
    kty: &'static str,
    crv: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    kid: String,
    /// The public key, base64url without padding.
    x: String,
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const NOW: i64 = 1_700_000_000;

    fn tokens() -> Tokens {
        let secret = ("JWT_SECRET".to_owned(), "0123456789abcdef0123456789abcdef".to_owned());
        Tokens::new(Keys::load(&Config::load(None, [secret], &[]).unwrap()).unwrap(), "gx")
    }

    fn claims() -> Claims {
        Claims {
            iss: "gx".to_owned(),
            aud: Audience::User,
            sub: "u1".to_owned(),
            user_id: None,
            role: "USER".to_owned(),
            status: "ACTIVE".to_owned(),
            sid: "s1".to_owned(),
            jti: "j1".to_owned(),
            typ: "access".to_owned(),
            iat: NOW,
            exp: NOW + 900,
        }
    }

    #[test]
    fn a_signed_token_is_verified_until_it_expires() {
        let tokens = tokens();
        let token = tokens.sign(&claims());
        assert_eq!(tokens.verify(&token, NOW), Some(claims()));
        assert_eq!(tokens.verify(&token, NOW + 899), Some(claims()));
        assert_eq!(tokens.verify(&token, NOW + 900), None);
        assert_eq!(tokens.verify(&token, NOW - 31), None);
    }

    #[test]
    fn what_was_changed_or_is_foreign_is_refused() {
        let tokens = tokens();
        let token = tokens.sign(&claims());
        let parts: Vec<&str> = token.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let hs256 =
            token.replace(parts[0], &URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"x"}"#));
        let admin = serde_json::to_string(&Claims { aud: Audience::Admin, ..claims() }).unwrap();
        let swapped = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(admin), parts[2]);
        for forged in [
            format!("{none}.{}.", parts[1]),
            hs256,
            swapped,
            format!("{}.{}.{}", parts[0], parts[1], parts[2].replace(&parts[2][..4], "AAAA")),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(tokens.verify(&forged, NOW), None, "{forged}");
        }
        for wrong in [
            Claims { iss: "other".to_owned(), ..claims() },
            Claims { typ: "refresh".to_owned(), ..claims() },
        ] {
            assert_eq!(tokens.verify(&tokens.sign(&wrong), NOW), None, "{wrong:?}");
        }
    }
}
