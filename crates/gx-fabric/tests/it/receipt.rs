//! Receipts of a channel are checked by nothing but what they carry and the hash of the channel's
//! configuration; whatever is wrong in one is said.

use gx_contract::{Envelope, Outcome};
use gx_fabric::Error;
use gx_fabric::receipt::{Bytes, Configuration, Content, Extent, Fault, Part, Proof, Proven};
use gx_fabric_network::{CHAINCODE, CHANNEL, Network, Release};
use gx_types::{CommandId, Role};
use prost::Message;

use crate::load::Load;

/// A network with payments in the middle of a block, and the command that is shown.
struct Channel {
    network: Network,
    engine: gx_fabric::FabricEngine,
    load: Load,
    block: u64,
    command: Envelope,
}

impl Channel {
    async fn start() -> Self {
        let network = Network::start(Release::V3).await;
        let engine = network.engine();
        let mut load = Load::default();
        engine.submit(&load.foundation()).await.unwrap();
        engine.submit(&load.openings(3)).await.unwrap();
        let batch = load.payments(5, 3);
        let command = batch.commands[2].clone();
        let block = engine.submit(&batch).await.unwrap()[0].block;
        Self { network, engine, load, block, command }
    }

    async fn proof(&self, extent: Extent) -> Proof {
        self.prove(self.block, self.command.command_id, extent).await.unwrap().unwrap()
    }

    async fn prove(
        &self,
        block: u64,
        id: CommandId,
        extent: Extent,
    ) -> Result<Option<Proof>, Error> {
        self.engine.prove(block, id, extent).await
    }

    async fn trusted(&self) -> [u8; 32] {
        self.engine.configuration().await.unwrap().hash()
    }
}

fn fault(proof: &Proof) -> Fault {
    proof.check(&[]).unwrap_err()
}

/// The bytes with one bit changed at a place, as a share of their length in per cent.
fn bent(bytes: &Bytes, at: usize) -> Bytes {
    let mut bytes = bytes.as_slice().to_vec();
    let at = (bytes.len() - 1) * at / 100;
    bytes[at] ^= 1;
    bytes.into()
}

#[tokio::test]
async fn a_command_is_shown_alone_or_with_its_block() {
    let channel = Channel::start().await;
    let trusted = channel.trusted().await;
    for extent in [Extent::Command, Extent::Block] {
        let proof = channel.proof(extent).await;
        let Proven { envelope, outcome, result, block_hash, configurations, .. } =
            proof.check(&[trusted]).unwrap();
        assert_eq!(envelope, channel.command);
        assert!(outcome.applied && outcome.refused.is_none());
        assert_eq!(outcome.body, channel.command.body_hash());
        let block = channel.engine.block(channel.block).await.unwrap().unwrap();
        assert_eq!(block_hash, block.hash);
        assert_eq!(configurations, [(0, trusted)]);
        let settled = block.settled.unwrap();
        match extent {
            Extent::Command => assert_eq!(result, None),
            Extent::Block => assert_eq!(result.as_ref(), settled.record.results.get(2)),
        }
        assert_eq!(outcome.time, settled.record.time);
        // As a file it is the same.
        let text = serde_json::to_string(&proof).unwrap();
        assert_eq!(serde_json::from_str::<Proof>(&text).unwrap(), proof);
        // The other commands of the batch are nobody's business.
        let shows_others = |command: &Envelope| text.contains(&command.command_id.to_string());
        let mut others = settled.batch.commands.iter().filter(|other| **other != envelope);
        assert!(extent == Extent::Block || !others.any(shows_others));
    }
}

#[tokio::test]
async fn a_refusal_is_shown_with_its_reason() {
    let mut channel = Channel::start().await;
    let payment = channel.load.payment(0, 1, u64::MAX >> 2);
    let batch = channel.load.batch(Role::PartnerApi, vec![payment]);
    let block = channel.engine.submit(&batch).await.unwrap()[0].block;
    let id = batch.commands[0].command_id;
    for extent in [Extent::Command, Extent::Block] {
        let proof = channel.prove(block, id, extent).await.unwrap().unwrap();
        let proven = proof.check(&[]).unwrap();
        assert!(!proven.outcome.applied && proven.outcome.refused.is_some());
        if let Some(result) = proven.result {
            assert_eq!(result.outcome, Outcome::Refused(proven.outcome.refused.unwrap()));
        }
    }
    assert_eq!(channel.prove(block, CommandId::from_u128(1), Extent::Block).await.unwrap(), None);
}

