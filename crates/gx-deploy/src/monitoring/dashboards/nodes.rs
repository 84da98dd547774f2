//! Machines and pods.

use super::{Dashboard, Panel, Row, Shape, query};

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "gx-nodes",
    title: "GX · Nodes",
    about: "Processors, memory, disks, clocks; pods where there are some.",
    is_own: false,
    rows: &[
        Row {
            title: "Machines",
            panels: &[
                Panel {
                    title: "Processors",
                    about: "The part that is busy.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query(
                        "1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m]))",
                        "{{instance}}",
                    )],
                },
                Panel {
                    title: "Load",
                    about: "Processes that run or wait.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query("node_load1", "{{instance}}")],
                },
                Panel {
                    title: "Memory",
                    about: "The part that is in use.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query(
                        "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
                        "{{instance}}",
                    )],
                },
                Panel {
                    title: "Disks",
                    about: "The part that is full.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query(
                        "1 - node_filesystem_avail_bytes{fstype=~\"ext4|xfs|btrfs\"} \
                         / node_filesystem_size_bytes",
                        "{{instance}} {{mountpoint}}",
                    )],
                },
                Panel {
                    title: "Disks at work",
                    about: "The part of the time in which they are.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query(
                        "rate(node_disk_io_time_seconds_total[5m])",
                        "{{instance}} {{device}}",
                    )],
                },
                Panel {
                    title: "Network",
                    about: "In and out.",
                    unit: "Bps",
                    shape: Shape::Lines,
                    queries: &[
                        query(
                            "sum by (instance) (rate(node_network_receive_bytes_total\
                             {device!=\"lo\"}[5m]))",
                            "{{instance}} in",
                        ),
                        query(
                            "sum by (instance) (rate(node_network_transmit_bytes_total\
                             {device!=\"lo\"}[5m]))",
                            "{{instance}} out",
                        ),
                    ],
                },
                Panel {
                    title: "Clocks",
                    about: "How far each is off, and whether it follows a server.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query("node_timex_offset_seconds", "{{instance}}")],
                },
                Panel {
                    title: "Probes from outside",
                    about: "How long an answer takes; nothing where there is none.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query(
                        "probe_duration_seconds and probe_success == 1",
                        "{{instance}}",
                    )],
                },
            ],
        },
        Row {
            title: "Pods",
            panels: &[
                Panel {
                    title: "Restarts",
                    about: "In an hour.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "sum by (namespace, pod) \
                         (increase(kube_pod_container_status_restarts_total[1h])) > 0",
                        "{{namespace}}/{{pod}}",
                    )],
                },
                Panel {
                    title: "Replicas that are missing",
                    about: "Of Deployments.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "kube_deployment_spec_replicas - kube_deployment_status_replicas_available",
                        "{{namespace}}/{{deployment}}",
                    )],
                },
                Panel {
                    title: "Volumes",
                    about: "The part that is full.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query(
                        "1 - kubelet_volume_stats_available_bytes \
                         / kubelet_volume_stats_capacity_bytes",
                        "{{namespace}}/{{persistentvolumeclaim}}",
                    )],
                },
            ],
        },
    ],
};
