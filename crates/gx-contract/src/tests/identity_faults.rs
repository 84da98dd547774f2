//! What can be wrong with each command of the identity contract, for the walk over all codes.

use super::refusals::Table;

/// Relations in every state that a fault names.
pub(super) const RELATIONS: &str =
    "user:alice.IN RequestRelationship alice.IN bob.FR SIBLING_OF => RelationshipRequested
    user:alice.IN RequestRelationship alice.IN bob.FR BUSINESS_PARTNER_OF => \
        RelationshipRequested
    user:alice.IN RequestRelationship alice.IN carol.IN FATHER_OF => RelationshipRequested
    user:late.DE RequestRelationship late.DE child.IN FATHER_OF => RelationshipRequested
    user:child.IN ConfirmRelationship FATHER_OF:late.DE:child.IN => RelationshipConfirmed
    user:alice.IN RequestRelationship alice.IN child.IN FATHER_OF => RelationshipRequested
    user:alice.IN RequestRelationship alice.IN bob.FR FATHER_OF => RelationshipRequested
    user:bob.FR RejectRelationship FATHER_OF:alice.IN:bob.FR => RelationshipRejected
    user:alice.IN RequestRelationship alice.IN bob.FR SPOUSE_OF => RelationshipRequested
    user:alice.IN RequestRelationship alice.IN carol.IN SPOUSE_OF => RelationshipRequested
    user:carol.IN ConfirmRelationship SPOUSE_OF:alice.IN:carol.IN => RelationshipConfirmed";

/// Recoveries that expired, are asked for, agreed on, and ready to be completed.
pub(super) const RECOVERIES: &str = "open ward.IN 30
    user:ward.IN RegisterKey ward.IN k => KeyRegistered
    signed=k user:ward.IN NominateGuardians ward.IN bob.FR carol.IN late.DE => GuardiansNominated
    open keyless.IN 30
    user:keyless.IN NominateGuardians keyless.IN bob.FR carol.IN late.DE => GuardiansNominated
    open lost.IN 30
    user:lost.IN RegisterKey lost.IN k => KeyRegistered
    signed=k user:lost.IN NominateGuardians lost.IN bob.FR carol.IN late.DE => GuardiansNominated
    open ripe.IN 30
    user:ripe.IN RegisterKey ripe.IN k => KeyRegistered
    signed=k user:ripe.IN NominateGuardians ripe.IN bob.FR carol.IN late.DE => GuardiansNominated
    open agreed.IN 30
    user:agreed.IN RegisterKey agreed.IN k => KeyRegistered
    signed=k user:agreed.IN NominateGuardians agreed.IN bob.FR carol.IN late.DE => \
        GuardiansNominated
    open failed.IN 30
    user:failed.IN RegisterKey failed.IN k => KeyRegistered
    signed=k user:failed.IN NominateGuardians failed.IN bob.FR carol.IN late.DE => \
        GuardiansNominated
    open unheard.IN 30
    user:unheard.IN RegisterKey unheard.IN k => KeyRegistered
    open ordered.IN 30
    user:ordered.IN RegisterKey ordered.IN k => KeyRegistered
    open chilled.IN 30
    user:chilled.IN RegisterKey chilled.IN k => KeyRegistered
    signed=k user:chilled.IN NominateGuardians chilled.IN bob.FR carol.IN late.DE => \
        GuardiansNominated
    at 355d
    #stale user:carol.IN InitiateRecovery lost.IN new => RecoveryInitiated
    #ripe user:carol.IN InitiateRecovery ripe.IN new => RecoveryInitiated
    user:late.DE ConfirmRecovery #ripe => RecoveryConfirmed state=CONFIRMED
    #chilled user:carol.IN InitiateRecovery chilled.IN new => RecoveryInitiated
    user:late.DE ConfirmRecovery #chilled => RecoveryConfirmed state=CONFIRMED
    #ordered admin:root ResetKeyByOrder ordered.IN new => ActionProposed
    admin:boss ApproveAction #ordered => ActionApproved, KeyResetOrdered
    #chill admin:root ResetKeyByOrder chilled.IN new => ActionProposed
    admin:boss ApproveAction #chill => ActionApproved, KeyResetOrdered
    admin:root FreezeWallet chilled.IN COURT_ORDER => WalletFrozen";

