//! Environments: whether what was tried in one is what runs in the next.

mod databases;
mod environments;
mod pairs;
mod policies;
mod promotions;

use gx_types::Severity;

use super::Rule;
use crate::facts::Fact;

pub(super) const RULES: [Rule; 14] = [
    Rule {
        id: "ENV-01",
        severity: Severity::High,
        title: "Mainnet runs an image that was not healthy in testnet before",
        needs: &[Fact::Workloads],
        check: promotions::untried_image,
        why: "An image that is tried in mainnet first is tried on people's money.",
        otherwise: "Its faults are found by customers.",
        remedy: "Take it back, and bring it through testnet: `gx admin deployments request`.",
        runbook: Some("promotion.md"),
    },
    Rule {
        id: "ENV-02",
        severity: Severity::Medium,
        title: "A service is not in every environment",
        needs: &[Fact::Workloads],
        check: environments::lone_service,
        why: "Four services ran in one environment alone, so that nothing of them had been tried \
              anywhere.",
        otherwise: "What was tried together is not what runs together.",
        remedy: "Bring it to the others, or scale it to zero there.",
        runbook: None,
    },
    Rule {
        id: "ENV-03",
        severity: Severity::Medium,
        title: "A Secret or ConfigMap has other keys than in another environment",
        needs: &[Fact::Secrets, Fact::ConfigMaps],
        check: environments::other_keys,
        why: "A key that was added by hand in one environment is missing in the next when the \
              image that needs it comes.",
        otherwise: "The promotion fails at its start, in the environment that matters more.",
        remedy: "Add the key there, with a value of its own.",
        runbook: None,
    },
    Rule {
        id: "ENV-04",
        severity: Severity::High,
        title: "Network policies let pass other things than in another environment",
        needs: &[Fact::NetworkPolicies, Fact::Namespaces],
        check: policies::other_policies,
        why: "What a service needs was learned one outage at a time, and written down in one \
              environment.",
        otherwise: "What works in one environment is blocked in the next, or the other way round.",
        remedy: "Generate the policies of all environments from one source.",
        runbook: None,
    },
    Rule {
        id: "ENV-05",
        severity: Severity::High,
        title: "The database of an environment has another schema",
        needs: &[Fact::Namespaces],
        check: databases::other_schema,
        why: "Tables that were changed by hand in one environment break the next migration there, \
              and nowhere else.",
        otherwise: "Programs that were tried on one schema run on another.",
        remedy: "Apply the migrations that are missing; undo by a migration what was done by hand.",
        runbook: None,
    },
    Rule {
        id: "ENV-06",
        severity: Severity::Medium,
        title: "A name does not follow the pattern of its environment",
        needs: &[Fact::Workloads],
        check: environments::odd_names,
        why: "Settings are generated from the environment's name; what is named otherwise has to \
              be remembered by people.",
        otherwise: "The next copy of the settings leads to a channel that does not exist.",
        remedy: "Rename it when it is made again, or write the name into the inventory.",
        runbook: None,
    },
    Rule {
        id: "ENV-07",
        severity: Severity::High,
        title: "A correction of data has not reached every environment",
        needs: &[Fact::Namespaces],
        check: databases::uncorrected,
        why: "Hashes of passwords were converted in one environment; in the others people could \
              not log in with the new build.",
        otherwise: "The build that relies on the correction fails where it is missing.",
        remedy: "Make it a migration, so that it comes with the build.",
        runbook: None,
    },
    Rule {
        id: "ENV-08",
        severity: Severity::High,
        title: "There are accounts for tests in mainnet",
        needs: &[Fact::Namespaces],
        check: databases::test_accounts,
        why: "Their passwords stand in scripts of tests, and what they hold counts as money.",
        otherwise: "Whoever has the scripts has accounts in production.",
        remedy: "Freeze them, move what they hold back to where it came from, and close them.",
        runbook: None,
    },
    Rule {
        id: "ENV-09",
        severity: Severity::High,
        title: "A table of reference has another number of rows",
        needs: &[Fact::Namespaces],
        check: databases::other_reference,
        why: "A database knew 15 of 234 countries, and everybody from the others was refused.",
        otherwise: "Requests that name what is missing fail.",
        remedy: "Project the ledger anew, or load the table again from its source.",
        runbook: None,
    },
    Rule {
        id: "ENV-10",
        severity: Severity::Low,
        title: "The quota of an environment has other proportions",
        needs: &[Fact::Quotas],
        check: environments::other_quota,
        why: "What fits by memory in one environment and by processors in the other shows its \
              limits elsewhere.",
        otherwise: "Tests say little of how production fills up.",
        remedy: "Scale memory and processors of the quota by the same factor.",
        runbook: None,
    },
    Rule {
        id: "GOV-01",
        severity: Severity::Critical,
        title: "A promotion has left out an environment",
        needs: &[Fact::DeploymentRecords],
        check: promotions::not_adjacent,
        why: "An image goes from devnet to testnet and from testnet to mainnet; whatever leaves \
              testnet out was never tried with anything like production.",
        otherwise: "Mainnet runs what nobody has tried.",
        remedy: "Take it back: `gx admin deployments rollback ID`.",
        runbook: Some("promotion.md"),
    },
    Rule {
        id: "GOV-02",
        severity: Severity::Critical,
        title: "Mainnet was changed without the approval of another person",
        needs: &[Fact::DeploymentRecords],
        check: promotions::not_approved,
        why: "Four eyes are what stands between one stolen account and everybody's money.",
        otherwise: "One person, or whoever has their account, changes production alone.",
        remedy: "Have somebody else look at it now, and find out how it could be begun.",
        runbook: Some("promotion.md"),
    },
    Rule {
        id: "GOV-03",
        severity: Severity::High,
        title: "The record of a promotion does not say what ran before",
        needs: &[Fact::DeploymentRecords],
        check: promotions::no_way_back,
        why: "The way back is the image that ran before; without its name nothing can be put back \
              in a hurry.",
        otherwise: "When the new image falls ill, somebody has to find out what the old one was.",
        remedy: "Find the image in the ReplicaSets of the workload while they are kept: \
                 `kubectl rollout history`.",
        runbook: Some("promotion.md"),
    },
    Rule {
        id: "GOV-04",
        severity: Severity::Medium,
        title: "Another image runs than the last promotion has brought",
        needs: &[Fact::DeploymentRecords, Fact::Workloads],
        check: promotions::drifted,
        why: "Somebody has set an image by hand, or applied manifests that name an older one.",
        otherwise: "The records tell what does not run, and the next promotion goes back to it.",
        remedy: "Promote what runs, or put the recorded image back; let manifests name it.",
        runbook: Some("promotion.md"),
    },
];
