//! The role of the service that submits a batch.

use std::str::FromStr;

use crate::{ParseError, text_serde};

/// Value of the certificate attribute `gxc_role`. Matched exactly: there is no hierarchy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    SuperAdmin,
    Admin,
    PartnerApi,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::SuperAdmin, Self::Admin, Self::PartnerApi];

    pub fn as_str(&self) -> &'static str {
        match self {
            Self::SuperAdmin => "gx_super_admin",
            Self::Admin => "gx_admin",
            Self::PartnerApi => "gx_partner_api",
        }
    }
}

impl FromStr for Role {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| ParseError::new("gx_super_admin, gx_admin or gx_partner_api", text))
    }
}

text_serde!(Role, "Role", "role of a submitting service", "^gx_(super_admin|admin|partner_api)$");
