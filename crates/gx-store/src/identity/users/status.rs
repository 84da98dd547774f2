//! Where a user stands: what people have decided, and beyond approval what the ledger says.

use std::str::FromStr;

/// What has been decided about a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    Registered,
    PendingAdminApproval,
    /// Approved: an account on the ledger is on its way, or exists.
    ApprovedPendingOnchain,
    Denied,
    Suspended,
    Closed,
}

/// Where a user stands: the decision, and beyond approval what the ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserStatus {
    Registered,
    PendingAdminApproval,
    ApprovedPendingOnchain,
    /// Approved, with an account on the ledger.
    Active,
    /// Active, but the account is frozen.
    Frozen,
    Denied,
    Suspended,
    Closed,
}

impl Decision {
    pub const ALL: [Self; 6] = [
        Self::Registered,
        Self::PendingAdminApproval,
        Self::ApprovedPendingOnchain,
        Self::Denied,
        Self::Suspended,
        Self::Closed,
    ];

    pub const fn as_str(self) -> &'static str {
        self.status(false, false).as_str()
    }

    pub(crate) const fn status(self, on_ledger: bool, frozen: bool) -> UserStatus {
        match self {
            Self::Registered => UserStatus::Registered,
            Self::PendingAdminApproval => UserStatus::PendingAdminApproval,
            Self::ApprovedPendingOnchain if on_ledger && frozen => UserStatus::Frozen,
            Self::ApprovedPendingOnchain if on_ledger => UserStatus::Active,
            Self::ApprovedPendingOnchain => UserStatus::ApprovedPendingOnchain,
            Self::Denied => UserStatus::Denied,
            Self::Suspended => UserStatus::Suspended,
            Self::Closed => UserStatus::Closed,
        }
    }
}

impl UserStatus {
    pub const ALL: [Self; 8] = [
        Self::Registered,
        Self::PendingAdminApproval,
        Self::ApprovedPendingOnchain,
        Self::Active,
        Self::Frozen,
        Self::Denied,
        Self::Suspended,
        Self::Closed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "REGISTERED",
            Self::PendingAdminApproval => "PENDING_ADMIN_APPROVAL",
            Self::ApprovedPendingOnchain => "APPROVED_PENDING_ONCHAIN",
            Self::Active => "ACTIVE",
            Self::Frozen => "FROZEN",
            Self::Denied => "DENIED",
            Self::Suspended => "SUSPENDED",
            Self::Closed => "CLOSED",
        }
    }

    /// The decision behind it.
    pub(crate) const fn decision(self) -> Decision {
        match self {
            Self::Registered => Decision::Registered,
            Self::PendingAdminApproval => Decision::PendingAdminApproval,
            Self::ApprovedPendingOnchain | Self::Active | Self::Frozen => {
                Decision::ApprovedPendingOnchain
            }
            Self::Denied => Decision::Denied,
            Self::Suspended => Decision::Suspended,
            Self::Closed => Decision::Closed,
        }
    }

    /// What the ledger must say of the account: `-` nothing yet, `A` there, `F` frozen, `*` any.
    pub(super) const fn ledger_state(self) -> &'static str {
        match self {
            Self::ApprovedPendingOnchain => "-",
            Self::Active => "A",
            Self::Frozen => "F",
            Self::Registered
            | Self::PendingAdminApproval
            | Self::Denied
            | Self::Suspended
            | Self::Closed => "*",
        }
    }
}

impl FromStr for UserStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("{text:?} is no status of a user"))
    }
}
