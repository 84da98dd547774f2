//! `gx key` with a server: the account's key, set and replaced with a proof that it is held.
//!
//! What is done with keys without a server is the binary's own; private keys are read from their
//! files and stay on this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::api::Api;
use crate::failure::{Failure, Result};
use crate::giving::{Order, SETTLED, Settling};
use crate::options::{Job, With};
use crate::out::{Parts, text};
use crate::sign::{self, KEYS};

/// What is done with keys over the API.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Shows which key the account has on the ledger.
    Current(With<Current>),
    /// Gives the account a first key: from then on it signs every command.
    Register(With<Register>),
    /// Replaces the account's key; the present one signs (--key FILE).
    Rotate(With<Rotate>),
}

impl Keys {
    /// Does it and returns the process's exit status.
    pub fn run(&self) -> u8 {
        match self {
            Self::Current(job) => job.run(),
            Self::Register(job) => job.run(),
            Self::Rotate(job) => job.run(),
        }
    }
}

const KEY: &Parts = &[("account", "/userId"), ("key", "/publicKey"), ("since", "/since")];

#[derive(Debug, Args)]
pub struct Current {}

impl Job for Current {
    fn run(&self, api: &mut Api) -> Result<()> {
        let reply = api.get(KEYS)?;
        if text(&reply, "/publicKey").is_empty() {
            api.out.note("the account has no key: the platform speaks for it");
        }
        api.out.record(&reply, KEY)
    }
}

#[derive(Debug, Args)]
pub struct Register {
    /// PKCS#8 PEM file of the new key; gx key new makes one.
    file: PathBuf,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Register {
    fn run(&self, api: &mut Api) -> Result<()> {
        let question = "Give the account this key? Whoever loses it needs guardians or \
                        administrators to do anything; keep a copy.";
        set(api, KEYS, (&self.file, &self.settling), question)
    }
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// PKCS#8 PEM file of the new key; --key is the present one.
    file: PathBuf,
    #[command(flatten)]
    settling: Settling,
}

impl Job for Rotate {
    fn run(&self, api: &mut Api) -> Result<()> {
        let question = "Replace the account's key? The present one signs nothing afterwards.";
        set(api, &format!("{KEYS}/rotate"), (&self.file, &self.settling), question)
    }
}

/// Whether an account can be given this key, by what the platform says of the one it has.
fn free(told: &Value, new: &str, is_first: bool) -> Result<()> {
    let [account, key, since] = ["/userId", "/publicKey", "/since"].map(|at| text(told, at));
    let (code, message) = match key.as_str() {
        key if key == new => ("key_unchanged", format!("the account {account} has this very key")),
        "" if is_first => return Ok(()),
        "" => ("key_missing", format!("the account {account} has no key that could be replaced")),
        key if is_first => {
            ("key_exists", format!("the account {account} has the key {key} since {since}"))
        }
        _ => return Ok(()),
    };
    Err(Failure::refused(code, message))
}

/// Sets a key that proves itself.
fn set(
    api: &mut Api,
    path: &str,
    (file, settling): (&PathBuf, &Settling),
    question: &str,
) -> Result<()> {
    let new = sign::load(file)?;
    // What is repeated may have set the key.
    if settling.giving.idempotency_key.is_none() {
        free(&api.get(KEYS)?, &sign::public(&new).to_string(), path == KEYS)?;
    }
    settling.giving.confirm(question)?;
    let key = settling.giving.key()?;
    let mut order = Order::post(path, json!({ "publicKey": sign::public(&new) }));
    sign::prove(api, &mut order, &key, &new)?;
    let reply = settling.give_as(api, order, &key)?;
    api.out.record(&reply, SETTLED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_exists_is_named() {
        let none = json!({ "userId": "DE 1", "publicKey": null, "since": null });
        let told = json!({ "userId": "DE 1", "publicKey": "aa", "since": "2026-01-01T00:00:00Z" });
        assert!(free(&none, "bb", true).is_ok() && free(&told, "bb", false).is_ok());
        for (reply, new, is_first, parts) in [
            (&told, "bb", true, ["key_exists: ", "has the key aa since 2026", "gx key rotate"]),
            (&told, "aa", true, ["key_unchanged: ", "this very key", "nothing"]),
            (&told, "aa", false, ["key_unchanged: ", "this very key", "nothing"]),
            (&none, "bb", false, ["key_missing: ", "no key", "gx key register"]),
        ] {
            let text = free(reply, new, is_first).unwrap_err().to_text();
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
    }
}
