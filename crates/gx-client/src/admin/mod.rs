//! `gx admin` with a server: what administrators do over the API.
//!
//! What helps administrators back in works on the platform's own database and is the binary's.

mod actions;
mod deployments;
mod loans;
mod login;
mod system;
mod users;

use clap::Subcommand;

use crate::options::With;

/// What administrators do.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Opens an administrator's session and keeps it in a profile.
    Login(With<login::Login>),
    /// Ends the administrator's session of a profile.
    Logout(With<login::Logout>),
    /// Tells whose session it is, and what they may do.
    Whoami(With<login::Whoami>),
    /// Sets another password, and ends all other sessions.
    Password(With<login::Password>),
    /// Lists users by status or name, newest first.
    Users(With<users::Users>),
    /// Approves a user, and opens the account on the ledger.
    Approve(With<users::Approve>),
    /// Denies an application.
    Deny(With<users::Deny>),
    /// Opens accounts on the ledger for approved users who have none.
    OpenAccounts(With<users::OpenAccounts>),
    /// Freezes an account; tokens of its user stop working.
    Freeze(With<users::Freeze>),
    /// Ends a reason for a freeze; payments pass again when none is left.
    Unfreeze(With<users::Unfreeze>),
    /// Grants genesis to users who did not get it with their account.
    Genesis(With<users::Genesis>),
    /// Decides on loans.
    #[command(subcommand)]
    Loan(loans::Loan),
    /// Lists the governable parameters, and changes them.
    #[command(subcommand)]
    Parameters(system::Parameters),
    /// Asks the users to change a parameter.
    Propose(With<system::Propose>),
    /// Draws the result of a proposal after the end of the vote.
    Draw(With<system::Draw>),
    /// Decides on what another administrator has proposed.
    #[command(subcommand)]
    Actions(actions::Actions),
    /// Stops everything but resuming and reading.
    Pause(With<system::Pause>),
    /// Ends a pause.
    Resume(With<system::Resume>),
    /// Tells whether the system is bootstrapped or paused, and what there is.
    Status(With<system::Status>),
    /// Looks after commands that have no outcome.
    #[command(subcommand)]
    Outbox(system::Outbox),
    /// Takes images from one network to the next, and back.
    #[command(subcommand)]
    Deployments(deployments::Deployments),
    /// Lists who has done what, newest first.
    Audit(With<system::Audit>),
}

impl Admin {
    /// Does it and returns the process's exit status.
    pub fn run(&self) -> u8 {
        match self {
            Self::Login(job) => job.run(),
            Self::Logout(job) => job.run(),
            Self::Whoami(job) => job.run(),
            Self::Password(job) => job.run(),
            Self::Users(job) => job.run(),
            Self::Approve(job) => job.run(),
            Self::Deny(job) => job.run(),
            Self::OpenAccounts(job) => job.run(),
            Self::Freeze(job) => job.run(),
            Self::Unfreeze(job) => job.run(),
            Self::Genesis(job) => job.run(),
            Self::Loan(loan) => loan.run(),
            Self::Parameters(parameters) => parameters.run(),
            Self::Propose(job) => job.run(),
            Self::Draw(job) => job.run(),
            Self::Actions(actions) => actions.run(),
            Self::Pause(job) => job.run(),
            Self::Resume(job) => job.run(),
            Self::Status(job) => job.run(),
            Self::Outbox(outbox) => outbox.run(),
            Self::Deployments(deployments) => deployments.run(),
            Self::Audit(job) => job.run(),
        }
    }
}
