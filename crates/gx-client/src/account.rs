//! Who somebody is on the platform: registering, logging in and out.

use clap::Args;
use serde_json::{Value, json};

use crate::api::{Api, put};
use crate::ask::{Given, Secrets};
use crate::failure::Result;
use crate::giving::{Giving, idempotency_key};
use crate::options::Job;
use crate::out::{Parts, text};

const PROFILE: &Parts = &[
    ("e-mail", "/email"),
    ("first name", "/firstName"),
    ("last name", "/lastName"),
    ("country", "/countryCode"),
    ("user", "/id"),
    ("account", "/userId"),
    ("status", "/status"),
    ("tier", "/tier"),
];

#[derive(Debug, Args)]
pub struct Register {
    /// E-mail address, which the person logs in with.
    #[arg(long)]
    email: String,
    #[arg(long, value_name = "NAME")]
    first_name: String,
    #[arg(long, value_name = "NAME")]
    last_name: String,
    /// Two letters, such as DE.
    #[arg(long, value_name = "CODE")]
    country: String,
    /// Day of birth, as 1990-05-17.
    #[arg(long, value_name = "DAY")]
    born: String,
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
    #[command(flatten)]
    secrets: Secrets,
    /// Repeats the registration that was sent under this key; nobody is registered twice.
    #[arg(long, value_name = "KEY", value_parser = idempotency_key)]
    idempotency_key: Option<String>,
}

impl Job for Register {
    fn run(&self, api: &mut Api) -> Result<()> {
        let password = self.secrets.read()?.new_password()?;
        let mut body = json!({
            "email": self.email, "password": password, "countryCode": self.country,
            "firstName": self.first_name, "lastName": self.last_name, "dateOfBirth": self.born,
        });
        if let Some(phone) = &self.phone {
            put(&mut body, "phone", phone);
        }
        let giving = Giving { yes: true, idempotency_key: self.idempotency_key.clone() };
        let reply = api.anonymous("/api/v1/auth/register", &body, Some(&giving.key()?))?;
        api.out.record(&reply, &[("user", "/id"), ("status", "/status")])?;
        api.out.note("An administrator has to approve the registration; gx login logs in.");
        Ok(())
    }
}

#[derive(Debug, Args)]
pub struct Login {
    /// E-mail address of the registration.
    email: String,
    #[command(flatten)]
    secrets: Secrets,
}

impl Job for Login {
    fn run(&self, api: &mut Api) -> Result<()> {
        let given = self.secrets.read()?;
        let reply = open_session(api, ("email", &self.email), given)?;
        api.opened(&self.email, &text(&reply, "/user/id"), &reply)?;
        logged_in(api, &self.email, reply.pointer("/user"), PROFILE)
    }
}

/// Gives name and password, and the second factor if it is asked for; answers the tokens.
pub(crate) fn open_session(
    api: &Api,
    (field, name): (&str, &str),
    mut given: Given,
) -> Result<Value> {
    let password = given.next("password")?;
    let routes = api.session_routes();
    let body = json!({ field: name, "password": password });
    let reply = api.anonymous(&format!("{routes}/login"), &body, None)?;
    if text(&reply, "/requiresMfa") != "yes" {
        return Ok(reply);
    }
    let code = given.next("code of the second factor")?;
    let body = json!({ "mfaToken": text(&reply, "/mfaToken"), "code": code });
    api.anonymous(&format!("{routes}/mfa/verify"), &body, None)
}

/// Says whose session it is; tokens are not printed.
pub(crate) fn logged_in(
    api: &Api,
    name: &str,
    person: Option<&Value>,
    parts: &Parts,
) -> Result<()> {
    match person {
        Some(person) if api.out.json => api.out.record(person, parts),
        _ => api.out.line(&format!("logged in on {} as {name}", api.server())),
    }
}

#[derive(Debug, Args)]
pub struct Logout {}

impl Job for Logout {
    fn run(&self, api: &mut Api) -> Result<()> {
        close_session(api)
    }
}

pub(crate) fn close_session(api: &mut Api) -> Result<()> {
    let name = api.session()?.name.clone();
    api.close()?;
    match api.out.json {
        true => api.out.line(&json!({ "loggedOut": name }).to_string()),
        false => api.out.line(&format!("{name} is logged out of {}", api.server())),
    }
}

#[derive(Debug, Args)]
pub struct Whoami {}

impl Job for Whoami {
    fn run(&self, api: &mut Api) -> Result<()> {
        let mut profile = api.get("/api/v1/users/profile")?;
        if let Some(fields) = profile.as_object_mut() {
            fields.insert("server".to_owned(), json!(api.server()));
        }
        api.out.record(&profile, PROFILE)?;
        api.out.note(&format!("on {}", api.server()));
        Ok(())
    }
}
