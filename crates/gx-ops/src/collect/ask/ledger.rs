//! Ledgers: what their nodes, their clients and the platform's processes tell of them, put
//! together by environment and channel.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use gx_types::Amount;
use serde_json::Value as Json;

use super::bundle::Bundle;
use super::{Redactor, environment_of, items, name, process, text, time};
use crate::facts::*;

/// What was told so far.
#[derive(Debug, Default)]
pub(super) struct Ledgers {
    /// By environment and name of the channel.
    told: BTreeMap<(String, String), Ledger>,
    /// What was told without the name of a channel, by environment.
    loose: BTreeMap<String, Ledger>,
    /// Peers and orderers by environment: those of which none says in which channel they are.
    peers: BTreeMap<String, Vec<LedgerNode>>,
}

impl Ledgers {
    fn of(&mut self, environment: &str, channel: &str, engine: &str) -> &mut Ledger {
        let key = (environment.to_owned(), channel.to_owned());
        self.told.entry(key).or_insert_with(|| Ledger {
            name: channel.to_owned(),
            engine: engine.to_owned(),
            environment: environment.to_owned(),
            ..Ledger::default()
        })
    }

    fn loose(&mut self, environment: &str) -> &mut Ledger {
        self.loose
            .entry(environment.to_owned())
            .or_insert_with(|| Ledger { environment: environment.to_owned(), ..Ledger::default() })
    }

    /// What a process of the platform tells of its ledger; whether it tells anything.
    pub(super) fn process(&mut self, bundle: &Bundle<'_>) -> bool {
        let network = bundle.json("version").map(|document| text(&document, "/network"));
        let network = name(&network.unwrap_or_default());
        let mut is_told = false;
        for section in ["ledger", "supply", "countries"] {
            let Some(document) = bundle.json(section) else { continue };
            is_told |= self.platform(&document, &network);
        }
        let body = bundle.body("supply").unwrap_or_default();
        if bundle.status("supply").get() == Some(&409) && body.contains("not_bootstrapped") {
            self.loose(&network).bootstrapped = Known::Known(false);
            is_told = true;
        }
        is_told
    }

    /// One of the platform's answers about its ledger; whether it is one.
    fn platform(&mut self, document: &Json, network: &str) -> bool {
        if document.get("appliedBlock").is_some() && document.get("engine").is_some() {
            let ledger = self.loose(&name(&text(document, "/network")));
            ledger.engine = name(&text(document, "/engine"));
            ledger.last_block = ledger.last_block.max(time(document, "/appliedAt"));
        } else if document.get("maxSupply").is_some() {
            let of = |key: &str| -> Option<BTreeMap<String, String>> {
                let pools = items(document, "/pools")?.iter();
                pools
                    .map(|pool| {
                        let amount = Amount::from_gx_text(&text(pool, key)).ok()?;
                        Some((name(&text(pool, "/poolId")), amount.qirat().to_string()))
                    })
                    .collect()
            };
            let unreadable = || Known::missing("the answer's amounts are not readable");
            let ledger = self.loose(network);
            ledger.bootstrapped = Known::Known(true);
            ledger.pools = of("/cap").map_or_else(unreadable, Known::Known);
            ledger.pool_balances = of("/balance").map_or_else(unreadable, Known::Known);
        } else if let Some(countries) = items(document, "/countries") {
            let read: Option<BTreeMap<String, u64>> = countries
                .iter()
                .map(|one| Some((name(&text(one, "/countryCode")), one.get("weight")?.as_u64()?)))
                .collect();
            let Some(read) = read else { return false };
            self.loose(network).countries = Known::Known(read);
        } else {
            return false;
        }
        true
    }

    /// Takes a document when it tells of a ledger; says whether it does.
    pub(super) fn take(&mut self, document: &Json, place: &str, r: &Redactor) -> bool {
        if document.get("stateDigest").is_some() && document.get("fileBytes").is_some() {
            self.embedded(document, place);
            return true;
        }
        if let Some(findings) = document.as_array() {
            return self.checked(findings, r);
        }
        self.platform(document, "")
    }

