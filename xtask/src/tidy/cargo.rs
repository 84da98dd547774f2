//! What cargo knows about the workspace's crates, as far as the rules ask.
//!
//! Only our own crates: what they depend on is looked at by `cargo deny`.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root once loaded.
    pub(crate) manifest_path: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Option<Kind>,
}

/// Cargo says nothing about the kind of an ordinary dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

/// A library, binary, test, example, benchmark or build script.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    /// Relative to the root once loaded.
    pub(crate) src_path: String,
}

/// The workspace's crates, sorted by name.
pub(crate) fn packages() -> Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let args = ["metadata", "--no-deps", "--format-version", "1"];
    let text = process::output(&mut process::cargo(&args))?;
    let mut packages = serde_json::from_str::<Metadata>(&text)?.packages;
    let root = process::root();
    for package in &mut packages {
        package.manifest_path = relative(&root, &package.manifest_path)?;
        for target in &mut package.targets {
            target.src_path = relative(&root, &target.src_path)?;
        }
    }
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn relative(root: &Path, path: &str) -> Result<String> {
    let inside = Path::new(path).strip_prefix(root).ok().and_then(Path::to_str);
    Ok(inside.with_context(|| format!("{path} is not inside {}", root.display()))?.to_owned())
}