#[tokio::test]
async fn the_configuration_has_to_be_the_one_that_is_trusted() {
    let channel = Channel::start().await;
    let proof = channel.proof(Extent::Command).await;
    let (own, foreign) = (channel.trusted().await, Channel::start().await.trusted().await);
    let refused = proof.check(&[foreign]).unwrap_err();
    assert_eq!(refused, Fault::Untrusted { number: 0, hash: own });
    assert!(refused.to_string().contains(&hex::encode(own)), "{refused}");
    assert!(proof.check(&[foreign, own]).is_ok());
    // The file that an operator has of it says the same hash.
    let block = channel.network.shared.ledger.lock().unwrap().blocks[0].clone();
    let read = Configuration::from_bytes(&block.encode_to_vec()).unwrap();
    assert_eq!((read.number(), read.hash(), read.channel()), (0, own, CHANNEL));
    let mut other = block;
    other.data.as_mut().unwrap().data[0].push(0);
    let refused = Configuration::from_bytes(&other.encode_to_vec()).unwrap_err();
    assert!(refused.to_string().contains("not those of its header"), "{refused}");
}

/// Roots of another channel that has the same name: their holders have signed nothing here.
#[tokio::test]
async fn roots_of_another_channel_vouch_for_nothing() {
    let (channel, other) = (Channel::start().await, Channel::start().await);
    let mut proof = channel.proof(Extent::Block).await;
    let foreign = other.proof(Extent::Block).await;
    proof.configurations.clone_from(&foreign.configurations);
    let refused = fault(&proof);
    assert!(matches!(&refused, Fault::UnknownOrderer { at: 0, .. }), "{refused}");
    assert!(refused.to_string().contains("of no authority of the organization"), "{refused}");
    let mut proof = channel.proof(Extent::Command).await;
    proof.question = foreign.question;
    assert!(matches!(fault(&proof), Fault::UnknownEndorser { part: Part::Question, at: 0, .. }));
}

#[tokio::test]
async fn every_change_is_found() {
    let channel = Channel::start().await;
    let trusted = [channel.trusted().await];
    for extent in [Extent::Command, Extent::Block] {
        let good = channel.proof(extent).await;
        let mut checked = 0;
        let mut refuse = |what: &str, change: &dyn Fn(&mut Proof)| {
            let mut proof = good.clone();
            change(&mut proof);
            assert_ne!(proof, good, "{what}");
            assert!(proof.check(&trusted).is_err(), "{what} {extent:?}");
            checked += 1;
        };
        refuse("chaincode", &|proof| proof.chaincode.push('x'));
        refuse("number", &|proof| proof.block.number += 1);
        refuse("place", &|proof| proof.place += 1);
        refuse("configuration's number", &|proof| proof.configurations[0].number += 1);
        for at in (0..=100).step_by(4) {
            let bend = |bytes: &mut Bytes| *bytes = bent(bytes, at);
            refuse("configuration", &|proof| bend(&mut proof.configurations[0].transaction));
            refuse("previous hash", &|proof| bend(&mut proof.block.previous_hash));
            refuse("data hash", &|proof| bend(&mut proof.block.data_hash));
            refuse("metadata", &|proof| bend(&mut proof.block.metadata));
            refuse("signer", &|proof| bend(proof.block.signatures[0].header.as_mut().unwrap()));
            refuse("number of a signer", &|proof| {
                bend(proof.block.signatures[1].identifier.as_mut().unwrap());
            });
            for one in [0, 1] {
                refuse("signature", &|proof| bend(&mut proof.block.signatures[one].signature));
                refuse("endorser", &|proof| bend(&mut proof.question.endorsements[one].endorser));
                refuse("endorsement", &|proof| {
                    bend(&mut proof.question.endorsements[one].signature);
                });
            }
            refuse("channel header", &|proof| bend(&mut proof.question.channel_header));
            refuse("signature header", &|proof| bend(&mut proof.question.signature_header));
            refuse("question", &|proof| bend(&mut proof.question.proposal));
            refuse("answer", &|proof| bend(&mut proof.question.response));
            refuse("content", &|proof| match &mut proof.content {
                Content::Block { transactions, .. } => bend(&mut transactions[0]),
                Content::Command { command } => {
                    let mut bytes = command.clone().into_bytes();
                    let at = (bytes.len() - 1) * at / 100;
                    bytes[at] ^= 1;
                    *command = String::from_utf8(bytes).unwrap();
                }
            });
        }
        assert_eq!(checked, 4 + 26 * 17);
    }
}

