//! A job as it was left, checked by what its manifest says.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use zip::ZipArchive;

/// The longest manifest, and the longest PDF, in bytes.
const LONGEST: (u64, u64) = (16 << 20, 64 << 20);
/// The most letters in a job.
const LETTERS: usize = 5_000;

/// What a job says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Manifest {
    version: u32,
    pub job_id: String,
    #[serde(rename = "createdAt")]
    _created_at: halsonav_domain::Timestamp,
    vendor: String,
    product: String,
    envelope: String,
    postage: String,
    colour: String,
    sides: String,
    pub letters: Vec<Ticket>,
}

/// A letter, as the manifest has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Ticket {
    pub letter_id: String,
    return_address: Vec<String>,
    pub files: Vec<Sheet>,
}

/// A PDF, as the manifest has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Sheet {
    name: String,
    role: String,
    bytes: u64,
    sha256: String,
}

/// A job that can be opened.
pub(super) struct Job {
    pub manifest: Manifest,
    zip: ZipArchive<File>,
}

impl Job {
    /// Opens a job. The inner error is why it is not one, as a code.
    pub fn open(path: &Path, job: &str) -> io::Result<Result<Self, &'static str>> {
        let Ok(mut zip) = ZipArchive::new(File::open(path)?) else {
            return Ok(Err("NOT-A-ZIP"));
        };
        let (Some(manifest), Some(checksum)) = (
            entry(&mut zip, "manifest.json", LONGEST.0),
            entry(&mut zip, "manifest.sha256", 1_000),
        ) else {
            return Ok(Err("NO-MANIFEST"));
        };
        let told = String::from_utf8_lossy(&checksum);
        if told.split_whitespace().next() != Some(hash(&manifest).as_str()) {
            return Ok(Err("MANIFEST-HASH"));
        }
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&manifest) else {
            return Ok(Err("MANIFEST-FORM"));
        };
        if manifest.job_id != job {
            return Ok(Err("JOB-ID"));
        }
        // They become names of files.
        let mut letters = manifest.letters.iter();
        if letters.any(|letter| uuid::Uuid::parse_str(&letter.letter_id).is_err()) {
            return Ok(Err("LETTER-ID"));
        }
        Ok(Ok(Self { manifest, zip }))
    }

    /// Why no letter of the job can be printed, as a code.
    pub fn fault(&self) -> Option<&'static str> {
        let manifest = &self.manifest;
        let ids: HashSet<_> = manifest
            .letters
            .iter()
            .map(|letter| &letter.letter_id)
            .collect();
        let known = |word: &str, words: &[&str]| words.contains(&word);
        if manifest.version != 1 {
            Some("VERSION")
        } else if ids.is_empty() || ids.len() != manifest.letters.len() || ids.len() > LETTERS {
            Some("LETTERS")
        } else if manifest.vendor.is_empty() || manifest.product.is_empty() {
            Some("PRODUCT")
        } else if !known(&manifest.envelope, &["C4", "C5", "C65"])
            || !known(&manifest.postage, &["priority", "economy"])
            || !known(&manifest.colour, &["black", "colour"])
            || !known(&manifest.sides, &["simplex", "duplex"])
        {
            Some("TICKET")
        } else {
            None
        }
    }

    /// The PDFs of a letter in their order, or why it cannot be printed, as a code.
    pub fn sheets(&mut self, letter: usize) -> Result<Vec<Vec<u8>>, &'static str> {
        let ticket = self.manifest.letters.get(letter).ok_or("LETTERS")?;
        if ticket.return_address.is_empty() {
            return Err("RETURN-ADDRESS");
        }
        if ticket
            .files
            .first()
            .is_none_or(|file| file.role != "letter")
        {
            return Err("NO-LETTER");
        }
        let mut sheets = Vec::with_capacity(ticket.files.len());
        for file in &ticket.files {
            let bytes = entry(&mut self.zip, &file.name, LONGEST.1).ok_or("FILE-MISSING")?;
            if bytes.len() as u64 != file.bytes || hash(&bytes) != file.sha256 {
                return Err("FILE-HASH");
            }
            if !bytes.starts_with(b"%PDF-") {
                return Err("NOT-A-PDF");
            }
            sheets.push(bytes);
        }
        Ok(sheets)
    }
}

fn entry(zip: &mut ZipArchive<File>, name: &str, limit: u64) -> Option<Vec<u8>> {
    let file = zip.by_name(name).ok()?;
    if file.size() > limit {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn hash(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
