//! Protobuf messages as Fabric's peers read them, for what stands in blocks.
//!
//! A block is valid because peers could read it, and they are written in Go: a known field of
//! another wire type is skipped like an unknown one, groups nest ten thousand deep, and only what
//! is broken is refused. A stricter reader would stop at a block that can never be taken back.
//! <https://protobuf.dev/programming-guides/encoding/>

use std::borrow::Cow;

/// The fields of a message, none of them broken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a>(&'a [u8]);

/// A value that any field read here can have.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// A group or a number of fixed length, which no field read here is.
    Other,
}

impl<'a> Message<'a> {
    /// `None` when peers could not have read it either.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, _, rest) = field(rest)?;
        }
        Some(Self(bytes))
    }

    fn values(self, number: u64) -> impl Iterator<Item = Value<'a>> {
        let mut rest = self.0;
        let fields = std::iter::from_fn(move || {
            let (found, value, after) = field(rest)?;
            rest = after;
            Some((found, value))
        });
        fields.filter_map(move |(found, value)| (found == number).then_some(value))
    }

    /// The texts of a repeated field.
    pub(crate) fn all(self, number: u64) -> impl Iterator<Item = &'a [u8]> {
        self.values(number).filter_map(|value| match value {
            Value::Bytes(bytes) => Some(bytes),
            Value::Number(_) | Value::Other => None,
        })
    }

    /// The bytes of a field; none when it is absent. The last one counts.
    pub(crate) fn bytes(self, number: u64) -> &'a [u8] {
        self.all(number).last().unwrap_or_default()
    }

    pub(crate) fn text(self, number: u64) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(number)).ok()
    }

    /// A number; 0 when it is absent. The last one counts.
    pub(crate) fn number(self, number: u64) -> u64 {
        let numbers = self.values(number).filter_map(|value| match value {
            Value::Number(number) => Some(number),
            Value::Bytes(_) | Value::Other => None,
        });
        numbers.last().unwrap_or_default()
    }

    /// The bytes of an embedded message, `None` when it is absent. Several are one: a message is
    /// merged by putting its parts one after the other.
    pub(crate) fn embedded(self, number: u64) -> Option<Cow<'a, [u8]>> {
        let mut parts = self.all(number);
        let first = parts.next()?;
        let mut merged = Cow::Borrowed(first);
        for part in parts {
            merged.to_mut().extend_from_slice(part);
        }
        Some(merged)
    }
}

/// The first field: its number, its value, and what follows it.
fn field(bytes: &[u8]) -> Option<(u64, Value<'_>, &[u8])> {
    let (number, kind, rest) = tag(bytes)?;
    let (value, rest) = match kind {
        3 => (Value::Other, skip_group(rest)?),
        kind => value(kind, rest)?,
    };
    Some((number, value, rest))
}

fn tag(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (tag, rest) = varint(bytes)?;
    let number = tag >> 3;
    (1..1 << 29).contains(&number).then_some((number, tag & 7, rest))
}

/// A value that is no group.
fn value(kind: u64, bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    match kind {
        0 => varint(bytes).map(|(number, rest)| (Value::Number(number), rest)),
        1 => Some((Value::Other, bytes.get(8..)?)),
        2 => {
            let (length, rest) = varint(bytes)?;
            let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            Some((Value::Bytes(value), rest))
        }
        5 => Some((Value::Other, bytes.get(4..)?)),
        _ => None,
    }
}

/// What follows the end of a group whose beginning has been read.
fn skip_group(mut rest: &[u8]) -> Option<&[u8]> {
    let mut depth = 1_usize;
    while depth > 0 {
        let (_, kind, after) = tag(rest)?;
        rest = match kind {
            3 => {
                depth = depth.checked_add(1)?;
                after
            }
            4 => {
                depth = depth.checked_sub(1)?;
                after
            }
            kind => value(kind, after)?.1,
        };
    }
    Some(rest)
}

