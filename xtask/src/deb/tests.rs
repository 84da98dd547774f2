//! The package as dpkg sees it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{CONFFILES, control, pack};
use crate::image::tree::Tree;

const PROGRAM: &str = "/bin/true";

fn package() -> (Tree, Vec<u8>) {
    let mut files = Tree::default();
    files.copy("usr/bin/gx", 0o755, Path::new(PROGRAM)).unwrap();
    for path in CONFFILES {
        files.file(path, 0o644, "# a setting\n");
    }
    let control = control(&files, Path::new(PROGRAM), "1.2.3", super::MAINTAINER).unwrap();
    let package = pack(&files, &control, 1_700_000_000).unwrap();
    (files, package)
}

fn dpkg_deb(args: &[&str]) -> Option<String> {
    let Ok(output) = Command::new("dpkg-deb").args(args).output() else {
        eprintln!("SKIPPED: dpkg-deb is not installed");
        return None;
    };
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn one_content_is_one_package() {
    let packages: BTreeSet<Vec<u8>> = (0..3).map(|_| package().1).collect();
    assert_eq!(packages.len(), 1);
}

#[test]
fn dpkg_reads_it_and_unpacks_it() {
    let place = tempfile::tempdir().unwrap();
    let (path, root) = (place.path().join("gx.deb"), place.path().join("root"));
    let (files, package) = package();
    fs::write(&path, package).unwrap();
    let (path, root_text) = (path.to_string_lossy(), root.to_string_lossy());
    let Some(fields) = dpkg_deb(&["--field", &path]) else { return };
    for line in ["Package: gx", "Version: 1.2.3", "Depends: libc6 (>= 2."] {
        assert!(fields.lines().any(|field| field.starts_with(line)), "{line}: {fields}");
    }
    let info = dpkg_deb(&["--info", &path]).unwrap();
    for name in ["conffiles", "control", "md5sums", "postinst", "postrm", "prerm"] {
        assert!(info.contains(name), "{name}: {info}");
    }
    let listed = dpkg_deb(&["--contents", &path]).unwrap();
    for (name, _) in files.files() {
        assert!(listed.contains(name), "{name}: {listed}");
    }
    assert!(listed.lines().all(|line| line.contains(" root/root ") || line.contains(" 0/0 ")));
    dpkg_deb(&["--extract", &path, &root_text]).unwrap();
    let output = Command::new(root.join("usr/bin/gx")).output().unwrap();
    assert!(output.status.success());
}

/// Scripts of the package are plain sh, and do nothing but stop at a mistake.
#[test]
fn the_scripts_are_sound() {
    for script in ["postinst", "prerm", "postrm"] {
        let path = crate::process::root().join("deploy/debian").join(script);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("#!/bin/sh\n") && text.contains("\nset -e\n"), "{script}");
        let output = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(output.status.success(), "{script}: {output:?}");
    }
}
