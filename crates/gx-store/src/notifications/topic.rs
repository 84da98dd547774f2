//! What notifications are about, and how people are told unless they have said otherwise.

use crate::Error;

/// How somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Channels {
    pub in_app: bool,
    pub by_mail: bool,
}

/// Declares topics: name, whether by mail unless said otherwise, whether it can be turned off.
macro_rules! topics {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $name:literal, $by_mail:literal, $free:literal;
    )+) => {
        /// What a notification is about. The names are those that clients know.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Topic {
            $($(#[doc = $doc])* $variant,)+
        }

        impl Topic {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Whether people may choose not to be told in the application.
            pub const fn is_free(self) -> bool {
                match self { $(Self::$variant => $free,)+ }
            }

            /// How people are told unless they have said otherwise.
            pub const fn default_channels(self) -> Channels {
                let by_mail = match self { $(Self::$variant => $by_mail,)+ };
                Channels { in_app: true, by_mail }
            }
        }
    };
}

topics! {
    /// Coins have come.
    WalletCredited = "WALLET_CREDITED", false, true;
    /// Coins have gone.
    WalletDebited = "WALLET_DEBITED", false, true;
    /// A payment of an organization waits for the reader.
    ApprovalRequest = "TRANSACTION_APPROVAL_REQUEST", true, true;
    /// A payment of an organization was approved and made.
    PaymentCompleted = "TRANSACTION_COMPLETED", false, true;
    /// A payment of an organization came to nothing.
    PaymentRejected = "TRANSACTION_REJECTED", false, true;
    RelationshipInvitation = "RELATIONSHIP_INVITATION", true, true;
    RelationshipConfirmed = "RELATIONSHIP_CONFIRMED", false, true;
    RelationshipRejected = "RELATIONSHIP_REJECTED", false, true;
    RelationshipEnded = "RELATIONSHIP_ENDED", false, true;
    /// Somebody names the reader as a stakeholder of an organization.
    SignatoryInvitation = "BUSINESS_SIGNATORY_INVITATION", true, true;
    /// Something has changed about an organization of the reader's.
    Organization = "ORGANIZATION_UPDATE", false, true;
    Loan = "LOAN_UPDATE", true, true;
    Escrow = "ESCROW_UPDATE", false, true;
    Tax = "TAX_TAKEN", true, true;
    /// Somebody relies on the reader to get their account back.
    Guardian = "GUARDIAN_REQUEST", true, true;
    /// The account was opened, frozen, freed or locked.
    AccountStatus = "ACCOUNT_STATUS", true, false;
    /// Keys and recoveries of the account.
    Security = "SECURITY_ALERT", true, false;
    /// Votes about the rules of the currency.
    Governance = "GOVERNANCE_UPDATE", false, true;
    /// What one administrator asks another to decide on.
    AdminApproval = "ADMIN_APPROVAL_REQUESTED", false, true;
    /// An endpoint of a webhook was disabled.
    Webhook = "WEBHOOK_DISABLED", true, false;
}

impl Topic {
    pub(super) fn from_text(text: &str) -> Result<Self, Error> {
        let found = Self::ALL.iter().copied().find(|topic| topic.as_str() == text);
        found.ok_or_else(|| Error::corrupt("topic", text))
    }

    /// The channels that count when somebody has said this.
    pub const fn channels(self, said: Option<Channels>) -> Channels {
        match said {
            Some(said) => Channels { in_app: said.in_app || !self.is_free(), ..said },
            None => self.default_channels(),
        }
    }
}
