//! Certificates: those in Secrets and ConfigMaps, and those that cert-manager keeps.

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use x509_cert::Certificate as X509;
use x509_cert::der::{DecodePem as _, Encode as _};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, SubjectAltName};

use super::super::Redactor;
use super::meta::{conditions_of, meta_of, object};
use super::{text, texts};
use crate::facts::*;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Extension in which a Fabric authority writes attributes of whoever it enrols, as JSON.
const ATTRIBUTES: &str = "1.2.3.4.5.6.7.8.1";

/// The certificates of a text in PEM, in its order.
pub(super) fn certificates(place: &str, bytes: &[u8]) -> Vec<Certificate> {
    let Ok(mut rest) = std::str::from_utf8(bytes) else { return Vec::new() };
    let mut found = Vec::new();
    while let Some(begin) = rest.find(BEGIN) {
        let block = rest.get(begin..).unwrap_or_default();
        let Some(end) = block.find(END) else { break };
        let end = end.saturating_add(END.len());
        let pem = block.get(..end).unwrap_or_default();
        rest = block.get(end..).unwrap_or_default();
        if let Ok(certificate) = X509::from_pem(pem) {
            let position = u32::try_from(found.len()).unwrap_or(u32::MAX);
            found.push(told(place, position, &certificate));
        }
    }
    found
}

fn told(place: &str, position: u32, certificate: &X509) -> Certificate {
    let tbs = certificate.tbs_certificate();
    let subject = tbs.subject().to_string();
    let validity = tbs.validity();
    let seconds = |time: &x509_cert::time::Time| {
        Time::from_seconds(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
    };
    let mut told = Certificate {
        place: place.to_owned(),
        position,
        common_name: attribute(&subject, "CN").into_iter().next().unwrap_or_default(),
        organizational_units: attribute(&subject, "OU"),
        subject,
        issuer: tbs.issuer().to_string(),
        not_before: seconds(&validity.not_before),
        not_after: seconds(&validity.not_after),
        fingerprint: digest(certificate.to_der().unwrap_or_default()),
        key_fingerprint: digest(tbs.subject_public_key_info().to_der().unwrap_or_default()),
        ..Certificate::default()
    };
    if let Ok(Some((_, names))) = tbs.get_extension::<SubjectAltName>() {
        for name in names.0 {
            match name {
                GeneralName::DnsName(name) => told.dns_names.push(name.to_string()),
                GeneralName::IpAddress(bytes) => told.addresses.push(address(bytes.as_bytes())),
                _ => {}
            }
        }
    }
    if let Ok(Some((_, constraints))) = tbs.get_extension::<BasicConstraints>() {
        told.is_authority = constraints.ca;
    }
    let extensions = tbs.extensions().into_iter().flatten();
    let written = extensions.filter(|one| one.extn_id.to_string() == ATTRIBUTES);
    for extension in written {
        let json: Option<Json> = serde_json::from_slice(extension.extn_value.as_bytes()).ok();
        let attributes = json.as_ref().and_then(|json| json.get("attrs")?.as_object());
        for (name, value) in attributes.into_iter().flatten() {
            told.attributes.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
    }
    told
}

fn address(bytes: &[u8]) -> String {
    let four = <[u8; 4]>::try_from(bytes).map(|four| std::net::Ipv4Addr::from(four).to_string());
    let six = <[u8; 16]>::try_from(bytes).map(|six| std::net::Ipv6Addr::from(six).to_string());
    four.or(six).unwrap_or_default()
}

/// The values of an attribute in a name's text form, such as `CN=a,OU=b`.
fn attribute(name: &str, key: &str) -> Vec<String> {
    let parts = name.split([',', '+']).filter_map(|part| part.trim().split_once('='));
    parts.filter(|(k, _)| *k == key).map(|(_, value)| value.to_owned()).collect()
}

fn digest(bytes: Vec<u8>) -> String {
    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn managed(object: &Json, r: &Redactor) -> Option<ManagedCertificate> {
    Some(object!(ManagedCertificate, meta_of(object, r)?, {
        secret: text(object, "/spec/secretName"),
        dns_names: texts(object, "/spec/dnsNames"),
        issuer_kind: text(object, "/spec/issuerRef/kind"),
        issuer: text(object, "/spec/issuerRef/name"),
        conditions: conditions_of(object),
        not_after: text(object, "/status/notAfter").parse().ok(),
        renewal: text(object, "/status/renewalTime").parse().ok(),
    }))
}

pub(super) fn issuer(object: &Json, r: &Redactor) -> Option<Issuer> {
    Some(object!(Issuer, meta_of(object, r)?, {
        acme_server: text(object, "/spec/acme/server"),
        conditions: conditions_of(object),
        solvers: solvers(object),
    }))
}

fn solvers(issuer: &Json) -> Vec<String> {
    let solvers = issuer.pointer("/spec/acme/solvers").and_then(Json::as_array);
    let kinds = solvers.into_iter().flatten().filter_map(Json::as_object);
    let mut kinds: Vec<String> = kinds
        .flat_map(|solver| solver.keys())
        .filter(|key| ["dns01", "http01"].contains(&key.as_str()))
        .cloned()
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}
