//! A ledger on which everything has happened once: every event of the contract, by real commands.

use ed25519_dalek::{Signer, SigningKey};
use gx_contract::admin::*;
use gx_contract::custody::{AcceptCustody, TransferCustody};
use gx_contract::escrow::*;
use gx_contract::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_contract::governance::{ExecuteProposal, SubmitProposal, Vote, VoteOnProposal};
use gx_contract::identity::*;
use gx_contract::loan_pool::*;
use gx_contract::organization::*;
use gx_contract::params::{Parameter, ParameterValue};
use gx_contract::spending::SetSpendingLimit;
use gx_contract::state::AdminLevel;
use gx_contract::tax_and_fee::{ApplyVelocityTax, SetVelocityTaxExempt};
use gx_contract::tokenomics::*;
use gx_contract::treasury::{ActivateTreasuryAccount, ReassignTreasury};
use gx_contract::{
    Attestation, Attested, Command, Envelope, Outcome, PublicKey, Purpose, Signature,
    SignatureBytes, key_proof_bytes,
};
use gx_types::{
    AccountId, AccountType, ActionId, Actor, Amount, CommandId, EscrowId, LoanId, PendingTxId,
    Pool, ProposalId, RecoveryId, RelationshipId, Role,
};

use crate::backend::NETWORK;
use crate::chain::{Chain, admin, person};

/// The ledger, and the ids of what was made on it.
pub(crate) struct Story {
    pub(crate) chain: Chain,
    pub(crate) people: Vec<AccountId>,
    pub(crate) business: AccountId,
    pub(crate) government: AccountId,
    /// Governments that came later.
    pub(crate) offices: Vec<AccountId>,
    pub(crate) relationships: Vec<RelationshipId>,
    pub(crate) recoveries: Vec<RecoveryId>,
    pub(crate) payments: Vec<PendingTxId>,
    pub(crate) loans: Vec<LoanId>,
    pub(crate) escrows: Vec<EscrowId>,
    pub(crate) proposals: Vec<ProposalId>,
    pub(crate) actions: Vec<ActionId>,
}

fn organization_id(kind: AccountType, seed: u8) -> AccountId {
    AccountId::from_entropy("IN".parse().unwrap(), kind, [seed; 16])
}

pub(crate) fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub(crate) fn public_key(seed: u8) -> PublicKey {
    PublicKey::from_bytes(signing_key(seed).verifying_key().to_bytes())
}

/// A proof that is still to be made.
const NO_PROOF: SignatureBytes = SignatureBytes::from_bytes([0; 64]);

pub(crate) fn parameter(id: &str) -> Parameter {
    id.parse().unwrap()
}

impl Story {
    /// Everything, in the order of the chapters below.
    pub(crate) fn told() -> Self {
        let mut story = Self {
            chain: Chain::default(),
            people: (0..10).map(person).collect(),
            business: organization_id(AccountType::ForProfit, 3),
            government: organization_id(AccountType::Governmental, 4),
            offices: Vec::new(),
            relationships: Vec::new(),
            recoveries: Vec::new(),
            payments: Vec::new(),
            loans: Vec::new(),
            escrows: Vec::new(),
            proposals: Vec::new(),
            actions: Vec::new(),
        };
        story.chain.bootstrap();
        let people = story.people.clone();
        story.chain.create_users(&people);
        story.admins();
        story.standing();
        story.relations();
        story.keys();
        story.business();
        story.government();
        story.escrows();
        // Accounts borrow and vote when they are 30 days old.
        story.chain.wait(30);
        story.loans();
        story.proposals();
        story.taxes();
        story.what_is_to_come();
        story
    }

    /// A batch of one command, which must be applied.
    fn give(&mut self, actor: Actor, command: impl Into<Command>) -> CommandId {
        self.give_signed(actor, command, None)
    }

