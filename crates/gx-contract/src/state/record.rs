//! Values of the ledger's state: versioned records, one type for each kind of key.
//!
//! Every record's JSON starts with its version and has a golden file; what was once committed
//! decodes for ever. Records of one contract alone stand in its file.

use gx_types::{AccountId, AccountType, Amount, BatchId, CountryCode, MspId, NetworkId, TimeMs};
use serde::{Deserialize, Serialize};

use super::{Key, hot};
use crate::admin::{Action, Attester, Disbursed, OwnAccount};
use crate::batch::BodyHash;
use crate::custody::Custodians;
use crate::escrow::Escrow;
use crate::freezing::FreezeReasons;
use crate::genesis::GenesisStatus;
use crate::governance::{ActiveProposals, CastVote, Proposal};
use crate::identity::{
    AccountStatus, Guardians, IdentityHash, KeyRecord, KeyReset, Recovery, Relationship, Tally,
};
use crate::loan_pool::{Borrower, Loan};
use crate::organization::{Organization, PendingTx, Treasury};
use crate::params::StoredParameters;
use crate::spending::SpendingLimit;
use crate::tax_and_fee::TaxTimer;
use crate::{PublicKey, Refused};

/// The format version of a stored text; written as its number, read only as that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Version<const N: u8>;

impl<const N: u8> Serialize for Version<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(N)
    }
}

impl<'de, const N: u8> Deserialize<'de> for Version<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = u8::deserialize(deserializer)?;
        if found == N {
            Ok(Self)
        } else {
            Err(serde::de::Error::custom(format_args!("format version {N} expected, got {found}")))
        }
    }
}

/// What an account is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountKind {
    Pool,
    Treasury,
    User,
    Organization,
    /// Where all coins in escrow lie.
    Escrow,
}

/// A holder of coins: the hot part, read and written by every payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    pub v: Version<1>,
    pub kind: AccountKind,
    pub account_type: AccountType,
    /// Absent for pools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<CountryCode>,
    pub balance: Amount,
    /// Why the account is frozen; absent while it is not.
    #[serde(default, skip_serializing_if = "FreezeReasons::is_empty")]
    pub frozen: FreezeReasons,
    /// Absent while the account is active.
    #[serde(default, skip_serializing_if = "AccountStatus::is_active")]
    pub status: AccountStatus,
    /// Whether the account has a key, without which nothing of it is signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyed: bool,
    /// Absent while the balance is not large enough to be taxed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_timer: Option<TaxTimer>,
    /// Whether the account is exempt from the tax.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tax_exempt: bool,
    /// Whether its owner limits what leaves it in a day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub limited: bool,
    /// What is the account's and waits in escrow; beside the balance, and taxed with it.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub escrowed: Amount,
    /// Who speaks for the account while it has no key: a place among the [`Custodians`].
    #[serde(default, skip_serializing_if = "is_first")]
    pub custodian: u16,
}

fn is_first(place: &u16) -> bool {
    *place == 0
}

fn is_nothing(amount: &Amount) -> bool {
    amount.is_zero()
}

/// What is known of a user beside the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    pub v: Version<1>,
    pub identity_hash: IdentityHash,
    pub created_at: TimeMs,
    pub genesis: GenesisStatus,
    /// 0 to 100; absent while it is the 10 that everybody starts with.
    #[serde(default = "base_trust", skip_serializing_if = "is_base_trust")]
    pub trust_score: u8,
    /// The organization that may take over speaking for the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_to: Option<Box<MspId>>,
}

/// What everybody's trust score starts with.
pub(crate) const TRUST_BASE: u8 = 10;

const fn base_trust() -> u8 {
    TRUST_BASE
}

fn is_base_trust(score: &u8) -> bool {
    *score == TRUST_BASE
}

/// Claim of a person on their one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Identity {
    pub v: Version<1>,
    pub user_id: AccountId,
}

/// Level of an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AdminLevel {
    SuperAdmin,
    Admin,
}

