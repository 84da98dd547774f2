//! A document on its way in: a form with a file, or JSON with the file as base64.
//!
//! It is read whole before anything is looked at, in one of the places that the process has for
//! uploads, so that one that ends early leaves nothing behind.

use axum::body::Bytes;
use axum::extract::{FromRef as _, FromRequest, Request};
use axum::http::StatusCode;
use gx_store::identity::documents::DocumentType;
use gx_types::CountryCode;
use serde::{Deserialize, Serialize};

use super::fields::{Day, DocumentNumber, FileContent, FileHash, document_types};
use crate::api::{Input, Shape};
use crate::app::App;
use crate::auth::{Logins, Sealer};
use crate::documents::Documents;
use crate::error::{Error, Result};
use crate::http::extract::{self, Body, BodyLimits};
use crate::http::fields::{Count, FieldPath, Text, listed_fields, one_of, request};
use crate::http::multipart;

/// Which side of a document a picture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Front,
    Back,
}

impl Side {
    const ALL: [Self; 2] = [Self::Front, Self::Back];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Front => "FRONT",
            Self::Back => "BACK",
        }
    }
}

listed_fields! {
    Side: "invalid_side";
}

pub(crate) fn sides(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    one_of(Side::ALL.map(Side::as_str))
}

request! {
    /// What stands on a document.
    pub(crate) struct DetailsBody {
        number as "documentNumber": Option<DocumentNumber>,
        country as "issuingCountry": Option<CountryCode>,
        issued as "issuedDate": Option<Day>,
        expires as "expiryDate": Option<Day>,
    }
}

request! {
    /// A document. In a form, `file` is a file and `metadata` is JSON.
    pub(crate) struct UploadBody {
        file as "file": FileContent,
        /// What the client calls it. Nothing is named by it.
        #[expect(dead_code, reason = "read so that it is known, and then left alone")]
        file_name as "fileName": Option<Text<0, 255>>,
        /// Must be what the content says.
        mime as "mimeType": Option<Text<0, 100>>,
        #[schemars(schema_with = "document_types")]
        document_type as "documentType": DocumentType,
        #[schemars(schema_with = "sides")]
        side as "side": Option<Side>,
        /// SHA-256 of the file, which is compared.
        hash as "hash": Option<FileHash>,
        /// Length of the file in bytes, which is compared.
        size as "size": Option<Count<1, 33_554_432>>,
        metadata as "metadata": Option<DetailsBody>,
    }
}

/// What stands on a document, as it is sealed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) number: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) issued: Option<String>,
    pub(crate) expires: Option<String>,
    /// What was said to exist without being uploaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) declared: Vec<String>,
}

impl From<DetailsBody> for Details {
    fn from(body: DetailsBody) -> Self {
        Self {
            number: body.number.map(|number| number.0),
            country: body.country.map(|country| country.to_string()),
            issued: body.issued.map(|day| day.0.to_string()),
            expires: body.expires.map(|day| day.0.to_string()),
            declared: Vec::new(),
        }
    }
}

impl Details {
    /// As it is stored; `of` says of what.
    pub(crate) fn sealed(&self, sealer: &Sealer, of: &str) -> Result<String> {
        let text = serde_json::to_vec(self).map_err(Error::internal)?;
        sealer.seal(of, &text)
    }

    pub(crate) fn opened(sealer: &Sealer, of: &str, sealed: &str) -> Result<Self> {
        let text = sealer.open(of, sealed);
        let text = text.ok_or_else(|| Error::internal("details under another key"))?;
        serde_json::from_slice(&text).map_err(Error::internal)
    }

    /// Tells one number from another within a country, under the network's key. One whose country
    /// is not said is its own.
    pub(crate) fn number_hash(&self, logins: &Logins) -> Option<String> {
        let number = self.number.as_deref()?;
        let country = self.country.as_deref().unwrap_or_default();
        Some(logins.pepper().of_document(country, number))
    }
}

/// A document as it was sent.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) file: Bytes,
    pub(crate) body: UploadBody,
}

impl FromRequest<App> for Upload {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let documents = Documents::from_ref(app);
        let _place = documents.place()?;
        let boundary = multipart::boundary(request.headers());
        if boundary.is_none() && !extract::is_json(request.headers()) {
            return Err(Error::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "A document comes as multipart/form-data, or as application/json in UTF-8",
            ));
        }
        let limits = BodyLimits::upload(&app.config().http, documents.bytes_max());
        let bytes = limits.read(request).await?;
        let Some(boundary) = boundary else {
            let mut body: UploadBody = extract::read(&extract::parsed(&bytes)?, FieldPath::Root)?;
            let file = std::mem::take(&mut body.file.0).into();
            return Ok(Self { file, body });
        };
        let form = multipart::read(bytes, &boundary, &["metadata"]).await?;
        let mut fields = form.fields;
        // In a form everything is text.
        if let Some(size) = fields.get_mut("size")
            && let Some(number) = size.as_str().and_then(|text| text.parse::<u64>().ok())
        {
            *size = number.into();
        }
        Ok(Self { file: form.file, body: extract::read(&fields, FieldPath::Root)? })
    }
}

impl Input for Upload {
    fn describe(shape: &mut Shape) {
        Body::<UploadBody>::describe(shape);
        shape.uploads = true;
        shape.fails(&[
            (400, "malformed_multipart"),
            (409, "too_many_documents"),
            (422, "document_infected"),
            (503, "busy"),
            (503, "document_store_unavailable"),
            (503, "scanner_unavailable"),
        ]);
    }
}