    /// `gx ledger info --json`.
    fn embedded(&mut self, document: &Json, place: &str) {
        let network = name(&text(document, "/network"));
        let height = document.get("blocks").and_then(Json::as_u64);
        let last_block = time(document, "/lastBlockAt");
        let ledger = self.of(&network, &network, "embedded");
        ledger.last_block = last_block;
        ledger.nodes.push(LedgerNode {
            name: place.to_owned(),
            height: height.map_or_else(|| Known::missing("it tells no number"), Known::Known),
            block_hash: name(&text(document, "/hash")),
            last_block,
            bytes: document.get("fileBytes").and_then(Json::as_u64),
            joined: Known::Known(true),
            ..LedgerNode::default()
        });
    }

    /// `gx fabric check --json`; whether it is that.
    fn checked(&mut self, findings: &[Json], r: &Redactor) -> bool {
        let has = |one: &Json| {
            let keys = ["rule", "subject", "severity", "evidence", "remedy"];
            keys.iter().all(|key| one.get(key).is_some())
        };
        if findings.is_empty() || !findings.iter().all(has) {
            return false;
        }
        let checks: Vec<LedgerCheck> = findings
            .iter()
            .map(|one| LedgerCheck {
                rule: name(&text(one, "/rule")),
                subject: r.message(&text(one, "/subject")),
                ok: text(one, "/severity") == "passed",
                evidence: r.message(&text(one, "/evidence")).chars().take(300).collect(),
            })
            .collect();
        let channel = checks.iter().find(|check| check.rule == "channel-access");
        let channel = channel.and_then(|check| check.subject.split_once(" as "));
        let channel = channel.map(|(channel, _)| channel.to_owned()).unwrap_or_default();
        let defined = checks.iter().filter(|check| check.rule == "chaincode-definition");
        let chaincodes: Vec<Chaincode> = defined.filter_map(definition).collect();
        let ledger = self.of("", &channel, "fabric");
        if ledger.chaincodes.get().is_none() && !chaincodes.is_empty() {
            ledger.chaincodes = Known::Known(chaincodes);
        }
        ledger.checks = Known::Known(checks);
        true
    }

    /// The operations endpoint of a peer, an orderer or an authority.
    pub(super) fn operations(&mut self, bundle: &Bundle<'_>) {
        let environment = environment_of(bundle.place);
        let organization = name(bundle.word("organization"));
        let samples = bundle.body("metrics").and_then(process::samples).unwrap_or_default();
        let healthy = match bundle.status("healthz") {
            Known::Known(status) => Known::Known(status == 200),
            // It does not answer where it should.
            Known::Missing(_) => Known::Known(false),
        };
        let version = bundle.json("version").map(|document| text(&document, "/Version"));
        let version = name(&version.unwrap_or_default());
        let has = |beginning: &str| samples.iter().any(|one| one.name.starts_with(beginning));
        let place = name(bundle.place);
        let short = place.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let is_orderer =
            has("consensus_etcdraft_") || has("broadcast_") || short.contains("orderer");
        let is_authority = short.starts_with("ca") || short.contains("-ca-") || has("fabric_ca_");
        if is_authority && !has("endorser_") && !has("consensus_") {
            let authority = LedgerAuthority { name: place, healthy };
            add(&mut self.loose(&environment).authorities, authority);
        } else if is_orderer {
            let by_channel = |metric: &str| figures(&samples, metric);
            let leads = by_channel("consensus_etcdraft_is_leader");
            let orderer = |is_leader| Orderer {
                name: place.clone(),
                organization: organization.clone(),
                endpoint: place.clone(),
                is_leader,
                healthy: healthy.clone(),
                version: version.clone(),
            };
            if leads.is_empty() {
                add(&mut self.loose(&environment).orderers, orderer(false));
            }
            for (channel, value) in leads {
                let ledger = self.of(&environment, &channel, "fabric");
                add(&mut ledger.orderers, orderer(value == 1));
            }
        } else {
            let heights = figures(&samples, "ledger_blockchain_height");
            let node = LedgerNode {
                name: place.clone(),
                organization,
                endpoint: place,
                version,
                ..LedgerNode::default()
            };
            for (channel, height) in &heights {
                let ledger = self.of(&environment, channel, "fabric");
                with_node(ledger, &node, |node| {
                    node.height = Known::Known(*height);
                    node.joined = Known::Known(true);
                });
            }
            let answered = bundle.status("metrics").get() == Some(&200);
            let joined = match answered {
                true => Known::Known(false),
                false => bundle.why("metrics"),
            };
            self.peers.entry(environment).or_default().push(LedgerNode { joined, ..node });
        }
    }