    fn give_signed(
        &mut self,
        actor: Actor,
        command: impl Into<Command>,
        seed: Option<u8>,
    ) -> CommandId {
        let envelope = self.chain.envelope(actor, command);
        self.give_envelope(envelope, seed)
    }

    /// A command that sets the key of a seed, which has signed for it.
    fn give_key(
        &mut self,
        actor: Actor,
        command: impl Into<Command>,
        seed: u8,
        signed_by: Option<u8>,
    ) -> CommandId {
        let mut envelope = self.chain.envelope(actor, command);
        let command_id = envelope.command_id;
        let new = envelope.new_key().unwrap();
        let bytes = key_proof_bytes(NETWORK, &new.holder, command_id);
        *new.proof = SignatureBytes::from_bytes(signing_key(seed).sign(&bytes).to_bytes());
        self.give_envelope(envelope, signed_by)
    }

    fn give_envelope(&mut self, mut envelope: Envelope, seed: Option<u8>) -> CommandId {
        if let Some(seed) = seed {
            let expires_at = self.chain.now().plus_hours(1);
            let bytes = envelope.signed_bytes(NETWORK, expires_at);
            let signature = signing_key(seed).sign(&bytes).to_bytes();
            let signature = SignatureBytes::from_bytes(signature);
            envelope.signature = Some(Signature { signature, expires_at });
        }
        let (id, role) = (envelope.command_id, envelope.role());
        let block = self.chain.execute(role, vec![envelope]);
        let outcome = &block.record.results[0].outcome;
        assert!(matches!(outcome, Outcome::Applied(_)), "{:?}: {outcome:?}", block.commands[0]);
        id
    }

    fn root(&mut self, command: impl Into<Command>) -> CommandId {
        self.give(Actor::Admin(admin()), command)
    }

    fn user(&mut self, number: usize, command: impl Into<Command>) -> CommandId {
        self.give(Actor::User(self.people[number]), command)
    }

    /// Proposed by the first super admin, approved by the second.
    fn by_two(&mut self, command: impl Into<Command>) {
        let action_id = ActionId::made_by(self.root(command));
        self.actions.push(action_id);
        self.give(Actor::Admin("second".parse().unwrap()), ApproveAction { action_id });
    }

    pub(crate) fn set(&mut self, id: &str, value: u64) {
        let (param_id, new_value) = (parameter(id), ParameterValue::new(value));
        self.by_two(UpdateSystemParameter { param_id, new_value });
        self.chain.wait(7);
        // Any command carries the change: one that finds nothing to do does.
        let users = vec![AttestedAge { user_id: self.people[0], age: 31, attestation: None }];
        self.root(DistributeGenesis { users });
    }

    fn admins(&mut self) {
        let appoint = |id: &str, level| AppointAdmin {
            admin_id: id.parse().unwrap(),
            level,
            account_id: None,
            emergency: false,
        };
        // While there is one super admin, that one names the second.
        self.root(appoint("second", AdminLevel::SuperAdmin));
        let third = AppointAdmin {
            account_id: Some(self.people[9]),
            ..appoint("third", AdminLevel::Admin)
        };
        self.by_two(third);
        self.by_two(RemoveAdmin { admin_id: "third".parse().unwrap() });
        self.by_two(appoint("fourth", AdminLevel::Admin));
        // One that nobody approves.
        let action = self.root(appoint("fifth", AdminLevel::Admin));
        self.actions.push(ActionId::made_by(action));
        // One that another admin rejects, and one that its proposer takes back.
        for (id, by) in [("sixth", "second"), ("seventh", "root")] {
            let action_id = ActionId::made_by(self.root(appoint(id, AdminLevel::Admin)));
            self.actions.push(action_id);
            let by = Actor::Admin(by.parse().unwrap());
            match id {
                "sixth" => self.give(by, RejectAction { action_id }),
                _ => self.give(by, WithdrawAction { action_id }),
            };
        }
        for number in [0, 1] {
            self.by_two(DisburseFromPool {
                pool_id: Pool::Charitable,
                recipient_id: self.people[number],
                amount: Amount::from_gx(10_000),
                purpose: "a school".to_owned(),
            });
        }
        self.keyed_admin();
        self.attesters();
        self.pause();
    }

