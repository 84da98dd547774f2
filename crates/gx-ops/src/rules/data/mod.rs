//! Databases and queues.

mod queues;
mod stores;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 12] = [
    Rule {
        id: "DAT-01",
        severity: Severity::Critical,
        title: "Replicas of a database do not replicate",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Postgres],
        check: stores::not_replicating,
        why: "Three replicas were three databases: 38 tables in one, none in the others, and \
              notes that named different ones as the primary. Whether servers replicate is asked \
              of them, never read from how many there are.",
        otherwise: "What is written is in one of them only, and lost with it.",
        remedy: "Find the one with the data, back it up, and build streaming replication from it; \
                 until then scale the workload to 1.",
        runbook: None,
    },
    Rule {
        id: "DAT-02",
        severity: Severity::Critical,
        title: "Servers of one database have different tables",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Postgres],
        check: stores::tables_differ,
        why: "Two replicas were made anew and stood empty beside the one with 38 tables.",
        otherwise: "A query succeeds or fails by which server it happens to reach.",
        remedy: "Stop what writes, keep the fullest one, and make the others its standbys.",
        runbook: None,
    },
    Rule {
        id: "DAT-03",
        severity: Severity::Critical,
        title: "A Service leads to several databases",
        needs: &[Fact::Services, Fact::Pods, Fact::Postgres],
        check: stores::service_to_several,
        why: "A Service over three servers of which one had the data failed two requests of three.",
        otherwise: "Writes go to whichever server the Service picks.",
        remedy: "Let its selector match the primary alone.",
        runbook: None,
    },
    Rule {
        id: "DAT-04",
        severity: Severity::High,
        title: "A standby is behind, or can no longer catch up",
        needs: &[Fact::Postgres],
        check: stores::standby_behind,
        why: "A standby that has replayed all that it has received is not behind, however long ago \
              the last transaction was; one whose WAL is lost never catches up again.",
        otherwise: "A switch to it loses what it has not received.",
        remedy: "See whether it is connected and its disk keeps up; one with lost WAL is built \
                 anew: `pg_basebackup`.",
        runbook: None,
    },
    Rule {
        id: "DAT-05",
        severity: Severity::Critical,
        title: "Several masters of one Redis, or nobody watches it",
        needs: &[Fact::Workloads, Fact::Pods, Fact::Redis],
        check: stores::several_masters,
        why: "Three replicas were three masters, each with its own keys.",
        otherwise: "Limits are counted in three places, and news reach a third of the processes.",
        remedy: "Make all but one follow: `redis-cli REPLICAOF HOST 6379`, and let sentinels \
                 watch.",
        runbook: None,
    },
    Rule {
        id: "DAT-06",
        severity: Severity::High,
        title: "The database has a schema that processes do not work with",
        needs: &[Fact::Postgres, Fact::Processes],
        check: stores::schema_differs,
        why: "Images were rolled out whose migrations nobody had run, and a table was missing.",
        otherwise: "Processes refuse to start, or fail at the first query of what is missing.",
        remedy: "Run the migrations of the same build: `gx migrate`.",
        runbook: None,
    },
    Rule {
        id: "DAT-07",
        severity: Severity::High,
        title: "Processes may open more connections than the database has",
        needs: &[Fact::Postgres, Fact::Processes],
        check: stores::connections,
        why: "Pools are set for one process and multiplied by replicas; 200 connections were \
              fewer than all pools together.",
        otherwise: "Under load some processes get no connection, and operators none either.",
        remedy: "Lower the pools, or raise max_connections with the memory for it.",
        runbook: None,
    },
    Rule {
        id: "DAT-08",
        severity: Severity::Critical,
        title: "Commands queue up",
        needs: &[Fact::Processes],
        check: queues::queue,
        why: "A deep queue that drains within seconds is a batch; one whose oldest command waits \
              is not.",
        otherwise: "Users wait, and what they ask for happens late or not at all.",
        remedy: "See whether the submitter runs and the ledger answers: `gx fabric check`.",
        runbook: None,
    },
    Rule {
        id: "DAT-09",
        severity: Severity::Critical,
        title: "Commands were set aside",
        needs: &[Fact::Processes],
        check: queues::dead,
        why: "A command that is set aside is one that a user was promised and nobody carries out.",
        otherwise: "Their effects are missing for ever, and nobody has told their users.",
        remedy: "Look at each one's reason and decide: `SELECT * FROM dead_commands`.",
        runbook: None,
    },
    Rule {
        id: "DAT-10",
        severity: Severity::Medium,
        title: "Commands of a role wait for what will not change by waiting",
        needs: &[Fact::Processes],
        check: queues::lane_stuck,
        why: "Two commands with a malformed hash were tried for weeks, with an error that could \
              only be the same each time.",
        otherwise: "What comes after them waits as well, and logs fill with one line.",
        remedy: "Read what `/readyz` says of submission; mend the cause it names.",
        runbook: None,
    },
    Rule {
        id: "DAT-11",
        severity: Severity::High,
        title: "Read models are far behind the ledger",
        needs: &[Fact::Processes],
        check: queues::projection,
        why: "Lag was once measured by the age of the last event, so that an idle ledger looked \
              dead; thresholds went from 5 seconds to a year. Blocks that are there and not \
              applied are lag, the age of the last one is not.",
        otherwise: "Users see balances of the past.",
        remedy: "See whether the projector runs and what it logs: `kubectl logs deploy/projector`.",
        runbook: None,
    },
    Rule {
        id: "DAT-12",
        severity: Severity::Critical,
        title: "The only copy of data is on one node and has no backup of today",
        needs: &[Fact::Workloads, Fact::Claims, Fact::Volumes, Fact::Backups],
        check: stores::only_copy,
        why: "Volumes that are bound to one node are lost with it, and so were those of two \
              networks.",
        otherwise: "One broken disk ends it.",
        remedy: "Back it up now: `gx backup run`; then give it a second copy.",
        runbook: None,
    },
];
