//! Blocks that are not what they should be are refused, never guessed at.

use gx_fabric::Error;
use gx_fabric::block::Block;
use gx_fabric::proto::{
    ChaincodeActionPayload, ChaincodeId, ChaincodeInvocationSpec, ChaincodeProposalPayload,
    Envelope, Payload, Transaction,
};
use prost::Message;
use sha2::{Digest, Sha256};

use crate::load::Load;
use crate::network::{CHAINCODE, Network, Release};

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

/// Peers take the chaincode from the header; what the invocation names is the client's word.
#[tokio::test]
async fn a_batch_under_the_name_of_another_chaincode_is_read() {
    let mut block = blocks().await.remove(1);
    let settled = Block::read(&block, CHAINCODE).unwrap().settled;
    let data = &mut block.data.as_mut().unwrap().data[0];
    let mut envelope = Envelope::decode(data.as_slice()).unwrap();
    let mut payload = Payload::decode(envelope.payload.as_slice()).unwrap();
    let mut transaction = Transaction::decode(payload.data.as_slice()).unwrap();
    let action = &mut transaction.actions[0].payload;
    let mut invoked = ChaincodeActionPayload::decode(action.as_slice()).unwrap();
    let proposal = &mut invoked.chaincode_proposal_payload;
    let mut proposed = ChaincodeProposalPayload::decode(proposal.as_slice()).unwrap();
    let mut invocation = ChaincodeInvocationSpec::decode(proposed.input.as_slice()).unwrap();
    let spec = invocation.chaincode_spec.as_mut().unwrap();
    spec.chaincode_id = Some(ChaincodeId { name: "other".into(), ..ChaincodeId::default() });
    proposed.input = invocation.encode_to_vec();
    *proposal = proposed.encode_to_vec();
    *action = invoked.encode_to_vec();
    payload.data = transaction.encode_to_vec();
    envelope.payload = payload.encode_to_vec();
    *data = envelope.encode_to_vec();
    let digest = Sha256::digest(data);
    block.header.as_mut().unwrap().data_hash = digest.to_vec();
    assert!(settled.is_some());
    assert_eq!(Block::read(&block, CHAINCODE).unwrap().settled, settled);
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
