//! The settings as `gx config` prints them, and their digest. Secrets stay masked.

use sha2::{Digest, Sha256};

use super::Config;

impl Config {
    /// The settings in effect as TOML, secrets masked.
    pub fn render_masked(&self) -> String {
        // A plain struct of texts, numbers and lists always serialises.
        let json = serde_json::to_value(self).unwrap_or_default();
        let Some(top) = json.as_object() else { return String::new() };
        let mut text = String::new();
        for (key, value) in top.iter().filter(|(_, value)| !value.is_object()) {
            text.push_str(&format!("{key} = {value}\n"));
        }
        for (section, keys) in top {
            let Some(keys) = keys.as_object() else { continue };
            text.push_str(&format!("\n[{section}]\n"));
            for (key, value) in keys {
                text.push_str(&format!("{key} = {value}\n"));
            }
        }
        text
    }

    /// The first 16 hexadecimal digits of SHA-256 over [`Config::render_masked`]: two processes
    /// that should be set alike show the same digest.
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(self.render_masked().as_bytes());
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}
