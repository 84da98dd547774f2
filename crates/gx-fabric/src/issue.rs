//! Keys, certificate requests, and certificates for development networks.
//!
//! In production a Fabric CA issues; the key never leaves the machine that made it. A development
//! authority is a file next to the identities and worth nothing elsewhere.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use serde_json::json;
use x509_cert::der::asn1::UtcTime;
use x509_cert::der::pem::{LineEnding, encode_string};
use x509_cert::der::{DecodePem as _, Encode, oid::ObjectIdentifier};
use x509_cert::name::Name;
use x509_cert::request::CertReq;

use crate::certificate::{ATTRIBUTES_OID, Certificate};
use crate::der::{BIT_STRING, OCTET_STRING, OID, SEQUENCE, tlv, unsigned};
use crate::{Error, clock, identity};

const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const ALTERNATIVE_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// Certificates count from a little before they are made: clocks differ.
const BACKDATED: Duration = Duration::from_secs(300);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A P-256 key.
pub struct Key {
    pair: EcdsaKeyPair,
    pem: String,
    random: SystemRandom,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

impl Key {
    /// Draws a new key.
    ///
    /// # Errors
    /// [`Error::NoRandomness`].
    pub fn generate() -> Result<Self, Error> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| Error::NoRandomness)?;
        let pem = encode_string("PRIVATE KEY", LineEnding::LF, document.as_ref())
            .map_err(|_| Error::NoRandomness)?;
        Self::from_pem(&pem)
    }

    /// Reads a key in PKCS #8.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let unfit = || Error::Settings("the key is not a P-256 key in PKCS #8".to_owned());
        let (_, der) =
            x509_cert::der::pem::decode_vec(pem.trim().as_bytes()).map_err(|_| unfit())?;
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random)
            .map_err(|_| unfit())?;
        Ok(Self { pair, pem: pem.to_owned(), random })
    }

    /// The key as PEM text: a secret.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    fn public_key_info(&self) -> Vec<u8> {
        let algorithm = tlv(SEQUENCE, &[&tlv(OID, &[EC_PUBLIC_KEY]), &tlv(OID, &[P256])]);
        let point = tlv(BIT_STRING, &[&[0], self.pair.public_key().as_ref()]);
        tlv(SEQUENCE, &[&algorithm, &point])
    }

    fn key_id(&self) -> Vec<u8> {
        key_id(self.pair.public_key().as_ref())
    }

    /// What is signed, with algorithm and signature behind it.
    fn signed(&self, contents: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = identity::sign(&self.pair, &self.random, contents);
        let signature = signature.ok_or(Error::NoRandomness)?;
        let algorithm = tlv(SEQUENCE, &[&tlv(OID, &[ECDSA_SHA256])]);
        Ok(tlv(SEQUENCE, &[contents, &algorithm, &tlv(BIT_STRING, &[&[0], &signature])]))
    }

    /// A certificate request (PKCS #10) in PEM form.
    ///
    /// # Errors
    /// [`Error::Settings`] when the name cannot stand in a certificate.
    pub fn request(&self, name: &str) -> Result<String, Error> {
        let subject = distinguished(name, "client")?;
        let contents =
            tlv(SEQUENCE, &[&unsigned(&[0]), &subject, &self.public_key_info(), &[0xA0, 0]]);
        pem("CERTIFICATE REQUEST", &self.signed(&contents)?)
    }
}

/// The id of a key: a hash of its point.
fn key_id(point: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(point).to_vec()
}

fn pem(label: &'static str, der: &[u8]) -> Result<String, Error> {
    encode_string(label, LineEnding::LF, der)
        .map_err(|_| Error::Settings(format!("the {label} cannot be written")))
}

