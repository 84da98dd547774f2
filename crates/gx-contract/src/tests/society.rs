//! Random commands of users among each other: relations, keys, organizations and loans, and what
//! others answer to them. Part of the random histories.

use gx_types::{ActionId, Actor, CommandId, EscrowId, LoanId, PendingTxId, RecoveryId};
use proptest::prelude::*;
use proptest::sample::select;

use super::notation::{account, actor, amount, command, words};
use crate::Command;
use crate::admin::ApproveAction;
use crate::escrow::{OpenEscrow, RefundEscrow, ReleaseEscrow};
use crate::identity::{
    CancelRecovery, CompleteKeyReset, CompleteRecovery, ConfirmRecovery, ConfirmRelationship,
    EndRelationship, RejectRelationship, VetoKeyReset,
};
use crate::loan_pool::{
    ApplyForLoan, ApproveLoan, CancelLoanApplication, MarkLoanDefaulted, RejectLoan, RepayLoan,
};
use crate::organization::{
    ActivateOrganization, ApproveMultiSigTx, CancelMultiSigTx, EndorseMembership,
    InitiateMultiSigTx, RejectMultiSigTx, WithdrawApproval, WithdrawStakeholderChange,
};

/// Who and what the lines below name. `h5.CC` has the key `k`.
pub(super) const SOCIETY: &str = "open h5.CC 30
    open h6.CC 30
    open h7.CC 30
    user:h5.CC RegisterKey h5.CC k => KeyRegistered
    user:h6.CC NominateGuardians h6.CC h0.AA h1.BB h2.CC => GuardiansNominated
    signed=k user:h5.CC NominateGuardians h5.CC h0.AA h1.BB h2.CC => GuardiansNominated
    trust h2.CC 75
    org s.CC.1 h0.AA h1.BB h2.CC
    org g.CC.7 h0.AA h1.BB
    org f.CC.7 h0.AA h1.BB
    org k.BB.7 h0.AA h1.BB
    treasury CC g.CC.7
    org q.CC.1 h0.AA h1.BB h2.CC
    org p.CC.1 h0.AA h1.BB h7.CC
    org r.CC.1 h0.AA h1.BB h2.CC
    user:h0.AA DefineAuthRule r.CC.1 0:1:h1.BB 6GX:2:h1.BB,h2.CC => AuthRuleProposed
    user:h1.BB DefineAuthRule r.CC.1 0:1:h1.BB 6GX:2:h1.BB,h2.CC => AuthRuleProposed
    user:h2.CC DefineAuthRule r.CC.1 0:1:h1.BB 6GX:2:h1.BB,h2.CC => \
        AuthRuleProposed, AuthRuleDefined
    user:h2.CC Transfer h2.CC r.CC.1 80GX => Transferred
    user:h0.AA Transfer h0.AA s.CC.1 300GX => Transferred";

/// The one user who signs.
pub(super) fn signer() -> Actor {
    Actor::User(account("h5.CC"))
}

const LINES: [&str; 31] = [
    "user:{a} RequestRelationship {a} {b} {kind}",
    "user:{a} RequestRelationship {a} {b} {kind}",
    "user:{a} EndRelationship {kind}:{a}:{b}",
    "user:h6.CC RegisterKey h6.CC {key}",
    "user:h5.CC RotateKey h5.CC {key}",
    "user:h5.CC NominateGuardians h5.CC h0.AA h1.BB h2.CC",
    "user:h5.CC Transfer h5.CC {b} {gx}GX",
    "user:h1.BB InitiateRecovery h5.CC {key}",
    "user:h0.AA InitiateRecovery h5.CC {key}",
    "admin:root ResetKeyByOrder h5.CC {key}",
    "user:h5.CC VetoKeyReset h5.CC",
    "admin:root SetUserStatus h7.CC {status}",
    "user:h0.AA ProposeOrganization n{n}.CC.1 name BUSINESS h0.AA h1.BB",
    "user:h0.AA DefineAuthRule s.CC.1 {ladder}",
    "user:h0.AA InitiateMultiSigTx s.CC.1 {b} {gx}GX",
    "user:h0.AA InitiateMultiSigTx r.CC.1 {b} 5GX",
    "user:h0.AA InitiateMultiSigTx r.CC.1 {b} 5GX",
    "user:h0.AA InitiateMultiSigTx r.CC.1 {b} 50GX",
    "user:h0.AA InitiateMultiSigTx r.CC.1 {b} 5GX",
    "user:h0.AA InitiateMultiSigTx treasury_CC {b} {gx}GX",
    "user:h0.AA ChangeStakeholders q.CC.1 {move}",
    "user:h0.AA ChangeStakeholders s.CC.1 {move}",
    "admin:root ChangeStakeholdersByOrder p.CC.1 +h6.CC -h7.CC",
    "admin:root SetOrganizationStatus s.CC.1 {lock}",
    "admin:root ActivateTreasuryAccount BB k.BB.7",
    "admin:root ReassignTreasury CC {office}",
    "user:h2.CC ApplyForLoan {gx}GX 10",
    "user:{a} OpenEscrow {b} {gx}GX 3{n}0d h6.CC",
    "user:h5.CC OpenEscrow {b} {gx}GX 3{n}0d",
    "user:{a} SetSpendingLimit {a} {gx}GX",
    "user:{a} SetSpendingLimit {a} none",
];

