//! Who looks after endpoints: administrators after those of the platform, a partner after its own.
//!
//! One implementation serves both; an endpoint of somebody else is one that is not there.

use gx_store::Source;
use gx_store::webhooks::{self, Webhook};

use crate::auth::{Grant, May, Partner};
use crate::error::{Error, Result};

/// Somebody who looks after endpoints.
pub(crate) trait Keeper: Send + Sync {
    /// How many endpoints there may be.
    const MAX: u64;

    /// The partner whose endpoints they are; the platform's own without.
    fn owner(&self) -> Option<&str>;

    /// As an endpoint names who has made it.
    fn id(&self) -> &str;

    /// As the audit log names who it is.
    fn actor(&self) -> &str;
}

impl<G: Grant> Keeper for May<G> {
    const MAX: u64 = 50;

    fn owner(&self) -> Option<&str> {
        None
    }

    fn id(&self) -> &str {
        (**self).id()
    }

    fn actor(&self) -> &str {
        self.scope()
    }
}

impl Keeper for Partner {
    const MAX: u64 = 10;

    fn owner(&self) -> Option<&str> {
        Some(&self.partner_id)
    }

    fn id(&self) -> &str {
        &self.key_id
    }

    fn actor(&self) -> &str {
        &self.actor
    }
}

/// An endpoint of theirs.
pub(super) async fn own(
    by: &impl Keeper,
    source: impl Into<Source<'_>>,
    id: &str,
) -> Result<Webhook> {
    let row = webhooks::get(source, id).await?;
    let row = row.filter(|row| row.partner_id.as_deref() == by.owner());
    row.ok_or_else(|| Error::not_found("Webhook"))
}