/// A subject's name in DER form.
fn distinguished(name: &str, unit: &str) -> Result<Vec<u8>, Error> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    let unfit = || Error::Settings(format!("{name:?} cannot be the name of an identity"));
    if name.is_empty() || !name.chars().all(legal) {
        return Err(unfit());
    }
    let parsed: Name = format!("CN={name},OU={unit}").parse().map_err(|_| unfit())?;
    parsed.to_der().map_err(|_| unfit())
}

/// Issues certificates with an authority's key.
#[derive(Debug)]
pub struct Authority {
    key: Key,
    certificate_pem: String,
    /// The authority's name in DER form, and the id of its key.
    subject: Vec<u8>,
    key_id: Vec<u8>,
    /// What it issues counts no earlier: peers check a certificate as of its own beginning.
    valid_from: Duration,
}

impl Authority {
    /// A new authority for development.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::NoRandomness`].
    pub fn generate(name: &str, days: u32) -> Result<Self, Error> {
        let key = Key::generate()?;
        let (subject, key_id) = (distinguished(name, "admin")?, key.key_id());
        // Signing certificates and revocation lists.
        let usage = tlv(BIT_STRING, &[&[1, 0x06]]);
        let constraints = tlv(SEQUENCE, &[&[0x01, 0x01, 0xFF]]);
        let extensions = [
            extension(BASIC_CONSTRAINTS, true, &constraints),
            extension(KEY_USAGE, true, &usage),
            extension(SUBJECT_KEY_ID, false, &tlv(OCTET_STRING, &[&key_id])),
        ];
        let subject_key = key.public_key_info();
        let names = (subject.as_slice(), subject.as_slice());
        let valid_from = clock::now().saturating_sub(BACKDATED);
        let validity = (valid_from, days);
        let certificate_pem =
            certificate(&key, names, &subject_key, &extensions.concat(), validity)?;
        Ok(Self { key, certificate_pem, subject, key_id, valid_from })
    }

    /// An authority whose certificate and key exist, such as one that cryptogen has made.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let unfit = || Error::Settings("the authority's certificate cannot be read".to_owned());
        let certificate = Certificate::from_pem(certificate_pem.as_bytes()).map_err(|_| unfit())?;
        let key = Key::from_pem(key_pem)?;
        if key.pair.public_key().as_ref() != certificate.public_key() {
            return Err(Error::Settings("the key is not the authority's".to_owned()));
        }
        let subject = certificate.subject_der().ok_or_else(unfit)?;
        let key_id = certificate.subject_key_id().unwrap_or_else(|| key.key_id());
        let (valid_from, _) = certificate.validity();
        let certificate_pem = certificate_pem.to_owned();
        Ok(Self { key, certificate_pem, subject, key_id, valid_from })
    }

    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A client's certificate with attributes, in PEM form.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::NoRandomness`].
    pub fn issue(
        &self,
        name: &str,
        key: &Key,
        attributes: &[(&str, &str)],
        days: u32,
    ) -> Result<String, Error> {
        let subject = (name, key.public_key_info(), key.key_id());
        self.certify(subject, &[attributes_extension(attributes)], days)
    }

    /// As [`Authority::issue`], for a key that somebody else has: to a certificate request.
    ///
    /// # Errors
    /// [`Error::Settings`] when the request is none, or is not signed by its key.
    pub fn issue_to(
        &self,
        request_pem: &str,
        name: &str,
        attributes: &[(&str, &str)],
        days: u32,
    ) -> Result<String, Error> {
        let unfit = || Error::Settings("the certificate request cannot be used".to_owned());
        let request = CertReq::from_pem(request_pem.as_bytes()).map_err(|_| unfit())?;
        let info = &request.info.public_key;
        let point = info.subject_public_key.raw_bytes();
        let signed = request.info.to_der().map_err(|_| unfit())?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
            .verify(&signed, request.signature.raw_bytes())
            .map_err(|_| unfit())?;
        let subject = (name, info.to_der().map_err(|_| unfit())?, key_id(point));
        self.certify(subject, &[attributes_extension(attributes)], days)
    }

    /// The certificate of a TLS server on the address.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::NoRandomness`].
    pub fn issue_server(&self, address: IpAddr, key: &Key, days: u32) -> Result<String, Error> {
        let name = match address {
            IpAddr::V4(address) => tlv(0x87, &[&address.octets()]),
            IpAddr::V6(address) => tlv(0x87, &[&address.octets()]),
        };
        let name = extension(ALTERNATIVE_NAME, false, &tlv(SEQUENCE, &[&name]));
        self.certify(("server", key.public_key_info(), key.key_id()), &[name], days)
    }

    fn certify(
        &self,
        (name, public_key_info, key_id): (&str, Vec<u8>, Vec<u8>),
        extensions: &[Vec<u8>],
        days: u32,
    ) -> Result<String, Error> {
        let subject = distinguished(name, "client")?;
        let authority = tlv(SEQUENCE, &[&tlv(0x80, &[&self.key_id])]);
        let mut all = [
            // Digital signatures only.
            extension(KEY_USAGE, true, &tlv(BIT_STRING, &[&[7, 0x80]])),
            extension(BASIC_CONSTRAINTS, true, &tlv(SEQUENCE, &[])),
            extension(SUBJECT_KEY_ID, false, &tlv(OCTET_STRING, &[&key_id])),
            extension(AUTHORITY_KEY_ID, false, &authority),
        ]
        .concat();
        all.extend(extensions.concat());
        let names = (self.subject.as_slice(), subject.as_slice());
        let validity = (clock::now().saturating_sub(BACKDATED).max(self.valid_from), days);
        certificate(&self.key, names, &public_key_info, &all, validity)
    }
}

