//! The words of the text tables: accounts, amounts, commands and expected outcomes.
//!
//! `alice.IN` is the account of the human `alice` in India, `shop.IN.1` one of type 1. The name
//! alone makes the id, so that a table can name whom nobody has registered.

use ed25519_dalek::{Signer, SigningKey};
use gx_types::{AccountId, AccountType, Actor, Amount, CommandId, NetworkId, ProposalId, TimeMs};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::phrases;
use crate::admin::{
    AppointAdmin, BootstrapSystem, CancelParameterChange, ClockConfirmation, ConfirmClock,
    CountryWeight, DisburseFromPool, FirstKey, InitializeCountryData, PauseSystem, RemoveAdmin,
    ReplaceAdmin, ResumeSystem, UpdateSystemParameter,
};
use crate::custody::{AcceptCustody, TransferCustody};
use crate::freezing::{FreezeWallet, UnfreezeWallet};
use crate::governance::{ExecuteProposal, SubmitProposal, VoteOnProposal};
use crate::identity::{CreateUser, IdentityHash};
use crate::params::ParameterValue;
use crate::tax_and_fee::{ApplyVelocityTax, SetVelocityTaxExempt};
use crate::tokenomics::{AttestedAge, DistributeGenesis, Transfer};
use crate::{
    Attestation, Attested, Command, Envelope, NewKey, Outcome, PublicKey, Purpose, Query,
    Signature, SignatureBytes, clock_confirmation_bytes, key_proof_bytes,
};

/// The account that a word names.
pub(super) fn account(word: &str) -> AccountId {
    let parts: Vec<&str> = word.split('.').collect();
    let (country, kind) = match parts[..] {
        [_, country] => (country, AccountType::Individual),
        [_, country, kind] => (country, kind.parse().unwrap()),
        _ => return word.parse().unwrap(),
    };
    let mut entropy = [0; 16];
    entropy
        .iter_mut()
        .zip(blake3::hash(word.as_bytes()).as_bytes())
        .for_each(|(to, from)| *to = *from);
    AccountId::from_entropy(country.parse().unwrap(), kind, entropy)
}

/// The identity hash of a human.
pub(super) fn identity_hash(human: &str) -> IdentityHash {
    IdentityHash::from_bytes(*blake3::hash(human.as_bytes()).as_bytes())
}

/// The id of the command that a line calls `#label`.
pub(super) fn command_id(label: &str) -> CommandId {
    CommandId::derive(&Actor::System, label.trim_start_matches('#'))
}

/// The key that a word names.
pub(super) fn signing_key(word: &str) -> SigningKey {
    SigningKey::from_bytes(blake3::hash(word.as_bytes()).as_bytes())
}

/// The public half of the key that a word names, or a key written out as 64 digits.
pub(super) fn public_key(word: &str) -> PublicKey {
    let key = || PublicKey::from_bytes(signing_key(word).verifying_key().to_bytes());
    word.parse().unwrap_or_else(|_| key())
}

/// Signs a command as `key`, `key@expiry` or `key@expiry@network` says; a minute ahead on this
/// network unless it says otherwise.
pub(super) fn sign(envelope: &mut Envelope, word: &str, now: i64, network: NetworkId) {
    let mut parts = word.split('@');
    let key = signing_key(parts.next().unwrap_or_default());
    let expires_at = TimeMs(parts.next().map_or(now + 60_000, |at| at.parse().unwrap()));
    let network = parts.next().map_or(network, |network| network.parse().unwrap());
    let bytes = key.sign(&envelope.signed_bytes(network, expires_at)).to_bytes();
    let signature = SignatureBytes::from_bytes(bytes);
    envelope.signature = Some(Signature { signature, expires_at });
}

/// Has the keys sign that a command names: a new one for itself, unless it says that it has not.
pub(super) fn prove(envelope: &mut Envelope, network: NetworkId) {
    if let Command::ConfirmClock(command) = &mut envelope.command {
        let bytes = clock_confirmation_bytes(network, envelope.command_id, command.time);
        for one in &mut command.confirmations {
            let mut words = ["k", "k2", "other"].into_iter();
            let Some(word) = words.find(|word| named(word) == one.signature) else {
                continue;
            };
            let key = signing_key(word);
            one.signature = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        }
    }
    let network = match &envelope.command {
        Command::BootstrapSystem(command) => command.network_id,
        _ => network,
    };
    let command_id = envelope.command_id;
    let Some(NewKey { holder, key, proof }) = envelope.new_key() else { return };
    let bytes = key_proof_bytes(network, &holder, command_id);
    let known = KEYS.into_iter().find(|word| public_key(word) == key);
    if let Some(word) = known.filter(|_| *proof == TO_PROVE) {
        *proof = SignatureBytes::from_bytes(signing_key(word).sign(&bytes).to_bytes());
    }
}

