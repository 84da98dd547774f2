//! An OCI image as an archive: one layer, configuration, manifest, index.
//!
//! Whoever reads it needs nothing of Docker: `skopeo copy oci-archive:FILE`, `k3s ctr images
//! import FILE`. Documents are written with sorted keys, so that one content has one digest.

use std::collections::HashMap;

use anyhow::{Context, Result};
use oci_spec::image::{
    ANNOTATION_CREATED, ANNOTATION_DESCRIPTION, ANNOTATION_LICENSES, ANNOTATION_REF_NAME,
    ANNOTATION_REVISION, ANNOTATION_SOURCE, ANNOTATION_TITLE, ANNOTATION_VERSION, Arch,
    ConfigBuilder, Descriptor, DescriptorBuilder, HistoryBuilder, ImageConfigurationBuilder,
    ImageIndexBuilder, ImageManifestBuilder, MediaType, OciLayoutBuilder, Os, PlatformBuilder,
    RootFsBuilder, SCHEMA_VERSION,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::tree::Tree;

/// Whom the processes of an image run as; it has no name elsewhere.
pub(crate) const USER: u32 = 10001;

/// Where the platform keeps what it keeps, in an image and on a host.
pub(crate) const DATA: &str = "/var/lib/gx";

/// How containerd names an image that it imports.
const IMPORTED_AS: &str = "io.containerd.image.name";

/// How hard the layer is compressed. It takes half a minute for a third less than gzip makes of it.
const ZSTD_LEVEL: i32 = 19;

/// What is told about an image besides its files.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) version: String,
    /// Commit that it was built from.
    pub(crate) revision: String,
    /// Where its sources are, if whoever builds it says so.
    pub(crate) source: Option<String>,
    /// Time of the commit, in seconds since 1970.
    pub(crate) seconds: u64,
    /// What a processor of it is called in Rust's words.
    pub(crate) arch: String,
}

/// An image, and what is to be known of it.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) archive: Vec<u8>,
    /// Digest of the manifest, by which clusters name the image.
    pub(crate) digest: String,
    /// Bytes that have to be moved: layer, configuration and manifest.
    pub(crate) compressed: usize,
    /// Bytes of the files.
    pub(crate) unpacked: usize,
}

/// `sha256:` and the digest.
pub(crate) fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

/// Takes the image together.
pub(crate) fn make(files: &Tree, about: &About) -> Result<Image> {
    let tar = files.tar(about.seconds)?;
    let layer = zstd::encode_all(tar.as_slice(), ZSTD_LEVEL)?;
    let config = document(&configuration(about, &tar)?)?;
    let layer_at = described(MediaType::ImageLayerZstd, &layer)?;
    let config_at = described(MediaType::ImageConfig, &config)?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(config_at)
        .layers(vec![layer_at])
        .annotations(annotations(about)?)
        .build()?;
    let manifest = document(&manifest)?;
    let mut manifest_at = described(MediaType::ImageManifest, &manifest)?;
    let platform = PlatformBuilder::default().architecture(arch(about)).os(Os::Linux).build()?;
    manifest_at.set_platform(Some(platform));
    manifest_at.set_annotations(Some(HashMap::from([
        (ANNOTATION_REF_NAME.to_owned(), about.version.clone()),
        (IMPORTED_AS.to_owned(), format!("localhost/gx:{}", about.version)),
    ])));
    let index = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(vec![manifest_at])
        .build()?;
    let layout = OciLayoutBuilder::default().image_layout_version("1.0.0").build()?;
    let (digest, compressed) = (digest(&manifest), layer.len() + config.len() + manifest.len());
    let mut all = Tree::default();
    all.file("index.json", 0o644, document(&index)?);
    all.file("oci-layout", 0o644, document(&layout)?);
    for blob in [manifest, config, layer] {
        let name = self::digest(&blob).replace(':', "/");
        all.file(&format!("blobs/{name}"), 0o644, blob);
    }
    let unpacked = files.files().map(|(_, content)| content.len()).sum();
    Ok(Image { archive: all.tar(about.seconds)?, digest, compressed, unpacked })
}

fn configuration(about: &About, tar: &[u8]) -> Result<impl Serialize + use<>> {
    let created = created(about)?;
    let process = ConfigBuilder::default()
        .user(format!("{USER}:{USER}"))
        .entrypoint(vec!["/usr/bin/gx".to_owned()])
        .cmd(vec!["up".to_owned()])
        // A container has an address of its own; who may reach it is its network's matter.
        .env(vec![
            "PATH=/usr/bin".to_owned(),
            format!("GX_DATA_DIR={DATA}"),
            "GX_HTTP__ADDRESS=0.0.0.0".to_owned(),
        ])
        .working_dir(DATA)
        .labels(annotations(about)?)
        .build()?;
    let layers = RootFsBuilder::default().typ("layers").diff_ids(vec![digest(tar)]).build()?;
    let history = HistoryBuilder::default()
        .created(created.clone())
        .created_by("cargo xtask image")
        .build()?;
    let configuration = ImageConfigurationBuilder::default()
        .created(created)
        .architecture(arch(about))
        .os(Os::Linux)
        .config(process)
        .rootfs(layers)
        .history(vec![history])
        .build()?;
    Ok(configuration)
}

fn annotations(about: &About) -> Result<HashMap<String, String>> {
    let text = "GX Protocol: services, ledger, read models and tools of a digital currency";
    let mut all = vec![
        (ANNOTATION_CREATED, created(about)?),
        (ANNOTATION_DESCRIPTION, text.to_owned()),
        (ANNOTATION_LICENSES, "Apache-2.0".to_owned()),
        (ANNOTATION_REVISION, about.revision.clone()),
        (ANNOTATION_TITLE, "gx".to_owned()),
        (ANNOTATION_VERSION, about.version.clone()),
    ];
    all.extend(about.source.clone().map(|source| (ANNOTATION_SOURCE, source)));
    Ok(all.into_iter().map(|(name, text)| (name.to_owned(), text)).collect())
}

fn created(about: &About) -> Result<String> {
    let seconds = i64::try_from(about.seconds).context("the time of the commit")?;
    Ok(jiff::Timestamp::from_second(seconds).context("the time of the commit")?.to_string())
}

/// What Go, and with it every container engine, calls a processor.
fn arch(about: &About) -> Arch {
    Arch::from(match about.arch.as_str() {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    })
}

fn described(media_type: MediaType, content: &[u8]) -> Result<Descriptor> {
    let described = DescriptorBuilder::default()
        .media_type(media_type)
        .digest(digest(content).parse::<oci_spec::image::Digest>()?)
        .size(content.len() as u64);
    Ok(described.build()?)
}

/// The library keeps annotations in maps without an order.
fn document(of: &impl Serialize) -> Result<Vec<u8>> {
    let mut value = serde_json::to_value(of)?;
    value.sort_all_objects();
    Ok(serde_json::to_vec(&value)?)
}
