//! Who attests how old a person is and who they are: what is signed for it, and whether it counts.
//!
//! Coins are made of these words: genesis is granted on an age, and once for an identity. So they
//! are those of an attester with a key, whom two super admins have registered, and not of whichever
//! service passes them on. Who attesters are is decided in `admin::attesters`.

use gx_types::{AccountId, AttesterId, CountryCode, NetworkId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::admin::Attester;
use crate::batch::part;
use crate::identity::IdentityHash;
use crate::signature::is_proven;
use crate::state::Key;
use crate::tx::{Stop, Tx};
use crate::{Refusal, SignatureBytes};

/// An attestation is good for at most 7 days: long enough to wait for a ledger that is away, and
/// too short to be kept for somebody who will be another age.
pub const ATTESTED_AHEAD_MAX_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Tells an attestation from everything else that a key may ever sign.
const DOMAIN: &[u8] = b"gx/attestation/1\0";

/// On devnet this attester, whom bootstrap registers without a key, stands for every attestation
/// that is not there. Who removes it has attestations required there as everywhere else.
pub const DEVNET_ATTESTER: &str = "devnet";

/// The signed word of an attester for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attestation {
    pub attester_id: AttesterId,
    /// By the attester's key over the bytes of what is attested.
    pub signature: SignatureBytes,
    /// The last batch time at which it is good; at most 7 days ahead.
    pub expires_at: TimeMs,
}

/// What an attestation is good for, so that none serves twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `CreateUser`: the account is this person's first and only one.
    Registration,
    /// `DistributeGenesis`: the age of somebody who has an account.
    Genesis,
}

impl Purpose {
    /// As it stands in the bytes that are signed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Genesis => "genesis",
        }
    }
}

/// What an attester says of a person: whose account it is, where they live, and how old they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attested {
    pub purpose: Purpose,
    pub user_id: AccountId,
    pub identity_hash: IdentityHash,
    pub country: CountryCode,
    /// Years.
    pub age: u16,
}

impl Attested {
    /// The bytes that an attester's key signs: a domain tag, then the network, the attester, the
    /// purpose, the account, the identity hash and the country as parts preceded by their length,
    /// the age as 16 and the expiry as 64 bits little-endian.
    pub fn signed_bytes(
        &self,
        network: NetworkId,
        attester_id: &AttesterId,
        expires_at: TimeMs,
    ) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend_from_slice(DOMAIN);
        let hash = self.identity_hash.to_string();
        for text in [
            network.as_str(),
            attester_id.as_str(),
            self.purpose.as_str(),
            self.user_id.as_str(),
            &hash,
            self.country.as_str(),
        ] {
            part(&mut bytes, |bytes| bytes.extend_from_slice(text.as_bytes()));
        }
        bytes.extend_from_slice(&self.age.to_le_bytes());
        bytes.extend_from_slice(&expires_at.0.to_le_bytes());
        bytes
    }
}

/// The key of the attester whose word is given, to be read with everything else.
pub(crate) fn key_of(attestation: Option<&Attestation>) -> Option<Key> {
    match attestation {
        Some(attestation) => Some(Key::Attester(attestation.attester_id)),
        None => DEVNET_ATTESTER.parse().ok().map(Key::Attester),
    }
}

/// An attester whose word counts, before it is counted.
#[derive(Debug)]
pub(crate) struct Vouching {
    id: AttesterId,
    attester: Attester,
    named: bool,
}

impl Vouching {
    /// Who has signed for it, if somebody has.
    pub(crate) fn named(&self) -> Option<AttesterId> {
        self.named.then_some(self.id)
    }

    /// Counts the person to the attester's day. What comes to nothing is not counted: a word that
    /// is given again and again uses up nobody's day.
    pub(crate) fn count(self, tx: &mut Tx<'_>) -> Result<Option<AttesterId>, Stop> {
        let named = self.named();
        tx.put(Key::Attester(self.id), self.attester.counted(tx.now))?;
        Ok(named)
    }
}

/// Whether an attester vouches for this; the refusal is for the caller to give or to note.
pub(crate) fn check(
    tx: &mut Tx<'_>,
    said: &Attested,
    attestation: Option<&Attestation>,
) -> Result<Result<Vouching, Refusal>, Stop> {
    let network = tx.state.running_system()?.network_id;
    let Some(Key::Attester(id)) = key_of(attestation) else {
        return Ok(Err(Refusal::AttestationMissing));
    };
    let attester: Option<Attester> = tx.state.get(Key::Attester(id))?;
    let attester = attester.filter(Attester::is_active);
    let now = tx.now;
    Ok(match (attestation, attester) {
        // On other networks nobody without a key is ever registered.
        (None, Some(attester)) if network == NetworkId::Devnet && attester.is_keyless() => {
            vouch(id, attester, false, said, now)
        }
        (None, _) => Err(Refusal::AttestationMissing),
        (Some(_), None) => Err(Refusal::AttesterUnknown),
        (Some(attestation), Some(attester)) => is_good(said, network, attestation, &attester, now)
            .and_then(|()| vouch(id, attester, true, said, now)),
    })
}

/// The attestation is one of the attester's key over this, for now.
fn is_good(
    said: &Attested,
    network: NetworkId,
    attestation: &Attestation,
    attester: &Attester,
    now: TimeMs,
) -> Result<(), Refusal> {
    let Attestation { attester_id, signature, expires_at } = attestation;
    if now > *expires_at {
        return Err(Refusal::AttestationExpired);
    }
    if expires_at.0.saturating_sub(now.0) > ATTESTED_AHEAD_MAX_MS {
        return Err(Refusal::AttestationTooFarAhead);
    }
    let bytes = said.signed_bytes(network, attester_id, *expires_at);
    let genuine = attester.public_key.is_some_and(|key| is_proven(&key, signature, &bytes));
    if genuine { Ok(()) } else { Err(Refusal::AttestationWrong) }
}

/// The attester may attest somebody of this country, and one more today.
fn vouch(
    id: AttesterId,
    attester: Attester,
    named: bool,
    said: &Attested,
    now: TimeMs,
) -> Result<Vouching, Refusal> {
    if !attester.attests_in(said.country) {
        return Err(Refusal::AttesterCountry);
    }
    if attester.attested_on_day_of(now) >= attester.daily_max {
        return Err(Refusal::AttesterDailyMax);
    }
    Ok(Vouching { id, attester, named })
}
