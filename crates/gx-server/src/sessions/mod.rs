//! Opening, renewing and ending sessions: the actions behind the log-in routes of every kind of
//! subject.

pub(crate) mod login;
pub(crate) mod own;
pub(crate) mod passkeys;
pub(crate) mod password_reset;
pub(crate) mod refresh;
pub(crate) mod second_factor;
