//! Who is calling: the client's address behind proxies that are trusted, and browser origins.
//!
//! X-Forwarded-For is believed only as far as trusted proxies have written it; a client that sends
//! the header itself changes nothing.

use std::net::IpAddr;

/// A network such as 10.0.0.0/8, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    base: u128,
    mask: u128,
}

/// Every address as one of IPv6, so that ::ffff:10.0.0.1 is 10.0.0.1.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

impl Network {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width {
            return None;
        }
        let mask = match 128 - (width - bits).min(128) {
            0 => 0,
            ones => u128::MAX << (128 - ones),
        };
        Some(Self { base: number(address) & mask, mask })
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        number(address) & self.mask == self.base
    }
}

/// The client's address: the peer, or what the nearest trusted proxies say it was.
pub(crate) fn client(peer: IpAddr, forwarded_for: &str, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let mut nearest = peer;
    for hop in forwarded_for.rsplit(',') {
        let Ok(address) = hop.trim().parse() else { return nearest };
        nearest = address;
        if !is_trusted(address) {
            return nearest;
        }
    }
    nearest
}

/// Whether a setting names a network or an address.
pub(crate) fn is_network(text: &str) -> bool {
    Network::parse(text).is_some()
}

/// Whether a setting is an origin as browsers send it: scheme, host, perhaps a port, nothing more.
pub(crate) fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b);
        !host.is_empty() && host.bytes().all(legal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks() -> Vec<Network> {
        ["10.0.0.0/8", "::1"].into_iter().filter_map(Network::parse).collect()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = networks();
        for (peer, header, client_is) in [
            ("203.0.113.9", "1.2.3.4", "203.0.113.9"),
            ("10.1.1.1", "1.2.3.4", "1.2.3.4"),
            ("::ffff:10.1.1.1", "1.2.3.4", "1.2.3.4"),
            ("10.1.1.1", "6.6.6.6, 1.2.3.4, 10.2.2.2", "1.2.3.4"),
            ("10.1.1.1", "6.6.6.6, nonsense, 10.2.2.2", "10.2.2.2"),
            ("10.1.1.1", "", "10.1.1.1"),
            ("::1", "2001:db8::7", "2001:db8::7"),
        ] {
            assert_eq!(client(address(peer), header, &trusted), address(client_is), "{peer}");
        }
        assert_eq!(client(address("10.1.1.1"), "1.2.3.4", &[]), address("10.1.1.1"));
    }

    #[test]
    fn networks_and_origins_are_checked() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "192.0.2.1", "2001:db8::/32"] {
            assert!(is_network(text), "{text}");
        }
        for text in ["", "10.0.0.0/33", "example.org", "10.0.0.0/x"] {
            assert!(!is_network(text), "{text}");
        }
        for text in ["https://wallet.example.org", "http://localhost:5173", "http://[::1]:80"] {
            assert!(is_origin(text), "{text}");
        }
        for text in ["*", "https://", "wallet.example.org", "https://a.b/", "https://A.b"] {
            assert!(!is_origin(text), "{text}");
        }
        let v4_only = Network::parse("0.0.0.0/0").unwrap();
        assert!(v4_only.contains(address("1.2.3.4")) && !v4_only.contains(address("2001:db8::1")));
    }
}
