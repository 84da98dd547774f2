//! Hyperledger Fabric: orderers, peers and authorities by their operations endpoints.

use super::super::alert::Severity::{Critical, Warning};
use super::super::alert::{Alert, Fires, Group};

pub(super) const GROUP: Group = Group { name: "gx-fabric", alerts: ALERTS };

const ALERTS: &[Alert] = &[
    Alert {
        name: "OrdererDown",
        severity: Warning,
        expr: "up{job=\"fabric-orderer\"} == 0",
        hold: "2m",
        summary: "The orderer {{ $labels.instance }} does not answer",
        fires: Fires {
            series: &[("up{job=\"fabric-orderer\",instance=\"orderer0\"}", "1x5 0x10 1x20")],
            at: 10,
            labels: &[("instance", "orderer0"), ("job", "fabric-orderer")],
            over: Some(25),
        },
        quiet: &[("up{job=\"fabric-orderer\",instance=\"orderer0\"}", "1x10 0 1x60")],
    },
    Alert {
        name: "OrdererQuorumAtRisk",
        severity: Critical,
        // One more that goes, and nothing is ordered.
        expr: "count(up{job=\"fabric-orderer\"} == 1) \
            <= floor(count(up{job=\"fabric-orderer\"}) / 2) + 1 \
            and count(up{job=\"fabric-orderer\"}) > 2",
        hold: "2m",
        summary: "The orderers cannot lose another one",
        fires: Fires {
            series: &[
                ("up{job=\"fabric-orderer\",instance=\"orderer0\"}", "1x40"),
                ("up{job=\"fabric-orderer\",instance=\"orderer1\"}", "1x40"),
                ("up{job=\"fabric-orderer\",instance=\"orderer2\"}", "1x40"),
                ("up{job=\"fabric-orderer\",instance=\"orderer3\"}", "1x5 0x10 1x20"),
                ("up{job=\"fabric-orderer\",instance=\"orderer4\"}", "1x5 0x10 1x20"),
            ],
            at: 10,
            labels: &[],
            over: Some(25),
        },
        quiet: &[
            ("up{job=\"fabric-orderer\",instance=\"orderer0\"}", "1x70"),
            ("up{job=\"fabric-orderer\",instance=\"orderer1\"}", "1x70"),
            ("up{job=\"fabric-orderer\",instance=\"orderer2\"}", "1x70"),
            ("up{job=\"fabric-orderer\",instance=\"orderer3\"}", "1x70"),
            ("up{job=\"fabric-orderer\",instance=\"orderer4\"}", "0x70"),
        ],
    },
    Alert {
        name: "RaftWithoutLeader",
        severity: Critical,
        expr: "max by (channel) (consensus_etcdraft_is_leader) == 0",
        hold: "1m",
        summary: "The orderers of {{ $labels.channel }} have no leader",
        fires: Fires {
            series: &[
                (
                    "consensus_etcdraft_is_leader{channel=\"gxchannel\",instance=\"orderer0\"}",
                    "1x5 0x10 1x20",
                ),
                (
                    "consensus_etcdraft_is_leader{channel=\"gxchannel\",instance=\"orderer1\"}",
                    "0x40",
                ),
            ],
            at: 10,
            labels: &[("channel", "gxchannel")],
            over: Some(25),
        },
        quiet: &[
            (
                "consensus_etcdraft_is_leader{channel=\"gxchannel\",instance=\"orderer0\"}",
                "1x10 0x60",
            ),
            (
                "consensus_etcdraft_is_leader{channel=\"gxchannel\",instance=\"orderer1\"}",
                "0x10 1x60",
            ),
        ],
    },
    Alert {
        name: "RaftLeaderFlapping",
        severity: Warning,
        expr: "max by (channel) (increase(consensus_etcdraft_leader_changes[15m])) > 3",
        hold: "",
        summary: "The orderers of {{ $labels.channel }} elect again and again",
        fires: Fires {
            series: &[(
                "consensus_etcdraft_leader_changes{channel=\"gxchannel\",instance=\"orderer0\"}",
                "1x5 1+1x8 9x40",
            )],
            at: 14,
            labels: &[("channel", "gxchannel")],
            over: Some(45),
        },
        quiet: &[(
            "consensus_etcdraft_leader_changes{channel=\"gxchannel\",instance=\"orderer0\"}",
            "1x20 2x50",
        )],
    },
    Alert {
        name: "PeerDown",
        severity: Warning,
        expr: "up{job=\"fabric-peer\"} == 0",
        hold: "2m",
        summary: "The peer {{ $labels.instance }} does not answer",
        fires: Fires {
            series: &[("up{job=\"fabric-peer\",instance=\"peer0.org1\"}", "1x5 0x10 1x20")],
            at: 10,
            labels: &[("instance", "peer0.org1"), ("job", "fabric-peer")],
            over: Some(25),
        },
        quiet: &[("up{job=\"fabric-peer\",instance=\"peer0.org1\"}", "1x10 0 1x60")],
    },
    Alert {
        name: "OrganizationWithoutPeer",
        severity: Critical,
        expr: "sum by (organization) (up{job=\"fabric-peer\",organization!=\"\"}) == 0",
        hold: "1m",
        summary: "{{ $labels.organization }} has no peer that could endorse",
        fires: Fires {
            series: &[
                (
                    "up{job=\"fabric-peer\",organization=\"org1\",instance=\"peer0.org1\"}",
                    "1x5 0x10 1x20",
                ),
                ("up{job=\"fabric-peer\",organization=\"org1\",instance=\"peer1.org1\"}", "0x40"),
                ("up{job=\"fabric-peer\",organization=\"org2\",instance=\"peer0.org2\"}", "1x40"),
            ],
            at: 10,
            labels: &[("organization", "org1")],
            over: Some(25),
        },
        quiet: &[
            ("up{job=\"fabric-peer\",organization=\"org1\",instance=\"peer0.org1\"}", "1x70"),
            ("up{job=\"fabric-peer\",organization=\"org1\",instance=\"peer1.org1\"}", "0x70"),
        ],
    },
    Alert {
        name: "LedgerHeightsApart",
        severity: Critical,
        expr: "max by (channel) (ledger_blockchain_height) \
            - min by (channel) (ledger_blockchain_height) > 10",
        hold: "2m",
        summary: "The peers of {{ $labels.channel }} are more than ten blocks apart",
        fires: Fires {
            series: &[
                ("ledger_blockchain_height{channel=\"gxchannel\",instance=\"peer0\"}", "100+5x40"),
                (
                    "ledger_blockchain_height{channel=\"gxchannel\",instance=\"peer1\"}",
                    "100+5x5 125x10 180+5x20",
                ),
            ],
            at: 12,
            labels: &[("channel", "gxchannel")],
            over: Some(30),
        },
        quiet: &[
            ("ledger_blockchain_height{channel=\"gxchannel\",instance=\"peer0\"}", "100+50x70"),
            ("ledger_blockchain_height{channel=\"gxchannel\",instance=\"peer1\"}", "98+50x70"),
        ],
    },
    Alert {
        name: "LedgerTipUnseen",
        severity: Critical,
        // The peers count from the first block on, the platform from block 0.
        expr: "scalar(max(ledger_blockchain_height)) - 1 - max(ledger_tip_block) > 10",
        hold: "2m",
        summary: "The platform does not see the blocks that the peers have",
        fires: Fires {
            series: &[
                ("ledger_blockchain_height{channel=\"gxchannel\",instance=\"peer0\"}", "100+5x40"),
                ("ledger_tip_block{instance=\"a\"}", "99+5x5 124x10 179+5x20"),
            ],
            at: 12,
            labels: &[],
            over: Some(30),
        },
        quiet: &[
            ("ledger_blockchain_height{channel=\"gxchannel\",instance=\"peer0\"}", "100+5x70"),
            ("ledger_tip_block{instance=\"a\"}", "99+5x70"),
        ],
    },
    Alert {
        name: "EndorsementsFailing",
        severity: Critical,
        expr: "1 - sum(rate(endorser_successful_proposals[5m])) \
            / sum(rate(endorser_proposals_received[5m])) > 0.05 \
            and sum(rate(endorser_proposals_received[5m])) > 0.1",
        hold: "3m",
        summary: "Peers do not endorse what they are asked to",
        fires: Fires {
            series: &[
                ("endorser_proposals_received{instance=\"peer0\"}", "0+60x60"),
                ("endorser_successful_proposals{instance=\"peer0\"}", "0+60x5 300+30x15 780+60x40"),
            ],
            at: 15,
            labels: &[],
            over: Some(40),
        },
        quiet: &[
            ("endorser_proposals_received{instance=\"peer0\"}", "0+60x70"),
            ("endorser_successful_proposals{instance=\"peer0\"}", "0+60x70"),
        ],
    },
    Alert {
        name: "FabricAuthorityDown",
        severity: Warning,
        expr: "up{job=\"fabric-ca\"} == 0",
        hold: "15m",
        summary: "The authority {{ $labels.instance }} does not answer: no certificate is renewed",
        fires: Fires {
            series: &[("up{job=\"fabric-ca\",instance=\"ca-org1\"}", "1x5 0x30 1x20")],
            at: 25,
            labels: &[("instance", "ca-org1"), ("job", "fabric-ca")],
            over: Some(45),
        },
        quiet: &[("up{job=\"fabric-ca\",instance=\"ca-org1\"}", "1x10 0x10 1x60")],
    },
];
