//! The ledger: orderers, peers, chaincode, and what it holds.

mod content;
mod network;
mod nodes;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 17] = [
    Rule {
        id: "FAB-01",
        severity: Severity::Critical,
        title: "Not all orderers are ready",
        needs: &[Fact::Workloads, Fact::Pods],
        check: nodes::orderers_away,
        why: "Below a majority of its members, Raft orders nothing. The majority is counted from \
              all members, not from those that are left, and a pod that runs is not yet one that \
              is ready.",
        otherwise: "The next loss stops every transaction of the network.",
        remedy: "See why it is not ready: `kubectl -n NAMESPACE describe pod POD`. Touch no other \
                 orderer until it is back.",
        runbook: None,
    },
    Rule {
        id: "FAB-02",
        severity: Severity::High,
        title: "Peers are at different heights",
        needs: &[Fact::Ledgers],
        check: nodes::heights_apart,
        why: "A peer that lags endorses against an old state, and its endorsements do not match \
              those of others. A few blocks are the time between two questions; more than ten are \
              not.",
        otherwise: "Transactions are refused for endorsements that contradict each other.",
        remedy: "Look at the lagging peer's log for its connection to the orderers and its gossip; \
                 restart it alone when it hangs.",
        runbook: None,
    },
    Rule {
        id: "FAB-03",
        severity: Severity::Critical,
        title: "Commands wait and no block is made",
        needs: &[Fact::Ledgers, Fact::Processes],
        check: content::no_blocks,
        why: "A ledger that is idle makes no blocks either: only with commands waiting does a \
              height that stands still mean that something is wrong.",
        otherwise: "Nothing that users ask for happens, while the interface still accepts it.",
        remedy: "`gx fabric check` says where the way to the ledger is interrupted.",
        runbook: None,
    },
    Rule {
        id: "FAB-04",
        severity: Severity::High,
        title: "A peer is not in the channel",
        needs: &[Fact::Ledgers],
        check: nodes::not_joined,
        why: "A peer that was made again starts with no channel; it runs, is ready, and holds \
              nothing.",
        otherwise: "Its organization has one copy of the ledger less than everybody believes.",
        remedy: "Join it: `peer channel join -b genesis.block`, and wait until it has caught up.",
        runbook: None,
    },
    Rule {
        id: "FAB-05",
        severity: Severity::High,
        title: "A chaincode definition is not approved or installed everywhere",
        needs: &[Fact::Ledgers],
        check: content::definition_differs,
        why: "An organization that has not approved the committed definition endorses nothing, \
              and a peer with another package answers with another version's results.",
        otherwise: "Whatever needs that organization's endorsement is refused.",
        remedy: "Install the package on each peer and approve the committed sequence for each \
                 organization.",
        runbook: None,
    },
    Rule {
        id: "FAB-06",
        severity: Severity::Critical,
        title: "Two networks stand for one channel",
        needs: &[Fact::Ledgers],
        check: network::two_networks,
        why: "The same network ran twice, beside the cluster and in it: one ledger of 5 blocks, \
              one of 103, and backends that could have reached either.",
        otherwise: "What is written to the one is missing in the other, and nobody can join them.",
        remedy: "Compare heights, times and which of them the platform is set up for; stop the \
                 other one and keep its volumes.",
        runbook: None,
    },
    Rule {
        id: "FAB-07",
        severity: Severity::Critical,
        title: "The platform is set up for a Fabric network that is not there",
        needs: &[Fact::Workloads, Fact::Pods],
        check: network::no_network,
        why: "A whole environment was deployed against a namespace that did not exist.",
        otherwise: "No command ever reaches a ledger.",
        remedy: "Deploy the Fabric network of the environment first, or set the embedded ledger.",
        runbook: None,
    },
    Rule {
        id: "FAB-08",
        severity: Severity::High,
        title: "The disruption budget of the orderers lets a majority go, or nobody",
        needs: &[Fact::Budgets, Fact::Workloads],
        check: network::orderer_budget,
        why: "A budget protects a quorum only if it covers all members and keeps a majority of \
              them; one that allows nothing while all are healthy stops every maintenance.",
        otherwise: "A drain of two nodes at once stops the network, or no drain ever ends.",
        remedy: "One budget over all orderers with minAvailable set to their majority, 3 of 5.",
        runbook: None,
    },
    Rule {
        id: "FAB-09",
        severity: Severity::Medium,
        title: "One disruption budget covers the peers of several organizations",
        needs: &[Fact::Budgets, Fact::Workloads],
        check: network::shared_budget,
        why: "Two of four peers may be both of one organization.",
        otherwise: "A drain within the budget takes an organization's last endorser.",
        remedy: "One budget for each organization, with minAvailable 1.",
        runbook: None,
    },
    Rule {
        id: "FAB-10",
        severity: Severity::High,
        title: "A disruption budget matches no pod",
        needs: &[Fact::Budgets, Fact::Pods, Fact::Workloads],
        check: network::empty_budget,
        why: "A budget whose selector matches nothing looks like protection in every list.",
        otherwise: "What it was meant to protect is evicted without a question.",
        remedy: "Correct its selector: `kubectl get pods -n NAMESPACE --show-labels`.",
        runbook: None,
    },
    Rule {
        id: "FAB-11",
        severity: Severity::Critical,
        title: "An organization has no ready peer",
        needs: &[Fact::Workloads, Fact::Pods],
        check: nodes::organization_away,
        why: "The policy asks for endorsements of every organization; peers of others do not \
              replace them.",
        otherwise: "Every transaction that needs this organization is refused.",
        remedy: "Bring one of its peers back before anything else: \
                 `kubectl -n NAMESPACE describe pod POD`.",
        runbook: None,
    },
    Rule {
        id: "FAB-12",
        severity: Severity::Low,
        title: "Peers and orderers run different versions",
        needs: &[Fact::Workloads],
        check: nodes::versions_differ,
        why: "2.5.11 and 2.5.14 stood beside each other after an upgrade that was not finished.",
        otherwise: "A fault of one version is looked for where the other runs.",
        remedy: "Finish the upgrade, one member at a time.",
        runbook: None,
    },
    Rule {
        id: "FAB-13",
        severity: Severity::High,
        title: "Peers do not reach the chaincode",
        needs: &[Fact::Ledgers],
        check: content::chaincode_unreached,
        why: "Chaincode runs as a service of its own; a policy, a port or a package id that is \
              not the installed one keeps peers from it.",
        otherwise: "Nothing is endorsed.",
        remedy: "`gx fabric check` names the peer and what it said; compare the chaincode's \
                 address and package id with what is installed.",
        runbook: None,
    },
    Rule {
        id: "FAB-14",
        severity: Severity::Critical,
        title: "The pools do not hold what they must",
        needs: &[Fact::Ledgers],
        check: content::pools_wrong,
        why: "A bootstrap was committed and had no effect: the flag was set and the pools were \
              empty. All pools together are the supply of 1,250,000,000,000 GX, to the last Qirat.",
        otherwise: "Genesis grants fail, or coins exist that nobody counts.",
        remedy: "Stop all writes, and compare with `gx verify` before anything is repaired.",
        runbook: None,
    },
    Rule {
        id: "FAB-15",
        severity: Severity::High,
        title: "The countries are not the 234 whose shares make exactly one",
        needs: &[Fact::Ledgers],
        check: content::countries_wrong,
        why: "15 countries stood in the read model where the ledger had 234, and a list with the \
              sum 1.00000003 was accepted by a check that counted with fractions.",
        otherwise: "Users of missing countries cannot register, and shares of genesis are wrong.",
        remedy: "Compare the list with the ledger; rebuild the read models when they differ.",
        runbook: None,
    },
    Rule {
        id: "FAB-16",
        severity: Severity::High,
        title: "A certificate authority does not work",
        needs: &[Fact::Workloads, Fact::Pods],
        check: nodes::authority_away,
        why: "The network runs on without its authorities, until the first certificate ends.",
        otherwise: "Nobody can be enrolled and nothing renewed.",
        remedy: "See why it is not ready, and whether its volume is where it was.",
        runbook: None,
    },
    Rule {
        id: "FAB-17",
        severity: Severity::High,
        title: "Running chaincode has another package id than what is installed",
        needs: &[Fact::Ledgers, Fact::Workloads],
        check: content::package_differs,
        why: "The package id changes with every package, and a running chaincode has the one that \
              it was started with.",
        otherwise: "Peers wait for a chaincode that never says it is theirs.",
        remedy: "Set the installed package id in the chaincode's manifest and restart it.",
        runbook: None,
    },
];
