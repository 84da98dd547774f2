//! `cargo xtask deb`: a Debian package of the binary, its units, completions and manual pages.
//!
//! It is an `ar` archive of two `tar` archives, made here as the image is: the same bytes for the
//! same commit. Nothing of the target is needed to make it but the binary itself, which is asked
//! for its completions and pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use ar::{Builder, Header};
use md5::{Digest as _, Md5};
use serde_json::json;

#[cfg(test)]
mod tests;

use crate::image::archive::digest;
use crate::image::build::{self, Built};
use crate::image::tree::{Tree, gzip};
use crate::image::{self, libraries};
use crate::process;

/// Makes the package.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A binary that was built already, in place of a build.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Who answers for the package: `name <address>`.
    #[arg(long, value_name = "NAME", env = "GX_DEB_MAINTAINER", default_value = MAINTAINER)]
    maintainer: String,
}

/// An address that nobody has: whoever publishes a package gives theirs.
const MAINTAINER: &str = "The authors of GX Protocol <gx@example.org>";

/// Files that an operator changes, and an upgrade therefore does not.
const CONFFILES: [&str; 2] = ["etc/gx/gx.toml", "etc/gx/chaincode.env"];

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = build::folder();
    let built = match &args.binary {
        Some(binary) => build::prepare(binary, &folder.join("build"), build::commit()?)?,
        None => build::run("build")?,
    };
    let about = image::about(&built.about, None);
    let bill = image::bill_of(&built, &about)?;
    let files = files(&built, &bill)?;
    let control = control(&files, &built.binary, &about.version, &args.maintainer)?;
    let package = pack(&files, &control, built.about.seconds)?;
    let name = format!("gx_{}_{}.deb", about.version, architecture()?);
    let path = folder.join(name);
    fs::write(&path, &package).with_context(|| format!("cannot write {}", path.display()))?;
    let line = json!({
        "package": path,
        "digest": digest(&package),
        "revision": about.revision,
        "bytes": package.len(),
    });
    println!("{line}");
    Ok(())
}

/// What Debian calls this processor.
fn architecture() -> Result<&'static str> {
    match std::env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => bail!("no package is made for {other}"),
    }
}

/// The files of the package.
fn files(built: &Built, bill: &str) -> Result<Tree> {
    let mut tree = Tree::default();
    tree.copy("usr/bin/gx", 0o755, &built.binary)?;
    for (path, text) in gx_deploy::systemd::files() {
        let name = path.rsplit('/').next().unwrap_or_default();
        let at = match name.rsplit_once('.') {
            Some((name, "sysusers")) => format!("usr/lib/sysusers.d/{name}.conf"),
            Some((name, "tmpfiles")) => format!("usr/lib/tmpfiles.d/{name}.conf"),
            _ => format!("usr/lib/systemd/system/{name}"),
        };
        tree.file(&at, 0o644, text);
    }
    let root = process::root();
    for path in CONFFILES {
        let name = path.rsplit('/').next().unwrap_or_default();
        tree.copy(path, 0o644, &root.join("deploy/debian").join(name))?;
    }
    let docs = "usr/share/doc/gx";
    for (name, from) in [
        ("copyright", "deploy/debian/copyright"),
        ("default.toml", "crates/gx-server/src/config/default.toml"),
        ("examples/Caddyfile", "deploy/proxy/Caddyfile"),
        ("examples/nginx.conf", "deploy/proxy/nginx.conf"),
    ] {
        tree.copy(&format!("{docs}/{name}"), 0o644, &root.join(from))?;
    }
    for entry in fs::read_dir(root.join("docs/operations"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        tree.copy(&format!("{docs}/operations/{name}"), 0o644, &path)?;
    }
    tree.file(&format!("{docs}/gx.cdx.json"), 0o644, bill);
    told_by(&built.binary, &mut tree)?;
    Ok(tree)
}

/// Completions and manual pages, which the binary knows.
fn told_by(binary: &Path, tree: &mut Tree) -> Result<()> {
    let place = tempfile::tempdir().context("cannot make a folder")?;
    let ask = |args: &[&str]| process::output(Command::new(binary).args(args));
    for (shell, at) in [
        ("bash", "usr/share/bash-completion/completions/gx"),
        ("zsh", "usr/share/zsh/vendor-completions/_gx"),
        ("fish", "usr/share/fish/vendor_completions.d/gx.fish"),
    ] {
        tree.file(at, 0o644, ask(&["completions", shell])?);
    }
    ask(&["man", &place.path().to_string_lossy()])?;
    for entry in fs::read_dir(place.path())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let page = gzip(&fs::read(&path)?)?;
        tree.file(&format!("usr/share/man/man1/{name}.gz"), 0o644, page);
    }
    Ok(())
}

/// What dpkg is told, and does.
fn control(files: &Tree, binary: &Path, version: &str, maintainer: &str) -> Result<Tree> {
    let mut tree = Tree::default();
    let (architecture, depends) = (architecture()?, depends(binary)?);
    let bytes: usize = files.files().map(|(_, content)| content.len()).sum();
    let kibibytes = bytes.div_ceil(1024);
    tree.file(
        "control",
        0o644,
        format!(
            "Package: gx\n\
             Version: {version}\n\
             Architecture: {architecture}\n\
             Maintainer: {maintainer}\n\
             Installed-Size: {kibibytes}\n\
             Depends: {depends}\n\
             Recommends: ca-certificates, systemd\n\
             Suggests: caddy | nginx, postgresql, redis-server\n\
             Section: net\n\
             Priority: optional\n\
             Description: digital currency on a permissioned ledger\n \
             Services, ledger, read models, client and tools of GX Protocol in one binary,\n \
             with units of systemd for each of its roles. Nothing is started by installing it.\n"
        ),
    );
    let conffiles: Vec<String> = CONFFILES.iter().map(|path| format!("/{path}\n")).collect();
    tree.file("conffiles", 0o644, conffiles.concat());
    let sums = files.files().filter(|(path, _)| !CONFFILES.contains(path));
    let sums =
        sums.map(|(path, content)| format!("{}  {path}\n", hex::encode(Md5::digest(content))));
    tree.file("md5sums", 0o644, sums.collect::<String>());
    for script in ["postinst", "prerm", "postrm"] {
        tree.copy(script, 0o755, &process::root().join("deploy/debian").join(script))?;
    }
    Ok(tree)
}

/// The packages of the libraries that the binary loads.
fn depends(binary: &Path) -> Result<String> {
    let mut packages = Vec::new();
    for library in libraries::of(binary)? {
        let name = library.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let package = match name.split('.').next().unwrap_or_default() {
            "libc" | "libm" => {
                let (major, minor) = libraries::glibc(binary)?;
                format!("libc6 (>= {major}.{minor})")
            }
            "libgcc_s" => "libgcc-s1".to_owned(),
            // The loader is libc's own.
            loader if loader.starts_with("ld-linux") => continue,
            other => bail!("no package is known for {other}"),
        };
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    Ok(packages.join(", "))
}

fn pack(files: &Tree, control: &Tree, seconds: u64) -> Result<Vec<u8>> {
    let mut package = Builder::new(Vec::new());
    for (name, content) in [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", gzip(&control.tar(seconds)?)?),
        ("data.tar.gz", gzip(&files.tar(seconds)?)?),
    ] {
        let mut header = Header::new(name.as_bytes().to_vec(), content.len() as u64);
        header.set_mode(0o100_644);
        header.set_mtime(seconds);
        package.append(&header, content.as_slice())?;
    }
    Ok(package.into_inner()?)
}