/// Who confirms the clock with which key, still to be signed: `root=k`.
fn confirmation(word: &str) -> ClockConfirmation {
    let (admin, key) = word.split_once('=').unwrap();
    ClockConfirmation { admin_id: text(admin), signature: named(key) }
}

/// Stands for a signature by the key that a word names, until the command has its id.
fn named(word: &str) -> SignatureBytes {
    let mut bytes = [0; 64];
    bytes.iter_mut().zip(word.bytes()).for_each(|(to, from)| *to = from);
    SignatureBytes::from_bytes(bytes)
}

/// The words of keys that can sign for themselves.
const KEYS: [&str; 9] = ["k", "k2", "k3", "new", "other", "another", "clinic", "abroad", "busy"];

/// Stands for an expiry an hour from when the command is given.
const AN_HOUR_AHEAD: TimeMs = TimeMs(i64::MIN);

/// An attestation still to be signed: `clinic`, `clinic:key`, `clinic:key@expiry`; by the key of
/// the attester's name and good for an hour unless it says otherwise.
pub(super) fn attestation(word: &str) -> Option<Box<Attestation>> {
    let (by, expires_at) = match word.split_once('@') {
        Some((by, at)) => (by, TimeMs(at.parse().unwrap())),
        None => (word, AN_HOUR_AHEAD),
    };
    let (attester, key) = by.split_once(':').unwrap_or((by, by));
    let (attester_id, signature) = (text(attester), named(key));
    Some(Box::new(Attestation { attester_id, signature, expires_at }))
}

/// Has the attesters sign that a command names; who the people are is for the caller to know.
pub(super) fn attest(
    envelope: &mut Envelope,
    network: NetworkId,
    now: i64,
    identity: impl Fn(&AccountId) -> Option<IdentityHash>,
) {
    match &mut envelope.command {
        Command::CreateUser(user) => {
            let said = user.attested();
            if let Some(attestation) = &mut user.attestation {
                sign_attestation(attestation, &said, network, now);
            }
        }
        Command::DistributeGenesis(list) => {
            for user in &mut list.users {
                let Some(attestation) = &mut user.attestation else { continue };
                let (user_id, age, purpose) = (user.user_id, user.age, Purpose::Genesis);
                let country = user_id.layout().map_or_else(|_| text("IN"), |id| id.country);
                let identity_hash = identity(&user_id).unwrap_or_else(|| identity_hash("nobody"));
                let said = Attested { purpose, user_id, identity_hash, country, age };
                sign_attestation(attestation, &said, network, now);
            }
        }
        _ => {}
    }
}

fn sign_attestation(attestation: &mut Attestation, said: &Attested, network: NetworkId, now: i64) {
    if attestation.expires_at == AN_HOUR_AHEAD {
        attestation.expires_at = TimeMs(now + 3_600_000);
    }
    if let Some(word) = KEYS.into_iter().find(|word| named(word) == attestation.signature) {
        let id = &attestation.attester_id;
        let bytes = said.signed_bytes(network, id, attestation.expires_at);
        let signature = signing_key(word).sign(&bytes).to_bytes();
        attestation.signature = SignatureBytes::from_bytes(signature);
    }
}

/// A proof that is still to be made.
const TO_PROVE: SignatureBytes = SignatureBytes::from_bytes([0; 64]);

/// A key with its proof: `k`, or `k unproven`.
pub(super) fn proven(args: &[String]) -> (PublicKey, SignatureBytes) {
    let unproven = args.get(1).is_some_and(|word| word == "unproven");
    let proof = if unproven { SignatureBytes::from_bytes([1; 64]) } else { TO_PROVE };
    (public_key(&args[0]), proof)
}

/// Qirat, or GX when the word says so: `15`, `2.5GX`.
pub(super) fn amount(word: &str) -> Amount {
    match word.strip_suffix("GX") {
        Some(gx) => Amount::from_gx_text(gx).unwrap(),
        None => word.parse().unwrap(),
    }
}

/// Milliseconds, or days with or without some more or less: `15`, `355d`, `355d+7`, `355d-1`.
pub(super) fn time(word: &str) -> i64 {
    let Some((days, rest)) = word.split_once('d') else { return word.parse().unwrap() };
    let rest: i64 = if rest.is_empty() { 0 } else { rest.parse().unwrap() };
    days.parse::<i64>().unwrap() * 86_400_000 + rest
}

