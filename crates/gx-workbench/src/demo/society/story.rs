//! The chapters: each does what people do, and checks what it leads to.

use anyhow::{Context, Result};
use ed25519_dalek::{Signer as _, SigningKey};
use gx_contract::admin::{
    AppointAdmin, ApproveAction, DisburseFromPool, GetSystemParameter, UpdateSystemParameter,
};
use gx_contract::governance::{ExecuteProposal, SubmitProposal, Vote, VoteOnProposal};
use gx_contract::identity::{
    CompleteRecovery, ConfirmRecovery, ConfirmRelationship, GetUser, InitiateRecovery,
    NominateGuardians, RegisterKey, RelationshipKind, RequestRelationship,
};
use gx_contract::loan_pool::{
    ApplyForLoan, ApproveLoan, CollateralHash, GetLoan, MarkLoanDefaulted, RepayLoan,
};
use gx_contract::organization::{
    ActivateOrganization, ApproveMultiSigTx, AuthRule, DefineAuthRule, EndorseMembership,
    InitiateMultiSigTx, OrganizationKind, ProposeOrganization,
};
use gx_contract::params::ParameterValue;
use gx_contract::state::AdminLevel;
use gx_contract::tax_and_fee::ApplyVelocityTax;
use gx_contract::tokenomics::Transfer;
use gx_contract::{Command, Envelope, PublicKey, Signature, SignatureBytes};
use gx_types::{
    AccountId, AccountType, ActionId, Actor, AdminId, Amount, LoanId, NetworkId, PendingTxId, Pool,
    ProposalId, RecoveryId, TimeMs,
};
use serde_json::Value;

use super::{Report, Society};

/// Couples who vote later: more than the hundred votes that a proposal needs.
const COUPLES: usize = 55;

pub(super) async fn tell(mut society: Society<'_>, report: &mut Report) -> Result<()> {
    let offices = offices(&mut society).await?;
    let couples = families(&mut society, report).await?;
    let rich = disbursement(&mut society, &offices, report).await?;
    vote(&mut society, &offices, &couples, report).await?;
    organization(&mut society, report).await?;
    loans(&mut society, &offices, report).await?;
    recovery(&mut society, report).await?;
    tax(&mut society, &offices, rich, report).await?;
    super::attacks::attack(&mut society, report).await?;
    report.society = society.commands;
    Ok(())
}

/// Who holds office beside the first super admin.
struct Offices {
    second: Actor,
    clerk: Actor,
}

impl Society<'_> {
    fn first(&self) -> Actor {
        Actor::Admin(self.first)
    }

    /// One admin proposes and another approves.
    async fn together(&mut self, other: Actor, command: impl Into<Command>) -> Result<()> {
        let proposed = self.act(self.first(), command).await?;
        let action_id = ActionId::made_by(proposed);
        self.act(other, ApproveAction { action_id }).await.map(drop)
    }

    /// `subject` says what they are to `object`, who confirms it.
    async fn relate(
        &mut self,
        subject_id: AccountId,
        kind: RelationshipKind,
        object_id: AccountId,
    ) -> Result<()> {
        let request = RequestRelationship { subject_id, object_id, kind };
        self.act(Actor::User(subject_id), request).await?;
        let relationship_id = kind.id_between(subject_id, object_id);
        self.act(Actor::User(object_id), ConfirmRelationship { relationship_id }).await.map(drop)
    }

    async fn trust(&self, user_id: AccountId) -> Result<Value> {
        self.ask(GetUser { user_id }, "trustScore").await
    }
}

async fn offices(society: &mut Society<'_>) -> Result<Offices> {
    let appoint = |id: &str, level| {
        let admin_id: AdminId = id.parse().context("id of an administrator")?;
        let appoint = AppointAdmin { admin_id, level, account_id: None, emergency: false };
        anyhow::Ok((Actor::Admin(admin_id), appoint))
    };
    // The first super admin appoints the second alone; from then on it takes two.
    let (second, command) = appoint("demo-second", AdminLevel::SuperAdmin)?;
    society.act(society.first(), command).await?;
    let (clerk, command) = appoint("demo-clerk", AdminLevel::Admin)?;
    society.together(second, command).await?;
    Ok(Offices { second, clerk })
}

