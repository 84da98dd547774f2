//! Two of a kind: snapshots, environments, ledgers.

mod environments;
mod ledgers;
mod snapshots;
#[cfg(test)]
mod tests;

pub use environments::{Parity, Unlike, environments, render as render_environments};
pub use ledgers::{Authority, Criterion, ledgers, render as render_ledgers};
pub use snapshots::{Changed, Difference, render as render_snapshots, snapshots};
