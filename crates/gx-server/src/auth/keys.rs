//! Keys of a network: the ones that sign access tokens, and the pepper of identity hashes, from
//! which refresh tokens follow one another, and by which secrets are sealed, as well.
//!
//! They come from the settings, or are made once in the folder of keys, readable by the owner only.
//! Every process of a network must have the same ones.

use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding,
};
use ed25519_dalek::{SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest, Sha256};

use super::sealing::Sealer;
use super::secrets::entropy;
use crate::config::Config;

/// Why the keys of a network cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot make the folder of keys {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot read the key {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write the key {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// A key that others could read is no secret.
    #[error("others may read the key {} (mode {mode:o}); set mode 600", path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{} is not what it should be: {what}", path.display())]
    Malformed { path: PathBuf, what: &'static str },
    #[error("the operating system has no entropy")]
    Entropy(#[from] rand::rngs::SysError),
}

/// A key that verifies access tokens, and its name in them.
#[derive(Clone)]
pub(crate) struct Verifier {
    pub(crate) kid: String,
    pub(crate) key: VerifyingKey,
}

/// The keys of access tokens: one signs, all verify.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) signer: SigningKey,
    pub(crate) verifiers: Vec<Verifier>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.verifiers.iter().map(|verifier| &verifier.kid)).finish()
    }
}

impl Keys {
    /// From the settings' secrets, or from the files `jwt-*.pem` of the folder of keys, of which
    /// the last by name signs; the first one is made when there is none. To change keys, add a file
    /// and remove the old one when its tokens have expired.
    pub(crate) fn load(config: &Config) -> Result<Self, KeyError> {
        let secrets = [&config.auth.signing_secret, &config.auth.previous_signing_secret];
        let mut keys: Vec<SigningKey> = secrets
            .into_iter()
            .filter(|secret| secret.is_set())
            .map(|secret| derive(secret.reveal()))
            .collect();
        if !config.auth.signing_secret.is_set() {
            keys = from_folder(&config.keys_dir())?;
        }
        let verifiers = keys.iter().map(|key| verifier(key.verifying_key())).collect();
        let path = config.keys_dir();
        let signer = keys.into_iter().next();
        let signer = signer.ok_or(KeyError::Malformed { path, what: "no signing key" })?;
        Ok(Self { signer, verifiers })
    }

    pub(crate) fn verifier(&self, kid: &str) -> Option<&VerifyingKey> {
        self.verifiers.iter().find(|verifier| verifier.kid == kid).map(|verifier| &verifier.key)
    }

    /// The name of the key that signs.
    pub(crate) fn kid(&self) -> &str {
        self.verifiers.first().map_or("", |verifier| &verifier.kid)
    }
}

fn verifier(key: VerifyingKey) -> Verifier {
    let hash = Sha256::digest(key.as_bytes());
    Verifier { kid: hex::encode(hash).chars().take(16).collect(), key }
}

fn derive(secret: &str) -> SigningKey {
    let mut hash = Sha256::new();
    hash.update(b"gx/access-token/1\0");
    hash.update(secret.as_bytes());
    SigningKey::from_bytes(&hash.finalize().into())
}

fn from_folder(folder: &Path) -> Result<Vec<SigningKey>, KeyError> {
    make_folder(folder)?;
    let mut paths = key_files(folder)?;
    if paths.is_empty() {
        let key = SigningKey::from_bytes(&entropy()?);
        let path = folder.join("jwt-0001.pem");
        let malformed = |_| KeyError::Malformed { path: path.clone(), what: "no key can be made" };
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(malformed)?;
        write_once(&path, pem.as_bytes())?;
        paths = key_files(folder)?;
    }
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths.into_iter().map(read_key).collect()
}

fn key_files(folder: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let wrong = |source| KeyError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("jwt-") && name.ends_with(".pem") {
            paths.push(path);
        }
    }
    Ok(paths)
}

fn read_key(path: PathBuf) -> Result<SigningKey, KeyError> {
    let pem = std::fs::read_to_string(&path)
        .map_err(|source| KeyError::Read { path: path.clone(), source })?;
    SigningKey::from_pkcs8_pem(&pem)
        .map_err(|_| KeyError::Malformed { path, what: "an Ed25519 key in PKCS #8 PEM expected" })
}

