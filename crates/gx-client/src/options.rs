//! What every command of the client takes: whose session, which server, and the form of the result.

use std::path::PathBuf;

use clap::Args;

use crate::api::Api;
use crate::failure::{Failure, Result};
use crate::http::{Base, Wire};
use crate::out::Out;
use crate::profile::{Profile, Who};

/// What one command does.
pub(crate) trait Job {
    /// Whose session it uses.
    const WHO: Who = Who::User;

    fn run(&self, api: &mut Api) -> Result<()>;
}

/// A command and the client's options.
#[derive(Debug, Args)]
pub struct With<A: Args> {
    #[command(flatten)]
    job: A,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Client")]
struct Options {
    /// Whose session it is; every user of every server has a profile of their own.
    #[arg(
        long, value_name = "NAME", env = "GX_PROFILE", hide_env_values = true,
        default_value = "default", value_parser = profile_name
    )]
    profile: String,
    /// Where the API is: the session's server, or else http://127.0.0.1:3000
    #[arg(long, value_name = "URL", env = "GX_SERVER", hide_env_values = true)]
    server: Option<Base>,
    /// Lets http go over a network, where everybody on the way reads passwords and tokens.
    #[arg(long)]
    allow_http: bool,
    /// Folder of the profiles [default: ~/.config/gx]
    #[arg(long, value_name = "DIR", env = "GX_HOME", hide_env_values = true)]
    home: Option<PathBuf>,
    /// Prints the answer as JSON, for scripts.
    #[arg(long)]
    json: bool,
}

#[expect(private_bounds, reason = "what commands do is the client's own affair")]
impl<A: Args + Job> With<A> {
    /// Does it, tells what went wrong, and returns the exit status.
    pub(crate) fn run(&self) -> u8 {
        let out = Out { json: self.options.json };
        let done = self.options.open(A::WHO, out).and_then(|mut api| self.job.run(&mut api));
        match done {
            Ok(()) => 0,
            Err(failure) => {
                out.failure(&failure);
                failure.status()
            }
        }
    }
}

impl Options {
    fn open(&self, who: Who, out: Out) -> Result<Api> {
        let home = self.home.clone().or_else(usual_home).ok_or_else(|| {
            Failure::Usage("neither HOME nor GX_HOME says where profiles are".to_owned())
        })?;
        let profile = Profile::new(home.join(&self.profile), who);
        let session = profile.load()?;
        let server = match (&self.server, &session) {
            (Some(given), Some(session)) if given.as_str() != session.server => {
                return Err(Failure::Usage(format!(
                    "the profile {} is logged in on {}; take another --profile for {}",
                    self.profile,
                    session.server,
                    given.as_str()
                )));
            }
            (Some(given), _) => given.clone(),
            (None, Some(session)) => session.server.parse().map_err(Failure::Local)?,
            (None, None) => Base::usual(),
        };
        if !server.is_safe() && !self.allow_http {
            return Err(Failure::Usage(format!(
                "{} is neither https nor this machine: everybody on the way could read passwords \
                 and tokens; --allow-http takes the risk",
                server.as_str()
            )));
        }
        Ok(Api::new(Wire::open(server, out)?, profile, session, out))
    }
}

fn usual_home() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config =
        config.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")));
    config.map(|folder| folder.join("gx"))
}

fn profile_name(text: &str) -> std::result::Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('.');
    match fits {
        true => Ok(text.to_owned()),
        false => Err("letters, digits, and - _ . between them, at most 64".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::profile_name;

    #[test]
    fn a_profile_is_a_folder_and_nothing_else() {
        for good in ["default", "ada", "test-net.2", "A_1"] {
            assert!(profile_name(good).is_ok(), "{good}");
        }
        for wrong in ["", "..", ".hidden", "a/b", "a b", "ä", &"a".repeat(65)] {
            assert!(profile_name(wrong).is_err(), "{wrong}");
        }
    }
}
