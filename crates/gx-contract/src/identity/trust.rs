//! The trust score: how much of a user's life others have confirmed, and how loans were repaid.
//!
//! A tally per user counts confirmed relations, so that a score is recomputed from one record of
//! fixed size, however many relations there are.

use gx_types::{AccountId, TimeMs};
use serde::{Deserialize, Serialize};

use crate::Refusal;
use crate::identity::RelationshipKind;
use crate::state::{Key, TRUST_BASE, User, Version};
use crate::tx::{Stop, Tx};

/// How old an account is that votes or borrows: trust takes longer to feign.
pub const AGE_DAYS: u32 = 30;

/// Conduct counts this far in either direction, so that old merit or guilt can be outweighed.
const CONDUCT_MAX: i16 = 100;

/// What a user's trust score is computed from, as the ledger holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tally {
    pub v: Version<1>,
    /// The one confirmed father.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub father: Option<AccountId>,
    /// The one confirmed mother.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mother: Option<AccountId>,
    /// Those whose confirmed child the user says to be: parents as well, who give no points.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub child_of: u32,
    /// The one confirmed spouse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spouse: Option<AccountId>,
    pub siblings: u32,
    pub children: u32,
    pub friends: u32,
    pub business_partners: u32,
    pub directors: u32,
    pub workplace_associates: u32,
    /// Sum of the adjustments for how loans were repaid, -100 to 100.
    pub conduct: i16,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What a user's trust score is computed from: confirmed relations by kind, and conduct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrustBasis {
    /// Confirmed relations that give the user a parent.
    pub parents: u32,
    /// The one confirmed spouse.
    pub spouse: Option<AccountId>,
    pub siblings: u32,
    pub children: u32,
    pub friends: u32,
    pub business_partners: u32,
    pub directors: u32,
    pub workplace_associates: u32,
    /// Sum of the adjustments for how loans were repaid, -100 to 100.
    pub conduct: i16,
}

impl From<Tally> for TrustBasis {
    fn from(tally: Tally) -> Self {
        Self {
            parents: tally.parents(),
            spouse: tally.spouse,
            siblings: tally.siblings,
            children: tally.children,
            friends: tally.friends,
            business_partners: tally.business_partners,
            directors: tally.directors,
            workplace_associates: tally.workplace_associates,
            conduct: tally.conduct,
        }
    }
}

/// A part of a user's life that gives points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TrustPart {
    /// Everybody has these.
    Base,
    Parent,
    Spouse,
    Sibling,
    Child,
    Friends,
    BusinessPartners,
    Directors,
    WorkplaceAssociates,
}

/// What a part gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustPoints {
    pub part: TrustPart,
    /// How many confirmed relations it rests on.
    pub count: u32,
    pub points: u8,
}

/// What partners, directors and associates give together at most.
const BUSINESS_MAX: u8 = 10;

/// What friends give together at most.
const FRIENDS_MAX: u8 = 10;

impl TrustBasis {
    /// Base 10; a parent 30, a spouse 25, a sibling 15, a child 10, each once; a friend 1, at most
    /// 10; partners 5, directors 3, associates 2, at most 10 together. Conduct comes on top.
    pub fn points(&self) -> [TrustPoints; 9] {
        let once = |part, count: u32, points| TrustPoints {
            part,
            count,
            points: if count > 0 { points } else { 0 },
        };
        let each = |part, count: u32, points: u32, left: u8| {
            let points = u8::try_from(count.saturating_mul(points)).unwrap_or(u8::MAX);
            TrustPoints { part, count, points: points.min(left) }
        };
        let mut left = BUSINESS_MAX;
        let mut business = |part, count, points| {
            let given = each(part, count, points, left);
            left = left.saturating_sub(given.points);
            given
        };
        [
            TrustPoints { part: TrustPart::Base, count: 0, points: TRUST_BASE },
            once(TrustPart::Parent, self.parents, 30),
            once(TrustPart::Spouse, u32::from(self.spouse.is_some()), 25),
            once(TrustPart::Sibling, self.siblings, 15),
            once(TrustPart::Child, self.children, 10),
            each(TrustPart::Friends, self.friends, 1, FRIENDS_MAX),
            business(TrustPart::BusinessPartners, self.business_partners, 5),
            business(TrustPart::Directors, self.directors, 3),
            business(TrustPart::WorkplaceAssociates, self.workplace_associates, 2),
        ]
    }
}

/// A user's trust score after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustScore {
    pub user_id: AccountId,
    /// 0 to 100.
    pub trust_score: u8,
}

/// A person has a father and a mother at most, however it is told.
const PARENTS_MAX: u32 = 2;

impl Tally {
    /// Confirmed relations that give the user a parent.
    fn parents(&self) -> u32 {
        u32::from(self.father.is_some()).saturating_add(u32::from(self.mother.is_some()))
    }

