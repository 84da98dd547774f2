//! The state as it was at one block, for those who go through all of it.

use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::Arc;

use gx_contract::WrongState;
use gx_contract::state::{Account, Key, Record};
use gx_types::{AccountId, Amount};

use crate::store::StateReader;
use crate::{Error, Tip};

pub(crate) type Overlay = BTreeMap<Box<str>, Vec<u8>>;

/// A consistent view of the whole state. While it lives, the file keeps the pages that it needs.
pub struct Snapshot {
    tip: Tip,
    path: PathBuf,
    state: StateReader,
    overlay: Overlay,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("tip", &self.tip).finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(crate) fn new(tip: Tip, path: PathBuf, state: StateReader, overlay: Overlay) -> Self {
        Self { tip, path, state, overlay }
    }

    /// The block whose state this is.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// Keys and values as the contract stores them, in key order, outcomes of commands excepted.
    ///
    /// # Errors
    /// [`Error::Storage`] when the file cannot be read, here and at every entry.
    pub fn entries(&self) -> Result<Entries<'_>, Error> {
        self.entries_from("")
    }

    fn entries_from(&self, first: &str) -> Result<Entries<'_>, Error> {
        let mut stored = self.state.entries(first).map_err(Error::storage(&self.path))?;
        let next = read_next(&mut stored).transpose().map_err(Error::storage(&self.path))?;
        let bounds = (Bound::Included(first), Bound::Unbounded);
        let overlay = self.overlay.range::<str, _>(bounds).peekable();
        Ok(Entries { snapshot: self, stored, next, overlay })
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.overlay.get(key) {
            Some(value) => Ok(Some(value.clone())),
            None => self
                .state
                .get(key, |value| value.map(<[u8]>::to_vec))
                .map_err(Error::storage(&self.path)),
        }
    }

    /// Every account: users, treasuries and pools, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Storage`] or [`Error::State`], here and at every account.
    pub fn accounts(
        &self,
    ) -> Result<impl Iterator<Item = Result<(AccountId, Account), Error>>, Error> {
        const PREFIX: &str = "a/";
        let entries = self.entries_from(PREFIX)?;
        Ok(entries
            .take_while(|entry| entry.as_ref().map_or(true, |(key, _)| key.starts_with(PREFIX)))
            .map(|entry| {
                let (key, value) = entry?;
                self.account(&key, PREFIX.len(), &value)
            }))
    }

    fn account(
        &self,
        key: &str,
        prefix: usize,
        value: &[u8],
    ) -> Result<(AccountId, Account), Error> {
        let wrong = |source| Error::State {
            path: self.path.clone(),
            source: Arc::new(WrongState { key: key.to_owned(), source }),
        };
        let unread = |message: String| serde_json::Error::io(std::io::Error::other(message));
        let id: AccountId = key
            .get(prefix..)
            .unwrap_or_default()
            .parse()
            .map_err(|error: gx_types::ParseError| wrong(unread(error.to_string())))?;
        match Record::decode(&Key::Account(id), value).map_err(&wrong)? {
            Record::Account(account) => Ok((id, account)),
            _ => Err(wrong(unread("not an account".to_owned()))),
        }
    }

    /// The sum of all balances in Qirat: nothing before bootstrap, the whole supply for ever after.
    ///
    /// # Errors
    /// As [`Snapshot::accounts`].
    pub fn total(&self) -> Result<u128, Error> {
        self.accounts()?.try_fold(0_u128, |sum, account| {
            let Account { balance, .. } = account?.1;
            Ok(sum.saturating_add(u128::from(Amount::qirat(balance))))
        })
    }
}

type Entry = (String, Vec<u8>);
type Stored = redb::OwnedRange<&'static [u8], &'static [u8]>;

fn read_next(stored: &mut Stored) -> Option<Result<Entry, redb::StorageError>> {
    let entry = stored.next()?;
    Some(entry.and_then(|(key, value)| {
        let unread = |_| redb::StorageError::Corrupted("a key of the state is no text".to_owned());
        Ok((String::from_utf8(key.value().to_vec()).map_err(unread)?, value.value().to_vec()))
    }))
}

/// Entries of the state in key order; see [`Snapshot::entries`].
pub struct Entries<'s> {
    snapshot: &'s Snapshot,
    stored: Stored,
    next: Option<Entry>,
    overlay: Peekable<btree_map::Range<'s, Box<str>, Vec<u8>>>,
}

impl std::fmt::Debug for Entries<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries").field("snapshot", self.snapshot).finish_non_exhaustive()
    }
}

impl Entries<'_> {
    /// The file's next entry, with the one after it read already.
    fn take_stored(&mut self) -> Option<Result<Entry, Error>> {
        let entry = self.next.take()?;
        match read_next(&mut self.stored).transpose() {
            Ok(next) => self.next = next,
            Err(error) => return Some(Err(Error::storage(&self.snapshot.path)(error))),
        }
        Some(Ok(entry))
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let younger = self.overlay.peek().map(|(key, _)| key.as_ref());
        match (&self.next, younger) {
            (Some((stored, _)), Some(younger)) if stored.as_str() < younger => self.take_stored(),
            (_, None) => self.take_stored(),
            (stored, Some(younger)) => {
                let replaced = stored.as_ref().is_some_and(|(key, _)| key == younger);
                let (key, value) = self.overlay.next()?;
                if replaced && let Some(Err(error)) = self.take_stored() {
                    return Some(Err(error));
                }
                Some(Ok((key.as_ref().to_owned(), value.clone())))
            }
        }
    }
}