fn make_folder(folder: &Path) -> Result<(), KeyError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| KeyError::Folder { path: folder.to_owned(), source })
}

/// Writes a file that appears whole or not at all, and leaves one that exists alone: of two
/// processes that start at once, both use the first one's key.
fn write_once(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let write = || -> io::Result<()> {
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    };
    write().map_err(|source| KeyError::Write { path: path.to_owned(), source })
}

/// Key of the hashes by which the ledger recognises a person.
///
/// The hash is HMAC-SHA256 over `document\0<country>\0<number>` when the person has given a
/// document, and over `email\0<address>` otherwise. Without the pepper, nobody who reads the ledger
/// can try numbers or addresses against it.
#[derive(Clone)]
pub(crate) struct Pepper(Vec<u8>);

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper")
    }
}

impl Pepper {
    /// From the settings, or the file `identity-pepper` in the folder of keys, made when missing.
    pub(crate) fn load(config: &Config) -> Result<Self, KeyError> {
        if config.auth.identity_pepper.is_set() {
            return Ok(Self(config.auth.identity_pepper.reveal().as_bytes().to_vec()));
        }
        let folder = config.keys_dir();
        make_folder(&folder)?;
        let path = folder.join("identity-pepper");
        if !path.exists() {
            write_once(&path, format!("{}\n", hex::encode(entropy::<32>()?)).as_bytes())?;
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|source| KeyError::Read { path: path.clone(), source })?;
        let text = text.trim();
        if text.len() < 32 {
            return Err(KeyError::Malformed { path, what: "32 characters or more expected" });
        }
        Ok(Self(text.as_bytes().to_vec()))
    }

    /// Tells this pepper from others without giving it away.
    pub(crate) fn fingerprint(&self) -> String {
        self.hash(&["fingerprint"]).chars().take(16).collect()
    }

    /// Identity by a document: its country and its number in normal form.
    pub(crate) fn of_document(&self, country: &str, number: &str) -> String {
        self.hash(&["document", country, number])
    }

    /// Identity by e-mail address, for who has given no document.
    pub(crate) fn of_email(&self, email: &str) -> String {
        self.hash(&["email", email])
    }

    /// The refresh token that follows another one. Nobody without the pepper can tell it.
    pub(crate) fn successor(&self, token: &str, salt: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(&["refresh token", salt, token]))
    }

    /// What is kept of a code by which somebody who has lost their device gets in. Codes are short
    /// enough to be tried by whoever has a plain hash.
    pub(crate) fn of_recovery_code(&self, subject: &str, code: &str) -> String {
        self.hash(&["recovery code", subject, code])
    }

    /// What shows that a link to a document is ours, and until when it is good.
    pub(crate) fn of_document_link(&self, document_id: &str, expires: &str) -> String {
        self.hash(&["document link", document_id, expires])
    }

    /// Whether a link is ours. It takes as long for every link that is not.
    pub(crate) fn is_document_link(&self, document_id: &str, expires: &str, given: &str) -> bool {
        let Ok(given) = hex::decode(given) else { return false };
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return false };
        mac.update(["document link", document_id, expires].join("\0").as_bytes());
        mac.verify_slice(&given).is_ok()
    }

    /// What is kept of a code of six digits that was sent to somebody. `of` is the row that keeps
    /// it, `to` where it was sent: what is known of one says nothing of another.
    pub(crate) fn of_code(&self, of: &str, to: &str, code: &str) -> String {
        self.hash(&["one-time code", of, to, code])
    }

    /// Whether a code is the one that `kept` is of. It takes as long for every code.
    pub(crate) fn is_code(&self, (of, to, code): (&str, &str, &str), kept: &str) -> bool {
        let Ok(kept) = hex::decode(kept) else { return false };
        let mac = self.keyed(&["one-time code", of, to, code]);
        mac.is_some_and(|mac| mac.verify_slice(&kept).is_ok())
    }

    /// What is kept of the secret of a partner's key.
    pub(crate) fn of_api_key(&self, id: &str, secret: &str) -> String {
        self.hash(&["api key", id, secret])
    }

    /// Whether a secret is that of a partner's key, in a time that says nothing of how near it is.
    pub(crate) fn is_api_key(&self, id: &str, secret: &str, hash: &str) -> bool {
        let mut expected = [0; 32];
        let is_hash = hex::decode_to_slice(hash, &mut expected).is_ok();
        let mac = self.keyed(&["api key", id, secret]);
        let is_right = mac.is_some_and(|mac| mac.verify_slice(&expected).is_ok());
        is_hash && is_right
    }

    /// Seals what is stored and has to be read again.
    pub(super) fn sealer(&self) -> Sealer {
        Sealer::new(self.mac(&["sealing key"]))
    }

    fn hash(&self, parts: &[&str]) -> String {
        hex::encode(self.mac(parts))
    }

    fn mac(&self, parts: &[&str]) -> [u8; 32] {
        self.keyed(parts).map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }

    fn keyed(&self, parts: &[&str]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        for (place, part) in parts.iter().enumerate() {
            if place > 0 {
                mac.update(b"\0");
            }
            mac.update(part.as_bytes());
        }
        Some(mac)
    }
}

