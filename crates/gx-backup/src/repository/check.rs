//! Whether everything that a backup needs is there, byte by byte.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustic_core::{CheckOptions, FileType};
use sha2::{Digest as _, Sha256};

use super::{Backup, Repo};
use crate::Error;
use crate::source::hex;

impl Repo {
    /// Reads everything that a backup needs and holds it against its checksums. What is wrong, in
    /// words.
    pub(crate) fn check(&self, backup: &Backup) -> Result<Vec<String>, Error> {
        let open = self.opened()?;
        let failed = self.failed("check");
        let mut options = CheckOptions::default();
        options.read_data = true;
        let trees = backup.parts.iter().map(|part| part.tree).collect();
        // The library gives up where files contradict each other. That is an answer.
        let check = AssertUnwindSafe(|| open.check_with_trees(options, trees));
        let Ok(checked) = catch_unwind(check) else {
            return Ok(vec!["the check came to no end: files are damaged or missing".to_owned()]);
        };
        let checked = checked.map_err(|error| failed(&error))?;
        let wrong = checked.0.into_iter().filter(|(level, _)| format!("{level:?}") == "Error");
        let mut found: Vec<String> = wrong.map(|(_, error)| error.to_string()).collect();
        found.extend(self.altered_keys()?);
        Ok(found)
    }

    /// Keys whose content is not what their name says. They stand in plain text, so that nothing
    /// else notices a change in what is not needed to open them.
    fn altered_keys(&self) -> Result<Vec<String>, Error> {
        let failed = self.failed("read the keys of");
        let backend = self.location.backends()?.repository();
        let mut found = Vec::new();
        for id in backend.list(FileType::Key).map_err(|error| failed(&error))? {
            let bytes = backend.read_full(FileType::Key, &id).map_err(|error| failed(&error))?;
            if hex(Sha256::digest(&bytes).as_slice()) != id.to_hex().as_str() {
                found.push(format!("key {} is not what was written", id.to_hex().as_str()));
            }
        }
        Ok(found)
    }
}
