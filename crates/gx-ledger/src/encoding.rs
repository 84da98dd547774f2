//! The binary notation of everything that is hashed or stored: fixed-width little-endian integers
//! and texts preceded by their length. Explicit, so that no library decides what is signed.

/// Bytes that are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it ends too early")]
    Short,
    #[error("it goes on after its end")]
    Long,
    #[error("its {0} cannot be read")]
    Field(&'static str),
    #[error("it has format version {0}, which this build does not know")]
    Version(u8),
}

pub(crate) fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// A length of 32 bits and the bytes. Nothing that the ledger writes comes near four gigabytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_u32(out, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    out.extend_from_slice(bytes);
}

/// Appends what `write` appends, preceded by its length.
pub(crate) fn put_with<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let start = out.len();
    put_u32(out, 0);
    write(out)?;
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX).to_le_bytes();
    out.iter_mut().skip(start).zip(length).for_each(|(to, from)| *to = from);
    Ok(())
}

/// Reads the notation from the front of a slice.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(Malformed::Short)?;
        self.0 = tail;
        Ok(head)
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, tail) = self.0.split_first_chunk().ok_or(Malformed::Short)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| Malformed::Short)?)
    }

    /// A text that `what` names for the reader of the error.
    pub(crate) fn text<T: std::str::FromStr>(
        &mut self,
        what: &'static str,
    ) -> Result<T, Malformed> {
        let text = std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::Field(what))?;
        text.parse().map_err(|_| Malformed::Field(what))
    }

    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read() {
        let mut out = Vec::new();
        put_u32(&mut out, 7);
        put_u64(&mut out, u64::MAX);
        put_i64(&mut out, -1);
        put_bytes(&mut out, b"devnet");
        put_with(&mut out, |out| {
            out.push(9);
            Ok::<(), ()>(())
        })
        .unwrap();
        let mut reader = Reader::new(&out);
        assert_eq!(reader.u32(), Ok(7));
        assert_eq!(reader.u64(), Ok(u64::MAX));
        assert_eq!(reader.i64(), Ok(-1));
        assert_eq!(reader.clone().text::<String>("name"), Ok("devnet".to_owned()));
        assert_eq!(reader.text::<u8>("number"), Err(Malformed::Field("number")));
        assert_eq!(reader.clone().end(), Err(Malformed::Long));
        assert_eq!(reader.bytes(), Ok(&[9][..]));
        assert_eq!(reader.end(), Ok(()));
        assert_eq!(reader.u8(), Err(Malformed::Short));
    }
}
