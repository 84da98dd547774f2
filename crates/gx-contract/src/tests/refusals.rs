//! Every refusal code is produced, and where two fit, the one declared first is given.
//!
//! For each command there is a line that is applied, and a list of faults: what to change in that
//! line, or in the world that it runs in, to get one code. Each fault is tried alone and with each
//! other fault of its command that can be present at the same time.

use std::collections::{BTreeMap, BTreeSet};

use gx_types::{CommandId, ProposalId};

use super::admin_faults;
use super::escrow_faults::{self, ESCROWS, OLD_ESCROWS};
use super::host::Host;
use super::identity_faults::{self, LATER_RECOVERIES, RECOVERIES, RELATIONS};
use super::loan_faults::{self, LOANS, OLD_LOANS};
use super::organization_faults::{self, ORGANIZATIONS, PAYMENTS, full};
use super::script::{check, go_on};
use crate::{Command, Refusal, RefusalKind};

/// A command's line that is applied, what stands in the places of the line, and its faults.
pub(super) struct Table {
    pub(super) line: &'static str,
    pub(super) good: &'static str,
    pub(super) applied: &'static str,
    /// A code and what to put in which places, one fault a line. `skips` marks a code that
    /// concerns one account of a list and refuses nothing.
    pub(super) faults: &'static str,
}

