//! The list of residents that the region's listing system drops.
//!
//! Two formats, told apart by the first character: JSON lines (`{`), or CSV with `;`, `,` or tab whose
//! first line names the columns:
//!
//! | column | |
//! |---|---|
//! | `person_id` | 12 positions, with or without `-`; required |
//! | `unit_hsa_id` | unit where the person is listed; required |
//! | `unit_name` | its name |
//! | `listed_since` | `YYYY-MM-DD` |
//! | `language` | BCP 47, such as `sv`, `ar` or `sv-latt` |
//! | `interpreter` | `1`/`0`, `true`/`false`, `yes`/`no`, `ja`/`nej` |
//! | `invitation` | booking id of an open kallelse |
//! | `test` | as `interpreter`; a test person |
//!
//! Other columns are passed over and told by [`RosterFile::ignored`]. Text is UTF-8, with or
//! without byte order mark; a field that is not is read as Latin-1. A line is a record: a quoted
//! field cannot hold a line break.
//!
//! A file is complete when it has its name: the sender writes under another name ending in
//! `.part` or `.tmp`, or beginning with a dot, and renames it. Such names are never read.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

mod line;
mod listed;

pub use line::Format;
pub use listed::Listed;

use line::{Columns, Line};

/// Longest line, in bytes.
const LONGEST: usize = 16 << 10;
/// Most lines. A national year is 405 000.
const MOST: u64 = 2_000_000;

/// Why a file cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("HUB-ROSTER-001: the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Its name says that it is not complete.
    #[error("HUB-ROSTER-002: the file is not complete (.part, .tmp or hidden)")]
    Partial,
    /// UTF-16, or not text.
    #[error("HUB-ROSTER-003: the file is neither UTF-8 nor Latin-1 text")]
    Encoding,
    /// Nothing in it.
    #[error("HUB-ROSTER-004: the file is empty")]
    Empty,
    /// The first line lacks a required column.
    #[error("HUB-ROSTER-005: the first line has no column {0}")]
    Column(&'static str),
    /// The first line names a column twice.
    #[error("HUB-ROSTER-006: the first line names column {0} twice")]
    Twice(&'static str),
}

impl FileError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "HUB-ROSTER-001",
            Self::Partial => "HUB-ROSTER-002",
            Self::Encoding => "HUB-ROSTER-003",
            Self::Empty => "HUB-ROSTER-004",
            Self::Column(_) => "HUB-ROSTER-005",
            Self::Twice(_) => "HUB-ROSTER-006",
        }
    }
}

impl From<FileError> for halsonav_domain::Problem {
    fn from(error: FileError) -> Self {
        let text = error.to_string();
        let message = text
            .split_once(": ")
            .map_or(text.as_str(), |(_, message)| message);
        Self::new(halsonav_domain::Kind::Invalid, error.code(), message)
    }
}

/// A line that cannot be read. Tells where and why, never what stood there.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {code}: {reason}")]
pub struct LineError {
    /// Line number, from 1.
    pub line: u64,
    /// Stable code.
    pub code: &'static str,
    /// One phrase for whoever makes the list.
    pub reason: String,
}

/// A list, read line by line.
#[derive(Debug)]
pub struct RosterFile<R> {
    input: R,
    columns: Columns,
    line: u64,
    seen: HashMap<[u8; 12], u64>,
    buffer: Vec<u8>,
    over: bool,
}

/// Opens a list. See the module's words on formats.
///
/// # Errors
/// [`FileError`] when nothing of it can be read.
pub fn read(path: &Path) -> Result<RosterFile<BufReader<File>>, FileError> {
    if !has_its_name(path) {
        return Err(FileError::Partial);
    }
    RosterFile::new(BufReader::with_capacity(1 << 18, File::open(path)?))
}

/// The complete files of a drop folder, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn complete(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && has_its_name(&entry.path()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

fn has_its_name(path: &Path) -> bool {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase())
        .unwrap_or_default();
    !(name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp"))
}

impl<R: BufRead> RosterFile<R> {
    /// A list from any reader, such as the body of an upload.
    ///
    /// # Errors
    /// [`FileError`] when nothing of it can be read.
    pub fn new(mut input: R) -> Result<Self, FileError> {
        match input.fill_buf()? {
            [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => return Err(FileError::Encoding),
            [0xEF, 0xBB, 0xBF, ..] => input.consume(3),
            [] => return Err(FileError::Empty),
            _ => {}
        }
        let mut file = Self {
            input,
            columns: Columns::json(),
            line: 0,
            seen: HashMap::new(),
            buffer: Vec::new(),
            over: false,
        };
        loop {
            let first = file.input.fill_buf()?.first().copied();
            match first {
                None => return Err(FileError::Empty),
                Some(b'{') => return Ok(file),
                Some(_) => {}
            }
            let Some(fit) = file.next_line()? else {
                return Err(FileError::Empty);
            };
            if !fit || file.buffer.contains(&0) {
                return Err(FileError::Encoding);
            }
            if !file.buffer.iter().all(u8::is_ascii_whitespace) {
                file.columns = Columns::csv(&file.buffer)?;
                return Ok(file);
            }
        }
    }

    /// The format it turned out to have.
    #[must_use]
    pub fn format(&self) -> Format {
        self.columns.format()
    }

    /// Columns of the first line that mean nothing to us.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        self.columns.ignored()
    }

    /// Reads a line into the buffer, without its end. `Some(false)` when it was too long to keep.
    fn next_line(&mut self) -> io::Result<Option<bool>> {
        self.buffer.clear();
        let mut any = false;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            any = true;
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(chunk.len(), |end| end + 1);
            let room = (LONGEST + 1).saturating_sub(self.buffer.len());
            self.buffer
                .extend_from_slice(&chunk[..end.unwrap_or(taken).min(room)]);
            self.input.consume(taken);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.line += 1;
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        Ok(Some(self.buffer.len() <= LONGEST))
    }

    fn error(&self, code: &'static str, reason: impl Into<String>) -> LineError {
        LineError {
            line: self.line,
            code,
            reason: reason.into(),
        }
    }

    fn understand(&mut self) -> Result<Listed, LineError> {
        let line: Line = self
            .columns
            .split(&self.buffer)
            .map_err(|(code, reason)| self.error(code, reason))?;
        let listed = listed::read(&line).map_err(|(code, reason)| self.error(code, reason))?;
        let key: Option<[u8; 12]> = listed.person_id.expose().as_bytes().try_into().ok();
        if let Some(key) = key {
            let first = *self.seen.entry(key).or_insert(self.line);
            if first != self.line {
                return Err(self.error(
                    "HUB-ROSTER-019",
                    format!("the same person as in line {first}"),
                ));
            }
        }
        Ok(listed)
    }
}

impl<R: BufRead> Iterator for RosterFile<R> {
    type Item = Result<Listed, LineError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            match self.next_line() {
                Err(_) => {
                    self.over = true;
                    return Some(Err(
                        self.error("HUB-ROSTER-010", "the file cannot be read further")
                    ));
                }
                Ok(None) => self.over = true,
                Ok(Some(_)) if self.line > MOST => {
                    self.over = true;
                    return Some(Err(self.error(
                        "HUB-ROSTER-011",
                        format!("more than {MOST} lines; nothing after is read"),
                    )));
                }
                Ok(Some(false)) => {
                    return Some(Err(
                        self.error("HUB-ROSTER-012", format!("longer than {LONGEST} bytes"))
                    ));
                }
                Ok(Some(true)) if self.buffer.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Some(true)) => return Some(self.understand()),
            }
        }
        None
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
