//! How much processor, memory and disk each workload asks for, and what a namespace may hold.
//!
//! Mainnet runs on three nodes of 8 processors and 32 GiB and must still fit when one of them is
//! lost; the other networks share one node of that size.

use super::{NetworkId, Part, Workload};

/// What a container asks for, and what it never exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Thousandths of a processor.
    pub cpu: u32,
    pub cpu_max: u32,
    /// MiB.
    pub memory: u32,
    pub memory_max: u32,
}

const fn of(cpu: u32, memory: u32, cpu_max: u32, memory_max: u32) -> Size {
    Size { cpu, cpu_max, memory, memory_max }
}

/// What a workload's container gets on a network.
pub fn size(workload: Workload, network: NetworkId) -> Size {
    let full = match workload {
        Workload::Service(_) => of(200, 256, 1000, 512),
        Workload::Submitter => of(250, 512, 1000, 1024),
        Workload::Projector => of(500, 1024, 2000, 2048),
        Workload::Postgres => of(1000, 2048, 2000, 4096),
        Workload::Redis | Workload::RedisReplica => of(250, 512, 1000, 2048),
        Workload::Orderer => of(300, 1024, 1000, 2048),
        Workload::Peer(_) => of(500, 1024, 2000, 4096),
        // Four batches at once, some 300 MB each.
        Workload::Chaincode(_) => of(250, 512, 2000, 2048),
        Workload::Ca(_) => of(100, 256, 500, 512),
        Workload::Migrate => of(100, 128, 1000, 512),
        Workload::ChannelJob | Workload::OrganizationJob(_) => of(100, 128, 500, 512),
    };
    match network {
        NetworkId::Mainnet => full,
        NetworkId::Devnet | NetworkId::Testnet => {
            Size { cpu: (full.cpu / 5).max(20), memory: (full.memory / 4).max(64), ..full }
        }
    }
}

/// Disk of each pod, GiB, for those that keep something.
pub fn disk_gib(workload: Workload) -> Option<u32> {
    match workload {
        Workload::Postgres => Some(100),
        Workload::Redis | Workload::RedisReplica => Some(10),
        Workload::Orderer => Some(20),
        Workload::Peer(_) => Some(50),
        Workload::Ca(_) => Some(2),
        _ => None,
    }
}

/// What the pods of a namespace may ask for together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    pub pods: u32,
    pub cpu: u32,
    pub cpu_max: u32,
    pub memory: u32,
    pub memory_max: u32,
    pub volumes: u32,
    pub disk_gib: u32,
    pub services: u32,
}

impl Bounds {
    /// Everything at its largest, each Deployment in the middle of a roll-out, and a fifth more for
    /// what people run by hand and for the certificate's solver.
    pub fn of(part: Part, network: NetworkId) -> Self {
        let mut sum = Self::default();
        for workload in Workload::all().into_iter().filter(|one| one.part() == part) {
            sum.add(workload, network);
        }
        let more = |amount: u32| amount.div_ceil(5).saturating_add(amount);
        Self {
            pods: more(sum.pods).saturating_add(4),
            cpu: round(more(sum.cpu), 500),
            cpu_max: round(more(sum.cpu_max), 1000),
            memory: round(more(sum.memory), 1024),
            memory_max: round(more(sum.memory_max), 1024),
            volumes: sum.volumes,
            disk_gib: sum.disk_gib,
            services: more(sum.services),
        }
    }

    fn add(&mut self, workload: Workload, network: NetworkId) {
        // A database of the operator's has two stand-bys, which are no pods of ours to count.
        let stands_by = if workload == Workload::Postgres { 2 } else { 0 };
        let pods = match network {
            NetworkId::Mainnet => {
                let most = workload.replicas_max().unwrap_or(0).max(workload.pods());
                u32::from(most).saturating_add(stands_by)
            }
            _ if workload == Workload::RedisReplica => 0,
            _ => u32::try_from(workload.owners().len()).unwrap_or(u32::MAX),
        };
        let surging = pods.saturating_add(u32::from(workload.is_deployment()));
        let Size { cpu, cpu_max, memory, memory_max } = size(workload, network);
        self.pods = self.pods.saturating_add(surging);
        self.cpu = self.cpu.saturating_add(cpu.saturating_mul(surging));
        self.cpu_max = self.cpu_max.saturating_add(cpu_max.saturating_mul(surging));
        self.memory = self.memory.saturating_add(memory.saturating_mul(surging));
        self.memory_max = self.memory_max.saturating_add(memory_max.saturating_mul(surging));
        if let Some(disk) = disk_gib(workload) {
            self.volumes = self.volumes.saturating_add(pods);
            self.disk_gib = self.disk_gib.saturating_add(pods.saturating_mul(disk));
        }
        let services = workload.owners().len().saturating_mul(2);
        self.services = self.services.saturating_add(u32::try_from(services).unwrap_or(u32::MAX));
    }
}

fn round(amount: u32, step: u32) -> u32 {
    amount.div_ceil(step).saturating_mul(step)
}
