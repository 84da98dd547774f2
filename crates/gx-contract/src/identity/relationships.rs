//! Relationships between users: asked for by one side, confirmed or rejected by the other.
//!
//! There is no list of a user's relationships on the ledger, which would grow without bound: a
//! relationship is found by its id, which follows from its type and sides.

use gx_types::{AccountId, RelationshipId, Role, TimeMs};
use serde::{Deserialize, Serialize};

use crate::gates::{ActorRule, Gate};
use crate::identity::RelationshipKind;
use crate::identity::trust::{self, Tally, TrustScore};
use crate::state::{Key, RunningMs, Version};
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal, Refused};

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
    /// From when on it may be asked for again; present while it is rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub askable_from: Option<RunningMs>,
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
        Refusal::FamilyAlready,
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
                    if before.askable_from.is_some_and(|from| tx.clocks.running() < from) =>
                {
                    return Err(Refusal::RelationshipRejected.into());
                }
                RelationshipState::Rejected | RelationshipState::Ended => {}
            }
        }
        check_family(tx, kind, subject_id, object_id)?;
        let (v, state, since) = (Version, RelationshipState::PendingConfirmation, tx.now);
        let askable_from = None;
        let asked = Relationship { v, kind, subject_id, object_id, state, since, askable_from };
        tx.put(key, asked)?;
        tx.emit(RelationshipRequested { relationship_id, kind, subject_id, object_id });
        Ok(())
    }
}

/// Two people are family in one way: who was each other's father, child and spouse would be trusted
/// by nobody else's word.
fn check_family(
    tx: &mut Tx<'_>,
    kind: RelationshipKind,
    subject: AccountId,
    object: AccountId,
) -> Result<(), Stop> {
    if !kind.is_family() {
        return Ok(());
    }
    let ids = RelationshipKind::family_between(subject, object);
    tx.state.load(ids.iter().map(|id| Key::Relationship(*id)))?;
    for id in ids {
        let other: Option<Relationship> = tx.state.get(Key::Relationship(id))?;
        if other.is_some_and(|other| other.state == RelationshipState::Confirmed) {
            return Err(Refusal::FamilyAlready.into());
        }
    }
    Ok(())
}

/// Whether the family of both sides has room for the relation.
fn check_room(tx: &mut Tx<'_>, relationship: &Relationship) -> Result<(), Stop> {
    let Relationship { kind, subject_id, object_id, .. } = *relationship;
    let child = match kind {
        RelationshipKind::FatherOf | RelationshipKind::MotherOf => object_id,
        RelationshipKind::ChildOf => subject_id,
        RelationshipKind::SpouseOf
        | RelationshipKind::SiblingOf
        | RelationshipKind::FriendOf
        | RelationshipKind::BusinessPartnerOf
        | RelationshipKind::DirectorOf
        | RelationshipKind::WorkplaceAssociateOf => return Ok(()),
    };
    let tally: Tally = tx.state.get(Key::Tally(child))?.unwrap_or_default();
    if !tally.takes_parent(kind) {
        return Err(Refusal::ParentExists.because(format!("{child} has such a parent")).into());
    }
    Ok(())
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
        Self { state, since: tx.now, askable_from: None, ..self }
    }

    /// Asks in one go for what the relation changes on both sides.
    fn load_sides(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let sides = [self.subject_id, self.object_id];
        tx.state.load(sides.iter().flat_map(|id| [Key::Tally(*id), Key::User(*id)]))
    }

    /// Counts the relation for the side that it describes, in or out: being asked whether A is the
    /// father of B tells that B has a father. A symmetric relation describes both sides.
    fn count(&self, tx: &mut Tx<'_>, confirmed: bool) -> Result<Vec<TrustScore>, Stop> {
        let sides = [(self.subject_id, self.object_id), (self.object_id, self.subject_id)];
        self.load_sides(tx)?;
        let described = if self.kind.is_symmetric() { &sides[..] } else { &sides[1..] };
        let mut scores = Vec::with_capacity(described.len());
        for (user, with) in described {
            scores.push(trust::count(tx, *user, self.kind, *with, confirmed)?);
        }
        if self.kind == RelationshipKind::ChildOf {
            trust::count_child_of(tx, self.subject_id, confirmed)?;
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
        Refusal::FamilyAlready,
        Refusal::SpouseExists,
        Refusal::ParentExists,
    ];
    const EVENTS: &[&str] = &["RelationshipConfirmed"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let relationship = asked(tx, self.relationship_id)?;
        let Relationship { kind, subject_id, object_id, .. } = relationship;
        check_family(tx, kind, subject_id, object_id)?;
        relationship.load_sides(tx)?;
        if kind == RelationshipKind::SpouseOf {
            for side in [subject_id, object_id] {
                let tally: Option<Tally> = tx.state.get(Key::Tally(side))?;
                if tally.is_some_and(|tally| tally.spouse.is_some()) {
                    return Err(Refusal::SpouseExists
                        .because(format!("{side} has a spouse"))
                        .into());
                }
            }
        }
        check_room(tx, &relationship)?;
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
        let askable_from = tx.clocks.running().plus_days(REJECTED_FOR_DAYS);
        let moved = Relationship {
            askable_from: Some(askable_from),
            ..relationship.moved(tx, RelationshipState::Rejected)
        };
        tx.put(Key::Relationship(self.relationship_id), moved)?;
        let relationship_id = self.relationship_id;
        let askable_from = tx.clocks.time_of_day(askable_from);
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
