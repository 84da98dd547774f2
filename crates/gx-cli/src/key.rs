//! `gx key`: makes account keys and signs commands with them, on the machine of the key's holder.
//!
//! It needs no server and no settings. A private key is read from its file only: it never stands
//! on a command line, in the environment or in the output.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Subcommand;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::{Signer, SigningKey};
use gx_contract::identity::IdentityHash;
use gx_contract::{
    Attestation, Attested, Envelope, KeyHolder, PublicKey, Purpose, Signature, SignatureBytes,
    clock_confirmation_bytes, key_proof_bytes,
};
use gx_types::{AccountId, Actor, AttesterId, CommandId, NetworkId, TimeMs};
use rand::TryRng;
use rand::rngs::SysRng;

use crate::{End, console};

/// What is done with a key.
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Makes a key file that only its owner may read, and prints the public key.
    #[command(visible_alias = "generate")]
    New {
        /// PKCS#8 PEM file; one that exists is left as it is.
        file: PathBuf,
    },
    /// Prints the public key of a key file.
    Show {
        /// PKCS#8 PEM file.
        file: PathBuf,
    },
    /// Signs a command and prints what its envelope takes as `signature`.
    Sign(SignArgs),
    /// Signs for being set, and prints what the command that sets the key takes as `proof`.
    Prove(ProveArgs),
    /// Prints the id that a command will have, from its actor and idempotency key.
    CommandId {
        /// `system`, `admin:` and the admin's id, or `user:` and the account id.
        #[arg(long)]
        actor: Actor,
        /// As the request's `Idempotency-Key` will have it.
        #[arg(long)]
        idempotency_key: String,
    },
    /// Signs a super admin's word for what the time is, for a ledger whose clock has jumped.
    ConfirmClock(ClockArgs),
    /// Signs an attester's word for a person, and prints what the command takes as `attestation`.
    Attest(AttestArgs),
}

#[derive(Debug, clap::Args)]
pub struct SignArgs {
    /// PKCS#8 PEM file of the acting account's key.
    file: PathBuf,
    /// JSON file of the envelope; standard input without it.
    #[arg(long, value_name = "FILE")]
    envelope: Option<PathBuf>,
    /// The network that the command is for: devnet, testnet or mainnet.
    #[arg(long)]
    network: NetworkId,
    /// The last millisecond since 1970 (UTC) at which the signature is good.
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true)]
    expires_at: i64,
}

#[derive(Debug, clap::Args)]
pub struct ProveArgs {
    /// PKCS#8 PEM file of the new key.
    file: PathBuf,
    /// Whose key it will be: `user:` and the account id, or `admin:` and the admin's id.
    #[arg(long, required_unless_present = "attester")]
    actor: Option<Actor>,
    /// Whose key it will be, if it is that of an attester.
    #[arg(long, conflicts_with = "actor")]
    attester: Option<AttesterId>,
    /// The id of the command that sets the key.
    #[arg(long)]
    command_id: CommandId,
    /// The network that the command is for: devnet, testnet or mainnet.
    #[arg(long)]
    network: NetworkId,
}

#[derive(Debug, clap::Args)]
pub struct ClockArgs {
    /// PKCS#8 PEM file of the super admin's key.
    file: PathBuf,
    /// What the time is by a clock of your own, as 2025-12-31T23:59:59Z.
    #[arg(long)]
    time: jiff::Timestamp,
    /// The id of the command that carries the confirmations.
    #[arg(long)]
    command_id: CommandId,
    /// The ledger's network: devnet, testnet or mainnet.
    #[arg(long)]
    network: NetworkId,
}

#[derive(Debug, clap::Args)]
pub struct AttestArgs {
    /// PKCS#8 PEM file of the attester's key.
    file: PathBuf,
    /// The attester's id on the ledger.
    #[arg(long)]
    attester: AttesterId,
    /// What the word is for: `registration` of somebody new, or `genesis` for who has an account.
    #[arg(long, value_parser = purpose)]
    purpose: Purpose,
    /// The person's account id.
    #[arg(long)]
    user_id: AccountId,
    /// Hash of who the person is, as 64 hexadecimal digits.
    #[arg(long)]
    identity_hash: IdentityHash,
    /// The person's age in years.
    #[arg(long)]
    age: u16,
    /// The network that the word is for: devnet, testnet or mainnet.
    #[arg(long)]
    network: NetworkId,
    /// The last millisecond since 1970 (UTC) at which the word is good; at most 7 days ahead.
    #[arg(long, value_name = "MILLISECONDS", allow_negative_numbers = true)]
    expires_at: i64,
}

fn purpose(text: &str) -> Result<Purpose> {
    match text {
        "registration" => Ok(Purpose::Registration),
        "genesis" => Ok(Purpose::Genesis),
        _ => bail!("registration or genesis expected"),
    }
}

