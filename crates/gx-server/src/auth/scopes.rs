//! What partners can be allowed to do for a user, and who acts when one of them does.
//!
//! A route that partners may call names its scope in its row; everything else is closed to them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::http::fields::{listed_fields, one_of};

/// Declares scopes with their codes.
macro_rules! scopes {
    ($($(#[$meta:meta])* $variant:ident = $code:literal,)+) => {
        /// Something that a partner can be allowed to do for a user. Its code is stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Scope {
            $($(#[$meta])* $variant,)+
        }

        impl Scope {
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}

scopes! {
    /// What the account holds.
    BalanceRead = "balance:read",
    /// What moved on the account.
    HistoryRead = "history:read",
    /// Statements of account.
    StatementRead = "statement:read",
    /// Payments within what the user has agreed to, and what became of them.
    TransferCreate = "transfer:create",
    /// Messages about what concerns the user, to endpoints of the partner's.
    EventsRead = "events:read",
}

listed_fields! {
    Scope: "invalid_scope";
}

impl JsonSchema for Scope {
    fn schema_name() -> Cow<'static, str> {
        "PartnerScope".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        one_of(Self::ALL.map(Self::as_str))
    }
}

/// The partner by whose key a request came.
#[derive(Debug)]
pub struct ByPartner {
    pub(crate) partner_id: String,
    pub(crate) key_id: String,
    /// `partner:<id>`, as the audit log names it.
    pub(crate) actor: String,
    /// `user:<id>`: for whom it acts.
    pub(crate) user: String,
    /// The key's own limit.
    pub(crate) requests_per_minute: Option<u32>,
}
