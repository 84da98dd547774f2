//! PostgreSQL and Redis, by their exporters; backups, by the figures of `gx backup`.

use super::{Dashboard, Panel, Row, Shape, query};

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "gx-data",
    title: "GX · PostgreSQL, backups and Redis",
    about: "Replication, connections, transactions; backups and their proofs; memory and commands.",
    is_own: false,
    rows: &[
        Row {
            title: "PostgreSQL",
            panels: &[
                Panel {
                    title: "Replication",
                    about: "Seconds that each replica is behind, and bytes that the primary still \
                        has to send.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query(
                        "pg_replication_lag_seconds and pg_replication_is_replica == 1",
                        "{{instance}}",
                    )],
                },
                Panel {
                    title: "Bytes not yet replicated",
                    about: "By replica, as the primary sees it.",
                    unit: "bytes",
                    shape: Shape::Lines,
                    queries: &[query(
                        "pg_stat_replication_pg_wal_lsn_diff",
                        "{{application_name}}",
                    )],
                },
                Panel {
                    title: "Connections",
                    about: "By state, and how many there may be.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query(
                            "sum by (instance, state) (pg_stat_activity_count)",
                            "{{instance}} {{state}}",
                        ),
                        query("pg_settings_max_connections", "{{instance}} at most"),
                    ],
                },
                Panel {
                    title: "Transactions",
                    about: "Committed and taken back in a second; deadlocks.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query(
                            "sum by (instance) (rate(pg_stat_database_xact_commit[5m]))",
                            "{{instance}} committed",
                        ),
                        query(
                            "sum by (instance) (rate(pg_stat_database_xact_rollback[5m]))",
                            "{{instance}} taken back",
                        ),
                        query("sum(rate(pg_stat_database_deadlocks[5m]))", "deadlocks"),
                    ],
                },
                Panel {
                    title: "Longest transaction",
                    about: "It keeps vacuum from what is younger.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query(
                        "max by (instance) (pg_stat_activity_max_tx_duration)",
                        "{{instance}}",
                    )],
                },
                Panel {
                    title: "Age of transaction ids",
                    about: "Vacuum freezes from 200 million on; at two thousand million writing \
                        ends.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "max by (instance) (pg_database_wraparound_age_datfrozenxid_seconds)",
                        "{{instance}}",
                    )],
                },
                Panel {
                    title: "Size",
                    about: "Of each database.",
                    unit: "bytes",
                    shape: Shape::Lines,
                    queries: &[query("pg_database_size_bytes", "{{instance}} {{datname}}")],
                },
                Panel {
                    title: "Servers that answer",
                    about: "And which of them are replicas.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("pg_up", "{{instance}} answers"),
                        query("pg_replication_is_replica", "{{instance}} is a replica"),
                    ],
                },
            ],
        },
        Row {
            title: "Backups",
            panels: &[
                Panel {
                    title: "Age of the newest backup",
                    about: "What would be lost now, and the most that is promised. It falls with \
                        every run.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[
                        query("time() - gx_backup_newest_timestamp_seconds", "{{instance}}"),
                        query("gx_backup_recovery_point_objective_seconds", "{{instance}} at most"),
                    ],
                },
                Panel {
                    title: "Since a backup was proved",
                    about: "Read again as a whole, which is done every day, and restored in a \
                        drill.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[
                        query(
                            "time() - gx_backup_verified_timestamp_seconds",
                            "{{instance}} verified",
                        ),
                        query(
                            "time() - gx_backup_drilled_timestamp_seconds",
                            "{{instance}} drilled",
                        ),
                    ],
                },
                Panel {
                    title: "Time of a restore",
                    about: "As the last drill measured it, and the most that is promised; how long \
                        the newest backup took.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[
                        query("gx_backup_recovery_time_seconds", "{{instance}} restore"),
                        query(
                            "gx_backup_recovery_time_objective_seconds",
                            "{{instance}} restore at most",
                        ),
                        query("gx_backup_duration_seconds", "{{instance}} backup"),
                    ],
                },
                Panel {
                    title: "Size of backups",
                    about: "Each part of the newest one, before compression. One that shrinks is \
                        worth a look.",
                    unit: "bytes",
                    shape: Shape::Lines,
                    queries: &[query("gx_backup_bytes", "{{instance}} {{part}}")],
                },
                Panel {
                    title: "Room at the target",
                    about: "The part that is full; nothing for targets that cannot say, as S3.",
                    unit: "percentunit",
                    shape: Shape::Lines,
                    queries: &[query(
                        "1 - gx_backup_target_available_bytes / gx_backup_target_size_bytes",
                        "{{instance}}",
                    )],
                },
                Panel {
                    title: "Backups that are in order",
                    about: "1 where the newest of each action came to a good end; how many \
                        warnings gx backup status has.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("gx_backup_newest_good", "{{instance}} {{action}}"),
                        query("gx_backup_warnings", "{{instance}} warnings"),
                    ],
                },
                Panel {
                    title: "Write-ahead log archived",
                    about: "Files in a second, and attempts that failed.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("rate(pg_stat_archiver_archived_count[5m])", "{{instance}}"),
                        query("rate(pg_stat_archiver_failed_count[5m])", "{{instance}} failed"),
                    ],
                },
            ],
        },
        Row {
            title: "Redis",
            panels: &[
                Panel {
                    title: "Memory",
                    about: "Used, and the limit where there is one.",
                    unit: "bytes",
                    shape: Shape::Lines,
                    queries: &[
                        query("redis_memory_used_bytes", "{{instance}}"),
                        query("redis_memory_max_bytes > 0", "{{instance}} at most"),
                    ],
                },
                Panel {
                    title: "Commands and clients",
                    about: "Commands in a second; clients at once.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("rate(redis_commands_processed_total[5m])", "{{instance}} commands"),
                        query("redis_connected_clients", "{{instance}} clients"),
                    ],
                },
                Panel {
                    title: "Evicted keys",
                    about: "Anything but 0 says that what must not vanish does.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query("rate(redis_evicted_keys_total[5m])", "{{instance}}")],
                },
                Panel {
                    title: "Roles",
                    about: "One primary, and replicas that hear it.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("redis_up", "{{instance}} answers"),
                        query("count by (role) (redis_instance_info)", "{{role}}"),
                        query("redis_master_link_up", "{{instance}} hears its primary"),
                    ],
                },
            ],
        },
    ],
};
