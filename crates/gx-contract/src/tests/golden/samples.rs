//! One value of everything stored and emitted, with and without what is optional.

use gx_types::{AccountId, AccountType, Actor, AdminId, Amount, BatchId, CommandId, CountryCode};
use gx_types::{MspId, NetworkId, Pool, RecoveryId, RelationshipId, Role, TimeMs};

use super::{attesters, escrows, governed, loans, organizations};
use crate::admin::{
    BootstrapSystem, CountriesInitialized, CountrySlots, CountryWeight, FirstKey,
    InitializeCountryData, OrderHash, OwnAccount, PauseSystem, ResumeSystem, SystemBootstrapped,
    SystemPaused, SystemResumed,
};
use crate::custody::{
    AcceptCustody, Custodians, CustodyOffered, CustodyTransferred, TransferCustody,
};
use crate::freezing::{
    FreezeReason, FreezeReasons, FreezeWallet, UnfreezeWallet, WalletFrozen, WalletUnfrozen,
};
use crate::identity::{
    AccountStatus, Begun, CancelRecovery, CompleteKeyReset, CompleteRecovery, ConfirmRecovery,
    ConfirmRelationship, CreateUser, EndRelationship, Guardians, GuardiansDropped,
    GuardiansNominated, IdentityHash, InitiateRecovery, KeyRecord, KeyRegistered, KeyReset,
    KeyResetCancelled, KeyResetCompleted, KeyResetOrdered, KeyResetState, KeyRotated,
    NominateGuardians, Recovery, RecoveryCancelled, RecoveryCompleted, RecoveryConfirmed,
    RecoveryInitiated, RecoveryState, RegisterKey, RejectRelationship, Relationship,
    RelationshipConfirmed, RelationshipEnded, RelationshipKind, RelationshipRejected,
    RelationshipRequested, RelationshipState, RequestRelationship, ResetKeyByOrder, RotateKey,
    SetUserStatus, Tally, TrustScore, UserCreated, UserStatusSet, VetoKeyReset,
};
use crate::state::{
    Account, AccountKind, Admin, AdminLevel, Clock, CommandOutcome, Countries, Country, Identity,
    Key, Pause, Record, RunningMs, System, User, Version,
};
use crate::tax_and_fee::TaxTimer;
use crate::tokenomics::{
    AttestedAge, DistributeGenesis, GenesisDistributed, GenesisSkipped, Transfer, Transferred,
};
use crate::{
    Batch, BatchRecord, Command, CommandResult, Envelope, Event, GenesisStatus, Outcome, Posting,
    PublicKey, Refusal, Repeated, Scope, Signature, SignatureBytes, TransferType,
};

/// All values of an enum; one that is missing in the list does not compile.
macro_rules! all {
    ($list:ident of $type:ident: $($variant:ident)+) => {
        pub(super) const $list: &[$type] = &[$($type::$variant),+];
        const _: fn($type) = |value| match value { $($type::$variant => (),)+ };
    };
}
pub(super) use all;

all!(REASONS of FreezeReason: AdminAction SuspiciousActivity ComplianceReview CourtOrder
    UserRequest Inactivity DebtCollection);
all!(TRANSFER_TYPES of TransferType: P2P Merchant Government B2B System);
all!(STATUSES of AccountStatus: Active Locked Deceased);
all!(KINDS of RelationshipKind: FatherOf MotherOf SpouseOf SiblingOf ChildOf FriendOf
    BusinessPartnerOf DirectorOf WorkplaceAssociateOf);
all!(RELATIONSHIP_STATES of RelationshipState: PendingConfirmation Confirmed Rejected Ended);
all!(RECOVERY_STATES of RecoveryState: Pending Confirmed Cancelled Completed);
all!(KEY_RESET_STATES of KeyResetState: Open Cancelled Completed);
all!(SCOPES of Scope: Local CrossBorder);
all!(LEVELS of AdminLevel: SuperAdmin Admin);

/// The text that a value is in JSON.
pub(super) fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

pub(super) fn country(code: &str) -> CountryCode {
    code.parse().unwrap()
}

pub(super) fn account(code: &str) -> AccountId {
    AccountId::from_entropy(country(code), AccountType::Individual, *b"0123456789abcdef")
}

pub(super) fn admin() -> AdminId {
    "root".parse().unwrap()
}

fn identity_hash() -> IdentityHash {
    IdentityHash::from_bytes(std::array::from_fn(|at| 0xE0 + at as u8))
}

