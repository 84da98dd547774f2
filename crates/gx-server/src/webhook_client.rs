//! Writes what the messenger sends: messages signed as the Standard Webhooks specification says,
//! and mail.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use gx_engine::{Sent, WebhookClient};
use gx_store::Tx;
use gx_store::notifications::DueMail;
use gx_store::webhooks::Webhook;
use gx_store::webhooks::deliveries::Delivery;
use gx_types::TimeMs;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::auth::{Sealer, entropy};
use crate::calendar::{now_ms, rfc3339};
use crate::error::{Error, Result};
use crate::mail::{self, Letter};
use crate::outbound::{Outbound, Target};

/// What secrets begin with, so that they are known where they turn up.
const PREFIX: &str = "whsec_";

/// How long mail is kept for whoever delivers it.
const MAIL_MS: i64 = 7 * 24 * 3600 * 1000;

/// A new secret: as it is shown, once.
pub(crate) fn new_secret() -> Result<String> {
    let bytes = entropy::<32>().map_err(Error::internal)?;
    Ok(format!("{PREFIX}{}", BASE64.encode(bytes)))
}

/// What the sealed secret of an endpoint is.
pub(crate) fn sealed_of(webhook_id: &str) -> String {
    format!("webhook {webhook_id}")
}

/// Sends over the internet, and puts mail into the mailbox.
#[derive(Debug, Clone)]
pub(crate) struct HttpWebhookClient {
    pub(crate) outbound: Outbound,
    pub(crate) sealer: Sealer,
}

impl HttpWebhookClient {
    /// The secrets that sign at a time, the present one first.
    fn secrets(&self, endpoint: &Webhook, at: TimeMs) -> Option<Vec<Vec<u8>>> {
        let previous = endpoint.previous.iter().filter(|(_, until)| at < *until);
        let sealed = std::iter::once(&endpoint.secret).chain(previous.map(|(secret, _)| secret));
        let of = sealed_of(&endpoint.webhook_id);
        let open = |sealed: &String| {
            let shown = String::from_utf8(self.sealer.open(&of, sealed)?).ok()?;
            BASE64.decode(shown.strip_prefix(PREFIX)?).ok()
        };
        sealed.map(open).collect()
    }

    async fn deliver(
        &self,
        endpoint: &Webhook,
        delivery: &Delivery,
        at: TimeMs,
    ) -> std::result::Result<u16, String> {
        let target = Target::parse(&endpoint.url).map_err(|fault| fault.to_string())?;
        let unreadable = || "its secret was sealed under another key".to_owned();
        let secrets = self.secrets(endpoint, at).ok_or_else(unreadable)?;
        let body = body(delivery);
        let headers = headers(&delivery.message_id, at.0.div_euclid(1000), &body, &secrets);
        let headers = headers.ok_or_else(|| "the message cannot be signed".to_owned())?;
        let sent = self.outbound.post(&target, headers, body.into()).await;
        sent.map_err(|fault| fault.to_string())
    }
}

impl WebhookClient for HttpWebhookClient {
    async fn send(&self, endpoint: &Webhook, delivery: &Delivery, at: TimeMs) -> Sent {
        match self.deliver(endpoint, delivery, at).await {
            Ok(status) => Sent::Answered(status),
            Err(reason) => Sent::Failed(reason),
        }
    }

    async fn post(
        &self,
        tx: &mut Tx,
        mail: &DueMail,
        address: &str,
    ) -> std::result::Result<(), String> {
        let body = format!("{}\n", mail.message);
        let letter = Letter {
            recipient: address,
            title: &mail.title,
            body: &body,
            expires_at: TimeMs(now_ms().saturating_add(MAIL_MS)),
        };
        mail::put(&self.sealer, tx, letter).await.map_err(|error| error.chain())
    }
}

/// The body of a message: the same bytes at every attempt.
fn body(delivery: &Delivery) -> String {
    let Delivery { event_type, data, occurred_at, .. } = delivery;
    let timestamp = rfc3339(occurred_at.0);
    // Types of events and times have nothing that JSON would escape.
    format!(r#"{{"type":"{event_type}","timestamp":"{timestamp}","data":{data}}}"#)
}

fn headers(id: &str, seconds: i64, body: &str, secrets: &[Vec<u8>]) -> Option<HeaderMap> {
    let signed = format!("{id}.{seconds}.{body}");
    let signature = |secret: &Vec<u8>| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        mac.update(signed.as_bytes());
        Some(format!("v1,{}", BASE64.encode(mac.finalize().into_bytes())))
    };
    let signatures: Option<Vec<String>> = secrets.iter().map(signature).collect();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("gx-webhooks/1"));
    for (name, text) in [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures?.join(" ")),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::try_from(text).ok()?);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_signature_is_that_of_the_specification() {
        let secret = BASE64.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let headers = headers(id, 1_614_265_330, body, std::slice::from_ref(&secret)).unwrap();
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers["webhook-signature"], signature);
        assert_eq!(
            (&headers["webhook-id"], &headers["webhook-timestamp"]),
            (&HeaderValue::from_static(id), &HeaderValue::from_static("1614265330"))
        );
        let both = super::headers(id, 1_614_265_330, body, &[secret, vec![1; 32]]).unwrap();
        let both = both["webhook-signature"].to_str().unwrap().to_owned();
        assert!(both.starts_with(signature) && both.split(' ').count() == 2, "{both}");
    }

    #[test]
    fn secrets_have_the_form_of_the_specification() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one, two);
        let bytes = BASE64.decode(one.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
    }
}
