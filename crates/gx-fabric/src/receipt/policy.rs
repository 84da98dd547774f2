//! Whether signers satisfy a policy of the channel, as its peers and orderers count them.
//!
//! Principals are roles and identities. One of another kind, and a policy of another kind, is
//! satisfied by nobody: where that leaves too few, a receipt is refused and nothing is guessed.

use prost::Message;

use super::membership::{Member, read_identity};
use crate::proto::{
    ConfigGroup, ImplicitMetaPolicy, MspPrincipal, MspRole, SignaturePolicy,
    SignaturePolicyEnvelope, implicit_meta_policy::Rule, msp_principal::Classification,
    msp_role::MspRoleType, policy::PolicyType, signature_policy,
};

/// Whether the signers satisfy the policy of that name of a group. All of them are members, and
/// none is there twice.
pub(super) fn is_satisfied(group: &ConfigGroup, name: &str, signers: &[&Member]) -> bool {
    let policy = group.policies.get(name).and_then(|policy| policy.policy.as_ref());
    let Some(policy) = policy else { return false };
    match PolicyType::try_from(policy.r#type) {
        Ok(PolicyType::Signature) => {
            let read = SignaturePolicyEnvelope::decode(policy.value.as_slice());
            read.is_ok_and(|read| by_signatures(&read, signers))
        }
        Ok(PolicyType::ImplicitMeta) => {
            let read = ImplicitMetaPolicy::decode(policy.value.as_slice());
            read.is_ok_and(|read| by_organizations(group, &read, signers))
        }
        Ok(PolicyType::Unknown | PolicyType::Msp) | Err(_) => false,
    }
}

/// Any, all or most of the groups below one have a policy that is satisfied.
fn by_organizations(group: &ConfigGroup, policy: &ImplicitMetaPolicy, signers: &[&Member]) -> bool {
    let below = group.groups.values();
    let satisfied = below.filter(|below| is_satisfied(below, &policy.sub_policy, signers)).count();
    let all = group.groups.len();
    let needed = match Rule::try_from(policy.rule) {
        Ok(Rule::Any) => 1,
        Ok(Rule::All) => all,
        Ok(Rule::Majority) => (all / 2).saturating_add(1),
        Err(_) => return false,
    };
    // Of no organizations, all would be none.
    satisfied >= needed.max(1)
}

fn by_signatures(policy: &SignaturePolicyEnvelope, signers: &[&Member]) -> bool {
    let Some(rule) = &policy.rule else { return false };
    let mut used = vec![false; signers.len()];
    count(rule, &policy.identities, signers, &mut used)
}

/// Whether a rule is satisfied by signers that no other rule has used; those are used then.
fn count(
    rule: &SignaturePolicy,
    principals: &[MspPrincipal],
    signers: &[&Member],
    used: &mut Vec<bool>,
) -> bool {
    match &rule.r#type {
        Some(signature_policy::Type::SignedBy(at)) => {
            let principal = usize::try_from(*at).ok().and_then(|at| principals.get(at));
            let Some(principal) = principal else { return false };
            let mut free = signers.iter().zip(used.iter_mut()).filter(|(_, used)| !**used);
            match free.find(|(signer, _)| is_principal(signer, principal)) {
                Some((_, used)) => {
                    *used = true;
                    true
                }
                None => false,
            }
        }
        Some(signature_policy::Type::NOutOf(rules)) => {
            let mut satisfied = 0;
            for rule in &rules.rules {
                let mut trial = used.clone();
                if count(rule, principals, signers, &mut trial) {
                    *used = trial;
                    satisfied += 1;
                }
            }
            // A rule that asks for nobody lets nobody vouch.
            satisfied >= rules.n.max(1)
        }
        None => false,
    }
}

