//! Relationships between users, in whatever state: by id, of a user, and how many are confirmed.

use gx_contract::identity::{RelationshipKind, RelationshipState};
use gx_types::{AccountId, RelationshipId, TimeMs};

use crate::sql::{Row, name_of, sql};
use crate::{Error, Source};

/// A relationship. The subject has asked for it; the object answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relationship {
    pub relationship_id: RelationshipId,
    pub kind: RelationshipKind,
    pub subject_id: AccountId,
    pub object_id: AccountId,
    pub state: RelationshipState,
    /// Since when it is in this state.
    pub since: TimeMs,
    /// From when on a rejected one may be asked for again.
    pub askable_from: Option<TimeMs>,
    pub ended_by: Option<AccountId>,
    /// The cursor of a page: larger for what was asked for later.
    pub cursor: i64,
}

/// Which relationships of a user to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// With this other user.
    pub other: Option<AccountId>,
    pub kind: Option<RelationshipKind>,
    pub state: Option<RelationshipState>,
}

/// How many confirmed relations describe a user: what the trust score counts, but for conduct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Relations {
    pub parents: u32,
    pub spouse: Option<AccountId>,
    pub siblings: u32,
    pub children: u32,
    pub friends: u32,
    pub business_partners: u32,
    pub directors: u32,
    pub workplace_associates: u32,
}

const COLUMNS: &str = "relationship_id, kind, subject_id, object_id, state, since_ms, \
    askable_from_ms, ended_by, created_tx";

fn relationship(row: &Row) -> Result<Relationship, Error> {
    Ok(Relationship {
        relationship_id: row.parse(0, "relationship id")?,
        kind: row.named(1, "kind of relationship")?,
        subject_id: row.parse(2, "account id")?,
        object_id: row.parse(3, "account id")?,
        state: row.named(4, "state of a relationship")?,
        since: row.time(5)?,
        askable_from: row.opt_time(6)?,
        ended_by: row.opt_parse(7, "account id")?,
        cursor: row.int(8)?,
    })
}

/// The relationship with this id.
///
/// # Errors
/// Those of the database.
pub async fn get(
    source: impl Into<Source<'_>>,
    id: RelationshipId,
) -> Result<Option<Relationship>, Error> {
    let mut reader = source.into().open().await?;
    let row = sql(format!("SELECT {COLUMNS} FROM relationships WHERE relationship_id = $1"))
        .bind(id.to_string())
        .optional(&mut reader.conn())
        .await?;
    row.as_ref().map(relationship).transpose()
}

/// Relationships of a user, whichever side they are, newest request first, those before the cursor.
///
/// # Errors
/// Those of the database.
pub async fn page(
    source: impl Into<Source<'_>>,
    user_id: &AccountId,
    filter: &Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Relationship>, Error> {
    let mut reader = source.into().open().await?;
    // Each side by its own index; nobody is related to themselves.
    let side = |mine: &str, other: &str| {
        format!(
            "SELECT * FROM (SELECT {COLUMNS} FROM relationships
            WHERE {mine} = $1 AND created_tx < $2 AND ($3 = '' OR {other} = $3)
                AND ($4 = '' OR kind = $4) AND ($5 = '' OR state = $5)
            ORDER BY created_tx DESC LIMIT $6) {mine}_side"
        )
    };
    let (subject, object) = (side("subject_id", "object_id"), side("object_id", "subject_id"));
    let rows = sql(format!("{subject} UNION ALL {object} ORDER BY created_tx DESC LIMIT $6"))
        .bind(user_id)
        .bind(before.unwrap_or(i64::MAX))
        .bind(filter.other.as_ref().map_or("", AccountId::as_str))
        .bind(filter.kind.map(|kind| name_of(&kind)).unwrap_or_default())
        .bind(filter.state.map(|state| name_of(&state)).unwrap_or_default())
        .bind(i64::from(limit))
        .all(&mut reader.conn())
        .await?;
    rows.iter().map(relationship).collect()
}

/// How many confirmed relations describe a user. A directed one describes its object: that A is
/// the father of B tells that B has a father.
///
/// # Errors
/// Those of the database.
pub async fn relations(
    source: impl Into<Source<'_>>,
    user_id: &AccountId,
) -> Result<Relations, Error> {
    let mut reader = source.into().open().await?;
    let rows = sql("SELECT kind, 0, COUNT(*), MAX(subject_id) FROM relationships
        WHERE object_id = $1 AND state = $2 GROUP BY kind
        UNION ALL
        SELECT kind, 1, COUNT(*), MAX(object_id) FROM relationships
        WHERE subject_id = $1 AND state = $2 GROUP BY kind")
    .bind(user_id)
    .bind(name_of(&RelationshipState::Confirmed))
    .all(&mut reader.conn())
    .await?;
    let mut relations = Relations::default();
    for row in &rows {
        let kind: RelationshipKind = row.named(0, "kind of relationship")?;
        if row.flag(1)? && !kind.is_symmetric() {
            continue;
        }
        let found: u32 = row.small(2)?;
        let count = match kind {
            RelationshipKind::SpouseOf => {
                relations.spouse = Some(row.parse(3, "account id")?);
                continue;
            }
            RelationshipKind::FatherOf | RelationshipKind::MotherOf => &mut relations.parents,
            RelationshipKind::SiblingOf => &mut relations.siblings,
            RelationshipKind::ChildOf => &mut relations.children,
            RelationshipKind::FriendOf => &mut relations.friends,
            RelationshipKind::BusinessPartnerOf => &mut relations.business_partners,
            RelationshipKind::DirectorOf => &mut relations.directors,
            RelationshipKind::WorkplaceAssociateOf => &mut relations.workplace_associates,
        };
        *count = count.saturating_add(found);
    }
    Ok(relations)
}
