//! Scheduling and availability: where pods are, where they could go, and what the loss of a node
//! or a region would take with it.

mod balance;
mod capacity;
mod place;
mod spread;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 26] = [
    Rule {
        id: "SCH-01",
        severity: Severity::Critical,
        title: "Volumes of one StatefulSet are bound to one host",
        needs: &[Fact::Workloads, Fact::Claims, Fact::Volumes],
        check: spread::volumes_share_host,
        why: "A local volume cannot follow its pod, so replicas whose volumes share a host are one \
              replica. Two of three databases and caches stood on one node so, a month before its \
              reinstallation took them.",
        otherwise: "The host's loss takes all those replicas with it, and no rule of spreading can \
                    prevent that.",
        remedy: "Back up, then delete the claim and the pod of one replica so that it is made \
                 again on another node, or move to replicated storage.",
        runbook: None,
    },
    Rule {
        id: "SCH-02",
        severity: Severity::Critical,
        title: "The volumes on one host are enough to break a quorum",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Claims, Fact::Volumes],
        check: spread::volumes_break_quorum,
        why: "What is left without the host with the most volumes is less than a majority of the \
              members.",
        otherwise: "One host's loss stops the set, and it cannot come back without that host's \
                    data.",
        remedy: "Move one member's volume at a time to another host, each after a backup.",
        runbook: None,
    },
    Rule {
        id: "SCH-03",
        severity: Severity::High,
        title: "Pods run otherwise than their workload says",
        needs: &[Fact::Workloads, Fact::Pods],
        check: spread::template_not_in_force,
        why: "A required rule of spreading was read as a soft one because two replicas did share a \
              node: the rule was in the template and not in the pods, which were older.",
        otherwise: "What the manifest promises does not hold until the pods are made again.",
        remedy: "Make the pods again one at a time, after their volumes allow it: \
                 `kubectl rollout restart`.",
        runbook: None,
    },
    Rule {
        id: "SCH-04",
        severity: Severity::High,
        title: "There are more replicas than nodes that they may share out",
        needs: &[Fact::Workloads, Fact::Nodes],
        check: place::more_replicas_than_nodes,
        why: "Required anti-affinity gives each replica a node of its own. Five orderers on three \
              nodes leave two waiting for ever.",
        otherwise: "The replicas beyond the number of nodes stay pending.",
        remedy: "Use topologySpreadConstraints with maxSkew 1 in place of the required \
                 anti-affinity, or add nodes.",
        runbook: None,
    },
    Rule {
        id: "SCH-05",
        severity: Severity::Critical,
        title: "A pod waits because its volume is where it may not go",
        needs: &[Fact::Pods, Fact::Nodes, Fact::Claims, Fact::Volumes],
        check: place::volume_where_pod_may_not_go,
        why: "The volume is bound to a node that selector, affinity or taints keep the pod away \
              from. Test networks and dashboards waited for days after roles of nodes had changed.",
        otherwise: "The pod never starts; nothing in the cluster resolves this by itself.",
        remedy: "Give the node back its label or the pod a toleration, or restore the data into a \
                 claim on a node where the pod may go.",
        runbook: None,
    },
    Rule {
        id: "SCH-06",
        severity: Severity::High,
        title: "Every node that is selected is tainted",
        needs: &[Fact::Workloads, Fact::Nodes],
        check: place::selected_are_tainted,
        why: "The selector leads to nodes whose taint the pods do not tolerate. A taint for other \
              environments stopped two of them so, twice.",
        otherwise: "Pods that are restarted stay pending.",
        remedy: "Add the toleration to the workload, or take the taint away: \
                 `kubectl taint node NODE KEY-`.",
        runbook: None,
    },
    Rule {
        id: "SCH-07",
        severity: Severity::High,
        title: "A selector or required affinity matches no node",
        needs: &[Fact::Workloads, Fact::Nodes],
        check: place::nothing_selected,
        why: "Labels that people set by hand are gone after a node was installed again.",
        otherwise: "Pods that are restarted stay pending.",
        remedy: "Label the node again, or change the selector: \
                 `kubectl label node NODE KEY=VALUE`.",
        runbook: None,
    },
    Rule {
        id: "SCH-08",
        severity: Severity::High,
        title: "Replicas may all be put on one node",
        needs: &[Fact::Workloads],
        check: spread::nothing_spreads,
        why: "Without anti-affinity or spreading the scheduler may put all replicas together; a \
              cluster had 32, 15 and 10 pods on its nodes.",
        otherwise: "Several replicas give no more availability than one.",
        remedy: "Add a topologySpreadConstraint with maxSkew 1 over kubernetes.io/hostname.",
        runbook: None,
    },
    Rule {
        id: "SCH-09",
        severity: Severity::Medium,
        title: "A quorum or database is spread by preference only",
        needs: &[Fact::Workloads],
        check: spread::only_preferred,
        why: "Preferred is not required: orderers that preferred to be apart ended as two, two and \
              one, and once as five on one node.",
        otherwise: "The next time that nodes are short, members come together.",
        remedy: "Add a topologySpreadConstraint with maxSkew 1 and whenUnsatisfiable \
                 DoNotSchedule.",
        runbook: None,
    },
    Rule {
        id: "SCH-10",
        severity: Severity::Medium,
        title: "Pods are unevenly shared out among nodes",
        needs: &[Fact::Nodes, Fact::Pods],
        check: balance::uneven_nodes,
        why: "The fullest node decides how much fails at once; 32 of 57 pods stood on one node.",
        otherwise: "The loss of that node moves more pods than the others have room for.",
        remedy: "In a quiet hour restart workloads that are not spread, after adding constraints \
                 to them: `kubectl rollout restart`.",
        runbook: None,
    },
    Rule {
        id: "SCH-11",
        severity: Severity::High,
        title: "A pod of mainnet runs on a node for other environments",
        needs: &[Fact::Nodes, Fact::Pods],
        check: balance::mainnet_on_other_nodes,
        why: "Replicas of the main database stood on the test node, and went when it was installed \
              again.",
        otherwise: "Work on test environments touches production.",
        remedy: "Move its storage first, then pin the workload to nodes of mainnet.",
        runbook: None,
    },
    Rule {
        id: "SCH-12",
        severity: Severity::High,
        title: "A pod of a test environment runs on a node of mainnet",
        needs: &[Fact::Nodes, Fact::Pods],
        check: balance::others_on_mainnet_nodes,
        why: "Test workloads take processors and disks from production, and share their faults.",
        otherwise: "A runaway test slows or evicts production.",
        remedy: "Taint the nodes of mainnet, and pin test workloads to their own.",
        runbook: None,
    },
    Rule {
        id: "SCH-13",
        severity: Severity::High,
        title: "All replicas are in one region",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Nodes, Fact::Inventory],
        check: balance::one_region,
        why: "Two nodes of one city fail together when its network does.",
        otherwise: "The loss of a region takes the service with it.",
        remedy: "Spread over topology.kubernetes.io/zone as well, with maxSkew 1.",
        runbook: None,
    },
    Rule {
        id: "SCH-14",
        severity: Severity::Medium,
        title: "A service of mainnet has one replica",
        needs: &[Fact::Workloads],
        check: spread::single_replica,
        why: "One replica is away whenever its node, its image or its start is.",
        otherwise: "Each restart is an outage of the service.",
        remedy: "Scale it to 2, or list it under singleReplica in the inventory: \
                 `kubectl scale deploy NAME --replicas=2`.",
        runbook: None,
    },
    Rule {
        id: "SCH-15",
        severity: Severity::Critical,
        title: "One node's loss takes the orderers' quorum",
        needs: &[Fact::Workloads, Fact::Pods],
        check: balance::orderers_on_one_node,
        why: "Raft needs a majority of its members, not of its survivors. All five orderers once \
              stood on one node.",
        otherwise: "The ledger stops with that node.",
        remedy: "Move one orderer at a time to another node, and wait for it to catch up before \
                 the next.",
        runbook: None,
    },
    Rule {
        id: "SCH-16",
        severity: Severity::High,
        title: "One region's loss takes a quorum",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Nodes, Fact::Inventory],
        check: balance::quorum_in_one_region,
        why: "Members in three regions survive one; two of four in one region do not.",
        otherwise: "The loss of that region stops the ledger or the cluster's own store.",
        remedy: "Use an odd number of regions with no more than a minority of members in each.",
        runbook: None,
    },
    Rule {
        id: "SCH-17",
        severity: Severity::High,
        title: "All peers of an organization are on one node",
        needs: &[Fact::Workloads, Fact::Pods],
        check: balance::organization_on_one_node,
        why: "An organization without a peer cannot endorse, and a policy that asks for it fails.",
        otherwise: "The node's loss stops every transaction.",
        remedy: "Spread the peers of each organization over nodes, one at a time.",
        runbook: None,
    },
    Rule {
        id: "SCH-18",
        severity: Severity::Medium,
        title: "Chaincode is far from a peer that calls it, or runs once",
        needs: &[Fact::Workloads, Fact::Pods],
        check: balance::chaincode_far_from_peers,
        why: "Peers that called chaincode on another continent's node timed out.",
        otherwise: "Endorsements are slow or time out, and stop with the one replica.",
        remedy: "Run a replica on the node of each endorsing peer.",
        runbook: None,
    },
    Rule {
        id: "SCH-19",
        severity: Severity::Medium,
        title: "A peer and its state database are on different nodes",
        needs: &[Fact::Workloads, Fact::Pods],
        check: balance::peer_far_from_couchdb,
        why: "Each read of state crosses the network, and either node's loss stops the peer.",
        otherwise: "Endorsement takes longer, and the peer has two nodes to fail with.",
        remedy: "Add a podAffinity of the database to its peer over kubernetes.io/hostname.",
        runbook: None,
    },
    Rule {
        id: "SCH-20",
        severity: Severity::High,
        title: "Half or more of the certificate authorities are on one node",
        needs: &[Fact::Workloads, Fact::Pods],
        check: balance::authorities_on_one_node,
        why: "Three of five authorities stood on one node, with their only keys in its local \
              volumes.",
        otherwise: "With that node no certificate can be issued any more.",
        remedy: "Export and encrypt the keys, then restore some of the authorities elsewhere.",
        runbook: None,
    },
    Rule {
        id: "SCH-21",
        severity: Severity::Medium,
        title: "Everything that watches is on one node",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Nodes],
        check: balance::watchers_on_one_node,
        why: "When that node fails, nobody is told.",
        otherwise: "The failure that matters most is the one that no alarm reports.",
        remedy: "Spread the parts, and add a probe from outside the cluster.",
        runbook: None,
    },
    Rule {
        id: "SCH-22",
        severity: Severity::High,
        title: "A node's processors are requested to the last",
        needs: &[Fact::Nodes, Fact::Pods],
        check: capacity::requested_to_the_last,
        why: "The scheduler goes by requests. A node with 8000m of 8000m requested left pods \
              pending while it idled.",
        otherwise: "Nothing more fits, and rollouts that start new pods first get stuck.",
        remedy: "Lower requests to what is used, or scale down before rolling.",
        runbook: None,
    },
    Rule {
        id: "SCH-23",
        severity: Severity::Medium,
        title: "An autoscaler cannot scale",
        needs: &[Fact::Autoscalers, Fact::Workloads],
        check: capacity::autoscaler_blind,
        why: "It compares use with requests; without requests or without metrics it does nothing.",
        otherwise: "Load is not answered with more replicas.",
        remedy: "Set requests on every container, and install metrics-server.",
        runbook: None,
    },
    Rule {
        id: "SCH-24",
        severity: Severity::Medium,
        title: "An autoscaler's maximum does not fit the quota",
        needs: &[Fact::Autoscalers, Fact::Workloads, Fact::Quotas, Fact::Pods],
        check: capacity::autoscaler_over_quota,
        why: "Replicas beyond the quota are refused at the moment they are needed most.",
        otherwise: "Scaling stops half way under load.",
        remedy: "Raise the quota, or lower maxReplicas.",
        runbook: None,
    },
    Rule {
        id: "SCH-25",
        severity: Severity::High,
        title: "Backups lie on the host whose data they protect",
        needs: &[Fact::Claims, Fact::Volumes],
        check: place::backup_beside_data,
        why: "Both were local volumes of one node.",
        otherwise: "What takes the data takes the backup with it.",
        remedy: "Keep backups off the host, and off the cluster.",
        runbook: None,
    },
    Rule {
        id: "SCH-26",
        severity: Severity::Medium,
        title: "A weak preference for separate nodes has lost",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Nodes],
        check: spread::weak_preference,
        why: "A preference of low weight gives way to others, such as one for a zone.",
        otherwise: "Replicas stay together although nodes are free.",
        remedy: "Give it the weight 100, or use a topologySpreadConstraint.",
        runbook: None,
    },
];
