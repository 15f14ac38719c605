//! The vault's keys. They are not in the database.

use std::{
    fmt, fs,
    io::{self, ErrorKind, Write},
    path::Path,
};

use rand::{TryRngCore, rngs::OsRng};
use secrecy::{ExposeSecret, SecretBox};
use zeroize::Zeroize;

use crate::{Error, Result, convert::from_hex};

type Key = SecretBox<[u8; 32]>;

/// Keys by version: the highest version writes, all of them read. One kind of key seals fields,
/// the other makes the keyed index over numbers.
///
/// The file has one key a line: `seal <version> <64 hex digits>` or `index <version> <64 hex digits>`.
pub struct VaultKeys {
    seal: Vec<(u32, Key)>,
    index: Vec<(u32, Key)>,
}

impl fmt::Debug for VaultKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKeys(redacted)")
    }
}

impl VaultKeys {
    /// Fresh keys of version 1.
    ///
    /// # Errors
    /// `Keys` when the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        Ok(Self {
            seal: vec![(1, fresh()?)],
            index: vec![(1, fresh()?)],
        })
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// `Keys` says which line is wrong, never what it holds.
    pub fn parse(text: &str) -> Result<Self> {
        let mut keys = Self {
            seal: Vec::new(),
            index: Vec::new(),
        };
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fault = || Error::Keys(format!("line {} is not a key", number + 1));
            let mut words = line.split_whitespace();
            let (kind, version, hex) = (words.next(), words.next(), words.next());
            let version: u32 = version
                .and_then(|v| v.parse().ok())
                .filter(|v| *v > 0)
                .ok_or_else(fault)?;
            let key = hex.and_then(decode).ok_or_else(fault)?;
            let list = match (kind, words.next()) {
                (Some("seal"), None) => &mut keys.seal,
                (Some("index"), None) => &mut keys.index,
                _ => return Err(fault()),
            };
            if list.iter().any(|(v, _)| *v == version) {
                return Err(Error::Keys(format!(
                    "line {} repeats a version",
                    number + 1
                )));
            }
            list.push((version, key));
        }
        if keys.seal.is_empty() || keys.index.is_empty() {
            return Err(Error::Keys(
                "it needs at least one seal and one index key".to_owned(),
            ));
        }
        keys.seal.sort_by_key(|(version, _)| *version);
        keys.index.sort_by_key(|(version, _)| *version);
        Ok(keys)
    }

    /// Reads a key file, which no one but its owner may read.
    ///
    /// # Errors
    /// `Keys` when it is missing, malformed or open to others.
    pub fn load(path: &Path) -> Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path).map_err(at_file)?.permissions().mode();
            if mode & 0o077 != 0 {
                return Err(Error::Keys("others may read it; chmod 600".to_owned()));
            }
        }
        let mut text = fs::read_to_string(path).map_err(at_file)?;
        let keys = Self::parse(&text);
        text.zeroize();
        keys
    }

    /// Reads the key file, or makes one (mode 0600, on disk before this returns) when there is none.
    ///
    /// # Errors
    /// `Keys` as [`VaultKeys::load`], or when it cannot be written.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        let fresh = Self::generate()?;
        match fresh.write_new(path) {
            Ok(()) => Ok(fresh),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(at_file(error)),
        }
    }

    /// Puts these keys in the place of those in the file, at once or not at all. Its owner stays.
    ///
    /// # Errors
    /// `Keys` when it cannot be written.
    pub fn replace(&self, path: &Path) -> Result<()> {
        self.swap(path).map_err(at_file)
    }

    fn swap(&self, path: &Path) -> io::Result<()> {
        // Where a link leads, so that all who have the link have the new keys.
        let path = fs::canonicalize(path)?;
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => self.write_new(Path::new(&beside))?,
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, chown};
            let owner = fs::metadata(&path)?;
            chown(&beside, Some(owner.uid()), Some(owner.gid()))?;
        }
        fs::rename(&beside, &path)?;
        let folder = path.parent().unwrap_or(Path::new("/"));
        fs::File::open(folder)?.sync_all()
    }

    fn write_new(&self, path: &Path) -> io::Result<()> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(path)?;
        let mut text = self.text();
        let written = file.write_all(text.as_bytes());
        text.zeroize();
        written.and_then(|()| file.sync_all())
    }

    /// The text of the key file, for a key store of the operator's own. Secret.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |kind: &str, (version, key): &(u32, Key)| {
            let hex: String = key
                .expose_secret()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("{kind} {version} {hex}\n")
        };
        let seal = self.seal.iter().map(|key| line("seal", key));
        let index = self.index.iter().map(|key| line("index", key));
        seal.chain(index).collect()
    }

    /// The same keys with one more version of each, which writes from now on. Restart, then call
    /// [`crate::Writer::rewrap`] until nothing is left, then the old `seal` lines can go; those of `index`
    /// find people by numbers that they had before.
    ///
    /// # Errors
    /// `Keys` when the system has no randomness to give.
    pub fn rotated(&self) -> Result<Self> {
        let mut next = Self::parse(&self.text())?;
        let version = |list: &[(u32, Key)]| list.last().map_or(1, |(version, _)| version + 1);
        let (seal, index) = (version(&next.seal), version(&next.index));
        next.seal.push((seal, fresh()?));
        next.index.push((index, fresh()?));
        Ok(next)
    }

    pub(crate) fn sealing(&self) -> (u32, &[u8; 32]) {
        newest(&self.seal)
    }

    pub(crate) fn seal_key(&self, version: u32) -> Option<&[u8; 32]> {
        self.seal
            .iter()
            .find(|(v, _)| *v == version)
            .map(|(_, key)| key.expose_secret())
    }

    pub(crate) fn seal_keys(&self) -> impl Iterator<Item = (u32, &[u8; 32])> {
        by_version(&self.seal)
    }

    pub(crate) fn indexing(&self) -> (u32, &[u8; 32]) {
        newest(&self.index)
    }

    /// Newest first: what was written last is found first.
    pub(crate) fn index_keys(&self) -> impl Iterator<Item = (u32, &[u8; 32])> {
        by_version(&self.index)
    }
}

