//! What the ledger answers, and in which form.

use gx_types::{AccountId, ActionId, Actor, CommandId, ProposalId};
use serde_json::{Value, json};

use super::host::Host;
use super::notation::{account, command_id, query};
use super::script::{check, check_in_world, go_on};
use crate::params::{Parameter, Parameters};
use crate::{NameError, Query, Refusal};

fn ask(host: &Host, name: &str, args: Value) -> Value {
    host.ask(query(name, &args)).unwrap()
}

fn refusal(host: &Host, name: &str, args: Value) -> Refusal {
    host.ask(query(name, &args)).unwrap_err().code
}

#[test]
fn a_balance_is_zero_for_an_empty_account_and_refused_for_none() {
    const NAME: &str = "TokenomicsContract:GetBalance";
    let host = check_in_world(
        "open alice.IN 30
        open child.IN 5
        admin:root FreezeWallet child.IN USER_REQUEST => WalletFrozen",
    );
    let of = |id: AccountId| json!({"accountId": id});
    let answer = |id: AccountId, balance: &str, frozen: Value| {
        assert_eq!(
            ask(&host, NAME, of(id)),
            json!({"accountId": id, "balance": balance, "frozen": frozen})
        );
    };
    answer(account("alice.IN"), "500000000", json!([]));
    answer(account("child.IN"), "0", json!(["USER_REQUEST"]));
    answer(account("treasury_IN"), "50000000", json!([]));
    answer(account("SYSTEM_LOAN_POOL"), "300000000000000000", json!([]));
    for unknown in ["bob.IN", "treasury_DE", "SYSTEM_NO_POOL", "anything"] {
        assert_eq!(refusal(&host, NAME, of(account(unknown))), Refusal::AccountNotFound);
    }
}

/// The id of the action that a table proposes under `#key`.
fn action(key: &str) -> ActionId {
    ActionId::made_by(command_id(key))
}

fn pool(id: &str, cap: &str, minted: &str, balance: &str) -> Value {
    json!({"poolId": id, "cap": cap, "minted": minted, "balance": balance})
}

#[test]
fn the_supply_after_the_first_two_users_is_what_was_recorded() {
    let supply = |host: &Host| ask(host, "TokenomicsContract:GetSupplyStatus", json!({}));
    let host = check_in_world("");
    let none = supply(&host);
    assert_eq!(none["totalMinted"], "0");
    assert_eq!(none["availableToMint"], "1250000000000000000");
    assert_eq!(none["circulatingSupply"], "0");

    let one = supply(&check_in_world("open alice.IN 30"));
    let untouched = |id: &str, cap: &str| pool(id, cap, "0", cap);
    let (users, governments) = ("577500000000000000", "152000000000000000");
    assert_eq!(
        one,
        json!({
            "maxSupply": "1250000000000000000",
            "totalMinted": "550000000",
            "availableToMint": "1249999999450000000",
            "circulatingSupply": "500000000",
            "pools": [
                pool("SYSTEM_USER_GENESIS_POOL", users, "500000000", "577499999500000000"),
                pool("SYSTEM_GOVT_GENESIS_POOL", governments, "50000000", "151999999950000000"),
                untouched("SYSTEM_CHARITABLE_POOL", "158000000000000000"),
                untouched("SYSTEM_LOAN_POOL", "300000000000000000"),
                untouched("SYSTEM_GX_POOL", "31250000000000000"),
                untouched("SYSTEM_OPERATIONS_FUND", "31250000000000000"),
            ]
        })
    );

    let two = supply(&check_in_world("open alice.IN 30\nopen bob.FR 30"));
    assert_eq!(two["pools"][0]["minted"], "1000000000");
    assert_eq!(two["pools"][1]["minted"], "100000000");
    assert_eq!(two["totalMinted"], "1100000000");
    assert_eq!(two["circulatingSupply"], "1000000000");
}

