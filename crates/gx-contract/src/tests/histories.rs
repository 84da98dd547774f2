//! Random histories: mixtures of valid and invalid commands over few accounts, ids and countries,
//! so that they collide. The laws are tested on them.

use std::collections::VecDeque;
use std::sync::LazyLock;

use gx_types::{
    AccountId, ActionId, Actor, AdminId, CommandId, CountryCode, NetworkId, Pool, ProposalId, Role,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::host::Host;
use super::notation::{
    account, actor, attest, attestation, command, identity_hash, prove, proven, public_key, sign,
    words,
};
use super::script::{check, go_on};
use super::society::{self, SOCIETY, is_answered, signer, society};
use crate::admin::{
    AppointAdmin, ApproveAction, BootstrapSystem, CancelParameterChange, CountryWeight,
    DisburseFromPool, InitializeCountryData, OrderHash, OrderReason, PauseSystem, RegisterAdminKey,
    RegisterAttester, RejectAction, RemoveAdmin, RemoveAttester, ReplaceAdmin, ResumeSystem,
    RotateAdminKey, TransferByOrder, UpdateSystemParameter, WithdrawAction,
};
use crate::custody::TransferCustody;
use crate::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use crate::governance::{ExecuteProposal, Proposal, SubmitProposal, Vote, VoteOnProposal};
use crate::identity::{CreateUser, IdentityHash};
use crate::params::{Parameter, ParameterValue, Unit};
use crate::state::AdminLevel;
use crate::tax_and_fee::{ApplyVelocityTax, SetVelocityTaxExempt};
use crate::tokenomics::{AttestedAge, DistributeGenesis, Transfer};
use crate::{Attestation, BatchRecord, Command, Envelope};

/// A command as it is given: by whom, under which id, in which batch.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) role: Role,
    pub(super) envelope: Envelope,
    /// Whether it opens a batch although it could join the one before.
    opens_batch: bool,
    /// By how much the engine's time has moved, back at times.
    elapsed: i64,
    /// With which key it is signed, if its actor is the one who signs.
    key: &'static str,
}

impl Given {
    #[cfg(feature = "testing")]
    pub(super) fn elapsed(&self) -> i64 {
        self.elapsed
    }
}

/// Countries with room for two grants, for fifty, and for everybody.
const PLACES: [&str; 3] = ["AA", "BB", "CC"];

/// A world that has a bit of everything.
pub(super) fn world() -> Host {
    static WORLD: LazyLock<Host> = LazyLock::new(build_world);
    WORLD.clone()
}

fn build_world() -> Host {
    let host = check(
        r#"world AA=1 BB=2 CC=99999997
        put c/AA {"v":1,"weight":1,"users":0,"slots":[1,0,1,0,0,0],"slotsUsed":[0,0,0,0,0,0]}
        admin:root AppointAdmin boss SUPER_ADMIN => AdminAppointed
        #third admin:root AppointAdmin third SUPER_ADMIN => ActionProposed
        admin:boss ApproveAction #third => ActionApproved, AdminAppointed
        attester clinic 100 AA BB CC
        attester abroad 100 BB
        attester busy 1 AA BB CC
        put s/parameters {"v":1,"changes":1,\
            "values":{"loanTrustMin":"50","loanTwoAdminsAbove":"500000000"}}
        put d/keeper {"v":1,"level":"ADMIN","appointedAt":0}
        put d/clerk {"v":1,"level":"ADMIN","appointedAt":0,"accountId":null}"#,
    );
    let people = "open h0.AA 30\nopen h1.BB 30\nopen h2.CC 73\nopen h3.CC 5\nopen h4.BB.E 30";
    let mut host = go_on(host, &format!("{people}\n{SOCIETY}\nat 30d"));
    EASY.for_each(|number| submit_easy(&mut host, number));
    host
}

/// The ids of proposals that few voters can decide: 100 are too many for a history.
const EASY: std::ops::Range<u128> = 32..36;

