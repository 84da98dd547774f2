//! What one listener serves. The table of services is [`gx_types::Service`]'s, so that what deploys
//! them reads the same one.

use std::str::FromStr;

pub use gx_types::Service;

/// What one listener serves: everything, one service, or what operators ask a worker for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Services {
    All,
    One(Service),
    /// Health and figures of a process that submits.
    Submitter,
    /// The same of one that projects.
    Projector,
}

impl Services {
    pub fn contains(self, service: Service) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == service,
            Self::Submitter | Self::Projector => false,
        }
    }

    /// Name for logs and health answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::One(service) => service.as_str(),
            Self::Submitter => "submitter",
            Self::Projector => "projector",
        }
    }
}

impl FromStr for Services {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let one = Service::ALL.iter().copied().find(|service| service.as_str() == text);
        match one {
            Some(service) => Ok(Self::One(service)),
            None if text == "all" => Ok(Self::All),
            None => {
                let names: Vec<&str> = Service::ALL.iter().map(|one| one.as_str()).collect();
                Err(format!("no service {text:?}: all, {}", names.join(", ")))
            }
        }
    }
}