/// What is asked and agreed a week later.
pub(super) const LATER_RECOVERIES: &str =
    "#asked user:bob.FR InitiateRecovery lost.IN new => RecoveryInitiated
    #failed user:carol.IN InitiateRecovery failed.IN new => RecoveryInitiated
    signed=k user:failed.IN CancelRecovery #failed => RecoveryCancelled
    #early admin:root ResetKeyByOrder agreed.IN new => ActionProposed
    admin:boss ApproveAction #early => ActionApproved, KeyResetOrdered
    #agreed user:carol.IN InitiateRecovery agreed.IN new => RecoveryInitiated
    user:late.DE ConfirmRecovery #agreed => RecoveryConfirmed state=CONFIRMED";

pub(super) const TABLES: [Table; 15] = [
    Table {
        line: "{signed} {actor} RegisterKey {user} {key} {proof}",
        good: "actor=user:alice.IN, user=alice.IN, key=k",
        applied: "KeyRegistered",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            public_key_invalid   | key=0*64
            not_own_account      | user=bob.FR
            key_exists           | signed=signed=k, actor=user:keyed.IN, user=keyed.IN
            key_not_proven       | proof=unproven",
    },
    Table {
        line: "{signed} {actor} RotateKey {user} {key} {proof}",
        good: "signed=signed=k, actor=user:keyed.IN, user=keyed.IN, key=another",
        applied: "KeyRotated",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k, actor=user:alice.IN
            signature_wrong      | signed=signed=other, actor=user:keyed.IN
            public_key_invalid   | key=0*64
            not_own_account      | user=bob.FR
            key_missing          | signed=, actor=user:alice.IN, user=alice.IN
            key_unchanged        | key=k
            key_not_proven       | proof=unproven",
    },
    Table {
        line: "{actor} SetUserStatus {user} {status}",
        good: "actor=admin:clerk, user=alice.IN, status=LOCKED",
        applied: "UserStatusSet",
        faults: "
            role_not_allowed  | role=as gx_partner_api
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=user:SYSTEM_GX_POOL
            account_not_found | user=nobody.IN
            order_missing     | actor=admin:root, status=DECEASED
            not_a_user        | user=SYSTEM_LOAN_POOL
            status_final      | user=dead.IN
            status_unchanged  | status=ACTIVE",
    },
    Table {
        line: "{signed} {actor} RequestRelationship {user} {to} {kind}",
        good: "actor=user:alice.IN, user=alice.IN, to=bob.FR, kind=FRIEND_OF",
        applied: "RelationshipRequested",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            account_not_found | to=nobody.IN
            same_account | to=alice.IN
            not_own_account | user=bob.FR, to=carol.IN
            not_a_user | to=SYSTEM_LOAN_POOL
            relationship_exists | kind=BUSINESS_PARTNER_OF
            relationship_rejected | kind=FATHER_OF
            family_already | to=carol.IN, kind=SIBLING_OF",
    },
    Table {
        line: "{signed} {actor} ConfirmRelationship {relationship}",
        good: "actor=user:bob.FR, relationship=SIBLING_OF:alice.IN:bob.FR",
        applied: "RelationshipConfirmed",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            relationship_not_found | relationship=MOTHER_OF:alice.IN:bob.FR
            not_party | actor=user:carol.IN
            relationship_not_pending | relationship=FATHER_OF:alice.IN:bob.FR
            family_already | actor=user:carol.IN, relationship=FATHER_OF:alice.IN:carol.IN
            spouse_exists | relationship=SPOUSE_OF:alice.IN:bob.FR
            parent_exists | actor=user:child.IN, relationship=FATHER_OF:alice.IN:child.IN",
    },
    Table {
        line: "{signed} {actor} RejectRelationship {relationship}",
        good: "actor=user:bob.FR, relationship=SIBLING_OF:alice.IN:bob.FR",
        applied: "RelationshipRejected",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            relationship_not_found | relationship=MOTHER_OF:alice.IN:bob.FR
            not_party | actor=user:carol.IN
            relationship_not_pending | relationship=FATHER_OF:alice.IN:bob.FR",
    },
    Table {
        line: "{signed} {actor} EndRelationship {relationship}",
        good: "actor=user:alice.IN, relationship=SPOUSE_OF:alice.IN:carol.IN",
        applied: "RelationshipEnded",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            relationship_not_found | relationship=MOTHER_OF:alice.IN:bob.FR
            not_party | actor=user:late.DE
            relationship_not_confirmed | relationship=SIBLING_OF:alice.IN:bob.FR",
    },
    Table {
        line: "{signed} {actor} NominateGuardians {user} {first} {second} {third}",
        good: "actor=user:alice.IN, user=alice.IN, first=bob.FR, second=carol.IN, third=late.DE",
        applied: "GuardiansNominated",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            list_invalid | third=
            same_account | first=alice.IN, user=alice.IN
            not_own_account | user=child.IN
            guardian_not_found | second=nobody.IN",
    },
    Table {
        line: "{signed} {actor} InitiateRecovery {user} {key} {proof}",
        good: "actor=user:bob.FR, user=ward.IN, key=new",
        applied: "RecoveryInitiated",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            public_key_invalid | key=0*64
            not_guardian | actor=user:child.IN
            key_missing | user=keyless.IN
            key_unchanged | key=k
            key_not_proven | proof=unproven
            recovery_open | user=agreed.IN
            recovery_too_soon | actor=user:carol.IN, user=failed.IN",
    },
    Table {
        line: "{signed} {actor} ConfirmRecovery {recovery} {at}",
        good: "actor=user:late.DE, recovery=#asked",
        applied: "RecoveryConfirmed",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            recovery_not_found | recovery=#unheard
            not_guardian | actor=user:child.IN
            recovery_not_pending | recovery=#agreed
            recovery_expired | recovery=#stale
            already_confirmed | actor=user:bob.FR",
    },
    Table {
        line: "{signed} {actor} CancelRecovery {recovery}",
        good: "signed=signed=k, actor=user:lost.IN, recovery=#asked",
        applied: "RecoveryCancelled",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            actor_unknown        | signed=, actor=user:nobody.IN
            actor_not_allowed    | signed=, actor=admin:root
            signature_missing    | signed=, actor=user:lost.IN
            signature_unexpected | signed=signed=k, actor=user:alice.IN
            recovery_not_found | recovery=#unheard
            not_party | signed=signed=k, actor=user:ward.IN
            recovery_over | recovery=#stale",
    },
    Table {
        line: "{signed} {actor} CompleteRecovery {recovery}",
        good: "actor=user:bob.FR, recovery=#ripe",
        applied: "RecoveryCompleted",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing    | signed=, actor=user:keyed.IN
            signature_unexpected | signed=signed=k
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            recovery_not_found | recovery=#unheard
            not_guardian | actor=user:child.IN
            recovery_over | recovery=#stale
            recovery_not_confirmed | recovery=#asked
            recovery_too_early | recovery=#agreed
            owner_not_active | recovery=#chilled",
    },
    Table {
        line: "{actor} ResetKeyByOrder {user} {key} {proof}",
        good: "actor=admin:root, user=ward.IN, key=new",
        applied: "ActionProposed",
        faults: "
            role_not_allowed      | role=as gx_partner_api
            not_bootstrapped      | world=none
            system_paused         | world=paused
            actor_unknown         | actor=admin:nobody
            actor_not_allowed     | actor=admin:clerk
            account_not_found     | user=nobody.IN
            counterparty_deceased | user=dead.IN
            public_key_invalid    | key=0*64
            key_missing           | user=keyless.IN
            key_unchanged         | key=k
            key_not_proven        | proof=unproven
            key_reset_open        | user=ordered.IN",
    },
    Table {
        line: "{signed} {actor} VetoKeyReset {user}",
        good: "signed=signed=k, actor=user:ordered.IN, user=ordered.IN",
        applied: "KeyResetCancelled",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            actor_unknown        | signed=, actor=user:nobody.IN
            actor_not_allowed    | signed=, actor=admin:root
            signature_missing    | signed=
            signature_unexpected | signed=signed=k, actor=user:alice.IN
            signature_wrong      | signed=signed=other
            not_own_account      | user=agreed.IN
            key_reset_not_found  | actor=user:unheard.IN, user=unheard.IN",
    },
    Table {
        line: "{actor} CompleteKeyReset {user}",
        good: "actor=system, user=ordered.IN",
        applied: "KeyResetCompleted",
        faults: "
            role_not_allowed    | role=as gx_super_admin
            not_bootstrapped    | world=none
            system_paused       | world=paused
            actor_unknown       | actor=admin:nobody
            actor_not_allowed   | actor=user:SYSTEM_GX_POOL
            key_reset_not_found | user=ward.IN
            recovery_too_early  | user=agreed.IN
            owner_not_active    | user=chilled.IN",
    },
];
