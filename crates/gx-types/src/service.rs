//! The table of services: name, port and what each is for. Which service owns a route follows from
//! the file that the route stands in.
//!
//! Ports, API description, log lines, command-line values and what is deployed are made from it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares the services, one row each.
macro_rules! services {
    ($($variant:ident = $name:literal, $port:literal, $about:literal;)+) => {
        /// A service: a set of routes with a port of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Service {
            $($variant,)+
        }

        impl Service {
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// What it is called in settings, logs, the API description and the outbox.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The port that it is served on unless the settings name another.
            pub const fn default_port(self) -> u16 {
                match self { $(Self::$variant => $port,)+ }
            }

            /// What it is for, in a sentence.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)+ }
            }
        }
    };
}

services! {
    Identity = "identity", 3001, "Registration, log-in and profiles of people.";
    Admin = "admin", 3002, "What administrators decide: users, the system as a whole.";
    Tokenomics = "tokenomics", 3003, "Payments, wallets, supply, and the ledger's blocks.";
    Organization = "organization", 3004, "Organizations, and the payments that they agree on.";
    Loanpool = "loanpool", 3005, "Loans without interest: asked for, decided on, repaid.";
    Governance = "governance", 3006, "Parameters of the currency, and votes to change them.";
    Tax = "tax", 3007, "What payments cost, and the tax on balances that stay large.";
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
