//! Kubernetes, by kube-state-metrics and the kubelets.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-cluster", alerts: ALERTS };

const ALERTS: &[Alert] = &[
    Alert {
        name: "ContainerRestarting",
        severity: Warning,
        expr: "increase(kube_pod_container_status_restarts_total[1h]) > 3",
        hold: "",
        summary: "{{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} starts \
            again and again",
        fires: Fires {
            series: &[(
                "kube_pod_container_status_restarts_total\
                    {namespace=\"gx-mainnet\",pod=\"a\",container=\"gx\"}",
                "0x5 0+1x10 10x120",
            )],
            at: 20,
            labels: &[("namespace", "gx-mainnet"), ("pod", "a"), ("container", "gx")],
            over: Some(100),
        },
        quiet: &[(
            "kube_pod_container_status_restarts_total\
                {namespace=\"gx-mainnet\",pod=\"a\",container=\"gx\"}",
            "149x20 150x50",
        )],
    },
    Alert {
        name: "ContainerCannotStart",
        severity: Critical,
        expr: "kube_pod_container_status_waiting_reason\
            {reason=~\"CrashLoopBackOff|ErrImagePull|ImagePullBackOff|ErrImageNeverPull|\
            CreateContainerConfigError\"} == 1",
        hold: "5m",
        summary: "{{ $labels.container }} of {{ $labels.namespace }}/{{ $labels.pod }} cannot \
            start: {{ $labels.reason }}",
        fires: Fires {
            series: &[(
                "kube_pod_container_status_waiting_reason{namespace=\"gx-mainnet\",pod=\"a\",\
                    container=\"gx\",reason=\"ImagePullBackOff\"}",
                "_x5 1x20 stale",
            )],
            at: 15,
            labels: &[
                ("namespace", "gx-mainnet"),
                ("pod", "a"),
                ("container", "gx"),
                ("reason", "ImagePullBackOff"),
            ],
            over: Some(40),
        },
        quiet: &[(
            "kube_pod_container_status_waiting_reason{namespace=\"gx-mainnet\",pod=\"a\",\
                container=\"gx\",reason=\"ContainerCreating\"}",
            "1x70",
        )],
    },
    Alert {
        name: "ReplicasMissing",
        severity: Critical,
        expr: "kube_deployment_spec_replicas - kube_deployment_status_replicas_available > 0",
        hold: "10m",
        summary: "{{ $labels.namespace }}/{{ $labels.deployment }} lacks replicas",
        fires: Fires {
            series: &[
                (
                    "kube_deployment_spec_replicas\
                        {namespace=\"gx-mainnet\",deployment=\"svc-tokenomics\"}",
                    "3x60",
                ),
                (
                    "kube_deployment_status_replicas_available\
                        {namespace=\"gx-mainnet\",deployment=\"svc-tokenomics\"}",
                    "3x5 0x20 3x30",
                ),
            ],
            at: 20,
            labels: &[("namespace", "gx-mainnet"), ("deployment", "svc-tokenomics")],
            over: Some(40),
        },
        quiet: &[
            ("kube_deployment_spec_replicas{namespace=\"a\",deployment=\"b\"}", "3x70"),
            (
                "kube_deployment_status_replicas_available{namespace=\"a\",deployment=\"b\"}",
                "3x10 2x5 3x60",
            ),
        ],
    },
    Alert {
        name: "StatefulReplicasMissing",
        severity: Critical,
        expr: "kube_statefulset_replicas - kube_statefulset_status_replicas_ready > 0",
        hold: "10m",
        summary: "{{ $labels.namespace }}/{{ $labels.statefulset }} lacks replicas",
        fires: Fires {
            series: &[
                ("kube_statefulset_replicas{namespace=\"a\",statefulset=\"orderer\"}", "5x60"),
                (
                    "kube_statefulset_status_replicas_ready\
                        {namespace=\"a\",statefulset=\"orderer\"}",
                    "5x5 4x20 5x30",
                ),
            ],
            at: 20,
            labels: &[("namespace", "a"), ("statefulset", "orderer")],
            over: Some(40),
        },
        quiet: &[
            ("kube_statefulset_replicas{namespace=\"a\",statefulset=\"orderer\"}", "5x70"),
            (
                "kube_statefulset_status_replicas_ready{namespace=\"a\",statefulset=\"orderer\"}",
                "5x10 4x3 5x60",
            ),
        ],
    },
    Alert {
        name: "JobFailed",
        severity: Warning,
        expr: "kube_job_status_failed > 0 unless kube_job_status_succeeded > 0",
        hold: "5m",
        summary: "The job {{ $labels.namespace }}/{{ $labels.job_name }} has failed",
        fires: Fires {
            series: &[
                ("kube_job_status_failed{namespace=\"a\",job_name=\"migrate\"}", "0x5 1x50"),
                ("kube_job_status_succeeded{namespace=\"a\",job_name=\"migrate\"}", "0x25 1x30"),
            ],
            at: 15,
            labels: &[("namespace", "a"), ("job_name", "migrate")],
            over: Some(35),
        },
        quiet: &[
            ("kube_job_status_failed{namespace=\"a\",job_name=\"migrate\"}", "1x70"),
            ("kube_job_status_succeeded{namespace=\"a\",job_name=\"migrate\"}", "1x70"),
        ],
    },
    Alert {
        name: "VolumeFilling",
        severity: Warning,
        expr: "kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.2",
        hold: "10m",
        summary: "The volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} is more \
            than 80 % full",
        fires: Fires {
            series: &[
                (
                    "kubelet_volume_stats_available_bytes\
                        {namespace=\"a\",persistentvolumeclaim=\"data\"}",
                    "50x5 10x20 50x30",
                ),
                (
                    "kubelet_volume_stats_capacity_bytes\
                        {namespace=\"a\",persistentvolumeclaim=\"data\"}",
                    "100x60",
                ),
            ],
            at: 20,
            labels: &[("namespace", "a"), ("persistentvolumeclaim", "data")],
            over: Some(40),
        },
        quiet: &[
            (
                "kubelet_volume_stats_available_bytes\
                    {namespace=\"a\",persistentvolumeclaim=\"data\"}",
                "50x70",
            ),
            (
                "kubelet_volume_stats_capacity_bytes\
                    {namespace=\"a\",persistentvolumeclaim=\"data\"}",
                "100x70",
            ),
        ],
    },
    Alert {
        name: "ClusterNodeNotReady",
        severity: Critical,
        expr: "kube_node_status_condition{condition=\"Ready\",status=\"true\"} == 0",
        hold: "5m",
        summary: "The node {{ $labels.node }} is not ready",
        fires: Fires {
            series: &[(
                "kube_node_status_condition{node=\"n1\",condition=\"Ready\",status=\"true\"}",
                "1x5 0x10 1x30",
            )],
            at: 13,
            labels: &[("node", "n1"), ("condition", "Ready"), ("status", "true")],
            over: Some(25),
        },
        quiet: &[(
            "kube_node_status_condition{node=\"n1\",condition=\"Ready\",status=\"true\"}",
            "1x10 0x3 1x60",
        )],
    },
    Alert {
        name: "CertificateNotIssued",
        severity: Warning,
        expr: "certmanager_certificate_ready_status{condition=\"True\"} == 0",
        hold: "30m",
        summary: "The certificate {{ $labels.namespace }}/{{ $labels.name }} is not issued",
        fires: Fires {
            series: &[(
                "certmanager_certificate_ready_status\
                    {namespace=\"a\",name=\"api\",condition=\"True\"}",
                "0x60 1x60",
            )],
            at: 45,
            labels: &[("namespace", "a"), ("name", "api"), ("condition", "True")],
            over: Some(80),
        },
        quiet: &[(
            "certmanager_certificate_ready_status{namespace=\"a\",name=\"api\",condition=\"True\"}",
            "0x10 1x60",
        )],
    },
];
