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

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa,
    Issuer, KeyIdMethod, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
    SerialNumber, SignatureAlgorithm, SigningKey, date_time_ymd,
};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use serde_json::json;
use x509_cert::der::pem::{LineEnding, encode_string};
use x509_cert::der::{DecodePem as _, Encode, Tag};
use x509_cert::request::CertReq;

use crate::certificate::{ATTRIBUTES_OID, Certificate, NamePart};
use crate::{Error, clock, identity};

/// Certificates count from a little before they are made: clocks differ.
const BACKDATED: Duration = Duration::from_secs(300);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest validity that is written; no authority should outlive it.
const DAYS_MAX: u32 = 36_500;

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

    /// A certificate request (PKCS #10) in PEM form.
    ///
    /// # Errors
    /// [`Error::Settings`] when the name cannot stand in a certificate.
    pub fn request(&self, name: &str) -> Result<String, Error> {
        let params = params(distinguished(name, "client")?);
        let request = params.serialize_request(self).map_err(unwritten)?;
        pem("CERTIFICATE REQUEST", request.der())
    }
}

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// Fabric takes no signature whose second number is in the upper half, which libraries write.
impl SigningKey for Key {
    fn sign(&self, contents: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signature = identity::sign(&self.pair, &self.random, contents);
        signature.ok_or(rcgen::Error::RemoteKeyError)
    }
}

/// The key of somebody who has sent a request.
struct Point<'p>(&'p [u8]);

impl PublicKeyData for Point<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// The id of a key: a hash of its point.
fn key_id(key: &impl PublicKeyData) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha256::digest(key.der_bytes()).to_vec()
}

fn pem(label: &'static str, der: &[u8]) -> Result<String, Error> {
    encode_string(label, LineEnding::LF, der)
        .map_err(|_| Error::Settings(format!("the {label} cannot be written")))
}

fn unwritten(error: rcgen::Error) -> Error {
    match error {
        // Signing fails for want of randomness only.
        rcgen::Error::RemoteKeyError => Error::NoRandomness,
        error => Error::Settings(format!("the certificate cannot be written: {error}")),
    }
}

/// A subject's name.
fn distinguished(name: &str, unit: &str) -> Result<DistinguishedName, Error> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
    if name.is_empty() || !name.chars().all(legal) {
        return Err(Error::Settings(format!("{name:?} cannot be the name of an identity")));
    }
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationalUnitName, unit);
    subject.push(DnType::CommonName, name);
    Ok(subject)
}

/// An authority's name as its certificate writes it: who reads a chain compares bytes.
fn name_of(certificate: &Certificate) -> Result<DistinguishedName, Error> {
    let unfit =
        || Error::Settings("the authority's name has parts that gx cannot write".to_owned());
    let mut name = DistinguishedName::new();
    for NamePart { kind, tag, text } in certificate.subject_parts().ok_or_else(unfit)? {
        let text = String::from_utf8(text).map_err(|_| unfit())?;
        let value = match tag {
            Tag::Utf8String => DnValue::Utf8String(text),
            Tag::PrintableString => {
                DnValue::PrintableString(text.as_str().try_into().map_err(|_| unfit())?)
            }
            Tag::Ia5String => DnValue::Ia5String(text.as_str().try_into().map_err(|_| unfit())?),
            _ => return Err(unfit()),
        };
        let kind = DnType::from_oid(&kind);
        if name.get(&kind).is_some() {
            return Err(unfit());
        }
        name.push(kind, value);
    }
    Ok(name)
}

fn params(subject: DistinguishedName) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    params
}