fn attributes_extension(attributes: &[(&str, &str)]) -> Vec<u8> {
    let attributes: serde_json::Map<String, serde_json::Value> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    extension(ATTRIBUTES_OID, false, json!({ "attrs": attributes }).to_string().as_bytes())
}

fn extension(id: ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[0x01, 0x01, 0xFF] } else { &[] };
    tlv(SEQUENCE, &[&tlv(OID, &[id.as_bytes()]), critical, &tlv(OCTET_STRING, &[value])])
}

fn certificate(
    issuer: &Key,
    (issuer_name, subject): (&[u8], &[u8]),
    subject_key: &[u8],
    extensions: &[u8],
    (from, days): (Duration, u32),
) -> Result<String, Error> {
    let serial: [u8; 16] = ring::rand::generate(&issuer.random)
        .map(ring::rand::Random::expose)
        .map_err(|_| Error::NoRandomness)?;
    let validity = [from, clock::now().saturating_add(DAY.saturating_mul(days))]
        .map(|time| UtcTime::from_unix_duration(time).and_then(|time| time.to_der()));
    let [Ok(from), Ok(until)] = validity else {
        return Err(Error::Settings(format!("{days} days are too long for a certificate")));
    };
    let algorithm = tlv(SEQUENCE, &[&tlv(OID, &[ECDSA_SHA256])]);
    let contents = tlv(
        SEQUENCE,
        &[
            // Version 3.
            &tlv(0xA0, &[&unsigned(&[2])]),
            &unsigned(&serial),
            &algorithm,
            issuer_name,
            &tlv(SEQUENCE, &[&from, &until]),
            subject,
            subject_key,
            &tlv(0xA3, &[&tlv(SEQUENCE, &[extensions])]),
        ],
    );
    pem("CERTIFICATE", &issuer.signed(&contents)?)
}

