//! `gx verify receipt`: whether a receipt is true, by the file alone.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use gx_fabric::receipt::Configuration;
use gx_ledger::PublicKey;
use gx_server::{AnyReceipt, ChannelReceipt, RECEIPT_BYTES_MAX, Receipt, Trust};
use gx_types::with_causes;

use crate::{End, console};

/// How `gx verify receipt` is set.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The receipt, as the server gave it.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The key of the node that must have signed it, 64 hexadecimal digits; `gx ledger info` on the
    /// node shows it. Without it the receipt shows only what the holder of the key in it says.
    #[arg(long, value_name = "KEY")]
    key: Option<PublicKey>,
    /// A configuration of the Fabric channel that is trusted: the hash of its block, 64 hexadecimal
    /// digits, or the file of it that `peer channel fetch config` writes. Once for each of them.
    /// Without it the receipt shows only what whoever made up its channel says.
    #[arg(long, value_name = "HASH|FILE", conflicts_with = "key")]
    channel: Vec<Trusted>,
    /// The contract's name on the Fabric channel.
    #[arg(long, value_name = "NAME", default_value = "gxtv3")]
    chaincode: String,
}

/// A configuration of a channel by its hash, or the file that holds it.
#[derive(Debug, Clone)]
enum Trusted {
    Hash([u8; 32]),
    File(PathBuf),
}

impl FromStr for Trusted {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hash = gx_ledger::Hash::from_str(text);
        Ok(hash.map_or_else(|_| Self::File(text.into()), |hash| Self::Hash(*hash.as_bytes())))
    }
}

impl Trusted {
    fn hash(&self) -> Result<[u8; 32]> {
        match self {
            Self::Hash(hash) => Ok(*hash),
            Self::File(path) => {
                let configuration = Configuration::from_bytes(&read(path)?);
                let configuration = configuration
                    .with_context(|| format!("{} is no configuration block", path.display()))?;
                Ok(configuration.hash())
            }
        }
    }
}

pub(super) fn run(args: &Args) -> Result<End> {
    let path = args.file.display();
    let text = read(&args.file)?;
    let configurations = args.channel.iter().map(Trusted::hash).collect::<Result<_>>()?;
    let trust = Trust { key: args.key, configurations, chaincode: Some(args.chaincode.clone()) };
    match AnyReceipt::check(&text, &trust) {
        Ok(AnyReceipt::Embedded(receipt)) => print(&receipt, args.key.is_some()),
        Ok(AnyReceipt::Channel(receipt)) => print_channel(&receipt, !args.channel.is_empty()),
        Err(fault) => {
            console::line(format_args!("{path} is not a true receipt: {}", with_causes(&fault)));
            return Ok(End::Findings);
        }
    }
    Ok(End::Done)
}

/// No file that claims to be a receipt or a block is read without end.
fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
    let mut bytes = Vec::new();
    let most = RECEIPT_BYTES_MAX as u64;
    file.take(most + 1).read_to_end(&mut bytes).with_context(|| format!("reading {name}"))?;
    if bytes.len() > RECEIPT_BYTES_MAX {
        bail!("{name} is too long for a receipt");
    }
    Ok(bytes)
}

fn print(receipt: &Receipt, is_trusted: bool) {
    let Receipt { network, command_id, function, actor, outcome, block_number, at, .. } = receipt;
    let code = receipt.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    console::line(format_args!("{network}: command {command_id}, {function}, given by {actor}"));
    console::line(format_args!("{outcome}{code} in block {block_number} at {at}"));
    let Receipt { head_number, signer, .. } = receipt;
    console::line(format_args!("Chained to block {head_number}, signed with the key {signer}"));
    if !is_trusted {
        console::line("Hold that key against the one that the operator has published, or give it");
        console::line("with --key: whoever makes up a key can make up a receipt.");
    }
}

