//! Backups, by the figures that `gx backup` leaves for the node exporter, and the write-ahead log
//! by PostgreSQL's own.
//!
//! A run that is missed writes no figures; what tells of it is that those of the last one age.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-backups", alerts: ALERTS };

const ALERTS: &[Alert] = &[
    Alert {
        name: "BackupMissing",
        severity: Critical,
        expr: "gx_backup_backups == 0 or absent(gx_backup_backups)",
        hold: "1h",
        summary: "There is no backup",
        fires: Fires {
            series: &[("gx_backup_backups{instance=\"n1\"}", "_x90 3x60")],
            at: 70,
            labels: &[],
            over: Some(100),
        },
        quiet: &[("gx_backup_backups{instance=\"n1\"}", "3x5 0x30 1x40")],
    },
    Alert {
        name: "BackupTooOld",
        severity: Critical,
        // Several runs were missed; the first of them is a warning, RecoveryPointMissed.
        expr: "time() - gx_backup_newest_timestamp_seconds \
            > 4 * gx_backup_recovery_point_objective_seconds",
        hold: "10m",
        summary: "The newest backup on {{ $labels.instance }} is several runs old",
        fires: Fires {
            series: &[
                ("gx_backup_newest_timestamp_seconds{instance=\"n1\"}", "0x119 7200x60"),
                ("gx_backup_recovery_point_objective_seconds{instance=\"n1\"}", "1200x180"),
            ],
            at: 100,
            labels: &[("instance", "n1")],
            over: Some(130),
        },
        quiet: &[
            ("gx_backup_newest_timestamp_seconds{instance=\"n1\"}", "0x70"),
            ("gx_backup_recovery_point_objective_seconds{instance=\"n1\"}", "1200x70"),
        ],
    },
    Alert {
        name: "RecoveryPointMissed",
        severity: Warning,
        // A run begins when the one before is as old as was promised, and takes its time.
        expr: "time() - gx_backup_newest_timestamp_seconds \
            > gx_backup_recovery_point_objective_seconds",
        hold: "1h",
        summary: "More would be lost on {{ $labels.instance }} than was promised: a run was missed",
        fires: Fires {
            series: &[
                ("gx_backup_newest_timestamp_seconds{instance=\"n1\"}", "0x119 7200x60"),
                ("gx_backup_recovery_point_objective_seconds{instance=\"n1\"}", "1200x180"),
            ],
            at: 90,
            labels: &[("instance", "n1")],
            over: Some(130),
        },
        // Runs that begin on time and take twenty minutes.
        quiet: &[
            ("gx_backup_newest_timestamp_seconds{instance=\"n1\"}", "0x39 1200x19 2400x60"),
            ("gx_backup_recovery_point_objective_seconds{instance=\"n1\"}", "1200x70"),
        ],
    },
    Alert {
        name: "BackupPartMissing",
        severity: Critical,
        expr: "gx_backup_part_timestamp_seconds \
            < on (instance) group_left () gx_backup_newest_timestamp_seconds",
        hold: "5m",
        summary: "The newest backup on {{ $labels.instance }} lacks the part {{ $labels.part }}",
        fires: Fires {
            series: &[
                (
                    "gx_backup_part_timestamp_seconds{instance=\"n1\",part=\"documents\"}",
                    "600x29 2400x30",
                ),
                (
                    "gx_backup_part_timestamp_seconds{instance=\"n1\",part=\"ledger\"}",
                    "600x9 1200x19 2400x30",
                ),
                ("gx_backup_newest_timestamp_seconds{instance=\"n1\"}", "600x9 1200x19 2400x30"),
            ],
            at: 20,
            labels: &[("instance", "n1"), ("part", "documents")],
            over: Some(40),
        },
        quiet: &[
            ("gx_backup_part_timestamp_seconds{instance=\"n1\",part=\"ledger\"}", "600x9 1200x60"),
            ("gx_backup_newest_timestamp_seconds{instance=\"n1\"}", "600x9 1200x60"),
            // Another machine, whose runs are at other minutes.
            ("gx_backup_part_timestamp_seconds{instance=\"n2\",part=\"ledger\"}", "300x70"),
            ("gx_backup_newest_timestamp_seconds{instance=\"n2\"}", "300x70"),
        ],
    },
    Alert {
        name: "BackupPartShrunk",
        severity: Warning,
        // A dump that is whole by every mark may still be one of the wrong, empty database.
        expr: "gx_backup_bytes < 0.5 * max_over_time(gx_backup_bytes[2d])",
        hold: "5m",
        summary: "{{ $labels.part }} on {{ $labels.instance }} has become half as large as it was",
        fires: Fires {
            series: &[(
                "gx_backup_bytes{instance=\"n1\",part=\"database\"}",
                "1000000x30 1000x30 900000x30",
            )],
            at: 50,
            labels: &[("instance", "n1"), ("part", "database")],
            over: Some(70),
        },
        quiet: &[("gx_backup_bytes{instance=\"n1\",part=\"database\"}", "1000000x30 700000x40")],
    },
    Alert {
        name: "BackupFailed",
        severity: Critical,
        // While one goes on it has not come to a good end either; the figures of that time stay
        // when it is killed.
        expr: "gx_backup_newest_good{action=\"run\"} == 0",
        hold: "30m",
        summary: "The newest backup on {{ $labels.instance }} failed",
        fires: Fires {
            series: &[("gx_backup_newest_good{instance=\"n1\",action=\"run\"}", "1x5 0x60 1x20")],
            at: 50,
            labels: &[("instance", "n1"), ("action", "run")],
            over: Some(75),
        },
        quiet: &[
            ("gx_backup_newest_good{instance=\"n1\",action=\"run\"}", "1x10 0x15 1x60"),
            ("gx_backup_newest_good{instance=\"n1\",action=\"prune\"}", "0x80"),
        ],
    },
    Alert {
        name: "BackupProofFailed",
        severity: Critical,
        expr: "gx_backup_newest_good{action=~\"verify|drill\"} == 0",
        hold: "2h",
        summary: "The newest {{ $labels.action }} of a backup on {{ $labels.instance }} failed",
        fires: Fires {
            series: &[(
                "gx_backup_newest_good{instance=\"n1\",action=\"drill\"}",
                "1x5 0x150 1x20",
            )],
            at: 140,
            labels: &[("instance", "n1"), ("action", "drill")],
            over: Some(165),
        },
        quiet: &[("gx_backup_newest_good{instance=\"n1\",action=\"verify\"}", "1x5 0x50 1x60")],
    },
    Alert {
        name: "BackupPruneFailed",
        severity: Warning,
        expr: "gx_backup_newest_good{action=\"prune\"} == 0",
        hold: "2h",
        summary: "Old backups on {{ $labels.instance }} are not removed",
        fires: Fires {
            series: &[(
                "gx_backup_newest_good{instance=\"n1\",action=\"prune\"}",
                "1x5 0x150 1x20",
            )],
            at: 140,
            labels: &[("instance", "n1"), ("action", "prune")],
            over: Some(165),
        },
        quiet: &[("gx_backup_newest_good{instance=\"n1\",action=\"prune\"}", "1x5 0x50 1x60")],
    },
    Alert {
        name: "BackupNotProved",
        severity: Warning,
        expr: "time() - gx_backup_drilled_timestamp_seconds > gx_backup_drill_objective_seconds",
        hold: "1h",
        summary: "No backup on {{ $labels.instance }} was restored in a drill for too long",
        fires: Fires {
            series: &[
                ("gx_backup_drilled_timestamp_seconds{instance=\"n1\"}", "0x119 7200x60"),
                ("gx_backup_drill_objective_seconds{instance=\"n1\"}", "1800x180"),
            ],
            at: 100,
            labels: &[("instance", "n1")],
            over: Some(125),
        },
        quiet: &[
            ("gx_backup_drilled_timestamp_seconds{instance=\"n1\"}", "0x70"),
            ("gx_backup_drill_objective_seconds{instance=\"n1\"}", "86400x70"),
        ],
    },
    Alert {
        name: "BackupNeverProved",
        severity: Warning,
        expr: "gx_backup_backups > 0 unless on (instance) gx_backup_drilled_timestamp_seconds",
        hold: "1d",
        summary: "No backup on {{ $labels.instance }} was ever restored: it may be of no use",
        fires: Fires {
            series: &[
                ("gx_backup_backups{instance=\"n1\"}", "1x1600"),
                ("gx_backup_drilled_timestamp_seconds{instance=\"n1\"}", "_x1500 90000x90"),
            ],
            at: 1450,
            labels: &[("instance", "n1")],
            over: Some(1510),
        },
        quiet: &[("gx_backup_backups{instance=\"n1\"}", "1x70")],
    },
    Alert {
        name: "RepositoryNotVerified",
        severity: Warning,
        // It is read again as a whole every day.
        expr: "time() - gx_backup_verified_timestamp_seconds > 3 * 86400 \
            or gx_backup_backups > 0 unless on (instance) gx_backup_verified_timestamp_seconds",
        hold: "1d",
        summary: "The repository of {{ $labels.instance }} was not read again for days",
        fires: Fires {
            series: &[
                ("gx_backup_backups{instance=\"n1\"}", "1x1600"),
                ("gx_backup_verified_timestamp_seconds{instance=\"n1\"}", "_x1500 90000x90"),
            ],
            at: 1450,
            labels: &[("instance", "n1")],
            over: Some(1510),
        },
        quiet: &[
            ("gx_backup_backups{instance=\"n1\"}", "1x70"),
            ("gx_backup_verified_timestamp_seconds{instance=\"n1\"}", "0x70"),
        ],
    },
    Alert {
        name: "RecoveryTimeMissed",
        severity: Warning,
        expr: "gx_backup_recovery_time_seconds > gx_backup_recovery_time_objective_seconds",
        hold: "5m",
        summary: "The last drill on {{ $labels.instance }} took longer than is promised",
        fires: Fires {
            series: &[
                ("gx_backup_recovery_time_seconds{instance=\"n1\"}", "600x5 4000x20 600x20"),
                ("gx_backup_recovery_time_objective_seconds{instance=\"n1\"}", "3600x50"),
            ],
            at: 15,
            labels: &[("instance", "n1")],
            over: Some(35),
        },
        quiet: &[
            ("gx_backup_recovery_time_seconds{instance=\"n1\"}", "3600x70"),
            ("gx_backup_recovery_time_objective_seconds{instance=\"n1\"}", "3600x70"),
        ],
    },
    Alert {
        name: "BackupTargetFilling",
        severity: Warning,
        expr: "gx_backup_target_available_bytes / gx_backup_target_size_bytes < 0.1",
        hold: "1h",
        summary: "The target of the backups of {{ $labels.instance }} is more than 90 % full",
        fires: Fires {
            series: &[
                ("gx_backup_target_available_bytes{instance=\"n1\"}", "500x5 50x90 500x20"),
                ("gx_backup_target_size_bytes{instance=\"n1\"}", "1000x120"),
            ],
            at: 90,
            labels: &[("instance", "n1")],
            over: Some(105),
        },
        quiet: &[
            ("gx_backup_target_available_bytes{instance=\"n1\"}", "150x70"),
            ("gx_backup_target_size_bytes{instance=\"n1\"}", "1000x70"),
        ],
    },
    Alert {
        name: "WalNotArchived",
        severity: Critical,
        // What cannot be archived stays, and fills the primary's disk in the end.
        expr: "increase(pg_stat_archiver_failed_count[15m]) > 0 \
            and increase(pg_stat_archiver_archived_count[15m]) == 0",
        hold: "5m",
        summary: "PostgreSQL on {{ $labels.instance }} cannot archive its write-ahead log",
        fires: Fires {
            series: &[
                ("pg_stat_archiver_failed_count{instance=\"db0\"}", "0x20 0+1x40 40x40"),
                ("pg_stat_archiver_archived_count{instance=\"db0\"}", "0+1x20 20x40 20+1x40"),
            ],
            at: 50,
            labels: &[("instance", "db0")],
            over: Some(90),
        },
        // One that fails once and is tried again.
        quiet: &[
            ("pg_stat_archiver_failed_count{instance=\"db0\"}", "0x20 1x50"),
            ("pg_stat_archiver_archived_count{instance=\"db0\"}", "0+1x70"),
        ],
    },
];
