//! Preparations of the commands about people: accounts, keys, relationships, recovery, wallets and
//! the tax.

use anyhow::{Context, Result};
use gx_contract::admin::OrderHash;
use gx_contract::custody::{AcceptCustody, TransferCustody};
use gx_contract::escrow::{OpenEscrow, RefundEscrow, ReleaseEscrow};
use gx_contract::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_contract::identity::{
    AccountStatus, CancelRecovery, CompleteKeyReset, CompleteRecovery, ConfirmRecovery,
    ConfirmRelationship, CreateUser, EndRelationship, InitiateRecovery, NominateGuardians,
    RegisterKey, RejectRelationship, RelationshipKind, RequestRelationship, ResetKeyByOrder,
    RotateKey, SetUserStatus, VetoKeyReset,
};
use gx_contract::spending::SetSpendingLimit;
use gx_contract::tax_and_fee::{ApplyVelocityTax, SetVelocityTaxExempt};
use gx_contract::tokenomics::{AttestedAge, DistributeGenesis};
use gx_contract::{Attested, Command, Purpose};
use gx_types::{Amount, CommandId, EscrowId, MspId, RecoveryId, Role};

use super::admins;
use super::town::{By, Order, Person, Town, Trial, each};
use crate::load::{NO_PROOF, attested, public_key};

/// A trial of one order for each of as many people as are needed.
fn one_each<C: Into<Command>>(
    town: &mut Town,
    role: Role,
    order: impl Fn(Person) -> (By, C),
) -> Result<Trial> {
    let people = town.people(town.count())?;
    Ok(town.trial(role, each(&people, order)))
}

/// The orders by which people register.
fn registrations(births: Vec<CreateUser>) -> Vec<Order> {
    births.into_iter().map(|birth| (By::System, birth.into())).collect()
}

/// Attested, as people are on every network but devnet.
pub(super) fn create_user(town: &mut Town) -> Result<Trial> {
    let (attester, until) = (admins::attester(town, 0)?, town.host.now.plus_days(1));
    let births = town.births(town.count(), 30)?.into_iter().map(|birth| {
        let attestation = Some(attested(&birth.attested(), attester, 0, until));
        CreateUser { attestation, ..birth }
    });
    Ok(town.trial(Role::PartnerApi, registrations(births.collect())))
}

/// Of people who registered as children and are 13 now.
pub(super) fn distribute_genesis(town: &mut Town) -> Result<Trial> {
    let (attester, until) = (admins::attester(town, 1)?, town.host.now.plus_days(1));
    let births = town.births(town.count(), 12)?;
    let said: Vec<Attested> = births.iter().map(CreateUser::attested).collect();
    town.act(Role::PartnerApi, registrations(births))?;
    let grant = |said: Attested| {
        let (user_id, age) = (said.user_id, 13);
        let said = Attested { purpose: Purpose::Genesis, age, ..said };
        let attestation = Some(attested(&said, attester, 1, until));
        (By::System, DistributeGenesis { users: vec![AttestedAge { user_id, age, attestation }] })
    };
    Ok(town.trial(Role::Admin, each(&said, grant)))
}

pub(super) fn register_key(town: &mut Town) -> Result<Trial> {
    one_each(town, Role::PartnerApi, |person| {
        let (user_id, public_key) = (person.id, public_key(person.number));
        let register = RegisterKey { user_id, public_key, proof: NO_PROOF };
        (By::Setter(person, person.number), register)
    })
}

pub(super) fn rotate_key(town: &mut Town) -> Result<Trial> {
    let people = town.people(town.count())?;
    town.give_keys(&people)?;
    let rotate = |person: Person| {
        let (user_id, public_key) = (person.id, public_key(person.number + 1));
        let rotate = RotateKey { user_id, public_key, proof: NO_PROOF };
        (By::Setter(person, person.number + 1), rotate)
    };
    Ok(town.trial(Role::PartnerApi, each(&people, rotate)))
}

