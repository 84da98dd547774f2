//! Fields of loans, and a loan as it is answered.

use std::borrow::Cow;

use gx_contract::loan_pool::{CollateralHash, LoanState};
use gx_store::loan_pool::loans::{Loan, Repayment};
use gx_types::{AccountId, Actor, CommandId, LoanId, TimeMs};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::calendar::rfc3339;
use crate::error::{self, Error};
use crate::http::answer::CURRENCY;
use crate::http::fields::{Written, contract_fields, listed_fields, number_field, one_of};

contract_fields! {
    CollateralHash: "invalid_hash", "must be a SHA-256 as 64 lower-case hexadecimal digits";
}

/// What a loan is for; everybody on the ledger can read it.
pub(super) type Purpose = Written<0, 200>;

/// How long a loan is wanted for, in months, as established clients say it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Months(u32);

number_field!(
    [] Months,
    "Months",
    |number| {
        let months = number.and_then(|number| u32::try_from(number).ok());
        let fits = months.filter(|months| (1..=120).contains(months));
        fits.map(Self).ok_or_else(|| "must be a whole number of months from 1 to 120".into())
    },
    { "type": "integer", "minimum": 1, "maximum": 120 }
);

impl Months {
    /// Twelve of them are a year of 365 days.
    pub(super) fn days(self) -> u32 {
        self.0.saturating_mul(365).div_euclid(12)
    }

    /// The least number of them that holds the days.
    fn holding(days: u32) -> u32 {
        days.saturating_mul(12).div_ceil(365)
    }
}

/// The hash that stands on the ledger for a description, which itself stays away from it.
pub(super) fn hash_of(description: &str) -> CollateralHash {
    CollateralHash::from_bytes(Sha256::digest(description.as_bytes()).into())
}

/// Where a loan stands, in the words of wallets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoanStatus {
    PendingApproval,
    /// Paid out and owed.
    Approved,
    Repaid,
    Rejected,
    Cancelled,
    /// Not decided on in time.
    Lapsed,
    Defaulted,
}

impl LoanStatus {
    pub(super) const ALL: [Self; 7] = [
        Self::PendingApproval,
        Self::Approved,
        Self::Repaid,
        Self::Rejected,
        Self::Cancelled,
        Self::Lapsed,
        Self::Defaulted,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::PendingApproval => "PENDING_APPROVAL",
            Self::Approved => "APPROVED",
            Self::Repaid => "REPAID",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
            Self::Lapsed => "LAPSED",
            Self::Defaulted => "DEFAULTED",
        }
    }

    pub(super) const fn state(self) -> LoanState {
        match self {
            Self::PendingApproval => LoanState::PendingApproval,
            Self::Approved => LoanState::Active,
            Self::Repaid => LoanState::Repaid,
            Self::Rejected => LoanState::Rejected,
            Self::Cancelled => LoanState::Cancelled,
            Self::Lapsed => LoanState::Lapsed,
            Self::Defaulted => LoanState::Defaulted,
        }
    }

    /// The row says that an application has lapsed only once its borrower applies again.
    pub(super) fn of(loan: &Loan, now: TimeMs) -> Self {
        match loan.state {
            LoanState::PendingApproval if loan.lapses_at <= now => Self::Lapsed,
            LoanState::PendingApproval => Self::PendingApproval,
            LoanState::Active => Self::Approved,
            LoanState::Repaid => Self::Repaid,
            LoanState::Rejected => Self::Rejected,
            LoanState::Cancelled => Self::Cancelled,
            LoanState::Lapsed => Self::Lapsed,
            LoanState::Defaulted => Self::Defaulted,
        }
    }
}

listed_fields! {
    LoanStatus: "invalid_status";
}