async fn families(society: &mut Society<'_>, report: &mut Report) -> Result<Vec<AccountId>> {
    let people = society.people(COUPLES * 2).await?;
    let pairs = || people.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
    let kind = RelationshipKind::SpouseOf;
    let ask = |(subject_id, object_id)| {
        let request = RequestRelationship { subject_id, object_id, kind };
        (Actor::User(subject_id), request.into())
    };
    society.act_all(pairs().map(ask).collect()).await?;
    let confirm = |(subject, object): (AccountId, AccountId)| {
        let relationship_id = kind.id_between(subject, object);
        (Actor::User(object), ConfirmRelationship { relationship_id }.into())
    };
    society.act_all(pairs().map(confirm).collect()).await?;
    let married = people.first().copied().context("there are couples")?;
    // 10 that everybody starts with, and 25 for a spouse.
    report.check("trust of a spouse", society.trust(married).await?, 35);
    Ok(people)
}

async fn disbursement(
    society: &mut Society<'_>,
    offices: &Offices,
    report: &mut Report,
) -> Result<AccountId> {
    let recipient_id = society.person().await?;
    let (pool_id, amount) = (Pool::Charitable, Amount::from_gx(1000));
    let purpose = "school meals".to_owned();
    let disburse = DisburseFromPool { pool_id, recipient_id, amount, purpose };
    let proposed = society.act(society.first(), disburse).await?;
    let approve = ApproveAction { action_id: ActionId::made_by(proposed) };
    let alone = society.refused(society.first(), approve.clone()).await?;
    report.check("an admin approving alone", alone, "same_admin");
    society.act(offices.second, approve).await?;
    let held = society.balance(recipient_id).await?;
    report.check("after a disbursement by two", held.to_gx(), "1500.00");
    Ok(recipient_id)
}

async fn vote(
    society: &mut Society<'_>,
    offices: &Offices,
    voters: &[AccountId],
    report: &mut Report,
) -> Result<()> {
    let parameter = |id: &str| id.parse().map_err(anyhow::Error::msg);
    // Nobody votes with an account of today.
    society.pass_days(30);
    let trust_min = parameter("votingTrustMin")?;
    let new_value = ParameterValue::new(30);
    society
        .together(offices.second, UpdateSystemParameter { param_id: trust_min, new_value })
        .await?;
    let still = society.ask(GetSystemParameter { param_id: trust_min }, "value").await?;
    report.check("trust of voters before the change", still.as_str().unwrap_or_default(), 50);
    // Everybody can see for a week what two admins have decided on.
    society.pass_days(7);
    let param_id = parameter("votingDays")?;
    let new_value = ParameterValue::new(7);
    let title = "Votes take a week".to_owned();
    let submitted =
        society.act(offices.clerk, SubmitProposal { param_id, new_value, title }).await?;
    let proposal_id = ProposalId::made_by(submitted);
    let ballot = |(place, voter): (usize, &AccountId)| {
        let vote = match place % 11 {
            0..7 => Vote::For,
            7..10 => Vote::Against,
            _ => Vote::Abstain,
        };
        (Actor::User(*voter), VoteOnProposal { proposal_id, vote }.into())
    };
    society.act_all(voters.iter().enumerate().map(ballot).collect()).await?;
    let early = society.refused(offices.clerk, ExecuteProposal { proposal_id }).await?;
    report.check("a proposal before its end", early, "voting_not_ended");
    society.pass_days(14);
    society.act(offices.clerk, ExecuteProposal { proposal_id }).await?;
    let now = society.ask(GetSystemParameter { param_id }, "value").await?;
    report.check("days of a vote, as voted", now.as_str().unwrap_or_default(), 7);
    Ok(())
}