#[test]
fn fees_and_payments_to_pools_leave_circulation_without_being_unminted() {
    let host = check_in_world(
        "open alice.IN 30
        open bob.FR 30
        user:alice.IN Transfer alice.IN bob.FR 100GX => Transferred fee=150000
        user:bob.FR Transfer bob.FR SYSTEM_CHARITABLE_POOL 10GX => Transferred
        user:bob.FR Transfer bob.FR treasury_FR 5GX => Transferred",
    );
    let supply = ask(&host, "TokenomicsContract:GetSupplyStatus", json!({}));
    assert_eq!(supply["totalMinted"], "1100000000");
    assert_eq!(supply["circulatingSupply"], "984850000");
    assert_eq!(supply["pools"][2]["balance"], "158000000010000000");
    assert_eq!(supply["pools"][2]["minted"], "0");
    assert_eq!(supply["pools"][5]["balance"], "31250000000150000");
}

/// Gifts go to the pool that is there for them, and it then holds more than at first.
#[test]
fn nobody_pays_into_a_pool_but_the_charitable_one_and_the_fund_for_operations() {
    let host = check_in_world(
        "open alice.IN 30
        user:alice.IN Transfer alice.IN SYSTEM_GOVT_GENESIS_POOL 51GX => recipient_not_allowed
        user:alice.IN Transfer alice.IN SYSTEM_LOAN_POOL 51GX => recipient_not_allowed
        user:alice.IN Transfer alice.IN SYSTEM_OPERATIONS_FUND 1GX => Transferred fee=0
        user:alice.IN Transfer alice.IN SYSTEM_CHARITABLE_POOL 51GX => Transferred fee=0",
    );
    let supply = ask(&host, "TokenomicsContract:GetSupplyStatus", json!({}));
    assert_eq!(supply["pools"][2]["balance"], "158000000051000000");
    assert_eq!(supply["pools"][2]["minted"], "0");
    assert_eq!(supply["totalMinted"], "550000000");
    assert_eq!(supply["circulatingSupply"], "448000000");
}

#[test]
fn there_is_no_supply_before_bootstrap() {
    let host = check("");
    let name = "TokenomicsContract:GetSupplyStatus";
    assert_eq!(refusal(&host, name, json!({})), Refusal::NotBootstrapped);
}

#[test]
fn countries_show_weight_users_slots_and_treasury() {
    let host = check_in_world("open alice.IN 30\nopen child.IN 5");
    let india = json!({
        "countryCode": "IN", "weight": 60_000_000, "users": 2,
        "slots": [60_000_000, 120_000_000, 180_000_000, 240_000_000, 930_000_000, 1_470_000_000],
        "slotsUsed": [1, 0, 0, 0, 0, 0], "treasuryBalance": "50000000"
    });
    let france = json!({
        "countryCode": "FR", "weight": 40_000_000, "users": 0,
        "slots": [40_000_000, 80_000_000, 120_000_000, 160_000_000, 620_000_000, 980_000_000],
        "slotsUsed": [0, 0, 0, 0, 0, 0], "treasuryBalance": "0"
    });
    let stats =
        |code: &str| ask(&host, "AdminContract:GetCountryStats", json!({"countryCode": code}));
    assert_eq!(stats("IN"), india);
    assert_eq!(stats("FR"), france);
    let all = ask(&host, "AdminContract:ListAllCountries", json!({}));
    assert_eq!(all, json!([france, india]), "in order of the codes");
    let unknown = json!({"countryCode": "DE"});
    assert_eq!(refusal(&host, "AdminContract:GetCountryStats", unknown), Refusal::CountryUnknown);
    assert_eq!(ask(&check(""), "AdminContract:ListAllCountries", json!({})), json!([]));
}

