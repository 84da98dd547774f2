//! One value of everything that organizations, their payments and treasuries store and emit.

use gx_types::{AccountId, AccountType, Actor, Amount, PendingTxId, Pool};

use super::samples::{
    COMMAND, SCOPES, TIME, TRANSFER_TYPES, account, admin, country, posting, word,
};
use crate::admin::OrderHash;
use crate::organization::{
    ActivateOrganization, ApprovalWithdrawn, ApproveMultiSigTx, AuthRule, AuthRuleDefined,
    AuthRuleProposed, CancelMultiSigTx, ChangeStakeholders, ChangeStakeholdersByOrder,
    DefineAuthRule, EndorseMembership, InitiateMultiSigTx, MembershipEndorsed, MultiSigTxApproved,
    MultiSigTxCancelled, MultiSigTxDropped, MultiSigTxExecuted, MultiSigTxExecutionFailed,
    MultiSigTxInitiated, MultiSigTxRejected, MultiSigTxRejudged, OpenChange, OpenTx, Organization,
    OrganizationActivated, OrganizationKind, OrganizationProposed, OrganizationStatus,
    OrganizationStatusSet, PendingTx, PendingTxState, ProposeOrganization, ProposedChange,
    ProposedLadder, RejectMultiSigTx, SetOrganizationStatus, Spent, StakeholderChangeProposed,
    StakeholderChangeWithdrawn, StakeholdersChanged, Treasury, WithdrawApproval,
    WithdrawStakeholderChange,
};
use crate::state::{Key, Record, RunningMs, Version};
use crate::treasury::{
    ActivateTreasuryAccount, ReassignTreasury, TreasuryActivated, TreasuryReassigned,
};
use crate::{Command, Event, Refusal};

const KINDS: [OrganizationKind; 3] =
    [OrganizationKind::Business, OrganizationKind::Ngo, OrganizationKind::Government];

const STATUSES: [OrganizationStatus; 3] = [
    OrganizationStatus::PendingEndorsement,
    OrganizationStatus::Active,
    OrganizationStatus::Locked,
];

const STATES: [PendingTxState; 5] = [
    PendingTxState::Pending,
    PendingTxState::Executed,
    PendingTxState::ExecutionFailed,
    PendingTxState::Rejected,
    PendingTxState::Cancelled,
];

// A variant that is missing above does not compile here.
const _: fn(OrganizationKind, OrganizationStatus, PendingTxState) = |kind, status, state| {
    match kind {
        OrganizationKind::Business | OrganizationKind::Ngo | OrganizationKind::Government => (),
    }
    match status {
        OrganizationStatus::PendingEndorsement
        | OrganizationStatus::Active
        | OrganizationStatus::Locked => (),
    }
    match state {
        PendingTxState::Pending
        | PendingTxState::Executed
        | PendingTxState::ExecutionFailed
        | PendingTxState::Rejected
        | PendingTxState::Cancelled => (),
    }
};

pub(super) fn pending_tx_id() -> PendingTxId {
    PendingTxId::made_by(COMMAND)
}

fn stakeholders() -> Vec<AccountId> {
    ["FR", "DE"].map(account).to_vec()
}

fn ladder() -> Vec<AuthRule> {
    let rule = |gx: u64, required_approvers: u8| AuthRule {
        from_amount: Amount::from_gx(gx),
        required_approvers,
        approver_group: stakeholders(),
    };
    vec![rule(0, 1), rule(100, 2)]
}

fn change() -> ProposedChange {
    ProposedChange {
        add: vec![account("IN")],
        remove: vec![account("DE")],
        new_ladder: Some(Vec::new()),
        proposed_by: account("DE"),
        approved_by: vec![account("FR")],
    }
}

fn change_events() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    let org_id = account("IN");
    for (case, new_ladder) in [("plain", None), ("rules", Some(ladder()))] {
        let (change, required, expires_at) = (ProposedChange { new_ladder, ..change() }, 2, TIME);
        let event = StakeholderChangeProposed { org_id, change, required, expires_at };
        all.push((case.to_owned(), event.into()));
    }
    let event = StakeholderChangeWithdrawn { org_id, withdrawn_by: account("FR") };
    all.push(("plain".to_owned(), event.into()));
    for (case, order_hash) in [("plain", None), ("order", Some(OrderHash::from_bytes([5; 32])))] {
        let event = StakeholdersChanged {
            org_id,
            added: vec![account("FR")],
            removed: vec![account("IN")],
            stakeholders: stakeholders(),
            ladder: ladder(),
            order_hash,
        };
        all.push((case.to_owned(), event.into()));
    }
    all
}

