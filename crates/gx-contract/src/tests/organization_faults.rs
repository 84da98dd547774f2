//! What can be wrong with each command of organizations and treasuries.
//!
//! Read by the walk over all refusal codes, as the tables of the other contracts are.

use super::refusals::Table;

/// Organizations in every state that a fault names.
pub(super) const ORGANIZATIONS: &str = "org shop.IN.1 alice.IN bob.FR
    user:bob.FR DefineAuthRule shop.IN.1 0:1:alice.IN => AuthRuleProposed
    user:alice.IN DefineAuthRule shop.IN.1 0:1:bob.FR => AuthRuleProposed
    user:alice.IN ProposeOrganization asked.IN.1 asked BUSINESS alice.IN bob.FR => \
        OrganizationProposed
    user:alice.IN ProposeOrganization half.IN.1 half BUSINESS alice.IN bob.FR => \
        OrganizationProposed
    user:alice.IN EndorseMembership half.IN.1 => MembershipEndorsed
    user:alice.IN ProposeOrganization ready.IN.1 ready BUSINESS alice.IN bob.FR => \
        OrganizationProposed
    user:alice.IN EndorseMembership ready.IN.1 => MembershipEndorsed
    user:bob.FR EndorseMembership ready.IN.1 => MembershipEndorsed
    org trio.IN.1 alice.IN bob.FR carol.IN
    org pair.IN.1 alice.IN carol.IN
    org ruled.IN.1 alice.IN bob.FR carol.IN
    user:alice.IN DefineAuthRule ruled.IN.1 0:1:carol.IN => AuthRuleProposed
    user:bob.FR DefineAuthRule ruled.IN.1 0:1:carol.IN => AuthRuleProposed
    user:carol.IN DefineAuthRule ruled.IN.1 0:1:carol.IN => AuthRuleProposed, AuthRuleDefined
    org moving.IN.1 alice.IN bob.FR carol.IN
    user:bob.FR ChangeStakeholders moving.IN.1 +stake.IN => StakeholderChangeProposed
    org decided.IN.1 alice.IN bob.FR carol.IN
    user:alice.IN ChangeStakeholders decided.IN.1 +keyed.IN -carol.IN => \
        StakeholderChangeProposed
    org state.IN.7 alice.IN bob.FR
    treasury IN state.IN.7
    org other.IN.7 alice.IN bob.FR
    org state.DE.7 alice.IN bob.FR
    #new admin:root ProposeOrganization new.DE.7 new GOVERNMENT alice.IN bob.FR => ActionProposed
    admin:boss ApproveAction #new => ActionApproved, OrganizationProposed
    #newer admin:root ProposeOrganization new.IN.7 new GOVERNMENT alice.IN bob.FR => \
        ActionProposed
    admin:boss ApproveAction #newer => ActionApproved, OrganizationProposed";

/// Payments in every state that a fault names. The first is so old that it has expired.
pub(super) const PAYMENTS: &str = "at 332d
    org old.IN.1 alice.IN bob.FR
    #expired user:alice.IN InitiateMultiSigTx old.IN.1 carol.IN 1GX => MultiSigTxInitiated
    at 355d
    org payer.IN.1 alice.IN bob.FR
    user:alice.IN Transfer alice.IN payer.IN.1 10GX => Transferred
    #waiting user:alice.IN InitiateMultiSigTx payer.IN.1 carol.IN 1GX => MultiSigTxInitiated
    #decided user:bob.FR InitiateMultiSigTx payer.IN.1 carol.IN 1GX => MultiSigTxInitiated
    #settled user:alice.IN InitiateMultiSigTx payer.IN.1 carol.IN 1GX => MultiSigTxInitiated
    org heirs.IN.1 frank.FR bob.FR
    #byFrozen user:frank.FR InitiateMultiSigTx heirs.IN.1 carol.IN 1GX => MultiSigTxInitiated
    user:alice.IN CancelMultiSigTx #settled => MultiSigTxCancelled
    org sold.IN.1 alice.IN bob.FR carol.IN
    #left user:alice.IN InitiateMultiSigTx sold.IN.1 carol.IN 1GX => MultiSigTxInitiated
    user:alice.IN ChangeStakeholders sold.IN.1 -alice.IN => StakeholderChangeProposed
    user:bob.FR ChangeStakeholders sold.IN.1 -alice.IN => StakeholderChangeProposed
    user:carol.IN ChangeStakeholders sold.IN.1 -alice.IN => \
        StakeholderChangeProposed, StakeholdersChanged, MultiSigTxDropped
    org closed.IN.1 alice.IN bob.FR
    #ofLocked user:alice.IN InitiateMultiSigTx closed.IN.1 carol.IN 1GX => MultiSigTxInitiated
    admin:root SetOrganizationStatus closed.IN.1 LOCKED => OrganizationStatusSet
    org kin.IN.1 frank.FR bob.FR alice.IN
    user:frank.FR DefineAuthRule kin.IN.1 0:1:frank.FR => AuthRuleProposed
    user:bob.FR DefineAuthRule kin.IN.1 0:1:frank.FR => AuthRuleProposed
    user:alice.IN DefineAuthRule kin.IN.1 0:1:frank.FR => AuthRuleProposed, AuthRuleDefined
    org busy.IN.1 alice.IN bob.FR
    open stake.IN 30
    org full.IN.1 alice.IN bob.FR stake.IN carol.FR frank.FR";

