//! How the platform itself fails: its workers, builds and settings, and what it needs of its
//! database and its ledger. Operators were bitten by the rules of the other families; these follow
//! from how this platform is built.

mod builds;
mod database;
mod figures;
mod records;
mod workers;

use gx_types::Severity;

use super::Rule;
use crate::facts::{Fact, ObjectRef, Process};

fn process_ref(process: &Process) -> ObjectRef {
    ObjectRef::global("Process", &process.place)
}

/// The way in which the platform fails that each rule looks for.
pub(super) const FAILURES: [(&str, &str); 31] = [
    ("PLT-01", "a fault of the projector changes balances"),
    ("PLT-02", "the housekeeper stands still and nothing else shows it"),
    ("PLT-03", "the housekeeper is behind, or fails for one kind of rows"),
    ("PLT-04", "an optional dependency is away and every health check is green"),
    ("PLT-05", "leases and batches rest on two clocks"),
    ("PLT-06", "the pool of one process is too small for its load"),
    ("PLT-07", "a flood of log-ins fills the queue of hashes"),
    ("PLT-08", "the notifier stops while read models go on"),
    ("PLT-09", "the mail server refuses a password that was changed"),
    ("PLT-10", "the way out for webhooks is closed, or endpoints are down"),
    ("PLT-11", "every command is settled, with a refusal"),
    ("PLT-12", "no process holds the lease of a worker"),
    ("PLT-13", "a clock jumps, or two processes have two databases"),
    ("PLT-14", "a wallet lacks one of the three roles"),
    ("PLT-15", "a certificate was renewed and does not reach the process"),
    ("PLT-16", "an upgrade stops half-way"),
    ("PLT-17", "a setting was changed in place, and half of the pods have it"),
    ("PLT-18", "a process starts with the settings of a trial"),
    ("PLT-19", "a second host is added to a platform on SQLite"),
    ("PLT-20", "somebody's own build is brought to mainnet"),
    ("PLT-21", "one organization upgrades its chaincode and another one does not"),
    ("PLT-22", "the Job of the last release counts as that of this one"),
    ("PLT-23", "a break-in into one service becomes one into the cluster"),
    ("PLT-24", "settings for speed break the promise of 202"),
    ("PLT-25", "the outbox and the heartbeats use ids faster than vacuum frees them"),
    ("PLT-26", "a standby is removed and its slot stays"),
    ("PLT-27", "the target of the archive is full or refuses"),
    ("PLT-28", "a session by hand or a migration blocks the workers"),
    ("PLT-29", "one injection reaches the server below the database"),
    ("PLT-30", "a network is made anew beside the old one, or a volume is restored too far back"),
    ("PLT-31", "the promoter dies between the canary and the rest"),
];

