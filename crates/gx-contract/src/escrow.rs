//! Escrow: coins that have left the payer and are not yet the payee's.
//!
//! All of them lie on one account of the system, so that everything that follows postings sees them
//! as it sees other coins; a record of each escrow says whose they are. They stay in what the payer
//! is taxed on: parking coins must not be cheaper than holding them. The fee waits with the amount,
//! and comes back with it.

use gx_types::{AccountId, Amount, EscrowId, Pool, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::fees::{Scope, TransferType};
use crate::gates::{ActorRule, Gate};
use crate::identity::AccountStatus;
use crate::posting::Posting;
use crate::query::Answer;
use crate::spending::spend;
use crate::state::{Account, Clocks, Key, RunningMs, State, Version};
use crate::tax_and_fee::settle_tax;
use crate::text::check_text;
use crate::tokenomics::quote;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// The shortest and the longest time until anybody may give the coins back.
const WAITS_HOURS: u32 = 1;
const WAITS_DAYS: u32 = 365;

/// Where an escrow stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EscrowState {
    /// The coins wait.
    Open,
    /// They are the payee's.
    Released,
    /// They are the payer's again.
    Refunded,
}

/// Coins that wait, and who decides on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Escrow {
    pub v: Version<1>,
    pub payer_id: AccountId,
    pub payee_id: AccountId,
    /// What the payee gets.
    pub amount: Amount,
    /// What waits beside it, and is taken when the payee is paid.
    pub fee: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbiter_id: Option<AccountId>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    pub state: EscrowState,
    pub opened_at: TimeMs,
    /// From then on anybody may give the coins back, and the arbiter can't release them any more.
    pub expires_at: RunningMs,
}

impl Escrow {
    fn held(&self) -> Result<Amount, Refusal> {
        self.amount.checked_add(self.fee).ok_or(Refusal::AmountOverflow)
    }

    fn has_expired(&self, clocks: Clocks) -> bool {
        clocks.running() >= self.expires_at
    }

    fn check_open(&self) -> Result<(), Refusal> {
        if self.state == EscrowState::Open { Ok(()) } else { Err(Refusal::EscrowSettled) }
    }
}

fn escrow(state: &mut State, id: EscrowId) -> Result<Escrow, Stop> {
    let escrow: Option<Escrow> = state.get(Key::Escrow(id))?;
    Ok(escrow.ok_or(Refusal::EscrowNotFound)?)
}

/// Takes coins from the actor's account and has them wait for the payee. The fee of a payment waits
/// with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenEscrow {
    /// A user or an organization.
    pub to: AccountId,
    pub amount: Amount,
    /// From then on anybody may give the coins back: 1 hour to 365 days from now. A pause of the
    /// system puts it off.
    pub expires_at: TimeMs,
    /// A user who may release and refund as well, and is neither payer nor payee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbiter_id: Option<AccountId>,
    /// At most 200 characters, readable by everybody on the ledger.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// Coins wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscrowOpened {
    pub escrow_id: EscrowId,
    pub payer_id: AccountId,
    pub payee_id: AccountId,
    pub amount: Amount,
    pub fee: Amount,
    #[serde(rename = "type")]
    pub kind: TransferType,
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arbiter_id: Option<AccountId>,
    /// By the pauses so far.
    pub expires_at: TimeMs,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    pub postings: Vec<Posting>,
}

impl Effects for EscrowOpened {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }

    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.payee_id);
    }
}

impl OpenEscrow {
    /// The expiry on the clock of deadlines, and that the arbiter is a third person.
    fn check_terms(&self, tx: &mut Tx<'_>, payer: AccountId) -> Result<RunningMs, Stop> {
        if payer == self.to {
            return Err(Refusal::SameAccount.into());
        }
        let (now, expires_at) = (tx.clocks.running(), tx.clocks.point(self.expires_at));
        if expires_at < now.plus_hours(WAITS_HOURS) || expires_at > now.plus_days(WAITS_DAYS) {
            return Err(Refusal::ExpiryInvalid.into());
        }
        if let Some(arbiter) = self.arbiter_id {
            let is_user = tx.state.account(&arbiter)?.is_some_and(|account| account.is_user());
            if !is_user || arbiter == payer || arbiter == self.to {
                return Err(Refusal::ArbiterInvalid.into());
            }
        }
        Ok(expires_at)
    }
}

