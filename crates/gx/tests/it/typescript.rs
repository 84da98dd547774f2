//! A client in TypeScript, whose types a public generator makes from the API's description: it
//! compiles under the strictest rules, lets two people in, and pays.
//!
//! The packages come from npm, in the versions of `tests/typescript/package-lock.json`. Without
//! Node, or where npm's registry cannot be reached, the test says that it was skipped.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::place::{Place, Run};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/typescript");
const DESCRIPTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/openapi.json");
const FILES: [&str; 4] = ["package.json", "package-lock.json", "tsconfig.json", "pay.ts"];

/// What npm ends with when not the packages are at fault but the way to them.
const UNREACHABLE: [&str; 9] = [
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "EHOSTUNREACH",
    "ENETUNREACH",
    "ENOTCACHED",
    "ENOTFOUND",
    "ERR_SOCKET_TIMEOUT",
    "ETIMEDOUT",
];

/// Runs a program to its end; `None` where there is no such program.
fn run(folder: &Path, program: &str, args: &[&str], environment: &[(&str, &str)]) -> Option<Run> {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).envs(environment.iter().copied());
    command.output().ok().map(Run::from)
}

/// The same for what has to succeed.
fn succeed(folder: &Path, program: &str, args: &[&str], environment: &[(&str, &str)]) -> Run {
    let run = run(folder, program, args, environment).unwrap();
    assert_eq!(run.status, Some(0), "{program} {args:?}: {run:?}");
    run
}

/// Puts the client's packages into the folder, or says why they are not to be had.
fn install(folder: &Path) -> Result<(), String> {
    for program in ["node", "npm"] {
        let found = run(folder, program, &["--version"], &[]);
        if found.is_none_or(|version| version.status != Some(0)) {
            return Err(format!("there is no {program}"));
        }
    }
    for file in FILES {
        std::fs::copy(Path::new(FOLDER).join(file), folder.join(file)).unwrap();
    }
    std::fs::copy(DESCRIPTION, folder.join("openapi.json")).unwrap();
    // No package runs a program of its own when it is installed.
    let args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"];
    let patience = [("npm_config_fetch_retries", "1"), ("npm_config_fetch_timeout", "30000")];
    let installed = run(folder, "npm", &args, &patience).unwrap();
    if installed.status != Some(0) && UNREACHABLE.iter().any(|code| installed.err.contains(code)) {
        return Err("npm's registry cannot be reached".to_owned());
    }
    assert_eq!(installed.status, Some(0), "{installed:?}");
    Ok(())
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test is seen")]
fn a_generated_client_compiles_and_pays() {
    let place = Place::new();
    let folder = place.path().join("client");
    std::fs::create_dir(&folder).unwrap();
    if let Err(reason) = install(&folder) {
        eprintln!("SKIPPED: the TypeScript client; {reason}");
        return;
    }
    succeed(&folder, "npm", &["run", "--silent", "generate"], &[]);
    succeed(&folder, "npm", &["run", "--silent", "compile"], &[]);
    let child = place.start();
    let (_, password) = child.first.clone().unwrap();
    let environment = [("GX_URL", child.url.as_str()), ("GX_ONE_TIME_PASSWORD", &*password)];
    let paid = succeed(&folder, "node", &["out/pay.js"], &environment);
    let paid: Value = serde_json::from_str(&paid.out).unwrap();
    assert!(paid["commandId"].is_string(), "{paid}");
    assert!(child.stop().unwrap().success());
    // The foundation, two accounts, one payment; what was refused at once is no command.
    assert_eq!(place.verified()["commands"], 2 + 2 + 1);
}