fn key_order(person: Person) -> (By, ResetKeyByOrder) {
    let number = person.number + 1;
    let (user_id, new_key, proof) = (person.id, public_key(number), NO_PROOF);
    let order_hash = OrderHash::from_bytes([9; 32]);
    (By::FirstSetter(number), ResetKeyByOrder { user_id, new_key, proof, order_hash })
}

/// People with keys.
fn keyed(town: &mut Town) -> Result<Vec<Person>> {
    let people = town.people(town.count())?;
    town.give_keys(&people)?;
    Ok(people)
}

pub(super) fn order_key(town: &mut Town) -> Result<Trial> {
    let people = keyed(town)?;
    Ok(town.trial(Role::SuperAdmin, each(&people, key_order)))
}

/// People for whom another key is ordered.
fn ordered(town: &mut Town) -> Result<Vec<Person>> {
    let people = keyed(town)?;
    admins::decide(town, Role::SuperAdmin, each(&people, key_order))?;
    Ok(people)
}

pub(super) fn veto_key(town: &mut Town) -> Result<Trial> {
    let people = ordered(town)?;
    let veto = |person: Person| (By::Person(person), VetoKeyReset { user_id: person.id });
    Ok(town.trial(Role::PartnerApi, each(&people, veto)))
}

pub(super) fn complete_key(town: &mut Town) -> Result<Trial> {
    let people = ordered(town)?;
    town.wait_days(7);
    let complete = |person: Person| (By::System, CompleteKeyReset { user_id: person.id });
    Ok(town.trial(Role::Admin, each(&people, complete)))
}

/// An organization beside the platform.
const OTHER: &str = "OtherMSP";

/// Offers an account to another organization.
fn offering(to: MspId) -> impl Fn(Person) -> (By, TransferCustody) {
    move |person| (By::System, TransferCustody { user_id: person.id, to })
}

pub(super) fn offer_custody(town: &mut Town) -> Result<Trial> {
    one_each(town, Role::PartnerApi, offering(OTHER.parse()?))
}

pub(super) fn accept_custody(town: &mut Town) -> Result<Trial> {
    let people = town.people(town.count())?;
    let other = OTHER.parse()?;
    town.act(Role::PartnerApi, each(&people, offering(other)))?;
    let accept = |person: Person| (By::System, AcceptCustody { user_id: person.id });
    let trial = town.trial(Role::PartnerApi, each(&people, accept));
    Ok(Trial { organization: Some(other), ..trial })
}

pub(super) fn set_status(town: &mut Town) -> Result<Trial> {
    one_each(town, Role::Admin, |person| {
        let (status, order_hash) = (AccountStatus::Locked, None);
        (By::First, SetUserStatus { user_id: person.id, status, order_hash })
    })
}

/// What the first is to the second.
pub(super) type Relation = (Person, Person, RelationshipKind);

fn request((subject, object, kind): Relation) -> (By, RequestRelationship) {
    let (subject_id, object_id) = (subject.id, object.id);
    (By::Person(subject), RequestRelationship { subject_id, object_id, kind })
}

fn confirm((subject, object, kind): Relation) -> (By, ConfirmRelationship) {
    let relationship_id = kind.id_between(subject.id, object.id);
    (By::Person(object), ConfirmRelationship { relationship_id })
}

/// Has relations confirmed.
pub(super) fn relate(town: &mut Town, relations: &[Relation]) -> Result<()> {
    town.act(Role::PartnerApi, each(relations, request))?;
    town.act(Role::PartnerApi, each(relations, confirm)).map(drop)
}

/// Pairs of people who are friends, or are to be.
fn friends(town: &mut Town) -> Result<Vec<Relation>> {
    let pairs = town.groups(town.count())?;
    Ok(pairs.into_iter().map(|[one, other]| (one, other, RelationshipKind::FriendOf)).collect())
}

pub(super) fn request_relationship(town: &mut Town) -> Result<Trial> {
    let friends = friends(town)?;
    Ok(town.trial(Role::PartnerApi, each(&friends, request)))
}

