//! Ids of what a command makes on the ledger: a prefix and the command's own id.
//!
//! They derive from the command id, so that whoever sends a command knows them before the ledger
//! has run. One kind is one line in the list at the end.

use std::str::FromStr;

use compact_str::CompactString;

use crate::{CommandId, ParseError, text_serde};

macro_rules! made_ids {
    ($($(#[doc = $doc:literal])+ $id:ident = $prefix:literal;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $id(CommandId);

            impl $id {
                /// What every id of this kind starts with.
                pub const PREFIX: &str = $prefix;

                /// The id of what the command makes. A command makes at most one of a kind.
                pub const fn made_by(command: CommandId) -> Self {
                    Self(command)
                }

                /// The command that made it.
                pub const fn command(&self) -> CommandId {
                    self.0
                }

                /// The id as big-endian words in the order of the ids, for sorting and hashing.
                #[inline]
                pub fn words(&self) -> [u64; 2] {
                    self.0.words()
                }

                pub fn as_str(&self) -> CompactString {
                    let mut text = CompactString::const_new($prefix);
                    text.push_str(&self.0.as_str());
                    text
                }
            }

            impl FromStr for $id {
                type Err = ParseError;

                fn from_str(text: &str) -> Result<Self, ParseError> {
                    let what = concat!("an id of the form ", $prefix, "…");
                    text.strip_prefix($prefix)
                        .and_then(|command| command.parse().ok())
                        .map(Self)
                        .ok_or_else(|| ParseError::new(what, text))
                }
            }

            text_serde!(
                $id,
                stringify!($id),
                concat!($prefix, " and the 26 base-32 characters of the command that made it"),
                concat!("^", $prefix, "[0-7][0-9A-HJKMNP-TV-Z]{25}$")
            );
        )+
    };
}

made_ids! {
    /// Id of an action that waits for a second admin.
    ActionId = "ACT_";
    /// Id of coins that wait between two accounts.
    EscrowId = "ESC_";
    /// Id of a loan.
    LoanId = "LOAN_";
    /// Id of a payment that waits for approvals.
    PendingTxId = "PTX_";
    /// Id of a proposal to change a parameter.
    ProposalId = "PROP_";
    /// Id of the recovery of a key.
    RecoveryId = "REC_";
    /// Id of a relationship: of its kind and sides, not of a command.
    RelationshipId = "REL_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_prefix_and_the_command() {
        let command = CommandId::from_u128(7);
        let id = ActionId::made_by(command);
        assert_eq!(id.to_string(), "ACT_00000000000000000000000007");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.words(), command.words());
        for text in ["", "ACT_", "00000000000000000000000007", "PROP_00000000000000000000000007"] {
            assert!(text.parse::<ActionId>().is_err(), "{text}");
        }
    }
}
