//! What is wrong with settings.

/// Notes that a key has a value that does not fit.
pub(super) fn check(faults: &mut Vec<String>, fits: bool, key: &str, what: &str) {
    if !fits {
        faults.push(format!("{key} {what}"));
    }
}
