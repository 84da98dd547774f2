//! A ledger in memory: the contract run over a map, in blocks with made-up hashes.

use crate::backend::NETWORK;
use gx_contract::admin::{BootstrapSystem, CountryWeight, InitializeCountryData};
use gx_contract::identity::{CreateUser, IdentityHash};
use gx_contract::state::{Account, Key, Record};
use gx_contract::testing::Memory;
use gx_contract::tokenomics::Transfer;
use gx_contract::{Batch, BatchRecord, Command, Context, Envelope, Query};
use gx_store::projection::ProjectedBlock;
use gx_types::{
    AccountId, AccountType, Actor, AdminId, Amount, BatchId, CommandId, MspId, Role, TimeMs,
};

/// A block and everything in it.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) number: u64,
    pub(crate) hash: [u8; 32],
    pub(crate) prev_hash: [u8; 32],
    pub(crate) role: Role,
    pub(crate) commands: Vec<Envelope>,
    pub(crate) record: BatchRecord,
}

impl Block {
    pub(crate) fn projected(&self) -> ProjectedBlock<'_> {
        ProjectedBlock {
            number: self.number,
            hash: self.hash,
            prev_hash: self.prev_hash,
            role: self.role,
            commands: &self.commands,
            record: &self.record,
        }
    }
}

/// The ledger.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    ledger: Memory,
    pub(crate) blocks: Vec<Block>,
    ids: u128,
    /// How much later than a second a block the ledger is, in milliseconds.
    later: i64,
    /// Who submits, when it is not the platform.
    pub(crate) organization: Option<MspId>,
}

/// The time of block 1; each block is a second later than the one before.
pub(crate) const START: i64 = 1_700_000_000_000;

impl Chain {
    /// A command under an id that no other has.
    pub(crate) fn envelope(&mut self, actor: Actor, command: impl Into<Command>) -> Envelope {
        self.ids += 1;
        let command_id = CommandId::from_u128(self.ids.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C));
        Envelope { command_id, actor, command: command.into(), signature: None }
    }

    /// Executes a batch under an id of its own.
    pub(crate) fn execute(&mut self, role: Role, commands: Vec<Envelope>) -> &Block {
        self.ids += 1;
        self.execute_as(BatchId::from_u128(self.ids), role, commands)
    }

    pub(crate) fn execute_as(
        &mut self,
        batch_id: BatchId,
        role: Role,
        commands: Vec<Envelope>,
    ) -> &Block {
        let number = u64::try_from(self.blocks.len()).unwrap() + 1;
        let time = TimeMs(START + i64::try_from(number).unwrap() * 1000 + self.later);
        let batch = Batch { batch_id, role, commands };
        let organization = self.organization.unwrap_or(MspId::PLATFORM);
        let context = Context { role, time, organization };
        let record = self.ledger.execute(&batch, context).unwrap();
        let prev_hash = self.blocks.last().map_or([7; 32], |block| block.hash);
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        let commands = batch.commands;
        self.blocks.push(Block { number, hash, prev_hash, role, commands, record });
        self.blocks.last().unwrap()
    }

    /// Lets days pass before the next block.
    pub(crate) fn wait(&mut self, days: u32) {
        self.later = TimeMs(self.later).plus_days(days).0;
    }

    /// The time of the last block.
    pub(crate) fn now(&self) -> TimeMs {
        self.blocks.last().unwrap().record.time
    }

    /// What the ledger answers to a query.
    pub(crate) fn ask(&self, query: impl Into<Query>) -> serde_json::Value {
        serde_json::from_str(&self.ledger.ask(query).unwrap().unwrap()).unwrap()
    }

    /// What the ledger holds of an account.
    pub(crate) fn account(&self, id: &AccountId) -> Account {
        let key = Key::Account(*id);
        match Record::decode(&key, self.ledger.value(&key).unwrap()).unwrap() {
            Record::Account(account) => account,
            other => panic!("{other:?}"),
        }
    }

    /// Bootstraps the system with the countries IN and LS.
    pub(crate) fn bootstrap(&mut self) {
        let (first_super_admin, network_id) = (admin(), NETWORK);
        let bootstrap =
            BootstrapSystem { first_super_admin, network_id, account_id: None, key: None };
        let bootstrap = self.envelope(Actor::System, bootstrap);
        let weights = [("IN", 99_000_000), ("LS", 1_000_000)];
        let countries = weights.map(|(country, weight)| {
            let country_code = country.parse().unwrap();
            CountryWeight { country_code, weight }
        });
        let countries = InitializeCountryData { countries: countries.to_vec() };
        let countries = self.envelope(Actor::Admin(admin()), countries);
        self.execute(Role::SuperAdmin, vec![bootstrap, countries]);
    }

    pub(crate) fn create(&mut self, user: &AccountId, age: u16) -> Envelope {
        let mut hash = [0; 32];
        for (place, byte) in user.as_str().bytes().enumerate() {
            hash[place % 32] ^= byte;
        }
        let create = CreateUser {
            user_id: *user,
            identity_hash: IdentityHash::from_bytes(hash),
            country: user.layout().unwrap().country,
            age,
            account_type: AccountType::Individual,
            attestation: None,
        };
        self.envelope(Actor::System, create)
    }

    /// Opens accounts for grown-ups, who get genesis.
    pub(crate) fn create_users(&mut self, users: &[AccountId]) -> &Block {
        let commands = users.iter().map(|user| self.create(user, 30)).collect();
        self.execute(Role::PartnerApi, commands)
    }

    pub(crate) fn transfer(&mut self, from: &AccountId, to: &AccountId, gx: &str) -> Envelope {
        let amount = Amount::from_gx_text(gx).unwrap();
        let transfer = Transfer { from: *from, to: *to, amount, remark: format!("{gx} GX") };
        self.envelope(Actor::User(*from), transfer)
    }
}

pub(crate) fn admin() -> AdminId {
    "root".parse().unwrap()
}

/// The person with a number, of India or, every third, of Lesotho.
pub(crate) fn person(number: u64) -> AccountId {
    let mut entropy = [0; 16];
    entropy[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    entropy[8..].copy_from_slice(&number.to_le_bytes());
    let country = if number.is_multiple_of(3) { "LS" } else { "IN" };
    AccountId::from_entropy(country.parse().unwrap(), AccountType::Individual, entropy)
}
