//! Signing commands with a key file.
//!
//! The platform tells what a request becomes on the ledger; what is signed is made here from that,
//! by the contract's own code, and shown. Nothing that only the platform has made is ever signed.

use std::path::Path;

use ed25519_dalek::pkcs8::DecodePrivateKey as _;
use ed25519_dalek::{Signer as _, SigningKey};
use gx_contract::{Envelope, PublicKey, SignatureBytes, key_proof_bytes};
use gx_types::{Actor, CommandId, NetworkId, TimeMs};
use hyper::Method;
use serde_json::{Value, json};

use crate::api::{Api, put};
use crate::failure::{Failure, Result};
use crate::giving::Order;
use crate::out::text;
use crate::profile::read_secret_file;

const CANONICAL: &str = "/api/v1/commands/canonical";

/// Where the account's key is told, and set.
pub(crate) const KEYS: &str = "/api/v1/keys";

/// Reads a key in PKCS#8 PEM that nobody but its owner may read.
pub(crate) fn load(path: &Path) -> Result<SigningKey> {
    let pem = read_secret_file(path)?;
    // What is wrong with it is not quoted: it may be a key of another kind.
    SigningKey::from_pkcs8_pem(&pem).map_err(|_| {
        let path = path.display();
        Failure::Local(format!("{path} is no Ed25519 key in PKCS #8 PEM; gx key new makes one"))
    })
}