#[tokio::test]
async fn a_signature_too_few_is_said() {
    let channel = Channel::start().await;
    for missing in [0, 1] {
        let mut proof = channel.proof(Extent::Block).await;
        proof.block.signatures.remove(missing);
        assert_eq!(fault(&proof), Fault::TooFewOrderers);
        // Who signs twice is one.
        let twice = proof.block.signatures[0].clone();
        proof.block.signatures.push(twice);
        assert_eq!(fault(&proof), Fault::TooFewOrderers);
        let mut proof = channel.proof(Extent::Command).await;
        proof.question.endorsements.remove(missing);
        assert_eq!(fault(&proof), Fault::TooFewEndorsements(Part::Question));
        let twice = proof.question.endorsements[0].clone();
        proof.question.endorsements.push(twice);
        assert_eq!(fault(&proof), Fault::TooFewEndorsements(Part::Question));
        let sentence = fault(&proof).to_string();
        assert!(sentence.starts_with("too few organizations have endorsed the question"));
    }
    let mut proof = channel.proof(Extent::Block).await;
    proof.block.signatures.resize(257, proof.block.signatures[0].clone());
    assert_eq!(fault(&proof), Fault::TooManySignatures(257));
}

#[tokio::test]
async fn another_block_is_refused() {
    let mut channel = Channel::start().await;
    let other = channel.load.payments(5, 3);
    let at = channel.engine.submit(&other).await.unwrap()[0].block;
    let good = channel.proof(Extent::Block).await;
    let id = other.commands[2].command_id;
    let foreign = channel.prove(at, id, Extent::Block).await.unwrap().unwrap();
    let mut proof = good.clone();
    proof.content.clone_from(&foreign.content);
    assert_eq!(fault(&proof), Fault::Data);
    let mut proof = good.clone();
    (proof.block, proof.content) = (foreign.block.clone(), foreign.content);
    assert_eq!(fault(&proof), Fault::OtherQuestion);
    // The outcome was written elsewhere than where the receipt says.
    let mut proof = channel.proof(Extent::Command).await;
    proof.block = foreign.block;
    assert_eq!(fault(&proof), Fault::Elsewhere { block: channel.block, place: 0 });
}

