//! A populated state, and what preparations of figures need of it: people whom nothing has happened
//! to yet, two super admins, and commands carried out on their behalf.

use anyhow::{Context, Result};
use gx_contract::admin::AppointAdmin;
use gx_contract::identity::{CreateUser, RegisterKey};
use gx_contract::state::AdminLevel;
use gx_contract::{Batch, Command};
use gx_types::{AccountId, Actor, AdminId, CommandId, CountryCode, MspId, Role};

use super::Scale;
use super::host::Host;
use crate::load::{NO_PROOF, Population, proven, public_key, signed};

/// A user, and the number by which the load knows their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) number: usize,
    pub(super) id: AccountId,
}

/// Who gives a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    System,
    /// The first super admin.
    First,
    /// The other one.
    Second,
    /// An admin with keys by number: the one that signs, and the one that the command sets.
    Clerk(AdminId, Option<usize>, usize),
    Person(Person),
    /// A person, and the number of the key that the command sets.
    Setter(Person, usize),
    /// The first super admin, and the number of the key that the command sets.
    FirstSetter(usize),
}

/// A command to be given.
pub(super) type Order = (By, Command);

/// An order for each of a list.
pub(super) fn each<T: Copy, C: Into<Command>>(
    of: &[T],
    order: impl Fn(T) -> (By, C),
) -> Vec<Order> {
    let orders = of.iter().map(|one| order(*one));
    orders.map(|(by, command)| (by, command.into())).collect()
}

/// What is measured: orders, in batches, on a prepared state.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) role: Role,
    pub(super) orders: Vec<Order>,
    /// Orders of a batch.
    pub(super) batch: usize,
    /// The state, when it is not the town's.
    pub(super) host: Option<Host>,
    /// Who submits the orders, when it is not who submits all others.
    pub(super) organization: Option<MspId>,
}

#[derive(Debug)]
pub(super) struct Town {
    population: Population,
    pub(super) host: Host,
    scale: Scale,
    /// People whom nothing has happened to start at this number.
    fresh: usize,
    /// Accounts that are not opened start at this number.
    unborn: usize,
    second: AdminId,
}

impl Town {
    pub(super) fn new(population: Population, host: Host, scale: Scale) -> Result<Self> {
        let second: AdminId = "bench-2".parse().context("second admin of the load")?;
        let (fresh, unborn) = (scale.keyed, scale.accounts);
        let mut town = Self { population, host, scale, fresh, unborn, second };
        town.appoint_second()?;
        Ok(town)
    }

    /// Has two super admins, who decide together.
    pub(super) fn appoint_second(&mut self) -> Result<()> {
        let (level, account_id) = (AdminLevel::SuperAdmin, None);
        let appoint = AppointAdmin { admin_id: self.second, level, account_id, emergency: false };
        self.act(Role::SuperAdmin, vec![(By::First, appoint.into())]).map(drop)
    }

    /// How many orders are measured of a command.
    pub(super) fn count(&self) -> usize {
        self.scale.batch * self.scale.batches
    }

    /// People whom no figure before has had to do with, without keys.
    pub(super) fn people(&mut self, count: usize) -> Result<Vec<Person>> {
        let numbers = self.fresh..self.fresh + count;
        self.fresh = numbers.end;
        anyhow::ensure!(numbers.end <= self.scale.accounts, "the town is too small");
        numbers.map(|number| self.person(number)).collect()
    }

    /// The same in groups.
    pub(super) fn groups<const N: usize>(&mut self, count: usize) -> Result<Vec<[Person; N]>> {
        let people = self.people(count * N)?;
        Ok(people.as_chunks().0.to_vec())
    }

    pub(super) fn person(&self, number: usize) -> Result<Person> {
        let id = self.population.id(number).context("no account has this number")?;
        Ok(Person { number, id })
    }