impl Rule for OpenEscrow {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::CounterpartyFrozen,
        Refusal::CounterpartyDeceased,
        Refusal::TextInvalid,
        Refusal::AmountZero,
        Refusal::SameAccount,
        Refusal::RecipientNotAllowed,
        Refusal::ExpiryInvalid,
        Refusal::ArbiterInvalid,
        Refusal::AmountOverflow,
        Refusal::SpendingLimit,
        Refusal::InsufficientBalance,
    ];
    const EVENTS: &[&str] = &["VelocityTaxApplied", "EscrowOpened"];

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.to)
    }

    fn validate(&self) -> Result<(), Refused> {
        check_text("remark", &self.remark, 0, 200)?;
        if self.amount.is_zero() {
            return Err(Refusal::AmountZero.into());
        }
        // Pools and treasuries take gifts, not goods.
        if self.to.is_reserved() {
            return Err(Refusal::RecipientNotAllowed.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let Self { to: payee_id, amount, arbiter_id, remark, .. } = self.clone();
        let (payer_id, escrow_id) = (tx.user()?, EscrowId::made_by(tx.command_id));
        let all = AccountId::escrow();
        let arbiter = arbiter_id.map(Key::Account);
        tx.state.load([Key::Escrow(escrow_id), Key::Account(all)].into_iter().chain(arbiter))?;
        let expires_at = self.check_terms(tx, payer_id)?;
        if tx.state.account(&all)?.is_none() {
            tx.state.put_account(&all, Account::escrow())?;
        }
        let (payer, quote) = quote(tx.state, &tx.params, &payer_id, &payee_id, amount)?;
        spend(tx, &payer_id, &payer, quote.total)?;
        settle_tax(tx, &payer_id, &payer)?;
        tx.hold(&payer_id, quote.total)?;
        let opened = Escrow {
            v: Version,
            payer_id,
            payee_id,
            amount,
            fee: quote.fee,
            arbiter_id,
            remark: remark.clone(),
            state: EscrowState::Open,
            opened_at: tx.now,
            expires_at,
        };
        tx.put(Key::Escrow(escrow_id), opened)?;
        let (fee, kind, scope) = (quote.fee, quote.kind, quote.scope);
        let (expires_at, postings) = (tx.clocks.time_of_day(expires_at), tx.take_postings());
        tx.emit(EscrowOpened {
            escrow_id,
            payer_id,
            payee_id,
            amount,
            fee,
            kind,
            scope,
            arbiter_id,
            expires_at,
            remark,
            postings,
        });
        Ok(())
    }
}

/// Pays the payee what waits: by the payer, or by the arbiter before it expires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseEscrow {
    pub escrow_id: EscrowId,
}

/// The payee was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscrowReleased {
    pub escrow_id: EscrowId,
    pub payer_id: AccountId,
    pub payee_id: AccountId,
    pub amount: Amount,
    pub fee: Amount,
    pub released_by: AccountId,
    pub postings: Vec<Posting>,
}

impl Effects for EscrowReleased {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }

    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.payer_id);
    }
}

/// A freeze keeps coins where they are, on either side, and nobody pays the dead.
fn check_parties(state: &mut State, payer: &AccountId, payee: &AccountId) -> Result<(), Stop> {
    let (payer, payee) = (state.existing_account(payer)?, state.existing_account(payee)?);
    if payer.is_frozen() || payee.is_frozen() {
        return Err(Refusal::CounterpartyFrozen.into());
    }
    if payee.status == AccountStatus::Deceased {
        return Err(Refusal::CounterpartyDeceased.into());
    }
    Ok(())
}

