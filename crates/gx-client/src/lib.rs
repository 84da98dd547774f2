//! The client: what people and scripts do on a platform, over its public HTTP API.
//!
//! It knows routes and fields and nothing that stands behind them: no SQL, no ledger, no settings
//! of a server. Whoever has this binary and an address can use it. One file for each group of
//! commands; what they share stands in `api` (a session that is refreshed), `giving` (a command
//! that is given once and settled), `http`, `profile`, `out` and `ask`.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod account;
pub mod admin;
mod advice;
mod api;
mod ask;
mod failure;
mod giving;
mod http;
mod keys;
mod loans;
mod money;
mod options;
mod organizations;
mod out;
mod profile;
mod requests;
mod sign;
mod votes;

use clap::Subcommand;

pub use account::{Login, Logout, Register, Whoami};
pub use keys::Keys;
pub use loans::Loan;
pub use money::{Balance, History, Send, Status};
pub use options::With;
pub use organizations::Org;
pub use requests::{Pay, Request};
pub use votes::Vote;

/// Tells scripts, as JSON on standard error, what the parser of the command line says of it;
/// returns the exit status of wrong usage.
pub fn misused(said: &str) -> u8 {
    let failure = failure::Failure::Arguments(on_one_line(said));
    out::Out { json: true }.failure(&failure);
    failure.status()
}

/// What is wrong, without how the command is used.
fn on_one_line(said: &str) -> String {
    let parts = ["\n\nUsage:", "\n\nFor more information"];
    let end = parts.iter().filter_map(|part| said.find(part)).min();
    let said = end.and_then(|end| said.get(..end)).unwrap_or(said);
    let words: Vec<_> = said.split_whitespace().collect();
    let said = words.join(" ");
    said.strip_prefix("error: ").unwrap_or(&said).to_owned()
}

/// What users do.
#[derive(Debug, Subcommand)]
pub enum Client {
    /// Registers a person, who then waits for approval.
    Register(With<Register>),
    /// Opens a session on a server and keeps it in a profile.
    Login(With<Login>),
    /// Ends the session of a profile.
    Logout(With<Logout>),
    /// Tells whose session it is, and what has become of the registration.
    Whoami(With<Whoami>),
    /// Tells what the account holds.
    Balance(With<Balance>),
    /// Lists what came and went, newest first.
    History(With<History>),
    /// Pays somebody; says the fee first and waits until the payment is settled.
    Send(With<Send>),
    /// Asks whoever scans a code to pay.
    Request(With<Request>),
    /// Pays what somebody has asked for.
    Pay(With<Pay>),
    /// Tells how far a command has come.
    Command(With<Status>),
    /// Does what several people decide on together: organizations and their payments.
    #[command(subcommand)]
    Org(Org),
    /// Applies for loans and repays them.
    #[command(subcommand)]
    Loan(Loan),
    /// Votes on proposals.
    #[command(subcommand)]
    Vote(Vote),
}

impl Client {
    /// Does it and returns the process's exit status: 0 done, 1 refused, 2 wrong usage, 3 not
    /// reachable, 4 not logged in. What went wrong has been told.
    pub fn run(&self) -> u8 {
        match self {
            Self::Register(job) => job.run(),
            Self::Login(job) => job.run(),
            Self::Logout(job) => job.run(),
            Self::Whoami(job) => job.run(),
            Self::Balance(job) => job.run(),
            Self::History(job) => job.run(),
            Self::Send(job) => job.run(),
            Self::Request(job) => job.run(),
            Self::Pay(job) => job.run(),
            Self::Command(job) => job.run(),
            Self::Org(org) => org.run(),
            Self::Loan(loan) => loan.run(),
            Self::Vote(vote) => vote.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::on_one_line;

    #[test]
    fn what_is_wrong_is_told_without_the_usage() {
        let said = "error: the following required arguments were not provided:\n  <AMOUNT>\n\n\
                    Usage: gx send <TO> <AMOUNT>\n\nFor more information, try '--help'.\n";
        let told = "the following required arguments were not provided: <AMOUNT>";
        assert_eq!(on_one_line(said), told);
        let said =
            "error: invalid value 'x'\n\n  tip: say y\n\nFor more information, try '--help'.";
        assert_eq!(on_one_line(said), "invalid value 'x' tip: say y");
        assert_eq!(on_one_line("anything"), "anything");
    }
}
