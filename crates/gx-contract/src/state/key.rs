//! Keys of the ledger's state. They are prefix-safe: caller text stands only at their end.

use gx_types::{
    AccountId, ActionId, AdminId, CommandId, CountryCode, LoanId, PendingTxId, ProposalId,
    RecoveryId, RelationshipId,
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
