//! Who a client is on the channel: certificate, MSP and private key, read from files.
//!
//! Two layouts are read: an MSP folder (`signcerts/`, `keystore/`, `mspid`) and the flat files
//! `<name>-cert` and `<name>-key` of a mounted secret. Private keys leave no trace in logs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gx_types::Role;
use prost::Message;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use crate::certificate::{Certificate, RoleError};
use crate::der::{SEQUENCE, tlv, unsigned};
use crate::proto::SerializedIdentity;

/// Why an identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot read {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path}: {reason}")]
    Unusable { path: PathBuf, reason: String },
    #[error("{path} holds no identity; expected {expected}")]
    Empty { path: PathBuf, expected: &'static str },
    #[error("{path} has no identity with the role {role}; it has {found}")]
    NoRole { path: PathBuf, role: Role, found: String },
}

impl IdentityError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    fn unusable(path: &Path, reason: impl fmt::Display) -> Self {
        Self::Unusable { path: path.to_owned(), reason: reason.to_string() }
    }
}

/// A client's identity on the channel.
pub struct Identity {
    name: String,
    msp_id: String,
    certificate: Certificate,
    certificate_pem: Vec<u8>,
    /// The serialised identity, as it stands in every request.
    creator: Vec<u8>,
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .field("msp_id", &self.msp_id)
            .field("subject", &self.certificate.subject())
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// An identity from the PEM texts of certificate and key (PKCS #8, P-256).
    ///
    /// # Errors
    /// A sentence for people that says which of the two is unusable.
    pub fn from_pem(
        name: &str,
        msp_id: &str,
        certificate_pem: &[u8],
        key_pem: &str,
    ) -> Result<Self, String> {
        let certificate = Certificate::from_pem(certificate_pem).map_err(|e| e.to_string())?;
        let (label, der) = x509_cert::der::pem::decode_vec(key_pem.trim().as_bytes())
            .map_err(|_| "the private key is not in PEM form".to_owned())?;
        if label != "PRIVATE KEY" {
            return Err(format!(
                "the private key is a {label}; convert it with: openssl pkcs8 -topk8 -nocrypt"
            ));
        }
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random)
            .map_err(|_| "the private key is not a P-256 key in PKCS #8".to_owned())?;
        if key.public_key().as_ref() != certificate.public_key() {
            return Err("the private key does not belong to the certificate".to_owned());
        }
        let identity =
            SerializedIdentity { mspid: msp_id.to_owned(), id_bytes: certificate_pem.to_vec() };
        Ok(Self {
            name: name.to_owned(),
            msp_id: msp_id.to_owned(),
            certificate,
            certificate_pem: certificate_pem.to_vec(),
            creator: identity.encode_to_vec(),
            key,
            random,
        })
    }

    /// An identity from an MSP folder. Its file `mspid`, if there is one, wins over `msp_id`.
    ///
    /// # Errors
    /// [`IdentityError`] with the path that is missing or unusable.
    pub fn from_msp_folder(folder: &Path, msp_id: Option<&str>) -> Result<Self, IdentityError> {
        let certificate = only_file(&folder.join("signcerts"))?;
        let key = only_file(&folder.join("keystore"))?;
        let own = folder.join("mspid");
        let own = if own.is_file() { Some(read_text(&own)?) } else { None };
        let msp_id = own.as_deref().map(str::trim).or(msp_id).ok_or_else(|| {
            IdentityError::unusable(folder, "it has no file mspid and no MSP is set")
        })?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        Self::read(&name, msp_id, &certificate, &key)
    }

    fn read(
        name: &str,
        msp_id: &str,
        certificate: &Path,
        key: &Path,
    ) -> Result<Self, IdentityError> {
        let pem = fs::read(certificate).map_err(IdentityError::io(certificate))?;
        let key_pem = read_text(key)?;
        Self::from_pem(name, msp_id, &pem, &key_pem)
            .map_err(|reason| IdentityError::unusable(certificate, reason))
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn msp_id(&self) -> &str {
        &self.msp_id
    }

    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The role that the certificate's attribute names.
    ///
    /// # Errors
    /// [`RoleError`].
    pub fn role(&self) -> Result<Role, RoleError> {
        self.certificate.role()
    }

    /// The certificate as it was read.
    pub(crate) fn certificate_pem(&self) -> &[u8] {
        &self.certificate_pem
    }

    pub(crate) fn creator(&self) -> &[u8] {
        &self.creator
    }

    /// Random bytes for nonces.
    pub(crate) fn nonce(&self) -> Option<[u8; 24]> {
        ring::rand::generate(&self.random).ok().map(ring::rand::Random::expose)
    }

    /// A signature in DER form whose S is in the lower half: Fabric refuses the other one.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        sign(&self.key, &self.random, message)
    }
}

