//! What is stored on the ledger: typed keys, versioned records, and the overlay that rules work on.
//!
//! Every record's JSON starts with its version and has a golden file; what was once committed
//! decodes for ever. Keys are prefix-safe: caller text stands only at their end.

use std::sync::Arc;

use gx_types::{
    AccountId, AccountType, ActionId, AdminId, Amount, BatchId, CommandId, CountryCode, LoanId,
    NetworkId, PendingTxId, ProposalId, RecoveryId, RelationshipId, TimeMs,
};
use serde::{Deserialize, Serialize};

use crate::admin::{Action, Disbursed};
use crate::batch::BodyHash;
use crate::genesis::GenesisStatus;
use crate::governance::{ActiveProposals, CastVote, Proposal};
use crate::identity::{
    AccountStatus, Guardians, IdentityHash, KeyRecord, Recovery, Relationship, Tally,
};
use crate::index::Index;
use crate::loan_pool::{Borrower, Loan};
use crate::organization::{Organization, PendingTx, Treasury};
use crate::params::{Parameters, StoredParameters};
use crate::tokenomics::FreezeReason;
use crate::tx::Stop;
use crate::{Refusal, Refused};

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

/// A key of the ledger's state. The order of the variants is the order of their encoded bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Account(AccountId),
    /// An action that two admins decide on.
    Action(ActionId),
    Country(CountryCode),
    Admin(AdminId),
    Relationship(RelationshipId),
    /// What a user owes altogether.
    Borrower(AccountId),
    Proposal(ProposalId),
    Guardians(AccountId),
    /// A person, by the hash of who they are.
    Identity(IdentityHash),
    /// The key that an account's commands are signed with.
    AccountKey(AccountId),
    Loan(LoanId),
    Organization(AccountId),
    Outcome(CommandId),
    Recovery(RecoveryId),
    Clock,
    Countries,
    Disbursed,
    Parameters,
    /// The active proposals.
    Proposals,
    System,
    /// What a user's trust score is computed from.
    Tally(AccountId),
    User(AccountId),
    /// Of a user on a proposal.
    Vote(ProposalId, AccountId),
    PendingTx(PendingTxId),
    /// Present when the country's treasury may pay.
    Treasury(CountryCode),
}

impl Key {
    /// The key as the engines store it.
    pub fn encode(&self) -> String {
        match self {
            Self::Account(id) => ["a/", id.as_str()].concat(),
            Self::Action(id) => ["b/", &id.as_str()].concat(),
            Self::Country(code) => ["c/", code.as_str()].concat(),
            Self::Admin(id) => ["d/", id.as_str()].concat(),
            Self::Relationship(id) => ["e/", &id.as_str()].concat(),
            Self::Borrower(id) => ["f/", id.as_str()].concat(),
            Self::Proposal(id) => ["g/", &id.as_str()].concat(),
            Self::Guardians(id) => ["h/", id.as_str()].concat(),
            Self::Identity(hash) => format!("i/{hash}"),
            Self::AccountKey(id) => ["k/", id.as_str()].concat(),
            Self::Loan(id) => ["l/", &id.as_str()].concat(),
            Self::Organization(id) => ["n/", id.as_str()].concat(),
            Self::Outcome(id) => ["o/", &id.as_str()].concat(),
            Self::Recovery(id) => ["r/", &id.as_str()].concat(),
            Self::Clock => "s/clock".to_owned(),
            Self::Countries => "s/countries".to_owned(),
            Self::Disbursed => "s/disbursed".to_owned(),
            Self::Parameters => "s/parameters".to_owned(),
            Self::Proposals => "s/proposals".to_owned(),
            Self::System => "s/system".to_owned(),
            Self::Tally(id) => ["t/", id.as_str()].concat(),
            Self::User(id) => ["u/", id.as_str()].concat(),
            // Ids of proposals have one length, so that none is a part of another.
            Self::Vote(proposal, voter) => ["v/", &proposal.as_str(), "/", voter.as_str()].concat(),
            Self::PendingTx(id) => ["x/", &id.as_str()].concat(),
            Self::Treasury(code) => ["y/", code.as_str()].concat(),
        }
    }
}

