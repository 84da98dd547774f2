//! People as the platform knows them, and users as the ledger does. How they log in stands in
//! `login`.

pub mod beneficiaries;
pub mod details;
pub mod documents;
pub mod keys;
pub mod kyc;
pub mod profiles;
pub mod qsend;
pub mod recovery;
pub mod registrations;
pub mod relationships;
pub mod users;
