//! What people, admins and services try that is not theirs to do, and the code that each try gets.

use anyhow::Result;
use ed25519_dalek::{Signer as _, SigningKey};
use gx_contract::admin::{
    ApproveAction, DisburseFromPool, OrderHash, OrderReason, TransferByOrder,
};
use gx_contract::escrow::{OpenEscrow, ReleaseEscrow};
use gx_contract::freezing::{FreezeReason, FreezeWallet, UnfreezeWallet};
use gx_contract::identity::{NominateGuardians, RegisterKey};
use gx_contract::spending::SetSpendingLimit;
use gx_contract::tokenomics::Transfer;
use gx_contract::{Command, PublicKey, SignatureBytes};
use gx_types::{AccountId, ActionId, Actor, Amount, EscrowId, Pool};

use super::{Report, Society};

/// Who attacks, and whom.
struct Cast {
    mallory: AccountId,
    accomplice: AccountId,
    victim: AccountId,
    /// Has a key.
    keyed: AccountId,
}

pub(super) async fn attack(society: &mut Society<'_>, report: &mut Report) -> Result<()> {
    let people = society.people(4).await?;
    let [mallory, accomplice, victim, keyed] = people[..] else { anyhow::bail!("four people") };
    let cast = Cast { mallory, accomplice, victim, keyed };
    with_anothers_coins(society, &cast, report).await?;
    past_the_key(society, &cast, report).await?;
    as_admins(society, &cast, report).await?;
    with_what_is_held_back(society, &cast, report).await
}

fn pay(from: AccountId, to: AccountId, gx: u64) -> Transfer {
    Transfer { from, to, amount: Amount::from_gx(gx), remark: String::new() }
}

impl Society<'_> {
    /// A try that has to be refused with this code.
    async fn attempt(
        &mut self,
        what: &str,
        actor: Actor,
        command: impl Into<Command>,
        (expected, report): (&str, &mut Report),
    ) -> Result<()> {
        let got = self.refused(actor, command).await?;
        report.attack(what, got, expected);
        Ok(())
    }
}

async fn with_anothers_coins(
    society: &mut Society<'_>,
    Cast { mallory, victim, .. }: &Cast,
    report: &mut Report,
) -> Result<()> {
    let thief = Actor::User(*mallory);
    let steal = pay(*victim, *mallory, 1);
    let refused = ("not_own_account", &mut *report);
    society.attempt("a payment from another's account", thief, steal, refused).await?;
    let hoard = pay(*mallory, Pool::Loan.account(), 1);
    let refused = ("recipient_not_allowed", &mut *report);
    society.attempt("a payment into the loan pool", thief, hoard, refused).await?;
    let (to, amount, arbiter_id) = (*mallory, Amount::from_gx(5), None);
    let expires_at = society.platform.clock().ledger_time().plus_days(10);
    let open = OpenEscrow { to, amount, expires_at, arbiter_id, remark: String::new() };
    let escrow_id = EscrowId::made_by(society.act(Actor::User(*victim), open).await?);
    let refused = ("not_party", report);
    let release = ReleaseEscrow { escrow_id };
    society.attempt("a payee releasing what is in escrow", thief, release, refused).await
}

/// Whoever controls a service can give any command in the name of a user.
async fn past_the_key(
    society: &mut Society<'_>,
    Cast { mallory, accomplice, victim, keyed }: &Cast,
    report: &mut Report,
) -> Result<()> {
    let owner = Actor::User(*keyed);
    let key = SigningKey::from_bytes(&[7; 32]);
    let public_key = PublicKey::from_bytes(key.verifying_key().to_bytes());
    let proof = SignatureBytes::from_bytes([0; 64]);
    let register = RegisterKey { user_id: *keyed, public_key, proof };
    let refused = ("key_not_proven", &mut *report);
    society.attempt("a key that nobody holds", owner, register.clone(), refused).await?;
    society.act_proven(owner, register, &key).await?;
    let refused = ("signature_missing", &mut *report);
    let steal = pay(*keyed, *mallory, 1);
    society.attempt("a service paying without the key", owner, steal.clone(), refused).await?;
    let guardians = vec![*mallory, *accomplice, *victim];
    let plant = NominateGuardians { user_id: *keyed, guardians };
    let refused = ("signature_missing", &mut *report);
    society.attempt("a service planting guardians", owner, plant, refused).await?;
    let network = society.platform.config().network;
    let expires_at = society.platform.clock().ledger_time().plus_hours(1);
    let of_another = |envelope: &gx_contract::Envelope| {
        let other =
            gx_contract::Envelope { command: pay(*keyed, *mallory, 2).into(), ..envelope.clone() };
        let bytes = other.signed_bytes(network, expires_at);
        let signature = SignatureBytes::from_bytes(key.sign(&bytes).to_bytes());
        gx_contract::Signature { signature, expires_at }
    };
    let got = society.refused_signed(owner, steal, &of_another).await?;
    report.attack("a signature moved to another payment", got, "signature_wrong");
    Ok(())
}

async fn as_admins(
    society: &mut Society<'_>,
    Cast { mallory, victim, .. }: &Cast,
    report: &mut Report,
) -> Result<()> {
    let first = Actor::Admin(society.first);
    let purpose = "a yacht".to_owned();
    let (pool_id, recipient_id, amount) = (Pool::Gx, *mallory, Amount::from_gx(1_000_000));
    let take = DisburseFromPool { pool_id, recipient_id, amount, purpose };
    let alone = ApproveAction { action_id: ActionId::made_by(society.act(first, take).await?) };
    let refused = ("same_admin", &mut *report);
    society.attempt("an admin emptying a pool alone", first, alone, refused).await?;
    let order = TransferByOrder {
        from: *victim,
        to: *mallory,
        amount: Amount::from_gx(1),
        order_hash: OrderHash::from_bytes([9; 32]),
        reason: OrderReason::CourtOrder,
    };
    // What could never run is refused when the first of two proposes it.
    let refused = ("not_frozen", report);
    society.attempt("admins taking from who is not frozen", first, order, refused).await
}

async fn with_what_is_held_back(
    society: &mut Society<'_>,
    Cast { mallory, victim, .. }: &Cast,
    report: &mut Report,
) -> Result<()> {
    let owner = Actor::User(*victim);
    let per_day = Some(Amount::from_gx(10));
    society.act(owner, SetSpendingLimit { user_id: *victim, per_day }).await?;
    let refused = ("spending_limit", &mut *report);
    let much = pay(*victim, *mallory, 11);
    society.attempt("a thief taking more than a day's limit", owner, much, refused).await?;
    let first = Actor::Admin(society.first);
    let (account_id, reason) = (*mallory, FreezeReason::CourtOrder);
    society.act(first, FreezeWallet { account_id, reason }).await?;
    let refused = ("account_frozen", &mut *report);
    let flee = pay(*mallory, *victim, 1);
    let thief = Actor::User(*mallory);
    society.attempt("a payment from a frozen account", thief, flee, refused).await?;
    let other = UnfreezeWallet { account_id, reason: FreezeReason::Inactivity };
    let refused = ("not_frozen", report);
    society.attempt("a court's freeze ended for another reason", first, other, refused).await
}