fn recovery_id() -> RecoveryId {
    RecoveryId::made_by(COMMAND)
}

fn relationship_id() -> RelationshipId {
    RelationshipKind::FriendOf.id_between(account("IN"), account("FR"))
}

fn three_guardians() -> Vec<AccountId> {
    ["FR", "DE", "ES"].map(account).to_vec()
}

pub(super) fn trust_score(trust_score: u8) -> TrustScore {
    TrustScore { user_id: account("IN"), trust_score }
}

pub(super) fn public_key() -> PublicKey {
    PublicKey::from_bytes(std::array::from_fn(|at| 0xA0 + at as u8))
}

pub(super) fn proof() -> SignatureBytes {
    SignatureBytes::from_bytes([3; 64])
}

fn signature() -> Signature {
    let signature = SignatureBytes::from_bytes(std::array::from_fn(|at| at as u8));
    Signature { signature, expires_at: TIME }
}

pub(super) fn posting(account: AccountId, change: &str, balance: u64) -> Posting {
    Posting(account, change.parse().unwrap(), Amount::from_qirat(balance))
}

pub(super) const TIME: TimeMs = TimeMs(1_767_225_600_123);
const BATCH: BatchId = BatchId::from_u128(0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF);
pub(super) const COMMAND: CommandId =
    CommandId::from_u128(0xFEDC_BA98_7654_3210_FEDC_BA98_7654_3210);
const GRANTED: GenesisStatus = GenesisStatus::Granted { phase: 1, amount: Amount::from_gx(500) };

