//! A mail job: one ZIP file with a manifest and the letters' PDFs.
//!
//! Nothing in it is compressed and the manifest comes first, so that whoever can read the first
//! bytes of the file knows which letters are in it. Equal letters give equal bytes.

use std::io::{Cursor, Write};

use halsonav_adapter::{Attachment, Delivery};
use halsonav_domain::{CommandId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    Config,
    config::{Colour, Envelope, Postage, Sides},
    error::Error,
};

/// The manifest's name in the package.
const MANIFEST: &str = "manifest.json";
/// Its hash, as `sha256sum` writes and reads it.
const CHECKSUM: &str = "manifest.sha256";
/// A local file header of ZIP without name and extra field, in bytes.
pub(crate) const HEADER: u64 = 30;
/// The longest manifest we read, in bytes: ten times that of a full batch.
const LONGEST: u64 = 8 << 20;

/// What a job says of itself. No name, no address, no number of a person.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    version: u32,
    pub job_id: String,
    created_at: Timestamp,
    vendor: String,
    product: String,
    envelope: Envelope,
    postage: Postage,
    colour: Colour,
    sides: Sides,
    pub letters: Vec<Letter>,
}

/// A letter of a job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Letter {
    pub letter_id: CommandId,
    return_address: Vec<String>,
    files: Vec<File>,
}

/// A PDF of a letter, in the order in which they go into the envelope.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    name: String,
    role: String,
    bytes: u64,
    sha256: String,
}

/// The letter first, then the enclosures in the order they came.
pub(crate) fn sheets(delivery: &Delivery) -> impl Iterator<Item = &Attachment> {
    let with = |role| {
        let attachments = delivery.attachments.iter();
        attachments.filter(move |attachment| attachment.role == role)
    };
    with("letter").chain(with("enclosure"))
}

/// The job's id: that of its letters, whatever their order.
pub(crate) fn job_id(letters: &[&Delivery]) -> String {
    let mut ids: Vec<_> = letters.iter().map(|letter| letter.command.id).collect();
    ids.sort_unstable();
    let mut hash = Sha256::new();
    for id in ids {
        hash.update(id.0.as_bytes());
    }
    hex(&hash.finalize()[..16])
}

/// The package of a job.
pub(crate) fn build(config: &Config, job: &str, letters: &[&Delivery]) -> Result<Vec<u8>, Error> {
    let mut sorted = letters.to_vec();
    sorted.sort_unstable_by_key(|letter| letter.command.id);
    // The time at which the last letter was asked for: a second try gives the same package.
    let created = sorted.iter().map(|letter| letter.command.issued).max();
    let manifest = Manifest {
        version: 1,
        job_id: job.to_owned(),
        created_at: created.unwrap_or_default(),
        vendor: config.vendor.clone(),
        product: config.product.clone(),
        envelope: config.envelope,
        postage: config.postage,
        colour: config.colour,
        sides: config.sides,
        letters: sorted.iter().map(|letter| line(config, letter)).collect(),
    };
    let manifest = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| zip::result::ZipError::Io(error.into()))?;
    let checksum = format!("{}  {MANIFEST}\n", hex(&Sha256::digest(&manifest)));

    let sizes = sorted.iter().flat_map(|letter| sheets(letter));
    let size: usize = sizes.map(|sheet| sheet.bytes.len() + 256).sum();
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(size + manifest.len())));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut put = |name: &str, bytes: &[u8]| -> Result<(), Error> {
        writer.start_file(name, options)?;
        writer.write_all(bytes).map_err(zip::result::ZipError::Io)?;
        Ok(())
    };
    put(MANIFEST, &manifest)?;
    put(CHECKSUM, checksum.as_bytes())?;
    for letter in sorted {
        for (n, sheet) in sheets(letter).enumerate() {
            put(&name(letter, n), &sheet.bytes)?;
        }
    }
    Ok(writer.finish()?.into_inner())
}

fn line(config: &Config, letter: &Delivery) -> Letter {
    let files = sheets(letter).enumerate().map(|(n, sheet)| File {
        name: name(letter, n),
        role: sheet.role.to_owned(),
        bytes: sheet.bytes.len() as u64,
        sha256: hex(&Sha256::digest(&sheet.bytes)),
    });
    Letter {
        letter_id: letter.command.id,
        return_address: config.return_address(&letter.command.unit).to_vec(),
        files: files.collect(),
    }
}

fn name(letter: &Delivery, n: usize) -> String {
    format!("{}-{}.pdf", letter.command.id, n + 1)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How many of a package's first bytes hold its manifest, told by the first [`HEADER`] of them.
pub(crate) fn manifest_end(head: &[u8]) -> Result<u64, Error> {
    let wrong = Error::NotAsAgreed("a package does not begin with its manifest");
    let short = |at: usize| {
        let bytes = head.get(at..at + 2)?.try_into().ok()?;
        Some(u64::from(u16::from_le_bytes(bytes)))
    };
    let fields = (|| {
        let stored = head.get(..4)? == b"PK\x03\x04" && short(8)? == 0;
        let size = short(18)? | short(20)? << 16;
        let end = HEADER + short(26)? + short(28)? + size;
        (stored && size > 0 && end <= LONGEST).then_some(end)
    })();
    fields.ok_or(wrong)
}

/// The manifest at the beginning of a package.
pub(crate) fn manifest(head: &[u8]) -> Result<Manifest, Error> {
    let wrong = || Error::NotAsAgreed("a package's manifest cannot be read");
    let mut head = head;
    let entry = zip::read::read_zipfile_from_stream(&mut head).map_err(|_| wrong())?;
    let entry = entry.filter(|entry| entry.name().is_ok_and(|name| name == MANIFEST));
    serde_json::from_reader(entry.ok_or_else(wrong)?).map_err(|_| wrong())
}
