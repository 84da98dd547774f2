//! Frozen accounts: coins stay where they are, for as long as there is a reason.
//!
//! Reasons are kept apart. What a court has ordered does not end because a review has found
//! nothing, and the account is free when no reason is left. Pools can't be frozen, for everything
//! would stop.

use gx_types::{AccountId, Role};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::state::{Account, AccountKind};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

/// Why an account is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FreezeReason {
    AdminAction,
    SuspiciousActivity,
    ComplianceReview,
    CourtOrder,
    UserRequest,
    Inactivity,
    DebtCollection,
}

impl FreezeReason {
    pub const ALL: [Self; 7] = [
        Self::AdminAction,
        Self::SuspiciousActivity,
        Self::ComplianceReview,
        Self::CourtOrder,
        Self::UserRequest,
        Self::Inactivity,
        Self::DebtCollection,
    ];

    /// As it is written everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AdminAction => "ADMIN_ACTION",
            Self::SuspiciousActivity => "SUSPICIOUS_ACTIVITY",
            Self::ComplianceReview => "COMPLIANCE_REVIEW",
            Self::CourtOrder => "COURT_ORDER",
            Self::UserRequest => "USER_REQUEST",
            Self::Inactivity => "INACTIVITY",
            Self::DebtCollection => "DEBT_COLLECTION",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The reasons for which an account is frozen; none while it is free. Written as a list in the
/// order of the reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FreezeReasons(u8);

impl FreezeReasons {
    pub const NONE: Self = Self(0);

    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }

    pub const fn contains(self, reason: FreezeReason) -> bool {
        self.0 & reason.bit() != 0
    }

    #[must_use]
    pub const fn with(self, reason: FreezeReason) -> Self {
        Self(self.0 | reason.bit())
    }

    #[must_use]
    pub const fn without(self, reason: FreezeReason) -> Self {
        Self(self.0 & !reason.bit())
    }

    /// The reasons in their order.
    pub fn iter(self) -> impl Iterator<Item = FreezeReason> {
        FreezeReason::ALL.into_iter().filter(move |reason| self.contains(*reason))
    }
}

impl FromIterator<FreezeReason> for FreezeReasons {
    fn from_iter<I: IntoIterator<Item = FreezeReason>>(reasons: I) -> Self {
        reasons.into_iter().fold(Self::NONE, Self::with)
    }
}

impl Serialize for FreezeReasons {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for FreezeReasons {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reasons = Vec::<FreezeReason>::deserialize(deserializer)?;
        if reasons.is_sorted_by(|a, b| a.bit() < b.bit()) {
            Ok(reasons.into_iter().collect())
        } else {
            Err(serde::de::Error::custom("reasons in their order, each once, expected"))
        }
    }
}

impl schemars::JsonSchema for FreezeReasons {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FreezeReasons".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let reason = generator.subschema_for::<FreezeReason>();
        schemars::json_schema!({
            "type": "array", "description": "in the order of the reasons, each once",
            "items": reason, "uniqueItems": true, "maxItems": FreezeReason::ALL.len()
        })
    }
}

/// Stops payments from and to an account of a user, an organization or a treasury. On an account
/// that is frozen already it adds another reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FreezeWallet {
    pub account_id: AccountId,
    pub reason: FreezeReason,
}

/// An account is frozen, for one more reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WalletFrozen {
    pub account_id: AccountId,
    pub reason: FreezeReason,
    /// All reasons there are now.
    pub reasons: FreezeReasons,
}

impl Effects for WalletFrozen {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.account_id);
    }
}

/// Stores the account with other reasons; the tax's timer rests while there is one.
fn set_reasons(
    tx: &mut Tx<'_>,
    id: &AccountId,
    account: Account,
    frozen: FreezeReasons,
) -> Result<(), Stop> {
    let account = Account { frozen, ..account };
    let account = account.with_tax_timer(tx.params.tax.threshold, tx.clocks.running());
    tx.state.put_account(id, account)
}

impl Rule for FreezeWallet {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin);
    const REFUSALS: &[Refusal] =
        &[Refusal::AccountNotFound, Refusal::NotFreezable, Refusal::AlreadyFrozen];
    const EVENTS: &[&str] = &["WalletFrozen"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { account_id, reason } = *self;
        let account = tx.state.existing_account(&account_id)?;
        match account.kind {
            AccountKind::User | AccountKind::Organization | AccountKind::Treasury => {}
            AccountKind::Pool | AccountKind::Escrow => return Err(Refusal::NotFreezable.into()),
        }
        if account.frozen.contains(reason) {
            return Err(Refusal::AlreadyFrozen.into());
        }
        let reasons = account.frozen.with(reason);
        set_reasons(tx, &account_id, account, reasons)?;
        tx.emit(WalletFrozen { account_id, reason, reasons });
        Ok(())
    }
}

/// Ends one reason for which an account is frozen. Payments from and to it pass again when none is
/// left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnfreezeWallet {
    pub account_id: AccountId,
    /// The one that ends.
    pub reason: FreezeReason,
}

/// A reason for which an account was frozen has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WalletUnfrozen {
    pub account_id: AccountId,
    pub reason: FreezeReason,
    /// The reasons that are left; it is free when there are none.
    pub reasons: FreezeReasons,
}

impl Effects for WalletUnfrozen {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.account_id);
    }
}

impl Rule for UnfreezeWallet {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::SuperAdmin);
    const REFUSALS: &[Refusal] = &[Refusal::AccountNotFound, Refusal::NotFrozen];
    const EVENTS: &[&str] = &["WalletUnfrozen"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { account_id, reason } = *self;
        let account = tx.state.existing_account(&account_id)?;
        if !account.frozen.contains(reason) {
            return Err(Refusal::NotFrozen.into());
        }
        let reasons = account.frozen.without(reason);
        set_reasons(tx, &account_id, account, reasons)?;
        tx.emit(WalletUnfrozen { account_id, reason, reasons });
        Ok(())
    }
}
