//! What admins may do: 32 permissions, and which role has which.
//!
//! A super owner has all of them. Beside the role, single permissions can be granted to an
//! administrator or withdrawn from one.

use gx_store::admin::permissions::{Effect, Single};
use gx_types::TimeMs;

/// Declares permissions with their codes.
macro_rules! permissions {
    ($($variant:ident = $code:literal,)+) => {
        /// A permission. Its code is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $($variant,)+
        }

        impl Permission {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The permission with a code.
            pub fn parse(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|permission| permission.code() == code)
            }
        }

        /// The permissions as types, for handlers to ask for: `May<grant::UserFreeze>`.
        pub mod grant {
            $(
                #[doc = concat!("`", $code, "`")]
                #[derive(Debug, Clone, Copy)]
                pub enum $variant {}

                impl super::Grant for $variant {
                    const PERMISSION: super::Permission = super::Permission::$variant;
                }
            )+
        }
    };
}

/// A permission as a type.
pub trait Grant: Send + Sync + 'static {
    const PERMISSION: Permission;
}

permissions! {
    SystemStatusRead = "system:status:read",
    SystemPause = "system:pause",
    SystemResume = "system:resume",
    SystemBootstrap = "system:bootstrap",
    UserList = "user:list",
    UserView = "user:view",
    UserApprove = "user:approve",
    UserDeny = "user:deny",
    UserFreeze = "user:freeze",
    UserUnfreeze = "user:unfreeze",
    TreasuryView = "treasury:view",
    TreasuryActivate = "treasury:activate",
    TreasuryTransfer = "treasury:transfer",
    ApprovalView = "approval:view",
    ApprovalCreate = "approval:create",
    ApprovalApprove = "approval:approve",
    ApprovalReject = "approval:reject",
    AdminList = "admin:list",
    AdminCreate = "admin:create",
    AdminUpdate = "admin:update",
    AdminDelete = "admin:delete",
    AdminRoleChange = "admin:role:change",
    AuditView = "audit:view",
    AuditExport = "audit:export",
    ConfigView = "config:view",
    ConfigUpdate = "config:update",
    DeploymentView = "deployment:view",
    DeploymentCreate = "deployment:create",
    DeploymentExecute = "deployment:execute",
    DeploymentRollback = "deployment:rollback",
    DeploymentPromoteTestnet = "deployment:promote:devnet-testnet",
    DeploymentPromoteMainnet = "deployment:promote:testnet-mainnet",
}

/// The role of an admin on the platform. It says nothing of the ledger, which has its own levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdminRole {
    SuperOwner,
    SuperAdmin,
    Admin,
    Moderator,
    Developer,
    Auditor,
}

impl AdminRole {
    pub const ALL: [Self; 6] = [
        Self::SuperOwner,
        Self::SuperAdmin,
        Self::Admin,
        Self::Moderator,
        Self::Developer,
        Self::Auditor,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SuperOwner => "SUPER_OWNER",
            Self::SuperAdmin => "SUPER_ADMIN",
            Self::Admin => "ADMIN",
            Self::Moderator => "MODERATOR",
            Self::Developer => "DEVELOPER",
            Self::Auditor => "AUDITOR",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// How high the role stands.
    const fn level(self) -> u8 {
        match self {
            Self::SuperOwner => 100,
            Self::SuperAdmin => 90,
            Self::Admin => 50,
            Self::Moderator => 30,
            Self::Developer => 20,
            Self::Auditor => 10,
        }
    }

    /// Whether who has the role decides about who has the other: a super owner about everybody,
    /// others about those below them.
    pub fn stands_above(self, other: Self) -> bool {
        self == Self::SuperOwner || self.level() > other.level()
    }

    /// Whether the role has the permission.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::SuperOwner => true,
            Self::SuperAdmin => !matches!(
                permission,
                P::AdminRoleChange | P::AdminDelete | P::DeploymentPromoteMainnet
            ),
            Self::Admin => matches!(
                permission,
                P::SystemStatusRead
                    | P::UserList
                    | P::UserView
                    | P::UserApprove
                    | P::UserDeny
                    | P::UserFreeze
                    | P::UserUnfreeze
                    | P::ApprovalView
                    | P::ApprovalCreate
                    | P::AdminList
                    | P::AuditView
                    | P::AuditExport
                    | P::ConfigView
                    | P::DeploymentView
                    | P::DeploymentCreate
                    | P::DeploymentExecute
                    | P::DeploymentRollback
                    | P::DeploymentPromoteTestnet
            ),
            Self::Moderator => matches!(
                permission,
                P::SystemStatusRead
                    | P::UserList
                    | P::UserView
                    | P::UserApprove
                    | P::UserDeny
                    | P::UserFreeze
                    | P::ApprovalView
                    | P::ApprovalCreate
            ),
            Self::Developer => matches!(
                permission,
                P::SystemStatusRead
                    | P::ConfigView
                    | P::ApprovalView
                    | P::ApprovalCreate
                    | P::DeploymentView
                    | P::DeploymentCreate
                    | P::DeploymentPromoteTestnet
            ),
            Self::Auditor => matches!(
                permission,
                P::SystemStatusRead
                    | P::UserList
                    | P::UserView
                    | P::TreasuryView
                    | P::ApprovalView
                    | P::AdminList
                    | P::AuditView
                    | P::AuditExport
                    | P::ConfigView
                    | P::DeploymentView
            ),
        }
    }
}

