//! What was brought from one environment to the next, as the platform's own records tell.

use super::{Keyed, Time};

facts! {
    pub struct DeploymentRecord {
        pub id: String,
        pub service: String,
        pub from: String,
        pub to: String,
        pub image: String,
        pub previous_image: String,
        pub state: String,
        pub requested_by: String,
        pub approved_by: String,
        pub at: Time,
    }
}

impl Keyed for DeploymentRecord {
    fn key(&self) -> String {
        self.id.clone()
    }
}
