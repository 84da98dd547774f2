//! How peers store a record: its JSON text, with what repeats in every record written short.
//!
//! A peer writes every stored byte again and again: with the block, and at each compaction of its
//! database, which bounds how many transfers a network settles. A general compressor gains little
//! on texts of a hundred bytes. What is packed here unpacks to the very same text, whatever the
//! text; the bytes are part of every ledger, so phrases are only ever added at the end.

use std::borrow::Cow;

use gx_types::CommandId;

/// The first byte of everything packed; no JSON text starts with it.
const PACKED: u8 = 1;
/// A decimal number follows, seven bits a byte, the lowest first.
const NUMBER: u8 = 2;
/// A length and so many bytes follow, for lower-case hexadecimal digits.
const HEX: u8 = 3;
/// The 16 bytes of an id of 26 characters follow.
const ID: u8 = 4;
/// The first phrase; everything between is itself.
const FIRST_PHRASE: u8 = 0x80;

/// Shorter numbers are not shorter when packed.
const NUMBER_LENGTH_MIN: usize = 3;
const HEX_LENGTH_MIN: usize = 8;

/// What stands in many records.
const PHRASES: &[&str] = &[
    r#"{"v":1,"kind":"USER","accountType":""#,
    r#"{"v":1,"kind":"ORGANIZATION","accountType":""#,
    r#"{"v":1,"kind":"POOL","accountType":""#,
    r#"{"v":1,"kind":"TREASURY","accountType":""#,
    r#"","country":""#,
    r#"","balance":""#,
    r#"","taxTimer":"#,
    r#"","keyed":true"#,
    r#","taxTimer":"#,
    r#","taxExempt":true"#,
    r#","frozen":[""#,
    r#","status":""#,
    r#"{"v":1,"body":""#,
    r#"","batchId":""#,
    r#"","time":"#,
    r#","refused":{"code":""#,
    r#"","detail":""#,
    r#"{"v":1,"identityHash":""#,
    r#"","createdAt":"#,
    r#","genesis":{"Granted":{"phase":"#,
    r#","amount":""#,
    r#"","trustScore":"#,
    r#","trustScore":"#,
    r#"{"v":1,"userId":""#,
    r#"{"v":1,""#,
    r#"":{""#,
    r#"":[""#,
    r#"":""#,
    r#"":"#,
    r#"",""#,
    r#"":true"#,
    r#"":false"#,
    r#""},{""#,
    r#""],""#,
    r#""}"#,
    r#"},""#,
    r#","custodian":"#,
    r#"","custodian":"#,
];

/// A stored value that no build has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value on the ledger is damaged, or is of a later build")]
pub struct Damaged;

/// The text, packed; itself when it holds anything but printable ASCII.
pub fn pack(text: Vec<u8>) -> Vec<u8> {
    if !text.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return text;
    }
    let mut packed = Vec::with_capacity(64);
    packed.push(PACKED);
    let mut rest = text.as_slice();
    while let Some((first, following)) = rest.split_first() {
        if let Some((token, after)) = phrase(rest) {
            packed.push(token);
            rest = after;
            continue;
        }
        let run = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        match rest.split_at_checked(run) {
            Some((run, after)) if !run.is_empty() => {
                pack_run(run, &mut packed);
                rest = after;
            }
            _ => {
                packed.push(*first);
                rest = following;
            }
        }
    }
    packed
}

/// The longest phrase that the text starts with, and what follows it.
fn phrase(text: &[u8]) -> Option<(u8, &[u8])> {
    // Compared first, without a call: nearly every place of a text starts no phrase.
    let head = text.first_chunk::<2>()?;
    let candidates = PHRASES.iter().map(|phrase| phrase.as_bytes()).zip(FIRST_PHRASE..);
    let found = candidates
        .filter(|(phrase, _)| phrase.first_chunk() == Some(head))
        .filter_map(|(phrase, token)| Some((token, text.strip_prefix(phrase)?)));
    found.min_by_key(|(_, after)| after.len())
}

/// Appends letters and digits that stand together, in their shortest form.
fn pack_run(run: &[u8], packed: &mut Vec<u8>) {
    let text = std::str::from_utf8(run).unwrap_or_default();
    if let Some(number) = number(text) {
        packed.push(NUMBER);
        let mut rest = number;
        while rest > 0x7F {
            packed.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        packed.push(rest as u8);
    } else if let Some(bytes) = hex_bytes(run) {
        packed.push(HEX);
        packed.push(bytes.len() as u8);
        packed.extend_from_slice(&bytes);
    } else if let Some(id) = text.parse::<CommandId>().ok().filter(|id| *id.as_str() == *text) {
        packed.push(ID);
        id.words().iter().for_each(|word| packed.extend_from_slice(&word.to_be_bytes()));
    } else {
        packed.extend_from_slice(run);
    }
}

/// A number whose only text is this one.
fn number(text: &str) -> Option<u64> {
    let canonical = text.len() >= NUMBER_LENGTH_MIN && !text.starts_with('0');
    text.parse().ok().filter(|_| canonical)
}

fn hex_bytes(run: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    };
    let fits = run.len() >= HEX_LENGTH_MIN
        && run.len().is_multiple_of(2)
        && run.len() <= 2 * usize::from(u8::MAX);
    if !fits {
        return None;
    }
    run.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// The text that was packed; a text that was not is itself.
///
/// # Errors
/// [`Damaged`] when the bytes are nothing that [`pack`] gives.
pub fn unpack(stored: &[u8]) -> Result<Cow<'_, [u8]>, Damaged> {
    let Some(mut rest) = stored.strip_prefix(&[PACKED]) else {
        return Ok(Cow::Borrowed(stored));
    };
    let mut text = Vec::with_capacity(128);
    while let Some((first, after)) = rest.split_first() {
        rest = match *first {
            NUMBER => unpack_number(after, &mut text)?,
            HEX => {
                let (length, after) = after.split_first().ok_or(Damaged)?;
                let (bytes, after) = after.split_at_checked((*length).into()).ok_or(Damaged)?;
                let digit = |value: u8| char::from_digit(value.into(), 16).map(|c| c as u8);
                text.extend(bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).flatten());
                after
            }
            ID => {
                let (bytes, after) = after.split_first_chunk().ok_or(Damaged)?;
                let id = CommandId::from_u128(u128::from_be_bytes(*bytes));
                text.extend_from_slice(id.as_str().as_bytes());
                after
            }
            b' '..=b'~' => {
                text.push(*first);
                after
            }
            token => {
                let index = token.checked_sub(FIRST_PHRASE).ok_or(Damaged)?;
                let phrase = PHRASES.get(usize::from(index)).ok_or(Damaged)?;
                text.extend_from_slice(phrase.as_bytes());
                after
            }
        };
    }
    Ok(Cow::Owned(text))
}

