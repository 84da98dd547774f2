//! What a transaction asks of the contract, read from its arguments.
//!
//! The chaincode reads it to execute it, and whoever reads blocks reads it again to know the
//! commands of a transaction: the same bytes give the same batch on both sides.

use gx_contract::{Batch, Command, Envelope, NameError, Query};
use gx_types::{Actor, BatchId, CommandId, Role};
use serde::de;
use serde_json::{Map, Value};

use crate::EXECUTE_BATCH;
use crate::compressed::{BATCH_MAX, compress, decompress};
use crate::positional::Positional;
use crate::unique::Unique;

/// The function that describes the chaincode instead of asking the contract.
pub(crate) const GET_CHAINCODE_INFO: &str = "SmartContract:GetChaincodeInfo";

/// What is asked of the contract.
#[derive(Debug, Clone, PartialEq)]
pub enum Invocation {
    Batch(Batch),
    Query(Query),
    /// What the chaincode is and how it is set.
    ContractInfo,
}

/// Who sent the transaction, and under which id.
#[derive(Debug, Clone, Copy)]
pub struct Submitter<'a> {
    pub tx_id: &'a str,
    /// Absent when the certificate names none; queries need none.
    pub role: Option<Role>,
}

/// Why arguments are not an invocation.
#[derive(Debug, thiserror::Error)]
pub enum WrongInvocation {
    #[error("a function name expected")]
    NoFunction,
    #[error("argument {0} is not text")]
    NotText(usize),
    #[error("the batch cannot be unpacked: {0}")]
    NotUnpacked(std::io::Error),
    #[error("the contract has no function {0:?}; names have the form Contract:Function")]
    Unknown(String),
    #[error("arguments do not fit {function}: {reason}")]
    Arguments { function: String, reason: String },
    #[error("the submitter's certificate has no gxc_role")]
    NoRole,
}

impl Invocation {
    /// The arguments of the transaction that settles a batch; nothing when the batch is longer
    /// than the chaincode takes.
    ///
    /// # Errors
    /// When the batch is not JSON, which a batch always is.
    pub fn settling(batch: &Batch) -> Result<Option<Vec<Vec<u8>>>, serde_json::Error> {
        let text = serde_json::to_vec(batch)?;
        let fits = text.len() <= BATCH_MAX;
        Ok(fits.then(|| vec![EXECUTE_BATCH.as_bytes().to_vec(), compress(text)]))
    }

    /// Reads the arguments of a transaction. `SmartContract:ExecuteBatch` takes a batch as JSON,
    /// or as one Zstandard frame of it that names its length; the text has at most `most` bytes.
    /// Every command and query can be called by its name with one JSON object, or with the text
    /// of each field in field order. A command runs as the system; another actor is named by the
    /// key `actor` of the object, or by one more text.
    ///
    /// # Errors
    /// [`WrongInvocation`].
    pub fn read(
        args: &[Vec<u8>],
        submitter: Submitter<'_>,
        most: usize,
    ) -> Result<Self, WrongInvocation> {
        if let [function, batch] = args
            && function == EXECUTE_BATCH.as_bytes()
        {
            let batch = decompress(batch, most).map_err(WrongInvocation::NotUnpacked)?;
            let wrong = |error: serde_json::Error| WrongInvocation::Arguments {
                function: EXECUTE_BATCH.to_owned(),
                reason: error.to_string(),
            };
            return serde_json::from_slice(&batch).map(Self::Batch).map_err(wrong);
        }
        let mut texts: Vec<&str> = Vec::with_capacity(args.len());
        for (at, bytes) in args.iter().enumerate() {
            texts.push(std::str::from_utf8(bytes).map_err(|_| WrongInvocation::NotText(at))?);
        }
        let Some((function, args)) = texts.split_first() else {
            return Err(WrongInvocation::NoFunction);
        };
        let wrong = |reason: String| WrongInvocation::Arguments {
            function: (*function).to_owned(),
            reason,
        };
        if *function == EXECUTE_BATCH {
            return Err(wrong("one batch as JSON expected".into()));
        }
        if *function == GET_CHAINCODE_INFO {
            return Ok(Self::ContractInfo);
        }
        if Query::NAMES.contains(function) {
            return read_query(function, args).map(Self::Query).map_err(wrong);
        }
        if !Command::NAMES.contains(function) {
            return Err(WrongInvocation::Unknown((*function).to_owned()));
        }
        let role = submitter.role.ok_or(WrongInvocation::NoRole)?;
        let (command, actor) = read_command(function, args).map_err(wrong)?;
        let command_id = CommandId::derive(&actor, submitter.tx_id);
        let batch_id = batch_id_of(submitter.tx_id);
        // An account with a key acts in batches alone, whose envelopes carry signatures.
        let commands = vec![Envelope { command_id, actor, command, signature: None }];
        Ok(Self::Batch(Batch { batch_id, role, commands }))
    }
}

