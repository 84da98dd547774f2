//! The client: a whole life on a platform by its commands alone, and everything that goes wrong.

mod life;
mod lost;
mod sessions;
mod wrong;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use gx_workbench::child::Child;
use serde_json::Value;

use crate::place::{Place, Run};

const PASSWORD: &str = "Sunny-day-7";

/// A platform and the people on it, each with a profile.
#[derive(Debug)]
struct Town {
    place: Place,
    platform: Child,
}

/// Somebody with a profile.
#[derive(Debug, Clone, Copy)]
struct Person<'t> {
    town: &'t Town,
    name: &'static str,
    server: Option<&'t str>,
}

impl Town {
    /// A new platform, whose administrator has the profile `root`.
    fn new() -> Self {
        let place = Place::new();
        let platform = place.start();
        let town = Self { place, platform };
        let (username, once) = town.platform.first.clone().unwrap();
        let (root, new) = (town.person("root"), format!("{once}-replaced"));
        let login = ["admin", "login", &username, "--password-file", "-"];
        let run = root.says(&login, &format!("{once}\n"));
        assert_eq!(run.status, Some(0), "{run:?}");
        assert!(run.err.contains("gx admin password"), "{run:?}");
        root.run(&["admin", "users"]).refused("password_change_required");
        let both = format!("{once}\n{new}\n");
        let run = root.says(&["admin", "password", "--password-file", "-"], &both);
        assert_eq!(run.status, Some(0), "{run:?}");
        assert!(!format!("{run:?}").contains(&once), "{run:?}");
        town
    }

    fn home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    fn person(&self, name: &'static str) -> Person<'_> {
        Person { town: self, name, server: None }
    }

    /// Somebody who is registered, and nothing else; answers the id on the platform as well.
    fn registered(&self, name: &'static str, country: &str) -> (Person<'_>, String) {
        let (person, email) = (self.person(name), format!("{name}@example.org"));
        let register = [
            "register",
            "--email",
            &email,
            "--first-name",
            name,
            "--last-name",
            "Example",
            "--country",
            country,
            "--born",
            "1990-05-17",
            "--password-file",
            "-",
            "--json",
        ];
        let run = person.says(&register, &format!("{PASSWORD}\n"));
        assert_eq!(run.status, Some(0), "{run:?}");
        let id = json(&run)["id"].as_str().unwrap().to_owned();
        (person, id)
    }

    /// Somebody with an account and a session; answers the account as well.
    fn resident(&self, name: &'static str, country: &str) -> (Person<'_>, String) {
        let (person, id) = self.registered(name, country);
        let opened = self.person("root").done(&["admin", "approve", &id, "--json"]);
        assert_eq!(opened["opened"][0]["status"], "committed", "{opened}");
        let account = opened["opened"][0]["userId"].as_str().unwrap().to_owned();
        person.login();
        (person, account)
    }
}

impl Person<'_> {
    fn email(&self) -> String {
        format!("{}@example.org", self.name)
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let server = self.server.unwrap_or(&self.town.platform.url);
        let mut command = self.town.place.command(args);
        command.env("GX_HOME", self.town.home()).env("GX_PROFILE", self.name);
        command.env("GX_SERVER", server);
        command
    }

    /// Runs a command with nobody to ask.
    fn run(&self, args: &[&str]) -> Run {
        self.says(args, "")
    }

    /// Runs a command that reads this from its standard input.
    fn says(&self, args: &[&str], input: &str) -> Run {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        // A command that does not read has ended, perhaps.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        process.wait_with_output().unwrap().into()
    }

    /// Runs a command that does what it should, and reads its JSON.
    fn done(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        if !args.contains(&"--json") {
            args.push("--json");
        }
        let run = self.run(&args);
        assert_eq!((run.status, run.err.as_str()), (Some(0), ""), "{args:?}: {run:?}");
        json(&run)
    }

    /// Runs a command that gives one to the ledger; answers the field that is asked for.
    fn settled(&self, args: &[&str], field: &str) -> String {
        let reply = self.done(args);
        assert_eq!(reply["status"], "committed", "{args:?}: {reply}");
        reply[field].as_str().unwrap_or_else(|| panic!("no {field} in {reply}")).to_owned()
    }

    fn login(&self) {
        let login = ["login", &self.email(), "--password-file", "-"];
        let run = self.says(&login, &format!("{PASSWORD}\n"));
        assert_eq!(run.status, Some(0), "{run:?}");
        assert!(!format!("{run:?}").contains(PASSWORD), "{run:?}");
    }

    fn balance(&self) -> String {
        self.done(&["balance"])["balance"].as_str().unwrap().to_owned()
    }

    fn session(&self, who: &str) -> PathBuf {
        self.town.home().join(self.name).join(format!("{who}.json"))
    }
}

impl Run {
    /// Asserts that the platform said no with this code, and that it says what to do.
    fn refused(&self, code: &str) {
        assert_eq!(self.status, Some(1), "{self:?}");
        assert!(self.err.contains(&format!("error: {code}: ")), "{code}: {self:?}");
        assert!(self.err.contains("what to do: "), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
    }

    /// Asserts that it ended with a status, and told all `parts`.
    fn ended(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, Some(status), "{self:?}");
        for part in parts {
            assert!(self.err.contains(part), "{part:?}: {self:?}");
        }
        assert!(!self.err.contains("panicked"), "{self:?}");
    }
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {run:?}"))
}