fn unpack_number<'a>(packed: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], Damaged> {
    let (mut number, mut rest) = (0_u64, packed);
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(Damaged)?;
        rest = after;
        let bits = u64::from(byte & 0x7F);
        let shifted = bits << shift;
        if shifted >> shift != bits {
            return Err(Damaged);
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            text.extend_from_slice(number.to_string().as_bytes());
            return Ok(rest);
        }
    }
    Err(Damaged)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn of_crates(path: &str) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "..", path].iter().collect()
    }

    /// The text of every kind of record, as the contract's own golden files have it.
    fn records() -> Vec<String> {
        let files = fs::read_dir(of_crates("gx-contract/golden/records")).unwrap();
        let mut texts: Vec<String> = files
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap().trim_end().to_owned())
            .collect();
        texts.sort();
        texts
    }

    /// What was once packed unpacks for ever: lines are added to the file, and none is changed.
    #[test]
    fn records_are_packed_as_the_golden_file_has_them() {
        let path = of_crates("gx-fabric/golden/packed.txt");
        let mut golden = fs::read_to_string(&path).unwrap_or_default();
        if std::env::var("GX_UPDATE_GOLDEN").is_ok_and(|value| value == "1") {
            for text in records() {
                let line = format!("{} {text}\n", hex::encode(pack(text.clone().into_bytes())));
                if !golden.contains(&line) {
                    golden += &line;
                }
            }
            fs::write(&path, &golden).unwrap();
        }
        let lines: Vec<_> = golden.lines().map(|line| line.split_once(' ').unwrap()).collect();
        for (packed, text) in &lines {
            assert_eq!(unpack(&hex::decode(packed).unwrap()).unwrap(), text.as_bytes(), "{text}");
        }
        for text in records() {
            let packed = hex::encode(pack(text.clone().into_bytes()));
            let known = lines.contains(&(&packed, &text));
            assert!(known, "no line has {packed} {text}; GX_UPDATE_GOLDEN=1 adds it");
        }
    }

    #[test]
    fn the_records_of_a_payment_are_short() {
        let account = r#"{"v":1,"kind":"USER","accountType":"0","country":"IN","#.to_owned()
            + r#""balance":"562280000","taxTimer":1795286697135}"#;
        let outcome = r#"{"v":1,"body":"35fbacc94166e27ac8cd40099e815c6c","#.to_owned()
            + r#""batchId":"487M5KVRWZ1WJ1Y920Q7AAR29R","time":1795286858730}"#;
        for (text, most) in [(account, 24), (outcome, 50)] {
            let packed = pack(text.clone().into_bytes());
            assert!(packed.len() <= most, "{} bytes: {text}", packed.len());
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            proptest::sample::select(PHRASES.to_vec()).prop_map(str::to_owned),
            any::<u64>().prop_map(|number| number.to_string()),
            any::<u128>().prop_map(|id| CommandId::from_u128(id).as_str().to_string()),
            "[0-9a-f]{0,40}",
            "[0-9A-Za-z]{0,30}",
            "0[0-9]{0,25}",
            "[ -~]{0,10}",
            ".{0,2}",
        ];
        proptest::collection::vec(part, 0..12).prop_map(|parts| format!("{{{}", parts.concat()))
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in texts()) {
            let packed = pack(text.clone().into_bytes());
            prop_assert_eq!(unpack(&packed).unwrap(), text.as_bytes());
        }

        #[test]
        fn nothing_that_is_read_panics(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..5], 0..40),
        ) {
            let packed = [&[PACKED], bytes.as_slice()].concat();
            if let Ok(text) = unpack(&packed) {
                prop_assert!(text.iter().all(|byte| (b' '..=b'~').contains(byte)));
            }
        }
    }

    #[test]
    fn what_is_cut_or_unknown_is_damaged() {
        let number = |bytes: &[u8]| [&[PACKED, NUMBER], bytes].concat();
        let rows = [
            number(&[]),
            number(&[0x80]),
            number(&[0xFF; 9]),
            number(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2]),
            number(&[0x80; 11]),
            vec![PACKED, HEX],
            vec![PACKED, HEX, 2, 7],
            vec![PACKED, ID, 1, 2, 3],
            vec![PACKED, 0],
            vec![PACKED, 5],
            vec![PACKED, 0x7F],
            vec![PACKED, 0xFF],
        ];
        for packed in rows {
            assert_eq!(unpack(&packed), Err(Damaged), "{packed:?}");
        }
        let most = number(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1]);
        assert_eq!(unpack(&most).unwrap(), u64::MAX.to_string().as_bytes());
    }
}