pub(super) fn society() -> impl Strategy<Value = (Actor, Command)> {
    let users = || select(&["h0.AA", "h1.BB", "h2.CC", "h3.CC"][..]);
    let kinds = select(&["FRIEND_OF", "SPOUSE_OF", "FATHER_OF"][..]);
    let words_of = (
        select(&["k", "k2", "new"][..]),
        select(&["LOCKED", "ACTIVE", "ACTIVE order", "DECEASED order"][..]),
        select(&["0:1:h0.AA", "0:2:h0.AA,h1.BB,h2.CC", ""][..]),
        select(&["ACTIVE", "ACTIVE", "LOCKED"][..]),
        select(&["f.CC.7", "g.CC.7"][..]),
        select(&["+h6.CC", "+h6.CC -h2.CC", "-h2.CC 0:1:h1.BB", "-h0.AA", "-h6.CC +h2.CC"][..]),
    );
    let numbers = (select(&["1", "50", "100", "900"][..]), select(&["0", "1", "2"][..]));
    (select(&LINES[..]), users(), users(), kinds, words_of, numbers).prop_map(
        |(line, a, b, kind, (key, status, ladder, lock, office, change), (gx, n))| {
            let line = [
                ("{a}", a),
                ("{b}", b),
                ("{kind}", kind),
                ("{key}", key),
                ("{status}", status),
                ("{ladder}", ladder),
                ("{lock}", lock),
                ("{office}", office),
                ("{move}", change),
                ("{gx}", gx),
                ("{n}", n),
            ]
            .into_iter()
            .fold(line.to_owned(), |line, (place, word)| line.replace(place, word));
            let words = words(&line);
            (actor(&words[0]), command(&words[1], &words[2..]))
        },
    )
}

/// Whether others find what the command makes by its id, which is one of few then.
pub(super) fn is_answered(command: &Command) -> bool {
    matches!(
        command,
        Command::InitiateRecovery(_)
            | Command::InitiateMultiSigTx(_)
            | Command::ApplyForLoan(_)
            | Command::OpenEscrow(_)
    )
}

/// What comes after a command, in order, each so much later; one of several endings.
pub(super) fn answers(given: &Command, id: CommandId, ending: usize) -> Vec<(Actor, Command, i64)> {
    let user = |word: &str| Actor::User(account(word));
    match given {
        Command::RequestRelationship(asked) => {
            let (kind, subject, object) = (asked.kind, asked.subject_id, asked.object_id);
            let relationship_id = kind.id_between(subject, object);
            let object = Actor::User(object);
            if ending == 0 {
                return vec![(object, RejectRelationship { relationship_id }.into(), 0)];
            }
            let ended = EndRelationship { relationship_id }.into();
            let mut all = vec![(object, ConfirmRelationship { relationship_id }.into(), 0)];
            all.extend((ending == 1).then_some((Actor::User(subject), ended, 5)));
            all
        }
        Command::InitiateRecovery(_) => {
            let recovery_id = RecoveryId::made_by(id);
            let mut all = vec![(user("h0.AA"), ConfirmRecovery { recovery_id }.into(), 0)];
            all.push(if ending == 0 {
                (signer(), CancelRecovery { recovery_id }.into(), 0)
            } else {
                (user("h2.CC"), CompleteRecovery { recovery_id }.into(), 200_000_000)
            });
            all
        }
        Command::ResetKeyByOrder(ordered) => {
            let user_id = ordered.user_id;
            let approve = ApproveAction { action_id: ActionId::made_by(id) };
            let mut all = vec![(actor("admin:boss"), approve.into(), 0)];
            all.push(match ending {
                0 => (signer(), VetoKeyReset { user_id }.into(), 0),
                _ => (Actor::System, CompleteKeyReset { user_id }.into(), 604_800_000),
            });
            all
        }
        Command::ProposeOrganization(proposed) => {
            let org_id = proposed.org_id;
            let endorse = |who: &str| (user(who), EndorseMembership { org_id }.into(), 0);
            let activate = (user("h1.BB"), ActivateOrganization { org_id }.into(), 0);
            vec![endorse("h0.AA"), endorse("h1.BB"), activate]
        }
        Command::ChangeStakeholders(change) => {
            let org_id = change.org_id;
            let end = (user("h1.BB"), WithdrawStakeholderChange { org_id }.into(), 0);
            if ending == 0 {
                return vec![end];
            }
            let all = ["h1.BB", "h2.CC", "h6.CC", "h0.AA"];
            all.map(|who| (user(who), given.clone(), 0)).to_vec()
        }
        Command::DefineAuthRule(_) => {
            ["h1.BB", "h2.CC"].map(|who| (user(who), given.clone(), 0)).to_vec()
        }
        Command::InitiateMultiSigTx(initiated) => payment_answers(initiated, id, ending),
        Command::OpenEscrow(opened) => after_escrow(opened, id, ending),
        Command::ApplyForLoan(applied) => after_application(applied, id, ending),
        _ => Vec::new(),
    }
}