fn is_principal(signer: &Member, principal: &MspPrincipal) -> bool {
    let bytes = principal.principal.as_slice();
    match Classification::try_from(principal.principal_classification) {
        Ok(Classification::Role) => {
            let Ok(role) = MspRole::decode(bytes) else { return false };
            let has = match MspRoleType::try_from(role.role) {
                Ok(MspRoleType::Member) => true,
                Ok(MspRoleType::Admin) => signer.roles.admin,
                Ok(MspRoleType::Client) => signer.roles.client,
                Ok(MspRoleType::Peer) => signer.roles.peer,
                Ok(MspRoleType::Orderer) => signer.roles.orderer,
                Err(_) => false,
            };
            has && signer.msp_id == role.msp_identifier
        }
        Ok(Classification::Identity) => {
            read_identity(bytes).is_some_and(|(msp_id, certificate)| {
                signer.msp_id == msp_id && signer.certificate == certificate
            })
        }
        Ok(
            Classification::OrganizationUnit | Classification::Anonymity | Classification::Combined,
        )
        | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::membership::Roles;
    use super::*;
    use crate::certificate::Certificate;
    use crate::issue::{Authority, Key};
    use crate::proto::{ConfigPolicy, Policy, SerializedIdentity};

    /// A peer of an organization, and its serialised identity.
    fn peer(authority: &Authority, msp_id: &str) -> (Member, Vec<u8>) {
        let pem = authority.issue("peer0", &Key::generate().unwrap(), &[], 1).unwrap();
        let certificate = Certificate::from_pem(pem.as_bytes()).unwrap();
        let (mspid, id_bytes) = (msp_id.to_owned(), pem.into_bytes());
        let identity = SerializedIdentity { mspid, id_bytes }.encode_to_vec();
        let roles = Roles { peer: true, ..Roles::default() };
        (Member { msp_id: msp_id.to_owned(), certificate, roles }, identity)
    }

    fn role(msp_id: &str, role: MspRoleType) -> MspPrincipal {
        let role = MspRole { msp_identifier: msp_id.to_owned(), role: role.into() };
        MspPrincipal { principal_classification: 0, principal: role.encode_to_vec() }
    }

    fn rule(kind: signature_policy::Type) -> SignaturePolicy {
        SignaturePolicy { r#type: Some(kind) }
    }

    fn out_of(n: i32, rules: Vec<SignaturePolicy>) -> SignaturePolicy {
        rule(signature_policy::Type::NOutOf(signature_policy::NOutOf { n, rules }))
    }

    fn by(at: i32) -> SignaturePolicy {
        rule(signature_policy::Type::SignedBy(at))
    }

    fn signatures(rule: SignaturePolicy, identities: Vec<MspPrincipal>) -> ConfigPolicy {
        let policy = SignaturePolicyEnvelope { version: 0, rule: Some(rule), identities };
        let (r#type, value) = (PolicyType::Signature.into(), policy.encode_to_vec());
        ConfigPolicy { policy: Some(Policy { r#type, value }) }
    }

    fn group(policy: ConfigPolicy, groups: BTreeMap<String, ConfigGroup>) -> ConfigGroup {
        let policies = BTreeMap::from([("Endorsement".to_owned(), policy)]);
        ConfigGroup { groups, policies, ..ConfigGroup::default() }
    }

    #[test]
    fn each_signer_counts_once() {
        let authority = Authority::generate("ca", 1).unwrap();
        let [(a, identity), (b, _), (other, _)] =
            ["A", "A", "B"].map(|msp_id| peer(&authority, msp_id));
        let alone = MspPrincipal { principal_classification: 2, principal: identity };
        let unit = MspPrincipal { principal_classification: 1, principal: Vec::new() };
        let identities = vec![
            role("A", MspRoleType::Peer),
            role("B", MspRoleType::Member),
            role("A", MspRoleType::Admin),
            alone,
            unit,
        ];
        let rows: [(SignaturePolicy, &[&Member], bool); 14] = [
            (by(0), &[&a], true),
            (by(0), &[&other], false),
            (by(1), &[&other], true),
            (by(2), &[&a, &b], false),
            (by(3), &[&a], true),
            (by(3), &[&b], false),
            (by(4), &[&a], false),
            (by(9), &[&a], false),
            (by(-1), &[&a], false),
            (out_of(2, vec![by(0), by(0)]), &[&a], false),
            (out_of(2, vec![by(0), by(0)]), &[&a, &b], true),
            (out_of(2, vec![by(0), by(1), by(2)]), &[&other, &a], true),
            (out_of(0, vec![by(0)]), &[], false),
            (out_of(1, vec![out_of(2, vec![by(0), by(1)]), by(3)]), &[&a], true),
        ];
        for (rule, signers, satisfied) in rows {
            let group = group(signatures(rule.clone(), identities.clone()), BTreeMap::new());
            assert_eq!(is_satisfied(&group, "Endorsement", signers), satisfied, "{rule:?}");
            assert!(!is_satisfied(&group, "Readers", signers));
        }
    }

    #[test]
    fn organizations_count_as_the_rule_says() {
        let authority = Authority::generate("ca", 1).unwrap();
        let names = ["A", "B", "C"];
        let members = names.map(|msp_id| peer(&authority, msp_id).0);
        let below = names.map(|name| {
            let policy = signatures(by(0), vec![role(name, MspRoleType::Peer)]);
            (name.to_owned(), group(policy, BTreeMap::new()))
        });
        let meta = |rule: i32, groups: BTreeMap<String, ConfigGroup>| {
            let policy = ImplicitMetaPolicy { sub_policy: "Endorsement".to_owned(), rule };
            let (r#type, value) = (PolicyType::ImplicitMeta.into(), policy.encode_to_vec());
            group(ConfigPolicy { policy: Some(Policy { r#type, value }) }, groups)
        };
        let rows = [(Rule::Any, 1), (Rule::Majority, 2), (Rule::All, 3)];
        for (rule, needed) in rows {
            let all = meta(rule.into(), below.clone().into());
            for count in 0..=3 {
                let signers: Vec<&Member> = members.iter().take(count).collect();
                let satisfied = is_satisfied(&all, "Endorsement", &signers);
                assert_eq!(satisfied, count >= needed, "{rule:?} {count}");
            }
            let nobody = meta(rule.into(), BTreeMap::new());
            assert!(!is_satisfied(&nobody, "Endorsement", &[&members[0]]));
        }
        let unknown = meta(7, below.into());
        assert!(!is_satisfied(&unknown, "Endorsement", &members.each_ref()));
        let policy = ConfigPolicy { policy: Some(Policy { r#type: 2, value: Vec::new() }) };
        assert!(!is_satisfied(&group(policy, BTreeMap::new()), "Endorsement", &[&members[0]]));
    }
}
