//! Random names and passwords, from the system's source.
//!
//! The standard library has no generator of its own that is meant for secrets, and one file read
//! is no reason for a dependency.

use std::fs::File;
use std::io::Read;

use crate::Error;

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(Error::io("read /dev/urandom"))?;
    Ok(bytes)
}

/// `N` random bytes in hexadecimal digits.
pub(crate) fn hex<const N: usize>() -> Result<String, Error> {
    Ok(bytes::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
