//! Passwords that nobody has chosen and that are shown once: the first administrator's, and those
//! that take the place of a lost one.

use gx_store::Store;
use gx_store::admin::{admins, audit};
use gx_store::login::credentials::{self, PasswordHash};
use gx_store::login::{Subject, passkeys, second_factors, sessions};
use gx_types::{AdminId, TimeMs};

use crate::app::{App, StartError};
use crate::auth::{AdminRole, Hasher, entropy};
use crate::calendar::now_ms;
use crate::config::Config;

/// An administrator's login, to be shown to whoever runs the platform.
#[derive(Clone)]
pub struct OneTimePassword {
    pub username: String,
    /// To be replaced at the first login.
    pub password: String,
}

impl std::fmt::Debug for OneTimePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OneTimePassword({})", self.username)
    }
}

/// Name of the first administrator, here and on the ledger.
pub const FIRST_ADMIN: &str = "superowner";

impl App {
    /// Makes the first administrator when there is none, and returns the one-time password then.
    ///
    /// # Errors
    /// [`StartError`] when the database or the operating system's entropy fails.
    pub async fn ensure_first_admin(&self) -> Result<Option<OneTimePassword>, StartError> {
        if admins::count(self.store()).await? > 0 {
            return Ok(None);
        }
        let (password, password_hash) = one_time_password(self.hasher()).await?;
        let ledger_id: AdminId = FIRST_ADMIN
            .parse()
            .map_err(|error: gx_types::ParseError| StartError::Settings(error.to_string()))?;
        let created_at = TimeMs(now_ms());
        let new = admins::NewAdmin {
            admin_id: FIRST_ADMIN.to_owned(),
            email: format!("{FIRST_ADMIN}@localhost"),
            display_name: "Super owner".to_owned(),
            role: AdminRole::SuperOwner.as_str().to_owned(),
            ledger_id: Some(ledger_id),
            password_hash,
            must_change_password: true,
            created_at,
        };
        let mut tx = self.store().begin().await?;
        match admins::create(&mut tx, &new).await {
            // Another process has just made it, and shows the password.
            Err(gx_store::Error::Unique { .. }) => return Ok(None),
            made => made?,
        }
        audit::append(&mut tx, &[row("admin.create", FIRST_ADMIN, created_at)]).await?;
        tx.commit().await?;
        Ok(Some(OneTimePassword { username: FIRST_ADMIN.to_owned(), password }))
    }
}

/// Gives an administrator a new one-time password and ends all sessions. For those who can reach
/// the database and nobody else: no route does this.
///
/// # Errors
/// [`StartError`] when there is no such administrator, or the database fails.
pub async fn reset_admin_password(
    config: &Config,
    username: &str,
) -> Result<OneTimePassword, StartError> {
    let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
    store.check(config.network).await?;
    let hasher = Hasher::new(&config.auth).map_err(StartError::Settings)?;
    let (plain, hash) = one_time_password(&hasher).await?;
    let (mut tx, now) = (store.begin().await?, TimeMs(now_ms()));
    let (subject, password) =
        (Subject::admin(username), PasswordHash { hash: &hash, must_change: true });
    if !credentials::set_password(&mut tx, subject, password, now).await? {
        return Err(StartError::NoAdmin { username: username.to_owned() });
    }
    sessions::revoke_all(&mut tx, subject, None, "password reset", now).await?;
    audit::append(&mut tx, &[row("admin.password.reset", username, now)]).await?;
    tx.commit().await?;
    store.close().await;
    Ok(OneTimePassword { username: username.to_owned(), password: plain })
}

/// Takes the second factors of an administrator away, passkeys among them, who has lost them and
/// the recovery codes, and ends all sessions. Says whether there was one. For those who can reach
/// the database and nobody else: no route does this.
///
/// # Errors
/// [`StartError`] when there is no such administrator, or the database fails.
pub async fn remove_second_factor(config: &Config, username: &str) -> Result<bool, StartError> {
    let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
    store.check(config.network).await?;
    let (mut tx, now) = (store.begin().await?, TimeMs(now_ms()));
    if admins::get(&mut tx, username).await?.is_none() {
        return Err(StartError::NoAdmin { username: username.to_owned() });
    }
    let subject = Subject::admin(username);
    let had_device = second_factors::remove(&mut tx, subject).await?;
    let had_one = passkeys::remove_all(&mut tx, subject).await? > 0 || had_device;
    sessions::revoke_all(&mut tx, subject, None, "second factor removed", now).await?;
    audit::append(&mut tx, &[row("admin.mfa.remove", username, now)]).await?;
    tx.commit().await?;
    store.close().await;
    Ok(had_one)
}

fn row(action: &str, target: &str, at: TimeMs) -> audit::NewAudit {
    audit::NewAudit {
        at,
        actor: "system".to_owned(),
        action: action.to_owned(),
        target: target.to_owned(),
        request_id: String::new(),
        details: "{}".to_owned(),
    }
}

/// A new password and its hash.
async fn one_time_password(hasher: &Hasher) -> Result<(String, String), StartError> {
    let password = random_password().map_err(|error| StartError::Settings(error.to_string()))?;
    let hash = hasher.hash(password.clone()).await;
    Ok((password, hash.map_err(|error| StartError::Settings(error.chain()))?))
}

/// 24 characters of four classes: about 130 bits, none of them easily mistaken for another.
pub(super) fn random_password() -> Result<String, rand::rngs::SysError> {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let bytes = entropy::<32>()?;
    let letter = |byte: &u8| {
        LETTERS.get(usize::from(*byte) % LETTERS.len()).map_or('x', |letter| char::from(*letter))
    };
    let random: String = bytes.iter().take(20).map(letter).collect();
    // The classes that the password policy asks for, wherever chance has left one out.
    Ok(format!("{random}-Gx7"))
}
