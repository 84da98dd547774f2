//! What the client asks people for: passwords and codes without echo, and whether to go on.
//!
//! Secrets come from the terminal, from standard input or from a file that only its owner may
//! read; never from the command line or the environment, where others see them.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Write as _, stderr, stdin};
use std::path::PathBuf;

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::failure::{Failure, Result};
use crate::out::tell;
use crate::profile::{Secret, read_secret_file};

/// Where secrets come from.
#[derive(Debug, Args)]
pub(crate) struct Secrets {
    /// File of the password, with mode 600; - reads standard input. A second line is the code of
    /// the second factor, if one is asked for. Without it the terminal is asked.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Lines of secrets, taken one after the other.
#[derive(Debug)]
pub(crate) struct Given(Option<std::vec::IntoIter<String>>);

impl Secrets {
    /// Reads the file, if there is one.
    pub(crate) fn read(&self) -> Result<Given> {
        let Some(path) = &self.password_file else { return Ok(Given(None)) };
        let text = match path.as_os_str() == "-" {
            true => {
                let mut text = String::new();
                let failed = |error| Failure::local("cannot read standard input", error);
                stdin().read_to_string(&mut text).map_err(failed)?;
                text
            }
            false => read_secret_file(path)?,
        };
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Ok(Given(Some(lines.into_iter())))
    }
}

impl Given {
    /// The next secret, from the file or from the terminal.
    pub(crate) fn next(&mut self, what: &str) -> Result<Secret> {
        let missing = || Failure::Usage(format!("the file of --password-file has no {what}"));
        match &mut self.0 {
            Some(lines) => {
                lines.next().filter(|line| !line.is_empty()).map(Secret).ok_or_else(missing)
            }
            None => hidden(what),
        }
    }

    /// A new password; on a terminal it is asked for twice.
    pub(crate) fn new_password(&mut self) -> Result<Secret> {
        let what = "new password";
        let first = self.next(what)?;
        if self.0.is_none() && hidden("new password again")? != first {
            return Err(Failure::Usage("the two are not the same".to_owned()));
        }
        Ok(first)
    }
}

fn hidden(what: &str) -> Result<Secret> {
    if !stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "there is no terminal to ask for the {what}; --password-file names a file, \
             or - for standard input"
        )));
    }
    let failed = |error: std::io::Error| Failure::local("cannot ask on the terminal", error);
    // What is typed before the question stands there is not shown either.
    let _silence = Silence::begin().map_err(failed)?;
    rpassword::prompt_password(format!("{what}: ")).map(Secret).map_err(failed)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silence {
    terminal: File,
    before: Termios,
}

impl Silence {
    fn begin() -> std::io::Result<Self> {
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Asks whether to go on. Without a terminal nobody can answer, so that nothing is done.
pub(crate) fn confirm(question: &str, is_said: bool) -> Result<()> {
    if is_said {
        return Ok(());
    }
    if !stdin().is_terminal() {
        return Err(Failure::Usage(format!(
            "{question} There is no terminal to ask; --yes says that it is meant"
        )));
    }
    tell(question);
    // Where the question cannot be shown, the answer is no.
    let failed = |error| Failure::local("cannot ask on the terminal", error);
    write!(stderr(), "Go on? [y/N] ").and_then(|()| stderr().flush()).map_err(failed)?;
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_err(failed)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Local("nothing was done".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_its_lines_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "first\n123456\n").unwrap();
        let secrets = Secrets { password_file: Some(path.clone()) };
        let exposed = secrets.read().unwrap_err().to_text();
        assert!(exposed.contains("set mode 600"), "{exposed}");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).unwrap();
        let mut given = secrets.read().unwrap();
        assert_eq!(given.next("password").unwrap().0, "first");
        assert_eq!(given.next("code").unwrap().0, "123456");
        assert_eq!(given.next("code").unwrap_err().status(), 2);
    }
}
