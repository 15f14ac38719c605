//! Where things lie.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The vendor's folders.
#[derive(Debug)]
pub struct Folders {
    root: PathBuf,
}

impl Folders {
    /// Makes those that are missing.
    pub(super) fn make(root: PathBuf) -> io::Result<Self> {
        let folders = Self { root };
        let account = ["in", "receipts", "status/done", "status/unknown"];
        for folder in account {
            fs::create_dir_all(folders.account().join(folder))?;
        }
        for folder in [folders.printed(), folders.jobs()] {
            fs::create_dir_all(folder)?;
        }
        Ok(folders)
    }

    /// What the customer sees: the root of the SFTP account.
    #[must_use]
    pub fn account(&self) -> PathBuf {
        self.root.join("account")
    }

    /// Where jobs and recalls are left.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        self.account().join("in")
    }

    /// Where news lies.
    #[must_use]
    pub fn status(&self) -> PathBuf {
        self.account().join("status")
    }

    /// What became of a letter.
    #[must_use]
    pub fn receipt(&self, letter: &str) -> PathBuf {
        self.account()
            .join("receipts")
            .join(format!("{letter}.json"))
    }

    /// Printed letters.
    #[must_use]
    pub fn printed(&self) -> PathBuf {
        self.root.join("house/printed")
    }

    /// Finished jobs.
    #[must_use]
    pub fn jobs(&self) -> PathBuf {
        self.root.join("house/jobs")
    }

    pub(super) fn host_key(&self) -> PathBuf {
        self.root.join("house/host_key")
    }

    pub(super) fn tape(&self) -> PathBuf {
        self.root.join("house/tape.jsonl")
    }
}

/// Names in a folder that end with `ending`, sorted.
pub(super) fn names(folder: &Path, ending: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string()
            && name.ends_with(ending)
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Puts a file there whole: under another name first.
pub(super) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, bytes)?;
    fs::rename(&part, path)
}
