//! Passkeys as WebAuthn has them: what an authenticator is asked, and whether its answer is right.
//!
//! Pure but for chance and the clock of the challenges: nothing here knows a table. Every passkey
//! is discoverable and was made with the user verified, so that it proves two factors by itself.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gx_store::login::Subject;
use gx_store::login::passkeys::Passkey;
use serde_json::Value;
use sha2::{Digest, Sha256};
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CoseAlgorithmIdentifier, CoseAlgorithmIdentifiers, CredProtect, PublicKeyCredentialUserEntity,
    RegistrationVerificationOptions, UserHandle, Username,
};
use webauthn_rp::request::{
    AsciiDomain, ExtensionInfo, PublicKeyCredentialDescriptor, RpId, TimedCeremony as _,
};
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::response::register::{DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId, SentChallenge};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

use crate::config::Passkeys;

/// Bytes of a user handle: a hash, so that authenticators learn no id.
const HANDLE: usize = 32;

/// Why an answer of an authenticator does not count. The text is for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The counter of signatures went back: there are two authenticators with the one key.
    Counter,
    Other(String),
}

impl Refused {
    fn other(reason: impl std::fmt::Display) -> Self {
        Self::Other(reason.to_string())
    }
}

/// A ceremony that has begun: what goes to the client, and what is kept until it answers.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) options: Value,
    pub(crate) challenge_hash: String,
    pub(crate) state: Vec<u8>,
}

/// What is kept of a passkey that an authenticator has made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) credential_id: String,
    pub(crate) public_key: String,
    pub(crate) transports: u8,
    pub(crate) state: String,
}

/// Whom passkeys are made for.
#[derive(Debug)]
pub(crate) struct RelyingParty {
    id: RpId,
    origins: Vec<String>,
    timeout_ms: NonZeroU32,
}

/// An answer that makes a passkey.
#[derive(Debug)]
pub(crate) struct NewCredential(Registration);

/// An answer that shows one.
#[derive(Debug)]
pub(crate) struct Assertion(DiscoverableAuthentication<HANDLE>);

impl NewCredential {
    /// Reads the JSON that `PublicKeyCredential.toJSON()` gives.
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let read = Registration::from_json_relaxed(json).map_err(|error| error.to_string())?;
        read.challenge_relaxed().map_err(|error| error.to_string())?;
        Ok(Self(read))
    }

    pub(crate) fn challenge_hash(&self) -> String {
        self.0.challenge_relaxed().map(hash_of).unwrap_or_default()
    }
}

impl Assertion {
    /// Reads the JSON that `PublicKeyCredential.toJSON()` gives.
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let read = DiscoverableAuthentication::<HANDLE>::from_json_relaxed(json)
            .map_err(|error| error.to_string())?;
        read.challenge_relaxed().map_err(|error| error.to_string())?;
        Ok(Self(read))
    }

    pub(crate) fn challenge_hash(&self) -> String {
        self.0.challenge_relaxed().map(hash_of).unwrap_or_default()
    }

    /// The passkey that it says it is of, base64url.
    pub(crate) fn credential_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.raw_id().as_ref())
    }
}

/// What is kept of a challenge. It has 128 bits of entropy: a plain hash is enough.
fn hash_of(challenge: SentChallenge) -> String {
    hex::encode(Sha256::digest(challenge.0.to_le_bytes()))
}

/// How authenticators know somebody.
fn handle(subject: Subject<'_>) -> UserHandle<HANDLE> {
    let hash: [u8; HANDLE] = Sha256::digest(format!("user handle of {subject}")).into();
    match UserHandle::decode(hash) {
        Ok(handle) => handle,
        Err(never) => match never {},
    }
}