fn is_unsaid(account: &OwnAccount) -> bool {
    *account == OwnAccount::Unsaid
}

/// An administrator on the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admin {
    pub v: Version<1>,
    pub level: AdminLevel,
    pub appointed_at: TimeMs,
    /// The admin's own account: absent when nothing was said of one, `null` when there is none.
    #[serde(default, skip_serializing_if = "is_unsaid")]
    pub account_id: OwnAccount,
    /// What everything that the admin does is signed with; absent while they have no key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// When the key was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_since: Option<TimeMs>,
    /// Absent while in office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<TimeMs>,
}

impl Admin {
    pub(crate) fn in_office(&self) -> bool {
        self.removed_at.is_none()
    }
}

/// A country: its weight, its genesis slots by phase, and how many are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Country {
    pub v: Version<1>,
    /// Parts per 100,000,000.
    pub weight: u32,
    pub users: u64,
    /// Slots of the six phases; zero until the set of countries is complete.
    pub slots: [u64; 6],
    pub slots_used: [u64; 6],
}

/// The set of countries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Countries {
    pub v: Version<1>,
    /// Sum of the weights so far; at 100,000,000 the set is complete and sealed.
    pub total_weight: u32,
    /// In alphabetical order.
    pub codes: Vec<CountryCode>,
}

/// State of the system as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct System {
    pub v: Version<1>,
    pub bootstrapped_at: TimeMs,
    /// Part of what account keys sign, so that no signature counts on two networks.
    pub network_id: NetworkId,
    pub custodians: Custodians,
    /// Present while the system is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Super admins in office. Absent while there is one, the first.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub super_admins: u32,
    /// What the pauses that have ended took together, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub paused_ms: i64,
}

fn is_zero(count: &i64) -> bool {
    *count == 0
}

const fn one() -> u32 {
    1
}

fn is_one(count: &u32) -> bool {
    *count == 1
}

/// Since when and why the system is paused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pause {
    pub since: TimeMs,
    pub reason: String,
}

/// Time of the last batch, so that time never runs backwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Clock {
    pub v: Version<1>,
    pub last_batch_at: TimeMs,
}

/// The one outcome of a command id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandOutcome {
    pub v: Version<1>,
    /// What the command was, to tell a repetition from another use of the id.
    pub body: BodyHash,
    pub batch_id: BatchId,
    pub time: TimeMs,
    /// Absent when the command was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Box<Refused>>,
}

impl Account {
    const fn new(kind: AccountKind, account_type: AccountType, balance: Amount) -> Self {
        Self {
            v: Version,
            kind,
            account_type,
            country: None,
            balance,
            frozen: FreezeReasons::NONE,
            status: AccountStatus::Active,
            keyed: false,
            tax_timer: None,
            tax_exempt: false,
            limited: false,
            escrowed: Amount::ZERO,
            custodian: 0,
        }
    }

    pub(crate) const fn pool(balance: Amount) -> Self {
        Self::new(AccountKind::Pool, AccountType::System, balance)
    }

    pub(crate) const fn treasury(country: CountryCode) -> Self {
        let account = Self::new(AccountKind::Treasury, AccountType::Treasury, Amount::ZERO);
        Self { country: Some(country), ..account }
    }

    pub(crate) const fn user(country: CountryCode, account_type: AccountType) -> Self {
        let account = Self::new(AccountKind::User, account_type, Amount::ZERO);
        Self { country: Some(country), ..account }
    }

    pub(crate) const fn organization(country: CountryCode, account_type: AccountType) -> Self {
        let account = Self::new(AccountKind::Organization, account_type, Amount::ZERO);
        Self { country: Some(country), ..account }
    }

    pub(crate) const fn escrow() -> Self {
        Self::new(AccountKind::Escrow, AccountType::System, Amount::ZERO)
    }

    pub(crate) fn is_user(&self) -> bool {
        self.kind == AccountKind::User
    }

    pub(crate) fn is_frozen(&self) -> bool {
        !self.frozen.is_empty()
    }