/// `system`, `admin:<id>` or `user:<word>`.
pub(super) fn actor(word: &str) -> Actor {
    match word.strip_prefix("user:") {
        Some(user) => Actor::User(account(user)),
        None => word.parse().unwrap(),
    }
}

/// Words separated by blanks; a quoted one may hold blanks, `x*201` is 201 times `x`.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(repeated));
        }
    }
    words
}

fn repeated(word: &str) -> String {
    match word.split_once('*').map(|(part, times)| (part, times.parse())) {
        Some((part, Ok(times))) => part.repeat(times),
        Some((_, Err(_))) | None => word.to_owned(),
    }
}

/// A value that is written as a plain text in JSON.
pub(super) fn text<T: DeserializeOwned>(word: &str) -> T {
    serde_json::from_value(Value::String(word.to_owned())).unwrap()
}

fn pairs(words: &[String]) -> impl Iterator<Item = (&str, &str)> {
    words.iter().map(|word| word.split_once('=').unwrap_or_else(|| panic!("{word:?} has no =")))
}

/// A command from its function name and arguments.
pub(super) fn command(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    match function {
        "BootstrapSystem"
        | "ConfirmClock"
        | "InitializeCountryData"
        | "PauseSystem"
        | "ResumeSystem"
        | "AppointAdmin"
        | "ReplaceAdmin"
        | "RemoveAdmin"
        | "UpdateSystemParameter"
        | "CancelParameterChange" => administration(function, args),
        "DisburseFromPool" => {
            let (recipient_id, amount) = (account(arg(1)), amount(arg(2)));
            let (pool_id, purpose) = (text(arg(0)), arg(3).to_owned());
            DisburseFromPool { pool_id, recipient_id, amount, purpose }.into()
        }
        "CreateUser" => create_user(arg(0), arg(1), &args[2..]).into(),
        "TransferCustody" => TransferCustody { user_id: account(arg(0)), to: text(arg(1)) }.into(),
        "AcceptCustody" => AcceptCustody { user_id: account(arg(0)) }.into(),
        "Transfer" => {
            let (from, to, remark) = (account(arg(0)), account(arg(1)), arg(3).to_owned());
            Transfer { from, to, amount: amount(arg(2)), remark }.into()
        }
        "DistributeGenesis" => {
            DistributeGenesis { users: pairs(args).map(attested).collect() }.into()
        }
        "FreezeWallet" => FreezeWallet { account_id: account(arg(0)), reason: text(arg(1)) }.into(),
        "UnfreezeWallet" => {
            UnfreezeWallet { account_id: account(arg(0)), reason: text(arg(1)) }.into()
        }
        "SubmitProposal" => {
            let new_value = ParameterValue::new(amount(arg(1)).qirat());
            SubmitProposal { param_id: text(arg(0)), new_value, title: arg(2).to_owned() }.into()
        }
        "VoteOnProposal" => {
            let proposal_id = ProposalId::made_by(command_id(arg(0)));
            VoteOnProposal { proposal_id, vote: text(arg(1)) }.into()
        }
        "ExecuteProposal" => {
            ExecuteProposal { proposal_id: ProposalId::made_by(command_id(arg(0))) }.into()
        }
        "ApplyVelocityTax" => {
            ApplyVelocityTax { account_ids: args.iter().map(|word| account(word)).collect() }.into()
        }
        "SetVelocityTaxExempt" => {
            let (account_id, exempt) = (account(arg(0)), arg(1).parse().unwrap());
            SetVelocityTaxExempt { account_id, exempt }.into()
        }
        _ => phrases::command(function, args),
    }
}

