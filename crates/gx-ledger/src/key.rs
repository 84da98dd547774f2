//! The key that a node signs its blocks with.
//!
//! The private key never leaves this file but into a key file that only its owner may read.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::str::FromStr;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use rand::TryRng;
use rand::rngs::SysRng;

use crate::Error;
use crate::hash::{Hash, NotHex, read_hex, write_hex};

/// What a signature covers: this text, so that it can stand for nothing else, and a block's hash.
const SIGNED_PREFIX: &[u8] = b"gx/block-signature/1\0";

/// An Ed25519 public key, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

/// An Ed25519 signature of a block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl PublicKey {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` is this key's over the block hash.
    pub fn verifies(&self, hash: &Hash, signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(&signed_bytes(hash), &signature))
            .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = NotHex;

    fn from_str(text: &str) -> Result<Self, NotHex> {
        read_hex(text).map(Self)
    }
}

impl Signature {
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

fn signed_bytes(hash: &Hash) -> Vec<u8> {
    [SIGNED_PREFIX, hash.as_bytes()].concat()
}

/// A node's Ed25519 key pair.
#[derive(Clone)]
pub struct NodeKey(SigningKey);

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.public())
    }
}

impl NodeKey {
    /// The key that the 32 bytes stand for. They must be secret and random.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Reads the key file at `path`, or creates it with a new random key: PKCS#8 PEM, readable by
    /// its owner only.
    ///
    /// # Errors
    /// [`Error::KeyFile`] when the file holds no Ed25519 key or others may read it, [`Error::Io`].
    pub fn load_or_create(path: &Path) -> Result<Self, Error> {
        match fs::read_to_string(path) {
            Ok(pem) => Self::from_file(path, &pem),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path),
            Err(error) => Err(Error::io("read key file", path)(error)),
        }
    }

    /// The key in a file, which has to be there.
    ///
    /// # Errors
    /// When there is none, it is no key, or others may read it.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let pem = fs::read_to_string(path).map_err(Error::io("read key file", path))?;
        Self::from_file(path, &pem)
    }

    fn from_file(path: &Path, pem: &str) -> Result<Self, Error> {
        let unusable = |reason| Error::KeyFile { path: path.to_owned(), reason };
        let mode = fs::metadata(path).map_err(Error::io("read key file", path))?.permissions();
        if mode.mode() & 0o077 != 0 {
            return Err(unusable(format!(
                "others may read it (mode {:o}); set mode 600",
                mode.mode() & 0o777
            )));
        }
        SigningKey::from_pkcs8_pem(pem)
            .map(Self)
            .map_err(|error| unusable(format!("not an Ed25519 key in PKCS#8 PEM ({error})")))
    }

    fn create(path: &Path) -> Result<Self, Error> {
        let failed = || Error::io("create key file", path);
        let mut seed = [0; 32];
        SysRng.try_fill_bytes(&mut seed).map_err(|error| failed()(io::Error::other(error)))?;
        let key = SigningKey::from_bytes(&seed);
        let pem = key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|error| failed()(io::Error::other(error.to_string())))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(failed())?;
        file.write_all(pem.as_bytes()).map_err(failed())?;
        file.sync_all().map_err(failed())?;
        sync_folder_of(path)?;
        Ok(Self(key))
    }

    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    pub(crate) fn sign(&self, hash: &Hash) -> Signature {
        Signature(self.0.sign(&signed_bytes(hash)).to_bytes())
    }
}

/// Makes the creation or renaming of `path` itself survive a power cut.
pub(crate) fn sync_folder_of(path: &Path) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io("write folder", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_fixed_by_key_and_hash() {
        let key = NodeKey::from_seed([7; 32]);
        let hash = Hash::of(b"block");
        let signature = key.sign(&hash);
        assert!(key.public().verifies(&hash, &signature));
        assert!(!key.public().verifies(&Hash::of(b"another"), &signature));
        assert!(!NodeKey::from_seed([8; 32]).public().verifies(&hash, &signature));
        let text = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
        assert_eq!(key.public().to_string(), text);
        assert_eq!(text.parse(), Ok(key.public()));
    }

    #[test]
    fn a_key_file_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.key");
        let made = NodeKey::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(NodeKey::load_or_create(&path).unwrap().public(), made.public());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let refused = NodeKey::load_or_create(&path).unwrap_err().to_string();
        assert!(refused.contains("mode 644"), "{refused}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "not a key").unwrap();
        assert!(matches!(NodeKey::load_or_create(&path), Err(Error::KeyFile { .. })));
    }
}
