//! The configuration folder: on disk where the operator keeps one, otherwise the copy compiled in.

use std::{collections::BTreeMap, fs, path::Path};

use halsonav_domain::{Kind, Problem};
use include_dir::{Dir, include_dir};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../config");

/// Largest file that is read into a region: nothing people draw or write is bigger.
const FILE_LIMIT: u64 = 4 << 20;

/// Every file under `config/`, by its path with `/`.
#[derive(Clone, Debug, Default)]
pub struct Tree(BTreeMap<String, Vec<u8>>);

impl Tree {
    /// The folder at `path`, or the shipped one.
    ///
    /// # Errors
    /// `HUB-CONFIG-001` when the folder cannot be read or holds a file over 4 MiB.
    pub fn load(path: Option<&Path>) -> Result<Self, Problem> {
        let mut files = BTreeMap::new();
        match path {
            Some(root) => collect(root, root, &mut files)?,
            None => embedded(&SHIPPED, &mut files),
        }
        Ok(Self(files))
    }

    /// The text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        self.0
            .get(path)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Files below `folder`, by the rest of their path.
    pub fn below<'a>(&'a self, folder: &str) -> impl Iterator<Item = (String, String)> + 'a {
        let prefix = format!("{folder}/");
        self.0
            .range(prefix.clone()..)
            .take_while({
                let prefix = prefix.clone();
                move |(path, _)| path.starts_with(&prefix)
            })
            .map(move |(path, bytes)| {
                (
                    path[prefix.len()..].to_owned(),
                    String::from_utf8_lossy(bytes).into_owned(),
                )
            })
    }
}

fn collect(
    root: &Path,
    folder: &Path,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Problem> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        Problem::new(
            Kind::Invalid,
            "HUB-CONFIG-001",
            format!("{} cannot be read: {error}", path.display()),
        )
    };
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let meta = fs::metadata(&path).map_err(|error| unreadable(&path, &error))?;
        if meta.is_dir() {
            collect(root, &path, files)?;
        } else if meta.len() > FILE_LIMIT {
            let message = format!("{} is larger than 4 MiB", path.display());
            return Err(Problem::new(Kind::Invalid, "HUB-CONFIG-001", message));
        } else if let Ok(relative) = path.strip_prefix(root) {
            let name = relative
                .iter()
                .map(|part| part.to_string_lossy())
                .collect::<Vec<_>>()
                .join("/");
            files.insert(
                name,
                fs::read(&path).map_err(|error| unreadable(&path, &error))?,
            );
        }
    }
    Ok(())
}

fn embedded(dir: &Dir<'_>, files: &mut BTreeMap<String, Vec<u8>>) {
    for file in dir.files() {
        files.insert(
            file.path().to_string_lossy().replace('\\', "/"),
            file.contents().to_vec(),
        );
    }
    for sub in dir.dirs() {
        embedded(sub, files);
    }
}