/// Does what the arguments say.
pub fn run(key: &Key) -> Result<End> {
    match key {
        Key::New { file } => console::line(create(file)?),
        Key::Show { file } => console::line(public_key(&load(file)?)),
        Key::Sign(args) => {
            let text = match &args.envelope {
                Some(path) => fs::read_to_string(path)
                    .with_context(|| format!("could not read {}", path.display()))?,
                None => {
                    let mut text = String::new();
                    io::stdin().read_to_string(&mut text).context("could not read the envelope")?;
                    text
                }
            };
            let signature = sign(&load(&args.file)?, &text, args.network, TimeMs(args.expires_at))?;
            console::line(serde_json::to_string(&signature)?);
        }
        Key::Prove(args) => console::line(prove(&load(&args.file)?, args)),
        Key::CommandId { actor, idempotency_key } => {
            console::line(CommandId::derive(actor, idempotency_key));
        }
        Key::Attest(args) => {
            console::line(serde_json::to_string(&attest(&load(&args.file)?, args)?)?);
        }
        Key::ConfirmClock(args) => console::line(confirm_clock(&load(&args.file)?, args)),
    }
    Ok(End::Done)
}

fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verifying_key().to_bytes())
}

/// Makes a key file; its name must be free, so that no key is ever overwritten.
fn create(path: &Path) -> Result<PublicKey> {
    let failed = || format!("could not make the key file {}", path.display());
    if path.try_exists().with_context(failed)? {
        bail!("{}", taken(path));
    }
    let mut seed = [0; 32];
    SysRng.try_fill_bytes(&mut seed).map_err(|error| anyhow!("{}: {error}", failed()))?;
    let key = SigningKey::from_bytes(&seed);
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|e| anyhow!("{}: {e}", failed()))?;
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(0o600).open(path).with_context(failed)?;
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).with_context(failed)?;
    Ok(public_key(&key))
}

/// Which key a file holds that was to be a new one's, and what to do.
fn taken(path: &Path) -> String {
    let shown = path.display();
    match load(path) {
        Ok(key) => format!(
            "{shown} holds a key already, {}; give another name for a new one, or use this one \
             (gx key register {shown})",
            public_key(&key)
        ),
        Err(why) => format!("{shown} is there already ({why}); give another name"),
    }
}

/// Reads a key file that nobody but its owner may read.
fn load(path: &Path) -> Result<SigningKey> {
    // What is wrong with it names the file, and does not quote it.
    Ok(gx_server::load_signing_key(path)?)
}

/// Signs the envelope; a signature that it has already is left out of account.
fn sign(
    key: &SigningKey,
    envelope: &str,
    network: NetworkId,
    expires_at: TimeMs,
) -> Result<Signature> {
    let envelope: Envelope = serde_json::from_str(envelope).context("this is no envelope")?;
    let bytes = envelope.signed_bytes(network, expires_at);
    Ok(Signature { signature: SignatureBytes::from_bytes(key.sign(&bytes).to_bytes()), expires_at })
}

/// The key's word that whoever sets it holds it.
fn prove(key: &SigningKey, args: &ProveArgs) -> SignatureBytes {
    let holder = match (args.attester, args.actor) {
        (Some(id), _) => KeyHolder::Attester(id),
        (None, Some(actor)) => KeyHolder::Actor(actor),
        // The arguments have one of the two.
        (None, None) => KeyHolder::Actor(Actor::System),
    };
    let bytes = key_proof_bytes(args.network, &holder, args.command_id);
    SignatureBytes::from_bytes(key.sign(&bytes).to_bytes())
}

/// An attester's word for a person.
fn attest(key: &SigningKey, args: &AttestArgs) -> Result<Attestation> {
    let AttestArgs { purpose, user_id, identity_hash, age, .. } = *args;
    let country = user_id.layout().context("this is no account of a person")?.country;
    let said = Attested { purpose, user_id, identity_hash, country, age };
    let (attester_id, expires_at) = (args.attester, TimeMs(args.expires_at));
    let bytes = said.signed_bytes(args.network, &attester_id, expires_at);
    let signature = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
    Ok(Attestation { attester_id, signature, expires_at })
}

