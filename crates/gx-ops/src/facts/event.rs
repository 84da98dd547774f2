//! What Kubernetes says has happened.

use super::{ObjectRef, Time};

objects! {
    pub struct Event = "Event" {
        /// `Normal` or `Warning`.
        pub kind: String,
        pub reason: String,
        /// Empty for reasons whose messages quote what programs have printed.
        pub message: String,
        pub about: Option<ObjectRef>,
        pub count: u32,
        pub first: Option<Time>,
        pub last: Option<Time>,
        pub component: String,
    }
}
