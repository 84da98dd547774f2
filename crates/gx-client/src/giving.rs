//! Commands for the ledger: given once, and followed until they are settled.
//!
//! The idempotency key is made before the first attempt and kept for all of them, so that an
//! answer that is lost never makes two commands of one. When there is no answer at all the key is
//! told, and the same command can be given again by hand.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use hyper::Method;
use rand::TryRng as _;
use rand::rngs::SysRng;
use serde_json::Value;

use crate::api::{Api, part};
use crate::ask::confirm;
use crate::failure::{Failure, Pending, Result};
use crate::out::{Parts, text};
use crate::sign;

/// What every command that changes something takes.
#[derive(Debug, Args)]
pub(crate) struct Giving {
    /// Answers yes to the question whether it is meant.
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Repeats the command that was given under this key; it is never carried out twice. 8 to 255
    /// visible ASCII characters, no blanks.
    #[arg(long, value_name = "KEY", value_parser = idempotency_key)]
    pub(crate) idempotency_key: Option<String>,
}

/// What every command for the ledger takes.
#[derive(Debug, Args)]
pub(crate) struct Settling {
    #[command(flatten)]
    pub(crate) giving: Giving,
    /// Signs with the account's key, read from a file that only its owner may read.
    #[arg(long = "key", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// How many seconds to wait until the ledger has settled it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

/// A command as its route takes it.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Value,
}

impl Order {
    pub(crate) fn post(path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, path: path.into(), body }
    }
}

