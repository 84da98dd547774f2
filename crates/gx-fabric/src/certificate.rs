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
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

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