fn statuses() -> [(&'static str, GenesisStatus); 3] {
    let all = [GRANTED, GenesisStatus::Ineligible, GenesisStatus::Exhausted];
    all.map(|status| match status {
        GenesisStatus::Granted { .. } => ("granted", status),
        GenesisStatus::Ineligible => ("ineligible", status),
        GenesisStatus::Exhausted => ("exhausted", status),
    })
}

/// An admin of each level: in office, with a key, removed.
fn admin_records() -> Vec<(String, Key, Record)> {
    let mut all: Vec<(String, Key, Record)> = Vec::new();
    let mut add = |case: &str, key, record| all.push((case.to_owned(), key, record));
    for level in LEVELS {
        let record = Admin {
            v: Version,
            level: *level,
            appointed_at: TIME,
            account_id: OwnAccount::Unsaid,
            public_key: None,
            key_since: None,
            removed_at: None,
        };
        add(&word(level), Key::Admin(admin()), record.clone().into());
        let (key, key_since) = (Some(public_key()), Some(TIME));
        let keyed = Admin { public_key: key, key_since, ..record.clone() };
        add(&format!("{}-keyed", word(level)), Key::Admin(admin()), keyed.into());
        let absent = Admin { account_id: OwnAccount::Absent, ..record.clone() };
        add(&format!("{}-absent", word(level)), Key::Admin(admin()), absent.into());
        let account_id = OwnAccount::Of(account("IN"));
        let removed = Admin { account_id, removed_at: Some(TIME), ..record };
        add(&format!("{}-removed", word(level)), Key::Admin(admin()), removed.into());
    }
    all
}

pub(crate) fn records() -> Vec<(String, Key, Record)> {
    let mut all: Vec<(String, Key, Record)> = Vec::new();
    let mut add = |case: &str, key, record| all.push((case.to_owned(), key, record));
    for (case, account) in accounts() {
        add(&case, Key::Account(self::account("IN")), account.into());
    }
    let mut row =
        Country { v: Version, weight: 13_464_767, users: 0, slots: [0; 6], slots_used: [0; 6] };
    add("added", Key::Country(country("IN")), row.clone().into());
    (row.users, row.slots, row.slots_used) =
        (9, [1, 2, 3, 4, 5, u64::MAX >> 11], [1, 2, 0, 0, 0, 0]);
    add("sealed", Key::Country(country("IN")), row.into());
    for (case, key, record) in admin_records() {
        add(&case, key, record);
    }
    let identity = Identity { v: Version, user_id: account("IN") };
    add("plain", Key::Identity(identity_hash()), identity.into());
    let key = KeyRecord { v: Version, public_key: public_key(), since: TIME };
    add("plain", Key::AccountKey(account("IN")), key.into());
    for (case, key, record) in identity_records()
        .into_iter()
        .chain(organizations::records())
        .chain(loans::records())
        .chain(escrows::records())
        .chain(attesters::records())
    {
        add(&case, key, record);
    }
    let body = envelopes()[0].1.body_hash();
    for (case, refused) in [
        ("applied", None),
        ("refused", Some(Refusal::InsufficientBalance.because("holds 1 Q, needed 2 Q"))),
    ] {
        let refused = refused.map(Box::new);
        let record = CommandOutcome { v: Version, body, batch_id: BATCH, time: TIME, refused };
        add(case, Key::Outcome(COMMAND), record.into());
    }
    add("plain", Key::Clock, Clock { v: Version, last_batch_at: TIME }.into());
    let codes = vec![country("FR"), country("IN")];
    let set = Countries { v: Version, total_weight: 100_000_000, codes };
    add("sealed", Key::Countries, set.into());
    for (case, paused) in
        [("running", None), ("paused", Some(Pause { since: TIME, reason: "audit \"7\"".into() }))]
    {
        let system = System {
            v: Version,
            bootstrapped_at: TIME,
            network_id: NetworkId::Mainnet,
            custodians: Custodians::first(MspId::PLATFORM),
            paused,
            super_admins: 1,
            paused_ms: 0,
        };
        add(case, Key::System, system.clone().into());
        let custodians = system.custodians.with(other_msp());
        let several = System { super_admins: 2, custodians, ..system };
        add(&format!("{case}-several-super-admins"), Key::System, several.into());
    }
    for (case, genesis) in statuses() {
        let identity_hash = identity_hash();
        let trust_score = 10;
        let (created_at, offered_to) = (TIME, None);
        let user = User { v: Version, identity_hash, created_at, genesis, trust_score, offered_to };
        add(case, Key::User(account("IN")), user.clone().into());
        let offered = User { offered_to: Some(Box::new(other_msp())), ..user.clone() };
        add(&format!("{case}-offered"), Key::User(account("IN")), offered.into());
        let trusted = User { trust_score: 75, ..user };
        add(&format!("{case}-trusted"), Key::User(account("IN")), trusted.into());
    }
    all.extend(governed::records());
    all
}

fn other_msp() -> MspId {
    "Org2MSP".parse().unwrap()
}

fn identity_records() -> Vec<(String, Key, Record)> {
    let mut all: Vec<(String, Key, Record)> = Vec::new();
    let mut add = |case: String, key, record| all.push((case, key, record));
    let friends = Relationship {
        v: Version,
        kind: RelationshipKind::FriendOf,
        subject_id: account("IN"),
        object_id: account("FR"),
        state: RelationshipState::Confirmed,
        since: TIME,
        askable_from: None,
    };
    let key = Key::Relationship(relationship_id());
    for kind in KINDS {
        add(word(kind), key, Relationship { kind: *kind, ..friends }.into());
    }
    for state in RELATIONSHIP_STATES {
        add(word(state), key, Relationship { state: *state, ..friends }.into());
    }
    let rejected = Relationship { state: RelationshipState::Rejected, ..friends };
    let askable_from = Some(RunningMs(TIME.0));
    add("waits".to_owned(), key, Relationship { askable_from, ..rejected }.into());
    let begun = Begun { by: account("FR"), recovery_id: recovery_id() };
    for (case, begun) in [("idle", Vec::new()), ("used", vec![begun])] {
        let record = Guardians { v: Version, guardians: three_guardians(), begun };
        add(case.to_owned(), Key::Guardians(account("IN")), record.into());
    }
    for state in RECOVERY_STATES {
        let recovery = Recovery {
            v: Version,
            user_id: account("IN"),
            public_key: public_key(),
            guardians: three_guardians(),
            confirmed_by: vec![account("FR")],
            state: *state,
            expires_at: RunningMs(TIME.0),
            completable_at: (*state != RecoveryState::Pending).then_some(RunningMs(TIME.0)),
            cancelled_at: (*state == RecoveryState::Cancelled).then_some(RunningMs(TIME.0)),
        };
        add(word(state), Key::Recovery(recovery_id()), recovery.into());
    }
    let single = Tally { friends: 3, conduct: -50, ..Tally::default() };
    add("single".to_owned(), Key::Tally(account("IN")), single.into());
    for state in KEY_RESET_STATES {
        let reset = KeyReset {
            v: Version,
            public_key: public_key(),
            order_hash: OrderHash::from_bytes([9; 32]),
            state: *state,
            completable_at: RunningMs(TIME.0),
        };
        add(word(state), Key::KeyReset(account("IN")), reset.into());
    }
    let (father, mother) = (Some(account("DE")), Some(account("ES")));
    let raised = Tally { father, mother, ..single };
    add("raised".to_owned(), Key::Tally(account("IN")), raised.into());
    let married = Tally { spouse: Some(account("FR")), child_of: 2, ..single };
    add("married".to_owned(), Key::Tally(account("IN")), married.into());
    all
}

fn accounts() -> Vec<(String, Account)> {
    let account = |kind, account_type, country: Option<&str>, qirat| {
        let country = country.map(self::country);
        let balance = Amount::from_qirat(qirat);
        Account {
            v: Version,
            kind,
            account_type,
            country,
            balance,
            frozen: FreezeReasons::NONE,
            status: AccountStatus::Active,
            keyed: false,
            tax_timer: None,
            tax_exempt: false,
            limited: false,
            escrowed: Amount::ZERO,
            custodian: 0,
        }
    };
    let pool = account(AccountKind::Pool, AccountType::System, None, u64::MAX);
    let treasury = account(AccountKind::Treasury, AccountType::Treasury, Some("IN"), 50_000_000);
    let user = account(AccountKind::User, AccountType::Individual, Some("IN"), 0);
    // A kind that is missing above does not compile here.
    let organization =
        account(AccountKind::Organization, AccountType::ForProfit, Some("IN"), 1_000_000);
    let escrow = account(AccountKind::Escrow, AccountType::System, None, 50);
    let mut all = [pool, treasury, user, organization, escrow]
        .map(|account| match account.kind {
            AccountKind::Pool
            | AccountKind::Treasury
            | AccountKind::User
            | AccountKind::Organization
            | AccountKind::Escrow => (word(account.kind), account),
        })
        .to_vec();
    for account_type in AccountType::ALL {
        all.push((format!("USER-{account_type}"), Account { account_type, ..user }));
    }
    for reason in REASONS {
        let frozen = FreezeReasons::NONE.with(*reason);
        all.push((format!("USER-{}", word(reason)), Account { frozen, ..user }));
    }
    let frozen: FreezeReasons = REASONS.iter().copied().collect();
    let rests = Account { tax_timer: Some(TaxTimer::Rests { ran_ms: 86_400_000 }), frozen, ..user };
    all.push(("USER-frozen-taxable".to_owned(), rests));
    all.push(("USER-keyed".to_owned(), Account { keyed: true, ..user }));
    for status in STATUSES {
        all.push((format!("USER-{}", word(status)), Account { status: *status, ..user }));
    }
    let tax_timer = Some(TaxTimer::Since(RunningMs(TIME.0)));
    all.push(("USER-taxable".to_owned(), Account { tax_timer, ..user }));
    all.push(("USER-of-another".to_owned(), Account { custodian: 1, ..user }));
    all.push(("USER-limited".to_owned(), Account { limited: true, ..user }));
    let escrowed = Amount::from_gx(10);
    all.push(("USER-escrowed".to_owned(), Account { escrowed, ..user }));
    all.push(("USER-exempt".to_owned(), Account { tax_exempt: true, ..user }));
    all
}

pub(super) fn keys() -> Vec<(String, Key)> {
    let mut all = vec![
        Key::Account(account("IN")),
        Key::Account(AccountId::treasury(country("IN"))),
        Key::Action(governed::action_id()),
        Key::Country(country("IN")),
        Key::Admin(admin()),
        Key::Proposal(governed::proposal_id()),
        Key::Identity(identity_hash()),
        Key::AccountKey(account("IN")),
        Key::Relationship(relationship_id()),
        Key::Guardians(account("IN")),
        Key::Recovery(recovery_id()),
        Key::Attester(attesters::attester_id()),
        Key::KeyReset(account("IN")),
        Key::Tally(account("IN")),
        Key::Organization(account("IN")),
        Key::Borrower(account("IN")),
        Key::Loan(loans::loan_id()),
        Key::Escrow(escrows::escrow_id()),
        Key::SpendingLimit(account("IN")),
        Key::PendingTx(organizations::pending_tx_id()),
        Key::Treasury(country("IN")),
        Key::Outcome(COMMAND),
        Key::Clock,
        Key::Countries,
        Key::Disbursed,
        Key::Parameters,
        Key::Proposals,
        Key::System,
        Key::User(account("IN")),
        Key::Vote(governed::proposal_id(), account("IN")),
    ];
    all.extend(Pool::ALL.map(|pool| Key::Account(pool.account())));
    let name = |key: &Key| match key {
        Key::Account(id) if id.is_reserved() => format!("Account.{id}"),
        Key::Account(_) => "Account.user".to_owned(),
        Key::Action(_) => "Action.plain".to_owned(),
        Key::Country(_) => "Country.plain".to_owned(),
        Key::Admin(_) => "Admin.plain".to_owned(),
        Key::Proposal(_) => "Proposal.plain".to_owned(),
        Key::Identity(_) => "Identity.plain".to_owned(),
        Key::AccountKey(_) => "AccountKey.plain".to_owned(),
        Key::Relationship(_) => "Relationship.plain".to_owned(),
        Key::Guardians(_) => "Guardians.plain".to_owned(),
        Key::Attester(_) => "Attester.plain".to_owned(),
        Key::KeyReset(_) => "KeyReset.plain".to_owned(),
        Key::Recovery(_) => "Recovery.plain".to_owned(),
        Key::Tally(_) => "Tally.plain".to_owned(),
        Key::Borrower(_) => "Borrower.plain".to_owned(),
        Key::Loan(_) => "Loan.plain".to_owned(),
        Key::Organization(_) => "Organization.plain".to_owned(),
        Key::PendingTx(_) => "PendingTx.plain".to_owned(),
        Key::Treasury(_) => "Treasury.plain".to_owned(),
        Key::Outcome(_) => "Outcome.plain".to_owned(),
        Key::Clock => "Clock.plain".to_owned(),
        Key::Countries => "Countries.plain".to_owned(),
        Key::Disbursed => "Disbursed.plain".to_owned(),
        Key::Parameters => "Parameters.plain".to_owned(),
        Key::System => "System.plain".to_owned(),
        Key::Proposals => "Proposals.plain".to_owned(),
        Key::User(_) => "User.plain".to_owned(),
        Key::Vote(..) => "Vote.plain".to_owned(),
        Key::Escrow(_) => "Escrow.plain".to_owned(),
        Key::SpendingLimit(_) => "SpendingLimit.plain".to_owned(),
    };
    all.into_iter().map(|key| (name(&key), key)).collect()
}

fn weights() -> Vec<CountryWeight> {
    [("IN", 13_464_767), ("FR", 0)]
        .map(|(code, weight)| CountryWeight { country_code: country(code), weight })
        .to_vec()
}

/// A person with each status of genesis, attested by nobody and by somebody.
fn registrations() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    for (case, genesis) in statuses() {
        let (user_id, country) = (account("IN"), country("IN"));
        let account_type = AccountType::Individual;
        let (trust_score, custodian, attested_by) = (10, MspId::PLATFORM, None);
        let created = UserCreated {
            user_id,
            country,
            account_type,
            genesis,
            trust_score,
            custodian,
            attested_by,
        };
        all.push((case.to_owned(), created.clone().into()));
        let attested_by = Some(attesters::attester_id());
        let attested = UserCreated { attested_by, ..created };
        all.push((format!("{case}-attested"), attested.into()));
    }
    all
}

