//! A key in a wallet that has no library of ours: it asks which bytes a command has, signs them,
//! and gives the command.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::v1;
use crate::client::{Reply, new_key};
use crate::server::{Account, Server};
use crate::signing::public;

/// Hours that a signature is good for.
const GOOD_FOR: u32 = 1;

/// A wallet with one key, which its seed makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wallet(pub(super) u8);

impl Wallet {
    pub(super) fn public(self) -> String {
        public(self.0)
    }

    /// Signs bytes in hexadecimal digits.
    fn sign(self, bytes: &Value) -> String {
        let bytes = hex::decode(bytes.as_str().unwrap()).unwrap();
        hex::encode(SigningKey::from_bytes(&[self.0; 32]).sign(&bytes).to_bytes())
    }

    /// Gives a command that makes this wallet's key that of an account.
    pub(super) async fn prove(
        self,
        server: &Server,
        by: &Account,
        path: &str,
        body: Value,
    ) -> Reply {
        let (key, mut body) = (new_key(), body);
        body["publicKey"] = self.public().into();
        body["proof"] = "0".repeat(128).into();
        let told = ask(server, by, &key, path, &body).await;
        body["proof"] = self.sign(&told["newKey"]["proofBytes"]).into();
        give(by, &key, path, body).await
    }

    /// Gives a command that this wallet has signed.
    pub(super) async fn give(
        self,
        server: &Server,
        by: &Account,
        path: &str,
        body: Value,
    ) -> Reply {
        let (key, mut body) = (new_key(), body);
        let told = ask(server, by, &key, path, &body).await;
        body["signature"] = json!({
            "value": self.sign(&told["signedBytes"]), "expiresAt": told["expiresAt"],
            "publicKey": self.public(),
        });
        give(by, &key, path, body).await
    }
}

/// Asks what is to be signed. Until when a signature is good is said in the ledger's time, which
/// may be days ahead.
async fn ask(server: &Server, by: &Account, key: &str, path: &str, body: &Value) -> Value {
    let until = server.platform.clock().ledger_time().plus_hours(GOOD_FOR);
    let until = jiff::Timestamp::from_millisecond(until.0).unwrap().to_string();
    let asked = json!({ "route": format!("POST {path}"), "body": body, "expiresAt": until });
    let headers = [("idempotency-key", key)];
    by.person.client.post_with(&v1("/commands/canonical"), asked, &headers, 200).await.body
}

async fn give(by: &Account, key: &str, path: &str, body: Value) -> Reply {
    let headers = [("idempotency-key", key), ("prefer", "wait=20")];
    by.person.client.post_with(path, body, &headers, 200).await
}
