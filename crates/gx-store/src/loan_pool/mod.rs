//! Loans out of the loan pool.

pub mod loans;