fn grant() -> GenesisDistributed {
    GenesisDistributed {
        user_id: account("IN"),
        country: country("IN"),
        phase: 1,
        amount: Amount::from_gx(500),
        treasury_amount: Amount::from_gx(50),
        attested_by: None,
        postings: vec![
            posting(Pool::UserGenesis.account(), "-500000000", 577_499_999_500_000_000),
            posting(account("IN"), "500000000", 500_000_000),
            posting(Pool::GovtGenesis.account(), "-50000000", 151_999_999_950_000_000),
            posting(AccountId::treasury(country("IN")), "50000000", 50_000_000),
        ],
    }
}

pub(super) fn events() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    let mut add = |case: &str, event| all.push((case.to_owned(), event));
    let supply = |pool: Pool| posting(pool.account(), "31250000000000000", 31_250_000_000_000_000);
    let postings = Pool::ALL.map(supply).to_vec();
    let (first_super_admin, network_id) = (admin(), NetworkId::Mainnet);
    let bootstrapped = SystemBootstrapped {
        first_super_admin,
        network_id,
        account_id: None,
        public_key: None,
        attester: None,
        postings,
    };
    add("plain", bootstrapped.clone().into());
    let sealed = CountrySlots { country_code: country("IN"), slots: [13_464_767, 2, 3, 4, 5, 6] };
    for (case, slots) in [("part", Vec::new()), ("sealed", vec![sealed])] {
        let (countries, total_weight) = (weights(), 100_000_000);
        add(case, CountriesInitialized { countries, total_weight, slots }.into());
    }
    add("plain", SystemPaused { reason: "audit \"7\" of pools".into() }.into());
    add("plain", SystemResumed { paused_since: TIME }.into());
    let (account_id, key) = (Some(account("IN")), Some(public_key()));
    let (network_id, attester) = (NetworkId::Devnet, Some(attesters::of_devnet()));
    let on_devnet = SystemBootstrapped { network_id, attester, ..bootstrapped.clone() };
    add("devnet", on_devnet.into());
    add("keyed", SystemBootstrapped { account_id, public_key: key, ..bootstrapped }.into());
    for (case, event) in registrations() {
        add(&case, event);
    }
    let (user_id, public_key) = (account("IN"), public_key());
    let (from, to) = (MspId::PLATFORM, other_msp());
    add("plain", CustodyOffered { user_id, from, to }.into());
    add("plain", CustodyTransferred { user_id, from, to }.into());
    add("plain", KeyRegistered { user_id, public_key }.into());
    add("plain", KeyRotated { user_id, public_key }.into());
    for status in STATUSES {
        for (case, order_hash) in [("", None), ("-ordered", Some(OrderHash::from_bytes([9; 32])))] {
            let set = UserStatusSet { user_id, status: *status, order_hash };
            add(&format!("{}{case}", word(status)), set.into());
        }
    }
    for (case, event) in identity_events()
        .into_iter()
        .chain(organizations::events())
        .chain(loans::events())
        .chain(escrows::events())
        .chain(attesters::events())
    {
        add(&case, event);
    }
    let grant = grant();
    let attested_by = Some(attesters::attester_id());
    add("attested", GenesisDistributed { attested_by, ..grant.clone() }.into());
    add("plain", grant.into());
    let (user_id, code) = (account("IN"), Refusal::GenesisAlreadyGranted);
    add("plain", GenesisSkipped { user_id, code }.into());
    for (case, event) in payments() {
        add(&case, event.into());
    }
    let (account_id, reason) = (user_id, FreezeReason::CourtOrder);
    let one = FreezeReasons::NONE.with(reason);
    let two = one.with(FreezeReason::Inactivity);
    for (case, reasons) in [("plain", one), ("again", two)] {
        add(case, WalletFrozen { account_id, reason, reasons }.into());
        add(case, WalletUnfrozen { account_id, reason, reasons: reasons.without(reason) }.into());
    }
    all.extend(governed::events());
    all
}