#[tokio::test]
async fn another_command_or_outcome_is_refused() {
    let channel = Channel::start().await;
    let good = channel.proof(Extent::Block).await;
    let mut proof = good.clone();
    if let Content::Block { index, .. } = &mut proof.content {
        *index = 9;
    }
    assert_eq!(fault(&proof), Fault::NoCommand(9));
    if let Content::Block { index, .. } = &mut proof.content {
        *index = 1;
    }
    assert_eq!(fault(&proof), Fault::OtherQuestion);
    let mut proof = channel.proof(Extent::Command).await;
    let Content::Command { command } = &mut proof.content else { panic!() };
    let written = command.clone();
    *command = written.replacen(r#""amount":""#, r#""amount":"1"#, 1);
    assert_ne!(*command, written);
    assert_eq!(fault(&proof), Fault::OtherBody);
    let Content::Command { command } = &mut proof.content else { panic!() };
    *command = format!(" {written}");
    assert!(matches!(fault(&proof), Fault::Command(_)));
    // An answer that was not endorsed.
    let mut proof = good.clone();
    let response = proof.question.response.as_slice();
    let text = br#""applied":true"#;
    let at = response.windows(text.len()).position(|window| window == text).unwrap();
    let swapped = [&response[..at], br#""applied":null"#, &response[at + text.len()..]].concat();
    proof.question.response = swapped.into();
    assert!(matches!(fault(&proof), Fault::Endorsement { part: Part::Question, at: 0, .. }));
    // The question for another command, which is as well endorsed.
    let Content::Block { transactions, .. } = &good.content else { panic!() };
    assert_eq!(transactions.len(), 1);
    let other = gx_contract::smart_contract::GetContractInfo {};
    assert!(channel.engine.query(&other.into()).await.unwrap().is_ok());
}

/// A transaction that peers have found invalid has written no outcome, whatever is said of it.
#[tokio::test]
async fn an_invalid_transaction_settles_nothing() {
    let mut channel = Channel::start().await;
    let batch = channel.load.payments(1, 3);
    let args = vec![b"SmartContract:ExecuteBatch".to_vec(), serde_json::to_vec(&batch).unwrap()];
    let identity = &*channel.engine.identity(Role::PartnerApi).unwrap();
    let gateway = channel.engine.gateway();
    let first = gateway.endorse(identity, CHAINCODE, args.clone(), &[]).await.unwrap();
    let second = gateway.endorse(identity, CHAINCODE, args, &[]).await.unwrap();
    for prepared in [&first, &second] {
        gateway.submit(prepared).await.unwrap();
    }
    let tip = channel.engine.tip().await.unwrap().number;
    assert_eq!(channel.network.codes().last(), Some(&11));
    let id = batch.commands[0].command_id;
    assert!(channel.prove(tip, id, Extent::Block).await.unwrap().is_none());
    let valid = channel.prove(tip - 1, id, Extent::Block).await.unwrap().unwrap();
    assert!(valid.check(&[]).is_ok());
    // The same command in the block whose transaction does not count, under its own signatures.
    let filter = |code| {
        let blocks = &mut channel.network.shared.ledger.lock().unwrap().blocks;
        let block = &mut blocks[usize::try_from(tip).unwrap()];
        block.metadata.as_mut().unwrap().metadata[2] = vec![code];
    };
    filter(0);
    let forged = channel.prove(tip, id, Extent::Block).await.unwrap_err();
    assert!(
        matches!(&forged, Error::NoReceipt(fault)
        if matches!(**fault, Fault::Elsewhere { block, place: 0 } if block == tip - 1)),
        "{forged}"
    );
    let mut proof = valid;
    let Content::Block { validation_code, .. } = &mut proof.content else { panic!() };
    *validation_code = 11;
    let refused = fault(&proof).to_string();
    assert!(refused.contains("found invalid") && refused.contains("MVCC_READ_CONFLICT"));
}

#[tokio::test]
async fn a_changed_configuration_is_shown_beside_the_first() {
    let channel = Channel::start().await;
    let before = channel.trusted().await;
    channel.network.shared.ledger.lock().unwrap().reconfigure();
    let mut load = Load::starting_at(1 << 40);
    channel.engine.submit(&load.payments(1, 3)).await.unwrap();
    let proof = channel.proof(Extent::Command).await;
    let numbers: Vec<u64> = proof.configurations.iter().map(|block| block.number).collect();
    assert_eq!(numbers, [0, channel.block + 1]);
    let after = proof.check(&[]).unwrap().configurations[1].1;
    assert!(proof.check(&[before, after]).is_ok());
    let refused = proof.check(&[before]).unwrap_err();
    assert_eq!(refused, Fault::Untrusted { number: channel.block + 1, hash: after });
    let mut swapped = proof.clone();
    swapped.configurations.remove(0);
    let named = Fault::OtherConfiguration { named: 0, shown: channel.block + 1 };
    assert_eq!(fault(&swapped), named);
    let mut swapped = proof.clone();
    swapped.configurations.swap(0, 1);
    assert!(matches!(fault(&swapped), Fault::EarlierConfiguration { .. }));
    let mut none = proof;
    none.configurations.clear();
    assert_eq!(fault(&none), Fault::Configurations(0));
}

#[tokio::test]
async fn a_receipt_has_a_bound() {
    let channel = Channel::start().await;
    let alone = serde_json::to_vec(&channel.proof(Extent::Command).await).unwrap();
    assert!(alone.len() < 32 << 10, "{} bytes", alone.len());
    let mut proof = channel.proof(Extent::Block).await;
    let Content::Block { transactions, .. } = &mut proof.content else { panic!() };
    transactions.push(vec![0; 10 << 20].into());
    assert_eq!(fault(&proof), Fault::TooLong);
    let mut proof = channel.proof(Extent::Command).await;
    proof.configurations[0].transaction = vec![0; (512 << 10) + 1].into();
    assert!(fault(&proof).to_string().contains("it is too long"));
}
