//! DER, as far as this crate writes it: signatures and block headers.
//!
//! Reading is left to `x509-cert`, certificates and requests to `rcgen`.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Tag, length and contents, the parts one after the other.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut der = Vec::with_capacity(length.saturating_add(6));
    der.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => der.push(short),
        _ => {
            let bytes = length.to_be_bytes();
            let start = bytes.iter().position(|byte| *byte != 0).unwrap_or_default();
            let digits = bytes.get(start..).unwrap_or_default();
            // A length has eight bytes at most.
            der.push(0x80 | digits.len() as u8);
            der.extend_from_slice(digits);
        }
    }
    parts.iter().for_each(|part| der.extend_from_slice(part));
    der
}

/// A number from its big-endian bytes, not negative.
pub(crate) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0);
    let digits = start.and_then(|start| bytes.get(start..)).unwrap_or(&[0]);
    let pad: &[u8] = if digits.first().is_some_and(|byte| *byte >= 0x80) { &[0] } else { &[] };
    tlv(INTEGER, &[pad, digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_not_negative() {
        let rows: [(&[u8], &[u8]); 5] = [
            (&[], &[2, 1, 0]),
            (&[0, 0], &[2, 1, 0]),
            (&[0, 0x7F], &[2, 1, 0x7F]),
            (&[0x80], &[2, 2, 0, 0x80]),
            (&[1, 0], &[2, 2, 1, 0]),
        ];
        for (bytes, der) in rows {
            assert_eq!(unsigned(bytes), der);
        }
    }

    #[test]
    fn long_contents_have_long_lengths() {
        assert_eq!(tlv(4, &[&[7; 0x7F]])[..2], [4, 0x7F]);
        assert_eq!(tlv(4, &[&[7; 0x80]])[..3], [4, 0x81, 0x80]);
        assert_eq!(tlv(4, &[&[7; 100], &[7; 200]])[..4], [4, 0x82, 1, 44]);
    }
}
