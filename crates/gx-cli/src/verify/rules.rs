//! What `gx verify` holds a platform against, and what to do when it does not hold.

use gx_types::{Rule, Severity};

/// Every rule, for pages and tests.
#[cfg(test)]
pub(super) const ALL: [Rule; 11] = [
    LEDGER,
    BOOKS,
    STATE,
    READ_MODELS,
    OUTCOME,
    USER,
    OUTBOX,
    UNSETTLED,
    FOREIGN,
    AUDIT_LOG,
    READABLE,
];

const fn rule(id: &'static str, remedy: &'static str) -> Rule {
    Rule { id, severity: Severity::Critical, remedy }
}

pub(super) const LEDGER: Rule = rule(
    "ledger-intact",
    "stop the platform and restore the ledger from a backup; keep the damaged file",
);
pub(super) const BOOKS: Rule = rule(
    "coins-conserved",
    "stop the platform, keep its files, and report the block: a fault of a build or a damaged file",
);
pub(super) const STATE: Rule = rule(
    "state-follows-blocks",
    "stop the platform and restore the ledger from a backup; keep the damaged file",
);
pub(super) const READ_MODELS: Rule =
    rule("read-models-follow-blocks", "fill them again from the ledger: gx projector --rebuild");
pub(super) const OUTCOME: Rule = rule(
    "outcome-as-in-block",
    "fill the read models again from the ledger: gx projector --rebuild",
);
pub(super) const USER: Rule = rule(
    "user-as-in-block",
    "restore the database from a backup: the ledger holds no personal data to mend it from",
);
pub(super) const OUTBOX: Rule = rule(
    "outbox-as-sent",
    "restore the database from a backup, and find out who writes to it besides the platform",
);
pub(super) const UNSETTLED: Rule = rule(
    "accepted-is-settled",
    "restore the ledger from a backup that holds them, or give these commands anew",
);
pub(super) const FOREIGN: Rule = rule(
    "ledger-of-this-database",
    "use the database that this ledger was filled from, or fill the read models again",
);
pub(super) const AUDIT_LOG: Rule =
    rule("audit-log-unbroken", "compare with a backup: somebody has changed or removed a row");
pub(super) const READABLE: Rule =
    rule("rows-readable", "restore the database from a backup, or run the build that wrote it");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_ids_of_their_own_and_a_remedy() {
        let ids: std::collections::BTreeSet<&str> = ALL.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), ALL.len());
        assert!(ALL.iter().all(|rule| rule.remedy.len() > 20));
    }
}
