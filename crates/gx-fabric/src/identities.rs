//! The identities of a process, as the wallet has them now.
//!
//! Certificates are renewed while processes run: the wallet is read again every minute, and at once
//! when the network refuses an identity. One that can't be read leaves what was known.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use gx_types::{Role, with_causes};

use crate::clock;
use crate::{Error, Identity, Wallet};

/// How often the wallet is read again when nothing is wrong.
pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(60);

type ByRole = Vec<(Role, Arc<Identity>)>;

#[derive(Debug)]
pub(crate) struct Identities {
    path: PathBuf,
    msp_id: Option<String>,
    current: RwLock<ByRole>,
}

impl Identities {
    /// Takes the identities with a role out of a wallet.
    ///
    /// # Errors
    /// [`Error::Settings`] when none has a role.
    pub(crate) fn new(wallet: &Wallet) -> Result<Self, Error> {
        let current = by_role(wallet);
        if current.is_empty() {
            return Err(Error::Settings("no identity has the attribute gxc_role".to_owned()));
        }
        let (path, msp_id) = (wallet.path().to_owned(), wallet.msp_id().map(str::to_owned));
        Ok(Self { path, msp_id, current: RwLock::new(current) })
    }

    pub(crate) fn current(&self) -> ByRole {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The identity that submits for a role.
    ///
    /// # Errors
    /// [`Error::NoIdentity`].
    pub(crate) fn with_role(&self, role: Role) -> Result<Arc<Identity>, Error> {
        let found = self.current().into_iter().find(|(has, _)| *has == role);
        found.map(|(_, identity)| identity).ok_or(Error::NoIdentity(role))
    }

    /// One for reading: any will do whose certificate is valid now, so that one that has expired
    /// does not end the reading.
    ///
    /// # Errors
    /// [`Error::NoIdentity`].
    pub(crate) fn reading(&self) -> Result<Arc<Identity>, Error> {
        let (now, current) = (clock::now(), self.current());
        let is_valid = |(_, identity): &&(Role, Arc<Identity>)| {
            let (from, until) = identity.certificate().validity();
            (from..until).contains(&now)
        };
        let found = current.iter().find(is_valid).or(current.first());
        found.map(|(_, identity)| identity.clone()).ok_or(Error::NoIdentity(Role::PartnerApi))
    }

    /// Reads the wallet again. Whether that has changed anything.
    pub(crate) async fn renew(&self) -> bool {
        let (path, msp_id) = (self.path.clone(), self.msp_id.clone());
        let read = tokio::task::spawn_blocking(move || Wallet::open(&path, msp_id.as_deref()));
        let new = match read.await {
            Ok(Ok(wallet)) => by_role(&wallet),
            Ok(Err(error)) => {
                let error = with_causes(&error);
                tracing::warn!(error, "the wallet can't be read; its last identities stay");
                return false;
            }
            Err(_) => return false,
        };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if new.is_empty() || is_same(&current, &new) {
            return false;
        }
        tracing::info!("the wallet has other identities now");
        *current = new;
        true
    }
}

fn by_role(wallet: &Wallet) -> ByRole {
    let with_role = |role| Some((role, wallet.with_role(role).ok()?));
    Role::ALL.into_iter().filter_map(with_role).collect()
}

fn is_same(one: &ByRole, other: &ByRole) -> bool {
    let texts = |of: &ByRole| -> Vec<_> {
        of.iter().map(|(role, identity)| (*role, identity.certificate_pem().to_vec())).collect()
    };
    texts(one) == texts(other)
}