const TABLES: &[Table] = &[
    Table {
        line: "{actor} CreateUser {user} {age} {country} {human} {attest}",
        good: "actor=system, user=new.IN, age=30",
        applied: "GenesisDistributed, UserCreated",
        faults: "
            role_not_allowed         | role=as gx_super_admin
            not_bootstrapped         | world=none
            system_paused            | world=paused
            actor_unknown            | actor=admin:nobody
            actor_not_allowed        | actor=user:SYSTEM_GX_POOL
            age_invalid              | age=151
            user_id_invalid          | user=broken
            user_id_mismatch         | country=country=FR
            account_type_not_allowed | user=office.IN.7
            super_admins_missing     | world=young mainnet
            countries_not_sealed     | world=unsealed
            country_unknown          | user=new.XX
            user_id_taken            | user=alice.IN
            identity_taken           | human=human=bob
            attestation_missing      | world=strict, attest=
            attester_unknown         | attest=attest=nobody
            attestation_expired      | attest=attest=clinic@31276799999
            attestation_too_far_ahead | attest=attest=clinic@31881600001
            attestation_wrong        | attest=attest=clinic:k
            attester_country         | attest=attest=abroad
            attester_daily_max       | attest=attest=busy",
    },
    Table {
        line: "{actor} TransferCustody {user} {to}",
        good: "actor=system, user=alice.IN, to=OtherMSP",
        applied: "CustodyOffered",
        faults: "
            role_not_allowed  | role=as gx_super_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=user:SYSTEM_GX_POOL
            account_not_found | user=nobody.IN
            not_a_user        | user=SYSTEM_GX_POOL
            key_exists        | user=keyed.IN
            custody_not_held  | role=by AnotherMSP
            custody_unchanged | to=platform",
    },
    Table {
        line: "{actor} AcceptCustody {user}",
        good: "role=by OtherMSP, actor=system, user=offered.IN",
        applied: "CustodyTransferred",
        faults: "
            role_not_allowed    | role=as gx_super_admin
            not_bootstrapped    | world=none
            system_paused       | world=paused
            actor_unknown       | actor=admin:nobody
            actor_not_allowed   | actor=user:SYSTEM_GX_POOL
            account_not_found   | user=nobody.IN
            not_a_user          | user=SYSTEM_GX_POOL
            key_exists          | user=keyed.IN
            custody_not_offered | role=by AnotherMSP",
    },
    Table {
        line: "{signed} {actor} Transfer alice.IN {to} {amount} {remark}",
        good: "actor=user:alice.IN, to=bob.FR, amount=1GX",
        applied: "Transferred",
        faults: "
            role_not_allowed     | role=as gx_admin
            not_bootstrapped     | world=none
            system_paused        | world=paused
            actor_unknown        | actor=user:nobody.IN
            actor_not_allowed    | actor=admin:root
            signature_missing      | signed=, actor=user:keyed.IN
            signature_unexpected   | signed=signed=k
            signature_expired      | signed=signed=k@-1, actor=user:keyed.IN
            signature_too_far_ahead | signed=signed=k@31363200001, actor=user:keyed.IN
            signature_wrong        | signed=signed=other, actor=user:keyed.IN
            not_custodian        | role=by OtherMSP
            account_frozen       | actor=user:frank.FR
            account_locked       | actor=user:locked.IN
            account_deceased     | actor=user:dead.IN
            account_not_found    | to=nobody.IN
            counterparty_frozen  | to=frank.FR
            counterparty_deceased | to=dead.IN
            text_invalid         | remark=x*201
            amount_zero          | amount=0
            same_account         | to=alice.IN
            recipient_not_allowed | to=SYSTEM_LOAN_POOL
            not_own_account      | actor=user:bob.FR
            amount_overflow      | amount=18446744073709551615
            insufficient_balance | amount=5000GX",
    },
    Table {
        line: "{actor} DistributeGenesis {user}={age}{by} {others}",
        good: "actor=system, user=child.IN, age=13",
        applied: "GenesisDistributed",
        faults: "
            role_not_allowed              | role=as gx_super_admin
            not_bootstrapped              | world=none
            system_paused                 | world=paused
            actor_unknown                 | actor=admin:nobody
            actor_not_allowed             | actor=user:SYSTEM_GX_POOL
            list_invalid                  | others=a.IN=13 a.IN=13
            age_invalid                   | age=151
            skips account_not_found       | user=nobody.IN
            skips genesis_already_granted | user=alice.IN
            skips attestation_missing     | world=strict, by=
            skips attester_unknown        | by=/nobody
            skips attestation_expired     | by=/clinic@31276799999
            skips attestation_too_far_ahead | by=/clinic@31881600001
            skips attestation_wrong       | by=/clinic:k
            skips attester_country        | by=/abroad
            skips attester_daily_max      | by=/busy
            skips genesis_ineligible      | age=12
            skips genesis_exhausted       | user=late.DE",
    },
    Table {
        line: "{actor} FreezeWallet {user} COURT_ORDER",
        good: "actor=admin:root, user=alice.IN",
        applied: "WalletFrozen",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            account_not_found | user=nobody.IN
            not_freezable     | user=SYSTEM_LOAN_POOL
            already_frozen    | user=frank.FR",
    },
    Table {
        line: "{actor} UnfreezeWallet {user} {reason}",
        good: "actor=admin:root, user=frank.FR, reason=COURT_ORDER",
        applied: "WalletUnfrozen",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:nobody
            actor_not_allowed | actor=admin:clerk
            account_not_found | user=nobody.IN
            not_frozen        | user=alice.IN",
    },
    Table {
        line: "{actor} ApplyVelocityTax {user} {others}",
        good: "actor=system, user=carol.FR",
        applied: "VelocityTaxApplied",
        faults: "
            role_not_allowed        | role=as gx_super_admin
            not_bootstrapped        | world=none
            system_paused           | world=paused
            actor_unknown           | actor=admin:nobody
            actor_not_allowed       | actor=user:SYSTEM_GX_POOL
            list_invalid            | others=a.IN a.IN
            skips account_not_found | user=nobody.IN
            skips not_taxable       | user=treasury_IN
            skips tax_exempt        | user=frank.FR
            skips tax_not_due       | user=child.IN",
    },
    Table {
        line: "{actor} SetVelocityTaxExempt {user} {exempt}",
        good: "actor=admin:clerk, user=alice.IN, exempt=true",
        applied: "VelocityTaxExemptSet",
        faults: "
            role_not_allowed    | role=as gx_super_admin
            not_bootstrapped    | world=none
            system_paused       | world=paused
            actor_unknown       | actor=admin:nobody
            actor_not_allowed   | actor=system
            account_not_found   | user=nobody.IN
            not_taxable         | user=treasury_IN
            exemption_unchanged | exempt=false",
    },
    Table {
        line: "{actor} SubmitProposal {change} {title}",
        good: "actor=admin:clerk, change=votingDays 20, title=x",
        applied: "ProposalSubmitted",
        faults: "
            role_not_allowed    | role=as gx_super_admin
            not_bootstrapped    | world=none
            system_paused       | world=paused
            actor_unknown       | actor=admin:gone
            actor_not_allowed   | actor=system
            text_invalid        | title=x*201
            value_out_of_bounds | change=votingDays 0
            proposal_exists     | change=votingDays 33
            too_many_proposals  | world=crowded",
    },
    Table {
        line: "{actor} VoteOnProposal {proposal} FOR",
        good: "actor=user:alice.IN, proposal=#open",
        applied: "VoteCast",
        faults: "
            role_not_allowed  | role=as gx_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=user:nobody.IN
            actor_not_allowed | actor=admin:root
            account_frozen    | actor=user:frank.FR
            proposal_unknown  | proposal=#nothing
            voting_ended      | proposal=#ended
            account_too_young | actor=user:young.IN
            trust_too_low     | proposal=#strict, actor=user:carol.IN
            already_voted     | actor=user:bob.FR",
    },
    Table {
        line: "{actor} ExecuteProposal {proposal}",
        good: "actor=system, proposal=#ended",
        applied: "ProposalFailed",
        faults: "
            role_not_allowed  | role=as gx_super_admin
            not_bootstrapped  | world=none
            system_paused     | world=paused
            actor_unknown     | actor=admin:gone
            actor_not_allowed | actor=user:alice.IN
            proposal_unknown  | proposal=#nothing
            proposal_finished | proposal=#finished
            voting_not_ended  | proposal=#open",
    },
];

