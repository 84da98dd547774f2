//! What can be wrong with each command about an escrow or a limit, for the walk over all codes.

use super::refusals::Table;

/// Escrows in every state that a fault names. Opened before anybody is frozen or dead.
pub(super) const OLD_ESCROWS: &str = "open buyer.IN 30
    open judge.IN 30
    #expiredEscrow user:buyer.IN OpenEscrow carol.FR 1GX 253d judge.IN => EscrowOpened
    #toFrozen user:buyer.IN OpenEscrow frank.FR 1GX 600d => EscrowOpened
    open ghost.IN 30
    #toDead user:buyer.IN OpenEscrow ghost.IN 1GX 600d => EscrowOpened";

pub(super) const ESCROWS: &str = "#waits user:buyer.IN OpenEscrow carol.FR 1GX 600d judge.IN => \
        EscrowOpened
    #settledEscrow user:buyer.IN OpenEscrow carol.FR 1GX 600d judge.IN => EscrowOpened
    user:judge.IN RefundEscrow #settledEscrow => EscrowRefunded
    #ghost admin:root SetUserStatus ghost.IN DECEASED order => ActionProposed
    admin:boss ApproveAction #ghost => ActionApproved, UserStatusSet
    open thrifty.IN 30
    user:thrifty.IN SetSpendingLimit thrifty.IN 10GX => SpendingLimitSet";

pub(super) const TABLES: [Table; 4] = [
    Table {
        line: "{signed} {actor} OpenEscrow {to} {amount} {expiry} {arbiter} {remark}",
        good: "actor=user:alice.IN, to=bob.FR, amount=1GX, expiry=600d, arbiter=judge.IN",
        applied: "EscrowOpened",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            account_not_found    | to=nobody.IN
            counterparty_frozen  | to=frank.FR
            counterparty_deceased | to=dead.IN
            text_invalid         | remark=x*201
            amount_zero          | amount=0
            same_account         | actor=user:alice.IN, to=alice.IN
            recipient_not_allowed | to=SYSTEM_CHARITABLE_POOL
            expiry_invalid       | expiry=362d
            arbiter_invalid      | arbiter=treasury_IN
            amount_overflow      | amount=18446744073709551615
            spending_limit       | actor=user:thrifty.IN, amount=11GX
            insufficient_balance | amount=9000GX",
    },
    Table {
        line: "{signed} {actor} ReleaseEscrow {escrow}",
        good: "actor=user:judge.IN, escrow=#waits",
        applied: "EscrowReleased",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            counterparty_frozen  | actor=user:buyer.IN, escrow=#toFrozen
            counterparty_deceased | actor=user:buyer.IN, escrow=#toDead
            escrow_not_found     | escrow=#unheard
            not_party            | actor=user:bob.FR
            escrow_settled       | escrow=#settledEscrow
            escrow_expired       | escrow=#expiredEscrow",
    },
    Table {
        line: "{signed} {actor} RefundEscrow {escrow}",
        good: "actor=user:judge.IN, escrow=#waits",
        applied: "EscrowRefunded",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            escrow_not_found     | escrow=#unheard
            escrow_settled       | escrow=#settledEscrow
            escrow_not_expired   | actor=user:bob.FR",
    },
    Table {
        line: "{signed} {actor} SetSpendingLimit {user} {amount}",
        good: "actor=user:thrifty.IN, user=thrifty.IN, amount=5GX",
        applied: "SpendingLimitSet",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR, user=frank.FR, amount=none
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            not_own_account      | actor=user:bob.FR
            limit_unchanged      | amount=10GX",
    },
];
