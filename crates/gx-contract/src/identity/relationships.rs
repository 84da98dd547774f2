//! Relationships between users: asked for by one side, confirmed or rejected by the other.
//!
//! There is no list of a user's relationships on the ledger, which would grow without bound: a
//! relationship is found by its id, which follows from its type and sides.

use gx_types::{AccountId, CommandId, RelationshipId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::identity::trust::{self, Tally, TrustScore};
use crate::state::{Key, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

/// What the subject is to the object. The numbers are part of relationship ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RelationshipKind {
    FatherOf = 0,
    MotherOf = 1,
    SpouseOf = 2,
    SiblingOf = 3,
    ChildOf = 4,
    FriendOf = 5,
    BusinessPartnerOf = 6,
    DirectorOf = 7,
    WorkplaceAssociateOf = 8,
}

impl RelationshipKind {
    pub const ALL: [Self; 9] = [
        Self::FatherOf,
        Self::MotherOf,
        Self::SpouseOf,
        Self::SiblingOf,
        Self::ChildOf,
        Self::FriendOf,
        Self::BusinessPartnerOf,
        Self::DirectorOf,
        Self::WorkplaceAssociateOf,
    ];

    /// The id of `subject` being this to `object`; a symmetric kind has one id for both orders.
    pub fn id_between(self, subject: AccountId, object: AccountId) -> RelationshipId {
        let swap = self.is_symmetric() && object < subject;
        let (first, second) = if swap { (object, subject) } else { (subject, object) };
        let number = (self as u8).to_string();
        // Ids hold no NUL, so that the parts cannot be shifted into each other.
        let parts = ["gx/relationship/1", &number, first.as_str(), second.as_str()];
        let mut head = [0; 16];
        blake3::Hasher::new().update(parts.join("\0").as_bytes()).finalize_xof().fill(&mut head);
        RelationshipId::made_by(CommandId::from_u128(u128::from_be_bytes(head)))
    }

    /// Whether the relation is the same seen from both sides.
    pub const fn is_symmetric(self) -> bool {
        match self {
            Self::SpouseOf
            | Self::SiblingOf
            | Self::FriendOf
            | Self::BusinessPartnerOf
            | Self::WorkplaceAssociateOf => true,
            Self::FatherOf | Self::MotherOf | Self::ChildOf | Self::DirectorOf => false,
        }
    }
}

/// Where a relationship stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RelationshipState {
    PendingConfirmation,
    Confirmed,
    Rejected,
    Ended,
}

/// A relationship. The subject has asked for it; the object answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Relationship {
    pub v: Version<1>,
    #[serde(rename = "type")]
    pub kind: RelationshipKind,
    pub subject_id: AccountId,
    pub object_id: AccountId,
    pub state: RelationshipState,
    /// Since when it is in this state.
    pub since: TimeMs,
}

/// How long a rejected relationship may not be asked for again.
const REJECTED_FOR_DAYS: u32 = 7;

/// Asks another user to confirm that the actor is, say, `FATHER_OF` them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestRelationship {
    /// The actor.
    pub subject_id: AccountId,
    pub object_id: AccountId,
    #[serde(rename = "type")]
    pub kind: RelationshipKind,
}

/// A relationship waits for the object's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelationshipRequested {
    pub relationship_id: RelationshipId,
    #[serde(rename = "type")]
    pub kind: RelationshipKind,
    pub subject_id: AccountId,
    pub object_id: AccountId,
}

impl Effects for RelationshipRequested {}

impl Rule for RequestRelationship {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User).even_to_frozen();
    const REFUSALS: &[Refusal] = &[
        Refusal::AccountNotFound,
        Refusal::CounterpartyDeceased,
        Refusal::SameAccount,
        Refusal::NotOwnAccount,
        Refusal::NotAUser,
        Refusal::RelationshipExists,
        Refusal::RelationshipRejected,
    ];
    const EVENTS: &[&str] = &["RelationshipRequested"];

    fn counterparty(&self) -> Option<&AccountId> {
        Some(&self.object_id)
    }

    fn own_account(&self) -> Option<&AccountId> {
        Some(&self.subject_id)
    }

    fn validate(&self) -> Result<(), Refused> {
        if self.subject_id == self.object_id {
            return Err(Refusal::SameAccount.into());
        }
        Ok(())
    }

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        if !tx.state.existing_account(&self.object_id)?.is_user() {
            return Err(Refusal::NotAUser.into());
        }
        let (kind, subject_id, object_id) = (self.kind, self.subject_id, self.object_id);
        let relationship_id = kind.id_between(subject_id, object_id);
        let key = Key::Relationship(relationship_id);
        if let Some(before) = tx.state.get::<Relationship>(key)? {
            match before.state {
                RelationshipState::PendingConfirmation | RelationshipState::Confirmed => {
                    return Err(Refusal::RelationshipExists.into());
                }
                RelationshipState::Rejected
                    if tx.now < before.since.plus_days(REJECTED_FOR_DAYS) =>
                {
                    return Err(Refusal::RelationshipRejected.into());
                }
                RelationshipState::Rejected | RelationshipState::Ended => {}
            }
        }
        let (v, state, since) = (Version, RelationshipState::PendingConfirmation, tx.now);
        tx.put(key, Relationship { v, kind, subject_id, object_id, state, since })?;
        tx.emit(RelationshipRequested { relationship_id, kind, subject_id, object_id });
        Ok(())
    }
}