    /// What the program `peer` says.
    pub(super) fn channel(&mut self, bundle: &Bundle<'_>) {
        let environment = environment_of(bundle.place);
        let (channel, chaincode) = (name(bundle.word("channel")), name(bundle.word("chaincode")));
        let node = LedgerNode {
            name: name(bundle.place),
            endpoint: name(bundle.place),
            ..LedgerNode::default()
        };
        let chain = bundle.body("chain").and_then(|body| {
            let body = body.get(body.find('{')?..)?;
            serde_json::from_str::<Json>(body.trim()).ok()
        });
        let ledger = self.of(&environment, &channel, "fabric");
        with_node(ledger, &node, |node| match &chain {
            Some(chain) => {
                let height = chain.get("height").and_then(Json::as_u64);
                node.height = height.map_or_else(|| bundle.why("chain"), Known::Known);
                node.block_hash = hex_of(&text(chain, "/currentBlockHash"));
                node.joined = Known::Known(true);
            }
            None => node.height = bundle.why("chain"),
        });
        let mut known = ledger.chaincodes.get().cloned().unwrap_or_default();
        let at = known.iter().position(|one| one.name == chaincode).unwrap_or_else(|| {
            known.push(Chaincode { name: chaincode.clone(), ..Chaincode::default() });
            known.len().saturating_sub(1)
        });
        let Some(one) = known.get_mut(at) else { return };
        if let Some(committed) = bundle.json("committed") {
            one.version = name(&text(&committed, "/version"));
            one.sequence = committed.get("sequence").and_then(Json::as_u64).unwrap_or(0);
            let approvals = committed.get("approvals").and_then(Json::as_object);
            for (organization, yes) in approvals.into_iter().flatten() {
                one.approvals.insert(name(organization), yes.as_bool().unwrap_or(false));
            }
        }
        if let Some(installed) = bundle.json("installed") {
            let packages = items(&installed, "/installed_chaincodes").unwrap_or_default();
            let packages = packages.iter().map(|package| name(&text(package, "/package_id")));
            one.installed.insert(name(bundle.place), packages.collect());
        }
        ledger.chaincodes = Known::Known(known);
    }

    /// All ledgers; what was told without a channel goes to the only one of its environment.
    pub(super) fn finish(mut self) -> Vec<Ledger> {
        self.name_environments();
        for (environment, peers) in std::mem::take(&mut self.peers) {
            let of_it = self.told.iter_mut().filter(|((of, _), _)| *of == environment);
            let mut ledgers: Vec<&mut Ledger> = of_it.map(|(_, ledger)| ledger).collect();
            if ledgers.is_empty() {
                ledgers.push(self.loose.entry(environment.clone()).or_insert_with(|| Ledger {
                    environment: environment.clone(),
                    engine: "fabric".to_owned(),
                    ..Ledger::default()
                }));
            }
            for ledger in ledgers {
                for peer in &peers {
                    if !ledger.nodes.iter().any(|node| node.name == peer.name) {
                        ledger.nodes.push(peer.clone());
                    }
                }
            }
        }
        for (environment, loose) in std::mem::take(&mut self.loose) {
            let of_it = self.told.iter_mut().filter(|((of, _), _)| *of == environment);
            let mut ledgers: Vec<&mut Ledger> = of_it.map(|(_, ledger)| ledger).collect();
            if let [one] = ledgers.as_mut_slice() {
                join(one, loose);
            } else {
                let name = environment.clone();
                let own = Ledger { name: name.clone(), ..loose };
                self.told.insert((environment, name), own);
            }
        }
        self.told.into_values().collect()
    }

