//! Text messages are given to whoever sends them, by one HTTP request each.
//!
//! `{"to", "text"}` as JSON, with a bearer token and the message's id as its idempotency key, so
//! that a request whose answer was lost is free. Redirections are not followed: the secret is for
//! one address.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use gx_engine::{Carrier, Undelivered};
use gx_store::mailbox::Mail;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use crate::app::StartError;
use crate::auth::Sealer;
use crate::authorities::{connector, is_of_tls};
use crate::config::Texts as Settings;

/// Gives text messages to a URL.
#[derive(Clone)]
pub(super) struct Hook(Arc<Parts>);

struct Parts {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    authorization: Option<HeaderValue>,
    timeout: Duration,
    sealer: Sealer,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").field("host", &self.0.url.host()).finish_non_exhaustive()
    }
}

impl Hook {
    pub(super) fn new(settings: &Settings, sealer: Sealer) -> Result<Self, StartError> {
        let wrong = |error: &dyn std::fmt::Display| StartError::Settings(format!("texts: {error}"));
        let url = settings.url.parse::<Uri>().map_err(|error| wrong(&error))?;
        let authorization = if settings.bearer.is_set() {
            let value = HeaderValue::try_from(format!("Bearer {}", settings.bearer.reveal()));
            let mut value = value.map_err(|_| wrong(&"bearer is no value of a header"))?;
            value.set_sensitive(true);
            Some(value)
        } else {
            None
        };
        let is_tls = url.scheme_str() == Some("https");
        let connector = connector("texts.tls_ca", &settings.tls_ca, is_tls);
        let connector = connector.map_err(StartError::Settings)?;
        Ok(Self(Arc::new(Parts {
            client: Client::builder(TokioExecutor::new()).build(connector),
            url,
            authorization,
            timeout: Duration::from_millis(settings.timeout_ms),
            sealer,
        })))
    }

    fn request(&self, mail: &Mail) -> Result<Request<Full<Bytes>>, Undelivered> {
        let text = super::open(&self.0.sealer, mail).ok_or(Undelivered::Never("unreadable"))?;
        let body = json!({ "to": mail.recipient, "text": text }).to_string();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.0.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", mail.mail_id.as_str());
        if let Some(authorization) = &self.0.authorization {
            request = request.header(header::AUTHORIZATION, authorization.clone());
        }
        request.body(Full::from(body)).map_err(|_| Undelivered::Never("unwritable"))
    }
}

impl Carrier for Hook {
    async fn carry(&mut self, message: &Mail) -> Result<(), Undelivered> {
        let sending = self.0.client.request(self.request(message)?);
        match tokio::time::timeout(self.0.timeout, sending).await {
            Ok(Ok(response)) => meaning(response.status()),
            Ok(Err(error)) if is_of_tls(&error) => Err(Undelivered::Away("tls")),
            Ok(Err(_)) => Err(Undelivered::Away("unreachable")),
            Err(_) => Err(Undelivered::Away("timeout")),
        }
    }

    async fn rest(&mut self) {}
}

/// What an answer means for the message.
fn meaning(status: StatusCode) -> Result<(), Undelivered> {
    match status {
        status if status.is_success() => Ok(()),
        StatusCode::BAD_REQUEST | StatusCode::GONE | StatusCode::UNPROCESSABLE_ENTITY => {
            Err(Undelivered::Never("recipient_refused"))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(Undelivered::Away("authentication"))
        }
        StatusCode::TOO_MANY_REQUESTS => Err(Undelivered::Away("server_busy")),
        status if status.is_server_error() => Err(Undelivered::Away("server_busy")),
        // A wrong address, most likely: what waits is sent when that is mended.
        _ => Err(Undelivered::Away("server_refused")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sender_of_texts_answers_decides_about_the_message() {
        for (status, expected) in [
            (202, Ok(())),
            (422, Err(Undelivered::Never("recipient_refused"))),
            (401, Err(Undelivered::Away("authentication"))),
            (302, Err(Undelivered::Away("server_refused"))),
            (429, Err(Undelivered::Away("server_busy"))),
            (503, Err(Undelivered::Away("server_busy"))),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(meaning(status), expected, "{status}");
        }
    }
}
