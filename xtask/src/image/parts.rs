//! What the binary is made of: the list of its crates, as data inside the binary
//! (`cargo auditable`'s form) and as a bill of materials (CycloneDX) beside the image.
//!
//! Cargo's own resolution of a production build is asked, so that neither tests nor the tools of
//! developers are in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use auditable_serde::VersionInfo;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::archive::About;
use crate::process;

/// A crate of the binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    name: String,
    version: String,
    licence: String,
    /// SHA-256 of what the registry gave; none of our own crates.
    checksum: Option<String>,
    /// Places in the list.
    dependencies: Vec<usize>,
}

impl Package {
    fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// The crates whose code is in a production build; macros ran while it was built, and are not.
pub(crate) fn packages() -> Result<Vec<Package>> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let args = [
        "tree",
        "--locked",
        "--package",
        "gx",
        "--no-default-features",
        "--edges",
        "normal,no-proc-macro",
        "--target",
        &target,
        "--prefix",
        "depth",
        "--format",
        " {p}\t{l}",
    ];
    let tree = process::output(&mut process::cargo(&args))?;
    let lock = fs::read_to_string(process::root().join("Cargo.lock"))?;
    read(&tree, &lock)
}

/// Reads lines of `cargo tree`: depth, name, version, remarks, tab, licence.
fn read(tree: &str, lock: &str) -> Result<Vec<Package>> {
    let checksums = checksums(lock);
    let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut packages: Vec<Package> = Vec::new();
    // The crate at each depth on the way to the line.
    let mut way: Vec<usize> = Vec::new();
    for line in tree.lines() {
        let unknown = || format!("cargo tree says {line:?}");
        let (depth, rest) = line.split_once(' ').with_context(unknown)?;
        let depth: usize = depth.parse().with_context(unknown)?;
        let (package, licence) = rest.split_once('\t').with_context(unknown)?;
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else { bail!(unknown()) };
        let version = version.trim_start_matches('v').to_owned();
        let key = (name.to_owned(), version.clone());
        let at = *known.entry(key.clone()).or_insert_with(|| {
            packages.push(Package {
                name: name.to_owned(),
                version,
                licence: licence.trim_end_matches(" (*)").to_owned(),
                checksum: checksums.get(&key).cloned(),
                dependencies: Vec::new(),
            });
            packages.len() - 1
        });
        way.truncate(depth);
        if let Some(parent) = way.last()
            && !packages[*parent].dependencies.contains(&at)
        {
            packages[*parent].dependencies.push(at);
        }
        way.push(at);
    }
    if packages.first().is_none_or(|package| package.name != "gx") {
        bail!("cargo tree does not say what a production build has");
    }
    Ok(packages)
}

/// Checksums by name and version, as Cargo.lock has them.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let blocks = lock.split("[[package]]").skip(1);
    let found = blocks.filter_map(|block| {
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map(|text| text.trim_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    });
    found.collect()
}

/// What scanners find in the section `.dep-v0` of the binary.
pub(crate) fn auditable(packages: &[Package]) -> Result<Vec<u8>> {
    let one = |(at, package): (usize, &Package)| {
        let source = if package.checksum.is_some() { "crates.io" } else { "local" };
        json!({
            "name": package.name,
            "version": package.version,
            "source": source,
            "dependencies": package.dependencies,
            "root": at == 0,
        })
    };
    let all: Vec<Value> = packages.iter().enumerate().map(one).collect();
    // The library checks that it is a tree with one root.
    let info: VersionInfo = json!({ "packages": all }).to_string().parse()?;
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&serde_json::to_vec(&info)?)?;
    Ok(packed.finish()?)
}

/// The bill of materials of an image: crates, and the files that came from this machine.
pub(crate) fn bill(packages: &[Package], files: &[PathBuf], about: &About) -> Result<String> {
    let mut components: Vec<Value> = packages.iter().skip(1).map(component).collect();
    for file in files {
        components.push(file_component(file)?);
    }
    let edge = |package: &Package| {
        let on = package.dependencies.iter().map(|at| packages[*at].purl());
        json!({ "ref": package.purl(), "dependsOn": on.collect::<Vec<_>>() })
    };
    let seconds = i64::try_from(about.seconds)?;
    let version = &about.version;
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": jiff::Timestamp::from_second(seconds)?.to_string(),
            "component": {
                "type": "application",
                "bom-ref": format!("pkg:cargo/gx@{version}"),
                "name": "gx",
                "version": version,
                "licenses": [{ "expression": "Apache-2.0" }],
                "properties": [{ "name": "gx:revision", "value": about.revision }],
            },
        },
        "components": components,
        "dependencies": packages.iter().map(edge).collect::<Vec<_>>(),
    });
    document.sort_all_objects();
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn component(package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": package.purl(),
        "name": package.name,
        "version": package.version,
        "purl": package.purl(),
    });
    if !package.licence.is_empty() {
        // An old way to write "or".
        let expression = package.licence.replace('/', " OR ");
        component["licenses"] = json!([{ "expression": expression }]);
    }
    if let Some(checksum) = &package.checksum {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    component
}