fn at_file(error: io::Error) -> Error {
    Error::Keys(error.kind().to_string())
}

fn by_version(list: &[(u32, Key)]) -> impl Iterator<Item = (u32, &[u8; 32])> {
    let keys = list.iter().rev();
    keys.map(|(version, key)| (*version, key.expose_secret()))
}

fn newest(list: &[(u32, Key)]) -> (u32, &[u8; 32]) {
    let (version, key) = list.last().expect("every constructor puts a key in");
    (*version, key.expose_secret())
}

fn fresh() -> Result<Key> {
    let mut bytes = Box::new([0u8; 32]);
    OsRng
        .try_fill_bytes(&mut *bytes)
        .map_err(|_| Error::Keys("no randomness".to_owned()))?;
    Ok(SecretBox::new(bytes))
}

fn decode(hex: &str) -> Option<Key> {
    let mut bytes = Box::new([0u8; 32]);
    from_hex(hex, &mut bytes)?;
    Some(SecretBox::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_closed_to_others_and_read_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("vault.keys");
        let made = VaultKeys::load_or_create(&path).expect("made");
        let read = VaultKeys::load_or_create(&path).expect("read");
        assert_eq!(made.text(), read.text());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(&path).expect("there").permissions().mode() & 0o777,
                0o600
            );
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("chmod");
            assert!(matches!(VaultKeys::load(&path), Err(Error::Keys(_))));
        }
    }

    #[test]
    fn rotated_keys_take_the_place_of_the_old_ones() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("vault.key");
        let keys = VaultKeys::load_or_create(&path).expect("made");
        // Somebody was killed before the rename.
        fs::write(dir.path().join("vault.key.new"), "half").expect("written");
        let next = keys.rotated().expect("rotated");
        next.replace(&path).expect("replaced");
        let read = VaultKeys::load(&path).expect("closed to others, and whole");
        assert_eq!(read.text(), next.text());
        assert_eq!(fs::read_dir(dir.path()).expect("there").count(), 1);
    }

    #[test]
    fn a_malformed_file_names_the_line_and_not_the_key() {
        let good = VaultKeys::generate().expect("keys").text();
        let secret = good.split_whitespace().nth(2).expect("hex").to_owned();
        for bad in [
            String::new(),
            "seal 1 abc".to_owned(),
            format!("seal 0 {secret}"),
            format!("seal 1 {secret}\nseal 1 {secret}\nindex 1 {secret}"),
            format!("index 1 {secret}"),
            format!("{good}other 1 {secret}"),
            format!("{good}seal 2 {secret} more"),
            format!("seal 1 {}", "å".repeat(32)),
        ] {
            let error = VaultKeys::parse(&bad).expect_err("refused").to_string();
            assert!(!error.contains(&secret), "{error}");
        }
    }

    #[test]
    fn debug_is_redacted_and_rotation_keeps_the_old_keys() {
        let keys = VaultKeys::generate().expect("keys");
        assert_eq!(format!("{keys:?}"), "VaultKeys(redacted)");
        let next = keys.rotated().expect("rotated");
        assert_eq!(next.sealing().0, 2);
        assert_eq!(next.seal_key(1), keys.seal_key(1));
        assert_eq!(
            next.index_keys()
                .map(|(version, _)| version)
                .collect::<Vec<_>>(),
            [2, 1]
        );
    }
}
