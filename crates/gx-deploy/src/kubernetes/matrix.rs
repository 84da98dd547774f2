//! The matrix of who reaches whom, for people and for programs that compare a cluster with it.

use serde::{Deserialize, Serialize};

use super::{Error, Tree};
use crate::model::{End, PAIRS_OF_ALL, Pair, operator_pairs, pairs, promotion_pairs};

/// A row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Connection {
    pub from: String,
    pub to: String,
    /// TCP.
    pub port: u16,
    pub why: String,
}

impl Connection {
    fn of(pair: &Pair) -> Self {
        let Pair { from, to, port, why } = *pair;
        Self { from: from.name(), to: to.name(), port, why: why.to_owned() }
    }

    /// All rows; that everybody may ask the name server is one of them.
    pub fn all() -> Vec<Self> {
        let names = Self {
            from: "every pod".to_owned(),
            to: End::Dns.name(),
            port: PAIRS_OF_ALL,
            why: "names, by UDP as well".to_owned(),
        };
        let pairs = pairs().into_iter().chain(operator_pairs()).chain(promotion_pairs());
        std::iter::once(names).chain(pairs.map(|pair| Self::of(&pair))).collect()
    }
}

pub(super) fn write(tree: &mut Tree) -> Result<(), Error> {
    let rows = Connection::all();
    let mut page = String::from(
        "# Who reaches whom\n\n\
         Made by `cargo xtask gen` from `crates/gx-deploy`, as the network policies are.\n\
         Everything that does not stand here is denied, on every network and between them.\n\
         Rows of the database operator hold where CloudNativePG runs the database, those for\n\
         promotion where an overlay takes the component `promotion/NETWORK`.\n\
         `reachability.json` is the same for programs.\n\n\
         | From | To | Port | For |\n|---|---|---|---|\n",
    );
    for Connection { from, to, port, why } in &rows {
        page.push_str(&format!("| {from} | {to} | {port} | {why} |\n"));
    }
    tree.text("reachability.md", page);
    tree.text("reachability.json", format!("{}\n", serde_json::to_string_pretty(&rows)?));
    Ok(())
}
