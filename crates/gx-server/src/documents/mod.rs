//! Files that people show: taken in, looked into, sealed, kept, and given out again.
//!
//! What comes in is a stranger's. Its type follows from its content, a scanner looks at it as it
//! came, and pictures are drawn anew, so that nothing but the picture is kept. Objects have names
//! of ours and are sealed with the network's key: whoever has the store alone has nothing.
//!
//! An object is announced in the database before it is written, and is a document's or is swept.

mod clamd;
mod folder;
mod inspect;
mod pdf;
mod pictures;
mod s3;

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::Bytes;
use gx_store::Store;
use gx_store::identity::documents::{self, Document};
use gx_types::TimeMs;
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::auth::{Sealer, random_id};
use crate::calendar::now_ms;
use crate::config::{Config, DocumentStore};
use crate::error::{Error, Result};
use clamd::Clamd;
use folder::Folder;
pub(crate) use inspect::{Kind, Misfit};
use s3::S3;

/// Documents that one person may have.
pub(crate) const DOCUMENTS_MAX: u64 = 100;

/// Uploads that this process takes at once: each is held in memory whole.
const UPLOADS_MAX: usize = 32;

/// Pictures that are drawn anew at once: each may need many times its size.
const DRAWINGS_MAX: usize = 2;

/// After this an object that was announced and became nobody's is swept. No upload takes as long.
const SWEEP_AFTER_MS: i64 = 60 * 60 * 1000;

/// How often this process looks for objects to sweep.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Objects swept in one go.
const SWEPT_MAX: u32 = 100;

/// Why the place of the objects does not answer. For the log and for operators.
type Away = Box<dyn std::error::Error + Send + Sync>;

/// Where objects lie.
#[derive(Debug)]
enum Objects {
    Folder(Folder),
    S3(Box<S3>),
}

/// The documents of this process's settings. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Documents(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    objects: Objects,
    scanner: Option<Clamd>,
    store: Store,
    sealer: Sealer,
    accepted: Vec<Kind>,
    bytes_max: usize,
    uploads: Semaphore,
    drawings: Semaphore,
}

/// What came in, looked at and drawn anew.
#[derive(Debug)]
pub(crate) struct Cleaned {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
    /// Of what came.
    pub(crate) received_sha256: String,
    /// `CLEAN`, or `SKIPPED` where there is no scanner.
    pub(crate) scan: &'static str,
}

/// Why a file is not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is not what is asked for.
    Misfit(Misfit),
    /// The scanner has found this in it.
    Infected { signature: String, sha256: String },
}

/// A sealed object that is written and not yet a document's.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) object_key: String,
    pub(crate) sha256: String,
    pub(crate) size_bytes: u64,
}

impl Documents {
    /// Prepares the way to the objects; whether their place answers is seen with the first one.
    ///
    /// # Errors
    /// When the settings name no place.
    pub(crate) fn open(
        config: &Config,
        store: Store,
        sealer: Sealer,
    ) -> std::result::Result<Self, String> {
        let settings = &config.documents;
        let objects = match settings.store {
            DocumentStore::Folder => Objects::Folder(Folder::new(config.documents_dir())),
            DocumentStore::S3 => Objects::S3(Box::new(S3::new(settings)?)),
        };
        let kind = |text: &String| Kind::ALL.into_iter().find(|kind| kind.media_type() == text);
        let documents = Self(Arc::new(Inner {
            objects,
            scanner: Clamd::new(&settings.clamav),
            store,
            sealer,
            accepted: settings.accepted_types.iter().filter_map(kind).collect(),
            bytes_max: settings.bytes_max,
            uploads: Semaphore::new(UPLOADS_MAX),
            drawings: Semaphore::new(DRAWINGS_MAX),
        }));
        tokio::spawn(sweep(Arc::downgrade(&documents.0)));
        Ok(documents)
    }

    pub(crate) fn accepted(&self) -> &[Kind] {
        &self.0.accepted
    }

    pub(crate) fn bytes_max(&self) -> usize {
        self.0.bytes_max
    }