pub(crate) fn public(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

/// Tells a key that is not the account's before anything is signed with it.
pub(crate) fn compare(api: &mut Api, file: &Path, signer: &SigningKey) -> Result<()> {
    // No route tells which key an administrator has.
    match api.is_of_a_user() {
        true => fits(&api.get(KEYS)?, file, &public(signer).to_string()),
        false => Ok(()),
    }
}

/// Whether an account has this key, by what the platform says of it.
fn fits(told: &Value, file: &Path, own: &str) -> Result<()> {
    let [account, key, since] = ["/userId", "/publicKey", "/since"].map(|at| text(told, at));
    let file = file.display();
    match key.as_str() {
        "" => Err(Failure::refused(
            "signature_unexpected",
            format!("the account {account} has no key, and {file} holds {own}"),
        )),
        key if key == own => Ok(()),
        key => Err(Failure::refused(
            "signature_wrong",
            format!("{file} holds the key {own}, the account {account} has {key} since {since}"),
        )),
    }
}

/// Adds the account's signature to a request.
pub(crate) fn sign(api: &mut Api, order: &mut Order, key: &str, signer: &SigningKey) -> Result<()> {
    let told = canonical(api, order, key)?;
    let expires_at = text(&told, "/expiresAt");
    let envelope = envelope(&told, key)?;
    api.out.note(&format!("signing {} {}", envelope.command.name(), envelope.command.args_json()));
    let bytes = envelope.signed_bytes(network(&told)?, instant(&expires_at)?);
    let signed = json!({
        "publicKey": public(signer),
        "expiresAt": expires_at,
        "value": signature(signer, &bytes),
    });
    put(&mut order.body, "signature", signed);
    Ok(())
}

/// Adds the proof of a new key to a request that sets it.
pub(crate) fn prove(api: &mut Api, order: &mut Order, key: &str, new: &SigningKey) -> Result<()> {
    // The proof is among the arguments; while there is none, one by nobody stands there.
    put(&mut order.body, "proof", SignatureBytes::from_bytes([0; 64]));
    let told = canonical(api, order, key)?;
    let holder: Actor = read(&told, "/newKey/holder")?;
    let id = CommandId::derive(&read(&told, "/actor")?, key);
    let bytes = key_proof_bytes(network(&told)?, &holder, id);
    put(&mut order.body, "proof", signature(new, &bytes));
    Ok(())
}

fn signature(key: &SigningKey, bytes: &[u8]) -> SignatureBytes {
    SignatureBytes::from_bytes(key.sign(bytes).to_bytes())
}

/// What a request becomes on the ledger, by the platform's word.
fn canonical(api: &mut Api, order: &Order, key: &str) -> Result<Value> {
    let route = format!("{} {}", order.method, order.path);
    let body = json!({ "route": route, "body": order.body });
    api.write(Method::POST, CANONICAL, &body, Some(key))
}

/// The command as it would be given, with the id that the key makes.
fn envelope(told: &Value, key: &str) -> Result<Envelope> {
    let actor: Actor = read(told, "/actor")?;
    let arguments: Value = serde_json::from_str(&text(told, "/arguments")).map_err(unfit)?;
    let mut command = serde_json::Map::new();
    command.insert(text(told, "/function"), arguments);
    let envelope = json!({
        "commandId": CommandId::derive(&actor, key), "actor": actor, "command": command,
    });
    serde_json::from_value(envelope).map_err(unfit)
}

fn network(told: &Value) -> Result<NetworkId> {
    read(told, "/network")
}

fn instant(text: &str) -> Result<TimeMs> {
    let at: jiff::Timestamp = text.parse().map_err(unfit)?;
    Ok(TimeMs(at.as_millisecond()))
}

fn read<T: std::str::FromStr>(told: &Value, at: &str) -> Result<T> {
    text(told, at).parse().map_err(|_| unfit(format!("{at} is not what it should be")))
}

fn unfit(why: impl std::fmt::Display) -> Failure {
    Failure::Local(format!("nothing is signed, as the platform's word for it does not fit: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Value {
        json!({
            "actor": "user:IN 7K3 ABC123 0WXYZ 1234",
            "function": "TokenomicsContract:Transfer",
            "arguments": "{\"from\":\"IN 7K3 ABC123 0WXYZ 1234\",\"to\":\
                \"FR 91R DEF456 0STUV 5678\",\"amount\":\"12500000\",\"remark\":\"café\"}",
            "network": "devnet",
            "expiresAt": "2026-01-01T00:00:00.123Z",
            "newKey": { "holder": "user:IN 7K3 ABC123 0WXYZ 1234" },
        })
    }

    /// The signature covers the id that the key makes, whatever the platform says it is.
    #[test]
    fn what_is_signed_is_made_here() {
        let envelope = envelope(&told(), "a-key-of-mine").unwrap();
        assert_eq!(envelope.command_id, CommandId::derive(&envelope.actor, "a-key-of-mine"));
        let at = instant("2026-01-01T00:00:00.123Z").unwrap();
        let bytes = envelope.signed_bytes(network(&told()).unwrap(), at);
        assert!(bytes.starts_with(b"gx/signed-command/1\0"));
        let arguments = text(&told(), "/arguments");
        assert!(bytes.ends_with(arguments.as_bytes()));
    }

    #[test]
    fn a_key_that_is_not_the_account_s_is_told_beside_the_one_that_is() {
        let mut told = json!({ "userId": "DE 1", "publicKey": null, "since": null });
        let file = Path::new("my.key");
        let none = fits(&told, file, "aa").unwrap_err().to_text();
        assert!(none.contains("signature_unexpected: the account DE 1 has no key"), "{none}");
        put(&mut told, "publicKey", "bb");
        put(&mut told, "since", "2026-01-01T00:00:00Z");
        let other = fits(&told, file, "aa").unwrap_err().to_text();
        assert!(other.contains("my.key holds the key aa, the account DE 1 has bb since 2026"));
        assert!(fits(&told, file, "bb").is_ok());
    }

    #[test]
    fn what_does_not_fit_is_not_signed() {
        for (at, wrong) in [
            ("actor", json!("somebody")),
            ("function", json!("TokenomicsContract:Take")),
            ("arguments", json!("{}")),
            ("arguments", json!("gx/key-proof/1")),
        ] {
            let mut told = told();
            told[at] = wrong;
            let failure = envelope(&told, "a-key-of-mine").unwrap_err();
            assert!(failure.to_text().contains("nothing is signed"), "{at}");
        }
        let mut elsewhere = told();
        put(&mut elsewhere, "network", "moonnet");
        assert!(network(&elsewhere).is_err() && instant("tomorrow").is_err());
    }

    #[test]
    fn a_key_file_is_for_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.key");
        std::fs::write(&path, "secret of another kind").unwrap();
        assert!(load(&path).unwrap_err().to_text().contains("set mode 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let told = load(&path).unwrap_err().to_text();
        assert!(told.contains("PKCS #8") && !told.contains("secret"), "{told}");
    }
}