/// One of them, for a parameter of its own.
fn submit_easy(host: &mut Host, number: u128) {
    let place = (number - EASY.start) as usize;
    let param_id = Parameter::all().filter(|one| one.unit() == Unit::BasisPoints).nth(place + 1);
    let (param_id, title) = (param_id.unwrap(), "x".to_owned());
    let new_value = ParameterValue::new(param_id.default_value().get() + 1);
    let command = SubmitProposal { param_id, new_value, title }.into();
    let (command_id, actor) = (CommandId::from_u128(number), actor("admin:root"));
    let envelope = Envelope { command_id, actor, command, signature: None };
    host.execute(Role::Admin, vec![envelope]);
    let key = format!("g/{}", ProposalId::made_by(command_id));
    let proposal: Proposal = serde_json::from_slice(&host.ledger[&key]).unwrap();
    let proposal = Proposal { quorum: 1, trust_min: 10, ..proposal };
    host.put(&key, &serde_json::to_string(&proposal).unwrap());
}

fn country() -> impl Strategy<Value = CountryCode> {
    prop_oneof![20 => select(&PLACES[..]), 1 => Just("ZZ")].prop_map(|code| code.parse().unwrap())
}

/// Few people, who may try to register in several countries.
fn human() -> impl Strategy<Value = String> {
    (0..16_u8).prop_map(|number| format!("h{number}"))
}

fn user() -> impl Strategy<Value = AccountId> {
    let known = select(&["h0.AA", "h1.BB", "h2.CC", "h3.CC", "h4.BB.E"][..]);
    let any = (human(), select(&PLACES[..])).prop_map(|(human, place)| format!("{human}.{place}"));
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => any].prop_map(|word| account(&word))
}

fn any_account() -> impl Strategy<Value = AccountId> {
    let others = &["SYSTEM_CHARITABLE_POOL", "SYSTEM_OPERATIONS_FUND", "treasury_AA", "nobody"][..];
    prop_oneof![12 => user(), 1 => select(others).prop_map(account)]
}

fn any_actor() -> impl Strategy<Value = Actor> {
    let admins = select(&["admin:root", "admin:root", "admin:clerk", "admin:nobody"][..]);
    prop_oneof![
        2 => Just(Actor::System),
        2 => admins.prop_map(|word| word.parse().unwrap()),
        1 => any_account().prop_map(Actor::User),
    ]
}

fn amount() -> impl Strategy<Value = u64> {
    let edges = [
        0,
        1,
        2_999_999,
        3_000_000,
        100_000_000,
        100_000_001,
        500_000_000,
        1_250_000_000_000_000_000,
        i64::MAX as u64,
        i64::MAX as u64 + 1,
        u64::MAX - 1,
        u64::MAX,
    ];
    prop_oneof![3 => 1..300_000_000_u64, 1 => select(edges.to_vec())]
}

fn age() -> impl Strategy<Value = u16> {
    prop_oneof![6 => Just(30_u16), 2 => select(vec![0, 12, 13, 73, 74, 150, 151])]
}

fn transfer() -> impl Strategy<Value = (Actor, Command)> {
    let remark = prop_oneof![9 => Just(0_usize), 1 => Just(201)].prop_map(|n| "x".repeat(n));
    let parties = (user(), any_account());
    (parties, amount(), remark).prop_map(|((from, to), qirat, remark)| {
        let amount = gx_types::Amount::from_qirat(qirat);
        (Actor::User(from), Transfer { from, to, amount, remark }.into())
    })
}

/// Mostly none, which devnet's own attester stands for.
fn attested() -> impl Strategy<Value = Option<Box<Attestation>>> {
    let word = select(&["clinic", "clinic", "abroad", "busy", "clinic:k", "nobody"][..]);
    prop_oneof![2 => Just(None), 1 => word.prop_map(attestation)]
}

fn create_user() -> impl Strategy<Value = (Actor, Command)> {
    let broken = prop_oneof![12 => Just(None), 1 => any_account().prop_map(Some)];
    (human(), country(), age(), human(), 0..4_u8, broken, attested()).prop_map(
        |(human, country, age, other, odd, broken, attestation)| {
            let user_id = broken.unwrap_or_else(|| account(&format!("{human}.{country}")));
            let human = if odd == 0 { other } else { human };
            let account_type = user_id.layout().map_or("0".parse().unwrap(), |layout| layout.kind);
            let identity_hash = identity_hash(&human);
            let user =
                CreateUser { user_id, identity_hash, country, age, account_type, attestation };
            (Actor::System, user.into())
        },
    )
}

fn distribute() -> impl Strategy<Value = (Actor, Command)> {
    let attested = (any_account(), age(), attested())
        .prop_map(|(user_id, age, attestation)| AttestedAge { user_id, age, attestation });
    prop::collection::vec(attested, 0..3)
        .prop_map(|users| (Actor::System, DistributeGenesis { users }.into()))
}

