//! The Kustomize tree: base, components and networks, from typed structs of Kubernetes.
//!
//! Each workload stands in one file with all that belongs to it: account, pods, service, budget,
//! network policy. A field that Kubernetes does not know does not compile.

mod authorities;
mod budgets;
mod chaincode;
mod cluster;
mod components;
mod fabric;
mod gx;
mod ingress;
mod jobs;
mod matrix;
mod networks;
mod parts;
mod policies;
mod postgres;
mod promotion;
mod redis;
mod settings;
mod texts;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::NetworkId;
use crate::{File, KUBERNETES, yaml};

pub use ingress::{Route, routes};
pub use matrix::Connection;
pub use parts::{HOST, IMAGES};
pub use settings::{BASE_SETTINGS, SECRETS, network_settings};

/// Why the tree cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a struct of Kubernetes cannot be written")]
    Struct(#[from] serde_json::Error),
    #[error("the API description names no services: {0}")]
    Description(&'static str),
    #[error("the chaincode package cannot be made")]
    Package(#[from] std::io::Error),
}

/// All files, for the API that a description (OpenAPI, JSON) tells of.
///
/// # Errors
/// When the description is none, or lacks what routes are found by.
pub fn tree(openapi: &str) -> Result<Vec<File>, Error> {
    let mut tree = Tree::default();
    cluster::write(&mut tree)?;
    gx::write(&mut tree)?;
    redis::write(&mut tree)?;
    ingress::write(&mut tree, openapi)?;
    fabric::write(&mut tree)?;
    components::write(&mut tree)?;
    promotion::write(&mut tree)?;
    for network in NetworkId::ALL {
        networks::write(&mut tree, network)?;
    }
    matrix::write(&mut tree)?;
    Ok(tree.done())
}

/// Files by path, and for each folder what its kustomization lists.
#[derive(Debug, Default)]
struct Tree {
    files: BTreeMap<String, String>,
}

const MADE: &str =
    "# Made by cargo xtask gen from crates/gx-deploy. Change it there, or in an overlay.\n";

impl Tree {
    /// Objects in one file of YAML.
    fn objects(&mut self, path: &str, objects: &[Value]) {
        let text = format!("{MADE}{}", yaml::documents(objects));
        self.files.insert(path.to_owned(), text);
    }

    fn text(&mut self, path: &str, text: String) {
        self.files.insert(path.to_owned(), text);
    }

    /// The kustomization of a folder, with what a reader should know of it.
    fn kustomization(&mut self, folder: &str, about: &str, fields: Value) {
        self.index(folder, "kustomize.config.k8s.io/v1beta1", "Kustomization", about, fields);
    }

    /// A part that overlays take in if they want it.
    fn component(&mut self, folder: &str, about: &str, fields: Value) {
        self.index(folder, "kustomize.config.k8s.io/v1alpha1", "Component", about, fields);
    }

    fn index(&mut self, folder: &str, version: &str, kind: &str, about: &str, fields: Value) {
        let mut index = json!({ "apiVersion": version, "kind": kind });
        merge(&mut index, fields);
        let about: String = about.lines().map(|line| format!("# {line}\n")).collect();
        let text = format!("{MADE}{about}{}", yaml::text(&index));
        self.files.insert(format!("{folder}/kustomization.yaml"), text);
    }

    fn done(self) -> Vec<File> {
        let file = |(path, text)| File { path: format!("{KUBERNETES}/{path}"), text };
        self.files.into_iter().map(file).collect()
    }
}

/// Adds the fields of one object to another.
fn merge(into: &mut Value, fields: Value) {
    if let (Value::Object(into), Value::Object(fields)) = (into, fields) {
        into.extend(fields);
    }
}

fn value<T: Serialize>(object: &T) -> Result<Value, Error> {
    Ok(serde_json::to_value(object)?)
}