    /// Whether its holder may act: it is neither frozen nor locked nor deceased.
    pub(crate) fn may_act(&self) -> bool {
        self.frozen.is_empty() && self.status.is_active()
    }
}

macro_rules! records {
    ($($record:ident($held:ty): $stored:ty = $key:pat,)+) => {
        /// A value of the ledger's state. What is large is boxed, so that all that a batch holds of
        /// the state stays small: payments touch three small records each.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Record {
            $($record($held),)+
        }

        impl Record {
            /// The record as the engines store it.
            pub fn encode(&self) -> Vec<u8> {
                if let Self::Account(account) = self
                    && let Some(bytes) = hot::account_bytes(account)
                {
                    return bytes;
                }
                if let Self::Outcome(outcome) = self
                    && let Some(bytes) = hot::outcome_bytes(outcome)
                {
                    return bytes;
                }
                // Serialising plain structs with string keys into memory cannot fail.
                match self {
                    $(Self::$record(stored) => serde_json::to_vec(stored).unwrap_or_default(),)+
                }
            }

            /// Reads the record that is stored under `key`.
            ///
            /// # Errors
            /// When the bytes are not a record of the key's type and version.
            pub fn decode(key: &Key, bytes: &[u8]) -> Result<Self, serde_json::Error> {
                if let Key::Account(_) = key
                    && let Some(account) = hot::account(bytes)
                {
                    return Ok(Self::Account(account));
                }
                match key { $($key => serde_json::from_slice(bytes).map(Self::$record),)+ }
            }
        }

        $(impl From<$stored> for Record {
            fn from(stored: $stored) -> Self { Self::$record(stored.into()) }
        }

        impl Stored for $stored {
            fn of(record: &Record) -> Option<&Self> {
                if let Record::$record(stored) = record { Some(stored) } else { None }
            }
        })+
    };
}

/// A type that is stored as one variant of [`Record`].
pub(crate) trait Stored: Clone + Into<Record> {
    fn of(record: &Record) -> Option<&Self>;
}

records! {
    Account(Account): Account = Key::Account(_),
    Action(Box<Action>): Action = Key::Action(_),
    Country(Box<Country>): Country = Key::Country(_),
    Admin(Box<Admin>): Admin = Key::Admin(_),
    Proposal(Box<Proposal>): Proposal = Key::Proposal(_),
    Borrower(Borrower): Borrower = Key::Borrower(_),
    Relationship(Box<Relationship>): Relationship = Key::Relationship(_),
    Guardians(Box<Guardians>): Guardians = Key::Guardians(_),
    Identity(Identity): Identity = Key::Identity(_),
    AccountKey(KeyRecord): KeyRecord = Key::AccountKey(_),
    Loan(Box<Loan>): Loan = Key::Loan(_),
    SpendingLimit(Box<SpendingLimit>): SpendingLimit = Key::SpendingLimit(_),
    Organization(Box<Organization>): Organization = Key::Organization(_),
    Outcome(CommandOutcome): CommandOutcome = Key::Outcome(_),
    Attester(Box<Attester>): Attester = Key::Attester(_),
    KeyReset(Box<KeyReset>): KeyReset = Key::KeyReset(_),
    Recovery(Box<Recovery>): Recovery = Key::Recovery(_),
    Clock(Clock): Clock = Key::Clock,
    Countries(Countries): Countries = Key::Countries,
    Disbursed(Disbursed): Disbursed = Key::Disbursed,
    Parameters(StoredParameters): StoredParameters = Key::Parameters,
    Proposals(ActiveProposals): ActiveProposals = Key::Proposals,
    System(Box<System>): System = Key::System,
    Tally(Box<Tally>): Tally = Key::Tally(_),
    User(Box<User>): User = Key::User(_),
    Escrow(Box<Escrow>): Escrow = Key::Escrow(_),
    PendingTx(Box<PendingTx>): PendingTx = Key::PendingTx(_),
    Treasury(Box<Treasury>): Treasury = Key::Treasury(_),
    Vote(CastVote): CastVote = Key::Vote(_, _),
}
