//! What a production build of the binary must not have in it: tools that make load, and clusters
//! that may be deleted.
//!
//! It is asked of cargo's own resolution of the dependencies, so that nothing is compiled and a
//! way through another crate is seen as well.

use super::{Finding, Rule};

const SHIPPED: Rule = Rule {
    name: "shipped",
    remedy: "keep it behind the feature workbench of crates/gx, and out of what gx-cli depends on",
};

/// Crates of developers.
const NEVER: [&str; 4] = ["gx-fabric-network", "gx-pg", "gx-workbench", "xtask"];

/// The arguments with which cargo prints a production build's crates, one `name version` a line.
pub(super) const ARGS: [&str; 10] = [
    "tree",
    "--package",
    "gx",
    "--no-default-features",
    "--edges",
    "normal,build",
    "--prefix",
    "none",
    "--format",
    "{p}",
];

pub(super) fn check(crates: &str) -> Vec<Finding> {
    let names = || crates.lines().filter_map(|line| line.split_whitespace().next());
    let problem = |text: String| SHIPPED.finding("crates/gx/Cargo.toml", 1, text);
    if names().next() != Some("gx") {
        return vec![problem("cargo tree does not say what a production build has".to_owned())];
    }
    let found = NEVER.iter().filter(|name| names().any(|shipped| shipped == **name));
    found.map(|name| problem(format!("a production build has {name} in it"))).collect()
}

#[cfg(test)]
mod tests {
    use super::check;

    fn problems(crates: &str) -> Vec<String> {
        check(crates).into_iter().map(|finding| finding.evidence).collect()
    }

    #[test]
    fn what_is_shipped_has_no_tools_of_developers() {
        let good = "gx v0.1.0 (/a/crates/gx)\ngx-cli v0.1.0 (/a/crates/gx-cli)\ngx-pgx v1.0.0\n";
        assert_eq!(problems(good), Vec::<String>::new());
        let bad = format!("{good}gx-pg v0.1.0 (/a/crates/gx-pg)\ngx-pg v0.1.0 (*)\n");
        assert_eq!(problems(&bad), ["a production build has gx-pg in it"]);
    }

    #[test]
    fn an_answer_that_says_nothing_is_a_finding() {
        assert_eq!(problems(""), ["cargo tree does not say what a production build has"]);
    }
}
