//! Ranges of addresses.

use std::net::IpAddr;

/// A range such as `10.42.0.0/16`; an address alone is a range of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cidr {
    address: u128,
    is_six: bool,
    /// Bits that are the same, of 32 or 128.
    prefix: u32,
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(four) => (u128::from(u32::from(four)), false),
        IpAddr::V6(six) => (u128::from(six), true),
    }
}

impl Cidr {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (address, is_six) = bits(address.parse().ok()?);
        let width = if is_six { 128 } else { 32 };
        let prefix = prefix.unwrap_or(width);
        (prefix <= width).then_some(Self { address, is_six, prefix })
    }

    /// The part of an address that is the same in all of the range.
    fn network(&self, address: u128) -> u128 {
        let width: u32 = if self.is_six { 128 } else { 32 };
        address.checked_shr(width.saturating_sub(self.prefix)).unwrap_or(0)
    }

    pub(super) fn has(&self, address: IpAddr) -> bool {
        let (address, is_six) = bits(address);
        is_six == self.is_six && self.network(address) == self.network(self.address)
    }

    /// Whether all of another range is in it.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let is_inside = self.network(other.address) == self.network(self.address);
        self.is_six == other.is_six && self.prefix <= other.prefix && is_inside
    }

    pub(super) fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_is_in_them() {
        let range = Cidr::read("10.42.0.0/16").unwrap();
        for (address, inside) in [("10.42.255.1", true), ("10.43.0.1", false), ("::1", false)] {
            assert_eq!(range.has(address.parse().unwrap()), inside, "{address}");
        }
        let part = Cidr::read("10.42.3.0/24").unwrap();
        assert!(range.covers(&part) && !part.covers(&range) && range.covers(&range));
        let all = Cidr::read("0.0.0.0/0").unwrap();
        assert!(all.is_everything() && all.covers(&range) && all.has("192.0.2.1".parse().unwrap()));
        assert!(!Cidr::read("::/0").unwrap().covers(&range));
        for text in ["10.42.0.0/33", "10.42.0/16", "ten", "10.0.0.0/x", ""] {
            assert_eq!(Cidr::read(text), None, "{text}");
        }
    }
}
