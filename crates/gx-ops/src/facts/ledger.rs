//! A ledger as its nodes tell of it: the embedded one has one node.

use std::collections::BTreeMap;

use super::{Keyed, Known, Time};

facts! {
    pub struct LedgerNode {
        pub name: String,
        pub organization: String,
        pub endpoint: String,
        /// Blocks it has; missing when it did not answer or has not joined.
        pub height: Known<u64>,
        /// Of the last block, in hex.
        pub block_hash: String,
        /// Of block 0, in hex.
        pub genesis_hash: String,
        pub last_block: Option<Time>,
        pub bytes: Option<u64>,
        pub version: String,
        /// Whether it is in the channel.
        pub joined: Known<bool>,
    }

    pub struct Orderer {
        pub name: String,
        pub organization: String,
        pub endpoint: String,
        pub is_leader: bool,
        pub healthy: Known<bool>,
        pub version: String,
    }

    pub struct Chaincode {
        pub name: String,
        pub version: String,
        pub sequence: u64,
        /// Text of the policy.
        pub endorsement: String,
        /// By organization: whether it has approved this definition.
        pub approvals: BTreeMap<String, bool>,
        /// By peer: packages that are installed.
        pub installed: BTreeMap<String, Vec<String>>,
    }

    /// One of the checks that a client makes of a network.
    pub struct LedgerCheck {
        /// Such as `endorsement`.
        pub rule: String,
        pub subject: String,
        pub ok: bool,
        pub evidence: String,
    }

    pub struct Ledger {
        /// Name of the network or channel.
        pub name: String,
        /// `embedded` or `fabric`.
        pub engine: String,
        pub environment: String,
        pub nodes: Vec<LedgerNode>,
        pub orderers: Known<Vec<Orderer>>,
        pub chaincodes: Known<Vec<Chaincode>>,
        /// Organizations of the channel.
        pub organizations: Vec<String>,
        /// Qirat by pool.
        pub pools: Known<BTreeMap<String, String>>,
        pub bootstrapped: Known<bool>,
        /// Countries with their shares in millionths of a percent.
        pub countries: Known<BTreeMap<String, u64>>,
        pub authorities: Known<Vec<LedgerAuthority>>,
        /// What the pools hold now, in Qirat.
        pub pool_balances: Known<BTreeMap<String, String>>,
        /// What `gx fabric check` has found.
        pub checks: Known<Vec<LedgerCheck>>,
        /// When the newest block was made that the platform knows of.
        pub last_block: Option<Time>,
    }

    /// A certificate authority of the network.
    pub struct LedgerAuthority {
        pub name: String,
        pub healthy: Known<bool>,
    }
}

impl Keyed for Ledger {
    fn key(&self) -> String {
        format!("{}/{}", self.environment, self.name)
    }
}