fn print_channel(receipt: &ChannelReceipt, is_trusted: bool) {
    let ChannelReceipt { channel, chaincode, command_id, function, actor, .. } = receipt;
    let code = receipt.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    console::line(format_args!(
        "{channel}, {chaincode}: command {command_id}, {function}, given by {actor}"
    ));
    let ChannelReceipt { outcome, block_number, place, at, .. } = receipt;
    console::line(format_args!(
        "{outcome}{code} in block {block_number}, transaction {place}, at {at}"
    ));
    console::line("Signed by enough orderers, and confirmed by enough organizations, of");
    for configuration in &receipt.configurations {
        let (number, hash) = (configuration.number, &configuration.hash);
        console::line(format_args!("the configuration in block {number} with the hash {hash}"));
    }
    if !is_trusted {
        console::line("Hold that hash against the one that the operator has published, or give it");
        console::line("with --channel: whoever makes up a channel can make up a receipt.");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gx_contract::admin::BootstrapSystem;
    use gx_contract::{Batch, Context, Envelope};
    use gx_ledger::{Ledger, NodeKey, Options};
    use gx_types::{Actor, AdminId, BatchId, CommandId, NetworkId, Role, TimeMs};

    use super::*;

    /// The text of a receipt, and the key that signed it.
    fn receipt() -> (Vec<u8>, PublicKey) {
        let folder = tempfile::tempdir().unwrap();
        let key = NodeKey::from_seed([7; 32]);
        let options = Options::new(folder.path().join("ledger"), NetworkId::Devnet, TimeMs(1));
        let ledger = Ledger::create_or_open(options, &key).unwrap();
        let first_super_admin: AdminId = "root".parse().unwrap();
        for number in 1..=2 {
            let envelope = |id: u128| Envelope {
                command_id: CommandId::from_u128(id),
                actor: Actor::System,
                command: BootstrapSystem {
                    first_super_admin,
                    network_id: NetworkId::Devnet,
                    account_id: None,
                    key: None,
                }
                .into(),
                signature: None,
            };
            let commands = vec![envelope(number), envelope(number + 100), envelope(number + 200)];
            let (batch_id, role) = (BatchId::from_u128(number), Role::Admin);
            let batch = Arc::new(Batch { batch_id, role, commands });
            ledger.submit(&batch, Context::embedded(role, TimeMs(5))).unwrap();
        }
        let proof = ledger.prove(1, 1).unwrap().unwrap();
        let receipt = Receipt::of(&proof).unwrap();
        (serde_json::to_vec(&receipt).unwrap(), key.public())
    }

    fn check(text: &[u8], key: Option<PublicKey>) -> Result<Receipt> {
        match AnyReceipt::check(text, &Trust { key, ..Trust::default() })? {
            AnyReceipt::Embedded(receipt) => Ok(*receipt),
            AnyReceipt::Channel(_) => bail!("it is of a channel"),
        }
    }

    #[test]
    fn a_receipt_says_what_its_proof_says() {
        let (text, key) = receipt();
        let receipt = check(&text, Some(key)).unwrap();
        assert_eq!((receipt.block_number, receipt.head_number), (1, 2));
        assert_eq!(receipt.outcome, "refused");
        assert_eq!(receipt.signer, key.to_string());
        // Printed otherwise it is the same receipt.
        let pretty = serde_json::to_vec_pretty(&receipt).unwrap();
        assert!(check(&pretty, None).is_ok());
        let foreign = NodeKey::from_seed([8; 32]).public();
        assert!(check(&text, Some(foreign)).is_err());
        let trust = Trust { configurations: vec![[7; 32]], ..Trust::default() };
        let fault = AnyReceipt::check(&text, &trust).unwrap_err().to_string();
        assert!(fault.contains("it is of an embedded ledger"), "{fault}");
    }

    #[test]
    fn each_altered_byte_is_refused() {
        let (text, _) = receipt();
        for at in 0..text.len() {
            for flip in [1, 0x20, 0x80] {
                let mut altered = text.clone();
                *altered.get_mut(at).unwrap() ^= flip;
                assert!(check(&altered, None).is_err(), "bit {flip} of byte {at}");
            }
            let cut = text.get(..at).unwrap();
            assert!(check(cut, None).is_err(), "cut at {at}");
        }
        let more = [&*text, b"{}"].concat();
        assert!(check(&more, None).is_err());
    }

    #[test]
    fn a_file_is_found_true_or_not() {
        let (text, key) = receipt();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("receipt.json");
        std::fs::write(&file, &text).unwrap();
        let (channel, chaincode) = (Vec::new(), "gxtv3".to_owned());
        let args = |key| Args {
            file: file.clone(),
            key,
            channel: channel.clone(),
            chaincode: chaincode.clone(),
        };
        assert_eq!(run(&args(Some(key))).unwrap(), End::Done);
        assert_eq!(run(&args(None)).unwrap(), End::Done);
        let foreign = NodeKey::from_seed([8; 32]).public();
        assert_eq!(run(&args(Some(foreign))).unwrap(), End::Findings);
        std::fs::write(&file, b"{}").unwrap();
        assert_eq!(run(&args(None)).unwrap(), End::Findings);
        std::fs::remove_file(&file).unwrap();
        assert!(run(&args(None)).is_err());
    }
}
