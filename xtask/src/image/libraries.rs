//! Which shared libraries a binary loads: what its ELF headers name, and what those name in turn.
//!
//! Nothing is run to find out. Since version 2.34, glibc looks names up in files and by DNS without
//! loading anything; what it would load otherwise (`libnss_*`) is not needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use object::elf;
use object::read::elf::{Dyn as _, ElfFile64, FileHeader as _, ProgramHeader as _};

/// What one file says of itself.
#[derive(Debug, Default)]
struct Needs {
    /// Path of the program that loads it, in a program.
    loader: Option<PathBuf>,
    /// Names of libraries.
    libraries: Vec<String>,
}

/// The files that a binary needs beside itself, loader included, by the paths at which they are
/// found on this machine.
pub(crate) fn of(binary: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut paths = BTreeSet::new();
    let mut waiting = vec![binary.to_path_buf()];
    while let Some(file) = waiting.pop() {
        let needs = read(&file)?;
        if let Some(loader) = needs.loader {
            if let Some(name) = loader.file_name() {
                found.insert(name.to_string_lossy().into_owned(), loader.clone());
            }
            paths.insert(loader.clone());
            waiting.push(loader);
        }
        for name in needs.libraries {
            if found.contains_key(&name) {
                continue;
            }
            let path = find(&name)
                .with_context(|| format!("{} loads {name}, which is not here", file.display()))?;
            found.insert(name, path.clone());
            paths.insert(path.clone());
            waiting.push(path);
        }
    }
    Ok(paths)
}

/// The oldest glibc that has everything a binary asks for.
pub(crate) fn glibc(binary: &Path) -> Result<(u32, u32)> {
    let bytes = fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let mut newest = (0, 0);
    for version in versions(&bytes).context("its versions can't be read")? {
        let Some(number) = version.strip_prefix("GLIBC_") else { continue };
        let mut parts = number.split('.').filter_map(|part| part.parse().ok());
        if let (Some(major), Some(minor)) = (parts.next(), parts.next()) {
            newest = newest.max((major, minor));
        }
    }
    Ok(newest)
}

/// Names of the versions of symbols that a binary asks for.
fn versions(bytes: &[u8]) -> Result<Vec<String>> {
    let elf = ElfFile64::<object::Endianness>::parse(bytes)?;
    let endian = elf.endian();
    let sections = elf.elf_header().sections(endian, bytes)?;
    let mut found = Vec::new();
    let Some((mut needs, link)) = sections.gnu_verneed(endian, bytes)? else { return Ok(found) };
    let strings = sections.strings(endian, bytes, link)?;
    while let Some((_, mut versions)) = needs.next()? {
        while let Some(version) = versions.next()? {
            found.push(std::str::from_utf8(version.name(endian, strings)?)?.to_owned());
        }
    }
    Ok(found)
}

/// Where the loader looks, Debian's folders first.
fn find(name: &str) -> Option<PathBuf> {
    let multiarch = format!("{}-linux-gnu", std::env::consts::ARCH);
    let folders = [
        format!("/lib/{multiarch}"),
        format!("/usr/lib/{multiarch}"),
        "/lib64".to_owned(),
        "/usr/lib64".to_owned(),
        "/lib".to_owned(),
        "/usr/lib".to_owned(),
    ];
    folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.exists())
}

fn read(file: &Path) -> Result<Needs> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    needs(&bytes).with_context(|| format!("{} can't be read as ELF", file.display()))
}

fn needs(bytes: &[u8]) -> Result<Needs> {
    let elf = ElfFile64::<object::Endianness>::parse(bytes)?;
    let (endian, header) = (elf.endian(), elf.elf_header());
    let mut needs = Needs::default();
    for segment in elf.elf_program_headers() {
        if let Some(loader) = segment.interpreter(endian, bytes)? {
            needs.loader = Some(PathBuf::from(std::str::from_utf8(loader)?));
        }
    }
    let sections = header.sections(endian, bytes)?;
    let Some((entries, link)) = sections.dynamic(endian, bytes)? else { return Ok(needs) };
    let strings = sections.strings(endian, bytes, link)?;
    for entry in entries {
        let tag = entry.d_tag(endian);
        if tag == elf::DT_NEEDED {
            let name = entry.string(endian, strings)?;
            needs.libraries.push(std::str::from_utf8(name)?.to_owned());
        }
        // Libraries of folders of one's own would have to be found there.
        if tag == elf::DT_RPATH || tag == elf::DT_RUNPATH {
            bail!("it looks for libraries in folders of its own");
        }
    }
    Ok(needs)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::of;
    use crate::process;

    /// The loader is asked for the same, about this test itself.
    #[test]
    fn the_libraries_are_those_that_the_loader_loads() {
        let this = std::env::current_exe().unwrap();
        let found = of(&this).unwrap();
        let loader =
            found.iter().find(|path| path.to_string_lossy().contains("/ld-linux")).unwrap();
        let this = this.to_string_lossy();
        let listed =
            process::output(&mut process::command(&loader.to_string_lossy(), &["--list", &this]));
        let listed = listed.unwrap();
        let names = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        let mut expected: Vec<String> = listed
            .lines()
            .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
            .map(|path| names(&PathBuf::from(path)))
            .collect();
        expected.sort();
        let mut found: Vec<String> = found.iter().map(names).collect();
        found.sort();
        assert_eq!(found, expected, "{listed}");
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let text = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        assert!(of(&text).unwrap_err().to_string().contains("can't be read as ELF"));
    }
}