#[test]
fn a_user_shows_country_type_genesis_and_freeze() {
    const NAME: &str = "IdentityContract:GetUser";
    let host = check_in_world(
        r#"at 4000
        open alice.IN 30
        open child.FR 5
        put c/IN {"v":1,"weight":6,"users":1,"slots":[1,0,0,0,0,0],"slotsUsed":[1,0,0,0,0,0]}
        at 5000
        open late.IN 30
        open aid.FR.E 0
        admin:root FreezeWallet alice.IN COURT_ORDER => WalletFrozen"#,
    );
    let shows = |word: &str, country: &str, kind: &str, at: i64, genesis: Value, frozen: Value| {
        let id = account(word);
        let expected = json!({
            "userId": id, "country": country, "accountType": kind, "createdAt": at,
            "genesis": genesis, "frozen": frozen, "status": "ACTIVE", "trustScore": 10,
            "keyed": false, "custodian": "platform"
        });
        assert_eq!(ask(&host, NAME, json!({"userId": id})), expected);
    };
    let granted = json!({"Granted": {"phase": 1, "amount": "500000000"}});
    shows("alice.IN", "IN", "0", 4000, granted, json!(["COURT_ORDER"]));
    shows("child.FR", "FR", "0", 4000, json!("Ineligible"), json!([]));
    shows("late.IN", "IN", "0", 5000, json!("Exhausted"), json!([]));
    shows("aid.FR.E", "FR", "E", 5000, json!("Ineligible"), json!([]));
    for no_user in ["bob.IN", "treasury_IN", "SYSTEM_LOAN_POOL"] {
        let args = json!({"userId": account(no_user)});
        assert_eq!(refusal(&host, NAME, args), Refusal::AccountNotFound);
    }
}

#[test]
fn an_outcome_is_found_by_its_command_id() {
    let host = check_in_world(
        "at 3000
        #good system CreateUser alice.IN 30 => GenesisDistributed, UserCreated
        + #bad system CreateUser alice.IN 31 => user_id_taken
        at 9000
        #good system CreateUser alice.IN 30 => repeated
        #bad system CreateUser alice.IN 32 => command_id_reused",
    );
    let batch = host.records().nth(2).unwrap().batch_id;
    let outcome = |key: &str| {
        let id = CommandId::derive(&Actor::System, key);
        ask(&host, "SmartContract:GetCommandOutcome", json!({"commandId": id}))
    };
    let applied = json!({"batchId": batch, "time": 3000, "applied": true, "refused": null});
    let (mut good, bad) = (outcome("good"), outcome("bad"));
    let body = good.as_object_mut().unwrap().remove("body").unwrap();
    assert_eq!(good, applied);
    assert_eq!(body.as_str().unwrap().len(), 32);
    assert_ne!(body, bad["body"]);
    assert_eq!((&bad["applied"], &bad["time"]), (&json!(false), &json!(3000)));
    assert_eq!(bad["refused"]["code"], "user_id_taken");
    assert_eq!(outcome("unheard of"), Value::Null);
}

#[test]
fn the_status_tells_of_bootstrap_countries_and_pause() {
    let status = |table: &str| ask(&check(table), "AdminContract:GetSystemStatus", json!({}));
    let expected = |at: Value, paused: Value, countries: usize, sealed: bool| {
        let network = if at.is_null() { Value::Null } else { json!("devnet") };
        json!({"bootstrappedAt": at, "networkId": network, "paused": paused,
               "countries": countries, "countriesSealed": sealed})
    };
    assert_eq!(status(""), expected(Value::Null, Value::Null, 0, false));
    let boot = "at 1000\nsystem BootstrapSystem root => SystemBootstrapped\nat 2000\n";
    assert_eq!(status(boot), expected(json!(1000), Value::Null, 0, false));
    let part = format!("{boot}admin:root InitializeCountryData IN=7 => CountriesInitialized\n");
    assert_eq!(status(&part), expected(json!(1000), Value::Null, 1, false));
    let sealed =
        format!("{part}admin:root InitializeCountryData FR=99999993 => CountriesInitialized");
    assert_eq!(status(&sealed), expected(json!(1000), Value::Null, 2, true));
    let paused = format!("{sealed}\nadmin:root PauseSystem \"ten letters\" => SystemPaused");
    let pause = json!({"since": 2000, "reason": "ten letters"});
    assert_eq!(status(&paused), expected(json!(1000), pause, 2, true));
    let resumed = format!("{paused}\nadmin:root ResumeSystem => SystemResumed");
    assert_eq!(status(&resumed), expected(json!(1000), Value::Null, 2, true));
}

