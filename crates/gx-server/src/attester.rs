//! The platform's own attester: its reviewers' word for a person, signed where they approve.
//!
//! The key is one apart from those of the services towards the ledger, and is kept where people
//! are approved alone: whoever controls another process can then invent nobody. It is read once, at
//! the start, and stands in no log.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use gx_contract::{Attestation, Attested, SignatureBytes};
use gx_types::{AttesterId, NetworkId, TimeMs};

use crate::auth::KeyError;
use crate::calendar::Date;
use crate::config::Config;
use crate::error::{self, Error};

/// For how many days after today a word is good: commands may have to wait for a ledger that is
/// away.
const GOOD_FOR_DAYS: u32 = 3;

/// Signs for people on behalf of the platform, where it can.
#[derive(Clone)]
pub(crate) struct Attester {
    network: NetworkId,
    own: Option<(AttesterId, Arc<SigningKey>)>,
}

impl fmt::Debug for Attester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.own.as_ref().map(|(id, _)| id);
        f.debug_struct("Attester").field("id", &id).finish_non_exhaustive()
    }
}

impl Attester {
    /// By the settings, which need not name one.
    pub(crate) fn load(config: &Config) -> Result<Self, KeyError> {
        let settings = &config.attester;
        let own = match settings.id.parse::<AttesterId>() {
            Ok(id) => Some((id, Arc::new(load_signing_key(&settings.key_file)?))),
            // Settings were validated: no id stands there.
            Err(_) => None,
        };
        Ok(Self { network: config.network, own })
    }

    /// The attestation of a person for the ledger; none on devnet, where none is needed, unless the
    /// settings name an attester. What is attested twice on a day is the same word.
    pub(crate) fn attest(
        &self,
        said: &Attested,
        now: TimeMs,
    ) -> error::Result<Option<Box<Attestation>>> {
        let Some((id, key)) = &self.own else {
            return match self.network {
                NetworkId::Devnet => Ok(None),
                NetworkId::Testnet | NetworkId::Mainnet => Err(not_configured()),
            };
        };
        let today = TimeMs(Date::of_ms(now.0).start_ms());
        let (attester_id, expires_at) = (*id, today.plus_days(GOOD_FOR_DAYS + 1));
        let bytes = said.signed_bytes(self.network, &attester_id, expires_at);
        let signature = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        Ok(Some(Box::new(Attestation { attester_id, signature, expires_at })))
    }
}

fn not_configured() -> Error {
    let message = "This process can't attest people: set attester.id and attester.key_file to \
        those of an attester that two super admins have registered, see gx key new";
    Error::conflict("attester_not_configured", message)
}

/// Reads an Ed25519 key in PKCS#8 PEM from a file that nobody but its owner may read.
///
/// # Errors
/// [`KeyError`], which does not quote the file.
pub fn load_signing_key(path: &Path) -> Result<SigningKey, KeyError> {
    let unreadable = |source| KeyError::Read { path: path.to_owned(), source };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = path.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Exposed { path: path.to_owned(), mode });
        }
    }
    let pem = std::fs::read_to_string(path).map_err(unreadable)?;
    let what = "an Ed25519 key in PKCS #8 PEM expected";
    SigningKey::from_pkcs8_pem(&pem)
        .map_err(|_| KeyError::Malformed { path: path.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::pkcs8::EncodePrivateKey as _;
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
    use ed25519_dalek::{Signature, Verifier as _};
    use gx_contract::Purpose;
    use gx_contract::identity::IdentityHash;
    use gx_types::{AccountId, AccountType};

    use super::*;

    const NOON: TimeMs = TimeMs(1_700_000_000_000);

    fn said() -> Attested {
        let country = "DE".parse().unwrap();
        let user_id = AccountId::from_entropy(country, AccountType::Individual, [7; 16]);
        let identity_hash = IdentityHash::from_bytes([9; 32]);
        Attested { purpose: Purpose::Registration, user_id, identity_hash, country, age: 30 }
    }

    fn key_file(folder: &Path, mode: u32) -> String {
        let path = folder.join("attester.pem");
        let pem = SigningKey::from_bytes(&[7; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
        std::fs::write(&path, pem.as_bytes()).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode))
            .unwrap();
        path.display().to_string()
    }

    fn load(settings: &[(&'static str, String)]) -> Result<Attester, KeyError> {
        Attester::load(&Config::load(None, [], settings).unwrap())
    }

    #[test]
    fn a_word_is_signed_for_this_network_and_is_the_same_all_day() {
        let folder = tempfile::tempdir().unwrap();
        let file = key_file(folder.path(), 0o600);
        let attester =
            load(&[("attester.id", "clinic".to_owned()), ("attester.key_file", file)]).unwrap();
        let word = attester.attest(&said(), NOON).unwrap().unwrap();
        let bytes = said().signed_bytes(NetworkId::Devnet, &word.attester_id, word.expires_at);
        let signature = hex::decode(word.signature.to_string()).unwrap();
        let signature = Signature::from_slice(&signature).unwrap();
        let key = SigningKey::from_bytes(&[7; 32]).verifying_key();
        assert!(key.verify(&bytes, &signature).is_ok());
        assert_eq!(word.attester_id.as_str(), "clinic");
        let ahead = word.expires_at.0 - NOON.0;
        assert!((3 * 86_400_000..=4 * 86_400_000).contains(&ahead), "{ahead}");
        assert_eq!(attester.attest(&said(), TimeMs(NOON.0 + 3_600_000)).unwrap(), Some(word));
        assert!(!format!("{attester:?}").contains("7, 7"), "{attester:?}");
    }

    #[test]
    fn without_a_key_nobody_is_attested_and_devnet_needs_none() {
        let on = |network: &str| load(&[("network", network.to_owned())]).unwrap();
        assert_eq!(on("devnet").attest(&said(), NOON).unwrap(), None);
        for network in ["testnet", "mainnet"] {
            let error = on(network).attest(&said(), NOON).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (409, "attester_not_configured"));
        }
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_none_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let of = |file: String| {
            load(&[("attester.id", "clinic".to_owned()), ("attester.key_file", file)])
        };
        let exposed = of(key_file(folder.path(), 0o640)).unwrap_err().to_string();
        assert!(exposed.contains("640"), "{exposed}");
        let path = folder.path().join("none.pem");
        assert!(of(path.display().to_string()).is_err());
        std::fs::write(&path, "secret of another kind").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        let error = of(path.display().to_string()).unwrap_err();
        assert!(!gx_types::with_causes(&error).contains("another kind"));
    }
}
