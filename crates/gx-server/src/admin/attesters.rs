//! Who attests how old people are and who they are: looking at it, and proposing to change it.

use axum::extract::State;
use gx_contract::admin::{RegisterAttester, RemoveAttester};
use gx_contract::{PublicKey, SignatureBytes};
use gx_store::Store;
use gx_store::admin::attesters::{self, Attester};
use gx_types::{AttesterId, CountryCode};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::{May, grant};
use crate::calendar::{now_ms, rfc3339};
use crate::commands::{Accepted, Commands};
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::{After, Body, Path};
use crate::http::fields::{Count, List, NoBody, request};

pub(super) fn routes() -> [Route; 3] {
    [
        Route::get("/api/v1/admin/attesters", list)
            .summary("Who attests people, and how many each has attested"),
        Route::post("/api/v1/admin/attesters", register)
            .summary("Proposes that an attester's word for people counts")
            .sample(SAMPLE)
            .concerns("attesters"),
        Route::post("/api/v1/admin/attesters/{attesterId}/remove", remove)
            .summary("Proposes that an attester's word counts no longer")
            .sample("{}"),
    ]
}

/// A key that is one, with a proof that fits nothing.
const SAMPLE: &str = concat!(
    r#"{"attesterId": "clinic", "dailyMax": 500, "countries": ["DE"], "#,
    r#""publicKey": "50584106c66171dbe6901bd187252a0d704a02a1080f80c486575d07e5e4b4fe", "#,
    r#""proof": "1d84c09c915b1e355f4130b3950f6754270b37696f36f1b6ca5d4a9b4cf48860"#,
    r#"dfc9572b83d93754b64da4a45a9ca419345c336f9798d93f9e24816af8091d0d"}"#
);

/// No platform has more attesters.
const ATTESTERS_MAX: u32 = 1000;

request! {
    /// Who is to attest, whom, and how many.
    pub(crate) struct AttesterBody {
        attester_id as "attesterId": AttesterId,
        public_key as "publicKey": PublicKey,
        /// By that key, as `gx key prove` makes it.
        proof as "proof": SignatureBytes,
        /// How many people a day by UTC.
        daily_max as "dailyMax": Count<1, 1_000_000>,
        /// Where the people live.
        countries as "countries": List<CountryCode, 1, 676>,
    }
}

/// An attester on the ledger.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttesterReply {
    #[schemars(with = "String")]
    attester_id: AttesterId,
    /// Absent for devnet's own, which signs nothing.
    #[schemars(with = "Option<String>")]
    public_key: Option<PublicKey>,
    daily_max: u32,
    /// Empty for devnet's own, which may attest anywhere.
    #[schemars(with = "Vec<String>")]
    countries: Vec<CountryCode>,
    registered_at: String,
    /// Absent while its word counts.
    removed_at: Option<String>,
    /// How many people it has signed for.
    attested: u64,
    /// How many of them today, by UTC.
    attested_today: u64,
}

impl AttesterReply {
    fn of(row: Attester, now_ms: i64) -> Self {
        let today = now_ms.div_euclid(86_400_000);
        let last = row.last_day.filter(|(day, _)| *day == today);
        Self {
            attester_id: row.attester_id,
            public_key: row.public_key,
            daily_max: row.daily_max,
            countries: row.countries,
            registered_at: rfc3339(row.registered_at.0),
            removed_at: row.removed_at.map(|at| rfc3339(at.0)),
            attested: row.attested,
            attested_today: last.map_or(0, |(_, people)| people),
        }
    }
}

/// `GET /admin/attesters`
async fn list(
    _: May<grant::ConfigView>,
    State(store): State<Store>,
    _: After,
) -> Result<Read<Vec<AttesterReply>>> {
    let mut view = View::open(&store).await?;
    let rows = attesters::list(&mut view.snapshot, true, None, ATTESTERS_MAX).await?;
    let now = now_ms();
    Ok(view.read(rows.into_iter().map(|row| AttesterReply::of(row, now)).collect()))
}

/// `POST /admin/attesters`
async fn register(
    commands: Commands<May<grant::ConfigUpdate>>,
    Body(body): Body<AttesterBody>,
) -> Result<Accepted<RegisterAttester>> {
    let AttesterBody { attester_id, public_key, proof, daily_max, countries } = body;
    let (daily_max, countries) = (daily_max.0, countries.0);
    let register = RegisterAttester { attester_id, public_key, proof, daily_max, countries };
    commands.give(register).await
}

/// `POST /admin/attesters/{attesterId}/remove`
async fn remove(
    commands: Commands<May<grant::ConfigUpdate>>,
    Path(id): Path<String>,
    Body(NoBody {}): Body<NoBody>,
) -> Result<Accepted<RemoveAttester>> {
    let attester_id = id.parse().map_err(|_| Error::not_found("Attester"))?;
    commands.give(RemoveAttester { attester_id }).await
}