#[test]
fn queries_are_answered_while_the_system_is_paused() {
    let host = check_in_world(
        r#"open alice.IN 30
        open a.IN 30
        open b.IN 30
        open c.IN 30
        org shop.IN.1 a.IN b.IN
        #held user:b.IN OpenEscrow c.IN 1GX 30d => EscrowOpened
        #paid user:a.IN InitiateMultiSigTx shop.IN.1 c.IN 1GX => MultiSigTxInitiated
        trust alice.IN 75
        #lent user:alice.IN ApplyForLoan 100GX 10 => LoanApplied
        user:alice.IN RegisterKey alice.IN k => KeyRegistered
        signed=k user:alice.IN NominateGuardians alice.IN a.IN b.IN c.IN => GuardiansNominated
        #made user:a.IN InitiateRecovery alice.IN new => RecoveryInitiated
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #late admin:root AppointAdmin late ADMIN => ActionProposed
        #days admin:root SubmitProposal votingDays 15 longer => ProposalSubmitted
        admin:root PauseSystem "ten letters" => SystemPaused"#,
    );
    let made = |prefix: &str, label: &str| format!("{prefix}_{}", command_id(label));
    for (name, args) in [
        ("AdminContract:GetSystemStatus", json!({})),
        ("TokenomicsContract:GetEscrow", json!({"escrowId": made("ESC", "held")})),
        ("TokenomicsContract:GetSpendingLimit", json!({"userId": account("a.IN")})),
        ("AdminContract:GetCountryStats", json!({"countryCode": "IN"})),
        ("AdminContract:ListAllCountries", json!({})),
        ("AdminContract:GetAdmin", json!({"adminId": "root"})),
        ("AdminContract:GetAttester", json!({"attesterId": "devnet"})),
        ("AdminContract:GetPendingAction", json!({"actionId": action("late")})),
        ("AdminContract:GetSystemParameter", json!({"paramId": "votingDays"})),
        ("AdminContract:ListSystemParameters", json!({})),
        ("AdminContract:GetGlobalCounters", json!({})),
        ("IdentityContract:GetUser", json!({"userId": account("alice.IN")})),
        ("IdentityContract:UserExists", json!({"userId": account("alice.IN")})),
        ("IdentityContract:GetMyProfile", json!({"userId": account("alice.IN")})),
        ("IdentityContract:GetRelationships", json!({"userId": account("alice.IN")})),
        ("IdentityContract:GetRecovery", json!({"recoveryId": made("REC", "made")})),
        ("LoanPoolContract:GetLoan", json!({"loanId": made("LOAN", "lent")})),
        ("LoanPoolContract:GetMyLoans", json!({"borrowerId": account("alice.IN")})),
        ("OrganizationContract:GetOrganization", json!({"orgId": account("shop.IN.1")})),
        ("OrganizationContract:GetPendingTransaction", json!({"pendingTxId": made("PTX", "paid")})),
        ("OrganizationContract:ListPendingTransactions", json!({"orgId": account("shop.IN.1")})),
        ("TokenomicsContract:GetBalance", json!({"accountId": account("alice.IN")})),
        ("TokenomicsContract:GetSupplyStatus", json!({})),
        (
            "GovernanceContract:GetProposal",
            json!({"proposalId": ProposalId::made_by(command_id("days"))}),
        ),
        ("GovernanceContract:ListActiveProposals", json!({})),
        (
            "TaxAndFeeContract:CheckVelocityTaxEligibility",
            json!({"accountId": account("alice.IN")}),
        ),
        (
            "TaxAndFeeContract:CalculateTransactionFee",
            json!({"from": account("alice.IN"), "to": account("treasury_IN"), "amount": "1"}),
        ),
        ("TokenomicsContract:GetPoolStatus", json!({"poolId": "SYSTEM_GX_POOL"})),
        ("TokenomicsContract:GetTreasury", json!({"countryCode": "IN"})),
        ("SmartContract:GetCommandOutcome", json!({"commandId": CommandId::from_u128(0)})),
        ("SmartContract:GetContractInfo", json!({})),
    ] {
        assert_eq!(query(name, &args).name(), name);
        ask(&host, name, args);
    }
    assert_eq!(Query::NAMES.len(), 31, "each query stands in the list above");
}