impl Rule for ReleaseEscrow {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::EscrowNotFound,
        Refusal::NotParty,
        Refusal::EscrowSettled,
        Refusal::EscrowExpired,
        Refusal::CounterpartyFrozen,
        Refusal::CounterpartyDeceased,
    ];
    const EVENTS: &[&str] = &["EscrowReleased"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (escrow_id, released_by) = (self.escrow_id, tx.user()?);
        let found = escrow(tx.state, escrow_id)?;
        let (payer_id, payee_id) = (found.payer_id, found.payee_id);
        let fund = Pool::OperationsFund.account();
        tx.state.load([AccountId::escrow(), payer_id, payee_id, fund].map(Key::Account))?;
        let by_arbiter = found.arbiter_id == Some(released_by);
        if released_by != payer_id && !by_arbiter {
            return Err(Refusal::NotParty.into());
        }
        found.check_open()?;
        if by_arbiter && found.has_expired(tx.clocks) {
            return Err(Refusal::EscrowExpired.into());
        }
        check_parties(tx.state, &payer_id, &payee_id)?;
        let (amount, fee) = (found.amount, found.fee);
        tx.let_go(&payer_id, found.held()?)?;
        tx.credit(&payee_id, amount)?;
        tx.credit(&fund, fee)?;
        tx.put(Key::Escrow(escrow_id), Escrow { state: EscrowState::Released, ..found })?;
        let postings = tx.take_postings();
        tx.emit(EscrowReleased {
            escrow_id,
            payer_id,
            payee_id,
            amount,
            fee,
            released_by,
            postings,
        });
        Ok(())
    }
}

/// Gives the payer back all that waits, the fee included: by the payee or the arbiter at any time,
/// by anybody once it has expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefundEscrow {
    pub escrow_id: EscrowId,
}

/// The payer has the coins again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscrowRefunded {
    pub escrow_id: EscrowId,
    pub payer_id: AccountId,
    pub payee_id: AccountId,
    /// With the fee that waited.
    pub amount: Amount,
    pub refunded_by: AccountId,
    pub postings: Vec<Posting>,
}

impl Effects for EscrowRefunded {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }

    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.payee_id);
    }
}

impl Rule for RefundEscrow {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] =
        &[Refusal::EscrowNotFound, Refusal::EscrowSettled, Refusal::EscrowNotExpired];
    const EVENTS: &[&str] = &["EscrowRefunded"];

    /// A payer who is frozen or deceased gets the coins too: they lie there as the others do.
    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (escrow_id, refunded_by) = (self.escrow_id, tx.user()?);
        let found = escrow(tx.state, escrow_id)?;
        let (payer_id, payee_id) = (found.payer_id, found.payee_id);
        tx.state.load([AccountId::escrow(), payer_id].map(Key::Account))?;
        found.check_open()?;
        let decides = refunded_by == payee_id || found.arbiter_id == Some(refunded_by);
        if !decides && !found.has_expired(tx.clocks) {
            return Err(Refusal::EscrowNotExpired.into());
        }
        let amount = found.held()?;
        tx.give_back(&payer_id, amount)?;
        tx.put(Key::Escrow(escrow_id), Escrow { state: EscrowState::Refunded, ..found })?;
        let postings = tx.take_postings();
        tx.emit(EscrowRefunded { escrow_id, payer_id, payee_id, amount, refunded_by, postings });
        Ok(())
    }
}

/// An escrow, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetEscrow {
    pub escrow_id: EscrowId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EscrowView {
    pub escrow_id: EscrowId,
    pub payer_id: AccountId,
    pub payee_id: AccountId,
    pub amount: Amount,
    pub fee: Amount,
    pub arbiter_id: Option<AccountId>,
    pub remark: String,
    pub state: EscrowState,
    pub opened_at: TimeMs,
    /// By the pauses so far.
    pub expires_at: TimeMs,
}

impl Answer for GetEscrow {
    type Answer = EscrowView;

    fn answer(&self, state: &mut State) -> Result<EscrowView, Stop> {
        let escrow_id = self.escrow_id;
        state.load([Key::Clock, Key::System, Key::Escrow(escrow_id)])?;
        let (clocks, found) = (state.clocks()?, escrow(state, escrow_id)?);
        Ok(EscrowView {
            escrow_id,
            payer_id: found.payer_id,
            payee_id: found.payee_id,
            amount: found.amount,
            fee: found.fee,
            arbiter_id: found.arbiter_id,
            remark: found.remark,
            state: found.state,
            opened_at: found.opened_at,
            expires_at: clocks.time_of_day(found.expires_at),
        })
    }
}
