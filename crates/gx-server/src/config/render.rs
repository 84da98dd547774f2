//! The settings as `gx config` prints them, and their digest. Secrets stay masked.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Config;

impl Config {
    /// The settings in effect as TOML, secrets masked.
    pub fn render_masked(&self) -> String {
        // A plain struct of texts, numbers and lists always serialises.
        let json = serde_json::to_value(self).unwrap_or_default();
        let mut text = String::new();
        if let Some(top) = json.as_object() {
            section("", top, &mut text);
        }
        text
    }

    /// The first 16 hexadecimal digits of SHA-256 over [`Config::render_masked`]: two processes
    /// that should be set alike show the same digest.
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(self.render_masked().as_bytes());
        hex::encode(hash.first_chunk::<8>().copied().unwrap_or_default())
    }
}

/// Keys first: in TOML what follows the head of a section belongs to that section.
fn section(name: &str, keys: &Map<String, Value>, text: &mut String) {
    for (key, value) in keys.iter().filter(|(_, value)| !value.is_object()) {
        text.push_str(&format!("{key} = {value}\n"));
    }
    for (key, value) in keys {
        let Some(keys) = value.as_object() else { continue };
        let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        text.push_str(&format!("\n[{name}]\n"));
        section(&name, keys, text);
    }
}