async fn organization(society: &mut Society<'_>, report: &mut Report) -> Result<()> {
    let partners = society.people(3).await?;
    let [ada, ben, cleo] = partners[..] else { anyhow::bail!("three partners") };
    let receiver = society.person().await?;
    let country = society.country;
    let org_id = AccountId::from_entropy(country, AccountType::ForProfit, society.draw.bytes());
    let (name, kind) = ("Harbour Bakery".to_owned(), OrganizationKind::Business);
    let stakeholders = partners.clone();
    let propose = ProposeOrganization { org_id, name, kind, country, stakeholders };
    society.act(Actor::User(ada), propose).await?;
    for partner in &partners {
        society.act(Actor::User(*partner), EndorseMembership { org_id }).await?;
    }
    society.act(Actor::User(ada), ActivateOrganization { org_id }).await?;
    // Anybody alone below 100 GX, two of three from there on.
    let rule = |from_gx, required_approvers| AuthRule {
        from_amount: Amount::from_gx(from_gx),
        required_approvers,
        approver_group: partners.clone(),
    };
    let ladder = vec![rule(0, 1), rule(100, 2)];
    for partner in &partners {
        let define = DefineAuthRule { org_id, ladder: ladder.clone() };
        society.act(Actor::User(*partner), define).await?;
    }
    let fund = Transfer {
        from: cleo,
        to: org_id,
        amount: Amount::from_gx(300),
        remark: "capital".to_owned(),
    };
    society.act(Actor::User(cleo), fund).await?;
    // 15 basis points of 300 GX, as a payment to a merchant.
    report.check("after funding a firm", society.balance(cleo).await?.to_gx(), "199.55");
    let pay = |gx| InitiateMultiSigTx {
        from: org_id,
        to: receiver,
        amount: Amount::from_gx(gx),
        remark: String::new(),
    };
    society.act(Actor::User(ada), pay(50)).await?;
    let large = society.act(Actor::User(ada), pay(150)).await?;
    let waiting = society.balance(receiver).await?;
    report.check("paid by one signature", waiting.to_gx(), "550.00");
    let pending_tx_id = PendingTxId::made_by(large);
    society.act(Actor::User(ben), ApproveMultiSigTx { pending_tx_id }).await?;
    let again = society.refused(Actor::User(cleo), ApproveMultiSigTx { pending_tx_id }).await?;
    report.check("a payment approved once too often", again, "pending_tx_settled");
    report.check("paid by two", society.balance(receiver).await?.to_gx(), "700.00");
    // Between people: 5 basis points of 50 GX, 10 of 150 GX.
    report.check("left in the firm", society.balance(org_id).await?.to_gx(), "99.825");
    Ok(())
}

/// Somebody with a spouse, a father and a sibling, whom the loan pool trusts.
async fn trusted(society: &mut Society<'_>) -> Result<AccountId> {
    let family = society.people(4).await?;
    let [borrower, spouse, father, sibling] = family[..] else { anyhow::bail!("a family") };
    society.relate(spouse, RelationshipKind::SpouseOf, borrower).await?;
    society.relate(father, RelationshipKind::FatherOf, borrower).await?;
    society.relate(sibling, RelationshipKind::SiblingOf, borrower).await?;
    Ok(borrower)
}

async fn borrow(
    society: &mut Society<'_>,
    clerk: Actor,
    borrower: AccountId,
    (gx, duration_days): (u64, u32),
) -> Result<LoanId> {
    let collateral_hash: CollateralHash = "c0".repeat(32).parse().map_err(anyhow::Error::msg)?;
    let (amount, purpose) = (Amount::from_gx(gx), "a boat".to_owned());
    let apply = ApplyForLoan { amount, collateral_hash, duration_days, purpose };
    let loan_id = LoanId::made_by(society.act(Actor::User(borrower), apply).await?);
    society.act(clerk, ApproveLoan { loan_id }).await?;
    Ok(loan_id)
}

async fn loans(society: &mut Society<'_>, offices: &Offices, report: &mut Report) -> Result<()> {
    let (good, bad) = (trusted(society).await?, trusted(society).await?);
    society.pass_days(30);
    report.check("trust within a family", society.trust(good).await?, 80);
    let loan_id = borrow(society, offices.clerk, good, (200, 100)).await?;
    report.check("with a loan", society.balance(good).await?.to_gx(), "700.00");
    let lost = borrow(society, offices.clerk, bad, (100, 30)).await?;
    society.pass_days(20);
    for gx in [50, 150] {
        let amount = Amount::from_gx(gx);
        society.act(Actor::User(good), RepayLoan { loan_id, amount }).await?;
    }
    report.check("after paying it back", society.balance(good).await?.to_gx(), "500.00");
    let state = society.ask(GetLoan { loan_id }, "state").await?;
    report.check("a loan that was repaid", state.as_str().unwrap_or_default(), "REPAID");
    // 15 more for paying in the first half of the term.
    report.check("trust in a good debtor", society.trust(good).await?, 95);
    let early = society.refused(offices.clerk, MarkLoanDefaulted { loan_id: lost }).await?;
    report.check("a default before its time", early, "loan_not_overdue");
    society.pass_days(10 + 91);
    society.act(offices.clerk, MarkLoanDefaulted { loan_id: lost }).await?;
    report.check("trust after a default", society.trust(bad).await?, 30);
    Ok(())
}

