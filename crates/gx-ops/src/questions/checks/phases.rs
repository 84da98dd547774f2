//! The phases by which a platform is put in order, with what holds when each is done.

use serde::Serialize;

use super::look::{half_a_disk, memory_left, month_of_certificates};
use super::{Check, Checked, Judge, Seen, Signatures, State, checked, green};
use crate::facts::{Fact, Snapshot};

/// One phase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    pub(super) number: u8,
    pub(super) title: &'static str,
    /// Phases that are done before.
    pub(super) after: &'static [u8],
    /// What is done, in order.
    pub(super) steps: &'static [&'static str],
    pub(super) checks: &'static [Check],
    /// Who signs it off.
    pub(super) roles: &'static [&'static str],
}

/// How far a phase is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PhaseState {
    /// All checks pass and all roles have signed.
    Done,
    /// All checks pass.
    Unsigned,
    Failed,
    Unknown,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhaseAnswer {
    pub number: u8,
    pub title: &'static str,
    pub state: PhaseState,
    pub after: &'static [u8],
    pub steps: &'static [&'static str],
    pub checks: Vec<Checked>,
    /// Who has signed it off.
    pub signed: Vec<String>,
    /// Roles whose signature is missing.
    pub unsigned: Vec<&'static str>,
}

const fn rule(id: &'static str, what: &'static str, rule: &'static str) -> Check {
    Check { id, what, judge: Judge::Rule(rule) }
}

const fn person(id: &'static str, what: &'static str) -> Check {
    Check { id, what, judge: Judge::Person }
}

const fn suite(name: &'static str, what: &'static str) -> Check {
    Check { id: name, what, judge: Judge::Suite(name) }
}

const DISK: Check = Check {
    id: "disk",
    what: "less than half of every disk is used",
    judge: Judge::Facts(&[Fact::Hosts], half_a_disk),
};
const TWO: &[&str] = &["technical lead", "operations"];

const STABILISE: &[Check] = &[
    DISK,
    rule("one-network", "one network stands for a channel", "FAB-06"),
    rule("ports", "nothing else listens at ports of Kubernetes", "NET-27"),
    rule("services", "every workload has the replicas that it should", "WRK-01"),
    rule("restarts", "no pod is restarted too often", "WRK-04"),
];

const PREPARE: &[Check] = &[
    rule("nodes", "every node is ready", "NOD-01"),
    rule("pods", "every workload has the replicas that it should", "WRK-01"),
    DISK,
    Check {
        id: "memory",
        what: "less than four fifths of every memory is used",
        judge: Judge::Facts(&[Fact::Hosts], memory_left),
    },
    rule("backups", "everything has a backup", "BKP-01"),
    rule("restorable", "backups were restored lately", "BKP-09"),
    rule("ports", "nodes reach each other at the ports that they need", "NET-23"),
    rule("names", "public names lead to addresses that answer", "NET-17"),
    Check {
        id: "certificates",
        what: "every certificate is good for 30 days more",
        judge: Judge::Facts(&[Fact::Certificates], month_of_certificates),
    },
    rule("secrets", "every Secret that a workload needs is there", "SEC-04"),
    person("stakeholders", "whom it concerns knows of the window"),
    person("way-back", "the way back is written down and was read"),
];

const HARDEN: &[Check] = &[
    rule("keys", "lists of authorized keys are in order", "SEC-23"),
    rule("passwords", "no host lets people in by password", "SEC-22"),
    rule("services", "hosts offer no services that nobody needs", "NET-28"),
    rule("origins", "hosts that names lead to serve the web", "NOD-14"),
    rule("firewall", "standalone hosts have a firewall", "HST-12"),
    person("second-login", "a second key log-in was open when passwords were switched off"),
];

const INFRASTRUCTURE: &[Check] = &[
    rule("orderers-budget", "the orderers' budget keeps a majority", "FAB-08"),
    rule("peers-budgets", "each organization's peers have a budget", "FAB-09"),
    rule("budgets", "replicas have budgets", "WRK-24"),
    rule("policies", "namespaces of ledger and mainnet are closed", "NET-08"),
    rule("ways", "policies let workloads reach their stores", "NET-02"),
    rule("configuration", "peers and orderers find their configuration", "SEC-18"),
    rule("spread", "replicas cannot all be put on one node", "SCH-08"),
];

const RESTRUCTURE: &[Check] = &[
    rule("roles", "every node has its declared role", "NOD-05"),
    rule("identities", "no two nodes have the same identity label", "NOD-02"),
    rule("members", "every etcd member is of a node", "ETC-03"),
    rule("servers", "servers are set up alike", "ETC-05"),
    rule("encryption", "Secrets are encrypted, and their key is backed up", "ETC-06"),
    rule("authorities", "certificate authorities are on several nodes", "SCH-20"),
    rule("authority-keys", "keys of certificate authorities have a backup", "STO-01"),
    rule("copies", "no data of today have one copy alone", "DAT-12"),
    rule("mainnet-apart", "pods of mainnet are on its nodes", "SCH-11"),
    rule("tests-apart", "pods of test environments are not on mainnet's nodes", "SCH-12"),
];

