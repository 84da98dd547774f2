//! How an application ends without an admin: cancelled by the borrower, or lapsed.
//!
//! What has lapsed is found when its borrower next applies: nobody has to look for it, and no more
//! is looked at than may be open at a time.

use gx_types::{AccountId, LoanId, Role};
use serde::{Deserialize, Serialize};

use super::application::pending;
use super::{Borrower, Loan, LoanState, borrower, loan};
use crate::gates::{ActorRule, Gate};
use crate::state::Key;
use crate::tx::{Rule, Stop, Tx};
use crate::{Effects, Refusal};

/// Takes back the actor's application for a loan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CancelLoanApplication {
    pub loan_id: LoanId,
}

/// An application was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanApplicationCancelled {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
}

impl Effects for LoanApplicationCancelled {}

/// An application that was not decided on in time has made room for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoanLapsed {
    pub loan_id: LoanId,
    pub borrower_id: AccountId,
}

impl Effects for LoanLapsed {}

impl Rule for CancelLoanApplication {
    const GATE: Gate = Gate::new(Role::PartnerApi, ActorRule::User);
    const REFUSALS: &[Refusal] = &[
        Refusal::LoanNotFound,
        Refusal::NotParty,
        Refusal::LoanNotPending,
        Refusal::LoanApplicationLapsed,
    ];
    const EVENTS: &[&str] = &["LoanApplicationCancelled"];

    fn apply(&self, tx: &mut Tx<'_>) -> Result<(), Stop> {
        let (loan_id, borrower_id) = (self.loan_id, tx.user()?);
        if loan(tx.state, loan_id)?.borrower_id != borrower_id {
            return Err(Refusal::NotParty.into());
        }
        let cancelled = pending(tx, loan_id)?;
        close_application(tx, loan_id, cancelled, LoanState::Cancelled)?;
        tx.emit(LoanApplicationCancelled { loan_id, borrower_id });
        Ok(())
    }
}

/// Takes an application that leads to nothing off the borrower's books.
pub(super) fn close_application(
    tx: &mut Tx<'_>,
    id: LoanId,
    application: Loan,
    state: LoanState,
) -> Result<(), Stop> {
    let mut books = borrower(tx.state, application.borrower_id)?;
    books.owes_less(application.amount)?;
    books.close(id);
    tx.put(Key::Borrower(application.borrower_id), books)?;
    tx.put(Key::Loan(id), Loan { state, ..application })
}

/// The borrower's books without the applications that have lapsed.
pub(super) fn free_places(tx: &mut Tx<'_>, borrower_id: AccountId) -> Result<Borrower, Stop> {
    let open = borrower(tx.state, borrower_id)?.open;
    tx.state.load(open.iter().map(|id| Key::Loan(*id)))?;
    for loan_id in open {
        let waiting = loan(tx.state, loan_id)?;
        if waiting.has_lapsed(tx.clocks) {
            close_application(tx, loan_id, waiting, LoanState::Lapsed)?;
            tx.emit(LoanLapsed { loan_id, borrower_id });
        }
    }
    borrower(tx.state, borrower_id)
}