/// Issues certificates with an authority's key.
pub struct Authority {
    issuer: Issuer<'static, Key>,
    certificate_pem: String,
    /// What it issues counts no earlier: peers check a certificate as of its own beginning.
    valid_from: Duration,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new authority for development.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::NoRandomness`].
    pub fn generate(name: &str, days: u32) -> Result<Self, Error> {
        let key = Key::generate()?;
        let valid_from = clock::now().saturating_sub(BACKDATED);
        let mut params = params(distinguished(name, "admin")?);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.key_identifier_method = KeyIdMethod::PreSpecified(key_id(&key));
        fresh(&mut params, &key, valid_from, days)?;
        let certificate = params.self_signed(&key).map_err(unwritten)?;
        let certificate_pem = pem("CERTIFICATE", certificate.der())?;
        Ok(Self { issuer: Issuer::new(params, key), certificate_pem, valid_from })
    }

    /// An authority whose certificate and key exist, such as one that cryptogen has made.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let unfit = || Error::Settings("the authority's certificate cannot be read".to_owned());
        let certificate = Certificate::from_pem(certificate_pem.as_bytes()).map_err(|_| unfit())?;
        let key = Key::from_pem(key_pem)?;
        if key.der_bytes() != certificate.public_key() {
            return Err(Error::Settings("the key is not the authority's".to_owned()));
        }
        let mut params = params(name_of(&certificate)?);
        let key_id = certificate.subject_key_id().unwrap_or_else(|| key_id(&key));
        params.key_identifier_method = KeyIdMethod::PreSpecified(key_id);
        let (valid_from, _) = certificate.validity();
        let certificate_pem = certificate_pem.to_owned();
        Ok(Self { issuer: Issuer::new(params, key), certificate_pem, valid_from })
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
        let mut params = params(distinguished(name, "client")?);
        params.custom_extensions.push(attributes_extension(attributes));
        self.certify(params, key, days)
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
        let point = request.info.public_key.subject_public_key.raw_bytes();
        let signed = request.info.to_der().map_err(|_| unfit())?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
            .verify(&signed, request.signature.raw_bytes())
            .map_err(|_| unfit())?;
        let mut params = params(distinguished(name, "client")?);
        params.custom_extensions.push(attributes_extension(attributes));
        self.certify(params, &Point(point), days)
    }

    /// The certificate of a TLS server on the address.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::NoRandomness`].
    pub fn issue_server(&self, address: IpAddr, key: &Key, days: u32) -> Result<String, Error> {
        let mut params = params(distinguished("server", "client")?);
        params.subject_alt_names.push(SanType::IpAddress(address));
        self.certify(params, key, days)
    }

    fn certify(
        &self,
        mut params: CertificateParams,
        key: &impl PublicKeyData,
        days: u32,
    ) -> Result<String, Error> {
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.key_identifier_method = KeyIdMethod::PreSpecified(key_id(key));
        let from = clock::now().saturating_sub(BACKDATED).max(self.valid_from);
        fresh(&mut params, self.issuer.key(), from, days)?;
        let certificate = params.signed_by(key, &self.issuer).map_err(unwritten)?;
        pem("CERTIFICATE", certificate.der())
    }
}

/// A serial number of its own, and the time that the certificate counts for.
fn fresh(
    params: &mut CertificateParams,
    signer: &Key,
    from: Duration,
    days: u32,
) -> Result<(), Error> {
    if days > DAYS_MAX {
        return Err(Error::Settings(format!("{days} days are too long for a certificate")));
    }
    let serial: [u8; 16] = ring::rand::generate(&signer.random)
        .map(ring::rand::Random::expose)
        .map_err(|_| Error::NoRandomness)?;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    let epoch = date_time_ymd(1970, 1, 1);
    let until = clock::now().saturating_add(DAY.saturating_mul(days));
    (params.not_before, params.not_after) = (epoch + from, epoch + until);
    Ok(())
}

fn attributes_extension(attributes: &[(&str, &str)]) -> CustomExtension {
    let attributes: serde_json::Map<String, serde_json::Value> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    let arcs: Vec<u64> = ATTRIBUTES_OID.arcs().map(u64::from).collect();
    let content = json!({ "attrs": attributes }).to_string().into_bytes();
    CustomExtension::from_oid_content(&arcs, content)
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
        let loaded = Authority::from_pem(made.certificate_pem(), made.issuer.key().pem()).unwrap();
        let key = Key::generate().unwrap();
        for authority in [&made, &loaded] {
            let pem = authority.issue("alice", &key, &[], 5).unwrap();
            let issued = Certificate::from_pem(pem.as_bytes()).unwrap();
            let issuer = Certificate::from_pem(made.certificate_pem().as_bytes()).unwrap();
            assert!(issued.is_issued_by(&issuer));
        }
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
