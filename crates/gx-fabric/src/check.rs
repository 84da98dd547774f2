//! What can be wrong between a client and a Fabric network, looked at one by one.
//!
//! Each finding says what is wrong and what to do about it. Nothing is written to the ledger: the
//! endorsement that is tried is thrown away.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use gx_types::{Finding, Role, Rule, Severity, with_causes};
use prost::Message;
use tokio::net::lookup_host;

use crate::certificate::Certificate;
use crate::chaincode::surface_digest;
use crate::proto::{ChaincodeDefinition, QueryChaincodeDefinition};
use crate::{Error, FabricEngine, Identity, Options, PeerAddress, Peers, Wallet, clock};

/// Certificates that end sooner than this are a finding.
const EXPIRY_SOON: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Clocks that differ more than this are a finding: batch times come from the submitter's clock.
const SKEW_MAX_MS: i64 = 5_000;

/// What is held against a network; the page on Fabric explains each.
pub const RULES: [Rule; 12] = [
    NAME,
    CONNECTION,
    VALIDITY,
    ROLE,
    ISSUER,
    WALLET,
    SETTINGS,
    CHANNEL,
    DEFINITION,
    CONTRACT,
    ENDORSEMENT,
    CLOCK,
];

const NAME: Rule = Rule {
    id: "peer-name",
    severity: Severity::High,
    remedy: "add the name to DNS, or to the hosts file of this machine",
};
const CONNECTION: Rule = Rule {
    id: "peer-connection",
    severity: Severity::High,
    remedy: "start the peer, or open the way to it",
};
const VALIDITY: Rule =
    Rule { id: "identity-validity", severity: Severity::High, remedy: "renew it at the Fabric CA" };
const ROLE: Rule = Rule {
    id: "identity-role",
    severity: Severity::High,
    remedy: "register it with the attribute gxc_role:ecert and enrol it again",
};
const ISSUER: Rule = Rule {
    id: "identity-issuer",
    severity: Severity::High,
    remedy: "the authority was renewed, or the files are mixed: enrol it again",
};
const WALLET: Rule = Rule {
    id: "wallet-role",
    severity: Severity::Medium,
    remedy: "register and enrol one with the attribute gxc_role",
};
const SETTINGS: Rule =
    Rule { id: "settings", severity: Severity::High, remedy: "put the settings right" };
const CHANNEL: Rule = Rule {
    id: "channel-access",
    severity: Severity::High,
    remedy: "read the peer's log at this time",
};
const DEFINITION: Rule = Rule {
    id: "chaincode-definition",
    severity: Severity::High,
    remedy: "approve the definition for these organizations",
};
const CONTRACT: Rule = Rule {
    id: "contract",
    severity: Severity::High,
    remedy: "chaincode and platform are of different builds: upgrade the older one",
};
const ENDORSEMENT: Rule = Rule {
    id: "endorsement",
    severity: Severity::High,
    remedy: "read the peer's log at this time",
};
const CLOCK: Rule = Rule {
    id: "clock",
    severity: Severity::Medium,
    remedy: "set the clocks of all submitters with NTP",
};

/// Looks at everything, in the order in which a request meets it.
pub async fn run(options: &Options, wallet: &Wallet, wallet_path: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for address in &options.peers.addresses {
        findings.push(check_name(address).await);
        findings.push(check_connection(&options.peers, address).await);
    }
    for identity in wallet.identities() {
        findings.extend(check_identity(identity, wallet_path));
    }
    for role in Role::ALL {
        if wallet.with_role(role).is_err() {
            findings.push(WALLET.broken(role.as_str(), "no identity of the wallet has it"));
        }
    }
    let engine = match FabricEngine::new(options.clone(), wallet) {
        Ok(engine) => engine,
        Err(error) => {
            findings.push(SETTINGS.broken("fabric", with_causes(&error)));
            return findings;
        }
    };
    for identity in wallet.identities() {
        findings.push(check_channel(&engine, identity).await);
    }
    findings.push(check_definition(&engine).await);
    findings.push(check_contract(&engine).await);
    findings.push(check_endorsement(&engine).await);
    findings.push(check_clock(&engine).await);
    findings
}

