//! What people can be to each other.

use gx_types::{AccountId, CommandId, RelationshipId};
use serde::{Deserialize, Serialize};

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

    /// Whether it makes the two family.
    pub const fn is_family(self) -> bool {
        match self {
            Self::FatherOf | Self::MotherOf | Self::SpouseOf | Self::SiblingOf | Self::ChildOf => {
                true
            }
            Self::FriendOf
            | Self::BusinessPartnerOf
            | Self::DirectorOf
            | Self::WorkplaceAssociateOf => false,
        }
    }

    /// The ids of all relationships by which two users can be family.
    pub(super) fn family_between(a: AccountId, b: AccountId) -> Vec<RelationshipId> {
        let family = Self::ALL.into_iter().filter(|kind| kind.is_family());
        let both = family.map(|kind| [kind.id_between(a, b), kind.id_between(b, a)]);
        let mut ids: Vec<RelationshipId> = both.flatten().collect();
        ids.dedup();
        ids
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