impl JsonSchema for LoanStatus {
    fn schema_name() -> Cow<'static, str> {
        "LoanStatus".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

/// Every status, as answers show it.
fn statuses(schemas: &mut SchemaGenerator) -> Schema {
    schemas.subschema_for::<LoanStatus>()
}

/// A loan.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LoanReply {
    #[schemars(with = "String")]
    id: LoanId,
    /// The same as `id`.
    #[schemars(with = "String")]
    loan_id: LoanId,
    /// The borrower.
    #[schemars(with = "String")]
    user_id: AccountId,
    /// The same as `userId`.
    #[schemars(with = "String")]
    borrower_id: AccountId,
    amount: String,
    currency: &'static str,
    purpose: String,
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// What was paid out; absent before.
    approved_amount: Option<String>,
    /// What is still owed; zero before it is paid out.
    remaining_balance: String,
    duration_days: u32,
    /// The same in months, rounded up.
    repayment_period: u32,
    /// SHA-256 of what secures it.
    #[schemars(with = "String")]
    collateral_hash: CollateralHash,
    applied_at: String,
    /// From then on an application can't be approved any more, unless the system is paused
    /// meanwhile.
    lapses_at: String,
    disbursed_at: Option<String>,
    due_date: Option<String>,
    /// Who has approved or rejected it.
    #[schemars(with = "Option<String>")]
    decided_by: Option<Actor>,
    reject_reason: Option<String>,
    closed_at: Option<String>,
    /// What was paid back, oldest first, at most the first hundred parts. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    repayments: Option<Vec<RepaymentReply>>,
}

/// A part of a loan that was paid back.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RepaymentReply {
    #[schemars(with = "String")]
    command_id: CommandId,
    amount: String,
    /// What was still owed then.
    remaining_balance: String,
    /// The borrower, or whoever paid for them.
    #[schemars(with = "String")]
    paid_by: AccountId,
    timestamp: String,
    block_number: u64,
}

impl From<Repayment> for RepaymentReply {
    fn from(row: Repayment) -> Self {
        Self {
            command_id: row.command_id,
            amount: row.amount.to_gx(),
            remaining_balance: row.outstanding.to_gx(),
            paid_by: row.paid_by,
            timestamp: rfc3339(row.at.0),
            block_number: row.block,
        }
    }
}

impl LoanReply {
    pub(super) fn of(row: Loan, now: TimeMs) -> Self {
        let time = |at: TimeMs| rfc3339(at.0);
        let status = LoanStatus::of(&row, now).as_str();
        let (disbursed_at, due_at) = row.term.unzip();
        Self {
            id: row.loan_id,
            loan_id: row.loan_id,
            user_id: row.borrower_id,
            borrower_id: row.borrower_id,
            amount: row.amount.to_gx(),
            currency: CURRENCY,
            purpose: row.purpose,
            status,
            approved_amount: row.term.map(|_| row.amount.to_gx()),
            remaining_balance: row.outstanding.to_gx(),
            duration_days: row.duration_days,
            repayment_period: Months::holding(row.duration_days),
            collateral_hash: row.collateral_hash,
            applied_at: time(row.applied_at),
            lapses_at: time(row.lapses_at),
            disbursed_at: disbursed_at.map(time),
            due_date: due_at.map(time),
            decided_by: row.decided_by,
            reject_reason: row.reject_reason,
            closed_at: row.closed_at.map(time),
            repayments: None,
        }
    }

    pub(super) fn with(self, repayments: Vec<Repayment>) -> Self {
        let repayments = repayments.into_iter().map(RepaymentReply::from).collect();
        Self { repayments: Some(repayments), ..self }
    }
}

/// The id in a path.
pub(super) fn loan_id(text: &str) -> error::Result<LoanId> {
    text.parse().map_err(|_| Error::not_found("Loan"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_days_go_over_into_each_other() {
        for (months, days) in [(1, 30), (2, 60), (3, 91), (6, 182), (12, 365), (24, 730)] {
            assert_eq!((Months(months).days(), Months::holding(days)), (days, months));
        }
        assert_eq!(Months::holding(1), 1);
    }
}