/// What seals and opens on this network, for a process that does nothing else.
pub(crate) fn sealer(config: &Config) -> Result<Sealer, KeyError> {
    Ok(Pepper::load(config)?.sealer())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path) -> Config {
        let data_dir = folder.display().to_string();
        Config::load(None, [], &[("data_dir", data_dir)]).unwrap()
    }

    #[test]
    fn keys_are_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let (first, again) = (Keys::load(&config).unwrap(), Keys::load(&config).unwrap());
        assert_eq!(first.kid(), again.kid());
        let pepper = || Pepper::load(&config).unwrap().of_email("ada@example.org");
        assert_eq!(pepper(), pepper());
        assert_eq!(pepper().len(), 64);
        #[cfg(unix)]
        for name in ["jwt-0001.pem", "identity-pepper"] {
            use std::os::unix::fs::PermissionsExt as _;
            let path = config.keys_dir().join(name);
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_code_is_good_where_it_was_sent_to_alone() {
        let pepper = Pepper(vec![7; 32]);
        let kept = pepper.of_code("r1", "ada@example.org", "012345");
        assert!(!kept.contains("012345"));
        assert!(pepper.is_code(("r1", "ada@example.org", "012345"), &kept));
        for other in [
            ("r2", "ada@example.org", "012345"),
            ("r1", "bob@example.org", "012345"),
            ("r1", "ada@example.org", "012346"),
        ] {
            assert!(!pepper.is_code(other, &kept), "{other:?}");
        }
        assert!(!pepper.is_code(("r1", "ada@example.org", "012345"), ""));
    }

    #[test]
    fn an_added_key_signs_and_the_old_one_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let old = Keys::load(&config).unwrap();
        let pem = SigningKey::from_bytes(&[7; 32]).to_pkcs8_pem(LineEnding::LF).unwrap();
        std::fs::write(config.keys_dir().join("jwt-0002.pem"), pem.as_bytes()).unwrap();
        let new = Keys::load(&config).unwrap();
        assert_ne!(new.kid(), old.kid());
        assert!(new.verifier(old.kid()).is_some());
    }

    #[test]
    fn the_secret_of_a_key_is_known_by_its_hash() {
        let pepper = Pepper(vec![7; 32]);
        let hash = pepper.of_api_key("k1", "secret");
        assert!(pepper.is_api_key("k1", "secret", &hash));
        for (id, secret, hash) in
            [("k2", "secret", hash.as_str()), ("k1", "other", &hash), ("k1", "secret", "")]
        {
            assert!(!pepper.is_api_key(id, secret, hash), "{id} {secret}");
        }
        assert!(!Pepper(vec![8; 32]).is_api_key("k1", "secret", &hash));
    }

    #[test]
    fn a_damaged_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        std::fs::create_dir_all(config.keys_dir()).unwrap();
        std::fs::write(config.keys_dir().join("jwt-0001.pem"), "nonsense").unwrap();
        let message = Keys::load(&config).unwrap_err().to_string();
        assert!(message.contains("jwt-0001.pem"), "{message}");
    }

    #[test]
    fn the_secret_gives_the_same_key_everywhere() {
        assert_eq!(derive("secret").to_bytes(), derive("secret").to_bytes());
        assert_ne!(derive("secret").to_bytes(), derive("other").to_bytes());
    }
}