/// Ids of the commands that submit proposals: few, so that votes find them.
fn submission() -> impl Strategy<Value = CommandId> {
    (EASY.start..EASY.end + 3).prop_map(CommandId::from_u128)
}

fn vote() -> impl Strategy<Value = (Actor, Command)> {
    let by = |id: &str| Actor::Admin(id.parse().unwrap());
    let proposed = || submission().prop_map(ProposalId::made_by);
    let votes = select(vec![Vote::For, Vote::For, Vote::Against, Vote::Abstain]);
    prop_oneof![
        2 => change().prop_map(move |UpdateSystemParameter { param_id, new_value }| {
            (by("root"), SubmitProposal { param_id, new_value, title: "x".to_owned() }.into())
        }),
        5 => (user(), proposed(), votes).prop_map(|(user, proposal_id, vote)| {
            (Actor::User(user), VoteOnProposal { proposal_id, vote }.into())
        }),
        2 => proposed().prop_map(|proposal_id| {
            (Actor::System, ExecuteProposal { proposal_id }.into())
        }),
    ]
}

fn tax() -> impl Strategy<Value = (Actor, Command)> {
    let list = prop::collection::vec(any_account(), 0..4);
    prop_oneof![
        4 => list.prop_map(|account_ids| ApplyVelocityTax { account_ids }.into()),
        1 => (any_account(), any::<bool>()).prop_map(|(account_id, exempt)| {
            SetVelocityTaxExempt { account_id, exempt }.into()
        }),
    ]
    .prop_map(|command| (Actor::Admin("root".parse().unwrap()), command))
}

fn govern() -> impl Strategy<Value = (Actor, Command)> {
    let reason = select(vec![FreezeReason::CourtOrder, FreezeReason::Inactivity]);
    let weight = prop_oneof![Just(0_u32), Just(1), Just(u32::MAX)];
    let added = (country(), weight)
        .prop_map(|(country_code, weight)| CountryWeight { country_code, weight });
    let word = prop_oneof![Just(5_usize), Just(10)].prop_map(|n| "x".repeat(n));
    prop_oneof![
        4 => (any_account(), reason.clone()).prop_map(|(account_id, reason)| {
            FreezeWallet { account_id, reason }.into()
        }),
        5 => (any_account(), reason).prop_map(|(account_id, reason)| {
            UnfreezeWallet { account_id, reason }.into()
        }),
        1 => any_account().prop_map(|user_id| {
            TransferCustody { user_id, to: "OtherMSP".parse().unwrap() }.into()
        }),
        1 => word.prop_map(|reason| PauseSystem { reason }.into()),
        3 => Just(ResumeSystem {}.into()),
        1 => prop::collection::vec(added, 0..3)
            .prop_map(|countries| InitializeCountryData { countries }.into()),
        1 => Just(
            BootstrapSystem {
                first_super_admin: "root".parse().unwrap(),
                network_id: NetworkId::Devnet,
                account_id: None,
                key: None,
            }
            .into()
        ),
    ]
    .prop_map(|command| (Actor::Admin("root".parse().unwrap()), command))
}

fn admin() -> impl Strategy<Value = AdminId> {
    select(&["root", "boss", "third", "clerk", "late", "fresh"][..])
        .prop_map(|id| id.parse().unwrap())
}

/// Root stays: most other commands are given by root.
fn predecessor() -> impl Strategy<Value = AdminId> {
    select(&["boss", "third", "clerk", "late"][..]).prop_map(|id| id.parse().unwrap())
}

/// Mostly somebody who is not in office.
fn successor() -> impl Strategy<Value = AdminId> {
    let new = select(&["late", "fresh"][..]).prop_map(|id| id.parse().unwrap());
    prop_oneof![5 => new, 1 => admin()]
}

/// Ids of the commands that propose actions: few, so that approvals find them.
fn proposal() -> impl Strategy<Value = CommandId> {
    (16..32_u128).prop_map(CommandId::from_u128)
}

fn change() -> impl Strategy<Value = UpdateSystemParameter> {
    let all: Vec<Parameter> = Parameter::all().collect();
    (select(all), 0..4_u64, any::<bool>()).prop_map(|(param_id, by, up)| {
        let value = param_id.default_value().get();
        let value = if up { value.saturating_add(by) } else { value.saturating_sub(by) };
        UpdateSystemParameter { param_id, new_value: ParameterValue::new(value) }
    })
}