/// A key as the platform takes it.
pub(crate) fn idempotency_key(text: &str) -> std::result::Result<String, String> {
    let fits = (8..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    match fits {
        true => Ok(text.to_owned()),
        false => Err("8 to 255 visible ASCII characters without blanks expected".to_owned()),
    }
}

impl Giving {
    /// The key that was said, or a new one.
    pub(crate) fn key(&self) -> Result<String> {
        if let Some(key) = &self.idempotency_key {
            return Ok(key.clone());
        }
        let mut bytes = [0; 16];
        let failed = |error| Failure::local("the operating system has no entropy", error);
        SysRng.try_fill_bytes(&mut bytes).map_err(failed)?;
        Ok(format!("gx-{}", hex::encode(bytes)))
    }

    pub(crate) fn confirm(&self, question: &str) -> Result<()> {
        confirm(question, self.yes)
    }

    /// Changes something beside the ledger.
    pub(crate) fn change(&self, api: &mut Api, order: &Order) -> Result<Value> {
        let key = self.key()?;
        let done = api.write(order.method.clone(), &order.path, &order.body, Some(&key));
        done.map_err(|failure| repeatable(failure, &key))
    }
}

impl Settling {
    /// Gives a command and waits until it is settled; answers what the platform says of it then.
    pub(crate) fn give(&self, api: &mut Api, order: Order) -> Result<Value> {
        let key = self.giving.key()?;
        self.give_as(api, order, &key)
    }

    /// The same under a key that was made before.
    pub(crate) fn give_as(&self, api: &mut Api, mut order: Order, key: &str) -> Result<Value> {
        if let Some(file) = &self.key_file {
            let signer = sign::load(file)?;
            // What is repeated may have replaced the key that signs it.
            if self.giving.idempotency_key.is_none() {
                sign::compare(api, file, &signer)?;
            }
            sign::sign(api, &mut order, key, &signer)?;
        }
        let given = api.write(order.method, &order.path, &order.body, Some(key));
        let given = given.map_err(|failure| repeatable(failure, key))?;
        self.settled(api, given)
    }

    /// Asks until a command is settled.
    pub(crate) fn settled(&self, api: &mut Api, given: Value) -> Result<Value> {
        let id = text(&given, "/commandId");
        let mut reply = given.clone();
        let path = format!("/api/v1/commands/{}", part(&id));
        let (began, wait) = (Instant::now(), Duration::from_secs(self.wait));
        let mut pause = Duration::from_millis(20);
        let mut is_told = false;
        loop {
            match text(&reply, "/status").as_str() {
                "committed" => return Ok(with_ids(reply, &given)),
                "refused" | "dead" => return Err(no(&reply)),
                _ if began.elapsed() > wait => {
                    return Err(unsettled(&id, &format!("not settled after {} s", self.wait)));
                }
                _ => {}
            }
            if !is_told {
                api.out.note(&format!("command {id} is accepted"));
                is_told = true;
            }
            api.pause(pause);
            pause = (pause * 2).min(Duration::from_secs(1));
            match api.get(&path) {
                Ok(told) => reply = told,
                // It was accepted: a server that is away for a while changes nothing.
                Err(Failure::Unreachable(_) | Failure::Away(_)) if began.elapsed() < wait => {}
                Err(Failure::Unreachable(text) | Failure::Away(text)) => {
                    return Err(unsettled(&id, &text));
                }
                Err(other) => return Err(other),
            }
        }
    }
}

/// Why a command came to nothing, by what the platform says of it.
pub(crate) fn no(reply: &Value) -> Failure {
    match text(reply, "/status").as_str() {
        "dead" => Failure::refused("dead", text(reply, "/reason")),
        _ => Failure::refused(&text(reply, "/code"), text(reply, "/detail")),
    }
}

/// What is known of a command in the end, with the ids that were told when it was accepted.
fn with_ids(mut reply: Value, given: &Value) -> Value {
    if let (Some(reply), Some(given)) = (reply.as_object_mut(), given.as_object()) {
        for (name, id) in given.iter().filter(|(name, _)| name.ends_with("Id")) {
            reply.entry(name).or_insert_with(|| id.clone());
        }
    }
    reply
}

/// What is told of a command that was accepted, and whose outcome is not known.
pub(crate) fn unsettled(id: &str, why: &str) -> Failure {
    Failure::Pending(Box::new(Pending {
        message: format!(
            "command {id} is accepted, {why}; gx command {id} tells what became of it"
        ),
        command_id: Some(id.to_owned()),
        idempotency_key: None,
    }))
}

/// Tells the key under which the same command can be given again. What was not sent is simply
/// given again.
fn repeatable(failure: Failure, key: &str) -> Failure {
    match failure {
        Failure::Unreachable(text) => Failure::Pending(Box::new(Pending {
            message: format!(
                "{text}\n  it is not known whether the command was accepted; to be sure, give the \
                 same command again with --idempotency-key {key}"
            ),
            command_id: None,
            idempotency_key: Some(key.to_owned()),
        })),
        other => other,
    }
}

/// What is told of a command that is settled.
pub(crate) const SETTLED: &Parts = &[
    ("command", "/commandId"),
    ("status", "/status"),
    ("block", "/block"),
    ("at", "/at"),
    ("action", "/actionId"),
    ("organization", "/organizationId"),
    ("payment", "/pendingTxId"),
    ("loan", "/loanId"),
    ("proposal", "/proposalId"),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_new_unless_it_is_said() {
        let giving = Giving { yes: false, idempotency_key: None };
        let (one, two) = (giving.key().unwrap(), giving.key().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 35);
        let said = Giving { idempotency_key: Some("said-before".to_owned()), ..giving };
        assert_eq!(said.key().unwrap(), "said-before");
        assert_eq!(idempotency_key(&one), Ok(one.clone()));
        for wrong in ["", "rent-12", "rent 2026-12", "rent-2026-é", &"k".repeat(256)] {
            assert!(idempotency_key(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ids_of_the_first_answer_are_kept() {
        let given = json!({ "commandId": "c", "actionId": "a", "status": "queued" });
        let settled = json!({ "commandId": "c", "status": "committed", "block": 7 });
        let told = with_ids(settled, &given);
        assert_eq!(told["actionId"], "a");
        assert_eq!((&told["status"], &told["block"]), (&json!("committed"), &json!(7)));
    }

    #[test]
    fn the_key_is_told_when_there_is_no_answer() {
        let away = repeatable(Failure::Unreachable("gone".to_owned()), "gx-1").to_text();
        assert!(away.contains("gone") && away.contains("--idempotency-key gx-1"), "{away}");
        let unsent = repeatable(Failure::Away("gone".to_owned()), "gx-1");
        let text = unsent.to_text();
        assert!(text.contains("nothing was sent") && !text.contains("not known"), "{text}");
        assert_eq!((&unsent.to_json()["error"]["code"], unsent.status()), (&json!("not_sent"), 3));
        let refused = repeatable(Failure::refused("no", "no"), "gx-1").to_text();
        assert!(!refused.contains("gx-1"), "{refused}");
        let lost = repeatable(Failure::Unreachable("gone".to_owned()), "gx-1");
        let told = lost.to_json();
        assert_eq!((&told["error"]["idempotencyKey"], lost.status()), (&json!("gx-1"), 3));
        let told = unsettled("C1", "not settled after 2 s").to_json();
        assert_eq!(told["error"]["commandId"], "C1");
        assert_eq!(told["error"]["code"], "not_settled_yet");
    }
}
