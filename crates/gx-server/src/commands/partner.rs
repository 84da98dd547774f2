//! Commands that a partner gives for a user: within what the user has agreed to, and with a row of
//! the audit log that names both.
//!
//! The ledger is not told of partners: it sees the user act, by the role of the partner api, and
//! asks for the user's signature where the account has a key.

use axum::http::StatusCode;
use gx_contract::Command;
use gx_engine::{Accepted as Taken, Submission};
use gx_store::partner::payments::{self, Agreed, PartnerPayment};
use gx_types::TimeMs;
use serde_json::json as value;

use super::{Commands, Giver, args};
use crate::audit::{Audit, Entry};
use crate::auth::ByPartner;
use crate::calendar::Date;
use crate::error::{Error, Result};
use crate::http::answer::View;

impl<By: Giver> Commands<By> {
    /// Accepts a payment of a partner's. Payments under one consent take turns.
    pub(super) async fn submit_for_partner(
        &self,
        submission: Submission,
        by: &ByPartner,
    ) -> Result<Taken> {
        // Routes that partners may call give payments and nothing else.
        let Command::Transfer(transfer) = &submission.command else {
            return Err(Error::forbidden());
        };
        let at = View::open(self.app.store()).await?.now();
        let payment = PartnerPayment {
            command_id: submission.command_id(),
            partner_id: by.partner_id.clone(),
            user_id: by.user.trim_start_matches("user:").to_owned(),
            amount: transfer.amount,
            at,
        };
        let (action, args) = (submission.command.name(), args(&submission.command)?);
        let mut change = Audit::new(self.app.store().clone(), &self.context).begin().await?;
        payments::hold(change.tx(), &payment).await?;
        let day = TimeMs(Date::of_ms(at.0).start_ms());
        within(payments::note(change.tx(), &payment, day).await?)?;
        let taken = self.app.outbox().submit_in(change.tx(), vec![submission]).await?;
        let taken = taken.first().copied().ok_or_else(|| Error::internal("nothing accepted"))?;
        if !taken.replayed {
            let details = value!({
                "commandId": taken.command_id, "args": args, "partnerId": by.partner_id,
                "keyId": by.key_id,
            });
            let entry = Entry { actor: &by.actor, action, target: &by.user };
            change.commit_with(entry, &details).await?;
            self.app.outbox().committed();
        }
        Ok(taken)
    }
}

/// Refuses what is more than the user has agreed to.
fn within(agreed: Agreed) -> Result<()> {
    let (code, message) = match agreed {
        Agreed::Within => return Ok(()),
        Agreed::Nothing => ("no_consent", "The user has not agreed to payments".to_owned()),
        Agreed::OverPayment { most } => {
            let message = format!("The user has agreed to {} a payment", most.to_gx());
            ("consent_payment_limit", message)
        }
        Agreed::OverDay { most, spent } => {
            let (most, spent) = (most.to_gx(), spent.to_gx());
            let message = format!("The user has agreed to {most} a day, of which {spent} are used");
            ("consent_day_limit", message)
        }
    };
    Err(Error::new(StatusCode::FORBIDDEN, code, message))
}