fn identity_events() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    let mut add = |case: &str, event| all.push((case.to_owned(), event));
    let (relationship_id, recovery_id) = (relationship_id(), recovery_id());
    let (subject_id, object_id, user_id) = (account("IN"), account("FR"), account("IN"));
    let (guardian_id, public_key, guardians) = (account("FR"), public_key(), three_guardians());
    for kind in KINDS {
        let kind = *kind;
        let event = RelationshipRequested { relationship_id, kind, subject_id, object_id };
        add(&word(kind), event.into());
    }
    let (kind, trust) = (RelationshipKind::FriendOf, vec![trust_score(11), trust_score(100)]);
    let ended_by = object_id;
    let event = RelationshipConfirmed {
        relationship_id,
        kind,
        subject_id,
        object_id,
        trust: trust.clone(),
    };
    add("plain", event.into());
    let askable_from = TIME;
    let event = RelationshipRejected { relationship_id, subject_id, object_id, askable_from };
    add("plain", event.into());
    let event = RelationshipEnded { relationship_id, subject_id, object_id, ended_by, trust };
    add("plain", event.into());
    add("plain", GuardiansNominated { user_id, guardians: guardians.clone() }.into());
    add("plain", GuardiansDropped { user_id }.into());
    let (initiated_by, completed_by, expires_at) = (guardian_id, guardian_id, TIME);
    let event =
        RecoveryInitiated { recovery_id, user_id, public_key, initiated_by, guardians, expires_at };
    add("plain", event.into());
    for state in RECOVERY_STATES {
        let completable_at = (*state != RecoveryState::Pending).then_some(TIME);
        let (confirmations, state) = (2, *state);
        let event = RecoveryConfirmed {
            recovery_id,
            user_id,
            guardian_id,
            confirmations,
            state,
            completable_at,
        };
        add(&word(state), event.into());
    }
    let (order_hash, completable_at) = (OrderHash::from_bytes([9; 32]), TIME);
    let ordered = KeyResetOrdered { user_id, public_key, order_hash, completable_at };
    add("plain", ordered.into());
    add("plain", KeyResetCancelled { user_id }.into());
    add("plain", KeyResetCompleted { user_id, public_key, order_hash }.into());
    add("plain", RecoveryCancelled { recovery_id, user_id }.into());
    let event = RecoveryCompleted { recovery_id, user_id, public_key, completed_by };
    add("plain", event.into());
    all
}

