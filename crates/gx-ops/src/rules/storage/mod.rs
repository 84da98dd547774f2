//! Storage: where data lies, how often, and what would take it away.

mod claims;
mod local;
mod volumes;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 16] = [
    Rule {
        id: "STO-01",
        severity: Severity::Critical,
        title: "The keys of a certificate authority lie on one host, without a backup",
        needs: &[Fact::Claims, Fact::Volumes],
        check: claims::authority_on_one_host,
        why: "The root and all other authorities of a network lay in local volumes of two nodes. \
              Without their keys a network runs, and nobody can ever be enrolled again.",
        otherwise: "With that host the network can issue no certificate any more, and stops when \
                    the last one ends.",
        remedy: "Export the keys, encrypt them and keep them off the host; then back them up each \
                 day.",
        runbook: None,
    },
    Rule {
        id: "STO-02",
        severity: Severity::High,
        title: "A database of mainnet lies on one host",
        needs: &[Fact::Claims, Fact::Volumes],
        check: claims::database_on_one_host,
        why: "A local volume cannot follow its pod. The databases of mainnet were bound to the \
              node that was installed again.",
        otherwise: "The loss of the host is the loss of the data since the last backup.",
        remedy: "Move it to replicated storage, or run replicas that stream on other hosts.",
        runbook: None,
    },
    Rule {
        id: "STO-03",
        severity: Severity::Critical,
        title: "A workload names a claim that there is not",
        needs: &[Fact::Workloads, Fact::Claims],
        check: claims::no_such_claim,
        why: "A StatefulSet named prometheus-storage where the claim was prometheus-pvc.",
        otherwise: "Its pods stay pending for ever.",
        remedy: "Correct claimName, or make the claim: `kubectl get pvc -n NAMESPACE`.",
        runbook: None,
    },
    Rule {
        id: "STO-04",
        severity: Severity::High,
        title: "A claim has no volume",
        needs: &[Fact::Claims, Fact::StorageClasses, Fact::Pods],
        check: claims::not_bound,
        why: "A claim that is pending holds its pod; one that is lost had a volume whose object \
              somebody has deleted.",
        otherwise: "Whoever needs it never starts.",
        remedy: "See what its provisioner says: `kubectl describe pvc NAME`.",
        runbook: None,
    },
    Rule {
        id: "STO-05",
        severity: Severity::Critical,
        title: "The folder of a volume is not on its host",
        needs: &[Fact::Volumes, Fact::Hosts],
        check: volumes::folder_gone,
        why: "A node was installed again, and the volumes that were bound to it promised data that \
              were gone: two of three database replicas among them.",
        otherwise: "Its pods cannot mount it, and whoever makes the claim again starts with \
                    nothing.",
        remedy: "Stop. Restore from the newest verified backup; delete the claim only after that.",
        runbook: None,
    },
    Rule {
        id: "STO-06",
        severity: Severity::High,
        title: "A volume is older than the node that it is bound to",
        needs: &[Fact::Volumes, Fact::Nodes],
        check: volumes::older_than_node,
        why: "The node was registered anew after the volume was made, so that its disks may be \
              empty.",
        otherwise: "What the volume promises is perhaps not there.",
        remedy: "Treat the data as lost until they are seen on the disk; restore from backup \
                 before deleting any claim.",
        runbook: None,
    },
    Rule {
        id: "STO-07",
        severity: Severity::Medium,
        title: "A volume is left over",
        needs: &[Fact::Volumes],
        check: volumes::left_over,
        why: "Its claim is gone, and its data may be the last copy.",
        otherwise: "Space is held for something that nobody watches, or data are forgotten.",
        remedy: "See what is in it, and whose it was, before it is deleted; nothing deletes it by \
                 itself.",
        runbook: None,
    },
    Rule {
        id: "STO-08",
        severity: Severity::High,
        title: "Deleting a claim deletes data that cannot be had again",
        needs: &[Fact::Volumes],
        check: volumes::deleted_with_claim,
        why: "Delete is the default of local storage. A claim that was deleted to help a pod took \
              the database with it.",
        otherwise: "One wrong command destroys the data.",
        remedy: "`kubectl patch pv NAME -p \
                 '{\"spec\":{\"persistentVolumeReclaimPolicy\":\"Retain\"}}'`",
        runbook: None,
    },
    Rule {
        id: "STO-09",
        severity: Severity::High,
        title: "A claim is not deleted",
        needs: &[Fact::Claims, Fact::Pods],
        check: claims::stuck_deleting,
        why: "A claim waits for the last pod that mounts it. Claims of dashboards and logs waited \
              for pods that could not start.",
        otherwise: "When that pod goes, the data go with it.",
        remedy: "Find who mounts it, and take the finalizer away only when the data are proven to \
                 be of no use.",
        runbook: None,
    },
    Rule {
        id: "STO-10",
        severity: Severity::Critical,
        title: "A claim is nearly full",
        needs: &[Fact::Claims, Fact::Volumes],
        check: claims::nearly_full,
        why: "A database that cannot write stops, and some do not start again.",
        otherwise: "At the present pace it is a matter of days.",
        remedy: "Remove what is not needed, or enlarge it: `kubectl patch pvc NAME -p \
                 '{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"SIZE\"}}}}'`",
        runbook: None,
    },
    Rule {
        id: "STO-11",
        severity: Severity::Low,
        title: "Folders of a runtime that no longer runs take space",
        needs: &[Fact::Hosts],
        check: volumes::runtime_left_over,
        why: "A runtime that had been replaced left 65 GB in 594 snapshots.",
        otherwise: "The disk is full the earlier.",
        remedy: "Prove by its open files that nothing uses it, then remove it.",
        runbook: None,
    },
    Rule {
        id: "STO-12",
        severity: Severity::Medium,
        title: "Volumes of growing data cannot be enlarged",
        needs: &[Fact::Claims, Fact::StorageClasses],
        check: claims::cannot_grow,
        why: "Ledgers grow by 3 to 5 GB a month and databases by 15 to 20; their class does not \
              allow it.",
        otherwise: "When one is full it has to be copied, in a hurry.",
        remedy: "Use a class with allowVolumeExpansion, or set it where the provisioner can.",
        runbook: None,
    },
    Rule {
        id: "STO-13",
        severity: Severity::High,
        title: "A replicated volume has too few replicas",
        needs: &[Fact::Longhorn],
        check: volumes::replicas_short,
        why: "Replicas on one node, or one that is never built again, are a copy on paper.",
        otherwise: "The next failure of a node takes the data.",
        remedy: "See why it is not built again: nodes, space, or numberOfReplicas below 3.",
        runbook: None,
    },
    Rule {
        id: "STO-14",
        severity: Severity::High,
        title: "A node lacks iSCSI, which Longhorn needs",
        needs: &[Fact::Nodes, Fact::Hosts],
        check: volumes::without_iscsi,
        why: "Longhorn attaches volumes by iSCSI; it installs without it, and fails at the first \
              volume.",
        otherwise: "Pods that go to that node cannot mount their volumes.",
        remedy: "`dnf install iscsi-initiator-utils && systemctl enable --now iscsid`",
        runbook: None,
    },
    Rule {
        id: "STO-15",
        severity: Severity::Medium,
        title: "The quota of claims is used up",
        needs: &[Fact::Quotas],
        check: claims::quota_used_up,
        why: "Quotas had to be raised from 10 to 15 and from 3 to 5 in the midst of a repair.",
        otherwise: "The next claim is refused.",
        remedy: "Raise it in time, or delete claims that nobody needs: `kubectl describe quota`.",
        runbook: None,
    },
    Rule {
        id: "STO-16",
        severity: Severity::Medium,
        title: "Folders of volumes are of no volume",
        needs: &[Fact::Hosts, Fact::Volumes],
        check: volumes::orphans,
        why: "They are left when a volume's object is deleted by hand, and may be the last copy of \
              something.",
        otherwise: "They take space, and nobody knows what they are.",
        remedy: "List them, find out whose they were, and only then remove them by hand.",
        runbook: None,
    },
];