/// A super admin's word for what the time is.
fn confirm_clock(key: &SigningKey, args: &ClockArgs) -> SignatureBytes {
    let time = TimeMs(args.time.as_millisecond());
    let bytes = clock_confirmation_bytes(args.network, args.command_id, time);
    SignatureBytes::from_bytes(key.sign(&bytes).to_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The page for those who sign, whose example is done again here.
    const PAGE: &str = include_str!("../../../docs/account-keys.md");

    /// The text of the first block with this mark in the worked example.
    fn block(mark: &str) -> &'static str {
        let (_, example) = PAGE.split_once("## Worked example").unwrap();
        let (_, text) = example.split_once(&format!("```{mark}\n")).unwrap();
        text.split_once("```").unwrap().0
    }

    #[test]
    fn a_key_is_made_once_and_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.key");
        let public = create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(public_key(&load(&path).unwrap()), public);
        let taken = create(&path).unwrap_err().to_string();
        assert!(taken.contains(&public.to_string()), "a key file is never overwritten: {taken}");
        assert!(taken.contains("give another name"), "{taken}");
        assert_eq!(public_key(&load(&path).unwrap()), public);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("mode 640"));
        assert!(create(&path).unwrap_err().to_string().contains("mode 640"));
    }

    #[test]
    fn what_is_no_key_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.key");
        fs::write(&path, "secret of another kind").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(!format!("{:#}", load(&path).unwrap_err()).contains("secret"));
    }

    #[test]
    fn the_worked_example_comes_out_as_documented() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my.key");
        let (_, vector) = PAGE.split_once("\nprivate key ").unwrap();
        let digits = vector.split_whitespace().next().unwrap();
        let pairs = digits.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
        let seed: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        let key = SigningKey::from_bytes(&seed.try_into().unwrap());
        fs::write(&path, key.to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let commands = block("sh");
        let (_, rest) = commands.split_once("--expires-at ").unwrap();
        let expires_at = TimeMs(rest.split_whitespace().next().unwrap().parse().unwrap());
        let (_, rest) = commands.split_once("--network ").unwrap();
        let network = rest.split_whitespace().next().unwrap().parse().unwrap();
        let key = load(&path).unwrap();
        assert!(commands.contains(&public_key(&key).to_string()));
        let signature = sign(&key, block("json"), network, expires_at).unwrap();
        let shown = serde_json::to_string(&signature).unwrap();
        assert!(commands.contains(&shown), "{shown}");
    }

    /// What the documentation lists, written out by hand.
    #[test]
    fn a_proof_is_over_the_network_the_admin_and_the_command() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let id = "4YAZD5VRP2BDSKDM0VWW7GWXDQ";
        let args = ProveArgs {
            file: PathBuf::new(),
            actor: Some("admin:root".parse().unwrap()),
            attester: None,
            command_id: id.parse().unwrap(),
            network: NetworkId::Devnet,
        };
        let mut bytes = b"gx/key-proof/1\0".to_vec();
        for part in ["devnet", "admin:root", id] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        let expected = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        assert_eq!(prove(&key, &args), expected);
    }

    /// What the documentation lists, written out by hand.
    #[test]
    fn a_word_for_a_person_is_over_everything_that_is_attested() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let country = "IN".parse().unwrap();
        let user_id = AccountId::from_entropy(country, gx_types::AccountType::Individual, [3; 16]);
        let args = AttestArgs {
            file: PathBuf::new(),
            attester: "clinic".parse().unwrap(),
            purpose: purpose("genesis").unwrap(),
            user_id,
            identity_hash: IdentityHash::from_bytes([0xab; 32]),
            age: 13,
            network: NetworkId::Mainnet,
            expires_at: 1_700_000_000_000,
        };
        assert!(purpose("anything").is_err());
        let mut bytes = b"gx/attestation/1\0".to_vec();
        let hash = "ab".repeat(32);
        for part in ["mainnet", "clinic", "genesis", user_id.as_str(), &hash, "IN"] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(&13_u16.to_le_bytes());
        bytes.extend_from_slice(&1_700_000_000_000_i64.to_le_bytes());
        let signature = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        let (attester_id, expires_at) = (args.attester, TimeMs(args.expires_at));
        let expected = Attestation { attester_id, signature, expires_at };
        assert_eq!(attest(&key, &args).unwrap(), expected);
        let nobody = AttestArgs { user_id: AccountId::treasury(country), ..args };
        assert!(attest(&key, &nobody).is_err());
    }

    /// What the documentation lists, written out by hand.
    #[test]
    fn a_confirmation_is_over_the_network_the_command_and_the_time() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let id = "4YAZD5VRP2BDSKDM0VWW7GWXDQ";
        let args = ClockArgs {
            file: PathBuf::new(),
            time: "2023-11-14T22:13:20Z".parse().unwrap(),
            command_id: id.parse().unwrap(),
            network: NetworkId::Mainnet,
        };
        let mut bytes = b"gx/clock/1\0".to_vec();
        for part in ["mainnet", id] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap().to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(&1_700_000_000_000_i64.to_le_bytes());
        let expected = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        assert_eq!(confirm_clock(&key, &args), expected);
    }
}