/// The tables of all commands; those of a contract with many have a file of their own.
fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES
        .iter()
        .chain(&admin_faults::TABLES)
        .chain(&identity_faults::TABLES)
        .chain(&organization_faults::TABLES)
        .chain(&loan_faults::TABLES)
        .chain(&escrow_faults::TABLES)
}

/// Places of the lines that are empty unless something is put there.
const EMPTY: [&str; 17] = [
    "attest", "by", "own", "key", "id", "proof", "role", "signed", "first", "second", "third",
    "country", "human", "remark", "others", "account", "rules",
];

/// What every command can have beside its own faults.
const FAULT_OF_ALL: &str = "command_id_reused | id=#used";

/// The record of one of many active proposals, for other values each.
fn active_proposal(number: u32) -> String {
    let id = ProposalId::made_by(CommandId::from_u128(number.into()));
    let value = number + 33;
    format!(r#"{{"proposalId":"{id}","paramId":"votingDays","newValue":"{value}"}}"#)
}

const CLERK: &str = r#"put d/clerk {"v":1,"level":"ADMIN","appointedAt":0}"#;

/// The command whose id is used in every world.
const USED: &str = "#used admin:root UnfreezeWallet late.DE COURT_ORDER";

/// What was proposed to two admins and to voters.
const ACTIONS: &str = "#old admin:root UpdateSystemParameter votingDays 20 => ActionProposed
        at 362d
        #done admin:root UpdateSystemParameter loanOpenMax 6 => ActionProposed
        admin:boss ApproveAction #done => ActionApproved, ParameterScheduled
        #closed admin:root UpdateSystemParameter votingDays 25 => ActionProposed
        admin:root WithdrawAction #closed => ActionWithdrawn
        #raise admin:root UpdateSystemParameter votingDays 22 => ActionProposed
        #own admin:boss UpdateSystemParameter votingDays 23 => ActionProposed
        #appoint admin:root AppointAdmin late ADMIN => ActionProposed
        #soon admin:boss AppointAdmin third SUPER_ADMIN emergency => ActionProposed
        #gone admin:root AppointAdmin gone SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #gone => ActionApproved, AdminAppointed
        #orphan admin:gone UpdateSystemParameter votingDays 24 => ActionProposed
        #away admin:root RemoveAdmin gone => ActionProposed
        admin:boss ApproveAction #away => ActionApproved, AdminRemoved
        #cap admin:root UpdateSystemParameter feeCapBps 45 => ActionProposed
        #rate admin:root UpdateSystemParameter feeB2bLocalBps 46 => ActionProposed
        admin:boss ApproveAction #rate => ActionApproved, ParameterScheduled
        #strict admin:clerk SubmitProposal votingDays 34 x => ProposalSubmitted
        #open admin:clerk SubmitProposal votingDays 33 x => ProposalSubmitted
        needs #open 100 10
        user:bob.FR VoteOnProposal #open FOR => VoteCast";

/// One who may attest, one who may elsewhere, and one who may no more today.
const ATTESTERS: &str = "attester clinic 10 IN
        attester abroad 10 FR
        attester busy 1 IN DE
        open tired.IN 5 attest=busy";

fn normal() -> String {
    format!(
        "world IN=60000000 FR=40000000 DE=0
        {CLERK}
        open carol.FR 30
        #ended admin:clerk SubmitProposal votingDays 31 x => ProposalSubmitted
        #finished admin:clerk SubmitProposal votingDays 32 x => ProposalSubmitted
        at 252d
        open alice.IN 30
        open bob.FR 30
        open frank.FR 30
        open carol.IN 30 human=caroline
        {OLD_LOANS}
        {OLD_ESCROWS}
        {PAYMENTS}
        {full}
        admin:clerk ExecuteProposal #finished => ProposalFailed
        admin:clerk SetVelocityTaxExempt frank.FR true => VelocityTaxExemptSet
        open child.IN 5
        open late.DE 30
        open keyed.IN 30
        user:keyed.IN RegisterKey keyed.IN k => KeyRegistered
        open offered.IN 30
        system TransferCustody offered.IN OtherMSP => CustodyOffered
        open locked.IN 30
        admin:root SetUserStatus locked.IN LOCKED => UserStatusSet
        open dead.IN 30
        admin:root AppointAdmin boss SUPER_ADMIN bob.FR => AdminAppointed
        put d/keyed {{\"v\":1,\"level\":\"ADMIN\",\"appointedAt\":0}}
        admin:keyed RegisterAdminKey k => AdminKeyRegistered
        #dead admin:root SetUserStatus dead.IN DECEASED order => ActionProposed
        admin:boss ApproveAction #dead => ActionApproved, UserStatusSet
        {RECOVERIES}
        {ACTIONS}
        open young.IN 30
        {LATER_RECOVERIES}
        admin:root FreezeWallet frank.FR COURT_ORDER => WalletFrozen
        {RELATIONS}
        {ORGANIZATIONS}
        {LOANS}
        {ESCROWS}
        {ATTESTERS}
        {USED} => not_frozen\n",
        full = full()
    )
}

/// A world with everything that a fault names. In each world the id `used` has its outcome.
fn world(name: &str) -> Host {
    let crowd: Vec<String> = (0..100).map(active_proposal).collect();
    let crowded = format!("put s/proposals {{\"v\":1,\"proposals\":[{}]}}", crowd.join(","));
    let pause = "admin:root PauseSystem \"ten letters\" => SystemPaused";
    let keys = r#"put s/parameters {"v":1,"changes":9,"values":{"adminKeysRequired":"1"}}"#;
    let unsealed = format!(
        "system BootstrapSystem root => SystemBootstrapped
        {CLERK}
        admin:root InitializeCountryData IN=1 => CountriesInitialized
        {USED} => account_not_found\n"
    );
    let mainnet = format!(
        "world mainnet IN=60000000 FR=40000000
        {USED} => account_not_found
        admin:root RegisterAdminKey k => AdminKeyRegistered
        signed=k admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        admin:boss RegisterAdminKey k2 => AdminKeyRegistered
        #third signed=k admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        signed=k2 admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        #clerk signed=k admin:root AppointAdmin clerk ADMIN => ActionProposed
        signed=k2 admin:boss ApproveAction #clerk => ActionApproved, AdminAppointed
        #clinic signed=k admin:root RegisterAttester clinic clinic 10 IN => ActionProposed
        signed=k2 admin:boss ApproveAction #clinic => ActionApproved, AttesterRegistered
        open alice.IN 30 attest=clinic\n"
    );
    check(&match name {
        "mainnet" => mainnet,
        "jumped" => mainnet + "at 40d",
        "none" => format!("{USED} => not_bootstrapped"),
        "normal" => normal(),
        "paused" => normal() + pause,
        "unsaid" => {
            let unsaid = r#"{"v":1,"level":"SUPER_ADMIN","appointedAt":0}"#;
            normal() + &format!("put d/root {unsaid}\nput d/boss {unsaid}")
        }
        "frugal" => {
            let daily = r#"{"disbursementDailyMax":"1"}"#;
            normal() + &format!(r#"put s/parameters {{"v":1,"changes":9,"values":{daily}}}"#)
        }
        "young mainnet" => {
            unsealed.replace("root =>", "root mainnet =>").replace("IN=1 ", "IN=100000000 ")
        }
        "strict" => {
            let end = "RemoveAttester devnet => ActionProposed";
            let approved = "ApproveAction #strictly => ActionApproved, AttesterRemoved";
            normal() + &format!("#strictly admin:root {end}\nadmin:boss {approved}")
        }
        "poor" => normal() + "poor SYSTEM_GX_POOL 1GX",
        "crowded" => normal() + &crowded,
        "with keys" => normal() + keys,
        "unsealed" => unsealed,
        "unsealed and paused" => unsealed + pause,
        _ => panic!("no world {name:?}"),
    })
}

#[derive(Clone, Debug)]
struct Fault {
    /// It skips a user; such faults are found after all others.
    skips: bool,
    code: Refusal,
    places: BTreeMap<&'static str, &'static str>,
}

fn places(text: &'static str) -> BTreeMap<&'static str, &'static str> {
    text.split(',').map(|place| place.trim().split_once('=').unwrap()).collect()
}

impl Fault {
    fn parse(row: &'static str) -> Self {
        let (code, changed) = row.split_once('|').unwrap();
        let skips = code.trim().strip_prefix("skips ");
        let code = skips.unwrap_or(code).trim();
        let code = *Refusal::ALL.iter().find(|known| known.code() == code).unwrap();
        Self { skips: skips.is_some(), code, places: places(changed) }
    }

    /// Both faults at once, seen as the one that must be answered.
    fn and(&self, other: &Self) -> Option<Self> {
        if self.places.keys().any(|place| other.places.contains_key(place)) {
            return None;
        }
        let first = if (self.skips, self.code) < (other.skips, other.code) { self } else { other };
        let places = self.places.iter().chain(&other.places).map(|(place, what)| (*place, *what));
        Some(Self { places: places.collect(), ..first.clone() })
    }

    fn expected(&self, table: &Table) -> String {
        let code = self.code;
        match (self.skips, table.applied) {
            (false, _) => code.to_string(),
            (true, "VelocityTaxApplied") => format!("VelocityTaxSkipped code={code}"),
            (true, "MultiSigTxApproved, MultiSigTxExecuted") => {
                format!("MultiSigTxApproved, MultiSigTxExecutionFailed code={code}")
            }
            (true, _) => format!("GenesisSkipped code={code}"),
        }
    }
}

impl Table {
    fn faults(&self) -> Vec<Fault> {
        let rows = self.faults.lines().map(str::trim).filter(|row| !row.is_empty());
        rows.chain([FAULT_OF_ALL]).map(Fault::parse).collect()
    }

    /// Gives the command in a world, with what is put in its places.
    fn give(
        &self,
        worlds: &BTreeMap<&str, Host>,
        changed: &BTreeMap<&'static str, &'static str>,
        expected: &str,
    ) -> Host {
        let mut places = places(self.good);
        places.extend(changed);
        let world = &worlds[places.remove("world").unwrap_or("normal")];
        let mut line = format!("{{id}} {{role}} {} => {expected}", self.line);
        for (place, what) in &places {
            line = line.replace(&format!("{{{place}}}"), what);
        }
        for empty in EMPTY {
            line = line.replace(&format!("{{{empty}}}"), "");
        }
        go_on(world.clone(), &line)
    }
}

fn worlds() -> BTreeMap<&'static str, Host> {
    let names = [
        "none",
        "normal",
        "paused",
        "poor",
        "unsaid",
        "frugal",
        "strict",
        "young mainnet",
        "crowded",
        "with keys",
        "mainnet",
        "jumped",
        "unsealed",
        "unsealed and paused",
    ];
    names.into_iter().map(|name| (name, world(name))).collect()
}

#[test]
fn each_line_without_a_fault_is_applied() {
    let worlds = worlds();
    for table in tables() {
        table.give(&worlds, &BTreeMap::new(), table.applied);
    }
}

#[test]
fn every_command_has_a_table() {
    let function = |table: &Table| {
        let mut words = table.line.split_whitespace().skip_while(|word| *word != "{actor}");
        words.nth(1).unwrap()
    };
    let functions = tables().map(function);
    let named: BTreeSet<&str> =
        Command::NAMES.iter().map(|name| name.split_once(':').unwrap().1).collect();
    assert_eq!(functions.collect::<BTreeSet<_>>(), named);
}

#[test]
fn every_code_is_produced() {
    let worlds = worlds();
    let mut produced = BTreeSet::new();
    for table in tables() {
        for fault in table.faults() {
            table.give(&worlds, &fault.places, &fault.expected(table));
            produced.insert(fault.code);
        }
    }
    let missing: Vec<&Refusal> =
        Refusal::ALL.iter().filter(|code| !produced.contains(code)).collect();
    assert!(missing.is_empty(), "no command produces {missing:?}");
}

#[test]
fn of_two_codes_that_fit_the_one_declared_first_is_given() {
    let worlds = worlds();
    let mut pairs = 0;
    for table in tables() {
        let faults = table.faults();
        for (at, fault) in faults.iter().enumerate() {
            for both in faults[..at].iter().filter_map(|other| fault.and(other)) {
                table.give(&worlds, &both.places, &both.expected(table));
                pairs += 1;
            }
        }
    }
    assert!(pairs > 300, "{pairs} pairs");
}

/// An amount that does not fit 64 bits with its fee is not covered by any balance either.
#[test]
fn an_overflow_is_found_before_the_balance_is_looked_at() {
    assert!(Refusal::AmountOverflow < Refusal::InsufficientBalance);
}

#[test]
fn codes_are_declared_in_order_and_differ() {
    assert!(Refusal::ALL.is_sorted_by(|a, b| a < b));
    let codes: BTreeSet<&str> = Refusal::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes.len(), Refusal::ALL.len());
    for code in Refusal::ALL {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(code.code().bytes().all(plain), "{code} is snake_case");
        assert_eq!(serde_json::to_value(code).unwrap(), code.code());
        assert!(code.describe().ends_with('.') && code.describe().len() > 10, "{code}");
    }
}

/// What may pass later by itself or by what others do, without anybody changing the command.
#[test]
fn codes_say_whether_the_same_command_may_pass_later() {
    let transient: Vec<&str> =
        Refusal::ALL.iter().filter(|code| code.transient()).map(|code| code.code()).collect();
    assert_eq!(
        transient.join(" "),
        "not_bootstrapped system_paused actor_unknown admin_key_missing not_custodian \
         account_frozen account_locked account_not_found counterparty_frozen counterparty_deceased \
         expiry_invalid arbiter_invalid clock_differs action_unknown action_too_early \
         proposer_not_admin admin_unknown admin_exists admin_account_invalid \
         attester_exists too_few_super_admins parameter_change_scheduled \
         parameter_change_not_scheduled parameters_inconsistent admin_account_unsaid \
         amount_above_cap day_exhausted proposal_unknown proposal_exists too_many_proposals \
         voting_not_ended not_paused \
         super_admins_missing countries_not_sealed \
         country_unknown guardian_not_found relationship_not_found recovery_not_found \
         stakeholder_not_found treasury_locked organization_not_found pending_tx_not_found \
         stakeholder_change_not_found loan_not_found escrow_not_found not_guardian \
         escrow_not_expired endorsements_missing organization_not_active treasury_not_payable \
         stakeholder_change_open stakeholders_invalid too_few_stay stakeholder_active \
         ladder_unfit approver_not_active too_many_pending too_many_own_pending \
         loan_amount_invalid loan_duration_invalid account_too_young \
         trust_too_low too_many_loans loan_limit_exceeded loan_not_active loan_not_overdue \
         relationship_exists relationship_rejected relationship_not_pending \
         relationship_not_confirmed family_already spouse_exists parent_exists custody_not_held \
         custody_unchanged custody_not_offered key_missing \
         key_unchanged key_reset_open key_reset_not_found recovery_open recovery_too_soon \
         recovery_not_confirmed recovery_too_early owner_not_active \
         attester_unknown attestation_too_far_ahead attester_daily_max genesis_ineligible \
         status_unchanged \
         already_frozen not_deceased not_frozen exemption_unchanged tax_exempt tax_not_due \
         limit_unchanged spending_limit insufficient_balance"
    );
}

/// What interfaces answer by: the statuses of HTTP follow from it, and clients from them.
#[test]
fn the_kinds_of_refusals_stay() {
    let of = |kind: RefusalKind| {
        let codes = Refusal::ALL.iter().filter(|code| code.kind() == kind);
        codes.map(|code| code.code()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        of(RefusalKind::Invalid),
        "text_invalid list_invalid age_invalid user_id_invalid user_id_mismatch \
         account_type_not_allowed auth_rule_invalid order_missing public_key_invalid \
         value_out_of_bounds amount_zero same_account pool_not_disbursable payer_not_allowed \
         loan_amount_invalid loan_duration_invalid"
    );
    assert_eq!(
        of(RefusalKind::Forbidden),
        "role_not_allowed actor_unknown actor_not_allowed admin_key_missing signature_missing \
         signature_unexpected signature_expired signature_too_far_ahead signature_wrong \
         not_custodian account_frozen account_locked account_deceased not_own_account same_admin \
         not_proposer admin_level_too_low not_oneself admin_account_unsaid not_party not_guardian \
         not_stakeholder not_approver account_too_young loans_barred trust_too_low key_not_proven \
         confirmation_wrong attestation_missing attestation_expired attestation_too_far_ahead \
         attestation_wrong attester_country"
    );
    assert_eq!(
        of(RefusalKind::Missing),
        "account_not_found action_unknown admin_unknown proposal_unknown country_unknown \
         guardian_not_found relationship_not_found recovery_not_found stakeholder_not_found \
         organization_not_found pending_tx_not_found stakeholder_change_not_found loan_not_found \
         escrow_not_found key_reset_not_found attester_unknown"
    );
    assert_eq!(
        of(RefusalKind::Unfit),
        "command_id_reused recipient_not_allowed expiry_invalid parameters_inconsistent \
         recipient_is_admin amount_above_cap day_exhausted loan_limit_exceeded \
         repayment_too_large attester_daily_max amount_overflow spending_limit insufficient_balance"
    );
    assert_eq!(of(RefusalKind::Unavailable), "system_paused");
}

/// That nothing else is ever refused is held against every batch, see `invariants`.
#[test]
fn each_command_lists_what_it_can_be_refused_for() {
    for command in Command::descriptions() {
        let function = command.name.split_once(':').unwrap().1;
        let table =
            tables().find(|table| table.line.split(' ').any(|word| word == function)).unwrap();
        for Fault { code, .. } in table.faults().iter().filter(|fault| !fault.skips) {
            let told = command.runs_actions || command.refusals.contains(code);
            assert!(told, "{function} does not list {code}");
        }
    }
}

#[test]
fn each_event_is_listed_by_a_command() {
    let listed: BTreeSet<&str> =
        Command::descriptions().iter().flat_map(|command| command.events.clone()).collect();
    assert_eq!(listed, crate::Event::NAMES.iter().copied().collect());
}
