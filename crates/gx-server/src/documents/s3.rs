//! Objects in a bucket of a store that speaks S3.
//!
//! Requests are signed in their URL, for a minute; the store sees sealed bytes under names of ours.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, Response, StatusCode, Uri, header};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rusty_s3::{Bucket, Credentials, S3Action as _, UrlStyle};
use url::Url;

use super::Away;
use crate::authorities::connector;
use crate::config::Documents;

/// How long a request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a signed URL is good for.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// A bucket, and how it is reached.
pub(super) struct S3 {
    bucket: Bucket,
    credentials: Credentials,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// The largest object that is read.
    bytes_max: usize,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3").field("bucket", &self.bucket.name()).finish_non_exhaustive()
    }
}

/// The store has answered, but not as it should.
#[derive(Debug, thiserror::Error)]
#[error("the object store answered {0}")]
struct Answered(StatusCode);

impl S3 {
    pub(super) fn new(settings: &Documents) -> Result<Self, String> {
        let wrong = |what: &dyn std::fmt::Display| format!("documents.endpoint: {what}");
        let endpoint = settings.endpoint.parse::<Url>().map_err(|error| wrong(&error))?;
        let style = if settings.path_style { UrlStyle::Path } else { UrlStyle::VirtualHost };
        let (name, region) = (settings.bucket.clone(), settings.region.clone());
        let bucket = Bucket::new(endpoint, style, name, region).map_err(|error| wrong(&error))?;
        let credentials = Credentials::new(&settings.access_key, settings.secret_key.reveal());
        let is_tls = settings.endpoint.starts_with("https:");
        let connector = connector("documents.tls_ca", &settings.tls_ca, is_tls)?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { bucket, credentials, client, bytes_max: settings.bytes_max.saturating_mul(8) })
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), Away> {
        let action = self.bucket.put_object(Some(&self.credentials), key);
        let url = action.sign(SIGNED_FOR);
        expect(&self.send(Method::PUT, url.as_str(), bytes).await?)
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, Away> {
        let action = self.bucket.get_object(Some(&self.credentials), key);
        let answer = self.send(Method::GET, action.sign(SIGNED_FOR).as_str(), Bytes::new()).await?;
        if has_no_object(&answer) {
            return Ok(None);
        }
        expect(&answer)?;
        Ok(Some(answer.into_body()))
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Away> {
        let action = self.bucket.delete_object(Some(&self.credentials), key);
        let url = action.sign(SIGNED_FOR);
        let answer = self.send(Method::DELETE, url.as_str(), Bytes::new()).await?;
        if has_no_object(&answer) { Ok(()) } else { expect(&answer) }
    }

    pub(super) async fn probe(&self) -> Result<(), Away> {
        let url = self.bucket.head_bucket(Some(&self.credentials)).sign(SIGNED_FOR);
        expect(&self.send(Method::HEAD, url.as_str(), Bytes::new()).await?)
    }

    async fn send(&self, method: Method, url: &str, body: Bytes) -> Result<Response<Bytes>, Away> {
        let uri: Uri = url.parse()?;
        let request = Request::builder().method(method).uri(uri);
        let request = request.header(header::CONTENT_LENGTH, body.len()).body(Full::new(body))?;
        let exchange = async {
            let (parts, body) = self.client.request(request).await?.into_parts();
            let body = Limited::new(body, self.bytes_max).collect().await?.to_bytes();
            Ok::<_, Away>(Response::from_parts(parts, body))
        };
        tokio::time::timeout(DEADLINE, exchange).await?
    }
}

/// Whether the store has answered that there is no such object. Where there is no such bucket, its
/// objects may well be there, and who takes it for an answer forgets them.
fn has_no_object(answer: &Response<Bytes>) -> bool {
    let has_bucket =
        || !String::from_utf8_lossy(answer.body()).contains("<Code>NoSuchBucket</Code>");
    answer.status() == StatusCode::NOT_FOUND && has_bucket()
}

fn expect(answer: &Response<Bytes>) -> Result<(), Away> {
    let status = answer.status();
    if status.is_success() { Ok(()) } else { Err(Answered(status).into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_bucket_is_no_missing_object() {
        let answer = |status: u16, code: &str| {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>");
            let mut answer = Response::new(Bytes::from(body));
            *answer.status_mut() = StatusCode::from_u16(status).unwrap();
            answer
        };
        assert!(has_no_object(&answer(404, "NoSuchKey")));
        assert!(!has_no_object(&answer(404, "NoSuchBucket")));
        assert!(!has_no_object(&answer(403, "AccessDenied")));
    }
}
