//! Who belongs to an organization of the channel, and as what, by the authorities that the
//! channel's configuration names: what the peers' MSPs decide.
//!
//! As with them, a certificate that has run out still counts: what it signed while it was valid
//! stays signed. One that a revocation list of the configuration names does not.

use prost::Message;

use crate::certificate::{Certificate, Revocations};
use crate::proto::{FabricMspConfig, MspConfig, NodeOus, OuIdentifier, SerializedIdentity};

/// Authorities between a certificate and its root, at most.
const INTERMEDIATES_MAX: usize = 8;

/// Who may sign for an organization.
#[derive(Debug)]
pub(super) struct Membership {
    roots: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    admins: Vec<Certificate>,
    revoked: Vec<Revocations>,
    /// Units of which a member must have one.
    units: Vec<Unit>,
    roles: Option<RoleUnits>,
}

/// A unit, of certificates of one authority if it names one.
#[derive(Debug)]
struct Unit {
    name: String,
    authority: Option<Certificate>,
}

/// The units that say what somebody is.
#[derive(Debug)]
struct RoleUnits {
    client: Option<Unit>,
    peer: Option<Unit>,
    admin: Option<Unit>,
    orderer: Option<Unit>,
}

/// What a member of an organization is besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Roles {
    pub(super) client: bool,
    pub(super) peer: bool,
    pub(super) admin: bool,
    pub(super) orderer: bool,
}

/// Somebody whose certificate an authority of the organization has issued.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) msp_id: String,
    pub(super) certificate: Certificate,
    pub(super) roles: Roles,
}

impl Member {
    /// As a sentence names them.
    pub(super) fn name(&self) -> String {
        let subject = self.certificate.subject();
        format!("{} of {}", self.certificate.common_name().unwrap_or(subject), self.msp_id)
    }
}

/// The organization and the certificate of a serialised identity.
pub(super) fn read_identity(bytes: &[u8]) -> Option<(String, Certificate)> {
    let SerializedIdentity { mspid, id_bytes } = SerializedIdentity::decode(bytes).ok()?;
    Some((mspid, Certificate::from_pem(&id_bytes).ok()?))
}

fn certificates(texts: &[Vec<u8>]) -> Option<Vec<Certificate>> {
    texts.iter().map(|text| Certificate::from_pem(text).ok()).collect()
}

impl Unit {
    fn read(read: &OuIdentifier) -> Option<Self> {
        let authority = match read.certificate.is_empty() {
            true => None,
            false => Some(Certificate::from_pem(&read.certificate).ok()?),
        };
        Some(Self { name: read.organizational_unit_identifier.clone(), authority })
    }

    /// Whether the certificate, which this authority has issued, is of the unit.
    fn has(&self, certificate: &Certificate, issuer: &Certificate) -> bool {
        certificate.units().contains(&self.name)
            && self.authority.as_ref().is_none_or(|authority| authority == issuer)
    }
}

impl RoleUnits {
    fn read(read: &NodeOus) -> Option<Option<Self>> {
        if !read.enable {
            return Some(None);
        }
        let unit = |read: &Option<OuIdentifier>| match read {
            Some(read) => Unit::read(read).map(Some),
            None => Some(None),
        };
        Some(Some(Self {
            client: unit(&read.client)?,
            peer: unit(&read.peer)?,
            admin: unit(&read.admin)?,
            orderer: unit(&read.orderer)?,
        }))
    }

    fn of(&self, certificate: &Certificate, issuer: &Certificate) -> Roles {
        let has =
            |unit: &Option<Unit>| unit.as_ref().is_some_and(|unit| unit.has(certificate, issuer));
        Roles {
            client: has(&self.client),
            peer: has(&self.peer),
            admin: has(&self.admin),
            orderer: has(&self.orderer),
        }
    }
}

impl Membership {
    /// Reads the value `MSP` of an organization: its name, and who its members are. `None` when it
    /// cannot be read, or asks for what is not known here.
    pub(super) fn read(value: &[u8]) -> Option<(String, Self)> {
        let MspConfig { kind: 0, config } = MspConfig::decode(value).ok()? else { return None };
        let read = FabricMspConfig::decode(config.as_slice()).ok()?;
        let hash = read.crypto_config.as_ref().map(|config| &*config.signature_hash_family);
        if !matches!(hash, None | Some("" | "SHA2")) {
            return None;
        }
        let revoked = read.revocation_list.iter().map(|list| Revocations::read(list).ok());
        let units = read.organizational_unit_identifiers.iter().map(Unit::read);
        let membership = Self {
            roots: certificates(&read.root_certs)?,
            intermediates: certificates(&read.intermediate_certs)?,
            admins: certificates(&read.admins)?,
            revoked: revoked.collect::<Option<_>>()?,
            units: units.collect::<Option<_>>()?,
            roles: match &read.fabric_node_ous {
                Some(units) => RoleUnits::read(units)?,
                None => None,
            },
        };
        Some((read.name, membership))
    }

