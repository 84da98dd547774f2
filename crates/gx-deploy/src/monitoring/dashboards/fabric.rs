//! Fabric: ordering, endorsing, committing, and certificates.

use super::{Dashboard, Panel, Row, Shape, query};

pub(super) const DASHBOARD: Dashboard = Dashboard {
    uid: "gx-fabric",
    title: "GX · Fabric",
    about: "Orderers, peers and chaincode, by their operations endpoints.",
    is_own: false,
    rows: &[
        Row {
            title: "Now",
            panels: &[
                Panel {
                    title: "Orderers",
                    about: "More than half of them have to answer.",
                    unit: "short",
                    shape: Shape::Least { red_below: 3.0 },
                    queries: &[query("sum(up{job=\"fabric-orderer\"})", "up")],
                },
                Panel {
                    title: "Peers",
                    about: "Every organization needs one.",
                    unit: "short",
                    shape: Shape::Least { red_below: 2.0 },
                    queries: &[query("sum(up{job=\"fabric-peer\"})", "up")],
                },
                Panel {
                    title: "Leader",
                    about: "1 on each channel.",
                    unit: "short",
                    shape: Shape::Least { red_below: 1.0 },
                    queries: &[query(
                        "sum by (channel) (consensus_etcdraft_is_leader)",
                        "{{channel}}",
                    )],
                },
                Panel {
                    title: "Heights apart",
                    about: "Blocks between the newest and the oldest peer.",
                    unit: "short",
                    shape: Shape::Number { red_from: Some(10.0) },
                    queries: &[query(
                        "max(ledger_blockchain_height) - min(ledger_blockchain_height)",
                        "blocks",
                    )],
                },
                Panel {
                    title: "First certificate to end",
                    about: "Of those that the platform signs with.",
                    unit: "d",
                    shape: Shape::Least { red_below: 14.0 },
                    queries: &[query("min(certificate_expiry_days)", "days")],
                },
            ],
        },
        Row {
            title: "Ordering",
            panels: &[
                Panel {
                    title: "Transactions by status",
                    about: "As orderers answer them.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "sum by (status) (rate(broadcast_processed_count[5m]))",
                        "{{status}}",
                    )],
                },
                Panel {
                    title: "Raft",
                    about: "Elections and proposals that failed. Flat is good.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query(
                            "max by (channel) (consensus_etcdraft_leader_changes)",
                            "elections {{channel}}",
                        ),
                        query(
                            "sum(rate(consensus_etcdraft_proposal_failures[5m]))",
                            "failed proposals",
                        ),
                    ],
                },
                Panel {
                    title: "Members and blocks",
                    about: "Orderers of a channel and its newest block, as each sees it.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("max by (channel) (consensus_etcdraft_cluster_size)", "members"),
                        query("consensus_etcdraft_committed_block_number", "{{instance}}"),
                    ],
                },
                Panel {
                    title: "Disk of the orderers",
                    about: "What 95 of 100 writes of Raft keep below.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query(
                        "histogram_quantile(0.95, sum by (le) \
                         (rate(consensus_etcdraft_data_persist_duration_bucket[5m])))",
                        "persist",
                    )],
                },
            ],
        },
        Row {
            title: "Endorsing and committing",
            panels: &[
                Panel {
                    title: "Proposals",
                    about: "Asked for and endorsed.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("sum(rate(endorser_proposals_received[5m]))", "received"),
                        query("sum(rate(endorser_successful_proposals[5m]))", "endorsed"),
                        query("sum(rate(chaincode_execute_timeouts[5m]))", "too slow"),
                    ],
                },
                Panel {
                    title: "Chaincode",
                    about: "What 95 of 100 of its requests to a peer keep below.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[query(
                        "histogram_quantile(0.95, sum by (type, le) \
                         (rate(chaincode_shim_request_duration_bucket[5m])))",
                        "{{type}}",
                    )],
                },
                Panel {
                    title: "Heights",
                    about: "Of each peer, and what the platform sees.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[
                        query("ledger_blockchain_height", "{{instance}}"),
                        query("max(ledger_tip_block) + 1", "platform"),
                    ],
                },
                Panel {
                    title: "Validation",
                    about: "Transactions by what peers say of them. Conflicts are sent again.",
                    unit: "short",
                    shape: Shape::Lines,
                    queries: &[query(
                        "sum by (validation_code) (rate(ledger_transaction_count[5m]))",
                        "{{validation_code}}",
                    )],
                },
                Panel {
                    title: "Committing a block",
                    about: "What 95 of 100 blocks keep below.",
                    unit: "s",
                    shape: Shape::Lines,
                    queries: &[
                        query(
                            "histogram_quantile(0.95, sum by (le) \
                             (rate(ledger_block_processing_time_bucket[5m])))",
                            "ledger",
                        ),
                        query(
                            "histogram_quantile(0.95, sum by (le) \
                             (rate(gossip_state_commit_duration_bucket[5m])))",
                            "with gossip",
                        ),
                    ],
                },
                Panel {
                    title: "Certificates",
                    about: "Days that each role's certificate is still good.",
                    unit: "d",
                    shape: Shape::Lines,
                    queries: &[query("min by (role) (certificate_expiry_days)", "{{role}}")],
                },
            ],
        },
    ],
};
