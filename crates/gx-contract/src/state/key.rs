//! Keys of the ledger's state. They are prefix-safe: caller text stands only at their end.

use gx_types::{
    AccountId, ActionId, AdminId, AttesterId, CommandId, CountryCode, EscrowId, LoanId,
    PendingTxId, ProposalId, RecoveryId, RelationshipId,
};

use crate::identity::IdentityHash;

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
    /// What may leave an account in a day.
    SpendingLimit(AccountId),
    Organization(AccountId),
    Outcome(CommandId),
    /// Who attests.
    Attester(AttesterId),
    /// The last order to reset an account's key.
    KeyReset(AccountId),
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
    Escrow(EscrowId),
    PendingTx(PendingTxId),
    /// Present when the country's treasury may pay.
    Treasury(CountryCode),
}

impl Key {
    /// The key as the engines store it.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(32);
        self.encode_to(&mut text);
        text
    }

    /// Whether an encoded key is that of an outcome. Engines find those in ways of their own.
    pub fn is_outcome(encoded: &str) -> bool {
        encoded.starts_with("o/")
    }

    /// Appends the key as the engines store it.
    pub fn encode_to(&self, text: &mut String) {
        let mut parts = |prefix: &str, id: &str| {
            text.push_str(prefix);
            text.push_str(id);
        };
        match self {
            Self::Account(id) => parts("a/", id.as_str()),
            Self::Action(id) => parts("b/", &id.as_str()),
            Self::Country(code) => parts("c/", code.as_str()),
            Self::Admin(id) => parts("d/", id.as_str()),
            Self::Relationship(id) => parts("e/", &id.as_str()),
            Self::Borrower(id) => parts("f/", id.as_str()),
            Self::Proposal(id) => parts("g/", &id.as_str()),
            Self::Guardians(id) => parts("h/", id.as_str()),
            Self::Identity(hash) => parts("i/", &hash.to_string()),
            Self::AccountKey(id) => parts("k/", id.as_str()),
            Self::Loan(id) => parts("l/", &id.as_str()),
            Self::SpendingLimit(id) => parts("m/", id.as_str()),
            Self::Organization(id) => parts("n/", id.as_str()),
            Self::Outcome(id) => parts("o/", &id.as_str()),
            Self::Attester(id) => parts("p/", id.as_str()),
            Self::KeyReset(id) => parts("q/", id.as_str()),
            Self::Recovery(id) => parts("r/", &id.as_str()),
            Self::Clock => parts("s/", "clock"),
            Self::Countries => parts("s/", "countries"),
            Self::Disbursed => parts("s/", "disbursed"),
            Self::Parameters => parts("s/", "parameters"),
            Self::Proposals => parts("s/", "proposals"),
            Self::System => parts("s/", "system"),
            Self::Tally(id) => parts("t/", id.as_str()),
            Self::User(id) => parts("u/", id.as_str()),
            Self::Vote(proposal, voter) => {
                // Ids of proposals have one length, so that none is a part of another.
                parts("v/", &proposal.as_str());
                parts("/", voter.as_str());
            }
            Self::Escrow(id) => parts("w/", &id.as_str()),
            Self::PendingTx(id) => parts("x/", &id.as_str()),
            Self::Treasury(code) => parts("y/", code.as_str()),
        }
    }
}

impl Key {
    /// The first 16 bytes of [`Self::sort_key`], counting one for the kind.
    pub(crate) fn sort_prefix(&self) -> u128 {
        let [kind, a, b, ..] = self.sort_key();
        u128::from(kind) << 120 | u128::from(a) << 56 | u128::from(b >> 8)
    }

    /// The place of a key that is one for the whole ledger among those keys.
    #[inline]
    pub(crate) const fn lone(&self) -> Option<usize> {
        match self {
            Self::Clock => Some(0),
            Self::Countries => Some(1),
            Self::Disbursed => Some(2),
            Self::Parameters => Some(3),
            Self::Proposals => Some(4),
            Self::System => Some(5),
            Self::Account(_)
            | Self::Action(_)
            | Self::Country(_)
            | Self::Admin(_)
            | Self::Relationship(_)
            | Self::Borrower(_)
            | Self::Proposal(_)
            | Self::Guardians(_)
            | Self::Identity(_)
            | Self::AccountKey(_)
            | Self::Loan(_)
            | Self::SpendingLimit(_)
            | Self::Organization(_)
            | Self::Outcome(_)
            | Self::Attester(_)
            | Self::KeyReset(_)
            | Self::Recovery(_)
            | Self::Tally(_)
            | Self::User(_)
            | Self::Vote(..)
            | Self::Escrow(_)
            | Self::PendingTx(_)
            | Self::Treasury(_) => None,
        }
    }

    /// How many keys are one for the whole ledger.
    pub(crate) const LONE: usize = 6;
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
            Self::SpendingLimit(id) => words(b'm', id.words()),
            Self::Organization(id) => words(b'n', id.words()),
            Self::Outcome(id) => made(b'o', id.words()),
            Self::Attester(id) => words(b'p', id.words()),
            Self::KeyReset(id) => words(b'q', id.words()),
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
            Self::Escrow(id) => made(b'w', id.words()),
            Self::PendingTx(id) => made(b'x', id.words()),
            Self::Treasury(code) => words(b'y', [code.word(), 0, 0]),
        }
    }
}