/// A signature as a wallet makes it, good for a minute.
fn sign(key: &SigningKey, network: NetworkId, now: TimeMs, envelope: &Envelope) -> Signature {
    let expires_at = TimeMs(now.0.saturating_add(60_000));
    let bytes = envelope.signed_bytes(network, expires_at);
    let signature = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
    Signature { signature, expires_at }
}

async fn recovery(society: &mut Society<'_>, report: &mut Report) -> Result<()> {
    let people = society.people(4).await?;
    let (owner, guardians) = people.split_first().context("an owner")?;
    let (user_id, guardians) = (*owner, guardians.to_vec());
    let mut key = || {
        let mut seed = [0; 32];
        seed.iter_mut().zip(society.draw.bytes()).for_each(|(to, from)| *to = from);
        SigningKey::from_bytes(&seed)
    };
    let (lost, new) = (key(), key());
    let public = |key: &SigningKey| PublicKey::from_bytes(key.verifying_key().to_bytes());
    let network = society.platform.config().network;
    let proof = SignatureBytes::from_bytes([0; 64]);
    let register = RegisterKey { user_id, public_key: public(&lost), proof };
    society.act_proven(Actor::User(user_id), register, &lost).await?;
    let nominate = NominateGuardians { user_id, guardians: guardians.clone() };
    let now = society.platform.clock().ledger_time();
    let owner = |envelope: &Envelope| sign(&lost, network, now, envelope);
    society.act_signed(Actor::User(user_id), nominate, &owner).await?;
    let [one, two, _] = guardians[..] else { anyhow::bail!("three guardians") };
    let initiate = InitiateRecovery { user_id, public_key: public(&new), proof };
    let begun = society.act_proven(Actor::User(one), initiate, &new).await?;
    let recovery_id = RecoveryId::made_by(begun);
    society.act(Actor::User(two), ConfirmRecovery { recovery_id }).await?;
    let early = society.refused(Actor::User(two), CompleteRecovery { recovery_id }).await?;
    report.check("a recovery within the delay", early, "recovery_too_early");
    society.pass_days(3);
    society.act(Actor::User(two), CompleteRecovery { recovery_id }).await?;
    let remark = String::new();
    let pay = Transfer { from: user_id, to: one, amount: Amount::from_gx(2), remark };
    let bare = society.refused(Actor::User(user_id), pay.clone()).await?;
    report.check("a payment without the key", bare, "signature_missing");
    let now = society.platform.clock().ledger_time();
    let signer = |envelope: &Envelope| sign(&new, network, now, envelope);
    society.act_signed(Actor::User(user_id), pay, &signer).await?;
    report.check("paid with the new key", society.balance(one).await?.to_gx(), "502.00");
    Ok(())
}

async fn tax(
    society: &mut Society<'_>,
    offices: &Offices,
    rich: AccountId,
    report: &mut Report,
) -> Result<()> {
    let newcomer = society.person().await?;
    let treasury = AccountId::treasury(society.country);
    society.pass_days(354);
    let before = society.balance(treasury).await?;
    let account_ids = vec![rich, newcomer];
    society.act(offices.clerk, ApplyVelocityTax { account_ids }).await?;
    // 1,500 GX for a year at 300 basis points; half of it for the treasury.
    report.check("after a year's tax", society.balance(rich).await?.to_gx(), "1455.00");
    report.check("a newcomer's coins", society.balance(newcomer).await?.to_gx(), "500.00");
    let gained = society.balance(treasury).await?.checked_sub(before).unwrap_or(Amount::ZERO);
    report.check("the treasury's half", gained.to_gx(), "22.50");
    Ok(())
}
