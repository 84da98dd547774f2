//! People and their logins: local tables that the ledger never sees.

pub mod sessions;
pub mod users;
