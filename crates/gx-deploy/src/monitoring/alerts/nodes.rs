//! Machines, by the node exporter.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-nodes", alerts: ALERTS };

/// File systems that hold something, and the part of them that is free.
macro_rules! free {
    ($part:literal) => {
        concat!(
            "node_filesystem_avail_bytes{fstype!~\"tmpfs|ramfs|overlay|squashfs|nsfs\"} ",
            "/ node_filesystem_size_bytes < ",
            $part
        )
    };
}

const ALERTS: &[Alert] = &[
    Alert {
        name: "DiskFilling",
        severity: Warning,
        expr: free!("0.2"),
        hold: "5m",
        summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} is more than 80 % full",
        fires: Fires {
            series: &[
                (
                    "node_filesystem_avail_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "50x5 15x10 50x20",
                ),
                (
                    "node_filesystem_size_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "100x40",
                ),
            ],
            at: 13,
            labels: &[("instance", "n1"), ("mountpoint", "/"), ("fstype", "ext4")],
            over: Some(25),
        },
        quiet: &[
            (
                "node_filesystem_avail_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "50x70",
            ),
            (
                "node_filesystem_size_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "100x70",
            ),
            (
                "node_filesystem_avail_bytes{instance=\"n1\",mountpoint=\"/run\",fstype=\"tmpfs\"}",
                "1x70",
            ),
            (
                "node_filesystem_size_bytes{instance=\"n1\",mountpoint=\"/run\",fstype=\"tmpfs\"}",
                "100x70",
            ),
        ],
    },
    Alert {
        name: "DiskFull",
        severity: Critical,
        expr: free!("0.08"),
        hold: "2m",
        summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} is nearly full",
        fires: Fires {
            series: &[
                (
                    "node_filesystem_avail_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "50x5 5x10 50x20",
                ),
                (
                    "node_filesystem_size_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "100x40",
                ),
            ],
            at: 10,
            labels: &[("instance", "n1"), ("mountpoint", "/"), ("fstype", "ext4")],
            over: Some(25),
        },
        quiet: &[
            (
                "node_filesystem_avail_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "12x70",
            ),
            (
                "node_filesystem_size_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "100x70",
            ),
        ],
    },
    Alert {
        name: "DiskFullInADay",
        severity: Warning,
        expr: "predict_linear(node_filesystem_avail_bytes\
            {fstype!~\"tmpfs|ramfs|overlay|squashfs|nsfs\"}[6h], 86400) < 0 \
            and node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.5",
        hold: "30m",
        summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} is full within a day if it \
            goes on like this",
        fires: Fires {
            series: &[
                (
                    "node_filesystem_avail_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "45000-50x400 90000x500",
                ),
                (
                    "node_filesystem_size_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "100000x900",
                ),
            ],
            at: 120,
            labels: &[("instance", "n1"), ("mountpoint", "/"), ("fstype", "ext4")],
            over: Some(880),
        },
        quiet: &[
            (
                "node_filesystem_avail_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "45000-1x70",
            ),
            (
                "node_filesystem_size_bytes{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "100000x70",
            ),
        ],
    },
    Alert {
        name: "DiskReadOnly",
        severity: Critical,
        expr: "node_filesystem_readonly{fstype=~\"ext4|xfs|btrfs\"} == 1",
        hold: "1m",
        summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} takes no writes",
        fires: Fires {
            series: &[(
                "node_filesystem_readonly{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "0x5 1x10 0x20",
            )],
            at: 10,
            labels: &[("instance", "n1"), ("mountpoint", "/"), ("fstype", "ext4")],
            over: Some(25),
        },
        quiet: &[
            ("node_filesystem_readonly{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}", "0x70"),
            (
                "node_filesystem_readonly{instance=\"n1\",mountpoint=\"/cd\",fstype=\"iso9660\"}",
                "1x70",
            ),
        ],
    },
    Alert {
        name: "InodesLow",
        severity: Warning,
        expr: "node_filesystem_files_free{fstype=~\"ext4|xfs\"} / node_filesystem_files < 0.1",
        hold: "10m",
        summary: "{{ $labels.mountpoint }} of {{ $labels.instance }} has hardly an inode left",
        fires: Fires {
            series: &[
                (
                    "node_filesystem_files_free{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "50x5 5x20 50x20",
                ),
                (
                    "node_filesystem_files{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                    "100x50",
                ),
            ],
            at: 20,
            labels: &[("instance", "n1"), ("mountpoint", "/"), ("fstype", "ext4")],
            over: Some(35),
        },
        quiet: &[
            (
                "node_filesystem_files_free{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}",
                "50x70",
            ),
            ("node_filesystem_files{instance=\"n1\",mountpoint=\"/\",fstype=\"ext4\"}", "100x70"),
        ],
    },
    Alert {
        name: "MemoryLow",
        severity: Warning,
        expr: "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.15",
        hold: "5m",
        summary: "{{ $labels.instance }} has less than 15 % of its memory left",
        fires: Fires {
            series: &[
                ("node_memory_MemAvailable_bytes{instance=\"n1\"}", "50x5 10x10 50x20"),
                ("node_memory_MemTotal_bytes{instance=\"n1\"}", "100x40"),
            ],
            at: 13,
            labels: &[("instance", "n1")],
            over: Some(25),
        },
        quiet: &[
            ("node_memory_MemAvailable_bytes{instance=\"n1\"}", "40x70"),
            ("node_memory_MemTotal_bytes{instance=\"n1\"}", "100x70"),
        ],
    },
    Alert {
        name: "ProcessorSaturated",
        severity: Warning,
        expr: "1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m])) > 0.8",
        hold: "10m",
        summary: "The processors of {{ $labels.instance }} are more than 80 % busy",
        fires: Fires {
            series: &[(
                "node_cpu_seconds_total{instance=\"n1\",cpu=\"0\",mode=\"idle\"}",
                "0+6x30 180+54x40",
            )],
            at: 20,
            labels: &[("instance", "n1")],
            over: Some(50),
        },
        quiet: &[("node_cpu_seconds_total{instance=\"n1\",cpu=\"0\",mode=\"idle\"}", "0+40x70")],
    },
    Alert {
        name: "NodeClockSkew",
        severity: Critical,
        expr: "abs(node_timex_offset_seconds) > 0.5 or node_timex_sync_status == 0",
        hold: "10m",
        summary: "The clock of {{ $labels.instance }} is wrong or follows no server",
        fires: Fires {
            series: &[
                ("node_timex_offset_seconds{instance=\"n1\"}", "0x5 0.8x20 0x20"),
                ("node_timex_sync_status{instance=\"n1\"}", "1x50"),
            ],
            at: 20,
            labels: &[("instance", "n1")],
            over: Some(35),
        },
        quiet: &[
            ("node_timex_offset_seconds{instance=\"n1\"}", "0.01x70"),
            ("node_timex_sync_status{instance=\"n1\"}", "1x70"),
        ],
    },
    Alert {
        name: "UnitFailed",
        severity: Critical,
        expr: "node_systemd_unit_state{state=\"failed\",name=~\"gx.*|postgresql.*|redis.*\"} == 1",
        hold: "1m",
        summary: "{{ $labels.name }} has failed on {{ $labels.instance }}",
        fires: Fires {
            series: &[(
                "node_systemd_unit_state{instance=\"n1\",name=\"gx.service\",state=\"failed\"}",
                "0x5 1x10 0x20",
            )],
            at: 10,
            labels: &[("instance", "n1"), ("name", "gx.service"), ("state", "failed")],
            over: Some(25),
        },
        quiet: &[
            (
                "node_systemd_unit_state{instance=\"n1\",name=\"gx.service\",state=\"failed\"}",
                "0x70",
            ),
            (
                "node_systemd_unit_state{instance=\"n1\",name=\"other.service\",state=\"failed\"}",
                "1x70",
            ),
        ],
    },
];