/// A payment of each type and scope, and one with a remark.
fn payments() -> Vec<(String, Transferred)> {
    let mut all = Vec::new();
    for kind in TRANSFER_TYPES {
        for scope in SCOPES {
            let fee = if *kind == TransferType::System { 0 } else { 1 };
            let mut payment = Transferred {
                from: account("IN"),
                to: account("FR"),
                amount: Amount::from_qirat(50),
                fee: Amount::from_qirat(fee),
                kind: *kind,
                scope: *scope,
                remark: String::new(),
                postings: vec![
                    posting(account("IN"), if fee == 0 { "-50" } else { "-51" }, 0),
                    posting(account("FR"), "50", 50),
                ],
            };
            if fee != 0 {
                payment.postings.push(posting(Pool::OperationsFund.account(), "1", 1));
            }
            all.push((format!("{}-{}", word(kind), word(scope)), payment));
        }
    }
    let remark = "café \"no 7\"\\".to_owned();
    all.push(("remark".to_owned(), Transferred { remark, ..all[0].1.clone() }));
    all
}

pub(in crate::tests) fn commands() -> Vec<(String, Command)> {
    let mut all: Vec<(String, Command)> = Vec::new();
    let mut add = |case: &str, command| all.push((case.to_owned(), command));
    let user_id = account("IN");
    let payment = Transfer {
        from: account("IN"),
        to: account("FR"),
        amount: Amount::from_qirat(u64::MAX),
        remark: String::new(),
    };
    add("remark", Transfer { remark: "café \"no 7\"\\".into(), ..payment.clone() }.into());
    add("plain", payment.into());
    for network_id in NetworkId::ALL {
        let (first_super_admin, account_id, key) = (admin(), None, None);
        let command = BootstrapSystem { first_super_admin, network_id, account_id, key };
        add(network_id.as_str(), command.into());
    }
    let key = FirstKey { public_key: public_key(), proof: SignatureBytes::from_bytes([3; 64]) };
    let keyed = BootstrapSystem {
        first_super_admin: admin(),
        network_id: NetworkId::Mainnet,
        account_id: Some(user_id),
        key: Some(key),
    };
    add("keyed", keyed.into());
    add("plain", InitializeCountryData { countries: weights() }.into());
    add("plain", PauseSystem { reason: "audit \"7\" of pools".into() }.into());
    add("plain", ResumeSystem {}.into());
    let (identity_hash, country, account_type) =
        (identity_hash(), country("IN"), AccountType::Individual);
    let (age, attestation) = (30, None);
    let create = CreateUser { user_id, identity_hash, country, age, account_type, attestation };
    add("plain", create.clone().into());
    add("attested", CreateUser { attestation: attesters::attestation(), ..create }.into());
    let (public_key, proof) = (public_key(), proof());
    add("plain", TransferCustody { user_id, to: other_msp() }.into());
    add("plain", AcceptCustody { user_id }.into());
    add("plain", RegisterKey { user_id, public_key, proof }.into());
    add("plain", RotateKey { user_id, public_key, proof }.into());
    for status in STATUSES {
        let order_hash = None;
        add(&word(status), SetUserStatus { user_id, status: *status, order_hash }.into());
        let order_hash = Some(OrderHash::from_bytes([9; 32]));
        let ordered = SetUserStatus { user_id, status: *status, order_hash };
        add(&format!("{}-ordered", word(status)), ordered.into());
    }
    for (case, command) in identity_commands()
        .into_iter()
        .chain(organizations::commands())
        .chain(loans::commands())
        .chain(escrows::commands())
        .chain(attesters::commands())
    {
        add(&case, command);
    }
    let aged = |user_id, age, attestation| AttestedAge { user_id, age, attestation };
    let users = vec![aged(user_id, 13, None), aged(account("FR"), 0, None)];
    add("plain", DistributeGenesis { users }.into());
    let (account_id, reason) = (user_id, FreezeReason::CourtOrder);
    add("plain", FreezeWallet { account_id, reason }.into());
    add("plain", UnfreezeWallet { account_id, reason }.into());
    let users = vec![aged(user_id, 13, attesters::attestation())];
    add("attested", DistributeGenesis { users }.into());
    all.extend(governed::commands());
    all
}