    /// One who attests two people, one of whom had an account as a child, and one who is removed
    /// and comes back.
    fn attesters(&mut self) {
        for (id, seed) in [("clinic", 11), ("office", 12)] {
            self.register_attester(id, seed);
        }
        let user = self.attested(person(60), 30, "clinic", 11);
        self.give(Actor::System, user);
        let child = self.attested(person(61), 12, "clinic", 11);
        let identity_hash = child.identity_hash;
        self.give(Actor::System, child);
        let said = Attested {
            purpose: Purpose::Genesis,
            user_id: person(61),
            identity_hash,
            country: person(61).layout().unwrap().country,
            age: 13,
        };
        let attestation = Some(self.word(&said, "office", 12));
        let users = vec![AttestedAge { user_id: person(61), age: 13, attestation }];
        self.root(DistributeGenesis { users });
        self.by_two(RemoveAttester { attester_id: "office".parse().unwrap() });
        self.register_attester("office", 13);
        self.by_two(RemoveAttester { attester_id: "clinic".parse().unwrap() });
    }

    fn register_attester(&mut self, id: &str, seed: u8) {
        let (attester_id, public_key) = (id.parse().unwrap(), public_key(seed));
        let countries = ["IN", "LS"].map(|code| code.parse().unwrap()).to_vec();
        let (proof, daily_max) = (NO_PROOF, 50);
        let register = RegisterAttester { attester_id, public_key, proof, daily_max, countries };
        let action_id =
            ActionId::made_by(self.give_key(Actor::Admin(admin()), register, seed, None));
        self.actions.push(action_id);
        self.give(Actor::Admin("second".parse().unwrap()), ApproveAction { action_id });
    }

    fn word(&self, said: &Attested, id: &str, seed: u8) -> Box<Attestation> {
        let (attester_id, expires_at) = (id.parse().unwrap(), self.chain.now().plus_hours(1));
        let bytes = said.signed_bytes(NETWORK, &attester_id, expires_at);
        let signature = SignatureBytes::from_bytes(signing_key(seed).sign(&bytes).to_bytes());
        Box::new(Attestation { attester_id, signature, expires_at })
    }

    fn attested(&mut self, user_id: AccountId, age: u16, id: &str, seed: u8) -> CreateUser {
        let Command::CreateUser(user) = self.chain.create(&user_id, age).command else {
            unreachable!("it is what creates a user")
        };
        let attestation = Some(self.word(&user.attested(), id, seed));
        CreateUser { attestation, ..user }
    }

    /// A pause of a day, which puts off what waits.
    fn pause(&mut self) {
        self.root(PauseSystem { reason: "a look at the books".to_owned() });
        self.chain.wait(1);
        self.root(ResumeSystem {});
    }

    /// An admin gets a key and another one, and is removed in the end.
    fn keyed_admin(&mut self) {
        let admin_id = "keyed".parse().unwrap();
        let level = AdminLevel::Admin;
        self.by_two(AppointAdmin { admin_id, level, account_id: None, emergency: false });
        let actor = Actor::Admin(admin_id);
        let (public_key, proof) = (public_key(7), NO_PROOF);
        self.give_key(actor, RegisterAdminKey { public_key, proof }, 7, None);
        let public_key = self::public_key(8);
        self.give_key(actor, RotateAdminKey { public_key, proof }, 8, Some(7));
    }

