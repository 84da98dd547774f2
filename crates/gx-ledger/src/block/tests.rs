//! The notation of blocks never changes: what was once signed must be read for ever.

use super::*;
use crate::key::NodeKey;

fn key() -> NodeKey {
    NodeKey::from_seed([7; 32])
}

fn origin() -> Origin {
    let created_at = TimeMs(1_790_000_000_000);
    Origin { network: NetworkId::Devnet, created_at, node: key().public() }
}

fn block() -> Block {
    block_in(Notation::NEWEST)
}

/// A block of texts that no contract would write: the notation does not depend on any.
fn block_in(notation: Notation) -> Block {
    let section = |texts: [&str; 2]| {
        let mut section = Vec::new();
        texts.iter().for_each(|text| put_bytes(&mut section, text.as_bytes()));
        section
    };
    let commands = section([r#"{"command":1}"#, r#"{"command":"two"}"#]);
    let outcomes = section([r#"{"outcome":1}"#, "{}"]);
    let writes = [("a/one", "1"), ("s/clock", "{}")]
        .map(|(key, value)| Write { key: key.to_owned(), value: value.as_bytes().to_vec() });
    let header = Header {
        notation,
        network: NetworkId::Devnet,
        number: 1,
        previous: origin().hash(),
        time: TimeMs(1_790_000_000_123),
        submitter: Role::PartnerApi,
        role: Role::Admin,
        batch_id: BatchId::from_u128(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF),
        commands: 2,
        commands_hash: notation.hash(&commands).unwrap(),
        outcomes_hash: notation.hash(&outcomes).unwrap(),
        state_digest: state_digest(&digest_before_all(), &writes),
        signer: key().public(),
    };
    let hash = header.hash();
    let sealed = Sealed { header, hash, signature: key().sign(&hash) };
    Block::new(sealed, Body::from_sections(commands, &outcomes))
}

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    let lines = hexadecimal.split_ascii_whitespace();
    lines.flat_map(|line| hex::decode(line).unwrap()).collect()
}

#[test]
fn the_notations_are_golden() {
    for (notation, golden) in [
        (Notation::Whole, include_str!("golden/block.hex")),
        (Notation::Trees, include_str!("golden/block2.hex")),
    ] {
        let (golden, block) = (bytes_of(golden), block_in(notation));
        let found = block.to_bytes();
        let lines: Vec<String> = found.chunks(32).map(hex::encode).collect();
        assert_eq!(found, golden, "found\n{}", lines.join("\n"));
        let read = Block::from_bytes(&golden).unwrap();
        assert_eq!(read.sealed(), block.sealed());
        assert_eq!(read.check(&key().public()), Ok(()));
    }
}

#[test]
fn the_hashes_are_golden() {
    let (origin, block) = (origin().hash().to_string(), block());
    assert_eq!(origin, "50dcb5902f494a6de21ed7669dd38043589386a2fd03ce61ea1397a25810c608");
    assert_eq!(
        digest_before_all().to_string(),
        "5e1df8665bb41de16c6fc54535eea5658e44bd11f6acf9ff7c96fe28336c0b5c"
    );
    assert_eq!(
        block.header().state_digest.to_string(),
        "b9b17df2a1816f65a248aba46e9b5dfb291cf5d153399593c08633c8e07be05d"
    );
    for (notation, hash) in [
        (Notation::Whole, "36ec4d5ee8c95149fc6030ac8322712f5a01404ba6cf29045bd45729939b9764"),
        (Notation::Trees, "49a7b8227ed176ae6747c644fc63aef4171e207896533e7b4f95ffa118ca20e9"),
    ] {
        assert_eq!(block_in(notation).hash().to_string(), hash);
    }
}

#[test]
fn every_byte_of_a_block_is_covered() {
    let bytes = block().to_bytes();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let good = Block::from_bytes(&altered).is_ok_and(|block| {
            block.check(&key().public()).is_ok() && block.hash() == self::block().hash()
        });
        assert!(!good, "byte {at}");
        assert!(Block::from_bytes(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(matches!(Block::from_bytes(&[&*bytes, &[0]].concat()), Err(Malformed::Long)));
}

#[test]
fn one_entry_is_the_one_of_its_place() {
    let commands = r#"{"commandId":"00000000000000000000000001","actor":"system","command":
        {"AdminContract:ResumeSystem":{}}}"#;
    let outcome = r#"{"commandId":"00000000000000000000000001","applied":[]}"#;
    let mut block = block();
    let mut section = Vec::new();
    put_bytes(&mut section, b"unreadable");
    let mut body = section.clone();
    put_bytes(&mut body, commands.as_bytes());
    put_bytes(&mut section, outcome.as_bytes());
    block.body = Body::from_sections(body, &section);
    let (envelope, result) = block.entry(1).unwrap();
    assert_eq!(envelope.command_id, result.command_id);
    assert!(matches!(block.entry(0), Err(Fault::Commands(_))));
    assert!(matches!(block.entry(2), Err(Fault::Malformed(Malformed::Short))));
    assert!(matches!(block.batch(), Err(Fault::Commands(_))));
    assert!(matches!(block.record(), Err(Fault::Outcomes(_))));
}