    /// Whether there is room for a father, for a mother, or for a parent of either kind.
    pub(super) fn takes_parent(&self, kind: RelationshipKind) -> bool {
        let taken = match kind {
            RelationshipKind::FatherOf => self.father.is_some(),
            RelationshipKind::MotherOf => self.mother.is_some(),
            RelationshipKind::SpouseOf
            | RelationshipKind::SiblingOf
            | RelationshipKind::ChildOf
            | RelationshipKind::FriendOf
            | RelationshipKind::BusinessPartnerOf
            | RelationshipKind::DirectorOf
            | RelationshipKind::WorkplaceAssociateOf => false,
        };
        !taken && self.parents().saturating_add(self.child_of) < PARENTS_MAX
    }

    /// What the parts of the basis give, and conduct; 0 to 100 in all.
    pub(crate) fn score(&self) -> u8 {
        let parts = TrustBasis::from(*self).points().map(|part| i64::from(part.points));
        let sum = parts.iter().fold(i64::from(self.conduct), |sum, part| sum.saturating_add(*part));
        u8::try_from(sum.clamp(0, 100)).unwrap_or(0)
    }

    /// Counts a relation in, or out again.
    fn count(&mut self, kind: RelationshipKind, with: AccountId, confirmed: bool) {
        let count = match kind {
            RelationshipKind::SpouseOf => {
                self.spouse = confirmed.then_some(with);
                return;
            }
            RelationshipKind::FatherOf => {
                self.father = confirmed.then_some(with);
                return;
            }
            RelationshipKind::MotherOf => {
                self.mother = confirmed.then_some(with);
                return;
            }
            RelationshipKind::SiblingOf => &mut self.siblings,
            RelationshipKind::ChildOf => &mut self.children,
            RelationshipKind::FriendOf => &mut self.friends,
            RelationshipKind::BusinessPartnerOf => &mut self.business_partners,
            RelationshipKind::DirectorOf => &mut self.directors,
            RelationshipKind::WorkplaceAssociateOf => &mut self.workplace_associates,
        };
        *count = if confirmed { count.saturating_add(1) } else { count.saturating_sub(1) };
    }
}

/// Whether the account is old enough to vote and to borrow.
pub(crate) fn check_age(user: &User, now: TimeMs) -> Result<(), Refusal> {
    let is_old = now >= user.created_at.plus_days(AGE_DAYS);
    if is_old { Ok(()) } else { Err(Refusal::AccountTooYoung) }
}

/// Counts a relation for one of its sides.
pub(super) fn count(
    tx: &mut Tx<'_>,
    user: AccountId,
    kind: RelationshipKind,
    with: AccountId,
    confirmed: bool,
) -> Result<TrustScore, Stop> {
    adjust(tx, user, |tally| tally.count(kind, with, confirmed))
}

/// Counts that a user is somebody's child, which gives the user no points.
pub(super) fn count_child_of(
    tx: &mut Tx<'_>,
    user: AccountId,
    confirmed: bool,
) -> Result<(), Stop> {
    adjust(tx, user, |tally| {
        let count = tally.child_of;
        tally.child_of = if confirmed { count.saturating_add(1) } else { count.saturating_sub(1) };
    })
    .map(drop)
}

/// Adds to a user's conduct.
pub(crate) fn conduct(tx: &mut Tx<'_>, user: AccountId, points: i16) -> Result<TrustScore, Stop> {
    adjust(tx, user, |tally| {
        tally.conduct = tally.conduct.saturating_add(points).clamp(-CONDUCT_MAX, CONDUCT_MAX);
    })
}

/// Changes a user's tally and stores the score that follows from it.
fn adjust(
    tx: &mut Tx<'_>,
    user_id: AccountId,
    change: impl FnOnce(&mut Tally),
) -> Result<TrustScore, Stop> {
    let (tally_key, user_key) = (Key::Tally(user_id), Key::User(user_id));
    tx.state.load([tally_key, user_key])?;
    let user: User = tx.state.get(user_key)?.ok_or(Refusal::AccountNotFound)?;
    let mut tally: Tally = tx.state.get(tally_key)?.unwrap_or_default();
    change(&mut tally);
    let trust_score = tally.score();
    tx.put(tally_key, tally)?;
    tx.put(user_key, User { trust_score, ..user })?;
    Ok(TrustScore { user_id, trust_score })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn business_gives_ten_points_however_many_there_are() {
        let basis = TrustBasis {
            business_partners: 1,
            directors: 4,
            workplace_associates: 9,
            friends: 30,
            ..Tally::default().into()
        };
        let points = basis.points().map(|part| (part.part, part.count, part.points));
        let expected = [
            (TrustPart::Friends, 30, 10),
            (TrustPart::BusinessPartners, 1, 5),
            (TrustPart::Directors, 4, 5),
            (TrustPart::WorkplaceAssociates, 9, 0),
        ];
        assert_eq!(points[5..], expected);
    }
}
