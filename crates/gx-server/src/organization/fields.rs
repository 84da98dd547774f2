//! What is asked for and answered of organizations in more than one place.

use std::borrow::Cow;

use gx_contract::organization::{AuthRule, OrganizationKind};
use gx_types::{AccountId, AccountType, Amount, PendingTxId};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::http::fields::{
    Count, Field, FieldErrors, FieldPath, GxOrZero, List, Text, listed_fields, one_of, request,
};

/// The organization that a path names.
pub(super) fn org_id(text: &str) -> Result<AccountId> {
    text.parse().map_err(|_| Error::not_found("Organization"))
}

/// The payment that a path names.
pub(super) fn payment_id(text: &str) -> Result<PendingTxId> {
    text.parse().map_err(|_| Error::not_found("Payment"))
}

/// What an organization is, in the words of clients; the ledger knows three kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrganizationType {
    Business,
    Ngo,
    Cooperative,
    Nonprofit,
    Family,
    Government,
}

impl OrganizationType {
    pub(crate) const ALL: [Self; 6] = [
        Self::Business,
        Self::Ngo,
        Self::Cooperative,
        Self::Nonprofit,
        Self::Family,
        Self::Government,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Business => "BUSINESS",
            Self::Ngo => "NGO",
            Self::Cooperative => "COOPERATIVE",
            Self::Nonprofit => "NONPROFIT",
            Self::Family => "FAMILY",
            Self::Government => "GOVERNMENT",
        }
    }

    /// The ledger's kind, and the type of the account unless another one is chosen.
    pub(super) const fn on_ledger(self) -> (OrganizationKind, AccountType) {
        match self {
            Self::Business | Self::Cooperative => {
                (OrganizationKind::Business, AccountType::ForProfit)
            }
            Self::Ngo | Self::Nonprofit => (OrganizationKind::Ngo, AccountType::NotForProfit),
            Self::Family => (OrganizationKind::Business, AccountType::TrustOrEstate),
            Self::Government => (OrganizationKind::Government, AccountType::Governmental),
        }
    }
}

listed_fields! {
    OrganizationType: "invalid_type";
}

impl JsonSchema for OrganizationType {
    fn schema_name() -> Cow<'static, str> {
        "OrganizationType".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

request! {
    /// A stakeholder as established clients name one.
    pub(crate) struct StakeholderBody {
        account as "userId": AccountId,
        /// Taken for the sake of established clients; what counts are the approvals.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        role as "role": Option<Text<0, 100>>,
        /// Taken for the sake of established clients: everybody has one voice.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        weight as "votingWeight": Option<Count<0, 1_000_000>>,
    }
}

/// Somebody who stands for an organization: an id, or an object that has it as `userId`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stakeholder(pub(crate) AccountId);

impl Field for Stakeholder {
    fn read(value: Option<&Value>, at: FieldPath<'_>, errors: &mut FieldErrors) -> Option<Self> {
        match value {
            Some(Value::Object(_)) => {
                StakeholderBody::read(value, at, errors).map(|body| Self(body.account))
            }
            _ => AccountId::read(value, at, errors).map(Self),
        }
    }
}

impl JsonSchema for Stakeholder {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Stakeholder".into()
    }
    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let id = schemas.subschema_for::<AccountId>();
        let object = schemas.subschema_for::<StakeholderBody>();
        schemars::json_schema!({ "oneOf": [id, object] })
    }
}

request! {
    /// Who approves payments from an amount on, up to the next rule's.
    pub(crate) struct RuleBody {
        from_amount as "fromAmount": GxOrZero,
        /// 1 to the size of the group.
        required as "requiredApprovers": Count<1, 20>,
        /// Stakeholders, each once.
        group as "approverGroup": List<AccountId, 1, 20>,
    }
}

/// Rules for all amounts, rising from zero; none means that every stakeholder approves every
/// payment.
pub(crate) type Rules = List<RuleBody, 0, 10>;

/// As the ledger keeps them.
pub(super) fn ladder(rules: Rules) -> Vec<AuthRule> {
    let rule = |rule: RuleBody| AuthRule {
        from_amount: rule.from_amount.0,
        required_approvers: u8::try_from(rule.required.0).unwrap_or(u8::MAX),
        approver_group: rule.group.0,
    };
    rules.0.into_iter().map(rule).collect()
}

/// Who approves payments from an amount on, up to the next rule's.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RuleReply {
    from_amount: String,
    required_approvers: u8,
    #[schemars(with = "Vec<String>")]
    approver_group: Vec<AccountId>,
}

/// As the ledger keeps them, for people.
pub(super) fn rules(ladder: Vec<AuthRule>) -> Vec<RuleReply> {
    let rule = |rule: AuthRule| RuleReply {
        from_amount: Amount::to_gx(rule.from_amount),
        required_approvers: rule.required_approvers,
        approver_group: rule.approver_group,
    };
    ladder.into_iter().map(rule).collect()
}
