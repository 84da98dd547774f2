//! The beginning: the whole supply in six pools, and the first super admin.

use gx_types::{AccountId, Actor, AdminId, Amount, AttesterId, MAX_SUPPLY, NetworkId, Pool, Role};
use serde::{Deserialize, Serialize};

use super::attesters::Attester;
use super::declared::{Said, said};
use super::keys::check_key;
use crate::attestation::DEVNET_ATTESTER;
use crate::custody::Custodians;
use crate::gates::{ActorRule, Gate};
use crate::identity::opened_for_a_person;
use crate::posting::Posting;
use crate::signature::{is_proven, key_proof_bytes};
use crate::state::{Admin, AdminLevel, Key, System, Version};
use crate::tx::{Rule, Stop, Tx, imbalance};
use crate::{Effects, PublicKey, Refusal, Refused, SignatureBytes};

/// What each pool holds after bootstrap, in GX. Together they are the whole supply.
pub(crate) const fn pool_cap(pool: Pool) -> Amount {
    Amount::from_gx(match pool {
        Pool::UserGenesis => 577_500_000_000,
        Pool::GovtGenesis => 152_000_000_000,
        Pool::Charitable => 158_000_000_000,
        Pool::Loan => 300_000_000_000,
        Pool::Gx | Pool::OperationsFund => 31_250_000_000,
    })
}

/// Creates the whole supply in the six pools and names the first super admin. Once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BootstrapSystem {
    pub first_super_admin: AdminId,
    /// The network that this ledger is, for ever.
    pub network_id: NetworkId,
    /// The account that the admin will open, to which they may disburse nothing; `null` if none.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "Said")]
    pub account_id: Option<AccountId>,
    /// The admin's key from the first moment on, and its proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<FirstKey>,
}

/// A key that is set with something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FirstKey {
    pub public_key: PublicKey,
    /// By the key over [`crate::key_proof_bytes`]: whoever sets a key holds it.
    pub proof: SignatureBytes,
}

/// The supply exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemBootstrapped {
    pub first_super_admin: AdminId,
    pub network_id: NetworkId,
    /// The admin's own account, if they have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// What the admin signs with, if they have a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<PublicKey>,
    /// On devnet: who stands for attestations that are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attester: Option<DevnetAttester>,
    /// The only postings that do not sum to zero: they sum to the supply.
    pub postings: Vec<Posting>,
}

/// An attester without a key, whose word is taken for given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DevnetAttester {
    pub attester_id: AttesterId,
    /// How many people it may attest on one day.
    pub daily_max: u32,
}

impl Effects for SystemBootstrapped {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

impl Rule for BootstrapSystem {
    const GATE: Gate = Gate::new(Role::SuperAdmin, ActorRule::Bootstrap).before_bootstrap();
    const REFUSALS: &[Refusal] = &[
        Refusal::PublicKeyInvalid,
        Refusal::AlreadyBootstrapped,
        Refusal::AdminAccountInvalid,
        Refusal::KeyNotProven,
    ];
    const EVENTS: &[&str] = &["SystemBootstrapped"];

    fn validate(&self) -> Result<(), Refused> {
        self.key.iter().try_for_each(|key| check_key(&key.public_key))
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        if tx.state.system()?.is_some() {
            return Err(Refusal::AlreadyBootstrapped.into());
        }
        // There is no account yet. The id has to be one that a person can get.
        if self
            .account_id
            .is_some_and(|id| !id.layout().is_ok_and(|id| opened_for_a_person(id.kind)))
        {
            return Err(Refusal::AdminAccountInvalid.into());
        }
        let public_key = self.key.map(|key| key.public_key);
        if let Some(FirstKey { public_key, proof }) = &self.key {
            let holder = Actor::Admin(self.first_super_admin);
            let bytes = key_proof_bytes(self.network_id, &holder, tx.command_id);
            if !is_proven(public_key, proof, &bytes) {
                return Err(Refusal::KeyNotProven.into());
            }
        }
        tx.state.load([Key::Admin(self.first_super_admin)])?;
        for pool in Pool::ALL {
            tx.create_supply(pool, pool_cap(pool))?;
        }
        let admin = Admin {
            v: Version,
            level: AdminLevel::SuperAdmin,
            appointed_at: tx.now,
            account_id: self.account_id.into(),
            public_key,
            key_since: public_key.map(|_| tx.now),
            removed_at: None,
        };
        tx.put(Key::Admin(self.first_super_admin), admin)?;
        let (bootstrapped_at, network_id, super_admins) = (tx.now, self.network_id, 1);
        let (paused, paused_ms) = (None, 0);
        let custodians = Custodians::first(tx.organization);
        let system = System {
            v: Version,
            bootstrapped_at,
            network_id,
            custodians,
            paused,
            super_admins,
            paused_ms,
        };
        tx.put(Key::System, system)?;
        let attester = register_devnet_attester(tx, network_id)?;
        let postings = tx.take_postings();
        assert_eq!(imbalance(&postings), i128::from(MAX_SUPPLY.qirat()), "pools hold the supply");
        let (first_super_admin, account_id) = (self.first_super_admin, self.account_id);
        tx.emit(SystemBootstrapped {
            first_super_admin,
            network_id,
            account_id,
            public_key,
            attester,
            postings,
        });
        Ok(())
    }
}

/// On devnet nobody has to hold an attester's key to try things out.
fn register_devnet_attester(
    tx: &mut Tx<'_>,
    network_id: NetworkId,
) -> Result<Option<DevnetAttester>, Stop> {
    match (network_id, DEVNET_ATTESTER.parse::<AttesterId>()) {
        (NetworkId::Devnet, Ok(attester_id)) => {
            let key = Key::Attester(attester_id);
            tx.state.load([key])?;
            let attester = Attester::of_devnet(tx.now);
            let daily_max = attester.daily_max;
            tx.put(key, attester)?;
            Ok(Some(DevnetAttester { attester_id, daily_max }))
        }
        (NetworkId::Devnet | NetworkId::Testnet | NetworkId::Mainnet, _) => Ok(None),
    }
}
