//! Overlays and rendered YAML, read into objects.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use super::objects::{Object, Objects, text};
use crate::yaml;

/// Why there is nothing to check.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{}", path.display())]
    NoYaml { path: PathBuf, source: yaml::Unreadable },
    #[error("there is no YAML in {}", path.display())]
    Empty { path: PathBuf },
    #[error("kubectl, which renders overlays, cannot be run; give rendered YAML instead")]
    NoKubectl(#[source] std::io::Error),
    #[error("the overlay cannot be rendered: {0}")]
    Kustomize(String),
}

/// The annotation in which kustomize says where an object comes from.
const ORIGIN: &str = "config.kubernetes.io/origin";

/// The objects of YAML that is rendered already: a file, or a folder of files.
///
/// # Errors
/// When a file cannot be read, or is no YAML.
pub fn rendered(path: &Path) -> Result<Objects, Error> {
    let mut objects = Objects { written: written(path)?, ..Objects::default() };
    for (path, content) in &objects.written {
        let values =
            yaml::read(content).map_err(|source| Error::NoYaml { path: path.clone(), source })?;
        let origin = path.display().to_string();
        let object = |value| Object { value, origin: origin.clone() };
        objects.all.extend(values.into_iter().flat_map(items).map(object));
    }
    match objects.all.is_empty() {
        true => Err(Error::Empty { path: path.to_owned() }),
        false => Ok(objects),
    }
}

/// The objects of a folder with a kustomization, as `kubectl kustomize` renders it.
///
/// # Errors
/// When the folder cannot be read, kubectl cannot be run, or it refuses the overlay.
pub fn overlay(folder: &Path) -> Result<Objects, Error> {
    let unreadable = |source| Error::Unreadable { path: folder.to_owned(), source };
    let absolute = folder.canonicalize().map_err(unreadable)?;
    let around = Around::new(&absolute).map_err(unreadable)?;
    let rendering = Command::new("kubectl").arg("kustomize").arg(&around.folder).output();
    let rendering = rendering.map_err(Error::NoKubectl)?;
    if !rendering.status.success() {
        let why = String::from_utf8_lossy(&rendering.stderr);
        return Err(Error::Kustomize(why.trim().to_owned()));
    }
    let content = String::from_utf8_lossy(&rendering.stdout);
    let values =
        yaml::read(&content).map_err(|source| Error::NoYaml { path: folder.to_owned(), source })?;
    let all = values.into_iter().flat_map(items).map(|value| {
        let origin = around.origin(&value).unwrap_or_else(|| folder.to_owned());
        Object { value, origin: short(&origin) }
    });
    Ok(Objects { all: all.collect(), written: written(folder)? })
}

/// A folder that takes an overlay in and has kustomize say where everything comes from.
#[derive(Debug)]
struct Around {
    folder: PathBuf,
}

impl Around {
    fn new(overlay: &Path) -> Result<Self, std::io::Error> {
        let around = Self { folder: new_folder()? };
        // Kustomize takes no absolute paths.
        let normal = |part: &Component<'_>| matches!(part, Component::Normal(_));
        let up = around.folder.components().filter(normal).map(|_| "..");
        let path: PathBuf = up.collect();
        let path = path.join(overlay.strip_prefix("/").unwrap_or(overlay));
        let fields = serde_json::json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "buildMetadata": ["originAnnotations"],
            "resources": [path],
        });
        fs::write(around.folder.join("kustomization.yaml"), yaml::text(&fields))?;
        Ok(around)
    }

    fn origin(&self, value: &serde_json::Value) -> Option<PathBuf> {
        let annotations = value.get("metadata")?.get("annotations")?;
        let origin = yaml::read(annotations.get(ORIGIN)?.as_str()?).ok()?;
        let origin = origin.first()?;
        let path = match text(origin, "path") {
            "" => text(origin, "configuredIn"),
            path => path,
        };
        self.folder.join(path).canonicalize().ok()
    }
}

/// A folder that nobody else has.
fn new_folder() -> Result<PathBuf, std::io::Error> {
    let temporary = std::env::temp_dir().canonicalize()?;
    let mut number = 0_u32;
    loop {
        let folder = temporary.join(format!("gx-deploy-{}-{number}", std::process::id()));
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                number = number.checked_add(1).ok_or(error)?;
            }
            made => return made.map(|()| folder),
        }
    }
}

impl Drop for Around {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The items of a list; anything else is itself.
fn items(value: serde_json::Value) -> Vec<serde_json::Value> {
    match (text(&value, "kind"), value.get("items")) {
        ("List", Some(serde_json::Value::Array(items))) => items.clone(),
        _ => vec![value],
    }
}

/// A path as people write it: from the working folder, when it lies below it.
fn short(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    below.unwrap_or_else(|| path.to_owned()).display().to_string()
}

/// Files of YAML and variables below a path, in order.
fn written(path: &Path) -> Result<Vec<(PathBuf, String)>, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    if !path.is_dir() {
        let content = fs::read_to_string(path).map_err(unreadable)?;
        return Ok(vec![(path.to_owned(), content)]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let fits = |end: &str| path.extension().is_some_and(|own| own == end);
        if path.is_dir() || ["yaml", "yml", "env"].iter().any(|end| fits(end)) {
            found.extend(written(&path)?);
        }
    }
    found.sort();
    Ok(found)
}