/// The address resolves, and not to this machine when it names another.
async fn check_name(address: &PeerAddress) -> Finding {
    let what = address.host.as_str();
    let found = match lookup_host((address.host.as_str(), address.port)).await {
        Ok(found) => found.map(|address| address.ip()).collect::<Vec<IpAddr>>(),
        Err(error) => return NAME.broken(what, error.to_string()),
    };
    let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
    let texts = texts.join(", ");
    let own = |ip: &IpAddr| ip.is_loopback() || ip.is_unspecified();
    if is_remote(&address.host) && found.iter().any(own) {
        let remedy = "the name of a remote peer leads to this machine: mend DNS or hosts file";
        return NAME.broken(what, texts).with_remedy(remedy);
    }
    NAME.holds(what, texts)
}

/// Whether the text names another machine than this one.
fn is_remote(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host != "localhost" && host.parse::<IpAddr>().is_err()
}

async fn check_connection(peers: &Peers, address: &PeerAddress) -> Finding {
    let what = address.to_string();
    let endpoint = match peers.endpoint(address) {
        Ok(endpoint) => endpoint,
        Err(error) => return SETTINGS.broken(what, with_causes(&error)),
    };
    match endpoint.connect().await {
        Ok(_) if peers.tls_ca.is_some() => CONNECTION.holds(what, "open, with TLS"),
        Ok(_) => CONNECTION
            .broken(what, "open, without TLS")
            .with_remedy("name the authority of the peers' TLS"),
        Err(error) => {
            let text = with_causes(&error);
            let tls = text.contains("certificate") || text.contains("tls");
            let found = CONNECTION.broken(what, text);
            if tls {
                return found.with_remedy(
                    "compare the peer's TLS certificate with the authority's file and the server \
                     name",
                );
            }
            found
        }
    }
}

fn check_identity(identity: &Identity, wallet: &Path) -> Vec<Finding> {
    let what = identity.name();
    let certificate = identity.certificate();
    let mut findings = Vec::new();
    let (from, until) = certificate.validity();
    let now = clock::now();
    let days = until.saturating_sub(now).as_secs() / (24 * 60 * 60);
    findings.push(match () {
        () if now < from => {
            VALIDITY.broken(what, "not valid yet").with_remedy("set this machine's clock")
        }
        () if now >= until => VALIDITY.broken(what, "expired"),
        () if until.saturating_sub(now) < EXPIRY_SOON => {
            VALIDITY.broken(what, format!("expires in {days} days"))
        }
        () => VALIDITY.holds(what, format!("{}, {days} days left", identity.msp_id())),
    });
    findings.push(match identity.role() {
        Ok(role) => ROLE.holds(what, role.as_str()),
        Err(error) => ROLE.broken(what, error.to_string()),
    });
    let folder = wallet.join(identity.name()).join("cacerts");
    let authorities = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| {
        let pem = std::fs::read(entry.ok()?.path()).ok()?;
        Certificate::from_pem(&pem).ok()
    });
    let authorities: Vec<Certificate> = authorities.collect();
    if !authorities.is_empty() {
        let issued = authorities.iter().any(|issuer| certificate.is_issued_by(issuer));
        findings.push(if issued {
            ISSUER.holds(what, format!("issued by {}", certificate.issuer()))
        } else {
            ISSUER.broken(what, "none of the authorities in cacerts has issued it")
        });
    }
    findings
}

/// A rule broken by an error of the network; the remedy is for what the network said.
fn refused(rule: &Rule, what: impl Into<String>, error: &Error) -> Finding {
    let text = error.to_string();
    let table = [
        ("creator is malformed", "the certificate is not of the channel's MSP: enrol it again"),
        ("creator org", "the MSP is not on the channel, or may not do this: check its name"),
        ("access denied", "the identity's organization has no such right on the channel"),
        ("channel", "join the peer to the channel, or put the channel's name right"),
        ("could not launch chaincode", "start gx chaincode where the package says"),
        ("chaincode stream terminated", "start gx chaincode, with the package id of the install"),
        ("not found", "commit the chaincode's definition, or put its name right"),
        ("no combination of peers", "start a peer of every organization that the policy needs"),
        ("do not match", "run the same build of gx chaincode at every organization"),
        ("may not submit", "name the organization with --allow at every gx chaincode"),
    ];
    let found = table.iter().find(|(said, _)| text.contains(said));
    let remedy = found.map_or("read the peer's log at this time", |(_, remedy)| remedy);
    rule.broken(what, text).with_remedy(remedy)
}

async fn check_channel(engine: &FabricEngine, identity: &Identity) -> Finding {
    let what = format!("{} as {}", engine.options().channel, identity.name());
    let channel = &engine.options().channel;
    let args = [b"GetChainInfo".to_vec(), channel.as_bytes().to_vec()];
    match engine.gateway().evaluate(identity, "qscc", args.to_vec()).await {
        Ok(_) => CHANNEL.holds(what, "may read"),
        Err(error) => refused(&CHANNEL, what, &error),
    }
}