pub(super) fn confirm_relationship(town: &mut Town) -> Result<Trial> {
    let friends = friends(town)?;
    town.act(Role::PartnerApi, each(&friends, request))?;
    Ok(town.trial(Role::PartnerApi, each(&friends, confirm)))
}

pub(super) fn reject_relationship(town: &mut Town) -> Result<Trial> {
    let friends = friends(town)?;
    town.act(Role::PartnerApi, each(&friends, request))?;
    let reject = |(subject, object, kind): Relation| {
        let relationship_id = kind.id_between(subject.id, object.id);
        (By::Person(object), RejectRelationship { relationship_id })
    };
    Ok(town.trial(Role::PartnerApi, each(&friends, reject)))
}

pub(super) fn end_relationship(town: &mut Town) -> Result<Trial> {
    let friends = friends(town)?;
    relate(town, &friends)?;
    let end = |(subject, object, kind): Relation| {
        let relationship_id = kind.id_between(subject.id, object.id);
        (By::Person(subject), EndRelationship { relationship_id })
    };
    Ok(town.trial(Role::PartnerApi, each(&friends, end)))
}

/// An owner and their three guardians.
type Circle = [Person; 4];

fn nominate([owner, guardians @ ..]: Circle) -> (By, NominateGuardians) {
    let guardians = guardians.map(|guardian| guardian.id).to_vec();
    (By::Person(owner), NominateGuardians { user_id: owner.id, guardians })
}

pub(super) fn nominate_guardians(town: &mut Town) -> Result<Trial> {
    let circles: Vec<Circle> = town.groups(town.count())?;
    Ok(town.trial(Role::PartnerApi, each(&circles, nominate)))
}

/// Circles whose owners have guardians and a key.
fn circles(town: &mut Town) -> Result<Vec<Circle>> {
    let circles: Vec<Circle> = town.groups(town.count())?;
    let owners: Vec<Person> = circles.iter().map(|[owner, ..]| *owner).collect();
    town.give_keys(&owners)?;
    town.act_signed(Role::PartnerApi, each(&circles, nominate))?;
    Ok(circles)
}

fn initiate([owner, first, ..]: Circle) -> (By, InitiateRecovery) {
    let (user_id, public_key) = (owner.id, public_key(owner.number + 1));
    let initiate = InitiateRecovery { user_id, public_key, proof: NO_PROOF };
    (By::Setter(first, owner.number + 1), initiate)
}

pub(super) fn initiate_recovery(town: &mut Town) -> Result<Trial> {
    let circles = circles(town)?;
    Ok(town.trial(Role::PartnerApi, each(&circles, initiate)))
}

/// Circles with a recovery under way.
fn recoveries(town: &mut Town) -> Result<Vec<(Circle, CommandId)>> {
    let circles = circles(town)?;
    let begun = town.act(Role::PartnerApi, each(&circles, initiate))?;
    Ok(circles.into_iter().zip(begun).collect())
}

fn confirmation(([_, _, second, _], begun): (Circle, CommandId)) -> (By, ConfirmRecovery) {
    (By::Person(second), ConfirmRecovery { recovery_id: RecoveryId::made_by(begun) })
}

pub(super) fn confirm_recovery(town: &mut Town) -> Result<Trial> {
    let recoveries = recoveries(town)?;
    Ok(town.trial(Role::PartnerApi, each(&recoveries, confirmation)))
}

pub(super) fn cancel_recovery(town: &mut Town) -> Result<Trial> {
    let recoveries = recoveries(town)?;
    let cancel = |([owner, ..], begun): (Circle, CommandId)| {
        (By::Person(owner), CancelRecovery { recovery_id: RecoveryId::made_by(begun) })
    };
    Ok(town.trial(Role::PartnerApi, each(&recoveries, cancel)))
}

pub(super) fn complete_recovery(town: &mut Town) -> Result<Trial> {
    let recoveries = recoveries(town)?;
    town.act(Role::PartnerApi, each(&recoveries, confirmation))?;
    town.wait_days(2);
    let complete = |([.., third], begun): (Circle, CommandId)| {
        (By::Person(third), CompleteRecovery { recovery_id: RecoveryId::made_by(begun) })
    };
    Ok(town.trial(Role::PartnerApi, each(&recoveries, complete)))
}