#[test]
fn a_query_has_its_full_name_and_exactly_its_arguments() {
    let read = Query::from_name_and_args;
    for name in ["GetBalance", "AdminContract:GetBalance", "TokenomicsContract:Transfer", ""] {
        assert!(matches!(read(name, "{}"), Err(NameError::Unknown(_))), "{name}");
    }
    for args in ["", "{}", "[]", r#"{"accountId":"a","more":1}"#, r#"{"accountId":" a"}"#] {
        let found = read("TokenomicsContract:GetBalance", args);
        assert!(matches!(found, Err(NameError::Arguments { .. })), "{args}");
    }
}

#[test]
fn an_admin_is_shown_in_office_and_after() {
    let host = check_in_world(
        "at 5000
        open bob.FR 30
        admin:root AppointAdmin boss SUPER_ADMIN bob.FR => AdminAppointed
        #clerk admin:root AppointAdmin clerk ADMIN => ActionProposed
        admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed
        at 6000
        #end admin:root RemoveAdmin clerk => ActionProposed
        admin:boss ApproveAction #end => ActionApproved, AdminRemoved",
    );
    let admin = |id: &str| ask(&host, "AdminContract:GetAdmin", json!({"adminId": id}));
    let expected = |id: &str, level: &str, at: i64, account: Value, removed: Value| {
        json!({"adminId": id, "level": level, "appointedAt": at, "accountId": account,
               "publicKey": null, "removedAt": removed})
    };
    assert_eq!(admin("root"), expected("root", "SUPER_ADMIN", 0, Value::Null, Value::Null));
    let bob = json!(account("bob.FR"));
    assert_eq!(admin("boss"), expected("boss", "SUPER_ADMIN", 5000, bob, Value::Null));
    assert_eq!(admin("clerk"), expected("clerk", "ADMIN", 5000, Value::Null, json!(6000)));
    let nobody = json!({"adminId": "nobody"});
    assert_eq!(refusal(&host, "AdminContract:GetAdmin", nobody), Refusal::AdminUnknown);
}