/// Writes an identity as an MSP folder. The key can be read by its owner only.
///
/// # Errors
/// Those of the file system; also when the folder exists.
pub fn write_msp_folder(
    folder: &Path,
    msp_id: &str,
    certificate_pem: &str,
    key_pem: &str,
    authority_pem: &str,
) -> io::Result<()> {
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::create_dir(folder)?;
    for part in ["signcerts", "keystore", "cacerts"] {
        fs::create_dir(folder.join(part))?;
    }
    fs::write(folder.join("signcerts/cert.pem"), certificate_pem)?;
    fs::write(folder.join("cacerts/ca.pem"), authority_pem)?;
    fs::write(folder.join("mspid"), format!("{msp_id}\n"))?;
    let key = folder.join("keystore/key.pem");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(key)?;
    file.write_all(key_pem.as_bytes())
}

#[cfg(test)]
mod tests {
    use gx_types::Role;

    use super::*;
    use crate::Identity;

    #[test]
    fn an_issued_identity_has_its_role_and_its_issuer() {
        let authority = Authority::generate("ca.org1", 10).unwrap();
        let key = Key::generate().unwrap();
        let attributes = [("gxc_role", "gx_admin"), ("other", "x")];
        let pem = authority.issue("alice", &key, &attributes, 5).unwrap();
        let identity = Identity::from_pem("alice", "Org1MSP", pem.as_bytes(), key.pem()).unwrap();
        assert_eq!(identity.role(), Ok(Role::Admin));
        assert_eq!(identity.certificate().subject(), "CN=alice,OU=client");
        let issuer = Certificate::from_pem(authority.certificate_pem().as_bytes()).unwrap();
        assert!(identity.certificate().is_issued_by(&issuer) && issuer.is_issued_by(&issuer));
        let other = Authority::generate("ca.org1", 10).unwrap();
        let other = Certificate::from_pem(other.certificate_pem().as_bytes()).unwrap();
        assert!(!identity.certificate().is_issued_by(&other));
        let (from, until) = identity.certificate().validity();
        assert!(from >= issuer.validity().0 && until < issuer.validity().1);
    }

    #[test]
    fn a_loaded_authority_issues_the_same_way() {
        let made = Authority::generate("ca.org1", 10).unwrap();
        let loaded = Authority::from_pem(made.certificate_pem(), made.key.pem()).unwrap();
        assert_eq!((&loaded.subject, &loaded.key_id), (&made.subject, &made.key_id));
        let other = Key::generate().unwrap();
        assert!(Authority::from_pem(made.certificate_pem(), other.pem()).is_err());
    }

    #[test]
    fn keys_and_certificates_belong_together() {
        let authority = Authority::generate("ca", 1).unwrap();
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        let pem = authority.issue("a", &key, &[], 1).unwrap();
        assert!(Identity::from_pem("a", "M", pem.as_bytes(), other.pem()).is_err());
        assert!(authority.issue("a,b=c", &key, &[], 1).is_err());
    }

    #[test]
    fn a_request_is_signed_by_its_key() {
        let authority = Authority::generate("ca", 1).unwrap();
        let key = Key::generate().unwrap();
        let request = key.request("alice").unwrap();
        let read = CertReq::from_pem(request.as_bytes()).unwrap();
        assert_eq!(read.info.subject.to_string(), "CN=alice,OU=client");
        let pem = authority.issue_to(&request, "alice", &[], 1).unwrap();
        assert!(Identity::from_pem("alice", "M", pem.as_bytes(), key.pem()).is_ok());
        // With another key's signature it is none.
        let other = Key::generate().unwrap().request("alice").unwrap();
        let (_, mut der) = x509_cert::der::pem::decode_vec(request.as_bytes()).unwrap();
        let (_, theirs) = x509_cert::der::pem::decode_vec(other.as_bytes()).unwrap();
        let at = der.len().min(theirs.len()) - 40;
        let end = der.len().min(theirs.len());
        der[at..end].copy_from_slice(&theirs[at..end]);
        let forged = super::pem("CERTIFICATE REQUEST", &der).unwrap();
        assert!(authority.issue_to(&forged, "alice", &[], 1).is_err());
        assert!(authority.issue_to("alice", "alice", &[], 1).is_err());
    }
}
