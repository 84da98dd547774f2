//! Commands for the tests.

use gx_contract::admin::{BootstrapSystem, CountryWeight, InitializeCountryData};
use gx_contract::identity::{CreateUser, IdentityHash};
use gx_contract::tokenomics::Transfer;
use gx_contract::{Batch, Command, Context, Envelope, TOTAL_WEIGHT};
use gx_types::{
    AccountId, AccountType, Actor, Amount, BatchId, CommandId, NetworkId, Role, TimeMs,
};

/// Makes envelopes and batches whose ids are new.
#[derive(Debug, Default)]
pub(crate) struct Load {
    ids: u128,
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId::from_entropy("IN".parse().unwrap(), AccountType::Individual, [number; 16])
}

/// What a batch is executed in that the only organization of the network here submits.
pub(crate) fn context(role: Role, time: TimeMs) -> Context {
    Context { role, time, organization: "Org1MSP".parse().unwrap() }
}

impl Load {
    pub(crate) fn starting_at(ids: u128) -> Self {
        Self { ids }
    }

    /// The last id; the next ones follow it.
    pub(crate) fn ids(&self) -> u128 {
        self.ids
    }

    pub(crate) fn envelope(&mut self, actor: Actor, command: impl Into<Command>) -> Envelope {
        self.ids += 1;
        let command_id = CommandId::from_u128(self.ids);
        Envelope { command_id, actor, command: command.into(), signature: None }
    }

    pub(crate) fn batch(&mut self, role: Role, commands: Vec<Envelope>) -> Batch {
        self.ids += 1;
        Batch { batch_id: BatchId::from_u128(self.ids), role, commands }
    }

    /// What makes a ledger ready for users.
    pub(crate) fn foundation(&mut self) -> Batch {
        let admin = "root".parse().unwrap();
        let countries =
            vec![CountryWeight { country_code: "IN".parse().unwrap(), weight: TOTAL_WEIGHT }];
        let commands = vec![
            self.envelope(
                Actor::System,
                BootstrapSystem {
                    first_super_admin: admin,
                    network_id: NetworkId::Devnet,
                    account_id: None,
                    key: None,
                },
            ),
            self.envelope(Actor::Admin(admin), InitializeCountryData { countries }),
        ];
        self.batch(Role::SuperAdmin, commands)
    }

    pub(crate) fn openings(&mut self, accounts: u8) -> Batch {
        let open = |number: u8| CreateUser {
            user_id: account(number),
            identity_hash: IdentityHash::from_bytes([number; 32]),
            country: "IN".parse().unwrap(),
            age: 30,
            account_type: AccountType::Individual,
            attestation: None,
        };
        let commands = (0..accounts).map(|n| self.envelope(Actor::System, open(n))).collect();
        self.batch(Role::PartnerApi, commands)
    }

    pub(crate) fn payment(&mut self, from: u8, to: u8, qirat: u64) -> Envelope {
        let (from, to, amount) = (account(from), account(to), Amount::from_qirat(qirat));
        let remark = String::new();
        self.envelope(Actor::User(from), Transfer { from, to, amount, remark })
    }

    /// Payments among accounts, each 3 GX with a fee.
    pub(crate) fn payments(&mut self, count: usize, accounts: u8) -> Batch {
        let commands = (0..count)
            .map(|at| {
                let from = (at % usize::from(accounts)) as u8;
                self.payment(from, (from + 1) % accounts, 3_000_000)
            })
            .collect();
        self.batch(Role::PartnerApi, commands)
    }
}
