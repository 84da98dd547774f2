//! Accounts by number, and the commands that open them and move coins between them.
//!
//! One country and one age, so that every account starts with the same balance: what a figure
//! measures must not depend on who pays whom.

use anyhow::{Context, Result};
use gx_contract::admin::{BootstrapSystem, CountryWeight, InitializeCountryData};
use gx_contract::identity::{CreateUser, IdentityHash};
use gx_contract::tokenomics::Transfer;
use gx_contract::{Command, Envelope, TOTAL_WEIGHT};
use gx_types::{AccountId, AccountType, Actor, AdminId, Amount, CommandId, CountryCode, NetworkId};

use super::draw::{Draw, mix};

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
        let (first_super_admin, network_id) = (self.admin, NetworkId::Devnet);
        let countries = vec![CountryWeight { country_code: self.country, weight: TOTAL_WEIGHT }];
        [
            self.envelope(Actor::System, BootstrapSystem { first_super_admin, network_id }),
            self.envelope(Actor::Admin(first_super_admin), InitializeCountryData { countries }),
        ]
    }

    /// The command that opens an account by its number.
    pub(crate) fn opening(&mut self, number: usize) -> Option<Envelope> {
        let user_id = *self.ids.get(number)?;
        let mut hash = [0; 32];
        hash.iter_mut().zip((number as u64).to_be_bytes()).for_each(|(to, from)| *to = from);
        let identity_hash = IdentityHash::from_bytes(hash);
        let (country, account_type) = (self.country, AccountType::Individual);
        let create = CreateUser { user_id, identity_hash, country, age: 30, account_type };
        Some(self.envelope(Actor::System, create))
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

    fn envelope(&mut self, actor: Actor, command: impl Into<Command>) -> Envelope {
        let command_id = CommandId::from_u128(self.draw.wide());
        Envelope { command_id, actor, command: command.into(), signature: None }
    }
}

/// Ids look random, as real ones do: neighbours in number are no neighbours in order.
fn account(country: CountryCode, number: u64) -> AccountId {
    let wide = u128::from(mix(number)) << 64 | u128::from(mix(number ^ u64::MAX));
    AccountId::from_entropy(country, AccountType::Individual, wide.to_be_bytes())
}
