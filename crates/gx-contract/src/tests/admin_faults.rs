//! Every way in which commands of administrators are refused. See `refusals`.

use super::refusals::Table;

pub(super) const TABLES: [Table; 19] = [
    Table {
        line: "{actor} BootstrapSystem root {own} {key}",
        good: "actor=system, world=none",
        applied: "SystemBootstrapped",
        faults: "
            role_not_allowed     | role=as gx_admin
            system_paused        | world=paused
            actor_not_allowed    | actor=user:alice.IN
            public_key_invalid   | key=key 0*64
            already_bootstrapped | world=normal
            admin_account_invalid | own=account=treasury_IN
            key_not_proven       | key=key k unproven",
    },
    Table {
        line: "{actor} InitializeCountryData {first} {second} {third}",
        good: "actor=admin:root, world=unsealed, first=AA=1",
        applied: "CountriesInitialized",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=unsealed and paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            list_invalid      | third=ZZ=0 ZZ=0
            countries_sealed  | world=normal
            country_exists    | second=IN=1
            weights_too_large | first=AA=100000000",
    },
    Table {
        line: "{actor} ConfirmClock {time} {first} {second}",
        good: "actor=system, world=jumped, time=40d, first=root=k, second=boss=k2",
        applied: "ClockConfirmed",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            actor_unknown        | actor=admin:nobody
            actor_not_allowed    | actor=user:alice.IN
            signature_missing    | actor=admin:boss
            list_invalid         | second=root=k2
            list_invalid         | second=boss=k2 third=k
            clock_right          | world=mainnet
            clock_differs        | time=40d+3600001
            clock_differs        | time=39d+82799999
            admin_level_too_low  | second=clerk=k
            admin_unknown        | second=nobody=k
            key_missing          | second=third=k
            confirmation_wrong   | second=boss=k
            confirmation_wrong   | first=root=k2",
    },
    Table {
        line: "{actor} PauseSystem {reason}",
        good: "actor=admin:root, reason=x*10",
        applied: "SystemPaused",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            admin_key_missing | world=with keys
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            text_invalid      | reason=x*9",
    },
    Table {
        line: "{actor} ResumeSystem",
        good: "actor=admin:root, world=paused",
        applied: "SystemResumed",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            not_paused        | world=normal",
    },
    Table {
        line: "{actor} AppointAdmin {admin} {level} {account}",
        good: "actor=admin:root, admin=late, level=ADMIN",
        applied: "ActionProposed",
        faults: "
            role_not_allowed      | role=as gx_admin
            not_bootstrapped      | world=none
            system_paused         | world=paused
            actor_unknown         | actor=admin:gone
            actor_not_allowed     | actor=admin:clerk
            not_oneself           | admin=root
            admin_exists          | admin=clerk
            admin_account_invalid | account=SYSTEM_GX_POOL",
    },
    Table {
        line: "{actor} ReplaceAdmin {old} {new} {account}",
        good: "actor=admin:root, old=clerk, new=late",
        applied: "ActionProposed",
        faults: "
            role_not_allowed      | role=as gx_admin
            not_bootstrapped      | world=none
            system_paused         | world=paused
            actor_unknown         | actor=admin:gone
            actor_not_allowed     | actor=admin:clerk
            not_oneself           | old=root
            admin_unknown         | old=gone
            admin_exists          | new=boss
            admin_account_invalid | account=SYSTEM_GX_POOL",
    },
    Table {
        line: "{actor} RemoveAdmin {admin}",
        good: "actor=admin:root, admin=clerk",
        applied: "ActionProposed",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=admin:gone
            actor_not_allowed    | actor=admin:clerk
            not_oneself          | admin=root
            admin_unknown        | admin=gone
            too_few_super_admins | admin=boss",
    },
    Table {
        line: "{actor} UpdateSystemParameter {change}",
        good: "actor=admin:root, change=votingDays 15",
        applied: "ActionProposed",
        faults: "
            role_not_allowed           | role=as gx_admin
            not_bootstrapped           | world=none
            system_paused              | world=paused
            actor_unknown              | actor=admin:gone
            actor_not_allowed          | actor=admin:clerk
            value_out_of_bounds        | change=votingDays 0
            parameter_change_scheduled | change=loanOpenMax 5
            parameters_inconsistent    | change=feeCapBps 39",
    },
    Table {
        line: "{actor} CancelParameterChange {parameter}",
        good: "actor=admin:root, parameter=loanOpenMax",
        applied: "ParameterChangeCancelled",
        faults: "
            role_not_allowed               | role=as gx_admin
            not_bootstrapped               | world=none
            system_paused                  | world=paused
            actor_unknown                  | actor=admin:gone
            actor_not_allowed              | actor=admin:clerk
            parameter_change_not_scheduled | parameter=votingDays",
    },
    Table {
        line: "{actor} DisburseFromPool {pool} {to} {amount} {purpose}",
        good: "actor=admin:root, pool=SYSTEM_GX_POOL, to=frank.FR, amount=1GX, purpose=x",
        applied: "ActionProposed",
        faults: "
            role_not_allowed      | role=as gx_admin
            not_bootstrapped      | world=none
            system_paused         | world=paused
            actor_unknown         | actor=admin:gone
            actor_not_allowed     | actor=admin:clerk
            account_not_found     | to=nobody.IN
            text_invalid          | purpose=x*201
            amount_zero           | amount=0
            pool_not_disbursable  | pool=SYSTEM_USER_GENESIS_POOL
            recipient_not_allowed | to=treasury_IN
            admin_account_unsaid  | world=unsaid
            recipient_is_admin    | actor=admin:boss, to=bob.FR
            amount_above_cap      | amount=100000000.000001GX
            day_exhausted         | world=frugal
            insufficient_balance  | world=poor, amount=2GX",
    },
    Table {
        line: "{actor} TransferByOrder {from} {to} {amount} {reason}",
        good: "actor=admin:root, from=frank.FR, to=alice.IN, amount=1, reason=COURT_ORDER",
        applied: "ActionProposed",
        faults: "
            role_not_allowed      | role=as gx_admin
            not_bootstrapped      | world=none
            system_paused         | world=paused
            actor_unknown         | actor=admin:nobody
            actor_not_allowed     | actor=admin:clerk
            account_not_found     | to=nobody.FR
            counterparty_deceased | to=dead.IN
            amount_zero           | amount=0
            same_account          | from=treasury_IN, to=treasury_IN
            recipient_not_allowed | to=SYSTEM_LOAN_POOL
            payer_not_allowed     | from=treasury_IN
            admin_account_unsaid  | world=unsaid
            recipient_is_admin    | actor=admin:boss, to=bob.FR
            not_deceased          | reason=ESTATE
            not_frozen            | from=carol.FR
            insufficient_balance  | amount=100000GX",
    },
    Table {
        line: "{signed} {actor} RegisterAdminKey {key} {proof}",
        good: "actor=admin:clerk, key=k",
        applied: "AdminKeyRegistered",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            actor_unknown        | actor=admin:nobody
            actor_not_allowed    | actor=user:alice.IN
            signature_missing    | signed=, actor=admin:keyed
            signature_unexpected | signed=signed=k
            signature_wrong      | signed=signed=other, actor=admin:keyed
            public_key_invalid   | key=0*64
            key_exists           | signed=signed=k, actor=admin:keyed
            key_not_proven       | proof=unproven",
    },
    Table {
        line: "{signed} {actor} RotateAdminKey {key} {proof}",
        good: "signed=signed=k, actor=admin:keyed, key=k2",
        applied: "AdminKeyRotated",
        faults: "
            role_not_allowed     | role=as gx_super_admin
            not_bootstrapped     | world=none
            actor_unknown        | actor=admin:nobody
            actor_not_allowed    | actor=user:alice.IN
            signature_missing    | signed=
            signature_wrong      | signed=signed=other
            public_key_invalid   | key=0*64
            key_missing          | signed=, actor=admin:clerk
            key_unchanged        | key=k
            key_not_proven       | proof=unproven",
    },
    Table {
        line: "{actor} RejectAction {action}",
        good: "actor=admin:boss, action=#raise",
        applied: "ActionRejected",
        faults: "
            role_not_allowed    | role=as gx_admin
            not_bootstrapped    | world=none
            system_paused       | world=paused
            actor_unknown       | actor=admin:gone
            actor_not_allowed   | actor=system
            action_unknown      | action=#nothing
            action_executed     | action=#done
            action_closed       | action=#closed
            action_expired      | action=#old
            same_admin          | action=#own
            admin_level_too_low | actor=admin:clerk, action=#appoint",
    },
    Table {
        line: "{actor} RegisterAttester {attester} {keyed} {daily} {where} {second}",
        good: "actor=admin:root, attester=other, keyed=k, daily=10, where=IN",
        applied: "ActionProposed",
        faults: "
            role_not_allowed    | role=as gx_admin
            not_bootstrapped    | world=none
            system_paused       | world=paused
            actor_unknown       | actor=admin:nobody
            actor_not_allowed   | actor=admin:clerk
            list_invalid        | second=IN IN
            public_key_invalid  | keyed=0*64
            value_out_of_bounds | daily=0
            value_out_of_bounds | daily=1000001
            attester_exists     | attester=clinic
            country_unknown     | where=XX
            key_not_proven      | keyed=k unproven",
    },
    Table {
        line: "{actor} RemoveAttester {attester}",
        good: "actor=admin:root, attester=clinic",
        applied: "ActionProposed",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            attester_unknown  | attester=nobody",
    },
    Table {
        line: "{actor} WithdrawAction {action}",
        good: "actor=admin:root, action=#raise",
        applied: "ActionWithdrawn",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:gone
            actor_not_allowed | actor=system
            action_unknown    | action=#nothing
            action_executed   | action=#done
            action_closed     | action=#closed
            action_expired    | action=#old
            not_proposer      | action=#own",
    },
    Table {
        line: "{actor} ApproveAction {action}",
        good: "actor=admin:boss, action=#raise",
        applied: "ActionApproved, ParameterScheduled",
        faults: "
            role_not_allowed        | role=as gx_admin
            not_bootstrapped        | world=none
            system_paused           | world=paused
            actor_unknown           | actor=admin:gone
            actor_not_allowed       | actor=system
            action_unknown          | action=#nothing
            action_executed         | action=#done
            action_closed           | action=#closed
            action_expired          | action=#old
            same_admin              | action=#own
            action_too_early        | action=#soon
            admin_level_too_low     | actor=admin:clerk, action=#appoint
            proposer_not_admin      | action=#orphan
            parameters_inconsistent | action=#cap",
    },
];
