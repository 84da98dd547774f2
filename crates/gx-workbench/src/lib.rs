//! What developers measure and show with: the demo, the benchmarks, and load for both.
//!
//! It drives the platform from outside, and starts PostgreSQL clusters that may be killed or
//! deleted at any time; a production build has nothing of it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod bench;
pub mod child;
pub mod client;
pub mod demo;
mod load;

#[cfg(test)]
mod tests {
    #[test]
    fn the_clusters_address_is_no_setting_of_the_platform() {
        assert!(gx_cli::settings::NOT_SETTINGS.contains(&gx_pg::SHARED_URL));
    }
}
