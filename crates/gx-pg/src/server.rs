//! A reachable throw-away server: its address, and what can be asked of it through `psql`.
//!
//! The password never stands on a command line: other users of the machine could read it there.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use crate::{Error, Programs, random};

/// The one role of a throw-away cluster; it may do everything.
pub(crate) const USER: &str = "gx";

/// Address and password of a server, and the programs to speak to it.
#[derive(Clone)]
pub struct Server {
    pub(crate) programs: Programs,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({}:{})", self.host, self.port)
    }
}

impl Server {
    /// `postgres://user:password@host:port/db`.
    pub fn url(&self, db: &str) -> String {
        format!("{}/{db}", self.base_url())
    }

    /// The URL without a database.
    pub fn base_url(&self) -> String {
        format!("postgres://{}:{}@{}:{}", self.user, self.password, self.host, self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Reads back what [`Server::base_url`] wrote.
    pub(crate) fn from_base_url(programs: Programs, url: &str) -> Option<Self> {
        let (login, address) = url.strip_prefix("postgres://")?.split_once('@')?;
        let (user, password) = login.split_once(':')?;
        let (host, port) = address.trim_end_matches('/').split_once(':')?;
        if url.contains('%') || user.is_empty() || host.is_empty() {
            return None;
        }
        let (user, password, host) = (user.to_owned(), password.to_owned(), host.to_owned());
        Some(Self { programs, user, password, host, port: port.parse().ok()? })
    }

    pub fn create_database(&self, name: &str) -> Result<(), Error> {
        self.sql("postgres", &format!("CREATE DATABASE {}", identifier(name)?)).map(drop)
    }

    /// A copy of another database, to which nobody may be connected meanwhile. Prepare one with
    /// tables and rows once and copy it for each test.
    pub fn create_database_from(&self, name: &str, template: &str) -> Result<(), Error> {
        let (name, template) = (identifier(name)?, identifier(template)?);
        self.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}")).map(drop)
    }

    /// Also if somebody is still connected to it.
    pub fn drop_database(&self, name: &str) -> Result<(), Error> {
        let name = identifier(name)?;
        self.sql("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).map(drop)
    }

    /// A new empty database with a name of its own, dropped with the value.
    pub fn fresh_database(&self) -> Result<Database, Error> {
        let name = format!("test_{}", random::hex::<8>()?);
        self.create_database(&name)?;
        Ok(Database { server: self.clone(), name })
    }

    /// Runs one statement with psql and returns its rows, fields separated by `|`.
    pub fn sql(&self, db: &str, text: &str) -> Result<String, Error> {
        let mut psql = self.client("psql", db);
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", text]);
        let output = psql.output().map_err(Error::io("run psql"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
        }
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Error::Program { name: "psql", status: output.status, output: text })
    }

    /// The path of a program of PostgreSQL, such as `pgbench`; `None` if it is not installed.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        self.programs.path(name)
    }

    /// A client program of PostgreSQL, such as `pgbench`, connected to a database of this server.
    pub fn client(&self, program: &str, db: &str) -> Command {
        let mut command = self.programs.command(program);
        command
            .env("PGHOST", &self.host)
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", &self.user)
            .env("PGPASSWORD", &self.password)
            .env("PGDATABASE", db);
        command
    }
}

fn identifier(name: &str) -> Result<String, Error> {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.len() > 63 || !name.chars().all(known) {
        return Err(Error::DatabaseName { name: name.to_owned() });
    }
    Ok(format!("\"{name}\""))
}

/// A database of one test. Dropping it drops the database, and with it whatever is connected.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Runs one statement with psql, as [`Server::sql`] does.
    pub fn sql(&self, text: &str) -> Result<String, Error> {
        self.server.sql(&self.name, text)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The failed test's data may be the only trace of what went wrong.
            crate::shared::keep();
            return;
        }
        // Whatever is left goes away with the cluster.
        let _ = self.server.drop_database(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::{Server, identifier};
    use crate::Programs;

    #[test]
    fn a_base_url_is_read_back_as_written() {
        let programs = Programs::find().unwrap();
        let url = "postgres://gx:c0ffee@127.0.0.1:15432";
        let server = Server::from_base_url(programs.clone(), url).unwrap();
        assert_eq!(server.base_url(), url);
        assert_eq!(server.url("a"), "postgres://gx:c0ffee@127.0.0.1:15432/a");
        for bad in ["", "postgres://", "postgres://gx@h:1", "postgres://gx:a@h", "gx:a@h:1"] {
            assert!(Server::from_base_url(programs.clone(), bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_plain_names_become_identifiers() {
        assert_eq!(identifier("test_1").unwrap(), "\"test_1\"");
        for bad in ["", "a b", "a\"b", "a;b"] {
            assert!(identifier(bad).is_err(), "{bad}");
        }
    }
}
