//! The caller's trust score, point by point.

use axum::extract::State;
use gx_contract::identity::{TrustBasis, TrustPart, TrustPoints};
use gx_store::Store;
use gx_store::identity::profiles;
use gx_store::identity::relationships::{self, Relations};
use gx_types::AccountId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::Route;
use crate::auth::User;
use crate::error::{Error, Result};
use crate::http::answer::{Read, View};
use crate::http::extract::After;

pub(super) fn routes() -> [Route; 1] {
    [Route::get("/api/v1/relationships/trust-score", trust_score)
        .summary("The caller's trust score, and what each point of it comes from")
        .fails(&[(404, "not_found"), (409, "not_on_ledger")])]
}

/// A trust score. Its parts sum up to it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TrustReply {
    #[schemars(with = "String")]
    user_id: AccountId,
    /// 0 to 100.
    total_score: u8,
    base_score: u8,
    family_score: u8,
    friends_score: u8,
    business_score: u8,
    /// How loans were repaid, and what the limits of 0 and 100 take or add.
    conduct_score: i16,
    points: Vec<PointsReply>,
}

/// What a part of a life gives.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PointsReply {
    part: TrustPart,
    /// How many confirmed relations it rests on.
    count: u32,
    points: u8,
}

fn basis(relations: Relations) -> TrustBasis {
    TrustBasis {
        parents: relations.parents,
        spouse: relations.spouse,
        siblings: relations.siblings,
        children: relations.children,
        friends: relations.friends,
        business_partners: relations.business_partners,
        directors: relations.directors,
        workplace_associates: relations.workplace_associates,
        conduct: 0,
    }
}

impl TrustReply {
    fn new(user_id: AccountId, total_score: u8, points: [TrustPoints; 9]) -> Self {
        let mut reply = Self {
            user_id,
            total_score,
            base_score: 0,
            family_score: 0,
            friends_score: 0,
            business_score: 0,
            conduct_score: i16::from(total_score),
            points: Vec::with_capacity(points.len()),
        };
        for TrustPoints { part, count, points } in points {
            let score = match part {
                TrustPart::Base => &mut reply.base_score,
                TrustPart::Parent | TrustPart::Spouse | TrustPart::Sibling | TrustPart::Child => {
                    &mut reply.family_score
                }
                TrustPart::Friends => &mut reply.friends_score,
                TrustPart::BusinessPartners
                | TrustPart::Directors
                | TrustPart::WorkplaceAssociates => &mut reply.business_score,
            };
            *score = score.saturating_add(points);
            reply.conduct_score = reply.conduct_score.saturating_sub(i16::from(points));
            reply.points.push(PointsReply { part, count, points });
        }
        reply
    }
}

/// `GET /relationships/trust-score`
async fn trust_score(user: User, State(store): State<Store>, _: After) -> Result<Read<TrustReply>> {
    let own = user.own_account()?;
    let mut view = View::open(&store).await?;
    let profile = profiles::get(&mut view.snapshot, &own).await?;
    let score = profile.ok_or_else(|| Error::not_found("User"))?.trust_score;
    let relations = relationships::relations(&mut view.snapshot, &own).await?;
    Ok(view.read(TrustReply::new(own, score, basis(relations).points())))
}
