//! A long script of commands of every kind, good ones and bad ones, drawn from a seed.
//!
//! It consists of scenes: a few commands in order, some of which need time to pass in between.
//! Many scenes run side by side, so that batches hold commands of several.

use ed25519_dalek::{Signer, SigningKey};
use gx_contract::admin::*;
use gx_contract::custody::{AcceptCustody, TransferCustody};
use gx_contract::escrow::{OpenEscrow, RefundEscrow, ReleaseEscrow};
use gx_contract::freezing::*;
use gx_contract::governance::{ExecuteProposal, SubmitProposal, Vote, VoteOnProposal};
use gx_contract::identity::*;
use gx_contract::loan_pool::*;
use gx_contract::organization::*;
use gx_contract::params::ParameterValue;
use gx_contract::spending::SetSpendingLimit;
use gx_contract::state::AdminLevel;
use gx_contract::tax_and_fee::{ApplyVelocityTax, SetVelocityTaxExempt};
use gx_contract::tokenomics::*;
use gx_contract::treasury::{ActivateTreasuryAccount, ReassignTreasury};
use gx_contract::{
    Batch, Command, Envelope, PublicKey, Signature, SignatureBytes, key_proof_bytes,
};
use gx_types::{
    AccountId, AccountType, ActionId, Actor, AdminId, Amount, CommandId, CountryCode, EscrowId,
    LoanId, NetworkId, PendingTxId, Pool, ProposalId, RecoveryId, Role, TimeMs,
};

use crate::load::Load;

/// People who live through all of the script; the first of each four has a family.
const PEOPLE: usize = 40;

/// Scenes that run side by side.
const SCENES: usize = 40;

/// A command of a scene.
struct Step {
    envelope: Envelope,
    /// Seed of the key that signs it.
    signed_by: Option<u8>,
    /// Days that pass before it.
    after_days: u32,
}

/// A proof that is still to be made.
const NO_PROOF: SignatureBytes = SignatureBytes::from_bytes([0; 64]);

type Scene = Vec<Step>;

/// A command, and the seed of the key that signs it.
type Signed = (Envelope, Option<u8>);

/// Commands that are sent together, and the days that pass before.
pub(crate) struct Part {
    pub(crate) after_days: u32,
    batches: Vec<(Role, Vec<Signed>)>,
}

impl Part {
    /// The batches, signed now.
    pub(crate) fn batches(self, load: &mut Load, now: TimeMs) -> Vec<Batch> {
        let sign = |(mut envelope, key): Signed| {
            if let Command::OpenEscrow(open) = &mut envelope.command {
                open.expires_at = now.plus_days(30);
            }
            if let Some(seed) = key {
                let expires_at = now.plus_hours(1);
                let bytes = envelope.signed_bytes(NetworkId::Devnet, expires_at);
                let signature = signing_key(seed).sign(&bytes).to_bytes();
                let signature = SignatureBytes::from_bytes(signature);
                envelope.signature = Some(Signature { signature, expires_at });
            }
            envelope
        };
        let batches = self.batches.into_iter();
        batches
            .map(|(role, commands)| load.batch(role, commands.into_iter().map(sign).collect()))
            .collect()
    }
}

fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public_key(seed: u8) -> PublicKey {
    PublicKey::from_bytes(signing_key(seed).verifying_key().to_bytes())
}

fn country() -> CountryCode {
    "IN".parse().unwrap()
}

fn root() -> Actor {
    Actor::Admin("root".parse().unwrap())
}

fn second() -> Actor {
    Actor::Admin("second".parse().unwrap())
}

/// Draws the script.
pub(crate) struct Script {
    load: Load,
    draw: u64,
    /// Tells the accounts of this script from those of others on the same ledger.
    run: u64,
    accounts: u64,
    admins: u64,
    pub(crate) people: Vec<AccountId>,
    /// Commands that were sent, some of which are sent again.
    sent: Vec<Envelope>,
    scene: Scene,
}

impl Script {
    pub(crate) fn new(load: Load, seed: u64) -> Self {
        let (run, draw) = (seed, seed);
        let (people, sent, scene) = (Vec::new(), Vec::new(), Vec::new());
        Self { load, draw, run, accounts: 0, admins: 0, people, sent, scene }
    }

