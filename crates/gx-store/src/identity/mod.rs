//! People and their logins, which the ledger never sees; and users as the ledger knows them.

pub mod profiles;
pub mod recovery;
pub mod refresh_tokens;
pub mod relationships;
pub mod sessions;
pub mod standing;
pub mod users;
