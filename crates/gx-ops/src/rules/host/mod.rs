//! Hosts: disks, services, schedules, clocks.

mod disks;
mod services;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

const DAY: u64 = 86_400;

pub(super) const RULES: [Rule; 14] = [
    Rule {
        id: "HST-01",
        severity: Severity::Critical,
        title: "A disk is nearly full",
        needs: &[Fact::Hosts],
        check: disks::full,
        why: "At 85 % kubelet deletes images, also those that were imported by hand and that \
              nobody can pull again; a host stood at 79 %.",
        otherwise: "Images go first, then pods, then the database cannot write.",
        remedy: "Free what is known to be of no use, beginning with HST-02 to HST-05; see `du -xh \
              --max-depth=2 / | sort -h | tail`.",
        runbook: None,
    },
    Rule {
        id: "HST-02",
        severity: Severity::Medium,
        title: "A build cache takes more than 10 GB",
        needs: &[Fact::Hosts],
        check: disks::build_cache,
        why: "70 GB of one host's disk were layers of builds that nobody would repeat.",
        otherwise: "The disk fills with every build.",
        remedy: "`docker builder prune --keep-storage 5GB`, never `system prune -a`: that once \
              removed images that were needed and spoilt the snapshots of containerd. See \
              afterwards that every image is still there: `crictl images`.",
        runbook: None,
    },
    Rule {
        id: "HST-03",
        severity: Severity::Low,
        title: "More than 20 GB of images belong to no container",
        needs: &[Fact::Hosts],
        check: disks::unused_images,
        why: "Each release leaves its images, and 170 of them stood on one host; half a terabyte \
              was freed when they were counted.",
        otherwise: "The disk fills with every release.",
        remedy: "Keep the newest two or three of each service, and all that a workload or a \
              rollback names; remove the others one by one: `docker image rm IMAGE`.",
        runbook: None,
    },
    Rule {
        id: "HST-04",
        severity: Severity::Low,
        title: "Archives lie in temporary folders for more than a week",
        needs: &[Fact::Hosts],
        check: disks::old_archives,
        why: "Images are carried to hosts as archives of gigabytes, and what was carried is \
              forgotten.",
        otherwise: "They take the disk, and somebody imports an old one again.",
        remedy: "Delete them, unless one is the only copy of something: `ls -lh /tmp /var/tmp`.",
        runbook: None,
    },
    Rule {
        id: "HST-05",
        severity: Severity::Low,
        title: "The journal has more than 1 GB or reaches back more than a week",
        needs: &[Fact::Hosts],
        check: disks::long_journal,
        why: "A journal without limits takes a tenth of the disk, up to 4 GB.",
        otherwise: "It takes the room, and keeps what people wrote for longer than anybody has \
              agreed to.",
        remedy: "`journalctl --vacuum-time=7d`, and `SystemMaxUse=1G` and `MaxRetentionSec=7day` \
              in `/etc/systemd/journald.conf`.",
        runbook: None,
    },
    Rule {
        id: "HST-06",
        severity: Severity::Medium,
        title: "Docker and containerd hold the same images",
        needs: &[Fact::Hosts],
        check: disks::images_twice,
        why: "Images are built with one and run by the other; each keeps its own copy, and a \
              check of one says nothing of the other.",
        otherwise: "Each image takes its size twice, and the tag of one may be another image than \
              that of the other.",
        remedy: "Build elsewhere and pull, or remove an image from docker when containerd has it \
              by the same digest: `docker image rm IMAGE`.",
        runbook: None,
    },
    Rule {
        id: "HST-07",
        severity: Severity::Medium,
        title: "A node runs a web server that serves nothing",
        needs: &[Fact::Hosts],
        check: services::idle_web_server,
        why: "It takes ports 80 and 443 from the cluster's ingress. One was switched off that did \
              serve: what leads to a host has to be known first.",
        otherwise: "The ingress cannot have the ports, and there is one more thing to be patched.",
        remedy: "If names lead to it, declare them as `originOf` in the inventory; else `systemctl \
              disable --now SERVICE`.",
        runbook: None,
    },
    Rule {
        id: "HST-08",
        severity: Severity::Medium,
        title: "Services have failed, or an older kernel runs than is installed",
        needs: &[Fact::Hosts],
        check: services::failed_units,
        why: "What has failed is not looked at again until it is needed; a kernel that was \
              installed to close a hole closes none before the host is started again.",
        otherwise: "The fault is found when something depends on it.",
        remedy: "`systemctl status UNIT`; start the host again by a plan, one at a time: `kubectl \
              drain NODE` first, when the loss of the node can be borne.",
        runbook: None,
    },
    Rule {
        id: "HST-09",
        severity: Severity::Medium,
        title: "Tools of developers run on a host of mainnet",
        needs: &[Fact::Hosts],
        check: services::developers_tools,
        why: "An editor's server was found beside the ledger: it takes its memory, and carries \
              out whatever its extensions want.",
        otherwise: "Memory is missing under load, and whoever has the developer's machine has \
                    mainnet.",
        remedy: "Stop it and remove it: `pkill -u USER -f vscode-server`, then work on a copy.",
        runbook: None,
    },
    Rule {
        id: "HST-10",
        severity: Severity::High,
        title: "A schedule starts something that nobody has declared",
        needs: &[Fact::Hosts],
        check: services::unknown_schedule,
        why: "An entry with `@reboot` started a program that nobody knew. Miners keep themselves \
              alive so.",
        otherwise: "It runs with every start of the host, whatever it is.",
        remedy: "Look before deleting: copy the line, the program and its times as evidence. What \
              is right goes into `cronAllowed` of the inventory.",
        runbook: None,
    },
    Rule {
        id: "HST-11",
        severity: Severity::Medium,
        title: "A host's protection is old or off",
        needs: &[Fact::Hosts],
        check: services::unprotected,
        why: "A virus scanner with definitions of last month finds last month's viruses, and a \
              guard that is stopped guards nothing.",
        otherwise: "Attempts go unnoticed, and packets with forged senders are let in.",
        remedy: "`systemctl enable --now fail2ban`, `freshclam`, and `net.ipv4.conf.all.rp_filter \
              = 1` in `/etc/sysctl.d/`.",
        runbook: None,
    },
    Rule {
        id: "HST-12",
        severity: Severity::High,
        title: "A standalone host has no firewall",
        needs: &[Fact::Hosts, Fact::Inventory],
        check: services::no_firewall,
        why: "No network policy stands before a host that is no node, and the web host had \
              nothing at all.",
        otherwise: "Every port that a program opens is open to everybody.",
        remedy: "Allow SSH from where you are, see in a second session that it works, then enable \
              it: `systemctl enable --now firewalld`.",
        runbook: None,
    },
    Rule {
        id: "HST-13",
        severity: Severity::Critical,
        title: "A host's memory is nearly used",
        needs: &[Fact::Hosts],
        check: services::memory_used,
        why: "Kubernetes counts what pods ask for; what runs beside it is seen here alone.",
        otherwise: "The kernel kills the process that has most, which is the database or the \
                    ledger.",
        remedy: "See what has it: `ps -eo rss,comm --sort=-rss | head`; move it, or lower its \
              limits.",
        runbook: None,
    },
    Rule {
        id: "HST-14",
        severity: Severity::Medium,
        title: "A host swaps, limits files too low, or its clock is off",
        needs: &[Fact::Hosts],
        check: services::limits_and_clock,
        why: "Leaders of Raft and of etcd are elected by time-outs, and certificates and locks \
              are judged by the clock: half a second is too much.",
        otherwise: "Elections without cause, tokens that are not valid yet, and `too many open \
              files` under load.",
        remedy: "`swapoff -a` and the line in `/etc/fstab`; `LimitNOFILE=1048576` for the service; \
              `systemctl enable --now chronyd`.",
        runbook: None,
    },
];
