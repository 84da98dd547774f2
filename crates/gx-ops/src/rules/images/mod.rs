//! Images: whether every node that may need one has it, and the same one.

mod held;
mod names;
mod presence;
mod source;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 13] = [
    Rule {
        id: "IMG-01",
        severity: Severity::Critical,
        title: "An image is not on every node where its pods may go",
        needs: &[Fact::Workloads, Fact::Nodes],
        check: presence::missing_on_nodes,
        why: "Images that are never pulled stood on one node alone, and services were kept at one \
              replica so that nobody noticed. A node tells of 50 images unless it is set \
              otherwise: what is not in its list may be there.",
        otherwise: "A pod that is moved does not start.",
        remedy: "Bring the image to the nodes that lack it, and compare digests, before anything \
                 is scaled or moved.",
        runbook: None,
    },
    Rule {
        id: "IMG-02",
        severity: Severity::High,
        title: "An image of the project is asked for at a public registry",
        needs: &[Fact::Workloads],
        check: source::public_by_mistake,
        why: "A name without a registry means docker.io, where the project has nothing; it worked \
              for as long as the node had the image.",
        otherwise: "The first node without the image cannot pull it, or pulls what somebody else \
                    puts there.",
        remedy: "Name the registry: `kubectl set image deploy/NAME \
                 CONTAINER=REGISTRY/IMAGE@DIGEST`.",
        runbook: None,
    },
    Rule {
        id: "IMG-03",
        severity: Severity::Medium,
        title: "Images of the project come from several registries",
        needs: &[Fact::Workloads],
        check: source::many_prefixes,
        why: "Three forms of the same names were in use, of which nodes knew one or the other.",
        otherwise: "What was pushed to one is not what is pulled from another.",
        remedy: "Choose one registry, and name it in all manifests.",
        runbook: None,
    },
    Rule {
        id: "IMG-04",
        severity: Severity::High,
        title: "A node does not know a registry that images come from",
        needs: &[Fact::Workloads, Fact::Nodes, Fact::Hosts],
        check: presence::without_mirror,
        why: "A node that was built again came without the runtime's settings for the registry.",
        otherwise: "Pods that go there cannot pull.",
        remedy: "Write /etc/rancher/k3s/registries.yaml as on the other nodes and restart the \
                 agent, one node at a time.",
        runbook: None,
    },
    Rule {
        id: "IMG-05",
        severity: Severity::High,
        title: "The registry forgets its images, or nobody backs them up",
        needs: &[Fact::Workloads],
        check: source::registry_forgets,
        why: "A registry without a volume lost all images with its pod; 35 GB were in no backup.",
        otherwise: "After its next restart nothing can be pulled any more.",
        remedy: "Give it a claim, and add its images to the backup.",
        runbook: None,
    },
    Rule {
        id: "IMG-06",
        severity: Severity::High,
        title: "There is no way back to the revision before",
        needs: &[Fact::Workloads, Fact::Nodes],
        check: presence::no_way_back,
        why: "Old ReplicaSets and images had been cleared away to the last, and a bad version \
              could not be undone.",
        otherwise: "A rollout that fails cannot be taken back.",
        remedy: "Keep the two newest revisions, and their images on every node.",
        runbook: None,
    },
    Rule {
        id: "IMG-07",
        severity: Severity::Low,
        title: "A machine keeps more than a hundred images",
        needs: &[Fact::Nodes],
        check: presence::too_many,
        why: "One had 237, of which nine were in use.",
        otherwise: "They fill the disk, and kubelet tells of ever fewer of them.",
        remedy: "Remove what no workload and no revision kept needs: `crictl rmi --prune` after \
                 comparing the list.",
        runbook: None,
    },
    Rule {
        id: "IMG-08",
        severity: Severity::Low,
        title: "Images are removed only when the disk is nearly full",
        needs: &[Fact::Nodes, Fact::Hosts],
        check: source::late_removal,
        why: "Kubelet removes images from 85 % on, when pods are about to be evicted.",
        otherwise: "It removes them in haste, and among them those that nobody can pull again.",
        remedy: "Set image-gc-high-threshold=70 and image-gc-low-threshold=60 among kubelet's \
                 arguments.",
        runbook: None,
    },
    Rule {
        id: "IMG-09",
        severity: Severity::Low,
        title: "A node keeps images that nothing uses",
        needs: &[Fact::Nodes, Fact::Workloads, Fact::Pods],
        check: presence::unused,
        why: "A version that was never rolled out lay on every node, 3.7 GB each.",
        otherwise: "They take space and confuse whoever looks for what runs.",
        remedy: "Remove them by name: `crictl rmi IMAGE`.",
        runbook: None,
    },
    Rule {
        id: "IMG-10",
        severity: Severity::Critical,
        title: "Nodes have different images under one name",
        needs: &[Fact::Nodes],
        check: presence::differing,
        why: "A transfer to a far node broke off and was taken for done; another was repeated with \
              what had been built since.",
        otherwise: "What runs depends on where it runs.",
        remedy: "Transfer it again with its checksum, and compare digests on all nodes.",
        runbook: None,
    },
    Rule {
        id: "IMG-11",
        severity: Severity::High,
        title: "An image of mainnet has never been seen to start",
        needs: &[Fact::Workloads, Fact::Pods],
        check: source::never_started,
        why: "Three versions of the workers lacked a file that they need at their start, and were \
              built, copied and rolled out.",
        otherwise: "The first start is the one in production.",
        remedy: "Start it in another environment, or record the trial: `kubectl annotate deploy \
                 NAME ops.gx/started=IMAGE`.",
        runbook: None,
    },
    Rule {
        id: "IMG-12",
        severity: Severity::Medium,
        title: "An image is larger than 1 GiB",
        needs: &[Fact::Nodes, Fact::Workloads],
        check: source::heavy,
        why: "Images of 1.0 to 1.7 GB became 350 to 490 MB without losing anything.",
        otherwise: "Transfers between continents break off, and a node's first start takes \
                    minutes.",
        remedy: "Build it in stages, and leave compilers, caches and development packages out.",
        runbook: None,
    },
    Rule {
        id: "IMG-13",
        severity: Severity::Medium,
        title: "An image is not for the architecture of its node",
        needs: &[Fact::Nodes, Fact::Hosts, Fact::Workloads],
        check: presence::other_platform,
        why: "It is copied and kept, and fails with exec format error at its start.",
        otherwise: "Pods that go to that node never run.",
        remedy: "Build it for the node's architecture, or keep its pods away by \
                 kubernetes.io/arch.",
        runbook: None,
    },
];
