//! Accounts by number, and the commands that open them and move coins between them.
//!
//! One country and one age, so that every account starts with the same balance: what a figure
//! measures must not depend on who pays whom.

use anyhow::{Context, Result};
use ed25519_dalek::{Signer, SigningKey};
use gx_contract::admin::{BootstrapSystem, CountryWeight, InitializeCountryData};
use gx_contract::identity::{CreateUser, IdentityHash, RegisterKey};
use gx_contract::tokenomics::Transfer;
use gx_contract::{
    Attestation, Attested, Command, Envelope, PublicKey, Signature, SignatureBytes, TOTAL_WEIGHT,
    key_proof_bytes,
};
use gx_types::{
    AccountId, AccountType, Actor, AdminId, Amount, AttesterId, CommandId, CountryCode, NetworkId,
    TimeMs,
};

use super::draw::{Draw, mix};

/// The network of the load, which signatures name.
const NETWORK: NetworkId = NetworkId::Devnet;

/// What every payment moves: with the fee of 5 basis points it stays in one tier.
const PAYMENT: Amount = Amount::from_qirat(3_000_000);

/// A set of accounts in one country, and a source of commands on them.
#[derive(Debug)]
pub(crate) struct Population {
    country: CountryCode,
    admin: AdminId,
    ids: Vec<AccountId>,
    draw: Draw,
}

impl Population {
    pub(crate) fn new(accounts: usize, seed: u64) -> Result<Self> {
        let country: CountryCode = "IN".parse().context("country of the load")?;
        let admin: AdminId = "bench".parse().context("admin of the load")?;
        let ids = (0..accounts as u64).map(|number| account(country, number)).collect();
        Ok(Self { country, admin, ids, draw: Draw::new(seed) })
    }

    /// The two commands that make a ledger ready for users, for a super admin's batch.
    pub(crate) fn foundation(&mut self) -> [Envelope; 2] {
        let first_super_admin = self.admin;
        let countries = vec![CountryWeight { country_code: self.country, weight: TOTAL_WEIGHT }];
        [
            self.envelope(
                Actor::System,
                BootstrapSystem {
                    first_super_admin,
                    network_id: NETWORK,
                    account_id: None,
                    key: None,
                },
            ),
            self.envelope(Actor::Admin(first_super_admin), InitializeCountryData { countries }),
        ]
    }

    /// The command that opens an account by its number.
    pub(crate) fn opening(&mut self, number: usize) -> Option<Envelope> {
        let create = self.birth(number, 30)?;
        Some(self.envelope(Actor::System, create))
    }

    /// The command by which somebody of that age has the account.
    pub(crate) fn birth(&self, number: usize, age: u16) -> Option<CreateUser> {
        let user_id = *self.ids.get(number)?;
        let mut hash = [0; 32];
        hash.iter_mut().zip((number as u64).to_be_bytes()).for_each(|(to, from)| *to = from);
        let identity_hash = IdentityHash::from_bytes(hash);
        let (country, account_type) = (self.country, AccountType::Individual);
        let attestation = None;
        Some(CreateUser { user_id, identity_hash, country, age, account_type, attestation })
    }

    /// A payment between two accounts drawn from the first `among`.
    pub(crate) fn payment(&mut self, among: usize) -> Option<Envelope> {
        let among = among.min(self.ids.len());
        let from = self.draw.place(among);
        // A step of 1 to all but one leads to another account than the sender's.
        let step = 1 + self.draw.place(among.checked_sub(1)?);
        let (from, to) = (*self.ids.get(from)?, *self.ids.get((from + step) % among)?);
        let remark = String::new();
        Some(self.envelope(Actor::User(from), Transfer { from, to, amount: PAYMENT, remark }))
    }

    /// A payment from one account to another, by their numbers.
    pub(crate) fn paying(&mut self, from: usize, to: usize, amount: Amount) -> Option<Envelope> {
        let (from, to) = (*self.ids.get(from)?, *self.ids.get(to)?);
        let remark = String::new();
        Some(self.envelope(Actor::User(from), Transfer { from, to, amount, remark }))
    }

