//! Rules and laws of the contract.
