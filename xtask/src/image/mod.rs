//! `cargo xtask image`: the one image of all roles, as an OCI archive, made without a container
//! engine.
//!
//! It has the binary in it, the shared libraries that this loads, certificate authorities and the
//! names of two users, and nothing that could run besides. What is made of one commit with the same
//! compiler and libraries is the same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

pub(crate) mod archive;
pub(crate) mod build;
pub(crate) mod libraries;
mod parts;
#[cfg(test)]
mod tests;
pub(crate) mod tree;
mod trial;

use archive::{About, DATA, Image, USER};
use build::{Built, Commit};
use tree::Tree;

/// What is more than this takes too long to bring to a node at the other end of the world.
const COMPRESSED_MAX: usize = 20_000_000;

/// Makes the image.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Builds twice, each time from nothing, and compares the digests.
    #[arg(long)]
    check_reproducible: bool,
    /// Runs the platform from the image's files alone, as root of this machine, and measures it.
    #[arg(long)]
    r#try: bool,
    /// A binary that was built already, in place of a build.
    #[arg(long, value_name = "FILE", conflicts_with = "check_reproducible")]
    binary: Option<PathBuf>,
    /// Where the sources are published, for the image's annotations.
    #[arg(long, value_name = "URL", env = "GX_IMAGE_SOURCE")]
    source: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = build::folder();
    let built = match &args.binary {
        Some(binary) => build::prepare(binary, &folder.join("build"), build::commit()?)?,
        None => build::run("build")?,
    };
    let about = about(&built.about, args.source.clone());
    let files = files(&built.binary)?;
    let image = archive::make(&files, &about)?;
    if args.check_reproducible {
        check_again(&image, args)?;
    }
    let path = write(&folder, &built, &about, &image)?;
    if args.r#try {
        trial::run(&path, &about.version)?;
    }
    ensure!(
        image.compressed <= COMPRESSED_MAX,
        "the image has {} bytes compressed, more than {COMPRESSED_MAX}",
        image.compressed
    );
    Ok(())
}

pub(crate) fn about(commit: &Commit, source: Option<String>) -> About {
    About {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        revision: commit.revision.clone(),
        source,
        seconds: commit.seconds,
        arch: std::env::consts::ARCH.to_owned(),
    }
}

/// A build in another folder, of which nothing may be seen.
fn check_again(image: &Image, args: &Args) -> Result<()> {
    let again = build::run("again")?;
    let made = archive::make(&files(&again.binary)?, &about(&again.about, args.source.clone()))?;
    if made.digest != image.digest {
        bail!("two builds of one commit differ: {} and {}", image.digest, made.digest);
    }
    eprintln!("both builds are {}", image.digest);
    Ok(())
}

/// Where this machine keeps the authorities that it trusts.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The root file system.
fn files(binary: &Path) -> Result<Tree> {
    let mut tree = Tree::default();
    tree.copy("usr/bin/gx", 0o755, binary)?;
    for library in libraries::of(binary)? {
        tree.copy(&library.to_string_lossy(), 0o755, &library)?;
    }
    let missing = "the package ca-certificates is not installed";
    tree.copy(AUTHORITIES, 0o644, Path::new(AUTHORITIES)).context(missing)?;
    let nobody = format!("gx:x:{USER}:{USER}::{DATA}:/\n");
    tree.file("etc/passwd", 0o644, format!("root:x:0:0::/:/\n{nobody}"));
    tree.file("etc/group", 0o644, format!("root:x:0:\ngx:x:{USER}:\n"));
    // Names of hosts: first the file that Kubernetes writes, then DNS.
    tree.file("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n");
    tree.folder(DATA, 0o750, USER);
    tree.folder("tmp", 0o1777, 0);
    Ok(tree)
}

/// The files that are this machine's.
fn from_here(binary: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = libraries::of(binary)?.into_iter().collect();
    files.push(AUTHORITIES.into());
    Ok(files)
}

/// What the binary alone is made of.
pub(crate) fn bill_of(built: &Built, about: &About) -> Result<String> {
    parts::bill(&built.packages, &[], about)
}

/// Writes image, symbols and bill of materials, and prints what they are as one line of JSON.
fn write(folder: &Path, built: &Built, about: &About, image: &Image) -> Result<PathBuf> {
    let name = format!("gx-{}", about.version);
    let target = built.binary.parent().context("the folder of the build")?;
    let from_here = from_here(&built.binary)?;
    let bill = parts::bill(&built.packages, &from_here, about)?;
    let symbols = build::symbols(target, &built.about)?;
    let put = |name: &str, content: &[u8]| -> Result<PathBuf> {
        let path = folder.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    };
    let path = put(&format!("{name}.oci.tar"), &image.archive)?;
    let symbols_at = put(&format!("{name}.symbols.tar.gz"), &symbols)?;
    let bill_at = put(&format!("{name}.cdx.json"), bill.as_bytes())?;
    let line = json!({
        "image": path,
        "digest": image.digest,
        "revision": about.revision,
        "compressedBytes": image.compressed,
        "compressedBytesMax": COMPRESSED_MAX,
        "unpackedBytes": image.unpacked,
        "binaryBytes": fs::metadata(&built.binary)?.len(),
        "libraries": from_here,
        "symbols": symbols_at,
        "symbolsBytes": symbols.len(),
        "billOfMaterials": bill_at,
        "billDigest": archive::digest(bill.as_bytes()),
        "crates": built.packages.len(),
    });
    println!("{line}");
    Ok(path)
}