pub(super) const RULES: [Rule; 31] = [
    Rule {
        id: "PLT-01",
        severity: Severity::Critical,
        title: "The accounts do not hold the whole supply together",
        needs: &[Fact::Processes],
        check: figures::not_conserved,
        why: "Every block conserves coins, so that a difference between the supply \
              and the sum of all accounts is a fault of the read models.",
        otherwise: "Users are shown coins that do not exist, or miss some that do.",
        remedy: "Compare with the ledger, `gx verify`, and fill the read models \
                 again: `gx projector --rebuild`.",
        runbook: Some("runbooks/ConservationBroken.md"),
    },
    Rule {
        id: "PLT-02",
        severity: Severity::High,
        title: "Nobody adds up the supply",
        needs: &[Fact::Processes],
        check: figures::not_added_up,
        why: "The housekeeper adds up every minute what all accounts hold; without \
              it a fault of the read models is seen when a user complains.",
        otherwise: "Wrong balances stay until somebody notices them.",
        remedy: "See why the housekeeper does not run: `kubectl logs \
                 deploy/projector`.",
        runbook: Some("runbooks/ConservationUnchecked.md"),
    },
    Rule {
        id: "PLT-03",
        severity: Severity::Medium,
        title: "Rows whose time is over are still there",
        needs: &[Fact::Processes],
        check: figures::not_removed,
        why: "Settled commands are half of the database where nothing removes them, \
              and what people were promised to have forgotten is kept.",
        otherwise: "The database grows without end, and holds more of people than \
                   was said.",
        remedy: "See what the housekeeper logs: `kubectl logs deploy/projector | \
                 grep 'not cleaned up'`.",
        runbook: None,
    },
    Rule {
        id: "PLT-04",
        severity: Severity::Critical,
        title: "Something that a process depends on does not answer it",
        needs: &[Fact::Processes],
        check: figures::dependency_away,
        why: "A process goes on without the virus scanner or Redis and says so \
              nowhere but in its figures: documents are refused, and each process \
              counts requests by itself.",
        otherwise: "What depends on it is refused, or holds for each process by \
                   itself.",
        remedy: "Try it from the pod of that process; for the database see also `gx \
                 ops doctor`.",
        runbook: Some("runbooks/DatabaseAway.md"),
    },
    Rule {
        id: "PLT-05",
        severity: Severity::Critical,
        title: "The clocks of a process and of its database are apart",
        needs: &[Fact::Processes],
        check: figures::clock_offset,
        why: "Leases are given by the database's clock and last for three seconds; \
              batches carry the time of the process.",
        otherwise: "Leaders lose their leases or keep them too long, and the \
                   ledger's time is ahead or behind.",
        remedy: "Have both hosts follow the same servers: `chronyc tracking`.",
        runbook: Some("runbooks/ClockSkew.md"),
    },
    Rule {
        id: "PLT-06",
        severity: Severity::Medium,
        title: "A process uses nearly every connection that it may open",
        needs: &[Fact::Processes],
        check: figures::pool_full,
        why: "Requests wait for a connection before they wait for the database, and \
              the database looks idle meanwhile.",
        otherwise: "Requests take seconds, and end without an answer.",
        remedy: "Look for what holds them, raise `GX_DATABASE__CONNECTIONS_MAX`, or \
                 serve with more processes.",
        runbook: Some("runbooks/DatabasePoolSaturated.md"),
    },
    Rule {
        id: "PLT-07",
        severity: Severity::Medium,
        title: "Log-ins are about to be turned away",
        needs: &[Fact::Processes],
        check: figures::hashing,
        why: "Passwords are hashed a few at a time, since each takes memory; what \
              waits beyond a bound is turned away, which is also how somebody tries \
              to keep others out.",
        otherwise: "People cannot log in.",
        remedy: "See who logs in so often, and give the process more processors.",
        runbook: Some("runbooks/HashingQueueFull.md"),
    },
    Rule {
        id: "PLT-08",
        severity: Severity::Medium,
        title: "People and endpoints are not told of what happened",
        needs: &[Fact::Processes],
        check: figures::notifier_behind,
        why: "Notifications and webhooks are made of applied blocks by one worker, \
              which a single block can stop.",
        otherwise: "Partners act on what is no longer so, and people hear of \
                   payments late.",
        remedy: "See what the notifier logs: `kubectl logs deploy/projector`.",
        runbook: Some("runbooks/NotifierLagging.md"),
    },
    Rule {
        id: "PLT-09",
        severity: Severity::High,
        title: "Mail or text messages do not get away",
        needs: &[Fact::Processes],
        check: figures::messages,
        why: "A process is ready without its mail server: what was accepted is sent \
              later, so that nothing turns red.",
        otherwise: "Nobody can set a new password or confirm an address.",
        remedy: "Read what `/readyz` says of mail and texts; try the server from \
                 that pod.",
        runbook: Some("runbooks/MessagesNotSent.md"),
    },
    Rule {
        id: "PLT-10",
        severity: Severity::Medium,
        title: "Messages to endpoints pile up",
        needs: &[Fact::Processes],
        check: figures::webhooks,
        why: "An endpoint that is slow is tried for three days; many of them, or a \
              way out of the cluster that a policy has closed, let all wait.",
        otherwise: "Partners learn of payments hours late, or never.",
        remedy: "See whether other addresses are reached from the pod of the \
                 messenger, and which endpoints fail.",
        runbook: Some("runbooks/WebhookBacklog.md"),
    },
    Rule {
        id: "PLT-11",
        severity: Severity::Medium,
        title: "More than half of the commands are refused",
        needs: &[Fact::Processes],
        check: figures::refusals,
        why: "A client that repeats a command with a mistake, or a system that was \
              paused, settles everything and does nothing; queues and latencies \
              look perfect.",
        otherwise: "Users try again and again.",
        remedy: "See which code the refusals have: `GET /api/v1/commands`, and \
                 whether the system is paused.",
        runbook: Some("runbooks/CommandsRefused.md"),
    },
    Rule {
        id: "PLT-12",
        severity: Severity::Critical,
        title: "Nobody leads a worker",
        needs: &[Fact::Processes],
        check: workers::without_leader,
        why: "Workers run only where a lease is held; a process whose lease cannot \
              be had is alive and ready.",
        otherwise: "Commands are accepted and not submitted, or blocks are not \
                   applied.",
        remedy: "See whether the process of that worker runs and what it says of \
                 its lease: `kubectl logs deploy/projector`.",
        runbook: Some("runbooks/WorkerWithoutLeader.md"),
    },
    Rule {
        id: "PLT-13",
        severity: Severity::Critical,
        title: "Several processes believe that they lead one worker",
        needs: &[Fact::Processes],
        check: workers::several_leaders,
        why: "Each write of a leader proves the epoch of its lease, so that the \
              older one writes nothing; that two believe in it says that a clock or \
              a database is wrong, or that there are two databases.",
        otherwise: "Work is done twice and thrown away; with two databases it is \
                   done twice and kept.",
        remedy: "Compare the databases that both use and the clocks of both.",
        runbook: Some("runbooks/SeveralLeaders.md"),
    },
    Rule {
        id: "PLT-14",
        severity: Severity::Critical,
        title: "A role has no identity that its commands could be signed with",
        needs: &[Fact::Processes],
        check: workers::lane_without_identity,
        why: "Commands wait in a lane for each role. A wallet without an identity \
              for one of them stops that lane alone, while all others go on.",
        otherwise: "Every command of that role waits for ever.",
        remedy: "`gx fabric enroll --wallet WALLET --name ROLE --role ROLE`, and \
                 put it into the wallet's Secret.",
        runbook: Some("runbooks/SubmissionLaneStuck.md"),
    },
    Rule {
        id: "PLT-15",
        severity: Severity::Critical,
        title: "The certificate that a role signs with ends soon",
        needs: &[Fact::Processes],
        check: workers::lane_certificate,
        why: "The process reads its wallet itself: that a newer certificate lies in \
              a Secret does not say that it is the one in use.",
        otherwise: "The lane of that role stops on that day, and the others go on.",
        remedy: "`gx fabric reenroll --wallet WALLET --name ROLE`; the process \
                 reads the wallet again within a minute.",
        runbook: Some("runbooks/CertificateEndsIn14Days.md"),
    },
    Rule {
        id: "PLT-16",
        severity: Severity::High,
        title: "Processes of one network are different builds",
        needs: &[Fact::Processes],
        check: builds::version_skew,
        why: "A rollout that stopped half-way leaves two builds that do the same \
              work differently.",
        otherwise: "What a user sees depends on which process answers.",
        remedy: "Bring the rollout to its end or take it back: `kubectl rollout \
                 status`, `kubectl rollout undo`.",
        runbook: Some("runbooks/VersionSkew.md"),
    },
    Rule {
        id: "PLT-17",
        severity: Severity::High,
        title: "Pods of one workload are set differently",
        needs: &[Fact::Processes, Fact::Pods, Fact::Workloads],
        check: builds::settings_differ,
        why: "A ConfigMap that is changed in place reaches the pods that start \
              after it, and no others; each process shows a digest of what it is \
              really set to.",
        otherwise: "Requests are answered differently by chance, and the next \
                   restart changes the rest.",
        remedy: "`kubectl rollout restart` of that workload, after looking at what \
                 was changed.",
        runbook: Some("runbooks/ConfigurationRefused.md"),
    },
    Rule {
        id: "PLT-18",
        severity: Severity::Critical,
        title: "Processes of one network use different ledgers or databases",
        needs: &[Fact::Processes],
        check: builds::engines_differ,
        why: "A process that is started without its settings uses the embedded \
              ledger and a file of its own, and works.",
        otherwise: "Money is moved on a ledger that nobody else has.",
        remedy: "Stop the process that differs, and see what it has accepted before \
                 it is set right.",
        runbook: None,
    },
    Rule {
        id: "PLT-19",
        severity: Severity::Critical,
        title: "Several machines have a database file each for one network",
        needs: &[Fact::Processes],
        check: builds::several_files,
        why: "SQLite is one file on one machine. A second machine with a file is a \
              second platform under the same name.",
        otherwise: "Half of the users and commands are in each.",
        remedy: "Move to PostgreSQL before there is a second host; keep the one \
                 with the newest commands.",
        runbook: None,
    },
    Rule {
        id: "PLT-20",
        severity: Severity::Medium,
        title: "Mainnet runs a build of no commit",
        needs: &[Fact::Processes],
        check: builds::nameless_build,
        why: "A build from a folder that is no repository cannot be made again or \
              compared with a release.",
        otherwise: "Nobody can say what runs with people's money.",
        remedy: "Run the image of a release, by its digest.",
        runbook: None,
    },
    Rule {
        id: "PLT-21",
        severity: Severity::Critical,
        title: "Organizations execute the contract with different builds",
        needs: &[Fact::Workloads],
        check: builds::contracts_differ,
        why: "Peers of two organizations have to come to the same bytes. Two builds \
              of the contract may not, and then no transaction is valid.",
        otherwise: "Every batch is refused for the mismatch of its endorsements.",
        remedy: "Roll the chaincode of every organization to one digest; a new one \
                 may differ for minutes only.",
        runbook: Some("runbooks/EndorsementsFailing.md"),
    },
    Rule {
        id: "PLT-22",
        severity: Severity::High,
        title: "The migration has failed, or was of another build than what runs",
        needs: &[Fact::Workloads],
        check: builds::migration,
        why: "A Job keeps the image that it was made with: a changed digest needs a \
              new Job, or the old one counts as done.",
        otherwise: "Processes that need the newer schema do not start, or start \
                   late.",
        remedy: "Delete the Job and apply the tree again: `kubectl delete job \
                 migrate`.",
        runbook: Some("runbooks/JobFailed.md"),
    },
    Rule {
        id: "PLT-23",
        severity: Severity::Medium,
        title: "A workload of the platform gets a token of the cluster",
        needs: &[Fact::Workloads],
        check: builds::token,
        why: "Nothing of the platform asks the cluster's API but what brings \
              promotions, which is given a token of its own. Any other token is \
              what an attacker in that pod begins with.",
        otherwise: "Whoever breaks into one pod may ask the cluster.",
        remedy: "Set `automountServiceAccountToken: false`, or name the workload \
                 under `privileged` in the inventory.",
        runbook: None,
    },
    Rule {
        id: "PLT-24",
        severity: Severity::Critical,
        title: "PostgreSQL may lose what it has confirmed",
        needs: &[Fact::Postgres],
        check: database::careless_settings,
        why: "A command that was accepted with 202 is one that PostgreSQL has \
              confirmed. Without `fsync` it may be gone after a fault, without \
              `full_page_writes` the whole database may be.",
        otherwise: "After the next fault of power, accepted commands are missing, \
                   and nobody knows which.",
        remedy: "`ALTER SYSTEM RESET fsync`, the same for the others, and restart \
                 PostgreSQL.",
        runbook: None,
    },
    Rule {
        id: "PLT-25",
        severity: Severity::Critical,
        title: "PostgreSQL runs out of transaction ids",
        needs: &[Fact::Postgres],
        check: database::transaction_ids,
        why: "Every batch, block and heartbeat is a transaction; vacuum has to \
              freeze old ones before two thousand millions are used.",
        otherwise: "PostgreSQL takes no more writes until it was vacuumed by hand.",
        remedy: "Find what holds vacuum back, an old transaction or slot, and \
                 `VACUUM (FREEZE)` the database.",
        runbook: Some("runbooks/TransactionIdsRunOut.md"),
    },
    Rule {
        id: "PLT-26",
        severity: Severity::High,
        title: "A replication slot holds the log back and nobody reads it",
        needs: &[Fact::Postgres],
        check: database::slots,
        why: "A slot keeps the write-ahead log for a reader until that has it. When \
              the reader is gone, the log grows until the disk is full.",
        otherwise: "The database stops when the disk is full.",
        remedy: "Start its reader again, or `SELECT \
                 pg_drop_replication_slot('NAME')`.",
        runbook: Some("runbooks/DiskFilling.md"),
    },
    Rule {
        id: "PLT-27",
        severity: Severity::Critical,
        title: "The write-ahead log is not archived",
        needs: &[Fact::Postgres],
        check: database::not_archived,
        why: "A backup to a point in time needs every segment since the base. \
              PostgreSQL tries again for ever, says so in its log alone, and keeps \
              what it could not archive.",
        otherwise: "The last point that can be restored stays where it is, and the \
                   disk fills.",
        remedy: "See what the archive command says, and whether its target takes \
                 writes: `gx backup status`.",
        runbook: Some("runbooks/WalNotArchived.md"),
    },
    Rule {
        id: "PLT-28",
        severity: Severity::High,
        title: "Sessions wait for a lock",
        needs: &[Fact::Postgres],
        check: database::locks,
        why: "The projector and the submitter write in short transactions. A \
              migration or a session that somebody left open lets all of them wait.",
        otherwise: "Commands and blocks wait behind it.",
        remedy: "Find the one that is waited for with `pg_blocking_pids`, and end \
                 it.",
        runbook: Some("runbooks/LongTransaction.md"),
    },
    Rule {
        id: "PLT-29",
        severity: Severity::High,
        title: "The platform logs in to PostgreSQL as a superuser",
        needs: &[Fact::Postgres, Fact::Workloads],
        check: database::superuser,
        why: "The platform needs its own tables alone. A superuser reads files of \
              the server and runs programs there.",
        otherwise: "A fault in one query becomes one of the whole server.",
        remedy: "Create a role that owns the database `gx` and nothing else, and \
                 rotate to it.",
        runbook: None,
    },
    Rule {
        id: "PLT-30",
        severity: Severity::Critical,
        title: "Nodes of one ledger have different blocks",
        needs: &[Fact::Ledgers],
        check: records::forks,
        why: "Heights alone do not tell: two networks of one name grew to the same \
              height with other blocks. At one height all nodes have one hash.",
        otherwise: "Each side of the platform believes in another history.",
        remedy: "Stop submitting, and find out which one counts: `gx ops compare \
                 --ledgers A,B`.",
        runbook: Some("runbooks/LedgerHeightsApart.md"),
    },
    Rule {
        id: "PLT-31",
        severity: Severity::Medium,
        title: "A promotion has been under way for hours",
        needs: &[Fact::DeploymentRecords],
        check: records::stuck_promotion,
        why: "An image goes through gates, a canary and the rest within minutes. \
              One that stands still holds the next one back and leaves two builds \
              running.",
        otherwise: "Nothing else can be brought to that network.",
        remedy: "`gx admin deployments show ID` says at which step; see whether a \
                 promoter leads.",
        runbook: None,
    },
];
