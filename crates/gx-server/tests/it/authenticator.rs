//! A software authenticator: makes passkeys and signs with them, as the one of a phone does, and
//! lies where a test tells it to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 4;
const HAS_CREDENTIAL: u8 = 64;

enum Key {
    Ed25519(SigningKey),
    P256(EcdsaKeyPair),
}

/// An authenticator with one passkey.
pub(crate) struct Authenticator {
    key: Key,
    pub(crate) credential_id: Vec<u8>,
    user_handle: String,
    /// The domain that it believes to be on, and the origin of the page.
    pub(crate) domain: &'static str,
    pub(crate) origin: &'static str,
    /// Signatures so far.
    pub(crate) counter: u32,
    /// Whether it verifies its user.
    pub(crate) verifies: bool,
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}

fn text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A byte string of CBOR.
fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    match u8::try_from(bytes.len()) {
        Ok(length) if length < 24 => out.push(0x40 | length),
        Ok(length) => out.extend([0x58, length]),
        Err(_) => {
            out.push(0x59);
            out.extend(u16::try_from(bytes.len()).unwrap().to_be_bytes());
        }
    }
    out.extend(bytes);
}

/// A short text of CBOR.
fn word(out: &mut Vec<u8>, word: &str) {
    out.push(0x60 | u8::try_from(word.len()).unwrap());
    out.extend(word.as_bytes());
}

impl Authenticator {
    /// One whose key is of Ed25519.
    pub(crate) fn ed25519() -> Self {
        Self::with(Key::Ed25519(SigningKey::from_bytes(&random())))
    }

    /// One whose key is of P-256.
    pub(crate) fn p256() -> Self {
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let chance = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &chance).unwrap();
        Self::with(Key::P256(
            EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &chance).unwrap(),
        ))
    }

    fn with(key: Key) -> Self {
        Self {
            key,
            credential_id: random::<32>().to_vec(),
            user_handle: String::new(),
            domain: "localhost",
            origin: "http://localhost:3000",
            counter: 0,
            verifies: true,
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = options["publicKey"]["challenge"].as_str().unwrap();
        let origin = self.origin;
        let data = json!({ "type": kind, "challenge": challenge, "origin": origin,
            "crossOrigin": false });
        data.to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { USER_VERIFIED } else { 0 };
        let mut data = Sha256::digest(self.domain.as_bytes()).to_vec();
        data.push(USER_PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    /// The key in the form of COSE.
    fn cose(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match &self.key {
            Key::Ed25519(key) => {
                out.extend([0xA4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21]);
                bytes(&mut out, key.verifying_key().as_bytes());
            }
            Key::P256(key) => {
                let point = key.public_key().as_ref();
                out.extend([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21]);
                bytes(&mut out, &point[1..33]);
                out.push(0x22);
                bytes(&mut out, &point[33..]);
            }
        }
        out
    }

    fn credential(&self, response: Value) -> Value {
        let id = text(&self.credential_id);
        json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": response,
        })
    }

    /// Makes its passkey, as it is asked to.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.user_handle = options["publicKey"]["user"]["id"].as_str().unwrap().to_owned();
        let mut data = self.data(HAS_CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.credential_id.len()).unwrap().to_be_bytes());
        data.extend(&self.credential_id);
        data.extend(self.cose());
        let mut object = vec![0xA3];
        word(&mut object, "fmt");
        word(&mut object, "none");
        word(&mut object, "attStmt");
        object.push(0xA0);
        word(&mut object, "authData");
        bytes(&mut object, &data);
        self.credential(json!({
            "clientDataJSON": text(self.client_data("webauthn.create", options)),
            "attestationObject": text(object), "transports": ["internal"],
        }))
    }

    /// Signs with its passkey, as it is asked to.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let (client, data) = (self.client_data("webauthn.get", options), self.data(0));
        let mut signed = data.clone();
        signed.extend(Sha256::digest(client.as_bytes()));
        let signature = match &self.key {
            Key::Ed25519(key) => key.sign(&signed).to_bytes().to_vec(),
            Key::P256(key) => key.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec(),
        };
        self.credential(json!({
            "clientDataJSON": text(client), "authenticatorData": text(data),
            "signature": text(signature), "userHandle": self.user_handle,
        }))
    }
}