/// A signature in DER form with a low S.
pub(crate) fn sign(key: &EcdsaKeyPair, random: &SystemRandom, message: &[u8]) -> Option<Vec<u8>> {
    let signature = key.sign(random, message).ok()?;
    let (r, s) = signature.as_ref().split_at_checked(32)?;
    let s = low_s(s.try_into().ok()?);
    Some(tlv(SEQUENCE, &[&unsigned(r), &unsigned(&s)]))
}

/// The order of the group of P-256.
const ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// The smaller of `s` and the order less `s`; both belong to the same signature.
fn low_s(s: [u8; 32]) -> [u8; 32] {
    let mut other = [0; 32];
    let mut borrow = 0_i16;
    for ((to, order), s) in other.iter_mut().zip(ORDER).zip(s).rev() {
        let difference = i16::from(order) - i16::from(s) - borrow;
        borrow = i16::from(difference < 0);
        *to = difference.rem_euclid(256) as u8;
    }
    s.min(other)
}

/// A folder of identities.
#[derive(Debug)]
pub struct Wallet {
    path: PathBuf,
    msp_id: Option<String>,
    identities: Vec<std::sync::Arc<Identity>>,
}

const LAYOUT: &str = "<name>/signcerts, <name>/keystore and <name>/mspid for each identity, \
                      or the files <name>-cert and <name>-key";

impl Wallet {
    /// Reads every identity in a folder. A folder that is an MSP itself holds one.
    ///
    /// # Errors
    /// [`IdentityError`] for the first one that is unusable.
    pub fn open(path: &Path, msp_id: Option<&str>) -> Result<Self, IdentityError> {
        let mut identities = Vec::new();
        if path.join("signcerts").is_dir() {
            identities.push(Identity::from_msp_folder(path, msp_id)?);
        } else {
            let mut entries = files(path)?;
            entries.sort();
            for entry in entries {
                if entry.join("signcerts").is_dir() {
                    identities.push(Identity::from_msp_folder(&entry, msp_id)?);
                    continue;
                }
                let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let Some(name) = name.strip_suffix("-cert") else { continue };
                // The authority of the TLS certificates lies beside the identities.
                if name == "tlsca" {
                    continue;
                }
                let msp_id = msp_id.ok_or_else(|| {
                    IdentityError::unusable(&entry, "flat files name no MSP and none is set")
                })?;
                let key = path.join(format!("{name}-key"));
                identities.push(Identity::read(name, msp_id, &entry, &key)?);
            }
        }
        if identities.is_empty() {
            return Err(IdentityError::Empty { path: path.to_owned(), expected: LAYOUT });
        }
        let identities = identities.into_iter().map(std::sync::Arc::new).collect();
        let msp_id = msp_id.map(str::to_owned);
        Ok(Self { path: path.to_owned(), msp_id, identities })
    }

    /// Where it was read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The MSP of identities that name none.
    pub fn msp_id(&self) -> Option<&str> {
        self.msp_id.as_deref()
    }

    pub fn identities(&self) -> &[std::sync::Arc<Identity>] {
        &self.identities
    }

    /// The identity whose certificate names the role.
    ///
    /// # Errors
    /// [`IdentityError::NoRole`].
    pub fn with_role(&self, role: Role) -> Result<std::sync::Arc<Identity>, IdentityError> {
        let found = self.identities.iter().find(|identity| identity.role() == Ok(role));
        found.cloned().ok_or_else(|| {
            let names: Vec<&str> = self.identities.iter().map(|found| found.name()).collect();
            IdentityError::NoRole { path: self.path.clone(), role, found: names.join(", ") }
        })
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, IdentityError> {
    let entries = fs::read_dir(folder).map_err(IdentityError::io(folder))?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(IdentityError::io(folder)))
        .collect()
}

fn only_file(folder: &Path) -> Result<PathBuf, IdentityError> {
    let mut files: Vec<PathBuf> =
        files(folder)?.into_iter().filter(|path| path.is_file()).collect();
    match (files.pop(), files.len()) {
        (Some(file), 0) => Ok(file),
        _ => Err(IdentityError::unusable(folder, "exactly one PEM file expected")),
    }
}

fn read_text(path: &Path) -> Result<String, IdentityError> {
    fs::read_to_string(path).map_err(IdentityError::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_s_is_taken() {
        let mut one = [0; 32];
        one[31] = 1;
        let mut largest = ORDER;
        largest[31] -= 1;
        assert_eq!(low_s(one), one);
        assert_eq!(low_s(largest), one);
        let half = low_s([0x80; 32]);
        assert!(half[0] < 0x80 && low_s(half) == half);
    }
}
