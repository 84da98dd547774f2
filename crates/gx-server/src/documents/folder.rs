//! Objects as files of a folder, readable by the owner alone. A file is there whole or not at all.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use axum::body::Bytes;

use super::Away;

/// A folder of objects.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Names are hexadecimal digits of ours; the first two are a folder of their own, as folders
    /// with very many files are slow.
    fn path(&self, key: &str) -> PathBuf {
        let (shard, rest) = key.split_at_checked(2).unwrap_or(("", key));
        self.0.join(shard).join(rest)
    }

    pub(super) async fn put(&self, key: &str, bytes: Bytes) -> Result<(), Away> {
        let path = self.path(key);
        blocking(move || write(&path, &bytes)).await
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Bytes>, Away> {
        let path = self.path(key);
        blocking(move || there(std::fs::read(&path)).map(|bytes| bytes.map(Bytes::from))).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Away> {
        let path = self.path(key);
        blocking(move || {
            there(std::fs::remove_file(draft(&path)))?;
            there(std::fs::remove_file(&path)).map(drop)
        })
        .await
    }

    /// Makes the folder, if need be, and looks whether something can be written there.
    pub(super) async fn probe(&self) -> Result<(), Away> {
        let folder = self.0.clone();
        blocking(move || {
            make(&folder)?;
            let meta = std::fs::metadata(&folder)?;
            let read_only = || io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only");
            if meta.permissions().readonly() { Err(read_only()) } else { Ok(()) }
        })
        .await
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    make(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft(path))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(draft(path), path)?;
    // The name is as durable as the content only once its folder is written as well.
    std::fs::File::open(folder)?.sync_all()
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn draft(path: &Path) -> PathBuf {
    path.with_extension("draft")
}

/// `None` for what is not there.
fn there<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Away> {
    Ok(tokio::task::spawn_blocking(work).await??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn objects_are_kept_for_their_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::new(home.path().join("documents"));
        folder.probe().await.unwrap();
        assert_eq!(folder.get("abcd").await.unwrap(), None);
        folder.put("abcd", Bytes::from_static(b"1")).await.unwrap();
        folder.put("abcd", Bytes::from_static(b"22")).await.unwrap();
        assert_eq!(folder.get("abcd").await.unwrap().unwrap(), &b"22"[..]);
        let path = home.path().join("documents/ab/cd");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        folder.delete("abcd").await.unwrap();
        folder.delete("abcd").await.unwrap();
        assert!(!path.exists());
    }
}
