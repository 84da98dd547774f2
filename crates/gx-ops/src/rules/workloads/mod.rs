//! Workloads: whether pods run, are ready, and are described so that they stay so.

mod manifest;
mod pods;
mod rollout;
mod work;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 28] = [
    Rule {
        id: "WRK-01",
        severity: Severity::Critical,
        title: "A workload has fewer ready replicas than it should",
        needs: &[Fact::Workloads, Fact::Pods],
        check: rollout::not_all_ready,
        why: "One service of mainnet had none of three replicas ready, and five had one, while \
              dashboards that counted running pods were green.",
        otherwise: "What is left carries all the load, and the next failure is an outage.",
        remedy: "See what its pods wait for: `kubectl describe pod -l app=NAME`.",
        runbook: None,
    },
    Rule {
        id: "WRK-02",
        severity: Severity::Critical,
        title: "A container crashes again and again",
        needs: &[Fact::Pods],
        check: pods::crash_loop,
        why: "Kubelet waits longer after each crash. Eleven such workloads ran for weeks: images \
              were missing, passwords wrong, networks unreachable.",
        otherwise: "The service is away, and its restarts fill logs and hide other faults.",
        remedy: "Read its last words, then decide between image, ledger and secrets: `kubectl logs \
                 POD -c CONTAINER --previous`.",
        runbook: None,
    },
    Rule {
        id: "WRK-03",
        severity: Severity::Critical,
        title: "A container's image cannot be had",
        needs: &[Fact::Pods],
        check: pods::image_missing,
        why: "A projector and a wallet waited for images that stood on one node alone.",
        otherwise: "The pod never starts where it is.",
        remedy: "Bring the image to the node, or name one that its registry has: `kubectl describe \
                 pod POD`.",
        runbook: None,
    },
    Rule {
        id: "WRK-04",
        severity: Severity::Critical,
        title: "A pod is restarted too often",
        needs: &[Fact::Pods],
        check: pods::restarts,
        why: "One worker was restarted 146 times in two days and another 1353 times in nineteen, \
              and both counted as running.",
        otherwise: "Work is interrupted and begun again, and what fails is never repaired.",
        remedy: "Look for what all its ends have in common: `kubectl logs POD --previous`.",
        runbook: None,
    },
    Rule {
        id: "WRK-05",
        severity: Severity::Low,
        title: "A pod that has ended is still there",
        needs: &[Fact::Pods, Fact::Workloads],
        check: pods::finished,
        why: "Eleven pods of backups, migrations and trials had stayed; whoever looks for faults \
              reads past them.",
        otherwise: "Lists grow until nobody reads them.",
        remedy: "Delete it, after reading why it failed when it did: `kubectl delete pod POD`.",
        runbook: None,
    },
    Rule {
        id: "WRK-06",
        severity: Severity::Medium,
        title: "A Deployment keeps many old ReplicaSets",
        needs: &[Fact::Workloads],
        check: rollout::old_replica_sets,
        why: "Two cleanings removed 126 of them. Deleting all leaves nothing to go back to.",
        otherwise: "The API server and every list carry them.",
        remedy: "Set spec.revisionHistoryLimit to 3; the controller deletes the rest and keeps the \
                 newest.",
        runbook: None,
    },
    Rule {
        id: "WRK-07",
        severity: Severity::High,
        title: "Two revisions of a Deployment run beside each other",
        needs: &[Fact::Workloads, Fact::Pods],
        check: rollout::two_rollouts,
        why: "Rollouts that never ended were rolled over by others, and together they requested \
              more processors than there were.",
        otherwise: "Old and new answer in turn, and both hold resources.",
        remedy: "Bring it to its end or back: `kubectl rollout status deploy/NAME`, `kubectl \
                 rollout undo deploy/NAME`.",
        runbook: None,
    },
    Rule {
        id: "WRK-08",
        severity: Severity::High,
        title: "A rollout is stuck",
        needs: &[Fact::Workloads, Fact::Pods],
        check: rollout::rollout_stuck,
        why: "A Deployment whose new pods do not become ready keeps its old ones, and looks as if \
              it were up to date.",
        otherwise: "The change that was made is not in force, and the next restart may bring it \
                    unwatched.",
        remedy: "Undo or repair it: `kubectl rollout undo deploy/NAME`.",
        runbook: None,
    },
    Rule {
        id: "WRK-09",
        severity: Severity::Medium,
        title: "A pod does not go away",
        needs: &[Fact::Pods],
        check: pods::stuck_leaving,
        why: "Its node does not confirm its end, or a finalizer waits for somebody.",
        otherwise: "Its volume and its name are not given to a replacement.",
        remedy: "When its node is lost, prove that the machine is off; else see its finalizers: \
                 `kubectl get pod POD -o yaml`.",
        runbook: None,
    },
    Rule {
        id: "WRK-10",
        severity: Severity::High,
        title: "A pod cannot mount its volumes",
        needs: &[Fact::Pods, Fact::Events],
        check: pods::cannot_mount,
        why: "After a node was installed again, replicas of the main database and cache waited for \
              folders that were gone.",
        otherwise: "The pod never starts.",
        remedy: "Treat the data as lost until it is seen; restore from backup before any claim is \
                 deleted.",
        runbook: None,
    },
    Rule {
        id: "WRK-11",
        severity: Severity::High,
        title: "All pods of a workload run, and none is ready",
        needs: &[Fact::Workloads, Fact::Pods],
        check: pods::running_and_not_ready,
        why: "Running is not ready. Every replica of a service answered 503 because one read model \
              was idle, and liveness found nothing wrong.",
        otherwise: "The service is away although nothing is down.",
        remedy: "Ask a pod what it misses: `kubectl exec POD -- wget -qO- localhost:PORT/readyz`. \
                 A lag of the read models should degrade an answer, not the service.",
        runbook: None,
    },
    Rule {
        id: "WRK-12",
        severity: Severity::Medium,
        title: "The threshold of projection lag is inflated or differs",
        needs: &[Fact::Workloads],
        check: work::lag_threshold,
        why: "It was raised from five seconds to a year, service by service, because an idle \
              ledger looked like a dead one.",
        otherwise: "A projector that stands still is never noticed.",
        remedy: "Set one value of seconds for all services; what is idle is told by the heartbeat.",
        runbook: None,
    },
    Rule {
        id: "WRK-13",
        severity: Severity::Critical,
        title: "The projector stands still",
        needs: &[Fact::Workloads, Fact::Pods],
        check: work::projector_stands_still,
        why: "After a ledger was made anew the projector waited for a block beyond its end.",
        otherwise: "What users see does not change any more, whatever the ledger does.",
        remedy: "See its log and its checkpoint; set the checkpoint back only after comparing it \
                 with the ledger's height.",
        runbook: None,
    },
    Rule {
        id: "WRK-14",
        severity: Severity::Medium,
        title: "A Service leads only to a Deployment of no replicas",
        needs: &[Fact::Workloads, Fact::Services, Fact::Pods],
        check: rollout::service_of_nothing,
        why: "A sentinel was scaled to nothing after 797 restarts, and clients went on to ask its \
              Service.",
        otherwise: "Whoever uses the name is refused.",
        remedy: "Remove the Service, or scale the Deployment: `kubectl scale deploy NAME \
                 --replicas=1`.",
        runbook: None,
    },
    Rule {
        id: "WRK-15",
        severity: Severity::High,
        title: "Several projectors run without a lease",
        needs: &[Fact::Workloads, Fact::Pods],
        check: work::projectors_without_lease,
        why: "Blocks are applied in order by one process. Two without a lease apply some twice.",
        otherwise: "Read models are wrong without any error.",
        remedy: "Scale it to 1, or run a version that leads by lease: `kubectl scale deploy NAME \
                 --replicas=1`.",
        runbook: None,
    },
    Rule {
        id: "WRK-16",
        severity: Severity::Medium,
        title: "A container has no liveness or readiness probe",
        needs: &[Fact::Workloads],
        check: manifest::without_probes,
        why: "Without readiness it is sent requests before it can answer; without liveness it is \
              never restarted when it hangs. Namespaces of the cluster's own parts, such as \
              kube-system, are not looked at.",
        otherwise: "Rollouts go on over pods that do not work.",
        remedy: "Add a livenessProbe and a readinessProbe that reflect its state.",
        runbook: None,
    },
    Rule {
        id: "WRK-17",
        severity: Severity::Medium,
        title: "A container has no requests or limits",
        needs: &[Fact::Workloads, Fact::LimitRanges],
        check: manifest::without_resources,
        why: "The scheduler counts it as nothing, and it is the first to be evicted. Namespaces of \
              the cluster's own parts, such as kube-system, are not looked at.",
        otherwise: "One that grows takes the memory of all others on its node.",
        remedy: "Set resources.requests for cpu and memory and resources.limits for memory.",
        runbook: None,
    },
    Rule {
        id: "WRK-18",
        severity: Severity::Medium,
        title: "A container may do more than it needs",
        needs: &[Fact::Workloads],
        check: manifest::weak_security,
        why: "Whoever breaks into it is root, can write its files and can gain rights. Namespaces \
              of the cluster's own parts, such as kube-system, are not looked at.",
        otherwise: "A fault of one service is a way into its node.",
        remedy: "Set runAsNonRoot, readOnlyRootFilesystem and allowPrivilegeEscalation: false, and \
                 drop ALL capabilities.",
        runbook: None,
    },
    Rule {
        id: "WRK-19",
        severity: Severity::Medium,
        title: "An image has the tag latest or none",
        needs: &[Fact::Workloads],
        check: manifest::loose_tag,
        why: "What it means changes without a rollout; nodes that pulled at different times run \
              different programs.",
        otherwise: "A restart brings a version that nobody has chosen, and there is none to go \
                    back to.",
        remedy: "Name the version, best by its digest.",
        runbook: None,
    },
    Rule {
        id: "WRK-20",
        severity: Severity::High,
        title: "Pods of one workload have different images",
        needs: &[Fact::Workloads, Fact::Pods],
        check: rollout::different_images,
        why: "Of two frontends each served another version, and every second request got the old \
              one.",
        otherwise: "Users see both in turn.",
        remedy: "Bring the rollout to its end: `kubectl rollout status deploy/NAME`.",
        runbook: None,
    },
    Rule {
        id: "WRK-21",
        severity: Severity::High,
        title: "One tag is different images on different nodes",
        needs: &[Fact::Pods],
        check: pods::tag_of_many,
        why: "A version was built again under its tag, and nodes that had it kept the old one.",
        otherwise: "What is repaired on one node is not on the next.",
        remedy: "Give each build a tag of its own, and name images by digest.",
        runbook: None,
    },
    Rule {
        id: "WRK-22",
        severity: Severity::High,
        title: "A probe asks a port that its container has not",
        needs: &[Fact::Workloads],
        check: manifest::probe_elsewhere,
        why: "Ports of health checks had been changed in the program and not in the manifest.",
        otherwise: "The pod is restarted, or never ready, although it works.",
        remedy: "Have probe and containerPort name the same port.",
        runbook: None,
    },
    Rule {
        id: "WRK-23",
        severity: Severity::High,
        title: "A container was killed for want of memory",
        needs: &[Fact::Pods],
        check: pods::out_of_memory,
        why: "It reached its limit. Restarts hide it until it happens under load.",
        otherwise: "It happens again at the next peak, in the midst of work.",
        remedy: "Find out whether it leaks, then raise resources.limits.memory: `kubectl top pod \
                 POD --containers`.",
        runbook: None,
    },
    Rule {
        id: "WRK-24",
        severity: Severity::Medium,
        title: "Replicas have no disruption budget",
        needs: &[Fact::Workloads, Fact::Budgets],
        check: manifest::without_budget,
        why: "Before budgets were set a drain could evict all replicas of a service at once. \
              Namespaces of the cluster's own parts, such as kube-system, are not looked at.",
        otherwise: "Maintenance of one node is an outage.",
        remedy: "Add a PodDisruptionBudget that selects the pods, with maxUnavailable 1.",
        runbook: None,
    },
    Rule {
        id: "WRK-25",
        severity: Severity::Low,
        title: "A pod belongs to nothing",
        needs: &[Fact::Pods],
        check: pods::bare,
        why: "Helpers for debugging and copying images were left running; nothing restarts them \
              and nobody misses them.",
        otherwise: "They hold images, rights and sometimes volumes.",
        remedy: "Delete it: `kubectl delete pod POD`.",
        runbook: None,
    },
    Rule {
        id: "WRK-26",
        severity: Severity::High,
        title: "A pod may do what its host may",
        needs: &[Fact::Workloads, Fact::Pods],
        check: manifest::privileged,
        why: "Privileged containers, the host's processes and its folders are ways to everything \
              on the node. DaemonSets of kube-system are there for just that, and are not looked \
              at.",
        otherwise: "Whoever breaks into the pod has the node, and its secrets.",
        remedy: "Take it away, or list the workload under privileged in the inventory.",
        runbook: None,
    },
    Rule {
        id: "WRK-27",
        severity: Severity::Medium,
        title: "A worker says that it is healthy while it does not work",
        needs: &[Fact::Workloads, Fact::Pods],
        check: work::healthy_and_not_working,
        why: "The health page of a worker answered 200 while its own figure of its state was 0.",
        otherwise: "Kubernetes neither restarts it nor takes it out.",
        remedy: "Have its readiness reflect its state.",
        runbook: None,
    },
    Rule {
        id: "WRK-28",
        severity: Severity::Medium,
        title: "A log repeats an error that no retry mends",
        needs: &[Fact::Hosts],
        check: pods::permanent_errors,
        why: "Two commands with a hash of the wrong form were tried for ever; backups were refused \
              for want of a password every night.",
        otherwise: "Retries hide that something will never succeed.",
        remedy: "Set aside what cannot succeed, and repair its cause: `kubectl logs POD -c \
                 CONTAINER`.",
        runbook: None,
    },
];
