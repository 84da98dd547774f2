//! What the running program was built from. The binary knows; this crate only says it on.

/// A build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Build {
    /// The commit, in 40 hexadecimal digits; `None` when it was built outside a repository.
    pub git_hash: Option<&'static str>,
    /// When it was built, in milliseconds of the Unix epoch.
    pub built_at_ms: Option<i64>,
}