#[test]
fn an_action_is_shown_with_its_command_and_what_became_of_it() {
    const NAME: &str = "AdminContract:GetPendingAction";
    let host = check_in_world(
        "at 1000
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #done admin:root UpdateSystemParameter votingDays 15 => ActionProposed
        #left admin:root UpdateSystemParameter votingDays 16 => ActionProposed
        at 2000
        admin:boss ApproveAction #done => ActionApproved, ParameterScheduled
        #no admin:root UpdateSystemParameter loanOpenMax 7 => ActionProposed
        admin:boss RejectAction #no => ActionRejected
        #back admin:root UpdateSystemParameter loanOpenMax 8 => ActionProposed
        admin:root WithdrawAction #back => ActionWithdrawn",
    );
    let shown = |host: &Host, key: &str| ask(host, NAME, json!({"actionId": action(key)}));
    let command = |value: &str| {
        json!({"AdminContract:UpdateSystemParameter":
            {"paramId": "votingDays", "newValue": value}})
    };
    let expected = |key: &str, value: &str, status: &str, approval: Value| {
        json!({"actionId": action(key), "command": command(value), "proposedBy": "root",
               "proposedAt": 1000, "expiresAt": 604_801_000, "aloneFrom": null, "status": status,
               "approval": approval, "closure": null})
    };
    let approval = json!({"by": "boss", "at": 2000});
    assert_eq!(shown(&host, "done"), expected("done", "15", "EXECUTED", approval.clone()));
    assert_eq!(shown(&host, "left"), expected("left", "16", "PENDING", Value::Null));
    for (key, status, by) in [("no", "REJECTED", "boss"), ("back", "WITHDRAWN", "root")] {
        let found = shown(&host, key);
        assert_eq!((&found["status"], &found["closure"]["by"]), (&json!(status), &json!(by)));
    }
    let later = go_on(host, "at 604801000\nopen alice.IN 30");
    assert_eq!(shown(&later, "left"), expected("left", "16", "EXPIRED", Value::Null));
    assert_eq!(shown(&later, "done"), expected("done", "15", "EXECUTED", approval));
    let unknown = json!({"actionId": action("nothing")});
    assert_eq!(refusal(&later, NAME, unknown), Refusal::ActionUnknown);
}