const BACK_UP: &[Check] = &[
    rule("everything", "everything has a backup", "BKP-01"),
    rule("fresh", "the newest backups are fresh", "BKP-02"),
    rule("whole", "backups are large enough to be some", "BKP-03"),
    rule("schedules", "scheduled backups can start", "BKP-06"),
    rule("elsewhere", "a copy of today is elsewhere", "BKP-08"),
    rule("encrypted", "backups outside are encrypted", "BKP-13"),
    rule("restored", "backups were restored lately", "BKP-09"),
];

const TEST: &[Check] = &[
    suite("net", "the suite of the network is green"),
    suite("k8s", "the suite of Kubernetes is green"),
    suite("fabric", "the suite of the Fabric network is green"),
    suite("app", "the suite of processes is green"),
    suite("db", "the suite of databases is green"),
    suite("e2e", "the suite from command to read model is green"),
    suite("ha", "the suite without one node is green"),
];

const WATCH: &[Check] = &[
    rule("ledger", "every part of the ledger's network is watched", "MON-05"),
    rule("targets", "what is to be watched answers", "MON-01"),
    rule("metrics", "alerts ask for metrics that there are", "MON-02"),
    rule("receivers", "alerts reach somebody", "MON-03"),
    rule("outside", "something looks from outside", "MON-06"),
    rule("dashboards", "dashboards are the declared ones", "MON-08"),
    rule("itself", "somebody is told when monitoring stops", "MON-11"),
    person("alerts-tried", "an alert was set off, and it reached a person"),
    person("runbooks", "whoever is on call has read the runbooks"),
];

/// All phases. Two and five go on beside the others.
pub(super) const PHASES: [Phase; 8] = [
    Phase {
        number: 0,
        title: "Emergency stabilisation",
        after: &[],
        steps: &[
            "free disks of build caches, and of no image that something runs from",
            "decide which of two ledgers counts: gx ops compare --ledgers",
            "stop the other one",
            "have every service ready again",
        ],
        checks: STABILISE,
        roles: TWO,
    },
    Phase {
        number: 1,
        title: "Preparation",
        after: &[0],
        steps: &[
            "set up machines that are to join",
            "back everything up, and restore it somewhere",
            "go through the checks below",
        ],
        checks: PREPARE,
        roles: TWO,
    },
    Phase {
        number: 2,
        title: "Security",
        after: &[],
        steps: &[
            "bring keys to every host, and log in by them",
            "switch passwords off, host by host, with a second log-in open",
            "switch off services that nobody needs, but none of a host that names lead to",
            "set firewalls up on standalone hosts",
        ],
        checks: HARDEN,
        roles: TWO,
    },
    Phase {
        number: 3,
        title: "Infrastructure",
        after: &[1],
        steps: &[
            "give budgets to orderers, and to the peers of each organization",
            "close namespaces by policies",
            "put replicas apart, one pod at a time, after a look at what the next one would lack",
        ],
        checks: INFRASTRUCTURE,
        roles: TWO,
    },
    Phase {
        number: 4,
        title: "Restructuring",
        after: &[3],
        steps: &[
            "ask what each step would take along: gx ops what-if",
            "take servers in or out, one etcd member at a time",
            "bring ledger nodes and environments to where they belong",
        ],
        checks: RESTRUCTURE,
        roles: TWO,
    },
    Phase {
        number: 5,
        title: "Backup",
        after: &[],
        steps: &[
            "give every host a target and credentials of its own",
            "schedule backups",
            "restore one of each",
        ],
        checks: BACK_UP,
        roles: TWO,
    },
    Phase {
        number: 6,
        title: "Testing",
        after: &[4],
        steps: &["hold the seven suites against fresh facts: gx ops suite"],
        checks: TEST,
        roles: &["technical lead", "operations", "security", "business owner"],
    },
    Phase {
        number: 7,
        title: "Monitoring and operation",
        after: &[6],
        steps: &[
            "have everything scraped, the ledger's nodes too",
            "set alerts, dashboards and receivers up, and set an alert off",
            "hand the runbooks over",
        ],
        checks: WATCH,
        roles: TWO,
    },
];

/// Holds a phase against a snapshot and what people have signed; none when there is no such phase.
pub fn phase(
    number: u8,
    now: &Snapshot,
    before: Option<&Snapshot>,
    signatures: &Signatures,
) -> Option<PhaseAnswer> {
    let phase = PHASES.iter().find(|phase| phase.number == number)?;
    let signatures = signatures.of(number);
    let checks = checked(phase.checks, Seen { now, before }, &signatures);
    let closing = || signatures.iter().filter(|one| one.check.is_none());
    let has_signed = |role: &str| closing().any(|one| one.role.eq_ignore_ascii_case(role));
    let unsigned: Vec<&str> =
        phase.roles.iter().copied().filter(|role| !has_signed(role)).collect();
    let state = match green(&checks) {
        State::Failed => PhaseState::Failed,
        State::Unknown => PhaseState::Unknown,
        State::Passed if unsigned.is_empty() => PhaseState::Done,
        State::Passed => PhaseState::Unsigned,
    };
    Some(PhaseAnswer {
        number,
        title: phase.title,
        state,
        after: phase.after,
        steps: phase.steps,
        checks,
        signed: closing().map(|one| one.told()).collect(),
        unsigned,
    })
}
