//! Which network a process, a database, a ledger or a certificate belongs to.

use std::str::FromStr;

use crate::{ParseError, text_serde};

/// The three networks. They never share a database, a ledger or a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkId {
    Devnet,
    Testnet,
    Mainnet,
}

impl NetworkId {
    pub const ALL: [Self; 3] = [Self::Devnet, Self::Testnet, Self::Mainnet];

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Devnet => "devnet",
            Self::Testnet => "testnet",
            Self::Mainnet => "mainnet",
        }
    }
}

impl FromStr for NetworkId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|network| network.as_str() == text)
            .ok_or_else(|| ParseError::new("devnet, testnet or mainnet", text))
    }
}

text_serde!(NetworkId, "NetworkId", "devnet, testnet or mainnet", "^(devnet|testnet|mainnet)$");
