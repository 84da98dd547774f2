//! What the read models say of accounts, their histories, countries and the supply.

pub mod accounts;
pub mod countries;
pub mod escrows;
pub mod flows;
pub mod history;
pub mod limits;
pub mod supply;
pub mod treasuries;
