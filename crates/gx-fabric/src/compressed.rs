//! Batches and their records as transactions carry them: JSON, compressed when it is long.
//!
//! Every byte of a transaction is copied, hashed, sent and stored a dozen times by peers and
//! orderers. Short texts stay as they are, for people who read a block. A small frame can hold a
//! long text, so the length of what is ordered is bounded when it is made; whoever reads blocks
//! takes more than that, because a valid block can never be taken back.

use std::borrow::Cow;
use std::io::{Error, ErrorKind};

/// Shorter texts are left alone.
const LENGTH_MIN: usize = 4096;

/// The longest text of a batch that the chaincode executes; parsed, it takes some 16 times as much.
pub(crate) const BATCH_MAX: usize = 16 << 20;

/// The longest record that the chaincode lets be ordered.
pub(crate) const RECORD_MAX: usize = 48 << 20;

/// The longest text that is read from a block.
pub(crate) const READ_MAX: usize = 256 << 20;

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

/// Length of the text that a transaction carries.
///
/// # Errors
/// When a frame is damaged or does not say it.
pub(crate) fn length(carried: &[u8]) -> Result<usize, Error> {
    if !carried.starts_with(&MAGIC) {
        return Ok(carried.len());
    }
    let length = zstd::zstd_safe::get_frame_content_size(carried).ok().flatten();
    length.and_then(|length| usize::try_from(length).ok()).ok_or_else(|| {
        Error::new(ErrorKind::InvalidData, "the frame does not name its content's length")
    })
}

/// The text that a transaction carries, unless it is longer than `most` bytes.
///
/// # Errors
/// When a frame is damaged, is followed by anything, does not name the length of its text, or
/// names one above `most`.
pub(crate) fn decompress(carried: &[u8], most: usize) -> Result<Cow<'_, [u8]>, Error> {
    let length = length(carried)?;
    if length > most {
        let reason = format!("its text has {length} bytes, {most} is the most");
        return Err(Error::new(ErrorKind::FileTooLarge, reason));
    }
    if !carried.starts_with(&MAGIC) {
        return Ok(Cow::Borrowed(carried));
    }
    let frame = zstd::zstd_safe::find_frame_compressed_size(carried);
    if frame.ok() != Some(carried.len()) {
        return Err(Error::new(ErrorKind::InvalidData, "the frame is cut, or is not alone"));
    }
    let text = zstd::bulk::decompress(carried, length)?;
    if text.len() != length {
        let reason = "the frame names another length than its text's";
        return Err(Error::new(ErrorKind::InvalidData, reason));
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const MOST: usize = 1 << 20;

    #[test]
    fn short_texts_stay_as_they_are() {
        let text = vec![b'x'; LENGTH_MIN - 1];
        assert_eq!(compress(text.clone()), text);
        assert_eq!(decompress(&text, MOST).unwrap(), text);
    }

    #[test]
    fn long_texts_come_back() {
        let text = "a payment, and another one; ".repeat(1000).into_bytes();
        let carried = compress(text.clone());
        assert!(carried.len() < text.len() / 10, "{}", carried.len());
        assert_eq!(decompress(&carried, MOST).unwrap(), text);
        assert_eq!(length(&carried).unwrap(), text.len());
        for cut in [4, 5, carried.len() / 2, carried.len() - 1] {
            assert!(decompress(&carried[..cut], MOST).is_err(), "{cut}");
        }
        assert!(decompress(&[carried.clone(), b"more".to_vec()].concat(), MOST).is_err());
        let skippable = [0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 7, 7];
        let empty = zstd::bulk::compress(&[], LEVEL).unwrap();
        for more in [carried.as_slice(), &skippable, &empty] {
            let both = [carried.as_slice(), more].concat();
            assert!(decompress(&both, MOST).is_err(), "{more:?}");
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_not_unpacked() {
        let text = vec![b' '; MOST + 1];
        let reason = "its text has 1048577 bytes, 1048576 is the most";
        for carried in [compress(text.clone()), text.clone()] {
            let error = decompress(&carried, MOST).unwrap_err();
            assert_eq!(error.to_string(), reason);
            assert_eq!(decompress(&carried, MOST + 1).unwrap(), text);
        }
        // As a stream is compressed, whose length is not known at its beginning.
        let mut stream = zstd::stream::write::Encoder::new(Vec::new(), LEVEL).unwrap();
        stream.write_all(&text).unwrap();
        let error = decompress(&stream.finish().unwrap(), MOST).unwrap_err();
        assert_eq!(error.to_string(), "the frame does not name its content's length");
    }
}