/// A command about the system as a whole, its administrators or parameters.
fn administration(function: &str, args: &[String]) -> Command {
    let arg = |place: usize| args.get(place).map_or("", String::as_str);
    match function {
        "BootstrapSystem" => {
            let network = args[1..].iter().find_map(|word| word.parse().ok());
            let network_id = network.unwrap_or(NetworkId::Devnet);
            let account_id = args.iter().find_map(|word| word.strip_prefix("account="));
            let account_id = account_id.map(account);
            let key = args.iter().position(|word| word == "key").map(|at| {
                let (public_key, proof) = proven(&args[at + 1..]);
                FirstKey { public_key, proof }
            });
            let first_super_admin = text(arg(0));
            BootstrapSystem { first_super_admin, network_id, account_id, key }.into()
        }
        "ConfirmClock" => {
            let confirmations = args[1..].iter().map(|word| confirmation(word)).collect();
            ConfirmClock { time: TimeMs(time(arg(0))), confirmations }.into()
        }
        "InitializeCountryData" => {
            let weight = |(code, weight)| CountryWeight {
                country_code: text(code),
                weight: str::parse(weight).unwrap(),
            };
            InitializeCountryData { countries: pairs(args).map(weight).collect() }.into()
        }
        "PauseSystem" => PauseSystem { reason: arg(0).to_owned() }.into(),
        "ResumeSystem" => ResumeSystem {}.into(),
        "AppointAdmin" => {
            let emergency = args.iter().any(|word| word == "emergency");
            let own = args.get(2).filter(|word| *word != "emergency");
            let (admin_id, account_id) = (text(arg(0)), own.map(|word| account(word)));
            AppointAdmin { admin_id, level: text(arg(1)), account_id, emergency }.into()
        }
        "ReplaceAdmin" => {
            let (old_admin_id, new_admin_id) = (text(arg(0)), text(arg(1)));
            let account_id = args.get(2).map(|word| account(word));
            ReplaceAdmin { old_admin_id, new_admin_id, account_id }.into()
        }
        "RemoveAdmin" => RemoveAdmin { admin_id: text(arg(0)) }.into(),
        "UpdateSystemParameter" => {
            let new_value = ParameterValue::new(amount(arg(1)).qirat());
            UpdateSystemParameter { param_id: text(arg(0)), new_value }.into()
        }
        "CancelParameterChange" => CancelParameterChange { param_id: text(arg(0)) }.into(),
        _ => panic!("no function {function:?}"),
    }
}

/// What follows from the account's word, unless an argument says otherwise.
fn create_user(word: &str, age: &str, others: &[String]) -> CreateUser {
    let user_id = account(word);
    let layout = user_id.layout().ok();
    let human = word.split('.').next().unwrap_or_default();
    let mut user = CreateUser {
        user_id,
        identity_hash: identity_hash(human),
        country: layout.map_or_else(|| text("IN"), |layout| layout.country),
        age: age.parse().unwrap(),
        account_type: layout.map_or(AccountType::Individual, |layout| layout.kind),
        attestation: None,
    };
    for (name, value) in pairs(others) {
        match name {
            "human" => user.identity_hash = identity_hash(value),
            "country" => user.country = text(value),
            "type" => user.account_type = text(value),
            "attest" => user.attestation = attestation(value),
            _ => panic!("CreateUser has no {name:?}"),
        }
    }
    user
}

/// `alice.IN=13`, or `alice.IN=13/clinic` with an attestation.
fn attested((user, age): (&str, &str)) -> AttestedAge {
    let (age, by) = age.split_once('/').unwrap_or((age, ""));
    let attestation = if by.is_empty() { None } else { attestation(by) };
    AttestedAge { user_id: account(user), age: age.parse().unwrap(), attestation }
}

/// A query from its full name and the JSON of its arguments.
pub(super) fn query(name: &str, args: &Value) -> Query {
    Query::from_name_and_args(name, &args.to_string()).unwrap()
}

/// Whether an outcome is what a table expects: a refusal code, `repeated` with the code of the
/// first refusal if there was one, or the events in order, each with some of its fields.
pub(super) fn fits(outcome: &Outcome, expected: &str) -> bool {
    match outcome {
        Outcome::Refused(refused) => expected == refused.code.code(),
        Outcome::Repeated(first) => match &first.refused {
            None => expected == "repeated",
            Some(refused) => expected == format!("repeated {}", refused.code),
        },
        Outcome::Applied(events) => {
            let expected: Vec<&str> = expected.split(", ").collect();
            let named = events.iter().map(|event| {
                let tagged = serde_json::to_value(event).unwrap();
                (event.name(), tagged[event.name()].clone())
            });
            expected.len() == events.len()
                && named.zip(expected).all(|((name, fields), expected)| {
                    let words = words(expected);
                    words[0] == name && words[1..].iter().all(|word| field_fits(&fields, word))
                })
        }
    }
}

/// Whether `path.to.field=value` holds; the value may be a word for an account or an amount.
fn field_fits(fields: &Value, word: &str) -> bool {
    let (path, expected) = word.split_once('=').unwrap_or_else(|| panic!("{word:?} has no ="));
    let found = fields.pointer(&format!("/{}", path.replace('.', "/")));
    let found = match found {
        None => return false,
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let meant = if let Some(gx) = expected.strip_suffix("GX") {
        Amount::from_gx_text(gx).unwrap().qirat().to_string()
    } else if expected.contains('.') {
        account(expected).to_string()
    } else {
        expected.to_owned()
    };
    found == meant
}