    /// What came without an environment is of the only one that there is, or of the one that has
    /// the channel.
    fn name_environments(&mut self) {
        let keys = self.told.keys().map(|(environment, _)| environment);
        let keys = keys.chain(self.loose.keys()).chain(self.peers.keys());
        let named: BTreeSet<String> = keys.filter(|key| !key.is_empty()).cloned().collect();
        let only = match named.iter().collect::<Vec<_>>().as_slice() {
            [one] => Some((*one).clone()),
            _ => None,
        };
        let nameless: Vec<(String, String)> =
            self.told.keys().filter(|(environment, _)| environment.is_empty()).cloned().collect();
        for key in nameless {
            let with: Vec<(String, String)> = self
                .told
                .keys()
                .filter(|(environment, name)| !environment.is_empty() && *name == key.1)
                .cloned()
                .collect();
            let Some(ledger) = self.told.remove(&key) else { continue };
            match (with.as_slice(), &only) {
                ([one], _) => {
                    if let Some(known) = self.told.get_mut(one) {
                        join(known, ledger);
                    }
                }
                (_, Some(only)) => {
                    let own = Ledger { environment: only.clone(), ..ledger };
                    self.told.insert((only.clone(), key.1), own);
                }
                (_, None) => {
                    self.told.insert(key, ledger);
                }
            }
        }
        if let (Some(only), Some(loose)) = (only, self.loose.remove("")) {
            let own = Ledger { environment: only.clone(), ..loose };
            match self.loose.get_mut(&only) {
                Some(known) => join(known, own),
                None => {
                    self.loose.insert(only, own);
                }
            }
        }
    }
}

/// Adds what a second answer tells and the first one does not.
fn join(known: &mut Ledger, more: Ledger) {
    fn either<T>(known: &mut Known<T>, more: Known<T>) {
        if known.get().is_none() {
            *known = more;
        }
    }
    fn all<T>(known: &mut Known<Vec<T>>, more: Known<Vec<T>>) {
        if let Known::Known(more) = more {
            more.into_iter().for_each(|one| add(known, one));
        }
    }
    if known.engine.is_empty() {
        known.engine = more.engine;
    }
    known.nodes.extend(more.nodes);
    all(&mut known.orderers, more.orderers);
    all(&mut known.authorities, more.authorities);
    either(&mut known.chaincodes, more.chaincodes);
    either(&mut known.pools, more.pools);
    either(&mut known.pool_balances, more.pool_balances);
    either(&mut known.bootstrapped, more.bootstrapped);
    either(&mut known.countries, more.countries);
    either(&mut known.checks, more.checks);
    known.last_block = known.last_block.max(more.last_block);
}

fn add<T>(list: &mut Known<Vec<T>>, item: T) {
    match list {
        Known::Known(items) => items.push(item),
        Known::Missing(_) => *list = Known::Known(vec![item]),
    }
}

/// Changes the node of a ledger of this name, which is added when it is not there.
fn with_node(ledger: &mut Ledger, node: &LedgerNode, change: impl FnMut(&mut LedgerNode)) {
    if !ledger.nodes.iter().any(|one| one.name == node.name) {
        ledger.nodes.push(node.clone());
    }
    ledger.nodes.iter_mut().filter(|one| one.name == node.name).for_each(change);
}

/// Figures of a metric by their channel.
fn figures(samples: &[Sample], metric: &str) -> Vec<(String, u64)> {
    let of_it = samples.iter().filter(|sample| sample.name == metric);
    of_it
        .filter_map(|sample| {
            let value = sample.value.parse::<f64>().ok().filter(|value| *value >= 0.0)?;
            let whole = format!("{value:.0}").parse().ok()?;
            Some((sample.labels.get("channel")?.clone(), whole))
        })
        .collect()
}

/// `version 2.11, sequence 17, not approved by Org2MSP`.
fn definition(check: &LedgerCheck) -> Option<Chaincode> {
    let rest = check.evidence.strip_prefix("version ")?;
    let (version, rest) = rest.split_once(", sequence ")?;
    let (sequence, without) = match rest.split_once(", not approved by ") {
        Some((sequence, without)) => (sequence, without),
        None => (rest, ""),
    };
    let without = without.split(", ").filter(|one| !one.is_empty());
    Some(Chaincode {
        name: check.subject.clone(),
        version: version.to_owned(),
        sequence: sequence.parse().ok()?,
        approvals: without.map(|organization| (organization.to_owned(), false)).collect(),
        ..Chaincode::default()
    })
}

fn hex_of(base64: &str) -> String {
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).unwrap_or_default();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
