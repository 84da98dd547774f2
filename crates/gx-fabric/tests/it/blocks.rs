//! Blocks that are not what they should be are refused, never guessed at.

use gx_fabric::Error;
use gx_fabric::block::Block;
use gx_fabric::proto::{
    self, ChaincodeActionPayload, ChaincodeId, ChaincodeInvocationSpec, ChaincodeProposalPayload,
    ChannelHeader, Envelope, Payload, Transaction,
};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::load::Load;
use gx_fabric_network::{CHAINCODE, Network, Release};

async fn blocks() -> Vec<gx_fabric::proto::Block> {
    let network = Network::start(Release::V3).await;
    let engine = network.engine();
    let mut load = Load::default();
    engine.submit(&load.foundation()).await.unwrap();
    engine.submit(&load.openings(2)).await.unwrap();
    network.shared.ledger.lock().unwrap().blocks.clone()
}

#[tokio::test]
async fn altered_data_are_found() {
    let mut block = blocks().await.remove(1);
    let data = &mut block.data.as_mut().unwrap().data[0];
    *data.last_mut().unwrap() ^= 1;
    let error = Block::read(&block, CHAINCODE).unwrap_err();
    assert!(matches!(error, Error::Block { number: 1, .. }), "{error}");
}

#[tokio::test]
async fn invalid_transactions_and_other_chaincodes_settle_nothing() {
    let mut block = blocks().await.remove(1);
    assert!(Block::read(&block, CHAINCODE).unwrap().settled.is_some());
    assert_eq!(Block::read(&block, "other").unwrap().settled, None);
    block.metadata.as_mut().unwrap().metadata[2] = vec![11];
    assert_eq!(Block::read(&block, CHAINCODE).unwrap().settled, None);
    block.metadata = None;
    assert_eq!(Block::read(&block, CHAINCODE).unwrap().settled, None);
}

/// A block whose one transaction is changed by its creator, as peers would have taken it too.
fn remade(block: &proto::Block, change: impl FnOnce(&mut Parts)) -> proto::Block {
    let mut block = block.clone();
    let data = &mut block.data.as_mut().unwrap().data[0];
    let mut parts = Parts::read(data);
    change(&mut parts);
    *data = parts.write();
    block.header.as_mut().unwrap().data_hash = Sha256::digest(data).to_vec();
    block
}

/// The messages of a transaction from the outside in, and bytes to add to each.
struct Parts {
    envelope: Envelope,
    payload: Payload,
    channel: ChannelHeader,
    transaction: Transaction,
    action: ChaincodeActionPayload,
    proposed: ChaincodeProposalPayload,
    invocation: ChaincodeInvocationSpec,
    more: [Vec<u8>; 6],
}

impl Parts {
    fn read(data: &[u8]) -> Self {
        let envelope = Envelope::decode(data).unwrap();
        let payload = Payload::decode(envelope.payload.as_slice()).unwrap();
        let header = payload.header.as_ref().unwrap();
        let channel = ChannelHeader::decode(header.channel_header.as_slice()).unwrap();
        let transaction = Transaction::decode(payload.data.as_slice()).unwrap();
        let action = transaction.actions[0].payload.as_slice();
        let action = ChaincodeActionPayload::decode(action).unwrap();
        let proposal = action.chaincode_proposal_payload.as_slice();
        let proposed = ChaincodeProposalPayload::decode(proposal).unwrap();
        let invocation = ChaincodeInvocationSpec::decode(proposed.input.as_slice()).unwrap();
        let more = Default::default();
        Self { envelope, payload, channel, transaction, action, proposed, invocation, more }
    }

    fn write(mut self) -> Vec<u8> {
        let [envelope, payload, extension, transaction, invocation, spec] = self.more;
        let mut written = self.invocation.encode_to_vec();
        if !spec.is_empty() {
            // Merged into the one before it.
            written.push(0x0A);
            prost::encoding::encode_varint(spec.len() as u64, &mut written);
            written.extend(spec);
        }
        self.proposed.input = [written, invocation].concat();
        self.action.chaincode_proposal_payload = self.proposed.encode_to_vec();
        self.transaction.actions[0].payload = self.action.encode_to_vec();
        self.channel.extension.extend(extension);
        self.payload.data = [self.transaction.encode_to_vec(), transaction].concat();
        let header = self.payload.header.as_mut().unwrap();
        header.channel_header = self.channel.encode_to_vec();
        self.envelope.payload = [self.payload.encode_to_vec(), payload].concat();
        [self.envelope.encode_to_vec(), envelope].concat()
    }
}

/// Peers take the chaincode from the header; what the invocation names is the client's word.
#[tokio::test]
async fn a_batch_under_the_name_of_another_chaincode_is_read() {
    let block = blocks().await.remove(1);
    let settled = Block::read(&block, CHAINCODE).unwrap().settled;
    assert!(settled.is_some());
    let renamed = remade(&block, |parts| {
        let spec = parts.invocation.chaincode_spec.as_mut().unwrap();
        spec.chaincode_id = Some(ChaincodeId { name: "other".into(), ..ChaincodeId::default() });
    });
    assert_eq!(Block::read(&renamed, CHAINCODE).unwrap().settled, settled);
}

/// Peers pass over known fields of another kind, and over deeply nested unknown ones. A client can
/// write both, and what peers then take for valid has changed their state.
#[tokio::test]
async fn whatever_peers_pass_over_hides_no_batch() {
    let block = blocks().await.remove(1);
    let settled = Block::read(&block, CHAINCODE).unwrap().settled;
    let nested = [[0x9B, 1].repeat(150), [0x9C, 1].repeat(150)].concat();
    for part in 0..6 {
        for more in [vec![0x08, 1], vec![0x10, 1], nested.clone()] {
            let same = remade(&block, |parts| parts.more[part].clone_from(&more));
            assert_ne!(same, block);
            assert_eq!(Block::read(&same, CHAINCODE).unwrap().settled, settled, "{part} {more:?}");
        }
    }
}

#[tokio::test]
async fn a_valid_transaction_that_cannot_be_read_is_no_empty_block() {
    let block = blocks().await.remove(1);
    for part in [0, 1, 3] {
        let broken = remade(&block, |parts| parts.more[part] = vec![0x0E]);
        let error = Block::read(&broken, CHAINCODE).unwrap_err();
        assert!(error.to_string().contains("a valid transaction cannot be read"), "{error}");
        let mut invalid = broken;
        invalid.metadata.as_mut().unwrap().metadata[2] = vec![2];
        assert_eq!(Block::read(&invalid, CHAINCODE).unwrap().settled, None);
    }
}

#[tokio::test]
async fn two_valid_batches_in_a_block_are_refused() {
    let (mut first, second) = {
        let mut blocks = blocks().await;
        (blocks.remove(1), blocks.remove(1))
    };
    let data = first.data.as_mut().unwrap();
    data.data.extend(second.data.unwrap().data);
    let mut hash = Sha256::new();
    data.data.iter().for_each(|envelope| hash.update(envelope));
    first.header.as_mut().unwrap().data_hash = hash.finalize().to_vec();
    first.metadata.as_mut().unwrap().metadata[2] = vec![0, 0];
    let error = Block::read(&first, CHAINCODE).unwrap_err().to_string();
    assert!(error.contains("two valid batches"), "{error}");
}
