//! People and their logins: local tables that the ledger never sees.

pub mod sessions;
pub mod standing;
pub mod users;
