//! The operator's tool: what is known about clusters, hosts and stores (`facts`), how it comes to
//! be known (`collect`), where a pod can go (`placement`), what is wrong (`rules`), what would be
//! if (`questions`), how that is told (`report`, `watch`), what keeps a process from what it needs
//! (`doctor`), what would be changed (`plans`), and how it is (`acts`).
//!
//! Rules, placement, questions, plans and reports are pure: the same snapshot gives the same
//! answer, byte for byte. Only `collect` knows the forms of others, only it, `doctor` and `acts`
//! ask anything, and only `acts` changes anything. The platform's services do not depend on this
//! crate.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod acts;
pub mod collect;
pub mod doctor;
pub mod facts;
pub mod placement;
pub mod plans;
pub mod questions;
pub mod report;
pub mod rules;
pub mod watch;
