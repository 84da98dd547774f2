//! Under which account PostgreSQL's programs run.
//!
//! They refuse to run as root, which is what containers of continuous integration run as; then
//! the account of Debian's package is taken. Nobody else's rights are ever changed.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::Error;

const NAME: &str = "postgres";

/// An unprivileged account other than the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account to change to, or `None` if the caller's own one will do. `owner` is the user
    /// id that owns what this process creates.
    pub(crate) fn to_change_to(owner: u32) -> Result<Option<Self>, Error> {
        if owner != 0 {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").map_err(Error::io("read /etc/passwd"))?;
        match Self::find(&passwd, NAME) {
            Some(account) => Ok(Some(account)),
            None => Err(Error::NoAccount { name: NAME }),
        }
    }

    fn find(passwd: &str, name: &str) -> Option<Self> {
        passwd.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next()? != name {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            (uid != 0).then_some(Self { uid, gid })
        })
    }

    pub(crate) fn own(self, path: &Path) -> Result<(), Error> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .map_err(Error::io(format!("hand {} to the account {NAME}", path.display())))
    }

    /// Also drops the caller's supplementary groups: the standard library does so when it
    /// changes the user id as root.
    pub(crate) fn apply(self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn the_account_is_found_by_its_whole_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\
                      postgresx:x:7:8:::\n\
                      postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/sh\n";
        let found = Account::find(passwd, "postgres");
        assert_eq!(found, Some(Account { uid: 101, gid: 104 }));
        assert_eq!(Account::find(passwd, "root"), None, "root is never changed to");
        assert_eq!(Account::find("postgres:x:no:104", "postgres"), None);
    }
}
