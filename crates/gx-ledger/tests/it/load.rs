//! Batches for the tests, drawn from a seed: registrations, payments good and bad, freezes, pauses
//! and commands that come a second time.

use std::path::Path;

use gx_contract::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_contract::identity::CreateUser;
use gx_contract::tokenomics::Transfer;
use gx_contract::{Batch, Command, Context, Envelope, admin};
use gx_ledger::{Ledger, Limits, NodeKey, Options, Receipt};
use gx_types::{
    AccountId, AccountType, Actor, AdminId, Amount, BatchId, CommandId, NetworkId, Role, TimeMs,
};

/// Limits so low that every few batches something is moved into place.
pub(crate) const TIGHT: Limits =
    Limits { records: 40, log_bytes: 20_000, outcomes: 64, recent_bytes: 20_000 };

/// A folder in memory where there is one: for tests that open very many files and do not depend
/// on what a disk does.
pub(crate) fn quick_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn key() -> NodeKey {
    NodeKey::from_seed([7; 32])
}

pub(crate) fn options(path: &Path) -> Options {
    let options = Options::new(path, NetworkId::Devnet, TimeMs(1_000));
    Options { cache_bytes: 4 << 20, limits: TIGHT, ..options }
}

pub(crate) fn open(path: &Path) -> Ledger {
    Ledger::create_or_open(options(path), &key()).unwrap()
}

pub(crate) fn admin() -> AdminId {
    "root".parse().unwrap()
}

pub(crate) fn user(number: u32) -> AccountId {
    // The bytes from the fourth on become digits of the id.
    let digit = |place: u32| (number / 10_u32.pow(place) % 10) as u8;
    let mut entropy = [0; 16];
    entropy.iter_mut().skip(3).zip([2, 1, 0]).for_each(|(to, place)| *to = digit(place));
    let kind = AccountType::Individual;
    AccountId::from_entropy(["IN", "DE"][(number % 2) as usize].parse().unwrap(), kind, entropy)
}

pub(crate) fn transfer(from: u32, to: u32, qirat: u64) -> (Actor, Command) {
    let (from, to, remark) = (user(from), user(to), String::new());
    let amount = Amount::from_qirat(qirat);
    (Actor::User(from), Transfer { from, to, amount, remark }.into())
}

/// A source of batches; the same seed gives the same.
pub(crate) struct Load {
    random: u64,
    batches: u128,
    commands: u128,
    users: u32,
    /// Commands that have been sent, for repetition.
    sent: Vec<(Role, Envelope)>,
}

impl Load {
    pub(crate) fn new(seed: u64) -> Self {
        let (batches, commands) = (u128::from(seed) << 40, u128::from(seed) << 40);
        Self { random: seed | 1, batches, commands, users: 0, sent: Vec::new() }
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
        (self.random >> 33) % end
    }

    fn number(&mut self, end: u32) -> u32 {
        u32::try_from(self.below(u64::from(end))).unwrap()
    }

    pub(crate) fn batch(
        &mut self,
        role: Role,
        commands: impl IntoIterator<Item = (Actor, Command)>,
    ) -> Batch {
        self.batches += 1;
        let batch_id = BatchId::from_u128(self.batches);
        let commands = commands.into_iter().map(|(actor, command)| {
            self.commands += 1;
            // Spread like the hashes that real ids are.
            let id = self.commands.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
            Envelope { command_id: CommandId::from_u128(id), actor, command, signature: None }
        });
        Batch { batch_id, role, commands: commands.collect() }
    }

    /// The batches with which a ledger begins: bootstrap, two countries, `users` people.
    pub(crate) fn foundation(&mut self, users: u32) -> Vec<Batch> {
        let first = admin::BootstrapSystem {
            first_super_admin: admin(),
            network_id: NetworkId::Devnet,
            account_id: None,
            key: None,
        };
        let weight = |code: &str| admin::CountryWeight {
            country_code: code.parse().unwrap(),
            weight: 50_000_000,
        };
        let countries = vec![weight("IN"), weight("DE")];
        let countries = admin::InitializeCountryData { countries };
        self.users = users;
        let people = (0..users).map(|number| (Actor::System, Self::registration(number)));
        vec![
            self.batch(Role::SuperAdmin, [(Actor::System, first.into())]),
            self.batch(Role::SuperAdmin, [(Actor::Admin(admin()), countries.into())]),
            self.batch(Role::PartnerApi, people),
        ]
    }

    /// Goes on with a ledger that has `users` people already.
    pub(crate) fn with_users(mut self, users: u32) -> Self {
        self.users = users;
        self
    }

    fn registration(number: u32) -> Command {
        let id = user(number);
        CreateUser {
            user_id: id,
            identity_hash: format!("{number:064x}").parse().unwrap(),
            country: id.as_str()[..2].parse().unwrap(),
            age: 30,
            account_type: AccountType::Individual,
            attestation: None,
        }
        .into()
    }

    /// The next batch of up to `most` commands.
    pub(crate) fn next(&mut self, most: u64) -> Batch {
        let role = if self.below(8) == 0 { Role::SuperAdmin } else { Role::PartnerApi };
        let count = 1 + self.below(most);
        let drawn: Vec<_> = (0..count).map(|_| self.draw(role)).collect();
        let mut batch = self.batch(role, drawn);
        for envelope in &mut batch.commands {
            // One in ten is an earlier command, one in a hundred takes its id for another.
            let (again, thief) = (self.below(10) == 0, self.below(100) == 0);
            let at = usize::try_from(self.below(self.sent.len().max(1) as u64)).unwrap();
            match self.sent.get(at) {
                Some((sent, earlier)) if again && *sent == role => *envelope = earlier.clone(),
                Some((_, earlier)) if thief => envelope.command_id = earlier.command_id,
                _ => {}
            }
        }
        self.sent.extend(batch.commands.iter().map(|envelope| (role, envelope.clone())));
        batch
    }

    fn draw(&mut self, role: Role) -> (Actor, Command) {
        let users = self.users.max(1);
        let (one, other) = (self.number(users), self.number(users));
        match role {
            Role::SuperAdmin => {
                let user_id = user(one);
                let command = if self.below(2) == 0 {
                    FreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder }.into()
                } else {
                    UnfreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder }.into()
                };
                (Actor::Admin(admin()), command)
            }
            _ if self.below(20) == 0 => {
                self.users += 1;
                (Actor::System, Self::registration(self.users - 1))
            }
            // Some to themselves, some of nothing, some of more than there is.
            _ => {
                let amount = [0, 1, 1_000_000, 20_000_000, 400_000_000];
                let amount = amount[usize::try_from(self.below(5)).unwrap()];
                transfer(one, other, amount)
            }
        }
    }
}

pub(crate) fn submit(ledger: &Ledger, batch: &Batch, time: i64) -> Receipt {
    ledger.submit(batch, Context::embedded(batch.role, TimeMs(time))).unwrap()
}

/// A ledger with `users` people and `batches` batches of the load.
pub(crate) fn filled(path: &Path, seed: u64, users: u32, batches: i64) -> Ledger {
    let ledger = open(path);
    let mut load = Load::new(seed);
    for batch in load.foundation(users) {
        submit(&ledger, &batch, 2_000);
    }
    for number in 0..batches {
        submit(&ledger, &load.next(12), 3_000 + number);
    }
    ledger
}
