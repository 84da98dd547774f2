//! TokenomicsContract: payments, later genesis, balances and supply.

use gx_types::{AccountId, Amount, AttesterId, CountryCode, MAX_SUPPLY, Pool, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::admin::{Disbursed, pool_cap};
use crate::attestation::{self, Attestation, Attested, Purpose};
use crate::fees::{Quote, Scope, TransferType};
use crate::freezing::FreezeReasons;
use crate::gates::{ActorRule, Gate};
use crate::genesis::{self, GenesisStatus};
use crate::identity::AccountStatus;
use crate::organization::Treasury;
use crate::params::Parameters;
use crate::posting::Posting;
use crate::query::Answer;
use crate::spending::spend;
use crate::state::{Account, Key, State, User};
use crate::tax_and_fee::settle_tax;
use crate::text::check_text;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// Moves coins from the actor's account to another; the sender pays the fee on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transfer {
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    /// At most 200 characters, readable by everybody on the ledger.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
}

/// Coins were paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transferred {
    pub from: AccountId,
    pub to: AccountId,
    pub amount: Amount,
    pub fee: Amount,
    #[serde(rename = "type")]
    pub kind: TransferType,
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    pub postings: Vec<Posting>,
}

impl Effects for Transferred {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// What a payment costs with these parameters, and who pays it.
pub(crate) fn quote(
    state: &mut State,
    params: &Parameters,
    from: &AccountId,
    to: &AccountId,
    amount: Amount,
) -> Result<(Account, Quote), Stop> {
    let sender = state.existing_account(from)?;
    let receiver = state.existing_account(to)?;
    let quote = params.fees.quote(&sender, &receiver, amount)?;
    Ok((sender, quote))
}

/// Moves an amount and, from the sender on top, its fee. The caller's event takes the postings.
pub(crate) fn pay(
    tx: &mut Tx<'_>,
    from: &AccountId,
    to: &AccountId,
    amount: Amount,
) -> Result<Quote, Stop> {
    let (sender, quote) = quote(tx.state, &tx.params, from, to, amount)?;
    spend(tx, from, &sender, quote.total)?;
    settle_tax(tx, from, &sender)?;
    tx.debit(from, quote.total)?;
    tx.credit(to, amount)?;
    if !quote.fee.is_zero() {
        tx.credit(&Pool::OperationsFund.account(), quote.fee)?;
    }
    Ok(quote)
}

/// Nobody pays into a pool that is not there for gifts or for costs: what it holds is counted
/// against what it was made for.
pub(crate) fn check_payee(id: &AccountId) -> Result<(), Refusal> {
    // What lies there without a record would be nobody's.
    if *id == AccountId::escrow() {
        return Err(Refusal::RecipientNotAllowed);
    }
    match id.as_str().parse() {
        Ok(Pool::Charitable | Pool::OperationsFund) | Err(_) => Ok(()),
        Ok(Pool::UserGenesis | Pool::GovtGenesis | Pool::Loan | Pool::Gx) => {
            Err(Refusal::RecipientNotAllowed)
        }
    }
}

impl Rule for Transfer {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::CounterpartyFrozen,
        Refusal::CounterpartyDeceased,
        Refusal::TextInvalid,
        Refusal::AmountZero,
        Refusal::SameAccount,
        Refusal::RecipientNotAllowed,
        Refusal::NotOwnAccount,
        Refusal::AmountOverflow,
        Refusal::SpendingLimit,
        Refusal::InsufficientBalance,
    ];
    const EVENTS: &[&str] = &["VelocityTaxApplied", "Transferred"];

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.to)
    }

    fn own_account(&self) -> Option<&AccountId> {
        Some(&self.from)
    }

    fn validate(&self) -> Result<(), Refused> {
        check_text("remark", &self.remark, 0, 200)?;
        if self.amount.is_zero() {
            return Err(Refusal::AmountZero.into());
        }
        if self.from == self.to {
            return Err(Refusal::SameAccount.into());
        }
        check_payee(&self.to)?;
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let quote = pay(tx, &self.from, &self.to, self.amount)?;
        let postings = tx.take_postings();
        tx.emit(Transferred {
            from: self.from,
            to: self.to,
            amount: self.amount,
            fee: quote.fee,
            kind: quote.kind,
            scope: quote.scope,
            remark: self.remark.clone(),
            postings,
        });
        Ok(())
    }
}

/// Grants genesis to users who did not get it when they registered, with newly attested ages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DistributeGenesis {
    /// 1 to 1000 users, each once.
    pub users: Vec<AttestedAge>,
}

/// A user's age as attested now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AttestedAge {
    pub user_id: AccountId,
    /// Years, 0 to 150.
    pub age: u16,
    /// Who says so, without whom nothing is granted but on devnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Box<Attestation>>,
}