/// An admin of whom nothing else is asked has a key, and others.
const KEEPER: &str = "keeper";

fn keep() -> impl Strategy<Value = (Actor, Command)> {
    let keys = (select(&["k", "k2"][..]), any::<bool>());
    keys.prop_map(|(word, first)| {
        let (public_key, proof) = proven(&[word.to_owned()]);
        let command = match first {
            true => RegisterAdminKey { public_key, proof }.into(),
            false => RotateAdminKey { public_key, proof }.into(),
        };
        (Actor::Admin(KEEPER.parse().unwrap()), command)
    })
}

/// What needs two admins, and the approvals.
fn decide() -> impl Strategy<Value = (Actor, Command)> {
    let level = select(vec![AdminLevel::SuperAdmin, AdminLevel::Admin]);
    let own = || prop_oneof![2 => Just(None), 1 => any_account().prop_map(Some)];
    let pool = select(vec![Pool::Charitable, Pool::Loan, Pool::UserGenesis]);
    let disburse = (pool, any_account(), amount()).prop_map(|(pool_id, recipient_id, qirat)| {
        let (amount, purpose) = (gx_types::Amount::from_qirat(qirat), "a well".to_owned());
        DisburseFromPool { pool_id, recipient_id, amount, purpose }.into()
    });
    let reason = select(vec![OrderReason::CourtOrder, OrderReason::Estate]);
    let order =
        (any_account(), any_account(), amount(), reason).prop_map(|(from, to, qirat, reason)| {
            let amount = gx_types::Amount::from_qirat(qirat);
            let order_hash = OrderHash::from_bytes([9; 32]);
            TransferByOrder { from, to, amount, order_hash, reason }.into()
        });
    let attesters = select(&["clinic", "abroad", "busy", "another"][..]);
    let limits = (1..4_u32, prop::sample::subsequence(&PLACES[..], 0..=3));
    let register = (attesters.clone(), limits).prop_map(|(word, (daily_max, places))| {
        let (attester_id, (public_key, proof)) =
            (word.parse().unwrap(), proven(&[word.to_owned()]));
        let countries = places.iter().map(|code| code.parse().unwrap()).collect();
        RegisterAttester { attester_id, public_key, proof, daily_max, countries }.into()
    });
    let removed = prop_oneof![6 => attesters, 1 => Just("devnet")];
    let command = prop_oneof![
        2 => register,
        1 => removed.prop_map(|id| RemoveAttester { attester_id: id.parse().unwrap() }.into()),
        3 => (admin(), level, own(), prop::bool::weighted(0.4)).prop_map(
            |(admin_id, level, account_id, emergency)| {
                AppointAdmin { admin_id, level, account_id, emergency }.into()
            }
        ),
        5 => (predecessor(), successor(), own()).prop_map(|(old, new, account_id)| {
            let (old_admin_id, new_admin_id) = (old, new);
            ReplaceAdmin { old_admin_id, new_admin_id, account_id }.into()
        }),
        2 => admin().prop_map(|admin_id| RemoveAdmin { admin_id }.into()),
        2 => change().prop_map(Command::from),
        2 => change().prop_map(|UpdateSystemParameter { param_id, .. }| {
            CancelParameterChange { param_id }.into()
        }),
        2 => disburse,
        2 => order,
        6 => proposal().prop_map(|id| ApproveAction { action_id: ActionId::made_by(id) }.into()),
        1 => proposal().prop_map(|id| RejectAction { action_id: ActionId::made_by(id) }.into()),
        1 => proposal().prop_map(|id| WithdrawAction { action_id: ActionId::made_by(id) }.into()),
    ];
    (admin(), command).prop_map(|(admin, command)| (Actor::Admin(admin), command))
}

