//! Reads what people have made of the tree, and says what would go wrong, before it is applied.
//!
//! An overlay is rendered by `kubectl kustomize`, which asks no cluster; YAML that is rendered
//! already is taken as it is. Each finding names the file, the object and the field.

mod objects;
mod pods;
mod reading;
mod rules;
mod spread;

use std::collections::BTreeSet;

use gx_types::Finding;

pub use objects::{Object, Objects};
pub use reading::{Error, overlay, rendered};

/// What the check is told beside the objects.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Nodes that pods of mainnet may run on.
    pub nodes: u16,
    /// Names of all settings that `gx` has, as variables of its environment.
    pub settings: BTreeSet<String>,
}

/// Everything that is wrong; nothing when all is well.
pub fn check(objects: &Objects, circumstances: &Circumstances) -> Vec<Finding> {
    let mut findings = rules::check(objects, &circumstances.settings);
    findings.extend(pods::check(objects));
    findings.extend(spread::check(objects, circumstances.nodes));
    findings.sort();
    findings.dedup();
    findings
}

/// The variables of all settings of a file of defaults in TOML, in which each key stands on a line
/// of its own: `port` of `[http]` is `GX_HTTP__PORT`.
pub fn settings(defaults: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut section = String::new();
    for line in defaults.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = format!("{}__", name.replace('.', "__"));
        } else if let Some((key, _)) = line.split_once('=') {
            let key = key.trim();
            if key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
                names.insert(format!("GX_{section}{key}").to_ascii_uppercase());
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_known_by_the_names_of_their_variables() {
        let defaults =
            "# a = 1\nnetwork = \"devnet\"\n[http]\nport = 3000\n[http.ports]\ntax = 7\n";
        let expected = ["GX_HTTP__PORT", "GX_HTTP__PORTS__TAX", "GX_NETWORK"];
        assert_eq!(Vec::from_iter(settings(defaults)), expected);
    }
}
