//! PostgreSQL and Redis by their exporters.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-data", alerts: ALERTS };

const ALERTS: &[Alert] = &[
    Alert {
        name: "PostgresDown",
        severity: Critical,
        expr: "pg_up == 0",
        hold: "1m",
        summary: "PostgreSQL on {{ $labels.instance }} takes no connection",
        fires: Fires {
            series: &[("pg_up{job=\"postgres\",instance=\"db0\"}", "1x5 0x10 1x20")],
            at: 10,
            labels: &[("instance", "db0"), ("job", "postgres")],
            over: Some(25),
        },
        quiet: &[("pg_up{job=\"postgres\",instance=\"db0\"}", "1x10 0 1x60")],
    },
    Alert {
        name: "ReplicaLagging",
        severity: Warning,
        expr: "pg_replication_lag_seconds > 60 and pg_replication_is_replica == 1",
        hold: "5m",
        summary: "The replica {{ $labels.instance }} is more than a minute behind",
        fires: Fires {
            series: &[
                ("pg_replication_lag_seconds{instance=\"db1\"}", "0x5 90x20 0x20"),
                ("pg_replication_is_replica{instance=\"db1\"}", "1x50"),
            ],
            at: 15,
            labels: &[("instance", "db1")],
            over: Some(35),
        },
        quiet: &[
            ("pg_replication_lag_seconds{instance=\"db1\"}", "0x10 90x3 1x60"),
            ("pg_replication_is_replica{instance=\"db1\"}", "1x70"),
        ],
    },
    Alert {
        name: "NotReplicating",
        severity: Critical,
        // A server that says of itself that it is a replica, and a primary that sends to nobody.
        expr: "count(pg_replication_is_replica == 1) > 0 \
            unless count(pg_stat_replication_pg_wal_lsn_diff) > 0",
        hold: "2m",
        summary: "The primary sends nothing to its replicas",
        fires: Fires {
            series: &[
                ("pg_replication_is_replica{instance=\"db0\"}", "0x50"),
                ("pg_replication_is_replica{instance=\"db1\"}", "1x50"),
                (
                    "pg_stat_replication_pg_wal_lsn_diff{instance=\"db0\",slot_name=\"\"}",
                    "0x5 stale _x10 0x20",
                ),
            ],
            at: 12,
            labels: &[],
            over: Some(25),
        },
        quiet: &[
            ("pg_replication_is_replica{instance=\"db0\"}", "0x70"),
            ("pg_replication_is_replica{instance=\"db1\"}", "1x70"),
            ("pg_stat_replication_pg_wal_lsn_diff{instance=\"db0\",slot_name=\"\"}", "4096x70"),
        ],
    },
    Alert {
        name: "SeveralPrimaries",
        severity: Critical,
        expr: "count(pg_replication_is_replica == 0) > 1",
        hold: "1m",
        summary: "Several databases are scraped that are no copies of one another",
        fires: Fires {
            series: &[
                ("pg_replication_is_replica{instance=\"db0\"}", "0x50"),
                ("pg_replication_is_replica{instance=\"db1\"}", "1x5 0x10 1x30"),
            ],
            at: 10,
            labels: &[],
            over: Some(25),
        },
        quiet: &[
            ("pg_replication_is_replica{instance=\"db0\"}", "0x70"),
            ("pg_replication_is_replica{instance=\"db1\"}", "1x70"),
            ("pg_replication_is_replica{instance=\"db2\"}", "1x70"),
        ],
    },
    Alert {
        name: "TransactionIdsRunOut",
        severity: Critical,
        // PostgreSQL stops taking writes before two thousand million; vacuum freezes from 200 on.
        expr: "max(pg_database_wraparound_age_datfrozenxid_seconds) > 800e6",
        hold: "10m",
        summary: "PostgreSQL runs out of transaction ids: vacuum does not get through",
        fires: Fires {
            series: &[(
                "pg_database_wraparound_age_datfrozenxid_seconds{instance=\"db0\",datname=\"gx\"}",
                "900000000x40 100000000x20",
            )],
            at: 15,
            labels: &[],
            over: Some(50),
        },
        quiet: &[(
            "pg_database_wraparound_age_datfrozenxid_seconds{instance=\"db0\",datname=\"gx\"}",
            "190000000+1000x70",
        )],
    },
    Alert {
        name: "PostgresConnectionsHigh",
        severity: Warning,
        expr: "sum by (instance) (pg_stat_activity_count) \
            / on (instance) max by (instance) (pg_settings_max_connections) > 0.8",
        hold: "5m",
        summary: "PostgreSQL on {{ $labels.instance }} has hardly a free connection",
        fires: Fires {
            series: &[
                ("pg_stat_activity_count{instance=\"db0\",state=\"idle\"}", "20x5 90x15 20x20"),
                ("pg_settings_max_connections{instance=\"db0\"}", "100x50"),
            ],
            at: 15,
            labels: &[("instance", "db0")],
            over: Some(30),
        },
        quiet: &[
            ("pg_stat_activity_count{instance=\"db0\",state=\"idle\"}", "40x70"),
            ("pg_settings_max_connections{instance=\"db0\"}", "100x70"),
        ],
    },
    Alert {
        name: "LongTransaction",
        severity: Warning,
        expr: "max by (instance, datname) \
            (pg_stat_activity_max_tx_duration{state=~\"active|idle in transaction\"}) > 600",
        hold: "1m",
        summary: "A transaction on {{ $labels.instance }} has been open for ten minutes",
        fires: Fires {
            series: &[(
                "pg_stat_activity_max_tx_duration{instance=\"db0\",datname=\"g\",state=\"active\"}",
                "0+60x20 0x20",
            )],
            at: 18,
            labels: &[("instance", "db0"), ("datname", "g")],
            over: Some(30),
        },
        quiet: &[(
            "pg_stat_activity_max_tx_duration{instance=\"db0\",datname=\"g\",state=\"active\"}",
            "2x70",
        )],
    },
    Alert {
        name: "RedisDown",
        severity: Warning,
        expr: "redis_up == 0",
        hold: "2m",
        summary: "Redis on {{ $labels.instance }} does not answer its exporter",
        fires: Fires {
            series: &[("redis_up{job=\"redis\",instance=\"r0\"}", "1x5 0x10 1x20")],
            at: 10,
            labels: &[("instance", "r0"), ("job", "redis")],
            over: Some(25),
        },
        quiet: &[("redis_up{job=\"redis\",instance=\"r0\"}", "1x10 0 1x60")],
    },
    Alert {
        name: "SeveralRedisPrimaries",
        severity: Critical,
        expr: "count(redis_instance_info{role=\"master\"}) > 1",
        hold: "2m",
        summary: "Several Redis servers are primaries: they do not replicate",
        fires: Fires {
            series: &[
                ("redis_instance_info{role=\"master\",instance=\"r0\"}", "1x50"),
                ("redis_instance_info{role=\"master\",instance=\"r1\"}", "_x5 1x10 stale"),
            ],
            at: 10,
            labels: &[],
            over: Some(25),
        },
        quiet: &[
            ("redis_instance_info{role=\"master\",instance=\"r0\"}", "1x70"),
            ("redis_instance_info{role=\"slave\",instance=\"r1\"}", "1x70"),
        ],
    },
    Alert {
        name: "RedisReplicationBroken",
        severity: Warning,
        expr: "redis_master_link_up == 0",
        hold: "2m",
        summary: "The Redis replica {{ $labels.instance }} has lost its primary",
        fires: Fires {
            series: &[("redis_master_link_up{instance=\"r1\"}", "1x5 0x10 1x20")],
            at: 10,
            labels: &[("instance", "r1")],
            over: Some(25),
        },
        quiet: &[("redis_master_link_up{instance=\"r1\"}", "1x10 0 1x60")],
    },
    Alert {
        name: "RedisMemoryHigh",
        severity: Warning,
        // A server without a limit says 0.
        expr: "redis_memory_used_bytes / (redis_memory_max_bytes > 0) > 0.9",
        hold: "5m",
        summary: "Redis on {{ $labels.instance }} has hardly memory left",
        fires: Fires {
            series: &[
                ("redis_memory_used_bytes{instance=\"r0\"}", "10x5 95x10 10x20"),
                ("redis_memory_max_bytes{instance=\"r0\"}", "100x50"),
            ],
            at: 12,
            labels: &[("instance", "r0")],
            over: Some(25),
        },
        quiet: &[
            ("redis_memory_used_bytes{instance=\"r0\"}", "95x70"),
            ("redis_memory_max_bytes{instance=\"r0\"}", "0x70"),
        ],
    },
];