async fn check_definition(engine: &FabricEngine) -> Finding {
    let name = engine.options().chaincode.clone();
    let query = QueryChaincodeDefinition { name: name.clone() }.encode_to_vec();
    match engine.evaluate("_lifecycle", vec![b"QueryChaincodeDefinition".to_vec(), query]).await {
        Ok(answer) => match ChaincodeDefinition::decode(answer.as_slice()) {
            Ok(ChaincodeDefinition { sequence, version, approvals, .. }) => {
                let without: Vec<&str> =
                    approvals.iter().filter(|(_, yes)| !**yes).map(|(msp, _)| &**msp).collect();
                let state = format!("version {version}, sequence {sequence}");
                if without.is_empty() {
                    return DEFINITION.holds(name, state);
                }
                let state = format!("{state}, not approved by {}", without.join(", "));
                DEFINITION.broken(name, state)
            }
            Err(_) => {
                DEFINITION.broken(name, "unreadable").with_remedy("use a release that gx supports")
            }
        },
        Err(error) => refused(&DEFINITION, name, &error),
    }
}

/// The chaincode on the peer is this build's contract. Its parameters are shown to be compared
/// with those of other organizations; different ones make no common endorsement.
async fn check_contract(engine: &FabricEngine) -> Finding {
    let args = vec![crate::invocation::GET_CHAINCODE_INFO.as_bytes().to_vec()];
    let chaincode = engine.options().chaincode.clone();
    let answer = match engine.evaluate(&chaincode, args).await {
        Ok(answer) => answer,
        Err(error) => return refused(&CONTRACT, chaincode, &error),
    };
    let info: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
    let field = |name: &str| info.get(name).and_then(|field| field.as_str()).unwrap_or_default();
    let state = format!(
        "version {}, parameters {}, access {}",
        field("version"),
        field("parametersDigest").get(..16).unwrap_or_default(),
        field("access")
    );
    if field("surfaceDigest") == surface_digest() {
        return CONTRACT.holds(chaincode, state);
    }
    CONTRACT.broken(chaincode, state)
}

/// An empty batch goes all the way to the endorsements, and no further.
async fn check_endorsement(engine: &FabricEngine) -> Finding {
    let Some((role, identity)) =
        Role::ALL.into_iter().find_map(|role| Some((role, engine.identity(role).ok()?)))
    else {
        let found = ENDORSEMENT.broken("an empty batch", "no identity has a role");
        return found.with_remedy("enrol one with gxc_role");
    };
    let batch_id = gx_types::BatchId::from_u128(0);
    let batch = gx_contract::Batch { batch_id, role, commands: Vec::new() };
    let args = crate::Invocation::settling(&batch).ok().flatten().unwrap_or_default();
    let Options { chaincode, endorsing_organizations, .. } = engine.options();
    match engine.gateway().endorse(&identity, chaincode, args, endorsing_organizations).await {
        Ok(prepared) => {
            ENDORSEMENT.holds("an empty batch", format!("complete, {} bytes", prepared.bytes()))
        }
        Err(error) => refused(&ENDORSEMENT, "an empty batch", &error),
    }
}

/// The last block's time is not far ahead of this clock: it came from another submitter's.
async fn check_clock(engine: &FabricEngine) -> Finding {
    let what = "this machine's clock";
    let last = match engine.tip().await {
        Ok(tip) => engine.block(tip.number).await,
        Err(error) => Err(error),
    };
    let block = match last {
        Ok(Some(block)) => block,
        Ok(None) => return CLOCK.holds(what, "the channel is empty"),
        Err(error) => return refused(&CLOCK, what, &error),
    };
    let now = i64::try_from(clock::now().as_millis()).unwrap_or(i64::MAX);
    let ahead = block.time.0.saturating_sub(now);
    if ahead > SKEW_MAX_MS {
        let state = format!("block {} is {ahead} ms in this clock's future", block.number);
        return CLOCK.broken(what, state);
    }
    CLOCK.holds(what, format!("block {} is in the past", block.number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_machines_are_told_from_addresses() {
        let rows = [
            ("peer0.org1.example.com", true),
            ("localhost", false),
            ("127.0.0.1", false),
            ("10.0.0.7", false),
            ("[::1]", false),
        ];
        for (host, remote) in rows {
            assert_eq!(is_remote(host), remote, "{host}");
        }
    }
}
