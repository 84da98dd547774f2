//! A free TCP port for a server that may be down for a while and must come back on it.
//!
//! Ports of the range from which the system draws the ports of outgoing connections are avoided:
//! while the server is down another connection could get its port, and a client that keeps
//! trying it could even connect to itself.

use std::net::{Ipv4Addr, TcpListener};

use crate::{Error, random};

/// Below the range for outgoing connections of Linux (32768) and of macOS and IANA (49152).
const FIRST: u16 = 15_000;
const COUNT: u16 = 14_000;

/// A port that nobody listens on right now. Another process may still take it first, so the
/// caller tries again with another one if PostgreSQL finds it taken.
pub(crate) fn free() -> Result<u16, Error> {
    const TRIES: u32 = 100;
    let mut tries = 0;
    loop {
        let port = FIRST + u16::from_le_bytes(random::bytes()?) % COUNT;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(_) if tries < TRIES => tries += 1,
            Err(source) => {
                let action = format!("find a free port above {FIRST} on 127.0.0.1");
                return Err(Error::Io { action, source });
            }
        }
    }
}
