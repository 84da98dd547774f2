//! Requests to services that the operator's settings name. No address of a stranger comes here.

use std::path::Path;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{self, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::authorities::connector;

/// What is read of an answer.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A service within reach, and how long it may take.
pub(crate) struct Outgoing {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

impl Outgoing {
    /// The service at a URL, which the setting `key` names; an empty `bearer` sends none.
    ///
    /// # Errors
    /// With the key: the bearer cannot be a header, or this machine has no authorities for TLS.
    pub(crate) fn new(
        key: &'static str,
        url: &str,
        bearer: &str,
        timeout: Duration,
    ) -> Result<Self, String> {
        let unfit = |_| format!("{key}: the bearer token has characters that no header can hold");
        let header = |bearer: &str| {
            let mut value = HeaderValue::from_str(&format!("Bearer {bearer}")).map_err(unfit)?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        };
        let authorization = (!bearer.is_empty()).then(|| header(bearer)).transpose()?;
        let connector = connector(key, Path::new(""), !url.starts_with("http://"))?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, authorization, timeout })
    }

    /// Sends a request, and says what was answered, or why nothing was.
    pub(crate) async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(StatusCode, Bytes), String> {
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
        }
        let exchange = async {
            let answer = self.client.request(request).await;
            let (parts, body) = answer.map_err(|error| gx_types::with_causes(&error))?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| gx_types::with_causes(&*error))?.to_bytes();
            Ok((parts.status, body))
        };
        let late = || format!("no answer within {} ms", self.timeout.as_millis());
        tokio::time::timeout(self.timeout, exchange).await.unwrap_or_else(|_| Err(late()))
    }
}