/// A user and their country's treasury received genesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisDistributed {
    pub user_id: AccountId,
    pub country: CountryCode,
    /// 1 to 6.
    pub phase: u8,
    pub amount: Amount,
    pub treasury_amount: Amount,
    /// Who has attested the age anew; absent where none was asked for, and for what comes with an
    /// account: `UserCreated` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attested_by: Option<AttesterId>,
    pub postings: Vec<Posting>,
}

impl Effects for GenesisDistributed {
    fn postings(&self) -> &[Posting] {
        &self.postings
    }

    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.user_id);
    }

    fn countries(&self, name: &mut dyn FnMut(CountryCode)) {
        name(self.country);
    }
}

/// A user in the list did not receive genesis; the others are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisSkipped {
    pub user_id: AccountId,
    pub code: Refusal,
}

impl Effects for GenesisSkipped {
    fn accounts(&self, name: &mut dyn FnMut(AccountId)) {
        name(self.user_id);
    }
}

impl Rule for DistributeGenesis {
    const GATE: Gate = Gate::new(Role::Admin, ActorRule::AdminOrSystem);
    const REFUSALS: &[Refusal] = &[Refusal::ListInvalid, Refusal::AgeInvalid];
    const EVENTS: &[&str] = &["GenesisDistributed", "GenesisSkipped"];

