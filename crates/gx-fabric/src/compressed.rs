//! Batches and their records as transactions carry them: JSON, compressed when it is long.
//!
//! Every byte of a transaction is copied, hashed, sent and stored a dozen times by peers and
//! orderers. Short texts stay as they are, for people who read a block.

use std::borrow::Cow;
use std::io::{Error, ErrorKind, Read};

/// Shorter texts are left alone.
const LENGTH_MIN: usize = 4096;

/// What a text may grow to, so that a small transaction cannot fill the memory of a peer's
/// chaincode.
const LENGTH_MAX: u64 = 64 << 20;

/// The fastest level: the endorsing organizations must give the same bytes, so it is part of the
/// contract's version.
const LEVEL: i32 = 1;

/// What a Zstandard frame starts with (RFC 8878, 3.1.1); no JSON text does.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// A text as a transaction carries it.
pub(crate) fn compress(text: Vec<u8>) -> Vec<u8> {
    if text.len() < LENGTH_MIN {
        return text;
    }
    // Without memory for it the text does as well.
    zstd::bulk::compress(&text, LEVEL).unwrap_or(text)
}

/// The text that a transaction carries.
///
/// # Errors
/// When a frame is damaged, or its text is longer than 64 MiB.
pub(crate) fn decompress(carried: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    if !carried.starts_with(&MAGIC) {
        return Ok(Cow::Borrowed(carried));
    }
    let decoder = zstd::stream::read::Decoder::with_buffer(carried)?;
    let mut text = Vec::new();
    decoder.take(LENGTH_MAX.saturating_add(1)).read_to_end(&mut text)?;
    match u64::try_from(text.len()) {
        Ok(length) if length <= LENGTH_MAX => Ok(Cow::Owned(text)),
        _ => Err(Error::new(ErrorKind::FileTooLarge, "the text is longer than 64 MiB")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_stay_as_they_are() {
        let text = vec![b'x'; LENGTH_MIN - 1];
        assert_eq!(compress(text.clone()), text);
        assert_eq!(decompress(&text).unwrap(), text);
    }

    #[test]
    fn long_texts_come_back() {
        let text = "a payment, and another one; ".repeat(1000).into_bytes();
        let carried = compress(text.clone());
        assert!(carried.len() < text.len() / 10, "{}", carried.len());
        assert_eq!(decompress(&carried).unwrap(), text);
        for cut in [4, 5, carried.len() / 2, carried.len() - 1] {
            assert!(decompress(&carried[..cut]).is_err(), "{cut}");
        }
        assert!(decompress(&[carried, b"more".to_vec()].concat()).is_err());
    }

    #[test]
    fn a_text_without_end_is_not_unpacked() {
        let length = usize::try_from(LENGTH_MAX).unwrap();
        let carried = |length| zstd::bulk::compress(&vec![b' '; length], LEVEL).unwrap();
        assert_eq!(decompress(&carried(length)).unwrap().len(), length);
        let error = decompress(&carried(length + 1)).unwrap_err();
        assert_eq!(error.to_string(), "the text is longer than 64 MiB");
    }
}