/// The one object that the arguments are, if they are one. A text that starts like an object and
/// is none was meant to be one.
fn object(args: &[&str]) -> Result<Option<Map<String, Value>>, String> {
    let [text] = args else { return Ok(None) };
    if !text.trim_start().starts_with('{') {
        return Ok(None);
    }
    match serde_json::from_str(text).map_err(|error| error.to_string())? {
        Unique(Value::Object(fields)) => Ok(Some(fields)),
        Unique(_) => Err("an object expected".to_owned()),
    }
}

fn read_query(function: &str, args: &[&str]) -> Result<Query, String> {
    let unfit = |error: NameError| describe(&error);
    match object(args)? {
        Some(fields) => {
            let text = Value::Object(fields).to_string();
            Query::from_name_and_args(function, &text).map_err(unfit)
        }
        None => Query::from_name_and(function, Positional(args))
            .unwrap_or_else(|| Err(serde::de::Error::custom("no such query")))
            .map_err(|error| error.to_string()),
    }
}

fn read_command(function: &str, args: &[&str]) -> Result<(Command, Actor), String> {
    if let Some(mut fields) = object(args)? {
        let actor = match fields.remove("actor") {
            None => Actor::System,
            Some(actor) => serde_json::from_value(actor).map_err(|error| error.to_string())?,
        };
        let text = Value::Object(fields).to_string();
        let command = Command::from_name_and_args(function, &text);
        return command.map(|command| (command, actor)).map_err(|error| describe(&error));
    }
    let read = |args| {
        Command::from_name_and(function, Positional(args))
            .unwrap_or_else(|| Err(serde::de::Error::custom("no such command")))
    };
    match (read(args), args.split_last()) {
        (Ok(command), _) => Ok((command, Actor::System)),
        (Err(error), Some((actor, fields))) => match (actor.parse(), read(fields)) {
            (Ok(actor), Ok(command)) => Ok((command, actor)),
            // The one that has the right number of arguments says what is wrong with them.
            (Ok(_), Err(inner)) if !is_about_count(&inner) => Err(inner.to_string()),
            _ => Err(error.to_string()),
        },
        (Err(error), None) => Err(error.to_string()),
    }
}

fn is_about_count(error: &de::value::Error) -> bool {
    error.to_string().contains(crate::positional::GIVEN)
}

fn describe(error: &NameError) -> String {
    match error {
        NameError::Unknown(_) => error.to_string(),
        NameError::Arguments { source, .. } => source.to_string(),
    }
}