/// The relationship that the actor is to answer.
fn asked(tx: &mut Tx<'_>, id: RelationshipId) -> Result<Relationship, Stop> {
    let relationship: Option<Relationship> = tx.state.get(Key::Relationship(id))?;
    let relationship = relationship.ok_or(Refusal::RelationshipNotFound)?;
    if relationship.object_id != tx.user()? {
        return Err(Refusal::NotParty.into());
    }
    if relationship.state != RelationshipState::PendingConfirmation {
        return Err(Refusal::RelationshipNotPending.into());
    }
    Ok(relationship)
}

impl Relationship {
    fn moved(self, tx: &Tx<'_>, state: RelationshipState) -> Self {
        Self { state, since: tx.now, ..self }
    }

    /// Counts the relation for the side that it describes, in or out: being asked whether A is the
    /// father of B tells that B has a father. A symmetric relation describes both sides.
    fn count(&self, tx: &mut Tx<'_>, confirmed: bool) -> Result<Vec<TrustScore>, Stop> {
        let sides = [(self.subject_id, self.object_id), (self.object_id, self.subject_id)];
        tx.state.load(sides.iter().flat_map(|(id, _)| [Key::Tally(*id), Key::User(*id)]))?;
        let described = if self.kind.is_symmetric() { &sides[..] } else { &sides[1..] };
        let mut scores = Vec::with_capacity(described.len());
        for (user, with) in described {
            scores.push(trust::count(tx, *user, self.kind, *with, confirmed)?);
        }
        Ok(scores)
    }
}

/// Confirms a relationship that another user has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfirmRelationship {
    pub relationship_id: RelationshipId,
}

/// A relationship is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelationshipConfirmed {
    pub relationship_id: RelationshipId,
    #[serde(rename = "type")]
    pub kind: RelationshipKind,
    pub subject_id: AccountId,
    pub object_id: AccountId,
    /// The new score of each side that the relation describes.
    pub trust: Vec<TrustScore>,
}

impl Effects for RelationshipConfirmed {}

impl Rule for ConfirmRelationship {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::RelationshipNotFound,
        Refusal::NotParty,
        Refusal::RelationshipNotPending,
        Refusal::SpouseExists,
    ];
    const EVENTS: &[&str] = &["RelationshipConfirmed"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let relationship = asked(tx, self.relationship_id)?;
        let Relationship { kind, subject_id, object_id, .. } = relationship;
        if kind == RelationshipKind::SpouseOf {
            tx.state.load([Key::Tally(subject_id), Key::Tally(object_id)])?;
            for side in [subject_id, object_id] {
                let tally: Option<Tally> = tx.state.get(Key::Tally(side))?;
                if tally.is_some_and(|tally| tally.spouse.is_some()) {
                    return Err(Refusal::SpouseExists
                        .because(format!("{side} has a spouse"))
                        .into());
                }
            }
        }
        let trust = relationship.count(tx, true)?;
        let moved = relationship.moved(tx, RelationshipState::Confirmed);
        tx.put(Key::Relationship(self.relationship_id), moved)?;
        let relationship_id = self.relationship_id;
        tx.emit(RelationshipConfirmed { relationship_id, kind, subject_id, object_id, trust });
        Ok(())
    }
}

/// Rejects a relationship that another user has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RejectRelationship {
    pub relationship_id: RelationshipId,
}

/// A relationship was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelationshipRejected {
    pub relationship_id: RelationshipId,
    pub subject_id: AccountId,
    pub object_id: AccountId,
    /// From when on it may be asked for again.
    pub askable_from: TimeMs,
}

impl Effects for RelationshipRejected {}

impl Rule for RejectRelationship {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] =
        &[Refusal::RelationshipNotFound, Refusal::NotParty, Refusal::RelationshipNotPending];
    const EVENTS: &[&str] = &["RelationshipRejected"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let relationship = asked(tx, self.relationship_id)?;
        let Relationship { subject_id, object_id, .. } = relationship;
        let moved = relationship.moved(tx, RelationshipState::Rejected);
        tx.put(Key::Relationship(self.relationship_id), moved)?;
        let relationship_id = self.relationship_id;
        let askable_from = tx.now.plus_days(REJECTED_FOR_DAYS);
        tx.emit(RelationshipRejected { relationship_id, subject_id, object_id, askable_from });
        Ok(())
    }
}

/// Ends a confirmed relationship. Either side may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndRelationship {
    pub relationship_id: RelationshipId,
}

/// A relationship is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RelationshipEnded {
    pub relationship_id: RelationshipId,
    pub subject_id: AccountId,
    pub object_id: AccountId,
    pub ended_by: AccountId,
    /// The new score of each side that the relation described.
    pub trust: Vec<TrustScore>,
}

impl Effects for RelationshipEnded {}

impl Rule for EndRelationship {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] =
        &[Refusal::RelationshipNotFound, Refusal::NotParty, Refusal::RelationshipNotConfirmed];
    const EVENTS: &[&str] = &["RelationshipEnded"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let key = Key::Relationship(self.relationship_id);
        let relationship: Option<Relationship> = tx.state.get(key)?;
        let relationship = relationship.ok_or(Refusal::RelationshipNotFound)?;
        let Relationship { subject_id, object_id, .. } = relationship;
        let ended_by = tx.user()?;
        if ![subject_id, object_id].contains(&ended_by) {
            return Err(Refusal::NotParty.into());
        }
        if relationship.state != RelationshipState::Confirmed {
            return Err(Refusal::RelationshipNotConfirmed.into());
        }
        let trust = relationship.count(tx, false)?;
        tx.put(key, relationship.moved(tx, RelationshipState::Ended))?;
        let relationship_id = self.relationship_id;
        tx.emit(RelationshipEnded { relationship_id, subject_id, object_id, ended_by, trust });
        Ok(())
    }
}