/// A value that is always encoded.
fn sure<T>(encoded: Result<T, std::convert::Infallible>) -> T {
    match encoded {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

fn descriptor(passkey: &Passkey) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
    let id = URL_SAFE_NO_PAD.decode(&passkey.credential_id).ok()?;
    Some(PublicKeyCredentialDescriptor {
        id: CredentialId::<Vec<u8>>::decode(id).ok()?,
        transports: AuthTransports::decode(passkey.transports).ok()?,
    })
}

impl RelyingParty {
    /// `None` when the settings have no passkeys; a domain that is none does not get here.
    pub(super) fn new(settings: &Passkeys) -> Option<Self> {
        let id = AsciiDomain::try_from(settings.relying_party_id.clone()).ok()?;
        Some(Self {
            id: RpId::Domain(id),
            origins: settings.origins.clone(),
            timeout_ms: NonZeroU32::new(settings.timeout_seconds.saturating_mul(1000))?,
        })
    }

    pub(crate) fn id(&self) -> &str {
        self.id.as_ref()
    }

    pub(crate) fn timeout_ms(&self) -> i64 {
        i64::from(self.timeout_ms.get())
    }

    /// Asks for a new passkey of somebody's, whom devices show by `name`, on an authenticator that
    /// has none of these.
    pub(crate) fn ask_new(
        &self,
        subject: Subject<'_>,
        name: &str,
        existing: &[Passkey],
    ) -> Result<Begun, String> {
        let handle = handle(subject);
        // A name that the profile of user names does not allow is not shown.
        let shown = Username::try_from(name).or_else(|_| Username::try_from(subject.id));
        let name = shown.map_err(|error| error.to_string())?;
        let user = PublicKeyCredentialUserEntity { name, id: &handle, display_name: None };
        let exclude = existing.iter().filter_map(descriptor).collect();
        let mut options = PublicKeyCredentialCreationOptions::passkey(&self.id, user, exclude);
        options.timeout = self.timeout_ms;
        options.pub_key_cred_params =
            CoseAlgorithmIdentifiers::default().remove(CoseAlgorithmIdentifier::Es384);
        // Not every authenticator knows the policy; all are asked to verify the user anyway.
        options.extensions.cred_protect =
            CredProtect::UserVerificationRequired(ExtensionInfo::AllowDontEnforceValue);
        let (state, client) = options.start_ceremony().map_err(|error| error.to_string())?;
        Ok(Begun {
            options: serde_json::to_value(&client).map_err(|error| error.to_string())?,
            challenge_hash: hash_of(state.sent_challenge()),
            state: state.encode().map_err(|error| error.to_string())?,
        })
    }

    /// Asks for any passkey.
    pub(crate) fn ask_any(&self) -> Result<Begun, String> {
        let mut options = DiscoverableCredentialRequestOptions::passkey(&self.id);
        options.0.timeout = self.timeout_ms;
        let (state, client) = options.start_ceremony().map_err(|error| error.to_string())?;
        Ok(Begun {
            options: serde_json::to_value(&client).map_err(|error| error.to_string())?,
            challenge_hash: hash_of(state.sent_challenge()),
            state: state.encode().map_err(|error| error.to_string())?,
        })
    }

    /// The passkey that an authenticator has made when it was asked with this state.
    pub(crate) fn check_new(&self, state: &[u8], given: &NewCredential) -> Result<Made, Refused> {
        let state = RegistrationServerState::<HANDLE>::decode(state).map_err(Refused::other)?;
        let options = RegistrationVerificationOptions::<'_, '_, String, String> {
            allowed_origins: &self.origins,
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        let made = state.verify(&self.id, &given.0, &options).map_err(Refused::other)?;
        Ok(Made {
            credential_id: URL_SAFE_NO_PAD.encode(made.id().as_ref()),
            public_key: URL_SAFE_NO_PAD.encode(sure(made.static_state().encode())),
            transports: sure(made.transports().encode()),
            state: hex::encode(sure(made.dynamic_state().encode())),
        })
    }

    /// What is kept of a passkey after a use that an authenticator has shown when it was asked with
    /// this state.
    pub(crate) fn check(
        &self,
        state: &[u8],
        given: &Assertion,
        passkey: &Passkey,
    ) -> Result<String, Refused> {
        let state = DiscoverableAuthenticationServerState::decode(state).map_err(Refused::other)?;
        let handle = handle(passkey.subject());
        let key = URL_SAFE_NO_PAD.decode(&passkey.public_key).map_err(Refused::other)?;
        let mut uses = [0; 7];
        hex::decode_to_slice(&passkey.state, &mut uses).map_err(Refused::other)?;
        let mut credential = AuthenticatedCredential::new(
            given.0.raw_id(),
            &handle,
            StaticState::decode(key.as_slice()).map_err(Refused::other)?,
            DynamicState::decode(uses).map_err(Refused::other)?,
        )
        .map_err(Refused::other)?;
        let options = AuthenticationVerificationOptions::<'_, '_, String, String> {
            allowed_origins: &self.origins,
            error_on_unsolicited_extensions: false,
            ..AuthenticationVerificationOptions::default()
        };
        let checked = state.verify(&self.id, &given.0, &mut credential, &options);
        checked.map_err(|error| match error {
            AuthCeremonyErr::SignatureCounter => Refused::Counter,
            error => Refused::other(error),
        })?;
        Ok(hex::encode(sure(credential.dynamic_state().encode())))
    }
}

/// Whether a passkey is kept beyond the one device, as its authenticator says.
pub(crate) fn is_backed_up(passkey: &Passkey) -> bool {
    use webauthn_rp::response::Backup;
    let mut uses = [0; 7];
    hex::decode_to_slice(&passkey.state, &mut uses).is_ok()
        && DynamicState::decode(uses).is_ok_and(|state| state.backup == Backup::Exists)
}