fn freezing(person: Person) -> (By, FreezeWallet) {
    (By::First, FreezeWallet { account_id: person.id, reason: FreezeReason::CourtOrder })
}

/// Payers, and the order by which each of them opens an escrow of 10 GX.
fn escrows(town: &mut Town) -> Result<(Vec<Person>, Vec<Order>)> {
    let payee = *town.people(1)?.first().context("nobody is paid")?;
    let payers = town.people(town.count())?;
    let expires_at = town.host.now.plus_days(30);
    let open = |person| {
        let (to, amount, arbiter_id) = (payee.id, Amount::from_gx(10), None);
        let remark = "a second loom".to_owned();
        (By::Person(person), OpenEscrow { to, amount, expires_at, arbiter_id, remark })
    };
    let orders = each(&payers, open);
    Ok((payers, orders))
}

pub(super) fn open_escrow(town: &mut Town) -> Result<Trial> {
    let (_, orders) = escrows(town)?;
    Ok(town.trial(Role::PartnerApi, orders))
}

/// Escrows that wait, with their payers.
fn waiting(town: &mut Town) -> Result<Vec<(Person, EscrowId)>> {
    let (payers, orders) = escrows(town)?;
    let ids = town.act(Role::PartnerApi, orders)?;
    Ok(payers.into_iter().zip(ids.into_iter().map(EscrowId::made_by)).collect())
}

pub(super) fn release_escrow(town: &mut Town) -> Result<Trial> {
    let waiting = waiting(town)?;
    let release = |(person, escrow_id)| (By::Person(person), ReleaseEscrow { escrow_id });
    Ok(town.trial(Role::PartnerApi, each(&waiting, release)))
}

pub(super) fn refund_escrow(town: &mut Town) -> Result<Trial> {
    let waiting = waiting(town)?;
    town.wait_days(31);
    let refund = |(person, escrow_id)| (By::Person(person), RefundEscrow { escrow_id });
    Ok(town.trial(Role::PartnerApi, each(&waiting, refund)))
}

pub(super) fn set_limit(town: &mut Town) -> Result<Trial> {
    one_each(town, Role::PartnerApi, |person| {
        let (user_id, per_day) = (person.id, Some(Amount::from_gx(10)));
        (By::Person(person), SetSpendingLimit { user_id, per_day })
    })
}

pub(super) fn freeze(town: &mut Town) -> Result<Trial> {
    one_each(town, Role::SuperAdmin, freezing)
}

pub(super) fn unfreeze(town: &mut Town) -> Result<Trial> {
    let people = town.people(town.count())?;
    town.act(Role::SuperAdmin, each(&people, freezing))?;
    let unfreeze = |person: Person| {
        (By::First, UnfreezeWallet { account_id: person.id, reason: FreezeReason::CourtOrder })
    };
    Ok(town.trial(Role::SuperAdmin, each(&people, unfreeze)))
}

/// Of people who have kept the coins of genesis for a year.
pub(super) fn tax(town: &mut Town) -> Result<Trial> {
    town.wait_days(355);
    one_each(town, Role::Admin, |person| {
        (By::System, ApplyVelocityTax { account_ids: vec![person.id] })
    })
}

pub(super) fn exempt(town: &mut Town) -> Result<Trial> {
    let orders: fn(Person) -> (By, SetVelocityTaxExempt) =
        |person| (By::First, SetVelocityTaxExempt { account_id: person.id, exempt: true });
    one_each(town, Role::Admin, orders)
}

/// The people who give orders, each once.
pub(super) fn givers(orders: &[Order]) -> Vec<Person> {
    let people = orders.iter().filter_map(|(by, _)| match by {
        By::Person(person) | By::Setter(person, _) => Some(*person),
        By::System | By::First | By::FirstSetter(_) | By::Second | By::Clerk(..) => None,
    });
    let mut people: Vec<Person> = people.collect();
    people.sort_unstable_by_key(|person| person.number);
    people.dedup();
    people
}