/// Released or given back, by one or the other.
fn after_escrow(opened: &OpenEscrow, id: CommandId, ending: usize) -> Vec<(Actor, Command, i64)> {
    let user = |word: &str| Actor::User(account(word));
    let escrow_id = EscrowId::made_by(id);
    let payee = Actor::User(opened.to);
    match ending {
        0 => vec![(payee, RefundEscrow { escrow_id }.into(), 0)],
        1 => vec![(user("h1.BB"), RefundEscrow { escrow_id }.into(), 31_000_000_000)],
        2 => vec![(user("h6.CC"), ReleaseEscrow { escrow_id }.into(), 0)],
        _ => vec![(user("h0.AA"), ReleaseEscrow { escrow_id }.into(), 0)],
    }
}

/// What an admin decides, and what the borrower does then.
fn after_application(
    applied: &ApplyForLoan,
    id: CommandId,
    ending: usize,
) -> Vec<(Actor, Command, i64)> {
    let user = |word: &str| Actor::User(account(word));
    let root: Actor = actor("admin:root");
    let loan_id = LoanId::made_by(id);
    let rejected = RejectLoan { loan_id, reason: "none".to_owned() };
    let mut all = vec![(root, ApproveLoan { loan_id }.into(), 0)];
    let borrower = user("h2.CC");
    match ending {
        0 if id.words()[1].is_multiple_of(2) => return vec![(root, rejected.into(), 0)],
        0 => return vec![(borrower, CancelLoanApplication { loan_id }.into(), 0)],
        2 => return vec![(borrower, applied.clone().into(), 2_592_000_000)],
        1 => all.push((root, MarkLoanDefaulted { loan_id }.into(), 8_640_000_000)),
        _ => {}
    }
    for paid in [amount("1GX"), applied.amount] {
        all.push((borrower, RepayLoan { loan_id, amount: paid }.into(), 0));
    }
    all
}

fn payment_answers(
    initiated: &InitiateMultiSigTx,
    id: CommandId,
    ending: usize,
) -> Vec<(Actor, Command, i64)> {
    let user = |word: &str| Actor::User(account(word));
    let pending_tx_id = PendingTxId::made_by(id);
    let approve = |who: &str| (user(who), ApproveMultiSigTx { pending_tx_id }.into(), 0);
    // Where one approves alone, that one pays something else first.
    let alone = initiated.from == account("r.CC.1") && initiated.amount == amount("5GX");
    let first = InitiateMultiSigTx { amount: amount("4GX"), ..initiated.clone() };
    let mut all = Vec::new();
    all.extend(alone.then(|| (user("h1.BB"), first.into(), 0)));
    match ending {
        0 => all.push((user("h0.AA"), CancelMultiSigTx { pending_tx_id }.into(), 0)),
        1 => all.push((user("h1.BB"), RejectMultiSigTx { pending_tx_id }.into(), 0)),
        2 => {
            let withdraw = (user("h1.BB"), WithdrawApproval { pending_tx_id }.into(), 0);
            all.extend([approve("h1.BB"), withdraw, approve("h2.CC"), approve("h0.AA")]);
        }
        _ => all.extend([approve("h1.BB"), approve("h2.CC"), approve("h0.AA")]),
    }
    all
}
