//! Which organizations may submit commands under which role.
//!
//! Any organization's authority can write any role into a certificate. The list says whose word
//! counts for what; it has to be the same at every organization, and its digest shows that.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::Role;
use sha2::{Digest, Sha256};

/// A list entry that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("<MSP> or <MSP>=<role>,<role> expected, got {0:?}")]
pub struct WrongAccess(String);

/// The roles that each organization may submit under.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access(BTreeMap<String, BTreeSet<Role>>);

impl Access {
    /// Reads entries `Org1MSP` (all roles) and `Org2MSP=gx_admin,gx_partner_api`.
    ///
    /// # Errors
    /// [`WrongAccess`] with the first entry that is neither.
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, WrongAccess> {
        let mut access = Self::default();
        for entry in entries {
            let wrong = || WrongAccess(entry.to_owned());
            let (msp_id, roles) = entry.split_once('=').unwrap_or((entry, ""));
            let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
            if msp_id.is_empty() || !msp_id.chars().all(legal) {
                return Err(wrong());
            }
            let roles: Result<BTreeSet<Role>, _> = match entry.contains('=') {
                true => roles.split(',').map(|role| role.parse().map_err(|_| wrong())).collect(),
                false => Ok(Role::ALL.into()),
            };
            access.0.entry(msp_id.to_owned()).or_default().extend(roles?);
        }
        Ok(access)
    }

    /// Whether a member of the organization may submit under the role.
    pub fn allows(&self, msp_id: &str, role: Role) -> bool {
        self.0.get(msp_id).is_some_and(|roles| roles.contains(&role))
    }

    /// The list in one text form, whatever the order in which it was given.
    pub fn canonical(&self) -> String {
        let entries = self.0.iter().map(|(msp_id, roles)| {
            let roles: Vec<&str> = roles.iter().map(Role::as_str).collect();
            format!("{msp_id}={}", roles.join(","))
        });
        entries.collect::<Vec<_>>().join(";")
    }

    /// SHA-256 over the text form, in hexadecimal digits.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.canonical().as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organization_submits_under_its_roles_only() {
        let access = Access::read(["Org1MSP", "Org2MSP=gx_partner_api"]).unwrap();
        let rows = [
            ("Org1MSP", Role::SuperAdmin, true),
            ("Org1MSP", Role::PartnerApi, true),
            ("Org2MSP", Role::PartnerApi, true),
            ("Org2MSP", Role::SuperAdmin, false),
            ("Org3MSP", Role::PartnerApi, false),
        ];
        for (msp_id, role, allowed) in rows {
            assert_eq!(access.allows(msp_id, role), allowed, "{msp_id} {role}");
        }
    }

    #[test]
    fn order_does_not_change_the_digest() {
        let one = Access::read(["A=gx_admin,gx_partner_api", "B"]).unwrap();
        let other = Access::read(["B", "A=gx_partner_api", "A=gx_admin"]).unwrap();
        assert_eq!(one.digest(), other.digest());
        assert_ne!(one.digest(), Access::read(["B"]).unwrap().digest());
    }

    #[test]
    fn wrong_entries_are_named() {
        for entry in ["", "=gx_admin", "Org1MSP=root", "Org 1"] {
            assert_eq!(Access::read([entry]), Err(WrongAccess(entry.to_owned())));
        }
    }
}