    /// The member whose certificate it is.
    ///
    /// # Errors
    /// Why it is none, as the end of a sentence that begins with a name.
    pub(super) fn member(
        &self,
        msp_id: &str,
        certificate: Certificate,
    ) -> Result<Member, &'static str> {
        if certificate.is_authority() {
            return Err("is an authority and no member");
        }
        let issuer = self.issuer(&certificate, INTERMEDIATES_MAX);
        let issuer = issuer.ok_or("has a certificate of no authority of the organization")?;
        if certificate.is_revoked_by(&self.revoked) {
            return Err("has a certificate that is revoked");
        }
        let is_of = |unit: &Unit| unit.has(&certificate, issuer);
        if !self.units.is_empty() && !self.units.iter().any(is_of) {
            return Err("is of no unit of the organization");
        }
        let is_listed = self.admins.contains(&certificate);
        let roles = match &self.roles {
            None => Roles { admin: is_listed, ..Roles::default() },
            Some(units) => {
                let Roles { client, peer, admin, orderer } = units.of(&certificate, issuer);
                let count = [client, peer, admin, orderer].into_iter().filter(|has| *has).count();
                if count > 1 || (count == 0 && !is_listed) {
                    return Err("is not exactly one of client, peer, admin and orderer");
                }
                Roles { client, peer, admin: admin || is_listed, orderer }
            }
        };
        Ok(Member { msp_id: msp_id.to_owned(), certificate, roles })
    }

    /// The authority that has issued a certificate and leads to a root.
    fn issuer(&self, certificate: &Certificate, most: usize) -> Option<&Certificate> {
        let is_issuer = |authority: &&Certificate| certificate.is_issued_by(authority);
        if let Some(root) = self.roots.iter().find(is_issuer) {
            return Some(root);
        }
        let most = most.checked_sub(1)?;
        let mut between = self.intermediates.iter().filter(is_issuer);
        between.find(|authority| {
            !authority.is_revoked_by(&self.revoked) && self.issuer(authority, most).is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
        DnType, IsCa, Issuer, KeyIdMethod, RevokedCertParams, SerialNumber, date_time_ymd,
    };
    use x509_cert::der::pem::{LineEnding, encode_string};

    use super::*;
    use crate::issue::Key;
    use crate::proto::CryptoConfig;

    fn params(name: &str, units: &[&str], serial: u64) -> CertificateParams {
        let mut subject = DistinguishedName::new();
        for unit in units {
            subject.push(DnType::OrganizationalUnitName, *unit);
        }
        subject.push(DnType::CommonName, name);
        let mut params = CertificateParams::default();
        params.distinguished_name = subject;
        params.serial_number = Some(SerialNumber::from(serial));
        params.key_identifier_method = KeyIdMethod::PreSpecified(vec![1]);
        params.is_ca = IsCa::ExplicitNoCa;
        params
    }

    fn pem(label: &str, der: &[u8]) -> Vec<u8> {
        encode_string(label, LineEnding::LF, der).unwrap().into_bytes()
    }

    /// An authority and its certificate.
    struct Root(Issuer<'static, Key>, Vec<u8>);

    impl Root {
        fn new(name: &str, above: Option<&Self>) -> Self {
            let key = Key::generate().unwrap();
            let mut params = params(name, &[], 1);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let certificate = match above {
                Some(Self(above, _)) => params.signed_by(&key, above).unwrap(),
                None => params.self_signed(&key).unwrap(),
            };
            let certificate = pem("CERTIFICATE", certificate.der());
            Self(Issuer::new(params, key), certificate)
        }

        fn issue(&self, units: &[&str], serial: u64) -> Vec<u8> {
            let key = Key::generate().unwrap();
            let certificate = params("somebody", units, serial).signed_by(&key, &self.0).unwrap();
            pem("CERTIFICATE", certificate.der())
        }

        fn revoke(&self, serial: u64) -> Vec<u8> {
            let (this_update, next_update) = (date_time_ymd(2026, 1, 1), date_time_ymd(2036, 1, 1));
            let revoked = RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: this_update,
                reason_code: None,
                invalidity_date: None,
            };
            let list = CertificateRevocationListParams {
                this_update,
                next_update,
                crl_number: SerialNumber::from(1),
                issuing_distribution_point: None,
                revoked_certs: vec![revoked],
                key_identifier_method: KeyIdMethod::PreSpecified(vec![1]),
            };
            pem("X509 CRL", list.signed_by(&self.0).unwrap().der())
        }
    }

    fn unit(name: &str, authority: &[u8]) -> OuIdentifier {
        let organizational_unit_identifier = name.to_owned();
        OuIdentifier { certificate: authority.to_vec(), organizational_unit_identifier }
    }

    fn units(authority: &[u8]) -> NodeOus {
        let unit = |name| Some(unit(name, authority));
        let (client, peer, admin, orderer) =
            (unit("client"), unit("peer"), unit("admin"), unit("orderer"));
        NodeOus { enable: true, client, peer, admin, orderer }
    }

    fn read(config: &FabricMspConfig) -> Option<Membership> {
        let value = MspConfig { kind: 0, config: config.encode_to_vec() }.encode_to_vec();
        Membership::read(&value).map(|(_, membership)| membership)
    }

    fn member(config: &FabricMspConfig, pem: &[u8]) -> Result<Roles, &'static str> {
        let certificate = Certificate::from_pem(pem).unwrap();
        read(config).unwrap().member("A", certificate).map(|member| member.roles)
    }

    #[test]
    fn a_member_has_a_certificate_of_the_organization_and_one_role() {
        let (root, foreign) = (Root::new("root", None), Root::new("root", None));
        let between = Root::new("between", Some(&root));
        let config = FabricMspConfig {
            root_certs: vec![root.1.clone()],
            intermediate_certs: vec![between.1.clone()],
            fabric_node_ous: Some(units(&[])),
            ..FabricMspConfig::default()
        };
        let peer = Roles { peer: true, ..Roles::default() };
        for issuer in [&root, &between] {
            assert_eq!(member(&config, &issuer.issue(&["peer"], 7)), Ok(peer));
        }
        let no_role = Err("is not exactly one of client, peer, admin and orderer");
        assert_eq!(member(&config, &root.issue(&["finance"], 7)), no_role);
        let unknown = Err("has a certificate of no authority of the organization");
        assert_eq!(member(&config, &foreign.issue(&["peer"], 7)), unknown);
        assert_eq!(member(&config, &between.1), Err("is an authority and no member"));
        // Without units, members are what the list of administrators makes of them.
        let listed = root.issue(&[], 9);
        let plain = FabricMspConfig {
            fabric_node_ous: Some(NodeOus { enable: false, ..units(&[]) }),
            admins: vec![listed.clone()],
            ..config
        };
        let admin = Roles { admin: true, ..Roles::default() };
        assert_eq!(member(&plain, &listed), Ok(admin));
        assert_eq!(member(&plain, &root.issue(&["peer"], 7)), Ok(Roles::default()));
    }

    #[test]
    fn a_unit_may_be_bound_to_an_authority() {
        let root = Root::new("root", None);
        let between = Root::new("between", Some(&root));
        let config = FabricMspConfig {
            root_certs: vec![root.1.clone()],
            intermediate_certs: vec![between.1.clone()],
            fabric_node_ous: Some(units(&between.1)),
            ..FabricMspConfig::default()
        };
        assert!(member(&config, &between.issue(&["peer"], 7)).unwrap().peer);
        assert!(member(&config, &root.issue(&["peer"], 7)).is_err());
        let narrow = FabricMspConfig {
            organizational_unit_identifiers: vec![unit("bank", &[])],
            fabric_node_ous: None,
            ..config
        };
        assert!(member(&narrow, &root.issue(&["bank"], 7)).is_ok());
        let outside = Err("is of no unit of the organization");
        assert_eq!(member(&narrow, &root.issue(&["peer"], 7)), outside);
    }

    #[test]
    fn what_is_revoked_counts_no_more() {
        let (root, other) = (Root::new("root", None), Root::new("other", None));
        let between = Root::new("between", Some(&root));
        let mut config = FabricMspConfig {
            root_certs: vec![root.1.clone(), other.1.clone()],
            intermediate_certs: vec![between.1.clone()],
            revocation_list: vec![root.revoke(7)],
            ..FabricMspConfig::default()
        };
        let revoked = Err("has a certificate that is revoked");
        assert_eq!(member(&config, &root.issue(&[], 7)), revoked);
        assert!(member(&config, &root.issue(&[], 8)).is_ok());
        // Another authority's number is another certificate's.
        assert!(member(&config, &other.issue(&[], 7)).is_ok());
        assert!(member(&config, &between.issue(&[], 7)).is_ok());
        // An authority's own number is 1.
        config.revocation_list = vec![root.revoke(1)];
        assert!(member(&config, &between.issue(&[], 7)).is_err());
    }

    #[test]
    fn what_cannot_be_judged_is_no_organization() {
        let root = Root::new("root", None);
        let good = FabricMspConfig { root_certs: vec![root.1.clone()], ..Default::default() };
        assert!(read(&good).is_some());
        let family = |name: &str| Some(CryptoConfig { signature_hash_family: name.to_owned() });
        let sha2 = FabricMspConfig { crypto_config: family("SHA2"), ..good.clone() };
        assert!(read(&sha2).is_some());
        let sha3 = FabricMspConfig { crypto_config: family("SHA3"), ..good.clone() };
        let broken = FabricMspConfig { root_certs: vec![b"x".to_vec()], ..good.clone() };
        let unread = FabricMspConfig { revocation_list: vec![b"x".to_vec()], ..good };
        assert!([sha3, broken, unread].iter().all(|config| read(config).is_none()));
        let idemix = MspConfig { kind: 1, config: Vec::new() }.encode_to_vec();
        assert!(Membership::read(&idemix).is_none() && Membership::read(&[9]).is_none());
    }
}
