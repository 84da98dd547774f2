//! Mail to people. Nothing delivers it yet: it lies in the mailbox of the database, sealed, and
//! whoever has the network's keys reads it with `gx mailbox`.

use gx_store::{Store, Tx, mailbox};
use gx_types::TimeMs;

use crate::app::StartError;
use crate::auth::{Sealer, random_id, sealer};
use crate::calendar::now_ms;
use crate::config::Config;
use crate::error::{Error, Result};

/// A mail to write.
#[derive(Clone, Copy)]
pub(crate) struct Letter<'a> {
    pub(crate) recipient: &'a str,
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
    /// When what it offers is good for nothing any more.
    pub(crate) expires_at: TimeMs,
}

/// A mail as its reader sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    pub recipient: String,
    pub title: String,
    /// `None` when it was sealed under other keys than this process has.
    pub body: Option<String>,
    pub created_at: TimeMs,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail")
    }
}

/// Puts a mail into the mailbox, in the caller's transaction.
pub(crate) async fn put(sealer: &Sealer, tx: &mut Tx, letter: Letter<'_>) -> Result<()> {
    let mail_id = random_id().map_err(Error::internal)?;
    let body = sealer.seal(&sealed_of(&mail_id), letter.body.as_bytes())?;
    let mail = mailbox::Mail {
        recipient: letter.recipient.to_owned(),
        title: letter.title.to_owned(),
        body,
        created_at: TimeMs(now_ms()),
        expires_at: letter.expires_at,
        mail_id,
    };
    Ok(mailbox::put(tx, &mail).await?)
}

/// The newest mail, at most `max`, newest first. For those who can reach database and keys and
/// nobody else: no route does this.
///
/// # Errors
/// [`StartError`] when keys or database cannot be used.
pub async fn read_mailbox(config: &Config, max: u32) -> std::result::Result<Vec<Mail>, StartError> {
    let store = Store::open(&config.store().map_err(gx_store::Error::from)?).await?;
    store.check(config.network).await?;
    let sealer = sealer(config)?;
    let found = mailbox::newest(&store, max).await?;
    store.close().await;
    let read = |mail: mailbox::Mail| {
        let body = sealer.open(&sealed_of(&mail.mail_id), &mail.body);
        Mail {
            recipient: mail.recipient,
            title: mail.title,
            body: body.and_then(|body| String::from_utf8(body).ok()),
            created_at: mail.created_at,
        }
    };
    Ok(found.into_iter().map(read).collect())
}

/// What a sealed body is, and of which mail.
fn sealed_of(mail_id: &str) -> String {
    format!("mail {mail_id}")
}