fn identity_commands() -> Vec<(String, Command)> {
    let mut all: Vec<(String, Command)> = Vec::new();
    let mut add = |case: &str, command| all.push((case.to_owned(), command));
    let (subject_id, object_id, user_id) = (account("IN"), account("FR"), account("IN"));
    let (relationship_id, recovery_id) = (relationship_id(), recovery_id());
    for kind in KINDS {
        let kind = *kind;
        add(&word(kind), RequestRelationship { subject_id, object_id, kind }.into());
    }
    add("plain", ConfirmRelationship { relationship_id }.into());
    add("plain", RejectRelationship { relationship_id }.into());
    add("plain", EndRelationship { relationship_id }.into());
    add("plain", NominateGuardians { user_id, guardians: three_guardians() }.into());
    let (public_key, proof) = (public_key(), proof());
    add("plain", InitiateRecovery { user_id, public_key, proof }.into());
    let order_hash = OrderHash::from_bytes([9; 32]);
    let reset = ResetKeyByOrder { user_id, new_key: public_key, proof, order_hash };
    add("plain", reset.into());
    add("plain", VetoKeyReset { user_id }.into());
    add("plain", CompleteKeyReset { user_id }.into());
    add("plain", ConfirmRecovery { recovery_id }.into());
    add("plain", CancelRecovery { recovery_id }.into());
    add("plain", CompleteRecovery { recovery_id }.into());
    all
}