/// Payments until the organization has as many as it may.
pub(super) fn full() -> String {
    let ten = |(user, org)| {
        let line = format!("user:{user} InitiateMultiSigTx {org} carol.IN 1GX");
        vec![format!("{line} => MultiSigTxInitiated"); 10].join("\n+ ")
    };
    let crowd = ["alice.IN", "bob.FR", "stake.IN", "carol.FR", "frank.FR"];
    let busy = [("alice.IN", "busy.IN.1")];
    crowd
        .map(|user| (user, "full.IN.1"))
        .into_iter()
        .chain(busy)
        .map(ten)
        .collect::<Vec<_>>()
        .join("\n+ ")
}

pub(super) const TABLES: [Table; 15] = [
    Table {
        line: "{signed} {actor} ProposeOrganization {org} {name} BUSINESS {first} {second}",
        good: "actor=user:alice.IN, org=new.IN.1, name=x*3, first=alice.IN, second=bob.FR",
        applied: "OrganizationProposed",
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
            text_invalid | name=x*2
            list_invalid | second=
            user_id_invalid | org=broken
            user_id_mismatch | org=new.IN.7
            country_unknown | org=new.XX.1
            user_id_taken | org=shop.IN.1
            stakeholder_not_found | second=nobody.IN
            not_stakeholder | actor=user:carol.IN",
    },
    Table {
        line: "{signed} {actor} EndorseMembership {org}",
        good: "actor=user:alice.IN, org=asked.IN.1",
        applied: "MembershipEndorsed",
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
            organization_not_found | org=other.IN.1
            not_stakeholder | actor=user:carol.IN
            organization_not_pending | org=shop.IN.1
            already_endorsed | org=half.IN.1",
    },
    Table {
        line: "{signed} {actor} ActivateOrganization {org}",
        good: "actor=user:alice.IN, org=ready.IN.1",
        applied: "OrganizationActivated",
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
            organization_not_found | org=other.IN.1
            not_stakeholder | actor=user:carol.IN
            organization_not_pending | org=shop.IN.1
            endorsements_missing | org=half.IN.1",
    },
    Table {
        line: "{actor} SetOrganizationStatus {org} {status}",
        good: "actor=admin:root, org=shop.IN.1, status=LOCKED",
        applied: "OrganizationStatusSet",
        faults: "
            role_not_allowed  | role=as gx_super_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=system
            organization_not_found | org=other.IN.1
            organization_not_active | org=half.IN.1
            status_unchanged | status=ACTIVE",
    },
    Table {
        line: "{signed} {actor} DefineAuthRule {org} {rule}",
        good: "actor=user:alice.IN, org=shop.IN.1, rule=0:1:alice.IN",
        applied: "AuthRuleProposed",
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
            auth_rule_invalid | rule=0:2:alice.IN
            organization_not_found | org=other.IN.1
            not_stakeholder | actor=user:carol.IN
            organization_not_active | org=half.IN.1
            approver_not_stakeholder | rule=0:1:carol.IN
            already_decided | rule=0:1:bob.FR",
    },
    Table {
        line: "{signed} {actor} InitiateMultiSigTx {org} {to} {amount} {remark}",
        good: "actor=user:alice.IN, org=shop.IN.1, to=carol.IN, amount=1GX",
        applied: "MultiSigTxInitiated",
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
            account_not_found | to=nobody.IN
            counterparty_frozen | to=frank.FR
            counterparty_deceased | to=dead.IN
            text_invalid | remark=x*201
            amount_zero | amount=0
            same_account | org=shop.IN.1, to=shop.IN.1
            recipient_not_allowed | to=SYSTEM_LOAN_POOL
            treasury_locked | org=treasury_FR
            organization_not_found | org=other.IN.1
            not_stakeholder | actor=user:carol.IN
            organization_not_active | org=half.IN.1
            treasury_not_payable | org=treasury_IN
            too_many_pending | org=full.IN.1
            too_many_own_pending | org=busy.IN.1",
    },
    Table {
        line: "{signed} {actor} ApproveMultiSigTx {payment}",
        good: "actor=user:bob.FR, payment=#waiting",
        applied: "MultiSigTxApproved, MultiSigTxExecuted",
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
            pending_tx_not_found | payment=#unheard
            not_approver | actor=user:carol.IN
            organization_not_active | payment=#ofLocked
            pending_tx_settled | payment=#settled
            pending_tx_expired | payment=#expired
            already_decided | payment=#decided
            skips approver_not_active | payment=#byFrozen",
    },
    Table {
        line: "{signed} {actor} RejectMultiSigTx {payment}",
        good: "actor=user:bob.FR, payment=#waiting",
        applied: "MultiSigTxRejected",
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
            pending_tx_not_found | payment=#unheard
            not_approver | actor=user:carol.IN
            organization_not_active | payment=#ofLocked
            pending_tx_settled | payment=#settled
            pending_tx_expired | payment=#expired
            already_decided | payment=#decided",
    },
    Table {
        line: "{signed} {actor} WithdrawApproval {payment}",
        good: "actor=user:alice.IN, payment=#waiting",
        applied: "ApprovalWithdrawn",
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
            pending_tx_not_found | payment=#unheard
            not_approver | actor=user:bob.FR
            pending_tx_settled | payment=#settled
            pending_tx_expired | payment=#expired",
    },
    Table {
        line: "{signed} {actor} CancelMultiSigTx {payment}",
        good: "actor=user:alice.IN, payment=#waiting",
        applied: "MultiSigTxCancelled",
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
            pending_tx_not_found | payment=#unheard
            not_party | actor=user:carol.IN
            not_stakeholder | payment=#left
            pending_tx_settled | payment=#settled
            pending_tx_expired | payment=#expired",
    },
    Table {
        line: "{signed} {actor} ChangeStakeholders {org} {add} {remove} {rules}",
        good: "actor=user:alice.IN, org=trio.IN.1, add=+keyed.IN, remove=-carol.IN",
        applied: "StakeholderChangeProposed",
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
            list_invalid | remove=-carol.IN -carol.IN
            auth_rule_invalid | rules=0:2:alice.IN
            stakeholder_not_found | add=+nobody.IN
            organization_not_found | org=other.IN.1
            not_party | org=decided.IN.1, actor=user:carol.IN
            not_stakeholder | actor=user:stake.IN
            organization_not_active | org=half.IN.1
            stakeholder_change_open | org=moving.IN.1
            stakeholders_invalid | org=trio.IN.1, remove=-stake.IN
            too_few_stay | org=pair.IN.1
            approver_not_stakeholder | org=trio.IN.1, rules=0:1:carol.IN
            ladder_unfit | org=ruled.IN.1
            already_decided | org=decided.IN.1",
    },
    Table {
        line: "{signed} {actor} WithdrawStakeholderChange {org}",
        good: "actor=user:bob.FR, org=decided.IN.1",
        applied: "StakeholderChangeWithdrawn",
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
            organization_not_found | org=other.IN.1
            stakeholder_change_not_found | org=trio.IN.1
            not_party | actor=user:carol.IN",
    },
    Table {
        line: "{actor} ChangeStakeholdersByOrder {org} {add} {remove} {rules}",
        good: "actor=admin:root, org=heirs.IN.1, add=+carol.IN, remove=-frank.FR",
        applied: "ActionProposed",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            list_invalid | remove=
            auth_rule_invalid | rules=0:2:bob.FR
            recipient_is_admin | actor=admin:boss, add=+bob.FR
            stakeholder_not_found | add=+nobody.IN
            organization_not_found | org=other.IN.1
            organization_not_active | org=half.IN.1
            stakeholders_invalid | remove=-stake.IN
            stakeholder_active | org=kin.IN.1, remove=-alice.IN
            approver_not_stakeholder | rules=0:1:stake.IN
            ladder_unfit | org=kin.IN.1",
    },
    Table {
        line: "{actor} ActivateTreasuryAccount {country} {org}",
        good: "actor=admin:root, country=DE, org=state.DE.7",
        applied: "ActionProposed",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            country_unknown | country=XX, org=state.DE.7
            organization_not_found | org=other.IN.1
            organization_not_active | org=new.DE.7
            organization_not_eligible | org=shop.IN.1
            treasury_active | country=IN, org=state.IN.7",
    },
    Table {
        line: "{actor} ReassignTreasury {country} {org}",
        good: "actor=admin:root, country=IN, org=other.IN.7",
        applied: "ActionProposed",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            country_unknown | country=XX
            treasury_locked | country=DE
            organization_not_found | org=absent.IN.7
            organization_not_active | org=new.IN.7
            organization_not_eligible | org=shop.IN.1
            treasury_active | org=state.IN.7",
    },
];