#[test]
fn parameters_are_shown_with_value_unit_and_bounds() {
    let host =
        check_in_world(r#"put s/parameters {"v":1,"changes":3,"values":{"votingDays":"15"}}"#);
    let one = json!({
        "paramId": "votingDays", "unit": "DAYS", "value": "15", "defaultValue": "14",
        "min": "7", "max": "90", "description": "How long votes are taken.",
        "scheduled": null
    });
    let name = "AdminContract:GetSystemParameter";
    assert_eq!(ask(&host, name, json!({"paramId": "votingDays"})), one);
    let fee = ask(&host, name, json!({"paramId": "feeP2pFreeBelow"}));
    assert_eq!((&fee["unit"], &fee["value"]), (&json!("QIRAT"), &json!("3000000")));
    let all = ask(&host, "AdminContract:ListSystemParameters", json!({}));
    assert_eq!(all["changes"], 3);
    assert_eq!(all["parameters"].as_array().unwrap().len(), Parameter::all().count());
    assert!(all["parameters"].as_array().unwrap().contains(&one));
    assert_ne!(all["digest"], Parameters::DEFAULT.digest().to_string());
    let before = ask(&check(""), "AdminContract:ListSystemParameters", json!({}));
    assert_eq!(before["digest"], Parameters::DEFAULT.digest().to_string());
    let scheduled = check_in_world(
        "admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #days admin:root UpdateSystemParameter votingDays 15 => ActionProposed
        admin:boss ApproveAction #days => ActionApproved, ParameterScheduled",
    );
    let days = ask(&scheduled, name, json!({"paramId": "votingDays"}));
    assert_eq!(days["value"], "14");
    assert_eq!(days["scheduled"], json!({"newValue": "15", "effectiveAt": 604_800_000}));
    let unknown = Query::from_name_and_args(name, r#"{"paramId":"votingDay"}"#);
    assert!(matches!(unknown, Err(NameError::Arguments { .. })));
}

#[test]
fn the_counters_sum_over_all_countries() {
    let host = check_in_world(
        "open alice.IN 30
        open bob.FR 30
        open child.FR 5
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #days admin:root UpdateSystemParameter votingDays 15 => ActionProposed
        admin:boss ApproveAction #days => ActionApproved, ParameterScheduled
        at 7d
        user:alice.IN Transfer alice.IN bob.FR 1GX => SystemParameterUpdated, Transferred",
    );
    let name = "AdminContract:GetGlobalCounters";
    let expected = json!({
        "countries": 2, "users": 3, "slotsUsed": [2, 0, 0, 0, 0, 0],
        "slots": [100_000_000, 200_000_000, 300_000_000, 400_000_000, 1_550_000_000_u64,
            2_450_000_000_u64],
        "superAdmins": 2, "parameterChanges": 1
    });
    assert_eq!(ask(&host, name, json!({})), expected);
    assert_eq!(refusal(&check(""), name, json!({})), Refusal::NotBootstrapped);
}

#[test]
fn what_was_disbursed_counts_as_minted() {
    let host = check_in_world(
        "open bob.FR 30
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #aid admin:root DisburseFromPool SYSTEM_CHARITABLE_POOL bob.FR 10000GX aid => \
            ActionProposed
        admin:boss ApproveAction #aid => ActionApproved, PoolDisbursed
        user:bob.FR Transfer bob.FR SYSTEM_CHARITABLE_POOL 4000GX => Transferred",
    );
    let supply = ask(&host, "TokenomicsContract:GetSupplyStatus", json!({}));
    let charitable =
        pool("SYSTEM_CHARITABLE_POOL", "158000000000000000", "10000000000", "157999994000000000");
    assert_eq!(supply["pools"][2], charitable);
    assert_eq!(supply["totalMinted"], "10550000000");
    assert_eq!(supply["circulatingSupply"], "6500000000");
}

/// A pool that is refilled may pay out more than it held at first.
#[test]
fn no_pool_has_minted_more_than_it_held_at_first() {
    let host =
        check_in_world(r#"put s/disbursed {"v":1,"pools":{"SYSTEM_GX_POOL":"31250000000000001"}}"#);
    let supply = ask(&host, "TokenomicsContract:GetSupplyStatus", json!({}));
    assert_eq!(supply["pools"][4]["minted"], "31250000000000000");
}

#[test]
fn a_pool_is_shown_as_in_the_supply() {
    let host = check_in_world("open alice.IN 30");
    let name = "TokenomicsContract:GetPoolStatus";
    let supply = ask(&host, "TokenomicsContract:GetSupplyStatus", json!({}));
    for row in supply["pools"].as_array().unwrap() {
        assert_eq!(ask(&host, name, json!({"poolId": row["poolId"]})), *row);
    }
    let gx = json!({"poolId": "SYSTEM_GX_POOL"});
    assert_eq!(refusal(&check(""), name, gx), Refusal::NotBootstrapped);
    let unknown = Query::from_name_and_args(name, r#"{"poolId":"SYSTEM_NO_POOL"}"#);
    assert!(matches!(unknown, Err(NameError::Arguments { .. })));
}

#[test]
fn a_treasury_is_found_by_its_country() {
    let host = check_in_world("open alice.IN 30");
    let name = "TokenomicsContract:GetTreasury";
    let expected = json!({"countryCode": "IN", "treasuryId": "treasury_IN",
        "balance": "50000000", "orgId": null, "payableFrom": null, "paidSinceYesterday": "0"});
    assert_eq!(ask(&host, name, json!({"countryCode": "IN"})), expected);
    assert_eq!(refusal(&host, name, json!({"countryCode": "DE"})), Refusal::CountryUnknown);
}

#[test]
fn the_contract_tells_its_version_parameters_and_time() {
    let info = |table: &str| ask(&check(table), "SmartContract:GetContractInfo", json!({}));
    let empty = info("");
    let digest = Parameters::DEFAULT.digest().to_string();
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({"version": version, "parametersDigest": digest, "lastBatchAt": null});
    assert_eq!(empty, expected);
    let governed = info(
        r#"at 7000
        world IN=100000000
        put s/parameters {"v":1,"changes":1,"values":{"votingDays":"15"}}"#,
    );
    assert_eq!(governed["lastBatchAt"], 7000);
    assert_ne!(governed["parametersDigest"], digest);
}