fn varint(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        bytes = rest;
        let bits = u64::from(byte & 0x7F);
        let shifted = bits << shift;
        if shifted >> shift != bits {
            return None;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            return Some((number, bytes));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;
    use crate::proto::{ChaincodeInput, ChannelHeader, Header, Payload, Timestamp};

    #[test]
    fn what_a_library_writes_is_read() {
        let timestamp = Some(Timestamp { seconds: 77, nanos: 5 });
        let channel = ChannelHeader {
            r#type: 3,
            timestamp,
            tx_id: "abc".into(),
            extension: vec![9; 300],
            ..ChannelHeader::default()
        };
        let written = channel.encode_to_vec();
        let read = Message::read(&written).unwrap();
        assert_eq!((read.number(1), read.text(5)), (3, Some("abc")));
        assert_eq!(read.bytes(7), [9; 300]);
        let time = read.embedded(3).unwrap();
        assert_eq!(Message::read(&time).unwrap().number(1), 77);
        assert_eq!((read.number(6), read.bytes(8), read.embedded(9)), (0, [].as_slice(), None));
        let args = ChaincodeInput {
            args: vec![b"a".to_vec(), vec![], b"b".to_vec()],
            ..Default::default()
        };
        let args = args.encode_to_vec();
        let read: Vec<&[u8]> = Message::read(&args).unwrap().all(1).collect();
        assert_eq!(read, [b"a".as_slice(), b"", b"b"]);
    }

    #[test]
    fn what_peers_pass_over_is_passed_over() {
        let payload = Payload { header: Some(Header::default()), data: b"data".to_vec() };
        let good = payload.encode_to_vec();
        let nested = [[0x9B, 1].repeat(9_000), [0x9C, 1].repeat(9_000)].concat();
        for more in [
            vec![0x10, 1],                      // data as a number
            vec![0x11, 1, 2, 3, 4, 5, 6, 7, 8], // as eight bytes
            vec![0x15, 1, 2, 3, 4],             // as four
            vec![0x13, 0x0A, 1, b'x', 0x14],    // as a group
            vec![0xFA, 1, 2, b'x', b'y'],       // an unknown field
            nested,                             // unknown groups, one in the other
        ] {
            for bytes in [[good.clone(), more.clone()].concat(), [more, good.clone()].concat()] {
                assert_eq!(Message::read(&bytes).unwrap().bytes(2), b"data");
            }
        }
    }

    #[test]
    fn the_last_value_counts_and_messages_are_merged() {
        let first = Header { channel_header: b"a".to_vec(), signature_header: b"b".to_vec() };
        let second = Header { channel_header: b"c".to_vec(), signature_header: Vec::new() };
        let payload = |header: Header, data: &[u8]| {
            Payload { header: Some(header), data: data.to_vec() }.encode_to_vec()
        };
        let bytes = [payload(first, b"one"), payload(second, b"two")].concat();
        let strict = Payload::decode(bytes.as_slice()).unwrap();
        let read = Message::read(&bytes).unwrap();
        assert_eq!(read.bytes(2), strict.data);
        let header = read.embedded(1).unwrap();
        let header = Message::read(&header).unwrap();
        let expected = strict.header.unwrap();
        assert_eq!(header.bytes(1), expected.channel_header);
        assert_eq!(header.bytes(2), expected.signature_header);
    }

    #[test]
    fn what_is_broken_is_refused() {
        for broken in [
            vec![0x80],
            vec![0],          // a field of number 0
            vec![0x0E],       // a kind that there is not
            vec![0x0C],       // the end of a group that has not begun
            vec![0x0B],       // a group without end
            vec![0x0A, 2, 1], // cut
            vec![0x09, 1, 2, 3],
            vec![0x08],
            vec![0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2],
        ] {
            assert!(Message::read(&broken).is_none(), "{broken:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_the_strict_reader_reads_is_read_the_same(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..24], 0..40),
        ) {
            let read = Message::read(&bytes);
            if let Ok(strict) = Payload::decode(bytes.as_slice()) {
                let read = read.unwrap();
                prop_assert_eq!(read.bytes(2), strict.data);
                prop_assert_eq!(read.embedded(1).is_some(), strict.header.is_some());
            }
        }
    }
}
