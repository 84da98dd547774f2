//! X.509 certificates as far as Fabric's identities need them: role attribute, validity, issuer.
//!
//! Whether a certificate counts on a channel is decided by the peers' MSPs. What is checked here
//! tells an operator beforehand what they will say.

use std::time::Duration;

use gx_types::Role;
use ring::signature;
use serde::Deserialize;
use x509_cert::der::{Decode, DecodePem, Encode, Tag, Tagged, oid::ObjectIdentifier};

/// Extension in which Fabric CA puts attributes. Its value is the JSON text itself.
pub const ATTRIBUTES_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.3.4.5.6.7.8.1");

/// The attribute that names a service's role.
pub const ROLE_ATTRIBUTE: &str = "gxc_role";

const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

const ORGANIZATIONAL_UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");

/// Why a certificate names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    #[error("the certificate has no attribute {ROLE_ATTRIBUTE}")]
    Missing,
    #[error("the certificate's attributes cannot be read")]
    Unreadable,
    #[error("the certificate's attribute {ROLE_ATTRIBUTE} is {0:?}, which is no role")]
    Unknown(String),
}

/// The text is not a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not an X.509 certificate in PEM form")]
pub struct NotACertificate;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate(x509_cert::Certificate);

/// Certificates that their authority has taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revocations(x509_cert::crl::CertificateList);

impl Revocations {
    /// Reads a list in PEM form or in binary form.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NotACertificate> {
        let der = match x509_cert::der::pem::decode_vec(bytes.trim_ascii()) {
            Ok((_, der)) => der,
            Err(_) => bytes.to_vec(),
        };
        let list = x509_cert::crl::CertificateList::from_der(&der);
        list.map(Self).map_err(|_| NotACertificate)
    }
}

