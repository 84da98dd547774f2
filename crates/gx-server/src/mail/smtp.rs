//! Mail is given to an SMTP server, which brings it further.
//!
//! Every step of the conversation is one of ours, because what a refusal means depends on the step:
//! a recipient who is refused for ever is given up, a sender or a password that is refused is a
//! fault of the settings, and then everything waits. One connection serves a run of mails.

use std::sync::Arc;
use std::time::Duration;

use gx_engine::{Carrier, Undelivered};
use gx_store::mailbox::Mail;
use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailParameter};

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Named;
use mail_builder::headers::raw::Raw;

use crate::app::StartError;
use crate::auth::Sealer;
use crate::authorities::{authorities, is_of_tls};
use crate::config::{Mail as Settings, MailTls};

/// Replies that say that we are not let in, at whichever step they come.
const NOT_LET_IN: [u16; 4] = [530, 534, 535, 538];

/// The server says good-bye.
const CLOSING: u16 = 421;

/// Gives mail to a server.
pub(super) struct Smtp {
    server: Arc<Server>,
    /// What is open between two mails of a run.
    connection: Option<AsyncSmtpConnection>,
}

struct Server {
    host: String,
    port: u16,
    /// `None` where nothing is encrypted.
    tls: Option<TlsParameters>,
    is_implicit: bool,
    credentials: Option<Credentials>,
    from: Address,
    from_name: String,
    hello: ClientId,
    timeout: Duration,
    sealer: Sealer,
}

impl Clone for Smtp {
    /// A connection has one user.
    fn clone(&self) -> Self {
        Self { server: Arc::clone(&self.server), connection: None }
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Server { host, port, .. } = &*self.server;
        f.debug_struct("Smtp").field("host", host).field("port", port).finish_non_exhaustive()
    }
}

impl Smtp {
    pub(super) fn new(settings: &Settings, sealer: Sealer) -> Result<Self, StartError> {
        let wrong = |error: &dyn std::fmt::Display| StartError::Settings(format!("mail: {error}"));
        let from = settings.from.parse::<Address>().map_err(|error| wrong(&error))?;
        let tls = match settings.tls {
            MailTls::None => None,
            MailTls::Starttls | MailTls::Implicit => {
                Some(tls(settings).map_err(|error| wrong(&error))?)
            }
        };
        let credentials = (!settings.username.is_empty()).then(|| {
            Credentials::new(settings.username.clone(), settings.password.reveal().to_owned())
        });
        let server = Server {
            host: settings.server.clone(),
            port: settings.port,
            tls,
            is_implicit: settings.tls == MailTls::Implicit,
            credentials,
            hello: ClientId::Domain(from.domain().to_owned()),
            from,
            from_name: settings.from_name.clone(),
            timeout: Duration::from_millis(settings.timeout_ms),
            sealer,
        };
        Ok(Self { server: Arc::new(server), connection: None })
    }

    async fn attempt(&mut self, mail: &Mail) -> Result<(), Undelivered> {
        let (to, message) = self.server.written(mail)?;
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.has_broken() => connection,
            _ => self.server.connect().await?,
        };
        self.server.hand_over(&mut connection, to, &message).await?;
        self.connection = Some(connection);
        Ok(())
    }
}

impl Carrier for Smtp {
    async fn carry(&mut self, message: &Mail) -> Result<(), Undelivered> {
        let timeout = self.server.timeout;
        // What has failed somewhere in a conversation goes with its connection.
        let attempt = tokio::time::timeout(timeout, self.attempt(message)).await;
        attempt.unwrap_or(Err(Undelivered::Away("timeout")))
    }

    async fn rest(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let _ = tokio::time::timeout(self.server.timeout, connection.quit()).await;
        }
    }
}

