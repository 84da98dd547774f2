//! The first administrator: made once, with a password that nobody has chosen and that is shown
//! once.

use gx_store::admin::{admins, audit};
use gx_types::{AdminId, TimeMs};

use crate::app::{App, StartError};
use crate::auth::{AdminRole, entropy};
use crate::calendar::now_ms;

/// The login of the first administrator, to be shown to whoever set the platform up.
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
        let failed = |what: String| StartError::Settings(what);
        let password = one_time_password().map_err(|error| failed(error.to_string()))?;
        let hash = self.hasher().hash(password.clone()).await;
        let password_hash = hash.map_err(|error| failed(error.chain()))?;
        let ledger_id: AdminId = FIRST_ADMIN.parse().map_err(|error| failed(format!("{error}")))?;
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
        let row = audit::NewAudit {
            at: created_at,
            actor: "system".to_owned(),
            action: "admin.create".to_owned(),
            target: FIRST_ADMIN.to_owned(),
            request_id: String::new(),
            details: "{}".to_owned(),
        };
        audit::append(&mut tx, &[row]).await?;
        tx.commit().await?;
        Ok(Some(OneTimePassword { username: FIRST_ADMIN.to_owned(), password }))
    }
}

/// 24 characters of four classes: about 130 bits, none of them easily mistaken for another.
fn one_time_password() -> Result<String, rand::rngs::SysError> {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let bytes = entropy::<32>()?;
    let letter = |byte: &u8| {
        LETTERS.get(usize::from(*byte) % LETTERS.len()).map_or('x', |letter| char::from(*letter))
    };
    let random: String = bytes.iter().take(20).map(letter).collect();
    // The classes that the password policy asks for, wherever chance has left one out.
    Ok(format!("{random}-Gx7"))
}
