//! The binary that is shipped: built without a trace of the machine, its symbols split off.
//!
//! Folders of this machine are written as others, the time is that of the commit, and processors
//! take part in nothing that could come out in another order.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::Object as _;

use super::parts::{self, Package};
use super::tree::{Tree, gzip};
use crate::process;

/// What a build made.
#[derive(Debug)]
pub(crate) struct Built {
    /// The stripped binary, which names its dependencies in a section of its own.
    pub(crate) binary: PathBuf,
    pub(crate) packages: Vec<Package>,
    pub(crate) about: Commit,
}

/// What is built.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// Its hash; `-dirty` follows where files differ from it.
    pub(crate) revision: String,
    /// Its time in seconds since 1970, or the variable SOURCE_DATE_EPOCH.
    pub(crate) seconds: u64,
}

/// The folder of everything that is made to be shipped.
pub(crate) fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    process::root().join(target).join("image")
}

pub(crate) fn commit() -> Result<Commit> {
    let git = |args: &[&str]| process::output(&mut process::command("git", args));
    let mut revision = git(&["rev-parse", "HEAD"])?.trim().to_owned();
    if !git(&["status", "--porcelain", "--untracked-files=no"])?.trim().is_empty() {
        revision.push_str("-dirty");
    }
    let seconds = match env::var("SOURCE_DATE_EPOCH") {
        Ok(given) => given,
        Err(_) => git(&["log", "-1", "--format=%ct"])?,
    };
    let seconds = seconds.trim().parse().context("SOURCE_DATE_EPOCH is no number of seconds")?;
    Ok(Commit { revision, seconds })
}

/// Builds into a folder below [`folder`], and prepares what cargo has made.
pub(crate) fn run(name: &str) -> Result<Built> {
    let (about, target) = (commit()?, folder().join(name));
    compile(&about, &target)?;
    prepare(&target.join("dist/gx"), &target, about)
}

/// Splits the symbols off a binary that was built, and writes its dependencies into it.
pub(crate) fn prepare(from: &Path, target: &Path, about: Commit) -> Result<Built> {
    fs::create_dir_all(target)?;
    let packages = parts::packages()?;
    let (binary, symbols) = (target.join("gx"), target.join("gx.debug"));
    let (list, data) = (target.join("gx.dep"), parts::auditable(&packages)?);
    fs::write(&list, data).with_context(|| format!("cannot write {}", list.display()))?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let (from, out, symbols) = (text(from), text(&binary), text(&symbols));
    let section = format!(".dep-v0={}", list.display());
    process::run(&mut process::command("objcopy", &["--only-keep-debug", &from, &symbols]))?;
    let args = ["--strip-all", "--add-section", &section, &from, &out];
    process::run(&mut process::command("objcopy", &args))?;
    Ok(Built { binary, packages, about })
}

/// Packs the symbols of the last build so that they are found where they are unpacked at `/`: a
/// backtrace looks for the build id that the binary names.
pub(crate) fn symbols(target: &Path, about: &Commit) -> Result<Vec<u8>> {
    let bytes = fs::read(target.join("gx.debug")).context("cannot read the symbols")?;
    let elf = object::File::parse(bytes.as_slice())?;
    let id = elf.build_id()?.map(hex::encode).context("the binary has no build id")?;
    let (first, rest) = id.split_at_checked(2).context("the build id is too short")?;
    let mut tree = Tree::default();
    tree.file(&format!("usr/lib/debug/.build-id/{first}/{rest}.debug"), 0o644, bytes.clone());
    gzip(&tree.tar(about.seconds)?)
}

fn compile(about: &Commit, target: &Path) -> Result<()> {
    let root = process::root();
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let home = home.context("neither CARGO_HOME nor HOME is set")?;
    // The last that fits is taken.
    let folders = [(home.as_path(), "/cargo"), (root.as_path(), "/gx"), (target, "/target")];
    let mapped = |flag: &str| -> String {
        let flags = folders.map(|(from, to)| format!("{flag}{}={to}", from.display()));
        flags.join(" ")
    };
    let (rust, c) = (mapped("--remap-path-prefix="), mapped("-ffile-prefix-map="));
    let args =
        ["build", "--locked", "--profile", "dist", "--package", "gx", "--no-default-features"];
    process::run(
        process::cargo(&args)
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_INCREMENTAL", "0")
            .env("RUSTFLAGS", format!("{rust} -Clink-arg=-Wl,--build-id=sha1"))
            .env("CFLAGS", c)
            .env("GX_GIT_HASH", &about.revision)
            .env("SOURCE_DATE_EPOCH", about.seconds.to_string()),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::path::Path;
    use std::process::Command;

    use auditable_serde::VersionInfo;
    use object::{Object as _, ObjectSection as _};

    use super::{Commit, prepare, symbols};

    #[test]
    fn a_binary_runs_as_before_and_says_what_it_is_made_of() {
        let place = tempfile::tempdir().unwrap();
        let about = Commit { revision: "0".repeat(40), seconds: 1_700_000_000 };
        let built = prepare(Path::new("/bin/true"), place.path(), about).unwrap();
        assert!(Command::new(&built.binary).status().unwrap().success());
        let bytes = std::fs::read(&built.binary).unwrap();
        let elf = object::File::parse(bytes.as_slice()).unwrap();
        let packed = elf.section_by_name(".dep-v0").unwrap().data().unwrap();
        let mut text = String::new();
        flate2::read::ZlibDecoder::new(packed).read_to_string(&mut text).unwrap();
        let info: VersionInfo = text.parse().unwrap();
        let root = info.packages.iter().find(|package| package.root).unwrap();
        assert_eq!(root.name, "gx");
        assert!(elf.section_by_name(".symtab").is_none());
        // Where they are unpacked at `/`, they are found by the id that the binary names.
        let packed = symbols(place.path(), &built.about).unwrap();
        let tar = flate2::read::GzDecoder::new(packed.as_slice());
        let mut archive = tar::Archive::new(tar);
        let paths: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .filter(|path| path.ends_with(".debug"))
            .collect();
        let id = hex::encode(elf.build_id().unwrap().unwrap());
        assert_eq!(paths, [format!("usr/lib/debug/.build-id/{}/{}.debug", &id[..2], &id[2..])]);
    }
}
