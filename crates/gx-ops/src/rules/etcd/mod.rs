//! etcd: membership, quorum, health and snapshots.

mod members;
mod servers;

use gx_types::Severity;

use super::Rule;
use crate::facts::{Etcd, Fact, ObjectRef};

/// The etcd that a host has seen.
fn subject(etcd: &Etcd) -> ObjectRef {
    ObjectRef::global("Etcd", &etcd.seen_from)
}

pub(super) const RULES: [Rule; 10] = [
    Rule {
        id: "ETC-01",
        severity: Severity::High,
        title: "etcd has an even number of members",
        needs: &[Fact::Etcd],
        check: members::even,
        why: "A fourth member makes the majority three, so that one may fail as before, and there \
              is one more to fail. A cluster grew to four when a host was promoted.",
        otherwise: "The loss of two of four hosts stops the API, where five would have gone on.",
        remedy: "Add a member or remove one, by a plan and one at a time; before one is removed, \
              see that ETC-09 has nothing to say.",
        runbook: None,
    },
    Rule {
        id: "ETC-02",
        severity: Severity::High,
        title: "One region can take etcd's majority with it",
        needs: &[Fact::Etcd, Fact::Inventory],
        check: members::one_region,
        why: "Two of four members stood in one city: a majority of four is three, and the other \
              two are none.",
        otherwise: "An outage of that region stops every change everywhere, also of what runs \
              elsewhere.",
        remedy: "Place members so that no region holds so many that the others are no majority; \
              three regions with one each are best.",
        runbook: None,
    },
    Rule {
        id: "ETC-03",
        severity: Severity::Critical,
        title: "An etcd member belongs to no node",
        needs: &[Fact::Etcd, Fact::Nodes],
        check: members::stale_member,
        why: "A host that was installed again left its member behind. It never answers, and \
              counts for the majority all the same.",
        otherwise: "The cluster survives one loss less than it seems to, and the host's new \
              member may not be let in.",
        remedy: "Prove that the host is gone or has another member, then `etcdctl member remove \
              ID`; ETC-09 says whether it may be done now.",
        runbook: None,
    },
    Rule {
        id: "ETC-04",
        severity: Severity::Medium,
        title: "A member has been a learner for more than ten minutes",
        needs: &[Fact::Nodes],
        check: members::long_learner,
        why: "A learner is promoted when it has caught up; one that is not has a disk or a line \
              that is too slow.",
        otherwise: "It is counted as a member by people and by no majority.",
        remedy: "See what keeps it: `journalctl -u k3s` on its host, disk and latency first; then \
              let it join again.",
        runbook: None,
    },
    Rule {
        id: "ETC-05",
        severity: Severity::Critical,
        title: "Servers are set up differently",
        needs: &[Fact::Hosts, Fact::Nodes],
        check: servers::different_settings,
        why: "A promoted host was started without the file by which Secrets are encrypted: it \
              could not read them, and said so as `no matching key`.",
        otherwise: "A server that has other networks, components or keys does not join, or joins \
              and undoes what the others do.",
        remedy: "Before it is started, copy the setting or file from a server that works, with \
              mode 600: `/etc/rancher/k3s/config.yaml`.",
        runbook: None,
    },
    Rule {
        id: "ETC-06",
        severity: Severity::High,
        title: "Secrets are stored in the clear, or their key is not backed up",
        needs: &[Fact::Etcd],
        check: servers::secrets_in_the_clear,
        why: "Whoever has a snapshot of etcd has every password in it; and an encrypted one \
              without the key is worth nothing.",
        otherwise: "A stolen disk or backup is a leak of everything; or a restored one cannot be \
                    read.",
        remedy: "`k3s secrets-encrypt enable` and `rotate-keys`, and back up \
              `server/cred/encryption-config.json` with the token, encrypted, off the host.",
        runbook: None,
    },
    Rule {
        id: "ETC-07",
        severity: Severity::High,
        title: "etcd snapshots are old, few or on one host",
        needs: &[Fact::Etcd],
        check: servers::snapshots_lacking,
        why: "K3s takes one every twelve hours and keeps five, on the disk that they are to \
              protect against.",
        otherwise: "After the loss of the majority the cluster is rebuilt by hand.",
        remedy: "`k3s etcd-snapshot save` now, `etcd-snapshot-schedule-cron` and \
              `etcd-snapshot-retention` for later, and copies on another host or in a bucket: \
              `etcd-s3`.",
        runbook: None,
    },
    Rule {
        id: "ETC-08",
        severity: Severity::High,
        title: "An etcd member is slow or does not answer",
        needs: &[Fact::Etcd],
        check: members::slow,
        why: "Members on three continents took 1.1 and 1.2 seconds for a proposal; at one second \
              elections begin.",
        otherwise: "Leaders change, and the API answers late or with errors.",
        remedy: "Look at its disk (`etcd_disk_wal_fsync_duration_seconds`) and its line; raise \
              `heartbeat-interval` and `election-timeout` on all members alike.",
        runbook: None,
    },
    Rule {
        id: "ETC-09",
        severity: Severity::Critical,
        title: "etcd has lost its majority, or a removal would take it",
        needs: &[Fact::Etcd, Fact::Nodes],
        check: members::quorum_at_stake,
        why: "A majority is of members, not of those that are left: with four members and two \
              gone there is none.",
        otherwise: "The API stops taking changes, and only a restore with a new cluster helps.",
        remedy: "Stop the removal. Bring the members back first; remove one at a time, and only \
              when those left are a majority of the members after it: `kubectl annotate node NODE \
              etcd.k3s.cattle.io/remove-`.",
        runbook: None,
    },
    Rule {
        id: "ETC-10",
        severity: Severity::Medium,
        title: "The API can be reached by one server alone",
        needs: &[Fact::Nodes, Fact::Certificates],
        check: servers::one_way_in,
        why: "Configurations of people and programs name one server; when it goes, the cluster \
              runs and nobody reaches it. Where its certificate does not name the others, they \
              cannot be used in its place.",
        otherwise: "The loss of that server is the loss of control.",
        remedy: "Add each server's address and a common name to `tls-san`, and let configurations \
              name the common name.",
        runbook: None,
    },
];