    fn standing(&mut self) {
        let user_id = self.people[8];
        self.root(FreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder });
        self.by_two(TransferByOrder {
            from: user_id,
            to: self.people[7],
            amount: Amount::from_gx(1),
            order_hash: OrderHash::from_bytes([9; 32]),
            reason: OrderReason::CourtOrder,
        });
        self.root(UnfreezeWallet { account_id: user_id, reason: FreezeReason::CourtOrder });
        self.root(SetUserStatus { user_id, status: AccountStatus::Locked, order_hash: None });
        let users = vec![AttestedAge { user_id: self.people[0], age: 31, attestation: None }];
        self.root(DistributeGenesis { users });
        let [from, to] = [self.people[1], self.people[2]];
        let remark = "thanks".to_owned();
        self.user(1, Transfer { from, to, amount: Amount::from_gx(450), remark });
    }

    fn relation(&mut self, kind: RelationshipKind, subject: usize, object: usize) {
        let (subject_id, object_id) = (self.people[subject], self.people[object]);
        self.user(subject, RequestRelationship { subject_id, object_id, kind });
        self.relationships.push(kind.id_between(subject_id, object_id));
    }

    fn confirmed(&mut self, kind: RelationshipKind, subject: usize, object: usize) {
        self.relation(kind, subject, object);
        let relationship_id = *self.relationships.last().unwrap();
        self.user(object, ConfirmRelationship { relationship_id });
    }

    /// User 0 has a father, a spouse and a sibling: 80 points.
    fn relations(&mut self) {
        self.confirmed(RelationshipKind::FatherOf, 1, 0);
        self.confirmed(RelationshipKind::SpouseOf, 0, 2);
        self.confirmed(RelationshipKind::SiblingOf, 3, 0);
        self.confirmed(RelationshipKind::FriendOf, 4, 0);
        let relationship_id = self.relationships[3];
        self.user(4, EndRelationship { relationship_id });
        self.relation(RelationshipKind::FriendOf, 5, 0);
        let relationship_id = self.relationships[4];
        self.user(0, RejectRelationship { relationship_id });
        self.relation(RelationshipKind::ChildOf, 6, 0);
    }

    /// User 6 has a key, loses it after a false alarm, and gets another.
    fn keys(&mut self) {
        let user_id = self.people[6];
        let actor = Actor::User(user_id);
        let named = [vec![1, 2, 3, 4], vec![5, 4, 3]].map(|numbers| {
            let guardians = numbers.into_iter().map(|number| self.people[number]).collect();
            NominateGuardians { user_id, guardians }
        });
        let [planted, chosen] = named;
        self.user(6, planted);
        let proof = NO_PROOF;
        let other = "OtherMSP".parse().unwrap();
        self.give(Actor::System, TransferCustody { user_id, to: other });
        self.chain.organization = Some(other);
        self.give(Actor::System, AcceptCustody { user_id });
        let register = RegisterKey { user_id, public_key: public_key(1), proof };
        self.give_key(actor, register, 1, None);
        self.chain.organization = None;
        self.give_signed(actor, chosen, Some(1));
        let rotate = RotateKey { user_id, public_key: public_key(2), proof };
        self.give_key(actor, rotate, 2, Some(1));
        self.order_key(user_id, 4);
        for (first, second) in [(3, 4), (4, 3)] {
            let guardian = Actor::User(self.people[first]);
            let begin = InitiateRecovery { user_id, public_key: public_key(3), proof };
            let begun = self.give_key(guardian, begin, 3, None);
            let recovery_id = RecoveryId::made_by(begun);
            self.recoveries.push(recovery_id);
            self.user(second, ConfirmRecovery { recovery_id });
            if self.recoveries.len() == 1 {
                // A pause puts off what waits.
                self.root(PauseSystem { reason: "a look at the books".to_owned() });
                self.chain.wait(1);
                self.root(ResumeSystem {});
                self.give_signed(actor, VetoKeyReset { user_id }, Some(2));
                self.give_signed(actor, CancelRecovery { recovery_id }, Some(2));
            }
        }
        self.chain.wait(2);
        let recovery_id = self.recoveries[1];
        self.user(5, CompleteRecovery { recovery_id });
        self.order_key(user_id, 5);
        self.chain.wait(7);
        self.root(CompleteKeyReset { user_id });
    }

    /// Two super admins order the key of a seed for a user.
    fn order_key(&mut self, user_id: AccountId, seed: u8) {
        let (new_key, order_hash) = (public_key(seed), OrderHash::from_bytes([9; 32]));
        let order = ResetKeyByOrder { user_id, new_key, proof: NO_PROOF, order_hash };
        let proposed = self.give_key(Actor::Admin(admin()), order, seed, None);
        let action_id = ActionId::made_by(proposed);
        self.actions.push(action_id);
        self.give(Actor::Admin("second".parse().unwrap()), ApproveAction { action_id });
    }

    fn propose(&mut self, org_id: AccountId, kind: OrganizationKind) {
        let propose = ProposeOrganization {
            org_id,
            name: "Weavers".to_owned(),
            kind,
            country: "IN".parse().unwrap(),
            stakeholders: vec![self.people[2], self.people[0], self.people[1]],
        };
        match kind {
            OrganizationKind::Government => self.by_two(propose),
            OrganizationKind::Business | OrganizationKind::Ngo => drop(self.user(0, propose)),
        }
        for number in 0..3 {
            self.user(number, EndorseMembership { org_id });
        }
        self.user(0, ActivateOrganization { org_id });
    }

    fn pay(&mut self, from: AccountId, gx: u64) -> PendingTxId {
        let (to, amount, remark) = (self.people[5], Amount::from_gx(gx), "wool".to_owned());
        let begun = self.user(0, InitiateMultiSigTx { from, to, amount, remark });
        self.payments.push(PendingTxId::made_by(begun));
        PendingTxId::made_by(begun)
    }

    /// Payments that are made, fail and are cancelled, are rejected, and wait.
    fn business(&mut self) {
        let org_id = self.business;
        self.propose(org_id, OrganizationKind::Business);
        let rule = |gx, group: [usize; 2]| AuthRule {
            from_amount: Amount::from_gx(gx),
            required_approvers: 2,
            approver_group: group.map(|number| self.people[number]).to_vec(),
        };
        let ladder = vec![rule(0, [1, 0]), rule(100, [2, 1])];
        for number in 0..3 {
            self.user(number, DefineAuthRule { org_id, ladder: ladder.clone() });
        }
        // And one that waits.
        self.user(2, DefineAuthRule { org_id, ladder: Vec::new() });
        let (from, amount) = (self.people[0], Amount::from_gx(1_000));
        self.user(0, Transfer { from, to: org_id, amount, remark: String::new() });
        let [pending_tx_id, later] = [50, 70].map(|gx| self.pay(org_id, gx));
        self.user(1, ApproveMultiSigTx { pending_tx_id });
        let pending_tx_id = self.pay(org_id, 5_000);
        for number in [1, 2] {
            self.user(number, ApproveMultiSigTx { pending_tx_id });
        }
        self.user(0, CancelMultiSigTx { pending_tx_id });
        let pending_tx_id = self.pay(org_id, 60);
        self.user(1, RejectMultiSigTx { pending_tx_id });
        // More is paid by then than when it was initiated: another rule decides.
        self.user(1, ApproveMultiSigTx { pending_tx_id: later });
        self.user(1, WithdrawApproval { pending_tx_id: later });
        self.succession();
    }

    fn change(&mut self, by: usize, add: &[usize], remove: &[usize]) {
        let named = |numbers: &[usize]| numbers.iter().map(|at| self.people[*at]).collect();
        let (org_id, add, remove) = (self.business, named(add), named(remove));
        self.user(by, ChangeStakeholders { org_id, add, remove, new_ladder: None });
    }

    /// User 4 comes, who is locked and replaced by 5 on an order, and leaves again. One change is
    /// given up, and one waits.
    fn succession(&mut self) {
        let org_id = self.business;
        let rule = |group: &[usize]| AuthRule {
            from_amount: Amount::ZERO,
            required_approvers: 2,
            approver_group: group.iter().map(|number| self.people[*number]).collect(),
        };
        let (new_ladder, add) = (Some(vec![rule(&[2, 1, 4])]), vec![self.people[4]]);
        let come = ChangeStakeholders { org_id, add, new_ladder, remove: Vec::new() };
        for by in [0, 1, 2, 4] {
            self.user(by, come.clone());
        }
        // One of three approvers will have left.
        self.pay(org_id, 150);
        self.change(0, &[3], &[]);
        self.user(1, WithdrawStakeholderChange { org_id });
        let user_id = self.people[4];
        let locked = SetUserStatus { user_id, status: AccountStatus::Locked, order_hash: None };
        self.root(locked.clone());
        let (add, remove) = (vec![self.people[5]], vec![user_id]);
        let order_hash = OrderHash::from_bytes([6; 32]);
        let new_ladder = None;
        self.by_two(ChangeStakeholdersByOrder { org_id, add, remove, new_ladder, order_hash });
        self.root(SetUserStatus { status: AccountStatus::Active, ..locked });
        for by in [5, 0, 1, 2] {
            self.change(by, &[], &[5]);
        }
        self.change(2, &[3], &[]);
    }

    /// A treasury that pays by its organization's rules: all three stakeholders.
    fn government(&mut self) {
        let org_id = self.government;
        self.propose(org_id, OrganizationKind::Government);
        let country_code = "IN".parse().unwrap();
        self.by_two(ActivateTreasuryAccount { country_code, org_id });
        self.chain.wait(7);
        let pending_tx_id = self.pay(AccountId::treasury(country_code), 20);
        for number in 1..3 {
            self.user(number, ApproveMultiSigTx { pending_tx_id });
        }
        self.pay(AccountId::treasury(country_code), 30);
        self.root(SetOrganizationStatus { org_id, locked: true });
        // Another office gets it, and the last payment is dropped.
        let other = organization_id(AccountType::Governmental, 5);
        self.propose(other, OrganizationKind::Government);
        let order_hash = OrderHash::from_bytes([6; 32]);
        self.by_two(ReassignTreasury { country_code, org_id: other, order_hash });
        self.offices.push(other);
    }

    fn apply_for(&mut self, gx: u64) -> LoanId {
        let apply = ApplyForLoan {
            amount: Amount::from_gx(gx),
            collateral_hash: CollateralHash::from_bytes([7; 32]),
            duration_days: 10,
            purpose: "a loom".to_owned(),
        };
        let loan_id = LoanId::made_by(self.user(0, apply));
        self.loans.push(loan_id);
        loan_id
    }

    /// Loans that are repaid, rejected, have failed, lapsed, were taken back, and wait.
    fn loans(&mut self) {
        let loan_id = self.apply_for(400);
        self.root(ApproveLoan { loan_id });
        for amount in [Amount::from_gx(150), Amount::from_gx(250)] {
            self.user(0, RepayLoan { loan_id, amount });
        }
        let loan_id = self.apply_for(500);
        self.root(RejectLoan { loan_id, reason: "too soon".to_owned() });
        let failing = self.apply_for(600);
        self.root(ApproveLoan { loan_id: failing });
        self.apply_for(700);
        self.pause();
        let loan_id = self.apply_for(800);
        self.user(0, CancelLoanApplication { loan_id });
        // The one that waits lapses, and makes room.
        self.chain.wait(31);
        self.apply_for(900);
        self.chain.wait(70);
        self.root(MarkLoanDefaulted { loan_id: failing });
        self.user(0, RepayLoan { loan_id: failing, amount: Amount::from_gx(100) });
    }

    fn escrow(&mut self, to: AccountId, gx: u64) -> EscrowId {
        let open = OpenEscrow {
            to,
            amount: Amount::from_gx(gx),
            expires_at: self.chain.now().plus_days(30),
            arbiter_id: Some(self.people[4]),
            remark: "a loom".to_owned(),
        };
        let escrow_id = EscrowId::made_by(self.user(9, open));
        self.escrows.push(escrow_id);
        escrow_id
    }

    /// Coins that are released, given back, and wait over a pause.
    fn escrows(&mut self) {
        let (user, org) = (self.people[6], self.business);
        let escrow_id = self.escrow(user, 20);
        self.user(4, ReleaseEscrow { escrow_id });
        let escrow_id = self.escrow(org, 400);
        self.user(4, RefundEscrow { escrow_id });
        let escrow_id = self.escrow(user, 30);
        self.user(9, ReleaseEscrow { escrow_id });
        self.escrow(user, 350);
        let user_id = self.people[9];
        for gx in [Some(20), Some(10), Some(30), None] {
            self.user(9, SetSpendingLimit { user_id, per_day: gx.map(Amount::from_gx) });
        }
        self.pause();
    }

    fn submit(&mut self, id: &str, value: u64) -> ProposalId {
        let (param_id, new_value) = (parameter(id), ParameterValue::new(value));
        let submit = SubmitProposal { param_id, new_value, title: "Less tax".to_owned() };
        let proposal_id = ProposalId::made_by(self.root(submit));
        self.proposals.push(proposal_id);
        proposal_id
    }

    /// A hundred people more, who are married: so many votes does a proposal need, and each of them
    /// some trust.
    fn citizens(&mut self) -> Vec<AccountId> {
        let citizens: Vec<AccountId> = (100..200).map(person).collect();
        self.chain.create_users(&citizens);
        let kind = RelationshipKind::SpouseOf;
        let (mut asked, mut confirmed) = (Vec::new(), Vec::new());
        for pair in citizens.chunks(2) {
            let (subject_id, object_id) = (pair[0], pair[1]);
            let ask = RequestRelationship { subject_id, object_id, kind };
            asked.push(self.chain.envelope(Actor::User(subject_id), ask));
            let relationship_id = kind.id_between(subject_id, object_id);
            let confirm = ConfirmRelationship { relationship_id };
            confirmed.push(self.chain.envelope(Actor::User(object_id), confirm));
        }
        self.chain.execute(Role::PartnerApi, asked);
        self.chain.execute(Role::PartnerApi, confirmed);
        citizens
    }

    /// Proposals that are adopted, fail, and are voted on.
    fn proposals(&mut self) {
        let citizens = self.citizens();
        self.chain.wait(30);
        self.set("votingTrustMin", 25);
        let set = |id: &str, value| {
            let (param_id, new_value) = (parameter(id), ParameterValue::new(value));
            UpdateSystemParameter { param_id, new_value }
        };
        // One that is called off, and one that a vote overtakes.
        self.by_two(set("votingDays", 30));
        self.root(CancelParameterChange { param_id: parameter("votingDays") });
        let adopted = self.submit("velocityTaxBand1Bps", 200);
        let lost = self.submit("velocityTaxBand1Bps", 100);
        let ballot = |(place, voter): (usize, &AccountId)| {
            let vote = [Vote::For, Vote::For, Vote::For, Vote::Against][place % 4];
            (Actor::User(*voter), VoteOnProposal { proposal_id: adopted, vote })
        };
        let votes = citizens.iter().enumerate().map(ballot);
        let votes: Vec<_> = votes.map(|(who, vote)| self.chain.envelope(who, vote)).collect();
        self.chain.execute(Role::PartnerApi, votes);
        self.user(0, VoteOnProposal { proposal_id: lost, vote: Vote::Against });
        // A pause puts the end off.
        self.root(PauseSystem { reason: "a look at the votes".to_owned() });
        self.chain.wait(1);
        self.root(ResumeSystem {});
        self.chain.wait(13);
        self.by_two(set("velocityTaxBand1Bps", 900));
        self.chain.wait(1);
        for proposal_id in [adopted, lost] {
            self.give(Actor::System, ExecuteProposal { proposal_id });
        }
        let proposal_id = self.submit("velocityTaxBand1Bps", 90);
        self.user(0, VoteOnProposal { proposal_id, vote: Vote::Abstain });
    }

    /// Tax that is taken, not owed, and never owed; and a threshold that moves.
    fn taxes(&mut self) {
        self.root(SetVelocityTaxExempt { account_id: self.people[7], exempt: true });
        self.root(SetVelocityTaxExempt { account_id: self.people[4], exempt: true });
        self.root(SetVelocityTaxExempt { account_id: self.people[4], exempt: false });
        self.chain.wait(355);
        let [one, poor, org, later] =
            [self.people[0], self.people[1], self.business, self.people[4]];
        let strangers = [person(77), Pool::Loan.account()];
        let account_ids = [one, poor, org, later, strangers[0], strangers[1]].to_vec();
        self.give(Actor::System, ApplyVelocityTax { account_ids });
        // Below it, timers stop when the account next moves or is asked; they start anew later.
        self.set("velocityTaxThreshold", Amount::from_gx(450).qirat());
        let (from, to) = (self.people[2], self.people[9]);
        self.user(2, Transfer { from, to, amount: Amount::from_gx(1), remark: String::new() });
        let (from, to) = (self.people[3], self.people[5]);
        self.user(3, Transfer { from, to, amount: Amount::from_gx(60), remark: String::new() });
        let account_ids = vec![self.people[3], self.people[5]];
        self.give(Actor::System, ApplyVelocityTax { account_ids });
        self.rests();
        self.chain.wait(355);
        // The tax is taken with the payment.
        let (from, to) = (self.people[2], self.people[3]);
        self.user(2, Transfer { from, to, amount: Amount::from_gx(1), remark: String::new() });
        // Who has started by now keeps the longer period.
        self.set("velocityTaxPeriodDays", 300);
        self.chain.wait(310);
    }

    /// Timers that rest, and one that goes on afterwards.
    fn rests(&mut self) {
        let account_id = self.people[9];
        for reason in [FreezeReason::Inactivity, FreezeReason::CourtOrder] {
            self.root(FreezeWallet { account_id, reason });
        }
        self.root(UnfreezeWallet { account_id, reason: FreezeReason::CourtOrder });
        let (org_id, user_id) = (self.business, self.people[5]);
        for locked in [true, false] {
            let status = if locked { AccountStatus::Locked } else { AccountStatus::Active };
            self.root(SetUserStatus { user_id, status, order_hash: None });
            self.root(SetOrganizationStatus { org_id, locked });
            self.chain.wait(3);
        }
    }

    /// Who comes after whom, and what is still to come, put off by a pause.
    fn what_is_to_come(&mut self) {
        let appoint = |id: &str, level, emergency| AppointAdmin {
            admin_id: id.parse().unwrap(),
            level,
            account_id: None,
            emergency,
        };
        self.by_two(appoint("leaving", AdminLevel::Admin, false));
        self.by_two(ReplaceAdmin {
            old_admin_id: "leaving".parse().unwrap(),
            new_admin_id: "coming".parse().unwrap(),
            account_id: Some(self.people[5]),
        });
        // In an emergency, and one that waits for the others.
        let alone = self.root(appoint("alone", AdminLevel::SuperAdmin, true));
        self.actions.push(ActionId::made_by(alone));
        self.chain.wait(30);
        self.root(ApproveAction { action_id: ActionId::made_by(alone) });
        let waiting = self.root(appoint("waiting", AdminLevel::SuperAdmin, true));
        self.actions.push(ActionId::made_by(waiting));
        let (param_id, new_value) = (parameter("loanOpenMax"), ParameterValue::new(6));
        self.by_two(UpdateSystemParameter { param_id, new_value });
        self.root(PauseSystem { reason: "a look at the loans".to_owned() });
        self.chain.wait(3);
        self.root(ResumeSystem {});
    }
}
