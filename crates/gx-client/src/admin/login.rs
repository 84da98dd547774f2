//! Sessions of administrators, and their passwords.

use clap::Args;
use hyper::Method;
use serde_json::json;

use crate::account::{close_session, logged_in, open_session};
use crate::api::Api;
use crate::ask::Secrets;
use crate::failure::Result;
use crate::options::Job;
use crate::out::{Parts, text};
use crate::profile::Who;

const ADMIN: &Parts = &[
    ("user name", "/username"),
    ("name", "/displayName"),
    ("role", "/role"),
    ("ledger id", "/ledgerId"),
    ("second factor", "/mfaEnabled"),
    ("permissions", "/permissions"),
];

#[derive(Debug, Args)]
pub struct Login {
    /// User name, such as superowner.
    #[arg(value_name = "NAME")]
    username: String,
    #[command(flatten)]
    secrets: Secrets,
}

impl Job for Login {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let given = self.secrets.read()?;
        let reply = open_session(api, ("username", &self.username), given)?;
        api.opened(&self.username, &text(&reply, "/admin/id"), &reply)?;
        if text(&reply, "/admin/requirePasswordChange") == "yes" {
            api.out.note("The password is good once; set your own: gx admin password");
        }
        logged_in(api, &self.username, reply.pointer("/admin"), ADMIN)
    }
}

#[derive(Debug, Args)]
pub struct Logout {}

impl Job for Logout {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        close_session(api)
    }
}

#[derive(Debug, Args)]
pub struct Whoami {}

impl Job for Whoami {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let profile = api.get("/api/v1/admin/auth/profile")?;
        api.out.record(&profile, ADMIN)?;
        api.out.note(&format!("on {}", api.server()));
        Ok(())
    }
}

/// The file of secrets has two lines: the present password and the new one.
#[derive(Debug, Args)]
pub struct Password {
    #[command(flatten)]
    secrets: Secrets,
}

impl Job for Password {
    const WHO: Who = Who::Admin;

    fn run(&self, api: &mut Api) -> Result<()> {
        let mut given = self.secrets.read()?;
        let current = given.next("present password")?;
        let new = given.new_password()?;
        let body = json!({ "currentPassword": current, "newPassword": new });
        let path = "/api/v1/admin/auth/password/change";
        let reply = api.write(Method::POST, path, &body, None)?;
        api.out.record(&reply, &[("done", "/message")])
    }
}
