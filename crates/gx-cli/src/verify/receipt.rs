//! `gx verify receipt`: whether a receipt is true, by the file alone.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use gx_ledger::PublicKey;
use gx_server::Receipt;
use gx_types::with_causes;

use crate::{End, console};

/// A receipt is a few kilobytes, and no file that claims to be one is read without end.
const BYTES_MAX: u64 = 16 << 20;

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
}

pub(super) fn run(args: &Args) -> Result<End> {
    let path = args.file.display();
    let file = File::open(&args.file).with_context(|| format!("cannot read {path}"))?;
    let mut text = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut text).with_context(|| format!("reading {path}"))?;
    if text.len() as u64 > BYTES_MAX {
        bail!("{path} is too long for a receipt");
    }
    match Receipt::check(&text, args.key) {
        Ok(receipt) => {
            print(&receipt, args.key.is_some());
            Ok(End::Done)
        }
        Err(fault) => {
            console::line(format_args!("{path} is not a true receipt: {}", with_causes(&fault)));
            Ok(End::Findings)
        }
    }
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

    #[test]
    fn a_receipt_says_what_its_proof_says() {
        let (text, key) = receipt();
        let receipt = Receipt::check(&text, Some(key)).unwrap();
        assert_eq!((receipt.block_number, receipt.head_number), (1, 2));
        assert_eq!(receipt.outcome, "refused");
        assert_eq!(receipt.signer, key.to_string());
        // Printed otherwise it is the same receipt.
        let pretty = serde_json::to_vec_pretty(&receipt).unwrap();
        assert!(Receipt::check(&pretty, None).is_ok());
        let foreign = NodeKey::from_seed([8; 32]).public();
        assert!(Receipt::check(&text, Some(foreign)).is_err());
    }

    #[test]
    fn each_altered_byte_is_refused() {
        let (text, _) = receipt();
        for at in 0..text.len() {
            for flip in [1, 0x20, 0x80] {
                let mut altered = text.clone();
                *altered.get_mut(at).unwrap() ^= flip;
                assert!(Receipt::check(&altered, None).is_err(), "bit {flip} of byte {at}");
            }
            let cut = text.get(..at).unwrap();
            assert!(Receipt::check(cut, None).is_err(), "cut at {at}");
        }
        let more = [&*text, b"{}"].concat();
        assert!(Receipt::check(&more, None).is_err());
    }

    #[test]
    fn a_file_is_found_true_or_not() {
        let (text, key) = receipt();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("receipt.json");
        std::fs::write(&file, &text).unwrap();
        let args = |key| Args { file: file.clone(), key };
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