fn change_commands() -> Vec<(String, Command)> {
    let mut all: Vec<(String, Command)> = Vec::new();
    let (org_id, order_hash) = (account("IN"), OrderHash::from_bytes([5; 32]));
    let (one, other) = (vec![account("FR")], vec![account("DE")]);
    for (case, add, remove, new_ladder) in [
        ("plain", one.clone(), other.clone(), None),
        ("add", one.clone(), Vec::new(), None),
        ("remove", Vec::new(), other.clone(), None),
        ("rules", one, other, Some(ladder())),
    ] {
        let (added, removed, ladder) = (add.clone(), remove.clone(), new_ladder.clone());
        let command = ChangeStakeholders { org_id, add, remove, new_ladder };
        all.push((case.to_owned(), command.into()));
        if case == "plain" || case == "rules" {
            let (add, remove, new_ladder) = (added, removed, ladder);
            let command = ChangeStakeholdersByOrder { org_id, add, remove, new_ladder, order_hash };
            all.push((case.to_owned(), command.into()));
        }
    }
    all.push(("plain".to_owned(), WithdrawStakeholderChange { org_id }.into()));
    all
}

pub(super) fn records() -> Vec<(String, Key, Record)> {
    let mut all: Vec<(String, Key, Record)> = Vec::new();
    let mut add = |case: String, key, record| all.push((case, key, record));
    let plain = Organization {
        v: Version,
        name: "Tea \"and\" more".to_owned(),
        kind: OrganizationKind::Business,
        country: country("IN"),
        account_type: AccountType::ForProfit,
        status: OrganizationStatus::Active,
        stakeholders: stakeholders(),
        endorsed_by: stakeholders(),
        ladder: Vec::new(),
        proposed: None,
        open: Vec::new(),
        spent: Spent::default(),
        change: None,
    };
    let key = Key::Organization(account("IN"));
    for kind in KINDS {
        add(word(kind), key, Organization { kind, ..plain.clone() }.into());
    }
    for status in STATUSES {
        add(word(status), key, Organization { status, ..plain.clone() }.into());
    }
    let proposed = Some(ProposedLadder { ladder: Vec::new(), approved_by: vec![account("FR")] });
    let expires_at = RunningMs(TIME.0);
    let open = vec![OpenTx { id: pending_tx_id(), initiated_by: account("IN"), expires_at }];
    let spent = Spent { day: 20_000, that_day: Amount::from_gx(2), day_before: Amount::ZERO };
    add("paying".to_owned(), key, Organization { spent, ..plain.clone() }.into());
    let waiting = OpenChange { change: change(), expires_at };
    let changing = Organization { change: Some(Box::new(waiting)), ..plain.clone() };
    add("changing".to_owned(), key, changing.into());
    add("busy".to_owned(), key, Organization { ladder: ladder(), proposed, open, ..plain }.into());
    for state in STATES {
        let failed = state == PendingTxState::ExecutionFailed;
        let payment = PendingTx {
            v: Version,
            org_id: account("IN"),
            from: account("IN"),
            to: account("FR"),
            amount: Amount::from_qirat(50),
            remark: if failed { "rent".to_owned() } else { String::new() },
            judged_by: Amount::from_qirat(70),
            required: 2,
            approver_group: stakeholders(),
            approved_by: vec![account("FR")],
            rejected_by: vec![account("DE")],
            state,
            failure: failed.then_some(Refusal::InsufficientBalance),
            initiated_by: account("FR"),
            expires_at,
        };
        add(word(state), Key::PendingTx(pending_tx_id()), payment.into());
    }
    let plain = Spent::default();
    for (case, spent) in [("plain", plain), ("paying", spent)] {
        let (org_id, activated_at) = (account("IN"), TIME);
        let payable_from = RunningMs(TIME.0 + 1);
        let treasury = Treasury { v: Version, org_id, activated_at, payable_from, spent };
        add(case.to_owned(), Key::Treasury(country("IN")), treasury.into());
    }
    all
}

pub(super) fn events() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    let mut add = |case: String, event| all.push((case, event));
    let plain = || "plain".to_owned();
    let (org_id, country, account_type) = (account("IN"), country("IN"), AccountType::ForProfit);
    for kind in KINDS {
        let proposed_by = match kind {
            OrganizationKind::Government => Actor::Admin(admin()),
            OrganizationKind::Business | OrganizationKind::Ngo => Actor::User(account("FR")),
        };
        let (name, stakeholders) = ("Tea and more".to_owned(), stakeholders());
        let event = OrganizationProposed {
            org_id,
            name,
            kind,
            country,
            account_type,
            stakeholders,
            proposed_by,
        };
        add(word(kind), event.into());
    }
    let (stakeholder_id, endorsements, required) = (account("FR"), 1, 2);
    let event = MembershipEndorsed { org_id, stakeholder_id, endorsements, required };
    add(plain(), event.into());
    let activated_by = account("FR");
    let event = OrganizationActivated { org_id, country, account_type, activated_by };
    add(plain(), event.into());
    for status in STATUSES {
        add(word(status), OrganizationStatusSet { org_id, status }.into());
    }
    let approved_by = vec![account("FR")];
    let event = AuthRuleProposed { org_id, ladder: ladder(), approved_by, required };
    add(plain(), event.into());
    add(plain(), AuthRuleDefined { org_id, ladder: ladder() }.into());
    let treasury_id = AccountId::treasury(country);
    let (country_code, payable_from, order_hash) = (country, TIME, OrderHash::from_bytes([5; 32]));
    let event = TreasuryActivated { country_code, treasury_id, org_id, payable_from };
    add(plain(), event.into());
    let event = TreasuryReassigned { country_code, treasury_id, org_id, order_hash, payable_from };
    add(plain(), event.into());
    all.extend(payment_events());
    all.extend(change_events());
    all
}