    /// SplitMix64.
    fn below(&mut self, limit: usize) -> usize {
        self.draw = self.draw.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let value = (self.draw ^ (self.draw >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((value ^ (value >> 31)) % limit as u64) as usize
    }

    fn gx(&mut self, most: usize) -> Amount {
        Amount::from_gx(1 + self.below(most) as u64)
    }

    fn person(&mut self) -> AccountId {
        let at = self.below(self.people.len());
        self.people[at]
    }

    /// Three people, each another.
    fn three(&mut self) -> [AccountId; 3] {
        let at = self.below(self.people.len());
        [0, 1, 2].map(|step| self.people[(at + step) % self.people.len()])
    }

    fn account(&mut self, kind: AccountType) -> AccountId {
        self.accounts += 1;
        // An id keeps a part of the entropy, so all of it is told apart by both numbers.
        let entropy = self.accounts.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(self.run);
        let entropy = u128::from(entropy).wrapping_mul(0x2545_F491_4F6C_DD1D_9E37_79B9_7F4A_7C15);
        AccountId::from_entropy(country(), kind, entropy.to_be_bytes())
    }

    fn step(&mut self, actor: Actor, command: impl Into<Command>) -> CommandId {
        let envelope = self.load.envelope(actor, command);
        let id = envelope.command_id;
        self.scene.push(Step { envelope, signed_by: None, after_days: 0 });
        id
    }

    fn user(&mut self, user: AccountId, command: impl Into<Command>) -> CommandId {
        self.step(Actor::User(user), command)
    }

    fn signed(&mut self, user: AccountId, command: impl Into<Command>, seed: u8) {
        self.step(Actor::User(user), command);
        self.sign(seed);
    }

    /// The last command is signed by the key.
    fn sign(&mut self, seed: u8) {
        self.scene.last_mut().unwrap().signed_by = Some(seed);
    }

    /// The last command sets the key, which has signed for it.
    fn prove(&mut self, seed: u8) {
        let envelope = &mut self.scene.last_mut().unwrap().envelope;
        let command_id = envelope.command_id;
        let new = envelope.new_key().expect("a command that sets a key");
        let bytes = key_proof_bytes(NetworkId::Devnet, &new.holder, command_id);
        *new.proof = SignatureBytes::from_bytes(signing_key(seed).sign(&bytes).to_bytes());
    }

    /// The last command comes so many days after the one before.
    fn after(&mut self, days: u32) {
        self.scene.last_mut().unwrap().after_days = days;
    }

    fn by_two(&mut self, command: impl Into<Command>) {
        let action_id = ActionId::made_by(self.step(root(), command));
        self.step(second(), ApproveAction { action_id });
    }

    /// Proposed and not carried out: the second admin says no, or the first thinks better of it.
    fn dropped(&mut self, command: impl Into<Command>) {
        let action_id = ActionId::made_by(self.step(root(), command));
        if self.below(2) == 0 {
            self.step(second(), RejectAction { action_id });
        } else {
            self.step(root(), WithdrawAction { action_id });
        }
    }

    fn set(&mut self, id: &str, value: u64) {
        let (param_id, new_value) = (id.parse().unwrap(), ParameterValue::new(value));
        self.by_two(UpdateSystemParameter { param_id, new_value });
    }

    fn open(&mut self, age: u16) -> AccountId {
        let user_id = self.account(AccountType::Individual);
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&self.run.to_be_bytes());
        hash[8..16].copy_from_slice(&self.accounts.to_be_bytes());
        let identity_hash = IdentityHash::from_bytes(hash);
        let (country, account_type) = (country(), AccountType::Individual);
        let attestation = None;
        let create = CreateUser { user_id, identity_hash, country, age, account_type, attestation };
        self.step(Actor::System, create);
        user_id
    }

    fn transfer(&mut self, from: AccountId, to: AccountId, amount: Amount) -> Transfer {
        let remark =
            if self.below(3) == 0 { "for \"wool\" — ü".to_owned() } else { String::new() };
        Transfer { from, to, amount, remark }
    }

    /// People, families and parameters; one command after the other.
    pub(crate) fn prologue(&mut self) -> Vec<Part> {
        let (admin_id, level) = ("second".parse().unwrap(), AdminLevel::SuperAdmin);
        self.step(root(), AppointAdmin { admin_id, level, account_id: None, emergency: false });
        self.set("votingTrustMin", 25);
        // One that is called off.
        self.set("votingDays", 30);
        self.step(root(), CancelParameterChange { param_id: "votingDays".parse().unwrap() });
        for at in 0..PEOPLE {
            let person = self.open(18 + (at as u16 * 7) % 60);
            self.people.push(person);
        }
        for family in self.people.clone().chunks(4) {
            let &[one, father, spouse, sibling] = family else { continue };
            for (kind, from, to) in [
                (RelationshipKind::FatherOf, father, one),
                (RelationshipKind::SpouseOf, one, spouse),
                (RelationshipKind::SiblingOf, sibling, one),
            ] {
                let asked = RequestRelationship { subject_id: from, object_id: to, kind };
                self.user(from, asked);
                let relationship_id = kind.id_between(from, to);
                self.user(to, ConfirmRelationship { relationship_id });
            }
            self.disburse(one);
        }
        // Accounts vote and borrow when they are 30 days old.
        self.after(30);
        let scene = std::mem::take(&mut self.scene);
        let mut parts: Vec<Part> = scene.into_iter().map(|step| self.part(vec![step])).collect();
        parts.extend(self.referendum());
        parts
    }

    /// A vote by a hundred, which is what a proposal needs. They are married, so that each of them
    /// has the trust; each round of commands is sent at once.
    fn referendum(&mut self) -> Vec<Part> {
        let citizens: Vec<AccountId> = (0..100).map(|_| self.open(40)).collect();
        let mut rounds = vec![std::mem::take(&mut self.scene)];
        let kind = RelationshipKind::SpouseOf;
        let couples: Vec<[AccountId; 2]> =
            citizens.chunks(2).map(|pair| [pair[0], pair[1]]).collect();
        for [subject_id, object_id] in &couples {
            let (subject_id, object_id) = (*subject_id, *object_id);
            self.user(subject_id, RequestRelationship { subject_id, object_id, kind });
        }
        rounds.push(std::mem::take(&mut self.scene));
        for [subject_id, object_id] in couples {
            let relationship_id = kind.id_between(subject_id, object_id);
            self.user(object_id, ConfirmRelationship { relationship_id });
        }
        // By now they are old enough, and the change of the trust that voters need is in force.
        self.after(30);
        rounds.push(std::mem::take(&mut self.scene));
        let submit = SubmitProposal {
            param_id: "loanOpenMax".parse().unwrap(),
            new_value: ParameterValue::new(6),
            title: "More loans".to_owned(),
        };
        let proposal_id = ProposalId::made_by(self.step(root(), submit));
        rounds.push(std::mem::take(&mut self.scene));
        for voter in citizens {
            self.user(voter, VoteOnProposal { proposal_id, vote: Vote::For });
        }
        rounds.push(std::mem::take(&mut self.scene));
        self.step(Actor::System, ExecuteProposal { proposal_id });
        self.after(14);
        rounds.push(std::mem::take(&mut self.scene));
        rounds.into_iter().map(|round| self.part(round)).collect()
    }

    /// The next scenes, played side by side.
    pub(crate) fn act(&mut self) -> Vec<Part> {
        let mut scenes: Vec<_> = (0..SCENES)
            .map(|_| {
                self.draw_scene();
                std::mem::take(&mut self.scene).into_iter()
            })
            .collect();
        let mut parts = Vec::new();
        loop {
            let steps: Vec<Step> = scenes.iter_mut().filter_map(Iterator::next).collect();
            if steps.is_empty() {
                return parts;
            }
            parts.push(self.part(steps));
        }
    }

    /// One batch for each role; sometimes with a command that was sent before, or with its id.
    fn part(&mut self, steps: Vec<Step>) -> Part {
        let after_days = steps.iter().map(|step| step.after_days).max().unwrap_or_default();
        let mut commands: Vec<_> =
            steps.into_iter().map(|step| (step.envelope, step.signed_by)).collect();
        if !self.sent.is_empty() && self.below(3) == 0 {
            let at = self.below(self.sent.len());
            let mut again = self.sent[at].clone();
            if self.below(4) == 0 {
                again.command = PauseSystem { reason: "another command".to_owned() }.into();
            }
            commands.push((again, None));
        }
        let batches = Role::ALL.into_iter().filter_map(|role| {
            let mine = commands.iter().filter(|(envelope, _)| envelope.role() == role);
            let mine: Vec<_> = mine.cloned().collect();
            (!mine.is_empty()).then_some((role, mine))
        });
        let batches = batches.collect();
        if let Some((envelope, _)) = commands.into_iter().next() {
            self.sent.push(envelope);
        }
        Part { after_days, batches }
    }

    fn draw_scene(&mut self) {
        match self.below(64) {
            0..24 => self.payments(),
            24..28 => self.newcomer(),
            28..32 => self.relation(),
            32..36 => self.keys(),
            36..40 => self.business(),
            40 => self.government(),
            41..47 => self.loan(),
            47..51 => self.proposal(),
            51..54 => self.tax(),
            54..57 => self.standing(),
            57..60 => self.admins(),
            60 => self.pause(),
            61 => self.parameters(),
            62 => self.escrow(),
            _ => {
                let someone = self.person();
                self.disburse(someone);
            }
        }
    }

    fn payments(&mut self) {
        for _ in 0..4 {
            let (from, to, amount) = (self.person(), self.person(), self.gx(40));
            let transfer = self.transfer(from, to, amount);
            match self.below(8) {
                // More than anybody has; somebody else's; to nobody.
                0 => self.user(from, Transfer { amount: Amount::from_gx(90_000_000), ..transfer }),
                1 => self.user(to, transfer),
                2 => {
                    let to = self.account(AccountType::Individual);
                    self.user(from, Transfer { to, ..transfer })
                }
                _ => self.user(from, transfer),
            };
        }
    }

    fn newcomer(&mut self) {
        let age = self.below(120) as u16;
        let user_id = self.open(age);
        let users = vec![AttestedAge { user_id, age: age.saturating_add(1), attestation: None }];
        self.step(root(), DistributeGenesis { users });
        let (to, amount) = (self.person(), self.gx(600));
        let transfer = self.transfer(user_id, to, amount);
        self.user(user_id, transfer);
    }

    fn relation(&mut self) {
        let ([subject_id, object_id, _], kind) = (self.three(), self.below(9));
        let kind = RelationshipKind::ALL[kind];
        self.user(subject_id, RequestRelationship { subject_id, object_id, kind });
        let relationship_id = kind.id_between(subject_id, object_id);
        if self.below(3) == 0 {
            self.user(object_id, RejectRelationship { relationship_id });
            return;
        }
        self.user(object_id, ConfirmRelationship { relationship_id });
        // Families stay.
        if matches!(kind, RelationshipKind::FriendOf | RelationshipKind::DirectorOf) {
            self.user(subject_id, EndRelationship { relationship_id });
        }
    }

    /// Somebody whose commands are signed, loses the key, and gets another.
    fn keys(&mut self) {
        let user_id = self.open(40);
        let guardians = self.three();
        let nominate = NominateGuardians { user_id, guardians: guardians.to_vec() };
        self.user(user_id, nominate.clone());
        let proof = NO_PROOF;
        let to = "Org2MSP".parse().unwrap();
        self.step(Actor::System, TransferCustody { user_id, to });
        // It is for the other organization to accept.
        self.step(Actor::System, AcceptCustody { user_id });
        self.user(user_id, RegisterKey { user_id, public_key: public_key(1), proof });
        self.prove(1);
        self.signed(user_id, nominate, 1);
        self.signed(user_id, RotateKey { user_id, public_key: public_key(2), proof }, 1);
        self.prove(2);
        for seed in [Some(2), Some(1), None] {
            let amount = self.gx(20);
            let transfer = self.transfer(user_id, guardians[0], amount);
            match seed {
                Some(seed) => self.signed(user_id, transfer, seed),
                None => drop(self.user(user_id, transfer)),
            }
        }
        let begun = InitiateRecovery { user_id, public_key: public_key(3), proof };
        let recovery_id = RecoveryId::made_by(self.user(guardians[0], begun));
        self.prove(3);
        self.user(guardians[1], ConfirmRecovery { recovery_id });
        if self.below(2) == 0 {
            self.signed(user_id, CancelRecovery { recovery_id }, 2);
        } else {
            self.user(guardians[2], CompleteRecovery { recovery_id });
            self.after(2);
        }
        let transfer = self.transfer(user_id, guardians[2], Amount::from_gx(1));
        self.signed(user_id, transfer, 3);
        let (new_key, order_hash) = (public_key(4), OrderHash::from_bytes([9; 32]));
        let order = ResetKeyByOrder { user_id, new_key, proof, order_hash };
        let action_id = ActionId::made_by(self.step(root(), order));
        self.prove(4);
        self.step(second(), ApproveAction { action_id });
        if self.below(2) == 0 {
            self.signed(user_id, VetoKeyReset { user_id }, 3);
        }
        self.step(Actor::System, CompleteKeyReset { user_id });
        self.after(7);
    }

    fn organization(&mut self, kind: OrganizationKind) -> (AccountId, [AccountId; 3]) {
        let org_id = self.account(match kind {
            OrganizationKind::Business => AccountType::ForProfit,
            OrganizationKind::Ngo => AccountType::NotForProfit,
            OrganizationKind::Government => AccountType::Governmental,
        });
        let members = self.three();
        let (name, country) = ("Weavers".to_owned(), country());
        let stakeholders = members.to_vec();
        let propose = ProposeOrganization { org_id, name, kind, country, stakeholders };
        match kind {
            OrganizationKind::Government => self.by_two(propose),
            OrganizationKind::Business | OrganizationKind::Ngo => {
                self.user(members[0], propose);
            }
        }
        for member in members {
            self.user(member, EndorseMembership { org_id });
        }
        self.user(members[0], ActivateOrganization { org_id });
        (org_id, members)
    }

    fn pay(&mut self, from: AccountId, payer: AccountId, gx: usize) -> PendingTxId {
        let (to, amount, remark) = (self.person(), self.gx(gx), "wool".to_owned());
        PendingTxId::made_by(self.user(payer, InitiateMultiSigTx { from, to, amount, remark }))
    }

    fn business(&mut self) {
        let kinds = [OrganizationKind::Business, OrganizationKind::Ngo];
        let kind = kinds[self.below(2)];
        let (org_id, members) = self.organization(kind);
        let rule = |gx, approver_group: [AccountId; 2]| AuthRule {
            from_amount: Amount::from_gx(gx),
            required_approvers: 2,
            approver_group: approver_group.to_vec(),
        };
        let ladder = vec![rule(0, [members[1], members[0]]), rule(20, [members[2], members[1]])];
        for member in members {
            self.user(member, DefineAuthRule { org_id, ladder: ladder.clone() });
        }
        let transfer = self.transfer(members[0], org_id, Amount::from_gx(60));
        self.user(members[0], transfer);
        // What the first has paid may ask for other approvals of the second.
        let payments = [0; 2].map(|_| self.pay(org_id, members[0], 30));
        for pending_tx_id in payments {
            self.user(members[1], ApproveMultiSigTx { pending_tx_id });
        }
        let pending_tx_id = self.pay(org_id, members[0], 90_000);
        for member in [members[1], members[2]] {
            self.user(member, ApproveMultiSigTx { pending_tx_id });
        }
        self.user(members[1], WithdrawApproval { pending_tx_id });
        self.user(members[0], CancelMultiSigTx { pending_tx_id });
        let pending_tx_id = self.pay(org_id, members[0], 5);
        self.user(members[1], RejectMultiSigTx { pending_tx_id });
        self.succession(org_id, members);
        if self.below(2) == 0 {
            self.step(root(), SetOrganizationStatus { org_id, locked: true });
            self.pay(org_id, members[0], 5);
        }
    }

    /// Somebody is to come and does not; the third leaves, or is locked and replaced by order.
    fn succession(&mut self, org_id: AccountId, members: [AccountId; 3]) {
        let [first, second, third] = members;
        let newcomer = self.person();
        let change = |add: &[AccountId], remove: &[AccountId]| ChangeStakeholders {
            org_id,
            add: add.to_vec(),
            remove: remove.to_vec(),
            new_ladder: Some(Vec::new()),
        };
        self.user(first, change(&[newcomer], &[]));
        self.user(second, WithdrawStakeholderChange { org_id });
        if self.below(2) == 0 {
            for stays in [first, second] {
                self.user(stays, change(&[], &[third]));
            }
            return;
        }
        let lock = |status| SetUserStatus { user_id: third, status, order_hash: None };
        self.step(root(), lock(AccountStatus::Locked));
        let (order_hash, new_ladder) = (OrderHash::from_bytes([6; 32]), Some(Vec::new()));
        let (add, remove) = (vec![newcomer], vec![third]);
        self.by_two(ChangeStakeholdersByOrder { org_id, add, remove, new_ladder, order_hash });
        self.step(root(), lock(AccountStatus::Active));
    }

    fn government(&mut self) {
        let (org_id, members) = self.organization(OrganizationKind::Government);
        // The first is given the treasury; each that comes later takes it over.
        self.by_two(ActivateTreasuryAccount { country_code: country(), org_id });
        let order_hash = OrderHash::from_bytes([6; 32]);
        self.by_two(ReassignTreasury { country_code: country(), org_id, order_hash });
        let treasury = AccountId::treasury(country());
        let pending_tx_id = self.pay(treasury, members[0], 20);
        self.after(7);
        // The next who takes it over ends this one.
        self.pay(treasury, members[0], 20);
        for member in members {
            self.user(member, ApproveMultiSigTx { pending_tx_id });
        }
    }

    /// Coins that wait, and are released, given back, or left lying.
    fn escrow(&mut self) {
        let [payer, to, arbiter] = self.three();
        let (amount, arbiter_id) = (self.gx(20), Some(arbiter));
        let remark = "a loom".to_owned();
        // The end is written when it is sent.
        let expires_at = TimeMs(0);
        let open = OpenEscrow { to, amount, expires_at, arbiter_id, remark };
        let escrow_id = EscrowId::made_by(self.user(payer, open));
        match self.below(4) {
            0 => self.user(payer, ReleaseEscrow { escrow_id }),
            1 => self.user(arbiter, ReleaseEscrow { escrow_id }),
            2 => self.user(to, RefundEscrow { escrow_id }),
            _ => self.user(payer, RefundEscrow { escrow_id }),
        };
        self.user(arbiter, RefundEscrow { escrow_id });
        let per_day = Some(self.gx(90));
        self.user(to, SetSpendingLimit { user_id: to, per_day });
    }

    fn loan(&mut self) {
        let at = self.below(PEOPLE / 4) * 4;
        let (borrower, amount) = (self.people[at], self.gx(700));
        let apply = ApplyForLoan {
            amount,
            collateral_hash: CollateralHash::from_bytes([at as u8; 32]),
            duration_days: 10,
            purpose: "a loom".to_owned(),
        };
        let loan_id = LoanId::made_by(self.user(borrower, apply));
        let ending = self.below(8);
        if ending == 0 {
            self.step(root(), RejectLoan { loan_id, reason: "too soon".to_owned() });
            return;
        }
        if ending == 2 {
            self.user(borrower, CancelLoanApplication { loan_id });
            return;
        }
        if ending == 3 {
            // The first one has lapsed by then.
            let again = self.scene.last().map(|step| step.envelope.command.clone());
            self.user(borrower, again.unwrap());
            self.after(31);
            return;
        }
        self.step(root(), ApproveLoan { loan_id });
        if ending == 1 {
            self.step(root(), MarkLoanDefaulted { loan_id });
            self.after(101);
        }
        for amount in [Amount::from_gx(1), amount] {
            self.user(borrower, RepayLoan { loan_id, amount });
        }
    }

    fn proposal(&mut self) {
        let value = 50 + self.below(200) as u64;
        let submit = SubmitProposal {
            param_id: "velocityTaxBand1Bps".parse().unwrap(),
            new_value: ParameterValue::new(value),
            title: "Another tax".to_owned(),
        };
        let proposal_id = ProposalId::made_by(self.step(root(), submit));
        for voter in self.three() {
            let vote = [Vote::For, Vote::For, Vote::Against, Vote::Abstain][self.below(4)];
            self.user(voter, VoteOnProposal { proposal_id, vote });
        }
        self.step(Actor::System, ExecuteProposal { proposal_id });
        self.after(14);
    }

    fn tax(&mut self) {
        let (account_id, exempt) = (self.person(), self.below(2) == 0);
        self.step(root(), SetVelocityTaxExempt { account_id, exempt });
        let mut account_ids = self.three().to_vec();
        account_ids.push(Pool::Loan.account());
        self.step(Actor::System, ApplyVelocityTax { account_ids });
        if self.below(3) == 0 {
            self.after(361);
        }
    }

    fn standing(&mut self) {
        let user_id = self.person();
        self.step(root(), FreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder });
        let to = self.person();
        let transfer = self.transfer(user_id, to, Amount::from_gx(2));
        self.user(user_id, transfer);
        self.step(root(), UnfreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder });
        for status in [AccountStatus::Locked, AccountStatus::Active] {
            self.step(root(), SetUserStatus { user_id, status, order_hash: None });
        }
    }

    fn admins(&mut self) {
        self.admins += 1;
        let admin_id: AdminId = format!("deputy{}", self.admins).parse().unwrap();
        let account_id = Some(self.person());
        let level = AdminLevel::Admin;
        self.by_two(AppointAdmin { admin_id, level, account_id, emergency: false });
        let user_id = self.person();
        let freeze = FreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder };
        self.step(Actor::Admin(admin_id), freeze);
        self.step(
            Actor::Admin(admin_id),
            UnfreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder },
        );
        let (from, to) = (self.person(), self.person());
        self.step(root(), FreezeWallet { account_id: from, reason: FreezeReason::CourtOrder });
        let (amount, order_hash) = (Amount::from_gx(1), OrderHash::from_bytes([9; 32]));
        let reason = OrderReason::CourtOrder;
        self.by_two(TransferByOrder { from, to, amount, order_hash, reason });
        self.step(root(), UnfreezeWallet { account_id: from, reason: FreezeReason::CourtOrder });
        self.admin_keys(Actor::Admin(admin_id));
        self.attester();
        self.dropped(RemoveAdmin { admin_id });
        let new_admin_id: AdminId = format!("heir{}", self.admins).parse().unwrap();
        let account_id = Some(self.person());
        self.by_two(ReplaceAdmin { old_admin_id: admin_id, new_admin_id, account_id });
        self.by_two(RemoveAdmin { admin_id: new_admin_id });
        // In an emergency, which the other super admin ends.
        let appoint = AppointAdmin { admin_id, level, account_id, emergency: true };
        let action_id = ActionId::made_by(self.step(root(), appoint));
        self.step(root(), ApproveAction { action_id });
        self.step(second(), RejectAction { action_id });
    }

    /// An attester comes and goes.
    fn attester(&mut self) {
        let attester_id = format!("clinic{}", self.admins).parse().unwrap();
        let (public_key, proof, daily_max) = (public_key(5), NO_PROOF, 9);
        let countries = vec![country()];
        let register = RegisterAttester { attester_id, public_key, proof, daily_max, countries };
        let action_id = ActionId::made_by(self.step(root(), register));
        self.prove(5);
        self.step(second(), ApproveAction { action_id });
        self.by_two(RemoveAttester { attester_id });
    }

    /// An admin whose commands are signed: by the first key, then by the second.
    fn admin_keys(&mut self, admin: Actor) {
        let proof = NO_PROOF;
        self.step(admin, RegisterAdminKey { public_key: public_key(3), proof });
        self.prove(3);
        self.step(admin, RotateAdminKey { public_key: public_key(4), proof });
        self.prove(4);
        self.sign(3);
        for seed in [Some(4), Some(3), None] {
            let user_id = self.person();
            self.step(
                admin,
                UnfreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder },
            );
            if let Some(seed) = seed {
                self.sign(seed);
            }
        }
    }

    fn pause(&mut self) {
        self.step(root(), PauseSystem { reason: "a look at the books".to_owned() });
        self.step(root(), ResumeSystem {});
        // What is done once is refused the second time.
        let bootstrap = BootstrapSystem {
            first_super_admin: "mallory".parse().unwrap(),
            network_id: NetworkId::Devnet,
            account_id: None,
            key: None,
        };
        self.step(Actor::System, bootstrap);
        self.step(root(), InitializeCountryData { countries: Vec::new() });
    }

    fn parameters(&mut self) {
        let value = Amount::from_gx(200 + self.below(300) as u64).qirat();
        self.set("velocityTaxThreshold", value);
        let param_id = "velocityTaxThreshold".parse().unwrap();
        if self.below(2) == 0 {
            self.step(root(), CancelParameterChange { param_id });
        }
    }

    fn disburse(&mut self, recipient_id: AccountId) {
        let (pool_id, purpose) = (Pool::Charitable, "a school".to_owned());
        let amount = Amount::from_gx(1_000);
        self.by_two(DisburseFromPool { pool_id, recipient_id, amount, purpose });
    }
}