    /// A place for one upload.
    pub(crate) fn place(&self) -> Result<SemaphorePermit<'_>> {
        let message = "Too many documents are being taken; the same request may be sent again";
        self.0.uploads.try_acquire().map_err(|_| Error::unavailable("busy", message))
    }

    /// Looks into a file that came.
    ///
    /// # Errors
    /// When the scanner does not answer: then nothing is taken.
    pub(crate) async fn clean(
        &self,
        file: Bytes,
        declared: Option<&str>,
    ) -> Result<std::result::Result<Cleaned, Refused>> {
        let kind = match inspect::kind_of(&file, self.0.bytes_max, declared, &self.0.accepted) {
            Ok(kind) => kind,
            Err(misfit) => return Ok(Err(Refused::Misfit(misfit))),
        };
        let received_sha256 = hex::encode(Sha256::digest(&file));
        let mut scan = "SKIPPED";
        if let Some(scanner) = &self.0.scanner {
            scan = "CLEAN";
            if let Some(signature) = scanner.scan(&file).await.map_err(unscanned)? {
                return Ok(Err(Refused::Infected { signature, sha256: received_sha256 }));
            }
        }
        // The semaphore is never closed.
        let place = self.0.drawings.acquire().await.map_err(Error::internal)?;
        let drawn = tokio::task::spawn_blocking(move || inspect::redraw(kind, &file)).await;
        drop(place);
        Ok(match drawn {
            Ok(Ok((kind, bytes))) => Ok(Cleaned { kind, bytes, received_sha256, scan }),
            Ok(Err(misfit)) => Err(Refused::Misfit(misfit)),
            // A decoder that gave up in its own way.
            Err(_) => Err(Refused::Misfit(inspect::DAMAGED)),
        })
    }

    /// Seals and writes an object, which is swept unless it becomes a document's.
    pub(crate) async fn keep(&self, document_id: &str, bytes: &[u8]) -> Result<Kept> {
        let object_key = random_id().map_err(Error::internal)?;
        let sealed = self.0.sealer.seal_bytes(&sealed_of(document_id), bytes)?;
        let mut tx = self.0.store.begin().await?;
        let due_at = TimeMs(now_ms().saturating_add(SWEEP_AFTER_MS));
        documents::loosen(&mut tx, &object_key, due_at).await?;
        tx.commit().await?;
        self.0.objects.put(&object_key, sealed.into()).await.map_err(away)?;
        let sha256 = hex::encode(Sha256::digest(bytes));
        Ok(Kept { object_key, sha256, size_bytes: bytes.len() as u64 })
    }

    /// The content of a document.
    pub(crate) async fn read(&self, document: &Document) -> Result<Vec<u8>> {
        let sealed = self.0.objects.get(&document.object_key).await.map_err(away)?;
        let lost = || Error::internal(format!("document {} has no object", document.document_id));
        let sealed = sealed.ok_or_else(lost)?;
        let opened = self.0.sealer.open_bytes(&sealed_of(&document.document_id), &sealed);
        let changed = || format!("the object of document {} was changed", document.document_id);
        opened.ok_or_else(|| Error::internal(changed()))
    }

    /// Deletes objects that are nobody's by now. What cannot be deleted now is tried again later.
    pub(crate) async fn sweep(&self) {
        self.0.sweep().await;
    }

    /// Whether the place of the objects answers.
    pub(crate) async fn probe(&self) -> std::result::Result<(), Away> {
        self.0.objects.probe().await
    }

    /// Whether the scanner answers; `None` where there is none.
    pub(crate) fn probe_scanner(
        &self,
    ) -> Option<impl Future<Output = std::result::Result<(), Away>>> {
        self.0.scanner.as_ref().map(Clamd::ping)
    }
}

impl Inner {
    async fn sweep(&self) {
        if let Err(error) = self.sweep_due().await {
            tracing::warn!(error = error.chain(), "objects without a document were not deleted");
        }
    }

    async fn sweep_due(&self) -> Result<()> {
        for object_key in documents::due(&self.store, TimeMs(now_ms()), SWEPT_MAX).await? {
            self.objects.delete(&object_key).await.map_err(away)?;
            let mut tx = self.store.begin().await?;
            documents::forget(&mut tx, &object_key).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl Objects {
    async fn put(&self, key: &str, bytes: Bytes) -> std::result::Result<(), Away> {
        match self {
            Self::Folder(folder) => folder.put(key, bytes).await,
            Self::S3(s3) => s3.put(key, bytes).await,
        }
    }

    async fn get(&self, key: &str) -> std::result::Result<Option<Bytes>, Away> {
        match self {
            Self::Folder(folder) => folder.get(key).await,
            Self::S3(s3) => s3.get(key).await,
        }
    }

    /// One that is not there is deleted already.
    async fn delete(&self, key: &str) -> std::result::Result<(), Away> {
        match self {
            Self::Folder(folder) => folder.delete(key).await,
            Self::S3(s3) => s3.delete(key).await,
        }
    }

    async fn probe(&self) -> std::result::Result<(), Away> {
        match self {
            Self::Folder(folder) => folder.probe().await,
            Self::S3(s3) => s3.probe().await,
        }
    }
}

/// Sweeps as long as the process serves documents. Several processes may: an object is deleted
/// twice as well as once.
async fn sweep(documents: Weak<Inner>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let Some(documents) = documents.upgrade() else { return };
        documents.sweep().await;
    }
}

/// What a sealed object is, and of which document.
fn sealed_of(document_id: &str) -> String {
    format!("document {document_id}")
}

fn away(error: Away) -> Error {
    let message = "The document store does not answer; the same request may be sent again later";
    Error::unavailable("document_store_unavailable", message).retry_after(30).because(error)
}

fn unscanned(error: Away) -> Error {
    let message = "Documents cannot be checked for viruses now and are not taken; try again later";
    Error::unavailable("scanner_unavailable", message).retry_after(60).because(error)
}
