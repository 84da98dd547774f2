//! Metrics that other programs export, of those that rules and dashboards name.
//!
//! Each is as its exporter publishes it; a name that stands nowhere in rules or dashboards leaves
//! the list.

/// A program that exports metrics, and those of them that are used.
#[derive(Debug, Clone, Copy)]
pub struct Exporter {
    pub name: &'static str,
    /// What has to be known of how it is run.
    pub notes: &'static str,
    pub metrics: &'static [&'static str],
}

pub const EXPORTERS: &[Exporter] = &[
    Exporter {
        name: "Prometheus",
        notes: "Scrapes itself; `up` and `ALERTS` are its own for every target.",
        metrics: &[
            "ALERTS",
            "prometheus_config_last_reload_successful",
            "prometheus_notifications_alertmanagers_discovered",
            "prometheus_notifications_errors_total",
            "prometheus_rule_evaluation_failures_total",
            "up",
        ],
    },
    Exporter {
        name: "Alertmanager",
        notes: "",
        metrics: &[
            "alertmanager_config_last_reload_successful",
            "alertmanager_notifications_failed_total",
        ],
    },
    Exporter {
        name: "blackbox_exporter",
        notes: "With the modules of `blackbox/blackbox.yml`.",
        metrics: &["probe_duration_seconds", "probe_ssl_earliest_cert_expiry", "probe_success"],
    },
    Exporter {
        name: "node_exporter",
        notes: "With `--collector.systemd` where the platform runs as units.",
        metrics: &[
            "node_cpu_seconds_total",
            "node_disk_io_time_seconds_total",
            "node_filesystem_avail_bytes",
            "node_filesystem_files",
            "node_filesystem_files_free",
            "node_filesystem_readonly",
            "node_filesystem_size_bytes",
            "node_load1",
            "node_memory_MemAvailable_bytes",
            "node_memory_MemTotal_bytes",
            "node_network_receive_bytes_total",
            "node_network_transmit_bytes_total",
            "node_systemd_unit_state",
            "node_timex_offset_seconds",
            "node_timex_sync_status",
        ],
    },
    Exporter {
        name: "gx backup",
        notes: "Written to `metrics_file` of `backup.toml`, which the node exporter picks up with \
            `--collector.textfile.directory`.",
        metrics: &[
            "gx_backup_backups",
            "gx_backup_bytes",
            "gx_backup_drill_objective_seconds",
            "gx_backup_drilled_timestamp_seconds",
            "gx_backup_duration_seconds",
            "gx_backup_newest_good",
            "gx_backup_newest_timestamp_seconds",
            "gx_backup_part_timestamp_seconds",
            "gx_backup_recovery_point_objective_seconds",
            "gx_backup_recovery_time_objective_seconds",
            "gx_backup_recovery_time_seconds",
            "gx_backup_target_available_bytes",
            "gx_backup_target_size_bytes",
            "gx_backup_verified_timestamp_seconds",
            "gx_backup_warnings",
        ],
    },
    Exporter {
        name: "postgres_exporter",
        notes: "0.15 or newer, with `--collector.database_wraparound`; its role is a member of \
            `pg_monitor`. The wraparound figure is a number of transactions, whatever its name \
            says.",
        metrics: &[
            "pg_database_size_bytes",
            "pg_database_wraparound_age_datfrozenxid_seconds",
            "pg_replication_is_replica",
            "pg_replication_lag_seconds",
            "pg_settings_max_connections",
            "pg_stat_activity_count",
            "pg_stat_activity_max_tx_duration",
            "pg_stat_archiver_archived_count",
            "pg_stat_archiver_failed_count",
            "pg_stat_database_deadlocks",
            "pg_stat_database_xact_commit",
            "pg_stat_database_xact_rollback",
            "pg_stat_replication_pg_wal_lsn_diff",
            "pg_up",
        ],
    },
    Exporter {
        name: "redis_exporter",
        notes: "",
        metrics: &[
            "redis_commands_processed_total",
            "redis_connected_clients",
            "redis_evicted_keys_total",
            "redis_instance_info",
            "redis_master_link_up",
            "redis_memory_max_bytes",
            "redis_memory_used_bytes",
            "redis_up",
        ],
    },
    Exporter {
        name: "Hyperledger Fabric",
        notes: "Operations endpoints of peers, orderers and authorities, with \
            `metrics.provider: prometheus`.",
        metrics: &[
            "broadcast_processed_count",
            "chaincode_execute_timeouts",
            "chaincode_shim_request_duration",
            "consensus_etcdraft_cluster_size",
            "consensus_etcdraft_committed_block_number",
            "consensus_etcdraft_data_persist_duration",
            "consensus_etcdraft_is_leader",
            "consensus_etcdraft_leader_changes",
            "consensus_etcdraft_proposal_failures",
            "endorser_proposals_received",
            "endorser_successful_proposals",
            "gossip_state_commit_duration",
            "ledger_block_processing_time",
            "ledger_blockchain_height",
            "ledger_transaction_count",
        ],
    },
    Exporter {
        name: "kube-state-metrics",
        notes: "",
        metrics: &[
            "kube_deployment_spec_replicas",
            "kube_deployment_status_replicas_available",
            "kube_job_status_failed",
            "kube_job_status_succeeded",
            "kube_node_status_condition",
            "kube_pod_container_status_restarts_total",
            "kube_pod_container_status_waiting_reason",
            "kube_statefulset_replicas",
            "kube_statefulset_status_replicas_ready",
        ],
    },
    Exporter {
        name: "kubelet",
        notes: "",
        metrics: &["kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"],
    },
    Exporter {
        name: "cert-manager",
        notes: "",
        metrics: &[
            "certmanager_certificate_expiration_timestamp_seconds",
            "certmanager_certificate_ready_status",
        ],
    },
];
