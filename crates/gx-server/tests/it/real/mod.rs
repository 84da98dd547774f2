//! The optional parts against the servers that people run, each a throw-away process on a loopback
//! port: Exim for mail, clamd for viruses, Redis, an object store, and Chromium for passkeys.
//!
//! Where a program is not installed its tests say so and pass; in continuous integration they fail.

mod browser;
mod clamav;
mod exim;
mod mail;
mod passkeys;
mod program;
mod redis;
mod s3;
mod tls;

pub(crate) use self::redis::{PASSWORD as REDIS_PASSWORD, RedisServer};
