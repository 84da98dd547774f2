//! Organizations, who stands for them, and their rules.

use gx_contract::identity::AccountStatus;
use gx_contract::organization::{
    AuthRule, AuthRuleDefined, AuthRuleProposed, MembershipEndorsed, OrganizationActivated,
    OrganizationProposed, OrganizationStatus, OrganizationStatusSet, StakeholderChangeProposed,
    StakeholderChangeWithdrawn, StakeholdersChanged,
};
use gx_contract::state::AccountKind;

use crate::Error;
use crate::projection::identity::standing;
use crate::projection::state::{At, NewAccount, Projection, open};
use crate::sql::{json_of, name_of, sql};

pub(super) fn proposed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &OrganizationProposed,
) -> Result<(), Error> {
    let no_rules: &[AuthRule] = &[];
    let statement = sql("INSERT INTO organizations (org_id, name, kind, country, account_type,
            status, proposed_by, proposed_at_ms, ladder, created_tx)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(&event.org_id)
    .bind(event.name.as_str())
    .bind(name_of(&event.kind))
    .bind(event.country.as_str())
    .bind(event.account_type.as_str())
    .bind(name_of(&OrganizationStatus::PendingEndorsement))
    .bind(event.proposed_by.to_string())
    .bind(at.time())
    .bind(json_of(&no_rules))
    .bind(at.tx_no);
    projection.write(at, statement);
    projection.organizations = projection.organizations.saturating_add(1);
    for (place, stakeholder_id) in (0_i64..).zip(&event.stakeholders) {
        let statement = sql("INSERT INTO organization_stakeholders (org_id, stakeholder_id, place,
                created_tx)
            VALUES ($1, $2, $3, $4)")
        .bind(&event.org_id)
        .bind(stakeholder_id)
        .bind(place)
        .bind(at.tx_no);
        projection.write(at, statement);
    }
    Ok(())
}

pub(super) fn endorsed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &MembershipEndorsed,
) -> Result<(), Error> {
    let statement = sql("UPDATE organization_stakeholders SET endorsed_tx = $1
        WHERE org_id = $2 AND stakeholder_id = $3 AND endorsed_tx IS NULL")
    .bind(at.tx_no)
    .bind(&event.org_id)
    .bind(&event.stakeholder_id);
    projection.update(at, statement);
    Ok(())
}

/// The organization's account is opened now.
pub(super) fn activated(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &OrganizationActivated,
) -> Result<(), Error> {
    let account = NewAccount::of(AccountKind::Organization, event.org_id, event.account_type);
    open(projection, at, NewAccount { country: Some(event.country), ..account })?;
    let statement = sql("UPDATE organizations SET status = $1, activated_by = $2,
            activated_at_ms = $3
        WHERE org_id = $4 AND activated_at_ms IS NULL")
    .bind(name_of(&OrganizationStatus::Active))
    .bind(&event.activated_by)
    .bind(at.time())
    .bind(&event.org_id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn status(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &OrganizationStatusSet,
) -> Result<(), Error> {
    let statement = sql("UPDATE organizations SET status = $1 WHERE org_id = $2")
        .bind(name_of(&event.status))
        .bind(&event.org_id);
    projection.update(at, statement);
    let of_account = match event.status {
        OrganizationStatus::Locked => AccountStatus::Locked,
        OrganizationStatus::PendingEndorsement | OrganizationStatus::Active => {
            AccountStatus::Active
        }
    };
    standing(projection, at, &event.org_id, of_account)
}

pub(super) fn ladder_proposed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &AuthRuleProposed,
) -> Result<(), Error> {
    let statement = sql("UPDATE organizations SET proposed_ladder = $1, ladder_approved_by = $2
        WHERE org_id = $3")
    .bind(json_of(&event.ladder))
    .bind(json_of(&event.approved_by))
    .bind(&event.org_id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn ladder_defined(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &AuthRuleDefined,
) -> Result<(), Error> {
    let statement = sql("UPDATE organizations SET ladder = $1, ladder_since_ms = $2,
            proposed_ladder = NULL, ladder_approved_by = NULL
        WHERE org_id = $3")
    .bind(json_of(&event.ladder))
    .bind(at.time())
    .bind(&event.org_id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn change_proposed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &StakeholderChangeProposed,
) -> Result<(), Error> {
    let statement = sql("UPDATE organizations SET stakeholder_change = $1,
            change_expires_at_ms = $2
        WHERE org_id = $3")
    .bind(json_of(&event.change))
    .bind(event.expires_at)
    .bind(&event.org_id);
    projection.update(at, statement);
    Ok(())
}

pub(super) fn change_withdrawn(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &StakeholderChangeWithdrawn,
) -> Result<(), Error> {
    let statement = sql("UPDATE organizations SET stakeholder_change = NULL,
            change_expires_at_ms = NULL
        WHERE org_id = $1")
    .bind(&event.org_id);
    projection.update(at, statement);
    Ok(())
}

/// Who leaves decides on no payment any more that can still be made. Who comes has endorsed by
/// approving, unless it was ordered.
pub(super) fn changed(
    projection: &mut Projection<'_>,
    at: At<'_, '_>,
    event: &StakeholdersChanged,
) -> Result<(), Error> {
    let statement = sql("UPDATE organizations SET stakeholder_change = NULL,
            change_expires_at_ms = NULL, proposed_ladder = NULL, ladder_approved_by = NULL,
            ladder_since_ms = CASE WHEN ladder = $1 THEN ladder_since_ms ELSE $2 END, ladder = $1
        WHERE org_id = $3")
    .bind(json_of(&event.ladder))
    .bind(at.time())
    .bind(&event.org_id);
    projection.update(at, statement);
    for stakeholder_id in &event.removed {
        let statement = sql("DELETE FROM organization_stakeholders
            WHERE org_id = $1 AND stakeholder_id = $2")
        .bind(&event.org_id)
        .bind(stakeholder_id);
        projection.update(at, statement);
        let statement = sql("DELETE FROM pending_transaction_approvers
            WHERE approver_id = $1 AND pending_tx_id IN (SELECT p.pending_tx_id
                FROM pending_transactions p
                WHERE p.org_id = $2 AND p.settled_tx IS NULL AND p.expires_at_ms > $3)")
        .bind(stakeholder_id)
        .bind(&event.org_id)
        .bind(at.time());
        projection.write(at, statement);
    }
    let endorsed = event.order_hash.is_none().then_some(at.tx_no);
    for (place, stakeholder_id) in (0_i64..).zip(&event.stakeholders) {
        let statement = sql("INSERT INTO organization_stakeholders (org_id, stakeholder_id, place,
                endorsed_tx, created_tx)
            SELECT org_id, $1, $2, $3, created_tx FROM organizations WHERE org_id = $4
            ON CONFLICT (org_id, stakeholder_id) DO UPDATE SET place = excluded.place")
        .bind(stakeholder_id)
        .bind(place)
        .bind(endorsed)
        .bind(&event.org_id);
        projection.update(at, statement);
    }
    Ok(())
}