    /// Commands by which people of that age come, who are not on the ledger yet.
    pub(super) fn births(&mut self, count: usize, age: u16) -> Result<Vec<CreateUser>> {
        let numbers = self.unborn..self.unborn + count;
        self.unborn = numbers.end;
        let births = numbers.map(|number| self.population.birth(number, age));
        births.collect::<Option<_>>().context("the town has no more spare accounts")
    }

    pub(super) fn population(&mut self) -> &mut Population {
        &mut self.population
    }

    pub(super) fn second(&self) -> AdminId {
        self.second
    }

    pub(super) fn country(&self) -> CountryCode {
        self.population.country()
    }

    /// Has orders carried out; returns the ids of the commands.
    pub(super) fn act(&mut self, role: Role, orders: Vec<Order>) -> Result<Vec<CommandId>> {
        self.carry_out(role, &orders, false)
    }

    /// The same by people who have keys.
    pub(super) fn act_signed(&mut self, role: Role, orders: Vec<Order>) -> Result<Vec<CommandId>> {
        self.carry_out(role, &orders, true)
    }

    fn carry_out(&mut self, role: Role, orders: &[Order], sign: bool) -> Result<Vec<CommandId>> {
        let mut ids = Vec::with_capacity(orders.len());
        for batch in self.batches(role, orders, self.scale.batch, sign) {
            ids.extend(batch.commands.iter().map(|envelope| envelope.command_id));
            self.host.applied(role, batch.commands)?;
        }
        Ok(ids)
    }

    /// Gives people keys; from then on they sign.
    pub(super) fn give_keys(&mut self, people: &[Person]) -> Result<()> {
        let register = |person: Person| {
            let (user_id, public_key) = (person.id, public_key(person.number));
            let register = RegisterKey { user_id, public_key, proof: NO_PROOF };
            (By::Setter(person, person.number), register)
        };
        self.act(Role::PartnerApi, each(people, register)).map(drop)
    }

    pub(super) fn wait_days(&mut self, days: u32) {
        self.host.now = self.host.now.plus_days(days);
    }

    /// Batches of orders, each command of a person signed by their key if that is asked for.
    pub(super) fn batches(
        &mut self,
        role: Role,
        orders: &[Order],
        size: usize,
        sign: bool,
    ) -> Vec<Batch> {
        let expiry = self.host.now.plus_hours(1);
        let mut batches = Vec::with_capacity(orders.len().div_ceil(size));
        for orders in orders.chunks(size) {
            let mut commands = Vec::with_capacity(orders.len());
            for (by, command) in orders {
                let actor = match by {
                    By::System => Actor::System,
                    By::First | By::FirstSetter(_) => Actor::Admin(self.population.admin()),
                    By::Second => Actor::Admin(self.second),
                    By::Clerk(admin, _, _) => Actor::Admin(*admin),
                    By::Person(person) | By::Setter(person, _) => Actor::User(person.id),
                };
                let envelope = self.population.envelope(actor, command.clone());
                commands.push(match by {
                    By::Person(person) if sign => signed(envelope, person.number, expiry),
                    By::Setter(person, new) if sign => {
                        signed(proven(envelope, *new), person.number, expiry)
                    }
                    By::Setter(_, new) | By::FirstSetter(new) => proven(envelope, *new),
                    By::Clerk(_, None, new) => proven(envelope, *new),
                    By::Clerk(_, Some(old), new) => signed(proven(envelope, *new), *old, expiry),
                    By::Person(_) | By::System | By::First | By::Second => envelope,
                });
            }
            batches.push(self.host.batch(role, commands));
        }
        batches
    }

    /// A trial on the town's state, in batches of the usual size.
    pub(super) fn trial(&self, role: Role, orders: Vec<Order>) -> Trial {
        Trial { role, orders, batch: self.scale.batch, host: None, organization: None }
    }

    /// Another state, as `prepare` makes it from nothing.
    pub(super) fn elsewhere(
        &mut self,
        prepare: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<Host> {
        let here = std::mem::take(&mut self.host);
        let prepared = prepare(self);
        let there = std::mem::replace(&mut self.host, here);
        prepared.map(|()| there)
    }
}