/// The first 128 bits of the transaction's id; ids of Fabric are hashes.
fn batch_id_of(tx_id: &str) -> BatchId {
    let head = tx_id.get(..32).and_then(|head| u128::from_str_radix(head, 16).ok());
    BatchId::from_u128(head.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn read(role: Option<Role>, args: &[&str]) -> Result<Invocation, WrongInvocation> {
        let args: Vec<Vec<u8>> = args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        Invocation::read(&args, Submitter { tx_id: TX, role }, BATCH_MAX)
    }

    fn batch(args: &[&str]) -> Batch {
        match read(Some(Role::SuperAdmin), args) {
            Ok(Invocation::Batch(batch)) => batch,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn objects_and_texts_give_the_same_command() {
        let name = "AdminContract:PauseSystem";
        let rows: [&[&str]; 2] = [
            &[name, r#"{"reason":"maintenance","actor":"admin:root"}"#],
            &[name, "maintenance", "admin:root"],
        ];
        let [object, texts] = rows.map(batch);
        assert_eq!(object, texts);
        assert_eq!(object.commands[0].actor.to_string(), "admin:root");
        assert_eq!(object.role, Role::SuperAdmin);
        assert_eq!(object.batch_id, BatchId::from_u128(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
        assert_eq!(batch(&[name, "maintenance"]).commands[0].actor, Actor::System);
    }

    #[test]
    fn lists_and_numbers_are_read_from_texts() {
        let countries = r#"[{"countryCode":"IN","weight":100000000}]"#;
        let read = batch(&["AdminContract:InitializeCountryData", countries]);
        assert!(matches!(&read.commands[0].command, Command::InitializeCountryData(list)
            if list.countries[0].weight == 100_000_000));
        let hash = "0".repeat(64);
        let id = gx_types::AccountId::from_entropy(
            "IN".parse().unwrap(),
            gx_types::AccountType::Individual,
            [7; 16],
        );
        let id = id.to_string();
        let account_type = serde_json::to_value(gx_types::AccountType::Individual).unwrap();
        let account_type = account_type.as_str().unwrap();
        let name = "IdentityContract:CreateUser";
        let args = [name, id.as_str(), &hash, "IN", "30", account_type, ""];
        assert!(matches!(&batch(&args).commands[0].command, Command::CreateUser(user)
            if user.age == 30));
    }

    #[test]
    fn every_function_is_known_by_name() {
        for name in Command::NAMES.iter().chain(Query::NAMES) {
            let texts = read(Some(Role::Admin), &[name, "a", "b", "c", "d", "e", "f", "g", "h"]);
            assert!(matches!(texts, Err(WrongInvocation::Arguments { .. })), "{name}: {texts:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let transfer = "TokenomicsContract:Transfer";
        let from = "IN 001 TVE953 0UKMS 8376";
        let twice = r#"{"countries":[{"countryCode":"IN","weight":1,"weight":100000000}]}"#;
        let rows: [(&[&str], &str); 11] = [
            (&[], "a function name expected"),
            (&["PauseSystem", "x"], "the contract has no function \"PauseSystem\""),
            (&["AdminContract:PauseSystem"], "1 arguments, 0 given (reason)"),
            (&["AdminContract:PauseSystem", "{\"why\":\"x\"}"], "unknown field `why`"),
            (&["AdminContract:PauseSystem", "{\"reason\":\"x\""], "EOF while parsing"),
            (
                &["AdminContract:PauseSystem", "{\"reason\":\"x\",\"reason\":\"y\"}"],
                "\"reason\" is there twice",
            ),
            (&["AdminContract:InitializeCountryData", twice], "\"weight\" is there twice"),
            (
                &["AdminContract:InitializeCountryData", &twice[13..twice.len() - 1]],
                "\"weight\" is there twice",
            ),
            (&[transfer, from, from, "50.00", "", "system"], "whole Qirat expected"),
            (&[transfer, from, from, "50.00", ""], "whole Qirat expected"),
            (&[EXECUTE_BATCH, "{}"], "missing field `batchId`"),
        ];
        for (args, expected) in rows {
            let error = read(Some(Role::Admin), args).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let nobody = read(None, &["AdminContract:PauseSystem", "maintenance"]);
        assert!(matches!(nobody, Err(WrongInvocation::NoRole)));
        assert!(matches!(
            read(None, &["AdminContract:GetSystemStatus", "{}"]),
            Ok(Invocation::Query(_))
        ));
    }
}