/// A part of a name as it is written.
#[derive(Debug)]
pub(crate) struct NamePart {
    /// Of the object identifier.
    pub(crate) kind: Vec<u64>,
    pub(crate) tag: Tag,
    pub(crate) text: Vec<u8>,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// [`NotACertificate`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, NotACertificate> {
        // Labels and text before the first certificate are common in files made by tools.
        const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
        const END: &[u8] = b"-----END CERTIFICATE-----";
        let find = |mark: &[u8]| pem.windows(mark.len()).position(|window| window == mark);
        let (start, end) = find(BEGIN).zip(find(END)).ok_or(NotACertificate)?;
        let block = pem.get(start..end.saturating_add(END.len())).ok_or(NotACertificate)?;
        x509_cert::Certificate::from_pem(block).map(Self).map_err(|_| NotACertificate)
    }

    /// Reads a certificate in binary form.
    ///
    /// # Errors
    /// [`NotACertificate`].
    pub fn from_der(der: &[u8]) -> Result<Self, NotACertificate> {
        x509_cert::Certificate::from_der(der).map(Self).map_err(|_| NotACertificate)
    }

    /// The role in the certificate's attributes.
    ///
    /// # Errors
    /// [`RoleError`]. There is no fallback on organizational units.
    pub fn role(&self) -> Result<Role, RoleError> {
        #[derive(Deserialize)]
        struct Attributes {
            attrs: std::collections::BTreeMap<String, String>,
        }
        let extensions = self.0.tbs_certificate().extensions().into_iter().flatten();
        let mut found = extensions.filter(|extension| extension.extn_id == ATTRIBUTES_OID);
        let attributes = found.next().ok_or(RoleError::Missing)?;
        if found.next().is_some() {
            return Err(RoleError::Unreadable);
        }
        let attributes: Attributes = serde_json::from_slice(attributes.extn_value.as_bytes())
            .map_err(|_| RoleError::Unreadable)?;
        let role = attributes.attrs.get(ROLE_ATTRIBUTE).ok_or(RoleError::Missing)?;
        role.parse().map_err(|_| RoleError::Unknown(role.clone()))
    }

    /// From when on and until when it is valid, since 1970.
    pub fn validity(&self) -> (Duration, Duration) {
        let validity = self.0.tbs_certificate().validity();
        (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration())
    }

    pub fn subject(&self) -> String {
        self.0.tbs_certificate().subject().to_string()
    }

    /// The name that it was issued to.
    pub(crate) fn common_name(&self) -> Option<String> {
        let subject = self.subject();
        let mut parts = subject.split([',', '+']);
        parts.find_map(|part| part.trim().strip_prefix("CN=")).map(str::to_owned)
    }

    /// The parts of its subject's name, in order. Nothing when a part has several values.
    pub(crate) fn subject_parts(&self) -> Option<Vec<NamePart>> {
        let parts = self.0.tbs_certificate().subject().iter_rdn().map(|part| {
            let mut values = part.iter();
            let (Some(value), None) = (values.next(), values.next()) else { return None };
            let kind = value.oid.arcs().map(u64::from).collect();
            let (tag, text) = (value.value.tag(), value.value.value().to_vec());
            Some(NamePart { kind, tag, text })
        });
        parts.collect()
    }

    /// The id of its key that an authority's certificate names.
    pub(crate) fn subject_key_id(&self) -> Option<Vec<u8>> {
        type KeyId = x509_cert::ext::pkix::SubjectKeyIdentifier;
        let found = self.0.tbs_certificate().get_extension::<KeyId>().ok()?;
        found.map(|(_, id)| id.0.as_bytes().to_vec())
    }

    pub fn issuer(&self) -> String {
        self.0.tbs_certificate().issuer().to_string()
    }

    /// The public key as a point, uncompressed for elliptic curves.
    pub fn public_key(&self) -> &[u8] {
        self.0.tbs_certificate().subject_public_key_info().subject_public_key.raw_bytes()
    }

    /// Whether it may issue others.
    pub(crate) fn is_authority(&self) -> bool {
        type Basic = x509_cert::ext::pkix::BasicConstraints;
        let found = self.0.tbs_certificate().get_extension::<Basic>();
        matches!(found, Ok(Some((_, basic))) if basic.ca)
    }

    /// The organizational units of its subject.
    pub(crate) fn units(&self) -> Vec<String> {
        let subject = self.0.tbs_certificate().subject();
        let values = subject.iter_rdn().flat_map(|part| part.iter());
        let units = values.filter(|value| value.oid == ORGANIZATIONAL_UNIT);
        let text = |value: &x509_cert::attr::AttributeTypeAndValue| {
            String::from_utf8_lossy(value.value.value()).into_owned()
        };
        units.map(text).collect()
    }

    /// Whether one of the lists names it.
    pub(crate) fn is_revoked_by(&self, lists: &[Revocations]) -> bool {
        let own = self.0.tbs_certificate();
        let of_issuer = lists.iter().map(|Revocations(list)| &list.tbs_cert_list);
        let of_issuer = of_issuer.filter(|list| list.issuer == *own.issuer());
        let mut revoked = of_issuer.flat_map(|list| list.revoked_certificates.iter().flatten());
        revoked.any(|revoked| revoked.serial_number == *own.serial_number())
    }

    /// Whether its key has signed the message, over the message's SHA-256.
    pub(crate) fn has_signed(&self, message: &[u8], signed: &[u8]) -> bool {
        let key = self.0.tbs_certificate().subject_public_key_info();
        let curve = key.algorithm.parameters.as_ref().and_then(|p| p.decode_as().ok());
        let algorithm: &dyn signature::VerificationAlgorithm = match curve {
            Some(P256) => &signature::ECDSA_P256_SHA256_ASN1,
            Some(P384) => &signature::ECDSA_P384_SHA256_ASN1,
            _ => return false,
        };
        let key = signature::UnparsedPublicKey::new(algorithm, self.public_key());
        key.verify(message, signed).is_ok()
    }

    /// Whether `issuer` has issued this certificate: names fit and the signature is its key's.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        if self.0.tbs_certificate().issuer() != issuer.0.tbs_certificate().subject() {
            return false;
        }
        let key = issuer.0.tbs_certificate().subject_public_key_info();
        let curve = key.algorithm.parameters.as_ref().and_then(|p| p.decode_as().ok());
        let algorithm: &dyn signature::VerificationAlgorithm =
            match (self.0.signature_algorithm().oid, curve == Some(P384)) {
                (ECDSA_SHA256, false) => &signature::ECDSA_P256_SHA256_ASN1,
                (ECDSA_SHA256, true) => &signature::ECDSA_P384_SHA256_ASN1,
                (ECDSA_SHA384, true) => &signature::ECDSA_P384_SHA384_ASN1,
                (ECDSA_SHA384, false) => &signature::ECDSA_P256_SHA384_ASN1,
                _ => return false,
            };
        let Ok(signed) = self.0.tbs_certificate().to_der() else { return false };
        signature::UnparsedPublicKey::new(algorithm, issuer.public_key())
            .verify(&signed, self.0.signature().raw_bytes())
            .is_ok()
    }
}