/// A library or a list of authorities; where Debian's tools are here, with the package it is of.
fn file_component(file: &Path) -> Result<Value> {
    let content = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let path = file.display().to_string();
    let mut component = json!({
        "type": "file",
        "bom-ref": format!("file:{path}"),
        "name": path,
        "hashes": [{ "alg": "SHA-256", "content": hex::encode(Sha256::digest(&content)) }],
    });
    if let Some(package) = debian_package(file) {
        component["properties"] = json!([{ "name": "debian:package", "value": package }]);
    }
    Ok(component)
}

/// `package version` of the Debian package that a file is of.
fn debian_package(file: &Path) -> Option<String> {
    let real = fs::canonicalize(file).ok()?;
    // Packages name files below /lib; the folder itself may be a link to /usr/lib.
    let short = real.strip_prefix("/usr").map(|rest| Path::new("/").join(rest));
    let mut candidates = vec![real.clone(), file.to_path_buf()];
    candidates.extend(short);
    let owner = candidates.iter().find_map(|path| {
        let found = process::output(&mut process::command("dpkg", &["-S", path.to_str()?])).ok()?;
        Some(found.split_once(": ")?.0.to_owned())
    })?;
    let args = ["-W", "-f", "${Package} ${Version}", &owner];
    process::output(&mut process::command("dpkg-query", &args)).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use auditable_serde::VersionInfo;
    use serde_json::Value;

    use super::{About, auditable, bill, packages, read};

    const TREE: &str = "0 gx v0.1.0 (/a/crates/gx)\tApache-2.0\n\
                        1 a v1.0.0\tMIT/Apache-2.0\n\
                        2 b v2.0.0\tMIT\n\
                        1 b v2.0.0\tMIT (*)\n";
    const LOCK: &str = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"aa\"\n\n\
                        [[package]]\nname = \"b\"\nversion = \"2.0.0\"\nchecksum = \"bb\"\n\n\
                        [[package]]\nname = \"gx\"\nversion = \"0.1.0\"\n";

    fn told(tree: &str) -> Vec<String> {
        let found = read(tree, LOCK).unwrap();
        let line = |package: &super::Package| {
            let on = &package.dependencies;
            format!("{} {:?} {:?} {on:?}", package.purl(), package.licence, package.checksum)
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn cargos_tree_is_read() {
        let expected = [
            "pkg:cargo/gx@0.1.0 \"Apache-2.0\" None [1, 2]",
            "pkg:cargo/a@1.0.0 \"MIT/Apache-2.0\" Some(\"aa\") [2]",
            "pkg:cargo/b@2.0.0 \"MIT\" Some(\"bb\") []",
        ];
        assert_eq!(told(TREE), expected);
        assert!(read("0 other v1.0.0\tMIT\n", "").is_err());
    }

    #[test]
    fn the_binary_says_what_it_is_made_of() {
        let packed = auditable(&read(TREE, LOCK).unwrap()).unwrap();
        let mut text = String::new();
        flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_string(&mut text).unwrap();
        let info: VersionInfo = text.parse().unwrap();
        let names: Vec<&str> = info.packages.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["gx", "a", "b"]);
        assert!(info.packages[0].root && info.packages[1].dependencies == [2]);
    }

    /// Every reference of the real bill leads to something in it.
    #[test]
    fn the_bill_of_this_repository_is_whole() {
        let about = About {
            version: "0.1.0".to_owned(),
            revision: "0".repeat(40),
            source: None,
            seconds: 1_700_000_000,
            arch: "x86_64".to_owned(),
        };
        let this = std::env::current_exe().unwrap();
        let text = bill(&packages().unwrap(), std::slice::from_ref(&this), &about).unwrap();
        let bill: Value = serde_json::from_str(&text).unwrap();
        let components = bill["components"].as_array().unwrap();
        let root = &bill["metadata"]["component"];
        let refs: Vec<&str> =
            components.iter().chain([root]).map(|one| one["bom-ref"].as_str().unwrap()).collect();
        assert!(refs.contains(&format!("file:{}", this.display()).as_str()));
        assert!(refs.iter().any(|one| one.starts_with("pkg:cargo/gx-server@")), "{refs:?}");
        let wrong = ["gx-workbench", "/serde_derive@", "/syn@"];
        let found = refs.iter().find(|one| wrong.iter().any(|name| one.contains(name)));
        assert_eq!(found, None);
        for edge in bill["dependencies"].as_array().unwrap() {
            let on = edge["dependsOn"].as_array().unwrap().iter();
            for name in on.chain([&edge["ref"]]).map(|name| name.as_str().unwrap()) {
                assert!(refs.contains(&name), "{name}");
            }
        }
        let licensed = |one: &&Value| one["type"] == "library" && one["licenses"].is_null();
        let without: Vec<&Value> = components.iter().filter(licensed).collect();
        assert!(without.is_empty(), "{without:?}");
    }
}
