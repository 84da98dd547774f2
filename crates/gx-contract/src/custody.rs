//! Who speaks for an account without a key: the organization that opened it, and nobody else.
//!
//! Several organizations run a ledger together, and each has services that submit what users ask
//! for. Without a key nothing says that the user has asked, so that one organization's word must
//! not move what another's users have. The account says its custodian in a small number, and the
//! names stand in a record that every batch reads anyway: a payment reads no key more.

use std::sync::Arc;

use gx_types::{AccountId, MspId, Role};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::state::{Account, Key, State, System, User};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

/// The organizations that have opened accounts, in the order in which they came; accounts have the
/// places in it. The first is the one that bootstrapped the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custodians(Arc<[MspId]>);

impl Custodians {
    pub fn first(name: MspId) -> Self {
        Self(Arc::new([name]))
    }

    /// The organization that has the place.
    pub fn get(&self, place: u16) -> Option<&MspId> {
        self.0.get(usize::from(place))
    }

    fn place(&self, name: &MspId) -> Option<u16> {
        u16::try_from(self.0.iter().position(|one| one == name)?).ok()
    }

    pub(crate) fn with(&self, name: MspId) -> Self {
        Self(self.0.iter().copied().chain([name]).collect())
    }
}

impl Serialize for Custodians {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl<'de> Deserialize<'de> for Custodians {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<MspId>::deserialize(deserializer)?;
        if names.is_empty() {
            return Err(serde::de::Error::custom("at least one custodian expected"));
        }
        Ok(Self(names.into()))
    }
}

/// The place of an organization, which is given to it when it has none.
pub(crate) fn place_of(tx: &mut Tx<'_>, name: MspId) -> Result<u16, Stop> {
    let system = tx.state.running_system()?.clone();
    if let Some(place) = system.custodians.place(&name) {
        return Ok(place);
    }
    let custodians = system.custodians.with(name);
    let place = custodians.place(&name).ok_or(Refusal::NotCustodian)?;
    tx.put(Key::System, System { custodians, ..system })?;
    Ok(place)
}

/// The organization that speaks for an account while it has no key.
pub(crate) fn custodian_of<'s>(state: &'s mut State, account: &Account) -> Result<&'s MspId, Stop> {
    let system = state.running_system()?;
    Ok(system.custodians.get(account.custodian).ok_or(Refusal::NotCustodian)?)
}

/// Offers an account without a key to another organization, which may accept it. Until then the
/// present one goes on speaking for it; a later offer takes the place of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferCustody {
    pub user_id: AccountId,
    pub to: MspId,
}

/// An account is offered to another organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustodyOffered {
    pub user_id: AccountId,
    pub from: MspId,
    pub to: MspId,
}

impl Effects for CustodyOffered {}

/// The account of a user that has no key, and what is known of the user.
fn unkeyed(tx: &mut Tx<'_>, user_id: &AccountId) -> Result<(Account, User), Stop> {
    let key = Key::User(*user_id);
    tx.state.load([Key::Account(*user_id), key])?;
    let account = tx.state.existing_account(user_id)?;
    let user: User = tx.state.get(key)?.ok_or(Refusal::NotAUser)?;
    if account.keyed { Err(Refusal::KeyExists.into()) } else { Ok((account, user)) }
}

impl Rule for TransferCustody {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::NotAUser,
        Refusal::KeyExists,
        Refusal::CustodyNotHeld,
        Refusal::CustodyUnchanged,
    ];
    const EVENTS: &[&str] = &["CustodyOffered"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { user_id, to } = *self;
        let (account, user) = unkeyed(tx, &user_id)?;
        let from = *custodian_of(tx.state, &account)?;
        if from != tx.organization {
            return Err(Refusal::CustodyNotHeld.into());
        }
        if from == to {
            return Err(Refusal::CustodyUnchanged.into());
        }
        tx.put(Key::User(user_id), User { offered_to: Some(Box::new(to)), ..user })?;
        tx.emit(CustodyOffered { user_id, from, to });
        Ok(())
    }
}

/// Takes an account over that was offered to the submitting organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AcceptCustody {
    pub user_id: AccountId,
}

/// Another organization speaks for an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustodyTransferred {
    pub user_id: AccountId,
    pub from: MspId,
    pub to: MspId,
}

impl Effects for CustodyTransferred {}

impl Rule for AcceptCustody {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::NotAUser,
        Refusal::KeyExists,
        Refusal::CustodyNotOffered,
    ];
    const EVENTS: &[&str] = &["CustodyTransferred"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (user_id, to) = (self.user_id, tx.organization);
        let (account, user) = unkeyed(tx, &user_id)?;
        if user.offered_to.as_deref() != Some(&to) {
            return Err(Refusal::CustodyNotOffered.into());
        }
        let from = *custodian_of(tx.state, &account)?;
        let custodian = place_of(tx, to)?;
        tx.state.put_account(&user_id, Account { custodian, ..account })?;
        tx.put(Key::User(user_id), User { offered_to: None, ..user })?;
        tx.emit(CustodyTransferred { user_id, from, to });
        Ok(())
    }
}
