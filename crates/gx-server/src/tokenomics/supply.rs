//! How many coins there are where: supply, pools, countries and treasuries.

use axum::extract::State;
use gx_store::Store;
use gx_store::tokenomics::countries::{self, Country};
use gx_store::tokenomics::supply::{self, Supply};
use gx_types::{AccountId, Amount, CountryCode, MAX_SUPPLY, Pool};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::calendar::rfc3339;
use crate::error::{Error, Result};
use crate::http::answer::{CURRENCY, Read, View};
use crate::http::extract::{After, Path};

pub(super) fn routes() -> [Route; 5] {
    [
        Route::get("/api/v1/supply", supply)
            .summary("How many coins there are where")
            .fails(&[(409, "not_bootstrapped")]),
        Route::get("/api/v1/pools/{poolId}", pool)
            .summary("What one pool of the system held at first, has released and holds")
            .fails(&[(409, "not_bootstrapped")]),
        Route::get("/api/v1/countries", countries)
            .summary("All countries with their shares of genesis"),
        Route::get("/api/v1/countries/{cc}/stats", country).summary("One country"),
        Route::get("/api/v1/treasury/{cc}/balance", treasury)
            .summary("What a country's treasury holds"),
    ]
}

/// The supply of the currency, in GX.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SupplyReply {
    max_supply: String,
    /// What genesis has released.
    total_minted: String,
    available_to_mint: String,
    /// Everything outside pools and locked treasuries.
    circulating_supply: String,
    currency: &'static str,
    pools: Vec<PoolReply>,
}

/// A pool of the system.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PoolReply {
    pool_id: &'static str,
    /// Balance after bootstrap.
    cap: String,
    /// Released by genesis.
    minted: String,
    balance: String,
}

/// `GET /supply`
async fn supply(State(store): State<Store>, _: After) -> Result<Read<SupplyReply>> {
    let mut view = View::open(&store).await?;
    let reply = look_up(&mut view).await?;
    Ok(view.read(reply))
}

/// `GET /pools/{poolId}`
async fn pool(
    State(store): State<Store>,
    _: After,
    Path(id): Path<String>,
) -> Result<Read<PoolReply>> {
    let mut view = View::open(&store).await?;
    let pools = look_up(&mut view).await?.pools;
    let found = pools.into_iter().find(|pool| pool.pool_id == id);
    Ok(view.read(found.ok_or_else(|| Error::not_found("Pool"))?))
}

async fn look_up(view: &mut View) -> Result<SupplyReply> {
    let found = supply::get(&mut view.snapshot).await?;
    let found = found.ok_or_else(|| {
        Error::conflict("not_bootstrapped", "The system has not been bootstrapped yet")
    })?;
    reply(&found).ok_or_else(|| Error::internal("the pools hold more than there is"))
}

/// `None` when the figures contradict each other.
fn reply(supply: &Supply) -> Option<SupplyReply> {
    let (mut minted, mut circulating) =
        (Amount::ZERO, MAX_SUPPLY.checked_sub(supply.locked_treasuries)?);
    let mut pools = Vec::with_capacity(supply.pools.len());
    for row in &supply.pools {
        let released = match row.pool {
            // Anybody may pay into a pool, so that it can hold more than at first.
            Pool::UserGenesis | Pool::GovtGenesis => {
                row.cap.checked_sub(row.balance).unwrap_or(Amount::ZERO)
            }
            Pool::Charitable | Pool::Loan | Pool::Gx | Pool::OperationsFund => {
                row.disbursed.min(row.cap)
            }
        };
        minted = minted.checked_add(released)?;
        circulating = circulating.checked_sub(row.balance)?;
        pools.push(PoolReply {
            pool_id: row.pool.as_str(),
            cap: row.cap.to_gx(),
            minted: released.to_gx(),
            balance: row.balance.to_gx(),
        });
    }
    Some(SupplyReply {
        max_supply: MAX_SUPPLY.to_gx(),
        total_minted: minted.to_gx(),
        available_to_mint: MAX_SUPPLY.checked_sub(minted)?.to_gx(),
        circulating_supply: circulating.to_gx(),
        currency: CURRENCY,
        pools,
    })
}

/// A country's share of genesis, and its treasury.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CountryReply {
    country_code: String,
    /// Parts per 100,000,000.
    weight: u64,
    users: u64,
    /// Slots of the six phases.
    slots: [u64; 6],
    slots_used: [u64; 6],
    treasury_balance: String,
}

impl From<Country> for CountryReply {
    fn from(row: Country) -> Self {
        Self {
            country_code: row.code.to_string(),
            weight: row.weight,
            users: row.users,
            slots: row.slots,
            slots_used: row.slots_used,
            treasury_balance: row.treasury_balance.to_gx(),
        }
    }
}

/// All countries.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CountriesReply {
    countries: Vec<CountryReply>,
    total: usize,
}

/// `GET /countries`
async fn countries(State(store): State<Store>, _: After) -> Result<Read<CountriesReply>> {
    let mut view = View::open(&store).await?;
    let rows = countries::all(&mut view.snapshot).await?;
    let countries: Vec<CountryReply> = rows.into_iter().map(Into::into).collect();
    Ok(view.read(CountriesReply { total: countries.len(), countries }))
}

/// `GET /countries/{cc}/stats`
async fn country(
    State(store): State<Store>,
    _: After,
    Path(code): Path<String>,
) -> Result<Read<CountryReply>> {
    let mut view = View::open(&store).await?;
    let row = find(&mut view, &code).await?;
    Ok(view.read(row.into()))
}

async fn find(view: &mut View, code: &str) -> Result<Country> {
    let unknown = || Error::not_found("Country");
    let code: CountryCode = code.parse().map_err(|_| unknown())?;
    countries::get(&mut view.snapshot, code).await?.ok_or_else(unknown)
}

/// What a country's treasury holds.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TreasuryReply {
    country_code: String,
    account_id: String,
    balance: String,
    currency: &'static str,
    /// The time of the last block that it is known to hold for.
    updated_at: Option<String>,
}

/// `GET /treasury/{cc}/balance`
async fn treasury(
    State(store): State<Store>,
    _: After,
    Path(code): Path<String>,
) -> Result<Read<TreasuryReply>> {
    let mut view = View::open(&store).await?;
    let row = find(&mut view, &code).await?;
    let reply = TreasuryReply {
        country_code: row.code.to_string(),
        account_id: AccountId::treasury(row.code).to_string(),
        balance: row.treasury_balance.to_gx(),
        currency: CURRENCY,
        updated_at: view.position.checkpoint.map(|last| rfc3339(last.at.0)),
    };
    Ok(view.read(reply))
}
