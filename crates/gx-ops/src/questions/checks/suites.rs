//! The seven suites of tests, as checks of facts: nothing is changed, switched off or sent.

use serde::Serialize;

use super::look::{
    alive, chain_grows, edge_answers, ledger_answers, one_leader, one_node_less, redis_room,
    servers_answer, ssh_answers,
};
use super::{Check, Checked, Judge, Seen, State, checked, green};
use crate::facts::{Fact, Snapshot};

/// Some checks that belong together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Suite {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) checks: &'static [Check],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuiteAnswer {
    pub name: &'static str,
    pub title: &'static str,
    pub state: State,
    pub checks: Vec<Checked>,
}

const fn rule(id: &'static str, what: &'static str, rule: &'static str) -> Check {
    Check { id, what, judge: Judge::Rule(rule) }
}

const NET: &[Check] = &[
    Check {
        id: "ssh",
        what: "every declared host answers to SSH",
        judge: Judge::Facts(&[Fact::Reached, Fact::Inventory], ssh_answers),
    },
    Check {
        id: "api-servers",
        what: "every server's API answers",
        judge: Judge::Facts(&[Fact::Reached, Fact::Nodes], servers_answer),
    },
    Check {
        id: "ledger-ports",
        what: "every peer and orderer answers at its address",
        judge: Judge::Facts(&[Fact::Reached, Fact::Ledgers], ledger_answers),
    },
    rule("node-ports", "nodes reach each other at the ports that they need", "NET-23"),
    rule("pods-across", "pods are reached from other nodes", "NET-21"),
    rule("pod-names", "pods can resolve names", "NET-01"),
    rule("public-names", "public names lead to addresses that answer", "NET-17"),
    rule("host-names", "hosts know names by the right addresses", "NET-22"),
];

const K8S: &[Check] = &[
    rule("nodes", "every node is ready", "NOD-01"),
    rule("pressure", "no node is under pressure", "NOD-09"),
    rule("use", "no node is used to its limits", "NOD-07"),
    rule("workloads", "every workload has the replicas that it should", "WRK-01"),
    rule("crashes", "no container crashes again and again", "WRK-02"),
    rule("endpoints", "something ready is behind every Service", "NET-11"),
    rule("claims", "every claim has a volume", "STO-04"),
    rule("etcd", "etcd has its majority", "ETC-09"),
];

const FABRIC: &[Check] = &[
    rule("orderers", "every orderer is ready", "FAB-01"),
    rule("organizations", "every organization has a ready peer", "FAB-11"),
    rule("channel", "every peer is in the channel", "FAB-04"),
    rule("heights", "peers have the same height", "FAB-02"),
    rule("definition", "the definition is approved and installed everywhere", "FAB-05"),
    rule("package", "running chaincode is the one that is installed", "FAB-17"),
    Check {
        id: "leader",
        what: "the orderers have exactly one leader",
        judge: Judge::Facts(&[Fact::Ledgers], one_leader),
    },
    rule("answers", "the contract answers, and the pools hold what they must", "FAB-14"),
    rule("authorities", "every certificate authority works", "FAB-16"),
];

const APP: &[Check] = &[
    Check {
        id: "alive-and-ready",
        what: "every process is alive and ready",
        judge: Judge::Facts(&[Fact::Processes], alive),
    },
    rule("replicas", "no workload runs without being ready", "WRK-11"),
    rule("protected", "what is for administrators asks for a login", "SEC-24"),
    Check {
        id: "edge",
        what: "what the edge serves answers without a fault",
        judge: Judge::Facts(&[Fact::Reached], edge_answers),
    },
    rule("certificates", "no certificate for TLS ends soon", "SEC-25"),
    rule("schema", "processes work with the schema that there is", "DAT-06"),
];

const DB: &[Check] = &[
    rule("replication", "replicas of a database replicate", "DAT-01"),
    rule("tables", "servers of one database have the same tables", "DAT-02"),
    rule("one-database", "a Service leads to one database", "DAT-03"),
    rule("standbys", "no standby is behind", "DAT-04"),
    rule("connections", "there are connections enough", "DAT-07"),
    rule("redis", "Redis has one master, and somebody watches it", "DAT-05"),
    Check {
        id: "redis-room",
        what: "Redis has memory left",
        judge: Judge::Facts(&[Fact::Redis], redis_room),
    },
    rule("ways", "no policy keeps a workload from its stores", "NET-02"),
    rule("passwords", "copies of one password are the same", "SEC-01"),
];

const E2E: &[Check] = &[
    Check {
        id: "growth",
        what: "the ledger has more blocks than before, and processes apply them",
        judge: Judge::Facts(&[Fact::Ledgers], chain_grows),
    },
    rule("blocks", "no commands wait while no block is made", "FAB-03"),
    rule("queue", "commands do not queue up", "DAT-08"),
    rule("dead", "no command was set aside", "DAT-09"),
    rule("read-models", "read models are not far behind", "DAT-11"),
    rule("projector", "the projector moves", "WRK-13"),
    rule("logs", "no log repeats an error that no retry mends", "WRK-28"),
    rule("restarts", "no pod is restarted too often", "WRK-04"),
];

const HA: &[Check] = &[
    Check {
        id: "one-node-less",
        what: "without any one node everything works on",
        judge: Judge::Facts(
            &[Fact::Nodes, Fact::Pods, Fact::Workloads, Fact::Claims, Fact::Volumes],
            one_node_less,
        ),
    },
    rule("orderers", "no one node takes the orderers' quorum", "SCH-15"),
    rule("regions", "no one region takes a quorum", "SCH-16"),
    rule("peers", "peers of an organization are on several nodes", "SCH-17"),
    rule("budgets", "the orderers' budget keeps a majority", "FAB-08"),
    rule("etcd", "no one region takes etcd's majority", "ETC-02"),
    rule("replication", "replicas of a database replicate", "DAT-01"),
    rule("copies", "no data of today have one copy alone", "DAT-12"),
];

/// All suites.
pub(super) const SUITES: [Suite; 7] = [
    Suite { name: "net", title: "Network", checks: NET },
    Suite { name: "k8s", title: "Kubernetes", checks: K8S },
    Suite { name: "fabric", title: "Fabric network", checks: FABRIC },
    Suite { name: "app", title: "Processes and addresses", checks: APP },
    Suite { name: "db", title: "Databases", checks: DB },
    Suite { name: "e2e", title: "From command to read model", checks: E2E },
    Suite { name: "ha", title: "Without one node", checks: HA },
];

/// Holds a suite against a snapshot; none when there is no such suite. What has to have moved
/// meanwhile is compared with an earlier snapshot.
pub fn suite(name: &str, now: &Snapshot, before: Option<&Snapshot>) -> Option<SuiteAnswer> {
    let suite = SUITES.iter().find(|suite| suite.name == name)?;
    let checks = checked(suite.checks, Seen { now, before }, &[]);
    let state = green(&checks);
    Some(SuiteAnswer { name: suite.name, title: suite.title, state, checks })
}
