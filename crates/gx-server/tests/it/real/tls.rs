//! An authority of a test, and what it has issued to a server on this machine.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use gx_fabric::issue::{Authority, Key};

/// Writes `NAME.pem`, the authority's certificate, and the server's, `cert.pem` with `key.pem`.
pub(super) fn issue(folder: &Path, name: &str) {
    let (authority, key) = (Authority::generate("ca", 1).unwrap(), Key::generate().unwrap());
    let certificate = authority.issue_server(IpAddr::V4(Ipv4Addr::LOCALHOST), &key, 1).unwrap();
    for (name, text) in [
        (format!("{name}.pem"), authority.certificate_pem()),
        ("cert.pem".to_owned(), certificate.as_str()),
        ("key.pem".to_owned(), key.pem()),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
}
