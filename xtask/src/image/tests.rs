//! The archive as readers of OCI images see it, made of a program that is on every machine.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::archive::{About, Image, digest, make};
use super::{AUTHORITIES, files, libraries, trial};

const PROGRAM: &str = "/bin/true";

fn about() -> About {
    About {
        version: "1.2.3".to_owned(),
        revision: "0123456789abcdef0123456789abcdef01234567".to_owned(),
        source: Some("https://git.example.org/gx".to_owned()),
        seconds: 1_700_000_000,
        arch: std::env::consts::ARCH.to_owned(),
    }
}

fn image() -> Image {
    make(&files(Path::new(PROGRAM)).unwrap(), &about()).unwrap()
}

/// Paths and contents of the files in an archive.
fn contents(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(bytes);
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            found.insert(entry.path().unwrap().display().to_string(), content);
        }
    }
    found
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn blob<'a>(all: &'a BTreeMap<String, Vec<u8>>, described: &Value) -> &'a [u8] {
    let name = described["digest"].as_str().unwrap();
    let content = &all[&format!("blobs/{}", name.replace(':', "/"))];
    assert_eq!(digest(content), name);
    assert_eq!(described["size"], content.len());
    content
}

#[test]
fn one_content_is_one_digest() {
    let digests: BTreeSet<String> = (0..2).map(|_| digest(&image().archive)).collect();
    assert_eq!(digests.len(), 1);
    let later = About { seconds: 1_700_000_001, ..about() };
    let other = make(&files(Path::new(PROGRAM)).unwrap(), &later).unwrap();
    assert_ne!(other.digest, image().digest);
}

#[test]
fn every_document_leads_to_the_next() {
    let image = image();
    let all = contents(&image.archive);
    assert_eq!(json(&all["oci-layout"])["imageLayoutVersion"], "1.0.0");
    let index = json(&all["index.json"]);
    let described = &index["manifests"][0];
    assert_eq!(described["digest"], image.digest);
    assert_eq!(described["annotations"]["org.opencontainers.image.ref.name"], "1.2.3");
    let manifest = json(blob(&all, described));
    for (name, text) in [
        ("created", "2023-11-14T22:13:20Z"),
        ("licenses", "Apache-2.0"),
        ("revision", "0123456789abcdef0123456789abcdef01234567"),
        ("source", "https://git.example.org/gx"),
        ("version", "1.2.3"),
    ] {
        let name = format!("org.opencontainers.image.{name}");
        assert_eq!(manifest["annotations"][&name], text, "{name}");
    }
    let config = json(blob(&all, &manifest["config"]));
    assert_eq!(config["config"]["User"], "10001:10001");
    assert_eq!(config["config"]["Entrypoint"][0], "/usr/bin/gx");
    let tar = zstd::decode_all(blob(&all, &manifest["layers"][0])).unwrap();
    assert_eq!(config["rootfs"]["diff_ids"][0], digest(&tar));
    // Nothing lies in the archive that no document leads to.
    assert_eq!(all.len(), 5);
}

#[test]
fn nothing_is_in_it_but_what_is_meant() {
    let found = contents(&files(Path::new(PROGRAM)).unwrap().tar(0).unwrap());
    let found: BTreeSet<String> = found.into_keys().collect();
    let trimmed = |path: &str| path.trim_start_matches('/').to_owned();
    let mut expected: BTreeSet<String> =
        ["usr/bin/gx", "etc/passwd", "etc/group", "etc/nsswitch.conf", AUTHORITIES]
            .map(trimmed)
            .into();
    let libraries = libraries::of(Path::new(PROGRAM)).unwrap();
    assert!(libraries.iter().any(|path| path.ends_with("libc.so.6")), "{libraries:?}");
    expected.extend(libraries.iter().map(|path| trimmed(&path.to_string_lossy())));
    assert_eq!(found, expected);
}

#[test]
fn other_tools_read_it() {
    let place = tempfile::tempdir().unwrap();
    let (image, path) = (image(), place.path().join("gx.oci.tar"));
    std::fs::write(&path, &image.archive).unwrap();
    if trial::has("skopeo", "--version") {
        let from = format!("oci-archive:{}", path.display());
        let output = Command::new("skopeo").args(["inspect", &from]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let seen = json(&output.stdout);
        assert_eq!(seen["Digest"], image.digest);
        assert_eq!(seen["Os"], "linux");
    } else {
        eprintln!("SKIPPED: skopeo is not installed");
    }
    if trial::has("skopeo", "--version") && trial::has("umoci", "--version") {
        let bundle = trial::unpack(&path, "1.2.3", place.path()).unwrap();
        let unpacked = std::fs::read(bundle.join("rootfs/usr/bin/gx")).unwrap();
        assert!(unpacked == std::fs::read(PROGRAM).unwrap());
        let config = json(&std::fs::read(bundle.join("config.json")).unwrap());
        assert_eq!(config["process"]["user"]["uid"], 10001);
    } else {
        eprintln!("SKIPPED: skopeo or umoci is not installed");
    }
}