fn payment_events() -> Vec<(String, Event)> {
    let mut all: Vec<(String, Event)> = Vec::new();
    let mut add = |case: String, event| all.push((case, event));
    let plain = || "plain".to_owned();
    let (pending_tx_id, org_id, approver_id) = (pending_tx_id(), account("IN"), account("FR"));
    let (from, to, amount) = (account("IN"), account("FR"), Amount::from_qirat(50));
    for remark in ["", "rent"] {
        let event = MultiSigTxInitiated {
            pending_tx_id,
            org_id,
            from,
            to,
            amount,
            remark: remark.to_owned(),
            initiated_by: approver_id,
            required: 2,
            approver_group: stakeholders(),
            approved_by: vec![approver_id],
            expires_at: TIME,
        };
        add(if remark.is_empty() { plain() } else { "remark".to_owned() }, event.into());
    }
    let (approvals, required, rejections) = (1, 2, 1);
    let event = MultiSigTxApproved { pending_tx_id, org_id, approver_id, approvals, required };
    add(plain(), event.into());
    for state in STATES {
        let event = MultiSigTxRejected { pending_tx_id, org_id, approver_id, rejections, state };
        add(word(state), event.into());
    }
    for state in [PendingTxState::Pending, PendingTxState::Rejected] {
        let event = MultiSigTxRejudged {
            pending_tx_id,
            org_id,
            required,
            approver_group: stakeholders(),
            approved_by: vec![approver_id],
            rejected_by: Vec::new(),
            state,
        };
        add(word(state), event.into());
    }
    let event = ApprovalWithdrawn { pending_tx_id, org_id, approver_id, approvals, required };
    add(plain(), event.into());
    add(plain(), MultiSigTxCancelled { pending_tx_id, org_id }.into());
    add(plain(), MultiSigTxDropped { pending_tx_id, org_id }.into());
    let code = Refusal::InsufficientBalance;
    add(plain(), MultiSigTxExecutionFailed { pending_tx_id, org_id, code }.into());
    for (kind, scope) in TRANSFER_TYPES.iter().flat_map(|k| SCOPES.iter().map(move |s| (*k, *s))) {
        let event = MultiSigTxExecuted {
            pending_tx_id,
            org_id,
            from,
            to,
            amount,
            fee: Amount::from_qirat(1),
            kind,
            scope,
            remark: "rent".to_owned(),
            postings: vec![
                posting(from, "-51", 0),
                posting(to, "50", 50),
                posting(Pool::OperationsFund.account(), "1", 1),
            ],
        };
        add(format!("{}-{}", word(kind), word(scope)), event.into());
    }
    all
}

pub(super) fn commands() -> Vec<(String, Command)> {
    let mut all: Vec<(String, Command)> = Vec::new();
    let mut add = |case: String, command| all.push((case, command));
    let plain = || "plain".to_owned();
    let (org_id, pending_tx_id) = (account("IN"), pending_tx_id());
    for kind in KINDS {
        let (name, country, stakeholders) =
            ("Tea and more".to_owned(), country("IN"), stakeholders());
        let command = ProposeOrganization { org_id, name, kind, country, stakeholders };
        add(word(kind), command.into());
    }
    add(plain(), EndorseMembership { org_id }.into());
    add(plain(), ActivateOrganization { org_id }.into());
    for (case, locked) in [("lock", true), ("unlock", false)] {
        add(case.to_owned(), SetOrganizationStatus { org_id, locked }.into());
    }
    add(plain(), DefineAuthRule { org_id, ladder: ladder() }.into());
    add("empty".to_owned(), DefineAuthRule { org_id, ladder: Vec::new() }.into());
    for remark in ["", "rent"] {
        let (to, amount, remark) = (account("FR"), Amount::from_qirat(50), remark.to_owned());
        let case = if remark.is_empty() { plain() } else { "remark".to_owned() };
        add(case, InitiateMultiSigTx { from: org_id, to, amount, remark }.into());
    }
    add(plain(), ApproveMultiSigTx { pending_tx_id }.into());
    add(plain(), RejectMultiSigTx { pending_tx_id }.into());
    add(plain(), WithdrawApproval { pending_tx_id }.into());
    add(plain(), CancelMultiSigTx { pending_tx_id }.into());
    let country_code = country("IN");
    add(plain(), ActivateTreasuryAccount { country_code, org_id }.into());
    let order_hash = OrderHash::from_bytes([5; 32]);
    add(plain(), ReassignTreasury { country_code, org_id, order_hash }.into());
    all.extend(change_commands());
    all
}