/// What an administrator may do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Permissions(u64);

impl Permissions {
    /// What the role has and what was decided of single permissions, as far as that is in force.
    pub(crate) fn of<'s>(
        role: AdminRole,
        decided: impl IntoIterator<Item = &'s Single>,
        now: TimeMs,
    ) -> Self {
        let of_role = Permission::ALL.iter().filter(|permission| role.may(**permission));
        let mut bits = of_role.fold(0, |bits, permission| bits | bit(*permission));
        for single in decided.into_iter().filter(|single| single.is_in_force(now)) {
            // One that this build does not know gives nothing and takes nothing.
            let Some(permission) = Permission::parse(&single.permission) else { continue };
            match single.effect {
                Effect::Granted => bits |= bit(permission),
                Effect::Withdrawn if role == AdminRole::SuperOwner => {}
                Effect::Withdrawn => bits &= !bit(permission),
            }
        }
        Self(bits)
    }

    pub(crate) const fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// All of them, in the order of the table.
    pub(crate) fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.has(*permission))
    }
}

const fn bit(permission: Permission) -> u64 {
    1 << permission as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(permission: Permission, effect: Effect, expires_at: Option<i64>) -> Single {
        let expires_at = expires_at.map(TimeMs);
        Single { permission: permission.code().to_owned(), effect, expires_at }
    }

    #[test]
    fn single_permissions_count_beside_the_role_until_their_time_is_over() {
        use Permission as P;
        let decided = [
            single(P::AuditExport, Effect::Granted, Some(10)),
            single(P::UserFreeze, Effect::Withdrawn, None),
            Single {
                permission: "moon:land".to_owned(),
                ..single(P::UserList, Effect::Granted, None)
            },
        ];
        let at = |role, now| Permissions::of(role, &decided, TimeMs(now));
        let moderator = at(AdminRole::Moderator, 9);
        assert!(moderator.has(P::AuditExport) && !moderator.has(P::UserFreeze));
        assert!(moderator.has(P::UserView));
        assert!(!at(AdminRole::Moderator, 10).has(P::AuditExport));
        assert_eq!(moderator.iter().count(), 8);
        assert_eq!(at(AdminRole::SuperOwner, 9).iter().count(), 32, "nothing is withdrawn");
    }

    #[test]
    fn each_role_has_its_number_of_permissions() {
        let count = |role: AdminRole| {
            Permission::ALL.iter().filter(|permission| role.may(**permission)).count()
        };
        assert_eq!(AdminRole::ALL.map(count), [32, 29, 18, 8, 7, 10]);
    }

    #[test]
    fn a_super_owner_stands_above_all_and_others_above_those_below() {
        let above = |role: AdminRole| {
            AdminRole::ALL.iter().filter(|other| role.stands_above(**other)).count()
        };
        assert_eq!(AdminRole::ALL.map(above), [6, 4, 3, 2, 1, 0]);
    }

    #[test]
    fn an_auditor_changes_nothing() {
        let reads = ["read", "list", "view", "export"];
        for permission in Permission::ALL {
            let last = permission.code().rsplit(':').next().unwrap();
            assert!(!AdminRole::Auditor.may(*permission) || reads.contains(&last), "{last}");
        }
    }
}