    fn validate(&self) -> Result<(), Refused> {
        let mut ids: Vec<&AccountId> = self.users.iter().map(|user| &user.user_id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() || ids.len() != self.users.len() || ids.len() > 1000 {
            return Err(Refusal::ListInvalid.because("1 to 1000 users, each once, expected"));
        }
        if self.users.iter().any(|user| user.age > 150) {
            return Err(Refusal::AgeInvalid.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        tx.state.load(self.users.iter().flat_map(|attested| {
            let id = &attested.user_id;
            let attester = attestation::key_of(attested.attestation.as_deref());
            [Key::User(*id), Key::Account(*id)].into_iter().chain(attester)
        }))?;
        genesis::load(tx, self.users.iter().map(|attested| attested.user_id))?;
        for attested in &self.users {
            if let Some(code) = distribute(tx, attested)? {
                tx.emit(GenesisSkipped { user_id: attested.user_id, code });
            }
        }
        Ok(())
    }
}

/// Grants genesis to one user, or says why not.
fn distribute(tx: &mut Tx<'_>, attested: &AttestedAge) -> Result<Option<Refusal>, Stop> {
    let id = &attested.user_id;
    let key = Key::User(*id);
    let Some(user) = tx.state.get::<User>(key)? else {
        return Ok(Some(Refusal::AccountNotFound));
    };
    if user.genesis_granted() {
        return Ok(Some(Refusal::GenesisAlreadyGranted));
    }
    let account = tx.state.existing_account(id)?;
    if account.status == AccountStatus::Deceased {
        return Ok(Some(Refusal::CounterpartyDeceased));
    }
    let country = account.country.ok_or(Refusal::CountryUnknown)?;
    let said = Attested {
        purpose: Purpose::Genesis,
        user_id: *id,
        identity_hash: user.identity_hash,
        country,
        age: attested.age,
    };
    let vouching = match attestation::check(tx, &said, attested.attestation.as_deref())? {
        Ok(vouching) => vouching,
        Err(code) => return Ok(Some(code)),
    };
    let attested_by = vouching.named();
    let status = genesis::grant(tx, id, country, account.account_type, attested.age, attested_by)?;
    if matches!(status, GenesisStatus::Granted { .. }) {
        vouching.count(tx)?;
    }
    tx.put(key, User { genesis: status, ..user })?;
    Ok(match status {
        GenesisStatus::Granted { .. } => None,
        GenesisStatus::Ineligible => Some(Refusal::GenesisIneligible),
        GenesisStatus::Exhausted => Some(Refusal::GenesisExhausted),
    })
}

/// The balance of any account: user, pool or treasury.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetBalance {
    pub account_id: AccountId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Balance {
    pub account_id: AccountId,
    pub balance: Amount,
    pub frozen: FreezeReasons,
}

impl Answer for GetBalance {
    type Answer = Balance;

    fn answer(&self, state: &mut State) -> Result<Balance, Stop> {
        let Account { balance, frozen, .. } = state.existing_account(&self.account_id)?;
        Ok(Balance { account_id: self.account_id, balance, frozen })
    }
}

/// How much of the supply exists where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetSupplyStatus {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupplyStatus {
    pub max_supply: Amount,
    /// What genesis and disbursements have released.
    pub total_minted: Amount,
    pub available_to_mint: Amount,
    /// Everything outside pools and locked treasuries.
    pub circulating_supply: Amount,
    pub pools: Vec<PoolStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PoolStatus {
    pub pool_id: Pool,
    /// Balance after bootstrap.
    pub cap: Amount,
    /// Released by genesis, or by disbursements from the pools that genesis does not draw on.
    pub minted: Amount,
    pub balance: Amount,
}

impl Answer for GetSupplyStatus {
    type Answer = SupplyStatus;

    fn answer(&self, state: &mut State) -> Result<SupplyStatus, Stop> {
        state.load([Key::System, Key::Countries, Key::Disbursed])?;
        if state.system()?.is_none() {
            return Err(Refusal::NotBootstrapped.into());
        }
        let disbursed: Disbursed = state.get(Key::Disbursed)?.unwrap_or_default();
        let countries = state.countries()?.codes;
        let pools = Pool::ALL.map(Pool::account);
        let treasuries = countries.iter().map(|code| AccountId::treasury(*code));
        let active = countries.iter().map(|code| Key::Treasury(*code));
        state.load(treasuries.chain(pools).map(Key::Account).chain(active))?;
        let mut circulating = MAX_SUPPLY;
        let mut minted_total = Amount::ZERO;
        let mut rows = Vec::with_capacity(pools.len());
        for code in countries {
            if state.get::<Treasury>(Key::Treasury(code))?.is_some() {
                continue;
            }
            let held = state.existing_account(&AccountId::treasury(code))?.balance;
            circulating = circulating.checked_sub(held).ok_or(Refusal::AmountOverflow)?;
        }
        for pool_id in Pool::ALL {
            let row = pool_status(state, &disbursed, pool_id)?;
            let (balance, minted) = (row.balance, row.minted);
            circulating = circulating.checked_sub(balance).ok_or(Refusal::AmountOverflow)?;
            minted_total = minted_total.checked_add(minted).ok_or(Refusal::AmountOverflow)?;
            rows.push(row);
        }
        Ok(SupplyStatus {
            max_supply: MAX_SUPPLY,
            total_minted: minted_total,
            available_to_mint: MAX_SUPPLY
                .checked_sub(minted_total)
                .ok_or(Refusal::AmountOverflow)?,
            circulating_supply: circulating,
            pools: rows,
        })
    }
}

/// Cap, release and balance of a pool.
fn pool_status(
    state: &mut State,
    disbursed: &Disbursed,
    pool_id: Pool,
) -> Result<PoolStatus, Stop> {
    let (balance, cap) = (state.existing_account(&pool_id.account())?.balance, pool_cap(pool_id));
    let minted = match pool_id {
        Pool::UserGenesis | Pool::GovtGenesis => {
            // Anybody may pay into a pool, so that it can hold more than at first.
            cap.checked_sub(balance).unwrap_or(Amount::ZERO)
        }
        // What was paid out may have come in again as fees or taxes; no more than the pool held at
        // first counts as released from it.
        Pool::Charitable | Pool::Loan | Pool::Gx | Pool::OperationsFund => {
            disbursed.paid_by(pool_id).min(cap)
        }
    };
    Ok(PoolStatus { pool_id, cap, minted, balance })
}

/// One pool of the supply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetPoolStatus {
    pub pool_id: Pool,
}

impl Answer for GetPoolStatus {
    type Answer = PoolStatus;

    fn answer(&self, state: &mut State) -> Result<PoolStatus, Stop> {
        state.load([Key::System, Key::Disbursed, Key::Account(self.pool_id.account())])?;
        if state.system()?.is_none() {
            return Err(Refusal::NotBootstrapped.into());
        }
        let disbursed: Disbursed = state.get(Key::Disbursed)?.unwrap_or_default();
        pool_status(state, &disbursed, self.pool_id)
    }
}

/// The treasury of a country.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetTreasury {
    pub country_code: CountryCode,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TreasuryView {
    pub country_code: CountryCode,
    pub treasury_id: AccountId,
    pub balance: Amount,
    /// The organization whose rules govern it; absent while it is locked.
    pub org_id: Option<AccountId>,
    /// From then on the organization can pay from it.
    pub payable_from: Option<TimeMs>,
    /// What it has paid since the start of yesterday, by UTC: its payments are judged by their
    /// amount and this.
    pub paid_since_yesterday: Amount,
}

impl Answer for GetTreasury {
    type Answer = TreasuryView;

    fn answer(&self, state: &mut State) -> Result<TreasuryView, Stop> {
        let country_code = self.country_code;
        let treasury_id = AccountId::treasury(country_code);
        let governed = Key::Treasury(country_code);
        state.load([Key::Account(treasury_id), governed, Key::Clock, Key::System])?;
        let account = state.account(&treasury_id)?.ok_or(Refusal::CountryUnknown)?;
        let treasury: Option<Treasury> = state.get(governed)?;
        let clocks = state.clocks()?;
        Ok(TreasuryView {
            country_code,
            treasury_id,
            balance: account.balance,
            org_id: treasury.map(|treasury| treasury.org_id),
            payable_from: treasury.map(|treasury| clocks.time_of_day(treasury.payable_from)),
            paid_since_yesterday: treasury
                .map_or(Amount::ZERO, |treasury| treasury.spent.since_yesterday(clocks.now())),
        })
    }
}