    /// The command that gives an account its key; commands of the account are signed from then on.
    pub(crate) fn registration(&mut self, number: usize) -> Option<Envelope> {
        let user_id = *self.ids.get(number)?;
        let register = RegisterKey { user_id, public_key: public_key(number), proof: NO_PROOF };
        Some(proven(self.envelope(Actor::User(user_id), register), number))
    }

    /// A payment of an account among the first `keyed`, signed by its key.
    pub(crate) fn signed_payment(&mut self, keyed: usize, expires_at: TimeMs) -> Option<Envelope> {
        let keyed = keyed.min(self.ids.len());
        let number = self.draw.place(keyed);
        let (from, to) = (*self.ids.get(number)?, *self.ids.get((number + 1) % keyed)?);
        let remark = String::new();
        let payment = Transfer { from, to, amount: PAYMENT, remark };
        let envelope = self.envelope(Actor::User(from), payment);
        Some(signed(envelope, number, expires_at))
    }

    pub(crate) fn id(&self, number: usize) -> Option<AccountId> {
        self.ids.get(number).copied()
    }

    /// An id that no account of the load has.
    pub(crate) fn new_id(&mut self, country: CountryCode, kind: AccountType) -> AccountId {
        AccountId::from_entropy(country, kind, self.draw.bytes())
    }

    /// The admin whom bootstrap names.
    pub(crate) fn admin(&self) -> AdminId {
        self.admin
    }

    pub(crate) fn country(&self) -> CountryCode {
        self.country
    }

    /// A command under an id of its own.
    pub(crate) fn envelope(&mut self, actor: Actor, command: impl Into<Command>) -> Envelope {
        let command_id = CommandId::from_u128(self.draw.wide());
        Envelope { command_id, actor, command: command.into(), signature: None }
    }
}

/// The command with a signature by the key of the account of that number.
pub(crate) fn signed(mut envelope: Envelope, number: usize, expires_at: TimeMs) -> Envelope {
    let bytes = envelope.signed_bytes(NETWORK, expires_at);
    let signature = SignatureBytes::from_bytes(signing_key(number).sign(&bytes).to_bytes());
    envelope.signature = Some(Signature { signature, expires_at });
    envelope
}

/// A proof that [`proven`] fills in when the command has its id.
pub(crate) const NO_PROOF: SignatureBytes = SignatureBytes::from_bytes([0; 64]);

/// The command that sets the key of that number, with the key's word for it.
pub(crate) fn proven(mut envelope: Envelope, number: usize) -> Envelope {
    let command_id = envelope.command_id;
    if let Some(new) = envelope.new_key() {
        let bytes = key_proof_bytes(NETWORK, &new.holder, command_id);
        *new.proof = SignatureBytes::from_bytes(signing_key(number).sign(&bytes).to_bytes());
    }
    envelope
}

/// The word for a person of the attester that has the key of that number.
pub(crate) fn attested(
    said: &Attested,
    attester_id: AttesterId,
    number: usize,
    expires_at: TimeMs,
) -> Box<Attestation> {
    let bytes = said.signed_bytes(NETWORK, &attester_id, expires_at);
    let signature = SignatureBytes::from_bytes(signing_key(number).sign(&bytes).to_bytes());
    Box::new(Attestation { attester_id, signature, expires_at })
}

/// The key of the account of that number.
pub(crate) fn public_key(number: usize) -> PublicKey {
    PublicKey::from_bytes(signing_key(number).verifying_key().to_bytes())
}

/// The key of an account of the load. It protects nothing: anybody can compute it.
fn signing_key(number: usize) -> SigningKey {
    let mut seed = [1; 32];
    seed.iter_mut().zip((number as u64).to_be_bytes()).for_each(|(to, from)| *to = from);
    SigningKey::from_bytes(&seed)
}

/// Ids look random, as real ones do: neighbours in number are no neighbours in order.
fn account(country: CountryCode, number: u64) -> AccountId {
    let wide = u128::from(mix(number)) << 64 | u128::from(mix(number ^ u64::MAX));
    AccountId::from_entropy(country, AccountType::Individual, wide.to_be_bytes())
}