/// A command that its actor may mostly give, mostly by the right role, mostly under an id of its
/// own.
fn given() -> impl Strategy<Value = Given> {
    let command = prop_oneof![
        9 => transfer(), 4 => create_user(), 2 => distribute(), 3 => govern(), 6 => decide(),
        1 => keep(),
        3 => tax(), 5 => vote(), 20 => society(),
    ];
    let other = prop_oneof![12 => Just(None), 1 => any_actor().prop_map(Some)];
    let role = prop_oneof![25 => Just(None), 1 => select(Role::ALL.to_vec()).prop_map(Some)];
    let id = prop_oneof![6 => any::<u128>(), 1 => 0..4_u128].prop_map(CommandId::from_u128);
    let made = (48..54_u128).prop_map(CommandId::from_u128);
    let id = (id, proposal(), submission(), made, select(&["k", "k", "k2", "new", ""][..]));
    let elapsed = prop_oneof![9 => -3..9_i64, 1 => Just(200_000_000), 1 => Just(1_209_600_000),
        1 => Just(30_672_000_000)];
    (command, other, role, id, prop::bool::weighted(0.15), elapsed).prop_map(
        |((rightful, command), other, role, ids, opens_batch, elapsed)| {
            let (id, proposal, submission, made, key) = ids;
            let command_id = match command {
                Command::SubmitProposal(_) => submission,
                _ if is_answered(&command) => made,
                _ if command.rule().gate().two_admins => proposal,
                _ => id,
            };
            let actor = other.unwrap_or(rightful);
            let envelope = Envelope { command_id, actor, command, signature: None };
            Given { role: role.unwrap_or(envelope.role()), envelope, opens_batch, elapsed, key }
        },
    )
}

/// Commands, some of which come again, and some of which others answer: a second admin approves,
/// users vote, and the result is drawn when its time has come.
pub(super) fn history() -> impl Strategy<Value = Vec<Given>> {
    let repeated = prop::collection::vec(any::<(Index, Index)>(), 0..4);
    let answered = prop::collection::vec(prop::option::weighted(0.7, any::<Index>()), 40);
    (prop::collection::vec(given(), 1..40), repeated, answered).prop_map(
        |(mut history, repeated, answered)| {
            for (from, to) in repeated {
                let again = from.get(&history).clone();
                history.insert(to.index(history.len() + 1), again);
            }
            let mut history: VecDeque<Given> = history.into();
            let mut all = Vec::new();
            let mut answered = answered.into_iter();
            while let Some(given) = history.pop_front() {
                let later = answered.next().flatten();
                let answers = later.map_or(Vec::new(), |later| answers(&given, later));
                all.push(given);
                for (wait, answer) in answers {
                    history.insert(wait.min(history.len()), answer);
                }
            }
            all
        },
    )
}

/// What others answer to a command, and after how many further commands.
fn answers(given: &Given, later: Index) -> Vec<(usize, Given)> {
    let id = given.envelope.command_id;
    let answer = |wait: usize, number: u128, (actor, command), elapsed| {
        let command_id = CommandId::from_u128(u128::from(id.words()[1]) * 16 + number);
        let envelope = Envelope { command_id, actor, command, signature: None };
        let role = envelope.role();
        (wait, Given { role, envelope, opens_batch: elapsed > 9, elapsed, key: "k" })
    };
    let wait = later.index(4);
    match &given.envelope.command {
        Command::SubmitProposal(_) => {
            let proposal_id = ProposalId::made_by(id);
            let vote = VoteOnProposal { proposal_id, vote: Vote::For };
            let voter = Actor::User(account("h1.BB"));
            let result = (Actor::System, ExecuteProposal { proposal_id }.into());
            vec![
                answer(wait, 1, (voter, vote.into()), 0),
                answer(wait + 1, 2, result, 1_209_600_000),
            ]
        }
        // Some days pass in which nothing that protects somebody may run out.
        Command::PauseSystem(_) => {
            let resume = (Actor::Admin("root".parse().unwrap()), ResumeSystem {}.into());
            vec![answer(wait + 1, 6, resume, 200_000_000)]
        }
        Command::FreezeWallet(FreezeWallet { account_id, .. }) => {
            let (from, to, amount) =
                (*account_id, account("h1.BB"), gx_types::Amount::from_qirat(1));
            let (order_hash, reason) = (OrderHash::from_bytes([9; 32]), OrderReason::CourtOrder);
            let order = TransferByOrder { from, to, amount, order_hash, reason };
            vec![answer(wait, 5, (Actor::Admin("root".parse().unwrap()), order.into()), 0)]
        }
        command
            if command.rule().gate().two_admins
                && !matches!(command, Command::ResetKeyByOrder(_)) =>
        {
            let second = ["boss", "root", "third"][later.index(3)].parse().unwrap();
            let action_id = ActionId::made_by(id);
            let decision = match later.index(13) {
                0 => RejectAction { action_id }.into(),
                1 => WithdrawAction { action_id }.into(),
                _ => ApproveAction { action_id }.into(),
            };
            let (who, after) = match command {
                // Alone, when the others have had their time.
                Command::AppointAdmin(AppointAdmin { emergency: true, .. })
                    if later.index(2) == 0 =>
                {
                    (given.envelope.actor, 2_592_000_000)
                }
                _ => (Actor::Admin(second), 0),
            };
            let mut all = vec![answer(wait, 3, (who, decision), after)];
            if let Command::UpdateSystemParameter(UpdateSystemParameter { param_id, .. }) = command
                && later.index(3) == 0
            {
                let cancel = CancelParameterChange { param_id: *param_id }.into();
                all.push(answer(wait + 1, 4, (Actor::Admin(second), cancel), 0));
            }
            all
        }
        other => society::answers(other, id, later.index(4))
            .into_iter()
            .zip(0_u32..)
            .map(|((who, command, elapsed), at)| {
                answer(wait + at as usize, 8 + u128::from(at), (who, command), elapsed)
            })
            .collect(),
    }
}

