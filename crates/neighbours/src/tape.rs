//! What a neighbour was told, line by line, so that it remembers after a `kill -9`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    marker::PhantomData,
    path::Path,
    sync::Mutex,
};

use serde::{Serialize, de::DeserializeOwned};

/// An append-only file of JSON lines. A line is whole once `append` returned, also after a kill of
/// the process; a power cut is not this fake's concern.
#[derive(Debug)]
pub struct Tape<T> {
    file: Mutex<File>,
    entry: PhantomData<fn(T)>,
}

impl<T: Serialize + DeserializeOwned> Tape<T> {
    /// Opens or creates `path`, and plays back what it holds. A torn last line is cut off.
    ///
    /// # Errors
    /// When the file cannot be read or written, or an entry in its middle is not an entry.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<T>)> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .open(path)?;
        let mut entries = Vec::new();
        let mut whole = 0_u64;
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            entries.push(serde_json::from_slice(&line).map_err(io::Error::other)?);
            whole += read as u64;
        }
        file.set_len(whole)?;
        Ok((
            Self {
                file: Mutex::new(file),
                entry: PhantomData,
            },
            entries,
        ))
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&self, entry: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry).map_err(io::Error::other)?;
        line.push(b'\n');
        self.file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .write_all(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_forgotten_and_the_rest_remembered() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a/tape.jsonl");
        let (tape, entries) = Tape::<u32>::open(&path).expect("opens");
        assert!(entries.is_empty());
        tape.append(&1).expect("appends");
        tape.append(&2).expect("appends");
        drop(tape);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .expect("opens")
            .write_all(b"{\"to")
            .expect("writes");
        let (tape, entries) = Tape::<u32>::open(&path).expect("opens");
        assert_eq!(entries, [1, 2]);
        tape.append(&3).expect("appends");
        assert_eq!(Tape::<u32>::open(&path).expect("opens").1, [1, 2, 3]);
    }
}
