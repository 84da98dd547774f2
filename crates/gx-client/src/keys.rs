//! `gx key` with a server: the account's key, set and replaced with a proof that it is held.
//!
//! What is done with keys without a server is the binary's own; private keys are read from their
//! files and stay on this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::api::Api;
use crate::failure::Result;
use crate::giving::{Order, SETTLED, Settling};
use crate::options::{Job, With};
use crate::out::{Parts, text};
use crate::sign;

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

const KEYS: &str = "/api/v1/keys";

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

/// Sets a key that proves itself.
fn set(
    api: &mut Api,
    path: &str,
    (file, settling): (&PathBuf, &Settling),
    question: &str,
) -> Result<()> {
    let new = sign::load(file)?;
    settling.giving.confirm(question)?;
    let key = settling.giving.key()?;
    let mut order = Order::post(path, json!({ "publicKey": sign::public(&new) }));
    sign::prove(api, &mut order, &key, &new)?;
    let reply = settling.give_as(api, order, &key)?;
    api.out.record(&reply, SETTLED)
}
