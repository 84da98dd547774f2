//! The services that a process can serve. Which service owns a route stands in the route table.

use std::fmt;
use std::str::FromStr;

/// A service: a set of routes with a port of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    Identity,
    Admin,
    Tokenomics,
}

impl Service {
    pub const ALL: [Self; 3] = [Self::Identity, Self::Admin, Self::Tokenomics];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Admin => "admin",
            Self::Tokenomics => "tokenomics",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one listener serves: everything, or one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Services {
    All,
    Identity,
    Admin,
    Tokenomics,
}

impl Services {
    pub const fn contains(self, service: Service) -> bool {
        matches!(
            (self, service),
            (Self::All, _)
                | (Self::Identity, Service::Identity)
                | (Self::Admin, Service::Admin)
                | (Self::Tokenomics, Service::Tokenomics)
        )
    }

    /// Name for logs and health answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Identity => "identity",
            Self::Admin => "admin",
            Self::Tokenomics => "tokenomics",
        }
    }
}

impl FromStr for Services {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::All, Self::Identity, Self::Admin, Self::Tokenomics]
            .into_iter()
            .find(|services| services.as_str() == text)
            .ok_or_else(|| format!("no service {text:?}: all, identity, admin or tokenomics"))
    }
}