fn tls(settings: &Settings) -> Result<TlsParameters, String> {
    let mut parameters =
        TlsParameters::builder(settings.server.clone()).certificate_store(CertificateStore::None);
    for authority in authorities("mail.tls_ca", &settings.tls_ca)? {
        // A machine may have some that nobody can read.
        if let Ok(certificate) = Certificate::from_der(authority.as_ref().to_vec()) {
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    parameters.build_rustls().map_err(|error| error.to_string())
}

impl Server {
    /// The recipient, and the message as it is sent.
    fn written(&self, mail: &Mail) -> Result<(Address, Vec<u8>), Undelivered> {
        let text = super::open(&self.sealer, mail).ok_or(Undelivered::Never("unreadable"))?;
        let to: Address =
            mail.recipient.parse().map_err(|_| Undelivered::Never("recipient_unfit"))?;
        let name = Some(self.from_name.as_str()).filter(|name| !name.is_empty());
        // A title with the end of a line in it would begin another header.
        let title: String = mail.title.chars().filter(|c| !c.is_control()).collect();
        let message = MessageBuilder::new()
            .from(Named::new_address(name, self.from.to_string()))
            .to(mail.recipient.as_str())
            .subject(title)
            .date(mail.created_at.0 / 1000)
            // The same at every attempt, so that readers can tell a mail that arrives twice.
            .message_id(format!("{}@{}", mail.mail_id, self.from.domain()))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body(text)
            .write_to_vec();
        Ok((to, message.map_err(|_| Undelivered::Never("unwritable"))?))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Undelivered> {
        let address = (self.host.as_str(), self.port);
        let at_once = self.tls.clone().filter(|_| self.is_implicit);
        let opened =
            AsyncSmtpConnection::connect_tokio1(address, None, &self.hello, at_once, None).await;
        let mut connection = opened.map_err(|error| Undelivered::Away(class(&error)))?;
        if let Some(tls) = self.tls.clone().filter(|_| !self.is_implicit) {
            // Never without: a password and codes are about to be sent.
            if !connection.can_starttls() {
                return Err(Undelivered::Away("starttls_missing"));
            }
            let upgraded = connection.starttls(tls, &self.hello).await;
            upgraded.map_err(|error| Undelivered::Away(class(&error)))?;
        }
        if let Some(credentials) = &self.credentials {
            let let_in = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            let_in.map_err(|error| match error.status() {
                Some(_) => Undelivered::Away("authentication"),
                None => Undelivered::Away(class(&error)),
            })?;
        }
        Ok(connection)
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        to: Address,
        message: &[u8],
    ) -> Result<(), Undelivered> {
        let is_international = [&self.from, &to].into_iter().any(is_international);
        let parameters = if is_international { vec![MailParameter::SmtpUtfEight] } else { vec![] };
        let from = MailFrom::new(Some(self.from.clone()), parameters);
        connection.command(from).await.map_err(|error| match error.status() {
            // Where the server knows nothing of such addresses, it will never take this one.
            Some(_) if is_international => Undelivered::Never("smtputf8_missing"),
            Some(code) if !NOT_LET_IN.contains(&code.into()) => Undelivered::Away("sender_refused"),
            _ => Undelivered::Away(class(&error)),
        })?;
        let refused = ("recipient_refused", "recipient_deferred");
        connection.command(Rcpt::new(to, vec![])).await.map_err(|error| of(&error, refused))?;
        let refused = ("message_refused", "message_deferred");
        connection.command(Data).await.map_err(|error| of(&error, refused))?;
        connection.message(message).await.map_err(|error| of(&error, refused))?;
        Ok(())
    }
}

/// Whether an address has letters that servers have to be asked about.
fn is_international(address: &Address) -> bool {
    let text: &str = address.as_ref();
    !text.is_ascii()
}

/// What a failure means that concerns one mail, unless it concerns all of them.
fn of(error: &Error, (never, later): (&'static str, &'static str)) -> Undelivered {
    match error.status().map(u16::from) {
        Some(CLOSING) | None => Undelivered::Away(class(error)),
        Some(code) if NOT_LET_IN.contains(&code) => Undelivered::Away("authentication"),
        Some(_) if error.is_permanent() => Undelivered::Never(never),
        Some(_) => Undelivered::Later(later),
    }
}

/// A word for a failure that concerns every mail.
fn class(error: &Error) -> &'static str {
    match error.status().map(u16::from) {
        Some(code) if NOT_LET_IN.contains(&code) => "authentication",
        Some(_) if error.is_permanent() => "server_refused",
        Some(_) => "server_busy",
        None if error.is_tls() || is_of_tls(error) => "tls",
        None if error.is_timeout() => "timeout",
        None if error.is_response() || error.is_client() => "protocol",
        None => "unreachable",
    }
}