/// A history that starts on the empty ledger: what others depend on comes early, mostly.
pub(super) fn beginnings() -> impl Strategy<Value = Vec<Given>> {
    let lines = [
        ("system", "BootstrapSystem root"),
        ("admin:root", "InitializeCountryData AA=1 BB=2 CC=99999997"),
        ("system", "CreateUser h0.AA 30"),
        ("system", "CreateUser h1.BB 30"),
        ("system", "CreateUser h2.CC 30"),
    ];
    let first = lines.into_iter().zip(1..).map(|((by, line), id)| {
        let words = words(line);
        let command = command(&words[0], &words[1..]);
        let command_id = CommandId::from_u128(id << 100);
        let envelope = Envelope { command_id, actor: actor(by), command, signature: None };
        Given { role: envelope.role(), envelope, opens_batch: false, elapsed: 0, key: "" }
    });
    let first: Vec<Given> = first.collect();
    (history(), prop::collection::vec(0..3_usize, first.len())).prop_map(
        move |(mut history, delays)| {
            let mut place = 0;
            for (given, delay) in first.iter().zip(delays) {
                place = (place + delay).min(history.len());
                history.insert(place, given.clone());
                place += 1;
            }
            history
        },
    )
}

/// Gives a history in its batches: runs of one role, cut where a command says so.
pub(super) fn in_batches(host: &mut Host, history: &[Given]) -> Vec<BatchRecord> {
    batches(history).map(|batch| execute(host, batch)).collect()
}

/// The batches of a history.
pub(super) fn batches(history: &[Given]) -> impl Iterator<Item = &[Given]> {
    history.chunk_by(|a, b| a.role == b.role && !b.opens_batch)
}

/// Gives each command of a history in a batch of its own.
pub(super) fn one_by_one(host: &mut Host, history: &[Given]) -> Vec<BatchRecord> {
    history.chunks(1).map(|batch| execute(host, batch)).collect()
}

fn execute(host: &mut Host, batch: &[Given]) -> BatchRecord {
    host.now += batch[0].elapsed;
    let now = host.now;
    host.execute(batch[0].role, batch.iter().map(|given| signed(given, now)).collect())
}

/// Who the person of an account is, if it is one of those that histories open.
fn identity_of(id: &AccountId) -> Option<IdentityHash> {
    let humans = (0..16).map(|number| format!("h{number}"));
    let mut words =
        humans.flat_map(|human| PLACES.map(|place| (format!("{human}.{place}"), human.clone())));
    let (_, human) = words.find(|(word, _)| account(word) == *id)?;
    Some(identity_hash(&human))
}

/// The command as its actor sends it now.
pub(super) fn signed(given: &Given, now: i64) -> Envelope {
    let mut envelope = given.envelope.clone();
    prove(&mut envelope, NetworkId::Devnet);
    attest(&mut envelope, NetworkId::Devnet, now, identity_of);
    if let (Actor::Admin(id), Command::RotateAdminKey(rotate)) = (envelope.actor, &envelope.command)
        && id.as_str() == KEEPER
    {
        let old = if rotate.public_key == public_key("k") { "k2" } else { "k" };
        sign(&mut envelope, old, now, NetworkId::Devnet);
    }
    if envelope.actor == signer() && !given.key.is_empty() {
        sign(&mut envelope, given.key, now, NetworkId::Devnet);
    }
    envelope
}

/// The same history at one and the same time.
pub(super) fn at_once(mut history: Vec<Given>) -> Vec<Given> {
    history.iter_mut().for_each(|given| given.elapsed = 0);
    history
}
