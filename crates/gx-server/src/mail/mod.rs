//! Mail and text messages to people. They lie in the mailbox of the database, sealed, until a
//! courier delivers them; where nothing is set that could, whoever has the network's keys reads
//! them with `gx mailbox`.

mod hook;
pub(crate) mod letters;
mod smtp;

use std::sync::Arc;

use gx_engine::{Clock, Courier, Random, holder_name};
use gx_metrics::Metrics;
use gx_store::mailbox::{self, Channel, State};
use gx_store::{Store, Tx};
use gx_types::TimeMs;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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

/// A text message to write.
#[derive(Clone, Copy)]
pub(crate) struct TextMessage<'a> {
    /// Telephone number in the international form.
    pub(crate) recipient: &'a str,
    pub(crate) text: &'a str,
    /// When what it offers is good for nothing any more.
    pub(crate) expires_at: TimeMs,
}

/// A message as its reader sees it.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    pub recipient: String,
    pub title: String,
    /// `None` when it was delivered or given up, or was sealed under other keys than this process
    /// has.
    pub body: Option<String>,
    pub created_at: TimeMs,
    /// `WAITING`, `DELIVERED`, `UNDELIVERABLE` or `EXPIRED`.
    pub state: &'static str,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mail")
    }
}

/// Puts a mail into the mailbox, in the caller's transaction.
pub(crate) async fn put(sealer: &Sealer, tx: &mut Tx, letter: Letter<'_>) -> Result<()> {
    let Letter { recipient, title, body, expires_at } = letter;
    keep(sealer, tx, (Channel::Mail, recipient, title), body, expires_at).await
}

/// Puts a text message into the mailbox, in the caller's transaction.
pub(crate) async fn put_text(sealer: &Sealer, tx: &mut Tx, message: TextMessage<'_>) -> Result<()> {
    let TextMessage { recipient, text, expires_at } = message;
    keep(sealer, tx, (Channel::Text, recipient, ""), text, expires_at).await
}

async fn keep(
    sealer: &Sealer,
    tx: &mut Tx,
    (channel, recipient, title): (Channel, &str, &str),
    body: &str,
    expires_at: TimeMs,
) -> Result<()> {
    let mail_id = random_id().map_err(Error::internal)?;
    let mail = mailbox::Mail {
        channel,
        recipient: recipient.to_owned(),
        title: title.to_owned(),
        body: sealer.seal(&sealed_of(&mail_id), body.as_bytes())?,
        created_at: TimeMs(now_ms()),
        expires_at,
        mail_id,
    };
    Ok(mailbox::put(tx, &mail).await?)
}

/// The newest messages, at most `max`, newest first. For those who can reach database and keys and
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
    let read = |kept: mailbox::Kept| Mail {
        body: Some(kept.state)
            .filter(|state| *state == State::Waiting)
            .and_then(|_| open(&sealer, &kept.mail)),
        recipient: kept.mail.recipient,
        title: kept.mail.title,
        created_at: kept.mail.created_at,
        state: kept.state.as_str(),
    };
    Ok(found.into_iter().map(read).collect())
}

/// What a sealed body is, and of which mail.
fn sealed_of(mail_id: &str) -> String {
    format!("mail {mail_id}")
}

/// What a message says, if it was sealed under this key.
fn open(sealer: &Sealer, mail: &mailbox::Mail) -> Option<String> {
    let body = sealer.open(&sealed_of(&mail.mail_id), &mail.body)?;
    String::from_utf8(body).ok()
}

/// Whether the settings say how the messages of a channel are delivered.
pub(crate) fn is_delivered(config: &Config, channel: Channel) -> bool {
    match channel {
        Channel::Mail => !config.mail.server.is_empty(),
        Channel::Text => !config.texts.url.is_empty(),
    }
}

/// The workers that deliver messages, where the settings say how.
#[derive(Debug)]
pub(crate) struct Couriers {
    mail: Option<Courier<smtp::Smtp>>,
    texts: Option<Courier<hook::Hook>>,
}

impl Couriers {
    /// Reads the network's keys, which must be there.
    ///
    /// # Errors
    /// [`StartError`] names the setting that is of no use.
    pub(crate) fn new(
        config: &Config,
        (store, metrics, clock): (&Store, &Arc<Metrics>, &Clock),
    ) -> std::result::Result<Self, StartError> {
        let random = Random::system();
        let has = |channel| is_delivered(config, channel);
        let mail = has(Channel::Mail).then(|| smtp::Smtp::new(&config.mail, sealer(config)?));
        let texts = has(Channel::Text).then(|| hook::Hook::new(&config.texts, sealer(config)?));
        let (store, metrics, clock) = (store.clone(), metrics.clone(), clock.clone());
        let texts = texts.transpose()?.map(|carrier| Courier {
            store: store.clone(),
            metrics: metrics.clone(),
            clock: clock.clone(),
            random: random.clone(),
            channel: Channel::Text,
            carrier,
        });
        let mail = mail.transpose()?.map(|carrier| Courier {
            store,
            metrics,
            clock,
            random,
            channel: Channel::Mail,
            carrier,
        });
        Ok(Self { mail, texts })
    }

    pub(crate) fn spawn(self, workers: &mut JoinSet<()>, stop: &CancellationToken) {
        let holder = || holder_name(&Random::system());
        if let Some(mail) = self.mail {
            workers.spawn(mail.run(holder(), stop.clone()));
        }
        if let Some(texts) = self.texts {
            workers.spawn(texts.run(holder(), stop.clone()));
        }
    }
}
