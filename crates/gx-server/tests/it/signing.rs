//! What a wallet does: it holds a key, proves it, and signs commands with it.

use ed25519_dalek::{Signer as _, SigningKey};
use gx_contract::{Command, Envelope, PublicKey, key_proof_bytes};
use gx_types::{AccountId, Actor, CommandId, NetworkId};
use serde_json::{Value, json};

use crate::client::{Reply, new_key};
use crate::server::Account;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// The public key of a seed, as it is written.
pub(crate) fn public(seed: u8) -> String {
    PublicKey::from_bytes(key(seed).verifying_key().to_bytes()).to_string()
}

/// The word of a new key that it is to be the holder's, by a command of the actor.
pub(crate) fn proof(seed: u8, holder: AccountId, actor: &Actor, idempotency_key: &str) -> String {
    let command = CommandId::derive(actor, idempotency_key);
    let bytes = key_proof_bytes(NetworkId::Devnet, &Actor::User(holder), command);
    hex::encode(key(seed).sign(&bytes).to_bytes())
}

/// What stands in a body for the word of the account's key, good for two hours.
pub(crate) fn signature(
    account: &Account,
    seed: u8,
    idempotency_key: &str,
    command: Command,
) -> Value {
    let actor = Actor::User(account.ledger_id);
    let command_id = CommandId::derive(&actor, idempotency_key);
    let envelope = Envelope { command_id, actor, command, signature: None };
    let expires_at = gx_engine::Clock::system().now().plus_hours(2);
    let bytes = envelope.signed_bytes(NetworkId::Devnet, expires_at);
    json!({
        "value": hex::encode(key(seed).sign(&bytes).to_bytes()),
        "expiresAt": jiff::Timestamp::from_millisecond(expires_at.0).unwrap().to_string(),
        "publicKey": public(seed),
    })
}

/// The body of a command that goes without a session.
pub(crate) fn without_session(account: &Account, seed: u8, id: &str, command: Command) -> Value {
    let arguments: Value = serde_json::from_str(&command.args_json()).unwrap();
    json!({
        "actor": account.ledger_id, "function": command.name(), "arguments": arguments,
        "signature": signature(account, seed, id, command),
    })
}

/// Gives a command that the account's key has signed; the body is the command's without it.
pub(crate) async fn give_signed(
    account: &Account,
    seed: u8,
    path: &str,
    mut body: Value,
    command: impl FnOnce(&str) -> Command,
) -> Reply {
    let id = new_key();
    let command = command(&id);
    if body.get("proof").is_some() {
        let args: Value = serde_json::from_str(&command.args_json()).unwrap();
        body["proof"] = args["proof"].clone();
    }
    body["signature"] = signature(account, seed, &id, command);
    let headers = [("idempotency-key", &*id), ("prefer", "wait=20")];
    account.person.client.post_with(path, body, &headers, 200).await
}