/// Each command by the system, and one by each other kind of actor.
pub(super) fn envelopes() -> Vec<(String, Envelope)> {
    let envelope =
        |actor, command| Envelope { command_id: COMMAND, actor, command, signature: None };
    let mut all: Vec<(String, Envelope)> = commands()
        .into_iter()
        .map(|(case, command)| (case, envelope(Actor::System, command)))
        .collect();
    for actor in [Actor::Admin(admin()), Actor::User(account("IN")), Actor::System] {
        // A kind of actor that is missing above does not compile here.
        let case = match actor {
            Actor::Admin(_) => "by-admin",
            Actor::User(_) => "by-user",
            Actor::System => "by-system",
        };
        all.push((case.to_owned(), envelope(actor, all[0].1.command.clone())));
    }
    let mut signed = envelope(Actor::User(account("IN")), all[0].1.command.clone());
    signed.signature = Some(signature());
    all.push(("signed".to_owned(), signed));
    all
}

pub(super) fn batches() -> Vec<(String, Batch)> {
    let batch = |role, commands| Batch { batch_id: BATCH, role, commands };
    let all = envelopes().into_iter().map(|(_, envelope)| envelope);
    let commands = all
        .filter(|envelope| {
            matches!(&envelope.command, Command::DistributeGenesis(list)
            if list.users.iter().all(|user| user.attestation.is_none()))
        })
        .collect();
    let mut samples = vec![("commands".to_owned(), batch(Role::Admin, commands))];
    let (_, signed) = envelopes().pop().unwrap();
    samples.push(("signed".to_owned(), batch(Role::PartnerApi, vec![signed])));
    samples.extend(Role::ALL.map(|role| (role.to_string(), batch(role, Vec::new()))));
    samples
}

pub(super) fn batch_records() -> Vec<(String, BatchRecord)> {
    let refused = Refusal::AmountZero.because("The amount is zero.");
    let repeated = |refused| Outcome::Repeated(Repeated { batch_id: BATCH, time: TIME, refused });
    let events = || events().into_iter().map(|(_, event)| event);
    let mut all = vec![("empty".to_owned(), Vec::new())];
    for (case, outcome) in [
        ("applied", Outcome::Applied(events().take(2).collect())),
        ("applied-without-events", Outcome::Applied(Vec::new())),
        ("refused", Outcome::Refused(refused.clone())),
        ("repeated", repeated(None)),
        ("repeated-refused", repeated(Some(refused))),
    ] {
        // An outcome that is missing above does not compile here.
        match outcome {
            Outcome::Applied(_) | Outcome::Refused(_) | Outcome::Repeated(_) => {}
        }
        all.push((case.to_owned(), vec![CommandResult { command_id: COMMAND, outcome }]));
    }
    let together = all.iter().flat_map(|(_, results)| results.clone()).collect();
    all.push(("all".to_owned(), together));
    let record = |results| BatchRecord { version: Version, batch_id: BATCH, time: TIME, results };
    all.into_iter().map(|(case, results)| (case, record(results))).collect()
}