impl Key {
    /// Words in the order of the encoded keys. They serve as hash input too.
    pub(crate) fn sort_key(&self) -> [u64; 6] {
        let words = |kind: u8, [a, b, c]: [u64; 3]| [u64::from(kind), a, b, c, 0, 0];
        let made = |kind: u8, [a, b]: [u64; 2]| words(kind, [a, b, 0]);
        match self {
            Self::Account(id) => words(b'a', id.words()),
            Self::Action(id) => made(b'b', id.words()),
            Self::Country(code) => words(b'c', [code.word(), 0, 0]),
            Self::Admin(id) => words(b'd', id.words()),
            Self::Relationship(id) => made(b'e', id.words()),
            Self::Borrower(id) => words(b'f', id.words()),
            Self::Proposal(id) => made(b'g', id.words()),
            Self::Guardians(id) => words(b'h', id.words()),
            Self::Identity(hash) => {
                let [a, b, c, d] = hash.words();
                [u64::from(b'i'), a, b, c, d, 0]
            }
            Self::AccountKey(id) => words(b'k', id.words()),
            Self::Loan(id) => made(b'l', id.words()),
            Self::Organization(id) => words(b'n', id.words()),
            Self::Outcome(id) => made(b'o', id.words()),
            Self::Recovery(id) => made(b'r', id.words()),
            Self::Clock => words(b's', [1, 0, 0]),
            Self::Countries => words(b's', [2, 0, 0]),
            Self::Disbursed => words(b's', [3, 0, 0]),
            Self::Parameters => words(b's', [4, 0, 0]),
            Self::Proposals => words(b's', [5, 0, 0]),
            Self::System => words(b's', [6, 0, 0]),
            Self::Tally(id) => words(b't', id.words()),
            Self::User(id) => words(b'u', id.words()),
            Self::Vote(proposal, voter) => {
                let ([a, b], [c, d, e]) = (proposal.words(), voter.words());
                [u64::from(b'v'), a, b, c, d, e]
            }
            Self::PendingTx(id) => made(b'x', id.words()),
            Self::Treasury(code) => words(b'y', [code.word(), 0, 0]),
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
    /// Present while the account is frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<FreezeReason>,
    /// Absent while the account is active.
    #[serde(default, skip_serializing_if = "AccountStatus::is_active")]
    pub status: AccountStatus,
    /// Whether the account has a key, without which nothing of it is signed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyed: bool,
    /// Since when the balance has been large enough to be taxed; absent while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taxable_since: Option<TimeMs>,
    /// Whether the account is exempt from the tax.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tax_exempt: bool,
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

/// An administrator on the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admin {
    pub v: Version<1>,
    pub level: AdminLevel,
    pub appointed_at: TimeMs,
    /// The admin's own account, when they named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
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
    /// Present while the system is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Super admins in office. Absent while there is one, the first.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub super_admins: u32,
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
        let (country, frozen) = (None, None);
        let (status, keyed, taxable_since, tax_exempt) =
            (AccountStatus::Active, false, None, false);
        Self {
            v: Version,
            kind,
            account_type,
            country,
            balance,
            frozen,
            status,
            keyed,
            taxable_since,
            tax_exempt,
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

    pub(crate) fn is_user(&self) -> bool {
        self.kind == AccountKind::User
    }
}

macro_rules! records {
    ($($record:ident($stored:ty) = $key:pat,)+) => {
        /// A value of the ledger's state.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Record {
            $($record($stored),)+
        }

        impl Record {
            /// The record as the engines store it.
            pub fn encode(&self) -> Vec<u8> {
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
                match key { $($key => serde_json::from_slice(bytes).map(Self::$record),)+ }
            }
        }

        $(impl From<$stored> for Record {
            fn from(stored: $stored) -> Self { Self::$record(stored) }
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
    Account(Account) = Key::Account(_),
    Action(Action) = Key::Action(_),
    Country(Country) = Key::Country(_),
    Admin(Admin) = Key::Admin(_),
    Proposal(Proposal) = Key::Proposal(_),
    Borrower(Borrower) = Key::Borrower(_),
    Relationship(Relationship) = Key::Relationship(_),
    Guardians(Guardians) = Key::Guardians(_),
    Identity(Identity) = Key::Identity(_),
    AccountKey(KeyRecord) = Key::AccountKey(_),
    Loan(Loan) = Key::Loan(_),
    Organization(Organization) = Key::Organization(_),
    Outcome(CommandOutcome) = Key::Outcome(_),
    Recovery(Recovery) = Key::Recovery(_),
    Clock(Clock) = Key::Clock,
    Countries(Countries) = Key::Countries,
    Disbursed(Disbursed) = Key::Disbursed,
    Parameters(StoredParameters) = Key::Parameters,
    Proposals(ActiveProposals) = Key::Proposals,
    System(System) = Key::System,
    Tally(Tally) = Key::Tally(_),
    User(User) = Key::User(_),
    PendingTx(PendingTx) = Key::PendingTx(_),
    Treasury(Treasury) = Key::Treasury(_),
    Vote(CastVote) = Key::Vote(_, _),
}

#[derive(Debug, Clone)]
enum Slot {
    /// Asked for, not yet supplied.
    Wanted,
    /// As the ledger holds it.
    Read(Option<Record>),
    /// As this batch leaves it.
    Written(Record),
}

impl Slot {
    fn record(&self) -> Option<&Record> {
        match self {
            Self::Wanted => None,
            Self::Read(record) => record.as_ref(),
            Self::Written(record) => Some(record),
        }
    }
}

/// The part of the ledger's state that an execution has seen, with its own writes on top.
///
/// Reading a key that was not supplied yet notes it as missing and abandons the attempt. A key is
/// read before it is written.
#[derive(Debug, Default)]
pub struct State {
    index: Index,
    slots: Vec<Slot>,
    /// Keys that became wanted since they were last taken; each once.
    missing: Vec<Key>,
    /// Whether a read met a wanted key since the missing keys were last taken.
    starved: bool,
    /// What the current command has overwritten, oldest first.
    undo: Vec<(usize, Slot)>,
    /// What holds while the ledger has no record of parameters.
    defaults: StoredParameters,
}

impl State {
    /// Room for so many keys.
    pub(crate) fn with_capacity(keys: usize) -> Self {
        let (index, slots) = (Index::with_capacity(keys), Vec::with_capacity(keys));
        Self { index, slots, missing: Vec::with_capacity(keys), ..Self::default() }
    }

    /// The place of a key that is known; notes it as missing otherwise.
    fn known(&mut self, key: &Key) -> Option<usize> {
        let place = match self.index.find(key) {
            Some(place) => place,
            None => {
                self.missing.push(*key);
                self.slots.push(Slot::Wanted);
                self.index.insert(*key)
            }
        };
        if matches!(self.slots.get(place), None | Some(Slot::Wanted)) {
            self.starved = true;
            return None;
        }
        Some(place)
    }

    /// Whether the key is known; notes it as missing otherwise.
    pub(crate) fn want(&mut self, key: Key) -> bool {
        self.known(&key).is_some()
    }

    /// Abandons the attempt unless all keys are known. Keys that will be read one after the other
    /// cost one round trip to the engine this way instead of one each.
    pub(crate) fn load(&mut self, keys: impl IntoIterator<Item = Key>) -> Result<(), Stop> {
        let mut all_known = true;
        for key in keys {
            all_known &= self.want(key);
        }
        if all_known { Ok(()) } else { Err(Stop::Missing) }
    }

    pub(crate) fn get<R: Stored>(&mut self, key: Key) -> Result<Option<R>, Stop> {
        let place = self.known(&key).ok_or(Stop::Missing)?;
        Ok(self.slots.get(place).and_then(Slot::record).and_then(R::of).cloned())
    }

    pub(crate) fn put(&mut self, key: Key, record: impl Into<Record>) -> Result<(), Stop> {
        let place = self.known(&key).ok_or(Stop::Missing)?;
        if let Some(slot) = self.slots.get_mut(place) {
            let before = std::mem::replace(slot, Slot::Written(record.into()));
            self.undo.push((place, before));
        }
        Ok(())
    }

    /// Makes the current command's writes final.
    pub(crate) fn commit(&mut self) {
        self.undo.clear();
    }

    /// Takes the current command's writes back.
    pub(crate) fn rollback(&mut self) {
        self.rollback_to(0);
    }

    /// How many writes the current command has made.
    pub(crate) fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back all but the first so many writes of the current command.
    pub(crate) fn rollback_to(&mut self, mark: usize) {
        while self.undo.len() > mark {
            let Some((place, before)) = self.undo.pop() else { return };
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = before;
            }
        }
    }

    /// The keys to ask the host for.
    pub(crate) fn take_missing(&mut self) -> Vec<Key> {
        self.starved = false;
        std::mem::take(&mut self.missing)
    }

    /// Whether something that was read is missing.
    pub(crate) fn is_starved(&self) -> bool {
        self.starved
    }

    pub(crate) fn supply(
        &mut self,
        key: Key,
        bytes: Option<&[u8]>,
    ) -> Result<(), serde_json::Error> {
        let record = bytes.map(|bytes| Record::decode(&key, bytes)).transpose()?;
        let place = match self.index.find(&key) {
            Some(place) => place,
            None => {
                self.slots.push(Slot::Wanted);
                self.index.insert(key)
            }
        };
        if let Some(slot @ Slot::Wanted) = self.slots.get_mut(place) {
            *slot = Slot::Read(record);
        }
        Ok(())
    }

    /// Everything written, in the order of the encoded keys.
    pub(crate) fn writes(&self) -> Vec<(&Key, &Record)> {
        let mut writes: Vec<_> = self
            .index
            .keys()
            .zip(&self.slots)
            .filter_map(|(key, slot)| match slot {
                Slot::Written(record) => Some((key.sort_key(), key, record)),
                Slot::Wanted | Slot::Read(_) => None,
            })
            .collect();
        writes.sort_unstable_by_key(|(sort_key, ..)| *sort_key);
        writes.into_iter().map(|(_, key, record)| (key, record)).collect()
    }

    pub(crate) fn account(&mut self, id: &AccountId) -> Result<Option<Account>, Stop> {
        self.get(Key::Account(*id))
    }

    /// The account, or the refusal that it is not on the ledger.
    pub(crate) fn existing_account(&mut self, id: &AccountId) -> Result<Account, Stop> {
        let account = self.account(id)?;
        account.ok_or_else(|| Refusal::AccountNotFound.because(format!("no account {id}")).into())
    }

    pub(crate) fn put_account(&mut self, id: &AccountId, account: Account) -> Result<(), Stop> {
        self.put(Key::Account(*id), account)
    }

    pub(crate) fn system(&mut self) -> Result<Option<System>, Stop> {
        self.get(Key::System)
    }

    /// The parameters in force. Costs a look-up and a count, no decoding and no allocation.
    pub(crate) fn params(&mut self) -> Result<Arc<Parameters>, Stop> {
        let stored: Option<StoredParameters> = self.get(Key::Parameters)?;
        Ok(stored.map_or_else(|| Arc::clone(&self.defaults.0), |stored| stored.0))
    }

    pub(crate) fn countries(&mut self) -> Result<Countries, Stop> {
        Ok(self.get(Key::Countries)?.unwrap_or_default())
    }

    pub(crate) fn country(&mut self, code: CountryCode) -> Result<Option<Country>, Stop> {
        self.get(Key::Country(code))
    }
}
