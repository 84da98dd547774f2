//! The recovery sheet: everything that a restore on an empty machine needs, on one page of paper.

use std::fmt::Write as _;

use crate::state::State;
use crate::time::now_ms;
use crate::{Error, Plan, Platform, Repo};

/// The sheet, with the password on it. It is given out once for a machine; after that only when
/// `again` says that it is meant.
///
/// # Errors
/// [`Error::Setting`] when it was printed before; else as [`Repo::open`], for a sheet that opens
/// nothing is worse than none.
pub fn recovery_sheet(plan: &Plan, platform: &Platform, again: bool) -> Result<String, Error> {
    let mut state = State::read(plan)?;
    if state.sheet_printed_at_ms.is_some() && !again {
        let reason = "it was printed before; whoever needs another one says --again";
        return Err(Error::setting("recovery-sheet", reason));
    }
    let repo = Repo::open(plan)?;
    let password = plan.password()?;
    let (location, network) = (repo.location(), platform.network);
    let mut sheet = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(
        sheet,
        "RECOVERY SHEET of GX Protocol, {network}\n\n\
         Keep it on paper, in two places, neither of them that of the servers.\n\n\
         repository  {location}\n\
         password    {password}\n\n\
         On an empty machine with this program (or restic, which reads the same repository):\n\n\
         1. Write the password into a file that only you can read: chmod 600 backup.key\n\
         2. Write backup.toml:\n\
         \x20     [repository]\n\
         \x20     location = \"{location}\"\n\
         \x20     password_file = \"backup.key\"\n\
         3. gx backup status\n\
         4. gx backup restore\n\
         5. gx verify\n\
         6. gx up, or the roles one by one\n\n\
         A remote of rclone needs its own configuration as well; it is not on this sheet.\n\
         docs/operations/disaster.md says what is seen at each step."
    );
    state.sheet_printed_at_ms = Some(now_ms());
    state.write(plan)?;
    Ok(sheet)
}
