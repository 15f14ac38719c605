//! Key pairs for SSH.

use std::{fs, io, path::Path};

use rcgen::{KeyPair, PKCS_ED25519};
use russh::keys::PrivateKey;

/// Makes an Ed25519 key pair, writes the private key to `path` (only its owner may read it) and
/// answers the public key as a line of OpenSSH. A key that is there already is kept.
///
/// # Errors
/// When the file cannot be written, or holds something else.
pub fn key_pair(path: &Path) -> io::Result<String> {
    let key = host_key(path)?;
    key.public_key().to_openssh().map_err(io::Error::other)
}

/// The private key in `path`, made if there is none.
pub(super) fn host_key(path: &Path) -> io::Result<PrivateKey> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
        Err(error) => return Err(error),
    };
    russh::keys::decode_secret_key(&text, None).map_err(io::Error::other)
}

fn make(path: &Path) -> io::Result<String> {
    let pkcs8 = KeyPair::generate_for(&PKCS_ED25519)
        .map_err(io::Error::other)?
        .serialize_pem();
    // PKCS#8 version 2 is read by us but not by every SSH; OpenSSH's own form is.
    let key = russh::keys::decode_secret_key(&pkcs8, None).map_err(io::Error::other)?;
    let text = key
        .to_openssh(russh::keys::ssh_key::LineEnding::LF)
        .map_err(io::Error::other)?;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())?;
    Ok(text.to_string())
}
